"""Step 3, its third part: the root's orders that the reviewer brings, and the archive lacks.

A collector that never logs an order leaves no trace of it; only the root's own copy shows it. Such
an order counts as if it stood in the log. It says from which object on it binds, not when it was
made: one that changes nothing in this archive may be of later, and does not fail it. Lists of
persons come the same way: what the root certifies or withdraws counts, logged or not.
"""

from collections.abc import Mapping

from evidence import cose
from evidence.documents.certified import TYP_PERSONS, PersonsList, decode_list
from evidence.errors import EvidenceError, KeyFileError, UnknownSuiteError, UnsupportedError
from evidence.findings import Report, said
from evidence.keys import public_key
from evidence.orders import Order, Replace, Revoke, decode_order
from evidence.suites import PublicKey
from evidence.verifier.identities import Brought, Identities
from evidence.verifier.key_orders import apply_order

_WHAT = "--orders takes the files that `stackproof keys revoke`, `replace` and `persons` wrote"


def take_brought(
    orders: Mapping[str, bytes] | None, report: Report, identities: Identities
) -> None:
    """Apply the reviewer's orders to the gateways' keys, after those of the archive.

    Args:
        orders: name of a file -> its bytes; None when the reviewer brought none.
        report: takes the findings; says whether the reviewer trusts the root.
        identities: keys and orders of the archive.

    Raises:
        KeyFileError: a file is no order of the archive's plant by its root, which is trusted: the
            reviewer has another file than was meant, and the archive cannot help it.
    """
    if orders is None:
        report.not_checked.append(
            "Orders: without --orders, whether the root has issued orders the collector did not "
            "log. Get them from the plant by another way."
        )
        return
    for name, data in orders.items():
        try:
            cose.parse(data)
        except EvidenceError as error:
            raise KeyFileError(
                f"{name}: it is no order: {error}; {_WHAT} (a gateway's own rotate is none)"
            ) from error
    if identities.root is None or not report.trusted:
        report.not_checked.append(
            "Orders: the root key here is not one you trust, so yours were not looked at."
        )
        return
    root = public_key(identities.root)
    for name, data in orders.items():
        _take(name, data, root, report, identities)
        report.counts["orders"] += 1


def _take(name: str, data: bytes, root: PublicKey, report: Report, identities: Identities) -> None:
    """Apply one; what the archive has itself, however it was signed, is left as it is."""
    try:
        if cose.parse(data).typ == TYP_PERSONS:
            found: Order | PersonsList = decode_list(data, root)
        else:
            found = decode_order(data, root)
    except UnsupportedError as error:
        report.add("C-FORMAT", name, said(error))
        return
    except EvidenceError as error:
        raise KeyFileError(
            f"{name}: it is no order by the root of {identities.plant}, whose archive this is: "
            f"{error}. {_WHAT} with that root; leave out those of other plants, or get this one "
            "again from where the plant publishes it"
        ) from error
    if found.plant != identities.plant:
        what = "a list of persons" if isinstance(found, PersonsList) else "an order"
        raise KeyFileError(
            f"{name}: it is {what} of plant {found.plant}, and the archive of "
            f"{identities.plant}: leave it out"
        )
    if isinstance(found, PersonsList):
        identities.lists.append(found)
    else:
        _take_order(name, found, report, identities)


def _take_order(name: str, order: Order, report: Report, identities: Identities) -> None:
    held = [*identities.orders.values(), *(one.order for one in identities.brought)]
    if order in held:
        return
    is_moot = _is_moot(order, identities)
    try:
        new = apply_order(order, identities)
    except UnknownSuiteError as error:
        report.add("C-SUITE", name, said(error))
        return
    except EvidenceError as error:
        report.add("E-ORDER", name, said(error))
        return
    identities.brought.append(Brought(name, order, new, is_moot))


def _is_moot(order: Order, identities: Identities) -> bool:
    """True for a revoke of a key that other orders end there or earlier."""
    key, through = _ended(order)
    ended = identities.keys_of(order.stream).revoked.get(key)
    return isinstance(order, Revoke) and ended is not None and ended <= through


def tell_brought(report: Report, identities: Identities) -> None:
    """Tell of each order that the archive lacks, once all that is signed was looked at."""
    newest = identities.newest
    for one in identities.brought:
        order = one.order
        key, through = _ended(order)
        signed = [newest.get((order.stream, key), -1)]
        if isinstance(order, Replace):
            signed.append(newest.get((order.stream, one.new), -1))
        else:  # a rotate object that the key signed after its end, in an earlier month too
            changes = identities.keys_of(order.stream).changes
            signed += [c.seq for c in changes if c.old == key and not c.by_order]
        about = f"key {key.hex()[:16]} of {order.stream}"
        if max(signed) > through and not one.is_moot:
            report.add(
                "E-ORDER",
                one.name,
                f"The root's order about {about} is not in the archive, and objects here fall "
                "under it: the collector did not log it, or the root issued it after the close. "
                "Ask the root when; either way it counts.",
            )
        else:
            report.not_checked.append(
                f"Order {one.name}: about {about}; it is not in the archive and changes nothing in "
                "it. An order has no date: whether the log was to hold it is open."
            )


def _ended(order: Order) -> tuple[bytes, int]:
    """The key that an order ends, and the seq of its last good object, -1 for none."""
    if isinstance(order, Replace):
        return order.old, order.seq
    return order.key, -1 if order.through is None else order.through
