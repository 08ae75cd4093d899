"""The whole product as its user runs it, for tests: commands, ground truth, archives.

Everything here goes through the command line and the files that others rely on; only frames are
read with our own library, because that is what is compared.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from evidence import cose
from evidence.archive import paths
from evidence.findings import Report
from evidence.frame import TYP_FRAME, Body, Header, decode_body, header_of
from evidence.records import read_records
from evidence.verifier.opened import open_archive

SECOND_NS = 10**9
#: readings are taken once a second, so no instant can be known better
SAMPLE_NS = SECOND_NS


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start one command."""
    return subprocess.Popen(
        [sys.executable, "-m", "stackproof", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def stackproof(*arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    with start(*arguments) as process:
        try:
            printed, said = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, printed, said)


#: exit statuses of `verify` for a sound archive; a month of seconds may lack what a whole one has
SOUND = (0, 3)


def verify(archive: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """(exit status, --json output) of `stackproof verify`."""
    done = stackproof("verify", str(archive), "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@dataclass(frozen=True)
class TrueEffect:
    """An anode effect as the simulator made it; end_ns None when it still ran."""

    pot: str
    start_ns: int
    end_ns: int | None


def true_effects(truth: Path) -> list[TrueEffect]:
    """Every effect of producing pots in a truth folder, by start."""
    started_ns = json.loads((truth / "truth-start.json").read_text())["started_ns"]

    def instant(text: str) -> int:
        seconds, _, tenths = text.partition(".")
        return started_ns + int(seconds) * SECOND_NS + int(tenths.ljust(9, "0"))

    running: dict[tuple[str, int], int] = {}
    effects = []
    for line in (truth / "truth.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["type"] == "effect-start":
            running[row["pot"], row["effect"]] = instant(row["t_s"])
        elif row["type"] == "effect-end":
            start_ns = running.pop((row["pot"], row["effect"]))
            effects.append(TrueEffect(row["pot"], start_ns, instant(row["t_s"])))
    effects += [TrueEffect(pot, start, None) for (pot, _), start in running.items()]
    return sorted(effects, key=lambda e: (e.start_ns, e.pot))


def true_rise(truth: Path, names: tuple[str, ...], from_ns: int, to_ns: int) -> Decimal:
    """What a sum of the simulator's rose by between two instants, in its own unit.

    Between its totals, ten seconds apart, it is taken to rise evenly.
    """
    started_ns = json.loads((truth / "truth-start.json").read_text())["started_ns"]
    rows = map(json.loads, (truth / "truth.jsonl").read_text().splitlines())
    known = []
    for row in rows:
        if row["type"] in {"totals", "end"}:
            value: Any = row
            for name in names:
                value = value[name]
            known.append((started_ns + int(Decimal(row["t_s"]) * SECOND_NS), Decimal(value)))

    def at(instant_ns: int) -> Decimal:
        (t0, v0), (t1, v1) = next(
            pair for pair in pairwise(known) if pair[0][0] <= instant_ns <= pair[1][0]
        )
        return v0 + (v1 - v0) * (instant_ns - t0) / max(t1 - t0, 1)

    return at(to_ns) - at(from_ns)


def true_taps(truth: Path, from_ns: int, to_ns: int) -> Decimal:
    """Metal in kg that the simulated smelter tapped between two instants."""
    started_ns = json.loads((truth / "truth-start.json").read_text())["started_ns"]
    rows = map(json.loads, (truth / "truth.jsonl").read_text().splitlines())
    taps = (row for row in rows if row["type"] == "tap")
    return sum(
        (
            Decimal(row["metal_kg"])
            for row in taps
            if from_ns <= started_ns + int(Decimal(row["t_s"]) * SECOND_NS) <= to_ns
        ),
        Decimal(0),
    )


def effect_mistakes(
    found: list[dict[str, Any]], truth: list[TrueEffect], first_ns: int, last_ns: int
) -> list[str]:
    """Sentences for every effect missed, invented or off by more than one sample.

    Args:
        found: the statement's effects of one potline.
        truth: the simulator's.
        first_ns: first tick of the readings.
        last_ns: last tick; there are no gaps between.
    """
    mistakes = []
    left = list(found)
    for effect in truth:
        end_ns = effect.end_ns if effect.end_ns is not None else last_ns
        seen_ns = min(end_ns, last_ns) - max(effect.start_ns, first_ns)
        match = next(
            (f for f in left if f["pot"] == effect.pot
             and abs(f["start_ns"] - max(effect.start_ns, first_ns)) <= SAMPLE_NS),
            None,
        )  # fmt: skip
        if match is None:
            if seen_ns > 4 * SECOND_NS:  # shorter sights need not be confirmed yet
                mistakes.append(f"missed: {effect} (seen for {seen_ns / 1e9} s)")
            continue
        left.remove(match)
        if effect.end_ns is not None and effect.end_ns <= last_ns - 4 * SECOND_NS:
            if "end_ns" not in match or abs(match["end_ns"] - effect.end_ns) > SAMPLE_NS:
                mistakes.append(f"end differs: {effect} found {match}")
        elif effect.end_ns is None and "end_ns" in match:
            mistakes.append(f"ended too soon: {effect} found {match}")
    return mistakes + [f"invented: {f}" for f in left]


def archive_frames(archive: Path) -> Iterator[tuple[Header, Body]]:
    """Every frame of an archive, in order, without verifying anything."""
    with archive.open("rb") as file:
        opened = open_archive(file, Report())
        assert opened is not None
        for path in opened.paths():
            if paths.FRAMES.fullmatch(path):
                for data in read_records(opened.read(path)):
                    envelope = cose.parse(data)
                    header = header_of(envelope)
                    if header.typ == TYP_FRAME:
                        yield header, decode_body(envelope.payload)


def statement_of(archive: Path) -> dict[str, Any]:
    """The statement in an archive."""
    with archive.open("rb") as file:
        opened = open_archive(file, Report())
        assert opened is not None
        statement = json.loads(opened.read(paths.STATEMENT))
    assert isinstance(statement, dict)
    return statement


def tick_mistakes(archive: Path) -> list[str]:
    """Sentences for every tick that is twice, out of order, or missing without a signed gap."""
    mistakes = []
    last: dict[int, int] = {}
    for header, body in archive_frames(archive):
        for section in body.sections:
            before = last.get(section.schedule)
            last[section.schedule] = section.first_ns + section.step_ns * (section.ticks - 1)
            if before is None or section.first_ns == before + section.step_ns:
                continue
            gap = body.gap
            if section.first_ns <= before:
                mistakes.append(f"seq {header.seq}: tick {section.first_ns} after {before}")
            elif gap is None or (gap.from_ns, gap.to_ns) != (before, section.first_ns):
                mistakes.append(f"seq {header.seq}: hole {before}..{section.first_ns}, gap {gap}")
    return mistakes
