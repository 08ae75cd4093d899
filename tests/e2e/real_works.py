"""A real collector with a kiln's whole signed month, as a process that browser tests can start.

    python -m tests.e2e.real_works PORT

Prints "ready" when it serves. Accounts, records, months, sealing, drill, verifier and reviews are
the product's own; only the link to the gateway is not: whatever close the collector asks for, the
gateway signs at once. The clock of the works stands at 3 November 2026; accounts have the real one.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn

from cloud.accounts.desks import open_accounts
from cloud.accounts.roles import STRANGER
from cloud.api.services import Services
from cloud.app import create_app
from cloud.brought.desk import BroughtArchives
from cloud.clock import SystemClock
from cloud.closing.archive import ArchiveFolder
from cloud.drill.desk import DrillDesk
from cloud.live.hub import LiveHub
from cloud.plan.desk import PlanDesk
from cloud.records import desk as desk_module
from cloud.screening.desk import Screenings
from cloud.visits.desk import VisitDesk
from evidence.blocks import compress
from evidence.cbor import encode
from evidence.frame import TYP_CLOSE, TYP_CONFIG
from evidence.receipt import decode_close_request, encode_close
from evidence.recompute import month_bounds
from simulators.month_config import GATEWAY, TIME_ZONE
from simulators.month_plants import month_plant
from simulators.month_play import DAY_NS
from simulators.plants import load_any
from tests.fraud.bent_months import BentPlant
from tests.integration.cloud.reviewed_works import REGION, ReviewedWorks
from tests.unit.cloud.app_examples import (
    TOKEN,
    BriefOpenings,
    BriefStore,
    BrokerFor,
    NoSeries,
    Nothing,
    alarm_parts,
)
from tests.unit.evidence import sealed_month as sm

PLANT, MONTH, INTERVAL_S = "mini", "2026-10", 900
POINT = "coal-kiln.total"


def as_it_is(*_: Any) -> None:
    """Nothing is bent: what is wanted of the plant is another id."""


class RealWorks(ReviewedWorks):
    """The works with nobody enrolled: persons come through the pages."""

    async def begin(self) -> None:
        """The configuration, and the month's readings with two days more."""
        self.running.clock.now_ns = self._at_ns
        data = self._sign(TYP_CONFIG, compress(encode(self.config)), self._at_ns)
        self.gateway.cfg = sm.sha256(data)
        await self.play(month_bounds(TIME_ZONE, MONTH)[1] + 2 * DAY_NS)
        await self.engine.look()

    async def agree(self) -> None:
        """Sign every close that is asked for, for ever."""
        topic, answered = f"stackproof/v1/00/{self.plant}/{GATEWAY}/config", 0
        while True:
            for data in self.running.link.on(topic)[answered:]:
                request = decode_close_request(data, self._key)
                self._sign(TYP_CLOSE, encode_close(request), self.running.clock.now_ns)
                await self._arrive(self.running.clock.now_ns)
                answered += 1
            await asyncio.sleep(0.05)

    def serves(self, folder: Path) -> Services:
        """Everything that the pages work on."""
        clock, running, archives = self.running.clock, self.running, ArchiveFolder(self.archives)
        hub = LiveHub(clock)
        hub.on_config(self.plant, GATEWAY, self.config)
        plans = PlanDesk(self.records, running.intake, archives, clock)
        screenings = Screenings(folder)
        root = running.plant.identity().root
        alarms, shifts = alarm_parts(hub, clock, self.engine, Nothing(), Nothing())
        return Services(
            hub=hub, clock=clock, months=self.engine, streams=running.collector,
            evidence=running.desk, keys=Nothing(), one_way=Nothing(), records=self.records,
            plans=plans, token=TOKEN, accumulated=Nothing(), openings=BriefOpenings(),
            accounts=open_accounts(BriefStore(), SystemClock(), {self.plant: REGION}, STRANGER),
            drill=DrillDesk(running.desk, self.records, archives.statement),
            visits=VisitDesk(self.records, self.engine, plans, screenings), screenings=screenings,
            brought=BroughtArchives(folder, clock, {self.plant: root.fingerprint.hex()}),
            transport=Nothing(), series=NoSeries(), alarms=alarms, shifts=shifts,
            broker=BrokerFor(),
        )  # fmt: skip


async def serve(port: int, folder: Path) -> None:
    """Until the process ends."""
    desk_module.FREE_BYTES_MIN = 0  # whatever disk the tests run on
    kiln = month_plant(
        load_any("kiln-normal"), points=None, pots=None, seed=None, interval_s=INTERVAL_S
    )
    works = RealWorks(folder, BentPlant(kiln, POINT, as_it_is, PLANT), MONTH)
    await works.begin()
    services = works.serves(folder)
    server = uvicorn.Server(uvicorn.Config(
        create_app(services), host="127.0.0.1", port=port, log_level="warning",
        timeout_graceful_shutdown=2,
    ))  # fmt: skip
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.02)
    print("ready", flush=True)  # noqa: T201 - the parent waits for this word
    beside = asyncio.gather(
        works.agree(), works.engine.run(), services.screenings.run(), services.brought.run()
    )
    await running
    beside.cancel()


def main(arguments: Sequence[str]) -> None:
    """As the module says."""
    with TemporaryDirectory() as folder:
        asyncio.run(serve(int(arguments[0]), Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
