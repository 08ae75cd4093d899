"""Step 6: the figures. The statement's input from the frames, its output from its input."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evidence.archive import paths
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.findings import Report, said, utc
from evidence.groups import is_uint
from evidence.recompute import (
    STATEMENT_FORMATS,
    Paper,
    Recomputation,
    bounded_statement,
    check_statement_input,
    compute_statement,
    instant_ns,
    month_bounds,
    published_rules,
    statement_bytes,
)
from evidence.verifier.frames import Checked, Period
from evidence.verifier.opened import Opened
from evidence.waiting import Common, Waiting

#: what stands in a statement
FIELDS = frozenset({"format", "simulated", "input", "output", "replaces"})


def read_statement(archive: Opened, report: Report) -> dict[str, Any] | None:
    """The statement, None when it cannot be used."""
    try:
        data = bounded_statement(archive.read(paths.STATEMENT))
        statement = json.loads(data, parse_float=_no_floats, parse_constant=_no_floats)
        canonical = isinstance(statement, dict) and statement_bytes(statement) == data
    except (MalformedError, LimitError, ValueError, RecursionError) as error:
        report.add("E-STATEMENT", paths.STATEMENT, f"It cannot be read: {error}.")
        return None
    if not canonical:
        report.add("E-STATEMENT", paths.STATEMENT, "It is not in the one allowed JSON form.")
        return None
    if not is_uint(statement.get("format")):
        report.add("E-STATEMENT", paths.STATEMENT, "It has no format number.")
        return None
    if statement["format"] not in STATEMENT_FORMATS:
        sentence = f"Statement format {statement.get('format')!r} is unknown to this program."
        report.add("C-FORMAT", paths.STATEMENT, sentence)
        return None
    kinds = {name: type(statement.get(name)) for name in ("simulated", "input", "output")}
    is_whole = kinds == {"simulated": bool, "input": dict, "output": dict}
    if not is_whole or not _is_told(statement) or statement.keys() - FIELDS:
        report.add("E-STATEMENT", paths.STATEMENT, "It has not the fields of a statement.")
        return None
    return dict(statement)


def _is_told(statement: Mapping[str, Any]) -> bool:
    """True when it says which month it is of, how closed, and what it replaces, if anything."""
    given = statement["input"]
    is_month = isinstance(given.get("month"), str) and isinstance(given.get("period"), dict)
    if not is_month or given.get("closing") not in ("interim", "final"):
        return False
    if "replaces" not in statement:
        return True
    told = statement["replaces"]
    if not isinstance(told, dict) or set(told) != {"statement_sha256", "reason"}:
        return False
    sha256, reason = told["statement_sha256"], told["reason"]
    is_hash = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256) is not None
    return is_hash and isinstance(reason, str) and bool(reason)


def period_of(statement: Mapping[str, Any], report: Report) -> Period | None:
    """The statement's period in nanoseconds, from and to (exclusive); None when it has none."""
    period = statement["input"]["period"]
    try:
        return instant_ns(str(period.get("from"))), instant_ns(str(period.get("to")))
    except MalformedError as error:
        report.add("E-STATEMENT", "statement period", said(error))
        return None


def _no_floats(text: str) -> None:
    raise ValueError(f"{text} is not allowed: figures are decimal strings")


def check_rules(archive: Opened, report: Report, statement: Mapping[str, Any]) -> None:
    """The archive's rule set and its tables against the published ones, byte for byte."""
    rule_set = str(statement["input"].get("rule_set"))
    try:
        published = published_rules(rule_set, statement["format"])
    except UnsupportedError as error:
        report.add("C-RULES", "statement", said(error))
        return
    for name, data in published.items():
        path = paths.rules(name)
        if not archive.holds(path, data):
            sentence = f"The archive does not hold the {name} that this program knows."
            report.add("E-RULES", path, sentence)
    for path in archive.paths():
        found = paths.RULES.fullmatch(path)
        if found and found[1] not in published:
            sentence = f"No figure of {rule_set} is made by it."
            report.add("E-FILE-EXTRA", path, sentence)


