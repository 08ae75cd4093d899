"""Asks one collector again and again, and keeps what it says. Network I/O, on a thread of its own.

One that is silent holds up nobody but itself. Nothing is shared with it, nothing is written.
"""

import logging
import threading
import time
from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from cloud.answers import TooLongError
from cloud.asking import RunningCollector
from cloud.clock import Clock
from cloud.errors import NotRunningError, RefusedError
from cloud.front.config import CollectorAt
from cloud.front.faults import fault_of
from cloud.front.heard import Amiss, Heard, Part, Why, unheard, unusable
from cloud.front.own import onward
from cloud.front.parts import LOOK_S, PARTS, Asked
from cloud.front.shapes import Reviews, require_plain

log = logging.getLogger("stackproof.cloud.front")

#: memory that all answers of one collector take together, so that none ends the front for all: the
#: unit's bound less one more answer, which comes before the older one goes
BYTES_MAX = 1 << 30
#: of what is told of a wrong answer, characters
WRONG_MAX = 500
#: pages of reviews that are read of a collector, and seconds for all of them: one of before gives
#: all it has, 300 on a page
REVIEW_PAGES_MAX, PAGES_S = 300, 300.0


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
            kept = _kept(raw, asked, Heard(self.name, "", parts).plants)
            raw, seen = kept, seen if kept is raw else asked.read(kept)
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
        try:
            answer = self.asked.ask(path)
        except NotRunningError as error:
            if not isinstance(error.__cause__, TooLongError):
                raise
            # a collector of before gives all it has
            raise ValueError(f"{error.__cause__}: where it is older, upgrade it") from error
        held = before + _memory(answer)
        if held + sum(self._held.values()) - self._held.get(name, 0) > BYTES_MAX:
            raise ValueError(f"all its answers take more memory than {BYTES_MAX} bytes")
        return self.asked.parsed(answer), held

    def _reviews(self) -> tuple[Any, int]:
        """All pages as one, or ValueError: a list that is not whole is none."""
        asked, found, held = PARTS["reviews"], list[Any](), 0
        path, place, until_s = asked.path, None, time.monotonic() + PAGES_S
        for _ in range(REVIEW_PAGES_MAX):
            raw, held = self._whole("reviews", path, held)
            page: Reviews = asked.read(raw)
            place = onward(page, place)
            found += raw["reviews"]
            if page.next is None:
                return {**raw, "reviews": found}, held
            if time.monotonic() > until_s:
                raise ValueError(f"its pages of reviews take longer than {PAGES_S:.0f} s")
            path = f"{asked.path}&after={quote(page.next, safe='')}"
        told = "a collector of this version needs fewer: upgrade it"
        raise ValueError(f"it has more than {REVIEW_PAGES_MAX} pages of reviews; {told}")

    def _now(self) -> int:
        return self._clock.wall_ns()

    def _tell(self, before: Amiss | None) -> None:
        now = self.heard.amiss
        if now is None and before is not None:
            log.info("%s answers", self.name)
        elif now is not None and (before is None or before.why != now.why):
            log.warning("%s is not read: %s %s", self.name, now.why, now.detail)


def _kept(raw: Any, asked: Asked, plants: Set[str]) -> Any:  # noqa: ANN401 - JSON
    """An answer that fits its shape, with the rows that are kept of it: itself, where all are."""
    if asked.keep is None:
        return raw
    rows = raw[asked.rows] if asked.rows else raw
    kept = asked.keep(rows, plants)
    if len(kept) == len(rows):
        return raw
    return {**raw, asked.rows: kept} if asked.rows else kept


def _memory(answer: bytes) -> int:
    """As many bytes as Python's objects of a JSON text take at most, without reading it.

    A character four, a value or a list 96, an object twice that: measured with CPython 3.11.
    """
    values = sum(answer.count(mark) for mark in (b",", b"[", b"{", b"{"))
    return 4 * len(answer) + 96 * values
