"""Upgrade and back, as at a plant: earlier releases' own agents and today's on one spool.

The older program is taken out of this repository's history and run as it was. At every change of
program readings wait in all three ways: in no frame, unsigned, and signed without a receipt. The
collector is today's.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.edge.left_spool import Left
from tests.integration.edge.streams import Readings, readings_of
from tests.older import FORMAT_3, FORMAT_4, older_program
from tests.system.playing import archive_frames
from tests.system.rig import Rig, running

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.needs("git")]


class Works:
    """A rig whose agent is now of one program, now of another."""

    def __init__(self, rig: Rig, older: Path) -> None:
        self.rig, self.older = rig, older
        self.left: list[Left] = []

    @property
    def spool(self) -> Path:
        return self.rig.work / "edge/spool.sqlite"

    def rows(self, table: str) -> int:
        with closing(sqlite3.connect(f"{self.spool.as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - constants of this file

    def kill(self) -> Left:
        """Kill the agent with ticks of no frame; what it leaves."""
        self.rig.wait("ticks of no frame", lambda: self.rows("open") >= 2, 30)
        self.rig.kill("edge")
        self.left.append(Left(self.spool))
        return self.left[-1]

    def start(self, *, is_older: bool) -> None:
        """Start an agent without a collector, until there is a frame more, signed or not."""
        self.rig.programs = {"edge": self.older} if is_older else {}
        waited = self.rows("unsigned") + self.rows("objects")
        self.rig.start("edge")
        self.rig.wait(
            "a frame",
            lambda: (
                self.rig.close_frame() and self.rows("unsigned") + self.rows("objects") > waited
            ),
            60,
        )


@pytest.fixture
def works(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Works]:
    older = older_program(request.param, tmp_path / "older")
    (tmp_path / "plant").mkdir()
    with running(tmp_path / "plant", edge=older) as rig:
        made = Works(rig, older)
        rig.processes["cloud"].terminate()
        rig.processes["cloud"].wait(30)
        rig.wait("objects that nobody takes",
                 lambda: rig.close_frame() and made.rows("objects") >= 2, 60)  # fmt: skip
        made.kill()
        made.start(is_older=True)
        made.kill()
        yield made


def judge(works: Works) -> None:
    """Start the collector; the month verifies and has every reading that ever was in a spool."""
    rig = works.rig
    rig.start("cloud")
    rig.wait_for_frames(3, 120)
    rig.wait("all under receipt", lambda: works.rows("unsigned") == 0, 60)
    archive = rig.sealed_month()
    found: Readings = {}
    for _, body in archive_frames(archive):
        found |= readings_of(body)
    for left in works.left:
        assert left.not_in(found) == []


@pytest.mark.parametrize("works", [FORMAT_4], indirect=True)
def test_upgraded_and_back(works: Works) -> None:
    """The same format before and after: whoever goes back goes on."""
    works.start(is_older=False)
    works.kill()
    works.start(is_older=True)
    works.kill()
    for left in works.left[1:]:  # an agent that has heard no collector yet signs nothing
        assert left.version == 4
        assert all(left.counts.values()), left.counts
    works.start(is_older=True)
    judge(works)


@pytest.mark.parametrize("works", [FORMAT_3], indirect=True)
def test_upgraded_over_a_change_of_format_and_no_way_back(works: Works) -> None:
    """The older program says why not and changes nothing; today's goes on.

    That of format 3 signs unheard; what waits for a key is in tests/vectors/spools.
    """
    works.start(is_older=False)
    before = works.kill()
    assert before.version == 4
    works.rig.programs = {"edge": works.older}
    works.rig.start("edge")
    assert works.rig.processes["edge"].wait(60) == 2
    said = (works.rig.work / "edge.log").read_text()
    assert "spool format 4; this program knows 3" in said
    assert Left(works.spool).counts == before.counts
    works.start(is_older=False)
    judge(works)
