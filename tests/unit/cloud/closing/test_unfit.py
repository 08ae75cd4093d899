"""A frame that does not fit its configuration keeps no month from being closed.

Nothing of it is used, both verifiers name it, and its time counts as without readings.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.api.services import MonthRefusedError
from cloud.month.facts import Facts
from cloud.month.reader import FactsReader
from cloud.outputs.checked import read_hours
from cloud.outputs.sealed import read_sealed
from evidence import cbor
from evidence.archive import paths
from evidence.blocks import compress
from evidence.drill.archive import ArchiveSource
from evidence.drill.readings import PointReader
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, encode_body
from evidence.log import Kind
from tests.attacks.by_both import fewer_rows, half_step, no_such_schedule, one_off
from tests.independent.other import compare, verify_there
from tests.unit.cloud.closing.test_seam import CONFIG, begins, check
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month_examples import ARCHIVE, Desk, judged, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

Change = Callable[[Body], Body]


def far_apart(body: Body) -> Body:
    """Its slow schedule is read 40 days after the fast one."""
    last = body.sections[-1]
    moved = replace(last, first_ns=last.first_ns + 40 * 86_400 * sm.SECOND)
    return replace(body, sections=(*body.sections[:-1], moved))


def moved_ticks(days: int) -> Change:
    """All its ticks are days ahead; its t0 says nothing of it."""

    def change(body: Body) -> Body:
        by_ns = days * 86_400 * sm.SECOND
        return replace(
            body, sections=tuple(replace(s, first_ns=s.first_ns + by_ns) for s in body.sections)
        )

    return change


UNFIT = {
    "a schedule that is not there": no_such_schedule,
    "a point too few": fewer_rows,
    "another interval": half_step,
    "a schedule forty days ahead": far_apart,
    "readings of five days later": moved_ticks(5),
    "readings of 200 years later": moved_ticks(73_000),
}


def deliver(desk: Desk, changes: dict[int, Change], start_ns: int = sm.START_NS) -> None:
    """The small plant's month with some of its frames changed before they are signed."""
    config = sm.configuration()
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    for index, body in enumerate(sm.bodies(config, start_ns)):
        made = changes.get(index, lambda same: same)(body)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(made), made)


def untrue_after_a_new_configuration() -> bytes:
    """Running values begin anew with it, so that they are compared again: one is a count off."""
    first, second = sm.configuration(), sm.configuration()
    second["devices"][0]["url"] = "test:elsewhere"
    made = sm.bodies(first, anew_at=25)
    stream = [
        sm.config_item(first), sm.frame_item(no_such_schedule(made[0])), sm.frame_item(made[1]),
        sm.config_item(second), sm.frame_item(made[2]), sm.frame_item(one_off(made[3])),
    ]  # fmt: skip
    month = sm.make_month(stream)
    configs = {sm.sha256(month.objects[i]): month.objects[i] for i in (0, 3)}
    return sm.build(sm.contents(month, configs=configs))


