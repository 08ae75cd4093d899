"""The vectors: frames that must be read, with what they say, and frames that must be refused.

What a good one says is what its writer was told, never what a reader of ours made of it.
"""

import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from tests.vectors import writer as w

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Vector = dict[str, Any]
NAN_BITS = {85: 0x7FC0_1234, 86: 0x7FF8_0000_0000_5678}
SIZES = {tag: struct.calcsize(code) for tag, code in w.NUMBERS.items()}
FLOATS = (85, 86)


def as_plain(data: bytes) -> bytes:
    return b"\0" + data


def as_zstd(data: bytes) -> bytes:
    return b"\1" + zstd.compress(data)


def as_checked(data: bytes) -> bytes:
    return b"\1" + zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


def as_window(data: bytes, window: int) -> bytes:
    """Zstandard that says a window: exponent - 10 times 8, and eighths (RFC 8878 §3.1.1.1.2)."""
    packer = zstd.ZstdCompressor()
    made = packer.compress(data, packer.FLUSH_BLOCK) + packer.flush(packer.FLUSH_FRAME)
    return b"\1" + made[:5] + bytes([window]) + made[6:]


def levels(count: int) -> list[Any]:
    """So many arrays in one another, the innermost empty."""
    return [levels(count - 1)] if count > 1 else []


def as_zlib(data: bytes) -> bytes:
    return b"\2" + zlib.compress(data)


def extremes(dtype: int) -> list[list[int | float]]:
    """Two rows of three numbers at the edges of a type, so that steps wrap."""
    bits = 8 * SIZES[dtype]
    if dtype in FLOATS:  # -0.0, a NaN with a payload, the smallest number; as bits
        return [[1.5, -2.25, 0.0], [1 << bits - 1, NAN_BITS[dtype], 1]]
    least = -(1 << bits - 1) if w.NUMBERS[dtype].islower() else 0
    most = least + (1 << bits) - 1
    return [[least, most, least], [most, 0, 1]]


def shown(number: int | float, dtype: int) -> str:
    """A number as the vectors write it: floats by their bits, big-endian hex."""
    if dtype not in FLOATS:
        return str(number)
    size = SIZES[dtype]
    if isinstance(number, int):
        return f"{number:0{2 * size}x}"
    return struct.pack(f">{w.NUMBERS[dtype]}", number).hex()


def rows_shown(rows: Sequence[Sequence[int | float]], dtype: int = w.LAG) -> list[str]:
    return [" ".join(shown(number, dtype) for number in row) for row in rows]


class Good:
    """A frame and what it says, built side by side."""

    def __init__(self, ticks: int = 3, **section: Any) -> None:
        self.ticks, self.section = ticks, section
        self.groups: list[Any] = []
        self.says: list[Any] = []

    def add(
        self, rows: Sequence[Sequence[int | float]], dtype: int = 69, filter_: int = 0,
        quality: Sequence[Sequence[int]] = (), source: Sequence[Sequence[int]] | None = None,
    ) -> "Good":  # fmt: skip
        """One group more; quality is one code a reading."""
        codes = quality or [[0] * self.ticks for _ in rows]
        index = len(self.groups)
        self.groups.append(
            w.group(rows, dtype, filter_, index=index, runs=runs_of(codes), source=source)
        )
        self.says.append(
            {
                "group": index, "dtype": dtype, "rows": rows_shown(rows, dtype),
                "quality": rows_shown(codes),
                "source": None if source is None else rows_shown(source),
            }
        )  # fmt: skip
        return self

    def coded(self) -> list[Any]:
        return w.section(self.groups, self.ticks, **self.section)

    def read(self) -> dict[str, Any]:
        given = self.section
        lag = given.get("lag", ((5, 5, 6),))
        return {
            "schedule": given.get("schedule", 0), "first": str(given.get("first", w.T0)),
            "step": str(given.get("step", w.SECOND)), "ticks": self.ticks,
            "devices": list(range(len(lag))), "lag": rows_shown(lag), "groups": self.says,
        }  # fmt: skip


def runs_of(codes: Sequence[Sequence[int]]) -> list[int]:
    """Quality codes as runs."""
    found: list[list[int]] = []
    for row, line in enumerate(codes):
        for tick, code in enumerate(line):
            last = found[-1] if found else None
            if last and last[0] == row and last[2] == tick - 1 and last[3] == code:
                last[2] = tick
            elif code:
                found.append([row, tick, tick, code])
    return [number for run in found for number in run]


