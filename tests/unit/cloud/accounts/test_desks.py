"""Signing in, sessions, links, tokens and the file they are kept in, by a clock that is set."""

from collections.abc import Callable

import pytest

from cloud.accounts import people, sign_in
from cloud.accounts.errors import AccountError
from cloud.accounts.roles import COLLECTOR, PROGRAM, Profile, Right
from cloud.accounts.rows import ABSOLUTE_NS, IDLE_NS, LINK_NS, OVERLAP_NS, TURN_NS, sha256
from tests.unit.cloud.accounts.people_examples import MINUTE, NS, PASSWORD, SECURITY, Town

OTHER = "quarry vellum insect"


def refused(call: Callable[..., object], *args: object, **more: object) -> str:
    with pytest.raises(AccountError) as caught:
        call(*args, **more)
    return caught.value.key


def test_a_link_makes_an_account_once_and_its_codes_count_once(town: Town) -> None:
    secret = town.invite("operator")
    desk = town.accounts.people
    assert refused(desk.accept, secret, "short", town.code("operator")) == "password-short"
    assert refused(desk.accept, secret, PASSWORD, "000000") == "wrong-code"
    assert refused(town.sign_in, "operator") == "wrong"  # nobody yet
    code = town.code("operator")
    done = desk.accept(secret, PASSWORD, code)
    assert done.principal.account == "operator"
    assert refused(desk.accept, secret, PASSWORD, code) == "link"
    assert refused(desk.invited, secret) == "link"
    assert refused(town.sign_in, "operator") == "wrong"  # this code was used by the link
    town.clock.now_ns += 30 * NS
    assert town.sign_in("operator").principal.account == "operator"
    assert refused(town.sign_in, "operator") == "wrong"
    assert town.events() == [
        "invited", "link-refused", "sign-in-refused", "link-used", "sign-in-refused", "sign-in",
        "sign-in-refused",
    ]  # fmt: skip


def test_a_link_is_for_two_days_and_the_next_one_ends_it(town: Town) -> None:
    first = town.invite("operator")
    second = town.renew("operator")
    assert refused(town.accounts.people.invited, first) == "link"
    town.clock.now_ns += LINK_NS - 1
    assert town.accounts.people.invited(second).account.id == "operator"
    town.clock.now_ns += 1
    assert refused(town.accounts.people.invited, second) == "link"


def test_a_new_link_replaces_password_second_factor_sessions_and_tokens(town: Town) -> None:
    old = town.join("operator")
    token = town.accounts.tokens.make(old.principal, "scripts", ["see"], 30)
    secret = town.renew("operator")
    assert town.accounts.sign_in.by_cookie(old.cookie)[0] is not None  # goes on until it is used
    town.accounts.people.accept(secret, OTHER, town.code("operator"))
    assert town.accounts.sign_in.by_cookie(old.cookie) == (None, "")
    assert town.accounts.sign_in.by_token(token) is None
    town.clock.now_ns += 30 * NS
    assert refused(town.sign_in, "operator") == "wrong"
    assert town.sign_in("operator", OTHER).principal.account == "operator"


@pytest.mark.parametrize(
    ("ident", "password", "code"),
    [
        ("operator", "another one", None),
        ("operator", PASSWORD, "123"),
        ("operator", "", None),
        ("operator", "x" * 10_000, None),
        ("nobody", PASSWORD, None),
        ("Not An Id", PASSWORD, None),
        ("", "", ""),
    ],
)
def test_whatever_is_wrong_is_told_alike(
    town: Town, ident: str, password: str, code: str | None
) -> None:
    town.join("operator")
    given = town.code("operator") if code is None else code
    assert refused(town.accounts.sign_in.sign_in, ident, password, given) == "wrong"
    row = town.accounts.people.log_rows()[-1]
    assert (row.event, row.account) == ("sign-in-refused", ident if ident == "operator" else "")
    assert not ident or ident == "operator" or ident not in str(vars(row))


def test_who_guesses_waits_and_locks_nobody_out_who_was_here_before(town: Town) -> None:
    known, other = town.join("operator"), town.join("engineer")
    desk = town.accounts.sign_in
    for _ in range(5):
        assert refused(town.sign_in, "operator", "guessed wrong", address="10.0.0.9") == "wrong"
    for _ in range(3):  # not even the right one, and waiting is not made longer by trying
        assert refused(town.sign_in, "operator", address="10.0.0.9") == "wait"
    # somebody else's browser is a stranger to this account
    assert refused(town.sign_in, "operator", device=other.device) == "wait"
    assert town.sign_in("operator", device=known.device).principal.account == "operator"
    town.clock.now_ns += 30 * NS  # a stranger with both factors, once the pause is over
    assert town.sign_in("operator").principal.account == "operator"
    assert desk.sessions(known.principal) != []
    # a stolen browser has its own pause, and keeps out no other
    town.clock.now_ns += 30 * NS
    for _ in range(5):
        assert refused(town.sign_in, "operator", "no", device=known.device) == "wrong"
    assert refused(town.sign_in, "operator", device=known.device) == "wait"
    assert town.sign_in("operator").principal.account == "operator"


