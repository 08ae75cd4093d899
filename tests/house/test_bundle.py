"""A bundle: what is in it, and that install.sh takes nothing that is not what was made.

Python and pip of the machine that installs are small stand-ins here: `test_bundle_real.py` does it
with the real ones in a namespace without a network.
"""

import contextlib
import os
import platform
import shutil
import sqlite3
import subprocess
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from build_hooks import bundle
from build_hooks.bundle_lock import Target, lock_of, pins_of
from build_hooks.bundle_sbom import licence_of, sbom_of
from tests.untar import untar

ROOT = Path(__file__).resolve().parents[2]

#: makes a "venv" whose pip notes what it is asked for, and whose stackproof runs
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) echo 3.13 ;;
*ensurepip*) exit 0 ;;
"-m venv "*)
    mkdir -p "$3/bin" "$3/lib/python3.13"
    cp "$0" "$3/bin/python" && cp /bin/true "$3/bin/stackproof" ;;
"-m pip "*) echo "$*" >>"$(dirname "$0")/pip.log" ;;
*) exit 99 ;;
esac
"""

#: what is installed is on the disk before anything says so; else what installs ends
SYNC = """#!/bin/sh
[ "$1 $2" = "-f --" ] && [ -d "$3/docs" ] && [ ! -e "$3/.complete" ] && : >"$0.done"
"""


def wheel(folder: Path, name: str, *metadata: str) -> Path:
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        dist, version = name.split("-")
        lines = [f"Name: {dist}", f"Version: {version}", *metadata]
        file.writestr(f"{name}.dist-info/METADATA", "\n".join(lines) + "\n\n")
    return path


class Desk:
    """A tiny bundle of one version, unpacked, and the machine that it is installed on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.prefix = folder, folder / "opt"
        self.key = bundle.open_key(folder / "made.pem")
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "python3").write_text(PYTHON)
        (self.bin / "python3").chmod(0o755)
        (self.bin / "sync").write_text(SYNC)
        (self.bin / "sync").chmod(0o755)
        spool = folder / "var/lib/stackproof-edge/spool.sqlite"
        spool.parent.mkdir(parents=True)
        with contextlib.closing(sqlite3.connect(spool)) as db:
            db.executescript((ROOT / "tests/vectors/spools/format-4.sql").read_text())

    def bundle(self, version: str, unit: str = "") -> Path:
        """Packed and unpacked again; `unit` is written to the end of its agent's unit."""
        made = self.folder / f"stackproof-{version}"
        (made / "wheels").mkdir(parents=True)
        (made / "docs").mkdir()
        wheel(made / "wheels", f"stackproof-{version}")
        wheel(made / "wheels", "cbor2-6.1.4")
        for name in ("lock-3.11.txt", "lock-3.13.txt", "LICENSE", "sbom.cdx.json"):
            (made / name).write_text("cbor2==6.1.4\n")
        shutil.copy(ROOT / "packaging/install.sh", made)
        shutil.copytree(ROOT / "packaging/systemd", made / "systemd")
        with (made / "systemd/stackproof-edge.service").open("a") as file:
            file.write(unit)
        facts = f"version={version}\narch={platform.machine()}\npythons=3.11 3.13\nlacks=\n"
        (made / "BUNDLE").write_text(facts)
        bundle.sign(made, self.key)
        bundle.pack(made, out := self.folder / f"{version}.tar")
        bundle.sign_file(out, self.key)
        shutil.rmtree(made)
        with tarfile.open(out) as archive:
            untar(archive, self.folder)
        return made

    def run(self, made: Path, *arguments: object) -> tuple[int, str]:
        words = arguments or ("--key", "made.pub")
        done = subprocess.run(
            ["sh", made / "install.sh", *map(str, words), "--prefix", self.prefix],
            env={"PATH": f"{self.bin}:{os.environ['PATH']}"}, cwd=self.folder,
            capture_output=True, text=True, check=False, umask=0o077,  # as hardened ones have it
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def state(self) -> dict[str, tuple[int, int, int, bytes]]:
        """Every file and folder below var: inode, mode, when it was changed, what is in it."""
        told = {}
        for path in sorted((self.folder / "var").rglob("*")):
            status, data = path.stat(), path.read_bytes() if path.is_file() else b""
            told[str(path)] = status.st_ino, status.st_mode, status.st_mtime_ns, data
        return told

    @property
    def command(self) -> Path:
        return self.prefix / "stackproof/current/bin/stackproof"

    @property
    def current(self) -> str:
        link = self.prefix / "stackproof/current"
        return link.readlink().name if link.is_symlink() else ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.needs("openssl")
def test_installed_upgraded_and_rolled_back(desk: Desk) -> None:
    """install.sh alone: it turns the link, and touches nothing below var. No agent runs here.

    What older and newer programs do with one spool: `tests/integration/edge/test_upgrade.py`, and
    their whole agents with a collector: `tests/system/test_upgrade.py`.
    """
    first, second = desk.bundle("0.1.0"), desk.bundle("0.2.0")
    before = desk.state()
    assert desk.run(first, "--rollback")[0] == 2  # nothing is installed
    status, said = desk.run(first)
    assert (status, desk.current) == (0, "stackproof-0.1.0"), said
    assert (desk.bin / "sync.done").exists(), "a power cut now would take what was installed"
    for folder in ("stackproof", "stackproof-0.1.0/bin"):  # services run it, and they are not root
        assert (desk.prefix / folder).stat().st_mode & 0o777 == 0o755
    asked = (desk.prefix / "stackproof-0.1.0/bin/pip.log").read_text().splitlines()
    assert "--no-index --no-deps --find-links wheels --require-hashes -r lock-3.13.txt" in asked[0]
    assert asked[1].endswith("wheels/stackproof-0.1.0-py3-none-any.whl")
    assert "there is no version before" in desk.run(first, "--rollback")[1]
    assert "is in use already" in desk.run(first)[1]
    assert desk.run(second)[0] == 0
    links = desk.prefix / "stackproof"
    (links / "current.new").symlink_to(desk.prefix / "stackproof-0.2.0")  # of one broken off
    for expected in ("stackproof-0.1.0", "stackproof-0.2.0"):
        status, said = desk.run(second, "--rollback")
        assert (status, desk.current) == (0, expected), said
    assert desk.state() == before


@pytest.mark.needs("openssl")
def test_the_same_version_for_the_python_of_debians_next_release(desk: Desk) -> None:
    made, python = desk.bundle("0.1.0"), desk.bin / "python3"
    python.write_text(PYTHON.replace("3.13", "3.11"))
    assert desk.run(made)[0] == 0
    python.write_text(PYTHON)
    program = desk.prefix / "stackproof-0.1.0/bin/stackproof"
    shutil.copy("/bin/false", program)  # its Python is gone
    status, said = desk.run(made)
    assert (status, desk.current) == (0, "stackproof-0.1.0+py3.13"), said
    assert "0.1.0 is in use already" in desk.run(made)[1]
    status, said = desk.run(made, "--rollback")
    assert (status, desk.current) == (2, "stackproof-0.1.0+py3.13")
    assert f"{desk.prefix}/stackproof-0.1.0 does not run" in said
    assert program.exists(), "nothing of it is taken away: a service may run it still"


@pytest.mark.needs("openssl")
def test_units_and_command_are_those_of_the_version_in_use(desk: Desk) -> None:
    units, outside, key = desk.folder / "units", desk.folder / "local", desk.folder / "made.pub"
    unit, command = units / "stackproof-edge.service", outside / "stackproof"
    units.mkdir()
    outside.mkdir()
    (desk.bin / "systemd-sysusers").symlink_to("/bin/true")
    wants = ("--key", key, "--units", units, "--bin", outside)
    first = desk.bundle("0.1.0")
    assert desk.run(first)[0] == 0  # and only then the reader finds out that there are units
    command.write_text("pipx's")
    second = desk.bundle("0.2.0", unit="RestartSec=7\n")
    assert "is another program's: move it away" in desk.run(second, *wants)[1]
    assert (desk.current, list(units.iterdir())) == ("stackproof-0.1.0", [])
    command.unlink()
    for _ in range(2):
        status, said = desk.run(first, *wants)
        assert (status, command.readlink()) == (0, desk.command), said
        assert f"ExecStart={desk.command} edge run " in unit.read_text()
        assert "/opt/stackproof/" not in unit.read_text().replace(str(desk.prefix), "")
        assert {path.name for path in units.iterdir()} == {
            path.name for path in (ROOT / "packaging/systemd").glob("*.service")
        }
    for installing, is_new in ((("--key", key), True), (("--rollback",), False)):
        status, said = desk.run(second, *installing)
        assert (status, "RestartSec=7" in unit.read_text()) == (0, is_new), said
    assert f"rm -r {desk.prefix}/stackproof-0.2.0" in desk.run(desk.bundle("0.3.0"))[1]


def tampered(made: Path) -> None:
    (made / "wheels/cbor2-6.1.4-py3-none-any.whl").write_bytes(b"another")


def gone(made: Path) -> None:
    (made / "wheels/cbor2-6.1.4-py3-none-any.whl").unlink()


def added(made: Path) -> None:
    (made / "wheels/cbor2-6.1.5-py3-none-any.whl").write_bytes(b"a newer one")


def linked(made: Path) -> None:
    (made.parent / "evil.whl").write_bytes(b"beside the bundle")
    (made / "wheels/stackproof-0.2.0-9-py3-none-any.whl").symlink_to("../../evil.whl")


def resigned(made: Path) -> None:
    tampered(made)
    bundle.sign(made, Ed25519PrivateKey.generate())


def sums_cut(made: Path) -> None:
    (made / "SHA256SUMS").write_text("")


def other_machine(made: Path) -> None:
    (made.parent / "bin/uname").write_text("#!/bin/sh\necho riscv64\n")
    (made.parent / "bin/uname").chmod(0o755)


def other_python(made: Path) -> None:
    python = made.parent / "bin/python3"
    python.write_text(PYTHON.replace("echo 3.13", "echo 3.12"))


def pip_fails(made: Path) -> None:
    python = made.parent / "bin/python3"
    python.write_text(PYTHON.replace('echo "$*" >>', 'exit 1; echo "$*" >>'))


NAMED = "altered or missing: wheels/cbor2-6.1.4-py3-none-any.whl."
NOT_BY = "the signature is not by the key in"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (tampered, NAMED),
        (gone, NAMED),
        (added, "there are files here that the bundle does not have"),
        (linked, "there are files here that the bundle does not have"),
        (resigned, NOT_BY),
        (sums_cut, NOT_BY),
        (other_machine, "this machine is riscv64"),
        (other_python, "this bundle is for Python 3.11 3.13, this machine has 3.12"),
        (pip_fails, "pip failed, see above; what was in use still is"),
    ],
)
def test_refused_and_what_was_in_use_still_is(desk: Desk, harm: object, words: str) -> None:
    assert desk.run(desk.bundle("0.1.0"))[0] == 0
    made = desk.bundle("0.2.0")
    assert callable(harm)
    harm(made)
    status, said = desk.run(made)
    assert status == 2
    assert words in said
    assert desk.current == "stackproof-0.1.0"
    assert not (desk.prefix / "stackproof-0.2.0").exists(), "a full disk is the gateway's spool's"


