"""The table of rules: delays, limits and priority of every kind of alarm, and a plant's own.

I/O: reads `rules.toml` beside it, once.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from firmware_configs.fields import Fields

TABLE = Path(__file__).with_name("rules.toml")
DELAY_S_MAX = 7 * 86_400
LIMIT_MAX = 1e12


@dataclass(frozen=True)
class Rule:
    """When something is an alarm.

    Attributes:
        kind: its name, a table of `rules.toml`.
        priority: 1 act now, 2 this shift, 3 look when you can.
        on_delay_s, off_delay_s: seconds that it must be so, or be over.
        why, source: what its numbers stand on.
        limits: name with its unit -> number.
    """

    kind: str
    priority: int
    on_delay_s: int
    off_delay_s: int
    why: str
    source: str
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """Every kind's rule, of one plant."""

    by_kind: Mapping[str, Rule]

    def of(self, kind: str) -> Rule:
        """The rule of a kind; "edge.NAME" and "collector.NAME" without one go by the first word."""
        return self.by_kind.get(kind) or self.by_kind[kind.partition(".")[0]]

    def limit(self, kind: str, name: str) -> float:
        """One limit; KeyError for a name that the table does not have."""
        return self.of(kind).limits[name]


@cache
def default_rules() -> Rules:
    """Those of `rules.toml`."""
    table: dict[str, dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return Rules({kind: Rule(kind, **row) for kind, row in table.items()})


def read_rules(fields: Fields) -> Rules:
    """A plant's rules: the table with what `[plant.alarms.KIND]` sets; mistakes are told there."""
    rules = dict(default_rules().by_kind)
    for kind, own in fields.named_children("alarms").items():
        if kind not in rules:
            own.complain("", f"is no kind of alarm; there are {' '.join(sorted(rules))}")
            continue
        rules[kind] = _with(rules[kind], own)
        own.finish()
    return Rules(rules)


def _with(rule: Rule, own: Fields) -> Rule:
    limits = {
        name: own.number(name, 0, LIMIT_MAX) if own.has(name) else value
        for name, value in rule.limits.items()
    }
    return replace(
        rule,
        priority=own.integer("priority", 1, 3, default=rule.priority),
        on_delay_s=own.integer("on_delay_s", 0, DELAY_S_MAX, default=rule.on_delay_s),
        off_delay_s=own.integer("off_delay_s", 0, DELAY_S_MAX, default=rule.off_delay_s),
        limits=limits,
    )
