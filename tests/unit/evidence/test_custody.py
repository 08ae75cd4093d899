"""Which key signs where: the rules of FORMAT.md "Keys", by hand and against a plain model."""

import datetime as dt
import itertools
from collections.abc import Sequence
from random import Random

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from evidence.custody import Change, GatewayKey, KeyFault, KeyRefusedError, StreamKeys, validity_ns
from evidence.errors import MalformedError, UnknownSuiteError
from evidence.keys import FileSigner, issue, key_id, key_sha256
from evidence.orders import Replace, Revoke
from tests.attacks.by_newer import P384, certificate, private
from tests.unit.evidence.small_plant import DAYS, PLANT, SECOND, SINCE, STREAM, keys, signer

ROOT = keys().certificates["root"]
FIRST, SECOND_KEY, THIRD = keys().gateway, signer(41), signer(42)
A, B, C = (key_sha256(k.public_key) for k in (FIRST, SECOND_KEY, THIRD))
D, E = (bytes([n]) * 32 for n in (4, 5))  # certified or not: that is another question
SINCE_NS = int(SINCE.timestamp()) * SECOND
DAY_NS = 86_400 * SECOND


def certified(by: FileSigner, since: dt.datetime = SINCE, days: int = DAYS) -> x509.Certificate:
    return issue(
        "gateway", PLANT, STREAM, by.public_key, issuer=(private(1), ROOT), not_before=since,
        days=days,
    )  # fmt: skip


def stream(*by: FileSigner, first: bytes | None = A) -> StreamKeys:
    made = StreamKeys()
    for one in by or (FIRST, SECOND_KEY, THIRD):
        made.certify(certified(one))
    if first is not None:
        made.begin(first)
    return made


def revoke(key: bytes, through: int | None) -> Revoke:
    return Revoke(PLANT, STREAM, key, through, "x")


def replace(seq: int, old: bytes) -> Replace:
    return Replace(PLANT, STREAM, old, b"", seq, bytes(32), 0, "x")


def fault(of: StreamKeys, seq: int, key: bytes, at_ns: int | None = None) -> KeyFault | None:
    try:
        of.check(seq, key[:8], at_ns)
    except KeyRefusedError as error:
        return error.fault
    return None


@pytest.mark.parametrize("told", list(itertools.permutations([(A, B), (B, C), (C, D)])))
def test_replaces_at_one_seq_follow_one_another_in_whatever_order_they_come(
    told: tuple[tuple[bytes, bytes], ...],
) -> None:
    """A device is lost, and the next two broke before they signed anything."""
    made = stream()
    for old, new in told:
        made.apply(replace(4, old), new)
    assert (made.current(4), made.current(5), made.current(99)) == (A, D, D)
    made.rotate(7, D, E)
    assert (made.current(7), made.current(8)) == (D, E)


def test_the_first_key_is_any_certified_one_and_then_the_only_one() -> None:
    fresh = stream(first=None)
    assert fresh.current(0) is None
    assert [fault(fresh, 0, key) for key in (A, B, C)] == [None] * 3
    assert fault(fresh, 0, bytes(32)) is KeyFault.UNKNOWN
    fresh.begin(B)
    assert [fault(fresh, 7, key) for key in (A, B, C)] == [KeyFault.CHANGED, None, KeyFault.CHANGED]


def test_a_rotate_object_is_the_last_of_the_old_key() -> None:
    made = stream()
    made.rotate(5, A, B)
    assert [fault(made, 5, key) for key in (A, B)] == [None, KeyFault.CHANGED]
    assert [fault(made, 6, key) for key in (A, B)] == [KeyFault.CHANGED, None]


def test_a_revoke_ends_a_key_after_an_object_or_for_all() -> None:
    made = stream()
    made.apply(revoke(A, 5))
    assert [fault(made, seq, A) for seq in (0, 5, 6)] == [None, None, KeyFault.REVOKED]
    made.apply(revoke(A, 9))  # a later order does not make it good again
    assert fault(made, 6, A) is KeyFault.REVOKED
    made.apply(revoke(A, None))
    assert fault(made, 0, A) is KeyFault.REVOKED


def test_a_replace_revokes_and_changes() -> None:
    made = stream()
    made.apply(replace(5, A), C)
    assert [fault(made, 5, key) for key in (A, C)] == [None, KeyFault.CHANGED]
    assert [fault(made, 6, key) for key in (A, C)] == [KeyFault.REVOKED, None]
    assert made.changes == [Change(5, A, C, by_order=True)]


