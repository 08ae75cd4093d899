"""`stackproof cloud status`: a few lines, and 1 where something needs somebody."""

import json
from typing import Any

import pytest

from cloud import cli
from tests.unit.cloud.fake_collector import FakeCollector

AT_NS = 1_790_000_000_000_000_000  # 2026-09-21 14:13:20 UTC
SERIES: dict[str, Any] = {
    "kind": "sqlite", "trouble": "", "waiting": 0,
    "plants": [{"plant": "mini", "gateway": "edge-1", "behind_ns": 599 * 10**9, "trouble": ""}],
}  # fmt: skip
HEALTH: dict[str, Any] = {
    "status": "ok", "served": ["maxi", "mini"], "amiss": {}, "viewers": 2, "broker_away_s": None,
    "broker_unkept_s": None, "broker_register": "", "series": SERIES, "strangers_refused": {},
    "scrub": [
        {"plant": "maxi", "done": 0, "total": 0, "walked_ns": 0, "findings": 0, "trouble": ""},
        {"plant": "mini", "done": 512, "total": 1_500, "walked_ns": AT_NS, "findings": 2,
         "trouble": ""},
    ],
}  # fmt: skip
STREAM: dict[str, Any] = {
    "plant": "mini", "gateway": "edge-1", "receipted_seq": 32, "frames": 31, "readings": 3410,
    "missing": None, "refused": {"malformed": 3, "late": 1},
}  # fmt: skip
ALARM: dict[str, Any] = {
    "plant": "mini", "en": "Gateway edge-1 offline: Last heard 14:10.", "raised_ns": AT_NS,
    "acknowledged_by": "", "shelf": None,
}  # fmt: skip
FINE = [
    "plants: 2 served; 0 amiss",
    "broker: there",
    "series: sqlite",
    "scrub maxi: no whole walk yet",
    "scrub mini: 34 % of 1,500 entries; last whole walk 2026-09-21 14:13:20 UTC, found 2",
    "mini/edge-1: under receipt up to 32; since the start 31 frames, 3,410 readings; refused: "
    "1 late, 3 malformed",
    "maxi: no gateway has delivered yet",
]


def told(collector: FakeCollector, *, alarm: Any = None, stream: Any = None, **health: Any) -> None:
    standing = [] if alarm is None else [{**ALARM, **alarm}]
    collector.answer("health", {**HEALTH, **health})
    collector.answer("streams", [{**STREAM, **(stream or {})}])
    collector.answer("alarms", {"standing": standing})


def test_all_is_well(
    config: str, collector: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    told(collector)
    assert cli.main(["status", config]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"collector: running, http://127.0.0.1:{collector.server_port}; 2 live page(s)"
    assert lines == [*FINE, "no alarms"]
    told(collector, alarm={"shelf": {"by": "li"}})
    assert cli.main(["status", config]) == 0, "somebody has put it there, with a reason"
    assert capsys.readouterr().out.splitlines()[-2:] == ["1 alarm(s) on a shelf", "no alarms"]
    told(collector, strangers_refused={"unknown-plant": 1000, "malformed": 13})
    assert cli.main(["status", config]) == 0, "whoever reaches a broker may send that"
    said = "1,013 object(s) refused, of plants that are not served: the log names them"
    assert said in capsys.readouterr().out.splitlines()
    assert cli.main(["status", config, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"health", "streams", "alarms"}


LATE = {**SERIES, "plants": [{**SERIES["plants"][0], "behind_ns": 600 * 10**9}]}


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ({"alarm": {}}, "ALARM mini: Gateway edge-1 offline: Last heard 14:10. (since 2026-09-21 "
         "14:13:20 UTC)"),
        ({"alarm": {"acknowledged_by": "li"}}, "ALARM mini: Gateway edge-1 offline: Last heard "
         "14:10. (since 2026-09-21 14:13:20 UTC; seen by li)"),
        ({"stream": {"missing": {"first": 10, "last": 12}}},
         "MISSING mini/edge-1: seq 10 to 12: stackproof cloud missing says what to do"),
        ({"amiss": {"maxi": {"hangs": "its disk does not answer"}}},
         "AMISS maxi: hangs: its disk does not answer"),
        ({"broker_register": "acl differs"}, "AMISS broker: acl differs"),
        ({"broker_away_s": 34.4}, "AMISS broker: away for 34 s; gateways keep their readings"),
        ({"broker_unkept_s": 12.6}, "AMISS broker: has kept nothing for 13 s; is its disk full?"),
        ({"series": {**SERIES, "trouble": "no space"}}, "AMISS series: no space"),
        ({"series": LATE}, "AMISS series of mini/edge-1: 600 s behind the log"),
    ],
)  # fmt: skip
def test_what_needs_somebody_is_the_last_line_and_ends_with_1(
    what: dict[str, Any], line: str, config: str, collector: FakeCollector,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    told(collector, **what)
    assert cli.main(["status", config]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == line
    assert "no alarms" not in out


def test_who_cannot_be_asked_is_not_fine(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", f"{config}.not"]) == 2
    assert capsys.readouterr().out == ""
