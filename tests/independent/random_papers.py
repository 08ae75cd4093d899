"""Months of works of which persons signed something: samples, results, invoices, stock-takes.

What is signed is right, wrong, contradicting, of another time, in another unit, on another basis,
approved or not, corrected or withdrawn, by chance; both programs must make the same of it.
"""

import copy
import random
from typing import Any

from tests.independent.random_plants import JULY, instant, month, with_computed
from tests.independent.random_works import changed, works
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

SOURCES = ("coal-1", "ore.2", "G3")
HOUR = 3_600 * 10**9
DAY = 24 * HOUR
JUNE = instant(JULY) - 30 * DAY
WORDS = ("kind", "material", "product", "use", "unit")
ROWS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("ncv", ("23.5", "24", "0.39"), ("GJ/t", "MJ/kg", "GJ/10^4 Nm3", "MJ/Nm3", "kcal/kg")),
    ("ncv", ("23500", "389.31", "9999.123"), ("kJ/kg", "J/g", "GJ/10^4 Nm3", "kJ/Nm3")),
    ("carbon_content", ("0.0261", "0.03", "26.1"), ("tC/GJ", "kgC/GJ", "tC/TJ")),
    ("carbon", ("0.61", "58.75", "5.4", "-1"), ("tC/t", "%", "tC/10^4 Nm3")),
    ("factor", ("0.44", "0.5333", "523", "4.5"), ("tCO2/t", "kgCO2/t")),
    ("total-moisture", ("9.75", "61", "1"), ("%",)),
    ("moisture", ("2.5", "1.25", "0"), ("%",)),
)  # fmt: skip


