"""The web application over a fake plant, as a process the browser tests can start and kill.

    python -m tests.e2e.fake_server PORT [--name NAME] [--pots N] [--lines N] ...

Prints "ready" when it serves. Ten minutes of ticks are already there when it starts.
"""

import argparse
import asyncio
import atexit
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import uvicorn

from cloud.accounts.roles import ROLES, STRANGER, VISITOR, Principal
from cloud.api.services import Services
from cloud.app import create_app
from cloud.brought.desk import BroughtArchives
from cloud.clock import SystemClock
from cloud.collector.closing import Desk
from cloud.drill.desk import DrillDesk
from cloud.live.hub import LiveHub
from cloud.live.normal import NormalBand
from cloud.records import desk as desk_module
from cloud.records.desk import RecordDesk
from cloud.review.openings import Openings
from cloud.screening.desk import Screenings
from cloud.visits.desk import VisitDesk
from simulators.month import make_month
from simulators.month_plants import month_plant
from simulators.plants import load_any
from tests.e2e.fake_alarms import alarm_desks
from tests.e2e.fake_everything import EVERYTHING, AllMonths, invite, write
from tests.e2e.fake_months import FakeMonths
from tests.e2e.fake_plant import GATEWAY, HOSTILE, NS, PLANT, FakePlant, config
from tests.e2e.fake_samples import FakeSamples
from tests.e2e.fake_series import series_desk
from tests.fraud.bent_months import BentPlant, hold_peaks
from tests.unit.cloud.app_examples import TOKEN, BrokerFor, Nothing, make_accounts
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.drill_examples import meter_config, signed, statement
from tests.unit.cloud.evidence_examples import make_plant
from tests.unit.cloud.kept import brief
from tests.unit.cloud.plan_examples import PlanExample
from tests.unit.cloud.review.review_examples import MONTH, SealedMonths

TICKS_BEFORE = 600
DAY_NS = 86_400 * NS
REVIEWER = Principal("sun", ROLES["reviewer"], (), "", session="of-all", csrf="of-all")
OPERATOR = Principal("li-wei", ROLES["operator"], ("*",), session="of-all", csrf="of-all")
ACCOUNTANT = Principal("ann", ROLES["accountant"], ("*",), session="of-all", csrf="of-all")


class SoFar:
    """Figures of a quarter of November; one line has no reading this hour, and today is unheard.

    The month has what a kiln's would have besides, so that one page shows all that there is.
    """

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns

    def of(self, plant: str) -> Mapping[str, Any]:
        if plant != PLANT:
            raise LookupError(plant)
        fuel = {"category": "fuel", "kind": "natural-gas", "zh": "天然气", "sign": 1}
        missing = {"category": "metal", "reason": "no-reading", "point": "pot-gateway.metal_tapped"}
        through_ns, hour_ns = self._start_ns + TICKS_BEFORE * NS, 3600 * NS
        begun_ns = through_ns // hour_ns * hour_ns
        row = {
            "from_ns": begun_ns, "to_ns": begun_ns + hour_ns, "since_ns": begun_ns,
            "total_t": "4321.00", "lines": [{**fuel, "quantity": "1", "emission_t": "4321.00"}],
            "missing": [], "completeness": {"point": "gas-1.volume", "percent": "100.00"},
        }  # fmt: skip
        ahead = {"method": "by-days", "days": "7.5000", "of_days": "30.0000", "is_whole": True}
        ahead |= {"emission_t": "17284.00", "allowance_t": "16000.00", "balance_t": "-1284.00"}
        return {
            "plant": plant, "month": "2026-11", "unit": "tCO2e", "through_ns": through_ns,
            "is_behind": False,
            "periods": {
                "hour": {**row, "missing": [missing],
                         "completeness": {"point": "gas-1.volume", "percent": "98.70"}},
                "day": {"reason": "nothing-yet"},
                "month": {**row, "uncertainty": {"expanded_t": "216.05", "expanded_percent": "5.00",
                                                 "assessed_percent": "80.00"},
                          "indicator": {"kind": "portland", "zh": "硅酸盐水泥熟料",
                                        "clinker_t": "5280.00", "emission_t": "2824.80",
                                        "covered_percent": "98.40", "total_t": "7145.80"}},
            },
            "projection": {"month": ahead, "year": {"reason": "too-soon"}},
            "indicated": {"month": {**ahead, "emission_t": "28583.20"}},
        }  # fmt: skip


class OneKey(Nothing):
    """A certificate of the gateway's key, good for some years."""

    def stream(self, plant: str, gateway: str) -> Mapping[str, Any]:
        until = {"key": "ab", "not_after": "2099-12-31T00:00:00+00:00"}
        return {"plant": plant, "gateway": gateway, "key": "ab", "certificates": [until]}


