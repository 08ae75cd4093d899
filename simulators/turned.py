"""What it does to a meter when somebody turns one of its settings. Pure.

A meter that reports primary values multiplies by the ratio set in it: its currents, powers, and
what its energies gain follow the setting. One that reports secondary values shows what its
terminals see: there the transformer is another one, and the meter is told so. Flow computers
divide pulses by the K-factor. Counters do not jump: what they gain from then on follows. A meter
that counts changes of its parameters, or resets of its totalisers, counts this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from evidence.points import Role
from firmware_configs.model import Profile, Register
from simulators.served import CanBeSet, ServeError

#: kind of a fault -> the settings, by what they mean, of which the first that a meter has is turned
TURNS = {"ct-ratio": ("ct_primary", "ct_ratio"), "k-factor": ("k_factor",)}
#: kind of a fault -> the setting that counts it
COUNTED = {
    "ct-ratio": "parameter_changes", "k-factor": "parameter_changes",
    "counter-reset": "totaliser_resets",
}  # fmt: skip

_BY_CURRENT = frozenset(
    {"current", "power", "energy", "reactive-power", "reactive-energy", "apparent-power"}
)
_BY_PULSES = frozenset(
    {"gas-flow", "gas-volume", "liquid-flow", "liquid-volume", "mass-flow", "mass"}
)


@dataclass(frozen=True)
class Turn:
    """What changes.

    Attributes:
        says: setting -> what the meter says of it from then on.
        points: names of the rows that follow.
        factor: what they are multiplied with; of counters, what they gain.
    """

    says: Mapping[str, str]
    points: tuple[str, ...] = ()
    factor: Decimal = Decimal(1)


def turn(kind: str, by: Decimal | None, device: CanBeSet, said: Mapping[str, str]) -> Turn:
    """What a fault of this kind does.

    Args:
        kind: of `COUNTED`.
        by: what the setting is multiplied with; None of a kind that turns none.
        device: the meter.
        said: what it says of itself just then, by the names of its settings.

    Raises:
        ServeError: it has no such setting, says nothing of it, or cannot be set so.
    """
    names = {setting.means: setting.name for setting in device.profile.settings}
    says: dict[str, str] = {}
    if (counter := names.get(COUNTED[kind])) in said and counter is not None:
        says[counter] = str(int(said[counter]) + 1)
        device.check_setting(counter, says[counter])
    if by is None:
        return Turn(says)
    name = next((names[means] for means in TURNS[kind] if means in names), None)
    if name is None or name not in said:
        wanted = name or " or ".join(TURNS[kind])
        has = "is not told" if name else "has no setting"
        raise ServeError(
            f"{kind} cannot befall {device.profile.id}: it {has} {wanted}"
            + (f": --set {name}=VALUE, or settings of the scenario" if name else "")
        )
    says[name] = f"{(Decimal(said[name]) * by).normalize():f}"
    device.check_setting(name, says[name])
    is_by_ratio = kind == "ct-ratio" and device.profile.reports != "secondary"
    points = tuple(r.name for r in device.profile.registers if _follows(kind, r, device.profile))
    if not points:
        raise ServeError(f"{kind} cannot befall {device.profile.id}: nothing it shows follows")
    return Turn(says, points, by if is_by_ratio else 1 / by)


def _follows(kind: str, register: Register, profile: Profile) -> bool:
    if register.role not in (Role.GAUGE, Role.TOTALISER):
        return False
    if kind == "k-factor":
        return register.quantity.kind in _BY_PULSES
    if profile.reports == "secondary":
        return "ct_ratio" in register.applies
    return register.quantity.kind in _BY_CURRENT
