"""State of a month: one verdict and everything that belongs beside its total. Pure.

`verify`, `screen`, the pages, the report, the workbook and the alarms all show this state: the
same codes, the same sentences, in the reader's language. It is made once, of a statement and of
what a verification found, and travels as plain values (`as_map`, `from_map`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.calc.flags import INCOMPLETE, NOTE, QUESTION, WEIGHTS, Flag
from edge.calc.statements.required import lacking
from evidence.phrases import phrase, phrase_or
from evidence.printed import printable

PASSED, FAILED, CANNOT_DECIDE, UNVERIFIED = "passed", "failed", "cannot-decide", "unverified"
EXIT_PASSED, EXIT_FAILED, EXIT_CANNOT_DECIDE, EXIT_NOT_ALL = 0, 1, 2, 3
#: issues that a state lists; a smelter has thousands of points
ISSUES_MAX = 200
#: issues that the headline names
NAMED_MAX = 3
FLAG_MAX = 200
#: findings for a reader's eyes that raise no question by themselves; a long gap is a sparse point,
#: and no figure hangs on who reviewed
_QUIET = ("N-", "W-GAP", "W-TYPED", "W-UNCONFIRMED", "W-WITNESS")


@dataclass(frozen=True)
class Issue:
    """One thing that belongs beside a month's total.

    Attributes:
        flag: a statement's flag ("no-clinker"), or "" for a finding of the verifier's own.
        code: of the finding.
        weight: one of `edge.calc.flags.WEIGHTS`.
    """

    flag: str
    code: str
    weight: str

    @property
    def where(self) -> str:
        """Place of its finding: the row of a factor or figure, else the flag itself."""
        return Flag(self.flag).where

    def sentence(self, language: str) -> str:
        """The whole sentence."""
        if self.flag:
            return printable(Flag(self.flag).sentence(language))
        return phrase(f"code.{self.code}", language)

    def short(self, language: str) -> str:
        """A few words for a headline."""
        if self.flag:
            return printable(Flag(self.flag).short(language))
        return phrase_or(f"short.{self.code}", language, self.code)


@dataclass(frozen=True)
class MonthState:
    """Knowledge of a month and its total.

    Attributes:
        verdict: "passed", "failed", "cannot-decide", or "unverified" before anybody looked.
        identified: the archive's root is one that the reader trusts.
        recomputed: the figures were made again from the readings.
        closing: "interim" or "final", "" when there is no statement.
        issues: incomplete ones first, then questions, then notes; at most `ISSUES_MAX`.
        more: weight -> how many are not listed.
    """

    verdict: str = UNVERIFIED
    identified: bool = False
    recomputed: bool = False
    closing: str = ""
    issues: Sequence[Issue] = ()
    more: Mapping[str, int] = field(default_factory=dict)

    @property
    def incomplete(self) -> list[Issue]:
        """Issues by which the month lacks something mandatory or declared."""
        return [issue for issue in self.issues if issue.weight == INCOMPLETE]

    @property
    def questions(self) -> list[Issue]:
        """Issues that a person must look at."""
        return [issue for issue in self.issues if issue.weight == QUESTION]

    @property
    def unlisted(self) -> int:
        """Number of unlisted issues of the first two weights."""
        return sum(self.more.get(weight, 0) for weight in WEIGHTS[:2])

    @property
    def is_plain(self) -> bool:
        """Passed, identified, recomputed, complete and without a question."""
        return self.exit_status == EXIT_PASSED

    @property
    def exit_status(self) -> int:
        """0 passed and nothing is open; 1 failed; 2 cannot decide; 3 sound, but not all of that."""
        if self.verdict == FAILED:
            return EXIT_FAILED
        if self.verdict == CANNOT_DECIDE:
            return EXIT_CANNOT_DECIDE
        is_whole = self.identified and self.recomputed and not self.incomplete
        return EXIT_PASSED if is_whole and not self.questions else EXIT_NOT_ALL

    def headline(self, language: str) -> str:
        """Verdict and completeness in one line: "PASSED, INCOMPLETE: clinker is missing"."""
        parts = []
        if self.incomplete:
            parts.append(self._named("incomplete", self.incomplete, INCOMPLETE, language))
        if self.questions:
            parts.append(self._named("questions", self.questions, QUESTION, language))
        if self.verdict == PASSED and not self.identified:
            parts.append(phrase("headline.not_identified", language))
        if self.verdict == PASSED and not self.recomputed:
            parts.append(phrase("headline.not_recomputed", language))
        verdict = phrase(f"verdict.{self.verdict}", language)
        if not parts:
            return verdict
        joined = phrase("headline.join", language).join(parts)
        return phrase("headline", language, verdict=verdict, told=joined)

    def beside_total(self, language: str) -> str:
        """Words to print beside every total: the parts it lacks; "" when it lacks none."""
        if not self.incomplete and not self.questions:
            return ""
        issues = [issue for issue in self.issues if issue.weight in (INCOMPLETE, QUESTION)]
        return self._named("beside", issues, "", language)

    def _named(self, key: str, issues: Sequence[Issue], weight: str, language: str) -> str:
        words = list(dict.fromkeys(issue.short(language) for issue in _one_of_each(issues)))
        more = sum(self.more.get(w, 0) for w in (WEIGHTS[:2] if weight == "" else (weight,)))
        rest = len(words[NAMED_MAX:]) + more
        told = phrase("headline.list", language).join(words[:NAMED_MAX])
        if rest:
            told += phrase("headline.more", language, n=rest)
        return phrase(f"headline.{key}", language, told=told)

    def as_map(self) -> dict[str, Any]:
        """Plain values, JSON-ready."""
        return {
            "verdict": self.verdict,
            "identified": self.identified,
            "recomputed": self.recomputed,
            "complete": not self.incomplete,
            "closing": self.closing,
            "issues": [
                {"flag": issue.flag, "code": issue.code, "weight": issue.weight}
                for issue in self.issues
            ],
            "more": dict(self.more),
        }

    @classmethod
    def from_map(cls, told: Mapping[str, Any]) -> "MonthState":
        """A state as `as_map` gave it."""
        return cls(
            told["verdict"],
            told["identified"],
            told["recomputed"],
            told["closing"],
            tuple(Issue(row["flag"], row["code"], row["weight"]) for row in told["issues"]),
            told["more"],
        )


def _one_of_each(issues: Sequence[Issue]) -> list[Issue]:
    """The first of each kind before all others: thirty points hide no fork of a key."""
    first = {issue.flag.partition(":")[0] or issue.code: issue for issue in reversed(issues)}
    chosen = [issue for issue in issues if issue in first.values()]
    return [*chosen, *(issue for issue in issues if issue not in chosen)]


def issues_of(
    given: Mapping[str, Any], output: Mapping[str, Any], more: Iterable[str] = ()
) -> list[Issue]:
    """Everything a statement says, and lacks, that belongs beside its total.

    Args:
        given: a statement's input; may be that of a hostile archive.
        output: its output; likewise.
        more: flags that other documents of the month raise (its control plan).
    """
    flags = output.get("flags")
    carried = [str(flag) for flag in flags] if isinstance(flags, list) else []
    every = dict.fromkeys([*carried, *lacking(given, output), *more])
    return [issue_of(flag) for flag in every]


def issue_of(flag: str) -> Issue:
    """The issue that a flag raises."""
    found = Flag(flag[:FLAG_MAX])
    return Issue(found.text, found.code, found.weight)


def finding_issue(code: str) -> Issue:
    """The issue that a finding of the verifier's own raises."""
    quiet = code.startswith(_QUIET)
    return Issue("", code, NOTE if quiet else QUESTION)


def state_of(
    issues: Iterable[Issue],
    *,
    verdict: str = UNVERIFIED,
    identified: bool = False,
    recomputed: bool = False,
    closing: str = "",
) -> MonthState:
    """A state of these issues, the heaviest listed first."""
    ordered = sorted(dict.fromkeys(issues), key=lambda issue: WEIGHTS.index(issue.weight))
    left: dict[str, int] = {}
    for issue in ordered[ISSUES_MAX:]:
        left[issue.weight] = left.get(issue.weight, 0) + 1
    listed = tuple(ordered[:ISSUES_MAX])
    return MonthState(verdict, identified, recomputed, closing, listed, left)
