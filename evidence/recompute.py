"""From frames back to figures: the one place where evidence calls the calculation library.

The collector makes the month's statement with it and the verifier makes it again, from the same
frames by the same code; what remains to compare is strings.
"""

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np

from edge.calc.blocks import Block, Bool, GroupBlock, Int64
from edge.calc.errors import CalcError, UnknownRuleSetError
from edge.calc.factors import rule_set_files
from edge.calc.folds.counter_checks import TABLE as COUNTER_CHECKS
from edge.calc.folds.entries import ELECTRICITY, lists_of
from edge.calc.folds.live import Computed, PlantCalc
from edge.calc.folds.month import MonthFold
from edge.calc.folds.papers import Paper as Paper
from edge.calc.local_time import PlantDays
from edge.calc.statements.cross_check import TABLE as STATEMENT_CHECKS
from edge.calc.statements.statement import compute, month_rules, output_key
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.frame import Body, CodedSection, Section
from evidence.frame_form import FrameForm
from evidence.groups import joined
from evidence.points import Point
from evidence.quality import FIRST_BAD
from evidence.statement_input import check_input

#: of statements that are made now; and those that can be made again. Of format 1 are archives
#: that were sealed before spikes and leaps of counters were taken out (FIGURES.md section 2)
STATEMENT_FORMAT = 2
STATEMENT_FORMATS = (1, 2)
#: of a statement: bytes, and how many of them are signs, of which each value has one; enough for
#: 20,000 pots, 20,000 points and the effects that a month lists
STATEMENT_BYTES_MAX, STATEMENT_SIGNS_MAX = 16 * 1024 * 1024, 600_000
_SIGNS = (b",", b"[", b"{")

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z", re.ASCII)


@contextmanager
def _calculating(what: str) -> Iterator[None]:
    """Calculation's complaints as evidence's own errors."""
    try:
        yield
    except UnknownRuleSetError as error:
        raise UnsupportedError(f"{what}: {error}") from error
    except OverflowError as error:
        raise MalformedError(f"{what}: a number in it is too large") from error
    except (
        CalcError,
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
    ) as error:
        raise MalformedError(f"{what}: {error}") from error


def compute_statement(given: Mapping[str, Any]) -> dict[str, Any]:
    """A statement's output from its input.

    Raises:
        UnsupportedError: rule set or method unknown to this program.
        MalformedError: the input cannot be used.
    """
    with _calculating("statement"):
        return compute(given)


def check_statement_input(given: Mapping[str, Any]) -> None:
    """Refuse an input that no output can be made of.

    Raises:
        UnsupportedError: this program has no such rule set.
        MalformedError: it has another shape than an input.
    """
    with _calculating("rule set"):
        rules = month_rules(str(given.get("rule_set")))
        kinds = {table: rules.kinds(table).keys() for table in lists_of(rules)}
        output = output_key(rules.id)
    check_input(given, {**kinds, "auxiliary": {ELECTRICITY}}, output)


def published_rules(rule_set: str, statement_format: int = STATEMENT_FORMAT) -> Mapping[str, bytes]:
    """Name -> file as published, of a rule set and the tables its figures and checks may use.

    Raises:
        UnsupportedError: this program has no such rule set.
    """
    with _calculating("rule set"):
        found = dict(rule_set_files(rule_set))
        for table in () if statement_format == 1 else (COUNTER_CHECKS, STATEMENT_CHECKS):
            found |= rule_set_files(table)
        return found


def month_bounds(time_zone: str, month: str) -> tuple[int, int]:
    """First instant of a plant-local month and of the next one, UTC nanoseconds.

    Raises:
        MalformedError: there is no such time zone or month.
    """
    with _calculating("month"):
        return PlantDays(time_zone).month_bounds(month)


