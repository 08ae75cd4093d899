"""Applies decisions to the store: one thread, no broker, no waiting.

`take` objects, `commit`, then look at the `Outcome`: whose receipts may be signed, what the live
page is to learn. Nothing a gateway sends makes `take` raise.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud.clock import Clock
from cloud.collector.identity import Certified, PlantIdentity, collector_keys
from cloud.collector.judge import Accepted, Ahead, Duplicate, Fork, Refused, Verdict, judge
from cloud.collector.rejects import Digest, Refusal, Rejects
from cloud.collector.topics import Sender
from cloud.store.plant import PlantStore
from cloud.store.slice import SliceStore
from evidence.keys import Signer
from evidence.log import Entry, Kind
from evidence.receipt import Receipt, encode_receipt

log = logging.getLogger("stackproof.cloud.collector")


@dataclass
class Outcome:
    """What one commit made true.

    Attributes:
        sealed: streams whose receipt is to go out: with new objects, or repeated ones.
        configs: configurations that are now in force, in order.
        closes: streams with a new close object.
        failed: plants whose evidence could not be written -> why.
    """

    sealed: set[Sender] = field(default_factory=set)
    configs: list[tuple[Sender, Mapping[str, Any]]] = field(default_factory=list)
    closes: set[Sender] = field(default_factory=set)
    failed: Mapping[str, OSError] = field(default_factory=dict)


@dataclass(frozen=True)
class _Plant:
    store: PlantStore
    identity: PlantIdentity
    keys: Mapping[tuple[str, bytes], Certified]
    gateways: frozenset[str]


class Intake:
    """The plants of a slice and what has been staged for them.

    Args:
        store: the slice's evidence.
        clock: wall clock for `received_ns`.
        signer: the collector's key.

    Attributes:
        rejects: what was refused, forked, ahead or repeated, counted.
        frames: frames accepted since the start, by stream.
        readings: readings in them.
    """

    def __init__(self, store: SliceStore, clock: Clock, signer: Signer) -> None:
        self.store, self._clock, self._signer = store, clock, signer
        self.rejects = Rejects()
        self.frames: Counter[Sender] = Counter()
        self.readings: Counter[Sender] = Counter()
        self._plants: dict[str, _Plant] = {}
        self._next = Outcome()
        self._ahead: set[Sender] = set()

    # -- plants -----------------------------------------------------------------------------------

    def open(self, identity: PlantIdentity) -> PlantStore:
        """Open a plant's evidence and stage ENROL entries for certificates that are new to it.

        Raises:
            StoreError: the disk refuses, or holds less than was signed (DamagedLogError).
            EvidenceError: a certificate in the plant's keys/ folder is damaged.
        """
        plant = identity.plant
        keys = collector_keys(identity.collector.key, self.store.folder(plant) / "keys")
        store = self.store.open_plant(plant, self._signer, keys)
        gateways = frozenset(certified.name for certified in identity.gateways)
        self._plants[plant] = _Plant(store, identity, identity.gateway_keys(), gateways)
        self._enrol(self._plants[plant])
        return store

    def _enrol(self, plant: _Plant) -> None:
        for certified in plant.identity.certified():
            if certified.fingerprint not in plant.store.state.enrolled:
                plant.store.stage_certificate(certified.file_name, certified.pem)
                plant.store.stage(_enrol_entry(certified, self._clock.wall_ns()))

    def plants(self) -> list[str]:
        """Open plants, sorted."""
        return sorted(self._plants)

    def gateways(self) -> list[Sender]:
        """Enrolled gateways of all open plants, sorted."""
        return [Sender(p, g) for p in self.plants() for g in sorted(self._plants[p].gateways)]

    def plant(self, plant: str) -> PlantStore:
        """An open plant's store; LookupError for any other."""
        return self._open(plant).store

    def identity(self, plant: str) -> PlantIdentity:
        """An open plant's certificates; LookupError for any other."""
        return self._open(plant).identity

    def _open(self, plant: str) -> _Plant:
        try:
            return self._plants[plant]
        except KeyError:
            reason = self.store.damaged.get(plant, "not a plant of this collector")
            raise LookupError(f"plant {plant}: {reason}") from None

    # -- objects ----------------------------------------------------------------------------------

    def take(self, sender: Sender, data: bytes, now_s: float) -> Verdict:
        """Decide about one object and stage what follows from it; never raises on its bytes.

        Args:
            sender: whose topic it came on.
            data: the object.
            now_s: monotonic seconds, for the pace of complaints.
        """
        plant = self._plants.get(sender.plant)
        if plant is None:
            reason = "damaged" if sender.plant in self.store.damaged else "unknown-plant"
            verdict: Verdict = Refused(reason, f"{reason}: {sender.plant}/{sender.gateway}")
        else:
            verdict = self._decide(plant, sender, data)
        if isinstance(verdict, Refused):
            self._refuse(plant, sender, data, verdict, now_s)
        return verdict

    def _decide(self, plant: _Plant, sender: Sender, data: bytes) -> Verdict:
        try:
            verdict = judge(data, sender, plant.keys, plant.store, self._clock.wall_ns())
            self._apply(plant.store, sender, data, verdict)
        except Exception as error:
            log.exception("object of %s/%s could not be judged", sender.plant, sender.gateway)
            return Refused("defect", repr(error))
        return verdict

    def _apply(self, store: PlantStore, sender: Sender, data: bytes, verdict: Verdict) -> None:
        name = f"{sender.plant}/{sender.gateway}"
        if isinstance(verdict, Accepted):
            self._accept(store, sender, data, verdict)
            return
        if isinstance(verdict, Refused):
            return
        self.rejects.counts[sender.plant, sender.gateway, type(verdict).__name__.lower()] += 1
        if isinstance(verdict, Duplicate):
            self._next.sealed.add(sender)
        elif isinstance(verdict, Fork) and store.stage_kept(verdict.entry, data):
            log.error("FORK: %s signed another seq %s; quarantined", name, verdict.entry.seq)
        elif isinstance(verdict, Ahead) and sender not in self._ahead:
            self._ahead.add(sender)
            log.warning("%s: seq %d came, %d is due", name, verdict.seq, verdict.due)

    def _accept(self, store: PlantStore, sender: Sender, data: bytes, accepted: Accepted) -> None:
        t0_ns, newest_ns = accepted.t0_ns, accepted.newest_ns
        store.stage_object(accepted.entry, data, t0_ns=t0_ns, newest_ns=newest_ns)
        self._ahead.discard(sender)
        self._next.sealed.add(sender)
        if accepted.entry.kind is Kind.FRAME:
            self.frames[sender] += 1
            self.readings[sender] += accepted.readings
        if accepted.config is not None:
            self._next.configs.append((sender, accepted.config))
        if accepted.close is not None:
            self._next.closes.add(sender)

    def _refuse(
        self, plant: _Plant | None, sender: Sender, data: bytes, refused: Refused, now_s: float
    ) -> None:
        # names of plants and gateways nobody enrolled are not kept: anyone can make any number
        refusal = Refusal(
            plant="" if plant is None else sender.plant,
            gateway=sender.gateway if plant and sender.gateway in plant.gateways else "",
            reason=refused.reason,
            sentence=refused.sentence,
            sha256=hashlib.sha256(data).digest(),
            length=len(data),
        )
        digest = self.rejects.add(refusal, now_s)
        if digest is not None:
            self._tell(digest)

    def tell_rejects(self, now_s: float) -> None:
        """Log the refusals that have waited long enough."""
        for digest in self.rejects.due(now_s):
            self._tell(digest)

    def _tell(self, digest: Digest) -> None:
        newest = digest.newest
        log.warning(
            "refused %d object(s) of %s: %s: %s",
            digest.count, newest.plant or "unknown plants", newest.reason, newest.sentence,
        )  # fmt: skip
        if newest.plant in self._plants:
            self._plants[newest.plant].store.stage(
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
        """There is something to commit, or a receipt to repeat."""
        return bool(self._next.sealed) or any(p.store.is_dirty for p in self._plants.values())

    def commit(self) -> Outcome:
        """Bring everything staged to disk and say what became true."""
        _, failed = self.store.commit()
        outcome, self._next = self._next, Outcome()
        outcome.failed = failed
        if failed:
            outcome.sealed = {s for s in outcome.sealed if s.plant not in failed}
            outcome.configs = [(s, c) for s, c in outcome.configs if s.plant not in failed]
            outcome.closes = {s for s in outcome.closes if s.plant not in failed}
            for plant in failed:
                self._enrol(self._plants[plant])  # what was dropped with the rest
        return outcome

    def receipt(self, sender: Sender) -> bytes:
        """The signed receipt of a stream's committed head; ValueError before its first object."""
        committed = self.plant(sender.plant).reader.committed
        stream = committed.state.stream(sender.gateway)
        if stream.last is None:
            raise ValueError(f"{sender} has no object")
        receipt = Receipt(
            plant=sender.plant,
            stream=sender.gateway,
            seq=stream.next_seq - 1,
            head=stream.last.sha256,
            log_index=stream.last.log_index,
            received_ns=stream.last.received_ns,
            checkpoint=committed.checkpoint,
        )
        return encode_receipt(receipt, self._signer)


def _enrol_entry(certified: Certified, received_ns: int) -> Entry:
    return Entry(
        kind=Kind.ENROL,
        received_ns=received_ns,
        epoch=0,
        stream=certified.name if certified.role == "gateway" else "",
        seq=None,
        sha256=certified.fingerprint,
        length=certified.length,
        detail={
            "role": certified.role,
            "name": certified.name,
            "certificate_sha256": certified.certificate_sha256,
        },
    )
