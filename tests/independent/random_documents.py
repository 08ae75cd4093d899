"""Papers of persons of which one says something else, signed by whoever signed it before."""

import random
from collections.abc import Callable
from typing import Any

from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.documents.document import AttachedFile
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.sealed_month import sha256

Bend = Callable[[Any, random.Random], Any]

SAMPLES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("zhao", "sample-taken", "S-1",
     {"source": "coal", "place": "belt 3", "taken_ns": pp.MAY, "mass_kg": "2.5", "seal": "A1",
      "stands_for_t": "900", **pp.PERIOD}),
    ("chen", "sample-composed", "S-2",
     {"source": "coal", "composed_ns": pp.JUNE, "note": "of\ntwo", **pp.PERIOD,
      "parts": [{"sample": "S-1", "weight": "0.5"}, {"sample": "S-0", "weight": "0.5"}]}),
    ("lab", "sample-received", "S-1",
     {"received_ns": pp.JUNE, "seal": "A1", "is_seal_whole": True}),
    ("lab", "sample-result", "S-1",
     {"report": "R-7", "report_day": "2026-06-02", "laboratory": "Lab",
      "values": [{"name": "ncv", "value": "23.076", "unit": "GJ/t", "basis": "ar"}]}),
    ("zhao", "meter-certificate", "ac-1",
     {"scope": "calibration", "issuer": "Institute", "number": "7", "day": "2026-02-28",
      "due": "2027-02-28", "fit": True, "as_found_percent": "-0.3", "limit_percent": "0.5"}),
    ("chen", "internal-check", "belt-zero",
     {"of": "scale-1", "checked_ns": pp.JUNE, "by": "Chen", "method": "empty belt",
      "result": "0.4 kg of 100 kg", "passed": True, "as_found_percent": "0.4"}),
    ("li", "counter-correction", "ac.energy",
     {"value": "0.5", "unit": "kWh", "reason": "read by hand", **pp.PERIOD}),
    ("chen", "ledger", "L-1", {"sheet_sha256": bytes(32), "pages": 3, **pp.PERIOD}),
]  # fmt: skip

PLAN = b"format = 1"
FILES = (pp.SCAN, PLAN)
_NAMED = {"plan_sha256": sha256(PLAN), "revision": 1}
_PLAN_FILE = AttachedFile("plan.toml", "application/toml", len(PLAN), sha256(PLAN))


#: what a reviewer saw on site
VISIT: dict[str, Any] = {
    **pp.PERIOD,
    "meters": [{"point": "ac.energy", "at_ns": pp.JUNE, "face": "900200", "unit": "kWh",
                "photo": sha256(pp.SCAN), "result": "agrees", "reading": "900200", "allowed": "22",
                "quality": "0", "frame": "edge-1/2", "frame_sha256": bytes(32), "seal": "A 17",
                "is_seal_whole": True, "note": "dusty"}],
    "samples": [{"sample": "S-1", "is_present": False, "seal": "A1", "is_seal_whole": False}],
    "note": "by foot",
}  # fmt: skip


def papers() -> list[bytes]:
    """Those of the small plant, and one of each more unlike kind."""
    plan = pp.paper("zhao", "control-plan", "2026", _NAMED, files=[_PLAN_FILE])
    reviews = pp.reviews()[len(pp.persons()) :]  # the list of persons goes on behind the first
    visit = pp.paper("qin", "site-visit", "2026-06", VISIT, files=[pp.file_of(pp.SCAN)])
    actions = pp.paper(pp.COLLECTOR, "account-actions", "security-log", pp.ACTIONS)
    samples = (pp.paper(*sample) for sample in SAMPLES)
    return [*pp.papers(), *reviews, *samples, plan, visit, actions]


def month(rng: random.Random, bend: Bend, pack: Callable[[bytes], bytes]) -> bytes:
    """A month in which one paper says something else.

    Args:
        rng: chooses.
        bend: makes another value of a value.
        pack: makes a payload of an item's bytes.
    """
    made = papers()
    at = rng.randrange(len(made))
    envelope = cose.parse(made[at])
    claims, item = envelope.header[cose.CWT_CLAIMS], cbor.decode(decompress(envelope.payload))
    by = pp.key_of(claims[cose.CWT_SUB])
    if rng.random() < 0.15:
        claims = bend(claims, rng)
    elif rng.random() < 0.85:
        name = rng.choice(["body", "body", "body", *item])
        item[name] = bend(item[name], rng)
    else:
        item = bend(item, rng)
    header = {cose.TYP: envelope.typ, cose.CWT_CLAIMS: claims}
    entries: dict[int, dict[str, Any]] = {}
    if rng.random() < 0.2:
        told = {"kind": item["kind"], "about": item["about"], "person": claims[cose.CWT_SUB]}
        entries[at] = {"detail": bend(told, rng)}
    made[at] = cose.sign(by, header, pack(cbor.encode(item)))
    return pp.archive(made, files=FILES, earlier=rng.choice((0, 0, at, len(made))), entries=entries)
