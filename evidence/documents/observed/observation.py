"""One thing that documents of samples show: code, where, a sentence in both languages. Pure.

`codes.json` has the texts and the innocent causes of each code; a published code keeps its meaning.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from typing import Any

_TEXTS = json.loads(
    resources.files("evidence.documents.observed")
    .joinpath("codes.json")
    .read_text(encoding="utf-8")
)
#: code -> "sentence" and "causes" -> language -> text; sentences have places for facts
CODES: dict[str, dict[str, dict[str, str]]] = _TEXTS["codes"]
#: kind of a step, and whatever else a fact may be one of -> language -> word
WORDS: dict[str, dict[str, str]] = _TEXTS["words"]
LANGUAGES = ("zh", "en")
#: days and months of papers are China's: one zone, no summer time since 1992
CHINA = timezone(timedelta(hours=8))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_S = -62_135_596_800
MINUTE, HOUR, DAY = 60 * 10**9, 3600 * 10**9, 86_400 * 10**9


@dataclass(frozen=True)
class Observation:
    """One thing observed.

    Attributes:
        code: a key of `CODES`.
        plant: plant id.
        sample: id of the sample it is about; the first of several.
        months: those the sample is of, "YYYY-MM"; a month's list has it when it is one of these.
        documents: SHA-256 of the documents that show it.
        facts: what fills the places of the sentence; text of papers is as it was typed.
    """

    code: str
    plant: str
    sample: str
    months: tuple[str, ...]
    documents: tuple[bytes, ...]
    facts: Mapping[str, str]

    def sentence(self, language: str) -> str:
        """What is odd there, in one of `LANGUAGES`."""
        facts = {name: WORDS.get(fact, {}).get(language, fact) for name, fact in self.facts.items()}
        return CODES[self.code]["sentence"][language].format(sample=self.sample, **facts)

    def causes(self, language: str) -> str:
        """What else than fraud does this, in one of `LANGUAGES`."""
        return CODES[self.code]["causes"][language]

    def plain(self) -> Mapping[str, Any]:
        """JSON-ready; hashes in hex."""
        return {
            "code": self.code,
            "plant": self.plant,
            "sample": self.sample,
            "months": list(self.months),
            "documents": [sha256.hex() for sha256 in self.documents],
            "sentence": {language: self.sentence(language) for language in LANGUAGES},
            "causes": {language: self.causes(language) for language in LANGUAGES},
        }


def local(instant_ns: int) -> datetime:
    """An instant on China's clocks, to the second; what is before the year 1 is shown as that."""
    return (_EPOCH + timedelta(seconds=max(instant_ns // 10**9, _FIRST_S))).astimezone(CHINA)


def shown(instant_ns: int) -> str:
    """An instant as people there read it, "2026-10-31 16:05"."""
    return f"{local(instant_ns):%Y-%m-%d %H:%M}"


def month_of(instant_ns: int) -> str:
    """The month in China that an instant is in, "YYYY-MM"."""
    return f"{local(instant_ns):%Y-%m}"


def day_ns(day: str) -> int:
    """The first instant in China of a day such as "2026-10-31", ns since 1970."""
    since = datetime.fromisoformat(day).replace(tzinfo=CHINA) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9


def span(duration_ns: int) -> dict[str, str]:
    """A duration as two facts: `days`, with one decimal, and `hours`."""
    tenths = duration_ns * 10 // DAY
    return {"days": f"{tenths // 10}.{tenths % 10}", "hours": f"{duration_ns // HOUR}"}
