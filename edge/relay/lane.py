"""One stream of the relay: forwards what is held, in order, until the collector's receipt.

The agent's own way of sending (`edge.uplink`). The collector takes a stream's next seq
and no other, so what is behind a hole is held until the hole is filled: by a repetition, by a file
exported again, or at the collector (`cloud import`). So that the collector names the hole too, it
is shown the nearest object behind it and the ends of the newest runs, once in `WITNESS_S`: by their
signatures it says which of them are the gateway's. Of what is not believed at most the nearest.
"""

import asyncio
import logging
from collections.abc import Sequence

from edge.broker_tls import Shown
from edge.clock import Clock
from edge.disk import Disk
from edge.errors import NotOursError
from edge.quiet import Quiet
from edge.relay.config import RelayConfig, RelayStream
from edge.relay.outer import Outer, judge_relayed
from edge.relay.queue import Kept, Queue
from edge.trouble import Reach, tried
from edge.uplink.machine import Send
from edge.uplink.mqtt import MqttUplink
from edge.uplink.sending import Sending
from edge.uplink.topics import Topics
from evidence.client_id import client_id
from evidence.log_lines import about
from evidence.shown_life import Life

log = logging.getLogger("stackproof.relay")

TICK_S = 0.5
WITNESS_S = 30.0


class RelayTopics(Topics):
    """The gateway's topics, but for birth and will: that a relay is there says nothing of it.

    Of what comes down only receipts are heard: the rest is for the gateway, which hears nothing.
    """

    @property
    def state(self) -> str:
        """Retained birth and last will of the relay."""
        return f"{self.base}/relay"

    @property
    def down(self) -> tuple[str, ...]:
        """Receipts."""
        return (self.receipts,)

    @property
    def down_over_tls(self) -> tuple[str, ...]:
        """Receipts: a relay's broker certificate is renewed by hand."""
        return self.down


