"""Months as the API and the pages have them: JSON-ready, instants in UTC nanoseconds. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.closing.log import MonthClose
from cloud.month.checklist import Checklist, DeviceRow, Owed, owed_flags
from cloud.month.deadlines import deadline_of
from cloud.month.expected import Given
from cloud.month.facts import Archive
from cloud.month.sealed import seal_of, sealed_row, state_rows, worded
from cloud.month.states import Standing
from evidence.documents.document import COLLECTOR
from evidence.documents.standing import Logged
from evidence.month_state import MonthState
from evidence.phrases import LANGUAGES

#: SHA-256 of an archive (hex) -> what was found of it, None while it was not verified
VerdictOf = Callable[[str], Mapping[str, Any] | None]
_VERIFIED = ("verdict", "code", "substituted_percent", "version", "at_ns")


def month_row(
    plant: str,
    of: Checklist,
    state: Standing,
    close: MonthClose | None,
    archives: Sequence[tuple[Archive, Path]],
    *,
    verdict_of: VerdictOf,
) -> dict[str, Any]:
    """A month with its state, its deadline and its `archives` with what was found of them."""
    deadline = deadline_of(of.month)
    found = [{**_archive(one, close, path), "verified": verdict_of(one.sha256)}
             for one, path in archives]  # fmt: skip
    return {
        "plant": plant,
        "month": of.month,
        "zone": of.zone,
        "state": state.state.value,
        "since_ns": state.since_ns,
        "level": state.level.value,
        "from_ns": of.from_ns,
        "to_ns": of.to_ns,
        "deadline": None if deadline is None else deadline.day.isoformat(),
        "deadline_zone": None if deadline is None else deadline.zone,
        "deadline_rule": None if deadline is None else deadline.rule,
        "deadline_source": None
        if deadline is None
        else {"en": deadline.source, "zh": deadline.source_zh},
        "deadline_confidence": None if deadline is None else deadline.confidence,
        "days_left": state.days_left,
        "owed": [_owed(one) for one in of.owed],
        "readings": {
            "count": of.counted.readings,
            "reserved": of.counted.reserved,
            "bad": of.counted.bad,
            "due": of.due,
        },
        "archives": [{**one, "verified": _verified(one["verified"])} for one in found],
        "sealed": sealed_row(seal_of(found)),
    }


def _verified(found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A verdict without its state, which `sealed` tells."""
    return found and {name: found[name] for name in _VERIFIED}


def issues_row(
    archives: Sequence[Mapping[str, Any]],
    verdict_of: VerdictOf,
    figures: Mapping[str, Any] | None,
) -> Mapping[str, Any]:
    """Archive part of a month's page: `sealed`, `issues`, `more`, `not_checked`.

    Before the archive is verified its statement alone says what it lacks.

    Args:
        archives: of the month, as `month_row` gives them.
        verdict_of: as there.
        figures: as `figures_row`, None where none can be shown.
    """
    seal = seal_of(archives)
    found = None if seal is None else verdict_of(seal["sha256"])
    if seal is not None and found is not None:
        state = MonthState.from_map(json.loads(found["state"]))
        sealed = sealed_row({**seal, "verified": found})
        return {"sealed": sealed, **state_rows(state, json.loads(found["not_checked"]))}
    if seal is None or figures is None:
        return {"sealed": None, **state_rows(MonthState(), ())}
    state = MonthState.from_map(figures["state"])
    sealed = {
        "sha256": seal["sha256"],
        **worded(state),
        "code": "",
        "why": dict.fromkeys(LANGUAGES, ""),
    }
    return {"sealed": sealed, **state_rows(state, ())}


def checklist_row(of: Checklist, closes: Sequence[MonthClose]) -> dict[str, Any]:
    """What a month's page shows beside its row; `closes` are those of the month."""
    return {
        "days": list(of.days),
        "streams": [
            {
                "gateway": row.stream, "gaps": row.gaps, "gap_ns": row.gap_ns,
                "gap_days": dict(row.days), "reaches_ns": row.reaches_ns, "missing": row.missing,
            }
            for row in of.streams
        ],
        "devices": [_device(row) for row in of.devices],
        "has_plan": of.has_plan,
        "documents": [_given(row) for row in of.documents],
        "unapproved": [_document(one) for one in of.unapproved],
        "events": [_document(one) for one in of.events],
        "certificates": [
            {"device": one.device, "scope": one.scope, "number": one.number, "due": one.due}
            for one in of.certificates
        ],
        "after": [_document(one) for one in of.after],
        "late": dict(of.late),
        "decisions": [
            {**_document(one), **{name: one.document.body[name] for name in ("reason", "by")},
             "owed": [dict(row) for row in one.document.body["owed"]]}
            for one in of.decisions
        ],
        "closes": [
            {
                "index": close.index,
                "closing": close.closing,
                "received_ns": close.received_ns,
                "statement_sha256": close.statement_sha256.hex(),
                "replaces": None if close.replaces is None else close.replaces.hex(),
            }
            for close in closes
        ],
    }  # fmt: skip


def owed_rows(flags: Iterable[str]) -> list[dict[str, Any]]:
    """Of a statement's flags those with which a month is closed only by a decision."""
    return [_owed(one) for one in owed_flags(flags) if one.blocks]


def _owed(one: Owed) -> dict[str, Any]:
    return {"what": one.what, "by": one.by, "blocks": one.blocks, "values": dict(one.values)}


def _archive(one: Archive, close: MonthClose | None, path: Path) -> dict[str, Any]:
    is_newest = close is not None and one.statement == close.statement_sha256
    return {
        "name": one.name,
        "archive": str(path),
        "bytes": one.size,
        "sha256": one.sha256,
        "statement_sha256": one.statement.hex(),
        "replaced": one.is_replaced,
        "newest": is_newest and not one.is_replaced,  # of a lost log, of the same statement
    }


def _device(row: DeviceRow) -> dict[str, Any]:
    return {
        "gateway": row.stream,
        "device": row.device,
        "readings": row.total.readings,
        "reserved": row.total.reserved,
        "bad": row.total.bad,
        "due": row.due,
        "days": {
            day: [cell.counts.readings, cell.due, cell.counts.reserved, cell.counts.bad]
            for day, cell in row.cells.items()
        },
    }


def _given(row: Given) -> dict[str, Any]:
    of = row.expected
    return {
        "parameter": of.parameter,
        "kind": of.kind,
        "about": of.about,
        "frequency": of.frequency,
        "responsible": of.responsible,
        "documents": [_document(one) for one in row.documents],
        "unapproved": row.unapproved,
        "missing_days": list(row.missing_days),
        "is_missing": row.is_missing,
    }


def _document(one: Logged) -> Mapping[str, Any]:
    document = one.document
    return {
        "sha256": one.sha256.hex(),
        "kind": document.kind,
        "about": document.about,
        "person": document.person,
        "role": COLLECTOR if one.signer is None else one.signer.role,
        "received_ns": one.received_ns,
    }
