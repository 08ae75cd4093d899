"""A month of a plant with physics: the plant that `sim run` serves, read through its profiles.

One physical step a reading: what is coarse is said by the interval alone, and masses, heat and gas
are balanced in every step, however long it is. Values are encoded as the served devices encode
them, so a counter of a profile rolls over in a month as it does on a wire. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from evidence.points import Dtype, Point, Provenance, Scaling
from evidence.quality import Quality
from firmware_configs.profile import Profile, Register, load_profile
from simulators.encode import raw_number
from simulators.kiln import month as kiln
from simulators.kiln.figures import KilnScenario
from simulators.month_config import TIME_ZONE, Described, MonthDevice, Said, configuration
from simulators.month_plant import HOUR_S, Hour
from simulators.plants import make
from simulators.played import TruthLine
from simulators.steelworks import month as steelworks
from simulators.steelworks.figures import SteelworksScenario

_DAY_S = 86_400
_LAG_MS = 40

#: Scenarios of plants a month can be played of, and what such a month says beside its readings.
MonthScenario = KilnScenario | SteelworksScenario
_SAID: dict[type[MonthScenario], Said] = {
    KilnScenario: kiln.SAID, SteelworksScenario: steelworks.SAID,
}  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """A point, and what its device shows for it."""

    point: Point
    device: str
    profile: Profile
    register: Register


@dataclass(frozen=True)
class PlayedMonth:
    """A `MonthPlant`.

    Attributes:
        scenario: what is played.
        seed, interval_s: as of every plant of a month.
    """

    scenario: MonthScenario
    seed: int
    interval_s: int

    @property
    def name(self) -> str:
        """The plant's id."""
        return self.scenario.name

    def configuration(self, collector_sha256: bytes) -> dict[str, Any]:
        """The map the gateway signs."""
        devices = []
        for device in self.scenario.devices:
            profile = load_profile(device.profile)
            provenance = _provenance(profile).value
            devices.append(MonthDevice(device.id, profile.id, profile.revision, provenance))
        described = Described(
            plant=self.name, said=_SAID[type(self.scenario)], interval_s=self.interval_s,
            devices=devices,
            groups=[
                (dtype, [row.point for row in rows]) for dtype, rows in _groups(self.scenario)
            ],
        )  # fmt: skip
        return configuration(described, collector_sha256)

    def begin(self, first_ns: int) -> "PlayedSource":
        """At the instant of its first reading."""
        paced = replace(self.scenario, step_s=Decimal(self.interval_s), totals_s=Decimal(_DAY_S))
        if isinstance(paced, KilnScenario):
            local = datetime.fromtimestamp(first_ns // 10**9, UTC).astimezone(ZoneInfo(TIME_ZONE))
            paced = replace(paced, local_start=local.replace(tzinfo=None))
        return PlayedSource(paced, self.seed, self.interval_s)


class PlayedSource:
    """The plant within its month."""

    def __init__(self, scenario: MonthScenario, seed: int, interval_s: int) -> None:
        """Nothing is read yet."""
        self._scenario, self._ticks = scenario, HOUR_S // interval_s
        self._groups = _groups(scenario)
        self._truth: list[TruthLine] = []
        self._plant = make(scenario, pots=None, seed=seed, record=self._truth.append)
        self._is_begun = False

    def hour(self) -> Hour:
        """The next hour: a step before each reading but the first."""
        raw = [
            np.empty((len(rows), self._ticks), dtype=dtype.numpy_name)
            for dtype, rows in self._groups
        ]
        for tick in range(self._ticks):
            if self._is_begun:
                self._plant.step()
            self._is_begun = True
            self._read(raw, tick)
        quality = tuple(np.full(rows.shape, Quality.GOOD, dtype=np.uint8) for rows in raw)
        lag = np.full((len(self._scenario.devices), self._ticks), _LAG_MS, dtype=np.int32)
        return Hour(tuple(raw), quality, lag, self._told())

    def finish(self) -> Sequence[TruthLine]:
        """The last line of the truth: of all steps, that after the last reading too."""
        self._plant.finish()
        return self._told()

    def _read(self, raw: list[np.ndarray[Any, Any]], tick: int) -> None:
        shown = self._plant.readings()
        ratios = {device.id: device.ratios for device in self._scenario.devices}
        for rows, (_, members) in zip(raw, self._groups, strict=True):
            rows[:, tick] = [
                raw_number(
                    row.profile, row.register, shown[row.device][row.register.name],
                    ratios[row.device],
                )
                for row in members
            ]  # fmt: skip

    def _told(self) -> tuple[TruthLine, ...]:
        told = tuple(self._truth)
        self._truth.clear()
        return told


def _groups(scenario: MonthScenario) -> list[tuple[Dtype, list[_Row]]]:
    """Every register of every device as a point, by number type; in a type as in the profiles."""
    found: dict[Dtype, list[_Row]] = {}
    for device in scenario.devices:
        profile = load_profile(device.profile)
        for register in profile.registers:
            applied = {name: device.ratios[name] for name in register.applies}
            point = Point(
                id=f"{device.id}.{register.name}", quantity=register.quantity,
                dtype=register.dtype, decimals=register.point_decimals, role=register.role,
                provenance=_provenance(profile), device=device.id, source=register.place,
                scaling=Scaling(
                    raw_decimals=register.decimals, scale=register.scale,
                    offset=register.offset, **applied,
                ),
                range_min=register.range_min, range_max=register.range_max,
                states=register.states,
            )  # fmt: skip
            row = _Row(point, device.id, profile, register)
            found.setdefault(register.dtype, []).append(row)
    return sorted(found.items(), key=lambda pair: pair[0].value)


def _provenance(profile: Profile) -> Provenance:
    is_control_system = profile.protocol == "opcua"
    return Provenance.VIA_CONTROL_SYSTEM if is_control_system else Provenance.METER_DIRECT
