"""What a month's checklist says in words, in a language. Pure."""

from collections.abc import Mapping
from typing import Any

from cloud.api.rendering import STRINGS
from cloud.api.times import written
from edge.calc.flags import Flag
from edge.calc.local_time import clock_of


def told(language: str, key: str, **values: object) -> str:
    """A text of the table with its values."""
    text = STRINGS[language][key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def at(ns: int, zone: str) -> str:
    """An instant by the clock of a zone."""
    return written(ns, clock_of(zone))


def age(language: str, seconds: int) -> str:
    """How old something is, in its largest whole unit."""
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length_s:
            return told(language, f"age.{unit}", n=seconds // length_s)
    return told(language, "age.s", n=seconds)


def owed(language: str, one: Mapping[str, Any], zone: str) -> str:
    """What one thing that is owed is."""
    values = dict(one["values"])
    if "at_ns" in values:
        values["at"] = at(values["at_ns"], zone)
    if "flag" in values:
        values["flag"] = Flag(values["flag"]).sentence(language)
    if "kind" in values:
        values["kind"] = kind(language, values["kind"])
    if "person" in values:
        values["person"] = by(language, values["person"])
    if "event" in values:
        values["event"] = STRINGS[language][f"month.event.{values['event']}"]
    return told(language, f"month.owed.{one['what']}", **values)


def kind(language: str, name: str) -> str:
    """A kind of documents; one that has no text by its own name."""
    return STRINGS[language].get(f"month.kind.{name}", name)


def by(language: str, name: str) -> str:
    """Who owes it: a role in words, or a name as the plan has it."""
    return STRINGS[language].get(f"month.by.{name}", name)


def left(language: str, days: int) -> str:
    """How many days are left, or over."""
    if days == 0:
        return told(language, "month.left.today")
    return told(language, "month.left" if days > 0 else "month.left.over", days=abs(days))


def said(row: Mapping[str, Any]) -> dict[str, Any]:
    """A month's row with an English sentence beside each thing that is owed."""
    told_ones = [{**one, "sentence": owed("en", one, row["zone"])} for one in row["owed"]]
    return {**row, "owed": told_ones}
