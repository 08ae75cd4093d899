"""Whoever may not read records sees roles in a month's row, and no person."""

from typing import Any

from cloud.accounts.roles import ROLES, VISITOR, Principal
from cloud.api.month_names import for_eyes_of

PAPER = {"kind": "invoice", "about": "coal", "person": "li", "role": "accountant"}
ROW: dict[str, Any] = {
    "archives": [{"name": "mill-2026-10.tar", "archive": "/srv/a/mill-2026-10.tar"}],
    "owed": [{"what": "approval", "by": "accountant", "values": PAPER},
             {"what": "document", "by": "Zhao Min", "values": {"about": "coal"}}],
    "documents": [{"responsible": "Zhao Min", "documents": [PAPER]}],
    "decisions": [{"kind": "month-decision", "person": "collector", "role": "collector",
                   "by": "ann", "reason": "burnt", "owed": [{"what": "by li", "by": "li"}]}],
}  # fmt: skip


def test_names_are_for_whoever_may_read_records() -> None:
    seen = for_eyes_of(Principal("ann", ROLES["accountant"]), ROW)
    assert seen == ROW | {"archives": [{"name": "mill-2026-10.tar"}]}
    shown = for_eyes_of(VISITOR, ROW)
    told = repr(shown)
    assert not [name for name in ("'li'", "by li", "Zhao Min", "'ann'") if name in told]
    assert shown["owed"][0]["values"]["person"] == "accountant"
    assert [one["by"] for one in shown["owed"]] == ["accountant", "named"]
    assert (shown["decisions"][0]["by"], shown["decisions"][0]["reason"]) == ("accountant", "burnt")
