"""One plant's month so far, counted along its log: committed frames only, never live values.

Reads evidence; one thread at a time.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.accumulated.counters import is_asked_of_people
from cloud.accumulated.kept import Kept, KeptMonth, keep, left_off
from cloud.closing.zone import configuration_of
from cloud.collector.desk import PlantEvidence
from cloud.database.objects import StoredObject
from cloud.series.follow import AHEAD_NS
from edge.calc.folds.live_sums import LiveSums
from edge.calc.local_time import PlantDays, cut
from evidence import cose
from evidence.errors import MalformedError
from evidence.frame import decode_body, header_of
from evidence.frame_form import FrameForm
from evidence.log import Kind, decode_entry
from evidence.log_lines import about
from evidence.recompute import joined_blocks
from evidence.waiting import Common, Waiting

log = logging.getLogger("stackproof.cloud.accumulated")

#: objects of one step: some hundred milliseconds, after which another plant has its turn
STEP_OBJECTS = 512
#: and so long at most: the configuration of a gateway that means it is half a second
STEP_S = 5.0
#: months before the running one whose totalisers are remembered: a month is due within 40 days
PAST_MAX = 2


class PlantCount:
    """Follows one plant's log.

    Attributes:
        sums: of the month of the newest counted frame; None before the first.
        is_behind: there is more in the log than was counted.
        gateways: how many streams there are; only one can be counted, as in a month.
        unfit: frames that did not fit their configuration, since the start; they are not counted.
    """

    def __init__(self, evidence: PlantEvidence, path: Path) -> None:
        """Begin where `path` says it was left off, else with the newest frame's month."""
        self.sums: LiveSums | None = None
        self.is_behind = True
        self.gateways = self.unfit = 0
        self._evidence, self._path = evidence, path
        self._stream = ""
        self._next, self._first = 0, 0
        self._head = b""
        self._cfgs: list[bytes] = []  # of the month
        self._past: list[tuple[tuple[bytes, ...], LiveSums]] = []
        self._cfg, self._plant = b"", dict[str, Any]()
        self._form: FrameForm | None = None
        self._waiting, self._index = Waiting(), 0  # log index of the newest frame that waits
        self._kept_hour = 0

    def step(self) -> bool:
        """Count some more; True when it changed anything.

        Raises:
            StoreError: the disk disagrees.
            EvidenceError, PlantError: what is there cannot be calculated with.
        """
        streams = self._evidence.streams()
        self.gateways = len(streams)
        self.is_behind = False
        if len(streams) != 1 or (not self._stream and not self._begin(streams[0])):
            return False
        end = self._evidence.head(self._stream).next_seq
        stop = min(end, self._next + STEP_OBJECTS)
        if self._next == stop:
            return False
        until_s = time.monotonic() + STEP_S
        for stored in self._evidence.objects(self._stream, self._next, stop):
            self._take(stored)
            self._next, self._head = stored.seq + 1, stored.sha256
            if time.monotonic() >= until_s:
                break
        self.is_behind = self._next < end
        self._calculate()
        return True

    # -- where to begin ---------------------------------------------------------------------------

    def _begin(self, stream: str) -> bool:
        """False while the stream has no frame."""
        newest = self._newest_frame(stream)
        if newest is None:
            return False
        self._stream = stream
        config = self._config_of(header_of(cose.parse(newest.data)).cfg or b"")
        days = PlantDays(config["plant"]["time_zone"])
        received_ns = self._received_ns(newest.log_index)
        is_ahead = newest.at_ns >= received_ns + AHEAD_NS
        month = days.day(received_ns if is_ahead else newest.at_ns).month
        kept = left_off(self._path, self._evidence.plant)
        if kept is None or not self._restore(kept, month):
            self.sums = None
            self._first, _ = self._evidence.span(stream, *days.month_bounds(month))
            self._next = self._first
        return True

    def _newest_frame(self, stream: str) -> StoredObject | None:
        for seq in range(self._evidence.head(stream).next_seq - 1, -1, -1):
            (stored,) = self._evidence.objects(stream, seq, seq + 1)
            if stored.kind is Kind.FRAME:
                return stored
        return None

    def _restore(self, kept: Kept, month: str) -> bool:
        """Go on where it was left off; False when that is not of this log and month."""
        is_ours = (kept.stream, kept.month) == (self._stream, month) and kept.cfgs
        if not is_ours or self._evidence.hash_at(self._stream, kept.next_seq - 1) != kept.head:
            return False
        try:
            self.sums = self._resumed(kept.cfgs, kept.sums)
            past = [(one.cfgs, self._resumed(one.cfgs, one.sums)) for one in kept.past]
        except (LookupError, TypeError, ValueError) as error:
            log.warning(
                "%s does not fit (%r): the month is counted anew", self._path, error,
                extra=self._about,
            )  # fmt: skip
            return False
        if self.sums is None:
            log.info("%s: the month is counted anew, in turns", self._path, extra=self._about)
            return False
        self._next, self._head, self._cfgs = kept.next_seq, kept.head, list(kept.cfgs)
        self._past = [(cfgs, sums) for cfgs, sums in past if sums is not None]
        self._use(kept.cfgs[-1])
        return True

    def _resumed(self, cfgs: Sequence[bytes], snapshot: Mapping[str, Any]) -> LiveSums | None:
        """A month's sums; None where its configurations take longer than a step, and others wait.

        One of them is in memory at a time: all of a gateway's that signs without end took 4 GiB at
        each start.
        """
        until_s = time.monotonic() + STEP_S
        sums = LiveSums(self._config_of(cfgs[0]), snapshot["through"], is_start=False)
        for cfg in cfgs[1:]:
            if time.monotonic() >= until_s:
                return None
            sums.configure(self._config_of(cfg))
        sums.restore(snapshot)
        return sums

    def _config_of(self, cfg: bytes) -> Mapping[str, Any]:
        seq = self._evidence.configs(self._stream)[cfg]
        (stored,) = self._evidence.objects(self._stream, seq, seq + 1)
        return configuration_of(stored.data)

    def _received_ns(self, log_index: int) -> int:
        """When an object came."""
        ((_, entry),) = self._evidence.entries(log_index, log_index + 1)
        return decode_entry(entry).received_ns

    @property
    def _about(self) -> dict[str, str]:
        return about(self._evidence.plant, self._stream)

    # -- frames -----------------------------------------------------------------------------------

    def _use(self, cfg: bytes) -> FrameForm:
        """Read frames by this configuration from now on."""
        config = self._config_of(cfg)
        self._cfg, self._plant = cfg, config["plant"]
        self._form = FrameForm(config)
        return self._form

    def _take(self, stored: StoredObject) -> None:
        if stored.kind is not Kind.FRAME:
            return
        envelope = cose.parse(stored.data)
        cfg = header_of(envelope).cfg or b""
        body = decode_body(envelope.payload)
        if not self._waiting.takes(Common(self._stream, cfg), body):
            self._calculate()
        form = self._form if cfg == self._cfg and self._form is not None else self._use(cfg)
        try:
            form.check(body)
        except MalformedError as error:  # the verifier passes it over, too
            self.unfit += 1
            log.debug(
                "%s seq %d is not counted: %s", self._stream, stored.seq, error,
                extra=self._about,
            )  # fmt: skip
            return
        self._waiting.add(Common(self._stream, cfg), body, "")
        self._index = stored.log_index

    def _calculate(self) -> None:
        """With the frames that wait; one tick in years to come would be the month from then on."""
        waiting, self._waiting = self._waiting, Waiting()
        begins = [section.first_ns for body in waiting.bodies for section in body.sections]
        if not begins:
            return
        until_ns = self._received_ns(self._index) + AHEAD_NS
        if min(begins) >= until_ns:
            return
        groups = self._sums_at(min(begins)).groups
        rest, _ = cut(joined_blocks(waiting.bodies, groups), until_ns)
        while rest:
            sums = self._sums_at(min(int(block.ticks_ns[0]) for block in rest))
            before, rest = cut(rest, sums.to_ns)
            sums.feed(before)

    def _sums_at(self, at_ns: int) -> LiveSums:
        """The month that an instant lies in, with the configuration in force."""
        if self.sums is None or at_ns >= self.sums.to_ns:
            is_start = self.sums is None and self._first == 0
            if self.sums is not None and is_asked_of_people(self.sums):
                self._past = [*self._past, (tuple(self._cfgs), self.sums)][-PAST_MAX:]
            self.sums = LiveSums(self._config_of(self._cfg), at_ns, is_start=is_start)
            self._cfgs = [self._cfg]
        elif self._cfgs[-1] != self._cfg:
            self.sums.configure(self._config_of(self._cfg))
            self._cfgs.append(self._cfg)
        return self.sums

    # -- what it comes to -------------------------------------------------------------------------

    @property
    def past(self) -> Sequence[LiveSums]:
        """Months before this one in which people have to look at a totaliser, oldest first."""
        return [sums for _, sums in self._past]

    @property
    def plant(self) -> Mapping[str, Any]:
        """The plant's part of the newest configuration; empty before the first frame."""
        return self._plant

    def keep(self, *, hourly: bool = False) -> None:
        """Write how far it came; with `hourly` only in another hour than the last time. OSError."""
        if self.sums is None or self._waiting.bodies:  # some were read and not counted
            return
        hour = self.sums.through_ns // (3_600 * 10**9)
        if hourly and hour == self._kept_hour:
            return
        self._kept_hour = hour
        kept = Kept(
            self._stream, self.sums.month, self._next, self._head, tuple(self._cfgs),
            self.sums.snapshot(), tuple(KeptMonth(c, sums.snapshot()) for c, sums in self._past),
        )  # fmt: skip
        keep(self._path, kept)
