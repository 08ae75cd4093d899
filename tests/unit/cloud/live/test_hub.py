"""The hub: who gets which text when, what is refused, and how it ends."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from cloud.live.hub import LiveHub, Subscription, UnknownPlantError
from cloud.live.pace import Pace
from cloud.live.state import PlantState
from tests.unit.cloud.live_examples import (
    GATEWAY,
    NS,
    PLANT,
    T0,
    ManualClock,
    configuration,
    payload,
    values,
)
from tests.waiting import ENOUGH_S

FAST_S = 0.05  # stands for the second between two deltas
BEAT_S = 0.12


def make_hub(**more: Any) -> LiveHub:
    intervals = {"delta_interval_s": FAST_S, "beat_interval_s": BEAT_S} | more
    hub = LiveHub(ManualClock(), **intervals)
    hub.on_config(PLANT, GATEWAY, configuration())
    return hub


async def next_text(viewer: Subscription) -> dict[str, Any]:
    text = await asyncio.wait_for(anext(viewer), ENOUGH_S)
    parsed: dict[str, Any] = json.loads(text)
    return parsed


async def test_a_viewer_gets_a_snapshot_and_then_deltas_of_the_following_seq() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    first = await next_text(viewer)
    hub.on_live(PLANT, GATEWAY, payload(0))
    second = await next_text(viewer)
    hub.on_live(PLANT, GATEWAY, payload(1))
    third = await next_text(viewer)
    assert (first["type"], second["type"], third["type"]) == ("snapshot", "delta", "delta")
    assert second["seq"] == first["seq"] + 1
    assert third["seq"] == first["seq"] + 2
    assert second["values"]["p.01.voltage"][0] == "4.21"
    hub.close()


async def test_the_first_value_is_sent_on_arrival() -> None:
    hub = make_hub(delta_interval_s=30.0, beat_interval_s=60.0)
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    hub.on_live(PLANT, GATEWAY, payload(0))
    assert (await asyncio.wait_for(next_text(viewer), 20))["type"] == "delta"
    hub.close()


async def test_who_asks_at_once_gets_one_snapshot_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Made for each who asked, 400 of one person took 7 s of each second of everybody's thread."""
    made, plainly = list[int](), PlantState.snapshot

    def snapshot(self: PlantState, now_ns: int) -> dict[str, Any]:
        made.append(now_ns)
        return plainly(self, now_ns)

    monkeypatch.setattr(PlantState, "snapshot", snapshot)
    hub = make_hub(delta_interval_s=0.5)
    hub.on_live(PLANT, GATEWAY, payload(0))
    first = [hub.subscribe(PLANT) for _ in range(20)]
    hub.on_live(PLANT, GATEWAY, payload(1))  # goes at once
    then = [hub.subscribe(PLANT) for _ in range(20)]
    hub.on_live(PLANT, GATEWAY, payload(2, values=values("4.44")))  # waits for its time
    for viewer in (*first, *then):
        hub.resend(viewer)
    assert len(made) == 2
    for viewer in (first[0], then[-1]):
        shown, delta = await next_text(viewer), await next_text(viewer)
        assert delta["seq"] == shown["seq"] + 1
        assert delta["values"]["p.01.voltage"][0] == "4.44"
    hub.close()


def gone(pace: Pace, arrivals: list[float]) -> list[float]:
    """When deltas go for values that arrive at these times."""
    sent: list[float] = []
    for now_s in arrivals:
        if sent and sent[-1] > now_s:
            continue  # one is planned already: this value rides along
        at_s = now_s + pace.wait_s(now_s)
        pace.sent(at_s)
        sent.append(at_s)
    return sent


def test_values_of_every_second_go_at_once() -> None:
    assert gone(Pace(1.0), [0.0, 1.0, 2.0, 3.0]) == [0.0, 1.0, 2.0, 3.0]


def test_one_late_value_does_not_delay_those_after_it() -> None:
    assert gone(Pace(1.0), [0.0, 1.4, 2.0, 3.0]) == [0.0, 1.4, 2.0, 3.0]


def test_a_flood_goes_out_once_an_interval_and_never_twice_within_half() -> None:
    sent = gone(Pace(1.0), [n / 100 for n in range(1000)])
    assert len(sent) <= 12
    assert min(b - a for a, b in itertools.pairwise(sent)) >= 0.5
    assert sent[5] - sent[4] == pytest.approx(1.0)


def test_after_a_long_silence_the_first_value_goes_at_once_and_no_burst_follows() -> None:
    sent = gone(Pace(1.0), [0.0, *(100 + n / 10 for n in range(40))])
    assert sent == pytest.approx([0.0, 100.0, 100.5, 101.5, 102.5, 103.5, 104.5])


