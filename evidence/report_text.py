"""A verification told to people: verdict, how much is here, what was found, what was not checked.

Pure; `evidence.cli` prints it.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from evidence.findings import IDLE, Report
from evidence.month_state import MonthState
from evidence.phrases import phrase, translated

#: findings of one code that are told one by one; `--json` has more
LISTED_MAX = 20
#: of what a changed configuration moves figures by
CHANGES_LISTED_MAX = 100
RANGES_LISTED_MAX = 10

COUNTS = (
    "files", "bytes", "log_entries", "objects", "signatures", "frames", "readings", "orders",
    "kept",
)  # fmt: skip


def report_lines(archive: str, report: Report, language: str = "en") -> Iterator[str]:
    """The report of an archive, line by line, in one of `evidence.phrases.LANGUAGES`."""
    state = report.state
    yield f"{state.headline(language)}  {archive}"
    yield f"  {phrase(f'verdict.{report.verdict.value}.means', language)}"
    if report.month:
        told = month_told(report.month, state, language)
        yield f"  {phrase('summary.month', language, told=told)}"
    if report.values:
        told = values_told(report.values, language)
        yield f"  {phrase('summary.values', language, told=told)}"
    for kind, told in (("identity", report.identity), ("timestamp", report.timestamp)):
        yield f"  {phrase(f'summary.{kind}', language, told=translated(kind, told, language))}"
    for stream, of in sorted(report.completeness.items()):
        yield f"  {phrase('summary.stream', language, stream=stream, told=held(of, language))}"
    yield f"  {phrase('summary.counts', language, told=counted(report.counts, language))}"
    more = dict(report.suppressed())
    for code, group in groupby(report.weighed(), lambda finding: finding.code):
        found = list(group)
        yield ""
        yield f"  {code}  {phrase(f'code.{code}', language)}"
        moving = min(sum(finding.rank < IDLE for finding in found), CHANGES_LISTED_MAX)
        listed = max(moving, LISTED_MAX) if code == "N-CONFIG" else LISTED_MAX
        for finding in found[:listed]:
            where = translated("where", finding.where, language)
            sentence = translated("sentence", finding.sentence, language)
            yield f"    {phrase('join.where', language, where=where, sentence=sentence)}"
        rest = len(found[listed:]) + more.get(code, 0)
        if rest:
            is_least = code == "N-CONFIG" and code in more
            key = "summary.more_at_least" if is_least else "summary.more"
            yield f"    {phrase(key, language, n=rest)}"
    yield ""
    yield f"  {phrase('summary.not_checked', language)}"
    for sentence in report.not_checked:
        yield f"    {translated('unchecked', sentence, language)}"


def month_told(month: Mapping[str, str], state: MonthState, language: str) -> str:
    """`Report.month` in words, and beside its total the parts it lacks; it must not be empty."""
    told = phrase(f"summary.month.{month['closing']}", language, **month)
    return f"{told}{state.beside_total(language)}"


def values_told(values: Mapping[str, Any], language: str) -> str:
    """`Report.values` in words; it must not be empty."""
    return phrase("summary.values.usable", language, **values)


def counted(counts: Mapping[str, int], language: str) -> str:
    """What was looked at, by number."""
    told = [phrase(f"count.{name}", language, n=counts[name]) for name in COUNTS if name in counts]
    return phrase("join.counts", language).join(told) or phrase("count.none", language)


def held(told: Mapping[str, Any], language: str) -> str:
    """How much of a stream is here."""
    parts: list[str] = []

    def say(key: str, **values: object) -> None:
        parts.append(phrase(f"held.{key}", language, **values))

    if told["first_seq"] is None:
        say("none")
    else:
        say("objects", first=told["first_seq"], last=told["last_seq"])
    if told["missing_objects"]:
        say("missing", n=told["missing_objects"], which=_ranges(told["missing"], language))
    else:
        say("none_missing")
    if told["readings_due"]:
        due, percent = told["readings_due"], told["percent"]
        say("readings_due", n=told["readings"], due=due, percent=percent)
    else:
        say("readings", n=told["readings"])
    if told["gaps"]:
        say("gaps", n=told["gaps"], s=told["gaps_s"], longest=told["longest_gap_s"])
    if told["holes"]:
        at, longest = told["longest_hole_from"], told["longest_hole_s"]
        say("holes", n=told["holes"], s=told["holes_s"], longest=longest, at=at)
    if told["made_within_s"] is None:
        say("anchored", n=told["anchored_objects"])
    else:
        say("anchored_within", n=told["anchored_objects"], s=told["made_within_s"])
    if told["clock_error_ms"] is not None:
        say("clock", ms=told["clock_error_ms"])
    return phrase("join.parts", language).join(parts)


def _ranges(missing: list[list[int]], language: str) -> str:
    """The first ranges of numbers, as people read them."""
    spans = [
        str(a) if a == b else phrase("held.span", language, first=a, last=b)
        for a, b in missing[:RANGES_LISTED_MAX]
    ]
    cut = ["…"] if len(missing) > RANGES_LISTED_MAX else []
    return phrase("join.counts", language).join([*spans, *cut])
