"""Iron and steel by 40 CFR 98 Subpart Q: carbon in less carbon out of each furnace, in tonnes."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.registry import Input, method

_RULES = "us-40cfr98-q"
_OTHER = "other"  # 98.173(b)(1): carbon of an input or output that the equation does not name
_KG_A_TONNE = 1000


def _equation(
    method_id: str, equation: str, ins: tuple[str, ...], outs: tuple[str, ...]
) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., dict[str, Any]]]:
    """Register a mass balance: each material by its tonnes and its carbon.

    The first input and the first output must be there, of the rest what the furnace has; "other" of
    either side is what the equation does not name.
    """
    inputs: dict[str, Input] = {}
    for side, names in (("", (*ins, f"{_OTHER}_in")), ("out", (*outs, f"{_OTHER}_out"))):
        for name in names:
            optional = name != (outs if side else ins)[0]
            inputs[f"{name}_t"] = Input("t", low="0", optional=optional)
            inputs[f"{name}_carbon"] = Input("tC/t", low="0", high="1", optional=optional)
    source = f"40 CFR 98.173(b)(1), Eq. {equation}; symbols and units: 98.176"
    return method(
        method_id, version=1, source=source, inputs=inputs,
        outputs={"emission_t": "tCO2", "carbon_in_t": "tC", "carbon_out_t": "tC"},
    )  # fmt: skip


def _balance(
    given: Mapping[str, Fraction], ins: tuple[str, ...], outs: tuple[str, ...]
) -> dict[str, Any]:
    """44/12 × (Σ in × carbon - Σ out × carbon)."""
    names = (*ins, f"{_OTHER}_in", *outs, f"{_OTHER}_out")
    pairs = ((f"{name}_t", f"{name}_carbon") for name in names)
    alone = [
        f"{there}: has no meaning without {other}"
        for mass, carbon in pairs
        for there, other in ((mass, carbon), (carbon, mass))
        if there in given and other not in given
    ]
    if alone:
        raise InputError(alone)

    def carbon(side: tuple[str, ...]) -> Fraction:
        masses = (given.get(f"{n}_t", Fraction(0)) * given.get(f"{n}_carbon", 0) for n in side)
        return sum(masses, Fraction(0))

    carbon_in, carbon_out = carbon((*ins, f"{_OTHER}_in")), carbon((*outs, f"{_OTHER}_out"))
    ratio = rule_set(_RULES).row("carbon.co2_ratio").value
    return {
        "emission_t": exact_text((carbon_in - carbon_out) * ratio),
        "carbon_in_t": exact_text(carbon_in),
        "carbon_out_t": exact_text(carbon_out),
    }


_Q1 = (("greenball", "solid_fuel", "liquid_fuel", "gas"), ("pellets", "residue"))
_Q2 = (("iron", "scrap", "flux", "carbonaceous"), ("steel", "slag", "residue"))
_Q3 = (("coal",), ("coke", "residue"))
_Q4 = (("feed", "gas"), ("sinter", "residue"))
_Q5 = (("scrap", "iron", "flux", "electrode", "carbonaceous"), ("steel", "slag", "residue"))
_Q6 = (("steel_charged",), ("steel", "residue"))
_Q7 = (("ore", "gas", "carbonaceous"), ("iron", "nonmetallic", "residue"))


@_equation("steel.part98_taconite", "Q-1", *_Q1)
def taconite(**given: Fraction) -> dict[str, Any]:
    """CO2 of a taconite indurating furnace (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (Σ t in × carbon in - Σ t out × carbon out)

    In: greenball pellets, and the fuels burnt in the furnace; out: fired pellets and the residue of
    air pollution control. Everything in metric tons and tC/t, 0..1. The equation takes gas in scf
    and liquids in gallons: steel.part98_gas makes tonnes of gas; gallons × density ÷ 1000 those of
    liquids. A negative result is said as it comes.

    Example: 1000 t of greenball at 0.005, 10 t of coal at 0.7, 900 t of pellets at 0.0005:
    44/12 × (5 + 7 - 0.45) = 42.35 t (by hand). No published example was found.

    Not confirmed: the equation is a picture in every copy; its terms are those that 98.176 names.
    """
    return _balance(given, *_Q1)


@_equation("steel.part98_bof", "Q-2", *_Q2)
def bof(**given: Fraction) -> dict[str, Any]:
    """CO2 of a basic oxygen furnace (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (Σ t in × carbon in - Σ t out × carbon out)

    In: molten iron, scrap, flux, carbonaceous material; out: liquid steel, slag, residue. All of it
    in metric tons and tC/t, 0..1 (lime has no carbon, limestone 0.12).

    Example: 900 t of iron at 0.045, 200 t of scrap at 0.002, 1000 t of steel at 0.0005:
    44/12 × (40.5 + 0.4 - 0.5) = 148.1333… t (by hand). No published example was found.

    Not confirmed: the equation is a picture in every copy; its terms are those that 98.176 names.
    """
    return _balance(given, *_Q2)


@_equation("steel.part98_coke", "Q-3", *_Q3)
def nonrecovery_coke(**given: Fraction) -> dict[str, Any]:
    """CO2 of a non-recovery coke oven battery (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (coal t × carbon - coke t × carbon - residue t × carbon)

    A battery that recovers its by-products is of Subpart C instead, and pushing of 98.173(c).

    Example: 1000 t of coal at 0.8, 700 t of coke at 0.9: 44/12 × (800 - 630) = 623.333… t (by
    hand). No published example was found.

    Not confirmed: the equation is a picture in every copy; its terms are those that 98.176 names.
    """
    return _balance(given, *_Q3)


@_equation("steel.part98_sinter", "Q-4", *_Q4)
def sinter(**given: Fraction) -> dict[str, Any]:
    """CO2 of a sinter process (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (feed t × carbon + gas t × carbon - sinter t × carbon - residue t × carbon)

    The feed is all that is sintered, with its coke breeze and limestone; gas by steel.part98_gas.

    Example: 1000 t of feed at 0.05, 900 t of sinter at 0.001: 44/12 × (50 - 0.9) = 180.0333… t (by
    hand). No published example was found.

    Not confirmed: the equation is a picture in every copy; its terms are those that 98.176 names.
    """
    return _balance(given, *_Q4)


@_equation("steel.part98_eaf", "Q-5", *_Q5)
def eaf(**given: Fraction) -> dict[str, Any]:
    """CO2 of an electric arc furnace (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (Σ t in × carbon in - Σ t out × carbon out)

    In: scrap, iron that is charged (pig or direct reduced), flux, electrodes that are used up,
    carbon that is charged or injected; out: steel, slag, residue. Everything in metric tons, tC/t.

    Example: 1000 t of scrap at 0.005, 3 t of electrodes at 0.999, 12 t of carbon at 0.87, 20 t of
    limestone at 0.12, 950 t of steel at 0.002: 44/12 × (5 + 2.997 + 10.44 + 2.4 - 1.9) = 69.4356…
    t (by hand). No published example was found.

    Not confirmed: Eq. Q-5 is misprinted in 81 FR 89188 and in the eCFR (EPA, question Q849); what
    stands here is the balance that 98.173(b)(1) describes, with the terms of 98.176.
    """
    return _balance(given, *_Q5)


@_equation("steel.part98_decarburization", "Q-6", *_Q6)
def decarburization(**given: Fraction) -> dict[str, Any]:
    """CO2 of a decarburization vessel (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (steel charged t × carbon - steel t × carbon - residue t × carbon)

    Argon-oxygen and vacuum vessels. The equation has one mass of steel and its carbon before and
    after; here each side has its own, which is the same where the mass does not change.

    Example: 500 t of steel from 0.012 to 0.0005: 44/12 × (6 - 0.25) = 21.08333… t (by hand). No
    published example was found.

    Not confirmed: the equation is a picture in every copy; its terms are those that 98.176 names.
    """
    return _balance(given, *_Q6)


@_equation("steel.part98_dri", "Q-7", *_Q7)
def direct_reduction(**given: Fraction) -> dict[str, Any]:
    """CO2 of a direct reduction furnace (40 CFR 98 Subpart Q).

    CO2 [t] = 44/12 × (Σ t in × carbon in - Σ t out × carbon out)

    In: ore or pellets, gas that reduces and heats (steel.part98_gas), carbonaceous material; out:
    iron, non-metallic material, residue. Everything in metric tons, tC/t.

    Example: 1450 t of ore at 0, 200 t of gas at 0.73, 1000 t of iron at 0.02: 44/12 × (146 - 20) =
    462 t (by hand). No published example was found.

    Not confirmed: the equation is a picture in every copy; its terms are those that 98.176 names.
    """
    return _balance(given, *_Q7)


@method(
    "steel.part98_gas",
    version=1,
    source="40 CFR 98.173, Eq. Q-1, Q-4 and Q-7 (gas), 98.176(e), 98.6 (molar volume conversion)",
    inputs={
        "gas_scf": Input("scf", low="0"),
        "molar_mass_kg_kmol": Input("kg/kmol", low="2", high="100"),
        "standard_temperature": Input(is_text=True),
    },
    outputs={"gas_t": "t"},
)
def gas(
    *, gas_scf: Fraction, molar_mass_kg_kmol: Fraction, standard_temperature: str
) -> dict[str, Any]:
    """Tonnes of a gaseous fuel from its standard cubic feet (40 CFR 98).

    gas [t] = gas [scf] × molar mass [kg/kmol] ÷ MVC [scf/kmol] × 0.001

    standard_temperature: "68F" (849.5 scf/kmol) or "60F" (836.6 scf/kmol), at 14.7 psia: 1.5 %
    apart, so the meter's own has to be said. Its carbon is then in tC/t of gas.

    Example: 849.5 scf of methane (16.04 kg/kmol) at 68F is 1 kmol: 0.01604 t (by hand; 98.176
    prints 849.5). No published example was found.

    Not confirmed: nothing of it; which of the two a meter counts at, its owner says.
    """
    rows = rule_set(_RULES).rows
    row = rows.get(f"volume.{standard_temperature}")
    if row is None:
        raise InputError(
            [f"standard_temperature: {standard_temperature!r} unknown; known: 68F 60F"]
        )
    return {"gas_t": exact_text(gas_scf / row.value * molar_mass_kg_kmol / _KG_A_TONNE)}
