"""RELAY.toml: what is taken, and every mistake under its key."""

import contextlib
import fcntl
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from edge.clock import SystemClock
from edge.errors import SiteConfigError
from edge.relay.cli import main
from edge.relay.config import RelayConfig, load_relay
from edge.relay.metrics import RelayMetrics
from edge.relay.queue import Queue
from edge.relay.service import COUNTS, LOCK, queue_path
from edge.relay.status import figures, is_amiss, lines, status_of
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.relay.test_queue import of
from tests.unit.edge.sites import PLANT, replaced, write_keys

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
    assert "north-works/edge-1: 0 objects wait" in said


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


NOW_NS = 1_795_574_490_000_000_000  # date -u -d @1795574490: Wed Nov 25 02:41:30 UTC 2026
OF_STREAM = '{gateway="edge-1",plant="north-works"}'


@contextlib.contextmanager
def running(config: RelayConfig) -> Iterator[None]:
    """A relay has its lock."""
    with (config.state_dir / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


DAY_NS = 86_400 * 10**9


def tell(
    config: RelayConfig, reason: str, *, unanswered: bool = False,
    broker_shown: dict[str, int] | None = None,
) -> None:  # fmt: skip
    """What a relay has written of itself."""
    broker = {"since_ns": NOW_NS, "reason": reason}
    of_stream = {
        "broker": broker, "broker_shown": broker_shown, "forwarded": 2, "refused": 0,
        "unanswered": unanswered,
    }  # fmt: skip
    streams = {"north-works/edge-1": of_stream}
    told = {"objects": {"kept": 2, "garbage": 1}, "udp": {"lost": 7}, "streams": streams}
    (config.state_dir / COUNTS).write_text(json.dumps(told))


def metrics_of(config: RelayConfig) -> str:
    registry = CollectorRegistry()
    registry.register(RelayMetrics(config, SystemClock()))
    return generate_latest(registry).decode()


def test_status_and_metrics_tell_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, GOOD)
    config = load_relay(path)
    queue = Queue(queue_path(config, "north-works", "edge-1"), bytes_max=2**24)
    queue.keep([of(5)], NOW_NS)
    queue.keep([of(2)], NOW_NS + 1)
    queue.close()
    tell(config, reason="")
    with running(config):
        assert main(["status", str(path)]) == 1
        text = metrics_of(config)
    said = capsys.readouterr().out
    assert re.search(r"edge-1: 2 objects wait for a receipt, the oldest since 2026-11-25 02:41:30 "
                     r"UTC \(\d+ min ago\), 0\.0 of 8192 MiB; under", said)  # fmt: skip
    assert "\nnorth-works/edge-1: broker: there since 2026-11-25 02:41:30 UTC (" in said
    assert "objects since the start: garbage 1, kept 2" in said
    assert (
        "MISSING north-works/edge-1: seq 0 to 1 did not come; what is behind is held, unc" in said
    )
    assert "--from 3 --to 4; then put the file into" in said
    forget = f"forged, or its key is new: stackproof relay forget {path} north-works/edge-1 --from"
    assert forget in said
    assert f"stackproof_relay_missing_objects{OF_STREAM} 4.0" in text
    assert f"stackproof_relay_queue_objects{OF_STREAM} 2.0" in text
    assert f"stackproof_relay_online{OF_STREAM} 1.0" in text
    assert 'stackproof_relay_objects_total{what="garbage"} 1.0' in text
    assert "# TYPE stackproof_relay_objects_total counter" in text
    assert 'stackproof_relay_udp_total{what="lost"} 7.0' in text
    (config.state_dir / COUNTS).write_text("no JSON")
    assert main(["status", str(path)]) == 2


