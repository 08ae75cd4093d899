"""One device's place on a bus: its pauses, and that no late answer is taken for another's.

On a line whose answers carry no number (RTU), a question that was given up leaves a doubt
(`doubt.Doubt`): its answer may still come. Such a line may also be behind a gateway that answers
Modbus TCP: what it hears late it gives to the next question, under that one's number. An endpoint
is taken for one once it has left a question without an answer, or says that it gave a device up or
cannot reach it. Before anything else is asked of the device then
1. it is left alone for a quiet period of one timeout; whatever is heard meanwhile is thrown away;
2. it is asked for something no late answer can be taken for, the profile's probe first;
3. where the profile names a probe, the identity read must be the one known from before.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from edge.drivers.complaints import Complaints
from edge.drivers.modbus.answers import (
    GAVE_UP,
    Cells,
    RefusedError,
    WrongAnswerError,
    is_of_gateway,
)
from edge.drivers.modbus.bus import Bus, bus_of
from edge.drivers.modbus.doubt import Doubt
from edge.drivers.modbus.endpoint import Place
from edge.drivers.modbus.plan import Read
from edge.drivers.shared_bus import NotAskedError, SilentError

_LOG = logging.getLogger(__name__)
PROBE_TRIES = 3  # a probe that an answering device does not answer so often is not asked any more
SWAP_SEEN = 3  # another identity is believed when it was read so often in a row: a new meter
_PROBE = "identity register"


class Seat:
    """How one driver asks.

    Args:
        name: device id, for the log.
        place: endpoint, unit and cap.
        timeout_s: how long one answer may take.
        pause_s: least time between the device's answer and the next question to it.
        probe: the read of a register that never changes, if the profile names one.
        others: reads that may be asked to regain order, best first.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        timeout_s: float,
        pause_s: float,
        probe: Read | None,
        others: Callable[[], Iterable[Read]],
    ) -> None:
        self._place, self._timeout_s, self._pause_s = place, timeout_s, pause_s
        self._probe, self._others = probe, others
        self._bus: Bus | None = None  # kept for life: what is known of it outlives the connection
        self._doubt = Doubt(timeout_s)  # the bus's own, once there is a bus
        self._pause_until_s = 0.0
        self._identity: Cells | None = None
        self._probes_failed = 0
        self._swapped: list[Cells] = []
        self._complaints = Complaints(_LOG, name)

    @property
    def connection(self) -> int:
        """Which connection of its endpoint this is."""
        return 0 if self._bus is None else self._bus.connection

    async def open(self) -> str:
        """Join the bus and see to it that there is a connection; why there is none, or ""."""
        if self._bus is None:
            self._bus = bus_of(self._place)
            self._doubt = self._bus.doubt_of(self._place.unit, self._timeout_s)
        self._bus.join(self, self._place.gap_s)
        return "" if self._bus.is_open else await self._bus.open(self._timeout_s)

    def leave(self) -> None:
        """Leave the bus; a question under way fails."""
        if self._bus is not None:
            self._bus.leave(self)

    async def ask(self, read: Read) -> Cells:
        """The cells of one read.

        Raises:
            SilentError, RefusedError, WrongAnswerError.
        """
        # under a number an answer of another shape is seen to be another's, and no proof is needed
        if self.is_in_doubt and not (self._is_numbered and self._doubt.is_safe(read)):
            await self._regain_order()
        cells = await self._ask(read)
        if self._probe is not None and self._identity is None and not self._is_numbered:
            await self._learn_identity(self._probe)
        return cells

    @property
    def is_in_doubt(self) -> bool:
        """True while a late answer to an earlier question may come."""
        return self._doubt.stands(_now_s())

    @property
    def _is_numbered(self) -> bool:
        return self._bus is not None and self._bus.is_numbered

    async def _ask(self, read: Read) -> Cells:
        if self._bus is None:
            raise NotAskedError("not connected")
        wait_s = max(self._pause_until_s, self._doubt.quiet_until_s) - _now_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        try:
            cells = await self._bus.ask(
                self,
                self._place.unit,
                read,
                timeout_s=self._timeout_s,
                takes=lambda pdu: self._doubt.takes(pdu, read),
            )
        except NotAskedError:
            raise
        except RefusedError as error:
            self._bus.may_be_late |= is_of_gateway(error.code)
            if error.code == GAVE_UP:  # the gateway; its device may answer yet
                self._lost(read)
            elif not is_of_gateway(error.code):  # which asked nobody, so nothing is proved
                self._doubt.answered()
            raise
        except WrongAnswerError:
            self._lost(read)
            raise
        except BaseException:  # silent, or cancelled
            self._bus.may_be_late = True
            self._lost(read)
            raise
        finally:
            self._pause_until_s = _now_s() + self._pause_s
        self._doubt.answered()
        return cells

    def _lost(self, read: Read) -> None:
        if self._bus is not None and (self._bus.may_be_late or not self._bus.is_numbered):
            self._doubt.lost(read, _now_s())

    async def _regain_order(self) -> None:
        candidates = [self._probe] if self._probe is not None else []
        candidates += self._others()
        safe = next((read for read in candidates if self._doubt.is_safe(read)), None)
        if safe is None:
            raise NotAskedError("waits until no late answer to an earlier one can come any more")
        cells = await self._ask_unless_refused(safe)
        if self._probe is None or self._identity is None:
            return
        if safe != self._probe:
            cells = await self._ask_unless_refused(self._probe)
        if cells is not None:
            self._check_identity(self._probe, cells)

    async def _ask_unless_refused(self, read: Read) -> Cells | None:
        """A refusal that is taken for the answer proves the order just as well."""
        try:
            return await self._ask(read)
        except RefusedError as error:
            if is_of_gateway(error.code):
                raise
            return None

    def _check_identity(self, probe: Read, cells: Cells) -> None:
        if cells == self._identity:
            self._swapped.clear()
            self._complaints.over(_PROBE)
            return
        if self._swapped and self._swapped[-1] != cells:
            self._swapped.clear()
        self._swapped.append(cells)
        shown = f"reads {_hex(cells)} and was {_hex(self._identity or ())}"
        if len(self._swapped) < SWAP_SEEN:
            self._lost(probe)
            raise WrongAnswerError(f"the identity register {shown}: not the device's answer")
        self._identity = cells
        self._swapped.clear()
        self._complaints.say(_PROBE, f"{shown}: taken for another meter from now on")

    async def _learn_identity(self, probe: Read) -> None:
        try:
            self._identity = await self._ask(probe)
        except (RefusedError, SilentError, WrongAnswerError) as error:
            self._probes_failed += 1
            if self._probes_failed >= PROBE_TRIES:
                self._probe = None
                self._complaints.say(_PROBE, f"{error}; goes without")


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _hex(cells: Cells) -> str:
    return "".join(f"{cell:04x}" for cell in cells)
