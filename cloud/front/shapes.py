"""What collectors answer, as far as it is needed here: anything else is no answer. Pure.

Rows go on to programs as they came; pages are made of what fits these shapes alone.
"""

from collections.abc import Mapping
from functools import partial
from math import isfinite
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, FailFast, Field
from pydantic import TypeAdapter as Adapter

from cloud.live.message import DECIMAL
from edge.calc.local_time import clock_of
from evidence.points import NAME_ID, POINT_ID

Id = Annotated[str, Field(pattern=f"^{NAME_ID.pattern}$")]
PointId = Annotated[str, Field(pattern=f"^{POINT_ID.pattern}$")]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: a decimal number as text: whatever a gateway may tell, or its collector tells of nobody
Number = Annotated[str, Field(pattern=rf"^{DECIMAL.pattern}([eE][+-]?[0-9]{{1,2}})?$")]
Text = Annotated[str, Field(max_length=1_000)]
#: sentences of an alarm
Said = Annotated[str, Field(max_length=4_000)]
#: a whole number, of nanoseconds too, and a seq as gateways may sign it
Whole = Annotated[int, Field(ge=-(2**63), lt=2**64)]
Share = Annotated[float, Field(ge=0, le=1)]
Quality = Annotated[int, Field(ge=0, le=255)]
Level = Literal["city", "province", "nation"]
State = Literal["open", "waiting", "ready", "late", "closed", "sealed", "amended"]
#: of objects and lists in one another
DEPTH_MAX = 32
#: names in one object; plants of a collector; what they have some of; their months
NAMES_MAX, PLANTS_MAX, SOME_MAX, ROWS_MAX = 100, 5_000, 20_000, 100_000
#: rates of one plant beside its headline
BESIDE_MAX = 20


def _few(raw: Any, most: int = NAMES_MAX) -> Any:  # noqa: ANN401 - JSON
    if isinstance(raw, dict) and len(raw) > most:
        raise ValueError(f"it has more than {most} names")
    return raw


One = TypeVar("One")
Other = TypeVar("Other")
#: what does not fit is told once: a list of a million such rows is a million errors in memory. All
#: rows are gone through for each page, and for /metrics: more than these hold up whoever asks
Rows = Annotated[list[One], FailFast(), Field(max_length=ROWS_MAX)]
OneAPlant = Annotated[list[One], FailFast(), Field(max_length=PLANTS_MAX)]
SomeAPlant = Annotated[list[One], FailFast(), Field(max_length=SOME_MAX)]
Named = Annotated[Mapping[One, Other], BeforeValidator(_few)]
OfPlants = Annotated[Mapping[Id, Other], BeforeValidator(partial(_few, most=PLANTS_MAX))]


def require_plain(raw: Any, depth: int = DEPTH_MAX) -> None:  # noqa: ANN401 - JSON
    """What goes on as it came can be written as JSON again; ValueError where it cannot.

    Python reads NaN, numbers that are too large, halves of characters and any depth.
    """
    if isinstance(raw, float) and not isfinite(raw):
        raise ValueError("a number is none")
    if isinstance(raw, str):
        raw.encode()
    if not isinstance(raw, list | dict):
        return
    if not depth:
        raise ValueError(f"it is nested deeper than {DEPTH_MAX}")
    for one in raw if isinstance(raw, list) else (*raw, *raw.values()):
        require_plain(one, depth - 1)


def _zone(name: str) -> str:
    clock_of(name)
    return name


class Shape(BaseModel):
    """Of an object; keys that are not named may be there."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class Rights(Shape):
    """What the token may do there; `region` of a reviewer's."""

    rights: Rows[Text]
    region: Text | None


class PlantFacts(Shape):
    """A plant; `name` and `sector` of its signed configuration."""

    id: Id
    name: Text = ""
    simulated: bool = False


class Rate(Shape):
    """An emission rate now; `why` in both languages where it is bad."""

    point: PointId
    unit: Text
    value: Number | float | None
    quality: Quality | None = None
    age_ns: Whole | None
    grade: Literal["good", "reserved", "stale", "bad", "none"]
    why: Named[Literal["en", "zh"], Text] = {}


