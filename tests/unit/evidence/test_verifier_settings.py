"""What meters said of themselves, as the verifier judges it, and the forms it refuses."""

from typing import Any

import pytest

from evidence.configuration import check_configuration
from evidence.errors import MalformedError
from evidence.findings import Verdict
from evidence.meter_settings import check_event
from evidence.phrases import translated
from evidence.verifier.meter_settings import SettingsCheck
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import settings_months
from tests.unit.evidence.settings_months import LATER, config, month, says

OURS = ("E-METER-SETTING", "N-METER-SETTING", "W-METER-UNREAD", "E-GROUPS")


@pytest.mark.parametrize("name", settings_months.CASES)
def test_what_is_said_of_settings(name: str) -> None:
    make, wanted = settings_months.CASES[name]
    report = sm.check(make())
    found = [(f.code, f.where) for f in report.findings if f.code in OURS]
    assert sorted(found) == sorted(wanted)
    fails = any(code.startswith("E-") for code, _ in wanted)
    assert report.verdict is (Verdict.FAILED if fails else Verdict.PASSED), report.findings


def sentence(archive: bytes, code: str) -> str:
    (found,) = [f for f in sm.check(archive).findings if f.code == code]
    return found.sentence


def test_a_change_names_device_setting_values_and_first_sight() -> None:
    told = {0: [says(1, "400")], 1: [says(12, "800")]}
    assert sentence(month(config(), told), "E-METER-SETTING") == (
        "meters ct_primary reads '800' A; before it was '400' A (read first "
        "2026-06-15T04:59:52Z), and no later configuration here explains it."
    )
    explained = sentence(month(config(), told, config(*LATER)), "N-METER-SETTING")
    assert explained.startswith("meters ct_primary: '400' → '800' A. Configuration ")
    assert explained.endswith("explains it: transformers replaced, work order 4711")


def test_a_change_to_what_is_stated_gives_the_reason() -> None:
    archive = month(config(), {0: [says(1, "400")], 3: [says(40, "800")]}, config(*LATER))
    assert sentence(archive, "N-METER-SETTING") == (
        "meters ct_primary: '400' → '800' A, as the configuration states: transformers replaced, "
        "work order 4711"
    )


def test_it_is_told_in_chinese() -> None:
    english = sentence(month(config(), {0: [says(1, "400"), says(2, "800")]}), "E-METER-SETTING")
    assert translated("sentence", english, "zh") == (
        "设备 meters 的仪表参数 ct_primary 读得 '800' A，此前为 '400' A（首次读得于 "
        "2026-06-15T04:59:42Z），其后的配置均未说明原因。"
    )


def test_what_differs_from_what_is_stated_says_so() -> None:
    stated = config(("400", "type plate"))
    assert "the configuration states '400' A" in sentence(
        month(stated, {0: [says(1, "800")]}), "E-METER-SETTING"
    )


def test_an_explanation_is_among_the_changes_of_the_configuration() -> None:
    told = {0: [says(1, "400")], 1: [says(12, "800")]}
    report = sm.check(month(config(), told, config(*LATER)))
    (change,) = [f for f in report.findings if f.code == "N-CONFIG"]
    assert change.sentence.startswith(
        'devices[meters].meter.ct_primary.stated was added: [["800", "transformers replaced'
    )


def test_where_nothing_is_stated_the_month_before_was_not_looked_at() -> None:
    report = sm.check(month(config(("400", "type plate")), {0: [says(1, "400")]}))
    (line,) = [line for line in report.not_checked if line.startswith("Settings")]
    assert "of 1 nothing is stated" in line
    stated = config(("400", "type plate"), resets=[("0", "new meter")])
    report = sm.check(month(stated, {0: [says(1, "400")]}))
    assert not [line for line in report.not_checked if line.startswith("Settings")]


def test_departures_beyond_a_bound_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hostile stream keeps waiting in memory is bounded."""
    monkeypatch.setattr("evidence.verifier.meter_settings.OPEN_MAX", 1)
    for second, third, failed, explained in (("800", "600", 1, 1), ("600", "800", 2, 0)):
        told = {0: [says(1, "400"), says(2, second), says(3, third)]}
        found = [f.code for f in sm.check(month(config(), told, config(*LATER))).findings]
        assert found.count("E-METER-SETTING") == failed
        assert found.count("N-METER-SETTING") == explained
    assert SettingsCheck.__module__ == "evidence.verifier.meter_settings"


# -- forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"more": 1}, {"device": 7}, {"read": ["400"]}, {"read": {1: "400"}}, {"read": {"a": 400}},
        {"read": {"a": "4" * 129}}, {"unread": {"b": 127}}, {"unread": {"b": 256}},
        {"unread": {"b": True}}, {"unread": {"b": "130"}},
        {"read": {"b": "1"}, "unread": {"b": 128}},
        {"read": {}, "unread": {}}, {"read": {f"s{i}": "" for i in range(65)}},
    ],
)  # fmt: skip
def test_an_event_that_is_none(wrong: dict[str, Any]) -> None:
    check_event(says(1, "400"))
    with pytest.raises(MalformedError):
        check_event(says(1, "400") | wrong)


def test_the_longest_event_passes() -> None:
    check_event(says(1, "400") | {"read": {f"s{i}": "名" * 128 for i in range(64)}})


def test_the_shortest_event_passes() -> None:
    check_event(says(1, "400") | {"read": {"a": ""}, "unread": {}})
    check_event(says(1, "400") | {"read": {}, "unread": {"a": 255}})


@pytest.mark.parametrize(
    "rows",
    [
        {"a": {"means": "", "source": ""}},
        {f"s{i}": settings_months.RATIO for i in range(64)},
        {"a": settings_months.RATIO | {"source": "x" * 1000}},
        {"a": settings_months.RATIO | {"stated": [["", "x"]]}},
        {"a": settings_months.RATIO | {"stated": [["4" * 128, "x" * 200]] * 64}},
    ],
)
def test_rows_at_their_bounds_pass(rows: Any) -> None:
    made = config()
    made["devices"][1]["meter"] = rows
    check_configuration(made)


def test_an_event_without_a_field_is_none() -> None:
    for key in ("device", "read", "unread"):
        event = says(1, "400")
        del event[key]
        with pytest.raises(MalformedError):
            check_event(event)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        [],
        {1: settings_months.RATIO},
        {"a": []},
        {"a": {"means": "serial"}},
        {"a": settings_months.RATIO | {"zzz": "1"}},
        {"a": settings_months.RATIO | {"unit": 1}},
        {"a": settings_months.RATIO | {"source": "x" * 1001}},
        {"a": settings_months.RATIO | {"stated": []}},
        {"a": settings_months.RATIO | {"stated": [["400"]]}},
        {"a": settings_months.RATIO | {"stated": [["400", "as built"], ["800"]]}},
        {"a": settings_months.RATIO | {"stated": [["400", ""]]}},
        {"a": settings_months.RATIO | {"stated": [["400", "x" * 201]]}},
        {"a": settings_months.RATIO | {"stated": [["4" * 129, "x"]]}},
        {"a": settings_months.RATIO | {"stated": [[400, "x"]]}},
        {"a": settings_months.RATIO | {"stated": [["1", "x"]] * 65}},
        {f"s{i}": settings_months.RATIO for i in range(65)},
    ],
)
def test_rows_that_are_none(rows: Any) -> None:
    made = config(("", "blank until it was set"))
    check_configuration(made)
    made["devices"][1]["meter"] = rows
    with pytest.raises(MalformedError):
        check_configuration(made)
