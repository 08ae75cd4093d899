"""Where practice departed from the plan. Pure: a plan, what was signed, a month; no figure moves.

What is compared: the statement section, devices and schedules of the configurations, certificates,
and the month's statement where it is there. What a person does beside these is not seen here.
"""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from evidence.plan.certificates import Certificate, does, first_uncovered
from evidence.plan.checks import Check, is_due
from evidence.plan.plan import (
    CONTINUOUS,
    DEFAULT,
    FREQUENCIES,
    OTHER,
    VERIFICATION,
    Meter,
    Parameter,
    Plan,
)
from evidence.points import exact

#: of an entry of the configuration's statement: the points that count
_COUNTED = ("point", "purchased", "output")
#: list of the configuration's statement -> (table of the plan, what its kind is called)
_LISTS = {
    "fuels": ("fuel", "kind"), "process": ("process", "material"),
    "products": ("product", "product"), "clinker": ("clinker", "kind"),
    "substitutes": ("substitute", "kind"), "auxiliary": ("auxiliary", "kind"),
}  # fmt: skip
_ALONE = ("metal", "anode", "output")
QUANTITY, SERIAL = "quantity", "serial"


@dataclass(frozen=True)
class Departure:
    """One thing that is not as planned.

    Attributes:
        code: key of `sentences.SENTENCES`.
        about: id of the plan's parameter or meter; the entry, of one that is not in the plan.
        facts: what the sentence names.
    """

    code: str
    about: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What of the rule set is compared; without it, it is not.

    Attributes:
        kinds: other word for a kind -> its id ("烟煤" -> "bituminous").
        missing: figure -> treatment of its absence, of `plan.MISSING`.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One entry of a configuration's statement: what is counted, by which points."""

    table: str
    kind: str
    points: frozenset[str]

    @property
    def name(self) -> str:
        """As plans call it."""
        return f"{self.table}.{self.kind}" if self.kind else self.table


def departures(
    plan: Plan,
    configurations: Sequence[Mapping[str, Any]],
    certificates: Sequence[Certificate],
    month: str,
    *,
    statement: Mapping[str, Any] | None = None,
    rules: Rules = Rules(),
    until: date | None = None,
    checks: Sequence[Check] | None = None,
    earlier: Mapping[str, int] | None = None,
) -> list[Departure]:
    """Everything in which a month departed from its plan.

    Args:
        plan: of the month's year.
        configurations: of all gateways of the plant, as signed and in force in the month.
        certificates: that stand, of any meters.
        month: "YYYY-MM".
        statement: statement.json of the month, where it is closed.
        rules: what the rule set says.
        until: last day that certificates are asked of; the month's last when not given.
        checks: internal checks of the month; None where nobody can know them.
        earlier: internal checks of the months before, as `evidence.plan.checks.is_due` takes them.

    Returns:
        In the order of the plan: the whole, entries without a parameter, parameters, meters,
        internal checks.
    """
    first, last = days_of(month)
    is_over = until is None or until >= last
    last = last if until is None else max(first, min(last, until))
    counted = [entry for config in configurations for entry in entries_of(config, rules)]
    found = [*_whole(plan, configurations, month), *_unplanned(plan, counted)]
    for parameter in plan.parameters:
        found += _sources(plan, parameter, configurations, counted)
        if statement is not None:
            found += _defaults(parameter, statement)
        rule = rules.missing.get(parameter.figure)
        if rule and parameter.source != DEFAULT and parameter.missing != rule:
            facts = {"planned": parameter.missing, "rule": rule}
            found.append(Departure("other-missing-rule", parameter.id, facts))
    for meter in plan.meters:
        found += _device(meter, configurations)
        found += _certificates(
            meter, [one for one in certificates if one.meter == meter.id], first, last
        )
    if checks is not None:
        found += _checks(plan, checks, earlier, first.month, is_over=is_over)
    return found


def _checks(
    plan: Plan, made: Sequence[Check], earlier: Mapping[str, int] | None, month: int, *,
    is_over: bool,
) -> Iterator[Departure]:  # fmt: skip
    """One at least of each in the period that ends with the month, and none that failed in it."""
    for planned in plan.checks:
        own = [one for one in made if one.check == planned.id]
        if is_over and not own and is_due(planned, month, earlier):
            yield Departure("check-missing", planned.id, {"planned": planned.frequency})
        failed = dict.fromkeys((one.of, one.by) for one in own if not one.passed)
        for of, by in failed:
            yield Departure("check-failed", planned.id, {"of": of, "by": by})


def days_of(month: str) -> tuple[date, date]:
    """First and last day of "YYYY-MM"; ValueError when it is no month."""
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def entries_of(configuration: Mapping[str, Any], rules: Rules = Rules()) -> Iterator[Entry]:
    """What a configuration counts."""
    statement = configuration["statement"]
    for key, (table, name) in _LISTS.items():
        for fields in statement.get(key, ()):
            kind = fields.get(name, "")
            yield Entry(table, rules.kinds.get(kind, kind), _points(fields))
    for key in _ALONE:
        if key in statement:
            yield Entry(key, "", _points(statement[key]))


