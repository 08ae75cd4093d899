"""Tries that one address has, whichever accounts it names."""

import pytest

from cloud.accounts import addresses
from cloud.accounts.addresses import ADDRESSES_MAX, EVERY_NS, FREE, AddressTries
from tests.unit.cloud.accounts.people_examples import Town
from tests.unit.cloud.accounts.test_desks import refused

S = 1_000_000_000
NOW = 1_790_000_000 * S


def used_up(address: str, now_ns: int = NOW) -> AddressTries:
    tries = AddressTries()
    assert [tries.take(address, now_ns) for _ in range(20)] == [0] * 20
    return tries


def test_twenty_at_once_then_one_in_three_minutes() -> None:
    tries = used_up("192.0.2.1")
    assert tries.take("192.0.2.1", NOW) == 180 * S
    assert tries.take("192.0.2.1", NOW + 179 * S) == 1 * S
    assert tries.take("192.0.2.1", NOW + 180 * S) == 0
    assert tries.take("192.0.2.1", NOW + 180 * S) == 180 * S, "waiting earned one, not twenty"
    later = NOW + (180 + 20 * 180) * S
    assert [tries.take("192.0.2.1", later) for _ in range(21)] == [0] * 20 + [180 * S]


def test_a_right_one_is_given_back() -> None:
    tries = AddressTries()
    for _ in range(100):
        assert tries.take("192.0.2.1", NOW) == 0
        tries.give_back("192.0.2.1")
    tries.give_back("192.0.2.2")
    assert [tries.take("192.0.2.1", NOW) for _ in range(21)] == [0] * 20 + [180 * S]
    assert [tries.take("192.0.2.2", NOW) for _ in range(21)] == [0] * 20 + [180 * S]


def test_a_clock_that_is_set_back_lengthens_no_waiting() -> None:
    tries = used_up("192.0.2.1")
    assert tries.take("192.0.2.1", NOW - 86_400 * S) == 180 * S


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # RFC 4291: a /64 is one network
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("unix:", "testclient", False),
        ("", "192.0.2.1", False),
    ],
)
def test_which_addresses_are_one(one: str, other: str, is_one: bool) -> None:
    assert (used_up(one).take(other, NOW) > 0) is is_one


def test_memory_is_bounded_and_who_tried_longest_ago_is_forgotten() -> None:
    tries = used_up("192.0.2.1")
    for n in range(ADDRESSES_MAX):
        tries.take(f"198.18.{n >> 8}.{n & 255}", NOW)
    assert len(tries) == ADDRESSES_MAX
    assert tries.take("192.0.2.1", NOW) == 0


def test_a_password_tried_at_every_account_ends_and_known_browsers_go_on(town: Town) -> None:
    known = town.join("operator")
    town.join("engineer")
    for n in range(FREE):
        assert refused(town.sign_in, f"person-{n}", address="192.0.2.1") == "wrong"
    # right or wrong, of somebody or of nobody
    for who in ("engineer", "nobody"):
        assert refused(town.sign_in, who, address="192.0.2.1") == "wait-address"
    assert town.accounts.people.log_rows()[-1].detail == "address has to wait"
    done = town.sign_in("operator", address="192.0.2.1", device=known.device)
    assert done.principal.account == "operator"
    assert town.sign_in("engineer", address="192.0.2.2").principal.account == "engineer"
    town.clock.now_ns += EVERY_NS
    assert town.sign_in("engineer", address="192.0.2.1").principal.account == "engineer"


def test_people_who_share_an_address_sign_in_one_after_the_other(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.join("operator")
    monkeypatch.setattr(addresses, "FREE", 1)
    for _ in range(3):
        town.clock.now_ns += 30 * S
        assert town.sign_in("operator", address="192.0.2.1").principal.account == "operator"
