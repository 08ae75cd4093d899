"""Frames that are calculated with in one go, which costs far less than one after another. Pure.

One way for the collector that makes a month's statement and the verifier that makes it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from evidence.frame import Body, CodedSection, Section
from evidence.recompute import Recomputation

#: a quarter of an hour's readings of a plant of 500 points: some MiB
READINGS, FRAMES = 2**19, 2**12


class Common(NamedTuple):
    """What frames that wait together have in common.

    Attributes:
        stream: gateway id.
        cfg: name of the configuration.
        compared: their computed points are to be compared with the inputs.
    """

    stream: str
    cfg: bytes
    compared: bool = True


NOBODY = Common("", b"")


@dataclass
class Waiting:
    """Consecutive frames that wait.

    Attributes:
        common: to all of them.
        bodies: of the frames.
        places: of each frame, for people.
        readings: in all of them.
        last_ns: newest tick.
    """

    common: Common = NOBODY
    bodies: list[Body] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    readings: int = 0
    last_ns: int = 0

    def takes(self, common: Common, body: Body) -> bool:
        """True when the frame can be calculated with together with those that wait."""
        if not self.bodies:
            return True
        first_ns = min((section.first_ns for section in body.sections), default=self.last_ns + 1)
        return (
            self.common == common
            and self.readings < READINGS
            and len(self.bodies) < FRAMES
            and first_ns > self.last_ns
        )

    def add(self, common: Common, body: Body, where: str) -> None:
        """Add a frame whose form was checked; what is not calculated with, maybe much, goes."""
        self.common = common
        sections = tuple(map(_without_lags, body.sections))
        self.bodies.append(replace(body, sections=sections, gap=None, events=()))
        self.places.append(where)
        self.readings += body.readings
        self.last_ns = max([self.last_ns, *(section.last_ns for section in body.sections)])

    def calculate(self, recomputation: Recomputation) -> Iterator[tuple[str, str]]:
        """Fold them; (place, sentence) for each compared point that differs in a frame.

        Raises:
            MalformedError: they cannot be calculated with.
        """
        for i, sentence in recomputation.feed_all(self.bodies):
            if self.common.compared:
                yield self.places[i], sentence


def _without_lags(section: Section | CodedSection) -> Section | CodedSection:
    """Devices and their lags take megabytes in a section that hardly has readings."""
    return replace(section, lag=b"", devices=()) if isinstance(section, CodedSection) else section
