"""Archives made to exhaust memory or time. All are small files; what they announce is not.

Who would: somebody who rather has the reviewer's program killed than the month read.
"""

import io
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace as replaced
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ed25519

from edge.calc.folds.live import PlantCalc
from evidence import cbor, cose
from evidence.archive import bag, paths, ustar
from evidence.blocks import COMPRESSION_ZSTD, compress, zstd
from evidence.frame import TICKS_MAX, TYP_CONFIG, Body, Clock, Section
from evidence.groups import Group
from evidence.keys import FileSigner, certificate_to_der, certificate_to_pem
from evidence.log import Entry, encode_entry
from evidence.log import Kind as LogKind
from evidence.points import Dtype
from evidence.recompute import Recomputation, statement_bytes
from tests.attacks.by_both import BAD_CONFIG, BAD_FRAME, CONFIG, moved, payload, stated
from tests.attacks.by_keys import certificate, replacement
from tests.attacks.by_strangers import GATEWAY_PATH, RULES_PATH
from tests.attacks.forging import (
    FOREIGN,
    SEG_4,
    Change,
    Kind,
    edit_entries,
    edit_statement,
    kind,
    packed,
    replace,
)
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import with_computed

MIB, GIB = 1 << 20, 1 << 30
OPERATOR = sm.keys().collector


def zstd_zeros(count: int) -> bytes:
    """A Zstandard frame of many zeros, written by hand (RFC 8878): blocks that repeat one byte."""
    block = 128 * 1024
    whole, rest = divmod(count, block)
    assert not rest
    # no content size, window of 128 KiB; block header: last, type 1 (RLE), size
    repeat = [((i == whole - 1) | 1 << 1 | block << 3).to_bytes(3, "little") for i in range(whole)]
    return b"\x28\xb5\x2f\xfd\x00\x38" + b"".join(head + b"\0" for head in repeat)


def zlib_zeros(mib: int) -> bytes:
    """A zlib stream of many zeros, made piece by piece."""
    deflate = zlib.compressobj(9)
    return b"".join(deflate.compress(bytes(1 << 20)) for _ in range(mib)) + deflate.flush()


ZSTD_BOMB = b"\x01" + zstd_zeros(8 * GIB)
#: a window of 2^41 bytes, and a content size of 2^62: a reader that allocates what it is told dies
ZSTD_WINDOW = b"\x01\x28\xb5\x2f\xfd\x00\xf8\x03\x00\x00\x00"
ZSTD_SIZE = b"\x01\x28\xb5\x2f\xfd\xc0\x38" + struct.pack("<Q", 1 << 62) + b"\x01\x00\x00"

#: CBOR that announces or nests more than there is
CBOR_BOMBS: dict[str, bytes] = {
    "arrays in arrays": b"\x81" * 100_000,
    "maps in maps": b"\xa1\x00" * 100_000 + b"\x00",
    "an array of 2^62": b"\x9b" + struct.pack(">Q", 1 << 62),
    "a map of 2^62": b"\xbb" + struct.pack(">Q", 1 << 62),
    "bytes of 2^62": b"\x5b" + struct.pack(">Q", 1 << 62),
    "text of 2^40": b"\x7b" + struct.pack(">Q", 1 << 40),
    "tags on tags": b"\xd8\x2a" * 100_000 + b"\x00",
    "a big number": b"\xc2\x5a" + struct.pack(">I", 1 << 30),
}


def _stream(stream: list[sm.Item], statement: bytes | None = None) -> Callable[[], bytes]:
    return lambda: sm.build(sm.contents(sm.make_month(stream, statement=statement)))


def _envelope(inside: bytes, place: int, by: FileSigner) -> bytes:
    """A COSE_Sign1 whose protected header (0) or payload (2) is a bomb."""
    header = cbor.encode({cose.ALG: by.alg, cose.KID: by.kid, cose.TYP: "stackproof-frame+cbor"})
    parts: list[Any] = [header, {}, b"", bytes(64)]
    parts[place] = inside
    return b"\xd2" + cbor.encode(parts)


def _second_object(data: bytes) -> Change:
    def change(files: sm.Files) -> None:
        items = sm.records(files[SEG_4])
        files[SEG_4] = sm.seg([items[0], data, *items[2:]])

    return change