@pytest.mark.needs("openssl")
def test_the_key_must_be_given_and_be_the_makers(desk: Desk) -> None:
    made = desk.bundle("0.1.0")
    assert "units: give the whole path" in desk.run(made, "--key", "k", "--units", "units")[1]
    assert "a unit file cannot name such a folder" in desk.run(made, "--units", "/a b")[1]
    assert "/none: no such folder" in desk.run(made, "--units", "/none")[1]
    assert "--key PUBLIC.pem is missing" in desk.run(made, "--units", "/")[1]
    bundle.open_key(desk.folder / "other.pem")
    assert NOT_BY in desk.run(made, "--key", desk.folder / "other.pub")[1]
    assert "holds no public key" in desk.run(made, "--key", made / "LICENSE")[1]
    assert desk.current == ""
    (desk.prefix / "stackproof/current").mkdir(parents=True)
    assert "is the Debian package's" in desk.run(made)[1]


def test_same_files_give_the_same_archive(desk: Desk) -> None:
    made = desk.bundle("0.1.0")
    before = (desk.folder / "0.1.0.tar").read_bytes()
    bundle.pack(made, desk.folder / "again.tar")
    assert (desk.folder / "again.tar").read_bytes() == before


LOCK = """# a comment
a==1 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via b
b_b==2 \\
    --hash=sha256:ba
c==3 ; implementation_name == 'pypy' \\
    --hash=sha256:ca
"""


