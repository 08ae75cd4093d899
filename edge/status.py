"""How a gateway stands, for `edge status`: read beside its agent. I/O: none of its own.

What is told is what the spool says; the clock is this machine's, which the agent shares.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from edge.alarms import WAY_BLOCKED, standing
from edge.broker_tls import BrokerTls, broker_ends, shown_lines
from edge.clock import Clock
from edge.condition import condition_of
from edge.identity import out_of_date
from edge.one_way.leaving import way_facts
from edge.remote.told import order_lines, orders_of
from edge.schedule import FAR_NS, SURE_NS
from edge.settings import standing_departures
from edge.site.config import Site
from edge.spool import is_in_use
from edge.spool_reader import SpoolReader, State, settings_key
from edge.trouble import DAMAGED, Answering, decode_reach, moment, reach_lines
from evidence import cbor, checkpoint
from evidence.errors import EvidenceError
from evidence.frame import Clock as ClockState
from evidence.keys import Certificate, key_sha256, public_key
from evidence.receipt import decode_receipt
from evidence.shown_life import Life
from evidence.suites import PublicKey

MIB = 1024 * 1024
BROKER_ENDS = "broker-certificate-ends"
#: a running agent keeps a tick each interval; seldom asked devices give it three of theirs
UNKEPT_AFTER_NS, UNKEPT_TICKS = 10 * 1_000_000_000, 3


def status_of(
    site: Site,
    spool: SpoolReader,
    clock: Clock,
    *,
    certificate: Certificate,
    collector: PublicKey,
    damage: str = "",
) -> dict[str, Any]:
    """Everything an engineer asks a gateway, as plain values.

    Args:
        site: the site file.
        spool: its spool.
        clock: this machine's.
        certificate: the gateway's, as the site file names it.
        collector: the pinned collector's key.
        damage: what a check of the whole file has found, "" for nothing.
    """
    now_ns, state = clock.wall_ns(), clock.state()
    is_running = is_in_use(site.gateway.spool)
    # not within the moment: what hangs would keep the spool's log from ever beginning anew
    way = way_facts(site.uplink.way, spool) if site.uplink.way else None
    with spool.one_moment():
        usage, head = spool.usage(), spool.head()
        bound, age_max_ns = site.uplink.spool_bytes_max, site.uplink.spool_age_max_ns
        condition = condition_of(spool, spool.fill_of(bound))
        if not is_running:  # then nobody is answered, and nobody is to be
            condition = replace(condition, unanswered="", blocked="", doubt="")
        tls = BrokerTls.of(site)
        alarms = standing(
            condition, now_ns, age_max_ns, departures=_departures(site, spool),
            broker_certificate="" if tls is None else tls.trouble(now_ns),
        )  # fmt: skip
        shown = _shown(None if tls is None else spool.get(State.SHOWN))
        alarms |= _unsure(spool.get(State.CLOCK), now_ns, state) | _ending(shown, now_ns)
        if is_running:
            alarms |= _unkept(spool, now_ns, state)
        in_use = spool.get(State.KEY) or b""
        told = {
            "plant": site.plant.id,
            "gateway": site.gateway.id,
            "mode": site.uplink.mode,
            "orders": None if site.remote is None else orders_of(site.gateway.orders),
            "way": way,
            "running": is_running,
            "broker": _broker(spool.get(State.BROKER)) if is_running else None,
            "broker_shown": shown,
            "devices": _devices(spool.get(State.SILENT)) if is_running else None,
            "spool": {
                "path": str(site.gateway.spool),
                "objects": usage.objects,
                "bytes": usage.bytes,
                "bytes_max": bound,
                "percent": round(100 * usage.bytes / bound, 1),
                "disk_free_bytes": spool.disk_free_bytes(),
                "oldest_ns": usage.oldest_ns,
                "head_seq": head.next_seq - 1,
                "receipted_seq": spool.receipted_seq(),
                "open_ticks": len(spool.open_ticks()),
                "unsigned": usage.unsigned,
            },
            "receipt": _receipt(spool.receipt(), collector),
            "cosigned_size": int.from_bytes((spool.get(State.COSIGNED) or b"")[:8], "big"),
        }
    if damage:
        alarms[DAMAGED] = damage
    if way is not None and way["hangs"]:
        alarms.setdefault(WAY_BLOCKED, str(way["hangs"]))
    if reason := out_of_date(certificate, now_ns):
        alarms["certificate"] = f"the gateway's certificate {reason}"
    own = key_sha256(public_key(certificate))
    return {
        **told,
        "now_ns": now_ns,
        "key": {"sha256": in_use.hex(), "site_sha256": own.hex()},
        "clock": {"source": state.source, "error_ms": state.error_ms},
        "alarms": [{"name": name, "sentence": alarms[name]} for name in sorted(alarms)],
    }


def _departures(site: Site, spool: SpoolReader) -> list[str]:
    """A sentence for each setting of a meter that is not what it should be."""
    kept = [(d, spool.get(settings_key(d.id))) for d in site.devices]
    return [
        said
        for d, settings in kept
        for said in standing_departures(d.id, d.profile, d.stated, settings)
    ]


def _unsure(kept: bytes | None, now_ns: int, clock: ClockState) -> dict[str, str]:
    """The alarm while this boot's clock is far ahead of the newest tick and the time since."""
    if kept is None:
        return {}
    boot_id, tick_ns, monotonic_ns = cbor.decode(kept)
    ahead_ns = now_ns - tick_ns - (clock.monotonic_ns - monotonic_ns)
    if boot_id != clock.boot_id or ahead_ns <= FAR_NS:
        return {}
    sentence = (
        f"the clock has gone {ahead_ns // 60_000_000_000} minutes ahead since the newest reading: "
        f"no readings are taken until it has stood there for {SURE_NS // 60_000_000_000} minutes. "
        "If it is wrong, set it now"
    )
    return {"clock-unsure": sentence}


