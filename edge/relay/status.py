"""How a relay stands: for `relay status`, and for Prometheus. Reads the queues beside the relay."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge.alarms import DISK_LOW_FROM
from edge.broker_tls import broker_ends, shown_lines
from edge.clock import Clock
from edge.errors import SpoolError
from edge.kept_room import KEPT_FREE_BYTES
from edge.relay.config import RelayConfig, RelayStream
from edge.relay.queue import AHEAD_MAX, Hole, Queue
from edge.relay.service import COUNTS, is_running, queue_path
from edge.trouble import moment, reach_lines
from evidence.custody import validity_ns
from evidence.errors import EvidenceError

MIB = 1024 * 1024
STALE_NS = 60 * 10**9  # it is written every two seconds
BEHIND_NS = 3_600 * 10**9  # so long what is due next may wait before a person is to look


def status_of(config: RelayConfig, clock: Clock) -> dict[str, Any]:
    """Everything there is to tell, as plain values.

    Raises:
        SpoolError: what the relay has written of itself cannot be read.
    """
    told, running, now_ns = _counts(config), is_running(config), clock.wall_ns()
    streams = [
        _stream(config, stream, told.get("streams", {}).get(stream.name, {}), now_ns, running)
        for stream in config.streams
    ]
    return {
        "running": running,
        "now_ns": now_ns,
        **_certificate(config, now_ns),
        "broker_shown": _shown(streams),
        "fails": _fails(told, now_ns) if running else {},
        "disk_free_bytes": _add_room(config, streams),
        "counts": {key: told[key] for key in ("objects", "files", "udp") if key in told},
        "streams": streams,
    }


def _fails(told: Mapping[str, Any], now_ns: int) -> dict[str, str]:
    """What the running relay says that it cannot do; where it cannot even say so, that."""
    fails, at_ns = dict(told.get("fails", {})), told.get("at_ns", now_ns)
    if now_ns - at_ns > STALE_NS:
        fails["state_dir"] = f"nothing of how it stands was written since {moment(at_ns, now_ns)}"
    return fails


def _add_room(config: RelayConfig, streams: Sequence[dict[str, Any]]) -> int | None:
    """Add `full_s` to each: when its own bound or the disk of all is full; the disk's free bytes.

    None for a disk that does not say, as before the first start.
    """
    free = None
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(config.state_dir).free
    of_all = sum(stream["pace_bytes_s"] or 0.0 for stream in streams)
    for stream in streams:
        if (pace := stream["pace_bytes_s"]) is not None:
            left = [max(0, stream["bytes_max"] - stream["bytes"]) / pace]
            left += [] if free is None else [max(0, free - _kept(streams)) / of_all]
            stream["full_s"] = int(min(left))
    return free


def _kept(streams: Sequence[Mapping[str, Any]]) -> int:
    """Bytes of the disk into which no object is taken: for the receipts of each."""
    return len(streams) * KEPT_FREE_BYTES


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


def _shown(streams: Sequence[dict[str, Any]]) -> dict[str, int] | None:
    """Life of the broker's certificate, of several nodes' the one that ends first.

    None before any was shown since the start, and without TLS.
    """
    lives = [life for stream in streams if (life := stream["broker_shown"]) is not None]
    return min(lives, key=lambda life: int(life["ends_ns"]), default=None)


def _counts(config: RelayConfig) -> dict[str, Any]:
    try:
        return dict(json.loads((config.state_dir / COUNTS).read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SpoolError(f"{config.state_dir / COUNTS}: cannot be read: {error}") from error


def _stream(
    config: RelayConfig, stream: RelayStream, told: Mapping[str, Any], now_ns: int, running: bool
) -> dict[str, Any]:
    broker = told.get("broker") if running else None  # what a process that ended said is over
    facts: dict[str, Any] = {"plant": stream.plant, "gateway": stream.gateway, "objects": 0,
             "bytes": 0, "bytes_max": config.queue_bytes_max, "oldest_ns": None,
             "receipted_seq": -1, "held_seq": -1, "newest_seq": -1, "missing": [],
             "not_believed": [], "pace_bytes_s": None, "full_s": None, "due_ns": None,
             "unreadable": "", "broker_shown": None, **told, "broker": broker,
             "online": broker is not None and not broker["reason"],
             "unanswered": running and bool(told.get("unanswered"))}  # fmt: skip
    path = queue_path(config, stream.plant, stream.gateway)
    if not path.exists():
        return facts
    try:
        queue = Queue(path, bytes_max=config.queue_bytes_max, may_write=False)
        with contextlib.closing(queue):
            return {**facts, **_held(queue, now_ns)}
    except SpoolError as error:
        return {**facts, "unreadable": str(error)}


def _held(queue: Queue, now_ns: int) -> dict[str, Any]:
    holes, newest = queue.holes(), queue.newest()
    return {
        "objects": queue.count(),
        "bytes": queue.bytes(),
        "oldest_ns": queue.oldest_ns(),
        "receipted_seq": queue.receipted_seq(),
        "held_seq": holes[0].first - 1 if holes else newest,
        "newest_seq": newest,
        "missing": [vars(hole) for hole in holes],
        "not_believed": queue.not_believed(),
        "pace_bytes_s": queue.pace_bytes_s(now_ns),
        "due_ns": queue.due_ns(),
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
    if stream["missing"]:
        yield (
            f"UNVERIFIED {name}: no signature is checked here. The collector checks them and is "
            "shown what is behind: stackproof cloud missing there names seqs up to the newest that "
            "the gateway signed, after a minute. What is held beyond that was forged, or its key "
            f"is new: stackproof relay forget {config.path} {name} --from SEQ --to SEQ"
        )
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
    shown, now_ns = status["broker_shown"], status["now_ns"]
    found += shown_lines(shown, now_ns)
    if why := broker_ends(shown, now_ns):
        found.append(f"BROKER CERTIFICATE ENDS: {why}")
    found += [f"FAILS: {what}: {why}; tried again" for what, why in status["fails"].items()]
    found += _disk_lines(config, status)
    if aside := _aside(status):
        found.append(
            f"REFUSED: {aside} files in {config.folder} end in .refused, as no exported spool or "
            "of no stream named here: export again what they were to bring, and delete them"
        )
    if others := status["counts"].get("files", {}).get("others"):
        found.append(f"{others} files in {config.folder} end in no .tar: they are not taken")
    for kind, counts in status["counts"].items():
        listed = ", ".join(f"{name} {value}" for name, value in sorted(counts.items()))
        found.append(f"{kind} since the start: {listed or 'none'}")
    for stream in status["streams"]:
        name = f"{stream['plant']}/{stream['gateway']}"
        if why := stream["unreadable"]:
            found.append(f"UNREADABLE {name}: {why}")
            continue
        oldest = stream["oldest_ns"]
        since = "" if oldest is None else f", the oldest since {moment(oldest, now_ns)}"
        receipted, held = stream["receipted_seq"], stream["held_seq"]
        unconfirmed = f"; held, unconfirmed: seq {receipted + 1} to {held}" * (held > receipted)
        found.append(
            f"{name}: {stream['objects']} objects wait for a receipt{since}, "
            f"{stream['bytes'] / MIB:.1f} of {stream['bytes_max'] // MIB} MiB; under receipt up to "
            f"{receipted}{unconfirmed}; the newest is {stream['newest_seq']}"
        )
        if (full_s := stream["full_s"]) is not None:
            found.append(f"{name}: at the pace of the last hour there is room for {_span(full_s)}")
        found += [f"{name}: {line}" for line in reach_lines(stream["broker"], now_ns, "objects")]
        if _is_behind(stream, now_ns):
            found.append(
                f"BEHIND {name}: seq {receipted + 1}, which is due next, is here since "
                f"{moment(stream['due_ns'], now_ns)}: the relay does not run, the broker is away, "
                "the collector takes nothing, or it is still catching up"
            )
        found += [missing_sentence(config, name, Hole(**hole)) for hole in stream["missing"]]
        found += _doubts(config, name, stream)
    return found


def _disk_lines(config: RelayConfig, status: Mapping[str, Any]) -> Iterator[str]:
    free, streams = status["disk_free_bytes"], status["streams"]
    if free is None:
        return
    held = sum(stream["bytes"] for stream in streams)
    bound = sum(stream["bytes_max"] for stream in streams)
    kept = _kept(streams)
    short = f": less than the bound, {bound // MIB} MiB, needs" * (free - kept < bound - held)
    yield f"disk: {held / MIB:.1f} MiB held, {free // MIB} MiB free{short}"
    if _is_disk_low(status):
        yield (
            f"DISK LOW: make room on that of {config.state_dir}: the last {kept // MIB} MiB are "
            "kept for receipts, and no objects are taken into them"
        )


def _aside(status: Mapping[str, Any]) -> int:
    return int(status["counts"].get("files", {}).get("aside", 0))


def _is_disk_low(status: Mapping[str, Any]) -> bool:
    free = status["disk_free_bytes"]
    more = _kept(status["streams"]) - KEPT_FREE_BYTES  # than one queue's
    return free is not None and free < DISK_LOW_FROM + more


def _is_behind(stream: Mapping[str, Any], now_ns: int) -> bool:
    """What is due next is here, and has no receipt for long, whyever."""
    return stream["due_ns"] is not None and now_ns - stream["due_ns"] > BEHIND_NS


def _span(seconds: int) -> str:
    """A span of time for people, the whole units of it."""
    for unit, name in ((86_400, "days"), (3_600, "hours")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds // 60} minutes"


def is_amiss(status: Mapping[str, Any]) -> bool:
    """True when a person has something to do, as far as is known here."""
    signs = ("missing", "not_believed", "unanswered", "unreadable")
    own = (
        status["certificate_trouble"], status["fails"], _is_disk_low(status), _aside(status),
        broker_ends(status["broker_shown"], status["now_ns"]),
    )  # fmt: skip
    return any(own) or any(
        _is_behind(stream, status["now_ns"]) or any(stream[sign] for sign in signs)
        for stream in status["streams"]
    )


def figures(status: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """Name, meaning, labels and value of each of the relay's figures for Prometheus."""
    if (ends_ns := status["certificate_not_after_ns"]) is not None:
        about = "Unix time at which the certificate for the broker ends."
        yield "broker_certificate_not_after_seconds", about, {}, ends_ns / 1e9
    if (shown := status["broker_shown"]) is not None:
        about = "Unix time at which the certificate ends that the broker showed last."
        yield "broker_shown_certificate_not_after_seconds", about, {}, shown["ends_ns"] / 1e9
    if (free := status["disk_free_bytes"]) is not None:
        yield "disk_free_bytes", "Left on the disk of the queues.", {}, free
    for kind, counts in status["counts"].items():
        for name, value in sorted(counts.items()):
            about = f"{kind.capitalize()} by what became of them, since the start."
            yield f"{kind}_total", about, {"what": name}, value
    for stream in status["streams"]:
        labels = {key: str(stream[key]) for key in ("plant", "gateway")}
        yield "online", "1: the broker is there.", labels, stream["online"]
        about = "1: nothing can be told of its queue."
        yield "queue_unreadable", about, labels, bool(stream["unreadable"])
        if stream["unreadable"]:
            continue
        missing = sum(hole["last"] - hole["first"] + 1 for hole in stream["missing"])
        yield "queue_objects", "Objects that wait for a receipt.", labels, stream["objects"]
        yield "queue_bytes", "Size of the queue on disk.", labels, stream["bytes"]
        yield "queue_max_bytes", "Its bound.", labels, stream["bytes_max"]
        if (full_s := stream["full_s"]) is not None:
            about = "Until queue or disk are full, at the pace of the last hour; else absent."
            yield "queue_full_seconds", about, labels, full_s
        yield "receipted_seq", "Newest object under receipt.", labels, stream["receipted_seq"]
        yield "missing_objects", "Seqs that did not come, of the first 100 holes.", labels, missing
        far, unanswered = len(stream["not_believed"]), stream["unanswered"]
        about = "Seqs too far ahead of what is under receipt, up to 100."
        yield "not_believed_objects", about, labels, far
        yield "unanswered", "1: what was sent again and again has no receipt.", labels, unanswered
