"""A whole steelworks, step by step, with its ground truth (`TRUTH.md` has the schema).

Pure: no I/O, no clock.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from simulators import chemistry as of
from simulators.amounts import heat_nj, kg, mass_ug, mj, mol
from simulators.fuels import fuel_of
from simulators.gas import Gas
from simulators.played import TruthLine
from simulators.served import Readings
from simulators.steelworks import readings
from simulators.steelworks.arc_furnace import ArcFurnace, Melted
from simulators.steelworks.blast_furnace import BlastFurnace, Smelted
from simulators.steelworks.coke import Coked, CokeOvens
from simulators.steelworks.converter import Blown, Converter
from simulators.steelworks.figures import GasFigures, SteelworksScenario
from simulators.steelworks.heats import Heat
from simulators.steelworks.ledger import Ledger
from simulators.steelworks.load import GASES
from simulators.steelworks.matter import Matter, Stock, of_gas, percent_of, solid
from simulators.steelworks.network import Network
from simulators.steelworks.sinter import Sintered, SinterStrand
from simulators.steelworks.users import Fired, Users
from simulators.waves import SlowWave

TRUTH_FORMAT = 1
_UG_T = 10**12


class Steelworks:
    """A steelworks that is played from a scenario and a seed; at step 0 when it is made."""

    def __init__(
        self, scenario: SteelworksScenario, *, seed: int, record: Callable[[TruthLine], None]
    ) -> None:
        self.scenario = scenario
        self._record = record
        self.step_number = 0
        self._dt_s = float(scenario.step_s)
        self._totals_steps = max(1, round(scenario.totals_s / scenario.step_s))
        self._waves = self._all_waves(seed)
        self._make_shops()
        self.charged_ug: dict[str, int] = {}
        self.ledger = Ledger()
        self._start = self._stands()
        self.shown = readings.Shown()
        self._flaring = dict.fromkeys(GASES, False)
        self._head(seed)
        self._advance()  # what is shown at step 0 is what the first step does
        self._record({"type": "totals", **self._now()})

    def _make_shops(self) -> None:
        scenario, step_s = self.scenario, self._dt_s
        self.ovens = CokeOvens(scenario.coke)
        self.strand = SinterStrand(scenario.sinter)
        self.furnace = BlastFurnace(scenario.blast_furnace, coal=fuel_of(scenario.coal))
        self.converter = Converter(scenario.converter, step_s=step_s)
        self.arc = ArcFurnace(scenario.arc_furnace, step_s=step_s)
        gases: dict[str, GasFigures] = {name: getattr(scenario, name) for name in GASES}
        self.users = Users(scenario.users, gases, step_s=step_s)
        iron, coke = scenario.blast_furnace, scenario.coke
        self.coke = Stock(solid(round(coke.stock_t * _UG_T), coke.stock_carbon_percent))
        self.sinter = Stock(Matter(round(scenario.sinter.stock_t * _UG_T)))
        self.hot_metal = Stock(solid(round(iron.ladles_t * _UG_T), iron.metal_carbon_percent))
        burnt = self.furnace.step(_UG_T, solid(_UG_T // 4, 87), _UG_T // 10, 0).gas
        made = {
            "blast_furnace_gas": burnt, "coke_oven_gas": self.ovens.step(_UG_T).gas,
            "converter_gas": Gas(co=66_000, co2=19_000, n2=15_000),
        }  # fmt: skip
        self.networks = {name: Network(gases[name], start=made[name]) for name in GASES}

    @property
    def step_s(self) -> Decimal:
        """Seconds a physical step."""
        return self.scenario.step_s

    @property
    def publish_steps(self) -> int:
        """Servers show every so manyeth step."""
        return self.scenario.publish_steps

    def step(self) -> None:
        """One physical step; the truth of it is recorded before it ends."""
        self.step_number += 1
        was = self.users.power_state
        self._advance()
        if self.users.power_state != was:
            self._record({"type": "power", "t_s": self._t_s, "state": self.users.power_state})
        if self.step_number % self._totals_steps == 0:
            self._record({"type": "totals", **self._now()})

    def finish(self) -> None:
        """The last line of the truth."""
        self._record({"type": "end", **self._now()})

    def readings(self) -> dict[str, Readings]:
        """What each device shows now, by device id."""
        return readings.readings_of(self)

    def _advance(self) -> None:
        """The flows of this step, and all that comes of them."""
        flow = {name: wave.next() for name, wave in self._waves.items()}
        fired = self.users.step(self.step_number, self.networks)
        coked = self.ovens.step(mass_ug(flow["coking_coal"], self._dt_s))
        self.coke.put(coked.coke)
        sintered = self._sinter(mass_ug(flow["ore"], self._dt_s))
        smelted = self._smelt(mass_ug(flow["burden"], self._dt_s), fired["stoves"])
        blown = self.converter.step(self.step_number, self.hot_metal)
        melted = self.arc.step(self.step_number, flow["arc_pace"])
        kept = blown.is_good and self.networks["converter_gas"].has_room
        made = {
            "blast_furnace_gas": _dry(smelted.gas), "coke_oven_gas": coked.gas,
            "converter_gas": blown.gas if kept else Gas(),
        }  # fmt: skip
        for name, network in self.networks.items():
            condensate = network.put(made[name], flow[f"{name}_c"])
            self.ledger.take("wash_water", Matter(network.clean.h2o * of.H2O))
            self.ledger.give("condensate", Matter(condensate * of.H2O))
        shop = Gas() if kept else blown.gas
        self._flare(shop)
        self._book(fired, coked, blown, melted)
        self._power(fired["power"], melted.power_nj, heat_nj(flow["other_power"], self._dt_s))
        self.shown.frequency_hz = flow["frequency"]
        self.shown.step(self, coked.coal.mass_ug, sintered, blown, melted)
        self.shown.fire(sintered, fired, shop)

    def _sinter(self, ore_ug: int) -> Sintered:
        breeze = self.coke.take(self.strand.breeze_ug(ore_ug))
        done = self.strand.step(ore_ug, breeze)
        self.sinter.put(done.sinter)
        for name in ("ore", "limestone", "air"):
            self.ledger.take(name, getattr(done, name))
        self.ledger.give("sinter", of_gas(done.stack) + done.lost)
        return done

    def _smelt(self, burden_ug: int, stoves: Fired) -> Smelted:
        figures = self.scenario.blast_furnace
        sinter = self.sinter.take(percent_of(burden_ug, figures.sinter_percent))
        self.ledger.take("pellets", Matter(burden_ug - sinter.mass_ug))
        metal_ug = self.furnace.metal_ug(burden_ug)
        coke = self.coke.take(metal_ug * round(figures.coke_kg_t * 1000) // 10**6)
        coal_ug = metal_ug * round(figures.coal_kg_t * 1000) // 10**6
        self.charged_ug = {"burden": burden_ug, "coal": coal_ug}
        blast_nj = self.users.blast_nj(stoves)
        done = self.furnace.step(burden_ug, coke, coal_ug, blast_nj)
        self.hot_metal.put(done.metal)
        surplus = self.hot_metal.held.mass_ug - round(figures.ladles_most_t * _UG_T)
        self.ledger.give("pig_iron", self.hot_metal.take(max(0, surplus)))
        for name in ("coal", "air", "oxygen"):
            self.ledger.take(name, getattr(done, name))
        # what of the stoves' heat goes into the blast is lost there, not at the stoves
        self.ledger.give("blast_furnace", done.lost)
        self.ledger.give("stoves", Matter(0, 0, -blast_nj))
        self.ledger.give("condensate", Matter(done.gas.h2o * of.H2O))
        self.ledger.give("slag", done.slag)
        self.ledger.give("iron", done.iron)
        return done

    def _flare(self, shop: Gas) -> None:
        """What the holders have no room for, and what the converter shop does not keep."""
        for name, network in self.networks.items():
            self._burn(f"flare_{name}", self.users.flare(network.let_off()))
            if (now := network.flare.wet_mmol > 0) != self._flaring[name]:
                self._flaring[name] = now
                self._record({"type": "flare", "t_s": self._t_s, "gas": name, "burns": now})
        self._burn("flare_converter", self.users.flare(shop))

    def _burn(self, name: str, fired: Fired) -> None:
        self.ledger.take("air", fired.air)
        self.ledger.give(name, of_gas(fired.stack) + Matter(0, 0, fired.heat_nj))

    def _book(self, fired: dict[str, Fired], coked: Coked, blown: Blown, melted: Melted) -> None:
        ledger = self.ledger
        for user, burnt in fired.items():
            self._burn(user, burnt)
        ledger.take("coking_coal", coked.coal)
        for name in ("tar", "benzol", "liquor"):
            ledger.give(name, getattr(coked, name))
        ledger.give("coke_ovens", coked.lost)
        for shop in (blown, melted):
            for name in ("scrap", "lime", "oxygen", "air"):
                ledger.take(name, getattr(shop, name))
        ledger.take("charge_coal", melted.coal)
        ledger.take("electrodes", melted.electrodes)
        ledger.give("converter", blown.lost)
        ledger.give("arc_furnace", of_gas(melted.stack) + melted.lost)
        for name, tapped in (("converter", blown.tapped), ("arc-furnace", melted.tapped)):
            if tapped:
                self._tap(name, *tapped)

    def _tap(self, shop: str, heat: Heat, steel: Matter, slag: Matter) -> None:
        self.ledger.give("steel", steel)
        self.ledger.give("slag", slag)
        vessel = self.converter.vessel if shop == "converter" else self.arc.vessel
        self._record(
            {
                "type": "heat", "t_s": self._t_s, "shop": shop, "heat": heat.number,
                "start_s": str(heat.start_step * self.scenario.step_s),
                "metal_kg": kg(heat.metal.mass_ug), "charge_kg": kg(heat.charge.mass_ug),
                "oxygen_kg": kg(vessel.oxygen_ug), "steel_kg": kg(steel.mass_ug),
                "slag_kg": kg(slag.mass_ug),
            }
        )  # fmt: skip

    def _power(self, burnt: Fired, arc_nj: int, other_nj: int) -> None:
        made_nj = self.users.power_nj(burnt)
        self.ledger.give("power", Matter(0, 0, -made_nj))
        self.ledger.give("other_power", Matter(0, 0, other_nj))
        imported_nj = arc_nj + other_nj - made_nj
        self.ledger.take("electricity", Matter(0, 0, imported_nj))
        for name, nj in (("grid", imported_nj), ("generator", made_nj), ("arc-furnace", arc_nj)):
            self.shown.power[name].pass_on(nj)
        self.shown.other.pass_on(other_nj)

    def _stands(self) -> dict[str, Matter]:
        """What is there now."""
        return {
            "coke": self.coke.held,
            "sinter": self.sinter.held,
            "hot_metal": self.hot_metal.held,
            "converter": self.converter.vessel.held,
            "arc_furnace": self.arc.vessel.held,
            **{name: of_gas(network.held) for name, network in self.networks.items()},
        }

    def _all_waves(self, seed: int) -> dict[str, SlowWave]:
        scenario = self.scenario
        coke, ore, iron = scenario.coke, scenario.sinter, scenario.blast_furnace
        users = scenario.users
        limits: dict[str, tuple[float, float]] = {
            "coking_coal": (coke.coal_least_t_h, coke.coal_most_t_h),
            "ore": (ore.ore_least_t_h, ore.ore_most_t_h),
            "burden": (iron.burden_least_t_h, iron.burden_most_t_h),
            "other_power": (users.other_least_mw, users.other_most_mw),
            "arc_pace": (0.9, 1.1),
            "frequency": (49.97, 50.03),
        }
        for name in GASES:
            gas: GasFigures = getattr(scenario, name)
            limits[f"{name}_c"] = gas.clean_least_c, gas.clean_most_c
        seeds = np.random.SeedSequence(seed).spawn(len(limits))
        steps = round(coke.period_s / self._dt_s)
        return {
            name: SlowWave(np.random.default_rng(child), low=low, high=high, period_steps=steps)
            for (name, (low, high)), child in zip(limits.items(), seeds, strict=True)
        }

    @property
    def _t_s(self) -> str:
        return str(self.step_number * self.scenario.step_s)

    def _head(self, seed: int) -> None:
        self._record(
            {
                "type": "scenario", "format": TRUTH_FORMAT, "scenario": self.scenario.name,
                "plant": "steelworks", "seed": seed, "step_s": str(self.scenario.step_s),
            }
        )  # fmt: skip
        self._record({"type": "power", "t_s": "0.0", "state": self.users.power_state})

    def _now(self) -> dict[str, object]:
        held = {name: now - self._start[name] for name, now in self._stands().items()}
        return {
            "t_s": self._t_s,
            **self.ledger.told(held),
            "gas_mol": {name: _gas_told(network) for name, network in self.networks.items()},
            "used_mj": {
                name: {user: mj(nj) for user, nj in network.used_nj.items()}
                for name, network in self.networks.items()
            },
            "holder_percent": {
                name: f"{network.filled_percent:.6f}" for name, network in self.networks.items()
            },
            **self.shown.told(),
        }


def _dry(gas: Gas) -> Gas:
    """Without its water, which the scrubber takes out before it saturates the gas."""
    return gas - Gas(h2o=gas.h2o)


def _gas_told(network: Network) -> dict[str, object]:
    sides = {"made": network.made, "used": network.used, "flared": network.flared,
             "held": network.gained}  # fmt: skip
    told: dict[str, object] = {
        side: {name: mol(amount) for name, amount in gas.amounts().items()}
        for side, gas in sides.items()
    }
    return told | {"condensate": mol(network.condensate_mmol)}