def test_an_attack_that_never_ends_is_passed_by_a_new_link(town: Town) -> None:
    town.join("operator")
    for _ in range(100):
        with pytest.raises(AccountError):
            town.sign_in("operator", "guess")
        town.clock.now_ns += 10 * NS
    secret = town.renew("operator")
    done = town.accounts.people.accept(secret, OTHER, town.code("operator"))
    town.clock.now_ns += 30 * NS
    with pytest.raises(AccountError):
        town.sign_in("operator", "guess")
    assert town.sign_in("operator", OTHER, device=done.device).principal.account == "operator"


def test_ids_of_nobody_wait_like_others(town: Town) -> None:
    keys = [refused(town.sign_in, "nobody") for _ in range(6)]
    assert keys == ["wrong"] * 5 + ["wait"]


def test_no_id_waits_because_of_another_that_nobody_has(town: Town) -> None:
    """By SHA-256 anybody could choose one that shared its lane: somebody's id never waited so."""
    lane = sha256("nobody")[:2]
    other = next(one for one in map(str, range(9_999)) if sha256(one)[:2] == lane)
    for _ in range(5):
        assert refused(town.sign_in, other) == "wrong"
    assert refused(town.sign_in, other) == "wait"
    assert refused(town.sign_in, "nobody") == "wrong"


def test_only_so_many_passwords_are_hashed_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = town.join("operator")
    strangers = town.accounts.sign_in._strangers
    for _ in range(sign_in.HASHING):
        assert strangers.acquire(blocking=False)
    assert refused(town.sign_in, "operator") == "busy"
    assert town.sign_in("operator", device=known.device).cookie
    strangers.release()
    town.clock.now_ns += 30 * NS
    assert town.sign_in("operator").cookie


def test_a_session_ends_when_left_alone_and_in_any_case(town: Town) -> None:
    desk = town.accounts.sign_in
    cookie = town.join("operator").cookie
    town.clock.now_ns += IDLE_NS - 1 - 30 * NS
    who, cookie = turned(town, cookie)
    town.clock.now_ns += IDLE_NS - 1
    assert desk.by_cookie(cookie)[0] is not None
    town.clock.now_ns += IDLE_NS
    assert desk.by_cookie(cookie) == (None, "")
    assert not desk.is_open(who)

    busy = town.sign_in("operator")
    cookie, began = busy.cookie, town.clock.now_ns
    while town.clock.now_ns < began + ABSOLUTE_NS - 10 * MINUTE:
        town.clock.now_ns += 10 * MINUTE
        _, cookie = turned(town, cookie)
    assert desk.is_open(busy.principal.session)
    town.clock.now_ns = began + ABSOLUTE_NS
    assert desk.by_cookie(cookie) == (None, "")
    assert not desk.is_open(busy.principal.session)


def turned(town: Town, cookie: str) -> tuple[str, str]:
    """(the session, the cookie's value from now on)."""
    who, new = town.accounts.sign_in.by_cookie(cookie)
    assert who is not None
    if new:
        assert town.accounts.sign_in.by_cookie(new)[0] == who  # seen
    return who.session, new or cookie


def test_an_open_live_page_outlives_idleness_but_is_no_use_of_the_session(town: Town) -> None:
    desk, done = town.accounts.sign_in, town.join("operator")
    for _ in range(4):
        town.clock.now_ns += 10 * MINUTE
        assert desk.is_open(done.principal.session)
    assert desk.by_cookie(done.cookie) == (None, "")


def test_a_cookie_is_replaced_and_a_copy_of_the_old_one_ends_the_session(town: Town) -> None:
    desk = town.accounts.sign_in
    first = town.join("operator").cookie
    town.clock.now_ns += TURN_NS
    who, second = desk.by_cookie(first)
    assert second not in ("", first)
    # requests under way, and an answer that was lost: the old one goes on
    assert desk.by_cookie(first) == (who, "")
    assert desk.by_cookie(second) == (who, "")
    town.clock.now_ns += OVERLAP_NS - 1
    assert desk.by_cookie(first) == (who, "")
    town.clock.now_ns += 1
    assert desk.by_cookie(first, "10.6.6.6") == (None, "")
    assert desk.by_cookie(second) == (None, "")
    row = town.accounts.people.log_rows()[-1]
    assert (row.event, row.account, row.address) == ("cookie-replayed", "operator", "10.6.6.6")


def test_a_new_value_that_never_arrived_is_given_again(town: Town) -> None:
    desk = town.accounts.sign_in
    first = town.join("operator").cookie
    town.clock.now_ns += TURN_NS
    _, lost = desk.by_cookie(first)
    town.clock.now_ns += OVERLAP_NS
    who, second = desk.by_cookie(first)
    assert who is not None
    assert second not in ("", lost, first)
    assert desk.by_cookie(lost) == (None, "")
    assert desk.by_cookie(second) == (who, "")
    assert desk.by_cookie(first, turns=False) == (who, "")


