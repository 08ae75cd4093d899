"""The works' instruments: what each has counted and what it shows of a step. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from simulators import chemistry as of
from simulators.gas import Gas, air
from simulators.served import Readings
from simulators.steelworks.network import Network
from simulators.steelworks.vapour import actual_m3

#: What the profiles name these.
RUNNING, MEASURING = 1, 0

_NM3_MMOL = Decimal("22.414e-6")
_KWH_NJ = Decimal("3.6e15")


@dataclass
class Belt:
    """A belt weigher or feeder."""

    total_ug: int = 0
    step_ug: int = 0

    def carry(self, mass_ug: int) -> None:
        """What passed in this step."""
        self.step_ug = mass_ug
        self.total_ug += mass_ug

    def as_feeder(self, step_s: float) -> Readings:
        """By the names of a feeder's profile."""
        return {"feed": self._t_h(step_s), "total": tonnes(self.total_ug), "state": RUNNING}

    def as_scale(self, step_s: float) -> Readings:
        """By the names of a belt scale's profile, whose two totalisers run alike here."""
        total = tonnes(self.total_ug)
        return {"rate": self._t_h(step_s), "total_1": total, "total_2": total}

    def _t_h(self, step_s: float) -> float:
        return self.step_ug / 1e12 * 3600.0 / step_s


@dataclass
class Weigher:
    """A weigher of loads: the last one stays until the next."""

    load_ug: int = 0
    total_ug: int = 0
    weighings: int = 0

    def weigh(self, mass_ug: int) -> None:
        """A load, unless there is none in this step."""
        if mass_ug:
            self.load_ug = mass_ug
            self.total_ug += mass_ug
            self.weighings += 1

    def shows(self) -> Readings:
        """By the profile's names."""
        return {"load": self.load_ug / 1e12, "total": tonnes(self.total_ug),
                "weighings": self.weighings, "state": MEASURING}  # fmt: skip


@dataclass
class Power:
    """A load or generator."""

    total_nj: int = 0
    step_nj: int = 0

    def pass_on(self, energy_nj: int) -> None:
        """What passed in this step."""
        self.step_nj = energy_nj
        self.total_nj += energy_nj

    def kilowatts(self, step_s: float) -> float:
        """Now."""
        return self.step_nj / 1e12 / step_s

    @property
    def kwh(self) -> Decimal:
        """Since the start."""
        return self.total_nj / _KWH_NJ


def gas_meter(network: Network, step_s: float) -> Readings:
    """Behind the scrubber: volume as it is, and brought to 0 degC, 101.325 kPa, vapour and all."""
    clean = network.clean.wet_mmol
    each_h = 3600.0 / step_s
    return {
        "flow_actual": each_h * actual_m3(
            clean, temperature_mk=network.clean_mk, pressure_mpa=network.pressure_mpa
        ),
        "flow": nm3_h(clean, step_s),
        "volume": nm3(network.made.wet_mmol),
        "temperature": network.clean_mk / 1000.0,
        "pressure": network.pressure_mpa / 1e6,
        "state": MEASURING,
    }  # fmt: skip


def analyser(gas: Gas) -> Readings:
    """Shares of the dry gas; of air when there is none."""
    shown = gas if gas.dry_mmol else air(10_000)
    names = ("co", "co2", "h2", "ch4", "o2")
    return {
        **{name: 100.0 * getattr(shown, name) / shown.dry_mmol for name in names},
        "ncv": shown.burning_nj / 1e15 / (shown.dry_mmol * of.NM3_MMOL),
        "state": MEASURING,
    }


def stack(gas: Gas, *, step_s: float, celsius: float) -> Readings:
    """Wet gas as it is: shares of all of it, flow at 0 degC, 101.325 kPa, wet."""
    wet = gas.wet_mmol
    return {
        "co2": 100.0 * gas.co2 / wet,
        "o2": 100.0 * gas.o2 / wet,
        "moisture": 100.0 * gas.h2o / wet,
        "flow": nm3_h(wet, step_s),
        "temperature": celsius,
        "pressure": 100.2,
        "state": MEASURING,
    }


def tonnes(mass_ug: int) -> Decimal:
    """Exactly."""
    return Decimal(mass_ug).scaleb(-12)


def nm3(mmol: int) -> Decimal:
    """Of ideal gas."""
    return mmol * _NM3_MMOL


def nm3_h(mmol: int, step_s: float) -> float:
    """What flows, of what passed in a step."""
    return mmol * of.NM3_MMOL * 3600.0 / step_s
