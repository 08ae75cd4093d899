"""`./run` on a machine of paper: when it sets up, in which order, what a failure leaves behind."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.house.paper_machine import Machine
from tests.waiting import ENOUGH_S


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "usage: ./run COMMAND"),
        (("--help",), 0, "usage: ./run COMMAND"),
        (("frobnicate",), 2, "usage: ./run COMMAND"),
        (("exec",), 2, "usage: ./run exec"),
    ],
)
def test_usage_goes_to_stderr_and_sets_nothing_up(
    machine: Machine, arguments: tuple[str, ...], code: int, words: str
) -> None:
    returned, out, err = machine.run(*arguments)
    assert (returned, out) == (code, "")
    assert words in err
    assert not (machine.root / ".venv").exists()


def test_first_use_sets_up_once_and_stdout_is_the_commands(machine: Machine) -> None:
    code, out, err = machine.run("exec", "sh", "-c", "echo own words")
    assert (code, out) == (0, "own words\n")
    assert "setting up .venv with Python 3.12.1" in err
    packages, project = machine.logged("pip")
    assert "--require-hashes" in packages
    assert f"{machine.root}/requirements/all.txt" in packages
    assert f"--editable {machine.root}" in project
    assert machine.run("exec", "sh", "-c", "exit 7") == (7, "", "")
    assert len(machine.logged("venv")) == 1


def test_a_named_python_has_an_environment_of_its_own(machine: Machine) -> None:
    machine.run("exec", "sh", "-c", ":")
    machine.python("another", pip_exit=0)
    show = ("exec", "sh", "-c", 'echo "$VIRTUAL_ENV"')
    named = {"STACKPROOF_PYTHON": str(machine.bin / "another")}
    code, out, err = machine.run(*show, **named)
    assert (code, out) == (0, f"{machine.root}/.venv-3.12\n")
    assert "setting up .venv-3.12 with Python 3.12.1" in err
    assert machine.run(*show, **named) == (0, out, "")
    assert machine.run(*show) == (0, f"{machine.root}/.venv\n", "")
    assert len(machine.logged("venv")) == 2
    code, _, err = machine.run(*show, STACKPROOF_PYTHON=str(machine.bin / "none"))
    assert code == 2
    assert "bin/none is no Python >= 3.11 with venv" in err


def test_the_callers_folder_is_kept(machine: Machine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    machine.run("exec", "touch", "here", cwd=elsewhere)
    assert (elsewhere / "here").exists()


def test_the_environment_comes_first_on_the_path(machine: Machine) -> None:
    _, out, _ = machine.run("exec", "sh", "-c", 'echo "$PATH|$VIRTUAL_ENV"')
    path, _, environment = out.strip().partition("|")
    assert path.startswith(f"{machine.root}/.venv/bin:")
    assert "/usr/sbin" in path.split(":")
    assert environment == f"{machine.root}/.venv"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements/all.txt", "all==2\n"),
        ("pyproject.toml", '[project]\nversion = "2"\n'),
        (".venv/stamp-all", None),
    ],
)
def test_remade_when_what_it_was_made_from_changed(
    machine: Machine, file: str, text: str | None
) -> None:
    machine.run("exec", "sh", "-c", ":")
    if text is None:
        (machine.root / file).unlink()
    else:
        (machine.root / file).write_text(text)
    machine.run("exec", "sh", "-c", ":")
    machine.run("exec", "sh", "-c", ":")
    assert len(machine.logged("venv")) == 2


def test_remade_when_the_folder_moved(machine: Machine) -> None:
    machine.run("exec", "sh", "-c", ":")
    machine.root = machine.root.rename(machine.root.with_name("moved"))
    machine.run("exec", "sh", "-c", ":")
    assert len(machine.logged("venv")) == 2


def test_tool_settings_do_not_remake_it(machine: Machine) -> None:
    machine.run("exec", "sh", "-c", ":")
    (machine.root / "pyproject.toml").write_text('[project]\nversion = "1"\n\n[tool.x]\ny = 2\n')
    machine.run("exec", "sh", "-c", ":")
    assert len(machine.logged("venv")) == 1


def test_failed_install_leaves_no_stamp_and_names_the_cause(machine: Machine) -> None:
    machine.python(pip_exit=1)
    code, out, err = machine.run("exec", "sh", "-c", ":")
    assert (code, out) == (2, "")
    assert "package index" in err
    assert not (machine.root / ".venv/stamp-all").exists()
    machine.python()
    assert machine.run("exec", "sh", "-c", ":")[0] == 0
    assert len(machine.logged("venv")) == 2


def test_killed_in_the_middle_it_starts_anew(machine: Machine) -> None:
    machine.python(pip_s=20)
    process = machine.start("exec", "sh", "-c", ":")
    deadline = time.monotonic() + ENOUGH_S
    while not machine.logged("venv") and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    machine.python()
    code, _, err = machine.run("exec", "sh", "-c", ":")
    assert code == 0
    assert "waiting" not in err
    assert len(machine.logged("venv")) == 2


def test_two_at_once_set_up_once(machine: Machine) -> None:
    machine.python(pip_s=0.3)
    both = [machine.start("exec", "sh", "-c", ":") for _ in range(2)]
    errors = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(machine.logged("venv")) == 1
    assert sum("waiting for it" in error for error in errors) == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({"no_venv": 1}, "apt install python3-venv"),
        ({"too_old": 1}, "no Python >= 3.11 found"),
    ],
)
def test_python_that_will_not_do_is_explained(
    machine: Machine, behaviour: dict[str, object], words: str
) -> None:
    machine.python(**behaviour)
    code, out, err = machine.run("exec", "sh", "-c", ":")
    assert (code, out) == (2, "")
    assert words in err


def test_as_root_the_missing_venv_module_is_installed(machine: Machine) -> None:
    machine.python(no_venv=1)
    machine.program("id", "#!/bin/sh\necho 0\n")
    machine.python(name="with-venv")
    machine.program(
        "apt-get",
        f'#!/bin/sh\necho "apt $*" >>{machine.log}\n[ -n "$DEBIAN_FRONTEND" ] || exit 1\n'
        f"cp {machine.bin}/with-venv {machine.bin}/python3\n",
    )
    assert machine.run("exec", "sh", "-c", ":")[0] == 0
    (call,) = machine.logged("apt")
    assert call.endswith("install python3-venv")


def test_demo_without_npm_goes_on_and_says_what_is_missing(machine: Machine) -> None:
    machine.run("exec", "sh", "-c", ":")
    own = machine.root / ".venv/bin/stackproof"
    own.write_text('#!/bin/sh\necho "$@"\n')
    own.chmod(0o755)
    code, out, err = machine.run("demo", "--for", "5")
    assert (code, out) == (0, "demo --for 5\n")
    assert "no trend chart (apt install npm" in err


class TestTest:
    """`./run test`: six processes, one sum, nothing left out in silence."""

    @pytest.fixture
    def complete(self, machine: Machine) -> Machine:
        for program in ("npm", "node", "mbpoll", "mosquitto", "tinyproxy",
                        "microsocks", "chromium", "openssl", "curl", "nft", "ip",
                        "softhsm2-util", "influxd", "cc", "systemd-analyze", "promtool",
                        "docker-compose"):  # fmt: skip
            machine.program(program)
        fonts = machine.root / "fonts"
        fonts.mkdir()
        text = (machine.root / "run").read_text()
        text = text.replace("/usr/share/fonts/*/noto/NotoSansCJK*", '"$root"/fonts')
        for header in ("stdio.h", "modbus/modbus.h", "open62541/server.h"):
            text = text.replace(f"/usr/include/{header}", '"$root"/fonts')
        (machine.root / "run").write_text(text.replace(":/usr/sbin:/sbin", ""))
        (machine.root / "tests/unit").mkdir(parents=True)
        (machine.root / "tests/e2e").mkdir()
        return machine

    def test_seven_processes_and_their_sum(self, complete: Machine) -> None:
        code, out, err = complete.run("test", "-k", "word")
        assert code == 0
        assert "left out" not in err
        assert set(complete.logged("compiled")) == {"compiled kept"}
        assert out.splitlines()[-1] == "21 passed, 0 failed, 7 skipped"
        ran = {line[line.index("tests") :] for line in complete.logged("pytest")}
        assert ran == {
            "tests --ignore=tests/unit --ignore=tests/e2e --ignore=tests/integration "
            "--ignore=tests/system --ignore=tests/conformance -k word",
            "tests/integration --ignore=tests/integration/cloud --ignore=tests/integration/edge "
            "--ignore=tests/integration/simulators -k word",
            "tests/integration/cloud tests/integration/edge "
            "--ignore=tests/integration/cloud/database -k word",
            "tests/integration/simulators tests/integration/cloud/database "
            "tests/system tests/conformance -k word",
            "tests/unit -k word",
            "tests/e2e --ignore-glob=tests/e2e/test_[en-z]* -k word",
            "tests/e2e --ignore-glob=tests/e2e/test_[a-df-m]* -k word",
        }

    def test_the_core_is_three_processes_and_says_its_python(self, complete: Machine) -> None:
        sums = complete.root / "sums"
        code, out, err = complete.run("test", "--core", "-q", STACKPROOF_SUMS=str(sums))
        assert code == 0
        assert "tests by Python 3.12.1" in err
        assert out.splitlines()[-1] == "9 passed, 0 failed, 3 skipped"
        assert sums.read_text() == "3 0 1\n" * 3
        assert {line[line.index("tests") :] for line in complete.logged("pytest")} == {
            "tests/property tests/fuzz tests/fraud tests/attacks tests/vectors tests/conformance "
            "tests/system/test_demo.py -q",
            "tests/unit/cloud -q",
            "tests/unit --ignore=tests/unit/cloud -q",
        }
        assert complete.run("test", "--core", "tests/unit")[0] == 2

    @pytest.mark.parametrize(("free_kib", "used"), [(4 << 20, True), ((4 << 20) - 1, False)])
    def test_files_of_tests_go_to_memory_where_there_is_enough(
        self, complete: Machine, free_kib: int, used: bool
    ) -> None:
        memory = complete.root / "memory"
        memory.mkdir()
        (complete.bin / "chmod").symlink_to("/usr/bin/chmod")
        text = (complete.root / "run").read_text()
        text = text.replace("use_memory /dev/shm", 'use_memory "$root/memory"')
        (complete.root / "run").write_text(text)
        complete.program("df", f"#!/bin/sh\necho Free\necho tmpfs 9 0 {free_kib}\n")
        assert complete.run("test", "tests/unit")[0] == 0
        assert complete.logged(f"files in {memory}/stackproof-") == complete.logged("files") * used
        assert list(memory.iterdir()) == [], "left behind"

    def test_development_packages_come_on_top(self, complete: Machine) -> None:
        complete.run("exec", "sh", "-c", ":")
        complete.run("test")
        complete.run("test")
        assert len(complete.logged("venv")) == 1
        assert len([line for line in complete.logged("pip") if "dev.txt" in line]) == 1

    def test_failures_are_counted_and_fail(self, complete: Machine) -> None:
        complete.python(tally="3 2 0", pytest_exit=1)
        code, out, _ = complete.run("test")
        assert code == 1
        assert out.splitlines()[-1] == "21 passed, 14 failed, 0 skipped"

    def test_nothing_selected_in_either_process_fails(self, complete: Machine) -> None:
        complete.python(tally="0 0 0", pytest_exit=5)
        code, out, _ = complete.run("test")
        assert code == 5
        assert out.splitlines()[-1] == "0 passed, 0 failed, 0 skipped"

    @pytest.mark.parametrize("path", ["tests/e2e", "tests/unit"])
    def test_a_named_path_runs_alone(self, complete: Machine, path: str) -> None:
        complete.run("test", path, "-x")
        (call,) = complete.logged("pytest")
        assert call.endswith(f"pytest {path} -x")

    def test_both_kinds_of_paths_are_refused(self, complete: Machine) -> None:
        code, _, err = complete.run("test", "tests/e2e", "tests/unit")
        assert code == 2
        assert "two runs" in err

    def test_missing_program_is_named(self, complete: Machine) -> None:
        (complete.bin / "mosquitto").unlink()
        code, _, err = complete.run("test")
        assert code == 0
        assert "left out: tests that need mosquitto" in err

    def test_a_package_the_release_does_not_have_keeps_out_no_other(
        self, complete: Machine
    ) -> None:
        for program in ("mosquitto", "cc"):
            (complete.bin / program).unlink()
        complete.program("id", "#!/bin/sh\necho 0\n")
        complete.program(
            "apt-get",
            f'#!/bin/sh\necho "apt $*" >>{complete.log}\n'
            f"for name; do :; done\ncase $name in\n"
            f"mosquitto) exit 100 ;;\n"
            f"gcc) cp {complete.bin}/npm {complete.bin}/cc ;;\nesac\n",
        )
        code, _, err = complete.run("test")
        assert code == 0
        assert "left out: tests that need mosquitto" in err
        assert "left out: tests that need gcc" not in err

    @pytest.mark.parametrize(
        ("program", "package"),
        [("mosquitto", "mosquitto"), ("nft", "nftables"), ("ip", "iproute2")],
    )
    def test_strict_fails_on_a_missing_program(
        self, complete: Machine, program: str, package: str
    ) -> None:
        (complete.bin / program).unlink()
        code, _, err = complete.run("test", "--strict")
        assert code == 1
        assert f"left out: tests that need {package}" in err
        assert not any("--strict" in call for call in complete.logged("pytest"))

    def test_page_library_is_required(self, complete: Machine) -> None:
        complete.python(uplot_exit=1)
        code, _, err = complete.run("test")
        assert code == 2
        assert "browser library" in err
