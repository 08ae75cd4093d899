"""The bag: valid for another program, the same bytes every time, one form of manifest."""

import hashlib
import io
import tarfile
from pathlib import Path

import bagit  # type: ignore[import-untyped] # it has no types
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence import cbor, cose
from evidence.archive import bag, paths
from evidence.errors import MalformedError, SignatureError
from evidence.keys import FileSigner
from tests.unit.evidence import sealed_month as sm
from tests.untar import untar

COLLECTOR = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
DIGEST = bytes(range(32))
HEX = hashlib.sha256(b"x").hexdigest()


def test_bagit_calls_the_archive_valid(tmp_path: Path) -> None:
    """An independent reader: the reference implementation of the Library of Congress."""
    with tarfile.open(fileobj=io.BytesIO(sm.honest())) as tar:
        untar(tar, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name == "test-smelter-2026-06"
    read = bagit.Bag(str(folder))
    read.validate()
    assert read.info["External-Identifier"] == "test-smelter-2026-06 interim"
    assert read.info["Bagging-Date"] == "2026-06-15"
    statement = folder / "data" / "statement.json"
    statement.write_bytes(statement.read_bytes() + b" ")
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(folder)).validate()


def packed(folder: Path, files: dict[str, bytes], by: FileSigner = COLLECTOR) -> bytes:
    writer = bag.BagWriter(folder)
    for path, data in files.items():
        assert writer.add(path, [data[:2], data[2:]]) == hashlib.sha256(data).hexdigest()
    target = io.BytesIO()
    info = {"Bag-Software-Agent": "stackproof"}
    writer.pack(target, "b", info, lambda digest: {paths.SEAL: bag.seal(digest, by)})
    return target.getvalue()


def test_the_order_of_adding_does_not_show(tmp_path: Path) -> None:
    files = {"data/b": b"two", "data/a": b"one", "data/c/d": b""}
    backwards = dict(reversed(files.items()))
    assert packed(tmp_path / "1", files) == packed(tmp_path / "2", backwards)


def test_what_is_in_a_bag(tmp_path: Path) -> None:
    files = sm.unpack(packed(tmp_path / "s", {"data/a": b"one", "data/b": b"four"}))
    assert files["bagit.txt"] == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert files["bag-info.txt"] == b"Bag-Software-Agent: stackproof\nPayload-Oxum: 7.2\n"
    one, four = (hashlib.sha256(data).hexdigest() for data in (b"one", b"four"))
    assert files["manifest-sha256.txt"].decode() == f"{one}  data/a\n{four}  data/b\n"
    names = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"]
    tags = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in names)
    assert files["tagmanifest-sha256.txt"].decode() == tags
    digest = hashlib.sha256(tags.encode()).digest()
    assert cose.parse(files[paths.SEAL]).payload == digest


def test_only_new_payload_paths_are_taken(tmp_path: Path) -> None:
    writer = bag.BagWriter(tmp_path / "s")
    writer.add("data/a", [])
    for path in ("data/a", "a", "seal/x", "bagit.txt", "../data/x"):
        with pytest.raises(ValueError, match="not a new payload path"):
            writer.add(path, [])
    with pytest.raises(ValueError, match="is not empty"):
        bag.BagWriter(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEX} data/a\n", f"{HEX}\tdata/a\n", f"{HEX}  data/a", f"{HEX}  data/a\r\n",
        f"{HEX}  data/a\n\n", f"\n{HEX}  data/a\n", f"{HEX.upper()}  data/a\n",
        f"{HEX[:-1]}  data/a\n", f"{HEX}0  data/a\n", f"{HEX[:-1]}g  data/a\n", f"{HEX}\n",
        f"{HEX}  data/b\n{HEX}  data/a\n", f"{HEX}  data/a\n{HEX}  data/a\n",
        f"{HEX}  data/ä\n", f"{HEX}  data/a\x0b{HEX}  data/b\n", "x", "\n", "  \n",
    ],
)  # fmt: skip
def test_a_manifest_has_one_form(text: str) -> None:
    with pytest.raises(MalformedError):
        bag.parse_manifest(text.encode())
    assert bag.parse_manifest(f"{HEX}  data/a\n{HEX}  data/b\n".encode()) == {
        "data/a": HEX, "data/b": HEX,
    }  # fmt: skip


def test_a_seal_is_a_cose_hash_envelope() -> None:
    """RFC 9995: 258 the hash algorithm (-16 SHA-256), 259 what was hashed."""
    data = bag.seal(DIGEST, COLLECTOR)
    envelope = cose.parse(data)
    assert envelope.payload == DIGEST
    assert envelope.header == {
        1: -19, 4: COLLECTOR.kid, 16: "stackproof-seal+cose", 258: -16, 259: "text/plain",
    }  # fmt: skip
    bag.check_seal(data, DIGEST, COLLECTOR.public_key)


def test_a_seal_is_over_one_bag_by_one_key() -> None:
    data = bag.seal(DIGEST, COLLECTOR)
    with pytest.raises(MalformedError, match="over other bytes"):
        bag.check_seal(data, bytes(32), COLLECTOR.public_key)
    with pytest.raises(SignatureError):
        bag.check_seal(bag.seal(DIGEST, OTHER), DIGEST, COLLECTOR.public_key)


LABELS = {cose.TYP: bag.Sealed.BAG.value[0], 258: -16, 259: "text/plain"}


@pytest.mark.parametrize(
    "labels",
    [
        {cose.TYP: bag.Sealed.BAG.value[0]}, {**LABELS, 258: -43}, {**LABELS, cose.TYP: "other"},
        {**LABELS, 260: "x"}, {k: v for k, v in LABELS.items() if k != 259},
        {**LABELS, 259: "text/html"}, {**LABELS, 259: bag.Sealed.STAMP.value[1]},
    ],
)  # fmt: skip
def test_a_seal_of_another_form_is_none(labels: dict[int, object]) -> None:
    with pytest.raises(MalformedError):
        bag.check_seal(cose.sign(COLLECTOR, labels, DIGEST), DIGEST, COLLECTOR.public_key)
    bag.check_seal(cose.sign(COLLECTOR, LABELS, DIGEST), DIGEST, COLLECTOR.public_key)


def test_every_path_of_the_builder_is_known_and_no_other() -> None:
    for path in sm.unpack(sm.honest()):
        tag = path in (*bag.TAG_FILES, bag.TAG_MANIFEST)
        assert paths.is_known(path) or tag
    for path in (
        "data/frames/edge-1/2026-06-15/4.seg", "data/frames/Edge/2026-06-15/04.seg",
        "data/frames/a/b/2026-06-15/04.seg", "data/frames/../2026-06-15/04.seg",
        "data/config/00.cose", "data/keys/gateway-a-b.crt", "data/keys/other.crt",
        "data/rules/../x.toml", "data/rules/A.toml", "seal/other.tsr", "seal/close-.cose",
        "data/statement.json/x", "xdata/statement.json", "data/statement.json\n",
    ):  # fmt: skip
        assert not paths.is_known(path)


def test_the_archive_holds_what_the_log_range_says() -> None:
    files = sm.unpack(sm.honest())
    assert cbor.decode(files[paths.LOG_RANGE]) == [0, []]
    assert sm.records(files[paths.LOG_ENTRIES]) == list(sm.month().entries)
    assert [
        o for p in sorted(files) if p.startswith("data/frames/") for o in sm.records(files[p])
    ] == (list(sm.month().objects))
