"""What persons signed is right, and the figure made of it is not: gateway and collector agree."""

import json
from collections.abc import Callable
from dataclasses import replace

from evidence.archive import paths
from evidence.recompute import Paper, Recomputation, statement_bytes
from tests.attacks.forging import Kind, kind
from tests.independent import random_bridges as br
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import documented as doc
from tests.unit.evidence.documents import papers as pp

Bend = Callable[[Paper], Paper | None]


def statement_of(papers: list[Paper]) -> bytes:
    """The statement that these papers make."""
    config, fold = doc.configuration(), Recomputation()
    fold.configure(b"x", config)
    for body in sm.bodies(config):
        assert list(fold.feed(body)) == []
    return statement_bytes(fold.statement(*doc.PERIOD, "interim", papers))


def archive(bend: Bend = lambda paper: paper, *, earlier: int = 0) -> bytes:
    """The month of `documented`, whose statement is made of papers that say something else."""
    made = doc.papers()
    forged = [one for paper in pp.standing_of(made) if (one := bend(paper)) is not None]
    stream = sm.items(doc.configuration())
    return pp.archive(
        made, files=(), stream=stream, statement=statement_of(forged), earlier=earlier
    )


def body(about: str, what: str, **fields: object) -> Bend:
    """A paper of this kind about this says something else."""

    def bend(paper: Paper) -> Paper:
        if (paper.kind, paper.about) != (what, about):
            return paper
        return replace(paper, body={**paper.body, **fields})

    return bend


def dropped(about: str, what: str) -> Bend:
    return lambda paper: None if (paper.kind, paper.about) == (what, about) else paper


def approved(paper: Paper) -> Paper:
    return replace(paper, is_approved=True)


def row(**fields: object) -> dict[str, list[dict[str, object]]]:
    return {"values": [{"name": "ncv", "unit": "GJ/t", "basis": "ar", **fields}]}


#: name, story, archive, codes
FORGED: list[tuple[str, str, Callable[[], bytes]]] = [
    ("result of a sample halved", "The statement takes half of what the laboratory reported.",
     lambda: archive(body("S-1", "sample-result", **row(value="10")))),
    ("basis of a result exchanged", "An air-dried heating value is taken as received.",
     lambda: archive(body("S-2", "sample-result", **row(value="26")))),
    ("weight of a sample bent", "The poor coal's sample stands for ten times its tonnes.",
     lambda: archive(body("S-1", "sample-taken", stands_for_t="3000"))),
    ("weights left out", "No sample is said to stand for anything: their mean is a plain one.",
     lambda: archive(lambda p: replace(p, body={k: v for k, v in p.body.items()
                                                if k != "stands_for_t"}))),
    ("sample left out of the mean", "The rich coal's result is in the archive, not in the figure.",
     lambda: archive(dropped("S-2", "sample-result"))),
    ("all results left out", "The rule set's default takes the place of what was measured.",
     lambda: archive(lambda p: None if p.kind == "sample-result" else p)),
    ("result that nobody approved", "A report that waits for a second person makes the figure.",
     lambda: archive(approved)),
    ("invoice of another amount", "A digit of an invoice is another in the statement.",
     lambda: archive(body("coal-1", "invoice", value="120.5"))),
    ("invoice of another unit", "Tonnes of an invoice are taken as kilograms.",
     lambda: archive(body("coal-1", "invoice", unit="kg"))),
    ("closing stock enlarged", "More coal lies in the yard than was measured.",
     lambda: archive(lambda p: body("coal-1", "stock-take", value="900")(p)
                     if p.body.get("at_ns") == doc.PERIOD[1] + doc.HOUR else p)),
    ("figure of another paper", "The statement names a paper that its figure is not made of.",
     lambda: archive(lambda p: replace(p, sha256="00" * 32) if p.kind == "invoice" else p)),
    ("supplier's word for a measurement", "A typed content is said to be another supplier's.",
     lambda: archive(body("coal-1", "parameter", origin="laboratory"))),
]  # fmt: skip


