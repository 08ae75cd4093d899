"""The register view of a point: words, every type and order, what stands beside it. Pure."""

from collections.abc import Sequence

from edge.commissioning.look import Look, Neighbour
from edge.commissioning.look_text import number_text
from edge.commissioning.orders import ORDERS, ORDERS_OF_ONE, Taking, letters
from edge.commissioning.page.here import Here, rows, table
from edge.commissioning.page.tags import Content, Markup, tag
from edge.commissioning.page.view_face import face_section
from edge.drivers.base import BoundPoint

BITS = ("coil", "discrete")


def point_view(here: Here) -> str:
    """The page; RefusedError when there is no such point."""
    words, name = here.words, here.asked.name
    device, bound = here.session.point(name)
    seen = here.session.points.get(name)
    back = tag("p", tag("a", words("point.back"), href=f"{here.to('devices')}#{device.id}"))
    parts: list[Content] = [
        back, tag("h2", name), rows((words("place"), words.place(bound.point.source))),
        here.post("read", name, here.beside(device.id), label=words("point.read")),
    ]  # fmt: skip
    if seen is None:
        parts.append(tag("p", words("point.unread"), class_="note"))
    else:
        parts.append(tag("p", words("point.at", time=words.time(seen.at_ns)), class_="dim"))
        if seen.look is None:
            parts += [tag("p", words("point.away"), class_="note bad"),
                      tag("p", seen.trouble, lang="en")]  # fmt: skip
    first = tag("section", *parts, class_="card")
    look = None if seen is None else seen.look
    return here.whole(
        first,
        None if look is None else _value(here, look),
        face_section(here, device.id, bound),
        None if look is None else _takings(here, look),
        None if look is None else _beside(here, bound, look),
    )


def _value(here: Here, look: Look) -> Markup:
    words, parts = here.words, list[Content]()
    if look.shown is not None:
        number = "–" if look.shown.number is None else look.shown.number
        unit = "" if look.shown.unit == "1" else f" {look.shown.unit}"
        name = f" ({look.shown.name})" if look.shown.name else ""
        parts.append(tag("p", number, tag("span", unit + name), class_="value"))
        good = look.shown.quality.usable
        parts.append(tag("p", words.quality(int(look.shown.quality)),
                         class_="state" if good else "state bad"))  # fmt: skip
    said: list[tuple[str, Content]] = []
    if look.asked:
        said.append((words("point.asked"), here.said(look.asked)))
    if look.words:
        said.append((words("point.words"), _words(look.table, look.words)))
    elif look.raw:
        said.append((words("point.bytes"), look.raw.hex()))
    said += [(words(f"said.{name.replace(' ', '-')}"), text) for name, text in look.said.items()]
    parts.append(rows(*said))
    if look.trouble:
        parts.append(tag("p", here.said(look.trouble), class_="note bad"))
        parts.append(tag("p", here.said(look.advice)) if look.advice else None)
    return tag("section", tag("h2", words("point.value")), *parts, class_="card")


def _words(place: str, cells: Sequence[int]) -> str:
    return " ".join(str(cell) if place in BITS else f"0x{cell:04X}" for cell in cells)


def _takings(here: Here, look: Look) -> Markup | None:
    """Types down, orders across; the one that the site file takes is marked by a word."""
    if not look.takings:
        return None
    words = here.words
    marked = None if look.taken is None else look.takings[look.taken]
    none = None if marked is not None else tag("p", words("takings.none"), class_="note")
    return tag("section", tag("h2", words("takings.head")), tag("p", words("takings.lead")), none,
               *_grids(here, look.takings, marked), class_="card")  # fmt: skip


def _grids(here: Here, every: Sequence[Taking], marked: Taking | None) -> list[Markup]:
    """A table for each width."""
    grids = []
    for width in dict.fromkeys(taking.words for taking in every):
        of_width = [taking for taking in every if taking.words == width]
        orders = ORDERS_OF_ONE if width == 1 else ORDERS
        heads: list[Content] = [
            here.words("type"),
            *(tag("div", letters(width, *order), class_="n") for order in orders),
        ]
        body = [
            tag("tr", tag("th", name, scope="row"),
                *(_cell(here, taking, is_marked=taking is marked)
                  for taking in of_width if taking.type == name))
            for name in dict.fromkeys(taking.type for taking in of_width)
        ]  # fmt: skip
        grids.append(table(here.words("takings.head"), heads, body))
    return grids


def _cell(here: Here, taking: Taking, *, is_marked: bool) -> Markup:
    number = number_text(taking.value)
    if not is_marked:
        return tag("td", number, class_="n")
    mark = tag("div", here.words("takings.taken"), class_="dim")
    return tag("td", number, mark, class_="n taken")


def _beside(here: Here, bound: BoundPoint, look: Look) -> Markup | None:
    """One address lower, this, one higher, each as the site file's row would take it."""
    if not look.neighbours or look.address is None:
        return None
    words, own = here.words, "" if look.shown is None else look.shown.text
    this = Neighbour(look.address, look.words, own or look.trouble)
    heads: list[Content] = [
        words("beside.address"), words("point.words"),
        words("beside.value", type=bound.register.type_name),
    ]  # fmt: skip
    every = sorted((*look.neighbours, this), key=lambda at: at.address)
    body = [
        tag(
            "tr",
            tag("td", f"{look.table} {at.address:#06x}", _offset(here, at.address - this.address)),
            tag("td", tag("code", _words(look.table, at.words) or "–")),
            tag("td", at.text, class_="n"),
            class_="taken" if at is this else None,
        )
        for at in every
    ]
    more: list[Content] = [
        tag("details", tag("summary", words("beside.orders", address=f"{at.address:#06x}")),
            *_grids(here, at.takings, None))
        for at in every if at.takings
    ]  # fmt: skip
    return tag("section", tag("h2", words("beside.head")), tag("p", words("beside.lead")),
               table(words("beside.head"), heads, body), *more, class_="card")  # fmt: skip


def _offset(here: Here, offset: int) -> Markup:
    said = here.words("beside.this") if not offset else f"{offset:+d}"
    return tag("div", said, class_="dim")