class Trusted(Shape):
    """Shares of the last ten minutes' inputs that are trusted, 0 to 1."""

    share: Share
    lowest: Text
    lowest_share: Share


class Gateways(Shape):
    """How many gateways a plant has."""

    all: Whole
    offline: Whole
    silent: Whole


class Summary(Shape):
    """A plant in one line."""

    plant: PlantFacts
    headline: Rate | None
    beside: Annotated[Rows[Rate], Field(max_length=BESIDE_MAX)] = []
    trusted: Trusted | None
    gateways: Gateways


class Overview(Shape):
    """All plants, a line each."""

    plants: OneAPlant[Summary]


class Standing(Shape):
    """An alarm that stands; what is so, in both languages."""

    plant: Id
    number: Whole
    priority: Literal[1, 2, 3]
    phase: Text
    raised_ns: Whole
    is_unsure: bool
    en: Said
    zh: Said
    acknowledged_by: Text
    acknowledged_ns: Whole | None
    shelf: Mapping[str, Any] | None


class Cleared(Shape):
    """An alarm that stands no more."""

    plant: Id
    number: Whole


class Alarms(Shape):
    """Alarms that stand, and that cleared."""

    standing: SomeAPlant[Standing]
    cleared: Rows[Cleared]  # of two hours: many times each, where a broker flaps
    unacknowledged: Whole
    new_in_last_hour: Whole


class Health(Shape):
    """Which plants are served, and why something of a plant does not go on: reason -> sentence."""

    status: Text
    served: OneAPlant[Id]
    amiss: OfPlants[Named[Text, Text]]


class Missing(Shape):
    """Objects that are known to be missing, first to last."""

    first: Whole
    last: Whole


class Stream(Shape):
    """A gateway's stream."""

    plant: Id
    gateway: Id
    next_seq: Whole
    receipted_seq: Whole | None
    missing: Missing | None
    refused: Named[str, Whole]
    alarms: Rows[Mapping[str, Any]]


class Readings(Shape):
    """How many, of how many that were due, and which of them are not as they should be."""

    count: Whole
    due: Whole
    reserved: Whole
    bad: Whole


class Checked(Shape):
    """What the collector's own verifier found of an archive."""

    verdict: Literal["passed", "failed", "cannot-decide"]
    code: Text
    substituted_percent: Number | None
    version: Text
    at_ns: Whole


class Sealed(Shape):
    """An archive of a month."""

    newest: bool
    replaced: bool = False
    sha256: Sha256
    verified: Checked | None


class InWords(Shape):
    """A sentence in both languages."""

    en: Said
    zh: Said


class SealedState(Shape):
    """State of a month's archive; `why` is empty where nothing failed."""

    exit_status: Literal[0, 1, 2, 3]
    headline: InWords
    beside_total: InWords
    code: Text
    why: InWords


class MonthRow(Shape):
    """A month with its state."""

    plant: Id
    month: Month
    zone: Annotated[str, AfterValidator(_zone)]
    state: State
    level: Literal["none", "notice", "warning", "urgent", "alarm"]
    deadline: Text | None
    days_left: Whole | None
    owed: Rows[Mapping[str, Any]]
    readings: Readings
    archives: Rows[Sealed]
    sealed: SealedState | None = None  # collectors of earlier programs tell none


class Review(Shape):
    """How far a month's review is; `next_due` is a day, "" for none."""

    plant: Id
    month: Month
    state: State
    open: Whole
    overdue: Whole
    answered: Whole
    next_due: Text
    levels: Named[Level, Literal["", "approve", "return", "note", "older"]]


class Reviews(Shape):
    """A part of the list of reviews."""

    reviews: Rows[Review]
    next: Text | None


PLANTS: Adapter[list[PlantFacts]] = Adapter(OneAPlant[PlantFacts])
STREAMS: Adapter[list[Stream]] = Adapter(SomeAPlant[Stream])
MONTHS: Adapter[list[MonthRow]] = Adapter(Rows[MonthRow])