class Lane:
    """Brings one stream's objects to the collector, and forgets what it has receipted.

    Attributes:
        machine: what is sent, and what is under receipt.
        refused: messages from the broker that were not acted on.
        reach: whether the broker lets it in; None before the first try.
    """

    def __init__(
        self, stream: RelayStream, queue: Queue, config: RelayConfig, clock: Clock, disk: Disk, *,
        shown: Shown | None = None,
    ) -> None:  # fmt: skip
        """Prepare; nothing is sent before `start`. `shown` belongs to a url with TLS."""
        self.stream, self.queue = stream, queue
        self._clock, self._disk = clock, disk
        self._about = about(stream.plant, stream.gateway)
        self._sending = Sending(stream.name, self._read_objects, clock, log, self._about)
        self.machine = self._sending.machine
        self.refused = 0
        self.reach: Reach | None = None
        self._lost = False  # and that was said
        self._quiet = Quiet()
        self._shows_at_s = 0.0
        self._unread: tuple[bytes, bool] | None = None  # a receipt, and whether it was retained
        # by what no id has: of north-works/1 and north/works-1 each would throw the other off
        name = f"relay-{stream.plant}/{stream.gateway}"
        self._uplink = MqttUplink(
            config.route,
            RelayTopics.of(stream.slice, stream.plant, stream.gateway),
            client_id(name, None if shown is None else shown.tls.key),
            on_connected=self._on_connected,
            on_disconnected=self._on_disconnected,
            on_message=self._on_message,
            tls=None if shown is None else shown.context,
            lacks=lambda: "" if shown is None else shown.lacks,
            doctor=f"stackproof relay doctor {config.path}",
        )

    @property
    def forwarded(self) -> int:
        """Objects handed to the broker, repetitions too."""
        return self._sending.sent

    @property
    def shown(self) -> Life | None:
        """Of the broker's certificate, as it was shown last; None without TLS, or not yet known."""
        return self._uplink.shown

    @property
    def is_unanswered(self) -> bool:
        """True when what was sent again and again has no receipt: it may be forged."""
        return self.machine.is_unanswered and self.machine.outstanding > 0

    def reconnect(self) -> None:
        """End the connection; the next begins by itself, with the certificate of now."""
        self._uplink.reconnect()

    async def start(self) -> None:
        """Begin where the queue stands."""
        receipted = await self._disk.run(self.queue.receipted_seq)
        self.machine.resume(await self._disk.run(self.queue.run_end, receipted + 1), receipted)
        self._uplink.start()
        self._sending.spawn(self._watch())

    async def stop(self) -> None:
        """End; what is held stays held."""
        await asyncio.get_running_loop().run_in_executor(None, self._uplink.stop)
        await self._sending.stop()

    async def keep(self, objects: Sequence[Outer], *, also_receipted: bool = False) -> Kept:
        """Put objects on disk; they go on from there. SpoolError: nothing of them was kept."""
        now_ns = self._clock.wall_ns()
        kept = await self._disk.run(self.queue.keep, objects, now_ns, also_receipted=also_receipted)
        await self._go_on()
        return kept

    async def _go_on(self) -> None:
        """Whatever continues what was sent is sent."""
        end = max(self.machine.newest, self.machine.receipted)
        newest = await self._disk.run(self.queue.run_end, end + 1)
        if newest > end:
            self._send_all(self.machine.appended(newest, self._now_s()))

    # -- what the transport reports ---------------------------------------------------------------

    def _on_connected(self) -> None:
        if self._lost:
            log.warning("%s: broker: connected", self.stream.name, extra=self._about)
            self._lost = False
        self.reach = tried(self.reach, "", self._clock.wall_ns())
        self._send_all(self.machine.connected(self._now_s()))
        self._uplink.pace(self.machine.pause_s)  # one that hangs up on us is not called each second

    def _on_disconnected(self, reason: str) -> None:
        self.reach = tried(self.reach, reason, self._clock.wall_ns())
        # once: a hundred streams that said it each minute would fill a log in days of an outage
        if not self._lost and self._quiet.may("away", self._now_s()):
            self._lost = True
            log.warning("%s: broker away (%s); objects are kept", self.stream.name, reason,
                        extra=self._about)  # fmt: skip
        self.machine.disconnected()

    def _on_message(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """Only the newest receipt counts: a flood of them costs one call at a time."""
        if payload and topic.endswith("/receipts"):
            is_idle, self._unread = self._unread is None, (payload, is_retained)
            if is_idle:
                self._sending.spawn(self._read())

    async def _read(self) -> None:
        try:
            while self._unread is not None:
                read = self._unread
                await self._take_receipt(*read)
                if self._unread is read:
                    self._unread = None
        finally:
            self._unread = None

    async def _take_receipt(self, payload: bytes, is_retained: bool) -> None:
        try:
            receipt = judge_relayed(payload, self.stream)
        except NotOursError as error:
            self.refused += 1
            if self._quiet.may("refused", self._now_s()):
                log.warning("%s", error, extra=self._about)
            return
        if receipt.seq < self.machine.receipted:
            await self._set_back(receipt.seq)
            return
        if receipt.seq == self.machine.receipted:
            if not is_retained:  # the collector's word of now: what came again is not needed
                await self._release(receipt.seq)
                self._send_all(self.machine.repeated(self._now_s()))
            return
        if await self._disk.run(self.queue.has, receipt.seq, receipt.head) is False:
            log.error(
                "%s: the collector holds another object at seq %d than came here: this one was "
                "altered on its way, or a second device signs", self.stream.name, receipt.seq,
                extra=self._about,
            )  # fmt: skip
        await self._release(receipt.seq)
        self._send_all(self.machine.receipt(receipt.seq, self._now_s()))
        self._uplink.pace(self.machine.pause_s)
        await self._go_on()

    async def _release(self, seq: int) -> None:
        while await self._disk.run(self.queue.release, seq):
            pass  # between two pieces what comes is kept

    async def _set_back(self, seq: int) -> None:
        """The collector says that it holds less than it did: an earlier copy of it was put back.

        Or the broker repeats an old receipt: then more is kept than need be, until the next one.
        """
        if self._quiet.may("set-back", self._now_s()):
            log.error(
                "%s: the collector holds seq %d, and held %d: what is between was forgotten here, "
                "and must be exported again at the site (stackproof relay status names it)",
                self.stream.name, seq, self.machine.receipted, extra=self._about,
            )  # fmt: skip
        await self._disk.run(self.queue.set_back, seq)
        self.machine.resume(await self._disk.run(self.queue.run_end, seq + 1), seq)
        self._send_all(self.machine.tick(self._now_s()))

    # -- sending ----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._send_all(self.machine.tick(self._now_s()))
            if self.machine.online and self._now_s() >= self._shows_at_s:
                self._shows_at_s = self._now_s() + WITNESS_S
                self._sending.spawn(self._look())  # a disk that fails once ends it, not this

    async def _look(self) -> None:
        await self._look_again()
        await self._show_hole()

    async def _look_again(self) -> None:
        """What a person had forgotten beside the relay, or gave way, is not waited for."""
        machine, first = self.machine, self.machine.receipted + 1
        ends = {first, machine.newest} if machine.outstanding > 0 else ()
        if not all([await self._disk.run(self.queue.holds, seq) for seq in ends]):
            machine.resume(await self._disk.run(self.queue.run_end, first), machine.receipted)
            self._send_all(machine.tick(self._now_s()))

    async def _show_hole(self) -> None:
        """Have the collector see that something is missing."""
        end = max(self.machine.newest, self.machine.receipted)
        for seq in await self._disk.run(self.queue.beyond, end):
            self._send_all([Send(seq, seq)])

    def _send_all(self, sends: Sequence[Send]) -> None:
        self._sending.send_all(self._uplink, sends)

    async def _read_objects(self, first: int, last: int) -> Sequence[tuple[int, bytes]]:
        return await self._disk.run(self.queue.objects, first, last)

    def _now_s(self) -> float:
        return self._sending.now_s()
