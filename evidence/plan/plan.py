"""A control plan as values, and its one reader; docs/control-plan.md: where the fields are from.

Everything a plan holds is text, days and ids: no figure of a month is made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from evidence.documents import fields as f
from evidence.plan.table import (
    PlanError,
    Problem,
    Shape,
    Table,
    names,
    seconds,
    tables,
    texts,
    whole,
)

FORMAT = 1
SECTORS = ("aluminium", "cement", "steel")
#: of a file: a works of 500 parameters needs a third of it
PLAN_BYTES_MAX = 1024 * 1024

METER, LABORATORY, SETTLEMENT, RECORD, DEFAULT, CALCULATED = SOURCES = (
    "meter", "laboratory", "settlement", "record", "default", "calculated",
)  # fmt: skip
CONTINUOUS = "continuous"
#: how often -> how long that is at most, s; of those without one it is not known
FREQUENCIES: Mapping[str, Fraction | None] = {
    CONTINUOUS: None, "batch": None, "hourly": Fraction(3_600), "daily": Fraction(86_400),
    "weekly": Fraction(7 * 86_400), "monthly": Fraction(31 * 86_400),
    "quarterly": Fraction(92 * 86_400), "yearly": Fraction(366 * 86_400),
}  # fmt: skip
#: months that a period of a frequency has; its end is the month's whose number they divide
PERIODS: Mapping[str, int] = {"monthly": 1, "quarterly": 3, "yearly": 12}
#: treatment of what is missing: as the table `missing-data` of the rule sets has it, or none named
MISSING = ("default", "mean", "estimate", "none")
OTHER = "other"
#: what of a statement a parameter is of; `OTHER` of what stands in none
TABLES = (
    "fuel", "process", "product", "clinker", "substitute", "metal", "anode", "pfc", "output",
    "auxiliary", OTHER,
)  # fmt: skip
VERIFICATION, CALIBRATION, OWN_CHECK = CHECKS = ("verification", "calibration", "own-check")
#: kinds of documents that a parameter may be owed by
OWED = (
    "invoice", "stock-take", "count", "parameter", "sample-taken", "sample-composed",
    "sample-result", "ledger", "meter-event",
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """A text for people; English is "" where the plan has none."""

    zh: str
    en: str = ""

    def said(self, language: str) -> str:
        """In this language, else in Chinese."""
        return (self.en if language == "en" else "") or self.zh


@dataclass(frozen=True)
class Parameter:
    """One parameter of the plan, a row of its table 数据的确定方式.

    Attributes:
        id: within the plan.
        name: for people.
        table, kind: the entry of the statement it is of ("fuel", "natural-gas"); kind "" of
            tables that have none.
        figure: which figure of it: "quantity", "ncv", "carbon_content" …
        unit: as the rule set counts it.
        source: one of `SOURCES`.
        frequency, recorded: how often it is measured, and written down: of `FREQUENCIES`.
        missing: one of `MISSING`; `missing_how` says more.
        department, responsible: who gets it; responsible is a person's account id.
        points: of the site, of a metered one.
        meters: ids of the plan's meters that it is measured with.
        documents: kinds of documents that it is told by, about `about`.
        interval_s: at most so long between two readings; "" where nothing is planned.
        value: of a default, as the plan prints it.
        how: method and calculation.
    """

    id: str
    name: Words
    table: str
    kind: str
    figure: str
    unit: str
    source: str
    frequency: str
    recorded: str
    missing: str
    department: Words
    responsible: str
    missing_how: Words | None = None
    points: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    about: str = ""
    interval_s: str = ""
    value: str = ""
    how: Words | None = None


@dataclass(frozen=True)
class Meter:
    """One meter, or one part of a measuring loop that has a certificate of its own.

    Attributes:
        id: certificates are about it.
        name, place: for people.
        model, number, accuracy: as they stand on its plate.
        check: what its certificate must be, one of `CHECKS`.
        every_months: at most so long from one check to the next.
        covers: what of the loop the certificate is of.
        device: id of the site's device, "" of a meter that is not read.
        profile: that the device is read by, "" where the plan does not name it.
        limit_percent: what an as-found error may be, % of the reading; "" where not planned.
    """

    id: str
    name: Words
    place: Words
    model: str
    number: str
    accuracy: str
    check: str
    every_months: int
    covers: Words
    device: str = ""
    profile: str = ""
    limit_percent: str = ""


@dataclass(frozen=True)
class InternalCheck:
    """One internal check: what, how often, by whom."""

    id: str
    name: Words
    frequency: str
    responsible: str


@dataclass(frozen=True)
class Revision:
    """One line of the log of versions."""

    number: int
    day: str
    reason: Words


@dataclass(frozen=True)
class Plan:
    """A plan of one plant and year.

    Attributes:
        about: "enterprise", "products", "process", "boundary", "quality_assurance" -> text.
    """

    plant: str
    sector: str
    rule_set: str
    year: int
    revision: int
    about: Mapping[str, Words]
    revisions: tuple[Revision, ...]
    parameters: tuple[Parameter, ...]
    meters: tuple[Meter, ...]
    checks: tuple[InternalCheck, ...]

    def meter(self, ident: str) -> Meter | None:
        """A meter by id."""
        return next((meter for meter in self.meters if meter.id == ident), None)


_ABOUT = ("enterprise", "products", "process", "boundary", "quality_assurance")
_PLAN = Shape(
    {
        "format": whole(FORMAT, FORMAT), "plant": f.name_id, "sector": f.one_of(*SECTORS),
        "rule_set": f.text, "year": whole(2020, 2199), "revision": whole(1, 1_000),
        "about": lambda _: None, "revisions": tables, "parameter": tables, "meter": tables,
        "internal_check": tables,
    }
)  # fmt: skip
_REVISION = Shape({"number": whole(1, 1_000), "day": f.day, "reason": texts})
_PARAMETER = Shape(
    {
        "id": f.name_id, "name": texts, "table": f.one_of(*TABLES), "figure": f.name_id,
        "unit": f.text, "source": f.one_of(*SOURCES), "frequency": f.one_of(*FREQUENCIES),
        "recorded": f.one_of(*FREQUENCIES), "missing": f.one_of(*MISSING), "department": texts,
        "responsible": f.name_id,
    },
    {
        "kind": f.name_id, "points": names, "meters": names, "documents": names,
        "about": f.name_id, "interval_s": seconds, "value": f.decimal, "how": texts,
        "missing_how": texts,
    },
)  # fmt: skip
_METER = Shape(
    {
        "id": f.name_id, "name": texts, "place": texts, "model": f.text, "number": f.text,
        "accuracy": f.text, "check": f.one_of(*CHECKS), "every_months": whole(1, 240),
        "covers": texts,
    },
    {"device": f.name_id, "profile": f.text, "limit_percent": f.amount},
)  # fmt: skip
_CHECK = Shape(
    {"id": f.name_id, "name": texts, "frequency": f.one_of(*FREQUENCIES), "responsible": f.name_id}
)


def plan_of(table: Mapping[str, Any]) -> Plan:
    """The plan that a TOML table says.

    Raises:
        PlanError: names every key that is missing, unknown, wrong, or still "?".
    """
    problems: list[Problem] = []
    root = Table(table, _PLAN, "", problems)
    about = root.child("about", Shape(dict.fromkeys(_ABOUT, texts)))
    meters = tuple(_meter(row) for row in root.rows("meter", _METER))
    plan = Plan(
        plant=root.get("plant"), sector=root.get("sector"), rule_set=root.get("rule_set"),
        year=root.get("year", 0), revision=root.get("revision", 0),
        about={key: _words(about, key) for key in _ABOUT},
        revisions=tuple(
            Revision(row.get("number", 0), row.get("day"), _words(row, "reason"))
            for row in root.rows("revisions", _REVISION)
        ),
        parameters=tuple(_parameter(row, meters) for row in root.rows("parameter", _PARAMETER)),
        meters=meters,
        checks=tuple(
            InternalCheck(
                row.get("id"), _words(row, "name"), row.get("frequency"), row.get("responsible")
            )
            for row in root.rows("internal_check", _CHECK)
        ),
    )  # fmt: skip
    _check_whole(plan, root)
    if problems:
        raise PlanError(problems)
    return plan


def _check_whole(plan: Plan, root: Table) -> None:
    for key, rows in (
        ("parameter", plan.parameters), ("meter", plan.meters), ("internal_check", plan.checks),
    ):  # fmt: skip
        ids = [row.id for row in rows if row.id]
        for twice in sorted({ident for ident in ids if ids.count(ident) > 1}):
            root.complain(key, f"{twice} stands twice")
    numbers = [revision.number for revision in plan.revisions]
    if root.is_sound and numbers != list(range(1, plan.revision + 1)):
        root.complain("revisions", f"must be numbered 1 to {plan.revision}, one line a revision")


def _words(table: Table, key: str) -> Words:
    said = table.get(key, {"zh": ""})
    return Words(said["zh"], said.get("en", ""))


def _optional(table: Table, key: str) -> Words | None:
    return _words(table, key) if table.has(key) else None


def _meter(row: Table) -> Meter:
    return Meter(
        id=row.get("id"), name=_words(row, "name"), place=_words(row, "place"),
        model=row.get("model"), number=row.get("number"), accuracy=row.get("accuracy"),
        check=row.get("check"), every_months=row.get("every_months", 0),
        covers=_words(row, "covers"), device=row.get("device"), profile=row.get("profile"),
        limit_percent=row.get("limit_percent"),
    )  # fmt: skip


def _parameter(row: Table, meters: tuple[Meter, ...]) -> Parameter:
    made = Parameter(
        id=row.get("id"), name=_words(row, "name"), table=row.get("table"), kind=row.get("kind"),
        figure=row.get("figure"), unit=row.get("unit"), source=row.get("source"),
        frequency=row.get("frequency"), recorded=row.get("recorded"), missing=row.get("missing"),
        department=_words(row, "department"), responsible=row.get("responsible"),
        missing_how=_optional(row, "missing_how"), points=tuple(row.get("points", ())),
        meters=tuple(row.get("meters", ())), documents=tuple(row.get("documents", ())),
        about=row.get("about") or row.get("kind"), interval_s=row.get("interval_s"),
        value=row.get("value"), how=_optional(row, "how"),
    )  # fmt: skip
    if row.is_sound:
        _check_source(made, row, meters)
    return made


def _check_source(made: Parameter, row: Table, meters: tuple[Meter, ...]) -> None:
    """What a source needs beside it is there, and nothing that has no meaning with it."""
    is_metered, is_told = made.source == METER, made.source in (LABORATORY, SETTLEMENT, RECORD)
    for key, is_due in (("points", is_metered), ("documents", is_told)):
        if is_due != row.has(key):
            row.complain(key, f"{'is due' if is_due else 'has no meaning'} with {made.source}")
    if is_metered and not made.meters:
        row.complain("meters", "is due with meter")
    if is_told and not made.about:
        row.complain("about", "is due: what the documents are about")
    if (made.frequency == CONTINUOUS) != row.has("interval_s"):
        said = "is due with" if made.frequency == CONTINUOUS else "has a meaning with"
        row.complain("interval_s", f"{said} frequency {CONTINUOUS}")
    _check_names(made, row, {meter.id: meter.device for meter in meters})


def _check_names(made: Parameter, row: Table, known: Mapping[str, str]) -> None:
    """Its meters are the plan's, its points theirs, its documents of kinds there are."""
    for kind in made.documents:
        if kind not in OWED:
            row.complain("documents", f"{kind} is none of {' '.join(OWED)}")
    for meter in made.meters:
        if meter not in known:
            row.complain("meters", f"{meter} is no [[meter]] of the plan")
    devices = {known.get(meter, "") for meter in made.meters}
    for point in made.points:
        if point.partition(".")[0] not in devices:
            row.complain("points", f"{point}: none of its meters is of this device")