def test_how_long_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD + replaced(STREAM, {'"edge-1"': '"edge-2"'})
    bound = {"[relay]\n": "[relay]\nqueue_mib_max = 16\n"}
    config = load_relay(written(tmp_path, replaced(text, bound)))
    clock, minute = ShiftedClock(), 60 * 10**9
    monkeypatch.setattr(clock, "wall_ns", lambda: NOW_NS + 40 * minute)
    free = 2**40
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    assert status_of(config, clock)["streams"][0]["full_s"] is None
    held = {}
    for gateway in ("edge-1", "edge-2"):
        queue = Queue(queue_path(config, PLANT, gateway), bytes_max=2**24)
        queue.keep([of(n, b"%05d" % n + bytes(19_995)) for n in range(30)], NOW_NS)
        held[gateway] = queue.bytes()
        queue.close()
    told = status_of(config, clock)  # 600,000 bytes within 2,400 s: 250 a second, each
    wanted = [(2**24 - held[gateway]) // 250 for gateway in ("edge-1", "edge-2")]
    assert [stream["full_s"] for stream in told["streams"]] == wanted
    said = "\n".join(lines(config, told))
    assert f"disk: {sum(held.values()) / 2**20:.1f} MiB held, 1048576 MiB free\n" in said
    assert "edge-1: at the pace of the last hour there is room for 17 hours\n" in said
    assert not is_amiss(told)
    damaged = queue_path(config, PLANT, "edge-1")
    whole = damaged.read_bytes()
    damaged.write_bytes(b"no database" * 1_000)  # the other stream's figures stay
    told = status_of(config, clock)
    found = {labels.get("gateway"): value for name, _, labels, value in figures(told)
             if name == "queue_objects"}  # fmt: skip
    assert found == {"edge-2": 30}
    assert is_amiss(told)
    assert re.search(
        r"\nUNREADABLE north-works/edge-1: .*move it away", "\n".join(lines(config, told))
    )
    damaged.write_bytes(whole)
    free = 44 * 2**20  # 24 MiB for receipts, and 20,971,520 bytes, 500 a second of both
    told = status_of(config, clock)
    assert [stream["full_s"] for stream in told["streams"]] == [41_943] * 2
    said = "\n".join(lines(config, told))
    assert " MiB held, 44 MiB free: less than the bound, 32 MiB, needs\nDISK LOW: make room" in said
    assert is_amiss(told)
    found = {name: value for name, _, labels, value in figures(told) if "edge-2" not in str(labels)}
    assert (found["disk_free_bytes"], found["queue_full_seconds"]) == (46_137_344, 41_943)
    assert "the last 24 MiB are kept for receipts" in said
    free = 76 * 2**20
    assert not is_amiss(status_of(config, clock))


def test_what_fails_and_what_its_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_relay(written(tmp_path, GOOD))
    config.state_dir.mkdir()
    clock, minute = ShiftedClock(), 60 * 10**9
    monkeypatch.setattr(clock, "wall_ns", lambda: NOW_NS + 40 * minute)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**40))
    (config.state_dir / COUNTS).write_text('{"files": {"aside": 2}}')
    told = status_of(config, clock)
    assert is_amiss(told)
    assert f"\nREFUSED: 2 files in {config.folder} end in .ref" in "\n".join(lines(config, told))
    (config.state_dir / COUNTS).write_text('{"files": {"others": 3}}')
    told = status_of(config, clock)
    assert f"3 files in {config.folder} end in no .tar: they are not taken" in lines(config, told)
    assert not is_amiss(told), "they may be the ferry's own"
    (config.state_dir / COUNTS).write_text('{"fails": {"folder": "no such share"}}')
    assert not is_amiss(status_of(config, clock)), "of a process that ended"
    with running(config):
        told = status_of(config, clock)
    assert is_amiss(told)
    assert "FAILS: folder: no such share; tried again" in lines(config, told)
    wrote_ns = NOW_NS + 39 * minute  # since then its disk is read-only, and it can say nothing
    for older_ns, fails in ((0, 0), (1, 1)):
        (config.state_dir / COUNTS).write_text(f'{{"at_ns": {wrote_ns - older_ns}}}')
        with running(config):
            told = status_of(config, clock)
        assert len(told["fails"]) == is_amiss(told) == fails
    said = "FAILS: state_dir: nothing of how it stands was written since 2026-11-25 03:20:29 UTC (1"
    assert said in "\n".join(lines(config, told))
    assert status_of(config, clock)["fails"] == {}, "it does not run"


