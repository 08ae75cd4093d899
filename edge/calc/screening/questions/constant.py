"""Does a value that always moves stand still for three quarter-hours and more?"""

from collections.abc import Iterator

import numpy as np

from edge.calc.screening.chance import at_least
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.quarters import QUARTER_NS
from edge.calc.screening.question import Plot, Result, question
from edge.calc.screening.still import stillness
from edge.calc.screening.stretches import stretches

#: a value whose calmest quarters repeat so often holds still by its nature
_RARE = 0.01
_QUARTERS_LEAST, _CALM = 100, 0.998


@question(
    "constant-values",
    source="this program's own; binomial tail of quarters in which each reading repeats, each with "
    "the chance that the calmest of the moving quarters, but for two in a thousand, gives",
)
def constant(month: ScreenedMonth) -> Iterator[Result]:
    """Each gauge whose quarter-hours hardly ever repeat one reading throughout."""
    for row in month.gauges:
        found = stillness(month, row)
        if found.moving.sum() < _QUARTERS_LEAST:
            continue
        pairs, equal = found.pairs[found.moving], found.equal[found.moving]
        typical = int(np.median(pairs))
        calm = float(np.quantile(equal / pairs, _CALM))
        repeats = (calm * typical + 1) / (typical + 2)  # Laplace: it was never quite impossible
        each = repeats**typical
        if each > _RARE:
            continue
        count, level = int(found.stuck.sum()), month.levels[row]
        usual = level[found.moving]
        ranks = [float((usual < level[at]).mean()) for at in np.flatnonzero(found.stuck)]
        point, marked = month.quarters.points[row], stretches(found.stuck)
        yield Result(
            "constant-values", month.plant, month.month, point.id, f"{count / 4:g} h",
            at_least(count, int(found.enough.sum()), each),
            facts={
                "hours": f"{count / 4:g}", "stretches": str(len(marked)),
                "share": f"{100 * each:.1g}",
                "load": f"{100 * float(np.mean(ranks)):.0f}" if ranks else "–",
            },
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(level), marked
            ) if count else None,
        )  # fmt: skip
