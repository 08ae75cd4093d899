"""What a point is: the plain types every room shares about one measured or computed quantity.

A `Point` says what the number is (`Quantity`, with wet/dry, reference state, heating-value and
fuel basis as part of its type), where it came from (`Provenance`), how it stands on the wire
(`Dtype`) and how the wire's raw count becomes an exact fixed-point count (`Scaling`).

Pure: standard library only, no I/O. Array work on these types is in `evidence.counts`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from evidence.exact import exact
from evidence.point_rules import MARKS, NO_RULES, PointRules

__all__ = [
    "DECIMALS_MAX", "KINDS", "MARKS", "NAME_ID", "NO_RULES", "POINT_ID", "REFERENCE_STATES",
    "Dtype", "Point", "PointRules", "Provenance", "Quantity", "Role", "Scaling", "exact",
]  # fmt: skip

POINT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NAME_ID = re.compile(r"[a-z0-9-]{1,40}")
DECIMALS_MAX = 9
SHARED = 4096  # quantities and scalings that are kept


class Provenance(Enum):
    """How near to the meter a value was taken; part of every point, printed in every statement."""

    METER_DIRECT = "meter-direct"
    VIA_CONTROL_SYSTEM = "via-control-system"
    VIA_DATABASE = "via-database"
    FILE = "file"
    TYPED = "typed"
    COMPUTED = "computed"


class Role(Enum):
    """What a point's number does over time, hence how a period is made of it."""

    GAUGE = "gauge"  # an instantaneous value; a period's figure is its integral or mean
    TOTALISER = "totaliser"  # only counts up; a period's figure is last minus first
    STATE = "state"  # an enumeration; no arithmetic


class Dtype(Enum):
    """Number types on the wire; the value is the RFC 8746 typed-array tag (little-endian)."""

    U8 = 64
    U16 = 69
    U32 = 70
    U64 = 71
    I8 = 72
    I16 = 77
    I32 = 78
    I64 = 79
    F32 = 85
    F64 = 86

    numpy_name: str  # numpy dtype string, little-endian
    size: int  # bytes of one value
    is_float: bool  # True for F32 and F64

    def __init__(self, tag: int) -> None:
        # plain attributes, not properties: decoders ask for them hundreds of times a second
        self.size = int(self.name[1:]) // 8
        self.is_float = self.name.startswith("F")
        self.numpy_name = f"<{self.name[0].lower()}{self.size}"

    @classmethod
    def named(cls, name: str) -> "Dtype":
        """The type called "u16", "f32", ...; ValueError names the known ones."""
        try:
            return cls[name.upper()]
        except KeyError:
            known = " ".join(d.name.lower() for d in cls)
            raise ValueError(f"unknown number type {name!r}; known: {known}") from None


#: an enumeration itself takes ten times as long to ask, and a plant has thousands of points
_DTYPES = {dtype.value: dtype for dtype in Dtype}
_ROLES = {role.value: role for role in Role}
_PROVENANCES = {provenance.value: provenance for provenance in Provenance}

REFERENCE_STATES = frozenset({"0C-101.325kPa", "15C-101.325kPa", "20C-101.325kPa", "actual"})

