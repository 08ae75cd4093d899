"""The unsigned message for the live page: newest value of every point, once a tick. Pure.

It is never evidence and never stored; the collector's page marks its values "not yet sealed"
until the frame of that instant is under receipt.
"""

import json
from collections.abc import Sequence
from typing import Any

from edge.calc.folds.live import PlantCalc
from edge.pipeline import NS_PER_MS, Layout, Tick
from edge.spool_reader import Usage
from evidence.counts import GroupCounts, count_to_text
from evidence.frame import NO_SOURCE_TIME, Clock
from evidence.points import Role
from evidence.quality import FIRST_BAD

VERSION = 1
EFFECTS_NS = 600 * 1_000_000_000
_UNSIGNED = bytes(32)  # no configuration has this hash


class LiveMessage:
    """Makes the messages of one configuration."""

    def __init__(self, layout: Layout, *, plant: str, gateway: str) -> None:
        """Prepare the conversions of every group."""
        self._head = {"v": VERSION, "plant": plant, "gateway": gateway}
        self._counts = [GroupCounts(plan.points) for plan in layout.groups]
        self._decimals = [
            [0 if point.role is Role.STATE else point.decimals for point in plan.points]
            for plan in layout.groups
        ]
        self._names = [[json.dumps(p.id) for p in plan.points] for plan in layout.groups]

    def message(
        self,
        ticks: Sequence[Tick],
        *,
        cfg: bytes,
        sent_ns: int,
        clock: Clock,
        spool: Usage,
        head_seq: int,
        receipted_seq: int,
        calc: PlantCalc,
        alarms: Sequence[str] = (),
    ) -> bytes:
        """The message for one instant's ticks, as JSON.

        Values are written as text at once: ten thousand lists a second are what Python's search
        for cycles would otherwise go through, again and again.

        Args:
            ticks: of the instant, computed rows included.
            cfg: SHA-256 of the configuration's object; b"" while it is not signed.
            sent_ns: wall clock now.
            clock: clock state.
            spool: how full the spool is.
            head_seq: newest object's seq; the open frame will be the next.
            receipted_seq: newest seq under receipt.
            calc: gives the anode effects.
            alarms: names of those that stand (`edge.alarms`).
        """
        values: list[str] = []
        for tick in ticks:
            for g, rows in tick.rows.items():
                counts, valid = self._counts[g].counts(rows.raw.reshape(-1, 1))
                self._group(values, g, tick, counts[:, 0].tolist(), valid[:, 0].tolist())
        rest = {
            **self._head,
            "cfg": (cfg or _UNSIGNED).hex(),
            "tick_ns": ticks[0].tick_ns,
            "sent_ns": sent_ns,
            "seq": head_seq + 1,
            "spool": {
                "frames": spool.objects,
                "bytes": spool.bytes,
                "oldest_ns": spool.oldest_ns,
                "head_seq": head_seq,
                "receipted_seq": receipted_seq,
            },
            "alarms": list(alarms),
            "clock": {"source": clock.source, "error_ms": clock.error_ms},
            "effects": _effects(calc, ticks[0].tick_ns),
        }
        text = json.dumps(rest, separators=(",", ":"), ensure_ascii=False)
        return f'{text[:-1]},"values":{{{",".join(values)}}}}}'.encode()

    def _group(
        self, values: list[str], g: int, tick: Tick, counts: list[int], valid: list[bool]
    ) -> None:
        """Add "point": [value or null, quality, source time or null] of each of its points."""
        rows, names = tick.rows[g], self._names[g]
        texts = map(count_to_text, counts, self._decimals[g])
        codes, ages = rows.quality.tolist(), rows.source_ms.tolist()
        for name, text, is_valid, code, age in zip(names, texts, valid, codes, ages, strict=True):
            shown = f'"{text}"' if is_valid and code < FIRST_BAD else "null"
            source = "null" if age == NO_SOURCE_TIME else tick.tick_ns - age * NS_PER_MS
            values.append(f"{name}:[{shown},{code},{source}]")


def _effects(calc: PlantCalc, now_ns: int) -> list[dict[str, Any]]:
    """Anode effects that run, or ended within `EFFECTS_NS`."""
    shown = []
    for named in calc.effects():
        end_ns = named.effect.end_ns
        if end_ns is None or now_ns - end_ns <= EFFECTS_NS:
            shown.append({**named.as_map(), "cf4_kg": calc.cf4_kg(named)})
    return shown
