"""One plant of the collector: its evidence, its keys, and how new keys come in.

Keys come from CLOUD.toml, from the operator's folder (at start and on order), from rotate objects
in the streams, and from what stands beside the log. Whatever of it the log does not name yet is
staged, so that a certificate or order is in the log before anything rests on it. The collector's
thread only, but for `keyring` and `identity`, which any thread may read.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloud.clock import Clock
from cloud.collector.aside import AsideRoom
from cloud.collector.identity import Certified, PlantIdentity
from cloud.collector.judge import Accepted
from cloud.collector.key_folder import read_kept, read_offered
from cloud.collector.keyring import Keyring, SignedOrder
from cloud.database.writer import PlantWriter
from evidence.custody import Change
from evidence.frame import Gap
from evidence.keys import KEY_ID_BYTES, spki
from evidence.log import Entry, Kind, decode_entry
from evidence.log_lines import about
from evidence.orders import Order, Replace, Revoke
from evidence.suites import PublicKey

log = logging.getLogger("stackproof.cloud.collector")


@dataclass(frozen=True)
class KeyNews:
    """What a look into the operator's folder brought.

    Attributes:
        taken: a sentence for each certificate and order that counts from now on.
        problems: a sentence for each file that does not count.
        ordered: gateways that an order among them is about.
    """

    taken: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()


class EnrolledPlant:
    """A plant whose evidence is open.

    Args:
        store: its evidence.
        identity: what CLOUD.toml says of it.
        clock: wall clock.
        collectors: keys that sign or have signed its log.

    Attributes:
        keyring: its gateways' keys.
        room: for objects kept aside.
        news: what the operator's folder brought at the start.

    Raises:
        DamagedLogError: a certificate in the plant's keys/ folder is damaged, or an order that
            the log names is not kept any more.
        EvidenceError: its certificates cannot all count.
    """

    def __init__(
        self,
        store: PlantWriter,
        identity: PlantIdentity,
        clock: Clock,
        collectors: Sequence[PublicKey],
    ) -> None:
        self.store, self.identity, self._clock = store, identity, clock
        self.keyring = Keyring(identity, collectors)
        self._signed: dict[str, tuple[bytes, bytes]] = {}  # gateway -> fingerprint, key
        self.room = AsideRoom(self.kept_aside())
        self._load()
        self.news = self.look()

    def kept_aside(self) -> list[Entry]:
        """The log's entries about objects kept aside, oldest first. Any thread."""
        reader = self.store.reader
        indices = sorted(reader.state.kept.values())
        return [decode_entry(next(reader.entries(i, i + 1))[1]) for i in indices]

    def enrolled(self, gateway: str) -> str:
        """The id of an enrolled gateway, "" for any other: anyone can make any number of those."""
        return gateway if gateway in self.keyring.gateways else ""

    def clock_ns(self) -> int:
        """Now, by the collector's clock."""
        return self._clock.wall_ns()

    def received_ns(self) -> int:
        """Now, as the next entry will say it: never before the newest one."""
        return max(self._clock.wall_ns(), self.store.state.received_ns)

    # -- keys -------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Make the keyring again from what is on disk."""
        facts = read_kept(self.store, Keyring(self.identity))
        known = (*facts.certificates, *self.identity.gateways)
        self.keyring.load(replace(facts, certificates=known))

    def start_again(self) -> None:
        """What was staged is dropped: again as on disk, and new keys are staged anew."""
        self.room = AsideRoom(self.kept_aside())
        self._load()
        self.look()

    def look(self) -> KeyNews:
        """Take in what the operator's folder holds and the log does not know; stage its entries."""
        offered = read_offered(self.identity.key_folder, self.identity, self.keyring)
        taken, problems, ordered = [], list(offered.problems), []
        known = {certified.certificate_sha256 for certified in self.keyring.certificates}
        for name, certified in offered.certificates:
            if certified.certificate_sha256 in known:
                continue
            # those before it have come in since it was read
            if why := self.keyring.of(certified.name).objection_to(certified.fingerprint):
                problems.append(f"{self.identity.key_folder}/{name}: {why}")
                continue
            self.keyring.certify(certified)
            taken.append(f"{name}: certificate of {certified.name}, key {_short(certified)}")
        orders = {signed.sha256 for signed in self.keyring.orders}
        for name, signed in offered.orders:
            if signed.sha256 in orders:
                continue
            objection = self.keyring.objection(signed, self.store.stream(signed.order.stream))
            if objection:
                problems.append(f"{self.identity.key_folder}/{name}: {objection}")
                continue
            lost = self._ends_logged(signed.order)
            self.keyring.apply(signed)
            taken.append(f"{name}: {_order_text(signed)}{lost}")
            undone = self.keyring.of(signed.order.stream).undone_by(signed.order)
            if undone is not None:
                problems.append(f"{name}: {_undone_text(undone)}")
            ordered.append(signed.order.stream)
        self.stage_new()
        return KeyNews(tuple(taken), tuple(problems), tuple(ordered))

    def _ends_logged(self, order: Order) -> str:
        """How much of the log a revocation takes its worth, for people; "" for none."""
        if not isinstance(order, Revoke):
            return ""
        keys, newest = self.keyring.of(order.stream), self.store.stream(order.stream).next_seq - 1
        ends = [change.seq for change in keys.changes if change.old == order.key]
        last = max(ends, default=newest if keys.current(newest) == order.key else -1)
        first = 0 if order.through is None else order.through + 1
        return "" if first > last else f". In the log seq {first} to {last} count no more by it"

    def stage_new(self) -> None:
        """Stage an entry for each certificate and order that the log does not name yet."""
        self._enrol(self.identity.root)
        self._enrol(self.identity.collector)
        for signed in self.keyring.orders:
            if signed.sha256 not in self.store.state.orders:
                self.store.stage_order(self._order_entry(signed), signed.data)
        for certified in self.keyring.certificates:
            self._enrol(certified)

    def _enrol(self, certified: Certified) -> None:
        if certified.certificate_sha256 not in self.store.state.enrolled:
            self.store.stage_key_file(certified.file_name, certified.pem)
            self.store.stage(_enrol_entry(certified, self._clock.wall_ns()))

    def _order_entry(self, signed: SignedOrder) -> Entry:
        order = signed.order
        entry = Entry(
            kind=Kind.REVOKE,
            received_ns=self._clock.wall_ns(),
            epoch=0,
            stream=order.stream,
            seq=None,
            sha256=signed.sha256,
            length=len(signed.data),
            certificate=self.identity.root.fingerprint,
        )
        if isinstance(order, Revoke):
            return replace(entry, seq=order.through, detail={"key": order.key})
        new = b"" if signed.certified is None else signed.certified.fingerprint
        detail = {"old": order.old, "new": new}
        return replace(entry, kind=Kind.REPLACE, seq=order.seq, detail=detail)

    # -- objects ----------------------------------------------------------------------------------

    def likely_key(self, gateway: str) -> bytes:
        """SubjectPublicKeyInfo of the key that its newest object is signed with; b"" before it."""
        return self._signed.get(gateway, (b"", b""))[1]

    def _remember_key(self, entry: Entry) -> None:
        """Keys change once in years: it is written out once."""
        fingerprint = entry.certificate or b""
        if self._signed.get(entry.stream, (b"", b""))[0] != fingerprint:
            key = self.keyring.of(entry.stream).find(fingerprint[:KEY_ID_BYTES])
            self._signed[entry.stream] = fingerprint, b"" if key is None else spki(key.key)

    def accept(self, accepted: Accepted, data: bytes) -> None:
        """Stage an accepted object, and what the log says beside it."""
        entry, store = accepted.entry, self.store
        self._remember_key(entry)
        store.stage_object(entry, data, t0_ns=accepted.t0_ns, newest_ns=accepted.newest_ns)
        if entry.seq == 0 and entry.certificate is not None:
            self.keyring.begin(entry.stream, entry.certificate)
        if accepted.gap is not None:
            store.stage(_gap_entry(entry, accepted.gap))
        if accepted.rotation is not None:
            store.stage_key_file(f"order-{entry.sha256.hex()}.cose", data)
            self.keyring.rotate(accepted.rotation)
            self._enrol(accepted.rotation.certified)
            new = _short(accepted.rotation.certified)
            log.warning(
                "%s/%s: rotated at seq %s to key %s", store.plant, entry.stream, entry.seq, new,
                extra=about(store.plant, entry.stream),
            )  # fmt: skip


