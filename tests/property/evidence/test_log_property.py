"""Tree, entries, records, checkpoints, receipts and container under any input."""

import base64
import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import checkpoint, receipt
from evidence.archive import bag, ustar
from evidence.errors import EvidenceError
from evidence.log import Entry, Kind, decode_entry, encode_entry
from evidence.merkle import (
    CompactRange,
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    root_of,
)
from evidence.receipt import CloseRequest, Receipt
from evidence.records import encode_record, read_records, whole_length
from tests.property.evidence.test_frame_property import Changes, changes, spoil, values
from tests.unit.evidence import sealed_month as sm

COLLECTOR = sm.keys().collector
KEY = COLLECTOR.public_key
hashes = st.binary(min_size=32, max_size=32)
uint = st.integers(0, 2**64 - 1)
text = st.text(st.characters(codec="utf-8"), max_size=20)
leaves = st.lists(st.binary(max_size=4).map(leaf_hash), min_size=1, max_size=70)


@settings(max_examples=150, deadline=None)
@given(leaves, st.data())
def test_any_tree_grows_proves_and_extends(found: list[bytes], data: st.DataObject) -> None:
    root, size = root_of(found), len(found)
    cut = data.draw(st.integers(0, size))
    tree = CompactRange()
    for leaf in found[:cut]:
        tree = tree.append(leaf)
    assert tree.root() == root_of(found[:cut])
    for leaf in found[cut:]:
        tree = tree.append(leaf)
    assert tree.root() == root
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(found, index)
    assert is_included(found[index], index, size, path, root)
    assert len(path) <= size.bit_length()
    if cut:
        assert is_consistent(cut, root_of(found[:cut]), size, root, consistency_path(found, cut))


@settings(max_examples=200, deadline=None)
@given(leaves, st.data())
def test_no_proof_of_other_leaves_holds(found: list[bytes], data: st.DataObject) -> None:
    size, index = len(found), data.draw(st.integers(0, len(found) - 1))
    other = data.draw(hashes)
    path = data.draw(st.lists(hashes, max_size=8))
    root = root_of(found)
    assert not is_included(other, index, size, inclusion_path(found, index), root)
    if path != inclusion_path(found, index):
        assert not is_included(found[index], index, size, path, root)
    old = data.draw(st.integers(1, size))
    assert not is_consistent(old, other, size, root, consistency_path(found, old))


entries = st.builds(
    Entry,
    kind=st.sampled_from(list(Kind)),
    received_ns=uint,
    epoch=uint,
    stream=text,
    seq=st.one_of(st.none(), uint),
    sha256=hashes,
    length=uint,
    certificate=st.one_of(st.none(), hashes),
    verdict=text,
    second_hash=st.one_of(st.none(), st.binary(max_size=40)),
    detail=st.dictionaries(
        text, st.one_of(st.none(), uint, text, st.binary(max_size=5)), max_size=3
    ),
)


@settings(max_examples=200, deadline=None)
@given(entries, changes)
def test_any_entry_comes_back_and_a_spoilt_one_is_another_or_refused(
    entry: Entry, edits: Changes
) -> None:
    data = encode_entry(entry)
    assert decode_entry(data) == entry
    spoilt = spoil(data, edits)
    try:
        other = decode_entry(spoilt)
    except EvidenceError:
        return
    assert encode_entry(other) == spoilt  # one entry, one spelling


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), changes)
def test_records_come_back_and_spoilt_files_end_where_they_are_spoilt(
    items: list[bytes], edits: Changes
) -> None:
    data = b"".join(map(encode_record, items))
    assert list(read_records(data)) == items
    spoilt = spoil(data, edits)
    whole = whole_length(spoilt)
    again = list(read_records(spoilt[:whole]))
    assert b"".join(map(encode_record, again)) == spoilt[:whole]
    if whole < len(spoilt):
        try:
            list(read_records(spoilt))
        except EvidenceError:
            return
        raise AssertionError("a torn file was read to its end")


checkpoints = st.builds(
    checkpoint.Checkpoint,
    plant=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    size=st.integers(0, 10**19 - 1),
    root=hashes,
)


