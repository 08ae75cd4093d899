"""By which coefficients a potline's indicator from anode effects is made: an edition's, or its own.

Own ones, edition "site", are those of the site's own measurement: 2006 IPCC Tier 3, (EU) 2025/2547
Annex II, 40 CFR 98.64 (EPA/IAI protocol). They are typed, with the words of where they come from,
and every statement that uses them says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import PlantError
from edge.calc.factors import coefficient_rows, gwp_row, gwp_sets
from edge.calc.methods.pfc import SITE, TECHNOLOGIES
from evidence.points import exact

#: PFPB-MW, of no edition: (EU) 2025/2547 Annex II asks for a measurement of one's own there
SITE_TECHNOLOGIES = (*TECHNOLOGIES, "PFPB-MW")
SLOPE_MAX, FRACTION_MAX = 10, 1
_OWN = ("slope", "c2f6_fraction", "source")
_KG_A_TONNE = 1000


@dataclass(frozen=True)
class Indicator:
    """One potline's choice.

    Attributes:
        technology, edition, gwp: names.
        cf4: kg per t of metal and AE-min/cell-day.
        fraction: kg of C2F6 per kg of CF4.
        signed: the configuration's map, by key: two are the same where their texts are.
        source: of the site's own coefficients, "" of an edition's.
    """

    technology: str
    edition: str
    gwp: str
    cf4: Fraction
    fraction: Fraction
    signed: tuple[tuple[str, str], ...]
    source: str = ""

    @classmethod
    def from_config(cls, line: Mapping[str, Any], tables: Sequence[str]) -> "Indicator":
        """The indicator of a potline's map; `tables` are those of the plant's rule set.

        Raises:
            PlantError: unknown names, coefficients beside an edition's, or none.
        """
        fields, technology = line["indicator"], line["technology"]
        edition, gwp = fields["edition"], fields["gwp"]
        given, signed = [key for key in _OWN if key in fields], tuple(sorted(fields.items()))
        texts = (technology, edition, gwp, *(fields[key] for key in given))
        if not all(isinstance(text, str) for text in texts):
            raise PlantError("technology and indicator must be text")
        if gwp not in gwp_sets():
            raise PlantError(f"indicator.gwp {gwp!r} is none of the sets")
        if edition == SITE:
            if lacking := [key for key in _OWN if key not in fields]:
                raise PlantError(f"indicator: edition {SITE} needs {' '.join(lacking)}")
            if technology not in SITE_TECHNOLOGIES:
                known = " ".join(SITE_TECHNOLOGIES)
                raise PlantError(f"technology {technology!r} unknown; known: {known}")
            own = _own(fields["slope"], fields["c2f6_fraction"])
            return cls(technology, edition, gwp, *own, signed, fields["source"])
        if given:
            raise PlantError(f"indicator: only edition {SITE} takes {' '.join(given)}")
        rows = coefficient_rows(edition, "slope", technology) if edition in tables else None
        if rows is None:
            raise PlantError(f"{edition} has no slope for {technology!r}")
        return cls(technology, edition, gwp, rows[0].value, rows[1].value, signed)

    @property
    def co2e_t_per_kg(self) -> Fraction:
        """tCO2e per kg of CF4 with its C2F6."""
        c2f6 = self.fraction * gwp_row(self.gwp, "c2f6").value
        return (gwp_row(self.gwp, "cf4").value + c2f6) / _KG_A_TONNE

    def as_map(self, aem: str, frames: Mapping[str, str]) -> dict[str, Any]:
        """The indicator in a statement's input.

        Args:
            aem: AE-min/cell-day, decimal text.
            frames: which readings it is made of.
        """
        provenance: dict[str, Any] = {"aem_min_per_cell_day": {"frames": dict(frames)}}
        own = {}
        if self.edition == SITE:
            own = {"slope": exact_text(self.cf4), "c2f6_fraction": exact_text(self.fraction)}
            provenance |= {key: {"typed": {"source": self.source}} for key in own}
        return {
            "technology": self.technology, "edition": self.edition, "gwp": self.gwp,
            "aem_min_per_cell_day": aem, **own, "provenance": provenance,
        }  # fmt: skip


def _own(slope: str, c2f6_fraction: str) -> tuple[Fraction, Fraction]:
    cf4, fraction = exact(slope), exact(c2f6_fraction)
    if not 0 < cf4 <= SLOPE_MAX:
        raise PlantError(f"indicator.slope {slope!r} is not above 0 and at most {SLOPE_MAX}")
    if not 0 <= fraction <= FRACTION_MAX:
        raise PlantError(f"indicator.c2f6_fraction {c2f6_fraction!r} is not 0 to {FRACTION_MAX}")
    return cf4, fraction
