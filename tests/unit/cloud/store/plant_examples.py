"""Evidence of a plant with two gateways over three hours, and a reader that trusts nothing."""

import datetime as dt
import hashlib
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.plant import PlantStore
from cloud.store.slice import SliceStore
from evidence import checkpoint, cose, merkle
from evidence.frame import TYP_FRAME, decode_body, header_of
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, decode_entry
from evidence.records import read_records
from evidence.suites import PublicKey
from tests.unit.cloud.evidence_examples import (
    HOUR_NS,
    SECOND_NS,
    T0_NS,
    Gateway,
    object_entry,
)

#: what stands in a stream (FORMAT.md "Log")
KINDS = {Kind.FRAME, Kind.CONFIG, Kind.ROTATE, Kind.COSIGNATURE, Kind.PLANT_CLOSE}


class Example:
    """Two gateways' streams and the order in which their objects arrive, in three batches."""

    def __init__(self) -> None:
        self.signer = FileSigner(generate())
        self.a = Gateway("mini", "edge-a", FileSigner(generate()))
        self.b = Gateway("mini", "edge-b", FileSigner(generate()))
        self.batches: list[list[tuple[Gateway, int, Kind, int, int]]] = [[], [], []]
        for gateway in (self.a, self.b):
            gateway.config()
            self._add(0, gateway, Kind.CONFIG)
        for n in range(3):  # the stream's first hour
            self._frame(0, self.a, T0_NS + n * 10 * SECOND_NS)
        self._frame(0, self.b, T0_NS)
        self._frame(1, self.a, T0_NS + HOUR_NS)  # a second hour
        self.a.config("changed")
        self._add(1, self.a, Kind.CONFIG)
        self._frame(1, self.b, T0_NS + 20 * SECOND_NS)
        self._frame(2, self.a, T0_NS + HOUR_NS + 10 * SECOND_NS)
        self._frame(2, self.a, T0_NS + 3 * HOUR_NS)  # a third, one left out
        self.a.close(bytes(32))
        self._add(2, self.a, Kind.PLANT_CLOSE)
        self._frame(2, self.b, T0_NS + 30 * SECOND_NS)

    def _frame(self, batch: int, gateway: Gateway, t0_ns: int) -> None:
        gateway.frame(t0_ns, ticks=4)
        self._add(batch, gateway, Kind.FRAME, t0_ns, t0_ns + 3 * SECOND_NS)

    def _add(
        self, batch: int, gateway: Gateway, kind: Kind, t0_ns: int = 0, newest_ns: int = 0
    ) -> None:
        self.batches[batch].append((gateway, len(gateway.objects) - 1, kind, t0_ns, newest_ns))

    def open(self, root: Path) -> tuple[SliceStore, PlantStore]:
        """The slice and its plant, enrolled; given back when the plant cannot be opened."""
        store = SliceStore(root)
        try:
            return store, enrolled(store, "mini", self.signer)
        except StoreError:
            store.close()
            raise

    def stage(self, plant: PlantStore, batch: int) -> None:
        """Stage the objects of a batch that the plant does not hold yet."""
        for gateway, seq, kind, t0_ns, newest_ns in self.batches[batch]:
            if seq < plant.stream(gateway.name).next_seq:
                continue
            entry = object_entry(gateway, seq, kind, T0_NS + batch * SECOND_NS)
            plant.stage_object(entry, gateway.objects[seq], t0_ns=t0_ns, newest_ns=newest_ns)

    def commit(self, root: Path, batches: int = 3) -> None:
        """Evidence with the first batches committed, stopped cleanly."""
        store, plant = self.open(root)
        for batch in range(batches):
            self.stage(plant, batch)
            assert store.commit() == ([plant], {})
        store.close()


def enrolled(store: SliceStore, plant: str, signer: FileSigner) -> PlantStore:
    """A plant, with its first entry when it is new."""
    opened = store.open_plant(plant, signer, [signer.public_key])
    if opened.reader.size == 0:
        opened.stage(Entry(Kind.ENROL, T0_NS, 0, "", None, bytes(32), 9))
        store.commit()
    return opened


def read_plant(folder: Path, key: PublicKey) -> dict[str, list[bytes]]:
    """The objects of each stream, read from the evidence files alone and checked in every way.

    Uses the format's own code (`evidence`) and none of the store's.
    """
    note = checkpoint.verify((folder / "log" / "checkpoint").read_text(), key)
    leaves, accepted = [], {}
    for data in read_records((folder / "log" / "entries.seg").read_bytes()):
        entry = decode_entry(data)
        leaves.append(merkle.leaf_hash(data))
        if entry.kind in KINDS:
            accepted.setdefault(entry.stream, []).append(entry.sha256)
    assert (note.size, note.root) == (len(leaves), merkle.root_of(leaves))
    streams: dict[str, list[bytes]] = {}
    for path in sorted((folder / "frames").glob("*/*/*.seg")):
        for data in read_records(path.read_bytes()):
            streams.setdefault(path.parts[-3], []).append(data)
            envelope = cose.parse(data)
            if header_of(envelope).typ == TYP_FRAME:
                hour = decode_body(envelope.payload).t0_ns // HOUR_NS
                assert hour * 3600 == hour_of(path)
    found = {s: [hashlib.sha256(d).digest() for d in objects] for s, objects in streams.items()}
    assert found == accepted
    return streams


def hour_of(path: Path) -> int:
    """Seconds since 1970 that a segment's name says."""
    text = f"{path.parts[-2]}T{path.stem}:00:00+00:00"
    return int(dt.datetime.fromisoformat(text).timestamp())


def reject(n: int = 0) -> Entry:
    """An object that was put aside."""
    return Entry(Kind.REJECT, T0_NS + n, 0, "edge-a", 3, bytes([n]) * 32, 5, verdict="fork")
