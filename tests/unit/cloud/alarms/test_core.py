"""The life of an alarm, as tables: seconds, what is so, what happens."""

from pathlib import Path
from typing import Any

import pytest

from cloud.alarms import core
from cloud.alarms.core import Alarm, Book, Happening, Key, Phase, Signal, Verdict, step
from cloud.alarms.effects import effect_signals
from cloud.alarms.facts import PlantFacts, learned_band
from cloud.alarms.levels import band_of, mean_of
from cloud.alarms.rates import rates_of
from cloud.alarms.rules import Rule, Rules, default_rules, read_rules
from cloud.alarms.store import AlarmStore
from cloud.alarms.texts import sentence
from firmware_configs.fields import Fields, Problem
from tests.unit.cloud.alarms import played_line
from tests.unit.cloud.kept import kept_in

NS = 1_000_000_000
HOUR_S = 3_600
KEY = Key("mini", "x", "edge-1", "d")
RULES = Rules({"x": Rule("x", 2, 10, 20, "", "")})
ON, BETWEEN, OFF, BLIND = "on", "between", "off", "blind"


def follow(book: Book, *story: tuple[int, str]) -> list[tuple[int, str, bool]]:
    """(second, what, is it told) of what happens when at these seconds this is so."""
    found: list[Happening] = []
    for second, is_so in story:
        signals = [] if is_so in (OFF, BLIND) else [Signal(KEY, {}, Verdict(is_so))]
        found += step(
            book, "mini", signals, blind=lambda _, now=is_so: now == BLIND, rules=RULES,
            now_ns=second * NS,
        )  # fmt: skip
    return [(one.at_ns // NS, one.what.value, one.is_told) for one in found]


RAISED = (10, "raised", True)


@pytest.mark.parametrize(
    ("story", "happens"),
    [
        ([(0, ON), (9, ON)], []),
        ([(0, ON), (10, ON), (99, ON)], [RAISED]),
        ([(0, ON), (5, OFF), (6, ON), (15, ON)], []),  # the delay begins anew
        ([(0, ON), (10, ON), (11, OFF), (30, OFF)], [RAISED]),
        ([(0, ON), (10, ON), (11, OFF), (31, OFF)], [RAISED, (31, "cleared", False)]),
        ([(0, ON), (10, ON), (11, OFF), (30, ON), (31, OFF), (50, OFF)], [RAISED]),
        ([(0, BETWEEN), (20, BETWEEN)], []),
        ([(0, ON), (5, BETWEEN), (10, ON)], [RAISED]),  # not over: the delay goes on
        ([(0, ON), (10, ON), (11, BETWEEN), (99, BETWEEN)], [RAISED]),
        # nothing can be known: no clearing, however long
        ([(0, ON), (10, ON), (11, BLIND), (9_999, BLIND)], [RAISED]),
        ([(0, ON), (10, ON), (11, OFF), (12, BLIND), (40, ON)], [RAISED]),
    ],
)
def test_delays_hysteresis_and_blindness(
    story: list[tuple[int, str]], happens: list[tuple[int, str, bool]]
) -> None:
    assert follow(Book(), *story) == happens


def test_acknowledging_is_kept_and_never_clears() -> None:
    book = Book()
    follow(book, (0, ON), (10, ON))
    assert len(core.acknowledge(book, 1, "li", 11 * NS)) == 1
    assert core.acknowledge(book, 1, "wang", 12 * NS) == []
    (alarm,) = book.standing()
    assert (alarm.acknowledged_by, alarm.acknowledged_ns) == ("li", 11 * NS)
    with pytest.raises(LookupError):
        core.acknowledge(book, 2, "li", 0)


def test_a_shelf_keeps_quiet_and_ends() -> None:
    book = Book()
    follow(book, (0, ON), (10, ON))
    core.acknowledge(book, 1, "li", 11 * NS)
    (shelved,) = core.shelve(book, 1, 1, by="li", reason=" sensor ordered ", now_ns=20 * NS)
    assert shelved.note == "sensor ordered"
    # it clears and comes again on its shelf: followed, not told
    again = follow(book, (30, OFF), (50, OFF), (60, ON), (70, ON))
    assert again == [(50, "cleared", False), (70, "raised", False)]
    end_s = 20 + HOUR_S
    assert follow(book, (end_s - 1, ON)) == []
    assert follow(book, (end_s, ON)) == [(end_s, "shelf-ended", True)]
    assert book.standing()[0].acknowledged_ns == 0


@pytest.mark.parametrize(("hours", "reason"), [(2, "why"), (25, "why"), (8, " ")])
def test_a_shelf_has_hours_and_a_reason(hours: int, reason: str) -> None:
    book = Book()
    follow(book, (0, ON), (10, ON))
    with pytest.raises(ValueError, match="hours"):
        core.shelve(book, 1, hours, by="li", reason=reason, now_ns=20 * NS)


def test_a_restart_raises_nothing_twice_and_forgets_nothing(tmp_path: Path) -> None:
    book, store = Book(), AlarmStore(kept_in(tmp_path))
    found: list[Happening] = []
    for second in (0, 10):
        found += step(
            book, "mini", [Signal(KEY, {"n": 1})], blind=lambda _: False, rules=RULES,
            now_ns=second * NS,
        )  # fmt: skip
    found += core.acknowledge(book, 1, "li", 11 * NS)
    found += core.shelve(book, 1, 8, by="li", reason="ordered", now_ns=12 * NS)
    store.keep(book, "mini", found)
    store = AlarmStore(kept_in(tmp_path))
    again = store.load(["mini"])
    assert again == book
    assert follow(again, (13, ON)) == []
    events = store.events(["mini"])
    assert [one.happening.what.value for one in events] == ["shelved", "acknowledged", "raised"]
    assert store.events(["maxi"]) == []
    assert store.told_since(["mini"], 0) == [10 * NS]


def test_who_joins_is_told_once_an_hour_and_to_be_acknowledged_again() -> None:
    """By hand: at most every 3600 s; who left and comes again is news, who stays is none."""
    rules = Rules({"x": Rule("x", 3, 0, 20, "", "", {"again_s": 3_600})})
    book, happened = Book(), list[tuple[int, str, bool]]()
    for second, members in [
        (0, "a"), (10, "ab"), (3_599, "abc"), (3_600, "abc"), (3_700, "bc"), (7_100, "bc"),
        (7_200, "abc"), (9_000, ""), (9_020, ""), (9_100, "a"),
    ]:  # fmt: skip
        signals = [Signal(KEY, members=frozenset(members))] if members else []
        found = step(book, "mini", signals, blind=lambda _: False, rules=rules, now_ns=second * NS)
        happened += [(one.at_ns // NS, one.what.value, one.is_told) for one in found]
        if second == 10:
            core.acknowledge(book, 1, "li", 11 * NS)
        if second == 3_600:
            assert book.standing()[0].acknowledged_ns == 0
    assert happened == [
        (0, "raised", True), (3_600, "more", True), (7_200, "more", True),
        (9_020, "cleared", False), (9_100, "raised", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ago_s", "rates"),
    [
        ([], (0, 0, 0, 0)),
        ([86_000, 3_601, 3_600, 601, 600, 0], (2, 4, 6, 2)),
        ([5_000, 4_900, 4_800, 4_401, 4_400, 10], (1, 1, 6, 4)),
    ],
)
def test_rates_by_hand(ago_s: list[int], rates: tuple[int, int, int, int]) -> None:
    now_ns = 10**6 * NS
    found = rates_of([now_ns - ago * NS for ago in ago_s], now_ns)
    assert (found.ten_min, found.hour, found.day, found.worst) == rates


def test_every_rule_says_what_it_stands_on() -> None:
    rules = default_rules().by_kind
    assert {"edge", "collector", "effect-long", "month-risk"} <= rules.keys()
    for rule in rules.values():
        assert rule.priority in (1, 2, 3), rule.kind
        assert len(rule.why) > 10, rule.kind
        assert len(rule.source) > 5, rule.kind
    assert default_rules().of("edge.of-tomorrow").kind == "edge"


def test_a_plant_has_its_own_limits_and_mistakes_are_told() -> None:
    problems: list[Problem] = []
    own: dict[str, Any] = {
        "effect-long": {"longest_s": 120, "priority": 1}, "pot-repeat": {"time": 3}, "no-such": {},
    }  # fmt: skip
    read = read_rules(Fields({"alarms": own}, file="CLOUD.toml", prefix="plant", problems=problems))
    assert read.limit("effect-long", "longest_s") == 120
    assert read.of("effect-long").priority == 1
    assert [one.key for one in problems] == ["plant.alarms.pot-repeat.time", "plant.alarms.no-such"]


def test_a_band_is_learned_from_the_median_and_its_deviations() -> None:
    """By hand: median 100, deviations 2 2 0 2 90, their median 2; 6 x 1.4826 x 2 = 17.7912."""
    band = learned_band([98, 102, 100, 98, 190], 6, 10)
    assert (band.low, band.high) == pytest.approx((100 - 17.7912, 100 + 17.7912))
    assert learned_band([100, 100, 100], 6, 10).high == pytest.approx(110)


def test_nothing_is_judged_before_a_day_is_learned() -> None:
    limits = default_rules().of("emission").limits
    ten_min = 600 * NS
    day = [(n * ten_min, 100.0) for n in range(145)]
    assert band_of(day[:100], limits, day[99][0]) is None
    assert band_of(day, limits, day[-1][0]) is not None
    assert band_of(day[::3], limits, day[-1][0]) is None  # two thirds of it are missing
    given = band_of([], {**limits, "low_t_h": 5, "high_t_h": 9}, 0)
    assert given is not None
    assert (given.low, given.high, given.is_learned) == (5, 9, False)


@pytest.mark.parametrize(
    ("rows", "mean"),
    [
        ([], None), ([(0, 1.0), (100 * NS, 1.0)], None),
        ([(0, 1.0), (300 * NS, 3.0)], 2.0), ([(0, None), (150 * NS, None), (300 * NS, 3.0)], None),
    ],
)  # fmt: skip
def test_a_mean_needs_half_of_its_values(rows: list[Any], mean: float | None) -> None:
    assert mean_of(rows) == mean


def test_a_sentence_rounds_volts_as_people_read_them() -> None:
    told = {"line": "1", "pot": "13", "start_ns": 0, "v_max": "29.7285", "again": 1}
    alarm = Alarm(Key("works", "quench-failed", "edge-1", "1/13"), Phase.RAISED, 0, told, 1)
    assert "up to 29.7 V" in sentence(alarm, "en", "Asia/Shanghai")


def test_pots_that_repeat_are_named_with_most_effects_first() -> None:
    """By hand: 9 pots, of which pot 8 was three times in effect; eight are named."""
    starts = [(pot, n) for pot in range(9) for n in range(3 if pot == 8 else 2)]
    effects = [
        played_line.effect(pot, 3_600 * n + pot, 60) for pot, n in starts
    ]  # fmt: skip
    (happening,) = [one for one in played_line.play(3, effects) if one.what is core.What.RAISED]
    assert happening.alarm.values["pots"] == "000 (2)"  # the first minute that one repeats
    now_ns = played_line.T0 + 9_000 * NS
    facts = PlantFacts("mini", now_ns, played_line.snapshot_at(now_ns), effects)
    (signal,) = effect_signals(facts, default_rules())
    alarm = Alarm(signal.key, Phase.RAISED, 0, signal.values, 3)
    named = "008 (3), 000 (2), 001 (2), 002 (2), 003 (2), 004 (2), 005 (2), 006 (2) +1"
    assert sentence(alarm, "en", "Asia/Shanghai").startswith(
        f"9 pots with 2 or more effects within 24 h (how many): {named}."
    )
