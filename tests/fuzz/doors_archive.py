"""Doors to files that are carried about: archives, exported spools, manifests, seals, stamps."""

import hashlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from cloud.closing.kept import read_kept
from evidence.archive import bag, paths, ustar
from evidence.archive.export import ExportReader, read_receipts
from evidence.documents.observed.observe import observe
from evidence.errors import EvidenceError
from evidence.findings import CODES
from evidence.keys import load_certificates
from evidence.timestamp import check_stamp, is_available, read_stamp, stamp_request
from evidence.verifier.records import read_archived
from evidence.verifier.run import verify
from tests.attacks.corpus import KINDS
from tests.attacks.forging import ROOT_SHA256
from tests.fuzz.doors import Call, Door, file_door, pure
from tests.fuzz.mutating import (
    Mutate,
    cbor_bent,
    json_bent,
    lines_bent,
    note_bent,
    object_bent,
    pem_bent,
    records_bent,
    spoilt,
    tar_bent,
)
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import test_export as exported
from tests.unit.evidence.documents import papers
from tests.unit.evidence.time_authority import TimeAuthority

OURS = (EvidenceError,)
WHO = sm.keys()
TRUST = frozenset({ROOT_SHA256})
FILES = sm.unpack(sm.honest())
#: months with a rotation, a replacement, a cosignature, an amendment, and with none of these
HONEST = [kind.build() for kind in KINDS if "honest" in kind.name]

_BY_GATEWAY, _BY_COLLECTOR = object_bent(WHO.gateway), object_bent(WHO.collector)


def _bend_of(path: str) -> Mutate:
    """How the owner of a file's keys would bend it."""
    ends: list[tuple[str, Mutate]] = [
        ("entries.seg", records_bent(cbor_bent)), (".seg", records_bent(_BY_GATEWAY)),
        ("range.cbor", cbor_bent), (".proof", cbor_bent), ("statement.json", json_bent),
        (".crt", pem_bent),
        ("checkpoint", note_bent(f"stackproof/{sm.PLANT}", WHO.collector)),
        ("seal.cose", object_bent(WHO.collector, spoilt)), (".txt", lines_bent),
    ]  # fmt: skip
    folders = [
        ("seal/close", _BY_GATEWAY), ("data/receipts", _BY_COLLECTOR), ("data/config", _BY_GATEWAY),
        ("data/keys/order", object_bent(WHO.root)), (paths.RECORDS + "files/", spoilt),
        (paths.RECORDS, object_bent(papers.key_of("li"))),
    ]  # fmt: skip
    for end, mutate in ends:
        if path.endswith(end):
            return mutate
    return next((mutate for start, mutate in folders if path.startswith(start)), spoilt)


def _month_bent(data: bytes, choose: Random) -> bytes:
    """An archive with one or two files bent; manifest, checkpoint and seal mostly made anew."""
    if not choose.randint(0, 5):
        return spoilt(data, choose)
    files = sm.unpack(data)
    for path in choose.sample(sorted(files), choose.choice([1, 1, 2])):
        if not choose.randint(0, 9):
            del files[path]
        else:
            files[path] = _bend_of(path)(files[path], choose)
    if choose.randint(0, 1) and paths.LOG_ENTRIES in files:
        try:
            note = sm.log_note(sm.records(files[paths.LOG_ENTRIES]))
            files[paths.LOG_CHECKPOINT] = note.encode()
        except EvidenceError:
            pass  # no log any more: the checkpoint stays that of the old one
    if not set(bag.TAG_FILES) - {bag.MANIFEST} <= set(files) or not choose.randint(0, 3):
        return sm.repack(files, manifest=False)
    return sm.repack(files, by=WHO.collector)


def _verify(data: bytes) -> None:
    """Whatever the bytes: findings with published codes, and sentences that can be printed."""
    report = verify(io.BytesIO(data), trust=TRUST)
    assert {finding.code for finding in report.findings} <= set(CODES)
    assert all((f.where + f.sentence).isprintable() for f in report.findings)


def _export(data: bytes) -> None:
    reader = ExportReader(io.BytesIO(data))
    assert sum(1 for _ in reader.objects()) == reader.span.last - reader.span.first + 1


