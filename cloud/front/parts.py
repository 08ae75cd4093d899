"""What each collector is asked for, how often, and what the answer must look like. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.accounts.roles import Right
from cloud.front import shapes

Read = Callable[[Any], Any]
#: seconds between two looks at a collector, and between two at what changes slowly
LOOK_S, SLOW_S = 5.0, 60.0


@dataclass(frozen=True)
class Asked:
    """One thing that is asked for.

    Attributes:
        path: below /api/v1.
        right: that it needs; None for none.
        every_s: seconds between two answers.
        read: makes its shape of JSON; ValueError where it is something else.
    """

    path: str
    right: Right | None
    every_s: float
    read: Read


#: `rights` comes first: with a token that may do more nothing is asked
PARTS: Mapping[str, Asked] = {
    "rights": Asked("rights", None, LOOK_S, shapes.Rights.model_validate),
    "health": Asked("health", Right.EVIDENCE, LOOK_S, shapes.Health.model_validate),
    "streams": Asked("streams", Right.EVIDENCE, LOOK_S, shapes.STREAMS.validate_python),
    "overview": Asked("overview", Right.SEE, LOOK_S, shapes.Overview.model_validate),
    "alarms": Asked("alarms", Right.SEE, LOOK_S, shapes.Alarms.model_validate),
    "plants": Asked("plants", Right.SEE, SLOW_S, shapes.PLANTS.validate_python),
    "months": Asked("months", Right.SEE, SLOW_S, shapes.MONTHS.validate_python),
    "reviews": Asked("reviews", Right.RECORDS, SLOW_S, shapes.Reviews.model_validate),
}
