"""The collector's process: builds the parts, runs them, ends them. Composition root of this room.

broker ⇄ link → inbox → collector → evidence
                   live page ← hub ←┘    └→ desk → months
"""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Iterable

from cloud.account_actions import AccountActions
from cloud.accounts.book import Book
from cloud.accounts.desks import open_accounts
from cloud.accounts.roles import STRANGER, VISITING_OPERATOR, VISITOR
from cloud.accounts.store import AccountStore
from cloud.accumulated.desk import Accumulations
from cloud.alarm_parts import alarm_parts
from cloud.alive import alive, goes_on
from cloud.api.disks import Disks
from cloud.api.services import Services
from cloud.app import create_app
from cloud.beside import beside
from cloud.broker import Broker
from cloud.brought.desk import BroughtArchives
from cloud.clock import Clock, SimulatedClock, SteadyClock, SystemClock, instant
from cloud.closing.archive import ArchiveFolder
from cloud.collector.closing import Desk
from cloud.collector.inbox import Inbox
from cloud.collector.intake import Intake
from cloud.collector.key_desk import KeyDesk
from cloud.collector.mqtt import MqttLink
from cloud.collector.one_way import OneWayDesk
from cloud.collector.opening import open_plants
from cloud.collector.service import Collector
from cloud.collector.topics import CERTIFICATE, Sender, down
from cloud.config import CloudConfig
from cloud.database.bring_over import bring_over
from cloud.database.engine import Database
from cloud.database.store import EvidenceStore
from cloud.drill.desk import DrillDesk
from cloud.errors import CloudError, ServerError, SliceLostError, StoreError
from cloud.http_server import address_of, listen, make_server
from cloud.known import read_known, remember
from cloud.live.hub import LiveHub
from cloud.month.opening import open_months
from cloud.month.sources import CollectorSources
from cloud.plan.desk import PlanDesk
from cloud.records.desk import RecordDesk
from cloud.review.openings import Openings
from cloud.screening.desk import Screenings
from cloud.scrub import Scrub
from cloud.series.desk import SeriesDesk
from cloud.series.follow import SeriesFollower
from cloud.series.opening import open_series
from cloud.settled import settled
from cloud.starting import folder_of, held, prepare, read_again, require_copied, take_slice
from cloud.token_file import new_token
from cloud.transport.desk import BrokerDesk
from cloud.transport.own import Ends
from cloud.transport.served import behind, serve_again
from cloud.transport.sessions import keep_few
from cloud.visits.desk import VisitDesk
from evidence.documents.counted import papers_that_stand
from evidence.log_lines import Say, about

log = logging.getLogger("stackproof.cloud")

CONNECT_S = 2.0

READY, TOKEN, BROKER_URL = "ready.json", "api.token", "broker.url"

Believed = SteadyClock | SimulatedClock


async def run_cloud(
    config: CloudConfig,
    clock: Clock,
    stop: asyncio.Event,
    say: Say,
    reload: asyncio.Event | None = None,
    *,
    standby: bool = False,
) -> None:
    """Run until `stop` is set, then take no more, commit, send receipts and end.

    Args:
        config: what to run.
        clock: wall clock; for the log it is not believed when it jumps ahead, unless it is a
            simulated one: then only simulated plants are taken.
        stop: ends it.
        say: told one line for each step, with the plant that it is about.
        reload: whenever it is set, the plants' key folders are looked into again.
        standby: while another collector holds the slice, wait for it; then `config` is read again.

    Raises:
        CloudError: it cannot run, or a part of it ended by a defect.
    """
    prepare(config, standby=standby)
    async with contextlib.AsyncExitStack() as stack, contextlib.AsyncExitStack() as waiting:
        if standby:
            await waiting.enter_async_context(beside(goes_on(lambda: "standby")))
        store = await take_slice(config, stop, say, waits=standby)
        if store is None:
            say("stopped")
            return
        stack.push_async_callback(_give_back, store)
        if standby:
            config = await asyncio.to_thread(read_again, config)
        state = config.state_dir
        with folder_of(config, "state_dir", state):  # its files are the holder's
            stack.enter_context(held(state))
            (state / READY).unlink(missing_ok=True)
            token = new_token(state / TOKEN)
        steady = clock if isinstance(clock, SimulatedClock) else SteadyClock(clock)
        stack.enter_context(settled())
        await asyncio.to_thread(require_copied, config, store)
        await asyncio.to_thread(bring_over, config.state_dir, store.database)
        intake = await _open(config, store, steady, say)
        process = _Process(config, intake, steady, token, say)
        await process.start(stack)
        await waiting.aclose()
        await stack.enter_async_context(process.telling_alive())
        if reload is not None:
            await stack.enter_async_context(beside(process.look_for_keys(reload)))
        await process.wait(stop)
        say("stopping: no more objects are taken; committing and sending receipts")
        (state / READY).unlink(missing_ok=True)  # while the slice is ours: a standby writes its own
    say("stopped")


