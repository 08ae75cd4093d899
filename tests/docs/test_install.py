"""docs/install.md: installing and going back are run as they stand there, in another prefix."""

import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from build_hooks import bundle
from tests.confined import UNITS, settings
from tests.house.test_bundle import Desk

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "install.md").read_text()
#: what takes back what a recipe has just done, or ends the service
UNDOING = re.compile(r"--rollback|dpkg (?:-r|-P|--remove|--purge)|down -v|disable --now")


def block(heading: str, number: int = 0) -> str:
    text = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[number]


def test_who_pastes_a_whole_block_is_not_led_back_by_its_last_line() -> None:
    """Upgrade and `--rollback` stood in one; a program before may refuse the newer spool."""
    found = [
        (page.name, made)
        for page in DOCS.rglob("*.md")
        for made in re.findall(r"(?ms)^```\w*\n(.*?)^```$", page.read_text())
        if UNDOING.search(made) and not UNDOING.search(made.splitlines()[0])
    ]
    assert found == []


@pytest.mark.needs("openssl")
def test_installed_and_gone_back_as_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "made.pub").rename(tmp_path / "release.pub")
    prefix = f" --prefix {desk.prefix}"
    for told in ("/etc/systemd/system", "/usr/local/bin"):
        (tmp_path / told[1:]).mkdir(parents=True)
    (desk.bin / "systemd-sysusers").symlink_to("/bin/true")
    install = re.sub(
        r"^(sh install.sh .*) --units (/etc/\S+) --bin (/usr/\S+)$",
        rf"\1{prefix} --units {tmp_path}\2 --bin {tmp_path}\3",
        block("Install"), flags=re.MULTILINE,
    )  # fmt: skip
    for version in ("0.1.0", "0.2.0"):
        desk.bundle(version)
        for end in (".tar", ".tar.sig"):
            (tmp_path / f"{version}{end}").rename(tmp_path / f"stackproof{end}")
        run(install.replace("stackproof-*/", f"stackproof-{version}/"), desk)
        assert desk.current == f"stackproof-{version}"
        assert (tmp_path / "usr/local/bin/stackproof").resolve().parts[-3] == desk.current
    (back,) = re.findall(r"(?m)^sh install.sh --rollback", block("Upgrade and going back", 1))
    run(f"cd stackproof-0.2.0; {back}{prefix}", desk)
    assert desk.current == "stackproof-0.1.0"


@pytest.mark.needs("openssl")
def test_an_archive_by_a_stranger_is_not_even_unpacked(tmp_path: Path) -> None:
    """It would bring the stranger's key, to lie where the maker's lies."""
    desk, stranger = Desk(tmp_path), bundle.open_key(tmp_path / "stranger.pem")
    (tmp_path / "made.pub").rename(tmp_path / "release.pub")
    told = (tmp_path / "release.pub").read_bytes()
    with tarfile.open(tmp_path / "stackproof.tar", "w") as archive:
        archive.add(tmp_path / "stranger.pub", "release.pub")
    bundle.sign_file(tmp_path / "stackproof.tar", stranger)
    with pytest.raises(AssertionError, match="Signature Verification Failure"):
        run(block("Install"), desk)
    assert (tmp_path / "release.pub").read_bytes() == told


def run(script: str, desk: Desk) -> None:
    done = subprocess.run(
        ["sh", "-euc", script], cwd=desk.folder, capture_output=True, text=True, check=False,
        env={"PATH": f"{desk.bin}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_table_of_services_is_the_units() -> None:
    row = r"^\| `(stackproof-[\w@%]+)` \| [^|]+ \| `([^`]+)`[^|]* \| (?:`([^`]+)`|none) \|$"
    rows = re.findall(row, TEXT.replace("NAME", "%i"), re.M)
    assert {row[0].replace("%i", "") for row in rows} == {p.stem for p in UNITS.glob("*.service")}
    for name, file, state in rows:
        told = settings(name.replace("%i", ""))
        assert told["ConditionPathExists"] == [file]
        assert file in told["ExecStart"][0]
        folders = [f"/var/lib/{folder}" for folder in told.get("StateDirectory", [])]
        assert [state] == (folders or [""]), name