@settings(max_examples=150, deadline=None)
@given(checkpoints, changes)
def test_checkpoints_come_back_and_spoilt_ones_do_not(
    made: checkpoint.Checkpoint, edits: Changes
) -> None:
    note = checkpoint.sign(made, COLLECTOR, KEY)
    assert checkpoint.verify(note, KEY) == made
    spoilt = spoil(note.encode(), edits)
    try:
        assert checkpoint.verify(spoilt.decode(), KEY) == made
    except (EvidenceError, UnicodeDecodeError):
        return
    # a signature line of somebody else may have come beside it, or nothing changed
    assert spoilt.startswith(made.body().encode())


@settings(max_examples=100, deadline=None)
@given(text, st.lists(st.binary(max_size=80), max_size=3))
def test_any_text_under_a_good_signature_is_refused_or_a_checkpoint(
    body: str, blobs: list[bytes]
) -> None:
    lines = "".join(f"— stackproof/p {base64.b64encode(blob).decode()}\n" for blob in blobs)
    try:
        checkpoint.verify(f"{body}\n{lines}", KEY)
    except EvidenceError:
        return
    raise AssertionError("a text nobody signed was taken")


receipts = st.builds(
    Receipt, plant=text, stream=text, seq=uint, head=hashes, log_index=uint, received_ns=uint,
    checkpoint=text,
)  # fmt: skip
requests = st.builds(
    CloseRequest, plant=text, stream=text, month=text, closing=text, statement_sha256=hashes,
    seq=uint, head=hashes, log_size=uint, log_root=hashes,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(receipts, requests, changes)
def test_receipts_and_closes_come_back(made: Receipt, wish: CloseRequest, edits: Changes) -> None:
    data = receipt.encode_receipt(made, COLLECTOR)
    assert receipt.decode_receipt(data, KEY) == made
    assert receipt.decode_close_request(receipt.encode_close_request(wish, COLLECTOR), KEY) == wish
    payload = receipt.encode_close(wish)
    assert receipt.decode_close(payload) == wish
    if (spoilt := spoil(data, edits)) != data:
        try:
            receipt.decode_receipt(spoilt, KEY)
        except EvidenceError:
            pass
        else:
            raise AssertionError("a spoilt receipt was taken")
    try:
        receipt.decode_close(spoil(payload, edits))
    except EvidenceError:
        return


names = st.from_regex(r"[a-z0-9._-]{1,60}(/[a-z0-9._-]{1,60}){0,3}", fullmatch=True).filter(
    lambda name: not {"", ".", ".."} & set(name.split("/"))
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, st.binary(max_size=1100), max_size=4), changes)
def test_containers_come_back_and_any_other_bytes_are_refused(
    files: dict[str, bytes], edits: Changes
) -> None:
    target = io.BytesIO()
    writer = ustar.Writer(target)
    try:
        for name in sorted(files):
            writer.add(name, len(files[name]), [files[name]])
    except ValueError:
        return  # a name of more than 100 bytes that cannot be cut
    writer.finish()
    data = target.getvalue()
    found = ustar.members(io.BytesIO(data))
    assert {m.name: data[m.offset : m.offset + m.size] for m in found} == files
    spoilt = spoil(data, edits)
    try:
        members = ustar.members(io.BytesIO(spoilt))
    except EvidenceError:
        return
    again = io.BytesIO()
    writer = ustar.Writer(again)
    for m in members:
        writer.add(m.name, m.size, [spoilt[m.offset : m.offset + m.size]])
    writer.finish()
    assert again.getvalue() == spoilt  # whatever is read has exactly one container


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(names, hashes.map(bytes.hex), max_size=4), changes)
def test_manifests_come_back_and_have_one_form(listed: dict[str, str], edits: Changes) -> None:
    data = bag.manifest(listed)
    assert bag.parse_manifest(data) == listed
    spoilt = spoil(data, edits)
    try:
        other = bag.parse_manifest(spoilt)
    except EvidenceError:
        return
    assert bag.manifest(other) == spoilt


@settings(max_examples=100, deadline=None)
@given(values)
def test_any_value_is_a_seal_or_refused(value: Any) -> None:
    data = value if isinstance(value, bytes) else repr(value).encode()
    try:
        bag.check_seal(data, bytes(32), KEY)
    except EvidenceError:
        return
    raise AssertionError("something nobody signed was taken for a seal")
