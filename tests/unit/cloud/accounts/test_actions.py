"""Plants are told what happened to their accounts: when, of what, once, and after a start."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from cloud.account_actions import AccountActions
from cloud.accounts.digest import AT_ONCE, Anchor, compared
from cloud.accounts.roles import Profile
from cloud.accounts.rows import DAY_NS
from cloud.errors import StoreError
from cloud.records import desk as desk_module
from cloud.records.desk import RecordDesk
from cloud.records.papers import Papers
from evidence.documents.actions import ACTIONS
from evidence.documents.document import COLLECTOR, Document
from evidence.documents.kinds import check_document
from evidence.documents.standing import Logged
from tests.unit.cloud.accounts.people_examples import SECURITY, Town
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import make_plant
from tests.unit.cloud.live_examples import ManualClock
from tests.waiting import ENOUGH_S

HOUR = DAY_NS // 24


class Log:
    """A plant's documents, as far as they are asked here."""

    def __init__(self) -> None:
        self.kept: list[Logged] = []

    def of_kind(self, kind: str) -> Iterator[Logged]:
        return (one for one in self.kept if one.document.kind == kind)


class Logs:
    """The logs of mini and maxi, and a third plant that is not served; each keeps what it is told.

    Attributes:
        full: sentence of a disk that takes nothing.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.full = clock, ""
        self.logs = {"mini": Log(), "maxi": Log()}

    def papers(self, plant: str) -> Papers:
        return cast("Papers", self.logs[plant])  # KeyError is a LookupError

    async def sign(
        self, plant: str, kind: str, about: str, body: Mapping[str, Any], signed_s: int
    ) -> Mapping[str, Any]:
        if self.full:
            raise StoreError(self.full)
        document = Document(plant, COLLECTOR, signed_s, kind, about, body)
        check_document(document)
        kept = self.logs[plant].kept
        kept.append(Logged(len(kept), self.clock.now_ns, bytes(32), document, None))
        return {"received_ns": self.clock.now_ns}

    def told(self, plant: str) -> list[dict[str, int]]:
        return [
            {row["what"]: row["times"] for row in one.document.body["events"]}
            for one in self.logs[plant].kept
        ]

    def anchors(self) -> list[Anchor]:
        return [
            Anchor.of(plant, one.index, one.received_ns, one.document.body)
            for plant, log in self.logs.items() for one in log.kept
        ]  # fmt: skip


class Bench:
    """Accounts, plants' logs, and what tells them; the collector's clock is another."""

    def __init__(self, town: Town, collector_ns: int = 0) -> None:
        self.town = town
        self.clock = ManualClock(collector_ns or town.clock.now_ns)
        self.logs = Logs(self.clock)
        self.start()

    def start(self) -> None:
        """As a new process does."""
        accounts = self.town.accounts
        self.actions = AccountActions(accounts.book, self.logs, accounts.regions, self.clock)

    async def look(self, after_ns: int = 0) -> None:
        self.clock.now_ns += after_ns
        self.town.clock.now_ns += after_ns
        await self.actions.look()

    def disagree(self) -> str:
        rows = self.town.accounts.people.log_rows()
        return compared(rows, self.logs.anchors(), self.town.clock.now_ns).finding


@pytest.mark.parametrize("collector_ns", [0, 40 * 365 * DAY_NS, 80 * 365 * DAY_NS])
async def test_trust_is_told_at_once_and_the_rest_daily(town: Town, collector_ns: int) -> None:
    """Whatever the collector's own clock says, as `--clock sim` may."""
    bench = Bench(town, collector_ns)
    await bench.look()
    assert bench.logs.anchors() == []  # nothing has happened yet
    town.join("operator")  # of mini
    town.invite("chief")
    await bench.look()
    assert bench.logs.told("mini") == [{"invited": 2, "link-used": 1}]
    assert bench.logs.told("maxi") == [{"invited": 1}]  # an administrator is for every plant
    newest = town.accounts.people.log_rows()[-1]
    assert {(a.number, a.chain) for a in bench.logs.anchors()} == {(3, newest.hash)}
    town.sign_in("operator")
    await bench.look(DAY_NS - 1)
    assert len(bench.logs.told("mini")) == 1
    for _ in range(2):  # twice is once
        await bench.look(1)
    assert bench.logs.told("mini")[1:] == [{"sign-in": 1}]
    await bench.look(3 * DAY_NS)
    assert (len(bench.logs.told("mini")), len(bench.logs.told("maxi"))) == (2, 1)
    assert bench.disagree() == ""


