"""Asks one collector again and again, and keeps what it says. Network I/O, on a thread of its own.

One that is silent holds up nobody but itself. Nothing is shared with it, nothing is written.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from cloud.asking import NotRunningError, RefusedError, RunningCollector
from cloud.clock import Clock
from cloud.front.config import CollectorAt
from cloud.front.faults import fault_of
from cloud.front.heard import Amiss, Heard, Part, Why, unheard, unusable
from cloud.front.parts import LOOK_S, PARTS
from cloud.front.shapes import require_plain

log = logging.getLogger("stackproof.cloud.front")

#: memory that all answers of one collector take together, so that none ends the front for all: the
#: unit's bound less one more answer, which comes before the older one goes
BYTES_MAX = 1 << 30
#: of what is told of a wrong answer, characters
WRONG_MAX = 500
#: pages of 300 reviews that are read of a collector: five years of 1,500 plants
REVIEW_PAGES_MAX = 300


class Listener:
    """One collector, as it was last heard.

    Args:
        of: where it is.
        clock: the front's.

    Attributes:
        asked: the same collector, for what people ask of it themselves.
        heard: replaced whole with each answer; from any thread.
    """

    def __init__(self, of: CollectorAt, clock: Clock) -> None:
        self.asked = RunningCollector.at(of.url, of.token, of.context)
        self.name = of.name
        self._clock = clock
        now_ns = clock.wall_ns()
        self.heard = Heard(of.name, of.pages, dict.fromkeys(PARTS, unheard(now_ns)))
        self._asked_s = dict[str, float]()
        self._held = dict[str, int]()  # part -> bytes of memory that its answer takes at most

    def start(self) -> None:
        """Look at it for as long as the process lives; a slow answer holds up no end."""
        threading.Thread(target=self._run, name=f"front-{self.name}", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self.look(time.monotonic())
            except Exception:  # its rows grow late, and say so; all others go on
                log.exception("%s could not be looked at; tried again", self.name)
            time.sleep(LOOK_S)

    def look(self, now_s: float) -> None:
        """Ask for whatever is due.

        Args:
            now_s: monotonic seconds.
        """
        before, parts = self.heard, dict(self.heard.parts)
        for name, asked in PARTS.items():
            if now_s < self._asked_s.get(name, float("-inf")) + asked.every_s:
                continue
            parts[name] = self._part(name, parts)
            self._asked_s[name] = now_s
            stop = parts["rights"].amiss
            if stop is not None:  # then nothing of it is known as of now, and all is asked anew
                parts = {
                    n: p.failed(stop.why, stop.detail, self._now(), stop.fault)
                    for n, p in parts.items()
                }
                self._asked_s.clear()
                break
            self.heard = replace(before, parts=dict(parts))  # it may be long before the next comes
        self.heard = replace(before, parts=parts)
        if self.heard.plants != before.plants:
            for name in ("plants", "months", "reviews"):  # a plant came or went
                self._asked_s.pop(name, None)
        self._tell(before.amiss)

    def _part(self, name: str, parts: Mapping[str, Part]) -> Part:
        part, asked, rights = parts[name], PARTS[name], parts["rights"].seen
        if asked.right is not None and asked.right not in rights.rights:
            return part.failed(Why.LACKS, asked.right, self._now())
        try:
            raw, held = self._reviews() if name == "reviews" else self._whole(name, asked.path)
            require_plain(raw)
            seen = asked.read(raw)
        except RefusedError as error:
            return part.failed(Why.REFUSED, str(error), self._now(), fault_of(error.__cause__))
        except NotRunningError as error:
            return part.failed(Why.SILENT, str(error), self._now(), fault_of(error.__cause__))
        except ValueError as error:  # pydantic's own is one
            log.warning("%s: %s: %s", self.name, name, str(error)[:WRONG_MAX])
            return part.failed(Why.STRANGE, name, self._now())
        if name == "rights" and (fault := unusable(seen.rights, seen.region)):
            return part.failed(*fault, self._now())
        self._held[name] = held
        return Part(raw, seen, self._now(), None)

    def _whole(self, name: str, path: str, before: int = 0) -> tuple[Any, int]:
        """An answer, and the bytes of memory it takes with what came `before` of the same part."""
        answer = self.asked.ask(path)
        held = before + _memory(answer)
        if held + sum(self._held.values()) - self._held.get(name, 0) > BYTES_MAX:
            raise ValueError(f"all its answers take more memory than {BYTES_MAX} bytes")
        return self.asked.parsed(answer), held

    def _reviews(self) -> tuple[Any, int]:
        """All pages as one; what is no such answer as it is, for its shape to refuse."""
        found: list[Any] = []
        after, held = "", 0
        for _ in range(REVIEW_PAGES_MAX):
            raw, held = self._whole("reviews", f"reviews{after}", held)
            if not isinstance(raw, dict) or not isinstance(raw.get("reviews"), list):
                return raw, held
            found += raw["reviews"]
            if not isinstance(raw.get("next"), str):
                return {**raw, "reviews": found}, held
            after = f"?after={quote(raw['next'], safe='')}"
        return None, held  # a list that is not whole is none

    def _now(self) -> int:
        return self._clock.wall_ns()

    def _tell(self, before: Amiss | None) -> None:
        now = self.heard.amiss
        if now is None and before is not None:
            log.info("%s answers", self.name)
        elif now is not None and (before is None or before.why != now.why):
            log.warning("%s is not read: %s %s", self.name, now.why, now.detail)


def _memory(answer: bytes) -> int:
    """As many bytes as Python's objects of a JSON text take at most, without reading it.

    A character four, a value or a list 96, an object twice that: measured with CPython 3.11.
    """
    values = sum(answer.count(mark) for mark in (b",", b"[", b"{", b"{"))
    return 4 * len(answer) + 96 * values
