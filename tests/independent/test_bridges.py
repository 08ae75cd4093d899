"""Documents brought to the month by a meter, made twice: FIGURES.md section 7, "Bridges"."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.independent.other import agreed
from tests.independent.random_bridges import bridged_month
from tests.unit.evidence import sealed_month as sm

SEEDS = range(36)

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


def test_both_bridge_alike(tmp_path: Path) -> None:
    months = [bridged_month(seed) for seed in SEEDS]
    assert {found.verdicts for found in agreed(months, tmp_path)} == {("passed", "passed")}
    bridges: list[Any] = []
    leaps: list[Any] = []
    flags: set[str] = set()
    for data in months:
        given = json.loads(sm.unpack(data)["data/statement.json"])["input"]
        bridges += given.get("bridges", ())
        leaps += [leap for one in given["totalisers"] for leap in one.get("leaps", ())]
        flags |= {flag.partition(":")[0] for flag in given["flags"]}
    # each rule is met: added by readings and subtracted by a count, at either end
    ends = {(end, "first" in one[end]) for one in bridges for end in ("start", "end") if end in one}
    assert ends == {(end, is_read) for end in ("start", "end") for is_read in (True, False)}
    assert flags >= {"bridged", "bridge-told", "not-usable", "not-approved"}
    assert flags >= {"totaliser-leap", "leap-unexplained"}
    assert {bool(leap["replacements"]) for leap in leaps} == {True, False}
    parts = [one["parts"].keys() for one in bridges]
    assert {"quantity"} in parts
    assert any({"opening", "closing", "purchased"} <= keys for keys in parts)
