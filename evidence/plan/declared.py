"""Sources that the month's control plan declares and its statement lacks. Pure.

A source that was left out from the first day leaves no trace in the readings: only the approved
plan of the year says that it exists. FIGURES.md section 8.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from evidence.documents.standing import Standing

CONTROL_PLAN = "control-plan"
#: of a plan's parameters: tables whose entries make a line
_LINES = ("fuel", "process", "product", "clinker", "substitute")
_ALONE = ("anode", "pfc")
_METERED = ("metal", "output", *_LINES, *_ALONE)
_DOCUMENTED = ("laboratory", "settlement", "record")
#: flags of one plan; a plan of 1 MiB could name tens of thousands of points
FLAGS_MAX = 1_000


def approved_plans(standing: Standing, year: str) -> list[bytes]:
    """SHA-256 of the files of a year's control plans that stand and are approved."""
    return [
        logged.document.body["plan_sha256"]
        for logged in standing.all()
        if (logged.document.kind, logged.document.about) == (CONTROL_PLAN, year)
        and standing.ended_by(logged.sha256) is None
        and standing.approvals(logged.sha256)
    ]


def declared_but_absent(
    plan: bytes, given: Mapping[str, Any], output: Mapping[str, Any]
) -> list[str]:
    """Flags `no-plan-line:…` for what the plan declares and the statement lacks, in its order.

    Args:
        plan: the file's bytes; one that is no TOML, or holds other shapes, raises no flag.
        given: a statement's input; may be that of a hostile archive.
        output: its output; likewise.
    """
    try:
        table = tomllib.loads(plan.decode())
    except (ValueError, RecursionError):
        return []
    rows = table.get("parameter")
    named = dict.fromkeys(
        what
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
        for what in _absent(row, given, output)
    )
    return [f"no-plan-line:{what}" for what in list(named)[:FLAGS_MAX]]


def _absent(
    row: Mapping[str, Any], given: Mapping[str, Any], output: Mapping[str, Any]
) -> Iterator[str]:
    table, kind = row.get("table"), row.get("kind", "")
    if row.get("source") == "meter" and table in _METERED:
        counted = _totalisers(given) if row.get("figure") == "quantity" else _read(given)
        points = row.get("points")
        for point in points if isinstance(points, list) else ():
            if isinstance(point, str) and point not in counted:
                yield point
    elif row.get("source") in _DOCUMENTED and table in (*_LINES, *_ALONE):
        there = _lines(output)
        if table in _ALONE and all(category != table for category, _ in there):
            yield table
        elif table in _LINES and isinstance(kind, str) and (table, kind) not in there:
            yield f"{table}.{kind}"


def _totalisers(given: Mapping[str, Any]) -> set[str]:
    """Points that count, with a reading or without."""
    rows = given.get("totalisers")
    found = (row.get("point") for row in _maps(rows))
    return {point for point in found if isinstance(point, str)}


def _read(given: Mapping[str, Any]) -> set[str]:
    """Points that are measured."""
    counted = given.get("completeness")
    return {*(counted if isinstance(counted, dict) else ()), *_totalisers(given)}


def _lines(output: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Category and kind of each line."""
    return {
        (line["category"], line["kind"])
        for line in _maps(output.get("lines"))
        if isinstance(line.get("category"), str) and isinstance(line.get("kind"), str)
    }


def _maps(rows: Any) -> Iterator[Mapping[str, Any]]:
    return (row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict))
