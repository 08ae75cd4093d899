"""Gateway and collector agree on a configuration that hides something, or is none."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.calc.folds.live import computed_points
from evidence.frame import Body, Clock
from evidence.keys import key_sha256
from evidence.log import Kind as Entry
from evidence.recompute import Recomputation, month_bounds, statement_bytes
from tests.attacks.by_keys import BOTH, GOOD_REPLACE, Changing, order_entry, replacement
from tests.attacks.forging import Kind, kind
from tests.independent.random_plants import month
from tests.unit.evidence import sealed_month as sm

Config = dict[str, Any]
Change = Callable[[Config], Any]
JUNE = month_bounds("Asia/Shanghai", "2026-06")[0]
FROM = 2  # the second configuration stands before this frame
AT_S = 25  # where that frame begins
REAL = Clock("ntp", 1, 1, bytes(16))


def changed(change: Change) -> Config:
    """The small plant's configuration, changed."""
    config = sm.configuration()
    change(config)
    return config


def statement_of(
    parts: Sequence[tuple[Mapping[str, Any], Sequence[Body]]], from_ns: int = sm.START_NS
) -> bytes:
    """The statement that these frames under these configurations give, from an instant on."""
    fold = Recomputation()
    for n, (config, bodies) in enumerate(parts):
        fold.configure(b"%d" % n, config)
        for body in bodies:
            assert list(fold.feed(body)) == []
    to_ns = sm.START_NS + 50 * sm.SECOND
    return statement_bytes(fold.statement(from_ns, to_ns, "interim"))


def reconfigured(change: Change, frame: int | None = None, **fields: Any) -> Callable[[], bytes]:
    """A month in whose midst the configuration changes.

    Args:
        change: what changes.
        frame: stream index of another object whose header fields are replaced instead.
        fields: replace header fields of the second configuration object.
    """

    def build() -> bytes:
        one, two = sm.configuration(), changed(change)
        before, after = sm.bodies(one)[:FROM], sm.bodies(two, anew_at=AT_S)[FROM:]
        stream = sm.items(one, [*before, *after])
        again = dataclasses.replace(sm.config_item(two), hour=stream[FROM].hour)
        stream.insert(FROM + 1, again)
        at = FROM + 1 if frame is None else frame
        stream[at] = dataclasses.replace(stream[at], fields=fields)
        statement = statement_of([(one, before), (two, after)])
        month = sm.make_month(stream, statement=statement)
        configs = {sm.sha256(month.objects[i]): month.objects[i] for i in (0, FROM + 1)}
        return sm.build(sm.contents(month, configs=configs))

    return build


def by_a_new_device() -> bytes:
    """The gateway burns in the month's midst; the next one does not know what it went by."""
    one, two = sm.configuration(), changed(halved)
    before, after = sm.bodies(one)[:FROM], sm.bodies(two, anew_at=AT_S)[FROM:]
    stream = sm.items(one, [*before, *after])
    again = dataclasses.replace(
        sm.config_item(two), hour=stream[FROM].hour, fields={"cfg": None, "anchor": None}
    )
    stream.insert(FROM + 1, again)
    statement = statement_of([(one, before), (two, after)])
    between = {FROM + 1: order_entry(GOOD_REPLACE, FROM, replaces=True)}
    month = sm.make_month(stream, statement=statement, chain=Changing(FROM + 1), between=between)
    configs = {sm.sha256(month.objects[i]): month.objects[i] for i in (0, FROM + 1)}
    gateways = [(sm.STREAM, certificate) for certificate in BOTH]
    return sm.build(sm.contents(month, configs=configs, gateways=gateways, orders=[GOOD_REPLACE]))


