"""Modbus TCP: reads one device's registers and nothing else; the only file that touches pymodbus.

What it guarantees, and where:
- function codes 1 to 4 only: `_Link.ask` is the one place that asks, `_only_reads` the one gate
  every outgoing packet passes;
- one connection, opened by `connect()` or by a `read()` that finds it gone; pymodbus's own
  reconnect is off, because two owners make two connections;
- an answer is believed only with the function code and exactly the bytes that were asked for
  (pymodbus checks neither, and drops a byte that is too many without a word);
- after a timeout the connection is closed, so no late answer meets another question;
- one register the device refuses costs one point: the read it spoils is halved until it is found.
"""

import asyncio
import logging
from collections.abc import Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from edge.drivers.address import Address, parse_address, wrong
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.modbus.decode import Value, decode_bits, decode_words, find_pdu
from edge.drivers.modbus.plan import (
    TABLES,
    Cut,
    Read,
    Slot,
    halves,
    plan_reads,
    spanning,
)
from evidence.quality import Quality

_LOG = logging.getLogger(__name__)
# What pymodbus would log at each timeout reaches the caller as a DeviceError or a quality.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

PORT = 502  # Modbus Messaging on TCP/IP 1.0b, 4.3.1.3
REASK_EVERY = 10  # reads between two questions for a register the device once refused
_UNIT_MAX = 255
_CODE_AT = 7  # after the MBAP header: transaction 2, protocol 2, length 2, unit 1
_READ_CODES = frozenset(code for code, _ in TABLES.values())

#: Exception codes, Modbus Application Protocol 1.1b3, section 7.
_EXCEPTIONS = {
    1: "illegal function", 2: "illegal data address", 3: "illegal data value",
    4: "server device failure", 5: "acknowledge", 6: "server device busy",
    8: "memory parity error", 10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}  # fmt: skip
_ILLEGAL_ADDRESS = 2
#: Two exceptions speak of a device behind a gateway that was never asked or never answered.
_GATEWAY_QUALITY = {10: Quality.NOT_CONNECTED, 11: Quality.NO_ANSWER}


class _SilentError(Exception):
    """No answer: in time, or because the connection is gone."""


class _RefusedError(Exception):
    """The device answered with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused: {_EXCEPTIONS.get(code, 'unknown exception')} ({code})")
        self.code = code


class _WrongAnswerError(Exception):
    """The device answered something else than what was asked."""


def _only_reads(packet: bytes) -> bytes:
    """The gate every packet passes on its way to the socket: nothing but reads leaves."""
    if packet[_CODE_AT] not in _READ_CODES:
        raise RuntimeError(f"Modbus function code {packet[_CODE_AT]} must never leave the edge")
    return packet


class _Link:
    """One TCP connection to one endpoint; at most one question is under way on it."""

    def __init__(self, address: Address, unit: int, timeout_s: float, pause_s: float) -> None:
        self._address = address
        self._unit = unit
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._quiet_until_s = 0.0
        self._heard = b""
        self._client: AsyncModbusTcpClient | None = None

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.connected

    async def open(self) -> bool:
        """Connect anew; False when nobody accepts in time. Never leaves two connections."""
        self.close()
        self._client = client = AsyncModbusTcpClient(
            self._address.host,
            port=self._address.port,
            timeout=self._timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._passing,
            trace_connect=self._changed,
        )
        cancels = _cancels()
        opened = await client.connect()
        _raise_if_cancelled_since(cancels)
        return opened

    async def ask(self, read: Read) -> Sequence[int] | Sequence[bool]:
        """The one place that asks: the cells of one read.

        Raises:
            _SilentError, _RefusedError, _WrongAnswerError.
        """
        await self._pause()
        if self._client is None:
            raise _SilentError("the connection is closed")
        method = {
            1: self._client.read_coils,
            2: self._client.read_discrete_inputs,
            3: self._client.read_holding_registers,
            4: self._client.read_input_registers,
        }[read.code]
        cancels = _cancels()
        try:
            answer = await method(read.address, count=read.count, device_id=self._unit)
        except ModbusException as error:
            raise _SilentError(error.string) from None
        finally:
            self._quiet_until_s = asyncio.get_running_loop().time() + self._pause_s
        _raise_if_cancelled_since(cancels)
        return _cells(answer, read, self._heard)

    def close(self) -> None:
        """Close the connection; a question under way fails at once."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
            _fail_question(client)

    async def _pause(self) -> None:
        wait_s = self._quiet_until_s - asyncio.get_running_loop().time()
        if self._pause_s and wait_s > 0:
            await asyncio.sleep(wait_s)

    def _passing(self, sending: bool, packets: bytes) -> bytes:
        """Sees every byte of this connection, out and in, before pymodbus does."""
        if sending:
            return _only_reads(packets)
        self._heard = packets
        return packets

    def _changed(self, is_connected: bool) -> None:
        if not is_connected and self._client is not None:
            _fail_question(self._client)


