"""Codes, passwords, waiting and the security log's rows: the parts that do no I/O."""

import inspect
import json
import re
import unicodedata

import pytest

from cloud.accounts import passwords, sign_in, totp
from cloud.accounts.errors import AccountError
from cloud.accounts.passwords import LENGTH_MAX, check_password, hash_password, is_password
from cloud.accounts.roles import (
    ADMINISTRATORS,
    ROLES,
    TOKEN_RIGHTS,
    Profile,
    Right,
    check_id,
    check_profile,
    check_text,
    principal,
)
from cloud.accounts.security_log import (
    AT_ONCE,
    EVERY_NS,
    Budget,
    Event,
    LogRow,
    broken_at,
    chained,
    syslog_line,
)
from cloud.accounts.totp import address, code_of, matching_step, shown_key
from cloud.accounts.waiting import FREE, NOBODYS_LANES, Lane, lane_of
from cloud.api import guard, security

S = 1_000_000_000
RFC_KEY = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),  # RFC 6238 appendix B, SHA-1, 8 digits
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"),
        (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238(at_s: int, code: str) -> None:
    assert code_of(RFC_KEY, at_s // 30, digits=8) == code
    assert matching_step(RFC_KEY, code[2:], at_s, 0) == at_s // 30


def test_codes_are_those_of_rfc_4226() -> None:
    # appendix D
    codes = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"
    assert [code_of(RFC_KEY, step) for step in range(10)] == codes.split()


def test_a_code_counts_once_and_one_step_around_now() -> None:
    at_s = 1111111111  # step 37037037
    step = at_s // 30
    for off, found in ((-2, None), (-1, step - 1), (0, step), (1, step + 1), (2, None)):
        assert matching_step(RFC_KEY, code_of(RFC_KEY, step + off), at_s, 0) == found
    now = code_of(RFC_KEY, step)
    assert matching_step(RFC_KEY, f" {now[:3]} {now[3:]}\n", at_s, step - 1) == step
    assert matching_step(RFC_KEY, now, at_s, step) is None
    assert matching_step(RFC_KEY, code_of(RFC_KEY, step - 1), at_s, step) is None
    for junk in ("", "0", now + "0", "０５０４７１", "é"):
        assert matching_step(RFC_KEY, junk, at_s, 0) is None


def test_the_key_is_shown_as_apps_take_it() -> None:
    # RFC 4648: base32 of the RFC's key is GEZDGNBVGY3TQOJQ twice
    assert shown_key(RFC_KEY) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert address(RFC_KEY, "ann", "c.example") == (
        "otpauth://totp/Stackproof%20c.example%3Aann"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stackproof%20c.example"
    )


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("", "password-short"),
        ("elevenchars", "password-short"),
        ("x" * (LENGTH_MAX + 1), "password-long"),
        ("password1234", "password-common"),
        ("P@ssw0rd2026!", "password-common"),
        ("PA55W0RDPA55W0RD", "password-common"),
        ("qwertyuiopas", "password-common"),
        ("1qaz2wsx3edc", "password-common"),
        ("poiuytrewq12", "password-common"),
        ("123456789012", "password-common"),
        ("aaaaaaaaaaaaaaaa", "password-common"),
        ("abcabcabcabcabc", "password-common"),
        ("woaini520520", "password-common"),
        ("Ann Example 2026", "password-common"),
        ("SmelterWorks1!", "password-common"),
        ("stackproof-collector", "password-common"),
        ("plover mast yonder", None),
        ("gravel-ozone-thimble", None),
        ("Zx9!kQ2#mW7$", None),
        ("铝电解槽夜里很安静也很热", None),
    ],
)
def test_which_passwords_are_taken(password: str, key: str | None) -> None:
    about = ("ann-example", "Ann Example", "Smelter Works Ltd")
    if key is None:
        check_password(password, about)
        return
    with pytest.raises(AccountError) as caught:
        check_password(password, about)
    assert caught.value.key == key