async def _open(config: CloudConfig, store: EvidenceStore, clock: Believed, say: Say) -> Intake:
    """Every plant's evidence."""
    is_simulated = isinstance(clock, SimulatedClock)
    store.check_clock(is_simulated=is_simulated)
    intake = Intake(store, clock, config.signer, clock.doubt, only_simulated=is_simulated)
    if is_simulated:
        say(f"clock: simulated, it is {instant(clock.wall_ns())}; only simulated plants count")
    with folder_of(config, "state_dir", config.state_dir):
        store.known = read_known(config.state_dir) & {one.plant for one in config.plants}
    notes = await asyncio.to_thread(open_plants, intake, config.plants, clock.start_after)
    with folder_of(config, "state_dir", config.state_dir):
        remember(config.state_dir, store.known | {*intake.plants})
    if doubt := clock.doubt():
        say(f"clock: {doubt}")
    for plant, note in notes:
        say(f"evidence: {note}", extra=about(plant))
    many = len(list(intake.plants))
    say(f"evidence: {many} plant(s) open under {config.where}, epoch {store.epoch}")
    if not config.plants:
        say(f"evidence: {config.path} names no [[plant]]: nothing is accepted of any")
    return intake


async def _give_back(store: EvidenceStore) -> None:
    try:
        await asyncio.to_thread(store.close)
    except StoreError as error:
        log.warning("%s; the slice was not given back: the next start waits for its lease", error)