def test_an_order_told_twice_counts_once_and_order_of_telling_does_not_matter() -> None:
    made = stream()
    made.apply(replace(9, B), C)
    made.rotate(5, A, B)
    made.apply(replace(9, B), C)
    assert [change.seq for change in made.changes] == [5, 9]
    assert [made.current(seq) for seq in (5, 6, 9, 10)] == [A, B, B, C]


def test_what_an_order_undoes_is_the_first_rotate_by_its_key_after_its_end() -> None:
    """A rotate after seq 3, a replace after 6, a rotate after 8: by A, by B, by C."""
    made = stream()
    made.rotate(3, A, B)
    made.apply(replace(6, B), C)
    made.rotate(8, C, D)
    first, last = (Change(*one, by_order=False) for one in ((3, A, B), (8, C, D)))
    undone = [(A, 2, first), (A, 3, None), (A, None, first), (B, 0, None), (B, None, None),
              (C, 7, last), (C, 8, None), (D, None, None)]  # fmt: skip
    assert [made.undone_by(revoke(key, seq)) for key, seq, _ in undone] == [c for *_, c in undone]
    assert made.undone_by(replace(8, C)) is None
    assert [seq for seq in range(12) if made.was_replaced(range(seq, seq + 1))] == [6]
    assert made.was_replaced(range(12))
    assert not made.was_replaced(range(7, 12))
    found = [made.find(key[:8]) for key in (A, B, C, D)]
    assert [None if one is None else one.sha256 for one in found] == [A, B, C, None]


def test_a_change_that_is_told_late_is_found_in_what_was_asked_before() -> None:
    made = stream()
    made.rotate(5, A, B)
    assert made.current(9) == B
    made.rotate(2, A, C)  # of before: so A did not sign at 5, and handed nothing to B
    assert [made.current(seq) for seq in (2, 3, 5, 6, 9)] == [A, C, C, C, C]
    assert [made.was_used(key) for key in (A, B, C)] == [True, False, True]


def test_a_key_was_used_once_it_was_handed_to_though_nobody_asked_who_signs() -> None:
    made = stream()
    made.rotate(5, A, B)
    assert [made.was_used(key) for key in (A, B, C)] == [True, True, False]


def test_a_replace_after_a_rotate_at_the_same_object_has_the_last_word() -> None:
    made = stream()
    made.apply(replace(5, A), C)
    made.rotate(5, A, B)
    assert made.current(6) == C


@pytest.mark.parametrize("through", [None, 5])
def test_what_a_key_hands_over_after_its_end_does_not_count_however_late_that_is_told(
    through: int | None,
) -> None:
    """Nor what the key hands over that got it; a new device goes on where the stream stands."""
    made = stream()
    made.rotate(6, A, B)
    made.rotate(8, B, C)
    assert [made.current(seq) for seq in (7, 9)] == [B, C]
    made.apply(revoke(A, through))
    assert [fault(made, 7, key) for key in (A, B)] == [KeyFault.REVOKED, KeyFault.CHANGED]
    assert [made.current(seq) for seq in (7, 9)] == [A, A]
    assert not made.was_used(B)
    made.apply(replace(11, A), C)
    assert fault(made, 12, C) is None


def test_a_key_that_is_revoked_from_its_rotate_object_on_has_handed_over() -> None:
    made = stream()
    made.rotate(6, A, B)
    made.apply(revoke(A, 6))
    assert [fault(made, seq, key) for seq, key in ((6, A), (7, B))] == [None, None]


def test_only_the_key_in_use_hands_over_and_only_to_one_the_stream_never_had() -> None:
    made = stream()
    assert [made.hands_over(4, old, new) for old, new in ((A, B), (B, C), (A, A))] == [
        True, False, False,
    ]  # fmt: skip
    made.rotate(4, A, B)
    made.rotate(6, B, A)
    made.rotate(7, A, C)
    assert made.current(9) == B
    made.apply(replace(9, B), A)  # the root may
    assert made.current(10) == A
    assert not made.hands_over(12, A, B)


@pytest.mark.parametrize(
    "told",
    [
        [(A, B), (A, C)], [(A, B), (D, C)], [(A, B), (B, A)], [(A, A)],
        [(A, B), (B, C), (C, B)], [(A, B), (A, C), (C, D)], [(A, B), (A, C), (C, A)],
    ],
)  # fmt: skip
def test_replaces_of_one_seq_that_contradict_each_other_give_the_stream_to_nobody(
    told: list[tuple[bytes, bytes]],
) -> None:
    for orders in itertools.permutations(told):
        made = stream()
        for old, new in orders:
            made.apply(replace(4, old), new)
        assert [made.current(seq) for seq in (4, 5)] == [A, A]


