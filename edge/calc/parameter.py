"""One number of a calculation with its unit, where it came from and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.factors import Row
from evidence.points import Provenance

MEASURED, DEFAULT, CALCULATED = "measured", "default", "calculated"
TYPED = Provenance.TYPED.value
SAMPLES = "samples"  # rule of a figure that a laboratory made


@dataclass(frozen=True)
class Parameter:
    """One number used.

    Attributes:
        value: exact.
        text: as given or as the rule set prints it.
        unit: of the value.
        basis: "measured" (given to the calculation), "default" (rule-set row), "calculated"
            (made from other inputs, typed into a site file, or on a paper that is no
            laboratory's: neither measured nor default).
        confidence: of a default's row; "given" otherwise.
        source: document and locator, or what the input says.
        row: rule-set row id of a default, else "".
        provenance: the input's provenance table, if it has one.
    """

    value: Fraction
    text: str
    unit: str
    basis: str
    confidence: str
    source: str
    row: str = ""
    provenance: Mapping[str, Any] | None = None

    def as_map(self) -> dict[str, Any]:
        """Plain strings for a statement."""
        result: dict[str, Any] = {
            "value": self.text, "unit": self.unit, "basis": self.basis,
            "confidence": self.confidence, "source": self.source,
        }  # fmt: skip
        if self.row:
            result["row"] = self.row
        if self.provenance is not None:
            result["provenance"] = dict(self.provenance)
        return result

    @property
    def is_typed(self) -> bool:
        """A person typed it, or typed what its point reads."""
        return is_typed(self.provenance)

    @property
    def flags(self) -> list[str]:
        """A default that is not confirmed is flagged "unconfirmed:<row>"."""
        if self.basis == DEFAULT and self.confidence != "confirmed":
            return [f"unconfirmed:{self.row}"]
        return []


def default(row: Row) -> Parameter:
    """A rule set's row as a parameter."""
    return Parameter(
        value=row.value,
        text=row.text,
        unit=row.unit,
        basis=DEFAULT,
        confidence=row.confidence,
        source=f"{row.edition}; {row.source}",
        row=row.id,
    )


def given(
    value: Fraction, text: str, unit: str, provenance: Mapping[str, Any] | None = None
) -> Parameter:
    """An input as a parameter; typed figures, and those of papers, are not called measured."""
    return Parameter(
        value=value,
        text=text,
        unit=unit,
        basis=MEASURED if _is_measured(provenance) else CALCULATED,
        confidence="given",
        source=_told(provenance),
        provenance=provenance,
    )


def calculated(value: Fraction, text: str, unit: str, source: str) -> Parameter:
    """A number made from the inputs beside it."""
    return Parameter(value, text, unit, CALCULATED, "given", source)


def is_typed(provenance: Mapping[str, Any] | None) -> bool:
    """A person typed it, or typed what its points read."""
    frames = (provenance or {}).get("frames")
    by_frames = isinstance(frames, Mapping) and frames.get("class") == TYPED
    return by_frames or "typed" in (provenance or {})


def _is_measured(provenance: Mapping[str, Any] | None) -> bool:
    """A meter or a laboratory gave it; of what else a paper says, a person did."""
    documents = (provenance or {}).get("documents")
    by_paper = isinstance(documents, Mapping) and documents.get("rule") != SAMPLES
    return not (by_paper or is_typed(provenance))


def _told(provenance: Mapping[str, Any] | None) -> str:
    if provenance is None:
        return "given in the input"
    typed, frames = provenance.get("typed"), provenance.get("frames")
    if isinstance(typed, Mapping):
        return f"typed: {typed.get('source', 'no source given')}"
    if isinstance(frames, Mapping):
        where = frames.get("point", frames.get("potline", "?"))
        return f"frames: {where} ({frames.get('rule', '?')})"
    if isinstance(documents := provenance.get("documents"), Mapping):
        origin = f": {documents['origin']}" if "origin" in documents else ""
        return f"documents: {documents.get('about', '?')} ({documents.get('rule', '?')}){origin}"
    return " ".join(sorted(str(key) for key in provenance))
