"""Runs where pymerkle is: roots of its trees, and paths that it has verified.

    python read_trees.py LEAVES.json

Reads a list of leaves in hex; writes for every size the root, and the path of every leaf. Imports
nothing of ours.
"""

import json
import sys

from pymerkle import InmemoryTree, verify_inclusion


def main() -> None:
    """Answer on standard output."""
    with open(sys.argv[1]) as file:  # noqa: PTH123 - a script of three lines
        leaves = [bytes.fromhex(leaf) for leaf in json.load(file)]
    tree = InmemoryTree(algorithm="sha256")
    roots, paths = [], []
    for size, leaf in enumerate(leaves, 1):
        tree.append_entry(leaf)
        root = tree.get_root(size)
        roots.append(root.hex())
        for index in range(size):
            proof = tree.prove_inclusion(index + 1, size)
            base = tree.get_leaf(index + 1)
            verify_inclusion(base, root, proof)
            first, *path = proof.serialize()["path"]  # its paths begin with the leaf itself
            if first != base.hex():
                raise SystemExit(f"a path of pymerkle begins with {first}")
            paths.append([index, size, path])
    json.dump({"roots": roots, "paths": paths}, sys.stdout)


if __name__ == "__main__":
    main()
