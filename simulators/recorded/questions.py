"""What a Modbus device is asked for a recording: by its profile, or ranges of addresses. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from firmware_configs.model import Profile
from simulators.recorded.recording import BIT_TABLES, CELLS, TABLES, Ask, RecordingError

#: one profile or list of ranges asks for no more cells than this in a round
CELLS_MAX = 20_000
_BITS_A_REGISTER = 16


def of_profile(profile: Profile) -> list[tuple[Ask, list[Ask]]]:
    """Blocks as a driver asks them, each with its single values, should the device refuse it.

    Values near each other share a block, across holes of the profile's `hole_limit`.
    """
    places = [(register, register.words) for register in profile.registers]
    places += [(setting.register, setting.words) for setting in profile.settings]
    values = {Ask(str(r.table), int(r.address or 0), words) for r, words in places}
    found: list[tuple[Ask, list[Ask]]] = []
    for table in TABLES:
        rows = sorted((v for v in values if v.table == table), key=lambda v: (v.address, v.count))
        most = profile.max_registers_per_read * (_BITS_A_REGISTER if table in BIT_TABLES else 1)
        for members in _blocks(rows, most=most, hole_limit=profile.hole_limit):
            first, end = members[0].address, max(member.cells.stop for member in members)
            found.append((Ask(table, first, end - first), members))
    return found


def _blocks(rows: Sequence[Ask], *, most: int, hole_limit: int) -> Iterator[list[Ask]]:
    block: list[Ask] = []
    for row in rows:
        end = max((member.cells.stop for member in block), default=0)
        if block and (row.address - end > hole_limit or row.cells.stop - block[0].address > most):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def of_ranges(ranges: Iterable[Ask], *, block: int) -> list[tuple[Ask, list[Ask]]]:
    """The ranges in blocks of at most so many registers (bits: sixteen times as many)."""
    found: list[tuple[Ask, list[Ask]]] = []
    for asked in ranges:
        most = min(block * (_BITS_A_REGISTER if asked.table in BIT_TABLES else 1),
                   TABLES[asked.table])  # fmt: skip
        for first in range(asked.address, asked.cells.stop, most):
            found.append((Ask(asked.table, first, min(most, asked.cells.stop - first)), []))
    return found


def halves(ask: Ask) -> list[Ask]:
    """What is asked instead of a refused block of a range; nothing instead of a single cell."""
    if ask.count < 2:
        return []
    half = ask.count // 2
    return [Ask(ask.table, ask.address, half),
            Ask(ask.table, ask.address + half, ask.count - half)]  # fmt: skip


def range_of(text: str) -> Ask:
    """A range such as "holding:0-99", addresses as on the wire; RecordingError for another text."""
    table, _, span = text.partition(":")
    first, _, last = span.partition("-")
    if table not in TABLES or not all(p.isascii() and p.isdigit() for p in (first, last)):
        raise RecordingError(f"{text!r} is not like holding:0-99 ({' '.join(TABLES)})")
    if not int(first) <= int(last) < CELLS:
        raise RecordingError(f"{text!r}: addresses are 0 to {CELLS - 1}, the smaller one first")
    if int(last) - int(first) >= CELLS_MAX:
        raise RecordingError(f"{text!r}: a range has at most {CELLS_MAX} cells")
    return Ask(table, int(first), int(last) - int(first) + 1)
