"""A smelter's plan with two meters, what is signed of its site, and certificates."""

import copy
import json
from datetime import date
from fractions import Fraction
from typing import Any

from evidence.plan.certificates import Certificate

WORDS = {"zh": "测试", "en": "test"}


def parameter(**other: Any) -> dict[str, Any]:
    """A metered parameter; a key that is None is left out."""
    whole = {
        "id": "gas", "name": WORDS, "table": "fuel", "kind": "natural-gas", "figure": "quantity",
        "unit": "10^4 Nm3", "source": "meter", "points": ["gas-1.volume"], "meters": ["gas-1"],
        "frequency": "continuous", "interval_s": "1", "recorded": "daily", "missing": "estimate",
        "department": WORDS, "responsible": "wang",
    } | other  # fmt: skip
    return {key: value for key, value in whole.items() if value is not None}


def told(**other: Any) -> dict[str, Any]:
    """A parameter that documents tell."""
    base = {"id": "ncv", "figure": "ncv", "missing": "default", "frequency": "monthly",
            "source": "laboratory", "documents": ["sample-result"], "points": None,
            "meters": None, "interval_s": None}  # fmt: skip
    return parameter(**(base | other))


def table() -> dict[str, Any]:
    """As TOML would give it; each call its own."""
    return copy.deepcopy({
        "format": 1, "plant": "mini", "sector": "aluminium", "year": 2026, "revision": 1,
        "rule_set": "cets-ag-04.01-v01-2024",
        "about": dict.fromkeys(
            ("enterprise", "products", "process", "boundary", "quality_assurance"), WORDS
        ),
        "revisions": [{"number": 1, "day": "2025-12-20", "reason": WORDS}],
        "parameter": [
            parameter(), told(),
            parameter(id="metal", table="metal", kind=None, unit="t",
                      points=["scale-1.mass"], meters=["scale-1"]),
        ],
        "meter": [meter(), meter(id="scale-1", device="scale-1", check="calibration",
                                 limit_percent="0.5")],
        "internal_check": [
            {"id": "review", "name": WORDS, "frequency": "quarterly", "responsible": "li"}
        ],
    })  # fmt: skip


def meter(**other: Any) -> dict[str, Any]:
    return {
        "id": "gas-1", "name": WORDS, "place": WORDS, "device": "gas-1", "profile": "a/gas",
        "model": "G65", "number": "17", "accuracy": "1.0", "check": "verification",
        "every_months": 12, "limit_percent": "1.0", "covers": WORDS,
    } | other  # fmt: skip


def configuration() -> dict[str, Any]:
    """What a plan is held against of a signed configuration."""
    return {
        "plant": {"id": "mini", "rule_set": "cets-ag-04.01-v01-2024"},
        "schedules": [{"interval_ns": 10**9}],
        "devices": [
            {"id": "gas-1", "profile": "a/gas", "schedule": 0,
             "meter": {"no": {"means": "serial", "source": "x", "stated": [["17", "plate"]]}}},
            {"id": "scale-1", "profile": "a/gas", "schedule": 0},
        ],
        "statement": {
            "fuels": [{"kind": "natural-gas", "point": "gas-1.volume", "flow_point": "gas-1.f"}],
            "metal": {"point": "scale-1.mass"},
        },
    }  # fmt: skip


def certificate(
    day: str, due: str, *, scope: str = "verification", fit: bool = True, found: str = "",
    left: str = "", meter: str = "gas-1", number: str = "C-1",
) -> Certificate:  # fmt: skip
    errors = [Fraction(text) if text else None for text in (found, left)]
    return Certificate(
        meter, scope, "Institute", number, date.fromisoformat(day), date.fromisoformat(due), fit,
        "zhao", *errors,
    )  # fmt: skip


def certificates() -> list[Certificate]:
    return [
        certificate("2025-12-01", "2026-11-30"),
        certificate("2025-12-01", "2026-11-30", scope="calibration", meter="scale-1"),
    ]


def toml(value: Any) -> str:
    """A value as TOML; tables within the whole stand inline."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def text(**other: Any) -> str:
    """The plan as a file."""
    return "\n".join(f"{key} = {toml(value)}" for key, value in (table() | other).items()) + "\n"
