"""How much of each stream is here: objects, readings of those that were due, bounds by the log."""

from collections.abc import Mapping
from typing import Any

from evidence.frame import Body, Header
from evidence.verifier.clocks import Times

#: ranges of missing objects that are told: of a stream, and of all streams together
RANGES_MAX, RANGES_ALL = 1_000, 10_000
SECOND_NS = 1_000_000_000

#: of each schedule: its interval in nanoseconds, and how many measured points it has
Rates = list[tuple[int, int]]


class Held:
    """What an archive holds of one stream.

    Attributes:
        objects: signed objects, sound or not.
        anchored: those that name a log which their gateway had seen.
        missing: (first, last) seqs of objects that are not here, at most so many ranges.
        missing_objects: how many they are, in all ranges.
        readings: of measured points, bad ones included.
    """

    def __init__(self, from_ns: int | None, streams: int = 1) -> None:
        """Begin with nothing.

        Args:
            from_ns: where the period begins, UTC nanoseconds, if it is known.
            streams: how many there are in the archive.
        """
        self._ranges = min(RANGES_MAX, RANGES_ALL // streams)
        self.objects = self.anchored = self.missing_objects = self.readings = 0
        self.missing: list[tuple[int, int]] = []
        self._since_ns, self._due = from_ns, 0
        self._cfg, self._rates = b"", Rates()

    def take(self, header: Header) -> None:
        """Count an object."""
        self.objects += 1
        self.anchored += header.anchor is not None

    def miss(self, first: int, last: int) -> None:
        """Objects `first` to `last` are not here."""
        self.missing_objects += last - first + 1
        if len(self.missing) < self._ranges:
            self.missing.append((first, last))

    def read(self, cfg: bytes, config: Mapping[str, Any], body: Body) -> None:
        """Count a frame's readings, and those that were due since its configuration changed."""
        if cfg != self._cfg and body.sections:
            if self._cfg:
                self._until(min(section.first_ns for section in body.sections))
            self._cfg, self._rates = cfg, rates_of(config)
        for section in body.sections:
            if section.schedule < len(self._rates):
                self.readings += section.ticks * self._rates[section.schedule][1]

    def _until(self, at_ns: int) -> None:
        """The configuration was in force until here."""
        if self._since_ns is None:
            return
        for interval_ns, points in self._rates:
            ticks = -(-at_ns // interval_ns) - -(-self._since_ns // interval_ns)
            self._due += max(ticks, 0) * points
        self._since_ns = at_ns

    def as_map(
        self, first: int | None, last: int, to_ns: int | None, times: Times
    ) -> dict[str, Any]:
        """The form of `verify --json`.

        Args:
            first: seq of the stream's first object here, None when there is none.
            last: of its last.
            to_ns: where the period ends, None when it is not known.
            times: what the clocks say of its frames.
        """
        due = None
        if to_ns is not None and self._since_ns is not None:
            self._until(to_ns)
            due = self._due
        return {
            "first_seq": first,
            "last_seq": None if first is None else last,
            "objects": self.objects,
            "missing": [list(span) for span in self.missing],
            "missing_objects": self.missing_objects,
            "readings": self.readings,
            "readings_due": due,
            "percent": percent_of(self.readings, due) if due else None,
            "anchored_objects": self.anchored,
            "made_within_s": _seconds(times.window.most_ns) if times.window.frames else None,
            "clock_error_ms": times.error_ms,
        }


def rates_of(config: Mapping[str, Any]) -> Rates:
    """Interval, and number of measured points, of each schedule; none when it is misformed."""
    try:
        rates = [(int(schedule["interval_ns"]), 0) for schedule in config["schedules"]]
        for group in config["groups"]:
            if not group["computed"]:
                interval_ns, points = rates[group["schedule"]]
                rates[group["schedule"]] = interval_ns, points + len(group["points"])
    except (KeyError, IndexError, TypeError, ValueError):
        return []  # what is wrong with it is step 6's to say
    return rates if all(interval_ns > 0 for interval_ns, _ in rates) else []


def percent_of(part: int, whole: int) -> str:
    """With two decimals, half up."""
    hundredths = (20_000 * part + whole) // (2 * whole)  # half up
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _seconds(ns: int) -> int:
    """Whole seconds, up."""
    return -(-ns // SECOND_NS)