def test_lock_is_that_of_the_target_not_of_this_python() -> None:
    b = "b-b==2 \\\n    --hash=sha256:ba\n"
    assert lock_of(pins_of(LOCK, Target("aarch64", "3.13"))) == b
    a = "a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\n"
    assert lock_of(pins_of(LOCK, Target("aarch64", "3.11"))) == a + b


def test_every_locked_package_is_in_it() -> None:
    text = (ROOT / "requirements/all.txt").read_text()
    pins = pins_of(text, Target("x86_64", "3.11"))
    assert len(pins) == text.count("==")  # 3.11 is the oldest: every marker holds there
    assert all(pin.hashes for pin in pins)


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT"], {"expression": "MIT"}),
        (["License: BSD"], {"license": {"name": "BSD"}}),
        (
            ["Classifier: License :: OSI Approved :: MIT License"],
            {"license": {"name": "MIT License"}},
        ),
        ([f"License: {'whole text ' * 20}"], {"license": {"name": "unknown"}}),
    ],
)
def test_licences(lines: list[str], licence: object) -> None:
    metadata = Message()
    for line in lines:
        name, _, value = line.partition(": ")
        metadata[name] = value
    assert licence_of(metadata) == licence


def test_list_of_contents(tmp_path: Path) -> None:
    own = wheel(tmp_path, "stackproof-0.1.0", "License-Expression: Apache-2.0")
    other = wheel(tmp_path, "cbor2-6.1.4", "License-Expression: MIT")
    told = sbom_of(own, [other], bundle.vendored())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"]["name"] == "stackproof"
    names = [part["name"] for part in told["components"]]
    assert names == ["cbor2", "uplot"]
    assert told["components"][0]["hashes"][0]["alg"] == "SHA-256"
