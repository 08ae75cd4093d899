"""Which meters a visit looks at, and why; which samples must be there. Pure.

A meter is to be visited for its share of the total or for a reason to doubt it. A reason is no
verdict: each has innocent causes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from edge.calc.screening.question import Result
from evidence.config_changes import config_changes
from evidence.documents.standing import Logged
from evidence.findings import IDLE
from evidence.plan.shares import counted_by
from evidence.points import Point, Role
from evidence.screen.texts import LANGUAGES, question_text

Config = Mapping[str, Any]

#: the largest meters that together count this part of what is emitted are visited
MOST = Fraction(4, 5)
#: this part of the readings due that is missing or has a mark is a reason
MARKED = Fraction(1, 100)
CARDS_MAX = 20


@dataclass(frozen=True)
class Reason:
    """Why a meter is worth a look: a key of the table of texts behind "visit.why.", its values.

    A value that reads otherwise in each language is a map from language to text.
    """

    what: str
    values: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Meter:
    """A device that may be visited.

    Attributes:
        gateway, device: ids.
        points: its registers, totalisers first; no states.
        share: part of what the month's lines emit, of either sign, 0..1; None without a statement.
        is_used: a line of the statement is made of it.
        reasons: to doubt it.
    """

    gateway: str
    device: str
    points: Sequence[Point]
    share: Fraction | None
    is_used: bool
    reasons: Sequence[Reason]


@dataclass(frozen=True)
class Known:
    """What a sheet is made of.

    Attributes:
        configurations: gateway -> its configurations of the month, oldest first.
        statement: of the month's archive, None without one.
        row: the month's row with its checklist, None where the plant has none.
        departures: from the control plan, as `cloud.plan.view.departure_row` gives them.
        screened: what stands out of the month's screening, as far as it is made.
    """

    configurations: Mapping[str, Sequence[Config]]
    statement: Mapping[str, Any] | None
    row: Mapping[str, Any] | None
    departures: Sequence[Mapping[str, Any]]
    screened: Sequence[Result] = ()


def meters(known: Known) -> list[Meter]:
    """Every device of the month's newest configurations: the largest share first, then by reasons.

    Without a statement those that its lines will be made of come first.
    """
    found = [
        _meter(known, gateway, configs[-1], device["id"])
        for gateway, configs in known.configurations.items()
        if configs
        for device in configs[-1]["devices"]
    ]
    found.sort(key=lambda m: (-(m.share or 0), not m.is_used, -len(m.reasons), m.device))
    return [one for one in found if one.points]


def to_visit(found: Sequence[Meter]) -> list[Meter]:
    """The largest that together count `MOST`, and those with a reason; `CARDS_MAX` at most.

    Without a statement: those that its lines will be made of, and those with a reason.
    """
    chosen, counted = list[Meter](), Fraction(0)
    total = sum((one.share or Fraction(0) for one in found), Fraction(0))
    for one in found:
        is_large = one.is_used if one.share is None else one.share > 0 and counted < MOST * total
        counted += one.share or 0
        if is_large or one.reasons:
            chosen.append(one)
    return chosen[:CARDS_MAX]


def retained(samples: Iterable[Logged], today: str) -> list[Logged]:
    """Retained samples that must still be there on a day "YYYY-MM-DD".

    Args:
        samples: documents of kind sample-retained that stand.
        today: at the plant.
    """
    return [one for one in samples if str(one.document.body["until"]) >= today]


def _meter(known: Known, gateway: str, config: Config, device: str) -> Meter:
    points = [
        Point.from_map(one)
        for one in config["points"]
        if one.get("device") == device and one["role"] != Role.STATE.value
    ]
    names = {one.id for one in points}
    return Meter(
        gateway, device, sorted(points, key=lambda one: one.role is not Role.TOTALISER),
        _share(known.statement, names), bool(names & set(_words(config["statement"]))),
        list(_reasons(known, gateway, device, names)),
    )  # fmt: skip


def _share(statement: Mapping[str, Any] | None, points: set[str]) -> Fraction | None:
    if statement is None:
        return None
    of = sum((abs(Fraction(one["emission_t"])) for one in statement["output"]["lines"]), Fraction())
    counted = counted_by(statement, points)
    return None if counted is None or not of else abs(counted) / of


def _words(value: object) -> Iterator[str]:
    """Every text in a part of a configuration."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _words(one)


def _reasons(known: Known, gateway: str, device: str, points: set[str]) -> Iterator[Reason]:
    row = known.row or {}
    for of in row.get("devices", ()):
        if (of["gateway"], of["device"]) == (gateway, device):
            yield from _marks(of)
    if changed := _changed(known.configurations[gateway], device, points):
        yield Reason("changed", {"n": str(len(changed)), "what": ", ".join(changed[:3])})
    for one in row.get("certificates", ()):
        if one["device"] == device:
            yield Reason("certificate", {"number": str(one["number"]), "due": str(one["due"])})
    events = [one for one in row.get("events", ()) if one["about"] == device]
    if events:
        yield Reason("event", {"n": str(len(events))})
    for departure in known.departures:
        if departure["about"] == device or departure["about"] in points:
            yield Reason("departure", {"what": departure["sentence"]})
    asked = dict.fromkeys(
        one.question for one in known.screened if points & set(one.where.split())
    )  # fmt: skip
    if asked:
        yield Reason("screened", {"what": {
            language: ("、" if language == "zh" else ", ").join(
                question_text(name, "name", language) for name in asked
            )
            for language in LANGUAGES
        }})  # fmt: skip


def _marks(of: Mapping[str, Any]) -> Iterator[Reason]:
    """Missing, without a value, or with a reservation: of all that was due."""
    due = max(of["due"], of["readings"])
    odd = due - of["readings"] + of["bad"] + of["reserved"]
    if due and Fraction(odd, due) >= MARKED:
        percent = Fraction(100 * odd, due)
        yield Reason("quality", {"percent": f"{float(percent):.1f}"})


def _changed(configs: Sequence[Config], device: str, points: set[str]) -> list[str]:
    """Paths of a device, or of a point of it, at which the month's configurations differ."""
    places = (f"devices[{device}]", *(f"points[{point}]" for point in sorted(points)))
    return [
        change.path
        for old, new in pairwise(configs)
        for change in config_changes(old, new)
        if change.rank < IDLE and change.path.startswith(places)
    ]
