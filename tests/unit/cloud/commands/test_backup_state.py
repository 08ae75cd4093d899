"""`stackproof cloud backup-state` and `restore-state`: as committed, checked, over nothing."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from cloud import cli, state_copy
from cloud.accounts.desks import open_accounts
from cloud.accounts.rows import Account, Cookie, Link, Session, Token
from cloud.accounts.security_log import Event
from cloud.accounts.store import AccountStore
from cloud.database.bring_over import KEPT
from cloud.review.openings import Openings
from cloud.standby import held
from cloud.state_copy import SUM
from tests.service_user import given, needs_root, not_given
from tests.unit.cloud.accounts.people_examples import PASSWORD, Town
from tests.unit.cloud.front.front_examples import somebody
from tests.unit.cloud.kept import kept_in

CONFIG = 'format = 1\n[cloud]\nstate_dir = "state"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "CLOUD.toml"
    path.write_text(CONFIG)
    return path


def refused(capsys: pytest.CaptureFixture[str], *order: object) -> str:
    assert cli.main([*map(str, order)]) == 2
    return capsys.readouterr().err


def test_there_and_back_while_the_collector_writes(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was committed when it began is in the copy, and nothing of what was not."""
    state, out = tmp_path / "state", tmp_path / "out"
    accounts, _ = somebody("operator", ("see",))
    with accounts.book.begin() as (transaction, _):
        row = transaction.all(Account)[0]
    kept = kept_in(state)
    store, openings = AccountStore(kept), Openings(kept)
    with store.begin() as transaction:
        transaction.put(row)
    openings.note("sun", "mini", "2026-09", "month", 7)
    with closing(sqlite3.connect(state / KEPT, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM account_row")
        assert cli.main(["backup-state", str(config), "--out", str(out)]) == 0
        other.execute("ROLLBACK")
    assert capsys.readouterr().out.startswith(f"backed up {KEPT}: ")
    subprocess.run(["sha256sum", "--check", "--quiet", SUM], cwd=out / "state", check=True)
    assert "is there already" in refused(capsys, "backup-state", config, "--out", out)
    assert "is there already" in refused(capsys, "restore-state", out / "state", config)
    kept.close()
    assert {path.stat().st_mode & 0o777 for path in (out / "state").iterdir()} == {0o600}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "CLOUD.toml").write_text(CONFIG)
    order = ["restore-state", str(out / "state"), str(elsewhere / "CLOUD.toml")]
    assert cli.main(order) == 0
    assert (elsewhere / "state").stat().st_mode & 0o777 == 0o700, "as the collector makes it"
    there = kept_in(elsewhere / "state")
    with AccountStore(there).begin() as transaction:
        assert transaction.all(Account) == [row]
    assert [one[0] for one in Openings(there).of("sun", "mini", "2026-09")] == ["month"]


def test_nobody_comes_in_by_what_was_given_out_before_the_copy(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some of it was ended since; the command says what is to be made anew, and how old all is."""
    town, state, out = Town(), tmp_path / "state", tmp_path / "out"
    operator = town.join("operator")
    token = town.accounts.tokens.make(operator.principal, "scada", ["see"], 30)
    town.invite("engineer")
    given_out = (Session, Cookie, Link, Token)
    kept = kept_in(state)
    store = AccountStore(kept)
    with town.accounts.book.begin() as (there, _), store.begin() as here:
        for row in (one for kind in (Account, *given_out) for one in there.all(kind)):
            here.put(row)
        here.log(1_795_000_000 * 10**9, Event("sign-in", "operator"))
        secrets = [one.id for kind in given_out for one in here.all(kind)]
    assert len(secrets) >= len(given_out)
    kept.close()
    assert cli.main(["backup-state", str(config), "--out", str(out)]) == 0
    copied = (out / "state" / KEPT).read_bytes()
    assert [one for one in secrets if one.encode() in copied] == [], "not in its free pages either"
    for path in state.iterdir():
        path.unlink()
    capsys.readouterr()
    assert cli.main(["restore-state", str(out / "state"), str(config)]) == 0
    said = capsys.readouterr().out
    assert "sessions, links and tokens are not in it: people sign in anew" in said
    assert (
        "security log is of 2026-11-18 11:06:40 UTC: who was ended" in said
    )  # date -u -d @1795000000
    again = AccountStore(kept_in(state))
    accounts = open_accounts(again, town.clock, {})
    assert accounts.sign_in.by_token(token) is None
    assert accounts.sign_in.by_cookie(operator.cookie) == (None, "")
    assert accounts.sign_in.sign_in("operator", PASSWORD, town.code("operator"))
    with again.begin() as transaction:
        assert [row.id for row in transaction.all(Account)] == ["engineer", "operator"]
        assert transaction.all(Link) == []


def test_what_is_no_copy_is_put_nowhere(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    assert "no collector has run here" in refused(capsys, "backup-state", config, "--out", out)
    kept_in(state).close()
    assert cli.main(["backup-state", str(config), "--out", str(out)]) == 0
    capsys.readouterr()
    for path in state.iterdir():
        path.unlink()
    copy = out / "state" / KEPT
    whole = copy.read_bytes()
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "is not what was copied" in refused(capsys, "restore-state", out / "state", config)
    copy.unlink()
    assert "No such file" in refused(capsys, "restore-state", out / "state", config)
    for text in ("", "7", f"00  ../{KEPT}", f"00  {KEPT}  more", "[" * 9_999):
        (out / "state" / SUM).write_text(text)
        assert "is no copy of" in refused(capsys, "restore-state", out / "state", config), text
    assert list(state.iterdir()) == []


def test_it_is_put_as_the_folders_owners(config: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    kept_in(state).close()
    assert cli.main(["backup-state", str(config), "--out", str(out)]) == 0
    for path in state.iterdir():
        path.unlink()
    mine = state / f"{KEPT}.copy"  # by a person's hand: it was deleted
    mine.write_text("mine")
    if os.geteuid() == 0:
        given(state)
    assert cli.main(["restore-state", str(out / "state"), str(config)]) == 0
    assert mine.read_text() == "mine"
    mine.unlink()
    assert [path.name for path in state.iterdir()] == [KEPT]
    assert not_given(state) == [] or os.geteuid() != 0


@needs_root
def test_roots_own_files_are_given_to_no_service(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose folder it is may put one in place of what root has just written there."""
    out, state, victim = tmp_path / "out", tmp_path / "state", tmp_path / "victim"
    kept_in(state).close()
    assert cli.main(["backup-state", str(config), "--out", str(out)]) == 0
    for path in state.iterdir():
        path.unlink()
    given(state)
    victim.write_text("root's own")
    write = state_copy._write

    def replaced(path: Path, data: bytes) -> None:
        write(path, data)
        path.unlink()
        path.hardlink_to(victim)

    monkeypatch.setattr(state_copy, "_write", replaced)
    assert cli.main(["restore-state", str(out / "state"), str(config)]) == 2
    assert victim.stat().st_uid == 0
    assert list(state.iterdir()) == []


def test_beside_a_collector_or_after_one_that_was_killed(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A collector would write on in files that have gone; half a copy stays half no longer."""
    out, state = tmp_path / "out", tmp_path / "state"
    kept_in(state).close()
    assert cli.main(["backup-state", str(config), "--out", str(out)]) == 0
    for path in state.iterdir():
        path.unlink()
    with held(state):
        said = refused(capsys, "restore-state", out / "state", config)
    assert "stop that collector, and its standby, first" in said
    order = ["restore-state", str(out / "state"), str(config)]
    half = state / f".{KEPT}.unfinished"
    half.write_bytes(b"half")
    assert cli.main(order) == 0
    assert {path.name for path in state.iterdir()} == {KEPT, "lock"}
    before = (state / KEPT).read_bytes()
    assert "is there already" in refused(capsys, *order)
    assert (state / KEPT).read_bytes() == before


def test_a_database_that_is_damaged_is_not_copied(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_in(tmp_path / "state").close()
    path = tmp_path / "state" / KEPT
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)
    assert KEPT in refused(capsys, "backup-state", config, "--out", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_database_of_before_accounts_were_in_it_is_copied(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.execute("CREATE TABLE setting (name TEXT, value TEXT)")
        old.execute("INSERT INTO setting VALUES ('clock', 'real')")
        old.commit()
    state_copy.copy_database(tmp_path / "old.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT * FROM setting").fetchall() == [("clock", "real")]
