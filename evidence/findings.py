"""What a verifier can find: stable codes, one plain sentence each, and the verdict they add up to.

E-… fails the archive, C-… means this program cannot decide, W-… is for a reviewer's eyes, N-… is
a note. Codes are part of what others rely on: a published code keeps its meaning. The meanings
stand in `phrases.json`, in all languages.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from evidence.month_state import Issue, MonthState, finding_issue, state_of
from evidence.phrases import of_kind, phrase
from evidence.printed import printable
from evidence.version import VERSION

#: findings of one code and rank that are listed in any case
SAME_CODE_MAX = 100
#: of what fails or is undecided so many in all, and again of what changed in a configuration: of
#: rank 0, of rank 1 half of it, of rank 2 a quarter
EACH_MAX = 10_000
IDLE = 2  # rank of what no figure can depend on
TEXT_MAX = 600

#: code -> what it means, in general; the finding's own sentence says where and how.
CODES = of_kind("code", "en")
#: not all of these are counted
_AT_LEAST = {"N-CONFIG": "At least "}
_ORDER = {code: i for i, code in enumerate(CODES)}


class Verdict(Enum):
    """What a verification comes to; the value is what --json prints."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT_DECIDE = "cannot-decide"


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        code: a key of `CODES`.
        where: file, stream and seq, figure: as exactly as is known.
        sentence: what is wrong there and what it means.
        rank: 0, or more for what stands after others of its code, as it matters less.
    """

    code: str
    where: str
    sentence: str
    rank: int = 0


def said(error: Exception) -> str:
    """An error's text as a sentence: a word begins it in upper case, a path or an id as it is."""
    text = str(error)
    capital = text[:1].upper() if text.partition(" ")[0].isalpha() else text[:1]
    return f"{capital}{text[1:]}."


def utc(instant_ns: int) -> str:
    """An instant as people read it, "2026-06-15T04:59:40Z"; one that no calendar has, in ns."""
    seconds, ns = divmod(instant_ns, 10**9)
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{instant_ns} ns"
    return f"{at:%Y-%m-%dT%H:%M:%S}{f'.{ns:09}' if ns else ''}Z"


def shown(text: str) -> str:
    """Text of an archive made fit to print: it must not steer a terminal or fill it."""
    if len(text) > TEXT_MAX:
        text = f"{text[:TEXT_MAX]}…"
    return printable(text)


def _each_of(code: str, rank: int) -> tuple[str, int] | None:
    """What it is counted with, None for a code of which only some are listed."""
    if code[0] in "EC":
        return "EC", 0
    return (code, rank) if code == "N-CONFIG" else None


