"""Archives screened together: verified first, then every question asked. Reads the files given.

`screen_archives` is what the command and a collector's page call.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from edge.calc.screening.month import Balance, ScreenedMonth
from edge.calc.screening.question import Result, questions
from edge.calc.screening.screen import LEVEL, Answer, screen
from evidence.documents.observed.observation import Observation
from evidence.documents.observed.observe import observe
from evidence.documents.observed.stories import stories_of
from evidence.documents.standing import Standing, merged
from evidence.errors import EvidenceError, MalformedError
from evidence.findings import Report, Verdict, shown
from evidence.keys import Trusted
from evidence.month_state import MonthState
from evidence.recompute import statement_bytes
from evidence.screen.reader import MonthReader
from evidence.screen.texts import question_text, sentence_of
from evidence.verifier.run import verify

#: what documents show by being in two places
SEEN_TWICE = frozenset({"S-REPORT-SEEN", "S-FILE-SEEN", "S-SAME-VALUES", "S-SEAL-SEEN"})
DOCUMENTS_TWICE = "documents-twice"
_Note = tuple[str, Mapping[str, str]]
_SURE = 20.0  # of its limit: the same number twice is no matter of degree


@dataclass(frozen=True)
class Refused:
    """An archive that was not screened, and why, in words."""

    archive: str
    why: str


@dataclass(frozen=True)
class _Read:
    """An archive that can be screened."""

    name: str
    month: ScreenedMonth
    reader: MonthReader
    passed: bool

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of its statement."""
        return hashlib.sha256(statement_bytes(self.month.statement)).hexdigest()

    @property
    def replaces(self) -> str:
        """That of the statement it replaces, "" where it replaces none."""
        return str(self.month.statement.get("replaces", {}).get("statement_sha256", ""))


@dataclass(frozen=True)
class Screened:
    """What came of it.

    Attributes:
        months: that were screened.
        answers: of all questions, the strongest first.
        refused: archives that were not.
        reports: of the verifications, in the order of the archives.
        verified: every month that was screened is of an archive that verifies.
        level: at which an answer stands out.
        notes: what was not looked at, as keys of "notes" in the texts with their facts.
        states: archive -> verdict, completeness and issues of its month, of every archive given.
    """

    months: Sequence[ScreenedMonth]
    answers: Sequence[Answer]
    refused: Sequence[Refused]
    reports: Sequence[Report]
    verified: bool
    level: float
    notes: Sequence[_Note]
    states: Mapping[str, MonthState] = field(default_factory=dict)

    @property
    def standing_out(self) -> list[Answer]:
        """What stands out, the strongest first."""
        return [answer for answer in self.answers if answer.stands_out]

    def rows(self, language: str) -> list[dict[str, Any]]:
        """Every answer as plain values, with its texts in one language."""
        return [row_of(rank, answer, language) for rank, answer in enumerate(self.answers, 1)]


def row_of(rank: int, answer: Answer, language: str) -> dict[str, Any]:
    """One answer, ready for JSON; its plot only where it stands out."""
    result = answer.result
    row: dict[str, Any] = {
        "rank": rank, "stands_out": answer.stands_out, "question": result.question,
        "name": question_text(result.question, "name", language), "plant": result.plant,
        "month": result.month, "where": shown(result.where), "statistic": result.statistic,
        "chance": result.chance, "chance_among_all": answer.among,
        "strength": round(answer.strength, 2), "sentence": shown(sentence_of(result, language)),
        "facts": dict(result.facts),
    }  # fmt: skip
    if answer.stands_out:
        row["innocent_causes"] = question_text(result.question, "causes", language)
        if result.plot is not None:
            row["plot"] = vars(result.plot)
    return row


