"""What people elsewhere are told of: some alarms in one message, a flood as a sum. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.alarms.core import Alarm
from cloud.alarms.texts import line, title, told
from cloud.collector.rejects import plain

#: more alarms than this in one message are only counted
LISTED_MAX = 20
LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Notice:
    """One message.

    Attributes:
        at_ns: when it was put together, UTC ns.
        alarms: told one by one, with the time zone of their plant; the most urgent first.
        more: further ones by priority.
        dropped: alarms that were not told of at all, because too many waited.
    """

    at_ns: int
    alarms: Sequence[tuple[Alarm, str]]
    more: Mapping[int, int]
    dropped: int = 0

    @property
    def is_flood(self) -> bool:
        """Were there more than are told one by one?"""
        return bool(self.more or self.dropped)

    def as_map(self) -> dict[str, Any]:
        """JSON-ready, for a webhook."""
        return {
            "v": 1,
            "at_ns": self.at_ns,
            "alarms": [_row(alarm, zone) for alarm, zone in self.alarms],
            "more_by_priority": {str(name): count for name, count in self.more.items()},
            "dropped": self.dropped,
        }

    def subject(self) -> str:
        """A mail's subject line: the most urgent one, and how many there are."""
        first, _ = self.alarms[0]
        others = len(self.alarms) - 1 + sum(self.more.values()) + self.dropped
        more = f" (+{others})" if others else ""
        words = " · ".join(title(first, language) for language in LANGUAGES)
        return plain(f"[stackproof] {first.key.plant} {first.priority}: {words}{more}")

    def text(self) -> str:
        """A mail's text, in both languages."""
        return "\n\n".join(self._text(language) for language in LANGUAGES) + "\n"

    def _text(self, language: str) -> str:
        lines = []
        for alarm, zone in self.alarms:
            # of one line: nobody forges a line of another's
            said = " ".join(line(alarm, language, zone).split())
            lines.append(f"[{alarm.priority}] {alarm.key.plant} {said}")
        for priority, count in sorted(self.more.items()):
            lines.append(told(language, "alarms.notice.more", priority=priority, n=count))
        if self.dropped:
            lines.append(told(language, "alarms.notice.dropped", n=self.dropped))
        return "\n".join([*lines, told(language, "alarms.notice.foot")])


def make_notice(alarms: Sequence[tuple[Alarm, str]], dropped: int, at_ns: int) -> Notice:
    """Put alarms together, each with its plant's zone; at least one.

    Of one priority each plant has its first before any has its second: none floods out another's.
    """
    nth, ranked = Counter[tuple[int, str]](), list[tuple[int, int, int, tuple[Alarm, str]]]()
    for pair in sorted(alarms, key=lambda pair: pair[0].raised_ns):
        alarm = pair[0]
        nth[alarm.priority, alarm.key.plant] += 1
        ranked.append((alarm.priority, nth[alarm.priority, alarm.key.plant], alarm.raised_ns, pair))
    ordered = [pair for *_, pair in sorted(ranked, key=lambda one: one[:3])]
    more = Counter(alarm.priority for alarm, _ in ordered[LISTED_MAX:])
    return Notice(at_ns, ordered[:LISTED_MAX], dict(more), dropped)


def _row(alarm: Alarm, zone: str) -> dict[str, Any]:
    names = ("number", "priority", "raised_ns")
    return {
        **alarm.key._asdict(),
        **{name: getattr(alarm, name) for name in names},
        "values": dict(alarm.values),
        "time_zone": zone,
        **{language: line(alarm, language, zone) for language in LANGUAGES},
    }
