"""Gateway and collector agree on something untrue: both sign it, and it is still found.

What they cannot be caught at (another history, written together from the start) is said in the
report's "not checked". Codes are compared as sets, notes and warnings left out.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evidence import cbor
from evidence.archive import paths
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_FRAME, Body, Section
from evidence.keys import key_sha256
from evidence.log import Kind
from evidence.points import Dtype
from evidence.recompute import Recomputation, statement_bytes
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
COMPUTED = 5  # index of the computed group


def with_section(body: Body, change: Callable[[Section], Section]) -> Body:
    return dataclasses.replace(body, sections=(change(body.sections[0]), *body.sections[1:]))


def with_computed(body: Body, **fields: Any) -> Body:
    def change(section: Section) -> Section:
        groups = tuple(
            dataclasses.replace(g, **fields) if g.group == COMPUTED else g for g in section.groups
        )
        return dataclasses.replace(section, groups=groups)

    return with_section(body, change)


def frames(index: int, change: Callable[[Body], Body]) -> list[sm.Item]:
    made = sm.bodies(CONFIG)
    made[index] = change(made[index])
    return sm.items(CONFIG, made)


def fields(index: int, **given: Any) -> list[sm.Item]:
    stream = sm.items()
    stream[index] = dataclasses.replace(stream[index], fields=given)
    return stream


def payload(index: int, data: bytes) -> list[sm.Item]:
    stream = sm.items()
    stream[index] = dataclasses.replace(stream[index], payload=data)
    return stream


def one_off(body: Body) -> Body:
    raw = body.sections[0].groups[-1].raw.copy()
    raw[0, 3] += 1
    return with_computed(body, raw=raw)


def one_missing(body: Body) -> Body:
    quality = body.sections[0].groups[-1].quality.copy()
    quality[0, 3] = 138
    return with_computed(body, quality=quality)


def fewer_rows(body: Body) -> Body:
    group = body.sections[0].groups[-1]
    return with_computed(body, raw=group.raw[1:], quality=group.quality[1:])


def without_group(body: Body) -> Body:
    return with_section(body, lambda s: dataclasses.replace(s, groups=s.groups[1:]))


def as_signed(body: Body) -> Body:
    """The states as i8 instead of u8: the same bytes, another type."""

    def change(section: Section) -> Section:
        first = section.groups[0]
        other = dataclasses.replace(first, dtype=Dtype.I8, raw=first.raw.view("i1"))
        return dataclasses.replace(section, groups=(other, *section.groups[1:]))

    return with_section(body, change)


def half_step(body: Body) -> Body:
    return with_section(body, lambda s: dataclasses.replace(s, step_ns=s.step_ns // 2))


def no_such_schedule(body: Body) -> Body:
    last = dataclasses.replace(body.sections[-1], schedule=9)
    return dataclasses.replace(body, sections=(*body.sections[:-1], last))


def earlier_t0(body: Body) -> Body:
    return dataclasses.replace(body, t0_ns=sm.START_NS + 5 * sm.SECOND)


def a_pot_missing(config: dict[str, Any]) -> None:
    config["potlines"][0]["pots"][0]["voltage"] = "no.such"


def more_decimals(config: dict[str, Any]) -> None:
    config["points"][5]["decimals"] = 4


def renamed_computed(config: dict[str, Any]) -> None:
    config["points"][-1]["id"] = "something.else"


def configured(change: Callable[[dict[str, Any]], None]) -> list[sm.Item]:
    config = sm.configuration()
    change(config)
    return [sm.config_item(config), *sm.items()[1:]]


ROOT = bytes(range(32))

#: name -> (stream, codes)
UNTRUE: dict[str, tuple[list[sm.Item], set[str]]] = {
    "a computed point one count off": (frames(1, one_off), {"E-COMPUTED"}),
    "a computed point called missing": (frames(1, one_missing), {"E-COMPUTED"}),
    "computed group of fewer points": (
        frames(1, fewer_rows), {"E-GROUPS", "E-INPUT"},
    ),
    "a group left out": (frames(1, without_group), {"E-GROUPS", "E-INPUT"}),
    "another number type": (frames(1, as_signed), {"E-GROUPS", "E-INPUT"}),
    "another interval": (frames(1, half_step), {"E-GROUPS", "E-INPUT"}),
    "no such schedule": (frames(1, no_such_schedule), {"E-GROUPS", "E-INPUT"}),
    "t0 going back": (frames(2, earlier_t0), {"E-TIME"}),
    "a frame without readings in it": (payload(2, b""), {"E-FRAME", "E-INPUT"}),
    "a frame that is a bomb": (payload(2, compress(bytes(5 << 20))), {"E-FRAME", "E-INPUT"}),
    "first object that follows something": (fields(0, prev=ROOT), {"E-CHAIN"}),
    "first object not numbered 0": (
        fields(0, seq=7), {"E-CHAIN", "E-CHAIN-GAP", "E-LOG-FRAME", "E-INPUT"},
    ),
    "a hole in the numbers": (fields(3, seq=4), {"E-CHAIN-GAP", "E-CHAIN", "E-LOG-FRAME"}),
    "a stranger's prev": (fields(3, prev=ROOT), {"E-CHAIN"}),
    "a frame of another plant": (fields(2, plant="other"), {"E-FRAME", "E-INPUT"}),
    "a frame of another gateway": (fields(2, stream="edge-9"), {"E-FRAME", "E-INPUT"}),
    "a frame without configuration": (
        fields(2, cfg=None), {"E-CFG-MISSING", "E-INPUT"},
    ),
    "a frame of a configuration nobody has": (
        fields(2, cfg=ROOT), {"E-CFG-MISSING", "E-INPUT"},
    ),
    "an anchor that never was": (fields(4, anchor=(3, ROOT)), {"E-ANCHOR"}),
    "an anchor from the future": (
        fields(2, anchor=(8, sm.tree_of(sm.month().entries[:8]).root())), {"E-ANCHOR"},
    ),
    "an anchor beyond the log": (fields(4, anchor=(99, ROOT)), {"E-ANCHOR"}),
    "a configuration of a pot that is not there": (configured(a_pot_missing), {"E-CFG", "E-INPUT"}),
    "a configuration of other decimals": (configured(more_decimals), {"E-INPUT"}),
    "computed points under other names": (configured(renamed_computed), {"E-CFG", "E-INPUT"}),
    "a configuration of another plant": (
        configured(lambda c: c["plant"].update(id="other")), {"E-CFG", "E-INPUT"},
    ),
    "a configuration of another gateway": (
        configured(lambda c: c.update(gateway=None)), {"E-CFG", "E-INPUT"},
    ),
    "a configuration without a format": (
        configured(lambda c: c.update(format="1")), {"E-CFG", "E-INPUT"},
    ),
    "a configuration that is no map": (payload(0, compress(cbor.encode([]))), {"E-CFG", "E-INPUT"}),
    "a configuration that is no CBOR": (payload(0, b"\x00\xff"), {"E-CFG", "E-INPUT"}),
}  # fmt: skip


def failing(month: sm.Month, **other: Any) -> set[str]:
    report = sm.check(sm.build(sm.contents(month, **other)))
    found = {code for code in sm.codes(report) if code[0] in "EC"}
    assert (report.verdict is Verdict.FAILED) == bool(found)
    return found


@pytest.mark.parametrize("name", UNTRUE)
def test_what_does_not_follow_from_its_parts_is_found(name: str) -> None:
    stream, wanted = UNTRUE[name]
    assert failing(sm.make_month(stream)) == wanted


def test_a_frame_that_names_a_frame_as_its_configuration() -> None:
    frame = sm.month().objects[1]
    month = sm.make_month(fields(2, cfg=sm.sha256(frame)))
    configs = {sm.sha256(o): o for o in (month.objects[0], frame)}
    assert failing(month, configs=configs) == {"E-CFG", "E-INPUT"}


def statement(from_s: int, to_s: int, closing: str) -> bytes:
    fold = Recomputation()
    fold.configure(b"x", CONFIG)
    for body in sm.bodies(CONFIG):
        list(fold.feed(body))
    start = sm.START_NS
    return statement_bytes(
        fold.statement(start + from_s * sm.SECOND, start + to_s * sm.SECOND, closing)
    )


def test_a_period_that_leaves_readings_out_is_found() -> None:
    month = sm.make_month(sm.items(), statement=statement(25, 50, "interim"))
    assert failing(month) == {"E-TIME", "E-INPUT"}


def test_a_period_longer_than_the_readings_is_found() -> None:
    month = sm.make_month(sm.items(), statement=statement(0, 60, "interim"))
    assert failing(month) == {"E-INPUT"}


def test_a_month_is_not_final_before_its_end() -> None:
    month = sm.make_month(
        sm.items(), statement=statement(0, 50, "final"), detail={"closing": "final"}
    )
    # the gateway signed it as interim, and so says the bag
    assert failing(month) == {"E-INPUT", "E-CLOSE", "E-BAG"}


def test_another_months_readings_are_not_this_months() -> None:
    """Readings of June under a statement of July: its period is another."""
    day = 86_400
    stated = json.loads(statement(20 * day, 20 * day + 50, "interim"))
    assert stated["input"]["month"] == "2026-07"
    month = sm.make_month(
        sm.items(), statement=statement_bytes(stated), detail={"month": "2026-07"}
    )
    assert failing(month) == {"E-TIME", "E-INPUT", "E-BAG", "E-CLOSE"}


#: name -> (replaced detail of the month-close entry, codes)
CLOSES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "another month": ({"month": "2026-07"}, {"E-LOG-CLOSE"}),
    "another closing": ({"closing": "final"}, {"E-LOG-CLOSE"}),
    "a shorter span": ({"streams": {sm.STREAM: [0, 4, ROOT]}}, {"E-CHAIN-GAP"}),
    "another head": ({"streams": {sm.STREAM: [0, 5, ROOT]}}, {"E-CHAIN-GAP"}),
    "no head": ({"streams": {sm.STREAM: [0, 5]}}, {"E-CHAIN-GAP"}),
    "a span that is none": ({"streams": {sm.STREAM: 5}}, {"E-CHAIN-GAP"}),
    "streams that are none": ({"streams": 5}, {"E-LOG-CLOSE"}),
    "no streams": ({"streams": {}}, {"E-LOG-CLOSE"}),
    "a stream more": ({"streams": {"edge-9": [0, 1, ROOT]}}, {"E-LOG-CLOSE", "E-CHAIN-GAP"}),
}


@pytest.mark.parametrize("name", CLOSES)
def test_a_month_close_that_says_something_else_is_found(name: str) -> None:
    detail, wanted = CLOSES[name]
    assert failing(sm.make_month(sm.items(), detail=detail)) == wanted


def test_an_entry_that_names_another_key_is_found() -> None:
    month = sm.month()
    entries = list(month.entries)
    other = key_sha256(sm.keys().collector.public_key)
    entries[3] = sm.entry(Kind.FRAME, month.objects[2], 3, seq=2, certificate=other)
    found = failing(month, log_entries=entries, checkpoint=sm.log_note(entries))
    assert found == {"E-LOG-FRAME", "E-ANCHOR", "E-CLOSE"}


@pytest.mark.parametrize("value", [5, None, "x", {"a": "b"}, [[], {}, 5, None]])
def test_flags_of_any_shape_are_compared_and_raise_nothing(value: object) -> None:
    stated = json.loads(sm.month().statement)
    stated["output"]["flags"] = value
    month = sm.make_month(sm.items(), statement=statement_bytes(stated))
    assert failing(month) == {"E-TOTAL"}


@pytest.mark.parametrize("instant", ["", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "x" * 99])
def test_periods_of_any_spelling_raise_nothing(instant: str) -> None:
    stated = json.loads(sm.month().statement)
    stated["input"]["period"]["to"] = instant
    month = sm.make_month(sm.items(), statement=statement_bytes(stated))
    assert failing(month) >= {"E-TOTAL"}


@pytest.mark.parametrize("period", [None, 5, [], "x"])
def test_a_statement_without_a_period_is_none(period: object) -> None:
    stated = json.loads(sm.month().statement)
    stated["input"]["period"] = period
    month = sm.make_month(sm.items(), statement=statement_bytes(stated))
    assert "E-STATEMENT" in failing(month)


def test_simulated_readings_are_not_called_real() -> None:
    stated = json.loads(sm.month().statement)
    stated["simulated"] = False
    month = sm.make_month(sm.items(), statement=statement_bytes(stated))
    assert failing(month) == {"E-INPUT"}


def test_words_of_an_archive_cannot_steer_the_reader() -> None:
    """A gap's reason is free text; on a terminal it must stay one line of printable signs."""
    nasty = "x\x1b[2J\n\rPASSED " + "y" * 5000

    def change(body: Body) -> Body:
        assert body.gap is not None
        return dataclasses.replace(body, gap=dataclasses.replace(body.gap, reason=nasty))

    report = sm.check(sm.build(sm.contents(sm.make_month(frames(2, change)))))
    (sentence,) = [f.sentence for f in report.findings if f.code == "W-GAP"]
    assert sentence.isprintable()
    assert len(sentence) < 700
    assert "x\\x1b[2J\\n\\rPASSED" in sentence


def test_readings_of_nobody_are_no_statement() -> None:
    beat = sm.bodies(CONFIG)[4]
    month = sm.make_month([sm.config_item(CONFIG), sm.frame_item(beat)])
    assert failing(month) == {"E-INPUT"}


def test_a_tick_may_not_be_given_twice() -> None:
    made = sm.bodies(CONFIG)
    month = sm.make_month(sm.items(CONFIG, [made[0], *made]))
    assert failing(month) >= {"E-TIME"}


def test_empty_blocks_and_flat_arrays_do_not_confuse_the_comparison() -> None:
    """One row where the calculation makes many would broadcast; it is refused instead."""

    def change(body: Body) -> Body:
        group = body.sections[0].groups[-1]
        return with_computed(body, raw=group.raw[:1], quality=np.zeros((1, 10), dtype=np.uint8))

    assert "E-GROUPS" in failing(sm.make_month(frames(1, change)))


def test_objects_of_one_type_only_are_frames() -> None:
    stream = sm.items()
    assert [item.typ for item in stream[1:]] == [TYP_FRAME] * 5
    assert paths.is_known(paths.config(ROOT))
