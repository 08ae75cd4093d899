"""Whether a new site file has come healthy. Pure.

Healthy is: every device that answered before and is still in the file has answered, and the broker
is reached if it was. What did not answer before is not asked of the new file, and what is new in it
may still have to be wired. It must come so, and be so when its time is over: what is wrong with a
file may show only after some frames (ADR 0075).
"""

from collections.abc import Mapping, Set

from edge.remote.state import Trial

NS = 1_000_000_000
TICKS = 3  # a device that is read rarely is given so many of its ticks


def needed(trial: Trial, intervals_ns: Mapping[str, int]) -> frozenset[str]:
    """The devices that must answer; `intervals_ns`: those of the new file, id -> nanoseconds."""
    return frozenset(trial.answered) & intervals_ns.keys()


def patience_ns(trial: Trial, intervals_ns: Mapping[str, int], healthy_s: int) -> int:
    """How long the new file may lack something, nanoseconds."""
    slowest_ns = max((intervals_ns[device] for device in needed(trial, intervals_ns)), default=0)
    return max(healthy_s * NS, TICKS * slowest_ns)


def lacks(
    trial: Trial, intervals_ns: Mapping[str, int], answered: Set[str], *, is_heard: bool
) -> str:
    """What is not yet as before the order, a sentence's end; "" when the file is healthy."""
    silent = sorted(needed(trial, intervals_ns) - answered)
    found = [f"{', '.join(silent)} answered before and {_has(silent)} not since"] if silent else []
    if trial.heard and not is_heard:
        found.append("the broker was reached before and is not")
    return "; ".join(found)


def _has(silent: list[str]) -> str:
    return "has" if len(silent) == 1 else "have"
