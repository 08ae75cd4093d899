"""HJ 212 segments to messages: header, marks, times and items; split messages put together.

Times are China standard time (+08:00, no summer time): the standard gives none, and the loggers run
on it wherever they stand. Pure: no I/O. HJ 212-2017 and -2025, 6.3 to 6.5.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from edge.drivers.hj212.packet import Hj212Error

CHINA = timezone(timedelta(hours=8))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VERSIONS = {1: "HJ 212-2017", 2: "HJ 212-2025"}
PARTS_MAX = 64  # packets of one split message
ITEMS_MAX = 20_000  # of all those under way on one connection; 64 packets of 1 kB have 4,000
UNFINISHED_MAX = 4  # split messages under way on one connection: one a command

_REQUIRED = ("QN", "ST", "CN", "PW", "MN", "Flag")
_KNOWN = frozenset((*_REQUIRED, "PNUM", "PNO", "RF"))
_FORMS = {
    "QN": re.compile(r"[0-9]{17}"),
    "ST": re.compile(r"[0-9]{2}"),
    "CN": re.compile(r"[0-9]{4}"),
    "PW": re.compile(r"[!-:<-~]{0,32}"),  # printable, no ";"
    "MN": re.compile(r"[0-9A-Fa-f]{24}"),
    "Flag": re.compile(r"[0-9]{1,3}"),
    "PNUM": re.compile(r"[0-9]{1,8}"),
    "PNO": re.compile(r"[0-9]{1,8}"),
    "RF": re.compile(r"1"),
}
_DATA_TIME = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or one part of a split one.

    Attributes:
        qn: the sender's time stamp and number of the message, as it stands there.
        qn_ns: the same, UTC nanoseconds.
        st: what kind of system sends (31 air source, 91 the link itself, ...).
        cn: command.
        pw: password; never logged, only repeated in an acknowledgement.
        mn: which logger, 24 hexadecimal digits in capitals.
        version: a key of `VERSIONS`.
        wants_answer: Flag bit 0.
        is_resend: RF=1, sent again later.
        number, count: which part of how many, counted from 1.
        items: name ("a05001-Rtd") to text; bytes beyond ASCII stand as Latin-1.
        data_ns: DataTime, UTC nanoseconds; None when there is none.
    """

    qn: str
    qn_ns: int
    st: str
    cn: int
    pw: str = field(repr=False)
    mn: str
    version: int
    wants_answer: bool
    is_resend: bool
    number: int
    count: int
    items: Mapping[str, str]
    data_ns: int | None


def parse_segment(segment: bytes) -> Message:
    """What a packet's segment says.

    Raises:
        Hj212Error: it is no segment of HJ 212-2017 or -2025, or two things in it contradict.
    """
    # ASCII is all that is looked at. GBK in a value passes: none of its bytes is a separator.
    head, mark, tail = segment.decode("latin-1").partition(";CP=&&")
    if not mark or not tail.endswith("&&"):
        raise Hj212Error("has no content of the form CP=&&...&&")
    content = tail[:-2]
    if "&&" in content:
        raise Hj212Error("has && inside its content")
    fields = _header(head)
    flag = int(fields["Flag"])
    version = flag >> 2
    if version not in VERSIONS:
        known = ", ".join(f"{bits} ({name})" for bits, name in VERSIONS.items())
        raise Hj212Error(f"Flag {flag} says version {version}; read here are {known}")
    number, count = _part(fields, is_split=bool(flag & 2))
    items = _items(content)
    data_time = items.pop("DataTime", None)
    return Message(
        qn=fields["QN"],
        qn_ns=_instant(fields["QN"][:14], "QN") + int(fields["QN"][14:]) * 1_000_000,
        st=fields["ST"],
        cn=int(fields["CN"]),
        pw=fields["PW"],
        mn=fields["MN"].upper(),
        version=version,
        wants_answer=bool(flag & 1),
        is_resend="RF" in fields,
        number=number,
        count=count,
        items=items,
        data_ns=None if data_time is None else _instant(data_time, "DataTime"),
    )


