"""Pot voltages read every six seconds: a reviewer is told, and a statement cannot hide it."""

import functools
import json
from collections.abc import Callable
from typing import Any

import pytest

from evidence.findings import Verdict
from evidence.report_text import report_lines
from tests.independent.random_plants import month
from tests.unit.evidence import sealed_month as sm

SLOW_SEED, FAST_SEED = 3, 1


@functools.cache
def archive(seed: int) -> bytes:
    return month(seed)


def told(data: bytes) -> list[tuple[str, str]]:
    return [(f.where, f.sentence) for f in sm.check(data).findings if f.code == "W-SAMPLING"]


def test_it_is_told_of_the_potline() -> None:
    report = sm.check(archive(SLOW_SEED))
    assert report.verdict is Verdict.PASSED
    assert told(archive(SLOW_SEED)) == [
        ("line-1", "Pot voltages of this potline were more than 5 s apart: the duration of an "
         "anode effect is known to plus or minus that interval, and an effect shorter than it is "
         "invisible.")
    ]  # fmt: skip
    assert told(archive(FAST_SEED)) == []


def test_it_is_told_in_chinese() -> None:
    report = sm.check(archive(SLOW_SEED))
    text = "\n".join(report_lines("x.tar", report, "zh"))
    assert "该系列槽电压的采样间隔超过 5 s" in text
    assert "短于该间隔的效应不可见" in text


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda i: i["flags"].remove("slow-pot-voltage:line-1"), "input.flags"),
        (lambda i: i["potlines"][0].pop("sampling"), "input.potlines[0].sampling"),
        (lambda i: i["potlines"][0]["sampling"].update(never_seen_up_to_s="1"),
         "input.potlines[0].sampling.never_seen_up_to_s"),
        (lambda i: i.pop("reservations"), "input.reservations"),
    ],
)  # fmt: skip
def test_a_statement_that_hides_it_is_found(change: Callable[[Any], Any], where: str) -> None:
    files = sm.unpack(archive(SLOW_SEED))
    statement = json.loads(files["data/statement.json"])
    change(statement["input"])
    files["data/statement.json"] = sm.statement_bytes(statement)
    found = {(f.code, f.where) for f in sm.check(sm.repack(files)).findings}
    assert ("E-INPUT", where) in found
