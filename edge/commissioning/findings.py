"""What the doctor found at one layer, and what to do about it. Plain types."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

#: from the machine outwards; of a device the first that failed is named, those behind it wait
LAYERS = (
    "permission", "clock",
    "dns", "tcp", "certificate", "login", "protocol", "unit", "register", "value",
)  # fmt: skip


class State(Enum):
    """How a layer stands."""

    FINE = "fine"
    WARNING = "warning"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        subject: device id, "broker" or "this machine".
        layer: one of `LAYERS`.
        state: how it stands.
        sentence: what was found.
        todo: what to do; "" when there is nothing to do.
    """

    subject: str
    layer: str
    state: State
    sentence: str
    todo: str = ""


def fine(subject: str, layer: str, sentence: str) -> Check:
    """It is as it should be."""
    return Check(subject, layer, State.FINE, sentence)


def failed(subject: str, layer: str, sentence: str, todo: str) -> Check:
    """It is not."""
    return Check(subject, layer, State.FAILED, sentence, todo)


def warning(subject: str, layer: str, sentence: str, todo: str) -> Check:
    """It works, and a person should know of it."""
    return Check(subject, layer, State.WARNING, sentence, todo)


def skipped(subject: str, layer: str, sentence: str, todo: str) -> Check:
    """It was not looked at, so nothing is known of it."""
    return Check(subject, layer, State.SKIPPED, sentence, todo)


def has_failed(checks: Sequence[Check]) -> bool:
    """Something is not as it should be."""
    return any(check.state is State.FAILED for check in checks)