@pytest.mark.parametrize("name", UNFIT)
async def test_a_month_is_closed_without_a_frame_that_does_not_fit(
    name: str, desk: Desk, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(desk, {1: UNFIT[name]})
    facts = await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    assert facts["unfit"].startswith("1 frames of edge-1 do not fit")
    assert "first is seq 2: " in facts["unfit"]
    assert "computed point differs" not in caplog.text, "its running values are the gateway's own"
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    assert [f.where for f in report.findings if f.code == "W-UNFIT"] == ["edge-1 seq 2"]
    # seconds 10 to 19 were in the frame; 19 to 25 are in the gap that the gateway told
    (hole,) = (f for f in report.findings if f.code == "W-GAP" and "schedule 0" in f.sentence
               and f.where == "edge-1 seq 3")  # fmt: skip
    assert hole.sentence.startswith("9.000 s without readings of schedule 0 between "
                                    "2026-06-15T04:59:50Z and 2026-06-15T04:59:59Z")  # fmt: skip
    assert any("after a frame that was not used" in told for told in report.not_checked)
    read_hours(folder / ARCHIVE, read_sealed(folder / ARCHIVE))  # for the report: raises nothing
    counted = Facts(kept_in(folder))
    assert FactsReader(counted).follow(desk.evidence(sm.PLANT), 64)
    # for the month's page: three frames of ten seconds, six points each second, four at one of them
    assert counted.counted(sm.PLANT, MONTH).readings == 3 * (6 * 10 + 4)
    with (folder / ARCHIVE).open("rb") as file:
        reader = PointReader(ArchiveSource(file), sm.STREAM, "pot-01.voltage")
        found = reader.readings(sm.START_NS, sm.START_NS + 60 * sm.SECOND)
    seconds = [(one.tick_ns - sm.START_NS) // sm.SECOND for one in found]
    assert seconds == [*range(10), *range(25, 45)]


async def test_papers_have_no_frame_whose_ticks_go_back(desk: Desk, folder: Path) -> None:
    """Nor has the statement; a report's hours had them, beside figures that are without."""

    def back(body: Body) -> Body:
        by_ns = 10 * sm.SECOND
        sections = tuple(replace(s, first_ns=s.first_ns - by_ns) for s in body.sections)
        return replace(body, t0_ns=body.t0_ns - by_ns, sections=sections)

    deliver(desk, {1: back})
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    assert [f.where for f in judged(folder / ARCHIVE).findings if f.code == "W-UNFIT"] == [
        "edge-1 seq 2"
    ]  # fmt: skip
    sealed = read_sealed(folder / ARCHIVE)
    usable = sum(
        day.usable for day in read_hours(folder / ARCHIVE, sealed).days(0, sm.START_NS * 2)
    )
    assert usable == 3 * (6 * 10 + 4) - 1, "of three frames of ten seconds; one reading is bad"


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
async def test_both_verifiers_come_to_the_same(desk: Desk, folder: Path) -> None:
    """The computed points go on with what the gateway read itself: they are not compared."""
    changes = {1: no_such_schedule, 2: far_apart, 3: moved_ticks(1)}
    deliver(desk, changes, begins(7) - 60 * sm.SECOND)
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    begun_anew = folder / "anew.tar"
    begun_anew.write_bytes(untrue_after_a_new_configuration())
    answer, other = verify_there([folder / ARCHIVE, begun_anew])
    assert "E-COMPUTED" in sm.codes(judged(begun_anew))
    assert "E-COMPUTED" in {found["code"] for found in other["findings"]}
    found = compare(judged(folder / ARCHIVE), answer)
    assert found.differences() == []
    assert found.verdicts == ("passed", "passed")
    assert {at for code, at in found.theirs if code == "W-UNFIT"} == {
        "edge-1 seq 2", "edge-1 seq 3", "edge-1 seq 4",
    }  # fmt: skip


async def test_a_frame_across_the_end_of_its_month_costs_none_its_archive(
    desk: Desk, folder: Path
) -> None:
    """The gateway's next device goes on where those ticks end: July has its own."""
    deliver(desk, {3: moved_ticks(1)}, begins(7) - 60 * sm.SECOND)
    for body in sm.bodies(CONFIG, begins(7) + 2 * 86_400 * sm.SECOND):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    by = months(desk, folder, begins(10))
    june = await by.close(sm.PLANT, MONTH, closing="final")
    assert "first is seq 4: its last tick is of another month than its t0" in june["unfit"]
    july = await by.close(sm.PLANT, "2026-07", closing="final")
    assert "unfit" not in july
    check(june["archive"])
    check(july["archive"])


async def test_a_month_none_of_whose_frames_fit_says_so(desk: Desk, folder: Path) -> None:
    deliver(desk, dict.fromkeys(range(4), no_such_schedule))
    with pytest.raises(MonthRefusedError, match=r"has no readings in .*; 4 frames of edge-1 do"):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="final")


async def test_a_rule_set_of_another_year_blocks_its_own_month_alone(
    desk: Desk, folder: Path
) -> None:
    deliver(desk, {})
    other = sm.configuration()
    other["plant"]["rule_set"] = "cets-2031"
    for config, start_ns in ((other, sm.START_NS + 100 * sm.SECOND), (CONFIG, begins(7))):
        desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
        for body in sm.bodies(CONFIG, start_ns):
            desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    by = months(desk, folder, begins(10))
    says = r"edge-1 seq 7 .*plant.rule_set changed .*the months after it are closed without it"
    with pytest.raises(MonthRefusedError, match=says):
        await by.close(sm.PLANT, MONTH, closing="final")
    july = await by.close(sm.PLANT, "2026-07", closing="final")
    assert judged(Path(july["archive"])).verdict is Verdict.PASSED


async def test_such_a_month_is_made_again_with_the_same_bytes(desk: Desk, folder: Path) -> None:
    deliver(desk, {2: fewer_rows})
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    before = (folder / ARCHIVE).read_bytes()
    (folder / ARCHIVE).unlink()
    await months(desk, folder).seal(sm.PLANT, MONTH)
    assert (folder / ARCHIVE).read_bytes() == before
    assert paths.STATEMENT in sm.unpack(before)
