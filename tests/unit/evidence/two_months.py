"""June as the honest stream, and July's archive after it: what keys were before its objects."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from evidence import cose
from evidence.frame import TYP_ROTATE
from evidence.keys import Certificate, FileSigner, key_sha256
from evidence.log import Kind
from evidence.orders import encode_rotate
from evidence.recompute import Recomputation, month_bounds, statement_bytes
from tests.attacks.by_keys import certificate
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import signer

CONFIG = sm.configuration()
JULY = month_bounds("Asia/Shanghai", "2026-07")
FIRST, NEXT = sm.keys().gateway, signer(33)
CERTIFICATES = [sm.keys().certificates["gateway"], certificate(NEXT)]


@dataclasses.dataclass
class Two:
    """June as it was signed, and what July's archive is made of."""

    june: tuple[bytes, ...]
    july: sm.Month
    rotate: bytes
    since: int  # entries of the log before July's


def june() -> sm.Chain:
    """The honest stream of June, signed with the first key."""
    chain = sm.Chain(FIRST)
    for item in sm.items(CONFIG):
        chain.sign(item.typ, item.payload)
    return chain


def two_months(july_by: FileSigner = NEXT, between: Sequence[bytes] = ()) -> Two:
    """June, a rotate object after it, then July signed by a key; `between` are log entries."""
    chain = june()
    rotate = chain.sign(TYP_ROTATE, encode_rotate(CERTIFICATES[1]))
    return july(chain, july_by, between, rotate)


def july(
    chain: sm.Chain, by: FileSigner, between: Sequence[bytes], rotate: bytes = b"",
    june_by: Callable[[int], FileSigner] = lambda _: FIRST,
) -> Two:  # fmt: skip
    """The chain goes on with July; June's objects and `between` stand in the log before it."""
    signed, entries = tuple(chain.objects), [sm.enrolment()]
    for seq, data in enumerate(signed):
        kind = sm.ENTRY_KINDS.get(cose.parse(data).typ, Kind.FRAME)
        key = key_sha256(june_by(seq).public_key)
        entries.append(sm.entry(kind, data, len(entries), seq=seq, certificate=key))
    entries += between
    chain.by = by
    bodies = sm.bodies(CONFIG, JULY[0])
    fold = Recomputation()
    fold.configure(b"x", CONFIG)
    for body in bodies:
        list(fold.feed(body))
    made = sm.make_month(
        [sm.frame_item(body) for body in bodies],
        statement=statement_bytes(fold.statement(*JULY, "final")), chain=chain,
        first_entries=entries, closing="final", month_id="2026-07",
    )  # fmt: skip
    return Two(signed, made, rotate, len(entries))


def archive(
    two: Two, orders: Sequence[bytes], certificates: Sequence[Certificate] = CERTIFICATES,
    **other: Any,
) -> bytes:  # fmt: skip
    """July's archive: its log begins after June's entries."""
    entries, since = two.july.entries, two.since
    fields: dict[str, Any] = {
        "month": "2026-07", "closing": "final", "orders": orders,
        "gateways": [(sm.STREAM, one) for one in certificates],
        "configs": {sm.sha256(two.june[0]): two.june[0]},
        "log_range": sm.tree_of(entries[:since]), "log_entries": entries[since:],
        "checkpoint": sm.log_note(entries),
    }  # fmt: skip
    return sm.build(sm.contents(two.july, **(fields | other)))
