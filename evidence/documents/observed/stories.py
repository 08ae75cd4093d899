"""The story of each sample: what stands of it, each step with when the log first had it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from evidence.documents.document import Document
from evidence.documents.observed.observation import DAY, Observation, day_ns, month_of
from evidence.documents.standing import Logged, Standing

TAKEN, PREPARED, COMPOSED = "sample-taken", "sample-prepared", "sample-composed"
RETAINED, SENT, RECEIVED = "sample-retained", "sample-sent", "sample-received"
TESTED, RESULT = "sample-tested", "sample-result"
#: months of one sample that are listed: a typed period may be anything
MONTHS_MAX = 24


@dataclass(frozen=True)
class Step:
    """One standing document of a sample.

    Attributes:
        logged: as it reads now.
        first: its first wording; itself when nothing was corrected.
    """

    logged: Logged
    first: Logged

    @property
    def document(self) -> Document:
        """As it reads now."""
        return self.logged.document

    @property
    def kind(self) -> str:
        """Of the document."""
        return self.logged.document.kind

    @property
    def log_ns(self) -> int:
        """When the log first had this step: a correction does not make it younger."""
        return self.first.received_ns

    @cached_property
    def typed_ns(self) -> int:
        """The typed instant; of a result, the first instant of the report's day."""
        body = self.logged.document.body
        if self.kind == RESULT:
            return day_ns(body["report_day"])
        return int(body[f"{self.kind.removeprefix('sample-')}_ns"])

    @property
    def sha256(self) -> bytes:
        """Of the document as it reads now."""
        return self.logged.sha256


@dataclass(frozen=True)
class Story:
    """A sample and what stands of it.

    Attributes:
        plant: plant id.
        sample: its id.
        steps: in the log's order of first wordings.
    """

    plant: str
    sample: str
    steps: tuple[Step, ...]

    def of(self, *kinds: str) -> Iterator[Step]:
        """Its steps of these kinds."""
        return (step for step in self.steps if step.kind in kinds)

    def first(self, *kinds: str) -> Step | None:
        """The first of its steps of these kinds."""
        return next(self.of(*kinds), None)

    @property
    def made(self) -> Step | None:
        """How it came to be: taken, or composed of others."""
        return self.first(TAKEN, COMPOSED)

    @property
    def source(self) -> str:
        """What it is of; "" when nobody registered it."""
        return "" if self.made is None else str(self.made.document.body["source"])

    @property
    def period(self) -> tuple[int, int] | None:
        """(from_ns, to_ns) that it stands for."""
        if self.made is None:
            return None
        return self.made.document.body["from_ns"], self.made.document.body["to_ns"]

    @cached_property
    def month(self) -> str:
        """The month that the middle of its period is in; without one, that of its first step."""
        if self.period is None:
            return month_of(self.steps[0].typed_ns)
        return month_of(sum(self.period) // 2)

    @cached_property
    def months(self) -> tuple[str, ...]:
        """All months of its period, `MONTHS_MAX` at most."""
        if self.period is None:
            return (self.month,)
        found, at = list[str](), self.period[0]
        while at < self.period[1] and len(found) < MONTHS_MAX:
            if month_of(at) not in found:
                found.append(month_of(at))
            at += DAY
        last = month_of(self.period[1] - 1)
        return tuple(found if last in found or len(found) == MONTHS_MAX else [*found, last])

    def saw(self, code: str, *steps: Step, **facts: str) -> Observation:
        """An observation about this sample."""
        return Observation(
            code, self.plant, self.sample, self.months, tuple(step.sha256 for step in steps), facts
        )


Stories = Mapping[str, Story]


def stories_of(standing: Standing) -> dict[str, Story]:
    """Sample -> its story, of all that stands of samples in a plant's log."""
    found: dict[str, list[Step]] = {}
    for logged in standing.all():
        document = logged.document
        if document.kind.startswith("sample-") and standing.ended_by(logged.sha256) is None:
            step = Step(logged, _first(standing, logged))
            found.setdefault(document.about, []).append(step)
    return {
        sample: Story(steps[0].document.plant, sample, tuple(sorted(steps, key=_place)))
        for sample, steps in found.items()
    }


def _place(step: Step) -> int:
    return step.first.index


def _first(standing: Standing, logged: Logged) -> Logged:
    while logged.document.follows:
        logged = standing[logged.document.follows[0]]
    return logged
