"""The small plant with coal that documents tell of, and the papers of its month."""

import copy
from typing import Any

from tests.independent.random_plants import with_computed
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import SECOND, START_NS

HOUR = 3_600 * SECOND
#: of the interim statement of the small plant's fifty seconds
PERIOD = (START_NS, START_NS + 50 * SECOND)
SPAN = dict(zip(("from_ns", "to_ns"), PERIOD, strict=True))


def configuration() -> dict[str, Any]:
    """Sources of gas and of anodes; coal by documents alone."""
    config = copy.deepcopy(sm.configuration())
    config["groups"] = [group for group in config["groups"] if not group["computed"]]
    config["points"] = config["points"][: sum(len(g["points"]) for g in config["groups"])]
    config["statement"]["fuels"][0]["source"] = "gas"
    config["statement"]["fuels"].append(
        {"kind": "anthracite", "rule": "records", "source": "coal-1", "use": "other"}
    )
    config["statement"]["anode"]["about"] = "anode-b"
    return with_computed(config)


def _sample(about: str, value: str, basis: str, t: str) -> list[tuple[str, str, str, Any]]:
    rows = [{"name": "ncv", "value": value, "unit": "GJ/t", "basis": basis},
            {"name": "total-moisture", "value": "10", "unit": "%"},
            {"name": "moisture", "value": "2", "unit": "%"}]  # fmt: skip
    taken = {"source": "coal-1", "place": "belt", "taken_ns": START_NS, "mass_kg": "2",
             "seal": "A", "stands_for_t": t, **SPAN}  # fmt: skip
    report = {"report": "R", "report_day": "2026-06-15", "laboratory": "Lab", "values": rows}
    return [("chen", "sample-taken", about, taken), ("lab", "sample-result", about, report)]


def papers() -> list[bytes]:
    """Persons, two samples, an invoice, stock-takes an hour away; a result nobody approved."""
    content = {"name": "carbon_content", "origin": "supplier", "value": "27.5", "unit": "tC/TJ"}
    # the edges of fifty seconds are one: each stock-take is an hour beyond its own
    stocks = zip(("500", "450"), (PERIOD[0] - HOUR, PERIOD[1] + HOUR), strict=True)
    approved = [
        *_sample("S-1", "20.5", "ar", "300"), *_sample("S-2", "26", "ad", "100"),
        ("li", "invoice", "coal-1", pp.INVOICE | SPAN | {"value": "1200.5"}),
        ("li", "parameter", "coal-1", content | SPAN),
        *[("chen", "stock-take", "coal-1",
           {"at_ns": at, "method": "tape", "value": value, "unit": "t"}) for value, at in stocks],
    ]  # fmt: skip
    made = pp.persons()
    for person, kind, about, body in approved:
        made.append(pp.paper(person, kind, about, body))
        made.append(pp.paper("zhao", "approve", about, {}, sm.sha256(made[-1])))
    waiting = _sample("S-3", "15", "ar", "400")
    return [*made, *(pp.paper(*one) for one in waiting)]
