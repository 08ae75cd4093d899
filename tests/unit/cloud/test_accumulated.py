"""This hour, day and month from the committed log: as an interim month has them, over restarts."""

import json
import logging
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from weakref import WeakSet

import pytest

from cloud.accumulated import counting
from cloud.accumulated.desk import AGAIN_S, Accumulations
from cloud.accumulated.outlook import Allowance, Counted, PlantSaid, outlook, with_indicator
from cloud.closing.archive import ArchiveFolder
from cloud.errors import StoreError
from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, encode_body
from evidence.log import Kind
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.evidence_examples import body as strange_body
from tests.unit.cloud.month_examples import ARCHIVE, Desk, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

#: a metal scale of 1 %: of anodes and PFC alike
ACCURACY = {
    "meter": [{"point": "line.metal", "percent": "1", "means": "standard", "common": "scale"}]
}


class Counting:
    """Accumulations over a desk; `now_s` is seconds after the small plant's start."""

    def __init__(self, desk: Desk, folder: Path, now_s: int = 60, accuracy: Any = None) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "accumulated.json"
        self._it = Accumulations(
            desk, lambda _: self.path, ArchiveFolder(folder),
            ManualClock(sm.START_NS + now_s * sm.SECOND), {sm.PLANT: PlantSaid(accuracy=accuracy)},
        )  # fmt: skip

    def shown(self) -> dict[str, Any]:
        while self._it.step(sm.PLANT):
            pass
        return json.loads(json.dumps(self._it.of(sm.PLANT)))  # type: ignore[no-any-return] # JSON-ready is what is promised

    def step(self) -> bool:
        return self._it.step(sm.PLANT)

    def keep(self) -> None:
        self._it.keep()


async def test_the_month_so_far_is_the_interim_months(desk: Desk, folder: Path) -> None:
    desk.deliver()
    await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    statement = json.loads(sm.unpack((folder / ARCHIVE).read_bytes())[paths.STATEMENT])
    shown = Counting(desk, folder).shown()
    due, found = statement["output"], shown["periods"]["month"]
    assert found["total_t"] == due["totals"]["total_t"]
    emissions = [(line["kind"], line["emission_t"]) for line in found["lines"]]
    assert emissions == [(line["kind"], line["emission_t"]) for line in due["lines"]]
    assert (shown["month"], shown["unit"], shown["is_behind"]) == (MONTH, "tCO2e", False)
    # the small plant runs for less than a minute: nothing is projected of that
    assert shown["projection"]["month"]["reason"] == "too-soon"


