"""`.ci/run` with a stand-in for `./run` and for every Python: versions, parts, sum and status."""

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

#: notes its Python and arguments; a test run adds its counts as `./run test` does
RUN = """#!/bin/sh
echo "${{STACKPROOF_PYTHON##*/}} $*" >>log
case "$*" in
*--core*) echo "{core}" >>"$STACKPROOF_SUMS"; exit {core_exit} ;;
test*) echo "{whole}" >>"$STACKPROOF_SUMS"; echo "1 0 0" >>"$STACKPROOF_SUMS"; exit {whole_exit} ;;
exec*) cp later "{bin}/python3" 2>/dev/null || exit 2 ;;
esac
"""
LEFT_OUT = "--ignore=tests/house --ignore=tests/docs --ignore=tests/test_tidy.py"


class Ci:
    """A clone of paper."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "clone", folder / "bin"
        (self.root / ".ci").mkdir(parents=True)
        self.bin.mkdir()
        text = (REPOSITORY / ".ci/run").read_text()
        (self.root / ".ci/run").write_text(text.replace("$PATH:/usr/local/bin:/usr/bin", "$PATH"))
        (self.root / ".ci/run").chmod(0o755)
        for tool in ("env", "bash", "sh", "awk", "sort", "head", "tail", "mktemp", "rm", "dirname",
                     "cp"):  # fmt: skip
            (self.bin / tool).symlink_to(str(shutil.which(tool)))

    def python(self, name: str, version: str) -> None:
        """One that says its version; "" is of a Python without venv, or that is not supported."""
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n[ -n '{version}' ] && echo {version}\n")
        program.chmod(0o755)

    def run(self, **said: object) -> tuple[int, list[str], list[str]]:
        """Status, lines of its log, and calls of `./run` with the name of their Python."""
        defaults = {"core": "5 0 0", "whole": "7 0 2", "core_exit": 0, "whole_exit": 0}
        run = self.root / "run"
        run.write_text(RUN.format(bin=self.bin, **{**defaults, **said}))
        run.chmod(0o755)
        done = subprocess.run(
            [self.root / ".ci/run"], env={"PATH": str(self.bin)}, check=False,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.stderr == "", "one log, in order"
        calls = (self.root / "log").read_text().splitlines()
        return done.returncode, done.stdout.splitlines(), calls


@pytest.fixture
def ci(tmp_path: Path) -> Ci:
    return Ci(tmp_path)


def test_the_newest_runs_all_and_the_oldest_the_core(ci: Ci) -> None:
    for name, version in (("python3", "3.13"), ("python3.11", "3.11"), ("python3.12", "3.12"),
                          ("python3.14", "")):  # fmt: skip
        ci.python(name, version)
    status, log, calls = ci.run()
    assert status == 0
    assert calls == [
        "python3 check",
        f"python3 test --strict {LEFT_OUT}",
        "python3.11 test --strict --core",
    ]
    assert log[-4:] == [
        "ci: check, Python 3.13: 0.0 min, exit 0",
        "ci: every test, Python 3.13: 0.0 min, exit 0",
        "ci: core tests, Python 3.11: 0.0 min, exit 0",
        "13 passed, 0 failed, 2 skipped",
    ]


def test_one_python_runs_all_and_the_log_says_that_no_other_did(ci: Ci) -> None:
    ci.python("python3", "3.12")
    ci.python("python3.12", "3.12")
    status, log, calls = ci.run()
    assert (status, calls) == (0, ["python3 check", f"python3 test --strict {LEFT_OUT}"])
    assert log[-2].startswith(
        "ci: only Python 3.12 is on this machine; no other version was tested."
    )
    assert "uv python install 3.11" in log[-2]
    assert log[-1] == "8 passed, 0 failed, 2 skipped"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"core": "4 1 0", "core_exit": 1}, 1),
        ({"whole": "6 1 2", "whole_exit": 1}, 1),
        ({"whole_exit": 3}, 3),
    ],
)
def test_a_part_that_fails_fails_the_run_and_the_others_still_run(
    ci: Ci, said: dict[str, object], status: int
) -> None:
    ci.python("python3", "3.13")
    ci.python("python3.11", "3.11")
    ended, log, calls = ci.run(**said)
    assert (ended, len(calls)) == (status, 3)
    assert sum(line.endswith(f"exit {status}") for line in log) == 1
    failed = 0 if "whole_exit" in said and said["whole_exit"] == 3 else 1
    assert f"{failed} failed" in log[-1]


def test_on_a_machine_without_a_usable_python_run_installs_one(ci: Ci) -> None:
    ci.python("python3", "")
    (ci.root / "later").write_text("#!/bin/sh\necho 3.13\n")
    (ci.root / "later").chmod(0o755)
    status, _, calls = ci.run()
    assert status == 0
    assert calls[:2] == [" exec true", "python3 check"]
