"""Takes site orders while an agent runs, and watches the one on trial. Shell of this room.

An order that is taken ends the agent; the process starts itself anew with the new file. One that
is not is answered in the gateway's state message, and the agent reads on.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Set
from typing import Protocol

from edge.clock import Clock
from edge.errors import NotOursError, OthersError, SiteConfigError, SpoolError
from edge.quiet import Quiet
from edge.remote import rules
from edge.remote.folder import OrderFolder
from edge.remote.start import Start
from edge.remote.state import Given, State, counts, forked, healthy, refused, staged
from edge.remote.trial import NS, lacks, patience_ns
from edge.signed import signed_configuration
from edge.site.config import read_site, site_table
from evidence.errors import EvidenceError
from evidence.keys import key_sha256
from evidence.site_order import SiteOrder
from evidence.version import VERSION

log = logging.getLogger("stackproof.edge.order")

LOOK_S = 0.2
AGAIN_S = 2.0  # between two tries to write what was found
SETTLE_NS = 10 * NS
REASON_MAX = 200  # of a state message, which the collector reads up to 1,024 bytes of


class Reading(Protocol):
    """The agent, as far as orders go."""

    @property
    def answering(self) -> Set[str]:
        """Ids of the devices that gave an answer at their newest tick."""

    @property
    def is_heard(self) -> bool:
        """The broker is reached."""

    def tell(self, state: bytes) -> None:
        """What the gateway's state message says from here on, while it is online."""


