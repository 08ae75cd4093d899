"""How far a plant was counted, kept beside its log so that a start counts minutes and not a month.

A projection: the log is the truth. The file names the object it counted up to by its hash; what
does not fit the log, or cannot be read, is as if it were not there, and all is counted anew.
File I/O.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.accumulated")

#: 3 keeps flows beside totalisers, and months before; what was kept by another is counted anew
FORMAT = 3


@dataclass(frozen=True)
class KeptMonth:
    """A month that is over, and in which people have to look at a totaliser.

    Attributes:
        cfgs: hashes of its configurations, in order.
        sums: `LiveSums.snapshot`.
    """

    cfgs: tuple[bytes, ...]
    sums: dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A count that was left off.

    Attributes:
        stream: gateway id.
        month: "YYYY-MM".
        next_seq: of the first object that is not counted.
        head: SHA-256 of the object before it.
        cfgs: hashes of the month's configurations, in order.
        sums: `LiveSums.snapshot`.
        past: months before it, oldest first.
    """

    stream: str
    month: str
    next_seq: int
    head: bytes
    cfgs: tuple[bytes, ...]
    sums: dict[str, Any]
    past: tuple[KeptMonth, ...] = ()


def keep(path: Path, kept: Kept) -> None:
    """Write it; the old one stands until the new one is whole. OSError when the disk refuses."""
    told = {
        "format": FORMAT,
        "stream": kept.stream,
        "month": kept.month,
        "next_seq": kept.next_seq,
        "head": kept.head.hex(),
        "cfgs": [cfg.hex() for cfg in kept.cfgs],
        "sums": kept.sums,
        "past": [{"cfgs": [cfg.hex() for cfg in one.cfgs], "sums": one.sums} for one in kept.past],
    }
    path.parent.mkdir(exist_ok=True)  # in state_dir, where evidence is in a database
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(told), encoding="utf-8")
    beside.replace(path)


def left_off(path: Path, plant: str) -> Kept | None:
    """What was kept of a plant; None when there is none of this version that can be read."""
    try:
        told = json.loads(path.read_bytes())
        if told["format"] != FORMAT:
            return None
        return Kept(
            str(told["stream"]),
            str(told["month"]),
            int(told["next_seq"]),
            bytes.fromhex(told["head"]),
            _hashes(told["cfgs"]),
            dict(told["sums"]),
            tuple(KeptMonth(_hashes(one["cfgs"]), dict(one["sums"])) for one in told["past"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, LookupError, TypeError, ValueError) as error:
        log.warning(
            "%s cannot be used (%r): the month is counted anew", path, error, extra=about(plant)
        )
        return None


def _hashes(told: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(one) for one in told)
