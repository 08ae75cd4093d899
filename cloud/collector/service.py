"""The collector: one thread that takes objects, commits them in groups and sends receipts.

    network's thread → inbox → [judge → stage → commit → receipts] → network
                                              └→ event loop: live page, months

Where much comes, another process looks at frames before they are judged (`cloud.collector.ahead`).
All disk work and all decisions are on that thread, so a plant's log has one writer. A commit is
made at once after a quiet time and otherwise every half second, for all plants together.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, TypeVar

from cloud.collector import topics
from cloud.collector.ahead import Ahead
from cloud.collector.busy import Busy
from cloud.collector.floods import Floods
from cloud.collector.inbox import Inbox, Message
from cloud.collector.intake import Intake, Outcome
from cloud.collector.links import Link, LivePage
from cloud.collector.missing import Missed, confirmed_size, missing_row
from cloud.collector.opening import newest_config
from cloud.collector.receipts import ReceiptBook
from cloud.collector.rejects import ALARMS
from cloud.collector.standing import HANGS, NOT_WRITTEN, STOPS
from cloud.collector.topics import Sender
from cloud.database.state import StreamState
from cloud.errors import CloudError, SliceLostError, StoreError
from evidence.errors import EvidenceError, KeyFileError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.collector")

COMMIT_INTERVAL_S = 0.5
#: for how long at most what is made of evidence waits for evidence that comes; looked at so often
PASS_S, PASS_LOOK_S = 1.0, 0.05
#: of a second, the share in which this thread may have work while other work goes on beside it
BUSY = 0.4
ROUND_MESSAGES = 256
#: what comes while something waits for its commit anyway is taken together: threads that hand over
#: objects one by one spend more on that than on the objects
GATHER_S = 0.02
STOP_S = 4.0

T = TypeVar("T")


class Collector:
    """The collector of one slice.

    Args:
        slice_id: whose topics it answers on.
        intake: decisions and evidence; belongs to the collector's thread from `start` on.
        inbox: where the network puts objects.
        link: the way down.
        page: is told what was sealed.

    Attributes:
        ended: set when the thread has ended, by `stop` or by a defect.
        defect: what ended it, None otherwise.
    """

    def __init__(
        self, slice_id: str, intake: Intake, inbox: Inbox, link: Link, page: LivePage
    ) -> None:
        self.ended = asyncio.Event()
        self.defect: Exception | None = None
        self._slice, self._intake, self._inbox = slice_id, intake, inbox
        self._link, self._page, self._book = link, page, ReceiptBook()
        self._floods = Floods(intake.plants, intake.standing, intake.rejects)
        self._said: dict[str, bytes] = {}
        self._news: set[asyncio.Event] = set()
        self._promised: set[Future[Any]] = set()
        self._committed_s, self._is_working, self._is_behind = float("-inf"), False, False
        self._busy, self._ahead = Busy(), Ahead(intake.plants.likely_key)
        self._lasting: Mapping[Sender, Missed] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    # -- the event loop's thread ------------------------------------------------------------------

    def start(self) -> None:
        """Begin; call in the running event loop, after `open_plants`."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Take what has arrived, commit it, send its receipts, end."""
        self._inbox.close()
        await asyncio.to_thread(self._thread.join, STOP_S)
        if self._thread.is_alive():
            raise CloudError(f"the collector did not end within {STOP_S:.0f} s: the disk hangs")

    async def quiet(self) -> None:
        """Wait until evidence leaves time for other work, `PASS_S` at most: it goes first."""
        until_s = time.monotonic() + PASS_S
        while time.monotonic() < until_s:
            is_idle = not (self._is_working or self._inbox.is_filled)
            if is_idle or self._busy.share < BUSY:
                return
            await asyncio.sleep(PASS_LOOK_S)

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Run something on the collector's thread, in its turn."""
        future: Future[T] = Future()

        def order() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
                    future.set_exception(error)

        # promised first: the thread may end at any time, and then fails what is promised
        self._promised.add(future)
        future.add_done_callback(self._promised.discard)
        if self._inbox.is_closed:
            future.cancel()
            raise StoreError("the collector is stopping; nothing more is logged")
        self._inbox.order(order)
        return future

    def resend(self) -> None:
        """A connection came up: its broker may hold nothing retained. Any thread."""
        self._inbox.order(self._resend)

    def say(self, sender: Sender, leaf: str, payload: bytes) -> None:
        """Publish for a gateway, again after each reconnect. The collector's thread."""
        self._said[topics.down(self._slice, sender, leaf)] = payload
        self._link.publish(topics.down(self._slice, sender, leaf), payload)

    def stand(self, plant: str, reason: str, sentence: str, **values: object) -> None:
        """An alarm of a whole plant stands; "" for a sentence ends it. The collector's thread."""
        standing, at_ns = self._intake.standing, self._intake.plants.require(plant).clock_ns()
        standing.end(plant, "", (reason,))
        if sentence:
            standing.rise(plant, "", reason, at_ns, sentence, values=values)
        self._tell_alarms([plant])

    def receipt(self, sender: Sender) -> bytes | None:
        """The newest signed receipt of a stream, None before the first."""
        return self._book.newest(sender)

    def watch_closes(self) -> asyncio.Event:
        """An event that is set whenever a close object was committed; give it to `unwatch`."""
        event = asyncio.Event()
        self._news.add(event)
        return event

    def unwatch(self, event: asyncio.Event) -> None:
        """Forget an event of `watch_closes`."""
        self._news.discard(event)

    def status(self) -> Sequence[Mapping[str, Any]]:
        """JSON-ready rows, one for each enrolled gateway; frames and readings since the start."""
        return [self._row(sender) for sender in self._intake.gateways()]

    def served(self) -> Sequence[str]:
        """Ids of the plants that are served, sorted."""
        return list(self._intake.plants)

    def amiss(self) -> Mapping[str, Mapping[str, str]]:
        """Plant -> reason -> what keeps it from going on, as a sentence; only plants with such."""
        not_served = self._intake.plants.stopped()
        of, hangs = self._intake.standing.of, self.hangs()
        all_of_them = {HANGS: hangs} if hangs else {}
        whole = {p: {n.reason: n.sentence for n in of(p) if n.reason in STOPS} | all_of_them
                 for p in self.served()}  # fmt: skip
        return {plant: why for plant, why in {**whole, **not_served}.items() if why}

    def hangs(self) -> str:
        """That its thread does not come back, a sentence; "" while it does. Any thread."""
        return self._busy.hangs(time.monotonic())

    def strangers(self) -> Mapping[str, int]:
        """Reason -> how many objects came for plants that are not served here."""
        return self._intake.rejects.of("", "")

    def _row(self, sender: Sender) -> Mapping[str, Any]:
        intake = self._intake
        stream = intake.plant(sender.plant).reader.state.stream(sender.gateway)
        missed = intake.missing.of(sender)
        return {
            "plant": sender.plant,
            "gateway": sender.gateway,
            "next_seq": stream.next_seq,
            "receipted_seq": self._book.sent_seq(sender),
            "frames": intake.frames[sender],
            "readings": intake.readings[sender],
            "refused": intake.rejects.of(sender.plant, sender.gateway),
            "missing": None if missed is None else asdict(missed),
            "confirmed_size": confirmed_size(intake.anchors.get(sender)),
            "alarms": [a for a in self._alarms(sender.plant) if a["gateway"] == sender.gateway],
        }

    def _alarms(self, plant: str) -> list[Mapping[str, Any]]:
        missed = [missing_row(s, m) for s, m in self._lasting.items() if s.plant == plant]
        refused = [n for n in self._intake.rejects.notices(plant) if n.reason in ALARMS]
        return [*missed, *self._intake.standing.rows(plant), *(n.as_map() for n in refused)]

    # -- the collector's thread -------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._resume()
            while self._turn():
                pass
            self._finish()
        except SliceLostError as error:
            log.error("%s", error)  # noqa: TRY400 - says all
            self.defect = error
        except Exception as error:  # whoever waits for this thread ends by it
            log.exception("the collector's thread ended by a defect")
            self.defect = error
        finally:
            self._ahead.close()
            self._inbox.close()
            for future in list(self._promised):  # nobody will run these any more
                if future.set_running_or_notify_cancel():
                    ended = StoreError("the collector has ended; nothing more is logged")
                    future.set_exception(ended)
            self._tell_loop(self.ended.set)

    def _turn(self) -> bool:
        """One round: take what is there, commit and send what is due; False at the end."""
        self._is_working, ended_s = False, time.monotonic()
        items = self._gathered()
        self._is_working, began_s = True, time.monotonic()
        self._busy.begin(began_s)
        self._is_behind = self._inbox.is_more
        for item, seen in self._ahead.pass_on(items):
            if isinstance(item, Message):
                self._intake.take(item.sender, item.data, time.monotonic(), seen)
            else:
                item()
        now_s = time.monotonic()
        if self._intake.is_dirty and now_s >= self._committed_s + COMMIT_INTERVAL_S:
            self.commit()
        self._send_receipts(now_s)
        self._intake.tell_rejects(now_s)
        self._tell_missing()
        flooding = self._floods.tell(self._inbox.dropped(), now_s)
        self._tell_alarms(self._intake.watch.look(now_s) | flooding)
        self._busy.count(began_s - ended_s, time.monotonic() - began_s)
        return bool(items) or self._ahead.is_waiting or not self._inbox.is_closed

    def _gathered(self) -> list[Message | Callable[[], None]]:
        """What came, a moment's worth of it where a commit has to wait longer than that."""
        if self._ahead.is_waiting:
            return self._inbox.take(ROUND_MESSAGES, 0.0)
        wait_s = self._wait_s()
        if self._intake.is_dirty and wait_s and not (self._is_behind or self._inbox.is_closed):
            time.sleep(min(GATHER_S, wait_s))
            wait_s = self._wait_s()
        return self._inbox.take(ROUND_MESSAGES, wait_s)

    def _wait_s(self) -> float:
        """How long to wait for the next item: until something is due."""
        intake = self._intake
        due = [self._book.next_due_s(), intake.next_tell_s(), intake.watch.next_due_s()]
        if self._intake.is_dirty:
            due.append(self._committed_s + COMMIT_INTERVAL_S)
        return max(0.0, min(at_s for at_s in due if at_s is not None) - time.monotonic())

    def commit(self) -> Outcome:
        """Commit everything staged and tell everyone whom it concerns."""
        self._committed_s = time.monotonic()
        outcome = self._intake.commit()
        self._complain(outcome)
        for sender in outcome.sealed:
            self._book.want(sender)
        self._tell_loop(self._tell_page, outcome.configs.items(), self._sealed(outcome.sealed))
        self._tell_alarms(outcome.alarmed)
        if outcome.closes:
            self._tell_loop(self._tell_news)
        return outcome

    def commit_for(self, plant: str) -> None:
        """Commit everything; StoreError when this plant's part of it could not be written."""
        failed = self.commit().failed
        if plant in failed:
            raise StoreError(f"plant {plant}: evidence cannot be written: {failed[plant]}")

    def _tell_alarms(self, plants: Iterable[str]) -> None:
        for plant in plants:
            self._tell_loop(self._page.on_alarms, plant, self._alarms(plant))

    def _tell_missing(self) -> None:
        """What has been missing for long, or is so no more."""
        before, self._lasting = self._lasting, self._intake.lasting_missing()
        changed = self._lasting.items() ^ before.items()
        for sender, missed in self._lasting.items() - before.items():
            log.error("%s: %s", sender, missed.sentence(), extra=sender.about)
        self._tell_alarms({sender.plant for sender, _ in changed})

    def _complain(self, outcome: Outcome) -> None:
        standing, changed = self._intake.standing, set[str]()
        for plant, why in outcome.failed.items():
            if (opened := self._intake.plants.get(plant)) is None:
                continue  # its keys cannot be read either: it is told as not served
            said = f"evidence cannot be written ({why}): gateways keep their readings, send again"
            if standing.rise(plant, "", NOT_WRITTEN, opened.clock_ns(), said):
                log.error("plant %s: %s", plant, said, extra=about(plant))
                changed.add(plant)
        for plant in outcome.written:
            if standing.end(plant, "", (NOT_WRITTEN,)):
                log.warning("plant %s: evidence is written again", plant, extra=about(plant))
                changed.add(plant)
        self._tell_alarms(changed)

    def _sealed(self, senders: set[Sender]) -> list[tuple[Sender, StreamState]]:
        return [(s, self._intake.plant(s.plant).reader.state.stream(s.gateway)) for s in senders]

    def _send_receipts(self, now_s: float) -> None:
        due = self._book.due(now_s)
        is_ours = bool(due) and self._intake.store.is_ours()
        for sender in due:
            if is_ours and self._send_receipt(sender):
                self._book.sent(sender, now_s)
            else:
                self._book.defer(sender, now_s)

    def _send_receipt(self, sender: Sender) -> bool:
        if sender.plant not in self._intake.plants:
            return True  # it waits for its disk; its gateways repeat when it is back
        seq = self._intake.plant(sender.plant).reader.head(sender.gateway).next_seq - 1
        if seq < 0:
            return True  # nothing held: nothing to say
        signed = self._book.signed(sender, seq)
        if signed is None:
            try:
                signed = self._intake.receipt(sender)
            except (StoreError, OSError, KeyFileError) as error:
                log.error("no receipt: %s", error, extra=sender.about)  # noqa: TRY400 - says all
                return True  # asked for again when the stream moves, or its gateway repeats
            self._book.keep(sender, seq, signed)
        return self._link.publish(topics.down(self._slice, sender, topics.RECEIPTS), signed)

    def _resume(self) -> None:
        """Say again what is held, so that gateways go on from there and the page knows them."""
        configs, held = [], []
        for sender in self._intake.gateways():
            reader = self._intake.plant(sender.plant).reader
            stream = reader.state.stream(sender.gateway)
            if stream.next_seq == 0:
                continue
            self._book.want(sender)
            held.append((sender, stream))
            try:
                config = newest_config(reader, sender.gateway)
            except (StoreError, OSError, EvidenceError) as error:
                # the page misses a plant; its evidence goes on being taken. A configuration that an
                # earlier version took may be one that this version refuses
                log.error("%s: %s", sender, error, extra=sender.about)  # noqa: TRY400 - says all
                continue
            if config is not None:
                configs.append((sender, config))
        self._tell_loop(self._tell_page, configs, held)
        self._tell_alarms(self._intake.plants)

    def _resend(self) -> None:
        self._intake.store.is_ours()  # or this ends, and leaves the connection to whoever has it
        self._book.want_all()
        for topic, payload in self._said.items():
            self._link.publish(topic, payload)

    def _finish(self) -> None:
        """Last commit, with what waits to be told, and its receipts whatever the pace."""
        self._intake.tell_rejects(float("inf"))
        self.commit()
        self._send_receipts(float("inf"))

    # -- from the collector's thread to the event loop's ------------------------------------------

    def _tell_loop(self, callback: Callable[..., None], *arguments: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _tell_page(
        self,
        configs: Iterable[tuple[Sender, Mapping[str, Any]]],
        sealed: Sequence[tuple[Sender, StreamState]],
    ) -> None:
        for sender, config in configs:
            self._page.on_config(sender.plant, sender.gateway, config)
        for sender, stream in sealed:
            received_ns = stream.last.received_ns if stream.last else 0
            self._page.on_sealed(
                sender.plant, sender.gateway, stream.next_seq - 1, stream.through_ns, received_ns
            )

    def _tell_news(self) -> None:
        for event in self._news:
            event.set()
