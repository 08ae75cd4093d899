"""How many alarms an operator is told of, and which: 48 h of a line, then one fault at a time."""

import random
from typing import Any

import pytest

from cloud.alarms.core import What
from tests.unit.cloud.alarms.played_line import (
    NS,
    Change,
    effect,
    effects_of,
    play,
    told,
    worst_hour,
)

TARGET = 6


def noise(second: int, snapshot: dict[str, Any]) -> None:
    """What is normal: an answer lost here and there, a gateway that restarts, once a day."""
    draw = random.Random(second)
    for values in snapshot["values"].values():
        if draw.random() < 0.002:
            values[1] = 128
    if second % 86_400 < 60:
        snapshot["gateways"][0]["online"] = False


@pytest.mark.parametrize(
    "seed", [16, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 13))]
)
def test_a_normal_line_tells_no_more_than_six_an_hour(seed: int) -> None:
    """400 pots at 0.3 effects a pot-day; 240 effects expected in 48 h, in seed 16 many repeat.

    A line's repeats are told at most hourly: 48 times.
    """
    effects = effects_of(48, 0.3, seed)
    assert 200 <= len(effects) <= 290
    draw = random.Random(3)
    found = play(48, effects, noise, lambda _: draw.gauss(100, 3))
    counts = told(found)
    assert worst_hour(found) <= TARGET
    # an effect is an event: of the normal ones only those that repeat by chance are told
    assert set(counts) <= {"pot-repeat", "effect-long", "quench-failed"}
    assert counts["pot-repeat"] <= 48
    long = sum(1 for one in effects if one.polarised_ns > 180 * NS)
    assert counts["effect-long"] == long


def meter(quality: int, device: str = "meter-3") -> Change:
    def change(second: int, snapshot: dict[str, Any]) -> None:
        if 600 <= second < 1_800:
            snapshot["values"][f"{device}.flow"][1] = quality

    return change


def gateway(**fields: Any) -> Change:
    """Of the gateway's row; a time is so much before now."""

    def change(second: int, snapshot: dict[str, Any]) -> None:
        row = snapshot["gateways"][0]
        if 600 <= second < 1_800:
            for name, value in fields.items():
                row[name] = row["tick_ns"] - value * NS if name == "received_ns" else value
            for values in snapshot["values"].values():
                values[1] = 129  # what was last heard of them is not told

    return change


def behind(second: int, snapshot: dict[str, Any]) -> None:
    if 600 <= second < 1_800:
        snapshot["gateways"][0]["spool"]["oldest_ns"] -= 2 * 3_600 * NS


def stale(second: int, snapshot: dict[str, Any]) -> None:
    if 600 <= second < 1_800:
        snapshot["values"]["meter-3.flow"][2] -= 90 * NS


def edge_says(name: str) -> Change:
    def change(second: int, snapshot: dict[str, Any]) -> None:
        if 600 <= second < 1_800:
            snapshot["alarms"] = [{"gateway": "edge-1", "reason": name, "since_ns": 0}]

    return change


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("meter-silent", meter(128)), ("meter-silent", meter(129)), ("meter-fault", meter(134)),
        ("meter-range", meter(135)), ("meter-stuck", meter(20)), ("meter-stale", meter(136)),
        ("meter-stale", stale), ("gateway-offline", gateway(online=False)),
        ("gateway-offline", gateway(received_ns=120)), ("backlog", behind),
        ("edge.spool-filling", edge_says("edge.spool-filling")),
        ("edge.of-tomorrow", edge_says("edge.of-tomorrow")),
        ("collector.fork", edge_says("fork")),
    ],
)  # fmt: skip
def test_a_fault_raises_its_alarm_once_and_no_other(kind: str, change: Change) -> None:
    found = play(1, [], change)
    assert [(one.what, one.alarm.key.kind) for one in found] == [
        (What.RAISED, kind), (What.CLEARED, kind),
    ]  # fmt: skip


def test_without_a_broker_one_alarm_stands_for_all_gateways() -> None:
    """They stay silent for ten seconds after its return, as they come back one after another."""

    def nobody_is_heard(second: int, snapshot: dict[str, Any]) -> None:
        if 600 <= second < 1_810:
            snapshot["gateways"][0]["received_ns"] -= (second - 600) * NS

    found = play(1, [], nobody_is_heard, away=(600, 1_800))
    assert [(one.what, one.alarm.key.kind) for one in found] == [
        (What.RAISED, "broker-away"), (What.CLEARED, "broker-away"),
    ]  # fmt: skip


@pytest.mark.parametrize("quality", [139, 140, 17, 19])
def test_maintenance_and_reservations_raise_none(quality: int) -> None:
    assert play(1, [], meter(quality)) == []


def test_a_rate_that_plays_about_its_limit_raises_one() -> None:
    """Two hours about the upper limit of 115: half of the values lie beyond it."""
    draw = random.Random(5)
    found = play(3, [], means=lambda s: draw.gauss(115, 1.5) if 600 <= s < 7_800 else 100.0)
    assert [one.what for one in found] == [What.RAISED, What.CLEARED]


@pytest.mark.parametrize(
    ("kinds", "effects"),
    [
        ({}, [effect(4, 600, 100)]),
        ({"effect-long": 1}, [effect(4, 600, 300)]),
        # again five minutes after its end: one incident, told as what it is
        ({"quench-failed": 1}, [effect(4, 600, 100), effect(4, 1_000, 100)]),
        ({"quench-failed": 1}, [effect(4, 600 + 400 * n, 100) for n in range(5)]),
        ({"pot-repeat": 1}, [effect(4, 600, 100), effect(4, 3_600, 100)]),
        # the third stands in the same alarm
        ({"pot-repeat": 1}, [effect(4, 600 + n, 100) for n in (0, 3_000, 6_000)]),
        ({}, [effect(4, 600, 100), effect(5, 3_600, 100)]),
        # listed for two hours; the fourth comes after them
        ({"pot-repeat": 2}, [effect(4, 600 + n, 100) for n in (0, 3_000, 6_000, 16_000)]),
        # a second pot joins after 50 minutes: it is told an hour after the first
        (
            {"pot-repeat": 2},
            [effect(p, 600 + n, 100) for p, n in ((4, 0), (4, 3_000), (5, 3_000), (5, 6_000))],
        ),
    ],
)
def test_effects_of_a_pot(kinds: dict[str, int], effects: list[Any]) -> None:
    assert told(play(8, effects)) == kinds


@pytest.mark.parametrize(("per_pot_day", "is_told"), [(0.3, False), (0.75, True)])
def test_a_line_that_leaves_its_band_is_told_once(per_pot_day: float, *, is_told: bool) -> None:
    """High is 120 effects a day, and four sigmas of them 164; 300 are expected at 0.75."""
    assert told(play(24, effects_of(24, per_pot_day, seed=1)))["line-rate"] == is_told