def read_vector(
    name: str, parts: Sequence[Good], pack: Callable[[bytes], bytes] = as_plain, *,
    key: w.Key = w.ED25519, head: dict[str, Any] | None = None, **changes: Any,
) -> Vector:  # fmt: skip
    """A frame that must be read."""
    head = head or {}
    payload = pack(w.cbor(w.body([part.coded() for part in parts], **changes)))
    labels = w.header(key, **head)
    fields: dict[str, Any] = {"clock": ["ntp", 1, 0, bytes(16)], "t0": w.T0, "flags": 8} | changes
    source, error, monotonic, boot = fields["clock"]
    anchor = labels.get(-65539)
    says = {
        "plant": "p1", "stream": "edge-1", "signed_at": str(w.T0 // w.SECOND + 3),
        "seq": str(labels[-65537]), "prev": labels[-65538].hex(),
        "anchor": None if anchor is None else [str(anchor[0]), anchor[1].hex()],
        "cfg": None if -65540 not in labels else labels[-65540].hex(),
        "t0": str(fields["t0"]), "flags": str(fields["flags"]),
        "clock": [source, None if error is None else str(error), str(monotonic), boot.hex()],
        "gap": _texts(changes.get("gap")), "events": _texts(changes.get("events") or []),
        "sections": [part.read() for part in parts],
    }  # fmt: skip
    data = w.cose(w.signed(payload, key, w.cbor(labels)))
    return {"name": name, "key": w.spki(key).hex(), "object": data.hex(), "says": says}


def _texts(value: Any) -> Any:
    """Integers as text."""
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def _all(filter_of: Callable[[int], int]) -> Good:
    made = Good()
    for dtype in w.NUMBERS:
        made.add(extremes(dtype), dtype, filter_of(dtype))
    return made


def _unfiltered(_: int) -> int:
    return 0


def _filtered(dtype: int) -> int:
    return 2 if dtype in FLOATS else 1


def one() -> Good:
    """A section of one row."""
    return Good().add([[10, 12, 11]])


SETTINGS = {
    "kind": "meter-settings", "at_ns": w.T0, "device": "ac-1",
    "read": {"ct_primary": "800", "serial": "名" * 128, "firmware": ""}, "unread": {"span": 128},
}  # fmt: skip


def good() -> list[Vector]:
    """All frames that must be read."""
    every = [("not compressed", as_plain), ("Zstandard", as_zstd), ("zlib", as_zlib)]
    found = [
        read_vector(f"{name}, {filters}, every number type", [_all(filter_)], pack)
        for name, pack in every
        for filters, filter_ in (("no filter", _unfiltered), ("filters 1 and 2", _filtered))
    ]
    quality = [[0, 16, 16], [128, 129, 129], [255, 0, 1]]
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    slow = Good(1, schedule=1, step=10 * w.SECOND, lag=())
    return [
        *found,
        read_vector("alg -8 under an Ed25519 key", [one()], head={"alg": -8}),
        read_vector("ESP256", [one()], key=w.P256),
        read_vector("alg -7 under a P-256 key", [one()], key=w.P256, head={"alg": -7}),
        read_vector("Zstandard with a checksum", [one()], as_checked),
        read_vector("quality runs", [Good().add(rows, quality=quality)]),
        read_vector(
            "source times and lags",
            [Good(lag=((5, -(2**31), 2**31 - 1), (-1, 0, 1))).add(
                rows, 69, 1, source=[[0, -1, 250], [-(2**31)] * 3, [2**31 - 1] * 3])],
        ),
        read_vector("two schedules", [one(), slow.add([[2**32 - 1]], 70)]),
        read_vector("a section without groups or devices", [Good(2, lag=())]),
        read_vector("4096 ticks", [Good(4096, lag=()).add([[7] * 4096], 64, 1)], as_zstd),
        read_vector("a gap", [one()], gap=[w.T0 - 5 * w.SECOND, w.T0, "restart 停电"]),
        read_vector("the smallest gap", [one()], gap=[-(2**63), -(2**63) + 1, "x"]),
        read_vector("the longest reason", [one()], gap=[w.T0 - 1, w.T0, "\U0001d11e" * 200]),
        read_vector("a gap before a heartbeat", [], gap=[w.T0 - 1, w.T0, "x"]),
        read_vector("a heartbeat", [], events=[{"kind": "heartbeat", "at_ns": w.T0}]),
        read_vector(
            "events with fields of their own", [one()],
            events=[{"kind": "a", "at_ns": -1, "more": [1, {"b": True}]}, {"kind": "", "at_ns": 0}],
        ),
        read_vector(
            "12 levels, the innermost empty", [one()],
            events=[{"kind": "a", "at_ns": 0, "b": levels(9)}],
        ),
        read_vector("Zstandard with a window of 8 MiB", [one()], lambda d: as_window(d, 13 << 3)),
        read_vector("Zstandard with a window of 128 KiB", [one()], lambda d: as_window(d, 7 << 3)),
        read_vector("settings of a meter", [one()], events=[SETTINGS]),
        read_vector("an anchor", [one()], head={"anchor": [2**63, bytes(range(100, 132))]}),
        read_vector("the first object", [one()], head={"seq": 0, "prev": bytes(32), "cfg": None}),
        read_vector("the largest seq", [one()], head={"seq": 2**64 - 1}),
        read_vector("a clock of unknown error", [one()], clock=["free", None, -1, w.BOOT]),
        read_vector("a clock by PTP", [one()], clock=["ptp", 2**64 - 1, 2**63 - 1, b"\xff" * 16]),
        read_vector("all flags", [one()], flags=15),
        read_vector("the beginning of 1970", [Good(first=0).add([[1, 2, 3]])], t0=0),
        read_vector("the last tick there is",
                    [Good(1, first=2**63 - 2, step=1, lag=()).add([[1]])], t0=2**63 - 2),
    ]  # fmt: skip