def _unkept(spool: SpoolReader, now_ns: int, clock: ClockState) -> dict[str, str]:
    """The alarm while the running agent, which has taken a tick, has kept none for long.

    A disk that takes nothing, or hangs, takes no word of that either. Nothing is known across a
    boot, nor where the system does not number its boots.
    """
    kept, config = spool.get(State.CLOCK), spool.get(State.CONFIG)
    if kept is None or config is None or not spool.get(State.SILENT):
        return {}
    boot_id, tick_ns, monotonic_ns = cbor.decode(kept)
    interval_ns = min(schedule["interval_ns"] for schedule in cbor.decode(config)["schedules"])
    limit_ns = max(UNKEPT_AFTER_NS, UNKEPT_TICKS * interval_ns)
    if boot_id != clock.boot_id or clock.monotonic_ns - monotonic_ns <= limit_ns:
        return {}
    sentence = (
        f"no reading has been kept since {moment(tick_ns, now_ns)}. Where no other alarm says why, "
        "the agent's log does, or its disk hangs"
    )
    return {"not-kept": sentence}


def _receipt(data: bytes, collector: PublicKey) -> dict[str, Any] | None:
    """The newest receipt; None before the first."""
    if not data:
        return None
    try:
        taken = decode_receipt(data, collector)
        size = checkpoint.verify(taken.checkpoint, collector).size
    except EvidenceError as error:  # of a collector that was pinned before
        return {"problem": str(error)}
    return {"seq": taken.seq, "received_ns": taken.received_ns, "log_size": size}


def _broker(kept: bytes | None) -> dict[str, Any] | None:
    """What came of the running agent's tries; None before the first."""
    reach = decode_reach(kept)
    return None if reach is None else asdict(reach)


def _devices(kept: bytes | None) -> dict[str, Any] | None:
    """How many the running agent asks, and which do not answer; None where it has not told yet."""
    if (told := Answering.decode(kept)) is None:
        return None
    rows = [{"id": device, "since_ns": told.silent[device]} for device in sorted(told.silent)]
    return {"asked": told.asked, "waiting": told.waiting, "silent": rows}


def _shown(kept: bytes | None) -> dict[str, int] | None:
    """When the broker's certificate begins and ends; None before the first, and without TLS."""
    return Life(*cbor.decode(kept))._asdict() if kept else None


