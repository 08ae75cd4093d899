"""`stackproof sim month`: a whole sealed month, made in minutes through the real modules.

Two processes: one plays the plant, calculates and encodes frames, hour by hour; this one signs,
chains, logs and seals them. Memory does not grow with the month: signed objects wait in files
beside the archive, which are removed at the end. I/O: the folder given, nothing else.
"""

import datetime as dt
import functools
import hashlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from evidence import cbor, checkpoint, merkle
from evidence.archive import bag, paths
from evidence.archive.build import Contents, Object, build_archive
from evidence.blocks import compress
from evidence.frame import TYP_CLOSE, TYP_CONFIG, TYP_FRAME, Header, sign_object
from evidence.keys import (
    Certificate,
    FileSigner,
    certificate_to_der,
    certificate_to_pem,
    generate,
    issue,
    key_sha256,
    public_key,
)
from evidence.log import Entry, Kind, encode_entry
from evidence.receipt import CloseRequest, Receipt, encode_close, encode_receipt
from evidence.recompute import month_bounds, published_rules
from evidence.records import encode_record, records_in
from simulators.month_config import GATEWAY, TIME_ZONE
from simulators.month_plant import MonthPlant
from simulators.month_play import DAY_NS, Encoded, Order, Part, produce
from simulators.played import TruthLine
from simulators.truth import TruthFile

_SECOND_NS = 10**9
_RECEIVED_AFTER_NS = 1_200_000_000  # a frame's newest tick to the collector's receipt
_CHUNK = 1 << 20
TRUTH_FORMAT = 1

Say = Callable[[str], None]


@dataclass(frozen=True)
class Identities:
    """Fresh keys of a plant, and their certificates by role."""

    gateway: FileSigner
    collector: FileSigner
    certificates: Mapping[str, Certificate]

    @classmethod
    def make(cls, plant: str, since: dt.datetime) -> "Identities":
        """New keys, good for a year from `since`."""
        root_key, keys = generate(), {"gateway": generate(), "collector": generate()}
        valid = functools.partial(issue, plant=plant, not_before=since, days=365)
        root = valid("root", name=plant, key=root_key.public_key(), issuer=root_key)
        certificates = {"root": root}
        for role, name in (("gateway", GATEWAY), ("collector", "collector")):
            certificates[role] = valid(
                role, name=name, key=keys[role].public_key(), issuer=(root_key, root)
            )
        return cls(FileSigner(keys["gateway"]), FileSigner(keys["collector"]), certificates)


class _Log:
    """The plant's log while the month is made: entries in a file, the tree beside."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tree = merkle.Tree()

    def add(self, entry: Entry) -> int:
        """Add an entry; its index."""
        data = encode_entry(entry)
        self._file.write(encode_record(data))
        self.tree.append(merkle.leaf_hash(data))
        return self.tree.size - 1

    def root(self) -> bytes:
        """The present root."""
        return self.tree.root_at(self.tree.size)


@dataclass
class _Stream:
    """The gateway's chain while the month is made."""

    plant: str
    by: FileSigner
    next_seq: int = 0
    head: bytes = bytes(32)
    cfg: bytes | None = None
    hours: list[str] = field(default_factory=list)

    def sign(self, typ: str, payload: bytes, iat_s: int, anchor: tuple[int, bytes] | None) -> bytes:
        """The next object."""
        header = Header(typ, self.plant, GATEWAY, iat_s, self.next_seq, self.head, anchor, self.cfg)
        data = sign_object(self.by, header, payload)
        self.head, self.next_seq = _sha256(data), self.next_seq + 1
        return data


@dataclass(frozen=True)
class Made:
    """The files of a month: the archive, the root's certificate, and the truth."""

    archive: Path
    trust: Path
    truth: Path


