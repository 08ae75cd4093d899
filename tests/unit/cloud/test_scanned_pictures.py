"""QR codes on JPEGs and PNGs, written by hand as their standards have them."""

import struct
import zlib
from collections.abc import Sequence

import pytest
import segno

from cloud.records.pdf.apart import read_apart
from cloud.records.pdf.child import read_paper
from tests.integration.cloud.test_pdf_apart import pdf_of, stream

WORDS = "stackproof:mini/c-1"
#: of modules of 8 points, a white margin around them; True is black
DOTS = [
    [bool(dark) for dark in row for _ in range(8)]
    for row in segno.make(WORDS, micro=False).matrix_iter(border=4)
    for _ in range(8)
]
SIDE = len(DOTS)


def png(bits: int, colour: int, points: tuple[str, str], *, interlaced: int = 0) -> bytes:
    """W3C PNG; the samples of a light and a dark point in hex, or as one bit."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = ("".join(points[dark] for dark in row) for row in DOTS)
    packed = [
        int(row.ljust(-(-SIDE // 8) * 8, "0"), 2).to_bytes(-(-SIDE // 8)) if bits == 1
        else bytes.fromhex(row)
        for row in rows
    ]  # fmt: skip
    head = struct.pack(">IIBBBBB", SIDE, SIDE, bits, colour, 0, 0, interlaced)
    data = zlib.compress(b"".join(b"\0" + row for row in packed))
    return b"".join([
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"PLTE", bytes([255] * 3 + [0] * 3)),
        chunk(b"IDAT", data[:9]), chunk(b"IDAT", data[9:]), chunk(b"IEND", b""),
    ])  # fmt: skip


def jpeg(dots: Sequence[Sequence[bool]]) -> bytes:
    """ITU-T T.81, baseline, grey: every block of 8 x 8 is of one shade, so it has its DC alone."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    bits, before = "", 0
    for row in dots[::8]:
        for dark in row[::8]:
            shade = -128 if dark else 0  # of what lies in the middle
            step, before = shade - before, shade
            # Huffman codes: 0 for no step, 10 for one of 8 bits; then 0 for the end of the block
            bits += ("10" + f"{step if step > 0 else step + 255:08b}" if step else "0") + "0"
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\x00")
    size = len(dots)
    return b"".join([
        b"\xff\xd8", segment(0xDB, bytes([0, *[8] * 64])),
        segment(0xC0, struct.pack(">BHHB", 8, size, size, 1) + bytes([1, 0x11, 0])),
        segment(0xC4, bytes([0x00, 1, 1, *[0] * 14, 0, 8])),
        segment(0xC4, bytes([0x10, 1, *[0] * 15, 0])),
        segment(0xDA, bytes([1, 1, 0, 0, 63, 0])), data, b"\xff\xd9",
    ])  # fmt: skip


@pytest.mark.parametrize(
    "picture",
    [
        jpeg(DOTS),
        png(1, 0, ("1", "0")),
        png(8, 0, ("ff", "00")),
        png(16, 0, ("ffff", "0000")),
        png(8, 2, ("ffffff", "000040")),
        png(1, 3, ("0", "1")),
        # what is transparent is white, whatever lies under it
        png(8, 4, ("0000", "00ff")),
        png(8, 6, ("00000000", "400000ff")),
    ],
    ids=["jpeg", "bits", "grey", "deep", "rgb", "palette", "grey-alpha", "rgba"],
)
def test_a_code_is_read_from_every_sort_of_picture(picture: bytes) -> None:
    paper = read_paper(picture)
    assert (paper["unread"], paper["pages"], paper["codes"]) == ("", 1, [[WORDS]])
    assert (paper["made"], paper["producer"]) == ("", "")  # of itself, not of what it is shown by


@pytest.mark.parametrize(
    "picture",
    [
        png(8, 0, ("ff", "00"), interlaced=1),
        png(8, 5, ("ff", "00")),
        png(8, 0, ("ff", "00"))[:20],
        jpeg(DOTS)[:30],
    ],
)
def test_what_is_no_picture_is_broken(picture: bytes) -> None:
    assert read_paper(picture)["unread"] == "broken"


def test_a_process_that_opens_no_file_reads_pictures_too() -> None:
    assert read_apart(jpeg(DOTS)).codes == ((WORDS,),)


def test_codes_are_told_page_by_page() -> None:
    """An empty page has none; a page too many is counted and not read."""
    picture = zlib.compress(bytes(255 * (not dark) for row in DOTS for dark in row))
    drawn = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8"
    size = b" /Width %d /Height %d /Filter /FlateDecode" % (SIDE, SIDE)
    empty = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>"
    pdf = pdf_of(stream(b"200 0 0 200 0 0 cm /I Do"), stream(picture, drawn + size), empty,
                 page=b"/MediaBox [0 0 200 200] /Resources <</XObject <</I 5 0 R>>>>",
                 kids=b"6 0 R 3 0 R 6 0 R")  # fmt: skip
    paper = read_paper(pdf, pages_max=2)
    assert (paper["pages"], paper["pages_read"], paper["codes"]) == (3, 2, [[], [WORDS]])
