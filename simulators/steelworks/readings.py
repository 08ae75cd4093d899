"""What the works' instruments show, by device id and register name. Pure."""

from decimal import Decimal
from typing import TYPE_CHECKING

from simulators.amounts import mj
from simulators.gas import Gas
from simulators.served import Readings
from simulators.services import three_phase
from simulators.steelworks import meters
from simulators.steelworks.arc_furnace import Melted
from simulators.steelworks.converter import Blown
from simulators.steelworks.sinter import Sintered
from simulators.steelworks.users import Fired

if TYPE_CHECKING:
    from simulators.steelworks.plant import Steelworks

#: What the power meters say of who they are.
SERIALS = {"grid": 30_114_550, "generator": 30_114_551, "arc-furnace": 30_114_552}

#: Belts with a scale; the others are feeders.
_SCALES = ("sinter-ore", "bf-burden")

#: Gas -> what its meter and the rows of the energy centre begin with.
_SHORT = {"blast_furnace_gas": "bf", "coke_oven_gas": "co", "converter_gas": "converter"}


class Shown:
    """The instruments, and what they saw of the step."""

    def __init__(self) -> None:
        self.belts = {name: meters.Belt() for name in ("coking-coal", "bf-coal", *_SCALES)}
        self.weighers = {
            name: meters.Weigher()
            for name in ("hot-metal", "converter-scrap", "converter-steel", "arc-scrap",
                         "arc-steel")
        }  # fmt: skip
        self.power = {name: meters.Power() for name in SERIALS}
        self.other = meters.Power()
        self.oxygen_ug = 0
        self.frequency_hz = 50.0
        self.sinter_stack = self.power_stack = self.hood = self.shop_flare = Gas()
        self.shop_flared_mmol = 0

    def step(self, works: "Steelworks", coal_ug: int, sintered: Sintered, blown: Blown,
             melted: Melted) -> None:  # fmt: skip
        """One step."""
        for name, mass_ug in (
            ("coking-coal", coal_ug), ("bf-coal", works.charged_ug["coal"]),
            ("sinter-ore", sintered.ore.mass_ug), ("bf-burden", works.charged_ug["burden"]),
        ):  # fmt: skip
            self.belts[name].carry(mass_ug)
        for name, matter in (
            ("hot-metal", blown.hot_metal), ("converter-scrap", blown.scrap),
            ("arc-scrap", melted.scrap),
        ):  # fmt: skip
            self.weighers[name].weigh(matter.mass_ug)
        for name, tapped in (("converter-steel", blown.tapped), ("arc-steel", melted.tapped)):
            self.weighers[name].weigh(tapped[1].mass_ug if tapped else 0)
        self.oxygen_ug += blown.oxygen.mass_ug
        self.hood = blown.gas

    def fire(self, sintered: Sintered, fired: dict[str, Fired], shop: Gas) -> None:
        """Stacks and flares of a step."""
        self.sinter_stack = sintered.stack + fired["sinter"].stack
        self.power_stack = fired["power"].stack
        self.shop_flare = shop
        self.shop_flared_mmol += shop.wet_mmol

    def told(self) -> dict[str, object]:
        """What the truth says beside the balances."""
        return {
            "electricity_mj": {
                "imported": mj(self.power["grid"].total_nj),
                "made": mj(self.power["generator"].total_nj),
                "arc_furnace": mj(self.power["arc-furnace"].total_nj),
                "other": mj(self.other.total_nj),
            },
            "heats": {
                "converter": self.weighers["converter-steel"].weighings,
                "arc_furnace": self.weighers["arc-steel"].weighings,
            },
        }


def readings_of(works: "Steelworks") -> dict[str, Readings]:
    """All devices."""
    shown, step_s = works.shown, float(works.step_s)
    sinter, users = works.scenario.sinter, works.scenario.users
    result: dict[str, Readings] = {
        name: belt.as_scale(step_s) if name in _SCALES else belt.as_feeder(step_s)
        for name, belt in shown.belts.items()
    }
    for gas, short in _SHORT.items():
        network = works.networks[gas]
        result[f"{short}-gas"] = meters.gas_meter(network, step_s)
        seen = shown.hood if short == "converter" else network.clean
        result[f"{short}-gas-analyser"] = meters.analyser(seen)
    result |= {name: weigher.shows() for name, weigher in shown.weighers.items()}
    for name, power in shown.power.items():
        result[name] = {
            "serial": SERIALS[name],
            **three_phase(
                power.kilowatts(step_s), power.kwh, voltage_v=users.voltage_v,
                frequency_hz=shown.frequency_hz, power_factor=users.power_factor,
            ),
        }  # fmt: skip
    result["sinter-stack"] = meters.stack(shown.sinter_stack, step_s=step_s, celsius=sinter.stack_c)
    result["power-stack"] = meters.stack(shown.power_stack, step_s=step_s, celsius=users.stack_c)
    result["energy-centre"] = _centre(works, step_s)
    return result


def _centre(works: "Steelworks", step_s: float) -> Readings:
    shown = works.shown
    rows: dict[str, float | Decimal] = {}
    for gas, short in _SHORT.items():
        network = works.networks[gas]
        rows |= {
            f"{short}_holder": network.filled_percent,
            f"{short}_to_power": meters.nm3_h(network.drawn["power"].wet_mmol, step_s),
            f"{short}_burnt": meters.nm3_h(network.leaving.dry_mmol, step_s),
            f"{short}_flare": meters.nm3_h(network.flare.wet_mmol, step_s),
            f"{short}_flared": meters.nm3(network.flared.wet_mmol),
        }
    return rows | {
        "shop_flare": meters.nm3_h(shown.shop_flare.wet_mmol, step_s),
        "shop_flared": meters.nm3(shown.shop_flared_mmol),
        "converter_oxygen": Decimal(shown.oxygen_ug) / (2 * 15_999) * Decimal("22.414e-6"),
        "converter_state": works.converter.vessel.state,
        "converter_heats": works.converter.vessel.heats,
        "arc_state": works.arc.vessel.state,
        "arc_heats": works.arc.vessel.heats,
        "boilers": works.users.power_state,
    }
