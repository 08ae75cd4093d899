"""A month of a CEMS: hours come in, in order; at its end the gaps are filled and all is summed.

An hour has one state, its code: `measured`, `stopped` (the unit did not run: no mass, in no count),
`missing` (nothing stands for it), or the code of what stands for it (`hj75-mean`, `mrr-45`,
`modc-08`, …). A substituted hour is never called measured. Hours without a row are missing.
Masses are exact until an hour is told with four decimals; days and month are sums of those.

Flags:
    missing-hours:N, substituted-hours:N   then the mass is too small by hours; not all measured
    share-of-this-month      capture rate or availability is the month's, not the rule's period's
    deviation-of-this-month  likewise the mean and spread that (EU) 2018/2066 takes over the year
    calibrations-not-given   40 CFR 75 has no hour in control without them; all were taken to be
    unconfirmed:<row>        a number of the rule that no text could confirm
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.local_instant import month_edges
from edge.calc.methods.calibration import IN_CONTROL, control_states
from edge.calc.methods.substitution import (
    HJ_2017,
    MEASURED,
    MISSING,
    MRR,
    PART_75,
    Hour,
    used_rows,
)
from edge.calc.methods.validity import HJ, MARKS, MINUTES, is_valid_month, valid_days, valid_hours
from edge.calc.stacks.cems import VALIDITY, Cems, HourReading
from edge.calc.stacks.fill import Operating, filled, share_of
from edge.calc.stacks.hour_rows import Tests

STOPPED = "stopped"
#: rules that choose what stands for an hour by the share of hours that were measured
SHARED = (HJ_2017, PART_75)
HOUR_PLACES, TOTAL_PLACES, PERCENT_PLACES = 4, 2, 2
_HOUR = timedelta(hours=1)
_NO_ROW = "no-row"


@dataclass(frozen=True)
class _Seen:
    """An hour as it came: its mass's parts, None where they do not count, and why not."""

    operating: Operating
    ran: Fraction
    why: tuple[str, ...]
    shown: Mapping[str, str]


class CemsMonth:
    """Folds the hours of one month."""

    def __init__(self, cems: Cems, month: str, tests: Tests | None = None) -> None:
        """Begin with nothing.

        Args:
            cems: whose hours.
            month: "2026-06"; InputError when it is none.
            tests: of its calibrations; None where none are given.
        """
        self._cems = cems
        self._month = month
        self._first, self._end = month_edges(month)
        self._tests = tests
        self._seen: dict[datetime, _Seen] = {}
        self._last = self._first - _HOUR

    def feed(self, hours: Sequence[HourReading]) -> None:
        """Take the next hours.

        Raises:
            InputError: not rising, not of the month, or more CO2 than the dry gas.
        """
        if not hours:
            return
        gas = self._enough([hour.minutes for hour in hours])
        flow = self._enough([hour.flow_minutes for hour in hours])
        control = self._control([hour.at for hour in hours])
        for hour, out, *enough in zip(hours, control, gas, flow, strict=True):
            if not self._first <= hour.at < self._end:
                raise InputError([f"hour {hour.at:%Y-%m-%dT%H:%M}: is not of {self._month}"])
            if hour.at <= self._last:
                raise InputError([f"hour {hour.at:%Y-%m-%dT%H:%M}: comes twice, or out of order"])
            self._last = hour.at
            self._seen[hour.at] = self._look(hour, out, *enough)

    def close(
        self,
        percent: Fraction | None = None,
        maximum: Fraction | None = None,
        *,
        is_interim: bool = False,
    ) -> dict[str, Any]:
        """The month: hours, days, totals, flags, and the cross-check it is good for. Plain values.

        Args:
            percent: capture rate or availability, as of `fill.filled`.
            maximum: maximum potential concentration, likewise.
            is_interim: the month goes on: it ends with the last hour that came.
        """
        end = self._last + _HOUR if is_interim else self._end
        count = (end - self._first) // _HOUR
        ats = [self._first + number * _HOUR for number in range(count)]
        absent = _Seen(Operating(None, None), Fraction(1), (_NO_ROW,), {})
        seen = [self._seen.get(at, absent) for at in ats]
        ran = [each.operating for each in seen if each.ran]
        made = iter(filled(ran, self._cems.rules, percent, maximum))
        hours = [next(made) if each.ran else None for each in seen]
        told = [_hour_map(at, x, hour) for at, x, hour in zip(ats, seen, hours, strict=True)]
        share = percent if percent is not None else share_of([x.rate for x in ran])
        return self._as_map(told, share, is_share_given=percent is not None, is_interim=is_interim)

    def _control(self, ats: Sequence[datetime]) -> list[dict[str, str]]:
        """Components that are out of control, by hour, with their states."""
        found: list[dict[str, str]] = [{} for _ in ats]
        if self._tests is None:
            return found
        numbers = [at.toordinal() * 24 + at.hour for at in ats]
        for component in ("o2" if self._cems.by_oxygen else "co2", "flow"):
            tests = self._tests.get(component, {})
            for out, state in zip(found, control_states(tests, numbers), strict=True):
                if state != IN_CONTROL and self._counts(state):
                    out[component] = state
        return found

    def _counts(self, state: str) -> bool:
        """That a test grows old, or is not there, is a rule of 40 CFR 75 only."""
        return self._cems.rules == PART_75 or state in {"out-failed", "out-aborted"}

    def _enough(self, minutes: Sequence[str]) -> list[bool]:
        marks = np.array([[MARKS[mark] for mark in hour] for hour in minutes], dtype=np.uint8)
        return list(valid_hours(marks, VALIDITY[self._cems.rules]).tolist())

    def _look(self, hour: HourReading, out: Mapping[str, str], gas: bool, flow: bool) -> _Seen:
        cems, values = self._cems, hour.values
        ran = Fraction(MINUTES - hour.minutes.count("F"), MINUTES)
        why = [f"{component}-{state}" for component, state in out.items()]
        enough = {"gas": gas, "flow": flow}
        why += [f"{part}-too-few-minutes" for part, is_there in enough.items() if not is_there]
        why += [f"no-{key}" for key in cems.needed if values.get(key) is None]
        co2 = cems.co2_percent(values) if gas and not set(out) - {"flow"} else None
        carrier = cems.carrier(values) if flow and "flow" not in out else None
        dry_flow = cems.flow_nm3_h(values)
        shown = {"co2_percent": cems.co2_percent(values), "flow_nm3_h": dry_flow}
        texts = {key: rounded_text(v, HOUR_PLACES) for key, v in shown.items() if v is not None}
        rate = Operating(co2, carrier).rate
        if rate is not None and dry_flow is not None and rate > cems.mass_t_h(dry_flow):
            said = "more CO2 than dry gas; is it on a dry basis already?"
            raise InputError([f"hour {hour.at:%Y-%m-%dT%H:%M}: {said}"])
        return _Seen(Operating(co2, carrier), ran, tuple(why), texts)

    def _as_map(
        self, told: list[dict[str, Any]], share: Fraction, *, is_share_given: bool, is_interim: bool
    ) -> dict[str, Any]:
        cems, total = self._cems, _sums(told)
        days = _days(told)
        good = valid_days(np.array([day.pop("good") for day in days], dtype=bool))
        result: dict[str, Any] = {
            "rule_set": cems.rules, "month": self._month, "stacks": cems.stacks,
            "gas_of": cems.gas_of, "closing": "interim" if is_interim else "final",
            "hours": told, "days": days, "total": total,
        }  # fmt: skip
        if VALIDITY[cems.rules] == HJ:
            for day, is_good in zip(days, good.tolist(), strict=True):
                day["valid"] = "yes" if is_good else "no"
            is_good_month = is_valid_month(good, int(self._month[5:]))
            total |= {"valid_days": str(int(good.sum())), "valid": "yes" if is_good_month else "no"}
        if cems.rules in SHARED:
            total["share_percent"] = exact_text(share)
        flags = [f"{kind}-hours:{total[f'{kind}_h']}" for kind in ("missing", "substituted")
                 if total[f"{kind}_h"] != "0"]  # fmt: skip
        if cems.rules in SHARED and not is_share_given:
            flags.append("share-of-this-month")
        if cems.rules == MRR and total["substituted_h"] != "0":
            flags.append("deviation-of-this-month")
        if cems.rules == PART_75 and self._tests is None:
            flags.append("calibrations-not-given")
        if total["substituted_h"] != "0":
            rows = used_rows(cems.rules).values()
            flags += [f"unconfirmed:{row.id}" for row in rows if not row.confirmed]
        check = {"check": "carbon", "measured_co2_t": total["emission_t"], "stacks": cems.stacks}
        return {**result, "flags": sorted(flags), "cross_check": check}


