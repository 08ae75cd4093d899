"""A pot controller's effects out of a month's own frames, where its table was read as a source.

Such a device has points DEVICE.pot-ID.effect_duration and, where the table tells them, .effect_max_
voltage and .effect_kind: one row of the table is one reading of each at one tick, whose source time
is the effect's start by the controller's clock. A row of another kind than "effect" (a pot in
start-up) is none of those that are counted. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, GroupBlock, Int64
from edge.calc.effects.controller_effects import ReportedEffect
from edge.calc.errors import InputError
from evidence.counts import to_counts
from evidence.points import Point
from evidence.quality import FIRST_BAD

_NAME = re.compile(r"(.+)\.pot-(.+)\.effect_(duration|max_voltage|kind)")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_VOLTS = {"V": Fraction(1), "mV": Fraction(1, 1000)}
EFFECT = "effect"
_MS_NS, _NS = 10**6, 10**9


@dataclass(frozen=True)
class _Row:
    """One point of a table, and where a frame has it."""

    pot: str
    what: str
    point: Point
    group: int
    row: int


class ControllerTable:
    """Reads one configuration's frames.

    Attributes:
        devices: those that look like a pot controller's table.
    """

    def __init__(self, config: Mapping[str, Any], device: str = "") -> None:
        """Look at all such devices, or at one by its id."""
        found: dict[str, list[_Row]] = {}
        for number, group in enumerate(config["groups"]):
            for row, index in enumerate(group["points"]):
                fields = config["points"][index]
                match = _NAME.fullmatch(fields["id"])
                if match and not group["computed"] and device in {"", match[1]}:
                    point = Point.from_map(fields)
                    found.setdefault(match[1], []).append(
                        _Row(match[2], match[3], point, number, row)
                    )
        self.devices = sorted(found)
        if len(found) > 1:
            raise InputError([f"device: name one of: {' '.join(self.devices)}"])
        self._rows = [row for rows in found.values() for row in rows]

    def effects(
        self, ticks_ns: Int64, group: GroupBlock, source_ms: Int64, is_told: Bool
    ) -> Iterator[tuple[tuple[str, int], str, Fraction | str]]:
        """((pot, start ns), what, value) of every row of a table in a frame's group.

        Args:
            ticks_ns: [n].
            group: [points][n].
            source_ms: [points][n], tick less source time.
            is_told: [points][n], there is a source time.
        """
        for row in self._rows:
            if row.group != group.group:
                continue
            counts, valid = to_counts(group.raw[row.row], row.point)
            lag = source_ms[row.row]
            told = valid & (group.quality[row.row] < FIRST_BAD) & is_told[row.row]
            for at in np.flatnonzero(told).tolist():
                start_ns = int(ticks_ns[at]) - int(lag[at]) * _MS_NS
                yield (row.pot, start_ns), row.what, _value(row, int(counts[at]))


def _value(row: _Row, count: int) -> Fraction | str:
    """Seconds, volts, or the name of a kind."""
    if row.what == "kind":
        return dict(row.point.states).get(count, str(count))
    value, unit = Fraction(count, 10**row.point.decimals), row.point.quantity.unit
    return value * (_SECONDS if row.what == "duration" else _VOLTS)[unit]


def reported(
    told: Mapping[tuple[str, int], Mapping[str, Fraction | str]],
) -> tuple[list[ReportedEffect], int]:
    """The controller's effects, and how many rows were of another kind.

    Args:
        told: (pot, start ns) -> what its row tells.
    """
    found, others = [], 0
    for (pot, start_ns), row in told.items():
        if row.get("kind", EFFECT) != EFFECT:
            others += 1
            continue
        duration, volts = row.get("duration"), row.get("max_voltage")
        if isinstance(duration, Fraction):
            duration_ns = int(duration * _NS)
            v_max = volts if isinstance(volts, Fraction) else None
            found.append(
                ReportedEffect(pot, start_ns, start_ns + duration_ns, (duration_ns,), v_max)
            )
    return found, others
