"""A look at a place, as lines for a person and as plain values for a program. Pure."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from edge.commissioning.look import Look, Neighbour
from edge.commissioning.orders import ORDERS, ORDERS_OF_ONE, Taking, letters

_WIDTH = 23  # the longest 64-bit number, its marks and a space
_NO_NUMBER = "-"


def lines(look: Look) -> Iterator[str]:
    """What `stackproof edge read` prints of one place."""
    yield f"{look.point or look.device}: {look.place}"
    if look.asked:
        yield f"  asked   {look.asked}"
    if look.words:
        yield f"  words   {_words(look)}"
    elif look.raw:
        yield f"  bytes   {look.raw.hex()} (least significant first)"
    for name, text in look.said.items():
        yield f"  {name:13} {text}"
    if look.shown is not None:
        yield f"  value   {look.shown.text}   {look.shown.verdict}"
    if look.trouble:
        yield f"  trouble {look.trouble}"
        if look.advice:
            yield f"  do      {look.advice}"
    yield from _table(look)
    yield from _beside(look)


def _words(look: Look) -> str:
    if look.table in ("coil", "discrete"):
        return " ".join(map(str, look.words))
    return " ".join(f"0x{word:04X}" for word in look.words)


def _table(look: Look) -> Iterator[str]:
    """Types down, orders across, the profile's own marked."""
    if not look.takings:
        return
    marked = None if look.taken is None else look.takings[look.taken]
    point = look.shown is not None
    yield ""
    note = "; > < is what the profile takes" if point else ""
    yield f"  the same words under every type and order, not scaled{note}"
    yield from _rows(look.takings, marked)
    if point and marked is None:
        yield "  (the profile takes none of these: it says how in its row)"


def _rows(takings: Sequence[Taking], marked: Taking | None) -> Iterator[str]:
    for width in (1, 2, 4):
        here = [taking for taking in takings if taking.words == width]
        if not here:
            continue
        orders = ORDERS_OF_ONE if width == 1 else ORDERS
        heads = "".join(letters(width, *order).rjust(_WIDTH) for order in orders)
        yield f"  {'':6}{heads}".rstrip()
        for name in dict.fromkeys(taking.type for taking in here):
            row = [taking for taking in here if taking.type == name]
            cells = "".join(_cell(taking, is_marked=taking is marked) for taking in row)
            yield f"  {name:6}{cells}".rstrip()


def _cell(taking: Taking, *, is_marked: bool) -> str:
    text = number_text(taking.value)
    return (f">{text}<" if is_marked else f"{text} ").rjust(_WIDTH)


def number_text(value: float | None) -> str:
    """A raw number, floats with as many digits as tell them apart from their neighbours."""
    if value is None:
        return _NO_NUMBER
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else _NO_NUMBER
    return str(value)


def _beside(look: Look) -> Iterator[str]:
    if not look.neighbours or look.address is None:
        return
    own = "" if look.shown is None else look.shown.text
    this = Neighbour(look.address, look.words, own or look.trouble)
    yield ""
    as_row = "" if look.shown is None else ", as this row would take them"
    yield f"  one address lower and higher{as_row}"
    for at in sorted((*look.neighbours, this), key=lambda at: at.address):
        hexed = " ".join(f"0x{word:04X}" for word in at.words)
        mark = "   < this one" if at is this else ""
        yield f"  {look.table} {at.address:#06x}  {hexed:20} {at.text}{mark}".rstrip()
        yield from _rows(at.takings, None)


def as_map(look: Look) -> dict[str, Any]:
    """The same for programs."""
    return {
        "point": look.point or None,
        "device": look.device,
        "place": look.place,
        "asked": look.asked,
        "table": look.table or None,
        "address": look.address,
        "words": [f"{word:04x}" for word in look.words],
        "raw": look.raw.hex(),
        **({} if look.shown is None else look.shown.as_map()),
        "said": dict(look.said),
        "takings": [
            {**_taking(taking), "profile": place == look.taken}
            for place, taking in enumerate(look.takings)
        ],
        "neighbours": [_neighbour(neighbour) for neighbour in look.neighbours],
        "trouble": look.trouble or None,
        "advice": look.advice or None,
    }


def _taking(taking: Taking) -> dict[str, Any]:
    return {"type": taking.type, "order": taking.order, "value": taking.value}


def _neighbour(neighbour: Neighbour) -> dict[str, Any]:
    return {
        "address": neighbour.address,
        "words": [f"{word:04x}" for word in neighbour.words],
        "text": neighbour.text,
        "takings": [_taking(taking) for taking in neighbour.takings],
    }


def summary(looks: Sequence[Look]) -> Iterator[str]:
    """One line a point, for a whole device."""
    width = max((len(look.point) for look in looks), default=0)
    for look in looks:
        value = "-" if look.shown is None else look.shown.text
        verdict = look.trouble or ("" if look.shown is None else look.shown.verdict)
        yield f"{look.point:{width}}  {value:24} {verdict}"
