"""Months that lack one thing or have one wrong, and the words that must stand beside their total.

Gateway, collector and root agree on each: every signature, hash and figure is right, so that a
verdict alone says nothing. The words are written by hand, from FIGURES.md section 8.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.attacks.by_keys import order_entry, revoke
from tests.independent.random_plants import JULY, instant
from tests.months.drafts import LENGTH, MAKE, SECOND, Draft, approval, invoice, plan_of
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

SEED = 9
#: what an accountant must say of a source that only documents tell of
COAL = {"kind": "anthracite", "rule": "records", "source": "coal-yard", "use": "other"}


@dataclass(frozen=True)
class Spoilt:
    """One month.

    Attributes:
        name: unique.
        sector: of the works.
        spoil: what is done to a complete month.
        words: that stand beside its total, in English; of the first line too.
        code: of the finding that tells it.
    """

    name: str
    sector: str
    spoil: Callable[[Draft], object]
    words: str
    code: str = "W-INCOMPLETE"

    def archive(self) -> bytes:
        """Signed by everybody."""
        draft = MAKE[self.sector](random.Random(SEED))
        self.spoil(draft)
        return draft.archive()


def _no(*tables: str) -> Callable[[Draft], None]:
    """Left out of the site file from the first day on, with their meters."""

    def spoil(draft: Draft) -> None:
        for table in tables:
            rows = draft.statement.pop(table, [])
            for row in rows if isinstance(rows, list) else [rows]:
                draft.forget(*(row[key] for key in ("point", "flow_point") if key in row))

    return spoil


def _no_metal(draft: Draft) -> None:
    draft.statement = {"fuels": draft.statement["fuels"]}
    draft.forget("metal.total", "metal.flow")


def _dead(name: str) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.bad[name] = set(range(LENGTH))

    return spoil


def _seldom(name: str, every: int = 5) -> Callable[[Draft], None]:
    """One answer in so many is lost."""

    def spoil(draft: Draft) -> None:
        draft.bad[name] = set(range(1, LENGTH, every))

    return spoil


def _half(draft: Draft) -> None:
    draft.skipped = set(range(20, 50))


def _read(name: str, shows: Callable[[float, int], float]) -> Callable[[Draft], None]:
    """A counter shows something else than what passed."""

    def spoil(draft: Draft) -> None:
        true = draft.shows[name]
        draft.shows[name] = lambda s: shows(true(s), s)

    return spoil


def _beside(check: dict[str, str], shows: Callable[[int], float]) -> Callable[[Draft], None]:
    """A totaliser beside the figures shows this."""

    def spoil(draft: Draft) -> None:
        total, _ = draft.meter("other", 1.0)
        draft.statement["beside"] = [{**check, "point": total, "rule": "totaliser"}]
        draft.shows[total] = shows
        draft.shows["other.flow"] = lambda s: (shows(s + 1) - shows(s)) * 3600

    return spoil


def _heat(shows: Callable[[int], float]) -> Callable[[Draft], None]:
    """A meter of heat, MWh."""

    def spoil(draft: Draft) -> None:
        _beside({"check": "heat-used"}, shows)(draft)
        draft.point("other.total")["quantity"] = {"kind": "energy", "unit": "MWh"}

    return spoil


def _second(of: str, factor: float) -> Callable[[Draft], None]:
    """A second meter counts so many times what the first does."""

    def spoil(draft: Draft) -> None:
        first = draft.shows[of]
        check = {"check": "second-meter", "of": of}
        _beside(check, lambda s: 50 + (first(s) - first(0)) * factor)(draft)

    return spoil


def _half_of_its_range(name: str, flow: str) -> Callable[[Draft], None]:
    """A counter at half speed; the range of its gauge is a hundred times what flows."""
    half = _read(name, lambda value, s: 1000 + (value - 1000) / 2)

    def spoil(draft: Draft) -> None:
        half(draft)
        draft.point(flow)["range_max"] = str(100 * round(draft.shows[flow](0)))

    return spoil


def _leap(name: str, flow: str) -> Callable[[Draft], None]:
    """A counter leaps; the gauge beside it says how much can pass at most."""
    leapt = _read(name, lambda value, s: value + (1_000_000 if s >= 30 else 0))

    def spoil(draft: Draft) -> None:
        leapt(draft)
        draft.point(flow)["range_max"] = "20000"

    return spoil


def _saw(name: str) -> Callable[[Draft], None]:
    """A counter that is read every second, and begins again every four."""

    def spoil(draft: Draft) -> None:
        draft.step_s = 1
        draft.shows[name] = lambda s: 10 + s % 4

    return spoil


def _planned(*rows: str) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.signed, draft.files = plan_of(*rows)

    return spoil


METERED = """table = "{table}"
kind = "{kind}"
figure = "quantity"
source = "meter"
points = ["{point}"]"""
RECORDED = 'table = "{table}"\nkind = "{kind}"\nfigure = "quantity"\nsource = "record"'


def _by_documents(*papers: bytes) -> Callable[[Draft], None]:
    """Coal that no meter counts: persons tell of it, or do not."""

    def spoil(draft: Draft) -> None:
        draft.statement["fuels"].append(COAL)
        draft.signed = list(papers)

    return spoil


def _told(*papers: bytes, source: str = "yard-1") -> Callable[[Draft], None]:
    """Persons tell of the first fuel, which a meter counts."""

    def spoil(draft: Draft) -> None:
        draft.statement["fuels"][0]["source"] = source
        draft.signed = list(papers)

    return spoil


def _value(name: str, value: str, about: str = "yard-1") -> bytes:
    span = {"from_ns": sm.START_NS, "to_ns": sm.START_NS + LENGTH * SECOND}
    units = {"ncv": "GJ/t", "carbon_content": "tC/TJ"}
    body = {"name": name, "origin": "supplier", "value": value, "unit": units[name]}
    return pp.paper("li", "parameter", about, body | span)


def _with(make: Callable[..., bytes], about: str, *values: Any) -> list[bytes]:
    """Papers of these values, each approved."""
    made: list[bytes] = []
    for value in values:
        made.append(make(value))
        made.append(approval(about, made[-1]))
    return made


def _invoices(*values: str, about: str = "coal-yard") -> list[bytes]:
    made: list[bytes] = []
    for number, value in enumerate(values):
        made.append(invoice(about, value, number=str(number)))
        made.append(approval(about, made[-1]))
    return made


def _count(unit: str, before_s: int = 0) -> list[bytes]:
    """An approved count; its period begins so much before the month's."""
    from_ns, to_ns = sm.START_NS - before_s * SECOND, sm.START_NS + LENGTH * SECOND
    body = {"value": "5.0", "unit": unit, "from_ns": from_ns, "to_ns": to_ns}
    return _with(lambda told: pp.paper("li", "count", "coal-yard", told), "coal-yard", body)


