"""The container's own headers: links, paths to elsewhere, names twice, every field of a header.

The bag inside stays whole; a reader that only looks at names and bytes would be led astray.
"""

import io
import tarfile
from collections.abc import Callable

from evidence.archive import ustar
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm

TOP = f"{sm.PLANT}-2026-06"
BLOCK = ustar.BLOCK


def header(name: bytes, *changes: tuple[int, bytes], size: int = 0) -> bytes:
    """A header with a right checksum, made here field by field (POSIX ustar)."""
    block = bytearray(BLOCK)
    fields: list[tuple[int, bytes]] = [
        (0, name), (100, b"0000644\0"), (108, b"0000000\0"), (116, b"0000000\0"),
        (124, b"%011o\0" % size), (136, b"00000000000\0"), (148, b" " * 8), (156, b"0"),
        (257, b"ustar\x0000"), (329, b"0000000\0"), (337, b"0000000\0"), *changes,
    ]  # fmt: skip
    for at, data in fields:
        block[at : at + len(data)] = data
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def with_member(head: bytes, data: bytes = b"") -> Callable[[], bytes]:
    """The honest archive with one more member before its end, sorted last by its name."""
    filler = bytes(-len(data) % BLOCK)
    return lambda: sm.honest()[: -2 * BLOCK] + head + data + filler + bytes(2 * BLOCK)


def first_header(at: int, data: bytes) -> Callable[[], bytes]:
    """The honest archive, one field of its first header changed and its checksum made right."""

    def build() -> bytes:
        archive = bytearray(sm.honest())
        archive[at : at + len(data)] = data
        archive[148:156] = b" " * 8
        archive[148:156] = b"%06o\0 " % sum(archive[:BLOCK])
        return bytes(archive)

    return build


def bit(at: Callable[[bytes], int]) -> Callable[[], bytes]:
    """The honest archive with a bit flipped and no checksum made right."""

    def build() -> bytes:
        archive = bytearray(sm.honest())
        archive[at(bytes(archive))] ^= 4
        return bytes(archive)

    return build


def twice(other: bytes) -> Callable[[], bytes]:
    """The first file a second time, right behind itself, with other bytes."""

    def build() -> bytes:
        archive = sm.honest()
        first = ustar.members(io.BytesIO(archive))[0]
        end = first.offset + first.size + (-first.size % BLOCK)
        again = ustar.header(first.name, len(other)) + other + bytes(-len(other) % BLOCK)
        return archive[:end] + again + archive[end:]

    return build


def swapped() -> bytes:
    """The first two files in the other order."""
    archive = sm.honest()
    found = ustar.members(io.BytesIO(archive))
    one = found[1].offset - BLOCK
    two = found[2].offset - BLOCK
    return archive[one:two] + archive[:one] + archive[two:]