def _header(head: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for piece in head.split(";"):
        key, _, value = piece.partition("=")
        if key not in _KNOWN:
            raise Hj212Error("has something unknown in its header")
        if key in fields:
            raise Hj212Error(f"has {key} twice")
        if not _FORMS[key].fullmatch(value):
            raise Hj212Error(f"has a {key} that is not of the form {_FORMS[key].pattern}")
        fields[key] = value
    for key in _REQUIRED:
        if key not in fields:
            raise Hj212Error(f"has no {key}")
    return fields


def _part(fields: Mapping[str, str], *, is_split: bool) -> tuple[int, int]:
    number, count = int(fields.get("PNO", "1")), int(fields.get("PNUM", "1"))
    if is_split and not {"PNO", "PNUM"} <= fields.keys():
        raise Hj212Error("is part of a split message and does not say which (PNUM, PNO)")
    if not 1 <= number <= count <= PARTS_MAX:
        raise Hj212Error(f"says it is part {number} of {count}; at most {PARTS_MAX} are taken")
    if count > 1 and not is_split:
        raise Hj212Error(f"says part {number} of {count}, and by its Flag that it is not split")
    return number, count


def _items(content: str) -> dict[str, str]:
    items: dict[str, str] = {}
    for piece in content.replace(",", ";").split(";"):
        if not piece:
            continue
        name, equals, value = piece.partition("=")
        if not equals or not name:
            raise Hj212Error("has something in its content that is not name=value")
        if name in items:
            raise Hj212Error("has the same item twice: two records in one message are not read")
        items[name] = value
    return items


def _instant(digits: str, name: str) -> int:
    """UTC nanoseconds of YYYYMMDDhhmmss in China standard time."""
    if not _DATA_TIME.fullmatch(digits):
        raise Hj212Error(f"has a {name} that is not YYYYMMDDhhmmss")
    numbers = [int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, 14, 2))]
    try:
        at = datetime(*numbers, tzinfo=CHINA)  # type: ignore[arg-type, misc] # six numbers
    except ValueError:
        raise Hj212Error(f"has a {name} that is no time") from None
    return (at - _EPOCH) // timedelta(seconds=1) * 1_000_000_000


class Assembler:
    """Puts the parts of split messages of one connection together, one message at a time a CN.

    Parts belong together when MN, CN, QN and their count are the same; they may come in any order.
    A cut link loses what was not whole: a new connection has a new assembler.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, int], dict[int, Message]] = {}

    def take(self, message: Message) -> Message | None:
        """The whole message when this is its last missing part; None while others are missing.

        Raises:
            Hj212Error: a part differs from one that came before, or the whole contradicts itself.
        """
        if message.count == 1:
            return message
        key = (message.mn, message.cn)
        parts = self._parts.get(key, {})
        first = next(iter(parts.values()), message)
        if (first.qn, first.count) != (message.qn, message.count):
            parts = {}  # the one before was never completed
        if len(self._parts) >= UNFINISHED_MAX and key not in self._parts:
            raise Hj212Error("begins one more split message than are kept at a time")
        others = (part for parts in self._parts.values() for part in parts.values())
        if sum(len(part.items) for part in (*others, message)) > ITEMS_MAX:
            self._parts.clear()
            raise Hj212Error(f"is one of split messages with more than {ITEMS_MAX} items")
        before = parts.setdefault(message.number, message)
        if before != message:
            del self._parts[key]
            raise Hj212Error(f"differs from the part {message.number} that came before it")
        self._parts[key] = parts
        if len(parts) < message.count:
            return None
        del self._parts[key]
        return _whole([parts[number] for number in sorted(parts)])


def _whole(parts: list[Message]) -> Message:
    items: dict[str, str] = {}
    for part in parts:
        if items.keys() & part.items.keys():
            raise Hj212Error("has the same item in two of its parts")
        items |= part.items
    times = {part.data_ns for part in parts if part.data_ns is not None}
    if len(times) > 1:
        raise Hj212Error("has different DataTimes in its parts")
    return replace(
        parts[0],
        number=1,
        count=1,
        items=items,
        data_ns=times.pop() if times else None,
        is_resend=any(part.is_resend for part in parts),
        wants_answer=any(part.wants_answer for part in parts),
    )