class FigureCheck:
    """Takes the sound frames and compares, at the end, with the statement.

    Attributes:
        passed_over: a frame did not fit its configuration.
    """

    def __init__(self, report: Report, statement: Mapping[str, Any], period: Period | None) -> None:
        """Prepare."""
        self._report, self._statement = report, statement
        self._period = period
        self._streams: dict[str, Recomputation] = {}
        self._config: Mapping[str, Any] = {}
        self._named: Mapping[str, Any] = {}
        self._first: tuple[int, int] | None = None
        self._end_ns = 0
        self._broken, self._known = False, True
        self._waiting = Waiting()
        self._refused: bytes | None = None
        self.passed_over = False

    def feed(self, frame: Checked, *, broken: bool) -> None:
        """Take one sound frame; computed points are compared unless an earlier one is broken."""
        where = f"{frame.stream} seq {frame.header.seq}"
        common = Common(frame.stream, frame.cfg, compared=not broken)
        if not self._waiting.takes(common, frame.body):
            self._flush()
        if frame.stream not in self._streams:
            self._streams[frame.stream] = Recomputation(self._statement["format"])
        recomputation = self._streams[frame.stream]
        self._named = frame.config
        if frame.cfg == self._refused:
            return  # told at the first frame that names it
        try:
            recomputation.configure(frame.cfg, frame.config)
            self._config = frame.config
        except UnsupportedError as error:
            self._known, self._refused = False, frame.cfg
            self._report.add("C-RULES", where, said(error))
            return
        except MalformedError as error:
            self._broken, self._refused = True, frame.cfg
            self._report.add("E-CFG", where, f"It cannot be used: {error}.")
            return
        if frame.is_unfit:
            self._flush()
            self.passed_over = True
            recomputation.pass_over(frame.body)
            return
        self._note_times(frame)
        self._waiting.add(common, frame.body, where)

    def _flush(self) -> None:
        """Calculate with the frames that wait."""
        waiting, self._waiting = self._waiting, Waiting()
        if not waiting.bodies:
            return
        try:
            for where, sentence in waiting.calculate(self._streams[waiting.common.stream]):
                if not self._broken:
                    self._report.add("E-COMPUTED", where, f"{sentence}.")
        except MalformedError as error:
            self._broken = True
            self._report.add("E-GROUPS", f"near {waiting.places[0]}", said(error))

    def _note_times(self, frame: Checked) -> None:
        sections = frame.body.sections
        if sections and self._first is None:
            self._first = frame.first_seq, min(section.first_ns for section in sections)
        ends = [section.first_ns + section.step_ns * section.ticks for section in sections]
        self._end_ns = max([self._end_ns, *ends])

    @property
    def needs_papers(self) -> bool:
        """What persons signed makes figures of it."""
        return any(made.needs_papers for made in self._streams.values())

    def finish(self, papers: Sequence[Paper] | None, *, complete: bool) -> None:
        """Make the statement again and compare it, figure by figure.

        Args:
            papers: documents that stand; None when one is newer than this program.
            complete: False when frames are missing only because this program cannot read them;
                then what the statement starts from cannot be made again.
        """
        self._flush()
        given, output = self._statement["input"], self._statement["output"]
        try:
            check_statement_input(given)
            self._compare("E-TOTAL", output, compute_statement(given), "output")
        except UnsupportedError as error:
            self._report.add("C-RULES", "statement", said(error))
        except MalformedError as error:
            self._report.add("E-STATEMENT", "statement", f"Its own input cannot be used: {error}.")
            return
        if not complete or not self._known or (papers is None and self.needs_papers):
            self._compare_names(given)
            sentence = "What the statement starts from: not all of it could be read."
            self._report.not_checked.append(sentence)
            return
        if self._period is None:
            return  # said when the statement was read
        if len(self._streams) != 1:
            sentence = f"It needs the frames of one gateway; these are of {len(self._streams)}."
            self._report.add("E-INPUT", "statement", sentence)
            return
        (recomputation,) = self._streams.values()
        closing = str(given.get("closing"))
        try:
            self._check_period(given, closing)
            again = recomputation.statement(*self._period, closing, papers or ())
        except MalformedError as error:
            self._report.add("E-INPUT", "statement", f"The frames give no statement: {error}.")
            return
        self._compare("E-INPUT", given, again["input"], "input")
        simulated = self._statement.get("simulated")
        self._compare("E-INPUT", simulated, again["simulated"], "simulated")

    def _compare_names(self, given: Mapping[str, Any]) -> None:
        """What a configuration says of the statement even where nothing can be computed by it."""
        plant = self._named.get("plant")
        for key, name in (("plant", "id"), ("rule_set", "rule_set")):
            if isinstance(plant, dict) and given.get(key) != plant.get(name):
                self._compare("E-INPUT", given.get(key), plant.get(name), f"input.{key}")

    def _check_period(self, given: Mapping[str, Any], closing: str) -> None:
        """Period and readings must agree: completeness is counted against the period."""
        if self._period is None or self._first is None:
            raise MalformedError("there are no readings that could be used")
        zone = str(self._config["plant"]["time_zone"])
        month_from, month_to = month_bounds(zone, str(given.get("month")))
        first_seq, first_ns = self._first
        wanted = (
            max(month_from, first_ns) if first_seq == 0 else month_from,
            min(month_to, self._end_ns) if closing == "interim" else month_to,
        )
        if wanted != self._period:
            stated, made = (" to ".join(map(utc, period)) for period in (self._period, wanted))
            sentence = f"It is {stated}; the month and its readings give {made}."
            self._report.add("E-INPUT", "input.period", sentence)

    def _compare(self, code: str, stated: Any, again: Any, where: str) -> None:
        for place, told, made in differences(stated, again, where):
            sentence = f"The statement says {told!r}; recomputed it is {made!r}."
            self._report.add(code, place, sentence)


def differences(stated: Any, again: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """(where, stated, recomputed) for every leaf at which two plain values differ."""
    if isinstance(stated, dict) and isinstance(again, dict):
        for key in sorted(set(stated) | set(again)):
            if key not in stated or key not in again:
                yield f"{where}.{key}", stated.get(key, "nothing"), again.get(key, "nothing")
            else:
                yield from differences(stated[key], again[key], f"{where}.{key}")
    elif isinstance(stated, list) and isinstance(again, list) and len(stated) == len(again):
        for i, (one, other) in enumerate(zip(stated, again, strict=True)):
            yield from differences(one, other, f"{where}[{i}]")
    elif type(stated) is not type(again) or stated != again:
        yield where, stated, again