def test_sessions_and_browsers_are_so_many(town: Town) -> None:
    first = town.join("operator")
    for _ in range(sign_in.SESSIONS_MAX):
        last = town.sign_in("operator")
        town.clock.now_ns += 30 * NS
    desk = town.accounts.sign_in
    assert len(desk.sessions(last.principal)) == sign_in.SESSIONS_MAX
    assert desk.by_cookie(first.cookie) == (None, "")
    assert desk.end_others(last.principal) == sign_in.SESSIONS_MAX - 1
    assert [row.id for row in desk.sessions(last.principal)] == [last.principal.session]
    desk.sign_out(last.principal)
    assert desk.by_cookie(last.cookie) == (None, "")


def test_a_token_is_its_owners_until_it_ends(town: Town) -> None:
    who = town.join("accountant").principal
    desk, by_token = town.accounts.tokens, town.accounts.sign_in.by_token
    token = desk.make(who, "month's script", ["months", "see"], 1)
    found = by_token(token)
    assert found is not None
    assert (found.account, found.rights) == ("accountant", {Right.MONTHS, Right.SEE})
    for wrong in ("", "sp_", token[:-1], token + "x", token.upper(), token.replace("sp_", "")):
        assert by_token(wrong) is None
    assert refused(desk.make, who, "x", ["system"], 1) == "token-scopes"
    assert refused(desk.make, who, "x", ["own"], 1) == "token-scopes"
    assert refused(desk.make, who, "x", [], 1) == "token-scopes"
    assert refused(desk.make, who, "x", ["see"], 366) == "token-days"
    assert refused(desk.make, who, "a\nb", ["see"], 1) == "text"
    (row,) = desk.tokens(who)
    other = town.join("engineer").principal
    assert refused(desk.end, other, row.id) == "token"
    town.clock.now_ns = row.until_ns - 1
    assert by_token(token) is not None
    town.clock.now_ns += 1
    assert by_token(token) is None
    for n in range(20):
        desk.make(who, f"token {n}", ["see"], 1)
    assert refused(desk.make, who, "one more", ["see"], 1) == "token-many"
    desk.end(who, desk.tokens(who)[0].id)
    assert len(desk.tokens(who)) == 19


def test_another_role_and_an_end_end_everything_at_once(town: Town) -> None:
    done = town.join("operator")
    token = town.accounts.tokens.make(done.principal, "scripts", ["see"], 30)
    desk = town.accounts.people
    desk.change(SECURITY, "operator", Profile("reviewer", "37"))
    assert town.accounts.sign_in.by_cookie(done.cookie) == (None, "")
    assert town.accounts.sign_in.by_token(token) is None
    assert desk.log_rows()[-1].detail == "role=operator plants=mini -> role=reviewer region=37"
    again = town.sign_in("operator")
    assert again.principal.region == "37"
    desk.end(SECURITY, "operator")
    assert town.accounts.sign_in.by_cookie(again.cookie) == (None, "")
    town.clock.now_ns += 30 * NS
    assert refused(town.sign_in, "operator") == "wrong"
    assert refused(desk.renew, SECURITY, "operator") == "nobody"
    assert refused(desk.end, SECURITY, "operator") == "nobody"
    assert refused(town.invite, "operator") == "id-taken"


def test_nobody_changes_themselves_and_the_machine_invites_administrators_only(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = town.join("security").principal
    desk = town.accounts.people
    assert refused(desk.end, chief, "security") == "own"
    assert refused(desk.change, chief, "security", Profile("accountant", plants=("*",))) == "own"
    operator = "ann", "Ann", "Example Ltd", Profile("operator", plants=("*",))
    assert refused(desk.invite, PROGRAM, *operator) == "administrators-only"
    desk.invite(chief, *operator)
    assert refused(desk.renew, PROGRAM, "ann") == "administrators-only"
    assert desk.renew(PROGRAM, "security")
    unknown = "bob", "Bob", "Example Ltd", Profile("operator", plants=("mini", "moon"))
    assert refused(desk.invite, chief, *unknown) == "plants-unknown"
    for ident in (COLLECTOR, "Ann", ""):
        assert refused(desk.invite, chief, ident, "A", "B", Profile("audit")) == "id"
    monkeypatch.setattr(people, "ACCOUNTS_MAX", 2)
    assert refused(desk.invite, chief, "carl", "C", "D", Profile("audit")) == "too-many"


def test_another_password_ends_the_other_sessions(town: Town) -> None:
    old = town.join("operator")
    here = town.sign_in("operator").principal
    desk = town.accounts
    assert refused(desk.sign_in.check_own, here, "not it") == "wrong-password"
    for _ in range(6):  # whoever guesses at the door keeps nobody from this
        with pytest.raises(AccountError):
            town.sign_in("operator", "guess")
    desk.sign_in.check_own(here, PASSWORD)
    assert refused(desk.people.change_password, here, "password1234") == "password-common"
    desk.people.change_password(here, OTHER)
    assert desk.sign_in.by_cookie(old.cookie) == (None, "")
    assert [row.id for row in desk.sign_in.sessions(here)] == [here.session]
    assert town.events()[-1] == "password-changed"
