"""The Merkle tree of RFC 6962 §2.1: root, inclusion and consistency, from hashes alone. Pure.

A `CompactRange` is the few hashes (one a bit of the size) from which a tree goes on growing; it is
what an archive carries in place of all earlier entries.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from evidence.errors import MalformedError

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class CompactRange:
    """A tree of `size` leaves as the roots of its perfect subtrees, largest first.

    Attributes:
        size: leaves so far.
        hashes: one for each set bit of size, from the most significant bit down.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise MalformedError(
                f"a tree of {self.size} leaves is not described by {len(self.hashes)} hashes"
            )
        if any(len(h) != 32 for h in self.hashes):
            raise MalformedError("tree hashes have 32 bytes")

    def append(self, leaf: bytes) -> "CompactRange":
        """The range with one more leaf hash."""
        hashes, size = list(self.hashes), self.size
        while size & 1:
            leaf = node_hash(hashes.pop(), leaf)
            size >>= 1
        return CompactRange(self.size + 1, (*hashes, leaf))

    def root(self) -> bytes:
        """The tree's root, `EMPTY_ROOT` for no leaves."""
        if not self.hashes:
            return EMPTY_ROOT
        result = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            result = node_hash(left, result)
        return result


class Tree:
    """A tree that grows leaf by leaf and still knows every root it had since its start.

    Holds every node of its perfect subtrees: about 64 bytes a leaf.

    Attributes:
        start: what stood before the first leaf appended.
        size: leaves so far, those of the start included.
    """

    def __init__(self, start: CompactRange | None = None) -> None:
        self.start = start or CompactRange()
        self.size = self.start.size
        # _levels[k] holds the subtrees of 2^k leaves from number _first[k] on
        self._levels: list[bytearray] = []
        self._first: list[int] = []
        hashes = list(self.start.hashes)
        for k in range(self.size.bit_length()):
            known = self.size >> k & 1
            self._levels.append(bytearray(hashes.pop() if known else b""))
            self._first.append((self.size >> k) - known)

    def append(self, leaf: bytes) -> None:
        """Take one more leaf hash."""
        level, size = 0, self.size
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
                self._first.append(0)
            nodes = self._levels[level]
            nodes += leaf
            if not size & 1:
                break
            leaf = hashlib.sha256(b"\x01" + nodes[-64:]).digest()
            size, level = size >> 1, level + 1
        self.size += 1

    def root_at(self, size: int) -> bytes:
        """The root it had at a size from that of the start to the present one.

        Raises:
            ValueError: it never had this size, or before its start.
        """
        if not self.start.size <= size <= self.size:
            raise ValueError(f"no tree of {size} leaves; {self.start.size} to {self.size} are held")
        return self._range_root(0, size)

    def consistency_path(self, old: int) -> list[bytes]:
        """Proof that the tree of `old` leaves is a prefix of the present one (RFC 6962 §2.1.2).

        Raises:
            ValueError: it never had this size, or before its start, or it is 0.
        """
        if not max(self.start.size, 1) <= old <= self.size:
            raise ValueError(f"no tree of {old} leaves; {self.start.size} to {self.size} are held")
        path: list[bytes] = []
        first, end, whole = 0, self.size, True
        while old != end:
            middle = first + _split(end - first)
            if old <= middle:
                path.append(self._range_root(middle, end))
                end = middle
            else:
                path.append(self._range_root(first, middle))
                first, whole = middle, False
        if not whole:
            path.append(self._range_root(first, end))
        return path[::-1]

    def _range_root(self, first: int, end: int) -> bytes:
        """Root over the leaves from `first` to `end` - 1; `first` begins a perfect subtree."""
        result = b""
        for k, nodes in enumerate(self._levels):
            if (end - first) >> k & 1:
                at = 32 * ((end >> k) - 1 - self._first[k])
                node = bytes(nodes[at : at + 32])
                result = node_hash(node, result) if result else node
        return result or EMPTY_ROOT


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, by definition (MTH of RFC 6962)."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf `index` (RFC 6962 §2.1.1); ValueError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_path(leaves[:k], index), root_of(leaves[k:])]
    return [*inclusion_path(leaves[k:], index - k), root_of(leaves[:k])]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """True when the audit path proves the leaf (RFC 9162 §2.1.3.2)."""
    return root_by_path(leaf, index, size, path) == root


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root a leaf and its audit path lead to; None when the path is not one of that place."""
    if not 0 <= index < size:
        return None
    fn, sn, result = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            result = node_hash(step, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, step)
        fn, sn = fn >> 1, sn >> 1
    return result if sn == 0 else None


def consistency_path(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """Proof that the first `old` leaves are a prefix (RFC 6962 §2.1.2)."""
    if not 0 < old <= len(leaves):
        raise ValueError(f"no tree of {old} leaves in one of {len(leaves)}")
    return _subproof(leaves, old, whole=True)


def _subproof(leaves: Sequence[bytes], old: int, *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*_subproof(leaves[:k], old, whole=whole), root_of(leaves[k:])]
    return [*_subproof(leaves[k:], old - k, whole=False), root_of(leaves[:k])]


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """True when the path proves that the old tree is a prefix of the new (RFC 9162 §2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    steps = list(path) if old & (old - 1) else [old_root, *path]
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(step, fr), node_hash(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, step)
        fn, sn = fn >> 1, sn >> 1
    return fr == old_root and sr == new_root and sn == 0


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)
