"""SIGKILL at the steps of a month that closes itself; the next process ends it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.findings import Verdict
from tests.unit.cloud.month.engine_examples import STEPS, TO_NS, Works, heartbeat
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged
from tests.unit.evidence.small_plant import MONTH, PLANT

ROOT = Path(__file__).parents[3]
CHILD = (sys.executable, "-m", "tests.integration.cloud.month_engine_child")


def killed(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False, timeout=120).returncode


@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join(map(str, step)))
async def test_the_next_process_ends_what_a_killed_one_began(
    tmp_path: Path, step: tuple[str, str, bool]
) -> None:
    desk = Desk(tmp_path / "evidence").deliver()
    heartbeat(desk, TO_NS)
    desk.shut()
    command = [*CHILD, str(tmp_path), *map(str, step)]
    assert not (tmp_path / "state").exists()
    assert killed(command) == -signal.SIGKILL
    works = Works(tmp_path / "state", Desk(tmp_path / "evidence"))
    engine = works.engine(closing="when-complete")
    await engine.look()
    await engine.idle()
    assert list(works.made()) == [ARCHIVE]
    assert judged(works.archives / ARCHIVE).verdict is Verdict.PASSED
    assert works.facts.ordered() == []
    assert [close.month for close in works.facts.closes(PLANT)] == [MONTH], "closed once"
    aside = Works(tmp_path / "aside", works.desk)
    await aside.engine().seal(PLANT, MONTH)
    assert aside.made() == works.made()
    works.desk.shut()
