"""A gateway's state message: is it online, and what became of its newest site order. Pure.

    {"online": true or false, "order": {"number", "outcome", "reason"}}   "order" may be missing

Nobody signed it: it is shown and nothing else.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

BYTES_MAX, REASON_MAX, NUMBER_MAX = 1_024, 200, 2**53
#: as `edge.remote.state` words them
OUTCOMES = ("staged", "on trial", "in force", "refused", "rolled back", "set aside")


class StateMessage(NamedTuple):
    """A birth (online) or last will; `order` has number, outcome and reason, None for no order."""

    online: bool
    order: Mapping[str, Any] | None = None


def parse_state(payload: bytes) -> StateMessage | None:
    """What it says; None when it says nothing of the kind. An order that is none is left out."""
    if len(payload) > BYTES_MAX:
        return None
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    online = value.get("online") if isinstance(value, dict) else None
    return StateMessage(online, _order(value.get("order"))) if isinstance(online, bool) else None


def _order(value: object) -> Mapping[str, Any] | None:
    if not isinstance(value, dict):
        return None
    number, outcome, reason = (value.get(name) for name in ("number", "outcome", "reason"))
    if type(number) is not int or not 0 < number <= NUMBER_MAX or outcome not in OUTCOMES:
        return None
    said = reason[:REASON_MAX] if isinstance(reason, str) and reason.isprintable() else ""
    return {"number": number, "outcome": outcome, "reason": said}
