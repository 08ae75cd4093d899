"""Bits flipped and bytes cut in the file as it is handed over: nobody re-made anything.

Container bytes (headers, padding, end) are covered whole in test_ustar; here every file's own
bytes are, all of them in the files that no manifest lists, sampled in the larger ones.
"""

import io
import random

import pytest

from evidence.archive import bag, paths, ustar
from evidence.findings import Verdict
from tests.unit.evidence import sealed_month as sm

ARCHIVE = sm.honest()
MEMBERS = {
    m.name.partition("/")[2]: m for m in ustar.members(io.BytesIO(ARCHIVE))
}  # path -> place in the file


def flipped(at: int, bit: int) -> bytes:
    data = bytearray(ARCHIVE)
    data[at] ^= 1 << bit
    return bytes(data)


def codes_of(archive: bytes) -> set[str]:
    """The failing codes, without recomputation: bytes are found before figures are."""
    report = sm.check(archive, recompute=False)
    assert report.verdict is Verdict.FAILED
    assert report.state.exit_status == 1
    return {code for code in sm.codes(report) if code[0] in "EC"}


@pytest.mark.parametrize("path", sorted(set(MEMBERS) - {paths.SEAL, paths.close(sm.STREAM)}))
def test_a_flipped_bit_in_a_listed_file_is_named(path: str) -> None:
    member = MEMBERS[path]
    chosen = random.Random(path)
    places = chosen.sample(range(member.size), min(member.size, 12))
    for at in [0, member.size - 1, *places]:
        found = codes_of(flipped(member.offset + at, at % 8))
        if path == bag.TAG_MANIFEST:
            assert "E-SEAL" in found
        elif path == bag.MANIFEST:
            assert "E-FILE-HASH" in found or "E-BAG" in found
        else:
            assert "E-FILE-HASH" in found


@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 8))]
)
def test_every_bit_of_the_seal_counts(turn: int) -> None:
    """One bit of each byte, another in the next; all of them in the long run."""
    member = MEMBERS[paths.SEAL]
    for at in range(member.size):
        assert codes_of(flipped(member.offset + at, (at + turn) % 8)) == {"E-SEAL"}


def test_every_byte_of_the_gateways_close_counts() -> None:
    member = MEMBERS[paths.close(sm.STREAM)]
    for at in range(member.size):
        assert codes_of(flipped(member.offset + at, at % 8)) == {"E-CLOSE"}


def test_a_flipped_bit_anywhere_fails_with_recomputation_too() -> None:
    places = random.Random(7)
    for _ in range(60):
        archive = flipped(places.randrange(len(ARCHIVE)), places.randrange(8))
        assert sm.check(archive).verdict is Verdict.FAILED


def test_an_archive_cut_anywhere_is_no_archive() -> None:
    ends = {m.offset for m in MEMBERS.values()} | {m.offset + m.size for m in MEMBERS.values()}
    cuts = {0, 1, 511, 512, 513, len(ARCHIVE) - 1, len(ARCHIVE) - 512, len(ARCHIVE) - 1024, *ends}
    for cut in sorted(cuts):
        assert codes_of(ARCHIVE[:cut]) == {"E-CONTAINER"}


@pytest.mark.parametrize("tail", [b"\0", b"x", bytes(512), ARCHIVE[:512]])
def test_nothing_may_follow_the_archive(tail: bytes) -> None:
    assert codes_of(ARCHIVE + tail) == {"E-CONTAINER"}


def test_two_top_folders_are_no_archive() -> None:
    target = io.BytesIO()
    writer = ustar.Writer(target)
    writer.add("a/bagit.txt", 0, [])
    writer.add("b/bagit.txt", 0, [])
    writer.finish()
    assert codes_of(target.getvalue()) == {"E-CONTAINER"}


def test_a_file_beside_the_top_folder_is_no_archive() -> None:
    target = io.BytesIO()
    writer = ustar.Writer(target)
    writer.add("bagit.txt", 0, [])
    writer.finish()
    assert codes_of(target.getvalue()) == {"E-CONTAINER"}


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04" + bytes(600), bytes(1024), b"x" * 5000])
def test_what_is_no_archive_is_called_so(junk: bytes) -> None:
    assert codes_of(junk) == {"E-CONTAINER"}


def test_an_archive_that_holds_nothing_of_ours_raises_nothing() -> None:
    target = io.BytesIO()
    writer = ustar.Writer(target)
    writer.add("x/data/hello.txt", 5, [b"hello"])
    writer.finish()
    assert {"E-BAG", "E-CERTIFICATE", "E-LOG", "E-SEAL", "E-STATEMENT"} <= codes_of(
        target.getvalue()
    )


@pytest.mark.parametrize("path", sorted(MEMBERS))
def test_any_file_missing_or_empty_fails(path: str) -> None:
    """All but the gateway's close, whose absence is a warning, and the receipt, which may lack."""
    files = sm.unpack(ARCHIVE)
    emptied = sm.check(sm.repack(files | {path: b""}, manifest=False))
    assert emptied.verdict is Verdict.FAILED
    del files[path]
    missing = sm.check(sm.repack(files, manifest=False))
    wanted = Verdict.PASSED if path == paths.close(sm.STREAM) else Verdict.FAILED
    assert missing.verdict is wanted
