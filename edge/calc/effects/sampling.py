"""What sampling cannot see: how far an anode effect's duration is known, and which are never seen.

With samples every τ the voltage crosses the start voltage within the τ before the effect's first
sample, and the end voltage within the τ before the first sample below it. Each of the two is late
by 0 to τ, so the duration is wrong by more than -τ and less than +τ, and n durations by less than
n·τ. An effect needs k + 1 samples at the start voltage, k = t_start ÷ τ rounded up. One that stands
no longer than k·τ never has them, one that stands (k + 1)·τ or longer always has. Pure.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from evidence.points import exact

#: Slower than this is told. A convention of this program: published texts give none for pot
#: voltages. HJ 76 (appendix B) has a CEMS take a sample at least every 5 s.
SLOW_NS = 5 * 10**9
FLAG = "slow-pot-voltage"

_NS = 10**9


def is_slow(interval_ns: int) -> bool:
    """The statement tells of pot voltages that are read so seldom."""
    return interval_ns > SLOW_NS


def sampling_map(interval_ns: int, t_start_ns: int, effects: int) -> dict[str, str]:
    """What a potline's statement says of its sampling, in seconds.

    Args:
        interval_ns: between two samples.
        t_start_ns: how long the start voltage has to stand.
        effects: how many the statement counts.
    """
    needed = -(-t_start_ns // interval_ns)
    return {
        name: exact_text(Fraction(times * interval_ns, _NS))
        for name, times in (
            ("interval_s", 1),
            ("duration_uncertainty_s", 1),
            ("total_uncertainty_s", effects),
            ("never_seen_up_to_s", needed),
            ("always_seen_from_s", needed + 1),
        )
    }


def slow_potlines(config: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """(id, what sampling cannot see) of each potline of a configuration that is read too slowly."""
    interval_ns = int(config["schedules"][0]["interval_ns"])
    if not is_slow(interval_ns):
        return []
    return [
        (line["id"], sampling_map(interval_ns, _start_ns(line["anode_effect"]), 1))
        for line in config["potlines"]
    ]


def slow_text(told: Mapping[str, str]) -> str:
    """One sentence about a map of `sampling_map`, for people."""
    return (
        f"pot voltages are read every {told['interval_s']} s: the duration of an anode effect is "
        f"known to ±{told['duration_uncertainty_s']} s only, one of up to "
        f"{told['never_seen_up_to_s']} s is never seen, and only one of "
        f"{told['always_seen_from_s']} s or more is always seen; read them at least every "
        f"{SLOW_NS // _NS} s"
    )


def _start_ns(rules: Mapping[str, str]) -> int:
    return int(exact(rules["t_start_s"]) * _NS)
