"""Readings as the calculation takes them: plain arrays, whatever frame or tick they came from.

The pipeline makes one `Block` a tick, the frame reader one a frame; the calculation gives the
same answer for both. Nothing here decodes, checks signatures or does I/O.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GroupBlock:
    """Readings of one point group.

    Attributes:
        group: index into the configuration's "groups".
        raw: [P][n] in the group's number type; P in the order of that group's "points".
        quality: [P][n] quality codes; from 128 on the raw value is filler.
        decoded: kept by `Inputs.decode`: the month and the live points mostly need the same rows.
    """

    group: int
    raw: npt.NDArray[np.generic]
    quality: UInt8
    decoded: dict[Hashable, tuple[Int64, Bool]] = field(
        default_factory=dict, compare=False, repr=False
    )


@dataclass(frozen=True)
class Block:
    """Consecutive ticks of one schedule.

    Attributes:
        schedule: index into the configuration's "schedules".
        ticks_ns: [n] UTC nanoseconds, strictly increasing.
        groups: the groups sampled at these ticks; a group left out has no reading here.
    """

    schedule: int
    ticks_ns: Int64
    groups: tuple[GroupBlock, ...]

    def between(self, first: int, last: int) -> "Block":
        """The ticks number first to last - 1."""
        groups = tuple(
            GroupBlock(g.group, g.raw[:, first:last], g.quality[:, first:last]) for g in self.groups
        )
        return Block(self.schedule, self.ticks_ns[first:last], groups)
