"""The record: what is still to be looked at, making it, and the file. Pure."""

from edge.commissioning.page.here import Here, rows, table
from edge.commissioning.page.seen import Made
from edge.commissioning.page.tags import Content, Markup, tag
from edge.commissioning.page.view_face import name_field, signed, verdict_of
from edge.commissioning.record import Entry


def record_view(here: Here) -> str:
    """The page."""
    words, made = here.words, here.session.made
    lead = tag(
        "section", tag("h2", words("record.head")), tag("p", words("record.lead")),
        here.post("make", "", name_field(here), here.beside(""), label=words("record.make")),
        class_="card",
    )  # fmt: skip
    return here.whole(lead, None if made is None else _made(here, made), _typed(here))


def _made(here: Here, made: Made) -> Markup:
    words = here.words
    facts = rows(
        (words("record.made"), words.time(made.record.made_ns)), (words("name"), made.record.by),
        (words("record.file"), made.name), ("SHA-256", made.sha256),
    )  # fmt: skip
    whole = words("record.whole") if made.record.is_whole else words("record.part")
    kind = "state" if made.record.is_whole else "state bad"
    links = tag(
        "p", tag("a", words("record.open"), href=here.to("record.html"), class_="button"), " ",
        tag("a", words("record.save"), href=here.to("record.html", "save"), class_="button",
            download=made.name),
    )  # fmt: skip
    return tag("section", tag("h2", words("record.is-made")), tag("p", whole, class_=kind), facts,
               links, tag("p", words("record.sign")), class_="card", id="made")  # fmt: skip


def _typed(here: Here) -> Markup:
    """What the record will hold of face values; points without one are counted."""
    words, session = here.words, here.session
    bound = [one for device in session.part.site.devices for one in device.points]
    heads: list[Content] = [
        words(key)
        for key in ("point", "face.typed", "face.read", "face.difference", "face.percent",
                    "face.check")
    ]  # fmt: skip
    entries = [session.entries[one.point.id] for one in bound if one.point.id in session.entries]
    left = words("record.left", typed=len(entries), count=len(bound))
    body = [_row(here, entry) for entry in entries]
    return tag("section", tag("h2", words("record.typed")), tag("p", left),
               table(words("record.typed"), heads, body) if body else None,
               class_="card")  # fmt: skip


def _row(here: Here, entry: Entry) -> Markup:
    words, unit = here.words, "" if entry.shown.unit == "1" else f" {entry.shown.unit}"
    at = "" if entry.face_ns is None else words.time(entry.face_ns)
    return tag(
        "tr", tag("td", tag("a", entry.point, href=here.to("point", entry.point))),
        tag("td", f"{entry.face:f}{unit}", tag("div", at, class_="dim"), class_="n"),
        tag("td", entry.shown.text, tag("div", words.time(entry.read_ns), class_="dim"),
            class_="n"),
        tag("td", signed(entry.difference, unit), class_="n"),
        tag("td", signed(entry.percent, " %"), class_="n"),
        tag("td", verdict_of(here, entry)),
    )  # fmt: skip
