"""Transformer ratios that hide: a ratio is the installation's, and stands in the site file by name.

Inside `scale` nobody sees it, a second one is easily applied on top, and the change of a
transformer changes a profile that other plants use too. Pure.
"""

from collections.abc import Sequence
from decimal import Decimal

from firmware_configs.fields import Fields
from firmware_configs.model import Register

_OF_CURRENT = frozenset({"current", "power", "energy"})
_ELECTRICAL = _OF_CURRENT | {"voltage"}


def check_ratios(
    rows: Sequence[Fields], registers: Sequence[Register], reports: str | None
) -> None:
    """Where a meter reports secondary values, what depends on the current needs the ratio."""
    for row, register in zip(rows, registers, strict=True):
        if reports != "secondary" or row.flawed or "ct_ratio" in register.applies:
            continue
        if register.quantity.kind in _OF_CURRENT:
            row.complain(
                "applies",
                'lacks ct_ratio, and the head says reports = "secondary": write '
                'applies = ["ct_ratio"] here and the ratio in the site file, never in scale',
            )


def ratio_doubt(register: Register) -> str:
    """What to say of a scale that reads as a transformer ratio, or ""."""
    scale = Decimal(register.scale)
    if (
        register.quantity.kind not in _ELECTRICAL
        or scale <= 1
        or scale == Decimal(10) ** (scale.adjusted())
    ):
        return ""
    return (
        f"scale {register.scale} of a {register.quantity.kind} reads as a transformer's ratio; "
        'that belongs into the site file: reports = "secondary", applies = ["ct_ratio"] or '
        '["vt_ratio"], and ct_ratio = "primary/secondary" of the device'
    )
