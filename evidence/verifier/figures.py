"""Step 6: the figures. The statement's input from the frames, its output from its input."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from evidence.archive import paths
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.findings import Report
from evidence.recompute import (
    STATEMENT_FORMAT,
    Recomputation,
    compute_statement,
    instant_ns,
    published_rules,
    statement_bytes,
)
from evidence.verifier.frames import Checked
from evidence.verifier.opened import Opened


def read_statement(archive: Opened, report: Report) -> dict[str, Any] | None:
    """The statement, None when it cannot be used."""
    try:
        data = archive.read(paths.STATEMENT)
        statement = json.loads(data, parse_float=_no_floats, parse_constant=_no_floats)
        canonical = isinstance(statement, dict) and statement_bytes(statement) == data
    except (MalformedError, LimitError, ValueError, RecursionError) as error:
        report.add("E-STATEMENT", paths.STATEMENT, f"It cannot be read: {error}.")
        return None
    if not canonical:
        report.add("E-STATEMENT", paths.STATEMENT, "It is not in the one allowed JSON form.")
        return None
    if statement.get("format") != STATEMENT_FORMAT:
        sentence = f"Statement format {statement.get('format')!r} is unknown to this program."
        report.add("C-FORMAT", paths.STATEMENT, sentence)
        return None
    if not isinstance(statement.get("input"), dict) or not isinstance(
        statement.get("output"), dict
    ):
        report.add("E-STATEMENT", paths.STATEMENT, "It has no input and output.")
        return None
    return dict(statement)


def _no_floats(text: str) -> None:
    raise ValueError(f"{text} is not allowed: figures are decimal strings")


class FigureCheck:
    """Takes the sound frames and compares, at the end, with the statement."""

    def __init__(self, archive: Opened, report: Report, statement: Mapping[str, Any]) -> None:
        """Prepare."""
        self._archive, self._report, self._statement = archive, report, statement
        self._streams: dict[str, Recomputation] = {}
        self._configs: dict[str, Mapping[str, Any]] = {}

    def feed(self, frame: Checked) -> None:
        """Take one sound frame."""
        where = f"{frame.stream} seq {frame.header.seq}"
        recomputation = self._streams.setdefault(frame.stream, Recomputation())
        try:
            recomputation.configure(frame.cfg, frame.config)
            self._configs[frame.stream] = frame.config
            for sentence in recomputation.feed(frame.body):
                self._report.add("E-COMPUTED", where, f"{sentence}.")
        except UnsupportedError as error:
            self._report.add("C-RULES", where, f"{error}.")
        except MalformedError as error:
            self._report.add("E-GROUPS", where, f"{error}.")
        if frame.body.gap is not None:
            gap = frame.body.gap
            seconds = (gap.to_ns - gap.from_ns) / 1e9
            sentence = f"{seconds:.3f} s without readings ({gap.reason}), recorded by the gateway."
            self._report.add("W-GAP", where, sentence)

    def finish(self) -> None:
        """Make the statement again and compare it, figure by figure."""
        given, output = self._statement["input"], self._statement["output"]
        self._check_rules(given)
        try:
            self._compare("E-TOTAL", output, compute_statement(given), "output")
        except UnsupportedError as error:
            self._report.add("C-RULES", "statement", f"{error}.")
            return
        except MalformedError as error:
            self._report.add("E-STATEMENT", "statement", f"Its own input cannot be used: {error}.")
            return
        period = given.get("period")
        if len(self._streams) != 1 or not isinstance(period, dict):
            sentence = f"The statement's inputs were not remade: {len(self._streams)} streams."
            self._report.add("E-STATEMENT", "statement", sentence)
            return
        (recomputation,) = self._streams.values()
        closing = str(given.get("closing"))
        try:
            from_ns, to_ns = (instant_ns(str(period.get(key))) for key in ("from", "to"))
            again = recomputation.statement(from_ns, to_ns, closing)
        except MalformedError as error:
            self._report.add("E-INPUT", "statement", f"The frames give no statement: {error}.")
            return
        self._compare("E-INPUT", given, again["input"], "input")
        simulated = self._statement.get("simulated")
        self._compare("E-INPUT", simulated, again["simulated"], "simulated")

    def _check_rules(self, given: Mapping[str, Any]) -> None:
        rule_set = str(given.get("rule_set"))
        try:
            published = published_rules(rule_set)
        except UnsupportedError as error:
            self._report.add("C-RULES", "statement", f"{error}.")
            return
        path = paths.rules(rule_set)
        if path not in self._archive or self._archive.read(path) != published:
            sentence = f"The rule set in the archive is not the {rule_set} this program knows."
            self._report.add("E-RULES", path, sentence)

    def _compare(self, code: str, stated: Any, again: Any, where: str) -> None:
        for place, said, made in differences(stated, again, where):
            sentence = f"The statement says {said!r}; recomputed it is {made!r}."
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
