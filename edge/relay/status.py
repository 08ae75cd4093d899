"""How a relay stands: for `relay status`, and for Prometheus. Reads the queues beside the relay."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from edge.clock import Clock
from edge.errors import SpoolError
from edge.relay.config import RelayConfig, RelayStream
from edge.relay.queue import AHEAD_MAX, Hole, Queue
from edge.relay.service import COUNTS, is_running, queue_path
from edge.trouble import moment, reach_lines
from evidence.custody import validity_ns
from evidence.errors import EvidenceError

MIB = 1024 * 1024


def status_of(config: RelayConfig, clock: Clock) -> dict[str, Any]:
    """Everything there is to tell, as plain values.

    Raises:
        SpoolError: a queue cannot be read.
    """
    told, running = _counts(config), is_running(config)
    return {
        "running": running,
        "now_ns": clock.wall_ns(),
        **_certificate(config, clock.wall_ns()),
        "counts": {key: told[key] for key in ("objects", "files", "udp") if key in told},
        "streams": [
            _stream(config, stream, told.get("streams", {}).get(stream.name, {}), running=running)
            for stream in config.streams
        ],
    }


def _certificate(config: RelayConfig, now_ns: int) -> dict[str, Any]:
    if config.tls is None:
        return {"certificate_not_after_ns": None, "certificate_trouble": ""}
    ends_ns = None
    with contextlib.suppress(EvidenceError):  # why it cannot be read is its trouble
        ends_ns = validity_ns(config.tls.certificate())[1]
    return {
        "certificate_not_after_ns": ends_ns,
        "certificate_trouble": config.tls.trouble(now_ns),
    }


def _counts(config: RelayConfig) -> dict[str, Any]:
    try:
        return dict(json.loads((config.state_dir / COUNTS).read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SpoolError(f"{config.state_dir / COUNTS}: cannot be read: {error}") from error


def _stream(
    config: RelayConfig, stream: RelayStream, told: Mapping[str, Any], *, running: bool
) -> dict[str, Any]:
    broker = told.get("broker") if running else None  # what a process that ended said is over
    facts: dict[str, Any] = {"plant": stream.plant, "gateway": stream.gateway, "objects": 0,
             "bytes": 0, "bytes_max": config.queue_bytes_max, "oldest_ns": None,
             "receipted_seq": -1, "held_seq": -1, "newest_seq": -1, "missing": [],
             "not_believed": [], **told, "broker": broker,
             "online": broker is not None and not broker["reason"],
             "unanswered": running and bool(told.get("unanswered"))}  # fmt: skip
    path = queue_path(config, stream.plant, stream.gateway)
    if not path.exists():
        return facts
    queue = Queue(path, bytes_max=config.queue_bytes_max, may_write=False)
    with contextlib.closing(queue):
        holes, newest = queue.holes(), queue.newest()
        return {
            **facts,
            "objects": queue.count(),
            "bytes": queue.bytes(),
            "oldest_ns": queue.oldest_ns(),
            "receipted_seq": queue.receipted_seq(),
            "held_seq": holes[0].first - 1 if holes else newest,
            "newest_seq": newest,
            "missing": [vars(hole) for hole in holes],
            "not_believed": queue.not_believed(),
        }


def missing_sentence(config: RelayConfig, name: str, hole: Hole) -> str:
    """What did not come, and what to do."""
    return (
        f"MISSING {name}: seq {hole.first} to {hole.last} did not come; what is behind is held, "
        f"unconfirmed. {_again(config, hole.first, hole.last)}"
    )


def _again(config: RelayConfig, first: int, last: int) -> str:
    """How objects are brought once more."""
    place = f"put the file into {config.folder}" if config.folder else "(the relay has no folder)"
    return (
        f"At the site: stackproof edge export SITE.toml --from {first} --to {last}; then {place}, "
        "or import it at the collector (stackproof cloud import)"
    )


def _doubts(config: RelayConfig, name: str, stream: Mapping[str, Any]) -> Iterator[str]:
    """What is held and may not be the gateway's."""
    first, held = stream["receipted_seq"] + 1, stream["held_seq"]
    if stream["unanswered"]:
        yield (
            f"NO RECEIPT {name}: seq {first} to {held} are held, were sent again and again, and no "
            "receipt comes: the collector is down, or takes nothing of this gateway, or what came "
            f"as seq {first} was forged or altered. For the last: {_again(config, first, first)}"
        )
    if far := stream["not_believed"]:
        more = f", and {len(far) - 1} more up to {far[-1]}," if far[1:] else ""
        yield (
            f"NOT BELIEVED {name}: seq {far[0]}{more} came, more than {AHEAD_MAX} ahead of what is "
            "under receipt. stackproof edge status at the site tells the newest seq that there is. "
            f"If it is lower, this was forged: stackproof relay forget {config.path} {name} "
            f"--from {far[0]} --to {far[-1]}. Otherwise all from seq {held + 1} on is missing"
        )


