"""Where a condition holds without a break. Pure."""

import numpy as np

from edge.calc.blocks import Bool


def stretches(where: Bool) -> list[tuple[int, int]]:
    """(first, last) of each run of True, last exclusive."""
    edges = np.diff(where.astype(np.int8), prepend=0, append=0)
    return list(
        zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
    )