def _revoked(draft: Draft) -> None:
    made = revoke(9)
    draft.orders, draft.between = [made], {3: order_entry(made, 9)}


def _forked(draft: Draft) -> None:
    draft.forked_at = 3


def _unsigned(draft: Draft) -> None:
    draft.is_closed_by_gateway = False


def _unread(draft: Draft) -> None:
    means = {"means": "ct_primary", "source": "holding 0x0104, u16", "unit": "A"}
    draft.device = {"meter": {"ct_primary": means}}
    draft.events = ({
        "kind": "meter-settings", "at_ns": draft.start_ns + SECOND, "device": "meters", "read": {},
        "unread": {"ct_primary": 130},
    },)  # fmt: skip


def _unfit(draft: Draft) -> None:
    draft.unfit = frozenset({2})


def _strangers(draft: Draft) -> None:
    _by_documents(*_invoices("5.0"))(draft)
    draft.is_certified = False


def _ahead(draft: Draft) -> None:
    draft.start_ns += 3600 * SECOND


def _last_minute(draft: Draft) -> None:
    draft.is_final, draft.start_ns = True, instant(JULY) - LENGTH * SECOND


def _sold(draft: Draft) -> None:
    """More carbon leaves in crude steel than came."""
    for name in ("steel.total", "steel.flow"):
        true = draft.shows[name]
        draft.shows[name] = lambda s, true=true: true(s) * 1000


def _idle(draft: Draft) -> None:
    for name in list(draft.shows):
        if name.endswith(".state"):
            draft.shows[name] = lambda _: 0


_MISSING = "{} missing (mandatory)"
FUEL, CLINKER = _MISSING.format("fossil fuels are"), _MISSING.format("clinker is")
ANODE, PFC = _MISSING.format("anodes are"), _MISSING.format("PFC is")
MADE = _MISSING.format("production of {} is")

