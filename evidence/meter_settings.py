"""What meters say of themselves: its form in frames and configurations. FORMAT.md §4, §5. Pure.

A configuration names, for each device, the settings that are read of it, and may state for each the
values a person answers for. An event of a frame holds what one reading of all of them gave.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from evidence.errors import MalformedError

#: kind of the event that holds one reading of a device's settings
KIND = "meter-settings"
#: settings of one device; characters of a value, of a reason, of what else a row says
SETTINGS_MAX, VALUE_MAX, REASON_MAX, TEXT_MAX = 64, 128, 200, 1_000
#: codes of §3 that mean "no value"
UNREAD_CODES = range(128, 256)
#: how often settings are read, and after how long without it is told
HOUR_NS = 3_600 * 10**9
LATE_NS = 2 * HOUR_NS

Row = Mapping[str, Any]


def check_event(event: Mapping[str, Any]) -> None:
    """MalformedError when an event of this kind is not as it must be."""
    if event.keys() != {"kind", "at_ns", "device", "read", "unread"}:
        raise MalformedError(f"a {KIND} event has a field too many or too few")
    read, unread = event["read"], event["unread"]
    if not isinstance(event["device"], str) or not (_is_named(read) and _is_named(unread)):
        raise MalformedError(f"a {KIND} event is of a device and of settings by name")
    if read.keys() & unread.keys() or not 1 <= len(read) + len(unread) <= SETTINGS_MAX:
        raise MalformedError(f"a {KIND} event has 1 to {SETTINGS_MAX} settings, each once")
    if not all(_is_text(value, 0, VALUE_MAX) for value in read.values()):
        raise MalformedError(f"what a meter says is text of at most {VALUE_MAX} characters")
    if not all(type(code) is int and code in UNREAD_CODES for code in unread.values()):
        raise MalformedError("why a setting was not read is a code of 128 to 255")


def check_rows(value: Any, where: str) -> None:
    """MalformedError when this is not the `meter` of a configuration's device."""
    if not _is_named(value) or not 1 <= len(value) <= SETTINGS_MAX:
        raise MalformedError(f"{where}: 1 to {SETTINGS_MAX} settings by name are due")
    for name, row in value.items():
        place = f"{where}.{name}"
        if not isinstance(row, dict) or not {"means", "source"} <= row.keys():
            raise MalformedError(f"{place}: means and source are due")
        if row.keys() - {"means", "source", "unit", "stated"}:
            raise MalformedError(f"{place}: it has an unknown field")
        if not all(_is_text(row[key], 0, TEXT_MAX) for key in row.keys() - {"stated"}):
            raise MalformedError(f"{place}: texts of at most {TEXT_MAX} characters are due")
        if "stated" in row and not _is_stated(row["stated"]):
            raise MalformedError(f"{place}.stated: pairs of a value and a reason are due")


def _is_named(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def _is_text(value: Any, least: int, most: int) -> bool:
    return isinstance(value, str) and least <= len(value) <= most


def _is_stated(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= SETTINGS_MAX
        and all(
            isinstance(pair, list)
            and len(pair) == 2
            and _is_text(pair[0], 0, VALUE_MAX)
            and _is_text(pair[1], 1, REASON_MAX)
            for pair in value
        )
    )


def rows_of(config: Mapping[str, Any]) -> dict[str, Mapping[str, Row]]:
    """Device id -> name -> row, of the devices of which settings are read."""
    return {device["id"]: device["meter"] for device in config["devices"] if "meter" in device}


def stated_of(row: Row) -> list[tuple[str, str]]:
    """(value, reason) of each value a person answers for; the last is the one that holds now."""
    return [(value, reason) for value, reason in row.get("stated", ())]


def way_of(row: Row) -> tuple[str, str, str]:
    """How it is read; values read in two ways cannot be compared."""
    return row["means"], row["source"], row.get("unit", "")


def change(device: str, name: str, old: str, new: str, unit: str) -> str:
    """From what to what a setting went, in short and in every language."""
    return f"{device} {name}: {old!r} → {new!r}{' ' + unit if unit else ''}"


@dataclass(frozen=True)
class Departure:
    """A value that differs from what was stated, or from the one before, and is not explained.

    Attributes:
        device, name: of the setting.
        expected: what was due.
        value: what the meter says.
        stated: what the configuration in force then stated.
        unit: of both, "" for none.
    """

    device: str
    name: str
    expected: str
    value: str
    stated: tuple[tuple[str, str], ...]
    unit: str

    def is_explained_by(self, row: Row) -> str:
        """The reason a later configuration's row gives for the value; "" when it gives none."""
        for value, reason in stated_of(row):
            if value == self.value and (value, reason) not in self.stated:
                return reason
        return ""

    @property
    def change(self) -> str:
        """From what to what, in short."""
        return change(self.device, self.name, self.expected, self.value, self.unit)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        due = "the configuration states" if self.stated else "before it was"
        return (
            f"{self.device} {self.name} reads {self.value!r}{unit}; {due} {self.expected!r}{unit}"
        )


class Setting:
    """One setting of one device, followed from reading to reading.

    Attributes:
        name: of the setting.
        row: of the configuration in force.
        accepted: the newest value that needs no explanation; None before the first reading.
        departed: what the meter says instead; None while it says what is due.
    """

    def __init__(self, device: str, name: str, row: Row) -> None:
        """Begin with nothing read."""
        self._device, self.name, self.row = device, name, row
        self.accepted: str | None = None
        self.departed: Departure | None = None

    @property
    def newest(self) -> str | None:
        """What was read last; None before the first reading."""
        return self.accepted if self.departed is None else self.departed.value

    @property
    def is_stated(self) -> bool:
        """A person has said what it must be."""
        return bool(self.row.get("stated"))

    def configure(self, row: Row) -> None:
        """Go on by another configuration's row; read in another way it begins anew."""
        if way_of(row) != way_of(self.row):
            self.accepted = self.departed = None
        elif self.departed is not None and self.departed.is_explained_by(row):
            self.accepted, self.departed = self.departed.value, None
        self.row = row

    def take(self, value: str) -> tuple[Departure | None, str]:
        """One reading.

        Returns:
            (a departure that begins with it, "") or (None, from what to what, where it is another
            value than before and the configuration states it), else (None, "").
        """
        stated = stated_of(self.row)
        expected = stated[-1][0] if stated else self.accepted
        if expected is None or value == expected:
            before, self.accepted, self.departed = self.accepted, value, None
            if before in {None, value}:
                return None, ""
            return None, change(self._device, self.name, str(before), value, self._unit)
        if self.departed is not None and self.departed.value == value:
            return None, ""
        self.departed = Departure(
            self._device, self.name, expected, value, tuple(stated), self._unit
        )
        return self.departed, ""

    @property
    def _unit(self) -> str:
        return str(self.row.get("unit", ""))


def told_of(events: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The readings of settings among a frame's events."""
    return (event for event in events if event["kind"] == KIND)
