"""Two days of a kiln whose coal is told by documents of other hours, bridged by its feeder.

Periods of minutes, as the other random months have them, have nothing to be bridged.
"""

import copy
import random
from typing import Any

import numpy as np

from edge.calc.folds.live import PlantCalc
from evidence.archive.build import Records
from evidence.frame import TYP_CONFIG, Body, Group, Section
from evidence.points import Dtype
from evidence.recompute import Recomputation, published_rules, statement_bytes
from tests.independent.random_plants import CLOCK, SECOND, calculated, point_map, with_computed
from tests.independent.random_works import CEMENT, STEEL
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

HOUR = 3_600 * SECOND
STEP = 600 * SECOND
#: 2026-05-31T16:00Z: June begins in Shanghai
FROM = 1_780_243_200 * SECOND
PERIOD = FROM, FROM + 48 * HOUR
SOURCE, FEEDER = "coal-1", "feeder.total"
GRID, POWER = "grid.total", "grid.power"


def configuration(table: str = "fuels") -> dict[str, Any]:
    """One totaliser of kilograms with a decimal, which bridges the entry of one source.

    400 kg an hour pass it at most, and 100 kW the meter of electricity beside it.
    """
    config = copy.deepcopy(sm.configuration())
    of = {"role": "totaliser", "device": "meters", "source": "x"}
    points = [
        point_map(FEEDER, "mass", "kg", Dtype.U32, 1, rules={"rate_per_s": "1/9"}, **of),
        # of no device: a paper about one of this name is about another
        point_map(GRID, "energy", "kWh", Dtype.U32, 0, role="totaliser"),
        point_map(POWER, "power", "kW", Dtype.U32, 0, range_max="100"),
    ]
    grid = {"kind": "electricity", "point": GRID, "rule": "totaliser", "power_point": POWER}
    names = {"fuels": ("kind", "anthracite"), "clinker": ("kind", "portland"),
             "products": ("product", "crude-steel")}  # fmt: skip
    name, kind = names[table]
    entry = {name: kind, "rule": "records", "source": SOURCE, "bridge": FEEDER}
    for device in config["devices"]:
        device["schedule"] = 0
    config["plant"]["rule_set"] = STEEL if table == "products" else CEMENT
    config |= {
        "schedules": [{"interval_ns": STEP}], "points": points, "potlines": [],
        "groups": [{"schedule": 0, "dtype": Dtype.U32.value, "computed": False,
                    "points": [0, 1, 2]}],
        "statement": {table: [entry], "auxiliary": [grid]},
    }  # fmt: skip
    return with_computed(config)


def frames(
    config: dict[str, Any], counts: list[int], quality: list[int], grid: list[int] | None = None
) -> list[Body]:
    """Hours of six readings each, ten minutes apart."""
    energy, calc = grid or [0] * len(counts), PlantCalc(config)
    made = []
    for first in range(0, len(counts), 6):
        six = slice(first, first + 6)
        raw = np.array([counts[six], energy[six], [60] * len(counts[six])], "<u4")
        bad = np.array([quality[six]] * 3, np.uint8)
        lag = np.full((1, raw.shape[1]), 12, dtype="<i4")
        at = FROM + first * STEP
        group = Group(0, Dtype.U32, raw, bad)
        section = Section(0, at, STEP, raw.shape[1], (group,), lag, (0,))
        made.append(Body(at, CLOCK, sections=calculated(calc, config, [section])))
    return made


def sealed(config: dict[str, Any], bodies: list[Body], signed: list[bytes], **other: Any) -> bytes:
    """Their archive; `other` of it: the statement that is closed."""
    fold = Recomputation()
    fold.configure(b"x", config)
    for body in bodies:
        assert list(fold.feed(body)) == []
    made = statement_bytes(fold.statement(*PERIOD, "interim", pp.standing_of(signed)))
    first = [sm.enrolment()]
    for data in signed:
        first.append(pp.entry_of(data, len(first)))
    stream = [sm.config_item(config, FROM), *map(sm.frame_item, bodies)]
    of = sm.make_month(stream, first_entries=first, **({"statement": made} | other))
    configs = {sm.sha256(o): o for o, i in zip(of.objects, stream, strict=True)
               if i.typ == TYP_CONFIG}  # fmt: skip
    rules = published_rules(config["plant"]["rule_set"])
    held = Records(dict.fromkeys(signed), {}, [])
    return sm.build(sm.contents(of, configs=configs, rules=rules, records=held))


