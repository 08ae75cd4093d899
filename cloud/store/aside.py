"""Sets aside, at a start, what is signed and lies behind the newest checkpoint, before it is cut.

Most of it is of a commit that did not end: who sent it has no receipt, and sends it again. Where
somebody put an older checkpoint back there may have been receipts, and nobody else has it any more.
Where an object shows that, nothing is cut (`shown_more`). Of the rest nobody can tell, so what
gateways may have signed is written into aside/ as exported spools, which `stackproof cloud import`
takes; orders of the root, and documents of persons with their files, are moved there.

Order: all of it is on disk in aside/, under its name, before the first byte is cut. Where a start
ends in between, the next one finds it there and writes it no second time; where the disk is full,
nothing is cut, and nothing more is in aside/. What the log has come to hold goes at the next start,
so only what nobody sent again stays. Nothing is judged or signed here: whoever can write in this
folder may have put it there. It comes back through the door that all else comes through.
"""

import hashlib
import io
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.disk import lay_whole, sync_names
from cloud.store.index import IndexFile
from cloud.store.layout import PlantFolder
from cloud.store.record_file import CHUNK_BYTES, read_at, size_of, whole_records
from cloud.store.state import LogState
from evidence import cose
from evidence.archive.export import CERTIFICATES_MAX, ExportReader, Span, write_export
from evidence.chain import ZERO_HASH
from evidence.errors import EvidenceError
from evidence.frame import Header, place_of
from evidence.keys import Certificate, certificate_from_pem, identity, key_id, public_key
from evidence.orders import decode_rotate
from evidence.owners import make_folder
from evidence.points import NAME_ID
from evidence.records import MAGIC, encode_record, read_records

#: of the objects in one file of aside/, which are held in memory
FILE_BYTES_MAX = 16 * 1024 * 1024
#: torn places in one tail behind which more is looked for: a torn object that is full of what looks
#: like records held a start for minutes; what comes behind it is of the same gateway
TORN_MAX = 200
#: an exported spool writes no longer seq
SEQ_MAX = 10**19 - 1
#: names that `_written` gives: stream, first and last seq, the last object's hash
_NAME = re.compile(r"([a-z0-9-]{1,40})-\d{10,19}-(\d{10,19})-[0-9a-f]{16}\.(?:tar|seg)", re.ASCII)

#: a segment, and the byte from which on its objects have no log entry
Tail = tuple[Path, int]
#: role, plant and name, the key's id, and the certificate
_Certified = tuple[tuple[str, str, str], bytes, Certificate]


@dataclass(frozen=True, slots=True)
class _Object:
    """An object of a gateway, by what it says itself."""

    header: Header
    sha256: bytes
    data: bytes


@dataclass(frozen=True)
class Waiting:
    """What lies in aside/ and the log does not hold.

    Attributes:
        files: that the next start leaves there.
        signed: objects of gateways in them, orders, documents and their files.
    """

    files: int = 0
    signed: int = 0


def tails(folder: PlantFolder, state: LogState) -> Sequence[Tail]:
    """Where objects without a log entry stand; of each stream in order."""
    found: list[Tail] = []
    for name in folder.streams():
        last = state.stream(name).last
        found += [] if last is None else [(folder.segment(name, last.hour), last.end)]
        later = folder.hours(name, -1 if last is None else last.hour)
        found += [(folder.segment(name, hour), 0) for hour in later]
    return [(path, end) for path, end in found if size_of(path) > end]


def shown_more(behind: Iterable[Tail], size: int) -> str:
    """Which object shows that gateways were told of more than `size` log entries; "" for none.

    A gateway names the newest log it was told of, and its object is let in only where that is
    committed. So no crash leaves an object behind the checkpoint that names more than it. Behind
    torn bytes there may be what the object that is torn held, and nobody let that in.
    """
    records = (record for path, offset in behind for record in whole_records(path, offset))
    for found in _parsed(record.data for record in records):
        header = found.header
        if header.anchor is not None and header.anchor[0] > size:
            what = f"seq {header.seq} of {header.stream} behind it names a log of"
            return f"{what} {header.anchor[0]} entries, and it speaks of {size}"
    return ""