def _many_rows() -> bytes:
    at = sm.START_NS + 10 * sm.SECOND
    group = [0, 64, 0, 20_000, b"", [], b""]
    section = [0, at, sm.SECOND, 4096, [group] * 50, [0], bytes(4 * 4096)]
    clock = ["ntp", 1, 0, bytes(16)]
    return compress(cbor.encode({1: 1, 2: at, 3: clock, 4: 8, 5: [section] * 20}))


def _million_runs() -> bytes:
    at = sm.START_NS + 10 * sm.SECOND
    runs = [number for i in range(50_000) for number in (0, i, i, 128)]
    group = [0, 64, 0, 1, bytes(1), runs, b""]
    section = [0, at, sm.SECOND, 1, [group], [0], bytes(4)]
    return compress(cbor.encode({1: 1, 2: at, 3: ["ntp", 1, 0, bytes(16)], 4: 8, 5: [section]}))


def _many_files() -> bytes:
    """One file more than a container may have, each empty."""
    target = io.BytesIO()
    writer = ustar.Writer(target)
    for i in range(ustar.FILES_MAX + 1):
        writer.add(f"a/data/{i:06}", 0, [])
    writer.finish()
    return target.getvalue()


def log_of(entries: int, each: Callable[[int], dict[str, Any]]) -> Callable[[], bytes]:
    def build() -> bytes:
        made = Entry(LogKind.FRAME, sm.START_NS, 1, "", 0, bytes(32), 1)
        log = [encode_entry(replaced(made, **each(i))) for i in range(entries)]
        return packed(replace(paths.LOG_ENTRIES, sm.seg(log)), OPERATOR)()

    return build


def _files(count: int, path: Callable[[int], str]) -> Callable[[], bytes]:
    def build() -> bytes:
        files = sm.unpack(sm.honest()) | {path(i): b"" for i in range(count)}
        return sm.repack(files, by=OPERATOR)

    return build


def _certified_keys() -> bytes:
    files = sm.unpack(sm.honest())
    for i in range(1, 1_001):
        key = ed25519.Ed25519PrivateKey.from_private_bytes(i.to_bytes(32, "big"))
        made = certificate(FileSigner(key))
        path = paths.gateway_certificate(sm.STREAM, sm.sha256(certificate_to_der(made)))
        files[path] = certificate_to_pem(made)
    return sm.repack(files, by=OPERATOR)


FRAMES = {"class": "file", "point": "gas.volume", "rule": "totaliser"}
FUEL = {"kind": "natural-gas", "quantity": "1", "provenance": {"quantity": {"frames": FRAMES}}}


def _empty_tables(count: int) -> bytes:
    """As large as the format allows, and in its form but for the fields."""
    return statement_bytes({"format": 1, "simulated": True, "input": {"flags": [{}] * count}})


