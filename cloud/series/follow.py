"""Follows the committed log of every plant into a store of series, a bounded piece at a time.

Committed frames only, never live values. How far it came stands in the store itself, so a store
that was away, full or lost catches up, and so does a collector that was. A minute is put when a
later reading shows that it is over: what stands once does not change. Reads evidence in a worker
thread.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cloud.closing.zone import configuration_of
from cloud.collector.desk import PlantEvidence
from cloud.collector.turns import Turns, size_of
from cloud.database.objects import StoredObject
from cloud.errors import StoreError
from cloud.series.bucket import HOUR_NS, MINUTE_NS
from cloud.series.columns import Columns, Running
from cloud.series.fold import Form, Room
from cloud.series.rollup import Rollup, pieces
from cloud.series.store import Batch, Mark, SeriesAwayError, SeriesRefusedError, SeriesStore
from evidence import cose
from evidence.frame import Body, decode_body, header_of
from evidence.log import Kind, decode_entry
from evidence.log_lines import about
from evidence.waiting import Common, Waiting

#: objects of one step: twenty minutes of frames, after which another plant has its turn
STEP_OBJECTS = 128
#: a tick so long after its frame came is in no series: it is of a clock that is wrong, or is meant
AHEAD_NS = 48 * HOUR_NS
#: seconds until a plant is looked at again: nothing new; the store is full; it failed
POLL_S, FULL_S, AGAIN_S = 15.0, 1.0, 600.0
#: seconds until a gateway's stream that cannot be read is tried again, while others go on
UNREAD_S = 60.0
#: of many plants each rests so long for each of them
REST_EACH_S = 0.02

log = logging.getLogger("stackproof.cloud.series")


@dataclass
class _Stream:
    """One gateway's.

    Attributes:
        mark: what was given to the store, which may put it later.
        read: no less: how far it was read. A minute may have more objects than a step.
        minutes: what was read beyond the mark.
    """

    mark: Mark
    read: Mark
    rollup: Rollup | None = None
    forms: dict[bytes, Form] = field(default_factory=dict)
    minutes: dict[int, Running] = field(default_factory=dict)


@dataclass(frozen=True)
class Followed:
    """How far a gateway's stream is in the store.

    Attributes:
        plant, gateway: whose.
        through_ns: every tick before is in the store.
        newest_ns: newest tick of the log, when it was looked at.
        objects: of the log that are not wholly in the store; those of a running minute are.
        unfit: frames since the start that did not fit their configuration; they are in no bucket.
    """

    plant: str
    gateway: str
    through_ns: int
    newest_ns: int
    objects: int
    unfit: int

    @property
    def behind_ns(self) -> int:
        """Ticks of how long the store has not; under two minutes, none is owed."""
        return max(0, self.newest_ns - self.through_ns) if self.newest_ns else 0


class Evidence(Protocol):
    """Whose evidence is followed."""

    def plants(self) -> Sequence[str]:
        """Ids of the plants. Asked from the event loop's thread."""

    def evidence(self, plant: str) -> PlantEvidence:
        """A plant's evidence; LookupError for a plant that is not there."""