def begins(*, replaced: bool) -> Callable[[], bytes]:
    """A month whose first object is another configuration that names none before it."""

    def build() -> bytes:
        one, two = sm.configuration(), changed(halved)
        chain = Changing(1) if replaced else sm.Chain(sm.keys().gateway)
        item = sm.config_item(one)
        old = chain.sign(item.typ, item.payload)
        entries = [sm.enrolment()]
        by = key_sha256(chain.by.public_key)
        entries.append(sm.entry(Entry.CONFIG, old, 1, seq=0, certificate=by))
        order = replacement(0, sm.sha256(old))
        if replaced:
            entries.append(order_entry(order, 0, replaces=True)(2))
        first, *frames = sm.items(two)
        stream = [dataclasses.replace(first, fields={"cfg": None}), *frames]
        month = sm.make_month(
            stream, chain=chain, first_entries=entries,
            statement=statement_of([(two, sm.bodies(two))], JUNE),
        )  # fmt: skip
        told = (old, month.objects[0]) if replaced else (month.objects[0],)
        more: dict[str, Any] = {"orders": [order] if replaced else []}
        more["gateways"] = [(sm.STREAM, certificate) for certificate in BOTH[: 1 + replaced]]
        return sm.build(sm.contents(month, configs={sm.sha256(o): o for o in told}, **more))

    return build


def under(config: Config, bodies: Sequence[Body] | None = None) -> Callable[[], bytes]:
    """The honest readings, or others, under another configuration, with the statement of them."""

    def build() -> bytes:
        made = bodies or sm.bodies(config)
        month = sm.make_month(sm.items(config, made), statement=statement_of([(config, made)]))
        return sm.build(sm.contents(month))

    return build


def misformed(change: Change) -> Callable[[], bytes]:
    """The honest month under a configuration that is none."""
    stream = [sm.config_item(changed(change)), *sm.items()[1:]]
    return lambda: sm.build(sm.contents(sm.make_month(stream)))


def halved(config: Config) -> None:
    """Gas counts half."""
    config["points"][6]["scaling"] = {"scale": "0.5"}


def bodies(**fields: Any) -> list[Body]:
    """The honest frames, each with fields replaced."""
    return [dataclasses.replace(body, **fields) for body in sm.bodies(sm.configuration())]


def slow_month() -> bytes:
    """A plant of the second verifier's tests whose pots are read every six seconds."""
    return month(3)


def beating() -> list[Body]:
    """The honest frames of a real plant; the heartbeat alone is simulated."""
    *made, beat = bodies(flags=0, clock=REAL)
    return [*made, dataclasses.replace(beat, flags=8)]


def unsaid() -> bytes:
    """Frames and statement of a real plant, under the configuration of a simulated one."""
    config, made = sm.configuration(), bodies(flags=0, clock=REAL)
    said = json.loads(statement_of([(config, made)])) | {"simulated": False}
    return sm.build(
        sm.contents(sm.make_month(sm.items(config, made), statement=statement_bytes(said)))
    )


def outside_the_chain(seq: int) -> Callable[[], bytes]:
    """Frames name a configuration that never was an object of the stream."""

    def build() -> bytes:
        beside, chain = sm.Chain(sm.keys().gateway), sm.Chain(sm.keys().gateway)
        item = sm.items()[0]
        config = beside.sign(item.typ, item.payload, seq=seq, prev=bytes(range(32)))
        chain.cfg = sm.sha256(config)
        month = sm.make_month(sm.items()[1:], chain=chain)
        return sm.build(sm.contents(month, configs={sm.sha256(config): config}))

    return build


def _twice(config: Config) -> None:
    config["groups"][3]["points"] = [6, 7, 6]


def _one_id(config: Config) -> None:
    config["points"][0]["id"] = config["points"][1]["id"]


def _no_group(config: Config) -> None:
    config["groups"][3]["points"] = [6]


def _negative(config: Config) -> None:
    config["groups"][3]["points"] = [6 - len(config["points"]), 7]