def make_month(
    plant: MonthPlant, *, month: str, out: Path, frame_s: int, days: int | None, say: Say
) -> Made:
    """Make the archive of a month, with the truth beside it; its root is added to trust.pem.

    Args:
        plant: whose month.
        month: "YYYY-MM" in the plant's time zone.
        out: folder, made when missing; needs three times the archive's size.
        frame_s: seconds a frame; divides a quarter hour.
        days: only this many from its first on (then an interim archive); None: all.
        say: told how far it is.

    Raises:
        ValueError: the month has not so many days, or frames not whole numbers of readings.
    """
    if frame_s % plant.interval_s:
        raise ValueError(f"a frame of {frame_s} s holds no whole readings of {plant.interval_s} s")
    first_ns, next_ns = month_bounds(TIME_ZONE, month)
    whole = (next_ns - first_ns) // DAY_NS
    if days is not None and days > whole:
        raise ValueError(f"{month} has {whole} days, not {days}")
    out.mkdir(parents=True, exist_ok=True)
    since = dt.datetime.fromtimestamp(first_ns // _SECOND_NS, dt.UTC) - dt.timedelta(days=30)
    who = Identities.make(plant.name, since)
    config = plant.configuration(key_sha256(who.collector.public_key))
    order = Order(plant, config, first_ns, days or whole, frame_s, final=not days)
    made = Made(
        out / f"{plant.name}-{month}.tar",
        out / "trust.pem",
        out / f"{plant.name}-{month}.truth.jsonl",
    )
    with made.trust.open("ab") as trust:  # beside the roots of other months in this folder
        trust.write(certificate_to_pem(who.certificates["root"]))
    with tempfile.TemporaryDirectory(dir=out, prefix=".month-") as folder:
        with TruthFile(Path(folder), "truth") as truth:
            truth.write(
                {"type": "month", "format": TRUTH_FORMAT, "plant": plant.name, "month": month,
                 "seed": plant.seed, "interval_s": plant.interval_s, "started_ns": first_ns}
            )  # fmt: skip
            contents = _Making(Path(folder), who, order, month).run(say, truth.write)
        say("archive")
        part = Path(folder) / "archive"
        with part.open("wb") as file:
            build_archive(
                contents, file, staging=Path(folder) / "bag",
                seal=lambda digest: {paths.SEAL: bag.seal(digest, who.collector)},
            )  # fmt: skip
        truth.path.replace(made.truth)
        part.replace(made.archive)
    return made


@dataclass(frozen=True)
class _Newest:
    """The log's entry of the newest frame, and the size in that frame's anchor."""

    received_ns: int
    index: int
    anchor_size: int


class _Making:
    """One month on its way."""

    def __init__(self, folder: Path, who: Identities, order: Order, month: str) -> None:
        self._folder, self._who, self._order, self._month = folder, who, order, month
        self._stream = _Stream(order.plant.name, who.gateway)
        self._key = key_sha256(who.gateway.public_key)
        self._newest = _Newest(0, 0, 0)

    def run(self, say: Say, tell: Callable[[TruthLine], None]) -> Contents:
        """Sign and log everything, and tell the truth; what the archive is built of."""
        with (self._folder / "entries").open("wb") as file:
            self._log = _Log(file)
            self._enrol()
            config = self._configure()
            played = _Played(self._order)
            for number, part in enumerate(played.parts()):
                for line in part.truth:
                    tell(line)
                if part.frames:
                    self._hour(number, part.frames)
                    say(f"hour {number + 1} of {self._order.days * 24}")
            return self._close(config, played.statement)

    def _enrol(self) -> None:
        names = {"root": self._stream.plant, "collector": "collector", "gateway": GATEWAY}
        for role, name in names.items():
            certificate = self._who.certificates[role]
            digest = _sha256(certificate_to_der(certificate))
            self._log.add(
                Entry(
                    Kind.ENROL, self._order.first_ns, 1, GATEWAY if role == "gateway" else "", None,
                    key_sha256(public_key(certificate)), len(certificate_to_pem(certificate)),
                    detail={"role": role, "name": name, "certificate_sha256": digest},
                )
            )  # fmt: skip

    def _configure(self) -> bytes:
        payload = compress(cbor.encode(self._order.config))
        at_ns = self._order.first_ns
        data = self._stream.sign(TYP_CONFIG, payload, at_ns // _SECOND_NS, None)
        self._stream.cfg = _sha256(data)
        self._accept(Kind.CONFIG, data, at_ns + _SECOND_NS)
        return data

    def _accept(self, kind: Kind, data: bytes, received_ns: int) -> int:
        """Log the stream's newest object."""
        seq, head = self._stream.next_seq - 1, self._stream.head
        return self._log.add(Entry(kind, received_ns, 1, GATEWAY, seq, head, len(data), self._key))

    def _hour(self, number: int, frames: Sequence[Encoded]) -> None:
        """Sign, log and put aside the frames of an hour."""
        self._stream.hours.append(paths.hour_text(frames[0].first_ns // (3600 * _SECOND_NS)))
        with (self._folder / f"hour-{number}").open("wb") as file:
            for frame in frames:
                anchor = self._log.tree.size, self._log.root()
                signed_s, received_ns = (
                    frame.last_ns // _SECOND_NS + 1,
                    frame.last_ns + _RECEIVED_AFTER_NS,
                )
                data = self._stream.sign(TYP_FRAME, frame.payload, signed_s, anchor)
                file.write(encode_record(data))
                index = self._accept(Kind.FRAME, data, received_ns)
                self._newest = _Newest(received_ns, index, anchor[0])

    def _close(self, config: bytes, statement: bytes) -> Contents:
        stream, log, newest = self._stream, self._log, self._newest
        closing = "final" if self._order.final else "interim"
        last, head = stream.next_seq - 1, stream.head
        detail = {"month": self._month, "closing": closing, "streams": {GATEWAY: [0, last, head]}}
        over_ns = month_bounds(TIME_ZONE, self._month)[1] if self._order.final else 0
        closed_ns = max(newest.received_ns, over_ns) + 3600 * _SECOND_NS
        statement_sha256 = _sha256(statement)
        log.add(
            Entry(
                Kind.MONTH_CLOSE, closed_ns, 1, "", None, statement_sha256, len(statement),
                detail=detail,
            )
        )  # fmt: skip
        size, root = log.tree.size, log.root()
        request = CloseRequest(
            plant=stream.plant, stream=GATEWAY, month=self._month, closing=closing,
            statement_sha256=statement_sha256, seq=last, head=head, log_size=size, log_root=root,
        )  # fmt: skip
        close = stream.sign(TYP_CLOSE, encode_close(request), closed_ns // _SECOND_NS, None)
        note = self._note()
        closed_on = dt.datetime.fromtimestamp(closed_ns // _SECOND_NS, ZoneInfo(TIME_ZONE))
        certificates = self._who.certificates
        return Contents(
            plant=stream.plant, month=self._month, closing=closing, statement=statement,
            rules=published_rules(self._order.config["plant"]["rule_set"]),
            objects=self._objects(config),
            configs={_sha256(config): config}, root=certificates["root"],
            collector=certificates["collector"], gateways=[(GATEWAY, certificates["gateway"])],
            log_range=merkle.CompactRange(), log_entries=_records(self._folder / "entries"),
            checkpoint=note, closed_on=closed_on.strftime("%Y-%m-%d"),
            receipts={GATEWAY: self._receipt(last, head, note)}, closes={GATEWAY: close},
        )  # fmt: skip

    def _note(self) -> str:
        log, by = self._log, self._who.collector
        note = checkpoint.Checkpoint(self._stream.plant, log.tree.size, log.root())
        return checkpoint.sign(note, by, by.public_key)

    def _receipt(self, seq: int, head: bytes, note: str) -> bytes:
        newest = self._newest
        path = tuple(self._log.tree.consistency_path(newest.anchor_size))
        receipt = Receipt(
            plant=self._stream.plant, stream=GATEWAY, seq=seq, head=head, log_index=newest.index,
            received_ns=newest.received_ns, checkpoint=note, since=newest.anchor_size, path=path,
        )  # fmt: skip
        return encode_receipt(receipt, self._who.collector)

    def _objects(self, config: bytes) -> Iterator[Object]:
        yield Object(GATEWAY, self._stream.hours[0], config)
        for number, hour in enumerate(self._stream.hours):
            path = self._folder / f"hour-{number}"
            for data in _records(path):
                yield Object(GATEWAY, hour, data)
            path.unlink()  # it is in the bag now


class _Played:
    """The process that plays the plant; a pipe holds it back when it is faster than we are."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self.statement = b""

    def parts(self) -> Iterator[Part]:
        """An hour at a time; afterwards `statement` is set.

        Raises:
            RuntimeError: the process died.
        """
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_send, args=(theirs, self._order))
        process.start()
        theirs.close()
        try:
            while isinstance(part := ours.recv(), Part):
                yield part
            self.statement = part
        except EOFError:
            raise RuntimeError("the process that plays the plant died; see above") from None
        finally:
            ours.close()
            process.join()


def _send(pipe: Connection, order: Order) -> None:
    """Runs in the child: everything `produce` makes, into the pipe."""
    for part in produce(order):
        pipe.send(part)
    pipe.close()


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from records_in(iter(lambda: file.read(_CHUNK), b""))


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
