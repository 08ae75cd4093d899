"""Small months in which a meter says something of itself, and what is to be said of each.

The small plant's device "meters" has two settings. Frames are objects 1 to 4 of the stream (0 is
the configuration), or 1, 2, 4 and 5 where a second configuration stands before the third; the last
object of both is a heartbeat. The second configuration is in force from second 25 on.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evidence.frame import Body
from evidence.recompute import Recomputation, statement_bytes
from tests.unit.evidence import sealed_month as sm

Config = dict[str, Any]
Told = Mapping[int, Sequence[Mapping[str, Any]]]  # number of a frame from 0 on -> its events
Findings = list[tuple[str, str]]  # (code, where)

RATIO = {"means": "ct_primary", "source": "holding 0x0104, u16", "unit": "A"}
RESETS = {"means": "totaliser_resets", "source": "holding 0x0106, u16"}
SECOND_FROM = 2  # frames of the second configuration
HOUR = 3600
LAST_S = 50  # when the last frame begins


def config(
    *stated: tuple[str, str], resets: Sequence[tuple[str, str]] = (), **ratio: str
) -> Config:
    """The small plant's, with what is stated of ct_primary and of totaliser_resets."""
    made = sm.configuration()
    rows: dict[str, dict[str, Any]] = {"ct_primary": RATIO | ratio, "totaliser_resets": {**RESETS}}
    for name, pairs in (("ct_primary", stated), ("totaliser_resets", resets)):
        if pairs:
            rows[name]["stated"] = [list(pair) for pair in pairs]
    made["devices"][1]["meter"] = rows
    return made


def says(at_s: int, ratio: str | int, resets: str | int = "0", **other: Any) -> dict[str, Any]:
    """One reading of both settings; a number instead of a text says why there is none."""
    given = {"ct_primary": ratio, "totaliser_resets": resets}
    return {
        "kind": "meter-settings", "at_ns": sm.START_NS + at_s * sm.SECOND, "device": "meters",
        "read": {name: value for name, value in given.items() if isinstance(value, str)},
        "unread": {name: value for name, value in given.items() if isinstance(value, int)},
    } | other  # fmt: skip


def month(
    first: Config, told: Told, second: Config | None = None, last: Config | None = None
) -> bytes:
    """An archive; `second` is in force from the third frame on, `last` is its last object."""
    parts = [(first, sm.bodies(first))]
    if second is not None:
        anew = sm.bodies(second, anew_at=25)[SECOND_FROM:]
        parts = [(first, parts[0][1][:SECOND_FROM]), (second, anew)]
    number, stream, fold = 0, list[sm.Item](), Recomputation()
    configs = []
    for n, (config, bodies) in enumerate(parts):
        configs.append(len(stream))
        hour = stream[-1].hour if stream else sm.hour_of(bodies[0].t0_ns)
        stream.append(dataclasses.replace(sm.config_item(config), hour=hour))
        fold.configure(b"%d" % n, config)
        for body in bodies:
            made = with_events(body, told.get(number, ()))
            stream.append(sm.frame_item(made))
            assert list(fold.feed(made)) == []
            number += 1
    if last is not None:
        configs.append(len(stream))
        stream.append(dataclasses.replace(sm.config_item(last), hour=stream[-1].hour))
    to_ns = sm.START_NS + 50 * sm.SECOND
    statement = statement_bytes(fold.statement(sm.START_NS, to_ns, "interim"))
    made_month = sm.make_month(stream, statement=statement)
    objects = made_month.objects
    return sm.build(
        sm.contents(made_month, configs={sm.sha256(objects[i]): objects[i] for i in configs})
    )


def with_events(body: Body, events: Sequence[Mapping[str, Any]]) -> Body:
    return dataclasses.replace(body, events=(*body.events, *events))


LATER = (("800", "transformers replaced, work order 4711"),)
UNREAD, CHANGED, NOTED = "W-METER-UNREAD", "E-METER-SETTING", "N-METER-SETTING"

