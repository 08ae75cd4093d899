"""The form that a configuration gives its frames. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evidence.errors import MalformedError
from evidence.frame import Body
from evidence.points import Dtype
from evidence.time_zones import time_zone

#: from a frame's t0 to its last tick: it is of its t0's month, and closes within a quarter of an
#: hour. What is calculated by the day or the hour would take minutes of each of a stranger's
#: kilobyte, were its ticks days apart; one in years to come would be the month of all after it
SPAN_NS_MAX = 2 * 86_400 * 10**9

#: of a schedule: its interval, and number type and number of points of each of its groups
Due = tuple[int, dict[int, tuple[Dtype, int]]]


class FrameForm:
    """What each schedule's section holds, by a signed configuration.

    Raises:
        MalformedError: its computed points stand where none can.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._due: list[Due] = [(schedule["interval_ns"], {}) for schedule in config["schedules"]]
        for g, group in enumerate(config["groups"]):
            dtype = Dtype(group["dtype"])
            if group["computed"] and (group["schedule"] != 0 or dtype is not Dtype.I64):
                raise MalformedError("its computed points are not i64 on schedule 0")
            self._due[group["schedule"]][1][g] = dtype, len(group["points"])
        self._devices = len(config["devices"])
        self._zone = time_zone(config["plant"]["time_zone"])

    def fits(self, body: Body) -> bool:
        """As `check`, for who needs no reason."""
        try:
            self.check(body)
        except MalformedError:
            return False
        return True

    def check(self, body: Body) -> None:
        """Hold a frame against it.

        Raises:
            MalformedError: it does not fit.
        """
        self._check_span(body.t0_ns, last_tick_ns(body))
        for section in body.sections:
            if section.schedule >= len(self._due):
                raise MalformedError(f"there is no schedule {section.schedule}")
            interval_ns, due = self._due[section.schedule]
            if section.step_ns != interval_ns or section.first_ns % interval_ns:
                raise MalformedError("ticks are not those of the schedule")
            if max(section.devices, default=-1) >= self._devices:
                raise MalformedError(f"there is no device {max(section.devices)}")
            if [g.group for g in section.groups] != list(due):
                raise MalformedError(f"groups are not those of schedule {section.schedule}")
            for group in section.groups:
                dtype, points = due[group.group]
                if dtype is not group.dtype:
                    raise MalformedError(f"group {group.group} has another number type")
                if points != group.rows:
                    raise MalformedError(f"group {group.group} has another number of points")

    def _check_span(self, t0_ns: int, last_ns: int) -> None:
        if last_ns - t0_ns > SPAN_NS_MAX:
            raise MalformedError("its last tick is more than two days after its t0")
        if self._month(last_ns) != self._month(t0_ns):
            raise MalformedError("its last tick is of another month than its t0")

    def _month(self, instant_ns: int) -> tuple[int, int]:
        """The year and month that the plant's clock shows."""
        shown = datetime.fromtimestamp(instant_ns // 10**9, self._zone)
        return shown.year, shown.month


def check_order(body: Body, last_ns: int) -> None:
    """MalformedError where a frame's ticks are not after the newest one of its stream before it."""
    if min((section.first_ns for section in body.sections), default=last_ns + 1) <= last_ns:
        raise MalformedError("its readings are not after those before it")


def last_tick_ns(body: Body) -> int:
    """The newest tick; t0 of a frame without any."""
    return max((section.last_ns for section in body.sections), default=body.t0_ns)
