"""What the configuration of a kiln and a steelworks may say: both verifiers hold each rule."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence import cbor
from evidence.blocks import compress
from tests.independent.random_plants import with_computed
from tests.independent.test_configurations import code, said_here, said_there
from tests.unit.edge.calc.small_works import kiln, steelworks
from tests.unit.evidence.small_plant import configuration

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]

Change = Callable[[Any], Any]
METAL = {"point": "clinker.total", "rule": "totaliser"}


def signed(works: dict[str, Any]) -> dict[str, Any]:
    """A works' configuration with all that is signed."""
    config: dict[str, Any] = copy.deepcopy(configuration())
    plant = config["plant"] | works["plant"]
    return with_computed({**config, **works, "plant": plant, "devices": []})


def told(**other: str) -> dict[str, str]:
    """A fuel by documents."""
    return {"kind": "bituminous", "rule": "records", "source": "coal-1", **other}


def many(config: Any, count: int) -> None:
    """So many fuels by documents, each of its own."""
    config["statement"]["fuels"] = [told(source=f"coal-{i}") for i in range(count)]
    recomputed(config)


def recomputed(config: Any) -> None:
    """With the points that are calculated from it now."""
    config["groups"].pop()
    measured = sum(len(group["points"]) for group in config["groups"])
    config["points"] = config["points"][:measured]
    with_computed(config)


def _fuel(config: Any, index: int = 0) -> Any:
    return config["statement"]["fuels"][index]


def _point(config: Any, point_id: str) -> Any:
    return next(point for point in config["points"] if point["id"] == point_id)


