"""Which pot emitted how much of a month's PFC: the indicator shared out, beside the record.

The regulated formula is a potline's, or a plant's: a month's mean AEM × all its metal. A pot's part
is that of its own polarised time, slope × minutes × metal a day, with the metal shared by producing
time: the parts add up to the formula. By a model of single effects (`pfc_event`) the parts are
scaled so that they do too. It informs; no statement's figure is made of it.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.effects.pfc_event import EffectEvent, PfcEventModel
from edge.calc.errors import InputError
from evidence.counts import round_half_away

_DAY_S, _MINUTE_S, _NS = 86_400, 60, 10**9
SECOND_PLACES, RATE_PLACES, MASS_PLACES = 3, 6, 6

RECORD = ("method", "gwp", "metal_t", "cf4_kg", "c2f6_kg", "co2e_t")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,99})?", re.ASCII)

PotName = tuple[str, str]  # potline, pot


@dataclass(frozen=True)
class PotPart:
    """One pot's month.

    Attributes:
        potline, pot: ids.
        effects: how many.
        polarised_s, producing_s: seconds.
        weight: what its part is measured by: polarised seconds, or kg of CF4 by a model.
    """

    potline: str
    pot: str
    effects: int
    polarised_s: Fraction
    producing_s: Fraction
    weight: Fraction


@dataclass(frozen=True)
class Attribution:
    """A month's indicator by pot.

    Attributes:
        parts: all pots, in the statement's order.
        totals: cf4_kg, c2f6_kg and co2e_t of the indicator.
        record: the statement's figure of record, for whoever reads both.
        model_cf4_kg: what the model gives by itself; None without one.
    """

    parts: tuple[PotPart, ...]
    totals: Mapping[str, Fraction]
    record: Mapping[str, str]
    model_cf4_kg: Fraction | None = None

    def shares(self, name: str) -> list[Fraction]:
        """One of the totals by pot, exact; their sum is the total, 0 where nobody had an effect."""
        whole = sum((part.weight for part in self.parts), Fraction(0))
        return [self.totals[name] * part.weight / whole if whole else whole for part in self.parts]

    def as_map(self) -> dict[str, Any]:
        """Decimal strings; each column of masses adds up to the total beside it, to the digit."""
        columns = {name: apportioned(self.shares(name), MASS_PLACES) for name in self.totals}
        pots = [
            {
                "potline": part.potline, "pot": part.pot, "effects": part.effects,
                "polarised_s": rounded_text(part.polarised_s, SECOND_PLACES),
                "producing_s": rounded_text(part.producing_s, SECOND_PLACES),
                **_aem(part), **{name: texts[i] for name, texts in columns.items()},
            }
            for i, part in enumerate(self.parts)
        ]  # fmt: skip
        result: dict[str, Any] = {
            "indicator": {k: rounded_text(v, MASS_PLACES) for k, v in self.totals.items()},
            "record": dict(self.record),
            "pots": pots,
        }
        if self.model_cf4_kg is not None:
            result["model_cf4_kg"] = rounded_text(self.model_cf4_kg, MASS_PLACES)
        return result


def attribute(statement: Mapping[str, Any], model: PfcEventModel | None = None) -> Attribution:
    """Share out the indicator of a month's statement.

    Args:
        statement: {"input", "output"}, as in an archive's statement.json.
        model: of single effects; without one, by polarised time.

    Raises:
        InputError: it has no indicator, or, with a model, does not list every effect.
    """
    try:
        potlines, pfc = statement["input"]["potlines"], statement["output"]["pfc"]
        return _attributed(potlines, pfc, model)
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        reason = f"statement: not that of a smelter's month with an indicator ({error!r})"
        raise InputError([reason]) from error


def _attributed(
    potlines: Sequence[Mapping[str, Any]], pfc: Mapping[str, Any], model: PfcEventModel | None
) -> Attribution:
    indicator, pots = pfc["indicator"], _pots(potlines)
    totals = {key: _number(indicator[key]) for key in ("cf4_kg", "c2f6_kg", "co2e_t")}
    weights = {name: sums.polarised_s for name, sums in pots.items()}
    modelled = None
    if model is not None:
        producing_s = sum((sums.producing_s for sums in pots.values()), Fraction(0))
        metal_t_day = _number(indicator["metal_t"]) * _DAY_S / producing_s
        weights = _by_model(potlines, model, metal_t_day)
        modelled = sum(weights.values(), Fraction(0))
    parts = tuple(
        PotPart(
            *name, sums.effects, sums.polarised_s, sums.producing_s,
            weights.get(name, Fraction(0)),
        )
        for name, sums in pots.items()
    )  # fmt: skip
    record = {key: str(pfc["record"][key]) for key in RECORD}
    return Attribution(parts, totals, record, modelled)


@dataclass
class _Sums:
    effects: int = 0
    polarised_s: Fraction = Fraction(0)
    producing_s: Fraction = Fraction(0)


def _pots(potlines: Sequence[Mapping[str, Any]]) -> dict[PotName, _Sums]:
    """Sums by pot; a potline that changed within the month stands there more than once."""
    found: dict[PotName, _Sums] = {}
    for line in potlines:
        for pot in line["pots"]:
            if not isinstance(line["id"], str) or not isinstance(pot["id"], str):
                raise ValueError("ids must be text")  # noqa: TRY004 - what is wrong is the input
            sums = found.setdefault((line["id"], pot["id"]), _Sums())
            sums.effects += int(pot["effects"])
            sums.polarised_s += _number(pot["polarised_s"])
            sums.producing_s += _number(pot["producing_s"])
    return found


def _by_model(
    potlines: Sequence[Mapping[str, Any]], model: PfcEventModel, metal_t_day: Fraction
) -> dict[PotName, Fraction]:
    weights: dict[PotName, Fraction] = defaultdict(Fraction)
    for line in potlines:
        if len(line["effects"]) != line["effect_count"]:
            raise InputError([f"potline {line['id']}: not all of its effects are listed"])
        for effect in line["effects"]:
            event = EffectEvent(
                polarised_s=Fraction(effect["polarised_ns"], _NS),
                over_target_v_s=_number(effect["integral_v_s"]),
                v_max=_number(effect["v_max"]),
                metal_t_day=metal_t_day,
            )
            weights[line["id"], effect["pot"]] += model.cf4_kg(event)
    return weights


def _number(text: str) -> Fraction:
    """A number of a statement; exact products have more places than a person may type."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no decimal number")
    return Fraction(text)


def _aem(part: PotPart) -> dict[str, str]:
    if not part.producing_s:
        return {}
    days = part.producing_s / _DAY_S
    text = rounded_text(part.polarised_s / _MINUTE_S / days, RATE_PLACES)
    return {"aem_min_per_cell_day": text}


def apportioned(shares: Sequence[Fraction], places: int) -> list[str]:
    """The shares with so many decimals, so that they add up to their rounded sum.

    Each is the difference of two rounded running sums, so less than one last digit off.
    """
    running, before, texts = Fraction(0), 0, []
    for share in shares:
        running += share
        now = round_half_away(running * 10**places)
        texts.append(rounded_text(Fraction(now - before, 10**places), places))
        before = now
    return texts