#: what it is -> (how it is made, (code, where) of what is said about settings)
CASES: dict[str, tuple[Callable[[], bytes], Findings]] = {
    "the same every time": (
        lambda: month(config(), {0: [says(1, "400")], 1: [says(12, "400")], 3: [says(40, "400")]}),
        [],
    ),
    "what is stated, from the first reading on": (
        lambda: month(config(("400", "type plate")), {0: [says(1, "400")]}),
        [],
    ),
    "another value, and nobody says why": (
        lambda: month(config(), {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "800")]}),
        [(CHANGED, "edge-1 seq 2")],
    ),
    "a change that is taken back is a change": (
        lambda: month(config(), {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "400")]}),
        [(CHANGED, "edge-1 seq 2")],
    ),
    "another value than is stated, from the first reading on": (
        lambda: month(config(("400", "type plate")), {0: [says(1, "800")], 1: [says(12, "800")]}),
        [(CHANGED, "edge-1 seq 1")],
    ),
    "explained afterwards": (
        lambda: month(
            config(),
            {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "800")]},
            config(*LATER),
        ),
        [(NOTED, "edge-1 seq 2")],
    ),
    "explained by the last object": (
        lambda: month(config(), {0: [says(1, "400")], 1: [says(12, "800")]}, last=config(*LATER)),
        [(NOTED, "edge-1 seq 2")],
    ),
    "stated before it is read": (
        lambda: month(config(), {0: [says(1, "400")], 3: [says(40, "800")]}, config(*LATER)),
        [(NOTED, "edge-1 seq 5")],
    ),
    "explained, and then another change": (
        lambda: month(
            config(),
            {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "600")]},
            config(*LATER),
        ),
        [(NOTED, "edge-1 seq 2"), (CHANGED, "edge-1 seq 5")],
    ),
    "another value explained than was read": (
        lambda: month(
            config(),
            {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "800")]},
            config(("600", "transformers replaced")),
        ),
        [(CHANGED, "edge-1 seq 2")],
    ),
    "a pair that was stated before explains nothing": (
        lambda: month(
            config(*LATER, ("400", "put back")),
            {0: [says(1, "400")], 1: [says(12, "800")], 3: [says(40, "400")]},
            config(*LATER, ("400", "put back"), resets=[("0", "new")]),
        ),
        [(CHANGED, "edge-1 seq 2")],
    ),
    "back and forth, both explained": (
        lambda: month(
            config(),
            {0: [says(1, "400")], 1: [says(12, "800")], 2: [says(30, "400")]},
            config(("800", "by mistake for an hour"), ("400", "put right")),
        ),
        [(NOTED, "edge-1 seq 2"), (NOTED, "edge-1 seq 4")],
    ),
    "explained, but not what is read from then on": (
        lambda: month(
            config(),
            {0: [says(1, "400")], 1: [says(12, "800")], 2: [says(30, "800")]},
            config(("800", "by mistake for an hour"), ("400", "put right")),
        ),
        [(NOTED, "edge-1 seq 2"), (CHANGED, "edge-1 seq 4")],
    ),
    "a counter that moved": (
        lambda: month(config(), {0: [says(1, "400", "2")], 1: [says(12, "400", "3")]}),
        [(CHANGED, "edge-1 seq 2")],
    ),
    "a counter that moved twice, and one move is explained": (
        lambda: month(
            config(),
            {0: [says(1, "400", "2"), says(5, "400", "3")], 1: [says(12, "400", "4")]},
            config(resets=[("4", "maintenance by the maker")]),
        ),
        [(CHANGED, "edge-1 seq 1"), (NOTED, "edge-1 seq 2")],
    ),
    "read in another way it begins anew": (
        lambda: month(
            config(),
            {0: [says(1, "400")], 3: [says(40, "800")]},
            config(source="holding 0x0200, u16"),
        ),
        [],
    ),
    "one that cannot be read, told once": (
        lambda: month(config(), {0: [says(1, 130)], 1: [says(12, 130)], 3: [says(40, 130)]}),
        [(UNREAD, "edge-1 seq 1")],
    ),
    "one that cannot be read, for a while": (
        lambda: month(
            config(),
            {0: [says(1, 130)], 1: [says(12, "400")], 2: [says(26, 128)], 3: [says(40, "800")]},
        ),
        [(UNREAD, "edge-1 seq 1"), (UNREAD, "edge-1 seq 3"), (CHANGED, "edge-1 seq 4")],
    ),
    "not read for more than two hours": (
        lambda: month(config(), {0: [says(1, "400")], 1: [says(2 * HOUR + 2, "400")]}),
        [(UNREAD, "edge-1 seq 2")],
    ),
    "read again after two hours to the second": (
        lambda: month(config(), {0: [says(1, "400")], 1: [says(2 * HOUR + 1, "400")]}),
        [],
    ),
    "not read until the end": (
        lambda: month(config(), {0: [says(LAST_S - 1 - 2 * HOUR, "400")]}),
        [(UNREAD, "stream edge-1")],
    ),
    "read two hours before the last frame, to the second": (
        lambda: month(config(), {0: [says(LAST_S - 2 * HOUR, "400")]}),
        [],
    ),
    "other settings than the configuration names": (
        lambda: month(config(), {0: [says(1, "400", read={"ct_primary": "400"})]}),
        [("E-GROUPS", "edge-1 seq 1")],
    ),
    "settings of a device that has none": (
        lambda: month(config(), {0: [says(1, "400", device="pots")]}),
        [("E-GROUPS", "edge-1 seq 1")],
    ),
}
