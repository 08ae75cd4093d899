"""What changed in a configuration: by names, exact; verify says who, when, old and new."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.config_changes import NOTHING, ConfigChange, config_changes
from evidence.findings import Finding
from evidence.keys import key_sha256
from tests.attacks.by_time import reconfigured
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import configuration


def changes(old: Any, new: Any) -> list[tuple[str, str, str]]:
    return [(c.path, c.old, c.new) for c in config_changes(old, new)]


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """The small plant's configuration with one value set, or removed (None)."""
    config = configuration()
    place: Any = config
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["software"], "stackproof 1", ("software", '"stackproof 0"', '"stackproof 1"')),
        (["points", 8, "scaling"], {"scale": "0.5"},
         ("points[gas.flow].scaling", NOTHING, '{"scale": "0.5"}')),
        (["points", 0, "decimals"], 4, ("points[pot-01.voltage].decimals", "3", "4")),
        (["points", 2, "states"], [[0, "off"], [1, "producing"]],
         ("points[pot-01.state].states[0]", '[0, "unknown"]', '[0, "off"]')),
        (["schedules", 1, "interval_ns"], 5, ("schedules[1].interval_ns", "10000000000", "5")),
        (["devices", 0, "settings"], {"unit": "3"},
         ("devices[pots].settings.unit", NOTHING, '"3"')),
        (["collector", "key_sha256"], b"\x01\x02", ("collector.key_sha256", "…", '"0102"')),
        (["statement", "fuels"], [], ("statement.fuels[natural-gas]", "…", NOTHING)),
        (["potlines", 0, "technology"], None,
         ("potlines[line-1].technology", '"PFPB-M"', NOTHING)),
        (["plant", "simulated"], 1, ("plant.simulated", "true", "1")),
    ],
)  # fmt: skip
def test_one_change_is_one_line(path: list[Any], value: Any, told: tuple[str, str, str]) -> None:
    (found,) = changes(configuration(), changed(path, value))
    wanted = tuple(f if w == "…" else w for w, f in zip(told, found, strict=True))
    assert found == wanted


def test_a_point_more_is_one_line_though_every_place_after_it_moves() -> None:
    """Groups hold places in the list of points; a point put before them all moves each place."""
    old, new = configuration(), configuration()
    extra = copy.deepcopy(old["points"][0]) | {"id": "aa.new"}
    new["points"].insert(0, extra)
    for group in new["groups"]:
        group["points"] = [place + 1 for place in group["points"]]
    (found,) = changes(old, new)
    assert (found[0], found[1]) == ("points[aa.new]", NOTHING)


def test_a_point_in_another_group_is_told_by_name() -> None:
    old, new = configuration(), configuration()
    new["groups"][0]["points"] = [3, 2]
    (found,) = changes(old, new)
    assert found[1:] == ('["pot-01.state", "pot-02.state"]', '["pot-02.state", "pot-01.state"]')
    assert found[0].startswith("groups[")


_LEAF = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2) | st.binary(
    max_size=2
)  # fmt: skip
_VALUE = st.recursive(
    _LEAF,
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "kind", "points", "groups", "x"]), v, max_size=3)
    ),
    max_leaves=12,
)
_MAP = st.dictionaries(st.sampled_from(["points", "groups", "devices", "x"]), _VALUE, max_size=4)


@given(_MAP)
def test_nothing_changed_is_nothing_told(config: dict[str, Any]) -> None:
    assert changes(config, copy.deepcopy(config)) == []


@given(_MAP, _MAP)
def test_backwards_is_the_same_with_old_and_new_exchanged(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    there, back = list(config_changes(one, other)), list(config_changes(other, one))
    assert sorted(map(vars_of, there)) == sorted((c.path, c.new, c.old) for c in back)


def vars_of(change: ConfigChange) -> tuple[str, str, str]:
    return change.path, change.old, change.new


# -- told by verify ---------------------------------------------------------------------------


def told(archive: bytes) -> list[Finding]:
    return [f for f in sm.check(archive).findings if f.code == "N-CONFIG"]


def test_a_changed_scale_factor_is_told_with_who_when_old_and_new() -> None:
    """The configuration object is signed at second 30 and received at index 4, second 40."""

    def change(config: dict[str, Any]) -> None:
        config["points"][8]["scaling"] = {"scale": "0.5"}

    (finding,) = told(reconfigured(change)())
    key = key_sha256(sm.keys().gateway.public_key).hex()[:16]
    assert finding.where == "edge-1 seq 3"
    assert finding.sentence == (
        'points[gas.flow].scaling: nothing became {"scale": "0.5"}; signed by key '
        f"{key} of gateway edge-1 2026-06-15T05:00:10Z, received 2026-06-15T05:00:20Z."
    )


def test_a_configuration_signed_again_without_change_tells_nothing() -> None:
    assert told(reconfigured(lambda _: None)()) == []


@pytest.mark.parametrize(
    ("path", "is_idle"),
    [
        ("software", True), ("devices[meters].settings.note", True), ("plant.name", True),
        ("devices[meters].settings", True), ("devices[meters].url", False),
        ("points[gas.volume].scaling.scale", False), ("plant.time_zone", False),
        ("devices[a].settings].url", False), ("devices[x[].settings.y].url", False),
        ("points[devices[a].settings.x].unit", False), ("collector.key_sha256", False),
    ],
)  # fmt: skip
def test_idle_is_only_what_no_figure_can_depend_on(path: str, is_idle: bool) -> None:
    assert ConfigChange(path, (1, 2)).is_idle is is_idle


def test_idle_settings_hide_no_scale() -> None:
    def change(config: dict[str, Any]) -> None:
        notes = {f"note-{i:03}": "b" for i in range(120)}
        config["devices"][0]["settings"] = notes
        config["points"][8]["scaling"] = {"scale": "0.5"}

    report = sm.check(reconfigured(change)())
    told = [f.sentence for f in report.weighed() if f.code == "N-CONFIG"]
    assert told[0].startswith("points[gas.flow].scaling: nothing became ")
    assert len(told) == 121