def bridged(bend: Bend = lambda paper: paper, *, risen: int = 300) -> bytes:
    """Two days whose coal was measured four hours late at first and three early at last.

    Args:
        bend: what the statement's papers say in place of those that were signed.
        risen: kg that the statement's feeder counts in ten minutes; the archive's counts 300.
    """
    span = br.FROM - 4 * br.HOUR, br.PERIOD[1] - 3 * br.HOUR
    signed = [
        *pp.persons(), *br.stock("90", span[0]), *br.stock("30", span[1]), *br.bought("60", span),
        *br.counted("7.5", (span[0], br.FROM), br.FEEDER),
    ]  # fmt: skip
    config, fold = br.configuration(), Recomputation()
    fold.configure(b"x", config)
    for told in br.frames(config, [i * risen for i in range(288)], [0] * 288):
        assert list(fold.feed(told)) == []
    forged = [one for paper in pp.standing_of(signed) if (one := bend(paper)) is not None]
    made = statement_bytes(fold.statement(*br.PERIOD, "interim", forged))
    bodies = br.frames(config, [i * 300 for i in range(288)], [0] * 288)
    return br.sealed(config, bodies, signed, statement=made)


def leapt(*, told: bool = True) -> bytes:
    """A feeder that is exchanged for one that starts at 900 t; `told`: the statement says so."""
    signed = [*pp.persons(), *br.counted("50", br.PERIOD)]
    config, fold = br.configuration(), Recomputation()
    counts = [i * 60 + (900_000 if i > 99 else 0) for i in range(288)]
    bodies = br.frames(config, counts, [0] * 288)
    fold.configure(b"x", config)
    for one in bodies:
        assert list(fold.feed(one)) == []
    made = fold.statement(*br.PERIOD, "interim", pp.standing_of(signed))
    if not told:
        for part in ("input", "output"):
            flags = made[part]["flags"]
            made[part]["flags"] = [flag for flag in flags if "leap" not in flag]
        for field in ("leaps", "leap_count"):
            del made["input"]["totalisers"][0][field]
    return br.sealed(config, bodies, signed, statement=statement_bytes(made))


def bent_bridge() -> bytes:
    """The row is honest; the bridge that is printed beside it is not."""
    files = sm.unpack(bridged())
    statement = json.loads(files[paths.STATEMENT])
    statement["input"]["bridges"][0]["end"]["added"] = "15"
    files[paths.STATEMENT] = statement_bytes(statement)
    return sm.repack(files, by=sm.keys().collector)


def bent_output() -> bytes:
    """The input is honest; the line made of it is not."""
    files = sm.unpack(archive())
    statement = json.loads(files[paths.STATEMENT])
    statement["output"]["lines"][1]["emission_t"] = "1.00"
    files[paths.STATEMENT] = statement_bytes(statement)
    return sm.repack(files, by=sm.keys().collector)


KINDS: list[Kind] = [
    kind("bridge's count bent", "Less passed before the month than was signed.",
         lambda: bridged(body(br.FEEDER, "count", value="0.5")), "E-INPUT"),
    kind("bridge's meter bent", "More passed at the month's end than the feeder's readings say.",
         lambda: bridged(risen=400), "E-INPUT"),
    kind("bridge left out", "Stock of other hours is taken as the month's.",
         lambda: bridged(lambda p: replace(p, body={**p.body, "at_ns": br.PERIOD[p.body["value"]
                         == "30"]}) if p.kind == "stock-take" else p), "E-INPUT"),
    kind("printed bridge bent", "What was added is printed otherwise than it was added.",
         bent_bridge, "E-INPUT", "E-LOG-CLOSE", "E-CLOSE"),
    kind("leap of a counter not told", "The statement is silent of a meter that starts higher.",
         lambda: leapt(told=False), "E-INPUT"),
    kind("leap of a counter", "A new meter starts 900 t higher, nobody signed for it: it is told.",
         leapt, "W-COUNTER"),
    kind("honest bridged month", "Nobody: coal was measured at other hours, and a feeder bridges.",
         bridged, "W-DOCUMENT"),
    *[kind(name, story, build, "E-INPUT") for name, story, build in FORGED],
    kind("line of papers bent", "The line of what persons signed is not what its input makes.",
         bent_output, "E-TOTAL", "E-LOG-CLOSE", "E-CLOSE"),
    kind("honest month of papers", "Nobody: samples, invoices and stock-takes make figures, and a "
         "result that nobody approved makes none.", archive, "W-DOCUMENT"),
    kind("honest month of earlier papers", "Nobody: they were signed before this month's log.",
         lambda: archive(earlier=len(doc.papers()))),
]  # fmt: skip
