"""What is kept of screenings, how a page waits for one, and what its reviewer reads."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloud.api.screening import ScreeningView
from cloud.outputs.errors import OutputError
from cloud.screening import queue as queue_module
from cloud.screening.desk import BESIDE, Looked, Screenings, wanted_of
from cloud.screening.kept import KEPT_MAX, decode, encode, kept_of
from cloud.screening.queue import WAITING_MAX, Turn
from edge.calc.screening.question import Plot, Result
from edge.calc.screening.screen import Answer
from evidence.errors import MalformedError
from evidence.screen.screened import Refused, Screened
from tests.unit.cloud.review.review_examples import MONTH

PLOT = Plot("Nm3/h", 0, 900 * 10**9, [1000.123456789, None, 3.0], [(0, 1)], [2.5])


class OwnMonth:
    """A month as far as a screening names it."""

    plant, month, measured, quarter_count = "mini", MONTH, (), 96
    quarters = SimpleNamespace(points=())


def answer(where: str, month: str = MONTH, plot: Plot | None = None) -> Answer:
    facts = {"hours": "8", "stretches": "8", "share": "0.1", "load": "98"}
    result = Result("constant-values", "mini", month, where, "8 h", 1e-99, facts=facts, plot=plot)
    return Answer(result, 1e-97, 97.0, stands_out=True)


def screened(*answers: Answer, refused: tuple[Refused, ...] = ()) -> Screened:
    months: Any = [OwnMonth()]
    notes = [("points", {"plant": "mini", "month": MONTH, "n": "7"})]
    return Screened(months, answers, refused, [], verified=True, level=0.01, notes=notes)


def row(month: str, *, sealed: bool = True) -> Mapping[str, Any]:
    held = {"name": f"{month}.tar", "archive": f"/a/{month}.tar", "sha256": f"{month[-2:]}" * 32,
            "newest": True, "replaced": False}  # fmt: skip
    return {"month": month, "archives": [held] if sealed else []}


ROWS = [row(f"2026-{number:02}", sealed=number != 7) for number in range(9, 3, -1)]


def test_a_month_is_held_against_the_two_sealed_ones_before_it() -> None:
    found = wanted_of(ROWS, MONTH)
    assert found is not None
    assert [path.name for path in found.paths] == ["2026-06.tar", "2026-08.tar", "2026-09.tar"]
    assert len(found.paths) == BESIDE + 1
    assert found.name.startswith("09" * 32)
    amended = [{**row("2026-08"), "archives": [{**row("2026-08")["archives"][0], "sha256": "ff"}]}
               if of["month"] == "2026-08" else of for of in ROWS]  # fmt: skip
    assert wanted_of(amended, MONTH) != found  # made again with what stands now
    assert wanted_of(ROWS, "2026-07") is None
    assert wanted_of(ROWS, "2026-12") is None


def test_what_is_kept_is_of_the_month_alone_and_read_as_it_was() -> None:
    made = screened(answer("gas.flow", plot=PLOT), answer("gas.flow", "2026-08"), answer("b"))
    kept = kept_of(made, "x.tar")
    assert [one.result.where for one in kept.out] == ["gas.flow", "b"]
    assert (kept.asked, kept.more) == ({"constant-values": (2, 2)}, 0)
    again = decode(encode(kept))
    plot = again.out[0].result.plot
    assert plot is not None
    assert list(plot.values) == [1000.12, None, 3.0]
    bare = again.bare().out[0].result
    assert bare.plot is not None
    assert (bare.plot.values, bare.facts) == ((), kept.out[0].result.facts)
    many = kept_of(screened(*(answer(str(n)) for n in range(KEPT_MAX + 3))), "x.tar")
    assert (len(many.out), many.more) == (KEPT_MAX, 3)
    refused = kept_of(screened(refused=(Refused("x.tar", "verdict.failed"),)), "x.tar")
    assert decode(encode(refused)).why_not == "verdict.failed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"format": 2}',
        b'{"format": 1}',
        b'{"format": 2, "out": [], "prints": {}}',
        b"\xff",
    ],
)
def test_what_is_no_screening_is_made_again(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(MalformedError):
        decode(data)
    desk, wanted = Screenings(tmp_path), wanted_of(ROWS, MONTH)
    assert wanted is not None
    (tmp_path / "screened").mkdir()
    (tmp_path / "screened" / wanted.name).write_bytes(data)
    looked = desk.of(ROWS, MONTH)
    assert looked is not None
    assert (looked.kept, looked.turn.before) == (None, 0)


def stands(desk: Screenings, month: str) -> Looked:
    """How a sealed month's screening stands."""
    looked = desk.of(ROWS, month)
    assert looked is not None
    return looked


