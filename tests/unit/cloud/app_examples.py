"""The web application over a hub with the two-pot plant, for the app's tests."""

import shutil
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from cloud.accounts.desks import Accounts, open_accounts
from cloud.accounts.roles import VISITOR, Principal
from cloud.accounts.store import AccountStore
from cloud.alarms.desk import AlarmDesk
from cloud.alarms.store import AlarmStore
from cloud.api.services import MonthRefusedError, Services
from cloud.app import create_app
from cloud.brought.desk import BroughtArchives
from cloud.clock import Clock
from cloud.live.hub import LiveHub
from cloud.month.checklist import Known, checklist
from cloud.month.deadlines import deadline_of
from cloud.month.rows import checklist_row, issues_row, month_row
from cloud.month.states import MonthFacts, standing
from cloud.records.papers import Papers
from cloud.review.openings import Openings
from cloud.screening.desk import Screenings
from cloud.series.follow import Followed
from cloud.series.store import StoreState
from cloud.shift.desk import ShiftDesk
from cloud.shift.store import ShiftStore
from tests.unit.cloud.kept import brief
from tests.unit.cloud.live_examples import GATEWAY, PLANT, T0, ManualClock, configuration, payload

TOKEN = "correct-horse-battery"  # noqa: S105 - a token of these tests only
BASE = "http://127.0.0.1:8600"


class Months:
    """Remembers what it was asked; refuses the month 2026-01."""

    def __init__(self) -> None:
        self.closed: list[tuple[str, str, str]] = []
        self.amended: list[str] = []
        self.sealed: list[tuple[str, str, str, bytes]] = []

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return []

    async def close(
        self,
        plant: str,
        month: str,
        *,
        closing: str,
        amend: bool = False,
        reason: str = "",
        by: str,
    ) -> Mapping[str, Any]:
        if month == "2026-01":
            raise MonthRefusedError("2026-01 is closed already")
        self.closed.append((plant, month, closing))
        if amend:
            self.amended.append(reason)
        return {"archive": f"{plant}-{month}.tar"}

    async def seal(
        self, plant: str, month: str, *, reason: str = "", reply: bytes = b""
    ) -> Mapping[str, Any]:
        if month == "2026-01":
            raise MonthRefusedError("2026-01 is not closed yet")
        self.sealed.append((plant, month, reason, reply))
        return {"archive": f"{plant}-{month}.tar"}

    async def begin(self, plant: str, month: str, *, amend: bool, reason: str, by: str) -> None:
        if not reason:
            raise MonthRefusedError("it is not complete")
        self.closed.append((plant, month, reason))

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return [self.month(plant, "2026-09") or {}]

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """September 2026, of which nothing came."""
        if month != "2026-09":
            return None
        known = Known(month, "Asia/Shanghai", {}, {}, [], {}, None, Papers(plant, []))
        made = checklist(known, T0)
        facts = MonthFacts(
            made.from_ns, made.to_ns, 0, 1, 0, None, is_sealed=False, deadline=deadline_of(month)
        )
        row = month_row(plant, made, standing(facts, T0), None, [], verdict_of=lambda _: None)
        beside = {"progress": None, "refused": "", "counting": "", "figures": None}
        told = issues_row([], lambda _: None, None)
        return {**row, **checklist_row(made, []), **beside, **told}


class Streams:
    def status(self) -> Sequence[Mapping[str, Any]]:
        row = {"plant": PLANT, "gateway": GATEWAY, "next_seq": 8, "receipted_seq": 7}
        counts = {"frames": 8, "readings": 80, "refused": {"E-SIG": 1}}
        return [{**row, **counts, "missing": None, "alarms": []}]

    def served(self) -> Sequence[str]:
        return [PLANT]

    def amiss(self) -> Mapping[str, Mapping[str, str]]:
        return {}

    def hangs(self) -> str:
        return ""

    def strangers(self) -> Mapping[str, int]:
        return {"unknown-plant": 3}