def approved(person: str, kind: str, about: str, body: dict[str, Any]) -> list[bytes]:
    data = pp.paper(person, kind, about, body)
    other = "zhao" if person != "zhao" else "li"
    return [data, pp.paper(other, "approve", about, {}, sm.sha256(data))]


def stock(value: str, at_ns: int) -> list[bytes]:
    body = {"at_ns": at_ns, "method": "tape", "value": value, "unit": "t"}
    return approved("chen", "stock-take", SOURCE, body)


def counted(value: str, span: tuple[int, int], about: str = SOURCE, unit: str = "t") -> list[bytes]:
    body = {"value": value, "unit": unit, "from_ns": span[0], "to_ns": span[1]}
    return approved("chen", "count", about, body)


def bought(value: str, span: tuple[int, int], part: str = "purchased") -> list[bytes]:
    body = {"number": value, "party": "X", "part": part, "value": value, "unit": "t",
            "from_ns": span[0], "to_ns": span[1]}  # fmt: skip
    return approved("li", "invoice", SOURCE, body)


def bridged_month(seed: int) -> bytes:
    """Whatever happens to be signed of it, by whatever hours."""
    rng = random.Random(seed)
    counts, now = [], rng.randint(0, 9_000)
    for _ in range(48 * 6):
        now = now + rng.choice((0, 70, 250, 500)) if rng.random() > 0.005 else 0
        counts.append(now)
    quality = [128 if rng.random() < 0.04 else 0 for _ in counts]
    if rng.random() < 0.3:  # silence of two hours
        hole = rng.randrange(0, len(counts) - 12)
        quality[hole : hole + 12] = [140] * 12
    far = (0, HOUR // 2, -HOUR, 4 * HOUR, 4 * HOUR, -3 * HOUR, -3 * HOUR, 2 * HOUR, -7 * HOUR + 1)
    first, last = (edge + rng.choice(far) for edge in PERIOD)
    if rng.random() < 0.1:
        last += 300 * HOUR
    signed = pp.persons()
    if seed % 4 == 0:
        signed += replaced("undefined", PERIOD, random.Random(seed))
    signed += _told(rng, first, last)
    for a, b in ((first, FROM), (PERIOD[1], last)):
        if b > a and rng.random() < 0.9:
            about = FEEDER if rng.random() < 0.95 else SOURCE
            span = a, b + (0 if rng.random() < 0.9 else SECOND)
            unit = "kg" if rng.random() < 0.5 else "t"
            signed += counted(rng.choice(("7.5", "20", "0")), span, about, unit)
    if rng.random() < 0.5:
        span = FROM + rng.choice((0, 10, 20)) * HOUR, FROM + 30 * HOUR
        signed += replaced(rng.choice((FEEDER, "meters", GRID)), span, rng)
    signed = list(dict.fromkeys(signed))
    if rng.random() < 0.2:
        signed.pop()  # an approval
    config = configuration(rng.choice(("fuels", "fuels", "clinker", "products")))
    grid = [i * 90 + (60 if rng.random() < 0.01 else 0) for i in range(len(counts))]
    return sealed(config, frames(config, counts, quality, grid), signed)


def replaced(about: str, span: tuple[int, int], rng: random.Random) -> list[bytes]:
    """A meter event, most often an exchange."""
    event = "replacement" if rng.random() < 0.8 else "maintenance"
    body = {"event": event, "reason": "worn", "from_ns": span[0], "to_ns": span[1]}
    return approved("chen", "meter-event", about, body)


def _told(rng: random.Random, first: int, last: int) -> list[bytes]:
    middle = (first + last) // 2
    gap = rng.choice((0, 0, 0, 0, HOUR, HOUR + 1))
    spans = rng.choice(([(first, last)], [(first, middle), (middle + gap, last)]))
    made = []
    for i, span in enumerate(spans):
        made += bought(f"{60 + i}.5", span) if rng.random() < 0.6 else []
        made += counted(f"{80 + i}", span) if rng.random() < 0.9 else []
    if rng.random() < 0.3:
        made += bought("20", (first, last), "output")
    if rng.random() < 0.5:
        made += [*stock("90", first), *stock(rng.choice(("30", "80")), last)]
    if rng.random() < 0.1:
        made += stock("31", first - HOUR // 4)
    return made