def _fail_question(client: AsyncModbusTcpClient) -> None:
    """End a wait that can have no answer any more; pymodbus would sit out the whole timeout."""
    question = client.ctx.response_future
    if not question.done():
        question.set_exception(ConnectionException("the connection was lost"))
        question.exception()  # nobody may be waiting; then it is not an unretrieved error


def _cancels() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _raise_if_cancelled_since(before: int) -> None:
    """`asyncio.wait_for`, which pymodbus uses, loses a cancel that meets the answer (< 3.12)."""
    if _cancels() > before:
        raise asyncio.CancelledError


def _cells(answer: ModbusPDU, read: Read, heard: bytes) -> Sequence[int] | Sequence[bool]:
    if answer.function_code & 0x7F != read.code:
        raise _WrongAnswerError(f"answered function {answer.function_code} to {read.code}")
    if answer.isError():
        raise _RefusedError(answer.exception_code)
    is_bits = read.code <= 2
    due = -(-read.count // 8) if is_bits else 2 * read.count
    pdu = find_pdu(heard, answer.transaction_id)
    if len(pdu) != 2 + due or pdu[1] != due:  # function code, number of bytes, the bytes
        raise _WrongAnswerError(f"answered {len(pdu) - 2} bytes, {due} were due")
    return answer.bits if is_bits else answer.registers


class ModbusDriver:
    """One Modbus device behind `modbus+tcp://host[:port][?unit=0..255]`; the unit is 1 if absent.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        address = parse_address(spec, port=PORT, options=("unit",))
        if address.path not in ("", "/"):
            raise wrong(
                spec, f"takes no path {address.path!r}; write modbus+tcp://host:port?unit=1"
            )
        unit = _unit(spec, address)
        self._name = f"device {spec.id} ({address}, unit {unit})"
        self._link = _Link(address, unit, spec.timeout_s, spec.profile.pause_ms / 1000)
        self._wanted = False
        self._values = [Value.of(bound.register) for bound in spec.points]
        self._slots = tuple(_slot(spec, i, bound) for i, bound in enumerate(spec.points))
        self._cuts: set[Cut] = set()
        self._refused: dict[Slot, None] = {}  # in the order they will be asked again
        self._reads = 0
        self._plan: list[Read] = []
        self._plan_anew()
        self._complaints = Complaints(_LOG, spec.id)

    async def connect(self) -> None:
        """Open the connection, if it is not open; takes at most `timeout_s`."""
        self._wanted = True
        try:
            await self._open()
        except BaseException:
            self._give_up()
            raise

    async def read(self) -> Sequence[Sample]:
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

    async def close(self) -> None:
        """Close the connection; a read under way ends with DeviceError."""
        self._give_up()
        await asyncio.sleep(0)  # the loop lets go of the socket in its next turn

    def _give_up(self) -> None:
        self._wanted = False
        self._link.close()

    async def _open(self) -> None:
        if not self._link.is_open and not await self._link.open():
            raise DeviceError(
                f"{self._name}: no connection within {self._spec.timeout_s:g} s; check power, "
                "cable and address, and how many clients the device allows"
            )

    async def _read_all(self) -> list[Sample]:
        samples = [Sample(None, Quality.NO_ANSWER)] * len(self._slots)
        for slot in self._refused:
            samples[slot.index] = Sample(None, Quality.DEVICE_REFUSED)
        known = (len(self._cuts), len(self._refused))
        answered = False
        for read in tuple(self._plan):
            try:
                await self._fetch(read, samples)
            except _SilentError as error:
                self._link.close()
                # Next time the others go first: a block that is never answered costs only itself.
                self._plan.remove(read)
                self._plan.append(read)
                if not answered:
                    raise self._silent(read, error) from None
                self._complaints.say(_where(read), f"no answer: {error}")
                return samples
            answered = True
        if known != (len(self._cuts), len(self._refused)):
            self._plan_anew()
        await self._ask_refused_again(samples)
        return samples

    async def _fetch(self, read: Read, samples: list[Sample]) -> bool:
        """Ask one read and put its samples in their places; True when it was answered whole."""
        try:
            cells = await self._link.ask(read)
        except _WrongAnswerError as error:
            self._blame(read, str(error), Quality.WRONG_ANSWER, samples)
            return False
        except _RefusedError as error:
            parts = halves(read)
            if error.code != _ILLEGAL_ADDRESS or parts is None:
                quality = _GATEWAY_QUALITY.get(error.code, Quality.DEVICE_REFUSED)
                self._blame(read, str(error), quality, samples)
                if error.code == _ILLEGAL_ADDRESS:
                    self._remember_refused(read)
                return False
        else:
            self._place(read, cells, samples)
            return True
        left, right = parts
        both = [await self._fetch(left, samples), await self._fetch(right, samples)]
        if all(both):  # each is fine alone: what is refused lies between them
            self._cuts.add((read.table, right.address))
        return False

    def _place(
        self, read: Read, cells: Sequence[int] | Sequence[bool], samples: list[Sample]
    ) -> None:
        places = [(s.address - read.address, self._values[s.index]) for s in read.slots]
        if read.code <= 2:
            found = decode_bits([bool(c) for c in cells], places)
        else:
            found = decode_words(cells, places)
        for slot, sample in zip(read.slots, found, strict=True):
            samples[slot.index] = sample
        self._complaints.over(_where(read))

    def _blame(self, read: Read, trouble: str, quality: Quality, samples: list[Sample]) -> None:
        for slot in read.slots:
            samples[slot.index] = Sample(None, quality)
        self._complaints.say(_where(read), f"{trouble}; points {self._points(read)}")

    def _remember_refused(self, read: Read) -> None:
        self._refused.update(dict.fromkeys(read.slots))
        self._cuts |= {(read.table, read.address), (read.table, read.address + read.count)}

    async def _ask_refused_again(self, samples: list[Sample]) -> None:
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
        except _SilentError:
            self._link.close()
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
        self._plan = list(reads)

    def _silent(self, read: Read, error: _SilentError) -> DeviceError:
        return DeviceError(
            f"{self._name}: no answer to {_where(read)} within {self._spec.timeout_s:g} s "
            f"({error}); check the unit id and the device"
        )

    def _points(self, read: Read) -> str:
        return " ".join(self._spec.points[slot.index].point.id for slot in read.slots)


def _where(read: Read) -> str:
    return f"{read.table} {read.address:#06x}..{read.address + read.count - 1:#06x}"


def _unit(spec: DeviceSpec, address: Address) -> int:
    text = address.options.get("unit", "1")
    if not (text.isascii() and text.isdigit()) or int(text) > _UNIT_MAX:
        raise wrong(spec, f"unit {text!r} is not in 0..{_UNIT_MAX}")
    return int(text)


def _slot(spec: DeviceSpec, index: int, bound: BoundPoint) -> Slot:
    register = bound.register
    if register.table is None or register.address is None:
        raise DeviceError(
            f"device {spec.id}: point {bound.point.id}: register {register.name} of profile "
            f"{spec.profile.id} has no Modbus table and address",
            retry=False,
        )
    return Slot(register.table, register.address, register.words, index)
