"""Persons in a month's row: their names are for whoever may read what they signed. Pure."""

from collections.abc import Mapping
from typing import Any

from cloud.accounts.roles import ROLES, Principal, Right
from evidence.documents.review import CLOSED_OWING

#: whoever the control plan names
NAMED = "named"


def for_eyes_of(who: Principal, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A month's row as somebody may see it: no paths, and roles for who may not read records."""
    archives = [{key: one[key] for key in one if key != "archive"} for one in row["archives"]]
    row = {**row, "archives": archives}
    if Right.RECORDS in who.rights:
        return row
    shown: Mapping[str, Any] = _shown(row)
    return shown


def _shown(value: Any) -> Any:  # noqa: ANN401 - JSON
    """JSON in which each person is its role."""
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    shown = {name: _shown(one) for name, one in value.items()}
    if "person" in shown:
        shown["person"] = shown["role"]
    if shown.get("kind") == CLOSED_OWING:  # what was owed names persons in its sentences
        shown |= {"by": "accountant", "owed": []}
    for name in ("by", "responsible"):
        if name in shown and shown[name] not in ROLES:
            shown[name] = NAMED
    return shown