@dataclass
class Report:
    """Everything a verification found.

    Attributes:
        findings: in the order found; of what fails or is undecided `EACH_MAX` in all, of what
            changed in a configuration as many of the first rank, fewer of the others, else
            `SAME_CODE_MAX` of one code; the rest are counted (of what changed, some).
        not_checked: what was not looked at, a sentence each.
        counts: what was looked at, by name.
        archive: name of its top folder, "" when it could not be opened.
        month: what the statement says it is of: plant, month, closing ("interim" or "final") and
            total_t (tCO2e, decimal); empty when it could not be read. True when all passed.
        values: of the month's measured points, how many values the statement could use, of how
            many due, in percent, and the point with the fewest; empty when it counts none. A
            reading without a value is a reading: `completeness` counts it.
        identity: whether, and against what, the archive's root was checked, in words.
        root_sha256: hex fingerprint of its root key, None when it has none that can be used.
        trusted: whether that is a key the reviewer trusts, None when nobody said which are.
        completeness: stream -> how much of it is here, as `--json` prints it.
        timestamp: when, and by whom, the seal was stamped; "none" when nobody did so soundly.
        recomputed: the figures were made again from the readings.
        issues: everything the statement says, and lacks, that belongs beside its total.
        witnesses: who from outside cosigned the log here: person, name, organisation, size (entries
            that were seen), of (entries here), at, and whether a key of the reader certifies them.
    """

    findings: list[Finding] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    completeness: dict[str, dict[str, Any]] = field(default_factory=dict)
    archive: str = ""
    month: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    identity: str = "not checked"
    root_sha256: str | None = None
    trusted: bool | None = None
    timestamp: str = "none"
    witnesses: list[dict[str, Any]] = field(default_factory=list)
    recomputed: bool = False
    issues: list[Issue] = field(default_factory=list)
    _own: dict[str, None] = field(default_factory=dict)
    _per_code: Counter[str] = field(default_factory=Counter)
    _listed: Counter[tuple[str, int]] = field(default_factory=Counter)
    _each: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, code: str, where: str, sentence: str, rank: int = 0) -> None:
        """Note a finding of the verifier's own."""
        self._own[code] = None
        self._note(code, where, sentence, rank)

    def add_issue(self, issue: Issue) -> None:
        """Note a finding that the statement itself raises."""
        self.issues.append(issue)
        self._note(issue.code, issue.where, issue.sentence("en"))

    def _note(self, code: str, where: str, sentence: str, rank: int = 0) -> None:
        if code not in CODES:
            raise ValueError(f"unknown finding code {code}")
        self._per_code[code] += 1
        if self.has_room(code, rank):
            if each := _each_of(code, rank):
                self._each[each] += 1
            self._listed[code, rank] += 1
            self.findings.append(Finding(code, shown(where), shown(sentence), rank))

    def has_room(self, code: str, rank: int = 0) -> bool:
        """True when one more would be listed; what is only counted needs no sentence."""
        each = _each_of(code, rank)
        is_room = each is not None and self._each[each] < EACH_MAX >> each[1]
        return is_room or self._listed[code, rank] < SAME_CODE_MAX

    def suppressed(self) -> Iterator[tuple[str, int]]:
        """(code, how many more) for codes found more often than is listed."""
        listed = Counter(finding.code for finding in self.findings)
        for code, count in sorted(self._per_code.items()):
            if count > listed[code]:
                yield code, count - listed[code]

    def weighed(self) -> list[Finding]:
        """The findings: what fails first, then what is undecided, warnings, notes; by code."""
        return sorted(
            self.findings, key=lambda f: ("ECWN".index(f.code[0]), _ORDER[f.code], f.rank)
        )

    @property
    def verdict(self) -> Verdict:
        """Failed when anything fails; otherwise undecided when anything is undecided."""
        kinds = {code[0] for code in self._per_code}
        if "E" in kinds:
            return Verdict.FAILED
        return Verdict.CANNOT_DECIDE if "C" in kinds else Verdict.PASSED

    @property
    def state(self) -> MonthState:
        """Verdict and completeness together, as every surface shows them."""
        own = [finding_issue(code) for code in self._own if code[0] in "WN"]
        return state_of(
            [*self.issues, *own],
            verdict=self.verdict.value,
            identified=self.trusted is True,
            recomputed=self.recomputed,
            closing=self.month.get("closing", ""),
        )

    def as_map(self, language: str = "en") -> dict[str, Any]:
        """The form of `verify --json`; `headline` and `meaning` are in the reader's language.

        `completeness` holds for each stream: first_seq, last_seq, objects, missing (ranges, at most
        1,000, of all streams 10,000) and missing_objects, readings (of measured points) of
        readings_due and percent,
        gaps, gaps_s and longest_gap_s (number, sum and longest of those the gateway told of),
        holes, holes_s, longest_hole_s and longest_hole_from (of time that no gap covers, of each
        schedule for itself), anchored_objects, made_within_s (the longest from an object's anchor
        to its receipt) and clock_error_ms (the largest the gateway stated).
        """
        more = [
            Finding(code, "archive", f"{_AT_LEAST.get(code, '')}{count} more like these.")
            for code, count in self.suppressed()
        ]
        return {
            "program": f"stackproof {VERSION}",
            "archive": self.archive,
            "month": self.month or None,
            "values": self.values or None,
            "verdict": self.verdict.value,
            "headline": self.state.headline(language),
            "state": self.state.as_map(),
            "root_sha256": self.root_sha256,
            "trusted": self.trusted,
            "identity": self.identity,
            "timestamp": self.timestamp,
            "witnesses": self.witnesses,
            "findings": [
                {
                    "code": finding.code,
                    "where": finding.where,
                    "sentence": finding.sentence,
                    "meaning": phrase(f"code.{finding.code}", language),
                }
                for finding in [*self.weighed(), *more]
            ],
            "completeness": self.completeness,
            "not_checked": self.not_checked,
            "counts": dict(sorted(self.counts.items())),
        }