class Recomputation:
    """Folds one gateway's frames of one month."""

    def __init__(self, statement_format: int = STATEMENT_FORMAT) -> None:
        """Begin with nothing; by the rules of a statement's format."""
        self._format = statement_format
        self._fold = MonthFold(statement_format)
        self._calc: PlantCalc | None = None
        self._cfg = b""
        self._simulated = False
        self._computed: dict[int, list[str]] = {}
        self._form: FrameForm | None = None
        self._is_unsure = False  # a frame was passed over since the calculation began

    def configure(self, cfg: bytes, config: Mapping[str, Any]) -> None:
        """Use this configuration from the next frame on.

        Raises:
            UnsupportedError: its rule set is unknown to this program.
            MalformedError: it cannot be calculated with.
        """
        if cfg == self._cfg:
            return
        with _calculating("configuration"):
            self._fold.configure(config)
            self._calc = PlantCalc(config)
            self._computed = _computed(config, self._calc.points)
            self._form = FrameForm(config)
        self._cfg, self._is_unsure = cfg, False
        self._simulated |= bool(config["plant"]["simulated"])

    def feed(self, body: Body) -> Iterator[str]:
        """Take one frame; a sentence for each computed point that differs from its inputs.

        Raises:
            MalformedError: the frame does not fit the configuration.
        """
        self.check(body)
        for _, sentence in self.feed_all([body]):
            yield sentence

    def check(self, body: Body) -> None:
        """Hold a frame's form against the configuration.

        Raises:
            MalformedError: it does not fit.
        """
        if self._form is None:
            raise MalformedError("there is no configuration to read it by")
        with _calculating("frame"):
            self._form.check(body)

    def pass_over(self, body: Body) -> None:
        """Use nothing of a frame that does not fit, but for its word that it is simulated.

        Running values after it mean nothing and are not compared, until they begin anew.
        """
        self._simulated |= body.is_simulated
        self._is_unsure = True

    def feed_all(self, bodies: Sequence[Body]) -> list[tuple[int, str]]:
        """Take consecutive frames in one go, which costs far less than one after another.

        Args:
            bodies: checked; each one's ticks are later than all of the one before.

        Returns:
            (index of the body, sentence) for each computed point that differs in it.

        Raises:
            MalformedError: they cannot be calculated with.
        """
        if self._calc is None:
            raise MalformedError("there is no configuration to read them by")
        self._simulated |= any(body.is_simulated for body in bodies)
        blocks = joined_blocks(bodies)
        if not blocks:
            return []
        with _calculating("frame"):
            self._fold.feed(blocks)
            expected = self._calc.feed(blocks)
        found: list[tuple[int, str]] = []
        for group in blocks[0].groups:
            if group.group in self._computed and not self._is_unsure:
                differs = _differs(group, expected)
                if differs.any():
                    found += self._differences(bodies, group, expected, differs)
        return sorted(found, key=lambda pair: pair[0])

    def _differences(
        self, bodies: Sequence[Body], group: GroupBlock, expected: Computed, differs: Bool
    ) -> Iterator[tuple[int, str]]:
        first, names = 0, self._computed[group.group]
        for i, body in enumerate(bodies):
            ticks = sum(s.ticks for s in body.sections if s.schedule == 0)
            for row in np.flatnonzero(differs[:, first : first + ticks].any(axis=1)).tolist():
                tick = first + int(differs[row, first : first + ticks].argmax())
                yield (
                    i,
                    f"{names[row]} at {int(expected.ticks_ns[tick])} ns is "
                    f"{int(group.raw[row, tick])} (quality {int(group.quality[row, tick])}); its "
                    f"inputs give {int(expected.counts[row, tick])} "
                    f"(quality {int(expected.quality[row, tick])})",
                )
            first += ticks

    @property
    def needs_papers(self) -> bool:
        """What persons signed makes figures of this month, or says why a counter leapt."""
        return self._fold.needs_papers

    def statement(
        self, from_ns: int, to_ns: int, closing: str, papers: Sequence[Paper] = ()
    ) -> dict[str, Any]:
        """The statement of the period: its full input and its output.

        Args:
            from_ns: first instant of the period.
            to_ns: its end, exclusive.
            closing: "interim" or "final".
            papers: documents of persons that stand (`evidence.documents.counted`).

        Raises:
            UnsupportedError: rule set or method unknown to this program.
            MalformedError: the frames give no input a statement can be made of.
        """
        with _calculating("statement"):
            given = self._fold.result(from_ns, to_ns, closing, papers)
            # as a reader of statement.json finds it: what is computed must not depend on the
            # order in which the fold happened to put its keys
            given = json.loads(statement_bytes(given))
        return {
            "format": self._format,
            "simulated": self._simulated,
            "input": given,
            "output": compute_statement(given),
        }