def _ending(shown: Mapping[str, int] | None, now_ns: int) -> dict[str, str]:
    """The alarm while the broker's certificate is near its end, or past it."""
    return {BROKER_ENDS: sentence} if (sentence := broker_ends(shown, now_ns)) else {}


def is_well(status: Mapping[str, Any]) -> bool:
    """An agent runs, no alarm stands, and no device is silent."""
    silent = (status["devices"] or {"silent": []})["silent"]
    return bool(status["running"] and not status["alarms"] and not silent)


def lines(status: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    spool, key, clock, receipt = (status[k] for k in ("spool", "key", "clock", "receipt"))
    now_ns = status["now_ns"]
    agent = "running" if status["running"] else "not running"
    error = "unknown" if clock["error_ms"] is None else f"{clock['error_ms']} ms"
    waiting = f"{spool['objects']} objects wait for a receipt"
    if spool["oldest_ns"] is not None:
        waiting += f", the oldest of {moment(spool['oldest_ns'], now_ns)}"
    found = [
        f"{status['plant']}/{status['gateway']}: agent {agent}, {status['mode']}",
        f"spool: {spool['percent']} % of {spool['bytes_max'] // MIB} MiB, "
        f"{spool['disk_free_bytes'] // MIB} MiB left on its disk; {waiting}",
        f"stream: newest seq {spool['head_seq']}, under receipt up to {spool['receipted_seq']}; "
        f"{spool['open_ticks']} ticks not yet in a frame, {spool['unsigned']} frames not signed",
        f"receipt: {_receipt_line(receipt, now_ns)}",
        *reach_lines(status["broker"], now_ns, "readings"),
        *shown_lines(status["broker_shown"], now_ns),
        *_device_lines(status["devices"]),
        *_way_lines(status["way"]),
        *order_lines(status["orders"]),
        f"log: cosigned up to {status['cosigned_size']} entries",
        f"key: {key['sha256'][:16] or 'none yet'}",
        f"clock: {clock['source']}, error {error}",
    ]
    if key["sha256"] not in ("", key["site_sha256"]):
        found[-2] += (
            f"; {key['site_sha256'][:16]} of the site file takes over at the next start, and "
            "previous_key must then name the one in use"
        )
    alarms = [f"ALARM {alarm['name']}: {alarm['sentence']}" for alarm in status["alarms"]]
    alarms += _silent_lines(status["devices"], now_ns)
    if not status["running"]:
        alarms.append("STOPPED: no agent runs, so nothing is read: stackproof edge run SITE.toml")
    return found + (alarms or ["no alarms"])


def _device_lines(devices: Mapping[str, Any] | None) -> list[str]:
    if devices is None:
        return []
    asked, waiting = devices["asked"], devices["waiting"]
    line = f"devices: {asked - waiting - len(devices['silent'])} of {asked} answer"
    return [f"{line}; of {waiting} none has come yet" if waiting else line]


def _silent_lines(devices: Mapping[str, Any] | None, now_ns: int) -> list[str]:
    return [
        f"SILENT {row['id']}: no answer since {moment(row['since_ns'], now_ns)}; stackproof edge "
        "doctor SITE.toml says which layer fails"
        for row in (devices or {"silent": []})["silent"]
    ]


def _way_lines(way: Mapping[str, Any] | None) -> list[str]:
    if way is None:
        return []
    place = f"{way['files']} files in the outbox" if way["by"] == "outbox" else f"to {way['to']}"
    place = way["hangs"] or place
    return [
        f"one way out: {way['by']}, {place}; left up to seq {way['left_seq']}. That it arrived is "
        "known here only from receipts brought as files"
    ]


def _receipt_line(receipt: Mapping[str, Any] | None, now_ns: int) -> str:
    if receipt is None:
        return "none yet"
    if "problem" in receipt:
        return f"not of the collector that is pinned now ({receipt['problem']})"
    received = moment(receipt["received_ns"], now_ns)
    return f"seq {receipt['seq']}, received {received}, log of {receipt['log_size']} entries"
