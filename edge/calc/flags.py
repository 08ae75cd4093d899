"""Table of the flags a statement can carry: finding code, weight and words of each.

A flag is a kind, or a kind and the thing it is about: "no-clinker", "no-reading:coal.total".
`flags.json` holds the table; the two files of this idea are read once, from the package itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

#: the month lacks something; a person must look; a reader may want to know
INCOMPLETE, QUESTION, NOTE = WEIGHTS = ("incomplete", "question", "note")
#: of documents that give no amount, the line is missing; of another figure, a default stands
_AMOUNT, _AMOUNT_KIND = ".amount", "not-usable"
_MADE_OF = {"W-TYPED", "W-UNCONFIRMED", "W-SAMPLING"}
_UNKNOWN = "N-FLAG"


@dataclass(frozen=True)
class FlagRow:
    """One kind of flag.

    Attributes:
        code: of the finding that reports it.
        weight: one of `WEIGHTS`.
        short: language -> a few words for a headline, with a place for {what}.
        sentence: language -> the whole sentence, likewise.
        owed_by: role of who has to explain it before the month is closed, "" for nobody.
        blocks_close: a month is closed for good with it only by a decision that says why.
    """

    code: str
    weight: str
    short: Mapping[str, str]
    sentence: Mapping[str, str]
    owed_by: str = ""
    blocks_close: bool = False


@dataclass(frozen=True)
class Flag:
    """A flag as a statement carries it.

    Attributes:
        text: "no-reading:coal.total"; may come from a hostile archive.
    """

    text: str

    @property
    def row(self) -> FlagRow | None:
        """Its row, None for a kind that the table lacks."""
        return flag_rows().get(self._key)

    @property
    def what(self) -> str:
        """The thing it is about, "" for none."""
        if ":" in self._key:
            return self.text.removeprefix(self._key).removeprefix(":")
        what = self.text.partition(":")[2]
        return what.removesuffix(_AMOUNT) if self._key != self._kind else what

    @property
    def code(self) -> str:
        """Code of the finding that reports it."""
        return _UNKNOWN if self.row is None else self.row.code

    @property
    def weight(self) -> str:
        """One of `WEIGHTS`; a kind that the table lacks is a question."""
        return QUESTION if self.row is None else self.row.weight

    @property
    def where(self) -> str:
        """Place of the finding: the row of a factor or figure, else the flag itself."""
        return self.what if self.code in _MADE_OF else self.text

    def sentence(self, language: str) -> str:
        """The whole sentence; the flag itself for a kind that the table lacks."""
        return self.text if self.row is None else self._filled(self.row.sentence[language])

    def short(self, language: str) -> str:
        """A few words for a headline."""
        return self.text if self.row is None else self._filled(self.row.short[language])

    @property
    def _kind(self) -> str:
        return self.text.partition(":")[0]

    @property
    def _key(self) -> str:
        """Row's key: of a check with words of its own, kind and check."""
        own = ":".join(self.text.split(":")[:2])
        if ":" in own and own in flag_rows():
            return own
        is_amount = self._kind == _AMOUNT_KIND and self.text.endswith(_AMOUNT)
        return f"{_AMOUNT_KIND}{_AMOUNT}" if is_amount else self._kind

    def _filled(self, text: str) -> str:
        return text.replace("{what}", self.what)


@cache
def flag_rows() -> Mapping[str, FlagRow]:
    """Kind -> its row."""
    text = resources.files("edge.calc").joinpath("flags.json").read_text(encoding="utf-8")
    return {kind: FlagRow(**row) for kind, row in json.loads(text).items()}
