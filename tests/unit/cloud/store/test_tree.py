"""The tree's file against the definition in RFC 6962 (`evidence.merkle` over all leaves)."""

import hashlib
from pathlib import Path

import pytest

from cloud.errors import StoreError
from cloud.store.tree import TreeFile, file_bytes, grow
from evidence import merkle

LEAVES = [hashlib.sha256(bytes([n])).digest() for n in range(70)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> TreeFile:
    path = tmp_path_factory.mktemp("tree") / "tree.bin"
    grown = merkle.CompactRange()
    with path.open("wb") as file:
        for size, leaf in enumerate(LEAVES):
            assert file.tell() == file_bytes(size)
            grown, nodes = grow(grown, leaf)
            file.write(nodes)
            assert grown.root() == merkle.root_of(LEAVES[: size + 1])
    return TreeFile(path)


def test_three_leaves_stand_as_the_docstring_says(tree: TreeFile) -> None:
    """l0 l1 n(0,1) l2: written out by hand."""
    data = tree.path.read_bytes()
    pair = hashlib.sha256(b"\x01" + LEAVES[0] + LEAVES[1]).digest()
    assert data[: 4 * 32] == LEAVES[0] + LEAVES[1] + pair + LEAVES[2]
    assert file_bytes(3) == 4 * 32


def test_ranges_of_every_size_give_the_root(tree: TreeFile) -> None:
    for size in range(len(LEAVES) + 1):
        assert tree.compact_range(size).root() == merkle.root_of(LEAVES[:size])


def test_every_inclusion_path_is_the_definitions(tree: TreeFile) -> None:
    for size in range(1, len(LEAVES) + 1):
        for index in range(size):
            assert tree.inclusion_path(index, size) == merkle.inclusion_path(LEAVES[:size], index)


def test_every_consistency_path_is_the_definitions_and_proves(tree: TreeFile) -> None:
    for size in range(1, len(LEAVES) + 1):
        for old in range(1, size + 1):
            path = tree.consistency_path(old, size)
            assert path == merkle.consistency_path(LEAVES[:size], old)
            roots = merkle.root_of(LEAVES[:old]), merkle.root_of(LEAVES[:size])
            assert merkle.is_consistent(old, roots[0], size, roots[1], path)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_the_tree_is_the_callers_mistake(
    tree: TreeFile, index: int, size: int
) -> None:
    with pytest.raises(ValueError, match=f"no leaf {index} in a tree of {size}"):
        tree.inclusion_path(index, size)


def test_a_tree_larger_than_its_end_is_the_callers_mistake(tree: TreeFile) -> None:
    with pytest.raises(ValueError, match="no tree of 4 leaves in one of 3"):
        tree.consistency_path(4, 3)


def test_a_cut_file_is_named(tree: TreeFile, tmp_path: Path) -> None:
    short = TreeFile(tmp_path / "tree.bin")
    short.path.write_bytes(tree.path.read_bytes()[: file_bytes(64) - 1])
    assert short.compact_range(63).root() == merkle.root_of(LEAVES[:63])
    with pytest.raises(StoreError, match=r"tree\.bin: cut before leaf 63"):
        short.compact_range(64)
