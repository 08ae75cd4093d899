"""The file that accounts and the security log are kept in: what is in it, and what may leave it."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.accounts import security_log
from cloud.accounts import store as store_file
from cloud.accounts.errors import AccountError
from cloud.accounts.rows import DAY_NS
from cloud.accounts.store import AccountStore
from cloud.errors import StoreError
from tests.unit.cloud.accounts.people_examples import PASSWORD, Town
from tests.unit.cloud.kept import kept_in

OTHER = "quarry vellum insect"


def test_no_secret_stands_in_the_log_and_no_password_or_token_in_the_file(town: Town) -> None:
    done = town.join("operator")
    token = town.accounts.tokens.make(done.principal, "scripts", ["see"], 30)
    link = town.renew("operator")
    with pytest.raises(AccountError):
        town.sign_in("operator", OTHER, device=done.device)
    with pytest.raises(AccountError):
        town.sign_in(PASSWORD, OTHER)  # typed into the wrong field
    secrets = [PASSWORD, OTHER, done.cookie, done.device, token, link, done.principal.csrf]
    log = "\n".join(security_log.syslog_line(row, "c") for row in town.accounts.people.log_rows())
    assert [s for s in secrets if s in log] == []
    with closing(sqlite3.connect(f"{town.store._database.engine.url.database}")) as sql:
        kept = "\n".join(sql.iterdump())
    assert [s for s in secrets[:-1] if s in kept] == []


def test_the_file_is_its_owners_alone_and_the_log_only_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = kept_in(tmp_path / "state")
    store = AccountStore(database)
    files = list((tmp_path / "state").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    with store.begin() as transaction:
        for n in range(5):
            transaction.log(n * DAY_NS, security_log.Event("sign-in", "ann"))
    for order in (
        "UPDATE security_event SET at_ns = 0", "DELETE FROM security_event WHERE seq = 3",
        "DELETE FROM security_event", "DELETE FROM security_event WHERE seq = 5",
        "UPDATE security_event SET body = '' WHERE seq = 1",
    ):  # fmt: skip
        with pytest.raises(StoreError, match="append-only"), database.writing() as connection:
            connection.execute(text(order))
    with store.begin() as transaction:
        transaction.forget_log(100 * DAY_NS)  # a clock that is wrong by years
        assert len(transaction.log_rows(0, 10)) == 5
        monkeypatch.setattr(store_file, "KEPT_ROWS", 1)
        transaction.forget_log(2 * DAY_NS)
        kept = transaction.log_rows(0, 10)
    assert [row.seq for row in kept] == [3, 4, 5]
    assert security_log.broken_at(kept) is None
    with store.begin() as transaction:
        transaction.forget_log(100 * DAY_NS)
        assert [row.seq for row in transaction.log_rows(0, 10)] == [5]  # the chain goes on from it
        transaction.log(6 * DAY_NS, security_log.Event("sign-out", "ann"))
        assert [row.seq for row in transaction.log_rows(0, 10)] == [5, 6]


def test_what_fails_half_way_leaves_nothing_and_no_line(town: Town) -> None:
    def break_off() -> None:
        with town.store.begin() as transaction:
            transaction.log(1, security_log.Event("sign-in", "ann"))
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert town.events() == []


def test_what_is_over_is_forgotten_and_the_log_kept_for_thirteen_months(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "KEPT_ROWS", 1)
    done = town.join("operator")
    town.accounts.tokens.make(done.principal, "scripts", ["see"], 30)
    town.invite("engineer")
    with pytest.raises(AccountError):
        town.sign_in("operator", "wrong one")
    town.clock.now_ns += 200 * DAY_NS
    assert "link-used" in town.events()
    with town.store.begin() as transaction:
        every = text("SELECT kind, count(*) FROM account_row GROUP BY kind")
        kept = [tuple(row) for row in transaction._sql.execute(every)]
    assert kept == [("Account", 2)]
    town.clock.now_ns += 201 * DAY_NS
    assert town.events() == ["sign-in-refused"]  # the newest row stays: the chain goes on from it


def test_nobody_fills_the_log_by_what_they_may_do(town: Town) -> None:
    who = town.join("operator").principal
    desk, rows = town.accounts.tokens, len(town.events())

    def make_and_end() -> None:
        for _ in range(security_log.AT_ONCE):
            desk.make(who, "again", ["see"], 1)
            desk.end(who, desk.tokens(who)[0].id)

    with pytest.raises(AccountError, match="often"):
        make_and_end()
    assert len(town.events()) - rows == security_log.AT_ONCE
    town.accounts.sign_in.sign_out(who)  # always
    town.clock.now_ns += security_log.EVERY_NS
    assert desk.make(who, "again", ["see"], 1)
