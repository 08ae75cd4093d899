"""Structure-aware damage: takes valid bytes apart, bends one thing, and puts them together again.

Bytes that are only flipped die at the first signature or checksum. What stands behind it is reached
by a sender who signs, compresses and counts correctly, and lies inside: so these take the sender's
part. Every function takes bytes and a source of choices, and gives bytes.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import cbor2

from evidence import cbor, checkpoint, cose
from evidence.archive import ustar
from evidence.blocks import compress, decompress
from evidence.keys import FileSigner
from evidence.records import MAGIC, encode_record, read_records

Mutate = Callable[[bytes, Random], bytes]

EDGES = [
    0,
    1,
    23,
    24,
    255,
    256,
    4096,
    4097,
    20_001,
    2**31,
    2**32,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
]
ODD: list[Any] = [
    None, True, False, -1, -(2**63), *EDGES, 0.5, float("nan"), float("inf"), b"", bytes(32),
    b"\xff", "", "a", "é", "\x00", "1e999999", "-0", "NaN", "9" * 50, "1/0", "2026-13", "../x",
    "x" * 300, [], {}, [[]], [None], {"": None}, {0: 0}, {-1: b""},
]  # fmt: skip


def spoilt(data: bytes, choose: Random) -> bytes:
    """Bytes with one to four edits: flipped, set, put in, taken out, doubled, cut, moved."""
    made = bytearray(data)
    for _ in range(choose.randint(1, 4)):
        at = choose.randint(0, len(made))
        end = min(len(made), at + choose.choice([1, 2, 4, 8, 32, 512]))
        match choose.randint(0, 7):
            case 0 if at < len(made):
                made[at] ^= 1 << choose.randint(0, 7)
            case 1 if at < len(made):
                made[at] = choose.choice([0, 0x18, 0x1B, 0x5F, 0x7F, 0x80, 0xA0, 0xBF, 0xFF])
            case 2:
                made[at:at] = choose.choice(
                    [b"\0", b"\xff", b"\xff" * 8, b"\n", b"-", made[at:end]]
                )
            case 3:
                del made[at:end]
            case 4:
                made[at:end] = choose.choice([bytes(end - at), b"\xff" * (end - at)])
            case 5:
                del made[at:]
            case 6:
                piece = made[at:end]
                del made[at:end]
                to = choose.randint(0, len(made))
                made[to:to] = piece
            case _:
                made += choose.choice([b"\0", bytes(512), bytes(made[:64])])
    return bytes(made)


# -- values ---------------------------------------------------------------------------------------


def bent(value: Any, choose: Random) -> Any:
    """A value with one part of it, however deep, made something else."""
    if isinstance(value, dict | list) and value and choose.randint(0, 5):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = choose.choice(keys)
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        match choose.randint(0, 9):
            case 0:
                del copy[key]
            case 1 if isinstance(copy, list):
                copy.insert(key, choose.choice([value[key], choose.choice(ODD)]))
            case 1:
                copy[choose.choice(["x", 99, -1, "id"])] = choose.choice([value[key], None])
            case 2:
                other = choose.choice(keys)
                copy[key], copy[other] = value[other], value[key]
            case _:
                copy[key] = bent(value[key], choose)
        return copy
    return _other(value, choose)


def _other(value: Any, choose: Random) -> Any:
    """Something near a value, or something odd in its place."""
    near: list[Any] = []
    if isinstance(value, bool):
        near = [not value, int(value)]
    elif isinstance(value, int):
        near = [value + 1, value - 1, -value, value * 2, float(value), str(value), *EDGES]
    elif isinstance(value, bytes):
        near = [spoilt(value, choose) if value else b"\0", value[:-1], value + b"\0", value * 2]
    elif isinstance(value, str):
        near = [
            value[:-1],
            value + choose.choice("x0\n./é "),
            value.upper(),
            value.encode(),
            f" {value}",
        ]
    return choose.choice(near) if near and choose.randint(0, 2) else choose.choice(ODD)


def _dumped(value: Any, choose: Random) -> bytes:
    """CBOR of anything; mostly in the one form, sometimes not."""
    try:
        return cbor2.dumps(value, canonical=bool(choose.randint(0, 7)))
    except (cbor2.CBORError, TypeError, ValueError, OverflowError):
        return cbor2.dumps(None)


def cbor_bent(data: bytes, choose: Random) -> bytes:
    """CBOR with one value bent, seldom its bytes too."""
    made = data
    for _ in range(choose.choice([1, 1, 1, 2])):
        try:
            made = _dumped(bent(cbor2.loads(made), choose), choose)
        except (cbor2.CBORError, ValueError, TypeError):
            made = spoilt(made, choose)
    return made if choose.randint(0, 7) else spoilt(made, choose)


def payload_bent(data: bytes, choose: Random) -> bytes:
    """A compressed payload: what is inside is bent, and it is compressed again in any way."""
    if not choose.randint(0, 5):
        return spoilt(data, choose)
    return compress(cbor_bent(decompress(data), choose), choose.choice([0, 1, 2]))


def object_bent(by: FileSigner, inside: Mutate = payload_bent) -> Mutate:
    """A signed object: header or payload bent, and signed by this key as if nothing were so."""

    def mutate(data: bytes, choose: Random) -> bytes:
        if not choose.randint(0, 7):
            return spoilt(data, choose)
        envelope = cose.parse(data)
        protected, payload = envelope.protected, envelope.payload
        if choose.randint(0, 1):
            protected = cbor_bent(protected, choose)
        else:
            payload = inside(payload, choose)
        signature = by.sign(cbor.encode(["Signature1", protected, b"", payload]))
        parts: list[Any] = [protected, {}, payload, signature]
        if not choose.randint(0, 9):
            parts = bent(parts, choose)
        return b"\xd2" + _dumped(parts, choose)

    return mutate


# -- texts ----------------------------------------------------------------------------------------


def json_bent(data: bytes, choose: Random) -> bytes:
    """JSON with one value bent, seldom its text too."""
    value = bent(json.loads(data), choose)
    made = json.dumps(value, default=lambda odd: str(odd)[:40], skipkeys=True, ensure_ascii=False)
    return made.encode() if choose.randint(0, 7) else spoilt(made.encode(), choose)


TOKENS = re.compile(rb'"[^"\n]*"|[-+]?[0-9][0-9_.eE+:TZ-]*|\btrue\b|\bfalse\b|\[|\]|=|[a-z_]{2,}')
TOML_ODD = [
    b"[]", b"{}", b'""', b"true", b"-1", b"0", b"1e999", b"nan", b"-inf", b"9" * 400, b"0x10",
    b"[[]]", b"1979-05-27", b"07:32:00", b'"\\u0000"', b'"../../x"', b'"file:"', b'"pkcs11:"',
    b'"' + b"x" * 600 + b'"',
    b'["a"]', b"[1]", b'{a = 1}', b"'", b'"1/0"', b'"1e99999"', b'"https://a..b:99999/?x=1"',
]  # fmt: skip


def toml_bent(data: bytes, choose: Random) -> bytes:
    """A TOML file: a word of it another, a line out, doubled or moved; seldom its bytes."""
    made = data
    for _ in range(choose.choice([1, 1, 2])):
        if choose.randint(0, 2):
            found = list(TOKENS.finditer(made))
            if not found:
                continue
            token = choose.choice(found)
            other = choose.choice([*TOML_ODD, choose.choice(found)[0]])
            made = made[: token.start()] + other + made[token.end() :]
        else:
            made = lines_bent(made, choose)
    return made if choose.randint(0, 9) else spoilt(made, choose)


def lines_bent(data: bytes, choose: Random) -> bytes:
    """A text with a line taken out, doubled, moved or spoilt."""
    lines = data.split(b"\n")
    at, to = choose.randrange(len(lines)), choose.randrange(len(lines))
    match choose.randint(0, 3):
        case 0:
            del lines[at]
        case 1:
            lines.insert(to, lines[at])
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
        case _:
            lines[at] = spoilt(lines[at], choose)
    return b"\n".join(lines)


# -- files of files -------------------------------------------------------------------------------


def records_bent(inside: Mutate) -> Mutate:
    """A record file: one record bent, out, doubled or moved, with checksums made right."""

    def mutate(data: bytes, choose: Random) -> bytes:
        if not data.startswith(MAGIC) or not choose.randint(0, 5):
            return spoilt(data, choose)
        items = list(read_records(data))
        at, to = choose.randrange(len(items)), choose.randrange(len(items))
        match choose.randint(0, 5):
            case 0:
                del items[at]
            case 1:
                items.insert(to, items[at])
            case 2:
                items[at], items[to] = items[to], items[at]
            case _:
                items[at] = inside(items[at], choose)
        return b"".join(encode_record(item) for item in items if item)

    return mutate


def tar_bent(
    change: Callable[[dict[str, bytes], Random], dict[str, bytes]],
) -> Mutate:
    """A container: its files changed and packed again by the writer of the format."""

    def mutate(data: bytes, choose: Random) -> bytes:
        if not choose.randint(0, 3):
            return spoilt(data, choose)
        found = ustar.members(io.BytesIO(data))
        files = {m.name: data[m.offset : m.offset + m.size] for m in found}
        target = io.BytesIO()
        writer = ustar.Writer(target)
        for name, content in sorted(change(files, choose).items()):
            writer.add(name, len(content), [content])
        writer.finish()
        return target.getvalue()

    return mutate


def pem_bent(data: bytes, choose: Random) -> bytes:
    """A PEM file: the DER inside one of its blocks spoilt, seldom its text."""
    if not choose.randint(0, 5):
        return lines_bent(data, choose)
    blocks = [block for block in re.split(rb"(?<=-----)\n(?=-----BEGIN)", data.strip()) if block]
    at = choose.randrange(len(blocks))
    first, *middle, last = blocks[at].split(b"\n")
    der = spoilt(base64.b64decode(b"".join(middle)), choose)
    blocks[at] = b"\n".join([first, base64.encodebytes(der).strip(), last])
    return b"\n".join([*blocks, b""])


def note_bent(name: str, by: FileSigner) -> Mutate:
    """A signed note: a line of its text bent, and signed by this key under this name."""
    key_id = checkpoint.note_key_id(name, by.public_key, checkpoint.LOG_KEY_TYPE)

    def mutate(data: bytes, choose: Random) -> bytes:
        if not choose.randint(0, 3):
            return lines_bent(data, choose)
        body, _, lines = data.partition(b"\n\n")
        body = lines_bent(body, choose) + b"\n"
        line = f"— {name} ".encode() + base64.b64encode(key_id + by.sign(body)) + b"\n"
        more = b"\n".join(lines.split(b"\n")[1:])
        return body + b"\n" + (line + more if choose.randint(0, 5) else lines_bent(line, choose))

    return mutate


def package_bent(data: bytes, choose: Random) -> bytes:
    """A file with edits, or a zip one of whose parts has them: behind its checksums."""
    if not zipfile.is_zipfile(io.BytesIO(data)) or not choose.randint(0, 3):
        return spoilt(data, choose)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        bent = choose.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, spoilt(part, choose) if name == bent else part)
    return out.getvalue()
