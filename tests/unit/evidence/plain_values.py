"""Frames' bodies as plain values that can be compared."""

import dataclasses
from typing import Any

import numpy as np

from evidence.frame import CodedSection, Section
from evidence.groups import CodedGroup, Group

#: what a frame holds -> what it reads like
_READS_LIKE: dict[type, type] = {CodedSection: Section, CodedGroup: Group}


def plain(value: Any) -> Any:
    """Field by field, arrays by their bits; a coded part as the one it reads like."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if dataclasses.is_dataclass(value):
        kind = _READS_LIKE.get(type(value), type(value))
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(kind)}
    return [plain(item) for item in value] if isinstance(value, tuple) else value
