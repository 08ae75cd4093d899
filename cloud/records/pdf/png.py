"""A PNG as a PDF of one page, whose reader then has one form less to know. Pure.

Nothing is unpacked: what a PNG packs its rows with (W3C PNG, clauses 9 and 10) is what a PDF calls
FlateDecode with predictors of 15 (ISO 32000-1, 7.4.4.4). Of transparency what is left is white.
"""

import struct
from collections.abc import Iterator

A4_WIDE = 595
_HEAD = struct.Struct(">IIBBBBB")
#: W3C PNG, table 11.1, colour type -> samples of a point, and what they are in a PDF
_SPACES = {
    0: (1, b"/DeviceGray"), 2: (3, b"/DeviceRGB"), 3: (1, b""),
    4: (2, b"[/DeviceN [/G /A] /DeviceGray 6 0 R]"),
    6: (4, b"[/DeviceN [/R /G /B /A] /DeviceRGB 6 0 R]"),
}  # fmt: skip
#: opacity lies under the samples; each is multiplied by it, and the rest of white is added
_OVER = b"3 index mul 3 index 1 exch sub add "
_OVER_WHITE = {
    4: b"{dup 3 1 roll mul exch 1 exch sub add}",
    6: b"{4 1 roll " + b"3 1 roll ".join([_OVER] * 3) + b"4 -1 roll pop 3 1 roll}",
}


class PictureError(ValueError):
    """A picture that is broken, or an interlaced PNG, which no scanner writes."""


def pdf_of_png(data: bytes) -> bytes:
    """The PDF.

    Raises:
        PictureError: it is none.
    """
    head, palette, packed = b"", b"", []
    for name, part in _chunks(data):
        if name == b"IHDR":
            head = part
        elif name == b"PLTE":
            palette = part
        elif name == b"IDAT":
            packed.append(part)
    if len(head) != _HEAD.size:
        raise PictureError("it has no header")
    width, height, bits, colour, _, _, interlaced = _HEAD.unpack(head)
    if colour not in _SPACES or interlaced or not width or not height:
        raise PictureError("its header is none, or it is interlaced")
    samples, space = _SPACES[colour]
    if colour == 3:
        space = b"[/Indexed /DeviceRGB %d <%s>]" % (len(palette) // 3 - 1, palette.hex().encode())
    size = b"/BitsPerComponent %d /Columns %d /Colors %d" % (bits, width, samples)
    picture = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent %d /ColorSpace %s "
        b"/Filter /FlateDecode /DecodeParms <</Predictor 15 %s>>"
    ) % (width, height, bits, space, size)
    unit, tall = b" 0 1" * samples, A4_WIDE * height / width
    function = b"/FunctionType 4 /Domain [%s] /Range [%s]" % (unit, unit[4:])
    page = b"/Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 %d %.3f] " % (A4_WIDE, tall)
    return _pdf(
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
        b"<<" + page + b"/Resources <</XObject <</I 5 0 R>>>>>>",
        _stream(b"", b"%d 0 0 %.3f 0 0 cm /I Do" % (A4_WIDE, tall)),
        _stream(picture, b"".join(packed)),
        _stream(function, _OVER_WHITE.get(colour, b"{}")),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def _pdf(*objects: bytes) -> bytes:
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    trailer = b"trailer <</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return data + head + table + trailer % (len(places) + 1, len(data))