BAD = ("E-CFG", "E-INPUT")
#: (name, why, change)
_MISFORMED: list[tuple[str, str, Change]] = [
    ("a point read twice", "A point stands twice in a group, so a hole of half the time is none.",
     _twice),
    ("two points of one id", "Which of two meters is read changes, and no value of its id does.",
     _one_id),
    ("a point in no group", "A meter is there and never read.", _no_group),
    ("a negative index", "A group names a point from the end of the list.", _negative),
    ("an unknown field", "A field is slipped in that another reader may take for a factor.",
     lambda c: c["statement"]["fuels"][0].update(ncv="1")),
    ("an unknown field of a point", "A field is slipped into a point.",
     lambda c: c["points"][0].update(zzz=1)),
    ("no devices", "What was read is left open.", lambda c: c.pop("devices")),
    ("a text that says no", "A plant is simulated, or is not: \"no\" is a text, and true.",
     lambda c: c["plant"].update(simulated="no")),
    ("nothing said of simulation", "Whether the plant is simulated is left out.",
     lambda c: c["plant"].pop("simulated")),
    ("a null for false", "A group says null where it must say that it is measured.",
     lambda c: c["groups"][0].update(computed=None)),
    ("a rule nobody knows", "A total is said to be a mean.",
     lambda c: c["statement"]["metal"].update(rule="mean")),
    ("a total of a gauge", "What goes up and down is added up as if it only counted.",
     lambda c: c["points"][5].update(role="gauge")),
    ("a rule that is no number", "When an anode effect begins is left open.",
     lambda c: c["potlines"][0]["anode_effect"].update(v_start_v="high")),
    ("a flow that is not there", "The check beside a total is of nothing.",
     lambda c: c["statement"]["fuels"][0].update(flow_point="nothing")),
    ("one meter for two fuels", "A cubic metre is burnt twice.",
     lambda c: c["statement"]["fuels"].append(
         {"kind": "coke-oven-gas", "point": "gas.volume", "rule": "totaliser"})),
    ("one voltage for two pots", "A pot's anode effects are those of its neighbour, told twice.",
     lambda c: c["potlines"][0]["pots"][1].update(voltage="pot-01.voltage")),
    ("a collector's key cut short", "Whose receipts free the spool is left open.",
     lambda c: c["collector"].update(key_sha256=b"short")),
    ("a time zone that is a folder", "The month begins nowhere.",
     lambda c: c["plant"].update(time_zone="America")),
    ("a time zone of 300 letters", "The month begins nowhere.",
     lambda c: c["plant"].update(time_zone="A" * 300)),
]  # fmt: skip


def of_many_meters() -> bytes:
    """More of them than a month may have, on a schedule of hours; frames of slow points only."""
    config, count = sm.configuration(), 1_001
    groups, gas = config["groups"], config["statement"]["fuels"][0]
    (like,) = (point for point in config["points"] if point["id"] == gas["point"])
    (computed,) = (group for group in groups if group["computed"])
    first = len(config["points"]) - len(computed["points"])
    config["points"][first:] = [{**like, "id": f"m{i}"} for i in range(count)]
    config["schedules"].append({"interval_ns": 3600 * sm.SECOND})
    group = {"schedule": 2, "dtype": like["dtype"], "computed": False}
    groups.append({**group, "points": list(range(first, first + count))})
    entry = {"kind": gas["kind"], "rule": "totaliser"}
    config["statement"]["fuels"] += [{**entry, "point": f"m{i}"} for i in range(count)]
    made = computed_points({**config, "groups": [g for g in groups if g is not computed]})
    computed["points"] = [first + count + i for i in range(len(made))]
    config["points"] += [point.as_map() for point in made]
    slow = [
        dataclasses.replace(body, sections=tuple(s for s in body.sections if s.schedule))
        for body in sm.bodies(sm.configuration())
    ]
    return sm.build(sm.contents(sm.make_month(sm.items(config, slow))))


