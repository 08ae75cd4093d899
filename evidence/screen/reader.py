"""A sealed month as the questions look at it, gathered while the archive is verified.

Memory does not grow with the readings: frames are reduced a few at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from edge.calc.screening.month import Balance, Change, ScreenedMonth
from edge.calc.screening.quarters import Quarters
from evidence.documents.counted import papers_that_stand
from evidence.documents.standing import Standing
from evidence.errors import MalformedError
from evidence.frame import Body
from evidence.meter_settings import KIND
from evidence.recompute import Paper, joined_blocks
from evidence.verifier.frames import Checked, Period
from evidence.waiting import Common, Waiting

_CLOCK_STEP = "clock-step"
#: keys of a statement's entry that name a point
_POINT_KEYS = ("point", "flow_point", "power_point")
_CHANGES_MAX = 1_000
#: meters' events that may change what is read after them
_METER_EVENT, _EVENTS = "meter-event", frozenset({"calibration", "maintenance", "replacement"})
_NAMED_MAX = 3


class MonthReader:
    """An `Onlooker` of one verification.

    Attributes:
        statement: as sealed, None where there is none that can be used.
        standing: documents that stand.
        other_streams: gateways beside the first, whose readings are not looked at.
    """

    def __init__(self, balances: Sequence[Balance] = ()) -> None:
        """`balances`: networks that a reviewer named."""
        self._balances = tuple(balances)
        self.statement: Mapping[str, Any] | None = None
        self._period: Period | None = None
        self.standing = Standing()
        self.other_streams: set[str] = set()
        self._quarters: Quarters | None = None
        self._stream, self._cfg = "", b""
        self._config: Mapping[str, Any] = {}
        self._waiting = Waiting()
        self._changes: list[Change] = []
        self._clock_steps: list[int] = []
        self._settings: dict[str, Mapping[str, Any]] = {}

    def begin(
        self, statement: Mapping[str, Any] | None, period: Period | None, standing: Standing
    ) -> None:
        """The statement as sealed, and the documents that stand."""
        self.statement, self._period, self.standing = statement, period, standing
        if period is not None:
            self._quarters = Quarters(*period)

    def see(self, frame: Checked) -> None:
        """A frame that is sound."""
        if self._quarters is None:
            return
        self._stream = self._stream or frame.stream
        if frame.stream != self._stream:
            self.other_streams.add(frame.stream)
            return
        common = Common(frame.stream, frame.cfg)
        if not self._waiting.takes(common, frame.body):
            self._flush()
        if frame.cfg != self._cfg:
            self._configure(frame, self._quarters)
        self._note(frame.body)
        self._waiting.add(common, frame.body, "")

    def month(self) -> ScreenedMonth:
        """What was seen.

        Raises:
            MalformedError: there was no statement, no period, or no frame.
        """
        self._flush()
        if self.statement is None or self._period is None or self._quarters is None:
            raise MalformedError("it has no statement that can be used")
        if not self._config:
            raise MalformedError("it has no readings")
        given, papers = self.statement["input"], papers_that_stand(self.standing)
        worked_on = islice(self._worked_on(papers), _CHANGES_MAX)
        changes = sorted([*self._changes, *worked_on], key=lambda one: one.at_ns)
        return ScreenedMonth(
            plant=str(given.get("plant")), month=str(given.get("month")),
            from_ns=self._period[0], to_ns=self._period[1], config=self._config,
            quarters=self._quarters, statement=self.statement, changes=tuple(changes),
            clock_steps_ns=tuple(self._clock_steps), papers=papers, balances=self._balances,
        )  # fmt: skip

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, Waiting()
        if waiting.bodies and self._quarters is not None:
            self._quarters.feed(joined_blocks(waiting.bodies))

    def _configure(self, frame: Checked, quarters: Quarters) -> None:
        if self._config and len(self._changes) < _CHANGES_MAX:
            points, what = differing(self._config, frame.config)
            if points or what:
                self._changes.append(Change(frame.body.t0_ns, "configuration", points, what))
        quarters.configure(frame.config, list(used_points(frame.config)))
        self._cfg, self._config = frame.cfg, frame.config

    def _note(self, body: Body) -> None:
        if body.gap is not None and body.gap.reason == _CLOCK_STEP:
            self._clock_steps.append(body.gap.to_ns)
        for event in body.events:
            if event["kind"] == _CLOCK_STEP and body.gap is None:
                self._clock_steps.append(int(event["at_ns"]))
            elif event["kind"] == KIND:
                self._set(event)
        del self._clock_steps[_CHANGES_MAX:]

    def _worked_on(self, papers: Sequence[Paper]) -> Iterator[Change]:
        """Calibrations and other work that persons signed, each when it was over."""
        for paper in papers:
            if paper.kind != _METER_EVENT or paper.body["event"] not in _EVENTS:
                continue
            if points := self._points_of(paper.about):
                yield Change(int(paper.body["to_ns"]), "calibration", points, paper.about)

    def _points_of(self, device: str) -> tuple[str, ...]:
        return tuple(p["id"] for p in self._config["points"] if p.get("device") == device)

    def _set(self, event: Mapping[str, Any]) -> None:
        """What a device says of its settings; a change of it is one of its points' readings."""
        device, read = str(event["device"]), event["read"]
        before = self._settings.get(device)
        self._settings[device] = {**(before or {}), **read}
        if before is None or len(self._changes) >= _CHANGES_MAX:
            return
        changed = sorted(name for name, value in read.items() if before.get(name, value) != value)
        points = self._points_of(device)
        if changed and points:
            what = f"{device}: {_named(changed)}"
            self._changes.append(Change(int(event["at_ns"]), "settings", points, what))


def used_points(config: Mapping[str, Any]) -> Iterator[str]:
    """Ids of the points that figures are made of, those of totals first."""
    for said in config["statement"].values():
        for entry in said if isinstance(said, list) else [said]:
            if isinstance(entry, dict):
                yield from (str(entry[key]) for key in _POINT_KEYS if key in entry)
    for line in config["potlines"]:
        yield str(line["line_current"])
        yield from (str(pot["voltage"]) for pot in line["pots"] if "voltage" in pot)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Points that two configurations read otherwise, and in words what differs.

    What moves no reading of a point, such as its program's version, is no change here.
    """
    old, new = ({p["id"]: p for p in config["points"]} for config in (before, after))
    changed = {
        point_id: [key for key in sorted({*one, *new[point_id]})
                   if one.get(key) != new[point_id].get(key)]
        for point_id, one in old.items()
        if point_id in new and one != new[point_id]
    }  # fmt: skip
    words = [f"{point_id}: {_named(_deep(old[point_id], new[point_id], keys))}"
             for point_id, keys in changed.items()]  # fmt: skip
    sections = [key for key in ("statement", "potlines") if before.get(key) != after.get(key)]
    return tuple(changed), _named([*words, *sections])


def _deep(one: Mapping[str, Any], other: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """Keys with old and new value; of a point's scaling each of its own."""
    told = []
    for key in keys:
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) or isinstance(b, dict):
            told += _deep(a or {}, b or {}, sorted(
                k for k in {*(a or {}), *(b or {})} if (a or {}).get(k) != (b or {}).get(k)
            ))  # fmt: skip
        else:
            told.append(f"{key} {a} → {b}")
    return told


def _named(names: Sequence[str]) -> str:
    more = f", … ({len(names) - _NAMED_MAX})" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more
