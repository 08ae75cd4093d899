"""Step 3, its second half: orders about keys, and the rotate objects of earlier months.

They stand under data/keys. Applied to the gateways' keys before any object is looked at: what the
root decided counts for all objects, however the files are named.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from evidence import cose
from evidence.archive import paths
from evidence.custody import KeyFault, KeyRefusedError
from evidence.errors import EvidenceError, MalformedError, UnknownSuiteError, UnsupportedError
from evidence.findings import Report
from evidence.frame import TYP_ROTATE, Header, header_of
from evidence.keys import certificate_from_der, key_sha256, public_key
from evidence.log import Entry, Kind
from evidence.orders import Order, Replace, Revoke, decode_order, decode_rotate
from evidence.suites import PublicKey
from evidence.verifier.identities import Identities
from evidence.verifier.opened import Opened


@dataclass(frozen=True)
class _Rotate:
    path: str
    envelope: cose.Envelope
    header: Header
    new: bytes


def check_orders(archive: Opened, report: Report, identities: Identities) -> None:
    """Read every order and rotate object of the archive's keys and apply it."""
    if identities.root is None:
        return  # said by step 3: no root, so nobody's order
    root = public_key(identities.root)
    rotates: list[_Rotate] = []
    for path in archive.paths():
        match = paths.ORDER.fullmatch(path)
        if match is None:
            continue
        try:
            rotates += _read(archive, path, match[1], root, identities)
        except UnknownSuiteError as error:
            report.add("C-SUITE", path, f"{error}.")
        except UnsupportedError as error:
            report.add("C-FORMAT", path, f"{error}.")
        except EvidenceError as error:
            report.add("E-ORDER", path, f"{error}.")
    for rotate in sorted(rotates, key=lambda r: (r.header.stream, r.header.seq)):
        try:
            _apply_rotate(rotate, identities)
        except EvidenceError as error:
            unknown = isinstance(error, KeyRefusedError) and error.fault is KeyFault.UNKNOWN
            foreign = unknown and identities.is_foreign(rotate.header.stream)
            report.add("C-SUITE" if foreign else "E-ORDER", rotate.path, f"{error}.")


def _read(
    archive: Opened, path: str, name: str, root: PublicKey, identities: Identities
) -> Iterator[_Rotate]:
    """Apply an order, or give a rotate object for later."""
    data = archive.read(path)
    if hashlib.sha256(data).hexdigest() != name:
        raise MalformedError("it is not the order its name says")
    envelope = cose.parse(data)
    if envelope.typ == TYP_ROTATE:
        yield _rotate(path, envelope, identities)
    else:
        _order(data, root, identities)


def _order(data: bytes, root: PublicKey, identities: Identities) -> None:
    try:
        order = decode_order(data, root)
    except UnknownSuiteError as error:  # nothing else vouches for its bytes: no signature
        raise MalformedError(f"not signed by the plant's root: {error}") from error
    if order.plant != identities.plant:
        raise MalformedError(f"it is an order of {order.plant}")
    new = b""
    if isinstance(order, Replace):
        new = identities.certify(certificate_from_der(order.certificate), order.stream)
    identities.keys_of(order.stream).apply(order, new)
    identities.orders[hashlib.sha256(data).digest()] = order


def _rotate(path: str, envelope: cose.Envelope, identities: Identities) -> _Rotate:
    """A rotate object with its certificate taken in; its signature is looked at later."""
    header = header_of(envelope)
    if header.plant != identities.plant:
        raise MalformedError(f"it is of {header.plant}")
    new = identities.certify(decode_rotate(envelope.payload), header.stream)
    return _Rotate(path, envelope, header, new)


def _apply_rotate(rotate: _Rotate, identities: Identities) -> None:
    header, keys = rotate.header, identities.keys_of(rotate.header.stream)
    seqs = identities.handed_over.setdefault(header.stream, [])
    if header.seq in seqs:
        raise MalformedError(f"there is another rotate object at seq {header.seq}")
    by = keys.check(header.seq, rotate.envelope.kid, None)
    try:
        cose.verify(rotate.envelope, by.key)
    except UnknownSuiteError as error:  # nothing else vouches for its bytes: no signature
        raise MalformedError(f"not signed by the key it names: {error}") from error
    if keys.current(header.seq) is None:
        keys.begin(by.sha256)
    keys.rotate(header.seq, by.sha256, rotate.new)
    seqs.append(header.seq)


def order_fault(entry: Entry, identities: Identities) -> str:
    """What is wrong between a revoke or replace entry of the log and its order; "" for nothing."""
    order = identities.orders.get(entry.sha256)
    if order is None:
        return "the order it speaks of is not in the archive, or not sound"
    if identities.root is None or entry.certificate != key_sha256(public_key(identities.root)):
        return "it does not say that the plant's root signed the order"
    if (entry.kind, entry.stream, entry.seq, dict(entry.detail)) != _told(order):
        return "it tells the order otherwise than the order itself"
    return ""


def _told(order: Order) -> tuple[Kind, str, int | None, dict[str, bytes]]:
    if isinstance(order, Revoke):
        return Kind.REVOKE, order.stream, order.through, {"key": order.key}
    new = key_sha256(public_key(certificate_from_der(order.certificate)))
    return Kind.REPLACE, order.stream, order.seq, {"old": order.old, "new": new}