def lines(config: RelayConfig, status: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    found = [f"relay {'running' if status['running'] else 'not running'}, to {config.url}"]
    if why := status["certificate_trouble"]:
        found.append(f"BROKER CERTIFICATE: {why}")
    for kind, counts in status["counts"].items():
        listed = ", ".join(f"{name} {value}" for name, value in sorted(counts.items()))
        found.append(f"{kind} since the start: {listed or 'none'}")
    for stream in status["streams"]:
        name = f"{stream['plant']}/{stream['gateway']}"
        oldest, now_ns = stream["oldest_ns"], status["now_ns"]
        since = "" if oldest is None else f", the oldest since {moment(oldest, now_ns)}"
        receipted, held = stream["receipted_seq"], stream["held_seq"]
        unconfirmed = f"; held, unconfirmed: seq {receipted + 1} to {held}" * (held > receipted)
        found.append(
            f"{name}: {stream['objects']} objects wait for a receipt{since}, "
            f"{stream['bytes'] / MIB:.1f} of {stream['bytes_max'] // MIB} MiB; under receipt up to "
            f"{receipted}{unconfirmed}; the newest is {stream['newest_seq']}"
        )
        found += [f"{name}: {line}" for line in reach_lines(stream["broker"], now_ns, "objects")]
        found += [missing_sentence(config, name, Hole(**hole)) for hole in stream["missing"]]
        found += _doubts(config, name, stream)
    return found


def is_amiss(status: Mapping[str, Any]) -> bool:
    """True when a person has something to do, as far as is known here."""
    signs = ("missing", "not_believed", "unanswered")
    return bool(status["certificate_trouble"]) or any(
        stream[sign] for stream in status["streams"] for sign in signs
    )


def figures(status: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """Name, meaning, labels and value of each of the relay's figures for Prometheus."""
    if (ends_ns := status["certificate_not_after_ns"]) is not None:
        about = "Unix time at which the certificate for the broker ends."
        yield "broker_certificate_not_after_seconds", about, {}, ends_ns / 1e9
    for kind, counts in status["counts"].items():
        for name, value in sorted(counts.items()):
            about = f"{kind.capitalize()} by what became of them, since the start."
            yield f"{kind}_total", about, {"what": name}, value
    for stream in status["streams"]:
        labels = {key: str(stream[key]) for key in ("plant", "gateway")}
        missing = sum(hole["last"] - hole["first"] + 1 for hole in stream["missing"])
        yield "queue_objects", "Objects that wait for a receipt.", labels, stream["objects"]
        yield "queue_bytes", "Size of the queue on disk.", labels, stream["bytes"]
        yield "queue_max_bytes", "Its bound.", labels, stream["bytes_max"]
        yield "receipted_seq", "Newest object under receipt.", labels, stream["receipted_seq"]
        yield "missing_objects", "Seqs that did not come, of the first 100 holes.", labels, missing
        far, unanswered = len(stream["not_believed"]), stream["unanswered"]
        about = "Seqs too far ahead of what is under receipt, up to 100."
        yield "not_believed_objects", about, labels, far
        yield "unanswered", "1: what was sent again and again has no receipt.", labels, unanswered
        yield "online", "1: the broker is there.", labels, stream["online"]
