"""Two verifiers, one format: the other is Node alone, written from FORMAT.md (tests/vectors)."""

import dataclasses
import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from evidence import cose
from evidence.archive import paths
from evidence.blocks import COMPRESSION_ZLIB, compress, decompress
from evidence.findings import Verdict
from evidence.frame import TYP_CLOSE, TYP_FRAME, decode_body
from evidence.keys import key_sha256
from evidence.runs import encode_runs
from tests.attacks.by_operators import CHANGES as OPERATOR
from tests.attacks.by_strangers import CHANGES as STRANGER
from tests.attacks.forging import FOREIGN
from tests.unit.evidence import sealed_month as sm

SEG = paths.frames(sm.STREAM, "2026-06-15/04")
PROGRAM = Path(__file__).resolve().parents[2] / "vectors" / "second_verifier.mjs"

pytestmark = pytest.mark.needs("node")


def as_zlib(payload: bytes) -> bytes:
    return compress(decompress(payload), COMPRESSION_ZLIB)


def zlib_month() -> sm.Month:
    """The honest month with payloads that Node can unpack."""
    chain = sm.Chain(sm.keys().gateway)
    stream = [dataclasses.replace(item, payload=as_zlib(item.payload)) for item in sm.items()]
    made = sm.make_month(stream, chain=chain)
    close = cose.parse(chain.objects.pop())
    return dataclasses.replace(made, close=chain.sign(TYP_CLOSE, as_zlib(close.payload)))


@functools.cache
def month() -> sm.Month:
    return zlib_month()


def other_verdicts(folder: Path, archives: list[bytes]) -> list[dict[str, Any]]:
    """What Node says to each."""
    files = [folder / f"{i:03}.tar" for i in range(len(archives))]
    for file, data in zip(files, archives, strict=True):
        file.write_bytes(data)
    root = key_sha256(sm.keys().root.public_key).hex()
    done = subprocess.run(
        ["node", PROGRAM, root, *files], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_honest_archive_passes_there_too_and_every_number_is_the_same(tmp_path: Path) -> None:
    archive = sm.build(sm.contents(month()))
    assert sm.check(archive).verdict is Verdict.PASSED
    (answer,) = other_verdicts(tmp_path, [archive])
    assert answer["errors"] == []
    ours: list[dict[str, Any]] = []
    for seq, data in enumerate(month().objects):
        envelope = cose.parse(data)
        if envelope.typ == TYP_FRAME:
            body = decode_body(envelope.payload)
            groups = [
                [g.dtype.value, len(g.raw), g.raw.tobytes().hex(), encode_runs(g.quality)]
                for section in body.sections
                for g in section.groups
            ]
            ours.append({"seq": seq, "groups": groups})
    assert answer["frames"] == ours
    assert sum(len(frame["groups"]) for frame in ours) > 15


def test_what_one_refuses_the_other_refuses(tmp_path: Path) -> None:
    """The tamper corpus; figures and rule sets apart, which Node does not calculate."""
    base = sm.unpack(sm.build(sm.contents(month())))
    ours_alone = {"E-TOTAL", "E-INPUT", "E-RULES", "E-STATEMENT", "E-RECEIPT"}
    archives, names = [], []
    for by, corpus in ((FOREIGN, STRANGER), (sm.keys().collector, STRANGER | OPERATOR)):
        for name, (change, _) in corpus.items():
            if "configuration" in name:
                continue  # its file has another name here, being another object
            files = dict(base)
            change(files)
            archive = sm.repack(files, by=by)
            found = {c for c in sm.codes(sm.check(archive)) if c[0] == "E"}
            if found - ours_alone:
                archives.append(archive)
                names.append(name)
    assert len(archives) > 80
    for name, answer in zip(names, other_verdicts(tmp_path, archives), strict=True):
        assert answer["errors"], name


def test_flipped_bits_are_refused_there_too(tmp_path: Path) -> None:
    archive = sm.build(sm.contents(month()))
    spoilt = []
    for at in range(0, len(archive), 401):
        data = bytearray(archive)
        data[at] ^= 1 << at % 8
        spoilt.append(bytes(data))
    answers = other_verdicts(tmp_path, spoilt)
    assert all(answer["errors"] for answer in answers)


def test_a_p256_plant_passes_with_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, gateway and collector with ECDSA: certificates, objects, checkpoint and seal."""
    who = sm.keys(p256=True)
    monkeypatch.setattr(sm, "keys", lambda: who)
    archive = sm.build(sm.contents(zlib_month()))
    assert {cose.parse(o).alg for o in sm.records(sm.unpack(archive)[SEG])} == {-9}
    assert sm.check(archive).verdict is Verdict.PASSED
    (answer,) = other_verdicts(tmp_path, [archive])
    assert answer["errors"] == []
