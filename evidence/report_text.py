"""A verification told to people: verdict, how much is here, what was found, what was not checked.

Pure; `evidence.cli` prints it.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from evidence.findings import CODES, Report, Verdict

#: findings of one code that are told one by one; `--json` has more
LISTED_MAX = 20
RANGES_LISTED_MAX = 10

WORDS = {
    Verdict.PASSED: (
        "PASSED",
        "What was checked holds; what was not checked stands at the end.",
    ),
    Verdict.FAILED: ("FAILED", "Do not rely on this archive: what is marked E- does not hold."),
    Verdict.CANNOT_DECIDE: (
        "CANNOT DECIDE",
        "What could be checked holds; what is marked C- needs a newer program.",
    ),
}
COUNTS = ("files", "bytes", "log_entries", "objects", "signatures", "frames", "readings")


def report_lines(archive: str, report: Report) -> Iterator[str]:
    """The report of an archive, line by line."""
    word, meaning = WORDS[report.verdict]
    yield f"{word}  {archive}"
    yield f"  {meaning}"
    yield f"  identity: {report.identity}"
    yield f"  time stamp: {report.timestamp}"
    for stream, told in sorted(report.completeness.items()):
        yield f"  stream {stream}: {_held(told)}"
    counted = [f"{report.counts[n]:,} {n.replace('_', ' ')}" for n in COUNTS if n in report.counts]
    yield f"  looked at: {', '.join(counted) or 'nothing'}"
    more = dict(report.suppressed())
    for code, group in groupby(report.weighed(), lambda finding: finding.code):
        found = list(group)
        yield ""
        yield f"  {code}  {CODES[code]}"
        for finding in found[:LISTED_MAX]:
            yield f"    {finding.where}: {finding.sentence}"
        rest = len(found[LISTED_MAX:]) + more.get(code, 0)
        if rest:
            yield f"    and {rest:,} more like these"
    yield ""
    yield "  not checked"
    for sentence in report.not_checked:
        yield f"    {sentence}"


def _held(told: Mapping[str, Any]) -> str:
    """How much of a stream is here."""
    if told["first_seq"] is None:
        parts = ["no object is here"]
    else:
        parts = [f"objects {told['first_seq']:,} to {told['last_seq']:,}"]
    if told["missing_objects"]:
        spans = [str(a) if a == b else f"{a} to {b}" for a, b in told["missing"]]
        cut = ", …" if len(spans) > RANGES_LISTED_MAX else ""
        which = ", ".join(spans[:RANGES_LISTED_MAX])
        parts.append(f"{told['missing_objects']:,} MISSING ({which}{cut})")
    else:
        parts.append("none missing")
    if told["readings_due"]:
        due = f"{told['readings']:,} of {told['readings_due']:,} measured readings due"
        parts.append(f"{due} ({told['percent']} %)")
    else:
        parts.append(f"{told['readings']:,} measured readings")
    anchored = f"{told['anchored_objects']:,} anchored in the log"
    if told["made_within_s"] is not None:
        anchored += f", which bounds when each was made to {told['made_within_s']:,} s"
    parts.append(anchored)
    if told["clock_error_ms"] is not None:
        parts.append(f"gateway's clock within {told['clock_error_ms']:,} ms by its own word")
    return "; ".join(parts)