DRY = {"kind": "solid-fuel-mass", "unit": "t", "fuel_basis": "d"}
RECEIVED = DRY | {"fuel_basis": "ar"}
BROKEN_KILN: dict[str, Change] = {
    "metal in a kiln": lambda c: c["statement"].update(metal=METAL),
    "products of a kiln, none": lambda c: c["statement"].update(products=[]),
    "a potline of a kiln": lambda c: c.update(potlines=configuration()["potlines"]),
    "a use that is none": lambda c: _fuel(c).update(use="car"),
    "a unit of two words": lambda c: _fuel(c).update(unit="kiln 1"),
    "a unit of 41 letters": lambda c: _fuel(c).update(unit="k" * 41),
    "coal weighed dry": lambda c: _point(c, "coal.total").update(quantity=DRY),
    "a slag that is none": lambda c: c["statement"]["substitutes"][0].update(kind="peat"),
    "a fuel for a slag": lambda c: c["statement"]["substitutes"][0].update(kind="coke"),
    "a ratio of 0": lambda c: c["statement"]["kiln_feed"].update(meal_per_clinker="0"),
    "a ratio that is none": lambda c: c["statement"]["kiln_feed"].update(meal_per_clinker="high"),
    "a feed that is a mass": lambda c: c["statement"]["kiln_feed"].update(flow_point="coal.total"),
    "a feed of nothing": lambda c: c["statement"]["kiln_feed"].update(flow_point="nothing"),
    "two lines of one paper": lambda c: c["statement"].update(fuels=[told(), told()]),
    "a hundred and one sources": lambda c: many(c, 101),
    "told, and metered": lambda c: c["statement"].update(fuels=[told(point="coal.total")]),
    "told by a flow": lambda c: c["statement"].update(fuels=[told(flow_point="coal.flow")]),
    "told by nobody": lambda c: c["statement"].update(
        clinker=[{"kind": "portland", "rule": "records"}]
    ),
    "told of something unspeakable": lambda c: c["statement"].update(fuels=[told(source="a b")]),
    "a source that is no text": lambda c: _fuel(c).update(source=1),
    "a source that is too long": lambda c: _fuel(c).update(source="s" * 81),
    "a metal by papers": lambda c: c["statement"].update(output={"rule": "records", "source": "x"}),
    "an output that is a flow": lambda c: c["statement"].update(
        output={"point": "clinker.flow", "rule": "totaliser"}
    ),
}
GOOD_KILN: dict[str, Change] = {
    "the kiln": lambda _: None,
    "coal as received": lambda c: _point(c, "coal.total").update(quantity=RECEIVED),
    "another use": lambda c: _fuel(c).update(use="other"),
    "a unit of 40 letters": lambda c: _fuel(c).update(unit="k" * 40),
    "an output": lambda c: c["statement"].update(output=METAL),
    "fuel and clinker told": lambda c: c["statement"].update(
        fuels=[told(unit="kiln-1"), _fuel(c)],
        clinker=[{"kind": "portland", "rule": "records", "source": "C.1_a-b"}],
    ) or recomputed(c),
    "a hundred sources": lambda c: many(c, 100),
    "one source of two meters": lambda c: [
        entry.update(source="coal") for entry in c["statement"]["fuels"]
    ],
    "the ratio as a quotient": lambda c: c["statement"]["kiln_feed"].update(
        meal_per_clinker="31/20"
    ),
    "no list at all": lambda c: c["statement"].update(clinker=[]),
}  # fmt: skip
BROKEN_STEELWORKS: dict[str, Change] = {
    "clinker in a steelworks": lambda c: c["statement"].update(clinker=[]),
    "whole and in parts": lambda c: _fuel(c).update(point="coke.sold"),
    "no totaliser at all": lambda c: _fuel(c).pop("purchased"),
    "a flow beside nothing": lambda c: _fuel(c).update(output_flow="bfg.flow"),
    "a plain flow beside parts": lambda c: _fuel(c).update(flow_point="bfg.flow"),
    "a flow that counts up": lambda c: _fuel(c).update(purchased="coal.flow"),
    "one meter bought and sold": lambda c: _fuel(c).update(output="coke.sold"),
    "one flow beside two": lambda c: _fuel(c).update(purchased_flow="coke.flow"),
    "steel in parts": lambda c: c["statement"]["products"].append(
        {"product": "tar", "rule": "totaliser", "output": "coal.bought"}
    ),
    "steel with a use": lambda c: c["statement"]["products"][0].update(use="kiln"),
    "one flow burnt twice": lambda c: c["statement"]["burnt"][1].update(flow_point="bfg.flow"),
    "tonnes of gas burnt": lambda c: c["statement"]["burnt"][0].update(flow_point="coal.flow"),
    "a rule that is none": lambda c: _fuel(c).update(rule="mean"),
}
GOOD_STEELWORKS: dict[str, Change] = {
    "the steelworks": lambda _: None,
    "by another name": lambda c: c["statement"]["process"][0].update(material="石墨电极"),
    "no output": lambda c: c["statement"].pop("output"),
    "a unit of a product": lambda c: c["statement"]["products"][0].update(unit="bof-1"),
}


def _payloads(base: dict[str, Any], changes: dict[str, Change]) -> dict[str, bytes]:
    made = {}
    for name, change in changes.items():
        config = copy.deepcopy(base)
        change(config)
        made[name] = compress(cbor.encode(config))
    return made


def test_each_rule_is_held_by_both(tmp_path: Path) -> None:
    payloads = _payloads(signed(kiln()), BROKEN_KILN | GOOD_KILN)
    payloads |= _payloads(signed(steelworks()), BROKEN_STEELWORKS | GOOD_STEELWORKS)
    wanted = dict.fromkeys(BROKEN_KILN | BROKEN_STEELWORKS, "E-CFG")
    wanted |= dict.fromkeys(GOOD_KILN | GOOD_STEELWORKS)
    there = said_there(payloads.values(), tmp_path)
    assert {name: said_here(payload) for name, payload in payloads.items()} == wanted
    assert dict(zip(payloads, map(code, there), strict=True)) == wanted


def test_a_gas_that_is_bought_and_burnt_is_one_flow_in_both_views(tmp_path: Path) -> None:
    works = steelworks()
    works["statement"]["fuels"].append({
        "kind": "diesel", "rule": "totaliser", "point": "rods.total", "flow_point": "rods.flow",
    })  # fmt: skip
    works["statement"]["process"] = []
    works["statement"]["burnt"].append({"kind": "diesel", "flow_point": "rods.flow"})
    payload = compress(cbor.encode(signed(works)))
    assert (said_here(payload), said_there([payload], tmp_path)) == (None, [None])