def set_aside(folder: PlantFolder, state: LogState, behind: Sequence[Tail]) -> list[str]:
    """Bring what is signed into aside/; a sentence for each file.

    What stood beside the log and was never logged is gone from there then. Objects in segments are
    still there, to be cut.

    Args:
        folder: the plant's files.
        state: what the log holds.
        behind: its `tails`.

    Raises:
        StoreError: the disk refuses to take it; nothing was cut.
        OSError: it refuses something else.
    """
    written, logged = set[Path](), _logged_names(state)
    strays = [path for path in _beside(folder) if not _is_logged(folder, state, path, logged)]
    bare = set(folder.aside.glob("*.seg"))  # their gateway's certificate was not there yet
    if not (strays or behind or bare):
        return []
    packed = [path for path in strays if _is_of_gateway(folder, path)]
    sources = chain(
        _in_tails((path, 0) for path in sorted(bare)),
        _in_tails(behind),
        (path.read_bytes() for path in packed),
    )
    try:
        make_folder(folder.aside, 0o700)
        sync_names(folder.root)  # before anything is moved there
        written.update(_pack(folder, sources))
        for path in set(strays) - set(packed):
            path.replace(folder.aside / path.name)
        sync_names(folder.aside)
    except OSError as error:
        for path in written - bare:
            path.unlink(missing_ok=True)
        raise StoreError(
            f"{folder.aside}: what lies behind the checkpoint cannot be set aside: "
            f"{error.strerror}. Nothing was cut: make room, and start again"
        ) from error
    for path in {*packed, *bare} - written:
        path.unlink()
    notes = [f"{_name(folder, path)}: was never logged, set aside" for path in strays]
    new = sorted(written - bare)
    return notes + [f"{_name(folder, path)}: no checkpoint speaks of it, set aside" for path in new]


def remove_logged(folder: PlantFolder, state: LogState) -> list[str]:
    """Remove from aside/ what has come to be in the log; a sentence for each file.

    And what a start was writing there when it ended, and aside/ where nothing waits. OSError.

    Args:
        folder: the plant's files.
        state: what is on disk under a checkpoint that has its name.
    """
    logged, notes = _logged_names(state), list[str]()
    for path in _listed(folder):
        if path.suffix == ".new":
            path.unlink()
        elif _may_be_held(state, path) and not _count_left(folder, state, path, logged):
            path.unlink()
            notes.append(f"{_name(folder, path)}: is in the log now, removed")
    with suppress(OSError):  # something waits, or there is none
        folder.aside.rmdir()  # it bars other users' fsck and backup
    return notes


def waiting(folder: PlantFolder, state: LogState) -> Waiting:
    """What waits in aside/ to be brought back. Reads only; OSError."""
    logged, left = _logged_names(state), Waiting()
    for path in _listed(folder):
        if path.suffix != ".new" and (count := _count_left(folder, state, path, logged)):
            left = Waiting(left.files + 1, left.signed + count)
    return left


def _listed(folder: PlantFolder) -> list[Path]:
    """OSError for another user, where `glob` would find nothing."""
    return sorted(folder.aside.iterdir()) if folder.aside.is_dir() else []


# -- what is set aside ----------------------------------------------------------------------------


def _in_tails(behind: Iterable[Tail]) -> Iterator[bytes]:
    """Every whole record in tails, behind torn bytes, too."""
    for path, offset in behind:
        size, torn = size_of(path), 0
        while offset < size and torn <= TORN_MAX:
            for record in whole_records(path, offset):
                yield record.data
                offset = record.end
            torn, offset = torn + 1, _next_magic(path, offset + 1, size)


def _next_magic(path: Path, offset: int, size: int) -> int:
    """Where a record may begin next; `size` where none does."""
    while offset < size:
        chunk = read_at(path, offset, CHUNK_BYTES)
        found = chunk.find(MAGIC)
        if found >= 0:
            return offset + found
        offset += max(1, len(chunk) - len(MAGIC) + 1)
    return size


def _parsed(bare: Iterable[bytes]) -> Iterator[_Object]:
    """Those that are objects of a gateway, and could stand in its stream."""
    for data in bare:
        with suppress(EvidenceError):
            header = place_of(cose.parse(data))
            has_names = all(map(NAME_ID.fullmatch, (header.plant, header.stream)))
            if has_names and header.seq <= SEQ_MAX and (header.seq or header.prev == ZERO_HASH):
                yield _Object(header, hashlib.sha256(data).digest(), data)


def _beside(folder: PlantFolder) -> Iterator[Path]:
    """Objects, orders, documents and their files beside the log."""
    yield from sorted(folder.quarantine.glob("*.cose"))
    yield from sorted(folder.keys.glob("*.cose"))
    yield from sorted(path for path in folder.records.glob("*") if path.suffix != ".new")


def _is_of_gateway(folder: PlantFolder, path: Path) -> bool:
    """A file beside the log is an object kept aside, or the copy of a rotate object."""
    return path.parent != folder.records and any(_parsed([path.read_bytes()]))


def _pack(folder: PlantFolder, bare: Iterable[bytes]) -> Iterator[Path]:
    """Write what is not in aside/ yet into files there; each as it is on disk, its name not yet."""
    known = set[bytes]()
    for path in folder.aside.glob("*.tar"):
        with suppress(EvidenceError):  # one that is damaged holds nothing for sure
            known |= {found.sha256 for found in _of_file(path)}
    certificates = _certificates(folder)
    for run in _runs(_parsed(bare), known):
        yield _written(folder, run, certificates)


