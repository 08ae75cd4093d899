"""Modbus: reads one device's registers and nothing else, over TCP or RTU.

What it guarantees, and where:
- function codes 1 to 4 only: the wires send through one gate (`gate.only_reads`);
- one connection an endpoint, whoever hangs on it (`bus.Bus`);
- an answer is believed only with the function code and exactly the bytes that were asked for
  (`answers.cells_of`), and never when it may be a late one (`seat.Seat`, `tcp_wire.TcpWire`);
- one register the device refuses costs one point: the read it spoils is halved until it is found.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence

from edge.drivers.address import wrong
from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.modbus.answers import (
    GAVE_UP,
    Cells,
    RefusedError,
    WrongAnswerError,
    data_bytes,
    refusal_quality,
)
from edge.drivers.modbus.decode import Decoding, Value, decode_bits
from edge.drivers.modbus.endpoint import Line, parse_place
from edge.drivers.modbus.plan import (
    Cut,
    Read,
    Slot,
    halves,
    plan_reads,
    spanning,
)
from edge.drivers.modbus.seat import Seat
from edge.drivers.modbus.settings import ask_setting
from edge.drivers.modbus.slots import slots_of
from edge.drivers.modbus.traffic import traffic_of
from edge.drivers.samples import Samples
from edge.drivers.shared_bus import NotAskedError, SilentError
from edge.drivers.traffic import Traffic
from evidence.quality import Quality
from firmware_configs.profile import Setting

_LOG = logging.getLogger(__name__)

REASK_EVERY = 10  # reads between two questions for a register the device once refused
GIVEN_UP_MAX = 3  # times in a row; then a block rests while others are answered
REST_TIMEOUTS = 20  # ... ten times as long as its late answer is waited for
REPLY_S = 0.05  # what a device on a serial line is granted, at the very least, to begin its answer
_ILLEGAL_ADDRESS = 2


class ModbusDriver:
    """One Modbus device; `endpoint.parse_place` says which URLs there are.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        self._at = place = parse_place(spec)
        self._probe = _probe(spec)
        self._name = f"device {spec.id} ({place})"
        self._seat = Seat(
            spec.id,
            place,
            timeout_s=spec.timeout_s,
            pause_s=spec.profile.pause_ms / 1000,
            probe=self._probe,
            others=self._proofs,
        )
        self._wanted = False
        self._values = [Value.of(bound.register) for bound in spec.points]
        self._sizes = tuple(bound.point.dtype.size for bound in spec.points)
        self._slots = slots_of(spec)
        self._decodings: dict[Read, Decoding] = {}  # of the reads of the plan
        self._cuts: set[Cut] = set()
        self._refused: dict[Slot, None] = {}  # in the order they will be asked again
        self._given_up: dict[Read, tuple[int, float]] = {}  # by a gateway: times in a row, and when
        self._gave_up = self._has_some = False  # in the newest read
        self._reads = 0
        self._plan: list[Read] = []
        self._plan_anew()
        if isinstance(place.endpoint, Line):
            _check_timeout(spec, place.endpoint, self._plan)
        self._complaints = Complaints(_LOG, spec.id)

    def traffic(self) -> Traffic:
        """The planned reads, framed as they will be asked; the probe where it is asked."""
        return traffic_of(self._spec, self._at, self._plan, self._probe)

    async def connect(self) -> None:
        """Open the connection, if it is not open; takes at most `timeout_s`."""
        self._wanted = True
        try:
            await self._open()
        except BaseException:
            self._give_up()
            raise

    async def read(self) -> Samples:
        """One sample a point; at most one question of it runs into its timeout."""
        if not self._wanted:
            raise DeviceError(f"{self._name}: not connected; connect first")
        try:
            await self._open()
            return await self._read_all()
        except BaseException:
            # cancelled or out of reach: a question may be under way, its answer must not be met
            self._give_up()
            raise

    def connection(self) -> int:
        """Another number after each new connection."""
        return self._seat.connection

    async def read_setting(self, setting: Setting) -> str | Quality:
        """Ask for one setting; see `edge.drivers.base.ReadsSettings`."""
        if not self._wanted:
            raise DeviceError(f"{self._name}: not connected; connect first")
        return await ask_setting(self._seat, setting)

    async def close(self) -> None:
        """Close the connection; a read under way ends with DeviceError."""
        self._give_up()
        await asyncio.sleep(0)  # the loop lets go of the socket in its next turn

    def _give_up(self) -> None:
        self._wanted = False
        self._seat.leave()

    async def _open(self) -> None:
        if trouble := await self._seat.open():
            raise DeviceError(
                f"{self._name}: no connection within {self._spec.timeout_s:g} s; check power, "
                f"cable and address, and how many clients the device allows ({trouble})"
            )

    async def _read_all(self) -> Samples:
        self._gave_up = self._has_some = False
        try:
            return await self._ask_all()
        finally:
            if self._gave_up and not self._has_some:  # it is away, and no block of it is dead
                self._given_up.clear()

    async def _ask_all(self) -> Samples:
        samples = Samples(self._sizes, Quality.NO_ANSWER)
        for slot in self._refused:
            samples.put(slot.index, Sample(None, Quality.DEVICE_REFUSED))
        known = (len(self._cuts), len(self._refused))
        answered = False
        for read in tuple(self._plan):
            if self._has_some and self._is_resting(read):
                continue
            try:
                self._has_some |= await self._fetch(read, samples)
            except SilentError as error:
                if not isinstance(error, NotAskedError):
                    self._give_read_up(read)
                    self._put_last(read)
                if not answered:
                    raise self._silent(read, error) from None
                self._complaints.say(_where(read), f"no answer: {error}")
                return samples
            answered = True
            if self._seat.is_in_doubt:
                self._put_last(read)
        if known != (len(self._cuts), len(self._refused)):
            self._plan_anew()
        await self._ask_refused_again(samples)
        return samples

    def _is_resting(self, read: Read) -> bool:
        """Its late answer is waited for, which costs the others theirs: so it is seldom asked."""
        times, at_s = self._given_up.get(read, (0, 0.0))
        ends_s = at_s + REST_TIMEOUTS * self._spec.timeout_s
        return times >= GIVEN_UP_MAX and asyncio.get_running_loop().time() < ends_s

    def _give_read_up(self, read: Read) -> None:
        times, _ = self._given_up.get(read, (0, 0.0))
        self._given_up[read] = times + 1, asyncio.get_running_loop().time()
        self._gave_up = True

    def _put_last(self, read: Read) -> None:
        """Next time the others go first: a block that is never answered costs only itself."""
        self._plan.remove(read)
        self._plan.append(read)

    async def _fetch(self, read: Read, samples: Samples) -> bool:
        """Ask one read and put its samples in their places; True when it was answered whole."""
        try:
            cells = await self._seat.ask(read)
        except WrongAnswerError as error:
            self._blame(read, str(error), Quality.WRONG_ANSWER, samples)
            return False
        except RefusedError as error:
            if error.code == GAVE_UP:
                self._give_read_up(read)
            parts = halves(read)
            if error.code != _ILLEGAL_ADDRESS or parts is None:
                self._blame(read, str(error), refusal_quality(error.code), samples)
                if error.code == _ILLEGAL_ADDRESS:
                    self._remember_refused(read)
                return False
        else:
            self._given_up.pop(read, None)
            self._place(read, cells, samples)
            return True
        left, right = parts
        both = [await self._fetch(left, samples), await self._fetch(right, samples)]
        if all(both):  # each is fine alone: what is refused lies between them
            self._cuts.add((read.table, right.address))
        return False

    def _place(self, read: Read, cells: Cells, samples: Samples) -> None:
        if read.code <= 2:
            places = [(s.address - read.address, self._values[s.index]) for s in read.slots]
            found = decode_bits([bool(c) for c in cells], places)
            for slot, sample in zip(read.slots, found, strict=True):
                samples.put(slot.index, sample)
        else:
            decoding = self._decodings.get(read) or self._decoding(read)
            decoding.fill(cells, samples)
        self._complaints.over(_where(read))

    def _decoding(self, read: Read) -> Decoding:
        return Decoding(
            (s.index, (s.address - read.address, self._values[s.index])) for s in read.slots
        )

    def _blame(self, read: Read, trouble: str, quality: Quality, samples: Samples) -> None:
        for slot in read.slots:
            samples.put(slot.index, Sample(None, quality))
        self._complaints.say(_where(read), f"{trouble}; points {self._points(read)}")

    def _remember_refused(self, read: Read) -> None:
        self._refused.update(dict.fromkeys(read.slots))
        self._cuts |= {(read.table, read.address), (read.table, read.address + read.count)}

    async def _ask_refused_again(self, samples: Samples) -> None:
        """Give one refused register another chance: its device may only have been starting.

        If it answers, everything learnt about refusals is forgotten.
        """
        self._reads += 1
        if not self._refused or self._reads % REASK_EVERY:
            return
        slot = next(iter(self._refused))
        del self._refused[slot]
        self._refused[slot] = None  # to the end of the queue
        try:
            is_back = await self._fetch(spanning([slot]), samples)
        except SilentError:
            return
        if is_back:
            self._refused.clear()
            self._cuts.clear()
            self._plan_anew()

    def _plan_anew(self) -> None:
        profile = self._spec.profile
        try:
            reads = plan_reads(
                (s for s in self._slots if s not in self._refused),
                registers_max=profile.max_registers_per_read,
                hole_limit=profile.hole_limit,
                cuts=frozenset(self._cuts),
            )
        except ValueError as error:
            raise DeviceError(f"{self._name}: profile {profile.id}: {error}", retry=False) from None
        self._plan, self._given_up = list(reads), {}
        self._decodings = {read: self._decoding(read) for read in reads if read.code > 2}

    def _proofs(self) -> Iterator[Read]:
        """Reads of different lengths to regain order with: as planned, single values, parts."""
        yield from self._plan
        yield from (spanning([slot]) for slot in self._slots if slot not in self._refused)
        for read in self._plan:
            yield from (spanning(read.slots[:n]) for n in range(2, len(read.slots)))

    def _silent(self, read: Read, error: SilentError) -> DeviceError:
        return DeviceError(
            f"{self._name}: no answer to {_where(read)} within {self._spec.timeout_s:g} s "
            f"({error}); check the unit id and the device"
        )

    def _points(self, read: Read) -> str:
        return " ".join(self._spec.points[slot.index].point.id for slot in read.slots)


def _where(read: Read) -> str:
    return f"{read.table} {read.address:#06x}..{read.address + read.count - 1:#06x}"


def _probe(spec: DeviceSpec) -> Read | None:
    """The read of the register the profile calls its probe, which never changes."""
    if spec.profile.probe is None:
        return None
    row = spec.profile.register(spec.profile.probe)
    if row.table is None or row.address is None:
        return None
    return spanning([Slot(row.table, row.address, row.words, 0)])


def _check_timeout(spec: DeviceSpec, line: Line, plan: Sequence[Read]) -> None:
    """An answer still on the wire when its time is up would be late at every read."""
    longest = max(map(data_bytes, plan), default=0)
    needed_s = line.exchange_s(longest) + REPLY_S
    if spec.timeout_s < needed_s:
        raise wrong(
            spec, f"timeout_s {spec.timeout_s:g} is too short: at {line.baud} baud an answer of "
            f"{longest} bytes takes {needed_s:.2f} s; allow more, or lower "
            "max_registers_per_read in the profile",
        )  # fmt: skip
