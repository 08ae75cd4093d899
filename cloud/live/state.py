"""The live state of one plant: newest values, effects, delivery, and what changed since. Pure.

Holds what the page shows, in memory only. `cloud.live.hub` feeds it and sends what it returns.
Every instant is the gateway's own (tick_ns) or the collector's (received_ns); none is read here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from cloud.live.facts import HEADLINES, GatewayFacts, Input
from cloud.live.message import LiveEffect, LiveMessage, LiveValue
from cloud.live.window import WINDOW_NS, DayCount, Share, Trace, local_day
from evidence.quality import FIRST_BAD, SENTENCES

#: in a snapshot; asked for by line or pot there are as many as are held
EFFECTS_SHOWN = 50
EFFECTS_HELD = 500
#: a silence longer than this many intervals of a point is a gap
GAP_INTERVALS = 3
#: a message older than the newest one is ignored unless the gateway's clock was set back by more
REORDER_MAX_NS = 5_000_000_000
#: how long the page shows an alarm that does not stand; the collector's API tells older ones too
ALARM_NS = 24 * 3_600_000_000_000
#: first and last where objects are missing
ALARM_FIELDS = (
    "gateway", "reason", "count", "newest_ns", "since_ns", "first", "last", "file", "month",
    "places",
)  # fmt: skip

#: what is known of an effect that no message told
LOGGED_FIELDS = ("potline", "pot", "start_ns", "end_ns", "polarised_ns", "v_max", "cf4_kg")
_UNTOLD: Mapping[str, Any] = {"integral_v_s": None, "flags": []}

EffectKey = tuple[str, str, str, int]


@dataclass
class Gateway:
    """One gateway as the page sees it; times in UTC ns, None = not yet known.

    Attributes:
        alarms: name of an alarm that stands there -> tick of the message that told of it first.
        ordered: number of the newest site order that was handed to the broker for it.
        order: what it says of the newest it took: number, outcome, reason.
    """

    facts: GatewayFacts
    online: bool | None = None
    live: LiveMessage | None = None
    received_ns: int | None = None
    sealed_seq: int | None = None
    sealed_through_ns: int | None = None
    receipt_ns: int | None = None
    shares: dict[str, Share] = field(default_factory=dict)
    alarms: Mapping[str, int] = field(default_factory=dict)
    ordered: int | None = None
    order: Mapping[str, Any] | None = None

    def as_map(self, gateway: str) -> dict[str, Any]:
        """JSON-ready."""
        live = self.live
        return {
            "id": gateway,
            "online": self.online,
            "interval_ns": self.facts.interval_ns,
            "software": self.facts.software,
            "tick_ns": live.tick_ns if live else None,
            "sent_ns": live.sent_ns if live else None,
            "received_ns": self.received_ns,
            "cfg": live.cfg if live else None,
            "seq": live.seq if live else None,
            "spool": asdict(live.spool) if live else None,
            "clock": {"source": live.clock_source, "error_ms": live.clock_error_ms}
            if live
            else None,
            "sealed_seq": self.sealed_seq,
            "sealed_through_ns": self.sealed_through_ns,
            "receipt_ns": self.receipt_ns,
            "ordered": self.ordered,
            "order": self.order,
        }


class PlantState:
    """Everything the live page shows of one plant.

    Args:
        plant: plant id.

    Attributes:
        alarms: what the collector put aside or refused and people must look at, newest first.
    """

    def __init__(self, plant: str) -> None:
        self.plant = plant
        self.gateways: dict[str, Gateway] = {}
        self.alarms: Sequence[Mapping[str, Any]] = ()
        self._values: dict[str, tuple[LiveValue, int]] = {}
        self._traces: dict[str, Trace] = {}
        self._days: dict[str, DayCount] = {}
        self._effects: dict[EffectKey, dict[str, Any]] = {}
        self._gaps: dict[str, tuple[int, int | None]] = {}
        self._measured: set[str] = set()
        self._without: set[str] = set()  # of these, those whose newest value cannot be used
        self._changed_values: set[str] = set()
        self._changed_gaps: set[str] = set()
        self._changed_effects: set[EffectKey] = set()

    def configure(self, gateway: str, facts: GatewayFacts) -> None:
        """A gateway's signed configuration came in, for the first time or anew."""
        known = self.gateways.setdefault(gateway, Gateway(facts))
        known.facts = facts
        known.shares = {
            row.id: known.shares.get(row.id, Share(row.interval_ns)) for row in facts.inputs
        }
        owned = {i for g in self.gateways.values() for i in g.facts.points}
        for point in set(self._values) - owned:
            del self._values[point]
            self._traces.pop(point, None)
            self._days.pop(point, None)
            self._gaps.pop(point, None)
        self._changed_values &= owned
        self._changed_gaps &= owned
        self._measured = {
            i for g in self.gateways.values() for i, p in g.facts.points.items()
            if not p["computed"]
        }  # fmt: skip
        self._without = {i for i in self._measured if self._text(i) is None}

    def set_online(
        self, gateway: str, online: bool, order: Mapping[str, Any] | None = None
    ) -> None:
        """The broker's birth, with the newest site order, or last will of a configured gateway."""
        self.gateways[gateway].online = online
        if online:
            self.gateways[gateway].order = order

    def seal(self, gateway: str, seq: int, through_ns: int, received_ns: int) -> None:
        """Receipts cover all frames up to `seq`, hence all ticks up to `through_ns`."""
        known = self.gateways[gateway]
        if known.sealed_seq is None or seq >= known.sealed_seq:
            known.sealed_seq, known.sealed_through_ns = seq, through_ns
        known.receipt_ns = received_ns

    def apply(self, gateway: str, message: LiveMessage, received_ns: int) -> int | None:
        """Take one live message of a configured gateway.

        Returns:
            Number of values and effects dropped because the configuration does not know their
            point or pot; None when the whole message is late and was ignored.
        """
        known = self.gateways[gateway]
        newest = known.live.tick_ns if known.live else -1
        if newest - REORDER_MAX_NS < message.tick_ns <= newest:
            return None
        known.live, known.received_ns, known.online = message, received_ns, True
        known.alarms = {a: known.alarms.get(a, message.tick_ns) for a in message.alarms}
        taken = {p: v for p, v in message.values.items() if p in known.facts.points}
        for point, value in taken.items():
            self._take_value(known.facts, point, value, message.tick_ns)
        for row in known.facts.inputs:
            if not taken.keys().isdisjoint(row.points):  # slower schedules have no say in between
                known.shares[row.id].add(received_ns, self._usable_fraction(row))
        effects = [e for e in message.effects if (e.potline, e.pot) in known.facts.pots]
        self._take_effects(gateway, effects)
        return len(message.values) - len(taken) + len(message.effects) - len(effects)

    def _take_value(self, facts: GatewayFacts, point: str, value: LiveValue, tick_ns: int) -> None:
        usable = value.value if value.quality < FIRST_BAD else None
        self._note_gap(facts, point, tick_ns, is_usable=usable is not None)
        self._values[point] = (LiveValue(usable, value.quality, value.source_ns), tick_ns)
        self._changed_values.add(point)
        if point in self._measured:
            (self._without.add if usable is None else self._without.discard)(point)
        if point in facts.recorded:
            self._traces.setdefault(point, Trace()).add(tick_ns, usable)
        if point in facts.totalisers and usable is not None:
            day, count = local_day(tick_ns, facts.zone), Decimal(usable)
            if point in self._days:
                self._days[point].add(day, tick_ns, count)
            else:
                self._days[point] = DayCount(day, count, tick_ns, count, tick_ns)

    def _note_gap(self, facts: GatewayFacts, point: str, tick_ns: int, *, is_usable: bool) -> None:
        """Keep the newest time without a usable value: (from, to), to None while it lasts."""
        before, gap = self._values.get(point), self._gaps.get(point)
        lasts = gap is not None and gap[1] is None
        if not is_usable:
            if not lasts:
                self._set_gap(point, tick_ns, None)
        elif gap is not None and lasts:
            self._set_gap(point, gap[0], tick_ns)
        elif before is not None:
            silent_ns = GAP_INTERVALS * facts.points[point]["interval_ns"]
            if tick_ns - before[1] > silent_ns:
                self._set_gap(point, before[1], tick_ns)

    def _set_gap(self, point: str, from_ns: int, to_ns: int | None) -> None:
        self._gaps[point] = from_ns, to_ns
        self._changed_gaps.add(point)

    def _usable_fraction(self, row: Input) -> float:
        """Share of an input's points with a usable value; idle pots stand outside."""
        found = [self._text(point) is not None for point in self._counting(row)]
        return sum(found) / len(found) if found else 1.0

    def _counting(self, row: Input) -> list[str]:
        if not row.states:
            return list(row.points)
        producing = {*row.producing, None}  # a pot of unknown state is not excused
        pairs = zip(row.points, row.states, strict=True)
        return [point for point, state in pairs if self._text(state) in producing]

    def _text(self, point: str) -> str | None:
        return self._values[point][0].value if point in self._values else None

    def _take_effects(self, gateway: str, effects: Iterable[LiveEffect]) -> None:
        seen: set[EffectKey] = set()
        for effect in effects:
            key = (gateway, effect.potline, effect.pot, effect.start_ns)
            row = asdict(effect) | {"id": "/".join(map(str, key)), "gateway": gateway}
            row |= {"lost": False, "flags": list(effect.flags)}
            seen.add(key)
            if self._effects.get(key) != row:
                self._effects[key] = row
                self._changed_effects.add(key)
        for key, row in self._effects.items():
            running = key[0] == gateway and row["end_ns"] is None and not row["lost"]
            if running and key not in seen:  # it ended while nobody told us
                self._effects[key] = row | {"lost": True}
                self._changed_effects.add(key)
        self._bound_effects()

    def learn(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take effects that no message told, by the fields of `cloud.alarms.facts.Effect`.

        One that a message tells keeps what it tells.
        """
        for told in rows:
            key = (told["gateway"], told["potline"], told["pot"], told["start_ns"])
            known = self._effects.get(key)
            if known is None or known["lost"]:
                names = ("gateway", *LOGGED_FIELDS)
                row = {**(known or _UNTOLD), **{name: told[name] for name in names}}
                row |= {"id": "/".join(map(str, key)), "lost": told["is_lost"]}
                self._effects[key] = row
                self._changed_effects.add(key)
        self._bound_effects()

    def _bound_effects(self) -> None:
        for key in sorted(self._effects, key=lambda k: k[3])[:-EFFECTS_HELD]:
            del self._effects[key]
            self._changed_effects.discard(key)

    def snapshot(self, now_ns: int) -> dict[str, Any]:
        """Everything, JSON-ready; the caller adds type and seq."""
        facts = [g.facts for g in self.gateways.values()]
        return {
            "plant": dict(facts[0].plant) if facts else {"id": self.plant},
            "points": {i: dict(p) for f in facts for i, p in f.points.items()},
            "potlines": [
                {**line, "gateway": name}
                for name, g in self.gateways.items()
                for line in g.facts.potlines
            ],
            "statement": _merged(f.statement for f in facts),
            "qualities": {str(int(code)): list(pair) for code, pair in SENTENCES.items()},
            "values": {p: _row(value, tick_ns) for p, (value, tick_ns) in self._values.items()},
            "effects": self.effects()[:EFFECTS_SHOWN],
            "gaps": {point: list(gap) for point, gap in self._gaps.items()},
            **self._status(now_ns),
        }

    def take_delta(self, now_ns: int) -> dict[str, Any]:
        """What changed since the last delta, JSON-ready; forgets it."""
        values = {p: _row(*self._values[p]) for p in sorted(self._changed_values)}
        effects = [self._effects[key] for key in sorted(self._changed_effects, key=lambda k: k[3])]
        gaps = {point: list(self._gaps[point]) for point in sorted(self._changed_gaps)}
        self._changed_values.clear()
        self._changed_gaps.clear()
        self._changed_effects.clear()
        return {"values": values, "effects": effects, "gaps": gaps, **self._status(now_ns)}

    def effects(self, potline: str = "", pot: str = "") -> list[dict[str, Any]]:
        """The newest anode effects, newest first, JSON-ready; "" for any."""
        found = (
            row for row in self._effects.values()
            if potline in ("", row["potline"]) and pot in ("", row["pot"])
        )  # fmt: skip
        return sorted(found, key=lambda row: -row["start_ns"])

    def measured(self) -> tuple[int, int, str]:
        """How many points are measured; how many of them have no usable value, the first by name.

        A point that was not heard of since has its newest value: `summary` tells who is silent.
        """
        return len(self._measured), len(self._without), min(self._without, default="")

    def value(self, point: str) -> tuple[LiveValue, int] | None:
        """A point's newest value and its tick, UTC ns; None before the first."""
        return self._values.get(point)

    def knows(self, point: str) -> bool:
        """True for points of the configurations, and for emission rates of plants always."""
        return point in HEADLINES or any(point in g.facts.points for g in self.gateways.values())

    def history(self, point: str, now_ns: int) -> list[tuple[int, float | None]]:
        """The last ten minutes of a recorded point; empty when it is not recorded."""
        return self._traces.get(point, Trace()).since(now_ns - WINDOW_NS)

    def _status(self, now_ns: int) -> dict[str, Any]:
        shares = [
            {"id": name, "share": None if (v := share.value(now_ns)) is None else round(v, 4)}
            for g in self.gateways.values()
            for name, share in g.shares.items()
        ]
        return {
            "server_ns": now_ns,
            "gateways": [g.as_map(name) for name, g in self.gateways.items()],
            "today": {point: count.as_map() for point, count in self._days.items()},
            "trusted": shares,
            "alarms": [
                *(
                    {name: row[name] for name in ALARM_FIELDS if name in row}
                    for row in self.alarms
                    if row["reason"] == "missing"
                    or "since_ns" in row
                    or row["newest_ns"] >= now_ns - ALARM_NS
                ),
                *(
                    {"gateway": name, "reason": f"edge.{alarm}", "since_ns": since_ns}
                    for name, gateway in self.gateways.items()
                    for alarm, since_ns in gateway.alarms.items()
                ),
            ],
        }


def _row(value: LiveValue, tick_ns: int) -> list[Any]:
    return [value.value, value.quality, tick_ns, value.source_ns]


def _merged(statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {"metal": None, "fuels": [], "auxiliary": []}
    for row in statements:
        result["metal"] = result["metal"] or row["metal"]
        result["fuels"] += row["fuels"]
        result["auxiliary"] += row["auxiliary"]
    return result
