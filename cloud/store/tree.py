"""The Merkle tree of a log as a file of node hashes, so that nothing of it is kept in memory.

Every leaf is followed by the nodes it completes, so the hash of each perfect subtree is written
once and stands where its last leaf and its level say:

    leaves 0 1 2 3 …   file: l0 l1 n(0,1) l2 l3 n(2,3) n(0..3) l4 …

A tree of n leaves takes 2n - popcount(n) hashes. Roots, paths and ranges read a few hashes each
(RFC 6962 §2.1). Rebuildable from the log's entries.
"""

from pathlib import Path

from cloud.errors import StoreError
from cloud.store.record_file import read_at
from evidence.merkle import CompactRange, node_hash

HASH_BYTES = 32


def file_bytes(size: int) -> int:
    """Length of the file of a tree of `size` leaves."""
    return HASH_BYTES * (2 * size - size.bit_count())


def grow(tree: CompactRange, leaf: bytes) -> tuple[CompactRange, bytes]:
    """One more leaf: the range after it, and the bytes it adds to the file. Pure."""
    hashes, size, added = list(tree.hashes), tree.size, leaf
    while size & 1:
        leaf = node_hash(hashes.pop(), leaf)
        added += leaf
        size >>= 1
    return CompactRange(tree.size + 1, (*hashes, leaf)), added


class TreeFile:
    """Reads the tree of a log; StoreError when the file is shorter than what is asked of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def compact_range(self, size: int) -> CompactRange:
        """The roots of the perfect subtrees of a tree of `size` leaves, largest first."""
        hashes, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                hashes.append(self._node(level, start >> level))
                start += 1 << level
        return CompactRange(size, tuple(hashes))

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Audit path of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1)."""
        if not 0 <= index < size:
            raise ValueError(f"no leaf {index} in a tree of {size}")
        path, low, high = [], 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._root(middle, high))
                high = middle
            else:
                path.append(self._root(low, middle))
                low = middle
        return path[::-1]

    def consistency_path(self, old: int, size: int) -> list[bytes]:
        """Proof that the first `old` leaves are a prefix of `size` (RFC 6962 §2.1.2)."""
        if not 0 < old <= size:
            raise ValueError(f"no tree of {old} leaves in one of {size}")
        path, low, high, whole = [], 0, size, True
        while high != old:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self._root(middle, high))
                high = middle
            else:
                path.append(self._root(low, middle))
                low, whole = middle, False
        if not whole:
            path.append(self._root(low, high))
        return path[::-1]

    def _root(self, low: int, high: int) -> bytes:
        """Root over leaves low..high-1, where low is where a subtree of that size may begin."""
        length = high - low
        if length & (length - 1) == 0:
            level = length.bit_length() - 1
            return self._node(level, low >> level)
        middle = low + _split(length)
        return node_hash(self._root(low, middle), self._root(middle, high))

    def _node(self, level: int, index: int) -> bytes:
        last_leaf = ((index + 1) << level) - 1
        node = read_at(self.path, file_bytes(last_leaf) + HASH_BYTES * level, HASH_BYTES)
        if len(node) != HASH_BYTES:
            raise StoreError(f"{self.path}: cut before leaf {last_leaf}")
        return node


def _split(count: int) -> int:
    """The largest power of two smaller than count."""
    return 1 << ((count - 1).bit_length() - 1)