def test_the_month_tells_how_sure_it_is(
    desk: Desk, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sure = Counting(desk.deliver(), folder, accuracy=ACCURACY).shown()["periods"]
    # of the lines assessed (anode, PFC), both by one scale of 1 %: k = 2
    assert sure["month"]["uncertainty"]["expanded_percent"] == "2.00"
    assert "uncertainty" not in sure["hour"]
    wrong = {"meter": [{**ACCURACY["meter"][0], "means": "guessed"}]}
    shown = Counting(desk, folder, accuracy=wrong).shown()["periods"]["month"]
    assert shown == {k: v for k, v in sure["month"].items() if k != "uncertainty"}
    assert "uncertainty[0].means" in caplog.text


def test_a_restart_goes_on_where_it_was_left_off(desk: Desk, folder: Path) -> None:
    first = Counting(desk.deliver(frames=3), folder)
    first.shown()
    first.keep()
    desk.deliver_more(3)
    again, anew = Counting(desk, folder), Counting(desk, folder)
    anew.path = folder / "none.json"
    assert again.shown() == anew.shown()
    again.keep()
    anew.keep()
    assert again.path.read_text() == anew.path.read_text()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[:-20], "cannot be used"),
        (lambda text: text.replace('"head": "', '"head": "00', 1), ""),
        (lambda text: text.replace('"meters": [[', '"meters": [', 1), "cannot be used"),
        (lambda text: text.replace('"usable', '"'), ""),
        (lambda text: text.replace('"through"', '"thorough"'), "does not fit"),
        (lambda text: text.replace('"format": 3', '"format": 4'), ""),
    ],
)
def test_what_was_kept_and_does_not_fit_is_counted_anew(
    desk: Desk, folder: Path, damage: Any, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    counting = Counting(desk.deliver(), folder)
    due = counting.shown()
    counting.keep()
    counting.path.write_text(damage(counting.path.read_text()))
    with caplog.at_level(logging.WARNING):
        assert Counting(desk, folder).shown() == due
    assert says in caplog.text


def test_a_step_is_over_after_some_seconds(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """256 configurations of 20,000 points took two minutes, in which no other plant was counted."""
    due = Counting(desk.deliver(), folder).shown()
    monkeypatch.setattr(counting, "STEP_S", 0.0)  # an object each
    slow, steps = Counting(desk, folder / "slow"), 1
    while slow.step():
        steps += 1
    assert (slow.shown(), steps) == (due, desk.reader.head(sm.STREAM).next_seq)


def test_a_restart_holds_one_configuration_and_its_step_is_over_too(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """128 configurations of 20,000 points were held at once: 3.5 GiB and minutes, at each start."""
    payload, held, most = compress(cbor.encode(sm.configuration())), WeakSet[Held](), 0
    first = Counting(desk.deliver(frames=1), folder)
    for number in range(1, 5):
        desk.take(Kind.CONFIG, TYP_CONFIG, payload)
        desk.deliver_more(number, number + 1)
    due = first.shown()
    first.keep()

    def decoded(data: bytes) -> Held:
        nonlocal most
        made = Held(decode_configuration(cose.parse(data).payload))
        held.add(made)
        most = max(most, len(held))
        return made

    monkeypatch.setattr(counting, "configuration_of", decoded)
    again = Counting(desk, folder)
    assert (again.step(), again.shown()) == (False, due)  # nothing is left to be counted
    assert most <= 3  # that in force by now, the one before, and the one that is read
    monkeypatch.setattr(counting, "STEP_S", 0.0)
    slow = Counting(desk, folder)
    assert slow.step()  # it has begun anew, and the next plant has its turn
    assert slow.shown() == due


class Held(dict[str, Any]):
    """A configuration of which one can see whether it is held."""

    __hash__ = object.__hash__


def test_periods_that_are_over_have_a_reason_and_no_figure(desk: Desk, folder: Path) -> None:
    shown = Counting(desk.deliver(), folder, now_s=2 * 86_400).shown()
    nothing = {"reason": "nothing-yet"}
    assert [shown["periods"][name] == nothing for name in ("hour", "day", "month")] == [
        True, True, False
    ]  # fmt: skip
    shown = Counting(desk, folder, now_s=40 * 86_400).shown()
    assert (shown["periods"]["month"], shown["projection"]) == (nothing, {})


def test_a_frame_that_does_not_fit_is_told_and_not_counted(desk: Desk, folder: Path) -> None:
    due = Counting(desk.deliver(), folder).shown()
    strange = strange_body(sm.START_NS + 60 * sm.SECOND)
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(strange), strange)
    shown = Counting(desk, folder).shown()
    assert (due["unfit_frames"], shown["unfit_frames"]) == (0, 1)
    assert shown["periods"] == due["periods"]


YEARS_NS = 200 * 365 * 86_400 * sm.SECOND


def _ahead(body: Body, *, sections: slice) -> Body:
    """Some of its schedules are read in 2226; t0 says nothing of it."""
    ahead = [replace(s, first_ns=s.first_ns + YEARS_NS) for s in body.sections[sections]]
    kept = [s for s in body.sections if s not in body.sections[sections]]
    return replace(body, sections=tuple(sorted([*kept, *ahead], key=lambda s: s.schedule)))


@pytest.mark.parametrize("sections", [slice(None), slice(0, 1)])
def test_ticks_years_ahead_are_left_out(desk: Desk, folder: Path, sections: slice) -> None:
    """The plant's month, day and hour were those of 2226 from then on, after a restart too."""
    desk.deliver(frames=1)
    for number, body in enumerate(sm.bodies(sm.configuration())[1:3]):
        made = _ahead(body, sections=sections) if number == 0 else body
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(made), made)
    newest_ns = sm.START_NS + 34 * sm.SECOND
    first = Counting(desk, folder)
    for shown in (first.shown(), Counting(desk, folder).shown()):
        assert (shown["month"], shown["through_ns"]) == (MONTH, newest_ns)
        assert shown["periods"]["month"]["lines"], "readings before and after are counted"
    assert set(shown["periods"]) == {"hour", "day", "month"}


def test_a_frame_of_years_ahead_moves_no_month(desk: Desk, folder: Path) -> None:
    due = Counting(desk.deliver(frames=3), folder).shown()
    ahead = sm.bodies(sm.configuration(), sm.START_NS + YEARS_NS)[3]
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(ahead), ahead)
    for shown in (Counting(desk, folder / "anew").shown(), Counting(desk, folder).shown()):
        assert shown == due


