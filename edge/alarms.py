"""What an engineer must be told about the spool and the log, once when it begins. Pure but for log.

An alarm is a line in the log, a name in every live message, and a signed event in the next frame.
"""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from edge.condition import Condition
from edge.schedule import FAR_NS, SLEW
from edge.trouble import DAMAGED, FORK, UNHEARD, standing_troubles
from evidence.log_lines import about

log = logging.getLogger("stackproof.edge")

FILLING, FULL, OLD = "spool-filling", "spool-full", "spool-old"
DISK_LOW, TWO_LOGS = "disk-low", "log-inconsistent"
BROKER_CERTIFICATE = "broker-certificate"
CLOCK_AHEAD, KEY_AWAY = "clock-ahead", "key-away"
CLOCK_DOUBT = "clock-doubt"
METER_SETTING, METRICS_AWAY = "meter-setting", "metrics-away"
WAY_BLOCKED = "way-blocked"
# each begins at the first and ends at the second: one object more or less is not a new alarm
FILLING_FROM, FILLING_UNTIL = 0.8, 0.75
DISK_LOW_FROM, DISK_LOW_UNTIL = 64 * 2**20, 80 * 2**20
NS_PER_DAY = 86_400 * 1_000_000_000


def standing(
    condition: Condition,
    now_ns: int,
    age_max_ns: int,
    *,
    broker_certificate: str = "",
    departures: Sequence[str] = (),
    before: Sequence[str] = (),
) -> dict[str, str]:
    """Name -> sentence of every alarm that stands.

    Args:
        condition: of the spool and the log.
        now_ns: wall clock.
        age_max_ns: how old the oldest object without a receipt may be.
        broker_certificate: what is wrong with the certificate for the broker, "" for nothing.
        departures: a sentence for each setting of a meter that is not what it should be.
        before: the alarms that stood until now.
    """
    found = standing_troubles(condition.troubles, now_ns)
    said = {
        BROKER_CERTIFICATE: broker_certificate, METRICS_AWAY: condition.unanswered,
        WAY_BLOCKED: condition.blocked, CLOCK_DOUBT: condition.doubt,
    }  # fmt: skip
    found |= {name: why for name, why in said.items() if why}
    if condition.fill >= 1:
        found[FULL] = "spool is full: no readings are taken"
    if condition.fill >= (FILLING_UNTIL if FILLING in before else FILLING_FROM):
        found[FILLING] = f"spool is {condition.fill * 100:.0f} % full"
    low = DISK_LOW_UNTIL if DISK_LOW in before else DISK_LOW_FROM
    if condition.disk_free_bytes < low:
        found[DISK_LOW] = (
            f"the spool's disk has {condition.disk_free_bytes >> 20} MiB left: make room; the "
            "last 12 are kept for receipts, and no readings are taken into them"
        )
    if condition.oldest_ns and now_ns - condition.oldest_ns > age_max_ns:
        days = (now_ns - condition.oldest_ns) // NS_PER_DAY
        found[OLD] = f"the oldest object without a receipt is {days} days old"
    if condition.two_logs is not None:
        size = condition.two_logs["log"][0]
        found[TWO_LOGS] = (
            f"the collector has shown two histories of the plant's log (at {size} entries): "
            "readings go on; tell the plant and its reviewers, the proof is in the spool"
        )
    if condition.unsigned_ns is not None and not {FORK, UNHEARD} & condition.troubles.keys():
        found[KEY_AWAY] = (
            f"the gateway's key does not sign: {condition.unsigned} frames wait for it, the oldest "
            f"of {_time(condition.unsigned_ns)}. Readings go on until the spool is full, and are "
            "signed in order when the key is back: look at the token, its PIN file and its module"
        )
    if departures:
        more = f"; and {len(departures) - 1} more" if len(departures) > 1 else ""
        found[METER_SETTING] = (
            f"{departures[0]}{more}. The month fails until the site file states the value and why "
            "([[device.stated]])"
        )
    if condition.through_ns - now_ns > FAR_NS:
        found[CLOCK_AHEAD] = _ahead(condition.through_ns, now_ns)
    return found


def _ahead(through_ns: int, now_ns: int) -> str:
    lead_s = (through_ns - now_ns) // 1_000_000_000
    return (
        f"the stream's newest reading is of {_time(through_ns)}, {_span(lead_s)} ahead of this "
        "machine's clock. If the clock is wrong, set it. If it is right, readings are stamped too "
        f"late for {_span(lead_s * SLEW)} more, since a stream's time never goes back: go on as a "
        "new plant, with its own root, keys and state_dir (stackproof keys new). A replace order "
        "does not help: it goes on from the same instant; no month of two gateways can be closed"
    )


def _time(at_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(at_ns // 1_000_000_000, dt.UTC):%Y-%m-%d %H:%M} UTC"


def _span(seconds: int) -> str:
    """A span of time for people."""
    return f"{seconds // 86_400} days" if seconds >= 2 * 86_400 else f"{seconds // 60} minutes"


class Alarms:
    """The alarms of a running agent.

    Attributes:
        names: those that stand.
    """

    def __init__(self, age_max_ns: int) -> None:
        """Begin without any."""
        self.names: tuple[str, ...] = ()
        self._age_max_ns = age_max_ns

    def check(
        self,
        condition: Condition,
        now_ns: int,
        *,
        broker_certificate: str = "",
        departures: Sequence[str] = (),
        departing: str = "",
    ) -> list[Mapping[str, Any]]:
        """Events of the alarms that begin now; what begins and ends is logged.

        Arguments as of `standing`; `departing` is the device of the first of `departures`.
        """
        found = standing(
            condition,
            now_ns,
            self._age_max_ns,
            broker_certificate=broker_certificate,
            departures=departures,
            before=self.names,
        )
        events: list[Mapping[str, Any]] = []
        for name in found.keys() - set(self.names):
            urgent = name in (FULL, TWO_LOGS, FORK, DAMAGED, KEY_AWAY)
            level = logging.ERROR if urgent else logging.WARNING
            extra = about(device=departing if name == METER_SETTING else "")
            log.log(level, "alarm: %s", found[name], extra=extra)
            event: dict[str, Any] = {"kind": name, "at_ns": now_ns}
            if name == TWO_LOGS and condition.two_logs is not None:
                event |= condition.two_logs
            elif name in (FILLING, FULL):
                event["percent"] = int(condition.fill * 100)
            events.append(event)
        for name in set(self.names) - found.keys():
            log.warning("alarm is over: %s", name)
        self.names = tuple(sorted(found))
        return sorted(events, key=lambda event: str(event["kind"]))
