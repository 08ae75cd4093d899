"""Small months with time missing between their ticks, and what is to be said of each.

The small plant reads schedule 0 every second and schedule 1 every ten; seconds count from its first
tick, 2026-06-15T04:59:40Z.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from evidence.frame import Body, Gap
from evidence.recompute import Recomputation, month_bounds, statement_bytes
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
JUNE = month_bounds("Asia/Shanghai", "2026-06")
MADE = sm.bodies(CONFIG)  # ticks 0 to 9, 10 to 19, 25 to 34, 35 to 44; slow ones 0, 10, 30, 40


def at(seconds: int) -> int:
    return sm.START_NS + seconds * sm.SECOND


def later(body: Body, seconds: int = 0, *, fast_only: bool = False, gap: Gap | None = None) -> Body:
    """A frame as if its ticks stood so many seconds later."""
    ns = seconds * sm.SECOND
    sections = body.sections[:1] if fast_only else body.sections
    moved = tuple(dataclasses.replace(s, first_ns=s.first_ns + ns) for s in sections)
    return dataclasses.replace(body, t0_ns=body.t0_ns + ns, sections=moved, gap=gap)


def every(seconds: int) -> dict[str, Any]:
    """The plant's configuration with another interval of schedule 1."""
    config = sm.configuration()
    config["schedules"][1]["interval_ns"] = seconds * sm.SECOND
    return config


def month_of(*parts: tuple[dict[str, Any], Sequence[Body]]) -> bytes:
    """An archive of these frames, each piece under its configuration; figures are not theirs."""
    stream = []
    for config, made in parts:
        stream += [sm.config_item(config, made[0].t0_ns), *map(sm.frame_item, made)]
    month = sm.make_month(stream)
    firsts = [0, *(1 + len(made) for _, made in parts)]
    places = [sum(firsts[: i + 1]) for i in range(len(parts))]
    configs = {sm.sha256(month.objects[i]): month.objects[i] for i in places}
    return sm.build(sm.contents(month, configs=configs))


def final(start_ns: int) -> bytes:
    """June closed as final; 20 s of it were read, from `start_ns` on."""
    made, fold = sm.bodies(CONFIG, start_ns)[:2], Recomputation()
    fold.configure(b"x", CONFIG)
    for body in made:
        assert list(fold.feed(body)) == []
    statement = statement_bytes(fold.statement(start_ns, JUNE[1], "final"))
    month = sm.make_month(sm.items(CONFIG, made), statement=statement, closing="final")
    hours = [sm.hour_of(start_ns)] * len(month.objects)
    return sm.build(sm.contents(dataclasses.replace(month, hours=tuple(hours)), closing="final"))


def behind(gaps: int) -> bytes:
    """A hole behind so many told gaps of a second, each of which a frame without ticks tells."""
    beats = [
        dataclasses.replace(MADE[4], t0_ns=at(19), gap=Gap(at(18), at(19), "restart"))
        for _ in range(gaps)
    ]
    return month_of((CONFIG, [*MADE[:2], *beats, later(MADE[2])]))


FAST_ONLY = later(MADE[1], fast_only=True)  # ticks 10 to 19; the slow one of 10 is not there
HOLE = "{}.000 s without readings of schedule {} between {} and {}, and no gap recorded here covers"


def hole(where: str, seconds: int, schedule: int, since: str, until: str) -> str:
    return f"{where}: {HOLE.format(seconds, schedule, since, until)} them."


#: what it is -> (how it is made, "where: sentence" of each hole)
CASES: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "an interval that changes hides what was due before": (
        lambda: month_of(
            (CONFIG, [MADE[0], FAST_ONLY]), (every(5), [later(MADE[1], 10, fast_only=True)])
        ),
        [
            hole("edge-1 seq 4", 10, 1, "2026-06-15T04:59:50Z", "2026-06-15T05:00:00Z"),
            hole("stream edge-1", 10, 1, "2026-06-15T05:00:00Z", "2026-06-15T05:00:10Z"),
        ],
    ),
    "it is told with the first frame that names the configuration": (
        lambda: month_of((CONFIG, [MADE[0], FAST_ONLY]), (every(5), [MADE[4]])),
        [hole("edge-1 seq 4", 10, 1, "2026-06-15T04:59:50Z", "2026-06-15T05:00:00Z")],
    ),
    "an interval that changes where nothing is missing": (
        lambda: month_of((CONFIG, MADE[:2]), (every(5), [MADE[4]])), [],
    ),
    "an interval that changes and comes back": (
        lambda: month_of(
            (CONFIG, [MADE[0], FAST_ONLY]), (every(5), [MADE[4]]), (CONFIG, [MADE[4]])
        ),
        [hole("edge-1 seq 4", 10, 1, "2026-06-15T04:59:50Z", "2026-06-15T05:00:00Z")],
    ),
    "a gap covers what was due before a change": (
        lambda: month_of(
            (CONFIG, [MADE[0], FAST_ONLY]),
            (every(5), [dataclasses.replace(MADE[4], gap=Gap(at(9), at(12), "restart"))]),
        ),
        [],
    ),
    "a final month that is read to its end": (lambda: final(JUNE[1] - 20 * sm.SECOND), []),
    "a final month without its last ten seconds": (
        lambda: final(JUNE[1] - 30 * sm.SECOND),
        [
            hole("stream edge-1", 10, 0, "2026-06-30T15:59:50Z", "2026-06-30T16:00:00Z"),
            hole("stream edge-1", 10, 1, "2026-06-30T15:59:50Z", "2026-06-30T16:00:00Z"),
        ],
    ),
    "an interim month is due as far as it was read": (
        lambda: month_of((CONFIG, [MADE[0], FAST_ONLY])),
        [hole("stream edge-1", 10, 1, "2026-06-15T04:59:50Z", "2026-06-15T05:00:00Z")],
    ),
}  # fmt: skip
