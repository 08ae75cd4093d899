"""Do marks that keep readings out, or in doubt, stand where the load is high?"""

from collections.abc import Iterator

from edge.calc.screening.loads import concentration
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Plot, Result, question
from edge.calc.screening.quarters import QUARTER_NS
from edge.calc.screening.stretches import stretches


@question(
    "marks-at-load",
    source="mean rank of the load under the marks against all its circular shifts (time-shifted "
    "surrogates: R. Andrzejak et al., Phys. Rev. E 68 (2003) 066202, recalled, not read), normal "
    "tail, one-sided",
)
def marks_at_load(month: ScreenedMonth) -> Iterator[Result]:
    """Each point with marks of maintenance or calibration, or reservations, now and then."""
    for row in month.measured:
        pattern = (month.kept.marked[row] > 0) | (month.kept.reserved[row] > 0)
        found = concentration(month, row, pattern)
        if found is None:
            continue
        point = month.quarters.points[row]
        yield Result(
            "marks-at-load", month.plant, month.month, point.id, f"rank {found.rank:.2f}",
            found.chance,
            facts={"hours": f"{found.quarters / 4:g}", "rank": f"{100 * found.rank:.0f}"},
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(found.load),
                stretches(pattern),
            ),
        )  # fmt: skip
