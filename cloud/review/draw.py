"""A random draw that anybody can make again: of months of plants, from a published seed. Pure.

Where the seed will come from is published before it is known (a lottery's numbers of a day to
come). Each entry gets the SHA-256 of the text SEED/PLANT/MONTH in UTF-8; those with the smallest
hashes, as hex, are drawn. So the list's own order counts for nothing, nobody but the seed decides,
and `printf '%s' 'SEED/PLANT/MONTH' | sha256sum` makes one line of it again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

SEED_MAX = 200


@dataclass(frozen=True, order=True)
class Drawn:
    """An entry at its place of the draw.

    Attributes:
        sha256: of "SEED/PLANT/MONTH", hex.
        plant: plant id.
        month: "YYYY-MM".
    """

    sha256: str
    plant: str
    month: str


def draw(seed: str, entries: Iterable[tuple[str, str]], count: int) -> list[Drawn]:
    """The first `count` of the draw, the smallest hash first; fewer where there are fewer.

    Args:
        seed: as it was published, 1 to `SEED_MAX` characters without line ends.
        entries: (plant, month) of all that may be drawn; one that stands twice counts once.
        count: how many are drawn, from 1.

    Raises:
        ValueError: no seed, or no count, as they must be.
    """
    if not 1 <= len(seed) <= SEED_MAX or not seed.isprintable():
        raise ValueError(f"a seed has 1 to {SEED_MAX} printable characters")
    if count < 1:
        raise ValueError("at least one is drawn")
    return sorted(_drawn(seed, plant, month) for plant, month in set(entries))[:count]


def _drawn(seed: str, plant: str, month: str) -> Drawn:
    text = f"{seed}/{plant}/{month}"
    return Drawn(hashlib.sha256(text.encode()).hexdigest(), plant, month)
