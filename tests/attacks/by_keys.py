"""Keys that do not count where they sign: revoked, changed, expired; orders forged or left out.

Orders are put together here from FORMAT.md §6, not by the program. The months that are honest about
their keys stand here too, as controls: they pass, with the warning or note they deserve.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import compress
from evidence.frame import TYP_ROTATE
from evidence.keys import FileSigner, certificate_to_pem, issue, key_sha256
from evidence.log import Entry, encode_entry
from evidence.log import Kind as EntryKind
from tests.attacks.by_newer import private
from tests.attacks.forging import FOREIGN, Kind, kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import DAYS, SINCE

ROOT, OLD, NEW = sm.keys().root, sm.keys().gateway, sm.signer(33)
TYP_REVOKE, TYP_REPLACE = "stackproof-revoke+cbor", "stackproof-replace+cbor"
KNOWN = sm.keys().certificates["gateway"]


def certificate(
    by: FileSigner, *, name: str = sm.STREAM, seed: int = 1, since: dt.datetime = SINCE,
    days: int = DAYS, role: str = "gateway",
) -> x509.Certificate:  # fmt: skip
    """A certificate, issued by the root of a seed (1 is the small plant's)."""
    issuer = private(seed), sm.keys(seed).certificates["root"]
    return issue(role, sm.PLANT, name, by.public_key, issuer=issuer, not_before=since, days=days)


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(Encoding.DER)


NEXT = certificate(NEW)


def order(typ: str, fields: Mapping[str, Any], by: FileSigner = ROOT) -> bytes:
    """A signed order of these fields."""
    return cose.sign(by, {cose.TYP: typ}, compress(cbor.encode(dict(fields))))


def revoke(through: int | None, by: FileSigner = ROOT, **other: Any) -> bytes:
    fields: dict[str, Any] = {
        "plant": sm.PLANT, "stream": sm.STREAM, "key": key_sha256(OLD.public_key),
        "through": through, "reason": "gateway stolen",
    }  # fmt: skip
    return order(TYP_REVOKE, fields | other, by)


def replacement(seq: int, head: bytes, by: FileSigner = ROOT, **other: Any) -> bytes:
    fields: dict[str, Any] = {
        "plant": sm.PLANT, "stream": sm.STREAM, "old": key_sha256(OLD.public_key),
        "certificate": der(NEXT), "seq": seq, "head": head,
        "through_ns": sm.START_NS + 19 * sm.SECOND, "reason": "gateway burnt",
    }  # fmt: skip
    return order(TYP_REPLACE, fields | other, by)


def order_entry(data: bytes, seq: int | None, *, replaces: bool = False) -> Callable[[int], bytes]:
    """The log's entry of an order."""
    old, new = key_sha256(OLD.public_key), key_sha256(NEW.public_key)
    told: dict[str, Any] = {"old": old, "new": new} if replaces else {"key": old}

    def made(index: int) -> bytes:
        return encode_entry(
            Entry(
                kind=EntryKind.REPLACE if replaces else EntryKind.REVOKE,
                received_ns=sm.START_NS + index * 10 * sm.SECOND, epoch=1, stream=sm.STREAM,
                seq=seq, sha256=sm.sha256(data), length=len(data),
                certificate=key_sha256(ROOT.public_key), detail=told,
            )
        )  # fmt: skip

    return made


class Changing(sm.Chain):
    """Signs with another key from a seq on."""

    def __init__(self, at: int, after: FileSigner = NEW) -> None:
        super().__init__(OLD)
        self._at, self._after = at, after

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        self.by = OLD if len(self.objects) < self._at else self._after
        return super().sign(*args, **fields)


def rotated(at: int, payload: bytes | None = None) -> list[sm.Item]:
    """The honest stream with a rotate object at a seq."""
    stream = sm.items()
    handed = compress(cbor.encode({"certificate": der(NEXT)})) if payload is None else payload
    hour = stream[at - 1].hour
    return [*stream[:at], sm.Item(TYP_ROTATE, handed, hour), *stream[at:]]


def month(
    stream: Sequence[sm.Item] | None = None,
    *,
    chain: Callable[[], sm.Chain] = lambda: sm.Chain(OLD),
    certificates: Sequence[x509.Certificate] = (KNOWN,),
    orders: Sequence[bytes] = (),
    between: Mapping[int, Callable[[int], bytes]] | None = None,
    change: Callable[[sm.Files], None] = lambda _: None,
) -> Callable[[], bytes]:
    """An archive of these objects, keys and orders, its files changed before it is sealed."""

    def build() -> bytes:
        made = sm.make_month(stream or sm.items(), chain=chain(), between=between)
        gateways = [(sm.STREAM, one) for one in certificates]
        files = sm.unpack(sm.build(sm.contents(made, gateways=gateways, orders=orders)))
        change(files)
        return sm.repack(files, by=sm.keys().collector)

    return build


def revoked(
    through: int | None, data: bytes | None = None, *, at: int = 4, listed: bool = True
) -> Callable[[], bytes]:
    """The honest stream with a revoke order in the log before the item at `at`."""
    made = revoke(through) if data is None else data
    between = {at: order_entry(made, through)} if at >= 0 else None
    return month(orders=[made] if listed else [], between=between)


def replaced(
    data: bytes, *, chain: Callable[[], sm.Chain] = lambda: Changing(3), listed: bool = True
) -> Callable[[], bytes]:
    """The honest stream continued by another device from seq 3 on."""
    between = {3: order_entry(data, 2, replaces=True)}
    orders = [data] if listed else []
    return month(chain=chain, certificates=(KNOWN, NEXT), orders=orders, between=between)


def _flipped(files: sm.Files) -> None:
    path = next(path for path in files if path.startswith("data/keys/order-"))
    files[path] = files[path][:80] + bytes([files[path][80] ^ 4]) + files[path][81:]


def _misnamed(files: sm.Files) -> None:
    path = next(path for path in files if path.startswith("data/keys/order-"))
    files[paths.order(bytes(32))] = files.pop(path)


def _head(seq: int) -> bytes:
    return sm.sha256(sm.month().objects[seq])


def _expired(since: dt.datetime, days: int) -> Callable[[], bytes]:
    return month(certificates=[certificate(OLD, since=since, days=days)])


def _closed_late(files: sm.Files) -> None:
    """The collector closed the month with a certificate that had ended."""
    key = sm.keys().collector
    ended = certificate(key, role="collector", name="collector", since=SINCE, days=9)
    files[paths.COLLECTOR_CERTIFICATE] = certificate_to_pem(ended)


GOOD_REVOKE, GOOD_REPLACE = revoke(3), replacement(2, _head(2))
BOTH = (KNOWN, NEXT)
STRANGE = certificate(NEW, seed=60)
OF_ANOTHER = certificate(NEW, name="edge-9")

#: (name, story, build, codes, more)
_KINDS: list[tuple[str, str, Callable[[], bytes], set[str], bool]] = [
    ("honest rotation", "The gateway hands over to a new key, as it should: no tampering.",
     month(rotated(3), chain=lambda: Changing(4), certificates=BOTH), {"N-KEY"}, False),
    ("honest replacement", "A burnt gateway is replaced by the root's order: no tampering.",
     replaced(GOOD_REPLACE), {"N-KEY"}, False),
    ("revoked key used before its end", "A key is revoked after its close: no tampering.",
     revoked(6, at=5), {"W-KEY-REVOKED"}, False),
    ("revoked key used after its end", "A thief goes on signing with a stolen gateway's key.",
     revoked(3), {"E-KEY-REVOKED"}, True),
    ("key revoked for all objects", "A key that was never the plant's signs anyway.",
     revoked(None), {"E-KEY-REVOKED"}, True),
    ("another key without a rotate", "A thief of the root's seal lets a second key of theirs sign.",
     month(chain=lambda: Changing(3), certificates=BOTH), {"E-KEY-CHANGE"}, True),
    ("old key after the rotate", "A thief signs on with the key that was handed over.",
     month(rotated(3), certificates=BOTH), {"E-KEY-CHANGE"}, True),
    ("rotate signed by the new key", "A thief with a certified key hands the stream to themselves.",
     month(rotated(3), chain=lambda: Changing(3), certificates=BOTH), {"E-KEY-CHANGE"}, True),
    ("rotate to a key of another root", "A thief hands over to a key that the root does not know.",
     month(rotated(3, compress(cbor.encode({"certificate": der(STRANGE)}))),
           chain=lambda: Changing(4)), {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY"}, True),
    ("rotate to a key of another gateway", "A key of another gateway takes the stream over.",
     month(rotated(3, compress(cbor.encode({"certificate": der(OF_ANOTHER)}))),
           chain=lambda: Changing(4)), {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY"}, True),
    ("rotate that is junk", "A rotate names no certificate at all.",
     month(rotated(3, b"\x00\xa0"), certificates=BOTH), {"E-FRAME"}, True),
    ("key nobody certified", "A stranger's device sends frames of its own.",
     month(chain=lambda: Changing(3, FOREIGN)), {"E-SIG-UNKNOWN-KEY"}, True),
    ("expired certificate", "A gateway goes on years after its certificate ended.",
     _expired(SINCE, 9), {"E-KEY-EXPIRED"}, True),
    ("certificate not valid yet", "Frames are signed with a key that was certified after them.",
     _expired(SINCE + dt.timedelta(days=300), 400), {"E-KEY-EXPIRED"}, True),
    ("expired certificate of the collector", "A month is closed years after it ended.",
     month(change=_closed_late), {"E-KEY-EXPIRED"}, False),
    ("lost device after its replacement", "A thief sends with the gateway that is called lost.",
     replaced(GOOD_REPLACE, chain=lambda: sm.Chain(OLD)), {"E-KEY-REVOKED"}, True),
    ("replacement with another head", "The new device follows an object that the old never sent.",
     replaced(replacement(2, bytes(32))), {"E-ORDER"}, True),
    ("replacement by a key of another root", "The replacing key is not of the plant's root.",
     replaced(replacement(2, _head(2), certificate=der(STRANGE))), {"E-ORDER"}, True),
    ("replacement by a key of another gateway", "The replacing key is another gateway's.",
     replaced(replacement(2, _head(2), certificate=der(OF_ANOTHER))), {"E-ORDER"}, True),
    ("revoke order left out", "The operator keeps back the order that ends a stolen key.",
     revoked(3, listed=False), {"E-ORDER"}, True),
    ("replace order left out", "The operator shows a new key and not the order for it.",
     replaced(GOOD_REPLACE, listed=False), {"E-ORDER"}, True),
    ("revoke order by the collector", "The operator revokes a key, which only the root may.",
     revoked(3, revoke(3, sm.keys().collector)), {"E-ORDER"}, True),
    ("revoke order by the gateway", "A thief un-revokes a key with that very key.",
     revoked(3, revoke(3, OLD)), {"E-ORDER"}, True),
    ("revoke order of another plant", "An order of a sister plant is used here.",
     revoked(3, revoke(3, plant="other")), {"E-ORDER"}, True),
    ("revoke order without a reason", "An order says nothing to people.",
     revoked(3, revoke(3, reason="")), {"E-ORDER"}, True),
    ("revoke order with a field more", "An order holds something that no reader knows.",
     revoked(3, revoke(3, until=7)), {"E-ORDER"}, True),
    ("order that is junk", "An order is spoilt, in the hope that it is then skipped.",
     revoked(3, b"junk"), {"E-ORDER"}, True),
    ("a bit of an order", "A disk flips a bit of an order; its name is as it was.",
     month(orders=[GOOD_REVOKE], between={4: order_entry(GOOD_REVOKE, 3)}, change=_flipped),
     {"E-ORDER"}, True),
    ("order under another name", "An order stands under a hash that is not its own.",
     month(orders=[GOOD_REVOKE], between={4: order_entry(GOOD_REVOKE, 3)}, change=_misnamed),
     {"E-ORDER"}, True),
    ("revoke entry of another seq", "The log says that the key was good for longer than ordered.",
     month(orders=[GOOD_REVOKE], between={4: order_entry(GOOD_REVOKE, 5)}), {"E-ORDER"}, True),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"keys: {name}", story, build, *codes, more=more)
    for name, story, build, codes, more in _KINDS
]
