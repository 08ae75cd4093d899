"""State of a month's sealed archive, as every page and list that shows the month tells it. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from evidence.findings import CODES
from evidence.month_state import CANNOT_DECIDE, FAILED, MonthState
from evidence.phrases import LANGUAGES, phrase, translated

#: states that are worded once: nearly all months of a collector have the same few
WORDED_MAX = 4_096


def worded(state: MonthState) -> dict[str, Any]:
    """JSON-ready: verdict, exit status of `verify`, headline, words beside every total.

    Beside the total of an archive that failed, or that cannot be decided, is its headline.
    """
    headline = {of: state.headline(of) for of in LANGUAGES}
    beside = {of: state.beside_total(of) for of in LANGUAGES}
    if state.verdict in (FAILED, CANNOT_DECIDE):
        beside = {of: phrase("headline.beside", of, told=told) for of, told in headline.items()}
    return {
        "verdict": state.verdict,
        "exit_status": state.exit_status,
        "incomplete": bool(state.incomplete),
        "headline": headline,
        "beside_total": beside,
    }


@lru_cache(WORDED_MAX)
def _worded(state: str) -> Mapping[str, Any]:
    return worded(MonthState.from_map(json.loads(state)))


def told_before(verdict: str) -> dict[str, Any]:
    """State of an archive of which a collector of an earlier program told the verdict alone.

    That program recomputed, and trusted nobody.
    """
    return {
        **worded(MonthState(verdict, recomputed=True)),
        "code": "",
        "why": dict.fromkeys(LANGUAGES, ""),
    }


def seal_of(archives: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The archive that stands, None for none; one that failed may not be what its close told."""
    newest = (one for one in archives if one["newest"])
    failed = (
        one
        for one in archives
        if not one["replaced"] and (one["verified"] or {}).get("verdict") == FAILED
    )
    return next(newest, None) or next(failed, None)


def sealed_row(seal: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Archive part of a month's row; None where no archive was verified yet.

    sha256; verdict, exit_status, incomplete, headline, beside_total (`worded`); code: of the
    finding that weighs most, "" when it passed; why: what that code means, "" for none.

    Args:
        seal: an archive with what was found of it (`verified`, with its `state` as JSON text).
    """
    if seal is None or seal["verified"] is None:
        return None
    found = seal["verified"]
    code = found["code"]
    why = {of: phrase(f"code.{code}", of) if code in CODES else "" for of in LANGUAGES}
    return {"sha256": seal["sha256"], **_worded(found["state"]), "code": code, "why": why}


def state_rows(state: MonthState, not_checked: Iterable[str]) -> Mapping[str, Any]:
    """Issues of a month and the verifier's list of unchecked things, for the month's own page."""
    sentences = tuple(not_checked)
    return {
        "issues": [
            {
                "flag": issue.flag, "code": issue.code, "weight": issue.weight,
                "where": "" if issue.where == issue.flag else issue.where,
                "sentence": {of: issue.sentence(of) for of in LANGUAGES},
            }
            for issue in state.issues
        ],
        "more": dict(state.more),
        "not_checked": {
            of: [translated("unchecked", one, of) for one in sentences] for of in LANGUAGES
        },
    }  # fmt: skip
