"""Delivery's shell: joins the state machine, the stream and the MQTT transport.

`edge.uplink.machine` decides, `edge.stream` holds the objects and checks what comes down,
`edge.uplink.sending` and `mqtt` carry, `edge.receipt_files` finds receipts that were carried by
hand. This file only moves things between them. A one-way site has no transport: nothing is sent,
and nothing is freed but by receipts brought as files, or by the ring of what has left
(`edge.one_way`).
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from edge import receipt_files
from edge.broker_tls import BrokerTls, Shown
from edge.clock import Clock
from edge.clock_doubt import ReceiptTimes
from edge.disk import Disk
from edge.errors import AlteredError, EdgeError, ForkError, NotOursError, SpoolError, TwoLogsError
from edge.one_way.leaving import leave_forever, leaving_of
from edge.quiet import EVERY_S, Quiet
from edge.renewal import Renewal
from edge.site.config import Site
from edge.spool_reader import State, Stored
from edge.stream import Stream
from edge.trouble import DAMAGED, FORK, REFUSED, SET_BACK, UNANSWERED
from edge.uplink.machine import Send, set_back, unanswered
from edge.uplink.mqtt import MqttUplink
from edge.uplink.sending import Sending
from edge.uplink.topics import Topics
from evidence.client_id import client_id

log = logging.getLogger("stackproof.edge.delivery")

TICK_S = 0.5
#: a broker gives a retained receipt right after the subscription: what comes no sooner is not there
FIRST_RECEIPT_S = 2.0
#: after a power cut the network is up later than the gateway: what is read until then is not signed
UNREACHABLE_S = 300.0
UNHEARD_SAYS = (
    "the collector has not been heard since the start, and may hold objects that this spool does "
    "not, if it was set back to an earlier copy: what is read is kept, and signed when the "
    f"collector is heard, or {UNREACHABLE_S / 60:.0f} minutes after the start. Look at the broker "
    "of [uplink] url and the way to it"
)
LAST_RECEIPT_S = 3.0
CUTS_MAX = 4  # connections lost within a minute before somebody else is suspected
RECEIPT_FILES_S = 2.0  # how often to look for receipts brought as files


#: takes a site order as it came, never waits
OnOrder = Callable[[bytes], None]


class Delivery:
    """Brings one gateway's objects to the collector and frees what it has receipted."""

    def __init__(
        self, site: Site, stream: Stream, clock: Clock, disk: Disk, *,
        on_order: OnOrder | None = None,
    ) -> None:  # fmt: skip
        """Prepare; nothing is sent before `start`."""
        self._on_order = on_order
        gateway, plant = site.gateway, site.plant
        self._stream, self._clock, self._disk = stream, clock, disk
        self._sending = Sending("delivery failed", self._read_objects, clock, log)
        self.machine = self._sending.machine
        self._site, self._receipts = site, gateway.receipts
        self._name = f"edge-{plant.id}/{gateway.id}"
        self._topics = Topics.of(gateway.slice, plant.id, gateway.id)
        self._uplink: MqttUplink | None = None
        self._renewal: Renewal | None = None
        if site.uplink.mode == "mqtt":
            self._uplink = self._connect(site)
        self._moved = asyncio.Event()
        self._started = asyncio.Event()  # reading may begin: the word has come, or no way to it
        self._word = asyncio.Event()  # the collector was heard, or it is over that one waits for it
        self._until: asyncio.TimerHandle | None = None
        self._ends_s = 0.0  # then it is over without a broker, by the monotonic clock
        self._lost = False
        self._cuts_s: deque[float] = deque(maxlen=CUTS_MAX)
        self._quiet, self.receipt_times = Quiet(), ReceiptTimes()
        # topic -> newest message nobody has looked at, and whether the broker had kept it
        self._unread: dict[str, tuple[bytes, bool]] = {}
        self._reading: set[str] = set()
        self.refused = 0  # messages from the broker that were not acted on

    def _connect(self, site: Site) -> MqttUplink:
        tls = BrokerTls.of(site)
        shown = None if tls is None else Shown(tls)
        uplink = MqttUplink(
            site.uplink.route,
            self._topics,
            client_id(self._name, None if tls is None else tls.key),
            on_connected=self._on_connected,
            on_disconnected=self._on_disconnected,
            on_message=self._on_message,
            tls=None if shown is None else shown.context,
            lacks=lambda: "" if shown is None else shown.lacks,
            takes_orders=self._on_order is not None,
            doctor=f"stackproof edge doctor {site.path}",
        )
        if shown is not None:
            self._renewal = Renewal(
                shown, uplink=uplink, stream=self._stream, clock=self._clock, disk=self._disk
            )
        return uplink

    @property
    def certificate_trouble(self) -> str:
        """What a person must know of the certificate for the broker, "" for nothing."""
        return "" if self._renewal is None else self._renewal.trouble

    async def start(self) -> None:
        """Begin where the spool stands."""
        spool = self._stream.spool
        newest = (await self._disk.run(spool.head)).next_seq - 1
        self.machine.resume(newest, await self._disk.run(spool.receipted_seq))
        if self._uplink is not None:
            self._ends_s = self._sending.now_s() + UNREACHABLE_S
            self._wait_for_word(UNREACHABLE_S)
            self._sending.spawn(self._disk.run(spool.put, {State.BROKER: b""}))
            self._uplink.start()
            self._sending.spawn(self._watch())
        if leaving := leaving_of(self._site, spool, self._clock, self._disk):
            self._sending.spawn(leave_forever(leaving, self._site, spool, self._clock, self._disk))
        self._sending.spawn(self._watch_files())

    async def first_word(self) -> None:
        """Wait a moment for the retained receipt, if there is a way to the collector.

        A spool that was set back to an earlier copy learns by it that it was. Until it has come,
        or is not to be expected, nothing is signed, and what is read meanwhile waits.
        """
        if self._uplink is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._started.wait(), FIRST_RECEIPT_S)

    def _wait_for_word(self, seconds: float) -> None:
        """Wait no longer than this for the collector's first word."""
        if self._until is not None:
            self._until.cancel()
        if not self._word.is_set():
            loop = asyncio.get_running_loop()
            self._until = loop.call_later(seconds, lambda: self._sending.spawn(self._may_sign()))

    async def _may_sign(self) -> None:
        """The collector's first word was looked at, or is waited for no longer."""
        if self._word.is_set():
            return
        try:
            made = await self._disk.run(self._stream.word_came, self._clock.wall_ns())
        except SpoolError:
            self._wait_for_word(FIRST_RECEIPT_S)
            raise
        for stored in made:
            self.appended(stored)
        self._word.set()
        self._started.set()

    async def stop(self) -> None:
        """Wait a moment for the last receipts, then end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_RECEIPT_S):
                while self.machine.online and self.machine.outstanding:
                    self._moved.clear()
                    await self._moved.wait()
        # first the transport, so that nothing new begins; off the loop, since it may have to wait
        if self._until is not None:
            self._until.cancel()
        if self._uplink is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._uplink.stop)
        await self._sending.stop()

    def appended(self, stored: Stored) -> None:
        """The spool holds one more object."""
        self.receipt_times.made(stored.seq, self._clock.monotonic_ns())
        self._send_all(self.machine.appended(stored.seq, self._sending.now_s()))

    def tell(self, state: bytes) -> None:
        """What the gateway's state message says from here on, while it is online."""
        if self._uplink is not None:
            self._uplink.tell(state)

    def send_live(self, message: bytes) -> None:
        """Newest values for the live page; lost when the broker is away."""
        if self._uplink is not None:
            self._uplink.send_live(message)

    # -- what the transport reports ---------------------------------------------------------------

    def _on_connected(self) -> None:
        self._sending.spawn(self._note_broker(""))
        if self._lost:
            log.warning("broker: connected")
            self._lost = False
        self._send_all(self.machine.connected(self._sending.now_s()))
        self._pace()
        self._wait_for_word(FIRST_RECEIPT_S)

    def _on_disconnected(self, reason: str) -> None:
        self._sending.spawn(self._note_broker(reason))
        if self.machine.online:
            self._cuts_s.append(self._sending.now_s())
        if self._is_cut_again_and_again():
            if self._quiet.may("cuts", self._sending.now_s()):
                log.warning(
                    "broker: the connection is cut again and again (%s): look for a second client "
                    "that calls itself %s, such as a second agent of this gateway",
                    reason,
                    self._name,
                )
        elif not self._lost:
            log.warning("broker: away (%s); readings are kept and delivered later", reason)
            self._lost = True
        self.machine.disconnected()
        self._moved.set()
        left_s = self._ends_s - self._sending.now_s()
        self._wait_for_word(max(0.0, left_s))
        if left_s > 0:
            self._started.set()

    def _pace(self) -> None:
        if self._uplink is not None:
            self._uplink.pace(self.machine.pause_s)

    def _is_cut_again_and_again(self) -> bool:
        cuts = self._cuts_s
        return len(cuts) == CUTS_MAX and self._sending.now_s() - cuts[0] < EVERY_S

    def _on_message(self, topic: str, payload: bytes, is_retained: bool = True) -> None:
        """Only the newest message of a topic counts: a flood of them costs one call at a time."""
        if not payload:
            return  # somebody has cleared the retained message
        self._unread[topic] = payload, is_retained
        if topic not in self._reading:
            self._reading.add(topic)
            self._sending.spawn(self._read(topic))

    async def _read(self, topic: str) -> None:
        takes = {
            "receipts": self._take_receipt, "certificate": self._take_certificate,
            "order": self._take_order,
        }  # fmt: skip
        take = takes.get(topic.rpartition("/")[2], self._take_close_request)
        try:
            while (message := self._unread.pop(topic, None)) is not None:
                await take(*message)
        finally:
            self._reading.discard(topic)

    async def _take_receipt(self, payload: bytes, is_retained: bool) -> None:
        before = self.machine.receipted
        try:
            if await self._act_on(payload) == before and not is_retained:
                self._send_all(self.machine.repeated(self._sending.now_s()))
        except NotOursError as error:
            await self._refuse(error)
            return
        self._moved.set()

    async def _act_on(self, receipt: bytes) -> int:
        """Free what the receipt covers, up to the seq returned; cosign its log once an hour."""
        now_ns = self._clock.wall_ns()
        take = self._stream.take_receipt
        while (seq := await self._disk.run(take, receipt, now_ns)) is None:
            pass  # between two pieces ticks are committed
        if seq > self.machine.receipted:
            self._quiet.arm()
            self.receipt_times.receipted(*self._stream.newest_receipt, self._clock.monotonic_ns())
        self._send_all(self.machine.receipt(seq, self._sending.now_s()))
        self._pace()
        await self._may_sign()
        stored = await self._disk.run(self._stream.cosign_hourly, now_ns)
        if stored is not None:
            self.appended(stored)
        return seq

    async def _take_certificate(self, payload: bytes, is_retained: bool) -> None:
        if self._renewal is None:
            return
        try:
            await self._renewal.take(payload)
        except NotOursError as error:
            await self._refuse(error)

    async def _take_order(self, payload: bytes, is_retained: bool) -> None:
        if self._on_order is not None:
            self._on_order(payload)

    async def _take_close_request(self, payload: bytes, is_retained: bool) -> None:
        await self._word.wait()  # a spool that was set back must not sign before it knows
        now_ns = self._clock.wall_ns()
        try:
            made = await self._disk.run(self._stream.answer_close, payload, now_ns)
        except NotOursError as error:
            await self._refuse(error)
            return
        for stored in made:
            self.appended(stored)

    async def _watch_files(self) -> None:
        """Act on receipts that are brought as files, for ever."""
        while True:
            try:
                for path in await self._disk.run(receipt_files.waiting, self._receipts):
                    await self._take_file(path)
            except (SpoolError, OSError) as error:
                log.error("receipt files: %s; tried again", error)  # noqa: TRY400 - no defect
            await asyncio.sleep(RECEIPT_FILES_S)

    async def _take_file(self, path: Path) -> None:
        try:
            for receipt in await self._disk.run(receipt_files.receipts_of, path):
                await self._act_on(receipt)
        except NotOursError as error:
            await self._refuse(error)
            await self._disk.run(receipt_files.refuse, path)
            return
        await self._disk.run(receipt_files.done, path)
        log.info("%s: taken; everything up to seq %d is freed", path.name, self.machine.receipted)

    async def _refuse(self, error: NotOursError) -> None:
        """Count a message that must not be acted on; say so once until a new receipt comes."""
        self.refused += 1
        if isinstance(error, TwoLogsError):  # its alarm stands by its own proof
            if self._quiet.once("two-logs", self._sending.now_s()):
                log.error("%s", error)
        elif isinstance(error, ForkError):  # kept by the stream
            if self._quiet.once(FORK, self._sending.now_s()):
                log.warning("%s", error)
        else:
            await self._note(REFUSED, error)
            return
        await self._may_sign()  # it is the collector's own word, whatever it says

    async def _note(self, kind: str, error: EdgeError, until_seq: int = 0) -> None:
        """Keep why nothing gets through; say so once until a new receipt comes."""
        if not self._quiet.once(kind, self._sending.now_s()):
            log.debug("%s", error)
            return
        log.warning("%s", error)
        now_ns = self._clock.wall_ns()
        await self._disk.run(
            self._stream.note_trouble, kind, str(error), now_ns, until_seq=until_seq
        )

    async def _note_broker(self, reason: str) -> None:
        shown = None if reason or self._uplink is None else self._uplink.shown
        await self._disk.run(self._stream.note_broker, reason, self._clock.wall_ns(), shown)

    # -- sending ----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._send_all(self.machine.tick(self._sending.now_s()))
            if self._renewal is not None:
                self._sending.spawn(self._renewal.look(is_online=self.machine.online))
            if sentence := set_back(self.machine):
                self._sending.spawn(self._note(SET_BACK, NotOursError(sentence)))
            elif sentence := unanswered(self.machine, self._topics.frames, self._name):
                self._sending.spawn(self._note(UNANSWERED, NotOursError(sentence)))

    def _send_all(self, sends: Sequence[Send]) -> None:
        self._sending.send_all(self._uplink, sends)

    async def _read_objects(self, first: int, last: int) -> Sequence[tuple[int, bytes]]:
        try:
            found = await self._disk.run(self._stream.spool.objects, first, last - first + 1)
        except AlteredError as error:
            await self._note(DAMAGED, error, until_seq=error.seq)
            return []
        return [(stored.seq, stored.data) for stored in found]