class _Process:
    """The running parts."""

    def __init__(
        self, config: CloudConfig, intake: Intake, clock: Believed, token: str, say: Say
    ) -> None:
        self._config, self._intake, self._clock = config, intake, clock
        self._kept: Database = intake.store.database
        self._token, self._say = token, say
        self._broker: Broker | None = None
        self._broker_url = config.broker.url
        self._http_url = ""

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Start the parts; `stack` ends them in reverse order."""
        config = self._config
        await self._start_broker(stack)
        hub, inbox = LiveHub(self._clock), Inbox()
        tls = None if config.broker.tls is None else config.broker.tls.context()
        renews = None if config.broker.register is None else self._asked_for_certificate
        self._link = link = MqttLink(
            self._broker_url, config.slice, inbox, hub, tls=tls, on_renew=renews,
            key=None if config.broker.tls is None else config.broker.tls.key,
        )  # fmt: skip
        self._ends = Ends(
            config.broker.tls, tls, config.broker.register, clock=SystemClock(),
            shown_ns=lambda: link.shown_ends_ns,
        )  # fmt: skip
        self._collector = Collector(config.slice, self._intake, inbox, link, hub)
        await self._serve(await self._services(hub, stack), stack)
        link.start(self._collector.resend)
        stack.push_async_callback(link.stop)
        self._collector.start()
        stack.push_async_callback(self._collector.stop)
        await stack.enter_async_context(self._actions.beside())
        await stack.enter_async_context(_following(self._accumulated, self._collector))
        await stack.enter_async_context(beside(self._screenings.run()))
        await stack.enter_async_context(beside(self._brought.run()))
        await stack.enter_async_context(beside(self._verify_archives()))
        await stack.enter_async_context(beside(self._transport.run()))
        await stack.enter_async_context(beside(self._transport.watch()))
        await stack.enter_async_context(beside(self._ends.watch()))
        await stack.enter_async_context(beside(keep_few(config.broker.register, link.publish)))
        await stack.enter_async_context(beside(self._series.follow(self._collector.quiet)))
        for work in (*self._alarms.work(), self._scrub.run()):
            await stack.enter_async_context(beside(work))
        stack.push_async_callback(self._engine.stop)
        self._engine.start()
        if await link.wait_connected(CONNECT_S):
            self._say(f"collector: slice {config.slice}, connected to {self._broker_url}")
        else:
            self._say(f"collector: {self._broker_url} does not answer yet; it is tried for ever")
        self._write_ready()
        if note := config.http.open_note(self._http_url):
            if config.http.names:
                log.warning("%s", note)
            else:
                self._say(note)
        self._say(f"series: kept in {self._series.kind}, followed from the log")
        self._say(f"ready: dashboard at {self._http_url}")

    async def _services(self, hub: LiveHub, stack: contextlib.AsyncExitStack) -> Services:
        """What pages and API work on; none of it runs by itself yet."""
        config = self._config
        desk = Desk(self._collector, self._intake, config.signer)
        self._keys = KeyDesk(self._collector, self._intake, hub.on_ordered)
        records = RecordDesk(self._collector, self._intake, config.signer)
        for plant, note in await asyncio.to_thread(records.load):
            log.error("%s", note, extra=about(plant))
        visitor = VISITING_OPERATOR if config.http.visitors_operate else VISITOR
        unsigned = STRANGER if config.http.accounts else visitor
        # people's sessions, and the codes of their phones, go by the machine's clock
        accounts = open_accounts(AccountStore(self._kept), SystemClock(), config.regions, unsigned)
        self._transport = self._broker_desk(accounts.book, hub)
        self._actions = AccountActions(accounts.book, records, config.regions, self._clock)
        archives = ArchiveFolder(config.archive_dir)
        self._accumulated = self._new_accumulated(desk, archives, records)
        plans = PlanDesk(records, self._intake, archives, self._clock)
        self._screenings = screenings = Screenings(config.state_dir)
        roots = {one.plant: one.root.fingerprint.hex() for one in config.plants}
        self._brought = BroughtArchives(config.state_dir, self._clock, roots)
        flags = self._accumulated.flags
        sources = CollectorSources(self._collector, self._intake, records, flags)
        self._engine, self._verify_archives = open_months(
            config, self._kept, desk, sources, plans, clock=self._clock
        )
        kept = open_series(config.series, config.state_dir, config.slice, self._clock)
        self._series = SeriesFollower(desk, kept)
        self._scrub = self._new_scrub()
        stack.callback(self._series.close)
        self._alarms = alarm_parts(
            config, self._kept, hub, self._engine, self._keys, desk, self._accumulated, self._clock,
            lambda: self._link.away_s, self._ends.rows, lambda: bool(self._transport.trouble),
            self._unkept_s,
        )  # fmt: skip
        return Services(
            hub=hub, clock=self._clock,
            months=self._engine, streams=self._collector,
            evidence=desk,
            keys=self._keys,
            one_way=OneWayDesk(self._collector, self._intake, config.state_dir),
            accounts=accounts, records=records,
            accumulated=self._accumulated,
            plans=plans,
            openings=Openings(self._kept),
            drill=DrillDesk(desk, records, archives.statement),
            visits=VisitDesk(records, self._engine, plans, screenings),
            screenings=screenings,
            brought=self._brought,
            transport=self._transport,
            series=SeriesDesk(kept, self._series),
            alarms=self._alarms.alarms, shifts=self._alarms.shifts,
            scrub=self._scrub.rows,
            broker=self._link, broker_ends=self._ends.rows, broker_unkept_s=self._unkept_s,
            collector_ends=config.collector_ends, normal=config.normal,
            token=self._token, hosts=config.http.names, disks=Disks(config.folders),
        )  # fmt: skip

    def _new_accumulated(
        self, desk: Desk, archives: ArchiveFolder, records: RecordDesk
    ) -> Accumulations:
        return Accumulations(
            desk, self._config.accumulated, archives, self._clock, self._config.said,
            lambda plant: papers_that_stand(records.papers(plant).standing),
        )  # fmt: skip

    def _new_scrub(self) -> Scrub:
        config, store = self._config, self._intake.store
        return Scrub(config.path, config.state_dir, self._collector, store, SystemClock())

    def _broker_desk(self, book: Book, hub: LiveHub) -> BrokerDesk:
        config = self._config
        return BrokerDesk(
            config.broker.register, self._intake, book, SystemClock(),
            publish=self._hand_over, serve=lambda register: serve_again(config.path, register),
            behind=lambda register: behind(config.path, register),
            doubt=self._clock.doubt, heard_ns=hub.heard_ns,
        )  # fmt: skip

    def _unkept_s(self) -> float | None:
        return None if self._broker is None else self._broker.unkept_s

    def _asked_for_certificate(self, sender: Sender, request: bytes) -> None:
        self._transport.asked(sender, request)

    def _hand_over(self, sender: Sender, certificate: bytes) -> None:
        self._link.publish(down(self._config.slice, sender, CERTIFICATE), certificate)

    async def _start_broker(self, stack: contextlib.AsyncExitStack) -> None:
        config = self._config
        if config.broker.embedded:
            self._broker = Broker(config.state_dir, config.broker.port, self._write_ready)
            await self._broker.start()
            stack.push_async_callback(self._broker.stop)
            self._broker_url = self._broker.url
            self._say(f"broker: embedded, {self._broker_url}, process {self._broker.pid}")
        (config.state_dir / BROKER_URL).write_text(self._broker_url + "\n")

    async def look_for_keys(self, reload: asyncio.Event) -> None:
        """Look into every plant's key folder whenever it is ordered; for ever."""
        for plant in self._keys.plants():
            with contextlib.suppress(LookupError, StoreError):  # given up meanwhile; it ends
                self._say_of_keys(plant, await self._keys.carry(plant))
        while True:
            await reload.wait()
            reload.clear()
            for plant in self._keys.plants():
                try:
                    news = await self._keys.reload(plant)
                except (StoreError, LookupError) as error:  # LookupError: given up meanwhile
                    log.error("%s", error, extra=about(plant))  # noqa: TRY400 - the sentence says all
                    continue
                self._say_of_keys(plant, (*news.taken, *news.problems))

    def _say_of_keys(self, plant: str, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self._say(f"keys: plant {plant}: {sentence}", extra=about(plant))

    def telling_alive(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Beside the rest, tell the manager of services that the collector goes on."""
        return beside(alive(self._collector))

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait for the order to stop.

        Raises:
            CloudError: a part ended by itself.
        """
        waits = [
            asyncio.create_task(stop.wait()),
            asyncio.create_task(self._collector.ended.wait()),
        ]
        await asyncio.wait([*waits, self._serving], return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        if isinstance(self._collector.defect, SliceLostError):
            raise self._collector.defect
        if self._collector.defect is not None:
            raise CloudError(f"the collector ended by a defect: {self._collector.defect!r}")
        if self._serving.done() and not stop.is_set():
            raise ServerError("the web server ended by itself; see the log")

    async def _serve(self, services: Services, stack: contextlib.AsyncExitStack) -> None:
        listener = listen(self._config.http.host, self._config.http.port)
        self._http_url = address_of(self._config.http.host, listener)
        server = make_server(create_app(services))
        self._serving = asyncio.create_task(server.serve(sockets=[listener]))

        async def end() -> None:
            services.hub.close()  # open pages would hold up the end
            server.should_exit = True
            await self._serving

        stack.push_async_callback(end)

    def _write_ready(self) -> None:
        """Tell other programs where everything is: again when the broker has a new process id."""
        facts = {
            "http": self._http_url,
            "broker": self._broker_url,
            "pid": os.getpid(),
            "broker_pid": None if self._broker is None else self._broker.pid,
        }
        path = self._config.state_dir / READY
        beside = path.with_name(f"{READY}.new")
        beside.write_text(json.dumps(facts) + "\n")
        beside.replace(path)


@contextlib.asynccontextmanager
async def _following(accumulated: Accumulations, after: Collector) -> AsyncIterator[None]:
    """Count beside the collector; at the end, keep how far it came."""
    try:
        async with beside(accumulated.follow(after.quiet)):
            yield
    finally:
        await asyncio.to_thread(accumulated.keep)