async def test_many_messages_make_few_deltas() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    loop = asyncio.get_running_loop()
    started = loop.time()
    seen = 0

    async def watch() -> None:
        nonlocal seen
        async for _ in viewer:
            seen += 1

    watcher = asyncio.create_task(watch())
    for second in range(40):
        hub.on_live(PLANT, GATEWAY, payload(second))
        await asyncio.sleep(0.01)
    hub.close()
    await watcher
    assert 2 <= seen <= (loop.time() - started) / FAST_S + 2


async def test_the_last_of_many_messages_is_not_forgotten() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    hub.on_live(PLANT, GATEWAY, payload(0))
    for second in range(1, 5):
        hub.on_live(PLANT, GATEWAY, payload(second))
    newest_ns = 0
    for _ in range(5):  # on a machine that stood still they may come in more than two
        if newest_ns != T0 + 4 * NS:
            newest_ns = (await next_text(viewer))["values"]["p.01.voltage"][2]
    assert newest_ns == T0 + 4 * NS
    hub.close()


async def test_all_viewers_get_the_very_same_text_object() -> None:
    hub = make_hub()
    viewers = [hub.subscribe(PLANT) for _ in range(3)]
    for viewer in viewers:
        await anext(viewer)
    hub.on_live(PLANT, GATEWAY, payload(0))
    texts = [await anext(viewer) for viewer in viewers]
    assert texts[0] is texts[1]
    assert texts[1] is texts[2]
    hub.close()


async def test_a_viewer_that_does_not_read_loses_the_oldest_and_can_ask_again() -> None:
    hub = make_hub(delta_interval_s=0.0, beat_interval_s=60.0)
    viewer = hub.subscribe(PLANT)
    first = await next_text(viewer)
    for second in range(5):
        hub.on_live(PLANT, GATEWAY, payload(second))
    late = await next_text(viewer)
    assert late["seq"] == first["seq"] + 4  # two of five are left
    hub.resend(viewer)
    whole = await next_text(viewer)
    assert whole["type"] == "snapshot"
    assert whole["seq"] == first["seq"] + 5
    hub.on_live(PLANT, GATEWAY, payload(6))
    assert (await next_text(viewer))["seq"] == whole["seq"] + 1
    hub.close()


async def test_a_quiet_plant_still_beats_while_somebody_looks() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    beat = await next_text(viewer)
    assert beat["type"] == "delta"
    assert beat["values"] == {}
    assert (await next_text(viewer))["seq"] == beat["seq"] + 1
    hub.close()


async def test_receipts_and_state_ride_along_and_do_not_delay_values() -> None:
    hub = make_hub(delta_interval_s=30.0, beat_interval_s=60.0)
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    hub.on_state(PLANT, GATEWAY, True)
    hub.on_sealed(PLANT, GATEWAY, 3, T0, T0 + NS)
    hub.on_live(PLANT, GATEWAY, payload(0))
    delta = await asyncio.wait_for(next_text(viewer), 20)
    assert delta["gateways"][0]["online"] is True
    assert delta["gateways"][0]["sealed_seq"] == 3
    assert "p.01.voltage" in delta["values"]
    hub.close()


async def test_a_last_will_is_seen_at_the_next_beat() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    hub.on_state(PLANT, GATEWAY, False)
    assert (await next_text(viewer))["gateways"][0]["online"] is False
    hub.close()


async def test_a_new_configuration_reaches_viewers_as_a_snapshot() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    first = await next_text(viewer)
    hub.on_config(PLANT, GATEWAY, configuration(name="Renamed"))
    fresh = await next_text(viewer)
    assert fresh["type"] == "snapshot"
    assert fresh["seq"] == first["seq"] + 1
    assert fresh["plant"]["name"] == "Renamed"
    hub.close()


async def test_without_viewers_nothing_is_encoded_and_no_timer_runs() -> None:
    hub = make_hub()
    before = hub.snapshot(PLANT)["seq"]
    for second in range(3):
        hub.on_live(PLANT, GATEWAY, payload(second))
    assert hub.snapshot(PLANT)["seq"] == before
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)
    hub.unsubscribe(viewer)
    await asyncio.sleep(BEAT_S * 2)
    assert hub.snapshot(PLANT)["seq"] == before
    assert hub.viewers == 0


async def test_unsubscribe_ends_the_iteration_and_may_be_repeated() -> None:
    hub = make_hub()
    viewer = hub.subscribe(PLANT)
    hub.unsubscribe(viewer)
    hub.unsubscribe(viewer)
    assert [text async for text in viewer] == []
    assert viewer.closed
    hub.close()


