"""Keys over months: what happened to them before and after the objects of an archive.

June ends with a rotate object; July begins under the new key. Rotate objects of earlier months and
all orders stand under data/keys. The kinds of tampering within a month are in tests/attacks.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from evidence import cose
from evidence.findings import Finding, Report, Verdict
from evidence.frame import TYP_FRAME, TYP_ROTATE
from evidence.keys import FileSigner, key_sha256
from evidence.log import Kind
from evidence.orders import encode_rotate
from evidence.recompute import Recomputation, month_bounds, statement_bytes
from tests.attacks.by_keys import certificate, der, order_entry, replacement, revoke
from tests.attacks.by_newer import P384
from tests.attacks.by_newer import certificate as foreign
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


def july(chain: sm.Chain, by: FileSigner, between: Sequence[bytes], rotate: bytes = b"") -> Two:
    """The chain goes on with July; June's objects and `between` stand in the log before it."""
    signed, entries = tuple(chain.objects), [sm.enrolment()]
    for seq, data in enumerate(signed):
        kind = sm.ENTRY_KINDS.get(cose.parse(data).typ, Kind.FRAME)
        key = key_sha256(FIRST.public_key)
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


def archived(two: Two, orders: Sequence[bytes], **other: Any) -> Report:
    """July's archive: its log begins after June's entries."""
    entries, since = two.july.entries, two.since
    fields: dict[str, Any] = {
        "month": "2026-07", "closing": "final", "orders": orders,
        "gateways": [(sm.STREAM, one) for one in CERTIFICATES],
        "configs": {sm.sha256(two.june[0]): two.june[0]},
        "log_range": sm.tree_of(entries[:since]), "log_entries": entries[since:],
        "checkpoint": sm.log_note(entries),
    }  # fmt: skip
    return sm.check(sm.build(sm.contents(two.july, **(fields | other))))


def about_keys(report: Report) -> dict[str, list[Finding]]:
    names = [f for f in report.findings if "KEY" in f.code or f.code in ("E-ORDER", "E-SIG-BAD")]
    return {code: [f for f in names if f.code == code] for code in {f.code for f in names}}


def failing(report: Report) -> set[str]:
    return {code for code in sm.codes(report) if code[0] in "EC"}


def test_a_month_after_a_rotate_passes_with_the_rotate_beside_it() -> None:
    two = two_months()
    report = archived(two, [two.rotate])
    assert report.verdict is Verdict.PASSED, report.findings
    assert about_keys(report) == {}


def test_without_it_the_key_of_the_configuration_is_another_than_that_of_the_frames() -> None:
    """What signed the configuration in June and what signs in July do not follow each other."""
    two = two_months()
    report = archived(two, [])
    assert failing(report) == {"E-KEY-CHANGE"}
    ((finding,),) = about_keys(report).values()
    assert finding.where == "edge-1 seq 0"


def test_the_old_key_after_its_rotate_is_found_in_the_next_month() -> None:
    two = two_months(july_by=FIRST)
    report = archived(two, [two.rotate])
    assert failing(report) == {"E-KEY-CHANGE", "E-CLOSE"}
    places = [f.where for f in about_keys(report)["E-KEY-CHANGE"]]
    assert places == [f"edge-1 seq {seq}" for seq in range(7, 12)]


def test_a_rotate_beside_the_month_must_be_signed_by_the_key_in_use() -> None:
    two = two_months(july_by=FIRST)
    chain = sm.Chain(NEXT)
    chain.objects = list(two.june[:6])
    forged = chain.sign(TYP_ROTATE, encode_rotate(CERTIFICATES[1]))
    report = archived(two, [two.rotate, forged])
    assert "E-ORDER" in failing(report)
    sentences = {finding.sentence for finding in about_keys(report)["E-ORDER"]}
    assert sentences <= {
        "There is another rotate object at seq 6.",
        f"Key {NEXT.kid.hex()} signs where key {FIRST.kid.hex()} is in use.",
    }


@pytest.mark.parametrize(
    ("typ", "payload", "plant", "by"),
    [
        (TYP_ROTATE, b"\x00\xa0", sm.PLANT, FIRST), (TYP_FRAME, b"\x00\xa0", sm.PLANT, FIRST),
        (TYP_ROTATE, encode_rotate(CERTIFICATES[1]), "other", FIRST),
        (TYP_ROTATE, encode_rotate(CERTIFICATES[1]), sm.PLANT, signer(90)),
        (TYP_ROTATE, encode_rotate(certificate(NEXT, name="edge-9")), sm.PLANT, FIRST),
    ],
)  # fmt: skip
def test_what_is_no_rotate_of_this_plant_is_found(
    typ: str, payload: bytes, plant: str, by: FileSigner
) -> None:
    two = two_months()
    other = sm.Chain(by, plant=plant)
    other.objects = list(two.june[:6])
    report = archived(two, [other.sign(typ, payload)])
    assert "E-ORDER" in failing(report)