async def test_one_after_another_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked, gate = list[str](), asyncio.Event()

    async def made(arguments: tuple[str, ...], within_s: float) -> bytes:
        asked.append(Path(arguments[-1]).name)
        assert within_s > 0
        await gate.wait()
        if arguments[-1].endswith("2026-05.tar"):
            raise OutputError("/a/2026-05.tar: cannot be read")
        if arguments[-1].endswith("2026-08.tar"):
            raise KeyError("what nobody thought of")
        return encode(kept_of(screened(answer("gas.flow", plot=PLOT)), asked[-1]))

    monkeypatch.setattr(queue_module, "made_apart", made)
    desk = Screenings(tmp_path)
    running = asyncio.create_task(desk.run())
    await asyncio.sleep(0)
    for month in ("2026-09", "2026-05"):  # of the page of all: in the order of asking
        desk.of(ROWS, month, soon=False)
    looked = await asyncio.to_thread(desk.of, ROWS, "2026-08")  # somebody waits for this one
    assert looked is not None
    assert looked.kept is None
    while not asked:  # noqa: ASYNC110 - the desk tells nobody when it begins
        await asyncio.sleep(0)
    gate.set()
    while stands(desk, "2026-09").kept is None:
        assert not running.done()
        await asyncio.sleep(0.001)
    while not stands(desk, "2026-05").turn.failed:  # noqa: ASYNC110 - the desk tells nobody when it fails
        await asyncio.sleep(0.001)
    assert "cannot be read" in stands(desk, "2026-05").turn.failed
    assert "what nobody thought of" in stands(desk, "2026-08").turn.failed  # the first of them
    (traced,) = [record for record in caplog.records if record.exc_info]
    assert (traced.levelname, running.done()) == ("ERROR", False)
    assert sorted(asked) == ["2026-05.tar", "2026-08.tar", "2026-09.tar"]
    whole = desk.whole(ROWS, "2026-09")
    assert whole is not None
    assert whole.out[0].result.plot is not None
    running.cancel()
    assert len(list((tmp_path / "screened").iterdir())) == 1


def test_no_more_wait_than_a_collector_has_plants(tmp_path: Path) -> None:
    desk = Screenings(tmp_path)
    for number in range(WAITING_MAX + 2):
        one = row(MONTH)
        held = {**one["archives"][0], "sha256": f"{number:064x}"}
        looked = desk.of([{**one, "archives": [held]}], MONTH, soon=False)
    assert looked is not None
    assert looked.turn.before == WAITING_MAX


FAILED = Refused("x.tar", "verdict.failed")
STATES = [
    (Looked(None, Turn(2)), True, "2 before it"),
    (Looked(None, Turn(0, "/a/b/x.tar: cannot be read", 3)), False, "(3 tries): x.tar: cannot"),
    (Looked(kept_of(screened(refused=(FAILED,)), "x.tar")), False, "does not verify (failed)"),
    (Looked(kept_of(screened(refused=(Refused("x.tar", "it has no readings"),)), "x.tar")), False,
     "x.tar: not screened: it has no readings"),
]  # fmt: skip


@pytest.mark.parametrize(("looked", "waits", "words"), STATES)
def test_without_rows_a_page_says_why(looked: Looked, waits: bool, words: str) -> None:
    view = ScreeningView(looked, "x.tar", "en")
    assert (view.is_waiting(), view.rows, view.said()) == (waits, [], [])
    assert words in view.state()
    assert ScreeningView(looked, "x.tar", "zh").state() != view.state()


def test_rows_with_chance_limit_and_what_was_asked() -> None:
    meter = Result("documents-meter", "mini", MONTH, "coal", "-23.1 %", None, 4.6, facts={
        "documents": "50.00", "unit": "t", "meter": "65.00", "point": "feeder", "percent": "-23.1",
        "limit": "5"})  # fmt: skip
    made = screened(answer("gas.flow", plot=PLOT), Answer(meter, None, 13.8, stands_out=True))
    view = ScreeningView(Looked(kept_of(made, "x.tar")), "x.tar", "en")
    assert view.state() == ""
    first, second = view.rows
    assert (first.rank, first.name, first.has_plot) == (1, "Constant values", True)
    assert first.chance == "chance 1e-99, among all answers of the month 1e-97"
    assert (second.chance, second.has_plot) == ("no chance level; 4.6 times its limit", False)
    assert "weighbridge" in second.causes
    assert "There is no earlier sealed month" in view.said()[1]
    assert "7 measured points beyond" in view.said()[2]
    assert view.count() == "2 answers stand out, the strongest first:"
    assert "Constant values: 1 looked at, 1 stand out" in view.asked()
    assert "Last digits: nothing here to look at" in view.asked()