class OrderDesk:
    """Orders of one running agent.

    Args:
        start: what the agent was started with; of a site that takes orders.
        folder: of the orders.
        clock: the agent's.
    """

    def __init__(self, start: Start, folder: OrderFolder, clock: Clock) -> None:
        self._start, self._folder, self._clock = start, folder, clock
        self._newest: bytes | None = None
        self._came = asyncio.Event()
        self._quiet = Quiet()

    async def serve(self, agent: Reading) -> None:
        """Watch the order on trial, then take those that come; from the agent's `ready` on.

        Returns when the process is to start anew, with another site file.
        """
        agent.tell(state_message(self._start.state))
        if self._start.state.trial is not None and not await self._comes_healthy(agent):
            agent.tell(state_message(self._start.state))
            return
        agent.tell(state_message(self._start.state))
        await self._settle(agent)
        while True:
            await self._came.wait()
            self._came.clear()
            data, self._newest = self._newest, None
            if data is not None and await self._take(agent, data):
                return

    def take(self, data: bytes) -> None:
        """An order came over the broker; only the newest counts."""
        self._newest = data
        self._came.set()

    async def _take(self, agent: Reading, data: bytes) -> bool:
        """True when the process is to start anew with what was ordered."""
        answered, heard = tuple(sorted(agent.answering)), agent.is_heard
        try:
            state = await asyncio.to_thread(self._judged, data, answered, heard=heard)
            if state is None:
                return False
            await asyncio.to_thread(self._start.keep, state)
        except NotOursError as error:
            kind = str(error).partition(":")[0]  # no stranger's words stand before the colon
            if self._quiet.may(kind, self._clock.monotonic_ns() / 1e9):
                log.warning("%s", error)
            return False
        except SpoolError as error:
            log.error("site order: %s; it counts when it comes again", error)  # noqa: TRY400 - says all
            return False
        agent.tell(state_message(state))
        if state.trial is not None:
            log.warning("site order %d: taken; starting with it", state.trial.given.number)
        elif (last := state.last) is not None:
            log.warning("site order %d: %s: %s", last.number, last.outcome, last.reason)
        return state.trial is not None

    async def _settle(self, agent: Reading) -> None:
        """Give every device and the broker a moment: what answers now is asked of a new file."""
        devices = {device.id for device in self._start.site.devices}
        ends_ns = self._clock.monotonic_ns() + SETTLE_NS
        while self._clock.monotonic_ns() < ends_ns:
            if agent.is_heard and agent.answering >= devices:
                return
            await asyncio.sleep(LOOK_S)

    async def _comes_healthy(self, agent: Reading) -> bool:
        """True when the file on trial is in force now, False when it was rolled back."""
        start, site = self._start, self._start.site
        trial, remote = start.state.trial, site.remote
        if trial is None or remote is None:
            return True
        intervals_ns = {device.id: device.interval_ns for device in site.devices}
        patience = patience_ns(trial, intervals_ns, remote.healthy_s)
        now_ns = self._clock.monotonic_ns()
        stays_ns, ends_ns = now_ns + remote.healthy_s * NS, now_ns + patience
        answered: set[str] = set()
        while True:
            answered |= agent.answering
            lacking = lacks(trial, intervals_ns, answered, is_heard=agent.is_heard)
            now_ns = self._clock.monotonic_ns()
            if not lacking and now_ns >= stays_ns:
                await self._keep_healthy()
                log.warning("site order %d: in force", trial.given.number)
                return True
            if not lacking:  # so far: all of them are asked anew
                answered, ends_ns = set(), now_ns + patience
            elif now_ns > ends_ns:
                await asyncio.to_thread(self._gives_way, lacking)
                return False
            await asyncio.sleep(LOOK_S)

    async def _keep_healthy(self) -> None:
        """However long the disk refuses it: without it the next start rolls back what is well."""
        while True:
            try:
                await asyncio.to_thread(self._start.keep, healthy(self._start.state))
            except SpoolError as error:
                if self._quiet.may("healthy", self._clock.monotonic_ns() / 1e9):
                    log.error("site order: %s; tried again", error)  # noqa: TRY400 - says all
                await asyncio.sleep(AGAIN_S)
            else:
                return

    def _gives_way(self, lacking: str) -> None:
        try:
            self._start.gave_way(lacking)
        except SpoolError as error:  # a begun trial is begun no more: it goes all the same
            log.error("site order: %s", error)  # noqa: TRY400 - says all

    def _judged(self, data: bytes, answered: tuple[str, ...], *, heard: bool) -> State | None:
        """What counts after an order; None when it was judged before. The order is on disk then."""
        state, start = self._start.state, self._start
        try:
            order = self._folder.verified(data)
        except EvidenceError as error:
            raise NotOursError(f"a site order that does not count: {error}") from error
        who = start.who
        if not rules.is_for(order, who.plant, who.gateway):
            raise OthersError(f"a site order for {order.plant}/{order.stream}")
        if order.number < state.judged:
            raise NotOursError(f"site order {order.number} is older than {state.judged}")
        if order.number == state.judged:
            given = counts(state)  # the broker keeps it, and gives it with every connection
            is_other = (
                given is not None
                and given.number == order.number
                and (self._folder.order(given).site != order.site)
            )
            return forked(state) if is_other and forked(state) != state else None
        if reason := self._objection(order):
            return refused(state, order.number, reason)
        self._folder.put(order.number, data)
        given = Given(order.number, hashlib.sha256(start.hand).hexdigest())
        return staged(state, given, answered=answered, heard=heard)

    def _objection(self, order: SiteOrder) -> str:
        """Why an order's file is not taken; "" when it is."""
        path, who = self._start.path, self._start.who
        try:
            here, ordered = site_table(path, self._start.hand), site_table(path, order.site)
            if changed := rules.forbidden(here, ordered):
                return f"no order may change {', '.join(changed)}: change it at the gateway"
            site, problems = read_site(path, order.site)
            if problems:
                raise SiteConfigError(problems)  # noqa: TRY301 - one way for all that is wrong
            if moved := rules.passed_over(self._start.site.devices, site.devices):
                return (
                    f"{', '.join(moved)}: rows are delivered once, and a file that is rolled back "
                    "gives none back: give the device another id, or change it at the gateway"
                )
            signed_configuration(
                site, collector_key_sha256=key_sha256(who.collector),
                software=f"stackproof {VERSION}",
            )  # fmt: skip
        except SiteConfigError as error:
            said = [f"{p.key}: {p.reason}" if p.key else p.reason for p in error.problems]
            more = f" (and {len(said) - 3} more)" if len(said) > 3 else ""
            return "; ".join(said[:3]) + more
        return ""


def state_message(state: State) -> bytes:
    """The gateway's state message while it is online, with what became of the newest order."""
    said: dict[str, object] = {"online": True}
    if (last := state.last) is not None:
        said["order"] = {
            "number": last.number, "outcome": last.outcome, "reason": last.reason[:REASON_MAX]
        }  # fmt: skip
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
