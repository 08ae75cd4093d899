"""No bit of the container can change unseen: every field of every header, padding, and the end.

Sampled, a few bits a field and file; with `--long`, every bit of the container's own bytes, and of
the files' bytes one bit in `STRIDE`.
"""

import io
import random
from collections.abc import Iterator

import pytest

from evidence.archive import ustar
from evidence.findings import Verdict
from evidence.verifier.run import verify
from tests.unit.evidence import sealed_month as sm

ARCHIVE = sm.honest()
MEMBERS = ustar.members(io.BytesIO(ARCHIVE))
BLOCK = ustar.BLOCK
STRIDE = 101  # a prime: every bit of a byte has its turn

#: POSIX ustar: field -> (offset, length) in a header
FIELDS = {
    "name": (0, 100), "mode": (100, 8), "uid": (108, 8), "gid": (116, 8), "size": (124, 12),
    "mtime": (136, 12), "checksum": (148, 8), "type": (156, 1), "linkname": (157, 100),
    "magic": (257, 6), "version": (263, 2), "uname": (265, 32), "gname": (297, 32),
    "devmajor": (329, 8), "devminor": (337, 8), "prefix": (345, 155), "rest": (500, 12),
}  # fmt: skip


def padding(member: ustar.Member) -> range:
    end = member.offset + member.size
    return range(end, end + -end % BLOCK)


def own_bytes() -> list[int]:
    """Places of all bytes that are not a file's: headers, padding, the end."""
    of_files = {at for m in MEMBERS for at in range(m.offset, m.offset + m.size)}
    return [at for at in range(len(ARCHIVE)) if at not in of_files]


def verdict_with(at: int, bit: int) -> tuple[Verdict, set[str]]:
    """What the archive with this bit flipped comes to, without the figures."""
    flipped = bytearray(ARCHIVE)
    flipped[at] ^= 1 << bit
    report = verify(io.BytesIO(flipped), recompute=False)
    return report.verdict, {code for code in sm.codes(report) if code[0] == "E"}


def refused(at: int, bit: int) -> None:
    assert verdict_with(at, bit) == (Verdict.FAILED, {"E-CONTAINER"}), (at, bit)


def test_the_fields_are_the_whole_header_and_the_untouched_archive_does_not_fail() -> None:
    places = [at for start, length in FIELDS.values() for at in range(start, start + length)]
    assert places == list(range(BLOCK))
    assert verify(io.BytesIO(ARCHIVE), recompute=False).verdict is Verdict.PASSED
    assert len(own_bytes()) + sum(m.size for m in MEMBERS) == len(ARCHIVE)


@pytest.mark.parametrize("field", FIELDS)
def test_a_bit_of_a_header_field(field: str) -> None:
    """Of every file's header: the field's first and last byte, and one between."""
    start, length = FIELDS[field]
    choose = random.Random(field)
    for member in MEMBERS:
        for at in (0, choose.randrange(length), length - 1):
            refused(member.offset - BLOCK + start + at, choose.randrange(8))


def test_a_bit_of_the_padding_and_of_the_end() -> None:
    choose = random.Random(1)
    for member in MEMBERS:
        for at in list(padding(member))[:1] + list(padding(member))[-1:]:
            refused(at, choose.randrange(8))
    for at in (0, 1, 511, 512, 1023, *(choose.randrange(1024) for _ in range(40))):
        refused(len(ARCHIVE) - 1 - at, choose.randrange(8))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("bit", range(8))
def test_every_bit_of_the_containers_own_bytes(bit: int) -> None:
    for at in own_bytes():
        refused(at, bit)


def _of_files() -> Iterator[int]:
    for member in MEMBERS:
        yield from range(member.offset, member.offset + member.size)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_bits_of_every_files_bytes() -> None:
    """Whatever else is found: it fails, and is no defect of the container."""
    places = [(at, bit) for at in _of_files() for bit in range(8)]
    for at, bit in places[::STRIDE]:
        verdict, codes = verdict_with(at, bit)
        assert verdict is Verdict.FAILED, (at, bit)
        assert "E-CONTAINER" not in codes, (at, bit)
