"""Which meters a visit looks at, and why; which samples must be there. Pure.

A meter is to be visited for its share of the total or for a reason to doubt it. A reason is no
verdict: each has innocent causes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, overload

from edge.calc.screening.question import Result
from evidence.config_changes import config_changes
from evidence.documents.standing import Logged
from evidence.drill.readings import Configurations
from evidence.drill.source import Source
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
#: of a month's, the newest, of which it is told what changed
CONFIGS_MAX = 16


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
        configurations: gateway -> its configurations of the month, oldest first; the newest
            `CONFIGS_MAX` are compared.
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
    found = list[Meter]()
    for gateway, configs in known.configurations.items():
        if configs:
            of = _gateway(known, gateway, configs)
            found += [_meter(known, of, *one) for one in _by_device(configs[-1]).items()]
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


def told(one: Meter, texts: Mapping[str, str], language: str) -> list[str]:
    """Why a meter is to be visited, in sentences.

    Args:
        one: the meter.
        texts: of the language, by their keys ("visit.why.share", …).
        language: "en" or "zh".
    """
    found = list(one.reasons)
    if one.share:
        found.insert(0, Reason("share", {"percent": f"{float(100 * one.share):.1f}"}))
    return [_sentence(reason, texts[f"visit.why.{reason.what}"], language) for reason in found]


def _sentence(reason: Reason, text: str, language: str) -> str:
    for name, value in reason.values.items():
        text = text.replace(f"{{{name}}}", value if isinstance(value, str) else value[language])
    return text


def retained(samples: Iterable[Logged], today: str) -> list[Logged]:
    """Retained samples that must still be there on a day "YYYY-MM-DD".

    Args:
        samples: documents of kind sample-retained that stand.
        today: at the plant.
    """
    return [one for one in samples if str(one.document.body["until"]) >= today]


def older(configurations: Mapping[str, Sequence[Config]]) -> int:
    """How many configurations, the oldest of each gateway, `meters` does not compare."""
    return sum(max(0, len(of) - CONFIGS_MAX) for of in configurations.values())


class _Decoded(Sequence[Config]):
    """Configurations by their hashes, decoded when asked for: all of them fill a memory."""

    def __init__(self, known: Configurations, hashes: Sequence[bytes]) -> None:
        self._known, self._hashes = known, hashes

    def __len__(self) -> int:
        return len(self._hashes)

    @overload
    def __getitem__(self, at: int) -> Config: ...
    @overload
    def __getitem__(self, at: slice) -> "_Decoded": ...
    def __getitem__(self, at: int | slice) -> "Config | _Decoded":
        if isinstance(at, slice):
            return _Decoded(self._known, self._hashes[at])
        return self._known.decoded(self._hashes[at])


def decoded(source: Source) -> dict[str, Sequence[Config]]:
    """Gateway -> its configurations of the source's month, oldest first, a few in memory."""
    known = Configurations(source)
    return {one: _Decoded(known, source.configurations(one)) for one in source.streams()}


@dataclass(frozen=True)
class _Gateway:
    """What is looked up for each of its devices, of which a hostile one has tens of thousands."""

    name: str
    used: Set[str]
    changed: Mapping[str, Sequence[str]]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]


def _gateway(known: Known, name: str, configs: Sequence[Config]) -> _Gateway:
    rows = defaultdict[str, list[Mapping[str, Any]]](list)
    for of in (known.row or {}).get("devices", ()):
        if of["gateway"] == name:
            rows[of["device"]].append(of)
    return _Gateway(name, set(_words(configs[-1]["statement"])), _changes(configs), rows)


def _by_device(config: Config) -> dict[str, list[Point]]:
    """Device -> what it measures, no states; a measured point without a device is one by itself."""
    computed = {i for group in config["groups"] if group["computed"] for i in group["points"]}
    found: dict[str, list[Point]] = {one["id"]: [] for one in config["devices"]}
    for index, one in enumerate(config["points"]):
        if index not in computed and one["role"] != Role.STATE.value:
            found.setdefault(one.get("device", one["id"]), []).append(Point.from_map(one))
    return found


def _meter(known: Known, of: _Gateway, device: str, points: Sequence[Point]) -> Meter:
    names = {one.id for one in points}
    return Meter(
        of.name, device, sorted(points, key=lambda one: one.role is not Role.TOTALISER),
        _share(known.statement, names), bool(names & of.used),
        list(_reasons(known, of, device, names)),
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


def _reasons(known: Known, of: _Gateway, device: str, points: set[str]) -> Iterator[Reason]:
    yield from _readings(known, of, device, points)
    places = (f"devices[{device}]", *(f"points[{point}]" for point in sorted(points)))
    if changed := [path for place in places for path in of.changed.get(place, ())]:
        yield Reason("changed", {"n": str(len(changed)), "what": ", ".join(changed[:3])})
    row = known.row or {}
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


def _readings(known: Known, gateway: _Gateway, device: str, points: set[str]) -> Iterator[Reason]:
    """By the month's checklist; where there is none, by the statement's completeness."""
    if known.row is not None:
        for of in gateway.rows.get(device, ()):
            yield from _marks(of)
    elif known.statement is not None:
        counted = known.statement["input"].get("completeness", {})
        yield from _worst(counted[point] for point in points if point in counted)


def _marks(of: Mapping[str, Any]) -> Iterator[Reason]:
    """Missing, without a value, or with a reservation: of all that was due."""
    due = max(of["due"], of["readings"])
    yield from _odd(due - of["readings"] + of["bad"] + of["reserved"], due)


def _worst(counted: Iterable[Mapping[str, Any]]) -> Iterator[Reason]:
    """Missing or without a value at the worst point, where only a statement is known."""
    shares = [(of["expected"] - of["usable"], of["expected"]) for of in counted if of["expected"]]
    if shares:
        yield from _odd(*max(shares, key=lambda share: Fraction(*share)))


def _odd(odd: int, due: int) -> Iterator[Reason]:
    if due and Fraction(odd, due) >= MARKED:
        yield Reason("quality", {"percent": f"{float(Fraction(100 * odd, due)):.1f}"})


def _changes(configs: Sequence[Config]) -> Mapping[str, Sequence[str]]:
    """Paths at which the newest configurations differ, by their "devices[…]" or "points[…]"."""
    found = defaultdict[str, list[str]](list)
    for old, new in pairwise(configs[-CONFIGS_MAX:]):
        for change in config_changes(old, new):
            place, bracket, _ = change.path.partition("]")
            if bracket and change.rank < IDLE:
                found[place + bracket].append(change.path)
    return found