def blocks_of(body: Body) -> list[Block]:
    """A frame's measured and computed readings as the calculation takes them."""
    return [
        Block(
            section.schedule,
            section.ticks_ns(),
            tuple(GroupBlock(g.group, g.raw, g.quality) for g in section.groups),
        )
        for section in body.sections
    ]


def joined_blocks(bodies: Sequence[Body], only: Container[int] | None = None) -> list[Block]:
    """As `blocks_of`, for frames of one form and one after another: one block a schedule.

    Args:
        bodies: the frames.
        only: groups that are asked for; None for all.
    """
    if len(bodies) == 1 and only is None:
        return blocks_of(bodies[0])
    by_schedule: dict[int, list[Section | CodedSection]] = {}
    for body in bodies:
        for section in body.sections:
            by_schedule.setdefault(section.schedule, []).append(section)
    return [_joined(by_schedule[schedule], only) for schedule in sorted(by_schedule)]


def _joined(sections: Sequence[Section | CodedSection], only: Container[int] | None) -> Block:
    return Block(
        sections[0].schedule,
        _ticks_ns(sections),
        tuple(
            GroupBlock(parts[0].group, *joined(parts))
            for parts in zip(*(section.groups for section in sections), strict=True)
            if only is None or parts[0].group in only
        ),
    )


def _ticks_ns(sections: Sequence[Section | CodedSection]) -> Int64:
    """The ticks of sections of one schedule, one section after another."""
    ticks, step_ns = sections[0].ticks, sections[0].step_ns
    if any((section.ticks, section.step_ns) != (ticks, step_ns) for section in sections):
        return np.concatenate([section.ticks_ns() for section in sections])
    # as the rule: of one length and step, and all of them at once
    offsets = sections[0].ticks_ns() - sections[0].first_ns
    firsts = np.array([section.first_ns for section in sections], dtype=np.int64)
    return np.add.outer(firsts, offsets).reshape(-1)


def _differs(group: GroupBlock, expected: Computed) -> Bool:
    """Where a computed group is not what the calculation makes, [points][ticks]."""
    usable = expected.quality < FIRST_BAD
    differs: Bool = group.quality != expected.quality
    differs |= usable & (group.raw != expected.counts)
    return differs


def _computed(config: Mapping[str, Any], made: Sequence[Point]) -> dict[int, list[str]]:
    """Group -> ids of its computed points: one group of all that are made, if any are."""
    found = {
        g: [Point.from_map(config["points"][i]) for i in group["points"]]
        for g, group in enumerate(config["groups"])
        if group["computed"]
    }
    told = [[(p.id, p.decimals, p.counts_as_it_is) for p in points] for points in found.values()]
    due = [(p.id, p.decimals, True) for p in made]
    if told != ([due] if due else []):
        raise MalformedError("its computed points are not those the calculation makes")
    return {g: [point.id for point in points] for g, points in found.items()}


def instant_ns(text: str) -> int:
    """UTC nanoseconds of an instant as a statement writes it; MalformedError otherwise."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise MalformedError(f"{text!r} is not an instant like 2026-10-31T16:00:00Z")
    try:
        whole = datetime.fromisoformat(f"{match[1]}+00:00")
    except ValueError as error:
        raise MalformedError(f"{text!r} is not an instant: {error}") from error
    return round(whole.timestamp()) * 10**9 + int((match[2] or "").ljust(9, "0"))


def statement_bytes(statement: Mapping[str, Any]) -> bytes:
    """The one JSON form of a statement: sorted keys, UTF-8, a newline at the end."""
    text = json.dumps(statement, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False)
    return f"{text}\n".encode()


def bounded_statement(data: bytes) -> bytes:
    """A statement's bytes as they are, if every reader takes them.

    Raises:
        LimitError: they could not be read without taking gigabytes.
    """
    if len(data) > STATEMENT_BYTES_MAX or sum(map(data.count, _SIGNS)) > STATEMENT_SIGNS_MAX:
        raise LimitError("there is more in it than a month may have")
    return data
