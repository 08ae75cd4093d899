"""What is kept of a month's screening: what stands out, and what was asked. Pure but for `version`.

Texts are not kept: whoever shows it has them of `evidence.screen.texts`, in a language.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from edge.calc.screening.prints import PRINT, Prints, sampled, thinned
from edge.calc.screening.question import Plot, Result
from edge.calc.screening.screen import Answer
from evidence.errors import MalformedError
from evidence.screen.screened import Screened

FORMAT = 2
#: answers of a month that are kept: who wants more has the command
KEPT_MAX = 50
#: fingerprints of a month that are kept: fifty points lose half of theirs
PRINTS_MAX = 16_384
#: what an answer may hang on
_SOURCES = ("edge.calc.screening", "edge.calc.screening.questions", "evidence.screen")
_RANGES = "screening.toml"


@dataclass(frozen=True)
class Kept:
    """A month's screening.

    Attributes:
        why_not: why it was not screened: "verdict.failed", "verdict.cannot-decide", or a sentence;
            "" when it was.
        months: that were held against each other, "YYYY-MM", this one last.
        level: at which an answer stands out.
        out: this month's answers that stand out, the strongest first, `KEPT_MAX` at most.
        more: how many more stand out.
        asked: question -> (looked at, stand out).
        notes: what was not looked at, as in `Screened`.
        plant: plant id, "" where it was not screened.
        prints: fingerprints of the readings, to hold plants against each other.
        makers: ("author" or "producer", name) of the PDFs in the archive, by their own word.
        pdfs_unread: PDFs that were not read for it.
    """

    why_not: str
    months: Sequence[str]
    level: float
    out: Sequence[Answer]
    more: int
    asked: Mapping[str, tuple[int, int]]
    notes: Sequence[tuple[str, Mapping[str, str]]]
    plant: str = ""
    prints: Prints | None = None
    makers: Sequence[tuple[str, str]] = ()
    pdfs_unread: int = 0

    def bare(self) -> "Kept":
        """Without fingerprints and the series of its plots: these are most of its memory."""
        bared = [
            replace(one, result=replace(one.result, plot=_bared(one.result.plot)))
            for one in self.out
        ]
        return replace(self, out=bared, prints=None)


def _bared(plot: Plot | None) -> Plot | None:
    return None if plot is None else replace(plot, values=(), marked=(), levels=())


def kept_of(screened: Screened, archive: str) -> Kept:
    """What is kept of the month of one archive, the newest of those that were screened together."""
    why_not = next((one.why for one in screened.refused if one.archive == archive), "")
    if why_not:
        return Kept(why_not, (), screened.level, (), 0, {}, ())
    own = screened.months[-1]
    here = (own.plant, own.month)
    answers = [a for a in screened.answers if (a.result.plant, a.result.month) == here]
    out = [one for one in answers if one.stands_out]
    looked, loud = (Counter(one.result.question for one in of) for of in (answers, out))
    return Kept(
        "", [month.month for month in screened.months], screened.level, out[:KEPT_MAX],
        max(0, len(out) - KEPT_MAX), {name: (n, loud[name]) for name, n in looked.items()},
        [(key, facts) for key, facts in screened.notes if facts.get("month") == own.month],
        own.plant, thinned(sampled(own), PRINTS_MAX),
    )  # fmt: skip


def encode(kept: Kept) -> bytes:
    """As it is kept: JSON."""
    made = {
        **vars(kept), "format": FORMAT, "out": [plain(one) for one in kept.out],
        "prints": None if kept.prints is None else _plain_prints(kept.prints),
    }  # fmt: skip
    return json.dumps(made, ensure_ascii=False).encode()


def decode(data: bytes) -> Kept:
    """What `encode` made.

    Raises:
        MalformedError: it is something else.
    """
    try:
        made = json.loads(data)
        if made.pop("format") != FORMAT:
            raise MalformedError("a screening of another format")
        made["out"] = [answered(one) for one in made["out"]]
        made["prints"] = None if made["prints"] is None else _prints(made["prints"])
        made["makers"] = [(str(what), str(name)) for what, name in made["makers"]]
        made["asked"] = {name: (int(n), int(out)) for name, (n, out) in made["asked"].items()}
        made["notes"] = [(str(key), dict(facts)) for key, facts in made["notes"]]
        return Kept(**made)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise MalformedError(f"no screening that can be read: {error!r}") from error


def _plain_prints(prints: Prints) -> dict[str, Any]:
    return {**vars(prints), "of": b64encode(prints.of.tobytes()).decode()}


def _prints(made: Mapping[str, Any]) -> Prints:
    of = np.frombuffer(b64decode(made["of"], validate=True), PRINT)
    prints = Prints(tuple(map(str, made["points"])), int(made["quarters"]), int(made["one_in"]), of)
    prints.check()
    return prints


def plain(answer: Answer) -> dict[str, Any]:
    """An answer, ready for JSON."""
    result = vars(answer.result)
    if answer.result.plot is not None:
        plot = vars(answer.result.plot)
        # six digits are more than a plot shows
        values = [None if v is None else float(f"{v:.6g}") for v in plot["values"]]
        result = {**result, "plot": {**plot, "values": values}}
    return {**vars(answer), "result": result}


def answered(made: Mapping[str, Any]) -> Answer:
    """What `plain` made; KeyError, TypeError of something else."""
    of = made["result"]
    plot = None if of["plot"] is None else Plot(**of["plot"])
    return Answer(**{**made, "result": Result(**{**of, "plot": plot})})


@cache
def version() -> str:
    """The questions' version: twelve hex digits, others whenever a file of theirs has changed."""
    digest = hashlib.sha256(resources.files("edge.calc.rule_sets").joinpath(_RANGES).read_bytes())
    for package in _SOURCES:
        for file in sorted(resources.files(package).iterdir(), key=lambda one: one.name):
            if file.name.endswith((".py", ".json")):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