def test_a_key_counts_while_any_of_its_certificates_is_valid() -> None:
    """Two of them, with ten days between; both cut to the root's own 400 days."""
    made = StreamKeys()
    made.certify(certified(FIRST, days=10))
    made.certify(certified(FIRST, SINCE + dt.timedelta(days=20), 380))
    made.begin(A)
    days = {0: None, 10: None, 11: KeyFault.EXPIRED, 20: None, 400: None, 401: KeyFault.EXPIRED}
    assert {day: fault(made, 3, A, SINCE_NS + day * DAY_NS) for day in days} == days
    assert fault(made, 3, A, SINCE_NS - SECOND) is KeyFault.EXPIRED
    assert fault(made, 3, A, None) is None


def test_ends_of_validity_are_included() -> None:
    first, last = validity_ns(certified(FIRST, days=10))
    assert (first, last) == (SINCE_NS, SINCE_NS + 10 * DAY_NS)
    made = stream(first=A)
    assert fault(made, 0, A, first) is fault(made, 0, A, last) is None


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(-3, 9)), max_size=9))
def test_renewals_in_any_order_are_the_union_of_their_times(spans: list[tuple[int, int]]) -> None:
    key = GatewayKey(FIRST.public_key, A)
    for first, length in spans:
        key.renew(first, first + length)
    for at in range(-1, 52):
        wanted = any(first <= at <= first + length for first, length in spans)
        assert key.is_valid_at(at) == wanted
    ends = [at for span in key.valid_ns for at in span]
    assert ends == sorted(ends)


def test_two_keys_of_one_id_are_refused_and_an_unknown_suite_is_not_decided() -> None:
    made = stream()
    made._keys[key_id(signer(43).public_key)] = made._keys[A[:8]]
    with pytest.raises(MalformedError, match="two keys of this gateway have one key id"):
        made.certify(certified(signer(43)))
    with pytest.raises(UnknownSuiteError):
        made.certify(certificate("gateway", STREAM, P384.public_key()))


def test_refusals_are_sentences_with_the_key_in_them() -> None:
    made = stream()
    made.apply(revoke(B, None))
    for key, words in ((B, "is revoked for all objects"), (C, "signs where key"),
                       (bytes(32), "no certificate of this gateway holds key")):  # fmt: skip
        with pytest.raises(KeyRefusedError, match=words) as caught:
            made.check(0, key[:8], None)
        assert key[:8].hex() in str(caught.value)


_KEY = st.sampled_from([A, B, C])
_CHANGES = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), _KEY, _KEY), max_size=6,
    unique_by=lambda c: c[:2],
)  # fmt: skip


@given(_CHANGES, st.dictionaries(_KEY, st.integers(-1, 12)), st.randoms())
def test_any_order_of_telling_gives_what_a_plain_walk_gives(
    changes: Sequence[tuple[int, bool, bytes, bytes]], revoked: dict[bytes, int], random: Random
) -> None:
    made = stream()
    told: list[tuple[int, bool, bytes, bytes]] = list(changes)
    random.shuffle(told)
    for seq, by_order, old, new in told:
        made.current(seq)
        if by_order:
            made.apply(replace(seq, old), new)
        else:
            made.rotate(seq, old, new)
    for key, through in revoked.items():
        made.apply(revoke(key, None if through < 0 else through))
    good = dict(revoked)
    for seq, by_order, old, _ in changes:
        if by_order:
            good[old] = min(seq, good.get(old, 99))
    for seq in range(14):
        current, had = A, {A}
        for at, by_order, old, new in sorted(changes, key=lambda c: c[:2]):
            is_good = old != new if by_order else (
                old == current and at <= good.get(old, 99) and new not in had
            )  # fmt: skip
            if at < seq and is_good:
                current = new
                had.add(new)
        for key in (A, B, C):
            wanted = KeyFault.CHANGED if key != current else None
            wanted = KeyFault.REVOKED if seq > good.get(key, 99) else wanted
            assert fault(made, seq, key) is wanted


def test_a_gateway_has_a_thousand_keys_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is known may be renewed, as often as one likes."""
    monkeypatch.setattr("evidence.custody.KEYS_MAX", 2)
    one, two, three = (certified(signer(seed)) for seed in (61, 62, 63))
    of = StreamKeys()
    for made in (one, two, one):
        of.certify(made)
    with pytest.raises(MalformedError, match="has 2 keys already"):
        of.certify(three)
