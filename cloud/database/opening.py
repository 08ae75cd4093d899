"""Finds a plant in the database and holds what is there against what was signed of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection, func, select

from cloud.database.engine import Database
from cloud.database.reader import PlantReader
from cloud.database.schema import checkpoint, entry, plant, stored, stream
from cloud.database.state import Committed, LogState, Mark, Place, StreamState
from cloud.errors import AlteredEvidenceError, DamagedLogError
from evidence.checkpoint import Checkpoint, verify
from evidence.errors import EvidenceError
from evidence.log import Kind, decode_entry
from evidence.merkle import CompactRange
from evidence.suites import PublicKey


@dataclass(frozen=True)
class Found:
    """A plant as it stands.

    Attributes:
        plant: its id.
        plant_id: its row.
        stream_ids: gateway id -> row of its stream.
        committed: state and checkpoint.
    """

    plant: str
    plant_id: int
    stream_ids: Mapping[str, int]
    committed: Committed


def find(database: Database, name: str, keys: Sequence[PublicKey]) -> Found | None:
    """A plant, None when it has no row.

    Args:
        database: where.
        name: plant id.
        keys: keys its checkpoint may be signed with.

    Raises:
        DamagedLogError: less is there than was signed, or other than it.
        StoreError: the database refuses.
    """
    with database.reading() as connection:
        plant_id = connection.scalar(select(plant.c.id).where(plant.c.name == name))
        if plant_id is None:
            return None
        held = select(func.max(entry.c.number) + 1).where(entry.c.plant_id == plant_id)
        its_note = select(checkpoint.c.note).where(checkpoint.c.plant_id == plant_id)
        # in one statement: another collector may commit meanwhile
        both = select(its_note.scalar_subquery(), func.coalesce(held.scalar_subquery(), 0))
        note, size = connection.execute(both).one()
        ids = _stream_ids(connection, plant_id)
        if note is None:
            if size:
                raise DamagedLogError(_damaged(database, name, "there is evidence, no checkpoint"))
            return Found(name, plant_id, ids, Committed(LogState(), ""))
        signed = _verified(database, name, note, keys)
        if size > signed.size:
            what = f"no checkpoint speaks of {size - signed.size} of its log entries"
            raise DamagedLogError(_damaged(database, name, what))
        state = _marked(connection, plant_id, signed.size)
        streams = {n: _stream(connection, row, signed.size) for n, row in ids.items()}
    tree = _tree(database, name, plant_id, signed)
    newest = next(_reader(database, name, plant_id, tree, note).entries(signed.size - 1))[1]
    state = LogState(
        tree, decode_entry(newest).received_ns, state.enrolled, state.orders, state.kept,
        state.records, MappingProxyType({n: s for n, s in streams.items() if s.next_seq}),
    )  # fmt: skip
    return Found(name, plant_id, ids, Committed(state, note))


def _verified(database: Database, name: str, note: str, keys: Sequence[PublicKey]) -> Checkpoint:
    problem: Exception | None = None
    for key in keys:
        try:
            found = verify(note, key)
        except EvidenceError as error:
            problem = error
            continue
        if found.plant != name:
            raise DamagedLogError(_damaged(database, name, f"its checkpoint is of {found.plant}"))
        return found
    what = f"its checkpoint is not signed by a collector key of this plant ({problem})"
    raise DamagedLogError(_damaged(database, name, what))


def _tree(database: Database, name: str, plant_id: int, signed: Checkpoint) -> CompactRange:
    """The log's tree, from whole tiles and the newest entries."""
    # the reader needs a state to look at; this one is not checked yet, and is below
    empty = CompactRange(signed.size, (bytes(32),) * signed.size.bit_count())
    reader = _reader(database, name, plant_id, empty, "")
    try:
        tree = reader.tree.unchecked_range(signed.size)
    except (LookupError, AlteredEvidenceError) as error:
        raise DamagedLogError(_damaged(database, name, str(error))) from error
    if tree.root() != signed.root:
        what = f"its {signed.size} log entries do not give the signed root"
        raise DamagedLogError(_damaged(database, name, what))
    return tree


def _reader(
    database: Database, name: str, plant_id: int, tree: CompactRange, note: str
) -> PlantReader:
    return PlantReader(name, plant_id, database, lambda: Committed(LogState(tree), note), {})


def _stream_ids(connection: Connection, plant_id: int) -> dict[str, int]:
    rows = connection.execute(
        select(stream.c.name, stream.c.id).where(stream.c.plant_id == plant_id)
    )
    return {row.name: row.id for row in rows}


def _marked(connection: Connection, plant_id: int, size: int) -> LogState:
    """What the state knows of marked entries."""
    rows = connection.execute(
        select(entry.c.number, entry.c.mark, entry.c.sha256)
        .where(entry.c.plant_id == plant_id, entry.c.mark > 0, entry.c.number < size)
        .order_by(entry.c.number)
    )
    state = LogState()
    for row in rows:
        state = state.with_mark(Mark(row.mark), row.sha256, row.number)
    return state


def _stream(connection: Connection, row: int, size: int) -> StreamState:
    """Read a stream's state from the objects in the first `size` log entries."""
    columns = (
        stored.c.seq, stored.c.kind, stored.c.sha256, stored.c.length, stored.c.log_number,
        stored.c.received_ns, stored.c.at_ns, stored.c.through_ns,
    )  # fmt: skip
    of = (stored.c.stream_id == row) & (stored.c.log_number < size)
    last = connection.execute(
        select(*columns).where(of).order_by(stored.c.seq.desc()).limit(1)
    ).first()
    if last is None:
        return StreamState()
    rare = connection.execute(
        select(stored.c.kind, stored.c.sha256, stored.c.seq)
        .where(of, stored.c.kind.in_((int(Kind.CONFIG), int(Kind.PLANT_CLOSE))))
        .order_by(stored.c.seq)
    ).all()
    configs = {one.sha256: one.seq for one in rare if one.kind == Kind.CONFIG}
    closes = [one.seq for one in rare if one.kind == Kind.PLANT_CLOSE]
    place = Place(
        Kind(last.kind), last.sha256, last.length, last.log_number, last.received_ns, last.at_ns,
        last.through_ns,
    )  # fmt: skip
    close_seq = closes[-1] if closes else None
    return StreamState(last.seq + 1, place, MappingProxyType(configs), close_seq)


def _damaged(database: Database, name: str, what: str) -> str:
    return f"plant {name} in {database.name}: {what}. Nothing was changed; restore a backup"