def with_sources(config: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Entries that name sources, some of them instead of their meters."""
    made = copy.deepcopy(config)
    measured = [i for g in made["groups"] if not g["computed"] for i in g["points"]]
    made["points"] = [made["points"][i] for i in sorted(measured)]
    made["groups"] = [group for group in made["groups"] if not group["computed"]]
    recorded: set[str] = set()
    for key in ("fuels", "process", "products", "clinker", "substitutes"):
        for place, entry in enumerate(made["statement"].get(key, ())):
            source = rng.choice(SOURCES)
            if rng.random() < (0.9 if key == "clinker" else 0.4) and source not in recorded:
                recorded.add(source)
                words = {word: entry[word] for word in WORDS if word in entry}
                entry = words | {"rule": "records"}
                made["statement"][key][place] = entry
            if rng.random() < 0.85 or entry["rule"] == "records":
                entry["source"] = source
    tables = ("fuels", "process", "products", "clinker", "substitutes")
    entries = [entry for key in tables for entry in made["statement"].get(key, ())]
    entries += [made["statement"][key] for key in ("output",) if key in made["statement"]]
    left = {entry.get(key) for entry in entries for key in ("point", "purchased", "output")}
    if "beside" in made["statement"]:  # no second meter of one that is there no more
        made["statement"]["beside"] = [
            one for one in made["statement"]["beside"] if one.get("of", None) in (None, *left)
        ]
    return with_computed(made)


class _Desk:
    """Signs and approves as it comes."""

    def __init__(self, rng: random.Random, period: tuple[int, int]) -> None:
        self.rng, self.period = rng, period
        self.fields = 1  # that a laboratory is asked for
        self.made: list[bytes] = pp.persons()

    def sign(self, person: str, kind: str, about: str, body: dict[str, Any]) -> None:
        """A document, most often approved, seldom corrected or withdrawn."""
        rng, data = self.rng, pp.paper(person, kind, about, body)
        if data in self.made:
            return
        self.made.append(data)
        fate = rng.random()
        if fate < 0.06:
            data = pp.paper(person, kind, about, body, sm.sha256(data))
            self.made.append(data)
        elif fate < 0.08:
            self.follow("chen", "withdraw", about, {"reason": "wrong"}, data)
            return
        if rng.random() < 0.95:
            approval = self.follow("zhao" if person != "zhao" else "li", "approve", about, {}, data)
            if rng.random() < 0.02:
                self.follow("chen", "withdraw", about, {"reason": "not seen"}, approval)

    def follow(self, person: str, kind: str, about: str, body: Any, data: bytes) -> bytes:
        self.made.append(pp.paper(person, kind, about, body, sm.sha256(data)))
        return self.made[-1]

    def around(self, first: int, last: int) -> dict[str, int]:
        """A period that is this one, or nearly, or another."""
        far = (0, 0, 0, HOUR, -HOUR, HOUR + 1, HOUR // 2, 9 * DAY, -9 * DAY)
        moved = first + self.rng.choice(far), last + self.rng.choice(far)
        return {"from_ns": moved[0], "to_ns": max(moved[1], moved[0] + 1)}

    def rows(self, _: str) -> list[dict[str, Any]]:
        """Values of a laboratory."""
        rng = self.rng
        found = []
        for name, values, units in ROWS:
            if rng.random() < 0.4:
                row = {"name": name, "value": rng.choice(values), "unit": rng.choice(units)}
                if rng.random() < 0.55:
                    row["basis"] = rng.choice(("ar", "ar", "ad", "ad", "d"))
                found.append(row)
        return found or [{"name": "ash", "value": "12", "unit": "%", "basis": "d"}]

    def coal(self, _: str) -> list[dict[str, Any]]:
        """What a laboratory should write of coal: air-dried, with both moistures."""
        rng = self.rng
        found = [
            {"name": "ncv", "value": rng.choice(("23.076", "24.0012")), "unit": "MJ/kg"},
            {"name": "carbon", "value": "61.5", "unit": "%"},
        ][: self.fields]  # fmt: skip
        total = {"name": "total-moisture", "value": "10.1", "unit": "%", "basis": "ar"}
        dried = {"name": "moisture", "value": "2.3", "unit": "%"}
        waters = [total, dried] if rng.random() < 0.93 else [total]
        return [*({**row, "basis": "ad"} for row in found), *waters]

    def other(self, _: str) -> list[dict[str, Any]]:
        """Of what is not dried in a laboratory."""
        return [
            {"name": "carbon_content", "value": self.rng.choice(("15.32", "26")), "unit": "kgC/GJ"},
            {"name": "factor", "value": self.rng.choice(("0.44", "0.51")), "unit": "tCO2/t"},
        ]

    def samples(self, source: str) -> None:
        rng, masses = self.rng, self.rng.choice((0, 1, 0.5))
        ids = [f"{source}-{i}" for i in range(rng.choice((0, 0, 1, 2, 3)))]
        make = rng.choice((self.rows, self.coal, self.coal, self.other))
        self.fields = rng.choice((1, 2))
        for sample in ids:
            at = rng.choice((JUNE, JUNE + 4 * DAY, JUNE - DAY, JUNE + 29 * DAY))
            body: dict[str, Any] = {
                "source": source, "place": "belt", "taken_ns": at, "mass_kg": "2", "seal": "A",
                "from_ns": at, "to_ns": at + DAY,
            }  # fmt: skip
            if rng.random() < masses:
                body["stands_for_t"] = rng.choice(("900", "1200.5", "1200.5", "0"))
            self.sign("chen", "sample-taken", sample, body)
            self.result(sample, make(sample))
        if ids and rng.random() < 0.5:
            parts = [
                {"sample": one, "weight": "1"} for one in rng.sample(ids, rng.randint(1, len(ids)))
            ]
            about = rng.choice((f"{source}-c", ids[0], f"{source}-c"))
            self.sign("chen", "sample-composed", about,
                      {"source": source, "composed_ns": JUNE, "parts": parts,
                       **self.around(JUNE, instant(JULY))})  # fmt: skip
            self.result(about, self.rows(about))

    def result(self, sample: str, values: list[dict[str, Any]]) -> None:
        self.sign("lab", "sample-result", sample,
                  {"report": "R", "report_day": "2026-06-30", "laboratory": "Lab",
                   "values": values})  # fmt: skip

    def amounts(self, source: str) -> None:
        """Invoices, counts and stock-takes of the period; of the careless, nearly."""
        rng, period = self.rng, self.period
        units = (rng.choice(("t", "t", "10^4 Nm3")),)
        is_careful = rng.random() < 0.6
        is_whole = is_careful and rng.random() < 0.6
        if not is_careful:
            units = ("t", "t", "kg", "Nm3", "10^4 Nm3", "m3")

        def value(least: int) -> dict[str, str]:
            digits = f"{rng.randint(least, 40)}{rng.choice(('', '.5', '.125'))}"
            return {"value": digits, "unit": rng.choice(units)}

        def time() -> dict[str, int]:
            exact = {"from_ns": period[0], "to_ns": period[1]}
            return exact if is_careful else self.around(*period)

        for part in ("purchased", "output"):
            for number in range(1 if is_whole else rng.choice((0, 0, 1, 2))):
                body = {"number": f"{number}", "party": "X", "part": part}
                self.sign("li", "invoice", source, body | value(10 if is_careful else -3) | time())
        for _ in range(1 if is_whole else rng.choice((0, 1, 1, 2))):
            self.sign("chen", "count", source, value(0) | time())
        if is_whole or rng.random() < 0.4:
            # an hour away, for these periods are of a minute, and their edges are one
            for edge, far in zip(period, (-HOUR, HOUR), strict=True):
                at = edge + (far if is_careful else rng.choice((far, 0, 2 * far)))
                body = {"at_ns": at, "method": "tape", **value(0)}
                self.sign("chen", "stock-take", source, body)

    def parameters(self, source: str) -> None:
        """What somebody typed of a source."""
        rng = self.rng
        for name, values, units in rng.sample(ROWS[:-2], rng.choice((0, 1, 2, 3))):
            first = rng.random() < 0.7
            body = {
                "name": name, "origin": rng.choice(("supplier 2026", "安全: x")),
                "value": values[0] if first else rng.choice(values),
                "unit": units[0] if first else rng.choice(units),
            }  # fmt: skip
            if name in ("ncv", "carbon") and rng.random() < 0.7:
                body["basis"] = "ar"
            time = {"from_ns": JUNE - DAY, "to_ns": instant(JULY)}
            if not first:
                time = self.around(JUNE - DAY, instant(JULY))
            self.sign("zhao", "parameter", source, body | time)


def signed_papers(rng: random.Random, period: tuple[int, int]) -> list[bytes]:
    """Documents of persons for a period, in the log's order."""
    desk = _Desk(rng, period)
    for source in SOURCES:
        desk.samples(source)
        desk.amounts(source)
        desk.parameters(source)
    return desk.made


def papered_month(seed: int) -> bytes:
    """A sealed month of works with sources, and what persons signed about them."""
    return month(
        seed, make=lambda rng: with_sources(works(rng), rng), change=changed, papers=signed_papers
    )
