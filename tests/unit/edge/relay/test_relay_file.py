"""RELAY.toml: what is taken, and every mistake under its key."""

import json
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from edge.clock import SystemClock
from edge.errors import SiteConfigError
from edge.relay.cli import main
from edge.relay.config import load_relay
from edge.relay.metrics import RelayMetrics
from edge.relay.queue import Queue
from edge.relay.service import COUNTS, queue_path
from tests.unit.edge.relay.test_queue import of
from tests.unit.edge.sites import replaced, write_keys

GOOD = """\
format = 1
[relay]
folder = "inbox"
udp = "127.0.0.1:5514"
broker = "mqtt://127.0.0.1:1883"
[[stream]]
plant = "north-works"
gateway = "edge-1"
collector = "file:keys/collector.crt"
"""
STREAM = GOOD[GOOD.index("[[stream]]") :]


def written(folder: Path, text: str) -> Path:
    write_keys(folder / "keys")
    path = folder / "relay.toml"
    path.write_text(text)
    return path


def test_good_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    config = load_relay(path)
    assert (config.folder, config.udp) == (tmp_path / "inbox", ("127.0.0.1", 5514))
    assert config.streams[0].slice == "00"
    assert main(["check", str(path)]) == 0
    assert main(["status", str(path)]) == 0
    said = capsys.readouterr().out
    assert "relay not running" in said
    assert "north-works/edge-1: no broker; 0 objects wait" in said


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("format = 1", "format = 2", "format", "must be 1"),
        ('folder = "inbox"\nudp = "127.0.0.1:5514"', "", "relay.folder", "a folder, or udp"),
        ("127.0.0.1:5514", "0.0.0.0:5514", "relay.udp", "allow_remote = true"),
        ("127.0.0.1:5514", "here:5514", "relay.udp", "an IP address and a port"),
        ("mqtt://127.0.0.1:1883", "http://h", "relay.broker", "must look like mqtt://"),
        ("mqtt://127.0.0.1:1883", "mqtts://h", "relay.ca", "is missing"),
        ("collector.crt", "none.crt", "stream[0].collector", "none.crt"),
        ("file:keys/collector.crt", "collector.crt", "stream[0].collector", "a reference"),
        ('"edge-1"', '"Edge"', "stream[0].gateway", "must match"),
        (STREAM, STREAM * 2, "stream[1].gateway", "stands here twice"),
        (STREAM, "", "stream", "one a gateway"),
        ("[relay]", "[relay]\nage = 1", "relay.age", "unknown key"),
        ("[relay]", '[relay]\nkey = "file:k"', "relay.key", "belongs to an mqtts:// or wss:// url"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    with pytest.raises(SiteConfigError) as caught:
        load_relay(written(tmp_path, replaced(GOOD, {old: new})))
    found, reason = next((p.key, p.reason) for p in caught.value.problems)
    assert found == key
    assert says in reason


def test_status_and_metrics_tell_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, GOOD)
    config = load_relay(path)
    queue = Queue(queue_path(config, "north-works", "edge-1"), bytes_max=2**24)
    queue.keep([of(2), of(5)], 9)
    queue.close()
    streams = {"north-works/edge-1": {"online": True, "forwarded": 2, "refused": 0}}
    told = {"objects": {"kept": 2, "garbage": 1}, "udp": {"lost": 7}, "streams": streams}
    (config.state_dir / COUNTS).write_text(json.dumps(told))
    assert main(["status", str(path)]) == 1
    said = capsys.readouterr().out
    assert "objects since the start: garbage 1, kept 2" in said
    assert "MISSING north-works/edge-1: seq 0 to 1 did not come" in said
    assert "--from 3 --to 4; then put the file into" in said
    registry = CollectorRegistry()
    registry.register(RelayMetrics(config, SystemClock()))
    text = generate_latest(registry).decode()
    of_stream = '{gateway="edge-1",plant="north-works"}'
    assert f"stackproof_relay_missing_objects{of_stream} 4.0" in text
    assert f"stackproof_relay_queue_objects{of_stream} 2.0" in text
    assert f"stackproof_relay_online{of_stream} 1.0" in text
    assert 'stackproof_relay_objects{what="garbage"} 1.0' in text
    assert 'stackproof_relay_udp{what="lost"} 7.0' in text
    (config.state_dir / COUNTS).write_text("no JSON")
    assert main(["status", str(path)]) == 2


def test_a_certificate_that_is_not_there_yet_is_told_and_stops_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = 'ca = "file:ca.crt"\nkey = "file:tls.pem"\ncertificate = "file:tls.crt"\n'
    text = replaced(GOOD, {"mqtt://127.0.0.1:1883": "mqtts://h", "[relay]\n": f"[relay]\n{files}"})
    path = written(tmp_path, text)
    assert load_relay(path).tls is not None
    assert main(["check", str(path)]) == 2
    assert "ca.crt" in capsys.readouterr().err
