"""docs/drivers.md is true: a copy of the blueprint, under another name, passes the contract."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edge.drivers._blueprint as blueprint

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/drivers.md"
SOURCE = Path(blueprint.__file__).parent

#: what the copier does by hand: a line in DRIVERS, and a bench
PLUGIN = """
import pathlib
import edge.drivers
edge.drivers.__path__.append(str(pathlib.Path(__file__).parent))
from tests.conformance import driver_benches as benches
from tests.conformance.blueprint_bench import BlueprintBench
benches.TEST_ONLY["flowbox"] = "edge.drivers.flowbox.driver:FlowboxDriver"
benches.BENCHES["flowbox"] = lambda: BlueprintBench("flowbox")
benches.ASKING.append("flowbox")
"""


def copied(folder: Path) -> Path:
    """The blueprint as docs/drivers.md has it copied, by the commands that stand there."""
    drivers = folder / "edge/drivers"
    shutil.copytree(SOURCE, drivers / "_blueprint", ignore=shutil.ignore_patterns("__pycache__"))
    (script,) = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    subprocess.run(["sh", "-euc", script], cwd=folder, check=True)
    (drivers / "register_flowbox.py").write_text(PLUGIN, encoding="utf-8")
    return drivers / "flowbox"


def contract(made: Path) -> tuple[int, str]:
    """Exit status and output of the driver contract for the copy alone."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "register_flowbox", "-q", "-k", "flowbox",
         "-p", "no:cacheprovider", "tests/conformance/test_driver_contract.py"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=100,
        env={**os.environ, "PYTHONPATH": f"{made.parent}:{ROOT}", "STACKPROOF_TALLY": ""},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_fresh_copy_passes_the_contract(tmp_path: Path) -> None:
    code, said = contract(copied(tmp_path))
    assert code == 0, said
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 15, said


@pytest.mark.parametrize(
    ("file", "old", "new", "fails"),
    [
        # a driver that lets one bad point spoil its neighbours
        (
            "question.py",
            "return Sample(None, Quality.DEVICE_REFUSED)",
            'raise ConnectionError("refused")',
            "test_one_sample_a_point_in_order_and_a_bad_point_raises_nothing",
        ),
        # one that leaves its connection open when it is cancelled
        (
            "driver.py",
            "        except BaseException:  # cancelled",
            "        except MemoryError:  # cancelled",
            "test_a_cancelled_read_is_cancelled_and_leaves_no_connection",
        ),
        # one that sends something else than it tells, past a gate that was taken out
        (
            "wire.py",
            "self._writer.write(only_reads(question))",
            'self._writer.write(b"WRITE all 0\\n" + question)',
            "READ-ONLY BROKEN: blueprint WRITE reached a server",
        ),
    ],
)
def test_a_copy_that_breaks_its_word_fails(
    tmp_path: Path, file: str, old: str, new: str, fails: str
) -> None:
    made = copied(tmp_path)
    path = made / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    code, said = contract(made)
    assert code == 1, said
    assert fails in said