def _hour_map(at: datetime, seen: _Seen, hour: Hour | None) -> dict[str, Any]:
    code = hour.code if hour is not None else STOPPED
    found: dict[str, Any] = {"hour": f"{at:%Y-%m-%dT%H:%M}", "code": code, **seen.shown}
    if hour is not None and hour.value is not None:
        found["emission_t"] = rounded_text(hour.value * seen.ran, HOUR_PLACES)
    if seen.why and code != STOPPED:
        found["why"] = list(seen.why)
    return found


def _days(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    by_day: dict[str, list[dict[str, Any]]] = {}
    for hour in told:
        by_day.setdefault(hour["hour"][:10], []).append(hour)
    return [
        {
            "day": day, **_sums(hours),
            "good": [i < len(hours) and hours[i]["code"] == MEASURED for i in range(24)],
        }
        for day, hours in by_day.items()
    ]  # fmt: skip


def _sums(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Hours by state, their masses, and how complete they are."""
    codes = Counter(hour["code"] for hour in told)
    mass = {MEASURED: Fraction(0)} | dict.fromkeys(codes, Fraction(0))
    for hour in told:
        mass[hour["code"]] += Fraction(hour.get("emission_t", 0))
    whole = sum(mass.values(), Fraction(0))
    substitutes = sorted(set(codes) - {MEASURED, MISSING, STOPPED})
    filled_t = sum((mass[code] for code in substitutes), Fraction(0))
    operating = len(told) - codes[STOPPED]
    result: dict[str, Any] = {
        "emission_t": rounded_text(whole, TOTAL_PLACES),
        "measured_t": rounded_text(mass[MEASURED], TOTAL_PLACES),
        "substituted_t": rounded_text(filled_t, TOTAL_PLACES),
        "operating_h": str(operating),
        **{f"{code}_h": str(codes[code]) for code in (MEASURED, MISSING, STOPPED)},
        "substituted_h": str(sum(codes[code] for code in substitutes)),
    }
    if substitutes:
        result["codes"] = {code: str(codes[code]) for code in substitutes}
    if operating:
        there = Fraction(100 * codes[MEASURED], operating)
        result["completeness_percent"] = rounded_text(there, PERCENT_PLACES)
    if whole:
        result["substituted_percent"] = rounded_text(filled_t / whole * 100, PERCENT_PLACES)
    return result
