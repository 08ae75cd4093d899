"""Settings of a meter: when each is asked for, what is signed, and what stands against them."""

import itertools
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from edge.settings import MeterSettings, Stated, signed_rows, standing_departures
from evidence.meter_settings import HOUR_NS, SETTINGS_MAX, check_event, check_rows
from evidence.quality import Quality
from firmware_configs import profile as profiles
from firmware_configs.profile import load_profile

AC = load_profile("stackproof/ac-meter")
NAMES = [setting.name for setting in AC.settings]
SECOND = 10**9
MINUTE = 60 * SECOND
SAID: Mapping[str, str | Quality] = {
    "serial": "10482201", "firmware": "SIM-1.4", "ct_primary": "800", "ct_secondary": "5",
    "totaliser_resets": "0", "parameter_changes": "3",
}  # fmt: skip
TURNED = {**SAID, "ct_primary": "400", "parameter_changes": "4"}


class Meter:
    """A meter that is asked whenever something is due, a second between two looks."""

    def __init__(self, device: str = "ac-1", stated: Stated | None = None) -> None:
        self.settings = MeterSettings(device, AC, stated or {})
        self.now_ns = 0
        self.said: Mapping[str, str | Quality] = SAID
        self.asked: list[tuple[int, str]] = []
        self.events: list[tuple[int, Mapping[str, Any]]] = []

    def run(self, seconds: int) -> "Meter":
        for _ in range(seconds):
            setting = self.settings.due(self.now_ns)
            if setting is not None:
                self.asked.append((self.now_ns // SECOND, setting.name))
                event = self.settings.take(self.said[setting.name], self.now_ns)
                if event is not None:
                    check_event({**event, "at_ns": 0})
                    self.events.append((self.now_ns // SECOND, event))
            self.now_ns += SECOND
        return self


def begun(**given: Any) -> Meter:
    meter = Meter(**given)
    meter.settings.begin(0)
    return meter


def test_nothing_is_asked_before_there_is_a_connection() -> None:
    assert Meter().run(7200).asked == []


def test_all_are_asked_one_at_a_time_and_told_as_one() -> None:
    meter = begun().run(60)
    assert [name for _, name in meter.asked] == NAMES
    at = [second for second, _ in meter.asked]
    assert at[0] <= 5
    assert [b - a for a, b in itertools.pairwise(at)] == [5] * (len(NAMES) - 1)
    ((_, event),) = meter.events
    assert event == {"kind": "meter-settings", "device": "ac-1", "read": SAID, "unread": {}}


def test_they_are_read_again_within_the_hour_each_device_at_its_own_pace() -> None:
    periods = []
    for number in range(8):
        meter = begun(device=f"ac-{number}").run(3 * 3600)
        told = [second for second, _ in meter.events]
        assert told[0] < 60
        (period,) = {b - a for a, b in itertools.pairwise(told)}
        periods.append(period)
    assert all(2700 <= period <= 3600 for period in periods)
    assert len(set(periods)) == 8, "what a link took away together is not read together for ever"


def test_a_new_connection_begins_anew_but_not_more_than_every_ten_minutes() -> None:
    meter = begun().run(120)
    for _ in range(300):  # a dead neighbour on the same connection
        meter.settings.begin(meter.now_ns)
        meter.run(10)
    told = [second for second, _ in meter.events]
    assert 5 <= len(told) <= 7
    assert all(b - a >= 595 for a, b in itertools.pairwise(told))


def test_a_connection_lost_in_a_round_lets_it_end_and_begins_another() -> None:
    meter = begun().run(12)
    meter.settings.begin(meter.now_ns)
    meter.run(700)
    assert [name for _, name in meter.asked] == NAMES * 2


def test_what_cannot_be_read_is_told_once_and_signed_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meter = begun()
    meter.said = {**SAID, "ct_primary": Quality.DEVICE_REFUSED}
    with caplog.at_level(logging.WARNING):
        meter.run(3 * 3600)
    assert [e["unread"] for _, e in meter.events] == [{"ct_primary": 130}] * len(meter.events)
    assert all("ct_primary" not in e["read"] for _, e in meter.events)
    assert len(meter.events) >= 3
    told = [r.getMessage() for r in caplog.records]
    assert told == [
        "ac-1: setting ct_primary cannot be read (DEVICE_REFUSED); whether it has changed is not "
        "known"
    ]
    meter.said = SAID
    meter.run(3600)
    assert meter.events[-1][1]["read"] == SAID


def test_one_that_is_not_answered_is_left_alone_for_a_day() -> None:
    meter = begun()
    meter.said = {**SAID, "firmware": Quality.NO_ANSWER}
    meter.run(25 * 3600)
    asked = [second for second, name in meter.asked if name == "firmware"]
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 24 * 3600
    assert {code for _, e in meter.events for code in e["unread"].values()} == {128, 137}


def test_of_all_silent_ones_one_is_asked() -> None:
    meter = begun()
    meter.said = dict.fromkeys(SAID, Quality.NO_ANSWER)
    meter.run(2 * 3600)
    assert len(meter.asked) == len(NAMES) + len(meter.events) - 1
    assert all(len(e["unread"]) == len(NAMES) for _, e in meter.events)


def test_a_change_is_logged_once_and_stands(caplog: pytest.LogCaptureFixture) -> None:
    meter = begun().run(3600)
    assert meter.settings.departures == []
    meter.said = TURNED
    with caplog.at_level(logging.WARNING):
        meter.run(3 * 3600)
    assert meter.settings.departures == [
        "ac-1 ct_primary reads '400' A; before it was '800' A",
        "ac-1 parameter_changes reads '4'; before it was '3'",
    ]
    told = [r.getMessage().partition(".")[0] for r in caplog.records]
    assert told == meter.settings.departures


def kept_after(meter: Meter) -> bytes:
    kept = meter.settings.unkept
    assert kept is not None
    return kept


def test_after_a_restart_a_change_still_stands_and_ends_when_it_is_stated() -> None:
    meter = begun().run(60)
    meter.said = TURNED
    kept = kept_after(meter.run(3600))
    again = Meter()
    again.settings.recall(kept)
    assert again.settings.departures == meter.settings.departures
    stated = {
        "ct_primary": (("400", "transformers replaced"),),
        "parameter_changes": (("4", "transformers replaced"),),
    }
    assert standing_departures("ac-1", AC, stated, kept) == []
    assert len(standing_departures("ac-1", AC, {}, kept)) == 2
    assert standing_departures("ac-1", AC, {}, None) == []
    explained = begun(stated=stated)
    explained.settings.recall(kept)
    explained.said = TURNED
    assert explained.run(60).settings.departures == []


def test_another_value_than_is_stated_stands_from_the_first_reading_on() -> None:
    meter = begun(stated={"serial": (("777", "delivery note"),)}).run(60)
    assert meter.settings.departures == [
        "ac-1 serial reads '10482201'; the configuration states '777'"
    ]


def test_what_was_kept_of_a_row_that_is_read_in_another_way_counts_no_more() -> None:
    meter = begun().run(60)
    meter.said = TURNED
    kept = kept_after(meter.run(3600)).replace(b"holding 0x0104", b"holding 0x0104"[:-1] + b"5")
    assert standing_departures("ac-1", AC, {}, kept) == [
        "ac-1 parameter_changes reads '4'; before it was '3'"
    ]


def test_what_is_signed_of_the_rows() -> None:
    rows = signed_rows(AC, {"ct_primary": (("800", "type plate"),)})
    check_rows(rows, "meter")
    assert rows["ct_primary"] == {
        "means": "ct_primary", "source": "holding 0x0104, u16", "unit": "A",
        "stated": [["800", "type plate"]],
    }  # fmt: skip
    assert rows["firmware"]["source"] == "holding 0x0100, text of 4 registers"
    gas = signed_rows(load_profile("stackproof/gas-meter"), {})
    assert gas["k_factor"]["source"] == "holding 0x012C, low word first, u32, 3 decimals"


def test_a_profile_holds_as_many_settings_as_an_event() -> None:
    assert profiles.SETTINGS_MAX == SETTINGS_MAX
    assert HOUR_NS == 60 * MINUTE
