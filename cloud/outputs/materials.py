"""Supporting materials of a month: which its archive holds, which it lacks. Pure but for its table.

That a document of a kind is there does not say that it is the right one: a person looks at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cloud.outputs.sealed import SealedMonth
from firmware_configs.toml import parse_toml

HERE, MISSING, ELSEWHERE = "here", "missing", "elsewhere"


@dataclass(frozen=True)
class Material:
    """One thing that may be asked for.

    Attributes:
        id: of the list.
        names: language -> name.
        state: "here", "missing", or "elsewhere" for what stackproof does not keep.
        count: documents of its kinds that stand in the archive.
        kinds: of documents that may be it.
    """

    id: str
    names: Mapping[str, str]
    state: str
    count: int
    kinds: frozenset[str] = frozenset()


def materials_of(month: SealedMonth) -> list[Material]:
    """The list for the month's sector, in its order."""
    sector = month.rules.sector
    return [
        _material(row, month)
        for row in materials_table()["material"]
        if sector in row.get("sectors", [sector])
    ]


@cache
def materials_table() -> Mapping[str, Any]:
    """The list with its source and confidence."""
    return parse_toml(resources.files("cloud.outputs").joinpath("materials.toml").read_bytes())


def _material(row: Mapping[str, Any], month: SealedMonth) -> Material:
    found: Sequence[str] = row.get("found", [])
    kinds = {name.removeprefix("kind:") for name in found if name.startswith("kind:")}
    tables = {name.removeprefix("statement:") for name in found if name.startswith("statement:")}
    count = sum(document.kind in kinds for document in month.documents)
    is_here = count > 0 or any(month.given.get(table) for table in tables)
    state = HERE if is_here else MISSING if found else ELSEWHERE
    return Material(row["id"], {"en": row["en"], "zh": row["zh"]}, state, count, frozenset(kinds))
