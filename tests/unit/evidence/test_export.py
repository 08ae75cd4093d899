"""The exported spool: valid for another program, always the same bytes, nothing bent gets by."""

import datetime as dt
import functools
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import bagit  # type: ignore[import-untyped] # it has no types
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence.archive import export, ustar
from evidence.archive.export import ExportReader, Span, read_receipts, write_export, write_receipts
from evidence.blocks import compress
from evidence.chain import ZERO_HASH
from evidence.errors import ChainError, EvidenceError, LimitError, MalformedError
from evidence.frame import TYP_FRAME, Header, sign_object
from evidence.keys import FileSigner, certificate_to_pem, issue
from tests.untar import untar

ROOT = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = FileSigner(KEY)
FIRST, COUNT = 5, 4
SPAN = Span("p-1", "edge-1", FIRST, FIRST + COUNT - 1)
TOP = "p-1-edge-1-5-8"


def certificate(plant: str = "p-1", gateway: str = "edge-1") -> x509.Certificate:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    root = issue("root", plant, plant, ROOT.public_key(), issuer=ROOT, not_before=start, days=3650)
    return issue(
        "gateway", plant, gateway, KEY.public_key(), issuer=(ROOT, root), not_before=start, days=99
    )


CERTIFICATE = certificate()


def made(first: int, count: int, stream: str = "edge-1", plant: str = "p-1") -> list[bytes]:
    """A chain of signed objects; the one before `first` has a hash of 01 bytes."""
    prev, found = (b"\1" * 32 if first else ZERO_HASH), []
    for seq in range(first, first + count):
        header = Header(TYP_FRAME, plant, stream, 1_780_000_000, seq, prev)
        found.append(sign_object(SIGNER, header, compress(bytes(seq))))
        prev = hashlib.sha256(found[-1]).digest()
    return found


def written(
    objects: list[bytes], span: Span = SPAN, certificates: tuple[x509.Certificate, ...] = ()
) -> bytes:
    target = io.BytesIO()
    size = sum(map(len, objects))
    write_export(target, span, certificates or (CERTIFICATE,), iter(objects), object_bytes=size)
    return target.getvalue()


@functools.cache
def honest() -> bytes:
    return written(made(FIRST, COUNT))


def read(data: bytes) -> list[tuple[Header, bytes]]:
    return list(ExportReader(io.BytesIO(data)).objects())


def test_what_was_written_is_read() -> None:
    reader = ExportReader(io.BytesIO(honest()))
    assert reader.span == SPAN
    assert reader.certificates == (CERTIFICATE,)
    for _ in range(2):  # as often as asked
        assert [data for _, data in reader.objects()] == made(FIRST, COUNT)
    assert [header.seq for header, _ in reader.objects()] == [5, 6, 7, 8]


def test_same_objects_same_bytes_whatever_the_order_of_certificates() -> None:
    renewed = certificate()
    both = written(made(FIRST, COUNT), certificates=(CERTIFICATE, renewed))
    assert both == written(made(FIRST, COUNT), certificates=(renewed, CERTIFICATE))
    assert len(ExportReader(io.BytesIO(both)).certificates) == 2
    assert honest() == written(made(FIRST, COUNT))


