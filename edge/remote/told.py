"""What `edge status`, `check` and `doctor` say of site orders. I/O: reads `state.json`."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.errors import SpoolError
from edge.remote.folder import read_state
from edge.site.config import Site


def orders_of(folder: Path) -> dict[str, Any]:
    """How orders stand, as plain values; `problem` where nobody can say."""
    try:
        state = read_state(folder)
    except SpoolError as error:
        return {"problem": str(error)}
    return {
        "in_force": None if state.in_force is None else state.in_force.number,
        "on_trial": None if state.trial is None else state.trial.given.number,
        "judged": state.judged,
        "refusal": None if state.refusal is None else asdict(state.refusal),
    }


def order_lines(orders: Mapping[str, Any] | None) -> list[str]:
    """The same for people; nothing where none are taken."""
    if orders is None:
        return []
    if "problem" in orders:
        return [f"site orders: {orders['problem']}"]
    said = "the site file at this gateway counts"
    if orders["in_force"] is not None:
        said = f"order {orders['in_force']} is in force"
    if orders["on_trial"] is not None:
        said += f"; order {orders['on_trial']} is on trial"
    lines = [f"site orders: {said}; the next has number {orders['judged'] + 1} or higher"]
    if (refusal := orders["refusal"]) is not None:
        lines.append(f"site order {refusal['number']}: {refusal['outcome']}: {refusal['reason']}")
    return lines


def other_file(site: Site) -> str:
    """That the agent runs on another file than this one; "" when it does not."""
    number = None if site.remote is None else orders_of(site.gateway.orders).get("in_force")
    if number is None:
        return ""
    return (
        f"the agent runs on the site file of order {number}, not on this one: see `stackproof edge "
        "order`. It counts again when it is changed and the agent is started anew"
    )
