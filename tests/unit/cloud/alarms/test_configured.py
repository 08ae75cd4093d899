"""A changed setting is told with what there was and what there is, for three days."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cloud.alarms.conditions import signals
from cloud.alarms.configured import ConfigWatch
from cloud.alarms.facts import PlantFacts
from cloud.alarms.rules import default_rules
from cloud.alarms.texts import _shown, told
from evidence import cbor
from evidence.blocks import compress
from evidence.frame import TYP_CONFIG
from evidence.log import Kind, decode_entry
from tests.unit.cloud.month_examples import Desk
from tests.unit.evidence import sealed_month as sm

THREE_DAYS_NS = 3 * 86_400 * sm.SECOND


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = Desk(tmp_path / "evidence")
    yield made.deliver()
    made.shut()


def sign(desk: Desk, change: Mapping[str, Any], *, point: str = "gas.volume") -> int:
    """A configuration with another form of a point; when it was received."""
    config = sm.configuration()
    points = [{**one, **change} if one["id"] == point else one for one in config["points"]]
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode({**config, "points": points})))
    ((_, entry),) = desk.reader.entries(desk.reader.size - 1)
    return decode_entry(entry).received_ns


def test_a_scale_of_ten_times_is_told_by_its_numbers(desk: Desk) -> None:
    at_ns = sign(desk, {"scaling": {"scale": "10"}})
    (one,) = ConfigWatch(desk.evidence).changes(sm.PLANT, at_ns - THREE_DAYS_NS)
    assert (one.gateway, one.at_ns, one.count) == (sm.STREAM, at_ns, 1)
    assert one.named == ('points[gas.volume].scaling: nothing → {"scale": "10"}',)
    snapshot = {"gateways": [], "points": {}, "alarms": [], "potlines": []}
    facts = PlantFacts(sm.PLANT, at_ns, snapshot, configured=[one])
    (signal,) = signals(facts, default_rules())
    values = _shown(signal.values, "zh", "Asia/Shanghai")
    assert '{"scale": "10"}' in told("zh", "alarms.say.config-changed", **values)


def test_it_is_over_after_three_days_and_the_first_configuration_is_no_change(desk: Desk) -> None:
    watch = ConfigWatch(desk.evidence)
    assert watch.changes(sm.PLANT, 0) == []
    at_ns = sign(desk, {"scaling": {"scale": "10"}})
    assert len(watch.changes(sm.PLANT, at_ns)) == 1
    assert watch.changes(sm.PLANT, at_ns + 1) == []


def test_a_change_back_is_told_too(desk: Desk) -> None:
    """What was read in between was read by the other scale."""
    sign(desk, {"scaling": {"scale": "10"}})
    sign(desk, {})
    (one,) = ConfigWatch(desk.evidence).changes(sm.PLANT, 0)
    assert (one.count, len(one.configs)) == (2, 2)


def test_what_no_figure_depends_on_is_no_alarm(desk: Desk) -> None:
    config = sm.configuration()
    named = {**config, "plant": {**config["plant"], "name": "Another name"}}
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(named)))
    assert ConfigWatch(desk.evidence).changes(sm.PLANT, 0) == []