def test_what_waits_for_an_hour_is_something_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is missing, and nothing moves: the broker is away, or no relay runs."""
    config = load_relay(written(tmp_path, GOOD))
    clock, hour = ShiftedClock(), 3_600 * 10**9
    queue = Queue(queue_path(config, PLANT, "edge-1"), bytes_max=2**24)
    queue.keep([of(0), of(1)], NOW_NS)
    queue.keep([of(2)], NOW_NS + hour)
    queue.release(0)
    said = (
        f"BEHIND {PLANT}/edge-1: seq 1, which is due next, is here since 2026-11-25 02:41:30 UTC "
        "(60 min ago): the relay does not run, the broker is away, the collector takes nothing, "
        "or it is still catching up"
    )
    for later_ns, found in ((hour, False), (hour + 1, True)):
        monkeypatch.setattr(clock, "wall_ns", lambda later_ns=later_ns: NOW_NS + later_ns)
        told = status_of(config, clock)
        assert (is_amiss(told), said in lines(config, told)) == (found, found)
    queue.release(1)
    assert not is_amiss(status_of(config, clock)), "it goes on"
    queue.keep([of(0)], NOW_NS - hour, also_receipted=True)
    assert not is_amiss(status_of(config, clock)), "what a ferry brought twice is not due"
    queue.close()


def test_what_is_held_may_be_forged_and_is_called_unconfirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock, "wall_ns", lambda _: NOW_NS)
    config = load_relay(path := written(tmp_path, GOOD))
    queue = Queue(queue_path(config, PLANT, "edge-1"), bytes_max=2**24)
    name, far = f"{PLANT}/edge-1", (2**62, 2**62 + 7)

    def status(found: int) -> str:
        assert main(["status", str(path)]) == found
        return capsys.readouterr().out

    def forget(stream: str, first: int, last: int) -> tuple[int, str]:
        words = ["forget", str(path), stream, "--from", str(first), "--to", str(last)]
        done = main(words)
        said = capsys.readouterr()
        return done, said.out + said.err

    assert forget(name, 0, 1) == (0, f"{name}: 0 objects forgotten; what the gateway made can be "
                                     "exported again\n")  # fmt: skip
    queue.keep([of(seq) for seq in (0, 1, 2, 3)], NOW_NS)
    queue.release(1)
    said = status(0)
    assert "under receipt up to 1; held, unconfirmed: seq 2 to 3; the newest is 3\n" in said
    queue.keep([of(seq) for seq in far], NOW_NS)
    said = status(1)
    assert "under receipt up to 1; held, unconfirmed: seq 2 to 3; the newest is 3\n" in said
    assert "MISSING" not in said
    told = (
        f"\nNOT BELIEVED {name}: seq {far[0]}, and 1 more up to {far[1]}, came, more than 1048576 "
    )
    assert told in said
    command = f"stackproof relay forget {path} {name} --from {far[0]} --to {far[1]}. Otherwise all "
    assert f"{command}from seq 4 on is missing\n" in said
    assert f"stackproof_relay_not_believed_objects{OF_STREAM} 2.0" in metrics_of(config)
    unknown = f"stackproof relay: x/edge-1: {path} names no such stream, as PLANT/GATEWAY\n"
    assert forget("x/edge-1", *far) == (2, unknown)
    assert [forget(name, *span)[0] for span in ((5, 4), (-1, 4), (5, 2**63))] == [2, 2, 2]
    assert forget(name, *far)[1].startswith(f"{name}: 2 objects forgotten")
    assert status(0)
    queue.keep([of(5)], NOW_NS)
    assert "to 1; held, unconfirmed: seq 2 to 3; the newest is 5\n" in status(1)
    queue.forget(5, 5)
    tell(config, reason="", unanswered=True)
    with running(config):
        said = status(1)
        assert f"stackproof_relay_unanswered{OF_STREAM} 1.0" in metrics_of(config)
    assert f"\nNO RECEIPT {name}: seq 2 to 3 are held, were sent again and again, and no " in said
    assert "edge export SITE.toml --from 2 --to 2; then put the file into" in said
    assert status(0), "a relay that ended sends nothing"
    assert f"stackproof_relay_unanswered{OF_STREAM} 0.0" in metrics_of(config)
    queue.close()


def test_a_certificate_that_is_not_there_yet_is_told_and_stops_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = 'ca = "file:ca.crt"\nkey = "file:tls.pem"\ncertificate = "file:tls.crt"\n'
    text = replaced(GOOD, {"mqtt://127.0.0.1:1883": "mqtts://h", "[relay]\n": f"[relay]\n{files}"})
    path = written(tmp_path, text)
    config = load_relay(path)
    assert config.tls is not None
    config.state_dir.mkdir()
    assert main(["status", str(path)]) == 1
    said = capsys.readouterr().out
    assert re.search(r"\nBROKER CERTIFICATE: no broker can be believed: .*ca\.crt", said)
    assert "north-works/edge-1: 0 objects wait for a receipt" in said
    assert "stackproof_relay_queue_objects" in metrics_of(config)
    assert "certificate" not in metrics_of(config)
    assert main(["check", str(path)]) == 2
    assert "ca.crt" in capsys.readouterr().err


def test_of_its_broker_a_running_relay_tells_and_one_that_ended_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_relay(path := written(tmp_path, GOOD))
    config.state_dir.mkdir()

    def status(*options: str) -> str:
        assert main(["status", str(path), *options]) == 0
        return capsys.readouterr().out

    with running(config):
        (stream,) = json.loads(status("--json"))["streams"]
        assert (stream["broker"], stream["online"], stream["oldest_ns"]) == (None, False, None)
        assert "broker" not in status().partition("\n")[2], "nothing was tried yet"
        tell(config, reason="it hangs up")
        away = r"edge-1: broker: away since 2026-11-25 02:41:30 UTC \(.*\): it hangs up; obj"
        assert re.search(away, status())
        (stream,) = json.loads(status("--json"))["streams"]
        assert stream["broker"] == {"since_ns": NOW_NS, "reason": "it hangs up"}
        assert f"stackproof_relay_online{OF_STREAM} 0.0" in metrics_of(config)
    life = {"begins_ns": NOW_NS - 90 * DAY_NS, "ends_ns": NOW_NS + 31 * DAY_NS}
    sooner = {**life, "ends_ns": NOW_NS + 30 * DAY_NS}
    ends = "stackproof_relay_broker_shown_certificate_not_after_seconds"
    shown = "\nbroker's certificate: until 2026-12-26 02:41 UTC, "
    tell(config, reason="", broker_shown=life)
    with monkeypatch.context() as patch:
        patch.setattr(SystemClock, "wall_ns", lambda _: NOW_NS)
        assert f"{shown}31 days left\n" in status()
        tell(config, reason="", broker_shown=sooner)
        assert main(["status", str(path)]) == 1
        said = capsys.readouterr().out
        assert "\nBROKER CERTIFICATE ENDS: the broker's certificate ends on 2026-12-25 02:" in said
    assert f"{ends} 1.79816649e+09" in metrics_of(config)
    tell(config, reason="")  # and was killed
    (stream,) = json.loads(status("--json"))["streams"]
    assert (stream["broker"], stream["online"], stream["forwarded"]) == (None, False, 2)
    assert f"stackproof_relay_online{OF_STREAM} 0.0" in metrics_of(config)