async def test_a_start_tells_nothing_twice_and_leaves_nothing_out(town: Town) -> None:
    bench = Bench(town)
    town.join("operator")
    await bench.look()
    town.sign_in("operator")
    bench.start()
    await bench.look(DAY_NS - 1)
    assert len(bench.logs.told("mini")) == 1
    bench.start()
    await bench.look(1)
    assert bench.logs.told("mini") == [{"invited": 1, "link-used": 1}, {"sign-in": 1}]
    town.accounts.people.change(SECURITY, "operator", Profile("operator", plants=("maxi",)))
    bench.start()
    await bench.look()
    assert bench.logs.told("mini")[2:] == [{"role-changed": 1}]
    assert bench.logs.told("maxi") == [{"role-changed": 1}]


async def test_a_disk_that_is_full_is_said_once_and_told_later(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(town)
    town.invite("operator")
    bench.logs.full = "the disk is full"
    for _ in range(3):
        await bench.look()
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == ["plant mini: actions of accounts are NOT logged: the disk is full"]
    bench.logs.full = ""
    await bench.look()
    assert bench.logs.told("mini") == [{"invited": 1}]


async def test_a_day_full_of_trust_is_told_in_few_documents(town: Town) -> None:
    bench = Bench(town)
    town.invite("operator")
    for _ in range(60):  # an hour and a half
        await bench.look(90 * 10**9)
        town.renew("operator")
    told = bench.logs.told("mini")
    # by hand: 24 at once, the last of them at 36 min; then at 96.5 min or never here
    assert len(told) == AT_ONCE
    await bench.look(HOUR)
    assert sum(row.get("link-renewed", 0) for row in bench.logs.told("mini")) == 60


async def test_an_older_security_log_is_said_and_gone_on_with(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(town)
    for n in range(3):
        town.invite(f"person-{n}", Profile("operator", plants=("mini",)))
        await bench.look()
    assert [anchor.number for anchor in bench.logs.anchors()] == [1, 2, 3]
    with town.store._database.writing() as connection:
        for trigger in ("is_kept", "has_no_holes"):
            connection.execute(text(f"DROP TRIGGER security_event_{trigger}"))
        connection.execute(text("DELETE FROM security_event WHERE seq > 1"))
    town.invite("new", Profile("operator", plants=("mini",)))
    await bench.look(DAY_NS)
    assert [record.getMessage() for record in caplog.records] == [
        "the security log is not the one that entry 2 of plant mini's log "
        "(2026-09-21 14:13:20 UTC) names: see stackproof cloud accounts log --check"
    ]
    newest = bench.logs.anchors()[-1]
    assert (newest.number, bench.logs.told("mini")[-1]) == (2, {"invited": 1})
    told = "row 2 of the security log is not the one that entry 1 of plant mini's log"
    assert told in bench.disagree()


async def test_a_running_collector_logs_it_and_the_loop_ends(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "FREE_BYTES_MIN", 0)  # whatever disk the tests run on
    plant = make_plant(tmp_path)
    running = Running(plant, tmp_path / "00")
    records = RecordDesk(running.collector, running.intake, plant.collector)
    assert records.load() == []
    town.join("operator")
    looked = asyncio.Event()

    class Looking(AccountActions):
        async def look(self) -> None:
            await super().look()
            looked.set()

    actions = Looking(town.accounts.book, records, {"mini": "370700"}, running.clock)
    async with asyncio.timeout(ENOUGH_S), actions.beside():
        await looked.wait()
    (row,) = records.rows("mini", ACTIONS, "", 0, 10)
    assert (row["person"], row["state"], row["body"]["number"]) == (COLLECTOR, "stands", 2)
    await running.stop()
