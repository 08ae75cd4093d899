"""Does a value that always moves stand still for whole quarter-hours?"""

from collections.abc import Iterator

import numpy as np

from edge.calc.blocks import Bool
from edge.calc.screening.chance import at_least
from edge.calc.screening.month import Floats, ScreenedMonth
from edge.calc.screening.question import Plot, Result, question
from edge.calc.screening.quarters import QUARTER_NS
from edge.calc.screening.stretches import stretches
from evidence.points import Provenance

#: a value whose calmest quarters repeat so often holds still by its nature
_RARE = 0.01
_PAIRS_LEAST, _QUARTERS_LEAST = 8, 100
_CALM = 0.998
_TOGETHER = 2  # one still quarter-hour may be the turn of a slow wave


@question(
    "constant-values",
    source="this program's own; binomial tail of quarters in which each reading repeats, each with "
    "the chance that the calmest of the moving quarters, but for two in a thousand, gives",
)
def constant(month: ScreenedMonth) -> Iterator[Result]:
    """Each gauge whose quarter-hours hardly ever repeat one reading throughout."""
    kept, levels = month.kept, month.levels
    for row in month.gauges:
        pairs, equal = kept.pairs[row].astype(np.int64), kept.equal[row].astype(np.int64)
        enough = pairs >= np.maximum(_PAIRS_LEAST, int(pairs.max(initial=0)) // 2)
        still = enough & (pairs == equal)
        moving = enough & ~still
        if (moving & ~(np.convolve(still, (1, 1, 1), mode="same") > 0)).sum() < _QUARTERS_LEAST:
            continue
        typical = int(np.median(pairs[moving]))
        beside = np.convolve(still, (1, 1, 1), mode="same") > 0  # it may have begun or ended there
        calm = float(np.quantile(equal[moving & ~beside] / pairs[moving & ~beside], _CALM))
        repeats = (calm * typical + 1) / (typical + 2)  # Laplace: it was never quite impossible
        each = repeats**typical
        if each > _RARE:
            continue
        level = levels[row]
        stuck = _stuck(still, level, month.quarters.points[row].provenance)
        count = int(stuck.sum())
        chance = at_least(count, int(enough.sum()), each)
        ranks = [float((level[moving] < level[at]).mean()) for at in np.flatnonzero(stuck)]
        point = month.quarters.points[row]
        marked = stretches(stuck)
        yield Result(
            "constant-values", month.plant, month.month, point.id, f"{count / 4:g} h", chance,
            facts={
                "hours": f"{count / 4:g}", "stretches": str(len(marked)),
                "readings": str(typical + 1), "share": f"{100 * each:.1g}",
                "load": f"{100 * float(np.mean(ranks)):.0f}" if ranks else "–",
            },
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(level), marked
            ) if count else None,
        )  # fmt: skip


def _stuck(still: Bool, level: Floats, provenance: Provenance) -> Bool:
    """Quarters in which it stands still, but for those where a machine stands.

    A machine at rest shows nothing. One at a stop, or a holder that is full, comes back to one
    value, the least or greatest; a controller comes back to its own limits: a stuck meter does not.
    """
    stuck = still & (level != 0)
    for first, last in stretches(stuck):
        stuck[first:last] = last - first >= _TOGETHER
    runs = stretches(stuck)
    ends = float(np.nanmin(level)), float(np.nanmax(level))
    for first, last in runs:
        value = level[first]
        again = sum(_same(level[other], value) for other, _ in runs) > 1
        is_end = any(_same(value, end) for end in ends)
        if again and (is_end or provenance is Provenance.VIA_CONTROL_SYSTEM):
            stuck[first:last] = False
    return stuck


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(other))
