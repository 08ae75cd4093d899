"""What collectors answer, as far as it is needed here: anything else is no answer. Pure.

Rows go on to programs as they came; pages are made of what fits these shapes alone.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from evidence.points import NAME_ID

Id = Annotated[str, Field(pattern=f"^{NAME_ID.pattern}$")]
Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: a decimal number as text
Number = Annotated[str, Field(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?$")]
Text = Annotated[str, Field(max_length=1_000)]
Level = Literal["city", "province", "nation"]


class Shape(BaseModel):
    """Of an object; keys that are not named may be there."""

    model_config = ConfigDict(strict=True, frozen=True)


class Rights(Shape):
    """What the token may do there; `region` of a reviewer's."""

    rights: Sequence[Text]
    region: Text | None


class PlantFacts(Shape):
    """A plant; `name` and `sector` of its signed configuration."""

    id: Id
    name: Text = ""
    simulated: bool = False


class Headline(Shape):
    """The emission now; `why` in both languages where it is bad."""

    point: Text
    unit: Text
    value: Number | float | None
    age_ns: int | None
    grade: Literal["good", "reserved", "stale", "bad", "none"]
    why: Mapping[Literal["en", "zh"], Text] = {}


class Trusted(Shape):
    """Shares of the last ten minutes' inputs that are trusted, 0 to 1."""

    share: float
    lowest: Text
    lowest_share: float


class Gateways(Shape):
    """How many gateways a plant has."""

    all: int
    offline: int
    silent: int


class Summary(Shape):
    """A plant in one line."""

    plant: PlantFacts
    headline: Headline | None
    trusted: Trusted | None
    gateways: Gateways


class Overview(Shape):
    """All plants, a line each."""

    plants: Sequence[Summary]


class Standing(Shape):
    """An alarm that stands."""

    plant: Id
    priority: Literal[1, 2, 3]
    acknowledged_ns: int | None
    shelf: Mapping[str, Any] | None


class Alarms(Shape):
    """Alarms that stand; `cleared` goes on as it is."""

    standing: Sequence[Standing]
    cleared: Sequence[Mapping[str, Any]]
    unacknowledged: int
    new_in_last_hour: int


class Health(Shape):
    """Which plants are served, and of which plant something does not go on."""

    status: Text
    served: Sequence[Id]
    amiss: Mapping[Id, Sequence[Text]]


class Missing(Shape):
    """Objects that are known to be missing, first to last."""

    first: int
    last: int


class Stream(Shape):
    """A gateway's stream."""

    plant: Id
    gateway: Id
    next_seq: int
    receipted_seq: int | None
    missing: Missing | None
    refused: Mapping[str, int]
    alarms: Sequence[Mapping[str, Any]]


class Readings(Shape):
    """How many, and which of them are not as they should be."""

    count: int
    reserved: int
    bad: int


class Sealed(Shape):
    """An archive of a month."""

    newest: bool
    sha256: Sha256


class MonthRow(Shape):
    """A month with its state."""

    plant: Id
    month: Month
    state: Literal["open", "waiting", "ready", "late", "closed", "sealed", "amended"]
    level: Literal["none", "notice", "warning", "urgent", "alarm"]
    deadline: Text | None
    days_left: int | None
    owed: Sequence[Mapping[str, Any]]
    readings: Readings
    archives: Sequence[Sealed]


class Review(Shape):
    """How far a month's review is."""

    plant: Id
    month: Month
    levels: Mapping[Level, Literal["", "approve", "return", "note", "older"]]


class Reviews(Shape):
    """A part of the list of reviews."""

    reviews: Sequence[Review]
    next: Text | None


PLANTS: TypeAdapter[Sequence[PlantFacts]] = TypeAdapter(Sequence[PlantFacts])
STREAMS: TypeAdapter[Sequence[Stream]] = TypeAdapter(Sequence[Stream])
MONTHS: TypeAdapter[Sequence[MonthRow]] = TypeAdapter(Sequence[MonthRow])