async def test_close_ends_waiting_viewers_and_refuses_to_hold_new_ones() -> None:
    hub = make_hub(beat_interval_s=60.0)
    viewer = hub.subscribe(PLANT)
    await next_text(viewer)

    async def drain() -> list[str]:
        return [text async for text in viewer]

    waiting = asyncio.create_task(drain())
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waiting, ENOUGH_S) == []
    late = hub.subscribe(PLANT)
    assert late.closed
    assert hub.viewers == 0


def test_the_hub_itself_needs_no_running_loop_until_somebody_looks() -> None:
    hub = make_hub()
    hub.on_state(PLANT, GATEWAY, True)
    hub.on_live(PLANT, GATEWAY, payload(0))
    hub.on_sealed(PLANT, GATEWAY, 1, T0, T0)
    assert hub.snapshot(PLANT)["values"]["p.01.voltage"][0] == "4.21"
    assert hub.history(PLANT, "p.01.voltage") == [(T0, 4.21)]


def test_what_became_of_a_site_order_stands_until_the_next() -> None:
    hub = LiveHub(ManualClock())
    hub.on_ordered(PLANT, GATEWAY, 5)  # at a start: before its configuration was read
    hub.on_config(PLANT, GATEWAY, configuration())
    order = {"number": 4, "outcome": "rolled back", "reason": "meter-3 is silent"}
    hub.on_state(PLANT, GATEWAY, True, order)
    hub.on_state(PLANT, GATEWAY, False)  # a last will tells of none
    (row,) = hub.snapshot(PLANT)["gateways"]
    assert (row["ordered"], row["order"]) == (5, order)
    hub.on_ordered(PLANT, GATEWAY, 6)
    hub.on_state(PLANT, GATEWAY, True)
    (row,) = hub.snapshot(PLANT)["gateways"]
    assert (row["ordered"], row["order"]) == (6, None)


def test_plants_are_listed_once_configured() -> None:
    hub = LiveHub(ManualClock())
    assert hub.plants() == []
    hub.on_config("b", "g", configuration(id="b"))
    hub.on_config("a", "g", configuration(id="a"))
    assert hub.plants() == ["a", "b"]
    assert hub.facts("a") == hub.snapshot("a")["plant"]


@pytest.mark.parametrize("ask", ["snapshot", "subscribe", "history", "facts"])
def test_an_unknown_plant_is_named(ask: str) -> None:
    hub = LiveHub(ManualClock())
    arguments = ("nowhere", "p") if ask == "history" else ("nowhere",)
    with pytest.raises(UnknownPlantError, match="nowhere"):
        getattr(hub, ask)(*arguments)


def test_everything_refused_is_counted_by_reason_and_nothing_is_raised() -> None:
    hub = make_hub()
    hub.on_live(PLANT, GATEWAY, b"\x00")
    hub.on_live(PLANT, GATEWAY, b" " * 2**21)
    hub.on_live(PLANT, GATEWAY, b"{}")
    hub.on_live(PLANT, GATEWAY, payload(0, plant="other"))
    hub.on_live(PLANT, GATEWAY, payload(0, seq=-1))
    hub.on_live(PLANT, GATEWAY, payload(5, values={"no.such": ["1", 0, None]}))
    hub.on_live(PLANT, GATEWAY, payload(5))
    hub.on_live(PLANT, "edge-9", payload(0))
    hub.on_live("nowhere", GATEWAY, payload(0))
    hub.on_sealed("nowhere", GATEWAY, 1, 1, 1)
    hub.on_state(PLANT, "edge-9", True)
    assert hub.refused == {
        "json": 1, "size": 1, "version": 1, "identity": 1, "field": 1, "unknown-point": 1,
        "late": 1, "no-config": 4,
    }  # fmt: skip


def test_an_unreadable_configuration_is_counted_logged_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub = make_hub()
    hub.on_config(PLANT, GATEWAY, {"points": 5})
    assert hub.refused == {"config": 1}
    assert "configuration of gateway edge-1" in caplog.text
    assert hub.snapshot(PLANT)["plant"]["name"] == "Mini"


def test_a_snapshot_is_plain_json() -> None:
    hub = make_hub()
    hub.on_live(PLANT, GATEWAY, payload(0))
    again = json.loads(json.dumps(hub.snapshot(PLANT), allow_nan=False))
    assert again == hub.snapshot(PLANT)
    assert (again["type"], again["v"]) == ("snapshot", 1)