class SeriesFollower:
    """Every plant of a collector.

    Args:
        desk: whose evidence is followed.
        store: what it is put into.
    """

    def __init__(self, desk: Evidence, store: SeriesStore) -> None:
        self._desk, self._store = desk, store
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._followed: dict[tuple[str, str], Followed] = {}
        # whose (a gateway, or "" for the plant) -> why it stands, and until when it rests
        self._trouble, self._rests = dict[tuple[str, str], str](), dict[tuple[str, str], float]()
        self._refused = dict[str, Mapping[str, Mark]]()  # plant -> its marks when that was heard
        self._is_closed = False
        self._told_s = dict[str, float]()
        self._unfit = dict[tuple[str, str], tuple[int, int]]()  # how many, and seq of the newest
        self._turns = Turns(REST_EACH_S)
        self._turn = threading.Lock()  # a step may still run when the collector is told to stop

    @property
    def kind(self) -> str:
        """Of the store."""
        return self._store.state().kind

    async def follow(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Go on for ever.

        Args:
            turn: waited for before each plant: evidence goes first.
        """
        while True:
            wait_s, plants = POLL_S, self._desk.plants()
            for plant in plants:
                if self._turns.is_due(plant, self._news(plant), len(plants)):
                    await turn()
                    wait_s = min(wait_s, await asyncio.to_thread(self.step, plant))
            await asyncio.sleep(wait_s)

    def _news(self, plant: str) -> object:
        return size_of(self._desk, plant), self._store.state().lost

    def close(self) -> None:
        """Let go of the store, when the step that runs is done; there is no other after it."""
        with self._turn:
            self._is_closed = True
            self._store.close()

    def step(self, plant: str) -> float:
        """Follow a plant some more; seconds after which it wants to be followed again."""
        with self._turn:
            if self._is_closed:
                return POLL_S
            is_full = self._store.is_full()
            if is_full or self._is_resting(plant):
                self._tell_of_waiting(plant)
                return FULL_S if is_full else POLL_S
            is_behind = False
            with self._own(plant):
                is_behind = self._step(self._desk.evidence(plant))
                at = self._refused.get(plant)
                if at is None or at != self._store.marks(plant):
                    self._refused.pop(plant, None)
                    self._trouble.pop((plant, ""), None)
                # else it is no further: what was refused may be refused again
            return 0.0 if is_behind else POLL_S

    @contextlib.contextmanager
    def _own(self, plant: str, gateway: str = "") -> Iterator[None]:
        """What goes wrong within holds up this one alone: a plant, or a gateway of it."""
        try:
            yield
        except (StoreError, OSError, LookupError) as error:
            if gateway and isinstance(error, SeriesAwayError | SeriesRefusedError):
                raise  # the store's word is of the whole plant
            self._stumbled(plant, gateway, str(error), UNREAD_S if gateway else 0.0)
        except Exception as error:  # a gateway signed what nobody thought of; others go on
            told, whose = "%s: its series cannot be made; tried again", _named(plant, gateway)
            log.exception(told, whose, extra=about(plant, gateway))
            self._stumbled(plant, gateway, repr(error), AGAIN_S)

    def _is_resting(self, plant: str, gateway: str = "") -> bool:
        return time.monotonic() < self._rests.get((plant, gateway), 0.0)

    def _is_refused(self, plant: str) -> bool:
        """Has the store refused something of a plant? Then it rests, as one that fails."""
        why = self._store.refused(plant)
        if why:
            self._stumbled(plant, "", why, AGAIN_S)
            self._refused[plant] = self._store.marks(plant)
        return bool(why)

    def _stumbled(self, plant: str, gateway: str, why: str, rest_s: float) -> None:
        if self._trouble.get((plant, gateway)) != why:  # it is tried again and again
            told, whose = "%s: its series do not go on just now: %s", _named(plant, gateway)
            log.warning(told, whose, why, extra=about(plant, gateway))
        self._trouble[plant, gateway] = why
        self._rests[plant, gateway] = time.monotonic() + rest_s
        self._forget_streams(plant, gateway)  # begins again with what the store has

    def _forget_streams(self, plant: str, gateway: str = "") -> None:
        for key in [key for key in self._streams if key[0] == plant and gateway in ("", key[1])]:
            del self._streams[key]

    def followed(self) -> Sequence[Followed]:
        """How far every stream is, as of its last step. Any thread."""
        return sorted(self._followed.copy().values(), key=lambda one: (one.plant, one.gateway))

    def trouble(self) -> Mapping[tuple[str, str], str]:
        """(plant, gateway) -> why it does not go on, a sentence. Any thread.

        The gateway is "" where it is of the whole plant.
        """
        return self._trouble.copy()

    # -- one plant --------------------------------------------------------------------------------

    def _step(self, evidence: PlantEvidence) -> bool:
        """True while there is more in its log."""
        plant, news, is_behind = evidence.plant, self._news(evidence.plant), False
        if self._is_refused(plant):
            return False
        is_put = not self._store.state().waiting  # asked before the marks: none is of a moment ago
        marks = self._store.marks(plant)
        for gateway in evidence.streams() if is_put else ():
            stream = self._streams.get((plant, gateway))
            if stream is not None and stream.mark != marks.get(gateway, Mark()):
                self._forget_streams(plant, gateway)  # the store lost what was followed
        fits = {gateway: self._fits(evidence, gateway, mark) for gateway, mark in marks.items()}
        if False in fits.values():
            told = "%s: its log is another one than was followed: series are made anew"
            log.warning(told, plant, extra=about(plant))
            self._store.forget(plant)
            self._forget_streams(plant)
            marks, fits = {}, {}
        try:
            for gateway in evidence.streams():
                is_unread = fits.get(gateway, True) is None or self._is_resting(plant, gateway)
                if is_unread or self._store.is_full():
                    continue
                with self._own(plant, gateway):
                    mark = marks.get(gateway, Mark())
                    stream = self._streams.setdefault((plant, gateway), _Stream(mark, mark))
                    is_behind |= self._follow(evidence, gateway, stream)
                    self._trouble.pop((plant, gateway), None)
        finally:  # what is held up is told with how far the log went on meanwhile
            waits = self._tell(evidence)
        if not (is_behind or waits or self._store.is_full()):
            self._turns.looked(plant, news)
        return is_behind

    def _fits(self, evidence: PlantEvidence, gateway: str, mark: Mark) -> bool | None:
        """Is the stream the one that was followed? None where that cannot be read."""
        with self._own(evidence.plant, gateway):
            seq = mark.next_seq - 1
            if not mark.next_seq or evidence.hash_at(gateway, seq) == mark.head:
                return True
            for _ in evidence.objects(gateway, seq, mark.next_seq):
                pass  # a damaged hash is no other log: who reads the object itself stumbles
            return False
        return None  # what went wrong is told

    def _tell_of_waiting(self, plant: str) -> None:
        """What is owed grows while nothing goes on."""
        if time.monotonic() >= self._told_s.get(plant, float("-inf")) + POLL_S:
            # what is amiss with the plant itself is told at its turn
            with contextlib.suppress(StoreError, OSError, LookupError):
                self._tell(self._desk.evidence(plant))

    def _tell(self, evidence: PlantEvidence) -> bool:
        """How far each stream is; True where the store has not put all that was followed."""
        self._told_s[evidence.plant] = time.monotonic()
        plant, waits, marks = evidence.plant, False, self._store.marks(evidence.plant)
        for gateway in evidence.streams():
            key, mark = (plant, gateway), marks.get(gateway, Mark())
            stream = self._streams.get(key)  # None of one that stumbled
            waits |= stream is None or mark != stream.mark
            self._followed[key] = Followed(
                plant, gateway, mark.through_ns, evidence.newest_ns(gateway),
                evidence.head(gateway).next_seq - mark.next_seq, self._unfit.get(key, (0, -1))[0],
            )  # fmt: skip
        return waits

    def _follow(self, evidence: PlantEvidence, gateway: str, stream: _Stream) -> bool:
        mark, end = stream.mark, evidence.head(gateway).next_seq
        stop = min(end, stream.read.next_seq + STEP_OBJECTS)
        to_ns = _through_ns(evidence, gateway, stop) // MINUTE_NS * MINUTE_NS
        is_over = to_ns > mark.through_ns  # else all of it is of the minute that runs
        if self._store.is_full() or not (is_over or stop < end):
            return False
        until_ns = to_ns if is_over else mark.through_ns + MINUTE_NS
        read, log_index = self._read(evidence, gateway, stream, stop, until_ns)
        if not is_over:
            stream.read = read._replace(through_ns=mark.through_ns)
            return True
        rows: Mapping[int, Sequence[Columns]] = {}
        if stream.rollup is not None:  # None while no frame had a configuration
            late_ns = _received_ns(evidence, log_index) + AHEAD_NS
            for from_ns in sorted(one for one in stream.minutes if one < late_ns):
                stream.rollup.minute(stream.minutes[from_ns])
            rows = stream.rollup.ended(read.through_ns)
        stream.minutes = {}
        self._store.put(Batch(evidence.plant, gateway, rows, read, mark))
        stream.mark = stream.read = read
        return stop < end or read.through_ns < to_ns

    def _read(
        self, evidence: PlantEvidence, gateway: str, stream: _Stream, stop: int, to_ns: int
    ) -> tuple[Mark, int]:
        """Add minutes before `to_ns` of objects before `stop`, as many as there is room for.

        Returns:
            Where to go on after them, and the log's index of the newest that was looked at.
        """
        found, from_ns = stream.minutes, stream.mark.through_ns
        waiting, after, room, log_index = Waiting(), stream.read, Room(to_ns), -1
        for stored in evidence.objects(gateway, after.next_seq, stop):
            log_index = stored.log_index
            fitting = self._fitting(evidence, gateway, stream, stored)
            if fitting is not None:
                common, form, body = fitting
                if not waiting.takes(common, body):
                    room.fold(waiting, from_ns, found)
                    waiting = Waiting()
                waiting.add(common, body, "")
                room.take(form, body, from_ns)
            if stored.through_ns >= room.to_ns:
                break
            after = Mark(stored.seq + 1, stored.sha256)
        room.fold(waiting, from_ns, found)
        return after._replace(through_ns=room.to_ns), log_index

    def _fitting(
        self, evidence: PlantEvidence, gateway: str, stream: _Stream, stored: StoredObject
    ) -> tuple[Common, Form, Body] | None:
        """A frame and what its configuration says; None for what is no frame, or does not fit."""
        if stored.kind is not Kind.FRAME:
            return None
        envelope = cose.parse(stored.data)
        body, cfg = decode_body(envelope.payload), header_of(envelope).cfg or b""
        form = self._form(evidence, gateway, stream, cfg)
        if form is not None and form.fits(body):
            return Common(gateway, cfg), form, body
        self._count_unfit((evidence.plant, gateway), stored.seq)
        of = about(evidence.plant, gateway)
        log.debug("%s seq %d does not fit: in no series", gateway, stored.seq, extra=of)
        return None

    def _count_unfit(self, whose: tuple[str, str], seq: int) -> None:
        """One is read again with what comes after it, or from the mark on."""
        count, newest = self._unfit.get(whose, (0, -1))
        if seq > newest:
            self._unfit[whose] = count + 1, seq

    def _form(
        self, evidence: PlantEvidence, gateway: str, stream: _Stream, cfg: bytes
    ) -> Form | None:
        """What a configuration says; None for one that is not there."""
        if cfg not in stream.forms:
            seq = evidence.configs(gateway).get(cfg)
            if seq is None:
                return None
            (held,) = evidence.objects(gateway, seq, seq + 1)
            form = Form(configuration_of(held.data), evidence.plant, gateway)
            stream.forms = {cfg: form}  # frames name none before it again
            if stream.rollup is None:
                stream.rollup = self._resumed(evidence.plant, gateway, stream.mark, form.zone)
        return stream.forms[cfg]

    def _resumed(self, plant: str, gateway: str, mark: Mark, zone: str) -> Rollup:
        """The running hour and day, as far as the store has them."""
        through_ns, rollup = mark.through_ns, Rollup(zone, mark.through_ns)
        hour_ns, day = rollup.running
        if through_ns:
            hour, today = (
                [
                    self._store.read(step_s, plant, first, last, gateway=gateway)
                    for step_s, first, last in pieces(from_ns, through_ns)
                ]
                for from_ns in (hour_ns, day.start_ns)
            )
            rollup.resume(hour, today)
        return rollup


def _named(plant: str, gateway: str) -> str:
    return f"{plant}/{gateway}" if gateway else plant


def _received_ns(evidence: PlantEvidence, log_index: int) -> int:
    ((_, entry),) = evidence.entries(log_index, log_index + 1)
    return decode_entry(entry).received_ns


def _through_ns(evidence: PlantEvidence, gateway: str, stop: int) -> int:
    """Newest tick of the objects before one."""
    return max((one.through_ns for one in evidence.objects(gateway, stop - 1, stop)), default=0)
