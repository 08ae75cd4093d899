"""The mapping check: what the meter's own display shows, held against what was read. Pure."""

from decimal import Decimal

from edge.commissioning.page.here import Here, rows
from edge.commissioning.page.tags import Content, Markup, tag
from edge.commissioning.record import Entry
from edge.commissioning.value import unit_of
from edge.drivers.base import BoundPoint
from evidence.points import Role


def verdict_of(here: Here, entry: Entry) -> Markup:
    """Within or not, in words."""
    if entry.is_within is None:
        return tag("span", here.words("face.no-value"), class_="state unknown")
    if entry.is_within:
        return tag("span", here.words("face.within"), class_="state")
    return tag("span", here.words("face.outside"), class_="state bad")


def face_section(here: Here, device: str, bound: BoundPoint) -> Markup:
    """The form, and the last result."""
    words, session, name = here.words, here.session, bound.point.id
    entry = session.entries.get(name)
    unit = unit_of(bound.point.quantity)
    is_bare = bound.point.role is Role.STATE or unit == "1"
    label = words("face.bare") if is_bare else words("face.label", unit=unit)
    tolerance = "" if entry is None or entry.tolerance is None else f"{entry.tolerance:f}"
    fields: list[Content] = [
        here.field("face", label, inputmode="decimal", required=True),
        here.field("tolerance", words("face.tolerance"), tolerance, inputmode="decimal"),
        here.field("instrument", words("face.instrument"), session.instruments.get(device, "")),
        name_field(here),
        here.beside(device),
    ]
    return tag(
        "section", tag("h2", words("face.head")), tag("p", words("face.lead")),
        here.post("face", name, *fields, label=words("face.send")),
        None if entry is None else _result(here, entry), class_="card", id="face",
    )  # fmt: skip


def name_field(here: Here) -> Markup:
    """Who types; once something is typed, told."""
    words, session = here.words, here.session
    if session.entries:
        return tag("p", words("name.is", name=session.by))
    return here.field("by", words("name.label"), session.by, required=True)


def _result(here: Here, entry: Entry) -> Markup:
    words, session = here.words, here.session
    unit = "" if entry.shown.unit == "1" else f" {entry.shown.unit}"
    typed = "–" if entry.face is None else f"{entry.face:f}{unit}"
    typed_at = "" if entry.face_ns is None else f" · {words.time(entry.face_ns)}"
    said = [
        (words("face.typed"), typed + typed_at),
        (words("face.read"), f"{entry.shown.text} · {words.time(entry.read_ns)}"),
        (words("quality"), words.quality(int(entry.shown.quality))),
        (words("face.difference"), signed(entry.difference, unit)),
        (words("face.percent"), signed(entry.percent, " %")),
        (words("face.counts"), _counts(here, entry)),
        (words("face.allowed"), _allowed(here, entry)),
        (words("name"), session.by),
    ]
    return tag(
        "div", tag("h3", words("face.result"), ": ", verdict_of(here, entry)), rows(*said),
        None if entry.is_within is not False else tag("p", words("face.todo"), class_="note warn"),
        here.post("forget", entry.point, label=words("face.forget"), kind="plain"),
        class_="result",
    )  # fmt: skip


def signed(number: Decimal | None, unit: str) -> str:
    """A difference with its sign and unit, or a stroke."""
    return "–" if number is None else f"{number:{'+f' if number else 'f'}}{unit}"


def _counts(here: Here, entry: Entry) -> str:
    if entry.counts is None or entry.shown.number is None:
        return "–"
    exponent = Decimal(entry.shown.number).as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    unit = "" if entry.shown.unit == "1" else f" {entry.shown.unit}"
    told = signed(entry.counts.normalize(), "")
    return here.words("face.counts.text", counts=told, step=f"{step:f}{unit}")


def _allowed(here: Here, entry: Entry) -> str:
    if entry.tolerance is None:
        return here.words("face.by-digits")
    return here.words("face.by-percent", percent=f"{entry.tolerance:f}")
