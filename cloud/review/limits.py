"""How far from its peers a figure is shown: one row with its source. Pure but for the table."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("limits.toml")


@dataclass(frozen=True)
class Limits:
    """When a figure of a plant is shown as far from its peers'.

    Attributes:
        score: beyond this modified z-score, either way.
        peers_min: fewer others than these are no peers.
        source, source_zh, confidence, peers_min_source: of the row.
    """

    score: Decimal
    peers_min: int
    source: str
    source_zh: str
    confidence: str
    peers_min_source: str


@cache
def limits() -> Limits:
    """The row."""
    (row,) = tomllib.loads(TABLE.read_text(encoding="utf-8"))["limits"]
    return Limits(
        Decimal(row["score"]), row["peers_min"],
        *(row[name] for name in ("source", "source_zh", "confidence", "peers_min_source")),
    )  # fmt: skip
