"""`stackproof cloud keys|missing|quarantine`: what is asked, what is printed, how it ends."""

import json

import pytest

from cloud import cli
from tests.unit.cloud.fake_collector import TOKEN, FakeCollector

MISSED = {"first": 10, "last": 12, "since_ns": 1_790_000_000_000_000_000}
STREAMS = [
    {"plant": "mini", "gateway": "edge-1", "missing": MISSED},
    {"plant": "mini", "gateway": "edge-2", "missing": None, "confirmed_size": 0},
    {"plant": "maxi", "gateway": "edge-1", "missing": None},
]
NEWS = {"taken": ["a.crt: certificate of edge-2, key 00"], "problems": []}
KEPT = {
    "gateway": "edge-1", "reason": "fork", "seq": 4, "sha256": "ab" * 32, "bytes": 700,
    "received_ns": 1_790_000_000_000_000_000, "key": None,
}  # fmt: skip


@pytest.fixture
def asked(collector: FakeCollector) -> FakeCollector:
    collector.answer("streams", STREAMS)
    collector.answer("health", {"status": "ok", "served": ["maxi", "mini"], "amiss": {}})
    for plant in ("mini", "maxi"):
        collector.answer(f"plants/{plant}/keys/reload", NEWS)
        collector.answer(f"plants/{plant}/quarantine", {"kept": []})
    return collector


def test_every_plants_folder_is_looked_into(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["keys", config]) == 0
    line = "a.crt: certificate of edge-2, key 00"
    assert capsys.readouterr().out == f"maxi: {line}\nmini: {line}\n"
    assert [(how, path, token) for how, path, _, token in asked.asked[1:-1]] == [
        ("POST", f"/api/v1/plants/{plant}/keys/reload", f"Bearer {TOKEN}")
        for plant in ("maxi", "mini")
    ]


def test_a_file_that_does_not_count_is_told_and_ends_with_1(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answer("plants/mini/keys/reload", {"taken": [], "problems": ["x.cose: forged"]})
    assert cli.main(["keys", config, "--plant", "mini"]) == 1
    assert capsys.readouterr().out == "mini: NOT taken: x.cose: forged\n"
    asked.answer("plants/mini/keys/reload", {"taken": [], "problems": []})
    assert cli.main(["keys", config, "--plant", "mini"]) == 0
    assert capsys.readouterr().out == "nothing new\n"


def test_what_is_missing_is_named_with_the_order_that_exports_it(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["missing", config]) == 1
    said = capsys.readouterr()
    assert "mini/edge-2: not confirmed at the plant" in said.err
    assert said.out == (
        "mini/edge-1: seq 10 to 12, since 2026-09-21 14:13:20 UTC: "
        "stackproof edge export SITE.toml --from 10 --to 12\n"
    )
    assert cli.main(["missing", config, "--plant", "maxi"]) == 0
    assert capsys.readouterr().out == "nothing is missing\n"
    assert cli.main(["missing", config, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    lost = {"plant": "maxi", "gateway": "edge-1", "missing": {**MISSED, "is_receipted": True}}
    asked.answer("streams", [lost])
    assert cli.main(["missing", config]) == 1
    said = capsys.readouterr()
    assert "maxi/edge-1: seq 10 to 12: the gateway holds receipts for them" in said.out
    assert "edge export" not in said.out
    assert found == {"missing": [{"plant": "mini", "gateway": "edge-1", **MISSED}]}
    assert len([path for _, path, _, _ in asked.asked if path.endswith("/streams")]) == 4


def test_what_was_not_accepted_when_it_came_is_named_with_another_order(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = {**MISSED, "because": "seq 10 hands over to a revoked key"}
    asked.answer("streams", [{"plant": "mini", "gateway": "edge-1", "missing": missed}])
    assert cli.main(["missing", config]) == 1
    out = capsys.readouterr().out
    assert "seq 10 came and was not accepted (seq 10 hands over to a revoked key)" in out
    assert "stackproof keys replace" in out
    assert "edge export" not in out


@pytest.mark.parametrize("command", ["keys", "missing", "quarantine"])
def test_a_plant_that_does_not_go_on_is_told_whatever_is_asked(
    command: str, config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answer("streams", [])
    amiss = {"mini": {"not-served": "Too many open files"}}
    asked.answer("health", {"status": "amiss", "served": ["maxi"], "amiss": amiss})
    assert cli.main([command, config]) == 1
    assert "plant mini: Too many open files" in capsys.readouterr().err


def test_of_a_plant_that_nobody_knows_nothing_is_said_to_be_missing(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["missing", config, "--plant", "mimi"]) == 2
    out, err = capsys.readouterr()
    assert (out, "plant mimi: the collector has no gateway of it" in err) == ("", True)
    assert len(asked.asked) == 1


def test_what_was_put_aside_is_listed(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["quarantine", config]) == 0
    assert capsys.readouterr().out == "nothing was put aside\n"
    asked.answer("plants/mini/quarantine", {"kept": [KEPT]})
    assert cli.main(["quarantine", config]) == 1
    assert capsys.readouterr().out == (
        "mini/edge-1: fork, seq 4, 700 bytes, received 2026-09-21 14:13:20 UTC, "
        f"SHA-256 {'ab' * 32}\n"
    )


def test_where_a_stream_stands_is_printed_as_it_was_answered(
    config: str, asked: FakeCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"plant": "mini", "gateway": "edge-1", "seq": 9, "head": "ab" * 32}
    asked.answer("plants/mini/streams/edge-1", facts)
    assert cli.main(["stream", config, "--plant", "mini", "--gateway", "edge-1"]) == 0
    assert json.loads(capsys.readouterr().out) == facts
    detail = "plant mini has no certificate of a gateway edge-9"
    asked.answer("plants/mini/streams/edge-9", {"detail": detail}, 404)
    assert cli.main(["stream", config, "--plant", "mini", "--gateway", "edge-9"]) == 1
    assert detail in capsys.readouterr().err
