"""Everything that proves one reading, as plain values: what was signed, by whom, under what. Pure.

`proof` says of each thing whether it was checked and what came of it. Whether the whole month holds
is the verifier's to say.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from evidence import cose
from evidence.configuration import decode_configuration
from evidence.drill.readings import HOUR_NS, Frame, PointReader, Reading
from evidence.drill.source import Source
from evidence.errors import EvidenceError
from evidence.keys import (
    Certificate,
    certificate_from_pem,
    certificate_to_der,
    identity,
    is_issued_by,
    key_id,
    key_sha256,
    public_key,
)
from evidence.meter_settings import told_of
from evidence.quality import sentence

FLAGS = ("backfill", "late", "manual", "simulated")
#: kinds of documents about a device that say how it was set and checked
OF_METERS = ("meter-certificate", "meter-event")


def facts(reader: PointReader, reading: Reading, frame: Frame) -> dict[str, Any]:
    """What is known of a reading; JSON-ready, bytes in hex, instants UTC nanoseconds.

    Args:
        reader: of its point.
        reading: it.
        frame: the one that it stands in.

    Raises:
        EvidenceError: frame, configuration or documents cannot be read.
    """
    source, stream = reader.source, reader.stream
    made: dict[str, Any] = {
        "plant": source.plant, "month": source.month, "gateway": stream, "point": reader.point,
        **reading_row(reading), "frame": frame_row(frame),
        "proof": proof(source, stream, frame.envelope), "log": _log(source, stream, frame),
    }  # fmt: skip
    made |= _configured(reader, frame.header.cfg or b"")
    device = made["device"]["id"] if made["device"] else ""
    made["settings"] = _settings(reader, device, reading.tick_ns) if device else None
    return made


def reading_row(reading: Reading) -> dict[str, Any]:
    """A reading, JSON-ready."""
    texts = {language: sentence(reading.quality, language) for language in ("en", "zh")}
    return {
        "seq": reading.seq, "tick_ns": reading.tick_ns, "value": reading.value,
        "raw": str(reading.raw), "quality": {"code": reading.quality, **texts},
        "source_ns": reading.source_ns, "answered_ns": reading.answered_ns,
    }  # fmt: skip


def frame_row(frame: Frame) -> dict[str, Any]:
    """A frame without its readings, JSON-ready."""
    data, header, body = frame.data, frame.header, frame.body
    anchor = header.anchor
    return {
        "seq": header.seq, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
        "t0_ns": body.t0_ns, "signed_s": header.iat_s, "before": header.prev.hex(),
        "configuration": (header.cfg or b"").hex(),
        "anchor": None if anchor is None else {"size": anchor[0], "root": anchor[1].hex()},
        "readings": body.readings,
        "flags": [name for i, name in enumerate(FLAGS) if body.flags >> i & 1],
        "clock": {"source": body.clock.source, "error_ms": body.clock.error_ms},
    }  # fmt: skip


def proof(source: Source, stream: str, envelope: cose.Envelope) -> dict[str, Any]:
    """The signature, the certificate of its key, and the root that issued it."""
    root, certificate = certificate_from_pem(source.root()), None
    for pem in source.gateways():
        one = certificate_from_pem(pem)
        is_its = identity(one) == ("gateway", source.plant, stream)
        if is_its and key_id(public_key(one)) == envelope.kid:
            certificate = one
    told: dict[str, Any] = {
        "alg": envelope.alg, "kid": envelope.kid.hex(), "is_signed": False, "certificate": None,
        "is_issued_by_root": False, "root": _certificate(root),
    }  # fmt: skip
    if certificate is None:
        return told
    return told | {
        "is_signed": is_signed(envelope, certificate), "certificate": _certificate(certificate),
        "is_issued_by_root": is_issued_by(certificate, root),
    }  # fmt: skip


def is_signed(envelope: cose.Envelope, certificate: Certificate) -> bool:
    """Did the certificate's key sign it?"""
    try:
        cose.verify(envelope, public_key(certificate))
    except EvidenceError:
        return False
    return True


def _certificate(one: Certificate) -> dict[str, Any]:
    der = certificate_to_der(one)
    role, _, name = identity(one)
    return {
        "role": role, "name": name, "sha256": hashlib.sha256(der).hexdigest(),
        "key_sha256": key_sha256(public_key(one)).hex(), "serial": f"{one.serial_number:x}",
        "from": one.not_valid_before_utc.isoformat(), "to": one.not_valid_after_utc.isoformat(),
    }  # fmt: skip


def _log(source: Source, stream: str, frame: Frame) -> dict[str, Any] | None:
    found = source.entry(stream, frame.header.seq)
    if found is None:
        return None
    index, entry = found
    is_same = entry.sha256 == hashlib.sha256(frame.data).digest()
    return {"index": index, "received_ns": entry.received_ns, "is_same": is_same}


def _configured(reader: PointReader, cfg: bytes) -> dict[str, Any]:
    """The entries of point, device and schedule of the configuration that the frame names."""
    place = reader.place(cfg)
    if place is None:
        return {"entry": None, "device": None, "interval_ns": None, "unit": ""}
    config = place.config
    device = None if place.device is None else plain(config["devices"][place.device])
    entry = next(one for one in config["points"] if one["id"] == reader.point)
    return {
        "entry": plain(entry), "device": device, "interval_ns": place.interval_ns,
        "unit": place.point.quantity.unit,
    }  # fmt: skip


def _settings(reader: PointReader, device: str, tick_ns: int) -> dict[str, Any] | None:
    """What the meter said of its settings last before an instant: they are read each hour.

    None where no frame of the two hours before tells.
    """
    for back in (0, 1):
        end_ns = tick_ns + 1 - back * HOUR_NS
        told = [
            event
            for frame in reader.frames(end_ns - HOUR_NS, end_ns)
            for event in told_of(frame.body.events)
            if event["device"] == device and event["at_ns"] <= tick_ns
        ]
        if told:
            newest = max(told, key=lambda event: event["at_ns"])
            return dict(plain(newest))
    return None


def documents_of(source: Source, device: str, through_ns: int) -> list[dict[str, Any]]:
    """Certificates and events of a device that stand, received up to an instant or after it."""
    standing = source.standing()
    return [
        {
            "sha256": one.sha256.hex(), "kind": one.document.kind, "person": one.document.person,
            "received_ns": one.received_ns, "came_after": one.received_ns > through_ns,
            "body": plain(dict(one.document.body)),
            "approved_by": [other.document.person for other in standing.approvals(one.sha256)],
        }
        for one in standing.all()
        if one.document.kind in OF_METERS
        and one.document.about == device
        and standing.ended_by(one.sha256) is None
    ]  # fmt: skip


def newest_configuration(source: Source, stream: str) -> Mapping[str, Any] | None:
    """The stream's newest configuration that the month knows, decoded; None without any."""
    known = source.configurations(stream)
    if not known:
        return None
    return decode_configuration(cose.parse(source.configuration(known[-1])).payload)


def plain(value: Any) -> Any:
    """JSON-ready: bytes in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value