def _points(fields: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(fields[key] for key in _COUNTED if key in fields)


def _whole(
    plan: Plan, configurations: Sequence[Mapping[str, Any]], month: str
) -> Iterator[Departure]:
    if not month.startswith(f"{plan.year:04d}-"):
        yield Departure("other-year", "", {"planned": str(plan.year), "month": month})
    for config in configurations:
        for key, planned in (("id", plan.plant), ("rule_set", plan.rule_set)):
            if config["plant"][key] != planned:
                facts = {"planned": planned, "practice": str(config["plant"][key])}
                yield Departure(f"other-{'plant' if key == 'id' else 'rules'}", "", facts)


def _unplanned(plan: Plan, counted: Sequence[Entry]) -> Iterator[Departure]:
    planned = {(one.table, one.kind) for one in plan.parameters if one.figure == QUANTITY}
    planned |= {(one.table, "") for one in plan.parameters if one.table in _ALONE}
    for name in dict.fromkeys(e.name for e in counted if (e.table, e.kind) not in planned):
        yield Departure("unplanned", name)


def _sources(
    plan: Plan,
    parameter: Parameter,
    configurations: Sequence[Mapping[str, Any]],
    counted: Sequence[Entry],
) -> Iterator[Departure]:
    """A quantity is counted by what was planned, as often as planned.

    Several parameters may be of one quantity (two coal feeders): what they plan is taken together,
    and told of the first of them.
    """
    of = (parameter.table, parameter.kind)
    together = [p for p in plan.parameters if (p.table, p.kind, p.figure) == (*of, QUANTITY)]
    if parameter.table != OTHER and together[:1] == [parameter]:
        practice = {p for entry in counted if (entry.table, entry.kind) == of for p in entry.points}
        planned = {point for one in together for point in one.points}
        if practice != planned:
            facts = {"planned": _told(planned, parameter.source), "practice": _told(practice)}
            yield Departure("other-source", parameter.id, facts)
    most = FREQUENCIES[parameter.frequency]
    if parameter.frequency == CONTINUOUS:
        most = exact(parameter.interval_s)
    for point, interval_s in _intervals(configurations, parameter.points):
        if most is not None and interval_s > most:
            facts = {"planned": f"{float(most):g}", "practice": f"{interval_s:g}", "point": point}
            yield Departure("coarse", parameter.id, facts)


def _told(points: set[str], source: str = "") -> str:
    return " ".join(sorted(points)) or source or "-"


def _intervals(
    configurations: Sequence[Mapping[str, Any]], points: Sequence[str]
) -> Iterator[tuple[str, float]]:
    for config in configurations:
        of = {d["id"]: config["schedules"][d["schedule"]]["interval_ns"] for d in config["devices"]}
        for point in points:
            if (device := point.partition(".")[0]) in of:
                yield point, of[device] / 1e9


def _defaults(parameter: Parameter, statement: Mapping[str, Any]) -> Iterator[Departure]:
    """What was to be measured, or told by a document, is the rule set's default in the month."""
    if parameter.source == DEFAULT:
        return
    for line in statement["output"]["lines"]:
        if line["category"] != parameter.table or parameter.kind not in ("", line["kind"]):
            continue
        used = line["parameters"].get(parameter.figure, {})
        if used.get("basis") == "default":
            facts = {"planned": parameter.source, "value": f"{used['value']} {used['unit']}"}
            yield Departure("default-used", parameter.id, facts)
            return


def _device(meter: Meter, configurations: Sequence[Mapping[str, Any]]) -> Iterator[Departure]:
    if not meter.device:
        return
    devices = [d for config in configurations for d in config["devices"] if d["id"] == meter.device]
    if not devices:
        yield Departure("no-device", meter.id, {"planned": meter.device})
    for device in devices:
        if meter.profile and device["profile"] != meter.profile:
            facts = {"planned": meter.profile, "practice": device["profile"]}
            yield Departure("other-model", meter.id, facts)
        for row in device.get("meter", {}).values():
            if row["means"] != SERIAL or not row.get("stated"):
                continue
            number = row["stated"][-1][0]
            if number != meter.number:
                facts = {"planned": meter.number, "practice": number}
                yield Departure("other-number", meter.id, facts)


def _certificates(
    meter: Meter, own: Sequence[Certificate], first: date, last: date
) -> Iterator[Departure]:
    """Each day has a certificate of the planned kind, and the newest says that the meter is fit."""
    issued = sorted((one for one in own if one.day <= last), key=lambda one: one.day)
    good = [one for one in issued if does(one, meter.check)]
    if not issued:
        yield Departure("no-certificate", meter.id, {"planned": meter.check})
        return
    if not issued[-1].fit:
        facts = {"number": issued[-1].number, "day": issued[-1].day.isoformat()}
        yield Departure("unfit", meter.id, facts)
    if not good:
        facts = {"planned": meter.check, "practice": issued[-1].scope, "number": issued[-1].number}
        yield Departure("lesser-check", meter.id, facts)
        return
    day = first_uncovered(good, first, last)
    before = [one for one in good if day is not None and one.day <= day]
    if day is not None and before:
        code = "expired" if before[-1].scope == VERIFICATION else "suggested-date-passed"
        facts = {"number": before[-1].number, "due": before[-1].due.isoformat()}
        yield Departure(code, meter.id, facts)
    elif day is not None:
        yield Departure("certified-late", meter.id, {"day": good[0].day.isoformat()})
    newest = good[-1]
    months = (newest.due.year - newest.day.year) * 12 + newest.due.month - newest.day.month
    if months > meter.every_months:
        facts = {"planned": str(meter.every_months), "practice": str(months)}
        yield Departure("checked-seldom", meter.id, facts)
