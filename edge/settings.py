"""One meter's settings: when each is asked for, and what is made of the answers. Pure.

All of them are read after each new connection, since another meter may answer there, and then
every 45 to 60 minutes, each device at its own pace. One question at a time is asked, some seconds
apart, so that a line full of meters is never asked for all at once. One reading of all of them is
one signed event. A setting that was not answered costs its timeout once a day: it is not asked in
between, and the event says so.

What differs from what the site file states, or from what was read before where it states nothing,
stands until the site file states it. `evidence.meter_settings` judges, as the verifier does.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evidence import cbor
from evidence.log_lines import about
from evidence.meter_settings import HOUR_NS, KIND, Setting, way_of
from evidence.quality import Quality
from firmware_configs.model import Profile
from firmware_configs.model import Setting as SettingRow

log = logging.getLogger("stackproof.edge.device")

ASK_NS = 5_000_000_000  # between two questions
AGAIN_NS = 600_000_000_000  # between two rounds, however often a shared connection is made anew
SILENT_NS = 24 * HOUR_NS  # how long one that is not answered is left alone

Stated = Mapping[str, tuple[tuple[str, str], ...]]


def signed_rows(profile: Profile, stated: Stated) -> dict[str, dict[str, Any]]:
    """What the configuration says of the settings that are read: FORMAT.md §5, `meter`."""
    return {
        setting.name: _row(setting, stated.get(setting.name, ())) for setting in profile.settings
    }


def _row(setting: SettingRow, stated: Sequence[tuple[str, str]]) -> dict[str, Any]:
    register = setting.register
    how = "text" if setting.is_text else register.type_name
    length = f" of {setting.text_words} registers" if setting.text_words else ""
    decimals = f", {register.decimals} decimals" if register.decimals else ""
    row: dict[str, Any] = {
        "means": setting.means, "source": f"{register.place}, {how}{length}{decimals}"
    }  # fmt: skip
    if setting.unit:
        row["unit"] = setting.unit
    if stated:
        row["stated"] = [list(pair) for pair in stated]
    return row


class MeterSettings:
    """The settings of one device.

    Attributes:
        unkept: what is to be kept in the spool with the next tick; None when nothing is.
    """

    def __init__(self, device: str, profile: Profile, stated: Stated) -> None:
        """Begin without anything read; nothing is due before `begin`."""
        self._device, self._rows = device, profile.settings
        spread = int.from_bytes(hashlib.sha256(device.encode()).digest()[:8], "big") / 2**64
        self._spread = spread  # 0 to 1, another for each device
        rows = signed_rows(profile, stated)
        self._settings = {name: Setting(device, name, row) for name, row in rows.items()}
        self._waiting: list[SettingRow] = []
        self._read: dict[str, str] = {}
        self._unread: dict[str, int] = {}
        self._ask_ns = 0
        self._begun_ns: int | None = None
        self._round_ns: int | None = None
        self._silent_until_ns: dict[str, int] = {}
        self._told: set[str] = set()
        self.unkept: bytes | None = None

    def recall(self, kept: bytes | None) -> None:
        """Take up what the spool holds; values that were read in another way count no more."""
        _recall(self._settings.values(), kept)

    @property
    def departures(self) -> list[str]:
        """A sentence for each setting that is not what it should be."""
        return _sentences(self._settings.values())

    def begin(self, now_ns: int) -> None:
        """There is a new connection: all of them are read, soon."""
        if not self._rows:
            return
        soon_ns = now_ns + int(self._spread * ASK_NS)
        if self._begun_ns is not None:
            soon_ns = max(soon_ns, self._begun_ns + AGAIN_NS)
        self._round_ns = min(soon_ns, self._round_ns or soon_ns)

    def due(self, now_ns: int) -> SettingRow | None:
        """What is to be asked now; None when nothing is."""
        if not self._waiting and self._round_ns is not None and now_ns >= self._round_ns:
            self._start(now_ns)
        if not self._waiting or now_ns < self._ask_ns:
            return None
        self._ask_ns = now_ns + ASK_NS
        return self._waiting[0]

    def take(self, value: str | Quality, now_ns: int) -> Mapping[str, Any] | None:
        """The answer to what was due; the event of the round when it is the last of it."""
        self._note(self._waiting.pop(0), value, now_ns)
        if self._waiting:
            return None
        for name, text in self._read.items():
            self._value(name, text)
        self.unkept = _encoded(self._settings.values())
        read, unread = self._read, self._unread
        return {"kind": KIND, "device": self._device, "read": read, "unread": unread}

    def _start(self, now_ns: int) -> None:
        """Begin a round; those left alone are asked only where nothing else would be."""
        asked = [row for row in self._rows if now_ns >= self._silent_until_ns.get(row.name, now_ns)]
        self._waiting, self._ask_ns = asked or list(self._rows[:1]), now_ns
        names = {row.name for row in self._waiting}
        self._read = {}
        self._unread = {r.name: int(Quality.NOT_SAMPLED) for r in self._rows if r.name not in names}
        # devices that a link took away together are not to be read together for ever
        self._begun_ns = now_ns
        self._round_ns = now_ns + int((3 + self._spread) / 4 * HOUR_NS)

    def _note(self, setting: SettingRow, value: str | Quality, now_ns: int) -> None:
        name = setting.name
        if isinstance(value, str):
            self._read[name] = value
            self._told.discard(name)
            return
        self._unread[name] = int(value)
        if value is Quality.NO_ANSWER:
            self._silent_until_ns[name] = now_ns + SILENT_NS
        if name not in self._told:
            self._told.add(name)
            log.warning(
                "%s: setting %s cannot be read (%s); whether it has changed is not known",
                self._device, name, value.name, extra=about(device=self._device),
            )  # fmt: skip

    def _value(self, name: str, text: str) -> None:
        departure, change = self._settings[name].take(text)
        if departure is not None:
            log.warning(
                "%s. Find out why; then state the new value, with the reason, under "
                "[[device.stated]] in the site file", departure,
                extra=about(device=self._device),
            )  # fmt: skip
        if change:
            log.info("%s, as stated", change, extra=about(device=self._device))


def _recall(settings: Iterable[Setting], kept: bytes | None) -> None:
    """Give settings what was kept of them: the value accepted, and what is read instead."""
    known = {} if kept is None else cbor.decode(kept)
    for setting in settings:
        way, accepted, newest = known.get(setting.name, (None, None, None))
        if way != list(way_of(setting.row)):
            continue
        setting.accepted = accepted
        if newest is not None:
            setting.take(newest)


def _encoded(settings: Iterable[Setting]) -> bytes:
    """What is kept of them."""
    return cbor.encode(
        {
            setting.name: [list(way_of(setting.row)), setting.accepted, setting.newest]
            for setting in settings
            if setting.newest is not None
        }
    )


def _sentences(settings: Iterable[Setting]) -> list[str]:
    """A sentence for each that is not what it should be."""
    return [str(setting.departed) for setting in settings if setting.departed is not None]


def standing_departures(
    device: str, profile: Profile, stated: Stated, kept: bytes | None
) -> list[str]:
    """What stands of a device by its site file and what its spool holds, for `edge status`."""
    rows = signed_rows(profile, stated)
    settings = [Setting(device, name, row) for name, row in rows.items()]
    _recall(settings, kept)
    return _sentences(settings)
