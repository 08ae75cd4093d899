"""Archives compared, one after another, and told to people. Pure, but for the archives' files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.compare.member import Member, in_order
from evidence.compare.pair import Outcome, Pair, compare
from evidence.findings import shown
from evidence.keys import Trusted
from evidence.phrases import phrase, translated
from evidence.verifier.opened import Progress
from evidence.version import VERSION

#: figures that differ and are told; `--json` has more
LISTED_MAX = 50


@dataclass(frozen=True)
class Row:
    """Report row of one archive.

    Attributes:
        file: its path.
        plant, month, closing: what it says of itself.
        root_sha256: hex fingerprint of its root key, None without one.
        identity: as `Report.identity`.
        begins, ends: its log's entries, from and to (exclusive).
        faults: codes for which it could not be compared.
    """

    file: str
    plant: str
    month: str
    closing: str
    root_sha256: str | None
    identity: str
    begins: int
    ends: int
    faults: list[str]


@dataclass
class Walk:
    """Archives in the order of their logs, each compared with the one before it."""

    rows: list[Row] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """Two histories where two neighbours are; one where all are."""
        found = {pair.outcome for pair in self.pairs}
        worst = [one for one in (Outcome.TWO, Outcome.OPEN) if one in found]
        return worst[0] if worst else Outcome.ONE

    @property
    def first_break(self) -> Pair | None:
        """The first two neighbours that come to what all come to; None for one history."""
        if self.outcome is Outcome.ONE:
            return None
        return next(pair for pair in self.pairs if pair.outcome is self.outcome)


def walk(
    files: Sequence[Path], trust: frozenset[Trusted] | None, progress: Progress = lambda _: None
) -> Walk:
    """Compare each archive with the next; two are open at a time.

    Args:
        files: archives of one plant, at least two, in any order.
        trust: root keys the reviewer trusts; None leaves the identity open.
        progress: told in a few words what is being done.

    Raises:
        KeyFileError: a file cannot be read.
        ScratchError: the disk refuses temporary files.
    """
    made, before = Walk(), None
    try:
        for path in in_order(files):
            progress(f"{path.name}")
            one = Member.read(path, trust, progress)
            made.rows.append(_row(one))
            if before is not None:
                try:
                    made.pairs.append(compare(before, one))
                finally:
                    before.close()
            before = one
    finally:
        if before is not None:
            before.close()
    return made


def _row(one: Member) -> Row:
    log, report = one.log, one.report
    return Row(
        str(one.path), shown(one.identities.plant), shown(one.month), shown(one.closing),
        report.root_sha256, report.identity, log.start.size, log.tree.size, one.faults,
    )  # fmt: skip


def lines(made: Walk, language: str) -> Iterator[str]:
    """The comparison, line by line, in one of `evidence.phrases.LANGUAGES`."""

    def say(key: str, **values: object) -> str:
        return phrase(f"compare.{key}", language, **values)

    plants = sorted({row.plant for row in made.rows if row.plant})
    of = say("of", n=len(made.rows), plant=", ".join(plants) or "?")
    yield f"{say(made.outcome.value)}  {of}"
    yield f"  {say(f'{made.outcome.value}.means')}"
    if (pair := made.first_break) is not None:
        names = {"first": shown(pair.first), "second": shown(pair.second)}
        yield f"  {say('first_break', **names)}"
    for identity in dict.fromkeys(row.identity for row in made.rows):
        told = translated("identity", identity, language)
        yield f"  {phrase('summary.identity', language, told=told)}"
    for row in made.rows:
        yield f"  {say('archive', **{**vars(row), 'file': shown(row.file)})}"
    for pair in made.pairs:
        yield ""
        names = {"first": shown(pair.first), "second": shown(pair.second)}
        yield f"  {say('pair', **names, told=say(pair.outcome.value))}"
        for one in pair.sentences:
            yield f"    {say(one.key, **one.values)}"
        for place, (here, there) in list(pair.differences.items())[:LISTED_MAX]:
            yield f"    {place}: {here} → {there}"
        if (more := len(pair.differences) - LISTED_MAX) > 0:
            yield f"    {phrase('summary.more', language, n=more)}"
    yield ""
    yield f"  {phrase('summary.not_checked', language)}"
    yield f"    {say('each_by_itself')}"


def as_map(made: Walk, language: str) -> dict[str, Any]:
    """The form of `compare --json`; only sentences are in the reader's language."""
    first = made.first_break
    return {
        "program": f"stackproof {VERSION}",
        "outcome": made.outcome.value,
        "first_break": None if first is None else [first.first, first.second],
        "archives": [vars(row) for row in made.rows],
        "pairs": [_pair(one, language) for one in made.pairs],
    }


def _pair(one: Pair, language: str) -> dict[str, Any]:
    return {
        "first": one.first,
        "second": one.second,
        "outcome": one.outcome.value,
        "agree_to": one.agree_to,
        "sentences": [
            {"key": said.key, "sentence": phrase(f"compare.{said.key}", language, **said.values)}
            for said in one.sentences
        ],
        "differences": {place: list(both) for place, both in one.differences.items()},
    }