KINDS: list[Kind] = [
    kind(
        "configuration: 1,001 meters",
        "No reading of a month can be used, as its only configuration is refused.",
        of_many_meters, "E-CFG", "E-INPUT",
    ),
    *(kind(f"configuration: {name}", why, misformed(c), *BAD) for name, why, c in _MISFORMED),
    kind(
        "configuration: a device that is not there",
        "Which device answered so late is left open: the frames name one that nobody has.",
        misformed(lambda c: c["devices"].pop()), "W-UNFIT", "E-INPUT",
    ),
    kind(
        "configuration: a change told", "A meter counts half from noon on, and it is said.",
        reconfigured(halved), "N-CONFIG",
    ),
    kind(
        "configuration: a change without what went before",
        "A meter counts half from noon on; its configuration does not say what it follows.",
        reconfigured(halved, cfg=None), "E-CFG",
    ),
    kind(
        "configuration: a change by a new device",
        "A gateway burns, and in the next one a meter counts half: it is said.",
        by_a_new_device, "N-CONFIG", "N-KEY",
    ),
    kind(
        "configuration: a change where the month begins",
        "The month begins with a configuration that does not say what it follows.",
        begins(replaced=False), "E-CFG",
    ),
    kind(
        "configuration: a change by a new device where the month begins",
        "The gateway burned on the month's last day, and in the next one a meter counts half.",
        begins(replaced=True), "N-CONFIG", "N-KEY",
    ),
    kind(
        "configuration: a change undone by one frame",
        "One frame goes by the configuration that is no longer in force.",
        reconfigured(halved, frame=FROM + 2, cfg=bytes(32)), "E-CFG-MISSING", "E-INPUT",
    ),
    kind(
        "configuration: a name and no more", "The smelter is given another name, and no new meter.",
        reconfigured(lambda c: c["plant"].update(name="Renamed", sector="x")), "N-CONFIG",
    ),
    kind(
        "configuration: outside the chain",
        "Frames name a configuration that is signed for a place far after them.",
        outside_the_chain(2**40), "E-CFG", "E-INPUT",
    ),
    kind(
        "configuration: beside the chain",
        "Frames name a configuration that is signed for a place where a frame stands.",
        outside_the_chain(3), "E-CFG", "E-INPUT",
    ),
    kind(
        "configuration: simulated until the last day",
        "A simulator's month ends under a configuration that calls the plant real.",
        reconfigured(lambda c: c["plant"].update(simulated=False)), "N-CONFIG", "N-SIMULATED",
    ),
    kind(
        "configuration: simulated readings of a real plant",
        "Every frame and its clock say that they are simulated; the configuration does not.",
        under(changed(lambda c: c["plant"].update(simulated=False))), "N-SIMULATED",
    ),
    kind(
        "configuration: metal that a person types",
        "The month's metal is what somebody wrote down.",
        under(changed(lambda c: c["points"][5].update(provenance="typed"))), "W-TYPED",
    ),
    kind(
        "configuration: a pot's state that a person types",
        "Whether a pot produces is what somebody wrote down, and with it what the indicator says.",
        under(changed(lambda c: c["points"][3].update(provenance="typed"))), "W-TYPED",
    ),
    kind(
        "configuration: a heartbeat of a simulated plant",
        "One frame without readings says that it is simulated; nothing else does.",
        under(changed(lambda c: c["plant"].update(simulated=False)), beating()), "N-SIMULATED",
    ),
    kind(
        "configuration: a simulated plant that is called real",
        "Only the configuration says that the plant is simulated: frames and statement do not.",
        unsaid, "E-INPUT", "N-SIMULATED",
    ),
    kind(
        "configuration: frames that a person types", "Readings are typed, and their frames say so.",
        under(sm.configuration(), bodies(flags=12)), "W-TYPED",
    ),
    kind(
        "configuration: pot voltages every six seconds",
        "The pots are read so seldom that short effects never show.", slow_month, "W-SAMPLING",
    ),
    kind(
        "configuration: a flag that nobody knows", "A frame has a flag beside those there are.",
        under(sm.configuration(), bodies(flags=2**40)), "E-FRAME", "E-INPUT",
    ),
    kind(
        "configuration: a clock that nobody knows", "A frame's clock is set by an unknown source.",
        under(sm.configuration(), bodies(clock=dataclasses.replace(REAL, source="gps"))),
        "E-FRAME", "E-INPUT",
    ),
]  # fmt: skip
