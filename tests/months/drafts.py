"""Small months of works of each sector, complete as required.toml asks, and how to spoil them.

A `Draft` is a month before anybody signs it: points with what their meters show, persons' papers,
what the log says beside. `archive` signs all of it with the keys of gateway, collector and root.
Amounts and flows agree, every counter is read at both edges, so that nothing is to be told.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge.calc.folds.live import PlantCalc
from evidence.archive.build import Records
from evidence.frame import TYP_CONFIG, Body, Clock, Gap, Section
from evidence.groups import Group
from evidence.keys import key_sha256
from evidence.log import Kind, decode_entry, encode_entry
from evidence.points import Dtype
from evidence.quality import Quality
from evidence.recompute import Recomputation, published_rules, statement_bytes
from tests.independent.random_plants import (
    NUMPY,
    calculated,
    grouped,
    point_map,
    with_computed,
)
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

SECOND = 10**9
LENGTH = 60  # seconds of a month that is closed as interim, or of a month's end
RULES = {"cement": "cets-ag-02.01-v01-2024", "steel": "cets-ag-03.01-v01-2024",
         "aluminium": "cets-ag-04.01-v01-2024"}  # fmt: skip
SECTORS = tuple(RULES)
Value = Callable[[int], float]
Entry = Callable[[int], bytes]


def _steady(value: float) -> Value:
    return lambda _: value


def _as_it_is(_: dict[str, Any]) -> None:
    """The statement that the readings make."""


@dataclass
class Draft:
    """A month before it is signed.

    Attributes:
        sector: of the works.
        statement: of the configuration.
        points: (schedule, point as in the configuration).
        shows: point -> what its meter shows at a second of the month.
        bad: point -> seconds at which it gives no answer.
        skipped: seconds without any reading, and the gateway tells of them.
        signed: what persons signed, in the log's order, without the list of persons.
        files: attached to that.
        between: number of an object -> an entry of the log that stands before it.
        orders: of the root about keys.
        is_closed_by_gateway: it signs the close.
        is_certified: the plant's root certifies the persons.
        events: of the first frame.
        unfit: numbers of frames of which each section lacks a group.
        forked_at: number of the object that has a second one for its place.
        restate: changes what is stated.
        device: fields of the second device.
        potlines, step_s, is_simulated: of the configuration.
        is_final, start_ns: how it is closed, and when its first second is.
    """

    sector: str
    statement: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    shows: dict[str, Value] = field(default_factory=dict)
    bad: dict[str, set[int]] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    signed: list[bytes] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    between: dict[int, Entry] = field(default_factory=dict)
    orders: list[bytes] = field(default_factory=list)
    is_closed_by_gateway: bool = True
    is_certified: bool = True
    events: tuple[Mapping[str, Any], ...] = ()
    device: dict[str, Any] = field(default_factory=dict)
    unfit: frozenset[int] = frozenset()
    forked_at: int | None = None
    potlines: list[dict[str, Any]] = field(default_factory=list)
    step_s: int = 5
    is_final: bool = False
    is_simulated: bool = True
    start_ns: int = sm.START_NS
    restate: Callable[[dict[str, Any]], object] = _as_it_is

    @property
    def period(self) -> tuple[int, int]:
        """From and to, ns since 1970."""
        return self.start_ns, self.start_ns + LENGTH * SECOND

    def point(self, name: str) -> dict[str, Any]:
        """A point, to be changed."""
        return next(point for _, point in self.points if point["id"] == name)

    def meter(self, name: str, per_s: float, *, unit: str = "t", gas: bool = False,
              whole: bool = False) -> tuple[str, str]:  # fmt: skip
        """A totaliser and the gauge beside it, which agree; their ids."""
        total, flow = f"{name}.total", f"{name}.flow"
        beside: dict[str, Any] = {"unit": "Nm3/h" if gas else f"{unit}/h"}
        counted: dict[str, Any] = {"unit": "Nm3" if gas else unit}
        if gas:
            at = {"reference": "0C-101.325kPa", "moisture": "dry"}
            beside, counted = {"kind": "gas-flow", **beside, **at}, {"kind": "gas-volume",
                                                                     **counted, **at}  # fmt: skip
        else:
            beside, counted = {"kind": "mass-flow", **beside}, {"kind": "mass", **counted}
        dtype = Dtype.U32 if whole else Dtype.F64
        self.points += [
            (1, point_map(total, "", "", dtype, 0 if whole else 3, quantity=counted,
                          role="totaliser")),
            (1, point_map(flow, "", "", Dtype.F32, 1, quantity=beside)),
        ]  # fmt: skip
        self.shows |= {total: lambda s: 1000 + per_s * s, flow: _steady(per_s * 3600)}
        return total, flow

    def entry(self, name: str, per_s: float, **words: Any) -> dict[str, Any]:
        """An entry of the statement that a meter counts."""
        how = {key: words.pop(key) for key in ("unit", "gas", "whole") if key in words}
        total, flow = self.meter(name, per_s, **how)
        return {**words, "point": total, "rule": "totaliser", "flow_point": flow}

    def stack(self, temperature: float) -> None:
        """Probes in the stack, one of each schedule, that no figure is made of."""
        for schedule, name, kind, unit, value in (
            (0, "stack.temperature", "temperature", "degC", temperature),
            (1, "stack.pressure", "pressure", "Pa", -120.0),
        ):
            self.points.append((schedule, point_map(name, kind, unit, Dtype.F32, 1)))
            self.shows[name] = _steady(value)

    def forget(self, *names: str) -> None:
        """Nobody connected these points."""
        self.points = [one for one in self.points if one[1]["id"] not in names]

    def configuration(self) -> dict[str, Any]:
        """As the gateway signs it."""
        config: dict[str, Any] = sm.configuration()
        config["plant"] |= {"sector": self.sector, "rule_set": RULES[self.sector],
                            "simulated": self.is_simulated}  # fmt: skip
        config["schedules"] = [{"interval_ns": SECOND}, {"interval_ns": self.step_s * SECOND}]
        config["points"] = [point for _, point in self.points]
        config["groups"] = grouped(self.points)
        config["potlines"], config["statement"] = self.potlines, self.statement
        config["devices"][1] |= self.device
        return with_computed(config)

    def archive(self) -> bytes:
        """The sealed month."""
        config, fold = self.configuration(), Recomputation()
        calc = PlantCalc(config)
        fold.configure(b"x", config)
        stream = [sm.config_item(config, self.start_ns)]
        for number, (first, ticks) in enumerate(self._frames()):
            body = self._body(calc, config, first, ticks, number)
            if number not in self.unfit:
                assert list(fold.feed(body)) == []
            stream.append(sm.frame_item(body))
        closing = "final" if self.is_final else "interim"
        certified = [pp.listed()] if self.is_certified else []
        signed = [*pp.persons(), *certified, *self.signed] if self.signed else []
        papers = pp.standing_of(signed)
        stated = fold.statement(*self.period, closing, papers)
        self.restate(stated)
        statement = statement_bytes(stated)
        received_ns = self.period[1] if self.is_final else sm.START_NS
        enrolled = replace(decode_entry(sm.enrolment()), received_ns=received_ns)
        first_entries = [encode_entry(enrolled)]
        for data in signed:
            first_entries.append(pp.entry_of(data, len(first_entries)))
        close: dict[str, Any] = {
            "statement": statement, "closing": closing, "first_entries": first_entries,
        }  # fmt: skip
        made = sm.make_month(stream, between=self.between, **close)
        if self.forked_at is not None:
            entry = self._second_object(made, self.forked_at)
            made = sm.make_month(stream, between={self.forked_at + 1: entry}, **close)
        configs = {
            sm.sha256(o): o
            for o, item in zip(made.objects, stream, strict=True)
            if item.typ == TYP_CONFIG
        }
        more: dict[str, Any] = {} if self.is_closed_by_gateway else {"closes": {}}
        attached = [(sm.sha256(data), [data]) for data in self.files]
        return sm.build(
            sm.contents(
                made, closing=closing, configs=configs, rules=published_rules(RULES[self.sector]),
                records=Records(dict.fromkeys(signed), {}, attached), orders=self.orders, **more,
            )
        )  # fmt: skip

    def _second_object(self, made: sm.Month, seq: int) -> Entry:
        """The log's entry of another object that the gateway's key signed for a place."""
        before = sm.sha256(made.objects[seq - 1])
        told = {"prev": before, "held": sm.sha256(made.objects[seq])}
        key = key_sha256(sm.keys().gateway.public_key)

        def entry(index: int) -> bytes:
            return sm.entry(
                Kind.REJECT, b"the other", index, seq=seq, verdict="fork", detail=told,
                certificate=key,
            )  # fmt: skip

        return entry

    def _frames(self) -> list[tuple[int, int]]:
        """(first second, seconds) of each frame: ten seconds, or as far as there are readings."""
        found: list[tuple[int, int]] = []
        for second in range(LENGTH):
            if second in self.skipped:
                continue
            first, ticks = found[-1] if found else (-1, 0)
            if ticks and first + ticks == second and second % 10:
                found[-1] = first, ticks + 1
            else:
                found.append((second, 1))
        return found

    def _body(
        self, calc: PlantCalc, config: Mapping[str, Any], first: int, ticks: int, number: int
    ) -> Body:
        made = [self._section(config, schedule, first, ticks) for schedule in (0, 1)]
        there = [section for section in made if section is not None]
        sections = calculated(calc, config, there)
        if number in self.unfit:
            sections = tuple(replace(one, groups=one.groups[1:]) for one in sections)
        t0 = self.start_ns + first * SECOND
        gap = None
        if first - 1 in self.skipped:
            since = max(s for s in range(-1, first) if s not in self.skipped)
            gap = Gap(self.start_ns + since * SECOND, t0, "restart")
        events = self.events if number == 0 else ()
        clock = Clock("ntp", 1, first * SECOND, bytes(16))
        return Body(t0, clock, 8 if self.is_simulated else 0, sections, gap, events=events)

    def _section(
        self, config: Mapping[str, Any], schedule: int, first: int, ticks: int
    ) -> Section | None:
        step = 1 if schedule == 0 else self.step_s
        times = [second for second in range(first, first + ticks) if second % step == 0]
        if not times:
            return None
        groups = []
        for index, group in enumerate(config["groups"]):
            if group["schedule"] != schedule or group["computed"]:
                continue
            names = [config["points"][i]["id"] for i in group["points"]]
            dtype = Dtype(group["dtype"])
            raw = np.array([[self.shows[n](s) for s in times] for n in names], NUMPY[dtype])
            codes = [[self._code(n, s) for s in times] for n in names]
            groups.append(Group(index, dtype, raw, np.array(codes, dtype=np.uint8)))
        lag = np.full((1, len(times)), 12, dtype="<i4")
        at_ns = self.start_ns + times[0] * SECOND
        return Section(schedule, at_ns, step * SECOND, len(times), tuple(groups), lag, (schedule,))

    def _code(self, name: str, second: int) -> int:
        return Quality.NO_ANSWER if second in self.bad.get(name, ()) else Quality.GOOD


def cement(rng: random.Random) -> Draft:
    """A kiln: one to three fuels, clinker, a probe in the stack."""
    draft, fuels = Draft("cement"), []
    for n in range(rng.randint(1, 3)):
        if rng.random() < 0.3:
            kind = rng.choice(("natural-gas", "coke-oven-gas"))
            fuels.append(draft.entry(f"gas-{n}", rng.uniform(0.1, 2), kind=kind, gas=True))
        else:
            kind = rng.choice(("anthracite", "烟煤", "coke"))
            fuels.append(draft.entry(f"coal-{n}", rng.uniform(0.002, 0.02), kind=kind))
    clinker = draft.entry("clinker", rng.uniform(0.03, 0.08),
                          kind=rng.choice(("portland", "aluminate")))  # fmt: skip
    output = {"point": clinker["point"], "rule": "totaliser"}
    draft.statement = {"fuels": fuels, "clinker": [clinker], "output": output}
    draft.stack(121.5)
    return draft


def steel(rng: random.Random) -> Draft:
    """A steelworks: fuels, electrodes, crude steel."""
    draft = Draft("steel")
    coal = draft.entry("coal", rng.uniform(0.1, 0.3), kind=rng.choice(("anthracite", "烟煤")))
    electrode = draft.entry("electrode", rng.uniform(0.5, 3), material="electrode", unit="kg")
    crude = draft.entry("steel", rng.uniform(0.1, 0.4), product="粗钢")
    gas = draft.entry("gas", rng.uniform(1, 5), kind="natural-gas", gas=True, whole=True)
    draft.statement = {
        "fuels": [coal, gas][: rng.randint(1, 2)], "process": [electrode], "products": [crude],
        "output": {"point": crude["point"], "rule": "totaliser"},
    }  # fmt: skip
    draft.stack(111.5)
    return draft


def aluminium(rng: random.Random) -> Draft:
    """Two to four pots with one anode effect, metal by its scale, anodes typed."""
    draft, pots = Draft("aluminium"), []
    states = [[0, "unknown"], [1, "producing"]]
    effect = rng.randint(8, 20)
    for n in range(1, rng.randint(3, 5)):
        voltage, state = f"pot-{n}.voltage", f"pot-{n}.state"
        draft.points += [
            (0, point_map(voltage, "voltage", "V", Dtype.F32, 3)),
            (0, point_map(state, "state", "1", Dtype.U8, 0, role="state", states=states)),
        ]
        draft.shows[state] = _steady(1)
        draft.shows[voltage] = _steady(4.25)
        pots.append({"id": str(n), "voltage": voltage, "state": state})
    draft.shows["pot-1.voltage"] = lambda s: 31.5 if effect <= s < effect + 7 else 4.25
    draft.points.append((0, point_map("line.current", "current", "kA", Dtype.F64, 3)))
    draft.shows["line.current"] = _steady(300)
    metal, _ = draft.meter("metal", rng.uniform(0.05, 0.2))
    (line,) = sm.configuration()["potlines"]
    draft.potlines = [line | {"pots": pots, "technology": rng.choice(("PFPB-M", "PFPB-L"))}]
    draft.statement = {
        "metal": {"point": metal, "rule": "totaliser"},
        "anode": {"gross_kg_per_t": "469", "source": "typed in the site file"},
        "fuels": [draft.entry("gas", rng.uniform(0.5, 3), kind="natural-gas", gas=True)],
    }
    return draft


MAKE: Mapping[str, Callable[[random.Random], Draft]] = {
    "cement": cement, "steel": steel, "aluminium": aluminium,
}  # fmt: skip


def honest(seed: int) -> Draft:
    """A complete month: of each sector in turn, with the small faults that every works has."""
    rng = random.Random(seed)
    draft = MAKE[SECTORS[seed % 3]](rng)
    draft.is_simulated = rng.random() < 0.5
    if rng.random() < 0.5:  # a restart of three seconds, between two slow ticks
        first = 5 * rng.randint(2, 10) + 1
        draft.skipped = {first, first + 1, first + 2}
    for schedule, point in draft.points:
        if rng.random() < 0.4:  # an answer that was lost, never at the month's edge
            step = 1 if schedule == 0 else draft.step_s
            draft.bad[point["id"]] = {step * rng.randint(1, LENGTH // step - 2)}
    return draft


def plan_of(*rows: str) -> tuple[list[bytes], list[bytes]]:
    """A control plan of 2026 with these parameters, approved: documents and their file."""
    data = "\n".join(f"[[parameter]]\n{row}\n" for row in rows).encode()
    named = {"plan_sha256": sm.sha256(data), "revision": 1}
    plan = pp.paper("zhao", "control-plan", "2026", named, files=[pp.file_of(data, "plan.toml")])
    return [plan, pp.paper("li", "approve", "2026", {}, sm.sha256(plan))], [data]


def invoice(about: str, value: str, *, number: str = "1") -> bytes:
    """An invoice of the sample minute."""
    span = {"from_ns": sm.START_NS, "to_ns": sm.START_NS + LENGTH * SECOND}
    body = pp.INVOICE | span | {"value": value, "number": number}
    return pp.paper("li", "invoice", about, body)


def approval(about: str, data: bytes) -> bytes:
    """A second person's approval of a paper."""
    return pp.paper("zhao", "approve", about, {}, sm.sha256(data))
