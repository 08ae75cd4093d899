"""What an alarm says in words, in a language. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cloud.alarms.core import Alarm
from cloud.api.times import written
from edge.calc.local_time import clock_of

#: alarms of these were worded for the live page already
_WORDED = ("edge", "collector")


def _texts(language: str) -> Mapping[str, str]:
    from cloud.api.rendering import STRINGS  # a server's modules: commands read a config without

    return STRINGS[language]


def clock_time(at_ns: int, zone: str) -> str:
    """An instant by the clock of a zone."""
    return written(at_ns, clock_of(zone))


def volts(text: str) -> str:
    """A voltage as people read it, with one decimal."""
    return f"{Decimal(text):.1f}"


def told(language: str, key: str, **values: object) -> str:
    """A text of the table with its values."""
    text = _texts(language)[key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def title(alarm: Alarm, language: str) -> str:
    """In a few words, what it is about."""
    key = alarm.key
    about = key.about or key.gateway or told(language, "alarms.plant")
    room, _, reason = key.kind.partition(".")
    short = _texts(language).get(f"alarms.short.{reason}", reason)
    return told(language, f"alarms.kind.{room}", about=about, reason=short)


def sentence(alarm: Alarm, language: str, zone: str) -> str:
    """What is so, and what to do."""
    room, _, reason = alarm.key.kind.partition(".")
    values = _shown(alarm.values, language, zone)
    if room not in _WORDED:
        return told(language, f"alarms.say.{alarm.key.kind}", **values)
    key = f"alarm.{reason}" if room == "collector" else f"alarm.{alarm.key.kind}"
    if key not in _texts(language):
        key = "alarm.edge" if room == "edge" else "alarm.other"
    return told(language, key, reason=reason, **values)


def line(alarm: Alarm, language: str, zone: str) -> str:
    """Title and sentence in one line."""
    said = {"title": title(alarm, language), "sentence": sentence(alarm, language, zone)}
    return told(language, "alarms.line", **said)


def _shown(values: Mapping[str, Any], language: str, zone: str) -> dict[str, str]:
    """Values as people read them: instants by the plant's clock, what is missing said so."""
    shown = {}
    for name, value in values.items():
        if name.endswith("_ns"):
            never = told(language, "alarms.never")
            shown[name.removesuffix("_ns")] = clock_time(value, zone) if value else never
        elif isinstance(value, Mapping):  # worded in each language already
            shown[name] = str(value[language])
        elif name == "v_max":
            shown[name] = volts(value)
        elif name == "is_learned":
            band = "alarms.band.learned" if value else "alarms.band.given"
            shown["band"] = told(language, band)
        else:
            shown[name] = "–" if value is None else str(value)
    return shown
