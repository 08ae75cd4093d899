"""A counter or what is said of it is not as it was read: gateway and collector agree on it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from evidence.recompute import Paper, Recomputation, statement_bytes
from tests.attacks.forging import Kind, kind
from tests.independent import random_bridges as br
from tests.unit.evidence.documents import papers as pp

Bend = Callable[[dict[str, Any]], None]

#: kWh every ten minutes at 60 kW, of which 100 kW can pass the meter
HONEST = [i * 10 for i in range(288)]
FEEDER = [i * 60 for i in range(288)]


def month(
    grid: Sequence[int],
    bend: Bend = lambda statement: None,
    signed: Sequence[bytes] = (),
    told: Callable[[Paper], Paper] = lambda paper: paper,
) -> bytes:
    """Two days whose meter of electricity reads this, beside a gauge of 60 kW.

    Args:
        grid: its readings.
        bend: changes the statement that is closed.
        signed: what persons sign of it.
        told: the paper that the statement is made of, in place of the signed one.
    """
    signed = [*pp.persons(), *br.counted("50", br.PERIOD), *signed]
    config, fold = br.configuration(), Recomputation()
    fold.configure(b"x", config)
    bodies = br.frames(config, FEEDER, [0] * 288, list(grid))
    for body in bodies:
        assert list(fold.feed(body)) == []
    papers = [told(paper) for paper in pp.standing_of(signed)]
    made = fold.statement(*br.PERIOD, "interim", papers)
    bend(made)
    return br.sealed(config, bodies, signed, statement=statement_bytes(made))


def changed(readings: Sequence[int], **other: int) -> list[int]:
    """Some of them say something else; keys are n0, n1 and so on."""
    made = list(readings)
    for key, value in other.items():
        made[int(key[1:])] = value
    return made


SPIKE = changed(HONEST, n100=1_000_000)
ZERO = changed(HONEST, n100=0, n101=0)
LEAP = [value + (900_000 if i > 99 else 0) for i, value in enumerate(HONEST)]


def grid_of(statement: dict[str, Any]) -> dict[str, Any]:
    totalisers: list[dict[str, Any]] = statement["input"]["totalisers"]
    (found,) = (counter for counter in totalisers if counter["point"] == br.GRID)
    return found


def as_spike(statement: dict[str, Any]) -> None:
    """The leap that stays is called a spike, so that nobody has to explain it."""
    grid = grid_of(statement)
    (leap,) = grid.pop("leaps")
    grid["spike_count"] = grid.pop("leap_count")
    grid["spikes"] = [{key: leap[key] for key in ("since_ns", "before", "tick_ns", "after")}
                      | {"readings": 1, "steps_upward": leap["after"]}]  # fmt: skip
    for part in ("input", "output"):
        statement[part]["flags"] = [
            flag.replace("totaliser-leap", "totaliser-spike")
            for flag in statement[part]["flags"]
            if not flag.startswith("leap-unexplained")
        ]


def whole(statement: dict[str, Any]) -> None:
    """What the spike would have added is in the total."""
    grid = grid_of(statement)
    grid["difference"] = grid["steps_upward"]


def corrected(value: str, about: str = br.GRID, shift: int = 0) -> list[bytes]:
    """The leap, by an accountant and a second person; `shift` of its hours."""
    at = br.FROM + 100 * br.STEP + shift
    body = {"value": value, "unit": "kWh", "reason": "read from the meter's own store",
            "from_ns": at - br.STEP, "to_ns": at}  # fmt: skip
    return br.approved("li", "counter-correction", about, body)


def stands_for(value: str) -> Callable[[Paper], Paper]:
    """A correction says something else, and counts."""

    def told(paper: Paper) -> Paper:
        if paper.kind != "counter-correction":
            return paper
        at = br.FROM + 100 * br.STEP
        body = {**paper.body, "value": value, "from_ns": at - br.STEP, "to_ns": at}
        return replace(paper, about=br.GRID, body=body, is_approved=True)

    return told


def silent(statement: dict[str, Any]) -> None:
    """Neither the comparison with the flow nor its flag is there."""
    checks = statement["input"]["checks"]
    statement["input"]["checks"] = [c for c in checks if c["check"] != "flow-totaliser"]
    for part in ("input", "output"):
        flags = statement[part]["flags"]
        statement[part]["flags"] = [flag for flag in flags if not flag.startswith("check:")]


def within(statement: dict[str, Any]) -> None:
    """The comparison is there, and calls itself within its limit."""
    for check in statement["input"]["checks"]:
        check["result"] = "within"


KINDS: list[Kind] = [
    kind("counter with a false reading", "One reading is a million too high: it is told.",
         lambda: month(SPIKE), "W-COUNTER"),
    kind("counter that reads zero and goes on", "Two readings are 0: they are told.",
         lambda: month(ZERO), "W-COUNTER"),
    kind("counter that leaps", "It leaps and stays there, and nobody explained it.",
         lambda: month(LEAP), "W-COUNTER"),
    kind("counter at half speed", "The register counts half; the gauge beside it is untouched.",
         lambda: month([value // 2 for value in HONEST]), "W-CHECK"),
    kind("counter that stands still", "The register counts nothing; its gauge goes on.",
         lambda: month([7] * 288), "W-CHECK"),
    kind("counter that is set back all day", "It is set back after every reading.",
         lambda: month([10 * (i % 2) for i in range(288)]), "W-CHECK"),
    kind("counter corrected", "Nobody: a leap is explained by two persons, with an amount.",
         lambda: month(LEAP, signed=corrected("12")), "W-COUNTER"),
    kind("correction by one person", "An amount that nobody approved is counted for a leap.",
         lambda: month(LEAP, signed=corrected("12")[:1], told=stands_for("12")), "E-INPUT"),
    kind("correction bent", "Another amount is counted than two persons signed.",
         lambda: month(LEAP, signed=corrected("12"), told=stands_for("2")), "E-INPUT"),
    kind("correction of another meter", "What is signed of one meter is counted of another.",
         lambda: month(LEAP, signed=corrected("12", br.FEEDER), told=stands_for("12")), "E-INPUT"),
    kind("correction of another month", "What is signed of July is counted for June's leap.",
         lambda: month(LEAP, signed=corrected("12", shift=40 * 24 * br.HOUR),
                       told=stands_for("12")), "E-INPUT"),
    kind("leap called a spike", "A leap that stays is said to have come back.",
         lambda: month(LEAP, as_spike), "E-INPUT"),
    kind("spike counted", "A false reading that came back is in the total.",
         lambda: month(SPIKE, whole), "E-INPUT"),
    kind("half speed not told", "The comparison of register and gauge is left out.",
         lambda: month([value // 2 for value in HONEST], silent), "E-INPUT"),
    kind("half speed called within", "The comparison says that both agree.",
         lambda: month([value // 2 for value in HONEST], within), "E-INPUT"),
]  # fmt: skip
