"""What the collectors were heard to say, and since when one says nothing. Pure.

What was heard once stays when its collector falls silent, with the instant it was heard: rows never
go because nobody answers, and none of them is shown as now.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from cloud.accounts.roles import Right
from cloud.front.faults import LATE
from cloud.front.parts import PARTS

NS = 1_000_000_000
#: seconds that an answer may come late before what was heard is not of now any more
LATE_S = 30


class Why(StrEnum):
    """Why something is not known of a collector."""

    UNASKED = "unasked"  # since the front's start
    SILENT = "silent"  # nobody answers there
    REFUSED = "refused"  # it says no
    STRANGE = "strange"  # what it answers is not what a collector of this version answers
    LACKS = "lacks"  # the token has not the right
    MORE = "more"  # the token may do more than read: it is not used
    REVIEWER = "reviewer"  # the token is a reviewer's: what is read counts as opened by that person


#: what tokens here may be for: reading
READING = frozenset({Right.SEE, Right.EVIDENCE, Right.RECORDS, Right.SAMPLES})


@dataclass(frozen=True)
class Amiss:
    """Something that is not known now.

    Attributes:
        why: of which kind.
        detail: what the collector or the network said, "" for nothing.
        since_ns: since when, by the front's clock.
        fault: the same as a code of `faults`, "" where `why` says all.
    """

    why: Why
    detail: str
    since_ns: int
    fault: str = ""


@dataclass(frozen=True)
class Part:
    """One thing that a collector is asked for.

    Attributes:
        raw: its newest answer as it came, None before the first.
        seen: the same in its shape.
        heard_ns: when that was heard, by the front's clock; None before the first.
        amiss: why it is not as of now; None where it is.
    """

    raw: Any
    seen: Any
    heard_ns: int | None
    amiss: Amiss | None

    def failed(self, why: Why, detail: str, now_ns: int, fault: str = "") -> "Part":
        """It was asked for again and nothing came; the first failure in a row says since when."""
        before = self.amiss
        since_ns = before.since_ns if before and before.why in (why, Why.UNASKED) else now_ns
        return replace(self, amiss=Amiss(why, detail, since_ns, fault))


def unheard(now_ns: int) -> Part:
    """Nothing yet."""
    return Part(None, None, None, Amiss(Why.UNASKED, "", now_ns))


def unusable(rights: Sequence[str], region: str | None) -> tuple[Why, str] | None:
    """Why a token with these rights is not used; None where it is."""
    if more := sorted(set(rights) - READING):
        return Why.MORE, ", ".join(more)
    return None if region is None else (Why.REVIEWER, "")


@dataclass(frozen=True)
class Heard:
    """All that one collector was heard to say.

    Attributes:
        name: of its slice.
        pages: where people find its pages.
        parts: by name, as `PARTS` has them.
    """

    name: str
    pages: str
    parts: Mapping[str, Part]

    @property
    def amiss(self) -> Amiss | None:
        """Why it says nothing at all; None while it answers."""
        return self.parts["rights"].amiss

    def at(self, now_ns: int) -> "Heard":
        """The same at an instant: a part that was to come again, and did not, is not of now.

        Whatever holds up the asking (a slow answer, a defect here) is seen by this.
        """
        late = {
            name: part.failed(Why.SILENT, "no answer is complete", part.heard_ns, LATE)
            for name, part in self.parts.items()
            if part.amiss is None
            and part.heard_ns is not None
            and now_ns - part.heard_ns > (PARTS[name].every_s + LATE_S) * NS
        }
        return replace(self, parts={**self.parts, **late}) if late else self

    @cached_property
    def plants(self) -> frozenset[str]:
        """Plants that it was heard to have."""
        health, overview, streams = (
            self.parts[name].seen for name in ("health", "overview", "streams")
        )
        return frozenset(
            [*(health.served if health else ()), *(health.amiss if health else ())]
            + [one.plant.id for one in (overview.plants if overview else ())]
            + [one.plant for one in streams or ()]
        )


def twice(all_heard: Sequence[Heard]) -> dict[str, list[str]]:
    """Plant -> names of collectors, of plants that several have that answer now."""
    found = dict[str, list[str]]()
    for heard in all_heard:
        for plant in heard.plants if heard.amiss is None else ():
            found.setdefault(plant, []).append(heard.name)
    return {plant: names for plant, names in sorted(found.items()) if len(names) > 1}


def at(all_heard: Sequence[Heard], plant: str) -> list[Heard]:
    """Collectors that have a plant: those that answer, else those that had it when last heard."""
    having = [heard for heard in all_heard if plant in heard.plants]
    return [heard for heard in having if heard.amiss is None] or having


def rows(all_heard: Sequence[Heard], part: str) -> Iterator[tuple[Heard, Part]]:
    """A part of every collector."""
    for heard in all_heard:
        yield heard, heard.parts[part]