class OneStream:
    def __init__(self, *damaged: str) -> None:
        self.troubles = {plant: {"damaged": "torn"} for plant in damaged}

    def status(self) -> Sequence[Mapping[str, Any]]:
        return [{"plant": PLANT, "gateway": GATEWAY, "next_seq": 60}]

    def served(self) -> Sequence[str]:
        return [PLANT]

    def amiss(self) -> Mapping[str, Mapping[str, str]]:
        return self.troubles

    def hangs(self) -> str:
        return ""

    def strangers(self) -> Mapping[str, int]:
        return {}


def alarms(at_ns: int) -> list[dict[str, Any]]:
    """A fork, a hole in the stream, what stands, and a reason that no page knows."""
    row = {"gateway": GATEWAY, "count": 1, "newest_ns": at_ns, "sentence": "for the log"}
    return [
        {**row, "reason": "missing", "count": 29, "first": 12, "last": 40},
        {**row, "reason": "clock", "gateway": "", "newest_ns": 0, "since_ns": at_ns - 2 * DAY_NS},
        {**row, "reason": "rotate", "count": 3, "since_ns": at_ns},
        {**row, "reason": "fork", "count": 2},
        {**row, "reason": "anchor"},
        {**row, "reason": "unknown-key", "gateway": "", "count": 1200},
        {**row, "reason": HOSTILE},
        {**row, "reason": "revoked", "newest_ns": at_ns - 2 * DAY_NS},
    ]


#: of a works: what the smelter's points are called there
WORKS = {
    "cement": {"plant.co2e_t_h": "plant.co2_indicator_t_h",
               "plant.gas_co2_t_h": "plant.fuel_co2_t_h",
               "line-1.anode_co2_t_h": "plant.clinker_indicator_co2_t_h"},
    "steel": {"plant.co2e_t_h": "plant.now_co2_t_h"},
}  # fmt: skip


def as_works(data: Any, sector: str) -> Any:
    """A configuration or message of the smelter as a works of another sector would send it."""
    text = json.dumps(data)
    for mine, its in WORKS.get(sector, {}).items():
        text = text.replace(f'"{mine}"', f'"{its}"')
    return json.loads(text)


def normal_of(options: argparse.Namespace) -> NormalBand:
    """What somebody stated of the emission, by the sector's figure."""
    figure = "plant.co2e_t_h" if options.sector == "aluminium" else "plant.fuel_co2_t_h"
    said = "Wang Li, process control", date(2026, 11, 2), "steady days of October"
    return NormalBand(figure, Decimal(options.normal[0]), Decimal(options.normal[1]), *said)


async def feed(hub: LiveHub, plant: FakePlant, n: int, sealed: int, sector: str) -> None:
    """One tick into the hub; receipts follow the closed frames."""
    hub.on_live(PLANT, GATEWAY, json.dumps(as_works(plant.message(n), sector)).encode())
    if sealed >= 0:
        through = plant.tick_ns(sealed * 10 - 1)
        hub.on_sealed(PLANT, GATEWAY, sealed, through, plant.tick_ns(n))


async def desks(hub: LiveHub) -> tuple[Desk, RecordDesk]:
    """Evidence and documents of the plant "mini": a real collector over a folder of its own."""
    desk_module.FREE_BYTES_MIN = 0  # whatever disk the tests run on
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    plant = make_plant(folder)
    running = Running(plant, folder / "00")
    records = RecordDesk(running.collector, running.intake, plant.collector)
    assert records.load() == []
    objects = signed(plant)
    running.send(*objects)
    await running.until(lambda: running.desk.evidence("mini").size > len(objects))
    hub.on_config("mini", GATEWAY, meter_config())
    return running.desk, records


def months_of(options: argparse.Namespace, folder: Path) -> Any:
    """A sealed month where one is asked for; what a plant falsified can be screened."""
    if options.everything:
        return AllMonths(folder)
    if not options.reviews:
        return FakeMonths()
    months = SealedMonths(folder)
    if options.screened:
        months.put(falsified(folder))
    return months


def falsified(folder: Path) -> Path:
    """A sealed month whose gas meter stands still at high load: screening has what to say."""
    plant = month_plant(load_any("smelter-normal"), points=50, pots=12, seed=3, interval_s=60)
    bent = BentPlant(plant, "gas.flow", hold_peaks, "mini")
    made = make_month(
        bent, month=MONTH, out=folder / "made", frame_s=900, days=6, say=lambda _: None
    )
    return made.archive


def unsigned(options: argparse.Namespace) -> Principal:
    """Whom everybody is taken for who does not sign in."""
    if options.everything:
        return EVERYTHING
    if options.accounts:
        return STRANGER
    as_one = {"accountant": ACCOUNTANT, "operator": OPERATOR, "reviewer": REVIEWER}
    found = [who for name, who in as_one.items() if getattr(options, name)]
    return found[-1] if found else VISITOR


