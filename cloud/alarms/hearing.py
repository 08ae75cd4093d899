"""What was not heard of anode effects, and the log of it: after a silence, and after a restart.

A gateway tells an effect while it runs and ten minutes longer. Whatever ended in a longer silence
of gateway or collector, only the signed frames know: their log is read once it is there. File I/O
and evidence; one thread at a time a plant.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cloud.alarms.facts import SECOND_NS, Effect, Heard, Unheard
from cloud.alarms.logged import Logged, logged_effects
from cloud.alarms.store import AlarmStore
from cloud.collector.desk import PlantEvidence
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.alarms")

#: a shorter silence loses nothing: effects are told for ten minutes after their end
SHORT_NS = 540 * SECOND_NS
#: the log of a longer time is not read: what is older is no alarm any more
LOG_NS = 48 * 3_600 * SECOND_NS
#: how far it was heard is kept so often
KEEP_NS = 60 * SECOND_NS
#: a log is read for so long at a time, then there is rest for so long for each second of it; one
#: that cannot be read is tried again after so long
READ_S, REST, AGAIN_S = 0.5, 9.0, 600.0


@dataclass
class _Reading:
    """A log that is being read: the steps that are left, and what it told so far."""

    stretch: Unheard
    steps: Iterator[Logged]
    told: Logged = field(default_factory=lambda: Logged((), None))
    is_over: bool = False


class Hearing:
    """Follows which ticks of the plants' gateways were heard, and reads the log of the others."""

    def __init__(self, store: AlarmStore, evidence_of: Callable[[str], PlantEvidence]) -> None:
        """`evidence_of` gives a plant's, or LookupError."""
        self._store, self._evidence_of = store, evidence_of
        self._heard: dict[str, dict[str, Heard]] = {}
        self._unheard: dict[str, list[Unheard]] = {}
        self._kept: dict[tuple[str, str], int] = {}
        self._reading: dict[str, _Reading] = {}
        self._again_s: dict[str, float] = {}
        self._rests_s = 0.0  # of all plants: until then

    def note(self, plant: str, snapshot: Mapping[str, Any], kept: Sequence[Effect]) -> None:
        """Follow the newest ticks of gateways with potlines; a long silence is to be read.

        Args:
            plant: plant id.
            snapshot: of the live hub.
            kept: effects that are known: one that ran when the silence began is read from its
                start on.
        """
        heard = self._heard_of(plant)
        lines = {line["gateway"] for line in snapshot["potlines"]}
        for row in snapshot["gateways"]:
            gateway, tick_ns = row["id"], row["tick_ns"]
            if gateway not in lines or tick_ns is None:
                continue
            before = heard.get(gateway, Heard(0, 0))
            if tick_ns < before.tick_ns - SHORT_NS:
                before = self._set_back(plant, gateway, before, tick_ns)
            if tick_ns - before.tick_ns > SHORT_NS:
                begun = [one.start_ns for one in kept if one.gateway == gateway and one.is_running]
                from_ns = max(min([before.tick_ns, *begun]), tick_ns - LOG_NS)
                self._store.note_unheard(plant, Unheard(gateway, from_ns, tick_ns))
                self._unheard.pop(plant, None)
                if from_ns > before.tick_ns:  # the first time, or longer away than logs are read
                    before = Heard(from_ns, before.tick_ns)
            heard[gateway] = now = Heard(before.from_ns, tick_ns)
            # also back, where its clock was set
            if abs(tick_ns - self._kept.get((plant, gateway), 0)) >= KEEP_NS:
                self._store.note_heard(plant, gateway, now)
                self._kept[plant, gateway] = tick_ns

    def _set_back(self, plant: str, gateway: str, before: Heard, tick_ns: int) -> Heard:
        """Its clock was ahead: it was never there, and no log of then is waited for."""
        for one in self.unheard(plant):
            if one.gateway == gateway and one.to_ns is not None and one.to_ns > tick_ns:
                self._store.drop_unheard(plant, one)
                if one.from_ns < tick_ns:
                    self._store.note_unheard(plant, replace(one, to_ns=tick_ns))
        self._unheard.pop(plant, None)
        reading = self._reading.get(plant)
        if reading is not None and reading.stretch.gateway == gateway:
            del self._reading[plant]
        return Heard(min(before.from_ns, tick_ns), tick_ns)

    def _heard_of(self, plant: str) -> dict[str, Heard]:
        if plant not in self._heard:
            self._heard[plant] = self._store.heard(plant)
        return self._heard[plant]

    def unheard(self, plant: str) -> list[Unheard]:
        """Stretches whose log is still to be read, oldest first."""
        if plant not in self._unheard:
            self._unheard[plant] = self._store.unheard(plant)
        return self._unheard[plant]

    def known_from(self, plant: str) -> dict[str, int]:
        """Gateway -> since which instant its effects are known without a break."""
        known = {gateway: one.from_ns for gateway, one in self._heard_of(plant).items()}
        for one in self.unheard(plant):
            known[one.gateway] = max(known.get(one.gateway, 0), one.to_ns or 0)
        return known

    def last_tick_ns(self, plant: str, gateway: str) -> int | None:
        """The newest tick that was heard of a gateway with potlines, also before a restart."""
        one = self._heard_of(plant).get(gateway)
        return None if one is None else one.tick_ns

    def catch_up(
        self, plant: str, snapshot: Mapping[str, Any], shown: Sequence[Effect]
    ) -> list[Effect]:
        """Read some more of what is to be read; effects once the log of a stretch is read.

        They are given until `done` says that they are kept. An effect that the log does not end,
        and that is not among those that messages tell (`shown`), has no known end.
        """
        now_s = time.monotonic()
        if now_s < max(self._rests_s, self._again_s.get(plant, 0.0)):
            return []
        try:
            reading = self._reading.get(plant) or self._begin(plant, snapshot)
            if reading is None:
                return []
            self._reading[plant] = reading
            while (step := next(reading.steps, None)) is not None:
                reading.told = step
                if (spent_s := time.monotonic() - now_s) >= READ_S:
                    self._rests_s = now_s + (1 + REST) * spent_s
                    return []
        except Exception:  # a gateway signed what nobody thought of; its alarms go on
            log.exception(
                "plant %s: effects of its log are not known yet", plant, extra=about(plant)
            )
            self._again_s[plant] = now_s + AGAIN_S
            self._reading.pop(plant, None)
            return []
        reading.is_over = True
        now = {one.key for one in shown}
        return [
            one if one.end_ns is not None else replace(one, is_lost=True)
            for one in reading.told.effects
            if one.end_ns is not None or one.key not in now
        ]

    def done(self, plant: str) -> None:
        """What was read is kept: it need not be read again."""
        reading = self._reading.get(plant)
        if reading is not None and reading.is_over:
            self._know_from(plant, reading)
            self._store.drop_unheard(plant, reading.stretch)
            self._unheard.pop(plant, None)
            del self._reading[plant]

    def _know_from(self, plant: str, reading: _Reading) -> None:
        """Before a log begins nothing is known."""
        stretch, heard = reading.stretch, self._heard_of(plant)
        known = heard.get(stretch.gateway)  # none after a kill before it was kept
        began_ns = reading.told.first_ns or stretch.to_ns
        if known is not None and stretch.from_ns <= known.from_ns and began_ns is not None:
            heard[stretch.gateway] = now = replace(known, from_ns=max(known.from_ns, began_ns))
            self._store.note_heard(plant, stretch.gateway, now)

    def _begin(self, plant: str, snapshot: Mapping[str, Any]) -> _Reading | None:
        """With the oldest stretch whose frames are all there; None when there is none."""
        there = {row["id"]: row["sealed_through_ns"] or 0 for row in snapshot["gateways"]}
        for one in self.unheard(plant):
            if one.to_ns is not None and there.get(one.gateway, 0) >= one.to_ns:
                evidence = self._evidence_of(plant)
                steps = logged_effects(evidence, one.gateway, one.from_ns, one.to_ns)
                return _Reading(one, steps)
        return None
