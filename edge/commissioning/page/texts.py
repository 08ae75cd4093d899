"""The page's own words in English and Chinese, and how times are written. Pure once loaded."""

import datetime as dt
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from evidence.quality import sentence

NS = 1_000_000_000
_ORDERS = (("low word first", "place.word"), ("low byte first", "place.byte"))


@functools.cache
def strings() -> Mapping[str, Mapping[str, str]]:
    """Key -> language -> text."""
    told: Mapping[str, Mapping[str, str]] = json.loads(
        Path(__file__).with_name("strings.json").read_text(encoding="utf-8")
    )
    return told


@dataclass(frozen=True)
class Words:
    """One language and one time zone.

    Attributes:
        language: "en" or "zh".
        time_zone: of the plant.
    """

    language: str
    time_zone: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key; KeyError when there is none."""
        return strings()[key][self.language].format(**values)

    def quality(self, code: int) -> str:
        """A quality's sentence."""
        return sentence(code, self.language)

    def place(self, source: str) -> str:
        """Where a value is taken, as it is signed, with its order of words and bytes in words."""
        for english, key in _ORDERS:
            source = source.replace(english, self(key))
        return source

    def time(self, at_ns: int) -> str:
        """Date and time in the plant's zone, which is told."""
        at = dt.datetime.fromtimestamp(at_ns // NS, ZoneInfo(self.time_zone))
        zone = f"{at:%z}"
        return f"{at:%Y-%m-%d %H:%M:%S} (UTC{zone[:3]}:{zone[3:]})"
