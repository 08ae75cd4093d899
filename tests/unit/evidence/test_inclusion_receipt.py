"""COSE receipts of inclusion: bytes by hand after RFC 9942, and everything that is none.

The entry is the example of FORMAT.md §12; hashes of trees are made here, by the definition.
"""

import hashlib
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from evidence.checkpoint import Checkpoint
from evidence.errors import EvidenceError, LimitError, MalformedError, SignatureError
from evidence.inclusion_receipt import Inclusion, encode_inclusion, verify_inclusion
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, encode_entry

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = FileSigner(KEY)
OTHER = FileSigner(generate())
KID = bytes.fromhex("a050837d85070582")
ENTRY = bytes.fromhex(
    "8c01011b18b9286ecfd380000166656467652d31005820b5e78cf33112abb255dbeb9ca46ce64b5b59f58ce33db9de10"
    "6efe44480ecf981901145820a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a568616363"
    "6570746564f6a0"
)
LEAF = bytes.fromhex("5303b29318606f5137a8cb4e635a9b8cce1998716f39cbf2c0de6a489f0a4769")
A, B = bytes([1]) * 32, bytes([2]) * 32
RECEIPT = encode_inclusion("p1", ENTRY, 1, 3, [A, B], signer=LOG)
PROTECTED: dict[Any, Any] = {1: -19, 4: KID, 15: {1: "stackproof/p1", 2: "edge-1"}, 395: 1}


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


#: leaves A, the entry, B: ((A, entry), B)
ROOT = node(node(A, LEAF), B)