def test_passwords_are_kept_by_argon2id_with_their_own_salt() -> None:
    kept = hash_password("plover mast yonder")
    assert re.fullmatch(r"\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{22}\$.{43}", kept)
    assert is_password("plover mast yonder", kept)
    assert not is_password("plover mast yondeR", kept)
    assert hash_password("plover mast yonder") != kept
    decomposed = unicodedata.normalize("NFD", "pléiade mâtée")
    assert is_password(decomposed, hash_password("pléiade mâtée"))
    # test.c of the reference implementation (phc-winner-argon2 20190702)
    reference = (
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
    )
    assert is_password("password", reference)
    assert not is_password("differentpassword", reference)


def test_waiting_grows_ends_and_is_forgotten() -> None:
    lane = Lane("ann/", "ann")
    waits = []
    for n in range(FREE + 8):
        assert lane.pause_ns(n) == 0 or lane.tries >= FREE
        lane = lane.after_try(0)
        waits.append(lane.pause_ns(0) // S)
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]
    assert lane.pause_ns(899 * S) == S
    assert lane.pause_ns(900 * S) == 0
    assert lane.pause_ns(-86_400 * S) == 900 * S  # a clock set back: no longer than the pause
    assert lane.after_try(86_400 * S).tries == FREE + 9
    assert lane.after_try(86_401 * S).tries == 1


def test_lanes_of_nobody_are_few_and_look_like_others() -> None:
    lanes = {lane_of(f"guess-{n}", "", is_known=False) for n in range(5_000)}
    # of 5,000 draws among 65,536 some 190 meet another: 5,000 squared / (2 * 65,536)
    assert 4_600 < len(lanes) < 5_000
    assert max(int(lane.removeprefix("?")) for lane in lanes) < NOBODYS_LANES
    assert lane_of("guess-1", "", is_known=False) == lane_of("guess-1", "", is_known=False)
    assert lane_of("ann", "", is_known=True) == "ann/"
    assert Lane(lane_of("ann", "b1", is_known=True), "ann").is_browser
    assert not Lane("ann/", "ann").is_browser
    assert not Lane("?7", "").is_browser


def test_administrators_are_three_and_change_no_record() -> None:
    changing = {Right.MONTHS}
    for role in ADMINISTRATORS:
        assert not ROLES[role] & changing
    reading = {Right.OWN, Right.EVIDENCE, Right.RECORDS, Right.SAMPLES, Right.PEOPLE}
    own = [ROLES[role] - reading for role in ADMINISTRATORS]
    # what security may sign is who may sign (evidence/RECORDS.md "Kinds")
    assert own == [{Right.SYSTEM}, {Right.ACCOUNTS, Right.SIGN}, {Right.SECURITY_LOG}]
    assert TOKEN_RIGHTS & {Right.OWN, Right.ACCOUNTS, Right.ADMINISTRATORS} == set()
    documents = "operator, engineer, accountant, laboratory, reviewer, system, security, audit"
    assert list(ROLES) == documents.split(", ")  # evidence/RECORDS.md


@pytest.mark.parametrize(
    ("region", "seen"),  # GB/T 2260: 37 Shandong, 3707 Weifang, 370700, 3713 Linyi
    [
        ("", ["370700", "371300", "130200", "37", ""]),
        ("37", ["370700", "371300", "37"]),
        ("3707", ["370700"]),
        ("370700", ["370700"]),
        ("13", ["130200"]),
    ],
)
def test_reviewers_see_their_region_and_nothing_without_one(region: str, seen: list[str]) -> None:
    who = principal("rev", Profile("reviewer", region))
    assert [r for r in ("370700", "371300", "130200", "37", "") if who.sees("p", r)] == seen


def test_people_of_a_works_see_their_plants_whatever_the_region() -> None:
    who = principal("op", Profile("operator", plants=("mini", "maxi")))
    assert [p for p in ("mini", "maxi", "other", "*") if who.sees(p, "370700")] == ["mini", "maxi"]
    assert principal("op", Profile("operator", plants=("*",))).sees("any", "")
    token = principal("acc", Profile("accountant", plants=("mini",)), ["months", "security-log"])
    assert token.rights == {Right.MONTHS}  # never more than its owner


