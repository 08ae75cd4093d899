"""A plot of one answer as SVG: the series, where it was looked at, and its limits. Pure."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape

from edge.calc.screening.question import Plot

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 960, 300, 70, 46, 34
#: days of papers and plants are China's
_CHINA = timezone(timedelta(hours=8))
_DAY_NS = 86_400 * 10**9


def svg(title: str, plot: Plot) -> str:
    """One file; text is escaped, nothing is fetched and no script is in it."""
    known = [v for v in plot.values if v is not None]
    low, high = min([*known, *plot.levels], default=0.0), max([*known, *plot.levels], default=1.0)
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    low, high = low - room, high + room
    count = max(1, len(plot.values) - 1)

    def x(place: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * place / count

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    base = _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="38" fill="#555">{escape(_unit(plot))}</text>',
    ]
    for first, last in plot.marked:
        wide = max(2.0, x(last) - x(first))
        parts.append(
            f'<rect x="{x(first):.1f}" y="{_TOP}" width="{wide:.1f}" height="{base - _TOP}" '
            'fill="#f2b705" fill-opacity="0.45"/>'
        )
    for value in (low + room, high - room):
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    for level in plot.levels:
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y(level):.1f}" y2="{y(level):.1f}" '
            'stroke="#b00020" stroke-dasharray="6 4"/>'
        )
    parts += [
        f'<path d="{" ".join(_steps(plot, x, y))}" fill="none" stroke="#0b5cad"/>',
        f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{base}" y2="{base}" stroke="#555"/>',
        *_days(plot, x, base),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _steps(plot: Plot, x: "_Scale", y: "_Scale") -> Iterator[str]:
    drawing = False
    for place, value in enumerate(plot.values):
        if value is not None:
            yield f"{'L' if drawing else 'M'}{x(place):.1f} {y(value):.1f}"
        drawing = value is not None


def _unit(plot: Plot) -> str:
    return "" if plot.unit == "1" else plot.unit


def _days(plot: Plot, x: "_Scale", base: int) -> Iterator[str]:
    """A date every five days."""
    for day in range(0, len(plot.values) * plot.step_ns // _DAY_NS, 5):
        at = datetime.fromtimestamp((plot.from_ns + day * _DAY_NS) // 10**9, UTC)
        yield (
            f'<text x="{x(day * _DAY_NS / plot.step_ns):.1f}" y="{base + 18}">'
            f"{at.astimezone(_CHINA):%m-%d}</text>"
        )


_Scale = Callable[[float], float]
