"""Applies decisions to the store: one thread, no broker, no waiting.

`take` objects, `commit`, then look at the `Outcome`: whose receipts may be signed, what the live
page is to learn. Nothing a gateway sends makes `take` raise.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud.clock import Clock
from cloud.collector.identity import PlantIdentity, collector_keys
from cloud.collector.judge import Accepted, Ahead, Aside, Duplicate, Refused, Verdict, judge
from cloud.collector.missing import Missed, Missing
from cloud.collector.plant import EnrolledPlant, KeyNews
from cloud.collector.plants import Plants
from cloud.collector.rejects import ALARMS, INTERVAL_S, Digest, Refusal, Rejects, plain
from cloud.collector.seen import Seen
from cloud.collector.simulated import simulated_only
from cloud.collector.standing import STALLS, STALLS_AT_DUE, Standing
from cloud.collector.topics import Sender
from cloud.collector.watch import Watch
from cloud.database.state import Committed
from cloud.database.store import EvidenceStore, Failure
from cloud.database.writer import PlantWriter
from cloud.errors import ReceiptWithheldError, StoreError
from evidence import cose
from evidence.frame import place_of
from evidence.keys import Signer
from evidence.log import Entry, Kind
from evidence.log_lines import about
from evidence.receipt import Receipt, encode_receipt
from evidence.suites import PublicKey

log = logging.getLogger("stackproof.cloud.collector")


@dataclass
class Outcome:
    """What one commit made true.

    Attributes:
        sealed: streams whose receipt is to go out: with new objects, or repeated ones.
        configs: configurations that are now in force.
        closes: streams with a new close object.
        alarmed: plants at which something came that people must look at.
        written: plants whose evidence was written.
        failed: plants whose evidence could not be written -> why.
    """

    sealed: set[Sender] = field(default_factory=set)
    configs: dict[Sender, Mapping[str, Any]] = field(default_factory=dict)
    closes: set[Sender] = field(default_factory=set)
    alarmed: set[str] = field(default_factory=set)
    written: frozenset[str] = frozenset()
    failed: Mapping[str, Failure] = field(default_factory=dict)


class Intake:
    """The plants of a slice and what has been staged for them.

    Args:
        store: the slice's evidence.
        clock: wall clock for `received_ns`.
        signer: the collector's key.
        doubt: why the clock is not believed just then, "" when it is (`cloud.clock.SteadyClock`).
        only_simulated: refuse the configuration of a plant that is not: the clock is simulated.

    Attributes:
        plants: which are open.
        standing: what people must look at for as long as it is so.
        watch: what becomes so by time alone.
        rejects: what was refused, forked, ahead or repeated, counted.
        missing: what later objects show to be missing.
        frames: frames accepted since the start, by stream.
        readings: readings in them.
        anchors: the newest seq of a stream that was looked at, and the log that it names.
    """

    def __init__(
        self, store: EvidenceStore, clock: Clock, signer: Signer, doubt: Callable[[], str] = str,
        *, only_simulated: bool = False,
    ) -> None:  # fmt: skip
        self.store, self._clock, self._signer = store, clock, signer
        self._only_simulated = only_simulated
        self.rejects, self.missing, self.standing = Rejects(), Missing(), Standing()
        self.plants = Plants(store)
        self.watch = Watch(self.plants, self.standing, clock, doubt)
        self.frames: Counter[Sender] = Counter()
        self.readings: Counter[Sender] = Counter()
        self._next = Outcome()
        self._told: list[Digest] = []
        self._traced_s = float("-inf")
        self.anchors: dict[Sender, tuple[int, tuple[int, bytes] | None]] = {}

    # -- plants -----------------------------------------------------------------------------------

    def log_of(self, identity: PlantIdentity) -> tuple[PlantWriter, Sequence[PublicKey]]:
        """A plant's log, opened if it is not, and whose keys it has; raises as `open` does."""
        keys = collector_keys(identity, self.store.certificates(identity.plant))
        return self.store.open_plant(identity.plant, self._signer, keys), keys

    def open(self, identity: PlantIdentity) -> EnrolledPlant:
        """Open a plant's evidence and stage an entry for each key that is new to it.

        Raises:
            StoreError: the disk refuses, or holds less than was signed (DamagedLogError).
            EvidenceError: its certificates cannot all count.
        """
        plant = identity.plant
        store, keys = self.log_of(identity)
        opened = EnrolledPlant(store, identity, self._clock, keys)
        self.plants.add(plant, opened)
        for kept in opened.kept_aside():
            self.rejects.note(plant, opened.enrolled(kept.stream), kept.verdict, kept.received_ns)
        return opened

    def look_for_keys(self, plant: str) -> KeyNews:
        """Take in what is new in the operator's folder; it counts at once, and is staged.

        Raises:
            LookupError: no such plant.
            StoreError: it is not served, or the clock is not believed.
        """
        self.watch.require_clock()
        news = self.plants.require(plant).look()
        for sentence in news.taken:
            log.warning("plant %s: keys: %s", plant, sentence, extra=about(plant))
        for sentence in news.problems:
            log.error("plant %s: keys: %s", plant, sentence, extra=about(plant))
        for gateway in news.ordered:  # what was due before the order is so no more
            self._goes_on(Sender(plant, gateway))
        return news

    def gateways(self) -> list[Sender]:
        """Enrolled gateways of all served plants, sorted."""
        served = [(plant, self.plants.get(plant)) for plant in self.plants]
        return [
            Sender(plant, gateway)
            for plant, enrolled in served
            if enrolled is not None
            for gateway in sorted(enrolled.keyring.gateways)
        ]

    def plant(self, plant: str) -> PlantWriter:
        """A served plant's store; StoreError for one that waits, LookupError for any other."""
        return self.plants.require(plant).store

    # -- objects ----------------------------------------------------------------------------------

    def take(self, sender: Sender, data: bytes, now_s: float, seen: Seen | None = None) -> Verdict:
        """Decide about one object and stage what follows from it; never raises on its bytes.

        Args:
            sender: whose topic it came on.
            data: the object.
            now_s: monotonic seconds, for the pace of complaints.
            seen: what was seen of it ahead.
        """
        doubt = self.watch.doubt()
        if doubt:  # not even that it came is logged: its time would be wrong for good
            return Refused("clock", doubt)
        plant = self.plants.get(sender.plant)
        if plant is None:
            reason = "not-served" if sender.plant in self.plants.not_served() else "unknown-plant"
            verdict: Verdict = Refused(reason, f"{reason}: {sender.plant}/{sender.gateway}")
        else:
            verdict = self._decide(plant, sender, data, now_s, seen)
        if isinstance(verdict, Refused):
            self._refuse(plant, sender, data, verdict, now_s)
        return verdict

    def _decide(
        self, plant: EnrolledPlant, sender: Sender, data: bytes, now_s: float, seen: Seen | None
    ) -> Verdict:
        try:
            received_ns = plant.received_ns()
            verdict = judge(data, sender, plant.keyring, plant.store, received_ns, seen=seen)
            if self._only_simulated and isinstance(verdict, Accepted):
                verdict = simulated_only(verdict)
            return self._apply(plant, sender, data, verdict, now_s)
        except (OSError, StoreError) as error:
            # it is sent again; nothing is logged on a disk that fails or gives back other bytes
            return Refused("disk", f"evidence cannot be had: {error}")
        except Exception as error:  # by whatever a gateway sent; the others go on
            if now_s >= self._traced_s + INTERVAL_S:  # whoever found how could do it for ever
                self._traced_s = now_s
                log.exception("object of %s could not be judged", sender, extra=sender.about)
            return Refused("defect", repr(error))

    def _apply(
        self, plant: EnrolledPlant, sender: Sender, data: bytes, verdict: Verdict, now_s: float
    ) -> Verdict:
        if isinstance(verdict, Accepted):
            self._accept(plant, sender, data, verdict)
        elif isinstance(verdict, Aside):
            return self._put_aside(plant, sender, data, verdict, now_s)
        elif isinstance(verdict, Duplicate):
            self.rejects.count(sender.plant, sender.gateway, "duplicate")
            self._next.sealed.add(sender)
        elif isinstance(verdict, Ahead):
            self.rejects.count(sender.plant, sender.gateway, "ahead")
            plant.store.note_named(sender.gateway, verdict.seq, verdict.before)
            if verdict.is_verified and self.missing.note(
                sender, verdict.due, verdict.seq, self._clock.wall_ns()
            ):
                told = (sender, verdict.seq, verdict.due)
                log.warning("%s: seq %d came, %d is due", *told, extra=sender.about)
        return verdict

    def _accept(
        self, plant: EnrolledPlant, sender: Sender, data: bytes, accepted: Accepted
    ) -> None:
        plant.accept(accepted, data)
        self.anchors[sender] = accepted.entry.seq or 0, accepted.anchor
        self.missing.settle(sender, self.anchors[sender][0] + 1, self._clock.wall_ns())
        self._next.sealed.add(sender)
        if self.standing.end(sender.plant, sender.gateway, STALLS):
            self._next.alarmed.add(sender.plant)
        if accepted.entry.kind is Kind.FRAME:
            self.frames[sender] += 1
            self.readings[sender] += accepted.readings
            newest_ns, received_ns = accepted.newest_ns, accepted.entry.received_ns
            if newest_ns and self.watch.check_gateway(sender, newest_ns, received_ns):
                self._next.alarmed.add(sender.plant)
        if accepted.config is not None:
            self._next.configs[sender] = accepted.config
        if accepted.close is not None:
            self._next.closes.add(sender)

    def _goes_on(self, sender: Sender) -> None:
        """An order was taken: what stalled the stream, or was missing of it, is so no more."""
        self.missing.forget(sender)
        self.standing.end(sender.plant, sender.gateway, STALLS)
        self._next.alarmed.add(sender.plant)

    def _put_aside(
        self, plant: EnrolledPlant, sender: Sender, data: bytes, aside: Aside, now_s: float
    ) -> Verdict:
        """Keep an object for people to look at, within bounds; beyond them it is counted."""
        entry, store, sentence = aside.entry, plant.store, plain(aside.sentence)
        gateway = plant.enrolled(sender.gateway)
        is_new = entry.sha256 not in store.state.kept
        if entry.certificate and entry.seq == store.stream(sender.gateway).next_seq:
            self.missing.block(sender, entry.seq, sentence)
        if is_new and not (plant.room.has_room(entry, now_s) and store.stage_kept(entry, data)):
            return Refused(f"{entry.verdict}-not-kept", aside.sentence)
        self.rejects.note(sender.plant, gateway, entry.verdict, entry.received_ns, sentence)
        if is_new:
            plant.room.take(entry, now_s)
            self._next.alarmed.add(sender.plant)
            log.error(
                "%s of %s, kept aside: %s",
                entry.verdict.upper(), sender, sentence, extra=sender.about,
            )  # fmt: skip
        return aside

    def _refuse(
        self, plant: EnrolledPlant | None, sender: Sender, data: bytes, refused: Refused,
        now_s: float,
    ) -> None:  # fmt: skip
        refusal = Refusal(
            plant="" if plant is None else sender.plant,
            gateway="" if plant is None else plant.enrolled(sender.gateway),
            reason=refused.reason,
            sentence=plain(refused.sentence),
            sha256=hashlib.sha256(data).digest(),
            length=len(data),
            at_ns=self._clock.wall_ns(),
        )
        if refusal.gateway and plant is not None:
            due = plant.store.stream(sender.gateway).next_seq
            if refused.seq is not None:
                self.missing.lack(sender, due, refused.seq, refusal.at_ns)
            if refused.reason in STALLS_AT_DUE:
                self.missing.block(sender, due, refusal.sentence)
            if refused.reason in STALLS and self.standing.count(
                sender.plant, sender.gateway, refused.reason, refusal.at_ns, refusal.sentence
            ):
                self._next.alarmed.add(sender.plant)
        if plant is not None and refused.reason in ALARMS:
            self._next.alarmed.add(sender.plant)
        digest = self.rejects.add(refusal, now_s)
        if digest is not None:
            self._tell(digest)

    def lasting_missing(self) -> Mapping[Sender, Missed]:
        """What has been missing for so long that people must know."""
        return self.missing.lasting(self._clock.wall_ns())

    def tell_rejects(self, now_s: float) -> None:
        """Log the refusals that have waited long enough; none while the clock is not believed."""
        if self.watch.doubt():
            return
        for digest in self.rejects.due(now_s):
            self._tell(digest)

    def next_tell_s(self) -> float | None:
        """When `tell_rejects` has something to say, None while it has not."""
        return None if self.watch.doubt() else self.rejects.next_due_s()

    def _tell(self, digest: Digest) -> None:
        newest = digest.newest
        log.warning(
            "refused %d object(s) of %s: %s: %s",
            digest.count, newest.plant or "unknown plants", newest.reason, newest.sentence,
            extra=about(newest.plant),
        )  # fmt: skip
        plant = self.plants.get(newest.plant)
        if plant is not None and newest.reason != "disk":
            self._told.append(digest)
            plant.store.stage(
                Entry(
                    kind=Kind.REJECT,
                    received_ns=self._clock.wall_ns(),
                    epoch=0,
                    stream=newest.gateway,
                    seq=None,
                    sha256=newest.sha256,
                    length=newest.length,
                    verdict=newest.reason,
                    detail={"count": digest.count},
                )
            )

    # -- commit -----------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """There is something to commit, or to tell."""
        told = self._next.sealed or self._next.alarmed
        return bool(told) or any(store.is_dirty for store in self.store.plants.values())

    def commit(self) -> Outcome:
        """Bring everything staged to disk and say what became true."""
        written, failed = self.store.commit()
        outcome, self._next = self._next, Outcome()
        outcome.written, outcome.failed = frozenset(store.plant for store in written), failed
        told, self._told = self._told, []
        if failed:
            for digest in told:
                if digest.newest.plant in failed:
                    self.rejects.give_back(digest)
            outcome.sealed = {s for s in outcome.sealed if s.plant not in failed}
            outcome.configs = {s: c for s, c in outcome.configs.items() if s.plant not in failed}
            outcome.closes = {s for s in outcome.closes if s.plant not in failed}
            for plant in failed:
                self.plants.start_again(plant)
        return outcome

    def receipt(self, sender: Sender) -> bytes:
        """The signed receipt of a stream's committed head.

        Raises:
            ValueError: before its first object.
            ReceiptWithheldError: the gateway has seen another log than the one here.
        """
        reader = self.plant(sender.plant).reader
        committed = reader.committed
        stream = committed.state.stream(sender.gateway)
        if stream.last is None:
            raise ValueError(f"{sender} has no object")
        since = self._anchored_at(sender, committed)
        path = reader.consistency_path(since, committed.state.size) if since else []
        receipt = Receipt(
            plant=sender.plant,
            stream=sender.gateway,
            seq=stream.next_seq - 1,
            head=stream.last.sha256,
            log_index=stream.last.log_index,
            received_ns=stream.last.received_ns,
            checkpoint=committed.checkpoint,
            since=since,
            path=tuple(path),
        )
        return encode_receipt(receipt, self._signer)

    def _anchored_at(self, sender: Sender, committed: Committed) -> int:
        """Log size in the anchor of a stream's newest object; 0 where it has none."""
        newest = committed.state.stream(sender.gateway).next_seq - 1
        store = self.plant(sender.plant)
        seq, anchor = self.anchors.get(sender, (-1, None))
        if seq != newest:  # after a start, or a commit that failed
            (found,) = store.reader.objects(sender.gateway, newest, newest + 1)
            anchor = place_of(cose.parse(found.data)).anchor
            self.anchors[sender] = newest, anchor
        if anchor is None:
            return 0
        if store.root_at(anchor[0]) != anchor[1]:
            sentence = (
                f"its object seq {newest} names a log of {anchor[0]} entries that is not here"
            )
            now_ns = self._clock.wall_ns()
            self.rejects.note(sender.plant, sender.gateway, "anchor", now_ns, sentence)
            self._next.alarmed.add(sender.plant)
            raise ReceiptWithheldError(f"{sender.plant}/{sender.gateway}: {sentence}")
        return anchor[0]