#: kind -> (allowed units, qualifiers that must be given)
KINDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "voltage": (frozenset({"V", "mV"}), frozenset()),
    "current": (frozenset({"A", "kA"}), frozenset()),
    "power": (frozenset({"W", "kW", "MW"}), frozenset()),
    "energy": (frozenset({"Wh", "kWh", "MWh"}), frozenset()),
    "reactive-power": (frozenset({"var", "kvar", "Mvar"}), frozenset()),
    "reactive-energy": (frozenset({"varh", "kvarh", "Mvarh"}), frozenset()),
    "apparent-power": (frozenset({"VA", "kVA", "MVA"}), frozenset()),
    "mass": (frozenset({"kg", "t"}), frozenset()),
    "mass-flow": (frozenset({"kg/h", "t/h"}), frozenset()),
    "solid-fuel-mass": (frozenset({"kg", "t"}), frozenset({"fuel_basis"})),
    "gas-volume": (frozenset({"m3", "Nm3", "10^4 Nm3"}), frozenset({"reference", "moisture"})),
    "gas-flow": (frozenset({"m3/h", "Nm3/h"}), frozenset({"reference", "moisture"})),
    "liquid-volume": (frozenset({"m3", "L"}), frozenset()),
    "liquid-flow": (frozenset({"m3/h", "L/h"}), frozenset()),
    "density": (frozenset({"kg/m3"}), frozenset()),
    "heating-value": (
        frozenset({"GJ/t", "MJ/kg", "GJ/10^4 Nm3", "MJ/Nm3"}),
        frozenset({"heating"}),
    ),
    "concentration": (frozenset({"vol%", "mg/Nm3", "ppm"}), frozenset({"moisture"})),
    "temperature": (frozenset({"degC", "K"}), frozenset()),
    "pressure": (frozenset({"Pa", "kPa", "MPa", "bar"}), frozenset()),
    "frequency": (frozenset({"Hz"}), frozenset()),
    "ratio": (frozenset({"1", "%"}), frozenset()),
    "count": (frozenset({"1"}), frozenset()),
    "state": (frozenset({"1"}), frozenset()),
    "duration": (frozenset({"s", "min", "h"}), frozenset()),
    "rate": (frozenset({"1/d", "min/d"}), frozenset()),  # per producing cell-day
    "emission": (frozenset({"kg", "t", "tCO2e"}), frozenset()),
    "emission-flow": (frozenset({"kg/h", "t/h", "tCO2e/h"}), frozenset()),
}

_QUALIFIERS: dict[str, frozenset[str]] = {
    "reference": REFERENCE_STATES,
    "moisture": frozenset({"wet", "dry"}),
    "heating": frozenset({"hhv", "lhv"}),
    "fuel_basis": frozenset({"ar", "ad", "d", "daf"}),
}


@dataclass(frozen=True)
class Quantity:
    """What a number is a number of. Wrong combinations cannot be built (ValueError says why).

    Attributes:
        kind: a key of `KINDS`.
        unit: one of that kind's units.
        reference: gas volumes and flows: temperature and pressure the volume is stated at.
        moisture: gas volumes, flows and concentrations: "wet" or "dry".
        heating: heating values: "hhv" (gross) or "lhv" (net).
        fuel_basis: solid fuels: "ar" as received, "ad" air dried, "d" dry, "daf" dry ash free.
    """

    kind: str
    unit: str
    reference: str | None = None
    moisture: str | None = None
    heating: str | None = None
    fuel_basis: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown quantity {self.kind!r}; known: {' '.join(sorted(KINDS))}")
        units, required = KINDS[self.kind]
        if self.unit not in units:
            others = sorted(kind for kind, (known, _) in KINDS.items() if self.unit in known)
            hint = f"; it is of kind {' '.join(others)}" if others else ""
            raise ValueError(
                f"{self.unit!r} is no unit of kind {self.kind!r}, which has "
                f"{' '.join(sorted(units))}{hint}"
            )
        needed = [
            f"{name} (one of {' '.join(sorted(allowed))})"
            for name, allowed in _QUALIFIERS.items()
            if name in required and getattr(self, name) is None
        ]
        if needed:
            raise ValueError(f"{self.kind} needs {' and '.join(needed)}")
        for name, allowed in _QUALIFIERS.items():
            given = getattr(self, name)
            if given is not None and name not in required:
                raise ValueError(f"{self.kind} takes no {name}")
            if given is not None and given not in allowed:
                raise ValueError(f"{name} {given!r} unknown; allowed: {' '.join(sorted(allowed))}")
        if "Nm3" in self.unit and self.reference == "actual":
            raise ValueError("Nm3 is a volume at a reference state, not 'actual'")

    def as_map(self) -> dict[str, str]:
        """Only what is set, for the signed configuration."""
        names = ("kind", "unit", "reference", "moisture", "heating", "fuel_basis")
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}

    @classmethod
    def from_map(cls, fields: Mapping[str, Any]) -> "Quantity":
        """Build from a mapping; ValueError on an unknown key or a wrong combination."""
        unknown = set(fields) - {"kind", "unit", "reference", "moisture", "heating", "fuel_basis"}
        if unknown:
            raise ValueError(f"unknown key in quantity: {' '.join(sorted(unknown))}")
        return _quantity(tuple((k, str(v)) for k, v in fields.items()))


