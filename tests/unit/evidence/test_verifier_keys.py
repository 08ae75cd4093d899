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

from evidence.findings import Finding, Report, Verdict
from evidence.frame import TYP_FRAME, TYP_ROTATE
from evidence.keys import FileSigner, key_sha256
from evidence.orders import encode_rotate
from tests.attacks.by_keys import (
    Changing,
    certificate,
    der,
    month,
    order_entry,
    replacement,
    revoke,
    rotated,
)
from tests.attacks.by_newer import P384
from tests.attacks.by_newer import certificate as foreign
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import signer
from tests.unit.evidence.two_months import (
    CERTIFICATES,
    FIRST,
    NEXT,
    Two,
    archive,
    july,
    june,
    two_months,
)


def archived(two: Two, orders: Sequence[bytes]) -> Report:
    """What is found in July's archive."""
    return sm.check(archive(two, orders))


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
    found = about_keys(report)
    assert "E-ORDER" not in found
    places = {finding.where for finding in found["E-KEY-CHANGE"]}
    assert places >= {f"edge-1 seq {seq}" for seq in range(7, 12)}


def test_after_such_a_revocation_a_replace_order_lets_the_next_device_go_on() -> None:
    """The rotate object of June stays in the archives of all later months, and fails none."""
    ended, chain = revoke(5), june()
    rotate = chain.sign(TYP_ROTATE, encode_rotate(CERTIFICATES[1]))
    order = replacement(6, sm.sha256(rotate), certificate=der(CERTIFICATES[1]))
    entries = [order_entry(ended, 5)(8), order_entry(order, 6, replaces=True)(9)]
    report = archived(july(chain, NEXT, entries), [rotate, ended, order])
    assert report.verdict is Verdict.PASSED, report.findings


def test_the_first_object_of_a_new_device_follows_the_head_that_its_order_names() -> None:
    """June ends with the lost device, July begins with the new one: neither log shows both."""
    chain = june()
    order = replacement(5, bytes(range(32)), certificate=der(CERTIFICATES[1]))
    two = july(chain, NEXT, [order_entry(order, 5, replaces=True)(7)])
    report = archived(two, [order])
    assert failing(report) == {"E-ORDER"}
    assert [f.where for f in about_keys(report)["E-ORDER"]] == ["edge-1 seq 6"]


def test_a_replacement_in_an_earlier_month() -> None:
    """June ends at seq 5 with a lost device; an order lets the new one sign from seq 6 on."""
    chain = june()
    order = replacement(5, sm.sha256(chain.objects[5]), certificate=der(CERTIFICATES[1]))
    two = july(chain, NEXT, [order_entry(order, 5, replaces=True)(7)])
    passed = archived(two, [order])
    assert passed.verdict is Verdict.PASSED, passed.findings
    assert [f.where for f in about_keys(passed)["N-KEY"]] == ["edge-1 seq 5"]
    assert failing(archived(two, [])) == {"E-KEY-CHANGE"}


def test_a_new_device_that_has_signed_one_object_is_told() -> None:
    """The archive's last: seq 5 of 0 to 5. The lost one's newest is the last that it may sign."""

    class Replaced(sm.Chain):
        def sign(self, *args: Any, **fields: Any) -> bytes:
            self.by = FIRST if len(self.objects) < 5 else NEXT
            return super().sign(*args, **fields)

    order = replacement(4, sm.sha256(sm.month().objects[4]), certificate=der(CERTIFICATES[1]))
    entry = order_entry(order, 4, replaces=True)
    month = sm.make_month(sm.items(), chain=Replaced(FIRST), between={5: entry})
    assert len(month.objects) == 6
    report = sm.check(sm.build(sm.contents(month, orders=[order])))
    assert report.verdict is Verdict.PASSED, report.findings
    old, new = (key_sha256(by.public_key).hex()[:16] for by in (FIRST, NEXT))
    assert [(f.where, f.sentence) for f in about_keys(report)["N-KEY"]] == [
        ("edge-1 seq 4", f"By order of the root key {new} of a new device follows key {old}.")
    ]
    assert [f.sentence for f in about_keys(report)["W-KEY-REVOKED"]] == [
        f"Key {old} signed objects here and is revoked after seq 4; these are before."
    ]


def test_a_rotate_among_the_objects_is_told_by_both_keys() -> None:
    build = month(rotated(3), chain=lambda: Changing(4), certificates=CERTIFICATES)
    (told,) = about_keys(sm.check(build()))["N-KEY"]
    old, new = (key_sha256(by.public_key).hex()[:16] for by in (FIRST, NEXT))
    assert (told.where, told.sentence) == ("edge-1 seq 3", f"Key {old} handed over to key {new}.")


@pytest.mark.parametrize(
    ("through", "is_told", "is_revoked"), [(None, True, False), (3, True, False), (2, False, True)]
)
def test_a_rotate_to_a_key_that_the_stream_had_is_told_where_its_signer_counts(
    through: int | None, is_told: bool, is_revoked: bool
) -> None:
    """Seq 3 hands over to the key that signs it, which may sign up to `through`; None: no order."""
    stream = rotated(3, encode_rotate(CERTIFICATES[0]))
    order = revoke(through)
    entries = {} if through is None else {3: order_entry(order, through)}
    orders = [] if through is None else [order]
    found = about_keys(sm.check(month(stream, orders=orders, between=entries)()))
    key = key_sha256(FIRST.public_key).hex()[:16]
    changes = [(f.where, f.sentence) for f in found.get("E-KEY-CHANGE", [])]
    had = f"It hands over to key {key}, which the stream had before."
    assert changes == [("edge-1 seq 3", had)] * is_told
    revoked_at = {f.where for f in found.get("E-KEY-REVOKED", [])}
    assert ("edge-1 seq 3" in revoked_at) == is_revoked
    assert ("edge-1 seq 4" in revoked_at) == (through is not None)


@pytest.mark.parametrize(
    ("many", "is_new", "found"), [(1, True, []), (1, False, [6]), (2, True, [7])]
)
def test_a_new_devices_first_configuration_need_name_none(
    many: int, is_new: bool, found: list[int]
) -> None:
    """FORMAT.md §2, cfg: absent before the stream's first and after a replace order alone."""
    order = replacement(5, sm.sha256(sm.month().objects[5]), certificate=der(CERTIFICATES[1]))
    own = dataclasses.replace(sm.items()[0], hour=sm.items()[-1].hour, fields={"cfg": None})
    made = sm.make_month(
        [*sm.items(), *[own] * many],
        chain=Changing(6) if is_new else sm.Chain(FIRST),
        between={6: order_entry(order, 5, replaces=True)} if is_new else None,
    )
    configs = {sm.sha256(made.objects[seq]): made.objects[seq] for seq in (0, *range(6, 6 + many))}
    orders = [order] if is_new else []
    report = sm.check(sm.build(sm.contents(made, orders=orders, configs=configs)))
    wrong = [(f.code, f.where) for f in report.findings if f.code[0] in "EC"]
    assert wrong == [("E-CFG", f"edge-1 seq {seq}") for seq in found]


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