def configure(hub: LiveHub, options: argparse.Namespace) -> None:
    """The plant's configuration; another plant's beside it where one is asked for."""
    sector = options.sector
    made = as_works(config(options.pots, options.name, options.lines, options.meters), sector)
    if sector in WORKS:
        made["potlines"], made["plant"]["sector"] = [], sector
    if options.hostile:
        for row in made["points"]:
            row["device"] = options.name if row.get("device") else ""
    hub.on_config(PLANT, GATEWAY, made)
    if options.second:
        hub.on_config("second", GATEWAY, made | {"plant": made["plant"] | {"id": "second"}})


async def serve(options: argparse.Namespace) -> None:
    clock = SystemClock()
    hub = LiveHub(clock)
    sector = options.sector
    configure(hub, options)
    start_ns = clock.wall_ns() // NS * NS - TICKS_BEFORE * NS
    plant = FakePlant(
        start_ns, pots=options.pots, gas_answers=not options.dead_gas, meters=options.meters
    )
    plant.alarms = ["disk-low", "of-tomorrow"] if options.alarms else []
    hub.on_state(PLANT, GATEWAY, True)
    for n in range(TICKS_BEFORE):
        await feed(hub, plant, n, n // 10, sector)
    if options.alarms:
        hub.on_alarms(PLANT, alarms(start_ns))
    accounts = make_accounts(clock, unsigned(options))
    evidence: Any = Nothing()
    records: Any = FakeSamples()
    if options.records:
        evidence, records = await desks(hub)
    if options.everything:
        name = "".join(filter(str.isprintable, options.name))[:200]  # as much as they take
        invite(accounts, name)
        await write(records, name)
    folder = Path(mkdtemp())
    months = months_of(options, folder)
    plans, screenings = PlanExample(), Screenings(folder)
    brought = BroughtArchives(folder, clock, {})
    so_far = SoFar(start_ns)
    desks_of = await alarm_desks(hub, clock, months, so_far, options)
    app = create_app(
        Services(
            hub=hub, clock=clock, months=months, evidence=evidence,
            streams=OneStream(*options.damaged), keys=OneKey(), one_way=Nothing(), token=TOKEN,
            records=records, plans=plans, accounts=accounts, accumulated=so_far,
            openings=Openings(brief()),
            drill=DrillDesk(evidence, records, statement),
            visits=VisitDesk(records, months, plans, screenings), screenings=screenings,
            brought=brought, transport=Nothing(),
            series=series_desk(clock),
            alarms=desks_of[0], shifts=desks_of[1], broker=BrokerFor(),
            normal={PLANT: [normal_of(options)]},
        )
    )  # fmt: skip
    settings = uvicorn.Config(
        app, host="127.0.0.1", port=options.port, log_level="warning",
        ws_per_message_deflate=False, timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(settings)
    running = asyncio.create_task(server.serve())
    beside = asyncio.gather(*(one.run() for one in (screenings, brought, *desks_of)))
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.02)
    print("ready", flush=True)  # noqa: T201 - the parent waits for this word
    n = TICKS_BEFORE
    while not running.done():
        if clock.wall_ns() >= plant.tick_ns(n) and not options.silent:
            await feed(hub, plant, n, n // 10, sector)
            n += 1
        await asyncio.sleep(0.05)
    beside.cancel()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--name", default="Demo smelter")
    parser.add_argument("--pots", type=int, default=24)
    parser.add_argument("--meters", type=int, default=0, help="further ones")
    parser.add_argument("--lines", type=int, default=1)
    parser.add_argument("--sector", default="aluminium")
    parser.add_argument("--normal", nargs=2, default=("5", "7"), help="t/h")
    parser.add_argument("--dead-gas", action="store_true")
    parser.add_argument("--hostile", action="store_true", help="its devices have the same --name")
    parser.add_argument("--second", action="store_true", help="a plant that sends nothing")
    parser.add_argument("--damaged", default=[], nargs="*", help="plants that are not served")
    parser.add_argument("--alarms", action="store_true", help="of collector and gateway")
    parser.add_argument("--accounts", action="store_true", help="nobody is in who did not sign in")
    parser.add_argument("--records", action="store_true", help="and a plant with documents, mini")
    parser.add_argument("--reviews", action="store_true", help="and a sealed month of mini")
    parser.add_argument("--apart", default="", help="for whom: equal options share a server")
    parser.add_argument("--screened", action="store_true", help="one that a plant falsified")
    parser.add_argument("--accountant", default="", help="everybody is signed in as one")
    parser.add_argument("--operator", default="", help="likewise, an operator, in a busy shift")
    parser.add_argument("--reviewer", action="store_true", help="likewise, as a reviewer, sun")
    parser.add_argument("--everything", action="store_true", help="with --records: may do all")
    parser.add_argument("--silent", action="store_true", help="no message after the start")
    asyncio.run(serve(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
