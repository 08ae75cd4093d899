"""Orders, rotate objects and forks that contradict the log, the stream, or one another.

Beside them stand months that are honest about a chain of keys which is hard to follow: they pass.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evidence.frame import TYP_ROTATE
from evidence.keys import Certificate, FileSigner, key_sha256
from evidence.log import Entry, encode_entry
from evidence.log import Kind as EntryKind
from evidence.orders import encode_rotate
from tests.attacks.by_keys import (
    KNOWN,
    NEW,
    NEXT,
    OLD,
    ROOT,
    certificate,
    der,
    order,
    order_entry,
    replacement,
    revoke,
)
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence import two_months as two

THIRD = sm.signer(34)
LAST = certificate(THIRD)
LIE = bytes(range(32))
Build = Callable[[], bytes]
Made = Callable[[int], bytes]


class ByPlan(sm.Chain):
    """Signs with the key that a plan names from a seq on."""

    def __init__(self, plan: Mapping[int, FileSigner]) -> None:
        super().__init__(OLD)
        self._plan = plan

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        self.by = self._plan.get(len(self.objects), self.by)
        return super().sign(*args, **fields)


def stream(rotates: Mapping[int, Certificate]) -> list[sm.Item]:
    """The honest stream with rotate objects at these seqs."""
    made = sm.items()
    for seq, to in sorted(rotates.items()):
        made.insert(seq, sm.Item(TYP_ROTATE, encode_rotate(to), made[seq - 1].hour))
    return made


def entry_of(data: bytes, seq: int, old: FileSigner, new: FileSigner) -> Made:
    """The log's entry of a replace order."""
    detail = {"old": key_sha256(old.public_key), "new": key_sha256(new.public_key)}

    def made(index: int) -> bytes:
        fields: dict[str, Any] = {
            "kind": EntryKind.REPLACE, "received_ns": sm.START_NS + index * 10 * sm.SECOND,
            "epoch": 1, "stream": sm.STREAM, "seq": seq, "sha256": sm.sha256(data),
            "length": len(data), "certificate": key_sha256(ROOT.public_key), "detail": detail,
        }  # fmt: skip
        return encode_entry(Entry(**fields))

    return made


def month(
    plan: Mapping[int, FileSigner], *, rotates: Mapping[int, Certificate] | None = None,
    orders: Sequence[bytes] = (), between: Mapping[int, Made] | None = None,
) -> Build:  # fmt: skip
    """The honest stream, with rotate objects, signed by a plan."""

    def build() -> bytes:
        made = sm.make_month(stream(rotates or {}), chain=ByPlan(plan), between=between)
        gateways = [(sm.STREAM, one) for one in (KNOWN, NEXT, LAST)]
        return sm.build(sm.contents(made, gateways=gateways, orders=orders))

    return build


def replaces(*told: tuple[FileSigner, FileSigner, Certificate], by: FileSigner) -> Build:
    """Orders that all name seq 2: old key, new key, its certificate; one signs on."""
    orders, between = [], {}
    for at, (old, new, to) in enumerate(told):
        of = {"old": key_sha256(old.public_key), "certificate": der(to)}
        orders.append(replacement(2, sm.sha256(sm.month().objects[2]), **of))
        between[3 + at] = entry_of(orders[-1], 2, old, new)
    return month({3: by}, orders=orders, between=between)


def beside_a_rotate() -> bytes:
    """A rotate object at seq 3; the device that it named is lost before it signs anything."""
    chain = ByPlan({})
    for item in stream({3: NEXT})[:4]:
        chain.sign(item.typ, item.payload)
    signed = sm.make_month(stream({3: NEXT}), chain=ByPlan({4: THIRD})).objects[3]
    data = replacement(
        3, sm.sha256(signed), old=key_sha256(NEW.public_key), certificate=der(LAST)
    )  # fmt: skip
    entry = entry_of(data, 3, NEW, THIRD)
    return month({4: THIRD}, rotates={3: NEXT}, orders=[data], between={4: entry})()


def ended(through: int | None, plan: Mapping[int, FileSigner], **other: Any) -> Build:
    """The first key is revoked, which the log says before the item after seq 3."""
    data = revoke(through)
    return month(plan, orders=[data], between={4: order_entry(data, through)}, **other)


def fork(seq: int | None, *, at: int, **detail: bytes) -> Build:
    """The log tells of a fork before the item at `at`."""

    def made(index: int) -> bytes:
        fields: dict[str, Any] = {
            "kind": EntryKind.REJECT, "received_ns": sm.START_NS + index * 10 * sm.SECOND,
            "epoch": 1, "stream": sm.STREAM, "seq": seq, "sha256": bytes([7]) * 32, "length": 5,
            "certificate": key_sha256(OLD.public_key), "verdict": "fork",
            "detail": {"prev": bytes(32), **detail},
        }  # fmt: skip
        return encode_entry(Entry(**fields))

    return month({}, between={at: made})


