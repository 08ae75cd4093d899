"""The container: header bytes by hand, other programs' readers, and every single bit."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from evidence.archive import ustar
from evidence.errors import LimitError, MalformedError


def packed(files: dict[str, bytes], *, order: list[str] | None = None) -> bytes:
    target = io.BytesIO()
    writer = ustar.Writer(target)
    for name in order or sorted(files):
        writer.add(name, len(files[name]), [files[name]])
    writer.finish()
    return target.getvalue()


LONG = f"bag/{'d' * 60}/{'e' * 60}/{'f' * 60}.seg"
FILES = {
    "bag/a.txt": b"hello\n",
    "bag/b/empty": b"",
    "bag/b/full": bytes(range(256)) * 2,
    LONG: b"x",
}
SMALL = packed({"b/a": b"hi", "b/b": b""})


def test_a_header_by_hand() -> None:
    expected = bytearray(512)
    expected[0:5] = b"b/abc"
    expected[100:108] = b"0000644\0"
    expected[108:116] = expected[116:124] = b"0000000\0"
    expected[124:136] = b"00000001750\0"  # 1000 in octal
    expected[136:148] = b"00000000000\0"
    expected[156] = ord("0")
    expected[257:265] = b"ustar\x0000"
    expected[329:337] = expected[337:345] = b"0000000\0"
    expected[148:156] = b" " * 8
    expected[148:156] = b"%06o\0 " % sum(expected)
    assert ustar.header("b/abc", 1000) == bytes(expected)


def test_members_are_where_they_are() -> None:
    data = packed(FILES)
    found = ustar.members(io.BytesIO(data))
    assert {m.name: data[m.offset : m.offset + m.size] for m in found} == FILES


def test_pythons_tarfile_reads_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(FILES)), mode="r:") as tar:
        read = {}
        for member in tar.getmembers():
            assert member.isreg()
            assert (member.mode, member.mtime, member.uid, member.gid) == (0o644, 0, 0, 0)
            file = tar.extractfile(member)
            assert file is not None
            read[member.name] = file.read()
    assert read == FILES


@pytest.mark.needs("tar")
def test_the_systems_tar_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(packed(FILES))
    listed = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines() == sorted(FILES)
    assert listed.stderr == ""
    subprocess.run(["tar", "xf", path, "-C", tmp_path], check=True)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES


def test_every_flipped_bit_outside_the_files_is_refused() -> None:
    """Where common readers look away: header fields they ignore, padding, the end."""
    content = {m.offset + i for m in ustar.members(io.BytesIO(SMALL)) for i in range(m.size)}
    for at in range(len(SMALL)):
        for bit in range(8):
            spoilt = bytearray(SMALL)
            spoilt[at] ^= 1 << bit
            if at in content:
                assert len(ustar.members(io.BytesIO(spoilt))) == 2  # the manifest's business
                continue
            with pytest.raises(MalformedError):
                ustar.members(io.BytesIO(spoilt))


def test_a_container_cut_at_any_byte_is_refused() -> None:
    for length in range(len(SMALL)):
        with pytest.raises(MalformedError):
            ustar.members(io.BytesIO(SMALL[:length]))


@pytest.mark.parametrize("tail", [b"\0", b"x", bytes(512), bytes(1024)])
def test_nothing_may_follow(tail: bytes) -> None:
    with pytest.raises(MalformedError, match="goes on after its end mark"):
        ustar.members(io.BytesIO(SMALL + tail))


def test_a_cut_end_mark_is_called_cut() -> None:
    with pytest.raises(MalformedError, match="is cut inside its end mark"):
        ustar.members(io.BytesIO(SMALL[:-1]))


@pytest.mark.parametrize(
    "name",
    [
        "", "/etc/passwd", "../up", "a/../b", "a/./b", ".", "..", "a//b", "a/", "/", "a\0b", "ä",
        "x" * 101, "a/" + "x" * 101, "x" * 156 + "/a", "a" * 300,
    ],
)  # fmt: skip
def test_a_name_that_points_elsewhere_cannot_be_written(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ustar.header(name, 0)


def forged(field: slice, value: bytes, name: str = "b/a", size: int = 0) -> bytes:
    """A container of one file whose header differs in one field, with a right checksum."""
    block = bytearray(ustar.header(name, size))
    block[field] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


FORGED = {
    "absolute path": forged(slice(0, 4), b"/b/a"),
    "path to above": forged(slice(0, 6), b"../b/a"),
    "path through above": forged(slice(0, 6), b"b/../a"),
    "prefix to above": forged(slice(345, 347), b".."),
    "prefix where none is needed": forged(slice(345, 346), b"c"),
    "name not ended by zeros": forged(slice(50, 51), b"x"),
    "name in UTF-8": forged(slice(2, 4), "ä".encode()),
    "link": forged(slice(156, 157), b"2"),
    "hard link": forged(slice(156, 157), b"1"),
    "directory": forged(slice(156, 157), b"5"),
    "device": forged(slice(156, 157), b"3"),
    "sparse file": forged(slice(156, 157), b"S"),
    "old regular file": forged(slice(156, 157), b"\0"),
    "pax header": forged(slice(156, 157), b"x"),
    "global pax header": forged(slice(156, 157), b"g"),
    "long name": forged(slice(156, 157), b"L"),
    "link name": forged(slice(157, 158), b"x"),
    "mode": forged(slice(100, 107), b"0000777"),
    "set-user-id": forged(slice(100, 107), b"0004644"),
    "owner": forged(slice(108, 115), b"0001750"),
    "date": forged(slice(136, 147), b"15000000000"),
    "user name": forged(slice(265, 269), b"root"),
    "size in base 256": forged(slice(124, 136), b"\x80" + bytes(11)),
    "size with a sign": forged(slice(124, 135), b"+0000000000"),
    "size with an underscore": forged(slice(124, 135), b"0000_000000"),
    "size with spaces": forged(slice(124, 135), b"          0"),
    "size not octal": forged(slice(124, 135), b"00000000009"),
    "size larger than the file": forged(slice(124, 135), b"77777777777"),
    "size larger by one block": forged(slice(124, 135), b"00000002001"),
    "GNU magic": forged(slice(257, 265), b"ustar  \0"),
    "bytes after the prefix": forged(slice(511, 512), b"x"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_header_the_writer_would_not_write_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        ustar.members(io.BytesIO(FORGED[name]))
    assert ustar.members(io.BytesIO(forged(slice(0, 3), b"b/a")))


def test_a_wrong_checksum_is_refused() -> None:
    block = bytearray(SMALL)
    block[148:156] = b"000000\0 "
    with pytest.raises(MalformedError, match="altered"):
        ustar.members(io.BytesIO(block))


@pytest.mark.parametrize("order", [["b/b", "b/a"], ["b/a", "b/a"]])
def test_names_go_up_and_stand_once(order: list[str]) -> None:
    data = packed({"b/a": b"1", "b/b": b"2"}, order=order)
    with pytest.raises(MalformedError, match="out of order or twice"):
        ustar.members(io.BytesIO(data))


def test_sizes_have_a_limit() -> None:
    assert ustar.header("a", ustar.SIZE_MAX)[124:136] == b"77777777777\0"
    for size in (-1, ustar.SIZE_MAX + 1):
        with pytest.raises(ValueError, match="does not fit"):
            ustar.header("a", size)


def test_what_was_announced_must_come() -> None:
    for chunks in ([b"abcd"], [b"ab"], []):
        with pytest.raises(ValueError, match="announced"):
            ustar.Writer(io.BytesIO()).add("a", 3, chunks)


def test_files_have_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ustar, "FILES_MAX", 2)
    assert len(ustar.members(io.BytesIO(SMALL))) == 2
    with pytest.raises(LimitError, match="more than 2 files"):
        ustar.members(io.BytesIO(packed({"a": b"", "b": b"", "c": b""})))


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024])
def test_padding_fills_the_block(size: int) -> None:
    assert len(packed({"a": bytes(size)})) == 512 + (size + 511) // 512 * 512 + 1024