def _enrol_entry(certified: Certified, received_ns: int) -> Entry:
    return Entry(
        kind=Kind.ENROL,
        received_ns=received_ns,
        epoch=0,
        stream=certified.name if certified.role == "gateway" else "",
        seq=None,
        sha256=certified.fingerprint,
        length=len(certified.der),
        detail={
            "role": certified.role,
            "name": certified.name,
            "certificate_sha256": certified.certificate_sha256,
        },
    )


def _gap_entry(frame: Entry, gap: Gap) -> Entry:
    detail = {"from_ns": gap.from_ns, "to_ns": gap.to_ns, "reason": gap.reason}
    return replace(frame, kind=Kind.GAP, detail=detail)


def _order_text(signed: SignedOrder) -> str:
    order = signed.order
    if isinstance(order, Replace):
        new = "" if signed.certified is None else _short(signed.certified)
        return (
            f"replace: {order.stream} goes on after seq {order.seq} with key {new} ({order.reason})"
        )
    through = "for all objects" if order.through is None else f"after seq {order.through}"
    return f"revoke: key {order.key[:8].hex()} of {order.stream}, {through} ({order.reason})"


def _undone_text(rotate: Change) -> str:
    return (
        f"the order counts, and ends key {rotate.old[:8].hex()} before its rotate object of seq "
        f"{rotate.seq}: so key {rotate.new[:8].hex()} is not the stream's, nothing more of it is "
        "accepted, and what it has signed fails verification. To go on, have the root sign a "
        f"replace order whose old key is {rotate.old.hex()}"
    )


def _short(certified: Certified) -> str:
    return certified.fingerprint[:8].hex()
