"""Step 3, its second half: orders about keys, and rotate objects that are not of this month.

They stand under data/keys. Orders are applied to the gateways' keys before any object is looked
at; rotate objects in their place in the stream: before its first object here, or after its last.
"""

import hashlib
from collections import defaultdict

from evidence import cose
from evidence.archive import paths
from evidence.custody import Change, that_holds
from evidence.errors import EvidenceError, MalformedError, UnknownSuiteError, UnsupportedError
from evidence.findings import Report, said
from evidence.frame import TYP_ROTATE, header_of
from evidence.keys import certificate_from_der, key_sha256, public_key
from evidence.log import Entry, Kind
from evidence.orders import Order, Replace, Revoke, decode_order, decode_rotate
from evidence.suites import PublicKey
from evidence.verifier.identities import Identities, Rotated
from evidence.verifier.opened import Opened


def check_orders(archive: Opened, report: Report, identities: Identities) -> None:
    """Read every order and rotate object under data/keys; orders are applied at once."""
    if identities.root is None:
        return  # said by step 3: no root, so nobody's order
    root = public_key(identities.root)
    rotates = []
    for path in archive.paths():
        match = paths.ORDER.fullmatch(path)
        if match is None:
            continue
        try:
            data = archive.read(path)
            if hashlib.sha256(data).hexdigest() != match[1]:
                raise MalformedError("it is not the order its name says")
            envelope = cose.parse(data)
            if envelope.typ == TYP_ROTATE:
                _certify(envelope, identities)
                rotates.append(path)
            else:
                _order(data, root, identities)
        except (UnknownSuiteError, UnsupportedError) as error:
            identities.newer.add(bytes.fromhex(match[1]))
            code = "C-SUITE" if isinstance(error, UnknownSuiteError) else "C-FORMAT"
            report.add(code, path, said(error))
        except EvidenceError as error:
            report.add("E-ORDER", path, said(error))
    for path in rotates:  # a key may be certified in the rotate object before only
        _rotate(archive, report, path, identities)


def _order(data: bytes, root: PublicKey, identities: Identities) -> None:
    try:
        order = decode_order(data, root)
    except UnknownSuiteError as error:  # nothing else vouches for its bytes: no signature
        raise MalformedError(f"not signed by the plant's root: {error}") from error
    if order.plant != identities.plant:
        raise MalformedError(f"it is an order of {order.plant}")
    apply_order(order, identities)
    identities.orders[hashlib.sha256(data).digest()] = order


def apply_order(order: Order, identities: Identities) -> bytes:
    """Let an order of the plant's root count; `key_sha256` of a replace's new key, else b"".

    Raises:
        UnknownSuiteError, MalformedError: the certificate in it, as `Identities.certify`.
    """
    new = b""
    if isinstance(order, Replace):
        new = identities.certify(certificate_from_der(order.certificate), order.stream)
    identities.keys_of(order.stream).apply(order, new)
    return new


def check_contradictions(report: Report, identities: Identities) -> None:
    """Of the replaces of one seq exactly one holds, or it is not said who goes on."""
    told: dict[tuple[str, int], dict[str, Change]] = defaultdict(dict)
    for place, order in identities.all_orders():
        if isinstance(order, Replace):
            change = Change(order.seq, order.old, _new_key(order), by_order=True)
            told[order.stream, order.seq][place] = change
    for (stream, seq), orders in told.items():
        if that_holds(list(orders.values())) is None:
            for place in orders:
                sentence = f"The replace orders of {stream} for seq {seq} contradict each other."
                report.add("E-ORDER", place, sentence)


def _certify(envelope: cose.Envelope, identities: Identities) -> bytes:
    """Take in a rotate object's certificate: the key that it hands over to."""
    header = header_of(envelope)
    if header.plant != identities.plant:
        raise MalformedError(f"it is of {header.plant}")
    return identities.certify(decode_rotate(envelope.payload), header.stream)


def _rotate(archive: Opened, report: Report, path: str, identities: Identities) -> None:
    """Check its signature; whether it counts is known in its place only."""
    try:
        envelope = cose.parse(archive.read(path))
        header, new = header_of(envelope), _certify(envelope, identities)
        signer = identities.keys_of(header.stream).find(envelope.kid)
        if signer is None and identities.is_foreign(header.stream):
            report.add("C-SUITE", path, f"Key {envelope.kid.hex()} is of an unknown crypto suite.")
            return
        if signer is None:
            raise MalformedError(f"no certificate of this gateway holds key {envelope.kid.hex()}")
        try:
            cose.verify(envelope, signer.key)
        except UnknownSuiteError as error:  # nothing else vouches for its bytes: no signature
            raise MalformedError(f"not signed by the key it names: {error}") from error
        places = identities.rotates.setdefault(header.stream, {})
        if header.seq in places:
            raise MalformedError(f"there is another rotate object at seq {header.seq}")
        places[header.seq] = Rotated(path, signer.sha256, new)
    except EvidenceError as error:
        report.add("E-ORDER", path, said(error))


def apply_rotates(identities: Identities, stream: str, where: range) -> None:
    """Apply the rotate objects of data/keys whose seq is in a range, in their order."""
    keys = identities.keys_of(stream)
    for seq, rotated in sorted(identities.rotates.get(stream, {}).items()):
        if seq in where:
            if keys.current(seq) is None:
                keys.begin(rotated.old)
            keys.rotate(seq, rotated.old, rotated.new)


def order_fault(entry: Entry, identities: Identities) -> str:
    """What is wrong between a revoke or replace entry of the log and its order; "" for nothing."""
    order = identities.orders.get(entry.sha256)
    if order is None and entry.sha256 in identities.newer:
        return ""
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
    return Kind.REPLACE, order.stream, order.seq, {"old": order.old, "new": _new_key(order)}


def _new_key(order: Replace) -> bytes:
    """`key_sha256` of the new device's key, whose certificate was taken in before."""
    return key_sha256(public_key(certificate_from_der(order.certificate)))
