"""A setting's value as text, the same from every driver. Pure."""

from decimal import Decimal

import numpy as np

from edge.drivers.base import Sample
from edge.drivers.raw import unpack
from evidence.meter_settings import VALUE_MAX
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import Register


def number_text(sample: Sample, register: Register) -> str | Quality:
    """A number in decimal, or the quality of one that says nothing.

    Args:
        sample: as the driver decodes a register.
        register: the setting's row.
    """
    if sample.raw is None or sample.quality is not Quality.GOOD:
        return Quality.WRONG_ANSWER if sample.quality.usable else sample.quality
    number = unpack(sample.raw, register.dtype)
    if isinstance(number, int):
        return f"{Decimal(number).scaleb(-register.decimals):f}"
    # the fewest digits that mean this very float
    return str(np.float32(number) if register.dtype is Dtype.F32 else number)


def plain_text(text: str) -> str | Quality:
    """A text without its padding (spaces and NULs behind), if it can be printed and is not long."""
    text = text.rstrip(" \0")
    is_plain = text.isprintable() and len(text) <= VALUE_MAX
    return text if is_plain else Quality.WRONG_ANSWER
