"""Months of cement works and steelworks that nobody drew up, as `random_plants` makes smelters'.

Entries by one totaliser or by what came and what left, with and without flows and units, kinds by
any of their names, totalisers that are reset, what burns beside what is bought, a kiln feed.
"""

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

from evidence.points import Dtype
from tests.independent.random_plants import grouped, month, point_map, with_computed
from tests.unit.evidence import sealed_month as sm

SECOND = 10**9
CEMENT, STEEL = "cets-ag-02.01-v01-2024", "cets-ag-03.01-v01-2024"
COALS = ("anthracite", "烟煤", "coke", "diesel")
GASES = ("natural-gas", "高炉煤气", "coke-oven-gas")
Entry = dict[str, Any]


class _Works:
    """Meters as they are asked for."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.points: list[tuple[int, dict[str, Any]]] = []

    def _add(self, quantity: dict[str, str], dtypes: Sequence[Dtype], **other: Any) -> str:
        name = f"m.{len(self.points)}"
        dtype, decimals = self.rng.choice(dtypes), self.rng.choice((0, 1, 3))
        if self.rng.random() < 0.1:
            other["provenance"] = self.rng.choice(("typed", "file"))
        point = point_map(name, "", "", dtype, decimals, quantity=quantity, **other)
        # the first of all on schedule 0, where computed points are
        self.points.append((self.rng.choice((0, 1)) if self.points else 0, point))
        return name

    def total(self, *, gas: bool = False) -> str:
        """A totaliser."""
        unit = self.rng.choice(("Nm3", "10^4 Nm3") if gas else ("t", "kg"))
        quantity = {"kind": "gas-volume" if gas else "mass", "unit": unit}
        if gas:
            quantity |= {"reference": "0C-101.325kPa", "moisture": "dry"}
        dtypes = (Dtype.U32, Dtype.F64)
        return self._add(quantity, dtypes, role="totaliser")

    def flow(self, *, gas: bool = False) -> str:
        """A flow."""
        if gas:
            quantity = {"kind": "gas-flow", "unit": "Nm3/h", "reference": "0C-101.325kPa",
                        "moisture": "dry"}  # fmt: skip
        else:
            quantity = {"kind": "mass-flow", "unit": self.rng.choice(("t/h", "kg/h"))}
        scaling = {"scaling": {"scale": "0.5", "offset": "-3"}} if self.rng.random() < 0.3 else {}
        return self._add(quantity, (Dtype.F32, Dtype.I16), **scaling)

    def entry(self, words: Entry, *, gas: bool = False, parts: bool = False) -> Entry:
        """An entry of one totaliser, or (with `parts`) seldom of what came and left."""
        rng, entry = self.rng, {**words, "rule": "totaliser"}
        keys = [("point", "flow_point")]
        if parts and rng.random() < 0.4:
            both = [("purchased", "purchased_flow"), ("output", "output_flow")]
            keys = rng.choice((both, both, both[:1], both[1:]))
        for key, flow in keys:
            entry[key] = self.total(gas=gas)
            if rng.random() < 0.85:
                entry[flow] = self.flow(gas=gas)
        if rng.random() < 0.3:
            entry["unit"] = rng.choice(("bf-1", "kiln-1"))
        return entry

    def fuel(self) -> Entry:
        """A fuel."""
        gas = self.rng.random() < 0.4
        words = {"kind": self.rng.choice(GASES if gas else COALS)}
        if self.rng.random() < 0.4:
            words["use"] = self.rng.choice(("kiln", "power-boiler", "industrial-boiler", "other"))
        return self.entry(words, gas=gas, parts=True)

    def beside(self, statement: dict[str, Any]) -> list[Entry]:
        """What makes no figure: a second meter of a totaliser, stacks, heat that was used."""
        rng, found, by = self.rng, list[Entry](), {name: one for _, one in self.points
                                                   for name in [one["id"]]}  # fmt: skip
        entries = [one for key in ("fuels", "process", "products", "clinker", "substitutes")
                   for one in statement.get(key, ())]  # fmt: skip
        totals = [one[key] for one in [*entries, *([statement["output"]] if "output" in statement
                                                   else [])]
                  for key in ("point", "purchased", "output") if key in one]  # fmt: skip
        for of in totals if rng.random() < 0.5 else []:
            gas = by[of]["quantity"]["kind"] == "gas-volume"
            found.append({"check": "second-meter", "of": of, "point": self.total(gas=gas)})
        for _ in range(rng.choice((0, 0, 1, 2))):
            found.append({"check": "stack-co2", "point": self.total()})
        for _ in range(rng.choice((0, 0, 1, 2))):
            unit = rng.choice(("Wh", "kWh", "MWh"))
            name = self._add({"kind": "energy", "unit": unit}, (Dtype.U32,), role="totaliser")
            found.append({"check": "heat-used", "point": name})
        for one in found:
            one["rule"] = "totaliser"
            if one["check"] != "second-meter" and rng.random() < 0.3:
                one["unit"] = rng.choice(("bf-1", "kiln-1"))
        return found

    def some(self, make: Callable[[], Entry]) -> list[Entry]:
        """None to two of them."""
        return [make() for _ in range(self.rng.choice((0, 1, 1, 2)))]


def _cement(works: _Works) -> dict[str, Any]:
    rng = works.rng
    statement: dict[str, Any] = {"fuels": works.some(works.fuel)}
    kinds = ("portland", "白水泥熟料", "aluminate")
    if rng.random() < 0.4:
        statement["clinker"] = [works.entry({"kind": rng.choice(kinds)})]
    slags = ("carbide-slag", "钢渣", "red-mud")
    statement["substitutes"] = works.some(
        lambda: works.entry({"kind": rng.choice(slags)}, parts=True)
    )
    if rng.random() < 0.7:
        statement["kiln_feed"] = {
            "kind": rng.choice(kinds), "flow_point": works.flow(), "source": "typed in a test",
            "meal_per_clinker": rng.choice(("1.55", "31/20", "1.6e0")),
        }  # fmt: skip
    return statement


def _steel(works: _Works) -> dict[str, Any]:
    rng = works.rng
    materials, products = ("electrode", "石墨电极", "scrap"), ("粗钢", "tar", "pig-iron")
    statement: dict[str, Any] = {
        "fuels": works.some(works.fuel),
        "process": works.some(lambda: works.entry({"material": rng.choice(materials)}, parts=True)),
        "products": works.some(lambda: works.entry({"product": rng.choice(products)})),
        "burnt": works.some(
            lambda: {"kind": rng.choice(GASES), "flow_point": works.flow(gas=True)}
        ),
    }
    return statement


def works(rng: random.Random) -> dict[str, Any]:
    """A configuration."""
    config: dict[str, Any] = copy.deepcopy(sm.configuration())
    made, rules = _Works(rng), rng.choice((CEMENT, STEEL))
    statement = (_cement if rules == CEMENT else _steel)(made)
    counted = [*statement.get("clinker", ()), *statement.get("products", ())]
    if rng.random() < 0.6:
        point = counted[0]["point"] if counted and rng.random() < 0.5 else made.total()
        statement["output"] = {"point": point, "rule": "totaliser"}
    if rng.random() < 0.5:
        energy = {"kind": "energy", "unit": "kWh"}
        name = made._add(energy, (Dtype.U32,), role="totaliser")
        statement["auxiliary"] = [{"kind": "electricity", "point": name, "rule": "totaliser"}]
    if beside := made.beside(statement):
        statement["beside"] = beside
    # whatever the statement has, there is something to read on each schedule
    for schedule in (0, 1):
        made.points.append((schedule, point_map(f"x.{schedule}", "power", "kW", Dtype.F32, 1)))
    config["plant"] |= {"rule_set": rules, "simulated": rng.random() < 0.5}
    config["schedules"] = [{"interval_ns": SECOND}, {"interval_ns": rng.choice((4, 5)) * SECOND}]
    config["points"] = [point for _, point in made.points]
    config["groups"] = grouped(made.points)
    config["potlines"], config["statement"] = [], statement
    return with_computed(config)


def changed(config: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Another configuration: of a scaling, a unit, a software, without its last fuel."""
    made = copy.deepcopy(config)
    measured = [point for point in made["points"] if point["provenance"] != "computed"]
    what = rng.choice(("software", "scaling", "unit", "slow"))
    if what == "scaling":
        rng.choice(measured)["scaling"] = {"scale": str(rng.randint(2, 9))}
    elif what == "slow":
        made["schedules"][1]["interval_ns"] = rng.choice((4, 5, 10)) * SECOND
    elif what == "unit" and made["statement"]["fuels"]:
        rng.choice(made["statement"]["fuels"])["unit"] = "coke-1"
    else:
        made["software"] += "0"
    return made


def works_month(seed: int) -> bytes:
    """A sealed month."""
    return month(seed, make=works, change=changed)