SPOILT: tuple[Spoilt, ...] = (
    # -- parts that the rule set demands
    Spoilt("cement without fuel", "cement", _no("fuels"), FUEL),
    Spoilt("cement without clinker", "cement", _no("clinker", "output"), CLINKER),
    Spoilt("cement without either", "cement", _no("fuels", "clinker", "output"),
           f"{CLINKER}, {FUEL}"),
    Spoilt("cement without production", "cement", lambda d: d.statement.pop("output"),
           MADE.format("clinker_t")),
    Spoilt("steel without fuel", "steel", _no("fuels"), FUEL),
    Spoilt("steel without process materials", "steel", _no("process"),
           "no process materials (limestone, electrodes …)"),
    Spoilt("steel without products", "steel", _no("products", "output"),
           "no product carbon (crude steel …)"),
    Spoilt("steel without production", "steel", lambda d: d.statement.pop("output"),
           "no production figure crude_steel_t"),
    Spoilt("steel without anything", "steel", _no("fuels", "process", "products", "output"), FUEL),
    Spoilt("smelter without anodes", "aluminium", lambda d: d.statement.pop("anode"), ANODE),
    Spoilt("smelter without metal", "aluminium", _no_metal,
           f"{ANODE}, {PFC}, {MADE.format('aluminium_t')}"),
    # -- sources that the control plan declares
    Spoilt("cement with a coal meter left out", "cement",
           _planned(METERED.format(table="fuel", kind="bituminous", point="coal-9.total")),
           "coal-9.total is in the control plan but not in the statement"),
    Spoilt("cement with a substitute left out", "cement",
           _planned(RECORDED.format(table="substitute", kind="steel-slag")),
           "substitute.steel-slag is in the control plan but not in the statement"),
    Spoilt("steel with limestone left out", "steel",
           _planned(RECORDED.format(table="process", kind="limestone")),
           "process.limestone is in the control plan but not in the statement"),
    Spoilt("smelter with a gas meter left out", "aluminium",
           _planned(METERED.format(table="fuel", kind="natural-gas", point="gas-2.total")),
           "gas-2.total is in the control plan but not in the statement"),
    # -- meters that say nothing, or too seldom
    Spoilt("cement with a dead clinker scale", "cement", _dead("clinker.total"),
           "clinker.total has no usable reading"),
    Spoilt("cement with a dead coal meter", "cement", _dead("coal-0.total"),
           "coal-0.total has no usable reading"),
    Spoilt("steel with a dead electrode scale", "steel", _dead("electrode.total"),
           "electrode.total has no usable reading"),
    Spoilt("steel with a dead coal meter", "steel", _dead("coal.total"),
           "coal.total has no usable reading"),
    Spoilt("smelter with a dead gas meter", "aluminium", _dead("gas.total"),
           "gas.total has no usable reading"),
    Spoilt("smelter with a dead metal scale", "aluminium", _dead("metal.total"),
           "metal.total has no usable reading"),
    Spoilt("cement with a dead probe in its stack", "cement", _dead("stack.temperature"),
           "stack.temperature gave no value all month"),
    Spoilt("steel with a dead probe in its stack", "steel", _dead("stack.temperature"),
           "stack.temperature gave no value all month"),
    Spoilt("cement with a dead flow gauge", "cement", _dead("coal-0.flow"),
           "coal-0.flow gave no value all month"),
    Spoilt("smelter with a pot without voltage", "aluminium", _dead("pot-2.voltage"),
           "pot-2.voltage gave no value all month"),
    Spoilt("smelter without line current", "aluminium", _dead("line.current"),
           "line.current gave no value all month"),
    Spoilt("smelter with a pot read seldom", "aluminium", _seldom("pot-1.voltage"),
           "pot-1.voltage has too few values"),
    Spoilt("cement with a probe read seldom", "cement", _seldom("stack.temperature"),
           "stack.temperature has too few values"),
    Spoilt("cement with half a month", "cement", _half, "clinker.flow has too few values"),
    Spoilt("steel with half a month", "steel", _half, "coal.flow has too few values"),
    Spoilt("smelter with half a month", "aluminium", _half, "gas.flow has too few values"),
    Spoilt("smelter without a pot in production", "aluminium", _idle, "no pot was producing"),
    Spoilt("cement whose final month is its last minute", "cement", _last_minute,
           "the month's figures begin only at 2026-06-30T15:59:00Z"),
    Spoilt("steel whose final month is its last minute", "steel", _last_minute,
           "the month's figures begin only at 2026-06-30T15:59:00Z"),
    # -- counters
    Spoilt("cement with a counter set back", "cement",
           _read("coal-0.total", lambda value, s: value if s < 30 else value - 1000),
           "counter coal-0.total went back", "W-COUNTER"),
    Spoilt("steel with a counter that starts again and again", "steel",
           _read("coal.total", lambda value, s: value - 1000 if s % 20 > 5 else value),
           "counter coal.total went back", "W-COUNTER"),
    Spoilt("smelter with a scale set back", "aluminium",
           _read("metal.total", lambda value, s: value if s < 30 else value - 1000),
           "counter metal.total went back", "W-COUNTER"),
    Spoilt("cement with a counter that leaps", "cement", _leap("coal-0.total", "coal-0.flow"),
           "counter coal-0.total leapt", "W-COUNTER"),
    Spoilt("steel with a leap that nobody explained", "steel", _leap("coal.total", "coal.flow"),
           "nobody has explained the leap of coal.total", "W-COUNTER"),
    Spoilt("smelter with a gas counter that leaps", "aluminium", _leap("gas.total", "gas.flow"),
           "counter gas.total leapt", "W-COUNTER"),
    Spoilt("cement with a false reading that comes back", "cement",
           _read("coal-0.total", lambda value, s: value + (1_000_000 if s == 30 else 0)),
           "false readings of counter coal-0.total are left out", "W-COUNTER"),
    Spoilt("smelter with a false reading of 0", "aluminium",
           _read("gas.total", lambda value, s: 0 if s == 30 else value),
           "false readings of counter gas.total are left out", "W-COUNTER"),
    Spoilt("cement with a coal counter at half speed beside its gauge", "cement",
           _read("coal-0.total", lambda value, s: 1000 + (value - 1000) / 2),
           "counter coal-0.total and its flow differ by more than 5 %", "W-CHECK"),
    Spoilt("steel with a coal counter at half speed beside its gauge", "steel",
           _read("coal.total", lambda value, s: 1000 + (value - 1000) / 2),
           "counter coal.total and its flow differ by more than 5 %", "W-CHECK"),
    Spoilt("cement with a coal counter at half speed beside a gauge of a wide range", "cement",
           _half_of_its_range("coal-0.total", "coal-0.flow"),
           "counter coal-0.total and its flow differ by more than 5 %", "W-CHECK"),
    Spoilt("cement with a second meter that counts less", "cement", _second("coal-0.total", 0.9),
           "the second meter of coal-0.total differs by more than 5 %", "W-CHECK"),
    Spoilt("steel with a second meter that counts more", "steel", _second("coal.total", 1.2),
           "the second meter of coal.total differs by more than 5 %", "W-CHECK"),
    Spoilt("steel with more CO2 at its stacks", "steel",
           _beside({"check": "stack-co2"}, lambda s: 100.0 * s),
           "CO2 at the stacks and the statement differ by more than 10 %", "W-CHECK"),
    Spoilt("cement with heat that no fuel gave", "cement",
           _heat(lambda s: 100.0 * s),
           "heat used and heat of the fuels differ by more than 10 %", "W-CHECK"),
    Spoilt("steel with a counter that is reset all the time", "steel", _saw("electrode.total"),
           "counter electrode.total gave false readings too often", "W-CHECK"),
    Spoilt("steel that sells more carbon than it buys", "steel", _sold,
           "the total is below zero"),
    # -- documents
    Spoilt("cement with coal that no document tells of", "cement", _by_documents(),
           "no approved amount of coal-yard"),
    Spoilt("cement with an invoice that nobody approved", "cement",
           _by_documents(invoice("coal-yard", "5.0")), "no approved amount of coal-yard"),
    Spoilt("cement with an invoice that waits", "cement",
           _by_documents(*_invoices("5.0"), invoice("coal-yard", "2.0", number="9")),
           "a document about coal-yard is not approved", "W-DOCUMENT"),
    Spoilt("cement with a count of another period", "cement",
           _by_documents(*_count("t", 3_600)), "no approved amount of coal-yard"),
    Spoilt("cement with a count of another unit", "cement", _by_documents(*_count("Nm3")),
           "no usable amount of coal-yard"),
    Spoilt("cement with an invoice far off its meter", "cement",
           _told(*_invoices("500.0", about="yard-1")),
           "documents and meter of yard-1 differ by more than 5 %", "W-DOCUMENT"),
    Spoilt("cement with a default in place of a heating value", "cement",
           _told(), "default in place of a measurement of yard-1", "W-DOCUMENT"),
    Spoilt("cement with heating values that contradict each other", "cement",
           _told(*_with(lambda v: _value("ncv", v), "yard-1", "20.5", "26.0")),
           "documents about yard-1.ncv cannot be used", "W-DOCUMENT"),
    Spoilt("steel with coal that no document tells of", "steel", _by_documents(),
           "no approved amount of coal-yard"),
    # -- what the verifier itself finds
    Spoilt("a close that the gateway did not sign", "cement", _unsigned,
           "the gateway has not signed the close", "W-NO-PLANT-SIGNATURE"),
    Spoilt("a key revoked for later objects", "steel", _revoked, "a key was revoked",
           "W-KEY-REVOKED"),
    Spoilt("two objects signed for one place", "aluminium", _forked,
           "two objects signed for one place", "W-FORK"),
    Spoilt("a meter whose settings were not read", "cement", _unread,
           "a meter's settings were not read", "W-METER-UNREAD"),
    Spoilt("a frame that fits no configuration", "steel", _unfit,
           "frames that fit no configuration", "W-UNFIT"),
    Spoilt("an invoice by a person whom the root does not know", "cement", _strangers,
           "a person is not certified by the plant's root", "W-PERSON"),
    Spoilt("readings ahead of their receipt", "aluminium", _ahead,
           "clocks contradict each other", "W-CLOCK"),
)  # fmt: skip
