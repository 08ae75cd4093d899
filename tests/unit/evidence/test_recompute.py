"""From frames to a statement: instants, months, the one JSON form, and what does not fit."""

import dataclasses
import json
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from evidence.errors import EvidenceError, MalformedError, UnsupportedError
from evidence.frame import Body, Clock, Section
from evidence.frame_form import FrameForm
from evidence.recompute import (
    Recomputation,
    compute_statement,
    instant_ns,
    month_bounds,
    published_rules,
    statement_bytes,
)
from evidence.verifier.figures import differences
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import RULES

CONFIG = sm.configuration()


@pytest.mark.parametrize(
    ("text", "seconds", "rest"),
    [
        ("1970-01-01T00:00:00Z", 0, 0), ("2026-06-15T04:59:40Z", 1_781_499_580, 0),
        ("2026-06-15T04:59:40.5Z", 1_781_499_580, 500_000_000),
        ("2026-06-15T04:59:40.000000001Z", 1_781_499_580, 1),
        ("2000-02-29T12:00:00Z", 951_825_600, 0), ("1969-12-31T23:59:59Z", -1, 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
    ],
)  # fmt: skip
def test_instants(text: str, seconds: int, rest: int) -> None:
    """Seconds from `date -u +%s`."""
    assert instant_ns(text) == seconds * 10**9 + rest


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-06-15", "2026-06-15T04:59:40", "2026-06-15T04:59:40+00:00",
        "2026-06-15 04:59:40Z", "2026-06-15T04:59:40.Z", "2026-06-15T04:59:40.1234567890Z",
        "2026-02-30T00:00:00Z", "2026-06-15T24:00:00Z", "2026-06-15T04:60:00Z",
        "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "2026-06-15t04:59:40z",
        " 2026-06-15T04:59:40Z", "2026-06-15T04:59:40Z\n", "２０２６-06-15T04:59:40Z",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="instant"):
        instant_ns(text)


def test_months_are_the_plants_own() -> None:
    # 2026-06-01 00:00 in Shanghai is 2026-05-31 16:00 UTC
    assert month_bounds("Asia/Shanghai", "2026-06") == (
        instant_ns("2026-05-31T16:00:00Z"), instant_ns("2026-06-30T16:00:00Z"),
    )  # fmt: skip
    assert month_bounds("UTC", "2026-12") == (
        instant_ns("2026-12-01T00:00:00Z"), instant_ns("2027-01-01T00:00:00Z"),
    )  # fmt: skip
    for zone, month in (("Mars/Olympus", "2026-06"), ("UTC", "2026-13"), ("UTC", ""), ("UTC", "x")):
        with pytest.raises(MalformedError):
            month_bounds(zone, month)


def test_the_one_json_form() -> None:
    given = {"b": [], "a": {"z": "1.50", "é": [{}, None, True]}}
    assert statement_bytes(given).decode() == (
        '{\n "a": {\n  "z": "1.50",\n  "é": [\n   {},\n   null,\n   true\n  ]\n },\n "b": []\n}\n'
    )
    with pytest.raises(ValueError, match=r"NaN|nan|JSON"):
        statement_bytes({"a": float("nan")})


def test_rule_sets_are_published_or_unknown() -> None:
    published = published_rules(RULES)
    assert RULES.encode() in published[RULES]
    assert b'"ar5.cf4" = { value = "6630"' in published["gwp"]
    assert b"aluminium.faraday" in published["physics"]
    for name in ("", "no-such", "../secret", "x" * 999):
        with pytest.raises(UnsupportedError):
            published_rules(name)


def fold(config: dict[str, Any] | None = None) -> Recomputation:
    made = Recomputation()
    made.configure(b"1", config or CONFIG)
    return made


def test_the_statement_does_not_depend_on_how_its_input_was_put_together() -> None:
    """Read back from the file, whose keys are sorted, it gives the same output to the letter."""
    stated = json.loads(sm.honest_statement())
    assert compute_statement(stated["input"]) == stated["output"]


def test_honest_frames_agree_with_their_computed_points() -> None:
    made = fold()
    assert [list(made.feed(body)) for body in sm.bodies(CONFIG)] == [[]] * 5


def test_a_difference_is_said_once_a_point_with_both_numbers() -> None:
    body = sm.bodies(CONFIG)[0]
    section = body.sections[0]
    group = section.groups[-1]
    raw = group.raw.astype(np.int64)
    raw[2, 4:] += 1
    groups = (*section.groups[:-1], dataclasses.replace(group, raw=raw))
    sections = (dataclasses.replace(section, groups=groups), *body.sections[1:])
    (sentence,) = fold().feed(dataclasses.replace(body, sections=sections))
    name = CONFIG["points"][CONFIG["groups"][5]["points"][2]]["id"]
    assert sentence.startswith(f"{name} at {sm.START_NS + 4 * sm.SECOND} ns is {raw[2, 4]}")
    assert f"give {raw[2, 4] - 1}" in sentence