@pytest.mark.parametrize(
    ("profile", "key"),
    [
        (Profile("operator", plants=("*",)), None),
        (Profile("laboratory", plants=("mini",)), None),
        (Profile("reviewer"), None),
        (Profile("reviewer", "3707"), None),
        (Profile("security"), None),
        (Profile("root"), "role"),
        (Profile("reviewer", "370"), "region"),
        (Profile("reviewer", "37070012"), "region"),
        (Profile("reviewer", "３７"), "region"),
        (Profile("engineer", "37", ("mini",)), "region-of-reviewers"),
        (Profile("engineer"), "plants-missing"),
        (Profile("reviewer", "37", ("mini",)), "plants-not-of-role"),
        (Profile("audit", plants=("*",)), "plants-not-of-role"),
        (Profile("operator", plants=("A_B",)), "plants"),
        (Profile("operator", plants=("mini",) * 1001), "plants"),
    ],
)
def test_what_an_account_may_be_for(profile: Profile, key: str | None) -> None:
    if key is None:
        check_profile(profile)
        return
    with pytest.raises(AccountError) as caught:
        check_profile(profile)
    assert caught.value.key == key


def test_ids_and_names() -> None:
    for good in ("a", "li-wei-2", "x" * 40):
        check_id(good)
    for bad in ("", "collector", "Ann", "a b", "x" * 41, "é", "a\n"):
        with pytest.raises(AccountError):
            check_id(bad)
    check_text("李伟, 铝业")
    for bad in ("", " ", "a\nb", "x" * 201, "a\u202eb", "\ufeffa", "a\x00"):
        with pytest.raises(AccountError):
            check_text(bad)


def rows(count: int) -> list[LogRow]:
    made: list[LogRow] = []
    for n in range(1, count + 1):
        before = made[-1].hash if made else ""
        made.append(chained(before, n, n * S, Event("sign-in", "ann", "ann", "10.0.0.1")))
    return made


def test_the_log_is_a_chain_and_every_change_in_it_shows() -> None:
    good = rows(4)
    assert broken_at(good) is None
    assert broken_at(good[2:]) is None  # the oldest were dropped after their time
    for field, value in (("detail", "x"), ("account", "bob"), ("at_ns", 1), ("event", "ended")):
        bent = LogRow(**{**vars(good[1]), field: value})
        assert broken_at([good[0], bent, *good[2:]]) == 2
    assert broken_at([good[0], good[2], good[3]]) == 3
    assert broken_at([good[0], good[2], good[1]]) == 3


def test_a_row_is_a_line_of_rfc_5424() -> None:
    event = Event("sign-in-refused", "ann", "", "10.0.0.1", 'try 3 "]\n李')
    line = syslog_line(chained("", 7, 1_790_000_000_123_456_789, event), "col lector-1")
    # 10 (authpriv) * 8 + 4 (warning); a sign-in is 6 (informational)
    head = r"<84>1 2026-09-21T14:13:20\.123456Z collector-1 stackproof - sign-in-refused "
    found = re.fullmatch(head + r'\[meta sequenceId="7"\] (\{.*\})', line)
    assert found is not None
    assert line.isascii()
    assert "\n" not in line
    told = json.loads(found.group(1))
    assert (told["account"], told["detail"], len(told["hash"])) == ("ann", event.detail, 64)
    assert syslog_line(rows(1)[0], "é").startswith("<86>1 1970-01-01T00:00:01.000000Z - ")


def test_refusals_are_listed_as_far_as_the_disk_is_meant_to_hold_them() -> None:
    budget = Budget()
    listed = [budget.take(S) for _ in range(AT_ONCE + 50)]
    assert listed == [0] * AT_ONCE + [None] * 50
    assert budget.take(S + EVERY_NS) == 50
    assert budget.take(S + EVERY_NS) is None
    assert budget.take(0) is None  # a clock that was set back earns nothing
    a_day = sum(budget.take(n * S) is not None for n in range(100, 86_500))
    assert a_day <= AT_ONCE + 86_400 * S // EVERY_NS


def test_what_is_secret_is_compared_without_telling_where_it_differs() -> None:
    """By the source: no measurement on a shared machine can show it."""
    for module, count in ((totp, 1), (sign_in, 1), (guard, 1), (security, 1)):
        assert inspect.getsource(module).count("compare_digest(") == count
    assert "verify_phc_encoded" in inspect.getsource(passwords)