def in_july(through: int | None = None, *, seam: bool = False, chained: bool = False) -> Build:
    """July after what happened to the keys at the end of June."""

    def build() -> bytes:
        chain = two.june()
        if seam:
            data = replacement(5, LIE, certificate=der(NEXT))
            entry = order_entry(data, 5, replaces=True)(7)
            return two.archive(two.july(chain, NEW, [entry]), [data])
        first = chain.sign(TYP_ROTATE, encode_rotate(NEXT))
        if chained:
            chain.by = NEW
            second = chain.sign(TYP_ROTATE, encode_rotate(LAST))
            made = two.july(chain, THIRD, [], june_by=lambda seq: OLD if seq < 7 else NEW)
            return two.archive(made, [first, second], certificates=[KNOWN])
        data = revoke(through)
        return two.archive(two.july(chain, NEW, [order_entry(data, through)(8)]), [first, data])

    return build


X_AT_2 = replacement(2, LIE)
OF_TOMORROW = order("stackproof-revive+cbor", {"a": 1})
FRAME_AS_ORDER = order("stackproof-frame+cbor", {"a": 1})
HELD = sm.sha256(sm.month().objects[0])
A_TO_B, A_TO_C = (OLD, NEW, NEXT), (OLD, THIRD, LAST)
B_TO_C, B_TO_A = (NEW, THIRD, LAST), (NEW, OLD, KNOWN)

#: (name, story, build, codes, more)
_KINDS: list[tuple[str, str, Build, set[str], bool]] = [
    ("replacement with another head, told before the object",
     "The lost device's last object is exchanged, and the order's entry moved before it.",
     month({3: NEW}, orders=[X_AT_2], between={2: order_entry(X_AT_2, 2, replaces=True)}),
     {"E-ORDER"}, False),
    ("replacement with another head at the seam of two months",
     "The lost device's last objects are exchanged; the next month follows other ones.",
     in_july(seam=True), {"E-ORDER"}, False),
    ("two replacements of one key", "Two devices have an order each for the same place.",
     replaces(A_TO_B, A_TO_C, by=NEW), {"E-ORDER", "E-KEY-CHANGE", "E-CLOSE"}, False),
    ("two replacements of one key, the other way", "The second of them signs on.",
     replaces(A_TO_B, A_TO_C, by=THIRD), {"E-ORDER", "E-KEY-CHANGE", "E-CLOSE"}, False),
    ("replacements in a circle", "Orders lead back to the key that they replace.",
     replaces(A_TO_B, B_TO_A, by=NEW), {"E-ORDER", "E-KEY-REVOKED", "E-CLOSE"}, False),
    ("honest replacements one after another", "The new device breaks before it has signed.",
     replaces(A_TO_B, B_TO_C, by=THIRD), {"N-KEY", "W-KEY-REVOKED"}, False),
    ("honest replacement of a device that was rotated to", "It breaks before it has signed.",
     beside_a_rotate, {"N-KEY"}, False),
    ("honest rotation by the last object", "The month ends with a rotate object.",
     month({7: NEW}, rotates={6: NEXT}), {"N-KEY"}, False),
    ("honest rotations of before, certified in themselves only",
     "Which is read first is not said by their names.", in_july(chained=True), set(), False),
    ("rotate to its own key", "A rotate object changes nothing, and fills the log.",
     month({}, rotates={3: KNOWN}), {"E-KEY-CHANGE"}, False),
    ("rotate back to a key that was in use", "A thief of an old key has it put in use again.",
     month({3: NEW, 5: OLD}, rotates={2: NEXT, 4: KNOWN}), {"E-KEY-CHANGE", "E-CLOSE"}, False),
    ("rotate by a key that was revoked", "A thief hands over with a key that has ended.",
     ended(2, {4: NEW}, rotates={3: NEXT}),
     {"E-KEY-REVOKED", "E-KEY-CHANGE", "E-CLOSE"}, False),
    ("rotate of an earlier month by a key that was revoked before it",
     "What a thief handed over signs on in the next month.", in_july(5),
     {"E-KEY-CHANGE", "E-CLOSE"}, False),
    ("rotate of an earlier month by a key that was never good",
     "A key that was never the plant's had handed over.", in_july(None),
     {"E-KEY-REVOKED", "E-KEY-CHANGE", "E-CLOSE"}, True),
    ("revoke order through a seq beyond all numbers", "An order names no seq there can be.",
     ended(2**63, {}), {"E-ORDER"}, False),
    ("order of tomorrow", "The root has ordered what this version does not know.",
     month({}, orders=[OF_TOMORROW]), {"C-FORMAT"}, False),
    ("frame as an order", "The root has signed an order of a type that is none.",
     month({}, orders=[FRAME_AS_ORDER]), {"C-FORMAT"}, False),
    ("order of tomorrow by the gateway", "Something new is no reason to pass a forgery.",
     month({}, orders=[order("stackproof-revive+cbor", {"a": 1}, OLD)]), {"E-ORDER"}, False),
    ("fork of another object, told before it", "The log lies about what it held: a later object.",
     fork(0, at=0, held=LIE), {"E-LOG", "W-FORK"}, False),
    ("fork after another object", "The log lies about the object before the fork.",
     fork(1, at=1, held_before=LIE), {"E-LOG", "W-FORK"}, False),
    ("fork of two places", "The log says of one fork both what it held and what came before.",
     fork(0, at=3, held=HELD, held_before=HELD), {"E-LOG", "W-FORK"}, False),
    ("fork without a place", "The log does not say where the fork is.",
     fork(None, at=3, held=HELD), {"E-LOG", "W-FORK"}, False),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"orders: {name}", story, build, *codes, more=more)
    for name, story, build, codes, more in _KINDS
]
