"""Step 5, settings: what meters said of themselves, what changed, and whether anybody explained it.

A value that differs from what is stated, or from the one before where nothing is, stands open until
a later configuration of the same gateway states it with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.findings import Report, shown, utc
from evidence.frame import Body
from evidence.meter_settings import (
    HOUR_NS,
    LATE_NS,
    Departure,
    Row,
    Setting,
    rows_of,
    stated_of,
    told_of,
)

#: departures that wait for an explanation; more are told at once
OPEN_MAX = 10_000

Key = tuple[str, str]


@dataclass(frozen=True)
class _Open:
    departure: Departure
    where: str
    at_ns: int


class SettingsCheck:
    """Follows the settings of one stream's devices."""

    def __init__(self, report: Report, stream: str) -> None:
        """Begin; findings go to the report."""
        self._report, self._stream = report, stream
        self._cfg = b""
        self._rows: dict[str, Mapping[str, Row]] = {}
        self._settings: dict[Key, Setting] = {}
        self._open: list[_Open] = []
        self._unread: set[Key] = set()
        self._since_ns: dict[str, int] = {}  # device -> when its settings were read last
        self._newest_ns = 0

    def read(self, cfg: bytes, config: Mapping[str, Any], body: Body, where: str) -> None:
        """Take a sound frame."""
        self._newest_ns = body.t0_ns
        if cfg != self._cfg:
            self.explain(cfg, config)
            self._configure(cfg, config, body.t0_ns)
        for event in told_of(body.events):
            self._take(event, where)

    def explain(self, cfg: bytes, config: Mapping[str, Any]) -> None:
        """A later configuration: what it explains is open no longer."""
        if not self._open:
            return
        rows, left = rows_of(config), []
        for item in self._open:
            said = item.departure
            row = rows.get(said.device, {}).get(said.name)
            reason = "" if row is None else said.is_explained_by(row)
            if reason:
                sentence = f"{said.change}. Configuration {cfg.hex()[:12]} explains it: {reason}"
                self._report.add("N-METER-SETTING", item.where, sentence)
            else:
                left.append(item)
        self._open = left

    def finish(self) -> None:
        """The stream is over."""
        for item in self._open:
            self._tell(item)
        for device, since_ns in self._since_ns.items():
            if self._newest_ns - since_ns > LATE_NS:
                self._late(device, since_ns, self._newest_ns, f"stream {self._stream}")
        unstated = sum(not setting.is_stated for setting in self._settings.values())
        if unstated:
            self._report.not_checked.append(
                f"Settings of meters, gateway {self._stream}: of {unstated:,} nothing is stated, "
                "so their first reading here is taken as right. Whether it is that of the month "
                "before was not looked at."
            )

    def _configure(self, cfg: bytes, config: Mapping[str, Any], at_ns: int) -> None:
        self._cfg, self._rows = cfg, rows_of(config)
        rows = {(d, name): row for d, named in self._rows.items() for name, row in named.items()}
        for key, row in rows.items():
            if key in self._settings:
                self._settings[key].configure(row)
            else:
                self._settings[key] = Setting(*key, row)
        for key in self._settings.keys() - rows.keys():
            del self._settings[key]
        self._since_ns = {device: self._since_ns.get(device, at_ns) for device in self._rows}

    def _take(self, event: Mapping[str, Any], where: str) -> None:
        device, at_ns = event["device"], event["at_ns"]
        read, unread = event["read"], event["unread"]
        if read.keys() | unread.keys() != self._rows.get(device, {}).keys():
            sentence = f"It reads other settings of {shown(device)} than the configuration names."
            self._report.add("E-GROUPS", where, sentence)
            return
        if at_ns - self._since_ns[device] > LATE_NS:
            self._late(device, self._since_ns[device], at_ns, where)
        self._since_ns[device] = at_ns
        for name in sorted(read):
            self._unread.discard((device, name))
            self._value((device, name), read[name], where, at_ns)
        for name in sorted(unread):
            if (device, name) not in self._unread:
                self._unread.add((device, name))
                sentence = f"{device} {name} could not be read (quality {unread[name]})."
                self._report.add("W-METER-UNREAD", where, sentence)

    def _value(self, key: Key, value: str, where: str, at_ns: int) -> None:
        setting = self._settings[key]
        departure, change = setting.take(value)
        if change:
            reason = stated_of(setting.row)[-1][1]
            sentence = f"{change}, as the configuration states: {reason}"
            self._report.add("N-METER-SETTING", where, sentence)
        if departure is not None:
            item = _Open(departure, where, at_ns)
            if len(self._open) < OPEN_MAX:
                self._open.append(item)
            else:
                self._tell(item)

    def _tell(self, item: _Open) -> None:
        sentence = (
            f"{item.departure} (read first {utc(item.at_ns)}), and no later configuration here "
            "explains it."
        )
        self._report.add("E-METER-SETTING", item.where, sentence)

    def _late(self, device: str, since_ns: int, at_ns: int, where: str) -> None:
        hours = (at_ns - since_ns) / HOUR_NS
        sentence = f"{device}: its settings were not read for {hours:.1f} h from {utc(since_ns)}."
        self._report.add("W-METER-UNREAD", where, sentence)
