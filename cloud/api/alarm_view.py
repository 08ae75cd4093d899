"""Alarms, effects and times as their pages show them, in a language."""

from dataclasses import dataclass
from decimal import Decimal

from cloud.alarms.core import SECOND_NS, Alarm, Happening
from cloud.alarms.desk import is_unsure
from cloud.alarms.facts import Effect, Unheard
from cloud.alarms.texts import sentence, title, told, volts
from cloud.api.services import Services
from cloud.api.times import CLOCK, MOMENT, offset, written
from cloud.shift.desk import lasted_ns


@dataclass(frozen=True)
class AlarmView:
    """What templates call.

    Attributes:
        given: for the plants' time zones.
        language: a key of `LANGUAGES`.
        now_ns: UTC ns.
    """

    given: Services
    language: str
    now_ns: int

    def title(self, alarm: Alarm) -> str:
        """In a few words."""
        return title(alarm, self.language)

    def sentence(self, alarm: Alarm) -> str:
        """What is so, and what to do."""
        return sentence(alarm, self.language, self._zone(alarm.key.plant))

    def at(self, at_ns: int, plant: str, form: str = MOMENT) -> str:
        """An instant by a plant's clock."""
        return written(at_ns, self.given.hub.clock_of(plant), form)

    def offset(self, plant: str) -> str:
        """The plant's clock now: "(UTC+8)"."""
        return offset(self.now_ns, self.given.hub.clock_of(plant))

    def clock(self, plant: str) -> str:
        """The plant's clock now, "hh:mm:ss (UTC+8)"."""
        return f"{self.at(self.now_ns, plant, CLOCK)} {self.offset(plant)}"

    def age(self, at_ns: int) -> str:
        """How long ago, in one unit."""
        seconds = max(0, self.now_ns - at_ns) // SECOND_NS
        for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
            if seconds >= (2 * length if unit == "d" else length):
                return told(self.language, f"age.{unit}", n=seconds // length)
        return told(self.language, "age.s", n=seconds)

    def until(self, at_ns: int) -> str:
        """How long from now, in one unit."""
        return self.age(2 * self.now_ns - at_ns)

    def what(self, one: Happening) -> str:
        """What happened, in a word."""
        return told(self.language, f"alarms.what.{one.what}")

    def lasted(self, one: Effect) -> str:
        """An effect's duration, m:ss or h:mm:ss; a dash while nobody knows whether it goes on."""
        if one.unknown_ns is not None or one.is_lost:
            return "–"
        running_ns = self.now_ns - one.start_ns
        return duration(running_ns if one.is_running else lasted_ns(one))

    def state(self, one: Effect, plant: str) -> str:
        """What is to be said of an effect beside its duration; "" of one that has ended."""
        if one.unknown_ns is not None:
            time = self.at(one.unknown_ns, plant, "%H:%M:%S")
            return told(self.language, "effect.unknown", time=time)
        if one.is_running:
            return told(self.language, "alarms.effect.now")
        return told(self.language, "alarms.effect.lost") if one.is_lost else ""

    def unheard(self, one: Unheard, plant: str) -> str:
        """A stretch in which effects are not known, in a sentence."""
        since = self.at(one.from_ns, plant, "%m-%d %H:%M:%S")
        if one.to_ns is None:
            return told(self.language, "effects.unheard", gateway=one.gateway, since=since)
        until = self.at(one.to_ns, plant, "%m-%d %H:%M:%S")
        return told(
            self.language, "effects.unread", gateway=one.gateway, since=since, until=until
        )  # fmt: skip

    def is_unsure(self, alarm: Alarm) -> bool:
        """Its gateway is silent, so that nobody knows whether it still holds."""
        return is_unsure(self.given.alarms, alarm)

    def duration(self, lasting_ns: int) -> str:
        """m:ss, or h:mm:ss."""
        return duration(lasting_ns)

    def volts(self, text: str) -> str:
        """A voltage with one decimal."""
        return volts(text)

    def mass(self, text: str | None) -> str:
        """An indicator mass in kg with two decimals, or a dash."""
        return "–" if text is None else f"{Decimal(text):.2f}"

    def _zone(self, plant: str) -> str:
        return self.given.hub.clock_of(plant).key


def duration(lasting_ns: int) -> str:
    """m:ss, or h:mm:ss."""
    seconds = max(0, lasting_ns) // SECOND_NS
    hours, minutes, rest = seconds // 3_600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
