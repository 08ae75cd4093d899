"""A small smelter's month as its statement has it, made by hand: three effects in two pots."""

from typing import Any

from edge.calc.statements.statement import compute

S = 10**9
JUNE = 1_780_243_200 * S  # 2026-06-01 00:00 +08:00, 2026-05-31T16:00:00Z
DAY_S = 86_400


def effect(pot: str, start_s: int, polarised_s: int, end_s: int | None, v_max: str) -> Any:
    """An effect of a statement's input that stood at v_max; the target is 4.2 V."""
    over = (float(v_max) - 4.2) * polarised_s
    found = {
        "pot": pot, "start_ns": JUNE + start_s * S, "polarised_ns": polarised_s * S,
        "integral_v_s": f"{over:.3f}", "v_max": v_max, "crossings": 1, "flags": [],
    }  # fmt: skip
    return found if end_s is None else {**found, "end_ns": JUNE + end_s * S}


def statement() -> dict[str, Any]:
    """Pot 01 produces 30 days with 600 s of effects, pot 02 10 days with 200 s, pot 03 not at all.

    800 s in 40 cell-days are 1/3 AE-min/cell-day; of 1000 t, by 0.104 and 0.057, 34.6667 kg CF4.
    """
    effects = [
        effect("01", 1000, 400, 1400, "25.000"), effect("02", 5000, 200, 5210, "35.000"),
        effect("01", 90_000, 200, 90_200, "15.000"),
    ]  # fmt: skip
    pots = [
        {"id": pot, "effects": n, "polarised_s": str(polarised), "producing_s": str(days * DAY_S)}
        for pot, n, polarised, days in (("01", 2, 600, 30), ("02", 1, 200, 10), ("03", 0, 0, 0))
    ]
    given = {
        "rule_set": "cets-ag-04.01-v01-2024", "month": "2026-06",
        "period": {"from": "2026-05-31T16:00:00Z", "to": "2026-06-30T16:00:00Z"},
        "potlines": [{"id": "line-1", "effects": effects, "effect_count": 3, "pots": pots}],
        "pfc": {
            "metal_t": "1000",
            "indicator": {
                "technology": "PFPB-M", "edition": "ipcc-2019", "gwp": "ar5",
                "aem_min_per_cell_day": "0.333333333333",
            },
        },
    }  # fmt: skip
    return {"format": 1, "input": given, "output": compute(given)}
