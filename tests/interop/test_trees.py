"""pymerkle and scitt-cose build the trees we build, and their proofs are ours."""

import pytest
import scitt_cose
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.inclusion_receipt import encode_inclusion, verify_inclusion
from evidence.keys import FileSigner
from evidence.merkle import (
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    root_of,
)
from tests.interop.conftest import Ask
from tests.unit.evidence import sealed_month as sm

LEAVES = [bytes([n]) * (n % 5) for n in range(33)]
HEX = [leaf.hex() for leaf in LEAVES]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
SIZES = range(1, len(LEAVES) + 1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_pymerkle_has_our_roots_and_paths(ask: Ask) -> None:
    said = ask("read_trees.py", HEX)
    assert said["roots"] == [root_of(HASHES[:size]).hex() for size in SIZES]
    assert len(said["paths"]) == sum(SIZES)
    for index, size, path in said["paths"]:
        assert [h.hex() for h in inclusion_path(HASHES[:size], index)] == path
        assert is_included(HASHES[index], index, size, map_bytes(path), root_of(HASHES[:size]))


def map_bytes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(h) for h in path]


@pytest.mark.parametrize("size", SIZES)
def test_scitt_cose_has_our_roots_and_proofs(size: int) -> None:
    root = root_of(HASHES[:size])
    assert scitt_cose.merkle_root(HEX[:size]) == root.hex()
    for index in range(size):
        path = scitt_cose.inclusion_proof(HEX[:size], index)
        assert path == [h.hex() for h in inclusion_path(HASHES[:size], index)]
    for old in range(1, size):
        before = root_of(HASHES[:old])
        path = scitt_cose.consistency_proof(HEX[:size], old, size)
        assert path == [h.hex() for h in consistency_path(HASHES[:size], old)]
        assert is_consistent(old, before, size, root, map_bytes(path))
        assert scitt_cose.verify_consistency(before.hex(), root.hex(), old, size, path)
        assert not scitt_cose.verify_consistency(root.hex(), root.hex(), old, size, path)


def pem(by: FileSigner) -> bytes:
    return by.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(("p256", "alg"), [(False, -8), (True, -7)])
def test_scitt_cose_takes_our_receipts_of_inclusion(p256: bool, alg: int) -> None:
    """RFC 9942. It is older than RFC 9864, so they are signed under the older numbers."""
    by, entries = sm.keys(p256=p256).collector, sm.month().entries
    path = inclusion_path([leaf_hash(entry) for entry in entries], 3)
    made = encode_inclusion(sm.PLANT, entries[3], 3, len(entries), path, signer=by, alg=alg)
    said = scitt_cose.verify_receipt(
        made, leaf_entry_hex=entries[3].hex(), log_public_key_pem=pem(by)
    )
    ours = verify_inclusion(made, entries[3], by.public_key)
    assert said.ok, said.errors
    assert (said.root, said.tree_size, said.leaf_index) == (ours.root.hex(), len(entries), 3)
    assert (said.issuer, said.subject) == (f"stackproof/{sm.PLANT}", sm.STREAM)
    other = scitt_cose.verify_receipt(
        made, leaf_entry_hex=entries[2].hex(), log_public_key_pem=pem(by)
    )
    assert not other.ok