def test_bagit_and_tar_read_it_too(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(honest())) as tar:
        untar(tar, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name == TOP
    bag = bagit.Bag(str(folder))
    bag.validate()
    assert bag.info["External-Identifier"] == TOP
    assert bag.info["Stackproof-Last"] == "8"
    assert (folder / "data" / "objects.seg").read_bytes()[:4] == b"SPR1"


def test_one_object_is_held_at_a_time() -> None:
    """The writer asks for an object only after the one before is in the file."""
    objects = made(FIRST, COUNT)
    target, asked = io.BytesIO(), []

    def one_by_one() -> Iterator[bytes]:
        for data in objects:
            asked.append(target.tell())
            yield data

    size = sum(map(len, objects))
    write_export(target, SPAN, (CERTIFICATE,), one_by_one(), object_bytes=size)
    assert asked == [asked[0] + sum(12 + len(o) for o in objects[:n]) for n in range(COUNT)]


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_no_flipped_bit_gets_by(at: int) -> None:
    data = bytearray(honest())
    for place in range(at, len(data), 100):
        data[place] ^= 1 << place % 8
        with pytest.raises(EvidenceError):
            read(bytes(data))
        data[place] ^= 1 << place % 8
    assert bytes(data) == honest()


def test_no_cut_file_gets_by() -> None:
    for length in range(0, len(honest()), 331):
        with pytest.raises(EvidenceError):
            read(honest()[:length])
    with pytest.raises(EvidenceError):
        read(honest() + bytes(512))


def test_a_dropped_doubled_or_foreign_object_is_found_although_the_manifest_fits() -> None:
    objects = made(FIRST, COUNT)
    wrong = {
        "objects end before seq 8": objects[:3],
        "seq 7 where 6 is due": [objects[0], *objects[2:], objects[3]],
        "seq 5 where 6 is due": [objects[0], *objects[:3]],
        "does not name the object before it": [objects[0], *made(6, 3)],
        "go on after seq 8": made(FIRST, COUNT + 1),
        "is of p-1/edge-2": [*objects[:3], made(8, 1, stream="edge-2")[0]],
        "is of p-2/edge-1": [*objects[:3], made(8, 1, plant="p-2")[0]],
        "not a COSE_Sign1": [*objects[:3], b"noise"],
    }
    for sentence, bent in wrong.items():
        data = packed({**honest_files(), "data/objects.seg": write_receipts(bent)})
        with pytest.raises((ChainError, MalformedError), match=sentence):
            read(data)


def test_the_first_object_of_a_stream_follows_nothing() -> None:
    span = Span("p-1", "edge-1", 0, 1)
    assert len(read(written(made(0, 2), span))) == 2
    header = Header(TYP_FRAME, "p-1", "edge-1", 1, 0, b"\1" * 32)
    bent = sign_object(SIGNER, header, compress(b"x"))
    with pytest.raises(ChainError, match="does not name"):
        read(written([bent], Span("p-1", "edge-1", 0, 0)))


def honest_files() -> dict[str, bytes]:
    source = io.BytesIO(honest())
    members = ustar.members(source)
    return {m.name.partition("/")[2]: honest()[m.offset : m.offset + m.size] for m in members}


def packed(files: dict[str, bytes], top: str = TOP, fix: bool = True) -> bytes:
    """A container of these files, with oxum and manifests made to fit if `fix`."""
    files = dict(files)
    if fix:
        data = {p: d for p, d in files.items() if p.startswith("data/")}
        head = files["bag-info.txt"].decode().rpartition("Payload-Oxum")[0]
        oxum = f"{sum(map(len, data.values()))}.{len(data)}"
        files["bag-info.txt"] = f"{head}Payload-Oxum: {oxum}\n".encode()
        files["manifest-sha256.txt"] = listing(data)
        names = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")
        files["tagmanifest-sha256.txt"] = listing({n: files[n] for n in names})
    target = io.BytesIO()
    writer = ustar.Writer(target)
    for path in sorted(files):
        writer.add(f"{top}/{path}", len(files[path]), [files[path]])
    writer.finish()
    return target.getvalue()


def listing(files: dict[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files)]
    return "".join(lines).encode()


def test_the_bags_own_files_have_one_form() -> None:
    files = honest_files()
    assert packed(files) == honest()
    info = files["bag-info.txt"]
    crt = next(path for path in files if path.endswith(".crt"))
    other = certificate_to_pem(certificate(gateway="edge-2"))
    attempts: list[tuple[str, dict[str, bytes]]] = [
        ("is not that of", {"bag-info.txt": b"Note: x\n" + info}),
        ("is not that of", {"bag-info.txt": info.replace(b"First: 5", b"First: 05")}),
        ("does not describe", {"bag-info.txt": info.replace(b"First: 5", b"First: 4")}),
        ("is not the declaration", {"bagit.txt": b"BagIt-Version: 0.97\n"}),
        ("unknown file", {"data/more.txt": files[crt]}),
        ("not a PEM", {crt: b"-----"}),
        ("not the certificate it names", {crt: other}),
        ("one PEM form", {crt: files[crt] + b"\n"}),
        ("64 bytes|larger than", {crt: bytes(70_000)}),
    ]
    for sentence, change in attempts:
        with pytest.raises(EvidenceError, match=sentence):
            read(packed({**files, **change}))
    with pytest.raises(MalformedError, match="does not describe"):
        read(packed(files, top="p-1-edge-1-5-9"))
    with pytest.raises(MalformedError, match="not those the manifest lists"):
        read(packed({**files, "more": b""}, fix=False))
    with pytest.raises(LimitError, match="0 certificates"):
        read(packed({path: data for path, data in files.items() if path != crt}))
    for missing in ("data/objects.seg", "bagit.txt", "manifest-sha256.txt"):
        kept = {path: data for path, data in files.items() if path != missing}
        with pytest.raises(MalformedError, match="is missing"):
            read(packed(kept, fix=False))


def test_certificates_of_others_are_refused() -> None:
    for stranger in (certificate(gateway="edge-2"), certificate(plant="p-2")):
        with pytest.raises(MalformedError, match="not this gateway's"):
            read(written(made(FIRST, COUNT), certificates=(stranger,)))


def test_two_folders_or_none_are_refused() -> None:
    target = io.BytesIO()
    writer = ustar.Writer(target)
    for name in ("a/bag-info.txt", "b/bagit.txt"):
        writer.add(name, 1, [b"x"])
    writer.finish()
    with pytest.raises(MalformedError, match="not in the folder 'a'"):
        read(target.getvalue())
    with pytest.raises(MalformedError, match="is missing"):
        read(bytes(1024))


def test_what_no_file_can_hold_is_said_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "OBJECTS_BYTES_MAX", 1000)
    with pytest.raises(LimitError, match="take fewer objects"):
        write_export(io.BytesIO(), SPAN, (CERTIFICATE,), [], object_bytes=1000)
    with pytest.raises(ValueError, match="1 to 100 certificates"):
        write_export(io.BytesIO(), SPAN, (), [], object_bytes=10)
    with pytest.raises(ValueError, match="bytes given where"):
        write_export(io.BytesIO(), SPAN, (CERTIFICATE,), [b"x"], object_bytes=10)


def test_receipt_files() -> None:
    objects = made(0, 2)
    assert read_receipts(objects[0]) == objects[:1]
    assert read_receipts(write_receipts(objects)) == objects
    for bad in (b"", write_receipts(objects)[:-1], b"SPR1"):
        with pytest.raises(MalformedError):
            read_receipts(bad)
    with pytest.raises(LimitError, match="receipt file of"):
        read_receipts(bytes(export.RECEIPTS_BYTES_MAX + 1))