def _remade(bend: Callable[[str], Mutate]) -> Mutate:
    """An exported spool with a file bent and its manifests made right."""

    def change(files: dict[str, bytes], choose: Random) -> dict[str, bytes]:
        top = next(iter(files)).partition("/")[0]
        made = {name.partition("/")[2]: content for name, content in files.items()}
        path = choose.choice(sorted(made))
        made[path] = bend(path)(made[path], choose)
        if choose.randint(0, 5):
            digests = {path: hashlib.sha256(content).hexdigest() for path, content in made.items()}
            data = {p: d for p, d in digests.items() if p.startswith("data/")}
            made[bag.MANIFEST] = bag.manifest(data)
            digests[bag.MANIFEST] = hashlib.sha256(made[bag.MANIFEST]).hexdigest()
            made[bag.TAG_MANIFEST] = bag.manifest({p: digests[p] for p in bag.TAG_FILES})
        return {f"{top}/{path}": content for path, content in made.items()}

    return tar_bent(change)


def _bend_export(path: str) -> Mutate:
    if path.endswith(".seg"):
        return records_bent(object_bent(exported.SIGNER, spoilt))
    return pem_bent if path.endswith(".crt") else lines_bent


def _renamed(files: dict[str, bytes], choose: Random) -> dict[str, bytes]:
    name = choose.choice(sorted(files))
    content = files.pop(name)
    files[choose.choice([f"{name}x", f"x/{name}", name[:-1] or "x", f"{name}/y"])] = content
    return files


def _stamped(folder: Path) -> list[bytes]:
    authority = TimeAuthority(folder / "authority")
    return [authority.answer(stamp_request(FILES[paths.SEAL]))]


def _stamp(folder: Path) -> Call:
    trusted = load_certificates(folder / "authority" / "root.pem")

    def call(data: bytes) -> None:
        read_stamp(data, FILES[paths.SEAL])
        check_stamp(data, FILES[paths.SEAL], trusted)

    return call


def _documents(data: bytes) -> None:
    observe(read_archived(io.BytesIO(data)).standing)


def _manifest(data: bytes) -> None:
    assert bag.manifest(bag.parse_manifest(data)) == data


_TAG_DIGEST = hashlib.sha256(FILES[bag.TAG_MANIFEST]).digest()
_RECEIPTS = [sm.month().receipt, sm.seg([sm.month().receipt] * 2)]


DOORS: list[Door] = [
    pure("container", lambda d: ustar.members(io.BytesIO(d)), [sm.honest()], tar_bent(_renamed),
         OURS, "evidence.archive.ustar.members"),
    pure("manifest", _manifest, [FILES[bag.MANIFEST], FILES[bag.TAG_MANIFEST]], lines_bent, OURS,
         "evidence.archive.bag.parse_manifest"),
    pure("seal", lambda d: bag.check_seal(d, _TAG_DIGEST, WHO.collector.public_key),
         [FILES[paths.SEAL]], object_bent(WHO.collector, spoilt), OURS,
         "evidence.archive.bag.check_seal"),
    pure("archive", _verify, HONEST, _month_bent, (), "evidence.verifier.run.verify",
         "evidence.verifier.figures.read_statement", weight=6),
    pure("documents of an archive", _documents, HONEST, _month_bent, OURS,
         "evidence.verifier.records.read_archived", weight=6),
    pure("exported spool", _export, [exported.honest()], _remade(_bend_export), OURS,
         "evidence.archive.export.ExportReader", weight=2),
    pure("receipt file", read_receipts, _RECEIPTS, records_bent(spoilt), OURS,
         "evidence.archive.export.read_receipts"),
    file_door("archive kept", read_kept, lambda _: [sm.honest()], _month_bent, (),
              "cloud.closing.kept.read_kept", file="kept.tar"),
]  # fmt: skip

if shutil.which("openssl") and is_available():
    covers = ("evidence.timestamp.read_stamp", "evidence.timestamp.check_stamp")
    DOORS.append(Door("time stamp", covers, _stamped, _stamp, spoilt, OURS))
