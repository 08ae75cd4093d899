"""The Debian package of a bundle: what is in it, and that its scripts delete nothing of value."""

import base64
import hashlib
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from build_hooks.bundle_deb import build_deb
from build_hooks.bundle_lock import Target
from evidence.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
TARGET = Target("aarch64", "3.13")
HOME = "./opt/stackproof/current"


def wheel(folder: Path, name: str, tag: str, files: dict[str, bytes]) -> str:
    """A wheel that pip installs; its line of a lock."""
    dist, version = name.split("-")
    info = f"{name}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    made = folder / f"{name}-{tag}.whl"
    with zipfile.ZipFile(made, "w") as file:
        for path, content in {**files, f"{info}/RECORD": record.encode()}.items():
            file.writestr(path, content)
    return f"{dist}=={version} --hash=sha256:{hashlib.sha256(made.read_bytes()).hexdigest()}\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """One of two packages: ours, and one for another processor than this, with a binary."""
    folder = tmp_path / "bundle"
    (folder / "wheels").mkdir(parents=True)
    wheel(folder / "wheels", f"stackproof-{VERSION}", "py3-none-any", {"stackproof.py": b""})
    binary = {"nats-2.15.data/scripts/nats-server": b"\x7fELF", "nats.py": b""}
    lock = wheel(folder / "wheels", "nats-2.15", "py3-none-manylinux2014_aarch64", binary)
    (folder / "lock-3.13.txt").write_text(lock)
    for name in ("docs/install.md", "sbom.cdx.json", "CHANGELOG.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("text\n")
    (folder / "systemd").symlink_to(ROOT / "packaging/systemd")
    return folder


def said(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.mark.needs("dpkg-deb")
def test_package_of_another_processor(bundle: Path, tmp_path: Path) -> None:
    deb = build_deb(bundle, TARGET, tmp_path)
    assert deb.name == f"stackproof_{VERSION}+py3.13_arm64.deb"
    (tmp_path / "again").mkdir()
    assert build_deb(bundle, TARGET, tmp_path / "again").read_bytes() == deb.read_bytes()

    lines = [line.split(maxsplit=5) for line in said("dpkg-deb", "-c", deb).splitlines()]
    assert {line[1] for line in lines} == {"root/root"}
    mode = {line[5]: line[0] for line in lines}
    site = f"{HOME}/lib/python3.13/site-packages"
    assert f"{HOME}/bin/python -> /usr/bin/python3.13" in mode
    assert "./usr/bin/stackproof -> /opt/stackproof/current/bin/stackproof" in mode
    assert mode[f"{HOME}/bin/stackproof"] == mode[f"{HOME}/bin/nats-server"] == "-rwxr-xr-x"
    assert mode[f"{site}/stackproof.py"] == "-rw-r--r--"
    assert f"{site}/nats.py" in mode
    units = {path.name for path in (ROOT / "packaging/systemd").glob("*.service")}
    assert {f"./usr/lib/systemd/system/{name}" for name in units} <= mode.keys()
    assert "./usr/lib/sysusers.d/stackproof.conf" in mode
    assert not [path for path in mode if "direct_url" in path or "/etc/stackproof/" in path[:-1]]

    depends = said("dpkg-deb", "-f", deb, "Depends")
    assert depends == "python3.13, libc6 (>= 2.36), systemd\n"
    out = tmp_path / "control"
    said("dpkg-deb", "-e", deb, out)
    assert {path.name for path in out.iterdir()} == {
        "control", "md5sums", "postinst", "postrm", "preinst", "prerm",
    }  # fmt: skip


def test_the_program_is_where_units_look_for_it() -> None:
    for unit in (ROOT / "packaging/systemd").glob("*.service"):
        (program,) = re.findall(r"^ExecStart=(\S+)", unit.read_text(), re.MULTILINE)
        assert program == f"{HOME[1:]}/bin/stackproof"


def test_a_package_whose_files_were_taken_away_by_hand_can_be_removed(tmp_path: Path) -> None:
    script = (ROOT / "packaging/debian/prerm").read_text()
    here = script.replace("/opt/stackproof", str(tmp_path)).replace("/run/systemd", str(tmp_path))
    compiled = tmp_path / "current/lib/python3.13/__pycache__"
    compiled.mkdir(parents=True)
    subprocess.run(["sh", "-c", here, "prerm", "remove"], check=True)
    assert list((tmp_path / "current/lib").rglob("*")) == [compiled.parent]
    shutil.rmtree(tmp_path / "current")
    subprocess.run(["sh", "-c", here, "prerm", "remove"], check=True)