def test_frames_before_a_configuration_are_refused() -> None:
    made = Recomputation()
    with pytest.raises(MalformedError, match="no configuration"):
        list(made.feed(sm.bodies(CONFIG)[0]))


def test_the_same_configuration_twice_changes_nothing() -> None:
    one, two = fold(), fold()
    bodies = sm.bodies(CONFIG)
    for body in bodies:
        list(one.feed(body))
        two.configure(b"1", CONFIG)
        list(two.feed(body))
    period = sm.START_NS, sm.START_NS + 50 * sm.SECOND, "interim"
    assert one.statement(*period) == two.statement(*period)
    assert statement_bytes(one.statement(*period)) == sm.honest_statement()


def form_of(interval_ns: int, time_zone: str) -> FrameForm:
    """Of two schedules without points."""
    plant, due = {"time_zone": time_zone}, [{"interval_ns": interval_ns}] * 2
    return FrameForm({"plant": plant, "schedules": due, "groups": [], "devices": []})


@pytest.mark.parametrize(("time_zone", "ends_s"), [
    ("UTC", 1_782_864_000), ("Asia/Shanghai", 1_782_835_200), ("America/St_Johns", 1_782_873_000),
])  # fmt: skip
def test_a_frame_is_of_one_month_by_the_clock_there(time_zone: str, ends_s: int) -> None:
    """1 July 2026 begins 8 h earlier in Shanghai than in Greenwich, 2.5 h later in Newfoundland."""
    form, from_s = form_of(sm.SECOND, time_zone), ends_s - 10
    for ticks in (10, 11):
        section = Section(
            0, from_s * sm.SECOND, sm.SECOND, ticks, (), np.zeros((0, ticks), "<i4"), ()
        )
        body = Body(from_s * sm.SECOND, Clock("free", None, 0, bytes(16)), 0, (section,))
        assert form.fits(body) == (ticks == 10)


@pytest.mark.parametrize(("days", "fits"), [((0, 2), True), ((0, 3), False), ((2, 0), True),
                                            ((3, 0), False)])  # fmt: skip
@pytest.mark.parametrize("ahead", [0, 1])
def test_a_frame_ends_two_days_after_its_t0(
    days: tuple[int, int], ahead: int, *, fits: bool
) -> None:
    """Of one section or from one to another; t0 may be before the first tick."""
    day_ns = 86_400 * sm.SECOND
    form = form_of(day_ns, "UTC")
    later, more = days
    sections = tuple(
        Section(schedule, first * day_ns, day_ns, ticks, (), np.zeros((0, ticks), "<i4"), ())
        for schedule, first, ticks in ((0, ahead, more + 1), (1, later + ahead, 1))
    )
    body = Body(ahead * day_ns, Clock("free", None, 0, bytes(16)), 0, sections)
    with nullcontext() if fits else pytest.raises(MalformedError, match="more than two days"):
        form.check(body)
    if fits:
        with pytest.raises(MalformedError, match="more than two days"):
            form.check(dataclasses.replace(body, t0_ns=(ahead - 1) * day_ns))


@pytest.mark.parametrize("key", ["plant", "schedules", "points", "groups"])
@pytest.mark.parametrize("value", [None, 5, [], {}, "x"])
def test_a_configuration_of_another_shape_draws_our_errors(key: str, value: object) -> None:
    config = sm.configuration() | {key: value}
    with pytest.raises(EvidenceError):
        fold(config)


def test_statements_of_another_shape_draw_our_errors() -> None:
    for given in ({}, {"rule_set": 5}, {"rule_set": RULES}, {"rule_set": RULES, "month": 5}):
        with pytest.raises(EvidenceError):
            compute_statement(given)


def test_differences_name_every_leaf() -> None:
    stated = {"a": {"x": "1", "y": "2"}, "b": ["1", "2"], "c": "same", "d": "1", "f": True}
    again = {"a": {"x": "1", "y": "3"}, "b": ["1", "4"], "c": "same", "e": "1", "f": 1}
    assert list(differences(stated, again, "o")) == [
        ("o.a.y", "2", "3"), ("o.b[1]", "2", "4"), ("o.d", "1", "nothing"),
        ("o.e", "nothing", "1"), ("o.f", True, 1),
    ]  # fmt: skip
    assert list(differences(["1"], ["1", "2"], "o")) == [("o", ["1"], ["1", "2"])]
    assert list(differences(stated, stated, "o")) == []