class Nothing:
    """A collector without plants."""

    trouble = None  # of no register

    def evidence(self, plant: str, *_: Any, **__: Any) -> Any:
        raise LookupError(f"plant {plant}: not a plant of this collector")

    stream = quarantine = prepare = rows = document = file = of = evidence
    plan = departures = today = evidence
    source = frame = certificate = sheet = evidence
    findings = laboratory = may_bring = evidence
    approve = revoke = evidence
    newest = abouts = one = persons = reviews = reviews_in_brief = count = with_file = evidence

    def standing(self) -> Any:
        raise LookupError("there is nothing")

    revoked = standing

    async def take(self, plant: str, *_: Any) -> Any:
        return self.evidence(plant)

    enrol = certify = take


class NoSeries:
    """A store of series that holds none, and one gateway that was followed."""

    def state(self) -> StoreState:
        return StoreState("influxdb", "it is away", 3)

    def followed(self) -> Sequence[Followed]:
        return [Followed(PLANT, GATEWAY, T0, T0 + 90 * 10**9, 9, 2)]

    def trouble(self) -> Mapping[tuple[str, str], str]:
        return {}

    def told(self, *_: Any) -> Sequence[Any]:
        return []


class BriefBrought(BroughtArchives):
    """Archives that are brought, in a folder that goes with them."""

    def __init__(self) -> None:
        folder = mkdtemp()
        super().__init__(Path(folder), ManualClock(), {})
        weakref.finalize(self, shutil.rmtree, folder)


class EmptyLog:
    """Evidence in which nothing is yet."""

    def streams(self) -> Sequence[str]:
        return ()


def no_evidence(_: str) -> Any:
    """Of any plant."""
    return EmptyLog()


def alarm_parts(
    hub: LiveHub, clock: Clock, months: Any, keys: Any, accumulated: Any,
    *, store: AlarmStore | None = None, plant: str = PLANT,
) -> tuple[AlarmDesk, ShiftDesk]:  # fmt: skip
    """Desks of alarms and shifts over these parts."""
    alarms = AlarmDesk(
        store or AlarmStore(brief()), hub, months, keys, no_evidence, clock, {}, plants=[plant]
    )
    return alarms, ShiftDesk(ShiftStore(brief()), hub, alarms, months, accumulated, clock, {})


def make_accounts(clock: Clock | None = None, unsigned: Principal = VISITOR) -> Accounts:
    regions = {PLANT: "370700", "maxi": "371300", "unplaced": ""}
    return open_accounts(AccountStore(brief()), clock or ManualClock(), regions, unsigned)


def make_hub() -> LiveHub:
    hub = LiveHub(ManualClock(), delta_interval_s=0.02, beat_interval_s=0.05)
    hub.on_config(PLANT, GATEWAY, configuration())
    hub.on_live(PLANT, GATEWAY, payload(0))
    return hub


@dataclass(frozen=True)
class BrokerFor:
    """The connection to a broker that has been away for so long; None: it is there."""

    away_s: float | None = None


def make_services(
    hub: LiveHub | None = None, months: Months | None = None, **more: Any
) -> Services:
    absent = (
        "evidence", "keys", "one_way", "records", "accumulated", "plans", "drill", "visits",
        "transport",
    )  # fmt: skip
    nothing = dict.fromkeys(absent, Nothing())
    # a folder that is not there: no month is screened, and nobody screens any
    unscreened = Screenings(Path("/nonexistent"))
    parts = {
        **nothing,
        "series": NoSeries(),
        "broker": BrokerFor(),
        "screenings": unscreened,
        **more,
    }
    hub, months, clock = hub or make_hub(), months or Months(), ManualClock()
    if "alarms" not in parts:
        given = clock, months, parts["keys"], parts["accumulated"]
        parts["alarms"], parts["shifts"] = alarm_parts(hub, *given)
    made = {
        "accounts": make_accounts,
        "openings": lambda: Openings(brief()),
        "brought": BriefBrought,
    }
    for name, make in made.items():  # on disk: made only where none is given
        if name not in parts:
            parts[name] = make()
    return Services(
        hub=hub, clock=clock, months=months, streams=Streams(),
        token=TOKEN, **parts,
    )  # fmt: skip


def make_app(hub: LiveHub | None = None, months: Months | None = None, **more: Any) -> FastAPI:
    return create_app(make_services(hub, months, **more))


def make_client(app: FastAPI | None = None, base: str = BASE) -> TestClient:
    return TestClient(app or make_app(), base_url=base, follow_redirects=False)
