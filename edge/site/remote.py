"""[remote] of a site file: whether the plant's root may order another one; absent: no. Pure."""

from dataclasses import dataclass

from firmware_configs.fields import Fields

HEALTHY_S_MIN, HEALTHY_S_MAX, HEALTHY_S = 2, 3600, 120


@dataclass(frozen=True)
class Remote:
    """Orders are taken.

    Attributes:
        healthy_s: so many seconds a new file is on trial, and may lack what was there before.
    """

    healthy_s: int


def read_remote(fields: Fields, *, has_root: bool, mode: str) -> Remote | None:
    """What the table says; mistakes are told to `fields`."""
    orders = fields.raw("orders")
    if not isinstance(orders, bool):
        fields.complain("orders", "must be true or false: whether site files by order are taken")
    healthy_s = fields.integer("healthy_s", HEALTHY_S_MIN, HEALTHY_S_MAX, default=HEALTHY_S)
    fields.finish()
    if orders is not True:
        return None
    if not has_root:
        reason = 'needs root = "file:root.crt" under [gateway]: only the root\'s orders count'
        fields.complain("orders", reason)
    if mode != "mqtt":
        fields.complain("orders", "nothing comes down to a one-way site: change its file by hand")
    return Remote(healthy_s)