def by_tarfile() -> bytes:
    """Python's own tar program, with a date and an owner."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, data in sorted(sm.unpack(sm.honest()).items()):
            info = tarfile.TarInfo(f"{TOP}/{path}")
            info.size, info.mtime, info.uname = len(data), 1_781_500_000, "engineer"
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


def packed(names: list[str]) -> Callable[[], bytes]:
    """A container of empty files, written by the writer of the format."""

    def build() -> bytes:
        target = io.BytesIO()
        writer = ustar.Writer(target)
        for name in names:
            writer.add(name, 0, [])
        writer.finish()
        return target.getvalue()

    return build


_Z = f"{TOP}/zz".encode()
PAX = b"28 mtime=1781500000.5000000\n"

#: (what, why, build)
_MEMBERS: list[tuple[str, str, Callable[[], bytes]]] = [
    ("absolute path", "A file is to land in the system's folders when the bag is unpacked.",
     with_member(header(b"/etc/cron.d/x"))),
    ("path to above", "A file is to land beside the reviewer's folder.",
     with_member(header(b"../zz"))),
    ("path through above", "A path goes in and out again, past a simple check.",
     with_member(header(_Z + b"/../../../x"))),
    ("path of dots", "A path with a dot part has two spellings.",
     with_member(header(_Z + b"/./x"))),
    ("path with an empty part", "A path with two slashes has two spellings.",
     with_member(header(_Z + b"//x"))),
    ("backslash path above", "A path climbs out on a system that splits at backslashes.",
     with_member(header(b"..\\zz"))),
    ("prefix to above", "The climbing part stands in the header's second name field.",
     with_member(header(b"x", (345, b"..")))),
    ("name in another script", "A name looks like another in ASCII.",
     with_member(header(TOP.encode() + "/zа".encode()))),
    ("symbolic link", "A link points at the reviewer's own files.",
     with_member(header(_Z, (156, b"2"), (157, b"/etc/passwd")))),
    ("hard link", "A link makes one file count twice.",
     with_member(header(_Z, (156, b"1"), (157, f"{TOP}/bagit.txt".encode())))),
    ("folder", "A folder's entry carries rights and dates.", with_member(header(_Z, (156, b"5")))),
    ("character device", "A device is to be made on the reviewer's machine.",
     with_member(header(_Z, (156, b"3"), (329, b"0000001\0"), (337, b"0000003\0")))),
    ("pipe", "A pipe lets a reader wait for ever.", with_member(header(_Z, (156, b"6")))),
    ("pax header", "A pax header renames what follows for some readers and not for others.",
     with_member(header(_Z, (156, b"x"), size=len(PAX)), PAX)),
    ("global pax header", "A pax header changes all files that follow.",
     with_member(header(_Z, (156, b"g"), size=len(PAX)), PAX)),
    ("GNU long name", "A GNU header gives the next file another name.",
     with_member(header(_Z, (156, b"L"), size=4), b"abc\0")),
    ("sparse file", "A sparse file grows without bounds when unpacked.",
     with_member(header(_Z, (156, b"S")))),
    ("huge declared size", "A file of eight gibibytes is announced and not there.",
     with_member(header(_Z, size=8 * 1024**3 - 1))),
    ("size in base 256", "The size stands in a form in which it can be negative.",
     with_member(header(_Z, (124, b"\xff" * 12)))),
    ("size with a sign", "The size has a sign that some readers take.",
     with_member(header(_Z, (124, b"-0000000001")))),
    ("size one block too large", "A file swallows the end of the archive.",
     with_member(header(_Z, size=3 * BLOCK))),
    ("bytes behind the prefix", "Words are hidden where no reader looks.",
     with_member(header(_Z, (500, b"hidden")))),
]  # fmt: skip

#: field -> (place in the first header, other bytes)
_FIELDS: dict[str, tuple[int, bytes]] = {
    "name": (0, b"x"), "mode": (100, b"0000777"), "owner": (108, b"0001750"),
    "group": (116, b"0001750"), "size": (124, b"00000000001"), "date": (136, b"15000000000"),
    "type": (156, b"\0"), "link name": (157, b"x"), "magic": (257, b"ustar  \0"),
    "owner's name": (265, b"root"), "group's name": (297, b"root"), "device": (329, b"0000001"),
    "second device": (337, b"0000001"), "prefix": (345, b"x"), "padding": (505, b"x"),
}  # fmt: skip

_BITS: dict[str, Callable[[bytes], int]] = {
    "a header's checksum": lambda _: 150,
    "the padding after a file": lambda archive: _after_first(archive),
    "the first end block": lambda archive: len(archive) - 900,
    "the last byte of all": lambda archive: len(archive) - 1,
}


def _after_first(archive: bytes) -> int:
    first = ustar.members(io.BytesIO(archive))[0]
    assert first.size % BLOCK
    return first.offset + first.size


_ORDER: list[tuple[str, str, Callable[[], bytes]]] = [
    ("a file twice", "A second file of the name: one reader takes the first, another the last.",
     twice(b"other")),
    ("two files swapped", "The same files in another order have another hash.", swapped),
    ("two top folders", "A second bag travels in the first one's container.",
     packed(["a/bagit.txt", "b/bagit.txt"])),
    ("a file beside the top folder", "A file lands beside the bag.", packed(["bagit.txt"])),
    ("a zip", "Somebody renames another kind of archive.",
     lambda: b"PK\x03\x04" + bytes(600)),
    ("nothing but an end", "An archive holds no file at all.", lambda: bytes(1024)),
    ("packed by another tar", "Somebody packs the bag with a program that adds dates and owners.",
     by_tarfile),
]  # fmt: skip

KINDS: list[Kind] = [
    *(
        kind(f"container: {name}", story, build, "E-CONTAINER")
        for name, story, build in (*_MEMBERS, *_ORDER)
    ),
    *(
        kind(
            f"container: another {field} in a header",
            f"Somebody changes a header's {field}, which most readers ignore, checksum and all.",
            first_header(*place), "E-CONTAINER",
        )
        for field, place in _FIELDS.items()
    ),
    *(
        kind(f"container: a bit of {what}", f"A disk flips one bit of {what}.", bit(at),
             "E-CONTAINER")
        for what, at in _BITS.items()
    ),
]  # fmt: skip
