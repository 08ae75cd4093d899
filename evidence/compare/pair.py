"""Two archives compared: keys, logs, streams and statements. I/O: the logs' tables on disk.

A log's root at a size commits to every entry before it. So two logs that have one root at the
largest size which both know are one log up to there; where they have not, the first size at which
they differ is found by halving.
"""

import base64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice, zip_longest
from typing import Any

from evidence.compare.member import Member
from evidence.findings import shown
from evidence.merkle import CompactRange
from evidence.verifier.log_view import LogView

#: figures of one statement that the other has otherwise, and streams, that are named
DIFFERENCES_MAX, STREAMS_MAX = 1_000, 100


class Outcome(Enum):
    """Answers to whether archives are one history; the value is what --json prints."""

    ONE = "one-history"
    TWO = "two-histories"
    OPEN = "cannot-decide"

    @property
    def exit_status(self) -> int:
        """0 one history, 1 two, 2 cannot decide."""
        return list(Outcome).index(self)


@dataclass(frozen=True)
class Said:
    """A sentence: its key in `phrases.json` behind "compare.", and what fills its places."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Pair:
    """Comparison of two archives.

    Attributes:
        first, second: paths of their files, the smaller log first.
        outcome: what it comes to.
        agree_to: log entries up to which their logs are one; None where no size is in both.
        sentences: why.
        differences: path of a figure -> (in the first statement, in the second), of one month.
    """

    first: str
    second: str
    outcome: Outcome = Outcome.ONE
    agree_to: int | None = None
    sentences: list[Said] = field(default_factory=list)
    differences: dict[str, tuple[str, str]] = field(default_factory=dict)

    def say(self, key: str, outcome: Outcome | None = None, **values: object) -> None:
        """Add a sentence; two histories outweigh what is open, that outweighs one history."""
        held = {k: shown(str(v)) if not isinstance(v, int) else v for k, v in values.items()}
        self.sentences.append(Said(key, held))
        if outcome is Outcome.TWO or (outcome is Outcome.OPEN and self.outcome is Outcome.ONE):
            self.outcome = outcome


def compare(first: Member, second: Member) -> Pair:
    """Compare two archives, the one with the smaller log first."""
    pair = Pair(str(first.path), str(second.path))
    if _is_comparable(first, second, pair):
        _logs(first, second, pair)
        _streams(first, second, pair)
        _statements(first, second, pair)
    return pair


def _is_comparable(first: Member, second: Member, pair: Pair) -> bool:
    """They hold what is compared, and are of one plant by one root."""
    for one in (first, second):
        if one.faults:
            codes = ", ".join(one.faults)
            pair.say("broken", Outcome.OPEN, file=one.path, codes=codes)
    if pair.sentences:
        return False
    plants = first.identities.plant, second.identities.plant
    if plants[0] != plants[1]:
        pair.say("plants", Outcome.OPEN, first=plants[0], second=plants[1])
    elif first.report.root_sha256 != second.report.root_sha256:
        roots = first.report.root_sha256, second.report.root_sha256
        pair.say("roots", Outcome.OPEN, first=roots[0], second=roots[1])
    return not pair.sentences


def _logs(first: Member, second: Member, pair: Pair) -> None:
    logs = first.log, second.log
    lo, hi = max(one.start.size for one in logs), min(one.tree.size for one in logs)
    if first.collectors.isdisjoint(second.collectors):
        # who has no size in common with the other has said nothing about its log either
        pair.say("collectors", Outcome.OPEN if lo > hi else None)
    if lo > hi:
        _apart(first, second, pair)
        return
    agreed = _agreed(*logs, lo, hi)
    pair.agree_to = agreed
    if agreed == hi:
        pair.say("logs_agree", n=hi)
    elif agreed is None:
        pair.say("logs_differ_before", Outcome.TWO, n=lo, **_roots(*logs, lo))
    else:
        size = agreed + 1
        pair.say("logs_differ", Outcome.TWO, n=agreed, size=size, **_roots(*logs, size))


def _agreed(first: LogView, second: LogView, lo: int, hi: int) -> int | None:
    """The largest size from `lo` to `hi` at which both have one root; None for none."""

    def is_one(size: int) -> bool:
        return first.root_at(size) == second.root_at(size)

    if is_one(hi):
        return hi
    if not is_one(lo):
        return None
    while hi - lo > 1:
        middle = (lo + hi) // 2
        lo, hi = (middle, hi) if is_one(middle) else (lo, middle)
    return lo


def _roots(first: LogView, second: LogView, size: int) -> dict[str, str]:
    both = [base64.b64encode(log.root_at(size)).decode() for log in (first, second)]
    return {"first": both[0], "second": both[1]}


def _apart(first: Member, second: Member, pair: Pair) -> None:
    """Entries between the two are in neither: their common subtrees are all there is to compare."""
    lower, upper = sorted((first.log, second.log), key=lambda log: log.tree.size)
    names = {"end": lower.tree.size, "start": upper.start.size}
    names["n"] = names["start"] - names["end"]
    if not _may_grow(lower.tree, upper.start):
        pair.say("subtrees_differ", Outcome.TWO, **names)
    else:
        pair.say("logs_apart", Outcome.OPEN, **names)


def _may_grow(old: CompactRange, new: CompactRange) -> bool:
    """False when a perfect subtree that both have differs, so that `new` does not continue `old`.

    Both begin with the same subtrees as long as the binary digits of their sizes are the same.
    """
    if old.size.bit_length() != new.size.bit_length():
        return True
    apart = (old.size ^ new.size).bit_length()
    common = (old.size >> apart).bit_count()
    return old.hashes[:common] == new.hashes[:common]


def _streams(first: Member, second: Member, pair: Pair) -> None:
    """Check that both logs accepted the same object, once, at each place of a stream."""
    both = sorted(first.log.streams().keys() & second.log.streams().keys())
    is_one_log = pair.agree_to is not None and pair.outcome is Outcome.ONE
    found = (_stream(first.log, second.log, name, is_one_log=is_one_log) for name in both)
    for name, what in islice(((n, w) for n, w in zip(both, found, strict=True) if w), STREAMS_MAX):
        key, seq, values = what
        pair.say(key, Outcome.TWO, stream=name, seq=seq, **values)


def _stream(
    first: LogView, second: LogView, name: str, *, is_one_log: bool
) -> tuple[str, int, dict[str, object]] | None:
    """The first place at which two logs accepted something else; None for none."""
    for (seq, index, sha256), (_, other, hash_there) in _common(first, second, name):
        if sha256 != hash_there:
            return (
                "stream_apart",
                seq,
                {"first": sha256.hex()[:16], "second": hash_there.hex()[:16]},
            )
        if index != other and is_one_log:
            return "stream_again", seq, {"first": index, "second": other}
    return None


_Place = tuple[int, int, bytes]


def _common(first: LogView, second: LogView, name: str) -> Iterator[tuple[_Place, _Place]]:
    """Pairs of hashes for every seq that both logs hold."""
    begins = [next(log.objects(name), None) for log in (first, second)]
    since = max(one[0] for one in begins if one is not None)
    ours, theirs = first.objects(name, since), second.objects(name, since)
    here, there = next(ours, None), next(theirs, None)
    while here is not None and there is not None:
        if here[0] == there[0]:
            yield here, there
        at = min(here[0], there[0])
        if here[0] == at:
            here = next(ours, None)
        if there[0] == at:
            there = next(theirs, None)


def _statements(first: Member, second: Member, pair: Pair) -> None:
    if first.statement is None or second.statement is None or first.month != second.month:
        return
    if first.statement_sha256 == second.statement_sha256:
        pair.say("same_statement", month=first.month)
        return
    with suppress(RecursionError):  # deeper than any statement there is: not listed
        found = _differences(first.statement, second.statement, "")
        pair.differences = dict(islice(found, DIFFERENCES_MAX))
    told = second.statement.get("replaces")
    is_amended = told is not None and told["statement_sha256"] == first.statement_sha256
    if told is not None and is_amended and pair.outcome is Outcome.ONE:
        pair.say("amended", month=first.month, reason=told["reason"])
    elif first.closing == "interim" and pair.outcome is Outcome.ONE:
        pair.say("closed_later", month=first.month, closing=second.closing)
    else:
        pair.say("statements_differ", month=first.month)


def _differences(first: Any, second: Any, path: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """(path, (here, there)) of what is no map or list, and is not the same in both."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted(first.keys() | second.keys()):
            place = f"{path}.{key}" if path else key
            yield from _differences(first.get(key), second.get(key), place)
    elif isinstance(first, list) and isinstance(second, list):
        for i, (here, there) in enumerate(zip_longest(first, second)):
            yield from _differences(here, there, f"{path}[{i}]")
    elif first != second:
        yield shown(path), (shown(_text(first)), shown(_text(second)))


def _text(value: Any) -> str:
    """A figure as it stands; a part that only one has, by its size."""
    if isinstance(value, dict | list):
        return f"({len(value)})"
    return "-" if value is None else str(value)
