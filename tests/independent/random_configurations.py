"""A configuration, of the small plant or of random works, with a thing or two changed in it."""

import copy
import random
from collections.abc import Iterator
from typing import Any

from evidence.points import Dtype
from tests.independent.random_bridges import configuration as bridged
from tests.independent.random_papers import with_sources
from tests.independent.random_works import works
from tests.unit.evidence.small_plant import configuration

NUMBER_TYPES = {dtype.value for dtype in Dtype}

NUMBERS = (
    "0", "1", "-1", "+5", "50", "100", "100.0001", "4.2", "8.0001", "7", "1e5", "5E-1", "1/3",
    "800/5", "1/0", "-1/-2", "1/2/3", "1e10", "1_000", " 1", "1.", ".5", "", "NaN", "1\n", "\u0663",
    "9" * 40, "9" * 41, "0.0000000001", "1.5", "1.499999999", "1.4999999999", "2.5",
)  # fmt: skip
WORDS = (
    "x", "nothing", "typed", "computed", "file", "positive", "gauge", "totaliser", "state", "mean",
    "voltage", "mass", "gas-flow", "V", "mV", "A", "kA", "kg", "t", "t/h", "kg/h", "Nm3", "Nm3/h",
    "m3", "10^4 Nm3", "10^4_Nm3", "Wh", "MWh", "W", "MW", "1", "wet", "dry", "actual",
    "20C-101.325kPa", "diesel", "天然气", "汽油", "natural-gas", "__proto__", "constructor",
    "pot-01.voltage", "pot-02.state", "gas.volume", "gas.flow", "ac.power", "line.metal",
    "line-1.producing", "plant.energy_day_kwh", "Upper", "a" * 65, "gwp", "physics", "ipcc-2006",
    "ipcc-2050", "cets-04.01", "cets-ag-04.01-v01-2024", "PFPB-L", "CWPB", "VSS", "ar6", "sar",
    "Asia/Tokyo", "Asia/Nowhere", "asia/tokyo", "localtime", "Factory", "PRC", "posix/UTC",
    "producing", "electricity", "cets-ag-02.01-v01-2024", "cets-ag-03.01-v01-2024", "portland",
    "carbide-slag", "石墨电极", "scrap", "crude-steel", "kiln", "other", "bf-1", "Bf-1", "m.0",
    "m.1", "m.2", "x.0", "algebraic", "records", "coal-1", "S" * 80, "S" * 81, "-s",
)  # fmt: skip
WHOLE = (0, 1, 2, 3, 6, 9, 10, 64, 69, 79, 85, 86, 200, 10**9, 3 * 10**9, 2**63 - 1, 2**63, -1)
OTHER = (None, True, False, b"", [], {}, [1], {"x": "1"}, "")
SCALING = ("raw_decimals", "scale", "offset", "ct_ratio", "vt_ratio", "pulse_weight")
MORE = (
    "flow_point", "power_point", "range_min", "range_max", "reference", "moisture", "heating",
    "fuel_basis", "device", "states", "rules", "marks", "speaks_of", "jump", "stuck_tolerance",
    "purchased", "purchased_flow", "output", "output_flow", "point", "use", "unit", "burnt",
    "metal", "source", "about", "bridge",
)  # fmt: skip
#: limits and marks that are sound where they stand
RULED = (
    ("gas.flow", {"rules": {"jump": "3", "stuck_after_s": "60", "stuck_tolerance": "0"}}),
    ("ac.power", {"rules": {"rate_per_s": "0.5", "stale_after_s": "90"}}),
    ("line.metal", {"rules": {"rate_per_s": "1"}}),
    ("pot-01.state", {"marks": [[0, 134], [9, 140]], "speaks_of": ["pot-01.voltage"]}),
    ("pot-02.state", {"marks": [[0, 139]], "speaks_of": ["line.current", "pot-02.voltage"]}),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(map or list, key) of everything in it."""
    for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(part, dict | list):
            yield from places(part)


def _other(old: Any, rng: random.Random) -> Any:
    if rng.random() < 0.05:
        return copy.deepcopy(rng.choice(OTHER))
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return rng.choice((*WHOLE, old + 1, old - 1))
    if isinstance(old, str):
        is_number = old[:1].isdigit() and rng.random() < 0.9
        return rng.choice(NUMBERS if is_number else WORDS)
    return copy.deepcopy(rng.choice(OTHER)) if rng.random() < 0.2 else old


def _change(config: Any, rng: random.Random) -> None:
    every = list(places(config))
    at, key = rng.choice(every)
    how = rng.random()
    if how < 0.55:
        at[key] = _other(at[key], rng)
    elif how < 0.65:
        del at[key]
    elif how < 0.75 and isinstance(at, list):
        at.insert(rng.randint(0, len(at)), copy.deepcopy(rng.choice(at)))
    elif how < 0.85:  # what stands under the same name elsewhere
        other = [m[k] for m, k in every if k == key and isinstance(key, str)]
        at[key] = copy.deepcopy(rng.choice(other)) if other else at[key]
    elif how < 0.95:
        point = rng.choice(config["points"]) if config.get("points") else {}
        if isinstance(point, dict):
            value = rng.choice(NUMBERS) if rng.random() < 0.8 else rng.choice((0, 3, 9, 10))
            point["scaling"] = {rng.choice(SCALING): value}
    elif isinstance(at, dict):
        at[rng.choice(MORE)] = rng.choice((*NUMBERS, *WORDS))


def ruled() -> dict[str, Any]:
    """The configuration with limits and marks of every kind."""
    config: dict[str, Any] = copy.deepcopy(configuration())
    for name, fields in RULED:
        next(p for p in config["points"] if p["id"] == name).update(copy.deepcopy(fields))
    return config


def mutated(seed: int) -> dict[str, Any]:
    """The configuration with one thing changed (even seeds) or several.

    Of one that is newer and wrong at once either may be told; so no number type is newer in those.
    """
    rng = random.Random(seed)
    bases = (
        ruled, lambda: copy.deepcopy(configuration()), lambda: works(rng),
        lambda: with_sources(works(rng), rng),
        lambda: bridged(rng.choice(("fuels", "clinker", "products"))),
    )  # fmt: skip
    config: dict[str, Any] = bases[seed % 5]()
    if seed % 2 == 0:
        _change(config, rng)
        return config
    for _ in range(rng.choice((2, 3))):
        made = copy.deepcopy(config)
        _change(made, rng)
        config = config if _is_newer(made) else made
    return config


def _is_newer(config: dict[str, Any]) -> bool:
    numbers = [at[key] for at, key in places(config) if key == "dtype"]
    return any(type(n) is int and n not in NUMBER_TYPES for n in numbers)
