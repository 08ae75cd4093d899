"""What plants are told of the security log, and what is found when somebody writes into it."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.accounts import digest, store
from cloud.accounts.digest import Anchor, Tally, compared, counted, is_due
from cloud.accounts.roles import Profile
from cloud.accounts.rows import DAY_NS
from cloud.accounts.security_log import Event, LogRow, chained
from cloud.accounts.store import AccountStore
from tests.unit.cloud.kept import FILE, kept_in

REGIONS = {"mini": "370700", "maxi": "371300", "bare": ""}
ALL = {"mini", "maxi", "bare"}


def logged(*events: Event) -> list[LogRow]:
    """Rows a second apart, as the log has them."""
    rows = [LogRow("")]
    for n, event in enumerate(events, 1):
        rows.append(chained(rows[-1].hash, n, n * 10**9, event))
    return rows[1:]


@pytest.mark.parametrize(
    ("profile", "plants"),
    [
        (Profile("operator", plants=("mini",)), {"mini"}),
        (Profile("engineer", plants=("mini", "bare", "gone")), {"mini", "bare"}),
        (Profile("accountant", plants=("*",)), ALL),
        (Profile("reviewer", "3713"), {"maxi"}),
        (Profile("reviewer"), ALL),
        (Profile("security"), ALL),
        (Profile("audit"), ALL),
        (Profile(""), set()),  # of a text that no program of ours wrote
        (None, set()),
    ],
)
def test_an_event_counts_for_the_plants_that_its_account_is_for(
    profile: Profile | None, plants: set[str]
) -> None:
    rows = logged(Event("sign-in", "ann"), Event("refused", "", detail="bearer token"))
    profiles = {"ann": profile}
    tallies = counted(rows[::-1], profiles.get, REGIONS, {})
    assert tallies == dict.fromkeys(plants, Tally(Counter(["sign-in"]), 10**9, 10**9 + 1))
    if profile:
        assert Profile.of_told(profile.told()) == profile


def test_a_new_role_counts_where_it_was_and_where_it_is_and_the_rest_where_it_happened() -> None:
    was, now = Profile("operator", plants=("mini",)), Profile("reviewer", "3713")
    change = Event("role-changed", "ann", "chief", "", f"{was.told()} -> {now.told()}")
    rows = logged(
        Event("sign-in", "ann"), Event("sign-in", "ann"), change, Event("sign-in", "ann"),
    )  # fmt: skip
    tallies = counted(rows[::-1], {"ann": now}.get, REGIONS, {"mini": 1})
    assert tallies == {
        "mini": Tally(Counter(["sign-in", "role-changed"]), 2 * 10**9, 3 * 10**9 + 1),
        "maxi": Tally(Counter(["sign-in", "role-changed"]), 3 * 10**9, 4 * 10**9 + 1),
    }
    tallies["mini"].merge(tallies["maxi"])
    assert tallies["mini"].body(rows[-1]) == {
        "number": 4, "chain": bytes.fromhex(rows[-1].hash), "from_ns": 2 * 10**9,
        "to_ns": 4 * 10**9 + 1,
        "events": [{"what": "role-changed", "times": 2}, {"what": "sign-in", "times": 2}],
    }  # fmt: skip


HOUR = DAY_NS // 24
NOW = 400 * DAY_NS


@pytest.mark.parametrize(
    ("event", "told_ago_ns", "due"),
    [
        ("sign-in", [], True),
        ("sign-in", [DAY_NS - 1], False),
        ("sign-in", [DAY_NS], True),
        ("sign-in", [-300 * DAY_NS], True),  # the clock was ahead by a year then
        ("ended", [0], True),
        ("invited", [HOUR] * 23, True),
        ("invited", [HOUR] * 23 + [1], False),
        ("invited", [2 * HOUR] * 23 + [HOUR], True),
        ("link-used", [DAY_NS] * 23 + [1], True),
    ],
)
def test_when_a_plant_is_told(event: str, told_ago_ns: list[int], due: bool) -> None:
    assert is_due(Tally(Counter([event])), [NOW - ago for ago in told_ago_ns], NOW) == due


# -- somebody writes into the file ----------------------------------------------------------------

ROWS = 8
AT = 10 * DAY_NS
Attack = Callable[[sqlite3.Connection], None]


def fill(path: Path, name: str = "ann") -> list[LogRow]:
    """A security log of 8 rows, a day apart."""
    opened = AccountStore(kept_in(path))
    with opened.begin() as transaction:
        for n in range(1, ROWS + 1):
            transaction.log(n * DAY_NS, Event("sign-in", name, name))
        rows = transaction.log_rows(0, 100)
    return rows


def anchor(row: LogRow, plant: str = "mini") -> Anchor:
    return Anchor(plant, 40 + row.seq, row.at_ns, row.seq, row.hash, row.at_ns + 1)


def put(sql: sqlite3.Connection, row: LogRow) -> None:
    sql.execute(
        "UPDATE security_event SET body = json_patch(body, ?) WHERE seq = ?",
        (f'{{"account": "{row.account}", "hash": "{row.hash}"}}', row.seq),
    )


def edit_one(sql: sqlite3.Connection) -> None:
    put(sql, replace(read(sql)[2], account="eve"))


def edit_first(sql: sqlite3.Connection) -> None:
    put(sql, replace(read(sql)[0], account="eve"))


def write_anew(sql: sqlite3.Connection) -> None:
    """The third row and all behind it, with hashes that fit."""
    rows = read(sql)
    before = rows[1]
    for row in rows[2:]:
        account = "eve" if row.seq == 3 else row.account
        before = chained(
            before.hash, row.seq, row.at_ns, Event(row.event, account, row.by, row.address)
        )
        put(sql, before)


def read(sql: sqlite3.Connection) -> list[LogRow]:
    found = sql.execute("SELECT body FROM security_event ORDER BY seq").fetchall()
    return [LogRow(**store.json.loads(body)) for (body,) in found]


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (lambda _: None, ""),
        (edit_one, "row 3 does not follow row 2"),
        (edit_first, "row 1, the first, was changed"),
        (write_anew, r"row 5 of the security log is not the one that entry 45 of plant mini's log "
                     r"\(1970-01-06 00:00:00 UTC\) names: the security log was edited"),
        ("DELETE FROM security_event WHERE seq > 6",
         "ends with row 6, and entry 47 .* names row 7: its end"),
        ("DELETE FROM security_event WHERE seq > 7", ""),  # nobody was told of the last one yet
        ("DELETE FROM security_event WHERE seq < 6",
         "begins with row 6, and entry 45 .* names row 5: rows"),
        ("DELETE FROM security_event", "ends with row 0, and entry 47"),
        ("DELETE FROM security_event WHERE seq = 4", "row 5 does not follow row 3"),
    ],
)  # fmt: skip
def test_what_was_written_into_the_file_is_found(
    tmp_path: Path, attack: Attack | str, said: str
) -> None:
    rows = fill(tmp_path)
    anchors = [anchor(rows[4]), anchor(rows[6], "maxi"), anchor(rows[6])]
    sql = sqlite3.connect(tmp_path / FILE)
    sql.execute("DROP TRIGGER security_event_is_kept")
    sql.execute("DROP TRIGGER security_event_has_no_holes")
    sql.execute(attack) if isinstance(attack, str) else attack(sql)
    sql.commit()
    found = compared(read(sql), anchors, AT)
    sql.close()
    assert re.search(said, found.finding)
    assert bool(found.finding) == bool(said)
    if not said:
        assert found.compared == 3


def test_another_file_and_an_old_copy_are_found(tmp_path: Path) -> None:
    rows = fill(tmp_path / "a")
    anchors = [anchor(rows[2]), anchor(rows[6])]
    other = fill(tmp_path / "b", "eve")
    assert "row 3 of the security log is not the one" in compared(other, anchors, AT).finding
    old = rows[:4]
    assert "ends with row 4" in compared(old, anchors, AT).finding
    while len(old) < ROWS:  # people went on with it
        event = Event("sign-in", "bob")
        old.append(chained(old[-1].hash, len(old) + 1, len(old) * DAY_NS, event))
    found = compared(old, anchors, AT)
    assert "row 7 of the security log is not the one" in found.finding
    assert found.compared == 1


def test_what_was_dropped_in_its_time_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "KEPT_ROWS", 3)
    rows = [LogRow("")]
    for n in range(1, 11):
        rows.append(chained(rows[-1].hash, n, n * 100 * DAY_NS, Event("sign-in", "ann")))
    rows, now_ns = rows[1:], 1_001 * DAY_NS  # rows up to the sixth are older than 400 days
    anchors = [anchor(rows[n - 1]) for n in (2, 5, 9)]
    kept = rows[5:]
    found = compared(kept, anchors, now_ns)
    assert (found.finding, found.compared, found.newest) == ("", 1, 10)
    forged = [replace(kept[0], account="eve"), *kept[1:]]  # entry of row 5 still vouches for it
    assert "row 6, the first, was changed" in compared(forged, anchors, now_ns).finding
    too_soon = compared(kept, anchors, 899 * DAY_NS).finding
    assert "begins with row 6, and entry 45 of plant mini's log" in too_soon
    monkeypatch.setattr(digest, "KEPT_ROWS", 6)  # the newest stay, however old
    assert "before their 400 days" in compared(kept, anchors, now_ns).finding
