"""From frames back to figures: the one place where evidence calls the calculation library.

The collector makes the month's statement with it and the verifier makes it again, from the same
frames by the same code; what remains to compare is strings.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np

from edge.calc.blocks import Block, GroupBlock
from edge.calc.errors import CalcError, UnknownRuleSetError
from edge.calc.factors import rule_set_bytes
from edge.calc.live import PlantCalc
from edge.calc.local_time import PlantDays
from edge.calc.month import MonthFold
from edge.calc.statement import compute
from evidence.errors import MalformedError, UnsupportedError
from evidence.frame import Body
from evidence.points import Dtype, Point
from evidence.quality import FIRST_BAD

STATEMENT_FORMAT = 1

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z", re.ASCII)


@contextmanager
def _calculating(what: str) -> Iterator[None]:
    """Calculation's complaints as evidence's own errors."""
    try:
        yield
    except UnknownRuleSetError as error:
        raise UnsupportedError(f"{what}: {error}") from error
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


def published_rules(rule_set: str) -> bytes:
    """The rule set's file as published; UnsupportedError when this program has none."""
    with _calculating("rule set"):
        return rule_set_bytes(rule_set)


def month_bounds(time_zone: str, month: str) -> tuple[int, int]:
    """First instant of a plant-local month and of the next one, UTC nanoseconds.

    Raises:
        MalformedError: there is no such time zone or month.
    """
    with _calculating("month"):
        return PlantDays(time_zone).month_bounds(month)


class Recomputation:
    """Folds one gateway's frames of one month."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._fold = MonthFold()
        self._calc: PlantCalc | None = None
        self._cfg = b""
        self._config: Mapping[str, Any] = {}
        self._computed: dict[int, list[str]] = {}

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
            names = [point.id for point in self._calc.points]
            self._computed = {
                g: [Point.from_map(config["points"][i]).id for i in group["points"]]
                for g, group in enumerate(config["groups"])
                if group["computed"]
            }
            if any(ids != names for ids in self._computed.values()):
                raise MalformedError("its computed points are not those the calculation makes")
        self._cfg, self._config = cfg, config

    def feed(self, body: Body) -> Iterator[str]:
        """Take one frame; a sentence for each computed point that differs from its inputs.

        Raises:
            MalformedError: the frame does not fit the configuration.
        """
        if self._calc is None:
            raise MalformedError("there is no configuration to read it by")
        with _calculating("frame"):
            self._check_shape(body)
            blocks = blocks_of(body)
            if not blocks:
                return
            self._fold.feed(blocks)
            expected = self._calc.feed(blocks)
            groups = [g for section in body.sections for g in section.groups]
            found = [
                sentence
                for group in groups
                if group.group in self._computed
                for sentence in self._differences(group.group, group.raw, group.quality, expected)
            ]
        yield from found

    def _differences(self, g: int, raw: Any, quality: Any, expected: Any) -> Iterator[str]:
        if raw.shape != expected.counts.shape or raw.dtype != np.int64:
            raise MalformedError(f"group {g} is not what the calculation makes")
        usable = expected.quality < FIRST_BAD
        differs = (quality != expected.quality) | (usable & (raw != expected.counts))
        for row in np.flatnonzero(differs.any(axis=1)).tolist():
            tick = int(np.flatnonzero(differs[row])[0])
            yield (
                f"{self._computed[g][row]} at {int(expected.ticks_ns[tick])} ns is "
                f"{int(raw[row, tick])} (quality {int(quality[row, tick])}); its inputs give "
                f"{int(expected.counts[row, tick])} (quality {int(expected.quality[row, tick])})"
            )

    def _check_shape(self, body: Body) -> None:
        schedules, groups = self._config["schedules"], self._config["groups"]
        for section in body.sections:
            if section.schedule >= len(schedules):
                raise MalformedError(f"there is no schedule {section.schedule}")
            if section.step_ns != schedules[section.schedule]["interval_ns"]:
                raise MalformedError("ticks are not those of the schedule")
            due = [g for g, group in enumerate(groups) if group["schedule"] == section.schedule]
            if [g.group for g in section.groups] != due:
                raise MalformedError(f"groups are not those of schedule {section.schedule}")
            for group in section.groups:
                wanted = groups[group.group]
                if Dtype(wanted["dtype"]) is not group.dtype:
                    raise MalformedError(f"group {group.group} has another number type")
                if len(wanted["points"]) != len(group.quality):
                    raise MalformedError(f"group {group.group} has another number of points")

    def statement(self, from_ns: int, to_ns: int, closing: str) -> dict[str, Any]:
        """The statement of the period: its full input and its output.

        Raises:
            UnsupportedError: rule set or method unknown to this program.
            MalformedError: the frames give no input a statement can be made of.
        """
        with _calculating("statement"):
            given = self._fold.result(from_ns, to_ns, closing)
            # as a reader of statement.json finds it: what is computed must not depend on the
            # order in which the fold happened to put its keys
            given = json.loads(statement_bytes(given))
        return {
            "format": STATEMENT_FORMAT,
            "simulated": bool(self._config["plant"]["simulated"]),
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