def made(
    protected: Any = PROTECTED, proof: Any = (3, 1, [A, B]), *, payload: Any = None,
    vdp: Any = None, root: bytes = ROOT, key: ed25519.Ed25519PrivateKey = KEY, tag: int = 18,
) -> bytes:  # fmt: skip
    """A receipt put together and signed with the CBOR library and the key alone."""
    header = cbor2.dumps(protected, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", header, b"", root], canonical=True))
    proofs = {396: {-1: [cbor2.dumps(proof, canonical=True)]}} if vdp is None else vdp
    parts = [header, proofs, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(tag, parts), canonical=True)


def test_a_receipt_by_hand() -> None:
    header = (
        b"\xa4"  # four entries
        b"\x01\x32"  # alg: -19
        b"\x04\x48" + KID +  # kid
        b"\x0f\xa2\x01\x6dstackproof/p1\x02\x66edge-1"  # CWT claims: iss, sub
        b"\x19\x01\x8b\x01"  # vds (395): 1
    )  # fmt: skip
    proof = b"\x83\x03\x01\x82\x58\x20" + A + b"\x58\x20" + B
    tbs = b"\x84\x6aSignature1\x58" + bytes([len(header)]) + header + b"\x40\x58\x20" + ROOT
    by_hand = (
        b"\xd2\x84\x58" + bytes([len(header)]) + header
        + b"\xa1\x19\x01\x8c\xa1\x20\x81\x58" + bytes([len(proof)]) + proof
        + b"\xf6\x58\x40" + KEY.sign(tbs)
    )  # fmt: skip
    assert by_hand == RECEIPT
    assert made() == by_hand
    assert verify_inclusion(by_hand, ENTRY, LOG.public_key) == Inclusion("p1", ROOT, 3, 1)


def test_the_log_of_the_formats_example_holds_its_entry() -> None:
    """A tree of one leaf: no path, and the root is the leaf."""
    receipt = encode_inclusion("p1", ENTRY, 0, 1, [], signer=LOG)
    assert verify_inclusion(receipt, ENTRY, LOG.public_key) == Inclusion("p1", LEAF, 1, 0)


def test_an_entry_of_the_plant_is_about_the_plant() -> None:
    entry = encode_entry(Entry(Kind.ENROL, 7, 1, "", None, bytes(32), 9))
    receipt = encode_inclusion("p1", entry, 0, 1, [], signer=LOG)
    header = cbor2.loads(cbor2.loads(receipt).value[0])
    assert dict(header[15]) == {1: f"{Checkpoint('p1', 1, LEAF).origin}", 2: "p1"}
    assert verify_inclusion(receipt, entry, LOG.public_key).plant == "p1"


@pytest.mark.parametrize(
    ("kind", "written", "older"), [("ed25519", -19, -8), ("p256", -9, -7)], ids=["ed25519", "p256"]
)
def test_algorithm_numbers_old_and_new(kind: str, written: int, older: int) -> None:
    signer = FileSigner(generate(kind))
    for alg, number in ((None, written), (older, older), (written, written)):
        receipt = encode_inclusion("p1", ENTRY, 1, 3, [A, B], signer=signer, alg=alg)
        assert cbor2.loads(cbor2.loads(receipt).value[0])[1] == number
        assert verify_inclusion(receipt, ENTRY, signer.public_key).root == ROOT
    wrong = -8 if kind == "p256" else -7
    with pytest.raises(ValueError, match=f"does not sign by {wrong}"):
        encode_inclusion("p1", ENTRY, 1, 3, [A, B], signer=signer, alg=wrong)


def test_a_path_of_another_place_is_not_signed() -> None:
    for index, size, path in ((1, 3, [A]), (3, 3, [A, B]), (-1, 3, [A, B]), (2, 3, [A, B])):
        with pytest.raises(ValueError, match="is none of leaf"):
            encode_inclusion("p1", ENTRY, index, size, path, signer=LOG)


def test_only_the_logs_key_counts() -> None:
    with pytest.raises(SignatureError, match="another key"):
        verify_inclusion(RECEIPT, ENTRY, OTHER.public_key)
    with pytest.raises(SignatureError, match="does not verify"):
        verify_inclusion(made(key=ed25519.Ed25519PrivateKey.generate()), ENTRY, LOG.public_key)
    with pytest.raises(SignatureError, match="another key"):
        verify_inclusion(RECEIPT, ENTRY, FileSigner(generate("p256")).public_key)


def test_another_entry_or_place_is_not_proved() -> None:
    other = encode_entry(Entry(Kind.FRAME, 8, 1, "edge-1", 1, bytes(32), 9, bytes(32)))
    with pytest.raises(SignatureError):
        verify_inclusion(RECEIPT, other, LOG.public_key)
    for proof in ((3, 0, [A, B]), (3, 1, [B, A]), (3, 1, [A, A])):
        with pytest.raises(SignatureError):
            verify_inclusion(made(proof=proof), ENTRY, LOG.public_key)


def test_size_and_index_are_the_receipts_word() -> None:
    """Leaf 1 of 3 and leaf 1 of 4 have paths of one shape; a checkpoint tells them apart."""
    found = verify_inclusion(made(proof=(4, 1, [A, B])), ENTRY, LOG.public_key)
    assert found == Inclusion("p1", ROOT, 4, 1)


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (made(payload=ROOT), "detached payload"),
        (made(vdp={}), "one inclusion proof"),
        (made(vdp={396: {-1: []}}), "one inclusion proof"),
        (made(vdp={396: {-2: [b"x"]}}), "one inclusion proof"),
        (made(vdp={396: {-1: [b"x"]}, 394: 1}), "one inclusion proof"),
        (made(vdp={396: {-1: [b"x", b"y"]}}), "one inclusion proof"),
        (made(vdp={396: {-1: [b"\xff"]}}), "not the CBOR"),
        (made(tag=98), "tag 18"),
        (b"", "tag 18"),
        (b"\xd2\x80", "one inclusion proof"),
        (RECEIPT + b"\0", "trailing"),
        (made(proof=(3, 1, [A])), "path is none of leaf 1 in a tree of 3"),
        (made(proof=(1, 1, [])), "path is none"),
        (made(proof=(3, 1, [A, b"short"])), "32 bytes"),
        (made(proof=(2**63, 1, [A] * 64)), "at most 63"),
        (made(proof=(3, True, [A, B])), "tree size, leaf index, path"),
        (made(proof=(3, 1)), "tree size, leaf index, path"),
        (made(proof=(3, "1", [A, B])), "tree size, leaf index, path"),
        (made({**PROTECTED, 395: 2}), "another verifiable data structure"),
        (made({**PROTECTED, 395: True}), "another verifiable data structure"),
        (made({**PROTECTED, 16: "x"}), "protected header"),
        (made({k: v for k, v in PROTECTED.items() if k != 395}), "protected header"),
        (made([]), "protected header"),
        (made({**PROTECTED, 1: "EdDSA"}), "wrong type"),
        (made({**PROTECTED, 4: "x"}), "wrong type"),
        (made({**PROTECTED, 15: {1: "stackproof/p1", 2: "edge-2"}}), "another stream"),
        (made({**PROTECTED, 15: {1: "stackproof/p1", 2: "edge-1", 6: 1}}), "another stream"),
        (made({**PROTECTED, 15: {1: "elsewhere", 2: "edge-1"}}), "not a plant's log"),
        (made({**PROTECTED, 15: "x"}), "not a plant's log"),
    ],
)  # fmt: skip
def test_what_is_no_receipt(receipt: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        verify_inclusion(receipt, ENTRY, LOG.public_key)


def test_too_large_is_not_looked_at() -> None:
    with pytest.raises(LimitError, match="8193 bytes"):
        verify_inclusion(bytes(8193), ENTRY, LOG.public_key)


def test_no_bit_of_a_receipt_can_change() -> None:
    for bit in range(len(RECEIPT) * 8):
        flipped = bytearray(RECEIPT)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EvidenceError):
            verify_inclusion(bytes(flipped), ENTRY, LOG.public_key)


@given(st.binary(max_size=200), st.integers(0, len(RECEIPT)), st.integers(0, len(RECEIPT)))
def test_hostile_bytes_raise_only_our_errors(data: bytes, cut: int, again: int) -> None:
    for hostile in (data, b"\xd2" + data, RECEIPT[:cut] + data + RECEIPT[again:]):
        if hostile != RECEIPT:
            with pytest.raises(EvidenceError):
                verify_inclusion(hostile, ENTRY, LOG.public_key)
