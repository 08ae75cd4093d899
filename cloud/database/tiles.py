"""The Merkle tree of a log in tiles of 256 hashes, as C2SP's tlog-tiles has them. RFC 6962 §2.1.

Tile n of level L holds the hashes of the perfect subtrees of 256^L leaves from number 256·n on.
Only whole tiles are kept: one row for 256 entries, one more for 65,536, and so on. The newest
leaves, at most 255, are hashed again from the entries. All of it follows from the entries.
"""

from collections.abc import Callable, Iterator, Sequence

from evidence.merkle import CompactRange, node_hash

#: hashes in a tile, as a power of two
BITS = 8
WIDTH = 1 << BITS
HASH_BYTES = 32

#: level, number -> the tile's hashes, None where it is not whole yet
GetTile = Callable[[int, int], bytes | None]
#: first, stop -> leaf hashes
GetLeaves = Callable[[int, int], Sequence[bytes]]


def completed(
    size: int, leaf: Callable[[int, int], Sequence[bytes]], get: GetTile
) -> Iterator[tuple[int, int, bytes]]:
    """Tiles that the leaf before `size` makes whole: level, number, hashes.

    Args:
        size: leaves by now.
        leaf: their hashes.
        get: tiles that were whole before.
    """
    level, count = 0, size
    hashes = b""
    while count and count % WIDTH == 0:
        number = count // WIDTH - 1
        if level == 0:
            hashes = b"".join(leaf(number * WIDTH, count))
        else:
            below = [get(level - 1, number * WIDTH + i) for i in range(WIDTH - 1)]
            hashes = b"".join(_root(tile or b"") for tile in below) + _root(hashes)
        yield level, number, hashes
        level, count = level + 1, number + 1


class Tiles:
    """Reads a tree of which whole tiles are kept.

    Args:
        size: leaves of the tree.
        get: its whole tiles.
        leaves: leaf hashes of its newest entries, from the last whole tile on.
    """

    def __init__(self, get: GetTile, leaves: GetLeaves) -> None:
        self._get, self._leaves = get, leaves

    def compact_range(self, size: int) -> CompactRange:
        """The roots of the perfect subtrees of a tree of `size` leaves, largest first."""
        hashes, start = list[bytes](), 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                hashes.append(self._node(level, start >> level))
                start += 1 << level
        return CompactRange(size, tuple(hashes))

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Audit path of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1)."""
        if not 0 <= index < size:
            raise ValueError(f"no leaf {index} in a tree of {size}")
        path, low, high = list[bytes](), 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return path[::-1]

    def consistency_path(self, old: int, size: int) -> list[bytes]:
        """Proof that the first `old` leaves are a prefix of `size` (RFC 6962 §2.1.2)."""
        if not 0 < old <= size:
            raise ValueError(f"no tree of {old} leaves in one of {size}")
        path, low, high, is_whole = list[bytes](), 0, size, True
        while high != old:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low, is_whole = middle, False
        if not is_whole:
            path.append(self._range(low, high))
        return path[::-1]

    def _range(self, low: int, high: int) -> bytes:
        """Root over leaves low..high-1, where low is where a subtree of that size may begin."""
        length = high - low
        if length & (length - 1) == 0:
            level = length.bit_length() - 1
            return self._node(level, low >> level)
        middle = low + _split(length)
        return node_hash(self._range(low, middle), self._range(middle, high))

    def _node(self, level: int, number: int) -> bytes:
        """Hash of the perfect subtree of 2^level leaves of that number."""
        tile_level, above = divmod(level, BITS)
        count = 1 << above  # hashes of the tile's level below it
        first = number << above
        tile, at = divmod(first, WIDTH)
        held = self._get(tile_level, tile)
        if held is not None:
            return _root(held[at * HASH_BYTES : (at + count) * HASH_BYTES])
        if tile_level == 0:
            return _root(b"".join(self._leaves(first, first + count)))
        roots = (self._whole(tile_level - 1, first + i) for i in range(count))
        return _root(b"".join(roots))

    def _whole(self, level: int, number: int) -> bytes:
        """Root of a tile that must be whole."""
        held = self._get(level, number)
        if held is None:
            raise LookupError(f"tile {number} of level {level} is missing")
        return _root(held)


def _root(hashes: bytes) -> bytes:
    """Root over a power of two of hashes."""
    row = [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def _split(count: int) -> int:
    """The largest power of two smaller than count."""
    return 1 << ((count - 1).bit_length() - 1)
