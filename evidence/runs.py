"""Quality codes of a block as runs, in the one form that has nothing to choose. Pure.

FORMAT.md "Frame", "runs".
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence.errors import MalformedError

UInt8 = npt.NDArray[np.uint8]


def encode_runs(quality: UInt8) -> list[int]:
    """Quality codes [rows][ticks] as flat [row, from, to, code, ...], good ones omitted."""
    runs: list[int] = []
    if not quality.any():  # the rule; looking row by row takes ten times as long
        return runs
    for row in np.flatnonzero(quality.any(axis=1)).tolist():
        codes = quality[row]
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
        for start, stop in itertools.pairwise(edges):
            if code := int(codes[start]):
                runs += [row, start, stop - 1, code]
    return runs


def decode_runs(runs: list[Any], rows: int, ticks: int) -> UInt8:
    """Undo `encode_runs`; MalformedError on anything it would not have written."""
    quality = np.zeros((rows, ticks), dtype=np.uint8)
    if not runs:
        return quality
    if len(runs) % 4 or not all(type(v) is int and v >= 0 for v in runs):
        raise MalformedError("quality runs misformed")
    before: tuple[int, int, int] | None = None
    for i in range(0, len(runs), 4):
        row, start, stop, code = runs[i : i + 4]
        if not (row < rows and start <= stop < ticks and 0 < code < 256):
            raise MalformedError("quality run outside its block")
        if before is not None and (row, start) <= before[:2]:
            raise MalformedError("quality runs out of order")
        if before is not None and row == before[0]:
            adjoining = start == before[1] + 1
            if adjoining and code == before[2]:
                raise MalformedError("quality runs that should be one")
        quality[row, start : stop + 1] = code
        before = (row, stop, code)
    return quality