def screen_archives(
    files: Sequence[tuple[str, BinaryIO]],
    *,
    trust: frozenset[Trusted] | None = None,
    balances: Mapping[str, Sequence[Balance]] | None = None,
    unverified: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Screened:
    """Verify and screen sealed months, of one plant or of many, beside each other.

    Signatures, chain, log and seal are verified; figures are not recomputed (`verify` does).

    Args:
        files: name and open file of each archive, seekable.
        trust: root keys the reviewer trusts; None leaves open whose archives they are.
        balances: plant -> its networks, as the reviewer says.
        unverified: screen also what does not verify, as far as its frames are sound.
        progress: told in a few words what is being done.

    Returns:
        Also when no archive could be screened; a hostile archive is refused, never raised.

    Raises:
        ScratchError: the disk refuses temporary files.
    """
    read: list[_Read] = []
    refused: list[Refused] = []
    reports: list[Report] = []
    for name, file in files:
        reader = MonthReader()
        report = verify(
            file, trust=trust, recompute=False, onlooker=reader,
            progress=lambda text, name=name: progress(f"{name}: {text}"),  # type: ignore[misc] # mypy takes no default of a lambda
        )  # fmt: skip
        reports.append(report)
        if report.verdict is not Verdict.PASSED and not unverified:
            refused.append(Refused(name, f"verdict.{report.verdict.value}"))
            continue
        try:
            month = reader.month()
        except EvidenceError as error:
            refused.append(Refused(name, str(error)))
            continue
        month.balances = (balances or {}).get(month.plant, ())
        read.append(_Read(name, month, reader, report.verdict is Verdict.PASSED))
    kept, notes = _one_a_month(read)
    months, standing = [one.month for one in kept], dict[str, list[Standing]]()
    for one in kept:
        standing.setdefault(one.month.plant, []).append(one.reader.standing)
        notes += _notes(one.month, one.reader)
    of_plant = {plant: [m.month for m in months if m.plant == plant] for plant in standing}
    more = list(twice(standing, of_plant))
    answers = screen(months, more=more, progress=progress)
    verified = all(one.passed for one in kept)
    states = {name: one.state for (name, _), one in zip(files, reports, strict=True)}
    return Screened(months, answers, refused, reports, verified, LEVEL, notes, states)


def _one_a_month(read: Sequence[_Read]) -> tuple[list[_Read], list[_Note]]:
    """Of each plant's month one archive; the same readings twice would only find each other."""
    kept: dict[tuple[str, str], _Read] = {}
    replaced, notes = {one.replaces for one in read}, list[_Note]()
    for one in read:
        key = one.month.plant, one.month.month
        held = kept.setdefault(key, one)
        if held is not one:
            kept[key], left = (one, held) if held.sha256 in replaced else (held, one)
            told = {"archive": shown(left.name), "other": shown(kept[key].name)}
            notes.append(("twin", {**told, "plant": key[0], "month": key[1]}))
    return list(kept.values()), notes


def _notes(month: ScreenedMonth, reader: MonthReader) -> Iterator[_Note]:
    where = {"plant": month.plant, "month": month.month}
    if month.quarters.left_out:
        yield "points", {**where, "n": str(month.quarters.left_out)}
    for stream in sorted(reader.other_streams):
        yield "gateway", {**where, "gateway": shown(stream)}


def twice(
    standing: Mapping[str, Sequence[Standing]], months: Mapping[str, Sequence[str]]
) -> Iterator[Result]:
    """Report numbers, files, seals and values of samples that are here twice.

    Args:
        standing: plant -> what stands by each of its archives.
        months: plant -> months of its archives.
    """
    stood: dict[str, Standing] = {}
    for plant, parts in standing.items():
        try:
            stood[plant] = merged(parts)
        except MalformedError:
            stood[plant] = parts[-1]  # of months that do not follow each other: the last one's own
    for plant, own in stood.items():
        beside = [stories_of(other) for name, other in stood.items() if name != plant]
        for seen in observe(own, beside):
            if seen.code in SEEN_TWICE:
                yield _of_observation(seen, months[plant])


def _of_observation(seen: Observation, here: Sequence[str]) -> Result:
    month = next((month for month in seen.months if month in here), here[-1])
    facts = {f"sentence_{language}": seen.sentence(language) for language in ("en", "zh")}
    return Result(
        DOCUMENTS_TWICE, seen.plant, month, seen.sample, seen.code, None, _SURE, facts=facts
    )


def question_names() -> list[str]:
    """All questions, those to documents included."""
    return sorted([*questions(), DOCUMENTS_TWICE])
