"""The tree of RFC 6962: known answers of its reference implementation, and brute force.

Known answers: google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc.
"""

import hashlib

import pytest

from evidence.errors import MalformedError
from evidence.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
#: (leaf counted from 0, size) -> audit path
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
#: (old size, new size) -> consistency proof
PROOFS = {
    (1, 1): [],
    (1, 8): PATHS[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
MANY = [leaf_hash(bytes([i])) for i in range(40)]


def hexes(hashes: list[bytes]) -> list[str]:
    return [h.hex() for h in hashes]


def by_pairs(leaves: list[bytes]) -> bytes:
    """The root by hashing level by level, an odd last node carried up unchanged."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def grown(leaves: list[bytes]) -> CompactRange:
    tree = CompactRange()
    for leaf in leaves:
        tree = tree.append(leaf)
    return tree


def test_the_empty_tree() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert EMPTY_ROOT.hex() == root_of([]).hex() == CompactRange().root().hex() == empty


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]
    assert grown(LEAVES[:size]).root().hex() == ROOTS[size - 1]
    assert by_pairs(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("leaf", "size"), PATHS)
def test_known_audit_paths(leaf: int, size: int) -> None:
    path = inclusion_path(LEAVES[:size], leaf)
    assert hexes(path) == PATHS[leaf, size]
    assert is_included(LEAVES[leaf], leaf, size, path, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new"), PROOFS)
def test_known_consistency_proofs(old: int, new: int) -> None:
    path = consistency_path(LEAVES[:new], old)
    assert hexes(path) == PROOFS[old, new]
    roots = [bytes.fromhex(ROOTS[n - 1]) for n in (old, new)]
    assert is_consistent(old, roots[0], new, roots[1], path)


def test_growing_and_building_agree_at_every_size() -> None:
    for size in range(1, len(MANY) + 1):
        tree = grown(MANY[:size])
        assert tree.root() == root_of(MANY[:size]) == by_pairs(MANY[:size])
        assert len(tree.hashes) == bin(size).count("1")


def test_a_range_goes_on_growing_from_anywhere() -> None:
    for size in range(len(MANY)):
        tree = CompactRange(size, grown(MANY[:size]).hashes)
        for leaf in MANY[size:]:
            tree = tree.append(leaf)
        assert tree.root() == root_of(MANY)


def test_every_leaf_is_included_and_nothing_else() -> None:
    for size in range(1, 18):
        root = root_of(MANY[:size])
        for leaf in range(size):
            path = inclusion_path(MANY[:size], leaf)
            assert is_included(MANY[leaf], leaf, size, path, root)
            for wrong in wrong_paths(path, root):
                assert not is_included(MANY[leaf], leaf, size, wrong, root)
            for other in range(-1, size + 2):
                if other != leaf:
                    assert not is_included(MANY[leaf], other, size, path, root)
            assert not is_included(MANY[39], leaf, size, path, root)
            assert not is_included(MANY[leaf], leaf, size, path, EMPTY_ROOT)


def wrong_paths(path: list[bytes], root: bytes) -> list[list[bytes]]:
    wrong = [[*path, b""], [*path, root], [b"", *path], [root, *path]]
    for i, step in enumerate(path):
        spoilt = bytes([step[0] ^ 8]) + step[1:]
        wrong += [[*path[:i], spoilt, *path[i + 1 :]], [*path[:i], *path[i + 1 :]]]
    return wrong


def test_every_prefix_is_consistent_and_nothing_else() -> None:
    for new in range(1, 18):
        new_root = root_of(MANY[:new])
        for old in range(1, new + 1):
            old_root = root_of(MANY[:old])
            path = consistency_path(MANY[:new], old)
            assert is_consistent(old, old_root, new, new_root, path)
            if old == new:
                assert path == []
                assert not is_consistent(old, old_root, new, MANY[0][::-1], path)
                continue
            for wrong in [*wrong_paths(path, new_root), []]:
                assert not is_consistent(old, old_root, new, new_root, wrong)
            assert not is_consistent(old, new_root, new, old_root, path)
            assert not is_consistent(old, MANY[39], new, new_root, path)
            assert not is_consistent(old, old_root, new, MANY[39], path)


def test_a_rewritten_past_is_not_consistent() -> None:
    """The attack a witness is for: entry 3 of 9 is replaced after the tree of 6 was seen."""
    old_root = root_of(MANY[:6])
    rewritten = [*MANY[:3], leaf_hash(b"other"), *MANY[4:9]]
    assert not is_consistent(6, old_root, 9, root_of(rewritten), consistency_path(rewritten, 6))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (1, 0), (2, 1), (-1, 1), (1, -1), (5, 3)])
def test_sizes_that_cannot_be_are_not_consistent(old: int, new: int) -> None:
    for path in ([], [EMPTY_ROOT], [MANY[0], MANY[1]]):
        if old == new and not path:
            continue
        assert not is_consistent(old, MANY[0], new, MANY[1], path)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (2, 1), (0, -1)])
def test_leaves_that_cannot_be_are_not_included(index: int, size: int) -> None:
    for path in ([], [EMPTY_ROOT]):
        assert not is_included(MANY[0], index, size, path, MANY[0])


def test_proofs_of_what_is_not_there_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_path(MANY[:3], 3)
    with pytest.raises(ValueError, match="no leaf -1"):
        inclusion_path(MANY[:3], -1)
    for old in (0, 4, -1):
        with pytest.raises(ValueError, match=f"no tree of {old}"):
            consistency_path(MANY[:3], old)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (-1, ()), (0, (bytes(32),)), (1, ()), (2, (bytes(32), bytes(32))), (3, (bytes(32),)),
        (1, (bytes(31),)), (1, (bytes(33),)), (2**63, ()),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_is_refused(size: int, hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedError):
        CompactRange(size, hashes)


def test_leaf_and_node_hashes_cannot_be_mistaken() -> None:
    """Domain separation: the bytes of a node are not a leaf of the same hash."""
    left, right = MANY[0], MANY[1]
    assert node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
