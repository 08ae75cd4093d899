"""Series of two plants that are the same: made aside, kept, shown to who sees both plants."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.api.screening import alike_across
from cloud.outputs.errors import OutputError
from cloud.screening import queue as queue_module
from cloud.screening.alike import AGAIN_NS, Alikes, Seen, decode, encode, series_of
from cloud.screening.desk import _before
from cloud.screening.kept import encode as encode_screening
from cloud.screening.kept import kept_of
from cloud.screening.makers import makers_of
from cloud.screening.queue import Job, Queue, Turn
from evidence.archive import paths, ustar
from evidence.documents.observed.paper import Paper
from evidence.errors import MalformedError
from tests.unit.cloud.review.review_examples import MONTH
from tests.unit.cloud.test_screening import screened
from tests.unit.edge.calc.screening.test_prints import drawn, made

HOUR_NS = 3_600 * 10**9
SERIES = [drawn(seed, 400, 100_000) for seed in range(4)]


def kept(plant: str, series: int) -> Any:
    one = dataclasses.replace(kept_of(screened(), "x.tar"), plant=plant)
    return dataclasses.replace(one, prints=made(SERIES[series]))


#: north and south are copies; west is of another region
PLANTS = {"north": 0, "south": 0, "east": 1, "west": 2, "west-2": 2}


def files(folder: Path) -> list[Path]:
    found = [folder / f"{plant}.json" for plant in PLANTS]
    for path, (plant, series) in zip(found, PLANTS.items(), strict=True):
        path.write_bytes(encode_screening(kept(plant, series)))
    return found


def test_the_command_finds_the_copies_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    asked = ["month", "alike", *map(str, files(tmp_path)), "--out", str(out)]
    assert cli.main(asked) == 0
    series = decode(out.read_bytes())
    assert (series.plants, series.more, series.made_ns) == (5, 0, 0)
    pairs = {(one.result.plant, one.result.facts["plant"]) for one in series.out}
    assert pairs == {("north", "south"), ("west", "west-2")}
    assert series == series_of([(path.name, kept(path.stem, PLANTS[path.stem]))
                                for path in files(tmp_path)])  # fmt: skip
    with pytest.raises(MalformedError):
        decode(b'{"format": 1}')


def test_a_copy_of_another_plants_month_before() -> None:
    """East's and west's earlier months are alike too, which is a matter of that month's page."""
    earlier = [dataclasses.replace(kept(plant, series), months=["2026-08"])
               for plant, series in (("south", 0), ("east", 3), ("west", 3))]  # fmt: skip
    now = [dataclasses.replace(kept(plant, series), months=["2026-09"])
           for plant, series in (("north", 0), ("south", 1), ("east", 3))]  # fmt: skip
    series = series_of([(str(n), one) for n, one in enumerate([*earlier, *now])])
    pairs = {(one.result.plant, one.result.month, one.result.facts["plant"],
              one.result.facts["month"]) for one in series.out}  # fmt: skip
    assert pairs == {
        ("north", "2026-09", "south", "2026-08"),
        ("east", "2026-09", "west", "2026-08"),
    }
    assert series.plants == 4
    assert (_before("2026-09"), _before("2026-01")) == ("2026-08", "2025-12")


class Running:
    """A collector as the page asks it."""

    def __init__(self, alikes: Alikes, there: list[Path]) -> None:
        self._alikes, self.there, self.now_ns = alikes, there, HOUR_NS
        self.screenings = self.hub = self.clock = self

    def wall_ns(self) -> int:
        return self.now_ns

    def plants(self) -> list[str]:
        return list(PLANTS)

    def alike(self, month: str, _plants: Any, wall_ns: Any) -> Seen:
        return self._alikes.of(month, lambda: self.there, wall_ns)


async def test_it_is_made_aside_shown_by_region_and_made_again_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def apart(arguments: Any, within_s: float) -> bytes:
        return encode(series_of([(Path(one).name, kept(Path(one).stem, PLANTS[Path(one).stem]))
                                 for one in arguments[2:]]))  # fmt: skip

    monkeypatch.setattr(queue_module, "made_apart", apart)
    queue, there = Queue(), files(tmp_path)
    given: Any = Running(Alikes(tmp_path, queue), there[:3])

    def shown(*seen: str) -> Any:
        return alike_across(given, set(seen) or set(PLANTS), MONTH, "en")

    async def make() -> None:
        job, _ = queue._next(0.0)
        assert job is not None
        await queue._make(job)

    assert "0 before it" in shown().said
    await make()
    given.now_ns += 5 * 60 * 10**9
    told = shown()
    assert (told.plants, told.age, told.said) == (3, "5 min", "")
    assert [one.where[-3:] for one in told.rows] == [told.rows[0].where[-3:]]
    assert "one meter that two plants read" in told.rows[0].causes
    assert shown("north", "east").rows == []  # whose other plant is not one's own
    given.there = there
    assert shown().said == ""  # within the hour
    given.now_ns += AGAIN_NS
    assert "being made" in shown().said
    await make()
    assert len(shown().rows) == 2
    assert [one.plant for one in shown("west", "west-2", "north").rows] == ["west"]


async def test_what_fails_is_tried_again_ever_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    fails, kept_bytes = [OutputError("no disk"), OutputError("no disk")], list[bytes]()

    async def apart(arguments: Any, within_s: float) -> bytes:
        if fails:
            raise fails.pop()
        return b"made"

    monkeypatch.setattr(queue_module, "made_apart", apart)
    queue = Queue(retry_s=(0.0, 100.0))
    job = Job("a", lambda: ("x",), 1.0, kept_bytes.append)
    assert queue.ask(job, soon=True) == Turn(0)
    await queue._make(job)
    assert queue._next(1e9) == (None, None)
    assert queue.ask(job, soon=True) == Turn(0, "no disk", 1)
    again, _ = queue._next(1e9)
    assert again is job
    await queue._make(job)
    assert queue.ask(job, soon=True) == Turn(0, "no disk", 2)
    none, wait_s = queue._next(0.0)
    assert none is None
    assert wait_s is not None
    assert wait_s > 99
    await queue._make(job)
    assert kept_bytes == [b"made"]
    assert queue.ask(job, soon=True) == Turn(0)  # as if it had never failed


def test_authors_of_pdfs_are_read_of_the_archive(tmp_path: Path) -> None:
    members = {paths.STATEMENT: b"%PDF-no attachment", f"{paths.RECORD_FILES}{'a' * 64}": b"%PDF-1",
               f"{paths.RECORD_FILES}{'b' * 64}": b"\x89PNG\r\n\x1a\n",
               f"{paths.RECORD_FILES}{'c' * 64}": b"%PDF-2"}  # fmt: skip
    path = tmp_path / "x.tar"
    with path.open("w+b") as file:
        for name, data in sorted(members.items()):
            file.write(ustar.header(f"mini-{MONTH}/{name}", len(data)) + data)
            file.write(ustar.padding(len(data)))
        file.write(bytes(1024))
        says = {b"%PDF-1": Paper(author=" Wei ", producer="LIMS"), b"%PDF-2": Paper(unread="time")}
        assert makers_of(file, lambda data: says[data]) == (
            [("author", "Wei"), ("producer", "LIMS")], 1,
        )  # fmt: skip
        assert makers_of(file, lambda data: says[data], read_s=-1.0) == ([], 2)
