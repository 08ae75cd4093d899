"""The one command: its table, its sentences, its exit codes."""

import os
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

import stackproof

ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_every_command_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert stackproof.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in ("demo", "edge", "cloud", "sim", "profile", "verify", "keys", "calc"):
        assert sum(line.split()[:1] == [name] for line in lines) == 1


def test_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert stackproof.main(["--version"]) == 0
    assert capsys.readouterr().out == f"stackproof {project['version']}\n"


def test_unknown_command_shows_usage_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert stackproof.main(["frobnicate"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("stackproof: no command 'frobnicate'\n\nusage: stackproof")


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert stackproof.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: stackproof")


@pytest.mark.parametrize(("extra", "target"), [("edge", '"stackproof[edge]"'), ("", "stackproof")])
def test_missing_package_names_the_fix(
    extra: str,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = stackproof.Command("x", "surely_not_installed.cli", extra)
    monkeypatch.setitem(stackproof.COMMANDS, "edge", command)
    assert stackproof.main(["edge", "check", "site.toml"]) == 2
    assert capsys.readouterr().err == (
        "stackproof: edge needs the package surely_not_installed, which is not installed; "
        f"run: pip install {target}\n"
    )


def test_missing_module_of_ours_is_a_defect_and_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    command = stackproof.Command("x", "edge.no_such_module", "edge")
    monkeypatch.setitem(stackproof.COMMANDS, "edge", command)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        stackproof.main(["edge"])


@pytest.mark.parametrize(("keeps_name", "given"), [(False, ["a", "b"]), (True, ["room", "a", "b"])])
def test_arguments_are_handed_over(
    keeps_name: bool, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = types.ModuleType("room_under_test")
    seen: list[list[str]] = []

    def main(argv: list[str]) -> int:
        seen.append(argv)
        return 7

    vars(room)["main"] = main
    monkeypatch.setitem(sys.modules, "room_under_test", room)
    command = stackproof.Command("x", "room_under_test", keeps_name=keeps_name)
    monkeypatch.setitem(stackproof.COMMANDS, "room", command)
    assert stackproof.main(["room", "a", "b"]) == 7
    assert seen == [given]


@pytest.mark.parametrize(("ends", "status"), [(KeyboardInterrupt, 130), (MemoryError, 2)])
def test_what_ends_a_command_is_told_by_its_status(
    monkeypatch: pytest.MonkeyPatch, ends: type[BaseException], status: int
) -> None:
    """A status of 1 says that an archive failed; too little memory says nothing of it."""
    room = types.ModuleType("room_under_test")

    def main(argv: list[str]) -> int:
        raise ends

    vars(room)["main"] = main
    monkeypatch.setitem(sys.modules, "room_under_test", room)
    monkeypatch.setitem(stackproof.COMMANDS, "room", stackproof.Command("x", "room_under_test"))
    assert stackproof.main(["room"]) == status


def test_a_command_without_an_output_tells_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of `>&-`: a good archive had the status of one that failed."""
    monkeypatch.setattr(sys, "stdout", None)
    assert stackproof.main(["--version"]) == 0
    sys.stdout.close()


@pytest.mark.parametrize(
    ("order", "unbuffered"),
    [
        (["--help"], ""), (["verify", "--help"], ""), (["verify", "{archive}"], ""),
        (["verify", "{archive}"], "1"), (["sim", "list"], "1"),
    ],
)  # fmt: skip
def test_a_reader_that_leaves_ends_the_command_quietly(
    order: list[str], unbuffered: str, tmp_path: Path
) -> None:
    """As SIGPIPE ends other commands; and never with 0, which would be a verdict."""
    archive = tmp_path / "none.tar"
    archive.write_bytes(b"")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as unread:
        done = subprocess.run(
            [sys.executable, "-m", "stackproof", *(a.format(archive=archive) for a in order)],
            stdout=unread,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("name", list(stackproof.COMMANDS))
def test_every_room_is_there_and_helps(name: str) -> None:
    """Each command of the table starts in its own process and explains itself."""
    done = subprocess.run(
        [sys.executable, "-m", "stackproof", name, "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage" in done.stdout.lower()
