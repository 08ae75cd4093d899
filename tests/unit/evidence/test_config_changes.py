"""What changed in a configuration: by names, exact; verify says who, when, old and new."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.config_changes import NOTHING, ConfigChange, config_changes
from evidence.findings import IDLE, Finding
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
        'points[gas.flow].scaling was added: {"scale": "0.5"}; signed by key '
        f"{key} of gateway edge-1 2026-06-15T05:00:10Z, received 2026-06-15T05:00:20Z."
    )


def test_a_configuration_signed_again_without_change_tells_nothing() -> None:
    assert told(reconfigured(lambda _: None)()) == []


def _state_a_ratio(config: dict[str, Any]) -> None:
    config["devices"][1]["meter"] = {"ct": {"means": "a ratio", "source": "register 7"}}


@pytest.mark.parametrize(
    ("change", "rank"),
    [
        (lambda c: c["collector"].update(key_sha256=bytes(32)), 0),
        (lambda c: c["points"][6].update(scaling={"scale": "2"}), 0),
        (lambda c: c["points"][6].update(scaling={"offset": "1", "ct_ratio": "1"}), 0),
        (lambda c: c["points"][6].update(decimals=1), 0),
        (lambda c: c["potlines"][0].update(technology="CWPB"), 0),
        (lambda c: c["statement"]["anode"].update(gross_kg_per_t="1"), 0),
        (lambda c: c["plant"].update(rule_set="another"), 0),
        (_state_a_ratio, 0),
        (lambda c: c["plant"].update(sector="steel"), 1),
        (lambda c: c["devices"][0].update(url="b"), 1),
        (lambda c: c["points"][6].update(provenance="typed"), 1),
        (lambda c: c["schedules"][1].update(interval_ns=5), 1),
        (lambda c: c.update(software="b"), IDLE),
        (lambda c: c["gateway"].update(slice="01"), IDLE),
        (lambda c: c["plant"].update(name="b"), IDLE),
        (lambda c: c["devices"][0].update(settings={"a": "b"}), IDLE),
    ],
)
def test_what_figures_hang_on_is_told_first_and_what_they_cannot_last(
    change: Callable[[dict[str, Any]], Any], rank: int
) -> None:
    new = copy.deepcopy(sm.configuration())
    change(new)
    assert {found.rank for found in config_changes(sm.configuration(), new)} == {rank}


@pytest.mark.parametrize(
    ("name", "scaling", "rank"),
    [
        ("gas.volume", {"scale": "2"}, 0), ("spare", {"scale": "2"}, 1),
        ("gas.volume", {"scale": "1.0"}, IDLE), ("gas.volume", {"scale": "3/3"}, IDLE),
        ("gas.volume", {}, IDLE), ("gas.volume", {"scale": "1", "raw_decimals": 1}, 0),
        ("gas.volume", {"scale": "1", "offset": "0.0"}, IDLE), ("gas.volume", {"scale": "x"}, 0),
        ("gas.volume", {"scale": "1", "offset": "1"}, 0), ("gas.volume", {"scale": 1}, 0),
    ],
)  # fmt: skip
def test_a_number_in_another_spelling_is_no_other_scale(
    name: str, scaling: dict[str, Any], rank: int
) -> None:
    """Nor is the scale of a point that no figure is made of."""
    old: dict[str, Any] = {"points": [], "statement": {"fuels": [{"point": "gas.volume"}]}}
    new = {**old, "points": [{"id": name, "scaling": scaling}]}
    old["points"] = [{"id": name, "scaling": {"scale": "1"}}]
    assert [found.rank for found in config_changes(old, new)] == [rank]


@pytest.mark.parametrize("name", ["a].meter[x", "a].settings", "x[].settings.y"])
def test_a_name_that_looks_like_a_path_is_a_name(name: str) -> None:
    one, other = ({"devices": [{"id": name, "url": url}]} for url in "ab")
    (found,) = config_changes(one, other)
    assert found.rank == 1


def test_idle_settings_hide_no_scale() -> None:
    def change(config: dict[str, Any]) -> None:
        notes = {f"note-{i:03}": "b" for i in range(120)}
        config["devices"][0]["settings"] = notes
        config["points"][8]["scaling"] = {"scale": "0.5"}

    report = sm.check(reconfigured(change)())
    told = [f.sentence for f in report.weighed() if f.code == "N-CONFIG"]
    assert told[0].startswith("points[gas.flow].scaling was added: ")
    assert len(told) == 121


def test_ten_thousand_changes_hide_no_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other point and device is changed beside it, and in more configurations to come."""
    monkeypatch.setattr("evidence.findings.EACH_MAX", 8)
    monkeypatch.setattr("evidence.findings.SAME_CODE_MAX", 2)

    def change(config: dict[str, Any]) -> None:
        for point in config["points"]:
            point["provenance"] = "typed"
        config["devices"][0]["url"] = "elsewhere"
        config["points"][6]["scaling"] = {"scale": "0.5"}

    report = sm.check(reconfigured(change)())
    told = [f.sentence for f in report.weighed() if f.code == "N-CONFIG"]
    assert told[0].startswith("points[gas.volume].scaling was added: ")
    assert len(told) == 1 + 4