# the points of a plant share a few quantities and scalings: each is made once
@lru_cache(maxsize=SHARED)
def _quantity(fields: tuple[tuple[str, str], ...]) -> Quantity:
    return Quantity(**dict(fields))


@dataclass(frozen=True)
class Scaling:
    """raw × 10^-raw_decimals × scale + offset, then × CT × VT × pulse weight; all exact.

    CT and VT ratio and pulse weight are facts of the installation (site file) and never hide in
    the profile's anonymous `scale`: the classic factor-of-N error must be visible by name.

    Attributes:
        raw_decimals: power of ten the device puts into its integer (profile).
        scale: anything else of the device's own (profile), decimal string.
        offset: added after scale, in engineering units, decimal string.
        ct_ratio: current transformer ratio as "primary/secondary", or None when the meter
            already reports primary values.
        vt_ratio: voltage transformer ratio, likewise.
        pulse_weight: engineering units a pulse, decimal string, for pulse counters.
    """

    raw_decimals: int = 0
    scale: str = "1"
    offset: str = "0"
    ct_ratio: str | None = None
    vt_ratio: str | None = None
    pulse_weight: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.raw_decimals <= DECIMALS_MAX:
            raise ValueError(f"raw_decimals {self.raw_decimals} not in 0..{DECIMALS_MAX}")
        exact(self.offset)
        for name in ("scale", "ct_ratio", "vt_ratio", "pulse_weight"):
            text = getattr(self, name)
            if text is not None and exact(text) <= 0:
                raise ValueError(f"{name} {text!r} must be greater than zero")

    @cached_property
    def factor(self) -> Fraction:
        """What raw is multiplied by (installation ratios included)."""
        return Fraction(1, 10**self.raw_decimals) * exact(self.scale) * self.installation

    @cached_property
    def installation(self) -> Fraction:
        """CT × VT × pulse weight."""
        result = Fraction(1)
        for text in (self.ct_ratio, self.vt_ratio, self.pulse_weight):
            if text is not None:
                result *= exact(text)
        return result

    @cached_property
    def shift(self) -> Fraction:
        """What is added to raw × factor, engineering units."""
        return exact(self.offset) * self.installation

    def as_map(self) -> dict[str, Any]:
        """Only what differs from doing nothing, for the signed configuration."""
        full = {
            "raw_decimals": self.raw_decimals, "scale": self.scale, "offset": self.offset,
            "ct_ratio": self.ct_ratio, "vt_ratio": self.vt_ratio,
            "pulse_weight": self.pulse_weight,
        }  # fmt: skip
        idle: dict[str, Any] = {"raw_decimals": 0, "scale": "1", "offset": "0"}
        return {k: v for k, v in full.items() if v is not None and v != idle.get(k)}


@lru_cache(maxsize=SHARED)
def _scaling(fields: tuple[tuple[str, Any], ...]) -> Scaling:
    return Scaling(**dict(fields))