def _effects() -> bytes:
    """A true month of 49,000 effects: half of the seconds are above 8 V, two and two."""
    config = sm.configuration()
    rules = {"t_start_s": "1", "t_end_s": "1", "t_merge_s": "1.5"}
    config["potlines"][0]["anode_effect"] |= rules
    calc, fold, ticks, made = PlantCalc(config), Recomputation(), TICKS_MAX, []
    fold.configure(b"any", config)
    volts = np.tile(np.array([31.5, 31.5, 4.25, 4.25], dtype="<f4"), (2, ticks // 4))
    for i in range(24):
        t0 = sm.START_NS + i * ticks * sm.SECOND
        raws = [(0, Dtype.U8, np.ones((2, ticks), "<u1")), (1, Dtype.F32, volts),
                (2, Dtype.F64, np.full((2, ticks), 300.0))]  # fmt: skip
        groups = tuple(Group(g, d, raw, np.zeros(raw.shape, "u1")) for g, d, raw in raws)
        part = Section(0, t0, sm.SECOND, ticks, groups, np.zeros((1, ticks), "<i4"), (0,))
        clock = Clock("simulated", 1, i, bytes(16))
        made.append(Body(t0, clock, 8, with_computed(calc, [part])))
        fold.feed_all(made[-1:])
    end_ns = sm.START_NS + 24 * ticks * sm.SECOND
    statement = statement_bytes(fold.statement(sm.START_NS, end_ns, "interim"))
    stream = sm.items(config, made)
    return sm.build(sm.contents(sm.make_month(stream, statement=statement)))


def _figure(value: str) -> bytes:
    def change(statement: dict[str, Any]) -> None:
        statement["input"]["pfc"]["metal_t"] = value
        statement["input"]["output"]["aluminium_t"] = value
        statement["output"]["totals"]["total_t"] = value

    return stated(change)


def _configured(where: list[str | int], value: Any) -> list[sm.Item]:
    config: Any = sm.configuration()
    part = config
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    return [sm.config_item(config), *sm.items()[1:]]


def _configurations(count: int) -> bytes:
    """A configuration and `count` more, each nearly four mebibytes of software."""
    config, first = sm.configuration(), sm.items()[0]
    noise, made = random.Random(1).randbytes(8192).hex(), []
    for i in range(count):
        config["software"] = noise + "a" * (4 * MIB - 24 * 1024) + str(i % 2)
        payload = b"\x01" + zstd.compress(cbor.encode(config))
        made.append(sm.Item(TYP_CONFIG, payload, first.hour))
    month = sm.make_month([first, *made, *sm.items()[1:]])
    configs = {sm.sha256(data): data for data in month.objects[: count + 1]}
    return sm.build(sm.contents(month, configs=configs))


def _period_to(instant: str) -> bytes:
    return stated(lambda s: s["input"]["period"].update(to=instant))


def _manifest(data: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: sm.repack(sm.unpack(sm.honest()) | {bag.MANIFEST: data()}, manifest=False)


def _manifest_of(files: int) -> bytes:
    return "".join(f"{i:064x}  data/{'x' * 100}{i:07}\n" for i in range(files)).encode()


def _empties(item: bytes) -> bytes:
    """A payload of some hundred bytes that is 4 MiB of empty maps or arrays."""
    count = (4 * MIB - 64) // len(item)
    return compress(b"\xa1\x01\x9a" + struct.pack(">I", count) + item * count, COMPRESSION_ZSTD)


def _with_events(maps: int) -> bytes:
    """A heartbeat with an event of so many empty maps."""
    event = {"kind": "x", "at_ns": sm.START_NS, "maps": [{}] * maps}
    clock = ["simulated", 1, 0, bytes(16)]
    return compress(cbor.encode({1: 1, 2: sm.START_NS, 3: clock, 4: 8, 5: [], 7: [event]}))


def _orders_of_one_place() -> bytes:
    files = sm.unpack(sm.honest())
    for i in range(2_000):
        order = replacement(2**40, bytes(32), old=sm.sha256(b"%d" % i))
        files[paths.order(sm.sha256(order))] = order
    return sm.repack(files, by=OPERATOR)


def _in_2255() -> list[sm.Item]:
    made = sm.bodies(CONFIG)
    jump = moved(7_231_000_000)
    return sm.items(CONFIG, [*made[:3], jump(made[3]), jump(made[4])])


SEALED = {"E-SEAL"}
#: (name, story, build, codes, more)
_BOMBS: list[tuple[str, str, Callable[[], bytes], set[str], bool]] = [
    ("zstd in a frame", "A frame of 256 KiB grows to 8 GiB.",
     _stream(payload(2, ZSTD_BOMB)), BAD_FRAME, False),
    ("zstd in a configuration", "A configuration of 256 KiB grows to 8 GiB.",
     _stream(payload(0, ZSTD_BOMB)), BAD_CONFIG, False),
    ("zstd of a huge window", "A frame asks for two tebibytes of window.",
     _stream(payload(2, ZSTD_WINDOW)), BAD_FRAME, False),
    ("zstd of a huge content size", "A frame announces four exbibytes.",
     _stream(payload(2, ZSTD_SIZE)), BAD_FRAME, False),
    ("zlib in a frame", "A frame of 256 KiB grows to 256 MiB.",
     lambda: _stream(payload(2, b"\x02" + zlib_zeros(256)))(), BAD_FRAME, False),
    ("twenty sections of fifty groups of 20,000 rows", "A frame announces 80 billion readings.",
     _stream(payload(2, _many_rows())), BAD_FRAME, False),
    ("fifty thousand runs in one tick", "A frame has quality runs without end.",
     _stream(payload(2, _million_runs())), BAD_FRAME, False),
    ("readings of the year 2255", "A frame jumps 229 years ahead: a fold over each second dies.",
     _stream(_in_2255()), {"E-TIME"}, True),
    ("a figure of a billion digits", "A figure is 1e999999999: an exact sum with it never ends.",
     _stream(sm.items(), _figure("1e999999999")), {"E-STATEMENT"}, True),
    ("a figure of a hundred thousand digits", "A figure is long.",
     _stream(sm.items(), _figure("9" * 100_000)), {"E-STATEMENT"}, True),
    ("a figure near zero", "A figure is 1e-999999999.",
     _stream(sm.items(), _figure("1e-999999999")), {"E-STATEMENT"}, True),
    ("a period to the year 9999", "The period is eight thousand years long.",
     _stream(sm.items(), _period_to("9999-12-31T23:59:59Z")), {"E-INPUT"}, True),
    ("a scale of forty digits", "A scale factor is as long as it may be.",
     _stream(_configured(["points", 6, "scaling"], {"scale": "9" * 38 + "e9"})),
     {"E-INPUT"}, True),
    ("seventeen configurations of four mebibytes", "More than all of an archive may be.",
     lambda: _configurations(17), {"E-CFG"}, True),
    ("a schedule of a nanosecond", "The configuration asks for a billion ticks a second.",
     _stream(_configured(["schedules", 0, "interval_ns"], 1)), {"W-UNFIT", "E-INPUT"}, True),
    ("a pot line of ten thousand pots", "The configuration names one pot ten thousand times.",
     _stream(_configured(
         ["potlines", 0, "pots"],
         [{"id": f"p{i}", "voltage": "pot-01.voltage", "state": "pot-01.state"}
          for i in range(10_000)])), {"E-INPUT"}, True),
    ("a hundred thousand and one files", "The container has more files than it may.",
     _many_files, {"E-CONTAINER"}, False),
    ("a manifest of 100,000 files", "The manifest names files that are not there.",
     _manifest(lambda: _manifest_of(100_000)), {"E-FILE-MISSING", "E-FILE-HASH"}, True),
    ("a manifest of 100,001 files", "The manifest names more files than an archive may have.",
     _manifest(lambda: _manifest_of(100_001)), {"E-BAG", "E-FILE-HASH"}, True),
    ("a manifest of newlines", "Sixty million lines: a list of them takes gigabytes.",
     _manifest(lambda: b"\n" * (60 * MIB)), {"E-BAG", "E-FILE-HASH"}, True),
    ("a manifest of short lines", "Fifteen million lines of no path.",
     _manifest(lambda: b"a  \n" * (15 * MIB)), {"E-BAG", "E-FILE-HASH"}, True),
    ("empty maps in frames", "Frames of 200 bytes hold four million maps each.",
     _stream([*sm.items()[:2], *[replaced(sm.items()[2], payload=_empties(b"\xa0"))] * 20]),
     BAD_FRAME, True),
    ("three thousand empty maps in a frame", "Thousands of frames of a few bytes hold them each.",
     _stream(payload(2, _with_events(3_000))), BAD_FRAME, False),
    ("empty arrays in a configuration", "A configuration of 200 bytes holds two million arrays.",
     _stream(payload(0, _empties(b"\x81\x80"))), BAD_CONFIG, False),
    ("a range of empty maps", "The log's past is four million maps.",
     packed(replace(paths.LOG_RANGE, b"\x82\x05\x9a\x00\x15\x00\x00" + b"\xa1\x00\xa0" * 0x150000),
            OPERATOR), {"E-LOG"}, True),
    ("a log of 100,000 gateways", "The log accepts objects of ever new gateways.",
     log_of(100_000, lambda i: {"stream": f"s{i}"}), {"E-LOG"}, True),
    ("a log of 100,000 keys", "The log accepts each object under another key.",
     log_of(100_000, lambda i: {"stream": "s", "seq": i, "certificate": sm.sha256(b"%d" % i)}),
     {"E-LOG"}, True),
    ("a log that goes back", "The log accepts the last object of a stream first.",
     log_of(100_000, lambda i: {"stream": "s", "seq": 100_000 - i}), {"E-LOG"}, True),
    ("a statement of empties", "A statement is twenty million empty tables.",
     packed(replace(paths.STATEMENT, b'{"a":[' + b"{}," * (20 * MIB) + b"{}]}"), FOREIGN),
     {"E-STATEMENT"}, True),
    ("a statement of 600,000 signs", "A statement has as many empty tables as it may.",
     packed(replace(paths.STATEMENT, _empty_tables(299_990)), FOREIGN), {"E-STATEMENT"}, True),
    ("a statement of 50,000 fuels", "Each fuel takes a page of output.",
     packed(edit_statement(lambda s: s["input"].update(fuel=[FUEL] * 50_000)), FOREIGN),
     {"E-STATEMENT"}, True),
    ("a statement of 1,000 fuels", "There are as many fuels as there may be.",
     packed(edit_statement(lambda s: s["input"].update(fuel=[FUEL] * 1_000)), FOREIGN),
     {"E-TOTAL"}, True),
    ("effects without end", "Two pots have an anode effect every four seconds for a day.",
     _effects, {"W-CLOCK"}, False),
    ("10,001 files of keys", "The archive holds more certificates than it may.",
     _files(10_001, lambda i: paths.gateway_certificate("edge-1", sm.sha256(b"%d" % i))),
     {"E-CONTAINER"}, False),
    ("1,001 gateways", "The archive holds objects of more gateways than it may.",
     _files(1_001, lambda i: paths.frames(f"g{i}", "2026-06-15/04")), {"E-CONTAINER"}, False),
    ("a gateway of 1,001 keys", "The root certified a gateway's key every minute.",
     _certified_keys, {"E-CERTIFICATE"}, True),
    ("two thousand orders about one place", "Each order is compared with all others.",
     _orders_of_one_place, {"E-ORDER"}, True),
    ("a statement of brackets", "A statement nests ten million deep.",
     packed(replace(paths.STATEMENT, b"[" * 10_000_000), FOREIGN), {"E-STATEMENT"}, True),
    ("a statement of a long number", "A statement holds an integer of a million digits.",
     packed(replace(paths.STATEMENT, b'{"a": ' + b"9" * 1_000_000 + b"}"), FOREIGN),
     {"E-STATEMENT"}, True),
    ("a record of four gibibytes", "A record's head announces more than a record may have.",
     packed(replace(SEG_4, b"SPR1" + b"\xff" * 8), FOREIGN), {"E-RECORD"}, True),
    ("a checkpoint of a long number", "A checkpoint speaks of a log of 4,000 digits.",
     packed(replace(paths.LOG_CHECKPOINT, f"stackproof/{sm.PLANT}\n{'9' * 4000}\n".encode()),
            FOREIGN), {"E-CHECKPOINT"}, True),
    ("a checkpoint of a million lines", "A checkpoint has a million witnesses.",
     packed(replace(paths.LOG_CHECKPOINT, "— x AAAAAAA=\n".encode() * 1_000_000), FOREIGN),
     {"E-CHECKPOINT"}, True),
    ("a range of 2^62 entries", "The log claims a past that cannot be.",
     packed(replace(paths.LOG_RANGE, cbor.encode([2**62, [bytes(32)]])), OPERATOR),
     {"E-LOG-ROOT"}, True),
    ("a certificate file of ten megabytes", "A certificate is followed by ten megabytes.",
     packed(replace(GATEWAY_PATH, b"-----BEGIN CERTIFICATE-----\n" * 400_000), FOREIGN),
     {"E-CERTIFICATE"}, True),
    ("a rule set of brackets", "The rule set nests a million deep.",
     packed(replace(RULES_PATH, b"a = " + b"[" * 1_000_000), FOREIGN), {"E-RULES"}, True),
]  # fmt: skip


def _cbor_kinds() -> list[Kind]:
    made = []
    for what, data in CBOR_BOMBS.items():
        story = f"A reader that trusts {what} runs out of memory or stack."
        places: list[tuple[str, Callable[[], bytes], set[str]]] = [
            ("a frame's map", _stream(payload(2, b"\x00" + data)), BAD_FRAME),
            ("a header", packed(_second_object(_envelope(data, 0, FOREIGN)), FOREIGN), SEALED),
            ("an object", packed(_second_object(b"\xd2" + data), FOREIGN), SEALED),
            ("the log's range", packed(replace(paths.LOG_RANGE, data), OPERATOR), {"E-LOG"}),
            ("a log entry", packed(edit_entries(lambda e, d=data: [*e[:-1], d, e[-1]]), OPERATOR),  # type: ignore[misc] # a lambda's default has no type
             {"E-LOG"}),
            ("the receipt", packed(replace(paths.receipt(sm.STREAM), b"\xd2" + data), OPERATOR),
             {"E-RECEIPT"}),
            ("the close", packed(replace(paths.close(sm.STREAM), b"\xd2" + data)), {"E-CLOSE"}),
        ]  # fmt: skip
        for place, build, codes in places:
            made.append(
                kind(f"bomb: {what} in {place}", story, build, *codes, more=True, is_bomb=True)
            )
    return made


KINDS: list[Kind] = [
    *(
        kind(f"bomb: {name}", story, build, *codes, more=more, is_bomb=True)
        for name, story, build, codes, more in _BOMBS
    ),
    *_cbor_kinds(),
]