def test_a_rotate_of_this_month_stands_among_its_objects_only() -> None:
    stream = sm.items()
    hour = stream[2].hour
    handed = sm.Item(TYP_ROTATE, encode_rotate(CERTIFICATES[1]), hour)
    chain = sm.Chain(FIRST)
    for item in [*stream[:3], handed]:
        chain.sign(item.typ, item.payload)
    made = sm.month()
    report = sm.check(
        sm.build(sm.contents(made, orders=[chain.objects[3]]))
    )  # the honest stream has a frame at seq 3
    assert failing(report) == {"E-ORDER"}
    (finding,) = about_keys(report)["E-ORDER"]
    assert finding.sentence == "A rotate object of seq 3 is to stand among the objects only."


def revoked(through: int | None) -> Report:
    """July after the rotate, with an order that ends the old key; the rotate object is seq 6."""
    order = revoke(through)
    two = two_months(between=[order_entry(order, through)(8)])
    return archived(two, [two.rotate, order])


def test_an_old_key_may_be_revoked_after_it_has_handed_over() -> None:
    report = revoked(6)
    assert report.verdict is Verdict.PASSED, report.findings
    assert [f.where for f in about_keys(report)["W-KEY-REVOKED"]] == ["stream edge-1"]


@pytest.mark.parametrize("through", [5, None])
def test_a_key_that_was_revoked_before_hands_over_nothing(through: int | None) -> None:
    report = revoked(through)
    assert report.verdict is Verdict.FAILED
    (finding,) = about_keys(report)["E-ORDER"]
    assert f"Key {FIRST.kid.hex()} is revoked" in finding.sentence


def test_a_replacement_in_an_earlier_month() -> None:
    """June ends at seq 5 with a lost device; an order lets the new one sign from seq 6 on."""
    chain = june()
    order = replacement(5, sm.sha256(chain.objects[5]), certificate=der(CERTIFICATES[1]))
    two = july(chain, NEXT, [order_entry(order, 5, replaces=True)(7)])
    passed = archived(two, [order])
    assert passed.verdict is Verdict.PASSED, passed.findings
    assert [f.where for f in about_keys(passed)["N-KEY"]] == ["edge-1 seq 5"]
    assert failing(archived(two, [])) == {"E-KEY-CHANGE"}


# -- suites of tomorrow -----------------------------------------------------------------------


class Tomorrow:
    """Signs with a key of P-384 under its registered number (ES384 for P-384, -51)."""

    alg = -51

    @property
    def public_key(self) -> Any:
        """On a curve without a suite."""
        return P384.public_key()

    @property
    def kid(self) -> bytes:
        """By the rule of every other key."""
        return key_sha256(self.public_key)[:8]

    def sign(self, message: bytes) -> bytes:
        """ECDSA with SHA-384."""
        return P384.sign(message, ec.ECDSA(hashes.SHA384()))


TOMORROW = foreign("gateway", sm.STREAM, P384.public_key())


class Handing(sm.Chain):
    """The gateway until a seq, then a key of tomorrow."""

    def __init__(self, at: int) -> None:
        super().__init__(FIRST)
        self._at = at

    def sign(self, *args: Any, **fields: Any) -> bytes:
        """The next object."""
        self.by = FIRST if len(self.objects) < self._at else Tomorrow()  # type: ignore[assignment]  # a signer
        return super().sign(*args, **fields)


def test_a_rotate_to_a_key_of_tomorrow_is_not_decided() -> None:
    stream = sm.items()
    handed = sm.Item(TYP_ROTATE, encode_rotate(TOMORROW), stream[2].hour)
    month = sm.make_month([*stream[:3], handed, *stream[3:]], chain=Handing(4))
    report = sm.check(sm.build(sm.contents(month)))
    assert report.verdict is Verdict.CANNOT_DECIDE, report.findings
    assert failing(report) == {"C-SUITE"}


def test_a_replacement_by_a_key_of_tomorrow_is_not_decided() -> None:
    head = sm.sha256(sm.month().objects[2])
    order = replacement(2, head, certificate=der(TOMORROW))
    entry = order_entry(order, 2, replaces=True)
    month = sm.make_month(sm.items(), chain=Handing(3), between={3: entry})
    report = sm.check(sm.build(sm.contents(month, orders=[order])))
    assert failing(report) >= {"C-SUITE"}
    assert report.verdict is Verdict.CANNOT_DECIDE, report.findings
