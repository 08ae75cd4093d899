"""Drawings of a month as SVG. Pure; numbers in them are decimal strings or shares of a whole.

A drawing shows the shape; the figures stand in the tables beside it.
"""

from collections.abc import Sequence
from fractions import Fraction
from html import escape

import segno

from cloud.outputs.blocks import for_xml

WIDTH, HEIGHT, SIZE = 720, 190, 11
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 8, 22, 22
INK, SOFT, RULE, MAIN, WARN = "#1b2a26", "#5d6f69", "#c9d3ce", "#1f7a5f", "#c4572e"


def bars(
    labels: Sequence[str],
    values: Sequence[Fraction | None],
    *,
    unit: str,
    top: Fraction | None = None,
    warn_below: Fraction | None = None,
) -> str:
    """A bar for each label; None leaves a hatched place: there is no value.

    Args:
        labels: below the bars.
        values: not below zero.
        unit: at the axis.
        top: of the axis; the largest value otherwise.
        warn_below: bars below it have another colour.
    """
    highest = top or max((value for value in values if value is not None), default=Fraction(0))
    highest = _round_up(highest) if top is None else highest
    step = Fraction(WIDTH - _LEFT - _RIGHT, max(len(values), 1))
    parts = [_axis(highest, unit)]
    floor = HEIGHT - _BOTTOM
    for n, (label, value) in enumerate(zip(labels, values, strict=True)):
        x, width = float(_LEFT + n * step), float(step)
        if value is None:
            parts.append(_rect(x + 1, _TOP, width - 2, floor - _TOP, "#f1e4dd"))
        else:
            tall = float(value / highest) * (floor - _TOP) if highest else 0.0
            low = warn_below is not None and value < warn_below
            parts.append(_rect(x + 1, floor - tall, width - 2, tall, WARN if low else MAIN))
        parts.append(_text(x + width / 2, HEIGHT - 8, label, "middle", SOFT))
    return _svg("".join(parts), HEIGHT)


def shares(rows: Sequence[tuple[str, str, Fraction]], unit: str) -> str:
    """Horizontal bars: name, its figure as a string, its size; below zero is drawn apart."""
    size, left, gap = 16, 300, 4
    room = WIDTH - left - 120
    highest = max((abs(value) for _, _, value in rows), default=Fraction(1)) or Fraction(1)
    parts = []
    for n, (name, figure, value) in enumerate(rows):
        y = n * (size + gap) + 2
        long = float(abs(value) / highest) * room
        parts.append(_text(left - 6, y + 12, _fitted(name, left - 10), "end", INK))
        parts.append(_rect(left, y, long, size, WARN if value < 0 else MAIN))
        parts.append(_text(left + long + 5, y + 12, f"{figure} {unit}", "start", INK))
    return _svg("".join(parts), len(rows) * (size + gap) + 4)


def qr(content: str) -> str:
    """A QR code, error correction M."""
    made = segno.make(content, error="m", micro=False)
    return str(made.svg_inline(scale=4, border=4, light="#ffffff"))


def _fitted(words: str, room: float) -> str:
    """The end of what is too long, where lines of one material differ."""
    widths = [SIZE if ord(mark) > 0x2E80 else 0.53 * SIZE for mark in words]
    cut = 0
    while sum(widths[cut:]) > room:
        cut += 1
    return words if not cut else f"…{words[cut + 1 :]}"


def _axis(highest: Fraction, unit: str) -> str:
    floor = HEIGHT - _BOTTOM
    parts = [_text(_LEFT, 11, unit, "start", SOFT)]
    for part in range(5):
        y = floor - (floor - _TOP) * part / 4
        shown = f"{float(highest * part / 4):,.6g}"
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{RULE}" stroke-width="0.6"/>'
        )
        parts.append(_text(_LEFT - 5, y + 3.5, shown, "end", SOFT))
    return "".join(parts)


def _round_up(value: Fraction) -> Fraction:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    if value <= 0:
        return Fraction(1)
    power = Fraction(1)
    while power > value:
        power /= 10
    while power * 10 <= value:
        power *= 10
    steps = (Fraction(n, 2) for n in (2, 3, 4, 6, 8, 10, 12, 16, 20))
    return next(step * power for step in steps if step * power >= value)


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0):.2f}" '
        f'height="{max(height, 0):.2f}" fill="{fill}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str, fill: str) -> str:
    shown = escape(for_xml(words))
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{shown}</text>'


def _svg(body: str, height: int) -> str:
    # the typesetter finds the font by its family
    families = "Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="{families}" font-size="{SIZE}">'
        f"{body}</svg>"
    )