def _runs(objects: Iterable[_Object], known: set[bytes]) -> Iterator[Sequence[_Object]]:
    """Objects that follow one another, as much as one file holds; none that is known by then."""
    run, size = list[_Object](), 0
    for found in objects:
        if found.sha256 in known:
            continue
        known.add(found.sha256)
        if run and (not _follows(run[-1], found) or size + len(found.data) > FILE_BYTES_MAX):
            yield run
            run, size = [], 0
        run.append(found)
        size += len(found.data)
    if run:
        yield run


def _follows(one: _Object, next_: _Object) -> bool:
    before, after = one.header, next_.header
    place = after.plant, after.stream, after.seq, after.prev
    return place == (before.plant, before.stream, before.seq + 1, one.sha256)


def _certificates(folder: PlantFolder) -> Sequence[_Certified]:
    """Those beside the log; of rotate objects, and of a commit that did not end, too."""
    found = list[_Certified]()
    for path in sorted([*folder.keys.glob("*.crt*"), *folder.keys.glob("*.cose")]):
        with suppress(EvidenceError):
            data = path.read_bytes()
            if path.suffix == ".cose":  # an order of the root is no rotate object: refused
                one = decode_rotate(cose.parse(data).payload)
            else:
                one = certificate_from_pem(data)
            found.append((identity(one), key_id(public_key(one)), one))
    return found


def _written(
    folder: PlantFolder, run: Sequence[_Object], certificates: Iterable[_Certified]
) -> Path:
    """Write objects as an exported spool; bare where no certificate of the gateway is there."""
    first, last, data = run[0].header, run[-1], [one.data for one in run]
    span = Span(first.plant, first.stream, first.seq, last.header.seq)
    wanted, used = ("gateway", span.plant, span.stream), {cose.parse(one).kid for one in data}
    own = [(kid, one) for whose, kid, one in certificates if whose == wanted]
    signed_by = [one for kid, one in own if kid in used] or [one for _, one in own]
    name = f"{span.stream}-{span.first:010}-{span.last:010}-{last.sha256.hex()[:16]}"
    path = folder.aside / f"{name}.{'tar' if own else 'seg'}"
    if own:
        made = io.BytesIO()
        certified = signed_by[:CERTIFICATES_MAX]
        write_export(made, span, certified, data, object_bytes=sum(map(len, data)))
        lay_whole(path, made.getvalue())
    elif not path.exists():
        lay_whole(path, b"".join(map(encode_record, data)))
    return path


# -- what the log holds ---------------------------------------------------------------------------


def _may_be_held(state: LogState, path: Path) -> bool:
    """Its stream has come past its last seq: by its name, as a start need not read what waits."""
    match = _NAME.fullmatch(path.name)
    return match is None or state.stream(match[1]).next_seq > int(match[2])


def _count_left(folder: PlantFolder, state: LogState, path: Path, logged: Container[str]) -> int:
    """How much in a file of aside/ the log does not hold; 1 for one that cannot be read."""
    if _NAME.fullmatch(path.name) is None:
        return 0 if _is_logged(folder, state, path, logged) else 1
    try:
        return sum(not _is_held(folder, state, found) for found in _of_file(path))
    except EvidenceError:
        return 1


def _of_file(path: Path) -> Iterator[_Object]:
    """The objects of a file that `_written` made; EvidenceError where it is not as it was."""
    if path.suffix == ".seg":
        for data in read_records(path.read_bytes()):
            yield _Object(place_of(cose.parse(data)), hashlib.sha256(data).digest(), data)
        return
    with path.open("rb") as file:
        for header, data in ExportReader(file).objects():
            yield _Object(header, hashlib.sha256(data).digest(), data)


def _is_held(folder: PlantFolder, state: LogState, found: _Object) -> bool:
    """In its stream, or kept aside by the log for good."""
    return found.sha256 in state.kept or _is_in_stream(folder, state, found)


def _is_in_stream(folder: PlantFolder, state: LogState, found: _Object) -> bool:
    stream, seq = found.header.stream, found.header.seq
    if seq >= state.stream(stream).next_seq:
        return False
    with suppress(StoreError):  # of an index that is to be made again
        return IndexFile(folder.index(stream)).place(seq).sha256 == found.sha256
    return False


def _logged_names(state: LogState) -> frozenset[str]:
    """Of files beside the log, as far as a name says by its hash what it is of."""
    kept = {sha256.hex()[:16] for sha256 in state.kept}
    orders = {f"order-{sha256.hex()}" for sha256 in state.orders}
    return frozenset(kept | orders | {sha256.hex() for sha256 in state.records})


def _is_logged(folder: PlantFolder, state: LogState, path: Path, logged: Container[str]) -> bool:
    """The log names a file beside it, or it is the copy of an object in a stream."""
    name = path.stem
    if name in logged or name[:64] in logged or name[-16:] in logged:
        return True
    if not name.startswith("order-"):
        return False
    return any(_is_in_stream(folder, state, found) for found in _parsed([path.read_bytes()]))


def _name(folder: PlantFolder, path: Path) -> str:
    return str(path.relative_to(folder.root))
