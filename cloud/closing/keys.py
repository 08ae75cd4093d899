"""Certificates and orders that go into a month's archive, by what the log says of them. Any thread.

An archive knows what the log had said when the month was closed, and nothing later: built again
after a key was revoked it is the same archive.
"""

import hashlib
from collections.abc import Iterator, Mapping

from cloud.closing.log import MonthClose, PlantHistory
from cloud.collector.desk import PlantEvidence
from cloud.errors import StoreError
from evidence import cose
from evidence.frame import header_of
from evidence.keys import certificate_from_pem, certificate_to_der, public_key
from evidence.log import Kind
from evidence.suites import PublicKey


def gateway_certificates(
    evidence: PlantEvidence, history: PlantHistory, close: MonthClose
) -> list[tuple[str, bytes]]:
    """(gateway id, PEM) of every certificate of a gateway that was enrolled by then.

    Raises:
        StoreError: one of them is not kept any more.
    """
    kept = _by_sha256(evidence, ".crt")
    found = []
    for entry in history.of_kinds(Kind.ENROL, through=close.index):
        if entry.detail["role"] == "gateway":
            sha256 = entry.detail["certificate_sha256"]
            pem = _wanted(kept, sha256, f"certificate of {entry.stream}")
            found.append((entry.stream, pem))
    return found


def earlier_collectors(
    evidence: PlantEvidence, history: PlantHistory, through: int, own: bytes
) -> list[bytes]:
    """PEM of every other certificate of the collector that was enrolled by then.

    Args:
        evidence: of the plant.
        history: what the log says.
        through: index of the close, or of the newest entry.
        own: PEM of the certificate that seals the month.

    Raises:
        StoreError: one of them is not kept any more.
    """
    kept = _by_sha256(evidence, ".crt")
    made = history.of_kinds(Kind.ENROL, through=through)
    named = [e.detail["certificate_sha256"] for e in made if e.detail["role"] == "collector"]
    own_sha256 = _sha256(certificate_to_der(certificate_from_pem(own)))
    return [_wanted(kept, s, "collector's certificate") for s in named if s != own_sha256]


def collector_keys(
    evidence: PlantEvidence, history: PlantHistory, through: int, own: bytes
) -> list[PublicKey]:
    """Keys that the collector has, or had; arguments and errors as of `earlier_collectors`."""
    pems = [own, *earlier_collectors(evidence, history, through, own)]
    return [public_key(certificate_from_pem(pem)) for pem in pems]


def orders(
    evidence: PlantEvidence,
    history: PlantHistory,
    close: MonthClose,
    closes: Mapping[str, bytes],
) -> list[bytes]:
    """Orders of the root by then, and rotate objects that are not among the month's objects.

    Those of earlier months; and those between a stream's last object of the month and its close
    object, which the new key has signed.

    Args:
        evidence: of the plant.
        history: what the log says.
        close: of the month.
        closes: stream -> its close object.

    Raises:
        StoreError: an order is not kept any more.
    """
    kept = _by_sha256(evidence, ".cose")
    made = history.of_kinds(Kind.REVOKE, Kind.REPLACE, through=close.index)
    found = [_wanted(kept, e.sha256, f"order about {e.stream}") for e in made]
    return [*found, *_rotates(evidence, history, close, closes)]


def _rotates(
    evidence: PlantEvidence,
    history: PlantHistory,
    close: MonthClose,
    closes: Mapping[str, bytes],
) -> Iterator[bytes]:
    for entry in history.of_kinds(Kind.ROTATE, through=evidence.size):
        span, seq = close.streams.get(entry.stream), entry.seq or 0
        if span is None or span.first <= seq <= span.last:
            continue
        data = closes.get(entry.stream)
        closed_at = span.last if data is None else header_of(cose.parse(data)).seq
        if seq < closed_at:
            yield next(evidence.objects(entry.stream, seq, seq + 1)).data


def _by_sha256(evidence: PlantEvidence, ending: str) -> dict[bytes, bytes]:
    """SHA-256 (of a certificate's DER form) -> file, of what is kept beside the log."""
    files = [data for name, data in evidence.key_files().items() if name.endswith(ending)]
    if ending == ".crt":
        return {_sha256(certificate_to_der(certificate_from_pem(pem))): pem for pem in files}
    return {_sha256(data): data for data in files}


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _wanted(kept: Mapping[bytes, bytes], sha256: bytes, what: str) -> bytes:
    try:
        return kept[sha256]
    except KeyError:
        raise StoreError(
            f"the {what} that the log names is not in the plant's keys folder any more "
            f"(SHA-256 {sha256.hex()}): put it back from a backup"
        ) from None
