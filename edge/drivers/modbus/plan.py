"""Which Modbus reads fetch a device's points: as few as the device allows, none too long.

Pure: no I/O, no clock, no Modbus library. Addresses are 0-based as on the wire. A cell is one
16-bit register in the holding and input tables and one bit in the coil and discrete tables.

Points near each other share a read; unused cells between them (a hole) are read along up to the
profile's hole limit. A value is never split over two reads. The same slots always give the same
reads in the same order, so what goes over the wire can be printed before it is sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CELLS = 65536  # addresses are 16 bits
REGISTERS_MAX = 125  # Modbus Application Protocol 1.1b3, 6.3: quantity 1 to 0x7D

#: table -> (read function code, cells a register's worth of answer holds); sections 6.1 to 6.4.
TABLES = {"coil": (1, 16), "discrete": (2, 16), "holding": (3, 1), "input": (4, 1)}

#: (table, address): no read may hold both this cell and the one before it.
Cut = tuple[str, int]


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """Where one point's value stands.

    Attributes:
        table: a key of `TABLES`.
        address: first cell.
        size: cells the value takes, at least 1.
        index: the point's place in the driver's answer.
    """

    table: str
    address: int
    size: int
    index: int

    @property
    def end(self) -> int:
        """The first cell after the value."""
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class Read:
    """One request: `count` cells of `table` from `address` on, for these slots."""

    table: str
    address: int
    count: int
    slots: tuple[Slot, ...]

    def __hash__(self) -> int:  # of its place alone: reads are looked up far more often than made
        return hash((self.table, self.address, self.count))

    @property
    def code(self) -> int:
        """The Modbus function code, 1 to 4."""
        return TABLES[self.table][0]


def plan_reads(
    slots: Iterable[Slot],
    *,
    registers_max: int = REGISTERS_MAX,
    hole_limit: int = 0,
    cuts: frozenset[Cut] = frozenset(),
) -> tuple[Read, ...]:
    """The reads that fetch every slot, each slot whole and in exactly one read.

    Args:
        slots: in any order; they may overlap (a status word and a counter made of it).
        registers_max: longest read the device takes, 1..125 registers (×16 in the bit tables).
        hole_limit: longest run of unused cells that a read may bridge.
        cuts: places the device is known not to read across.

    Returns:
        Reads ordered by table, then address.

    Raises:
        ValueError: a slot that no allowed read can hold, an unknown table or a bad limit.
    """
    if not 1 <= registers_max <= REGISTERS_MAX or hole_limit < 0:
        raise ValueError(
            f"registers_max {registers_max} not in 1..{REGISTERS_MAX} or hole_limit < 0"
        )
    reads: list[Read] = []
    pending: list[Slot] = []
    for slot in sorted(slots):
        _check(slot, registers_max)
        if pending and not _joins(slot, pending, registers_max, hole_limit, cuts):
            reads.append(spanning(pending))
            pending = []
        pending.append(slot)
    if pending:
        reads.append(spanning(pending))
    return tuple(reads)


def spanning(slots: Sequence[Slot]) -> Read:
    """The one read that just holds these slots of one table."""
    start = min(slot.address for slot in slots)
    end = max(slot.end for slot in slots)
    return Read(slots[0].table, start, end - start, tuple(slots))


def halves(read: Read) -> tuple[Read, Read] | None:
    """The read as two, cut between values, to find what a device refuses in it.

    Returns:
        None when it holds a single value, so that the refusal is that value's own.
    """
    first = read.slots[0]
    if all((s.address, s.size) == (first.address, first.size) for s in read.slots):
        return None
    middle = len(read.slots) // 2
    return spanning(read.slots[:middle]), spanning(read.slots[middle:])


def _check(slot: Slot, registers_max: int) -> None:
    if slot.table not in TABLES:
        raise ValueError(f"unknown table {slot.table!r}; known: {' '.join(TABLES)}")
    limit = _cells_max(slot.table, registers_max)
    if not 1 <= slot.size <= limit:
        raise ValueError(
            f"{slot.table} {slot.address:#06x}: a value of {slot.size} cells does not fit into "
            f"a read of at most {limit}"
        )
    if slot.address < 0 or slot.end > CELLS:
        raise ValueError(f"{slot.table} {slot.address:#06x}: beyond the last address 0xffff")


def _joins(
    slot: Slot,
    pending: Sequence[Slot],
    registers_max: int,
    hole_limit: int,
    cuts: frozenset[Cut],
) -> bool:
    start, end = pending[0].address, max(s.end for s in pending)
    new_end = max(end, slot.end)
    return (
        slot.table == pending[0].table
        and slot.address - end <= hole_limit
        and new_end - start <= _cells_max(slot.table, registers_max)
        and not any(table == slot.table and start < at < new_end for table, at in cuts)
    )


def _cells_max(table: str, registers_max: int) -> int:
    return registers_max * TABLES[table][1]
