"""When which fault befalls which device, what it then shows, and what the truth says of it.

Faults touch what is shown, never the plant: the truth of the plant stays as it is. No I/O.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from evidence.points import Role
from firmware_configs.model import Register
from simulators.encode import can_say_nothing
from simulators.faults import KINDS, OF_A_POINT, VALUE, Fault
from simulators.manner import Manner
from simulators.modbus_pdu import BUSY
from simulators.played import TruthLine
from simulators.served import CanBeSet, CanFail, Readings, Served, ServeError
from simulators.turned import COUNTED, TURNS, Turn, turn

_MINUTE_S = Decimal(60)


@dataclass
class _Course:
    """One fault on its way through a play."""

    number: int
    fault: Fault
    first: int
    last: int | None  # the step at which it is over
    points: tuple[str, ...]
    turn: Turn = field(default_factory=lambda: Turn({}))
    before: dict[str, float | Decimal] = field(default_factory=dict)

    def is_on(self, step: int) -> bool:
        return self.first <= step and (self.last is None or step < self.last)


class FaultPlan:
    """All faults of a play."""

    def __init__(
        self,
        faults: Sequence[Fault],
        *,
        devices: Mapping[str, Served],
        step_s: Decimal,
        record: Callable[[TruthLine], None],
        notes: Sequence[tuple[int, TruthLine]] = (),
    ) -> None:
        """Nothing has begun yet; ServeError for a fault that cannot befall what it is asked for.

        `notes` are lines of the truth of what is done otherwise, and at which step.
        """
        self._notes = notes
        self._step_s, self._record = step_s, record
        self._rows = {key: d.rows for key, d in devices.items() if isinstance(d, CanFail)}
        self._courses = [
            _Course(
                number, fault, first := max(1, int(fault.at_s / step_s)),
                None if fault.for_s is None else first + max(1, int(fault.for_s / step_s)),
                _befallen(fault, devices),
            )
            for number, fault in enumerate(faults, start=1)
        ]  # fmt: skip
        self._in_order = sorted(self._courses, key=lambda course: course.first)
        _turn_all(self._in_order, devices)

    def at(self, step: int, readings: Callable[[], Mapping[str, Readings]]) -> None:
        """Called once after each step: what begins and ends there goes into the truth."""
        for at, line in self._notes:
            if at == step:
                self._record(line)
        for course in self._courses:
            if step == course.first:
                self._begin(course, readings)
            elif step == course.last:
                self._record({"type": "fault-end", "t_s": self._t_s(step), "fault": course.number})

    def show(
        self, device: str, readings: Readings, step: int, *, before: int | None = None
    ) -> Readings:
        """What a device shows instead of the plant's readings.

        Args:
            device: its id.
            readings: the plant's.
            step: of the play.
            before: only the faults asked for before this one, by its number.
        """
        shown = dict(readings)
        for course in self._on(device, step):
            if before is not None and course.number >= before:
                break
            since_s = (step - course.first) * self._step_s
            for point in course.points:
                shown[point] = _shown(course, point, shown[point], since_s)
        return shown

    def manner(self, device: str, step: int) -> Manner:
        """How a device behaves."""
        on = {course.fault.kind: course for course in self._on(device, step)}
        settings: dict[str, str] = {}
        for course in self._in_order:
            if course.fault.device == device and course.is_on(step):
                settings |= course.turn.says
        by = {kind: float(course.fault.by or 0) for kind, course in on.items()}
        code = int(by["exception"]) if "exception" in on else BUSY if "busy" in on else None
        return Manner(
            is_silent="drop" in on,
            slow_s=by.get("delay", 0.0),
            late_s=by.get("late", 0.0),
            is_short="wrong-length" in on,
            exception=code,
            cuts=sum(c.fault.kind == "half-open" for c in self._on(device, step)),
            swapped=self._points(device, step, "swap-words"),
            bounded=frozenset().union(
                *(self._points(device, step, kind) for kind in ("spike", "drift", *TURNS))
            ),
            clock_s=by.get("clock-jump", 0.0),
            certificate=sum(c.fault.kind == "certificate" for c in self._on(device, step)),
            settings=settings,
        )

    def _on(self, device: str, step: int) -> list[_Course]:
        return [c for c in self._courses if c.fault.device == device and c.is_on(step)]

    def _points(self, device: str, step: int, kind: str) -> frozenset[str]:
        found = [c.points for c in self._on(device, step) if c.fault.kind == kind]
        return frozenset(point for points in found for point in points)

    def _begin(self, course: _Course, readings: Callable[[], Mapping[str, Readings]]) -> None:
        fault = course.fault
        line: dict[str, object] = {
            "type": "fault-start", "t_s": self._t_s(course.first), "fault": course.number,
            "kind": fault.kind, "device": fault.device, "points": list(course.points),
            "by": None if fault.by is None else str(fault.by),
        }  # fmt: skip
        rows = self._rows[fault.device]
        kept = [
            point for point in course.points
            if fault.kind in {"stuck", "counter-reset"}
            or (fault.kind in TURNS and rows[point].role is Role.TOTALISER)
        ]  # fmt: skip
        if kept:
            now = self.show(
                fault.device, readings()[fault.device], course.first, before=course.number
            )
            course.before = {point: now[point] for point in kept}
            line["values"] = {point: str(value) for point, value in course.before.items()}
        if fault.kind in TURNS:
            line["factor"] = str(course.turn.factor)
        if course.turn.says:
            line["says"] = dict(course.turn.says)
        self._record(line)

    def _t_s(self, step: int) -> str:
        return str(step * self._step_s)


def _shown(
    course: _Course, point: str, value: float | Decimal, since_s: Decimal
) -> float | Decimal:
    kind, by = course.fault.kind, float(course.fault.by or 0)
    if kind == "stuck":
        return course.before[point]
    if kind == "counter-reset":
        return Decimal(value) - Decimal(course.before[point])
    if kind in TURNS:
        factor, before = course.turn.factor, Decimal(course.before.get(point, 0))
        return before + (Decimal(value) - before) * factor
    if kind == "drift":
        return float(value) * (1.0 + by * float(since_s / _MINUTE_S))
    if kind == "spike":
        return float(value) * by
    return math.nan if kind == "nan" else value


def _befallen(fault: Fault, devices: Mapping[str, Served]) -> tuple[str, ...]:
    """The points it befalls; () for a fault of a whole device."""
    device = devices.get(fault.device)
    if not isinstance(device, CanFail):
        raise ServeError(f"{fault.device!r} is no device of this play: {' '.join(devices)}")
    acts_on = KINDS[fault.kind].acts_on
    if acts_on != VALUE and (why := device.immunity(fault.kind)):
        raise ServeError(f"{fault.kind} cannot befall {fault.device}: {why}")
    if acts_on not in OF_A_POINT:
        return ()  # of a turned setting they are found with it
    rows = device.rows
    if fault.point is not None:
        if fault.point not in rows:
            raise ServeError(f"{fault.device} has no point {fault.point!r}: {' '.join(rows)}")
        rows = {fault.point: rows[fault.point]}
    found = tuple(name for name, row in rows.items() if _can_befall(fault.kind, row))
    if not found:
        what = fault.point or "anything"
        raise ServeError(f"{fault.kind} cannot befall {what} of {fault.device}")
    return found


def _turn_all(courses: Sequence[_Course], devices: Mapping[str, Served]) -> None:
    """Find what each does to settings, in the order in which they happen.

    Raises:
        ServeError: a meter has not what is to be turned.
    """
    said: dict[str, dict[str, str]] = {}
    for course in courses:
        fault, device = course.fault, devices[course.fault.device]
        is_turned = fault.kind in TURNS
        if fault.kind not in COUNTED:
            continue
        if not isinstance(device, CanBeSet):
            if is_turned:
                raise ServeError(f"{fault.kind} cannot befall {fault.device}: it tells no settings")
            continue
        known = said.setdefault(fault.device, dict(device.said))
        course.turn = turn(fault.kind, fault.by if is_turned else None, device, known)
        known |= course.turn.says
        course.points = course.turn.points if is_turned else course.points


def _can_befall(kind: str, register: Register) -> bool:
    if kind in {"drift", "spike"}:
        return register.role is Role.GAUGE and register.quantity.kind != "count"
    if kind == "counter-reset":
        return register.role is Role.TOTALISER
    if kind == "swap-words":
        return register.words > 1
    return kind == "stuck" or can_say_nothing(register)
