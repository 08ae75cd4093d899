"""Electricity against metal: what a tonne must have taken, by Faraday, efficiency and voltage."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.factors import rule_set
from edge.calc.registry import Input, method

_HOURS = 24


def dc_kwh_t(cell_voltage_v: Fraction, current_efficiency_percent: Fraction) -> Fraction:
    """Direct-current energy of a tonne of metal."""
    kg_ka_d = rule_set("physics").row("aluminium.faraday").value * current_efficiency_percent / 100
    return _HOURS * cell_voltage_v / kg_ka_d * 1000


@method(
    "aluminium.dc_energy",
    version=1,
    source="Faraday's law (rule set physics)",
    inputs={
        "cell_voltage_v": Input("V", low="2", high="10"),
        "current_efficiency_percent": Input("%", low="50", high="100"),
    },
    outputs={"dc_kwh_t": "kWh/t", "faraday": "kg Al/(kA·d)"},
)
def dc_energy(*, cell_voltage_v: Fraction, current_efficiency_percent: Fraction) -> dict[str, Any]:
    """Direct-current energy that a tonne of aluminium takes.

    W [kWh/t] = 24 h × U [V] ÷ (8.0537 kg/(kA·d) × CE [%] ÷ 100) × 1000 = 2980 × U ÷ (CE ÷ 100)

    U: mean voltage of a cell with its share of the bus bars, 2..10 V; CE: current efficiency
    50..100 %, not 0.5..1. It checks metal and electricity against each other and makes neither.

    Example: 4.3 V at 94.36 %: 24 × 4.3 ÷ (8.0537 × 0.9436) × 1000 = 13580 kWh/t, with rectifiers
    at 97 % the 14000 kWh/t ac that an examination prints (dushuang.com/detail/626245). The 2980
    kWh/t that textbooks have for 1 V at 100 % is 24000 ÷ 8.0537 = 2979.997.

    Not confirmed: nothing but the constant's last digit; see rule set physics.
    """
    return {
        "dc_kwh_t": exact_text(dc_kwh_t(cell_voltage_v, current_efficiency_percent)),
        "faraday": rule_set("physics").row("aluminium.faraday").text,
    }