@dataclass(frozen=True)
class Point:
    """One measured or computed quantity of one plant, as the signed configuration holds it.

    Attributes:
        id: unique in the plant, `POINT_ID`.
        quantity: what it is.
        dtype: number type on the wire and in the frame.
        decimals: decimals of the fixed-point count that sums are made of (0..9).
        role: gauge, totaliser or state.
        provenance: how near to the meter.
        device: device id, or "" for computed points.
        source: where in the device, in the device's own words ("holding 0x0BB8", "ns=2;s=...").
        scaling: raw to engineering value.
        range_min, range_max: engineering limits as decimal strings; outside is OUT_OF_RANGE.
        states: raw value -> name, for Role.STATE.
        rules: limits that need more than one reading, or its source time.
        marks: raw value of a state -> quality code it gives the points it speaks of.
        speaks_of: ids of those points.
    """

    id: str
    quantity: Quantity
    dtype: Dtype
    decimals: int
    role: Role = Role.GAUGE
    provenance: Provenance = Provenance.METER_DIRECT
    device: str = ""
    source: str = ""
    scaling: Scaling = field(default_factory=Scaling)
    range_min: str | None = None
    range_max: str | None = None
    states: tuple[tuple[int, str], ...] = ()
    rules: PointRules = NO_RULES
    marks: tuple[tuple[int, int], ...] = ()
    speaks_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not POINT_ID.fullmatch(self.id):
            raise ValueError(f"point id {self.id!r} must match {POINT_ID.pattern}")
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise ValueError(f"decimals {self.decimals} not in 0..{DECIMALS_MAX}")
        if self.role is Role.STATE and self.dtype.is_float:
            raise ValueError("a state point needs an integer type")
        for text in (self.range_min, self.range_max):
            if text is not None:
                exact(text)
        if self.role is not Role.GAUGE or self.marks or self.speaks_of:
            self._check_rules()

    def _check_rules(self) -> None:
        if self.role is not Role.GAUGE and (odd := self.rules.of_gauges):
            raise ValueError(f"{odd[0]} is for gauges, not for a {self.role.value}")
        if self.role is Role.STATE and self.rules.rate_per_s is not None:
            raise ValueError("rate_per_s is not for a state")
        if bool(self.marks) != bool(self.speaks_of) or (self.marks and self.role is not Role.STATE):
            raise ValueError("marks and speaks_of stand together, at a state")
        if not self.marks:
            return
        if len({raw for raw, _ in self.marks}) != len(self.marks):
            raise ValueError("marks: a raw value stands twice")
        if odd_codes := {code for _, code in self.marks} - set(MARKS.values()):
            raise ValueError(f"marks: {min(odd_codes)} is no code that a state gives")
        if len(set(self.speaks_of)) != len(self.speaks_of) or self.id in self.speaks_of:
            raise ValueError("speaks_of: a point stands twice, or is the state itself")

    @property
    def counts_as_it_is(self) -> bool:
        """Its number on the wire is its count."""
        return self.scaling.factor * 10**self.decimals == 1 and not self.scaling.shift

    def as_map(self) -> dict[str, Any]:
        """The point as it stands in the signed configuration."""
        result: dict[str, Any] = {
            "id": self.id, "quantity": self.quantity.as_map(), "dtype": self.dtype.value,
            "decimals": self.decimals, "role": self.role.value,
            "provenance": self.provenance.value,
        }  # fmt: skip
        for name in ("device", "source"):
            if getattr(self, name):
                result[name] = getattr(self, name)
        if scaling := self.scaling.as_map():
            result["scaling"] = scaling
        for name in ("range_min", "range_max"):
            if getattr(self, name) is not None:
                result[name] = getattr(self, name)
        if self.states:
            result["states"] = [[value, name] for value, name in self.states]
        if rules := self.rules.as_map():
            result["rules"] = rules
        if self.marks:
            result["marks"] = [[raw, int(code)] for raw, code in self.marks]
            result["speaks_of"] = list(self.speaks_of)
        return result

    @classmethod
    def from_map(cls, fields: Mapping[str, Any]) -> "Point":
        """Build from a configuration map; ValueError, KeyError or TypeError when it is none."""
        return cls(
            id=fields["id"],
            quantity=Quantity.from_map(fields["quantity"]),
            dtype=_DTYPES.get(fields["dtype"]) or Dtype(fields["dtype"]),
            decimals=fields["decimals"],
            role=_ROLES.get(fields["role"]) or Role(fields["role"]),
            provenance=_PROVENANCES.get(fields["provenance"]) or Provenance(fields["provenance"]),
            device=fields.get("device", ""),
            source=fields.get("source", ""),
            scaling=_scaling(tuple(dict(fields.get("scaling", {})).items())),
            range_min=fields.get("range_min"),
            range_max=fields.get("range_max"),
            states=tuple((v, n) for v, n in fields.get("states", ())),
            rules=PointRules.from_map(fields.get("rules", {})),
            marks=tuple((raw, code) for raw, code in fields.get("marks", ())),
            speaks_of=tuple(fields.get("speaks_of", ())),
        )