def test_a_disk_that_fails_is_tried_again_and_a_defect_later(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counting = Counting(desk.deliver(), folder)
    with monkeypatch.context() as patch:
        patch.setattr(desk, "evidence", _raising(StoreError("disk away")))
        assert [counting.step() for _ in range(2)] == [False, False]
    assert caplog.text.count("not counted just now: disk away") == 1
    assert "total_t" in counting.shown()["periods"]["month"]
    other = Counting(desk, folder)
    with monkeypatch.context() as patch:
        patch.setattr(desk, "evidence", _raising(ZeroDivisionError()))
        other.step()
    other.step()
    assert other.shown()["reason"] == "failed"
    later = Mock(monotonic=lambda: time.monotonic() + AGAIN_S)
    monkeypatch.setattr("cloud.accumulated.desk.time", later)
    assert "total_t" in other.shown()["periods"]["month"]


def _raising(error: Exception) -> Any:
    def evidence(_: str) -> Any:
        raise error

    return evidence


def test_before_any_frame_there_is_a_reason(desk: Desk, folder: Path) -> None:
    assert Counting(desk, folder).shown()["reason"] == "no-readings"
    with pytest.raises(LookupError):
        Accumulations(
            desk, lambda _: folder, ArchiveFolder(folder), ManualClock(), {}
        ).of("another")  # fmt: skip


def counted(days: int, emission: int, output: int | None = None, **more: bool) -> Counted:
    made = None if output is None else Fraction(output)
    return Counted(Fraction(days), Fraction(emission), made, **more)


def test_projection_of_month_and_year_by_hand() -> None:
    """10 of 30 days 30000 t: 90000. With May (31 days, 93000 t): 123000 ÷ 41 × 365 = 1095000."""
    now, before = counted(10, 30_000, 20_000), {"2026-05": counted(31, 93_000, 62_000)}
    fixed = outlook("2026-06", now, before, Allowance(Fraction(1_200_000)))
    assert fixed["month"] | fixed["year"] == {
        "method": "by-days", "days": "41.0000", "of_days": "365.0000", "is_whole": True,
        "emission_t": "1095000.00", "output_t": "730000.00",
        "allowance_t": "1200000.00", "balance_t": "105000.00",
        "sealed_months": ["2026-05"],
        "months_not_counted": ["2026-01", "2026-02", "2026-03", "2026-04"],
    }  # fmt: skip
    # 1200000 × 30 ÷ 365 = 98630.136986…
    assert fixed["month"]["emission_t"] == "90000.00"
    assert fixed["month"]["allowance_t"] == "98630.14"
    # allowance.project's own example: 60000 t × 1.6
    by_output = outlook("2026-06", now, {}, Allowance(benchmark_t_t=Fraction("1.6")))["month"]
    assert (by_output["allowance_t"], by_output["balance_t"]) == ("96000.00", "6000.00")


@pytest.mark.parametrize(("covered", "compared"), [("100.00", "700.00"), ("99.99", "incomplete")])
def test_a_kilns_month_with_the_clinker_of_its_feed(covered: str, compared: str) -> None:
    """Ten days of thirty: 300 t with the clinker, 900 t by the end; the share of 19,466.67 a year.

    Of a feed that was silent for some time nothing is compared with the allowance.
    """
    period = {
        "since_ns": 0, "total_t": "100.00", "output_t": None,
        "missing": [{"category": "clinker", "reason": "no-meter"}],
        "indicator": {"total_t": "300.00", "covered_percent": covered},
    }  # fmt: skip
    through_ns = 10 * 86_400 * 10**9 - 1
    found = outlook(
        "2026-06", with_indicator(period, through_ns), {},
        Allowance(year_t=Fraction("1600") * 365 / 30),
    )["month"]  # fmt: skip
    assert found["emission_t"] == "900.00"
    assert found.get("balance_t", found.get("no_allowance")) == compared
    assert with_indicator({**period, "indicator": {"clinker_t": "1"}}, through_ns) is None


@pytest.mark.parametrize(
    ("now", "allowance", "reason"),
    [
        (None, Allowance(), "no-total"),
        (Counted(Fraction(1, 25), Fraction(1), None), Allowance(), "too-soon"),
        (counted(10, 1), Allowance(), "not-given"),
        (counted(10, 1, is_whole=False), Allowance(Fraction(1)), "incomplete"),
        (counted(10, 1), Allowance(benchmark_t_t=Fraction(1)), "no-output"),
    ],
)
def test_what_is_not_projected_or_compared_says_why(
    now: Counted | None, allowance: Allowance, reason: str
) -> None:
    for found in outlook("2026-06", now, {}, allowance).values():
        assert found.get("reason", found.get("no_allowance")) == reason
        assert "balance_t" not in found
