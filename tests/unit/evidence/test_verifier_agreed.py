"""Gateway and collector agree on something untrue, beside the kinds of tests/attacks/by_both."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from evidence.findings import Verdict
from evidence.frame import Body
from evidence.keys import key_sha256
from evidence.log import Kind
from evidence.recompute import statement_bytes
from tests.attacks.by_both import CONFIG, fields, frames, with_computed
from tests.unit.evidence import sealed_month as sm


def failing(month: sm.Month, **other: Any) -> set[str]:
    report = sm.check(sm.build(sm.contents(month, **other)))
    found = {code for code in sm.codes(report) if code[0] in "EC"}
    assert (report.verdict is Verdict.FAILED) == bool(found)
    return found


def test_a_frame_that_names_a_frame_as_its_configuration() -> None:
    frame = sm.month().objects[1]
    month = sm.make_month(fields(2, cfg=sm.sha256(frame)))
    configs = {sm.sha256(o): o for o in (month.objects[0], frame)}
    assert failing(month, configs=configs) == {"E-CFG", "E-INPUT"}


def test_an_entry_that_names_another_key_is_found() -> None:
    month = sm.month()
    entries = list(month.entries)
    other = key_sha256(sm.keys().collector.public_key)
    entries[3] = sm.entry(Kind.FRAME, month.objects[2], 3, seq=2, certificate=other)
    found = failing(month, log_entries=entries, checkpoint=sm.log_note(entries))
    assert found == {"E-LOG-FRAME", "E-ANCHOR", "E-RECEIPT", "E-CLOSE"}


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


def test_words_of_an_archive_cannot_steer_the_reader() -> None:
    """A gap's reason is free text; on a terminal it must stay one line of printable signs."""
    nasty = "x\x1b[2J\n\rPASSED " + "y" * 180

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
    month = sm.make_month([sm.config_item(CONFIG, beat.t0_ns), sm.frame_item(beat)])
    assert failing(month) == {"E-INPUT"}


def test_a_tick_may_not_be_given_twice() -> None:
    made = sm.bodies(CONFIG)
    month = sm.make_month(sm.items(CONFIG, [made[0], *made]))
    assert failing(month) == set(), "the honest figures: it is not counted twice"
    assert "W-UNFIT" in sm.codes(sm.check(sm.build(sm.contents(month))))


def test_empty_blocks_and_flat_arrays_do_not_confuse_the_comparison() -> None:
    """One row where the calculation makes many would broadcast; it is refused instead."""

    def change(body: Body) -> Body:
        group = body.sections[0].groups[-1]
        return with_computed(body, raw=group.raw[:1], quality=np.zeros((1, 10), dtype=np.uint8))

    assert failing(sm.make_month(frames(1, change))) == {"E-INPUT"}


@pytest.mark.parametrize("span", [[0, 5], 5, None, [0, 5, "x"]])
def test_a_span_of_any_shape_raises_nothing(span: object) -> None:
    month = sm.make_month(sm.items(), detail={"streams": {sm.STREAM: span}})
    assert "E-CHAIN-GAP" in failing(month)


@pytest.mark.parametrize("streams", [5, [], None])
def test_streams_of_any_shape_raise_nothing(streams: object) -> None:
    assert "E-LOG-CLOSE" in failing(sm.make_month(sm.items(), detail={"streams": streams}))
