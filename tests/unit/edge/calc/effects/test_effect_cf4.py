"""CF4 of one anode effect on the page: the slope formula at the newest line current."""

from collections.abc import Callable
from typing import Any

from edge.calc.blocks import Block
from edge.calc.folds.live import PlantCalc

S = 10**9
NOON = 1_781_496_000 * S  # 2026-06-15 12:00:00 +08:00
POTS = ("01", "02", "03")


def readings(volts: float, current: list[float]) -> dict[str, list[float]]:
    values = {f"pg.pot-{n}.voltage": [4.2] for n in POTS}
    values |= {f"pg.pot-{n}.state": [1.0] for n in POTS}
    return {**values, "pg.pot-01.voltage": [volts], "pg.line_current": current}


def test_mass_of_one_effect(config: dict[str, Any], make_block: Callable[..., Block]) -> None:
    """PFPB-M 0.104 (CBAM IR 2025/2547 Annex II Table 2); 460 kA, CE 94.5 %.

    21 samples above the threshold, then one below: 21 s. By hand:
    0.104 × (21/60) min × 460 × 8.0537 × 0.945 / 1000 t a pot-day = 0.1274 kg.
    """
    calc = PlantCalc(config)
    for second, volts in enumerate([4.2, *[30.0] * 21, 4.2]):
        calc.feed([make_block(config, 0, [NOON + second * S], readings(volts, [460.0]))])
    (effect,) = calc.effects()
    assert effect.effect.polarised_ns == 21 * S
    assert calc.cf4_kg(effect) == "0.127"


def test_no_mass_before_any_line_current(
    config: dict[str, Any], make_block: Callable[..., Block]
) -> None:
    calc = PlantCalc(config)
    bad = {"pg.line_current": [128]}
    for second in range(5):
        block = make_block(config, 0, [NOON + second * S], readings(30.0, [0.0]), bad)
        calc.feed([block])
    (effect,) = calc.effects()
    assert calc.cf4_kg(effect) is None
