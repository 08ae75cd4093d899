"""Listens on an RTU line that has a master already, and says nothing.

The line is opened read-only (`tty.Ear`): there is no way to write in what this file holds. What the
master asks and gets (`tap.Tap`) fills the registers of the devices of the site on that line.
"""

import asyncio
import weakref
from collections.abc import Callable, Sequence

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.modbus.decode import Value, decode_bits, decode_words
from edge.drivers.modbus.endpoint import Line, parse_place
from edge.drivers.modbus.plan import Slot
from edge.drivers.modbus.slots import slots_of
from edge.drivers.modbus.tap import Overheard, Tap
from edge.drivers.modbus.traffic import listening_to
from edge.drivers.serial_line import Ear, LineError
from edge.drivers.traffic import Traffic
from evidence.quality import Quality

#: Silence after which a frame that is not complete is given up; far above what adapters hold back.
SETTLE_S = 0.1


class _Post:
    """One line that is listened to, for every device of the site on it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ear: Ear | None = None
        self._tap = Tap()
        self._told: dict[object, Callable[[Overheard], None]] = {}  # by member
        self._settling: asyncio.TimerHandle | None = None
        self.bytes_heard = 0

    @property
    def is_open(self) -> bool:
        return self._ear is not None

    def join(self, member: object, told: Callable[[Overheard], None]) -> None:
        """Listen for a device, too; LineError when the line cannot be opened."""
        if self._ear is None:
            self._tap = Tap()
            self.bytes_heard = 0
            self._ear = Ear(self._line, self._hear, self._lost)
        self._told[member] = told

    def leave(self, member: object) -> None:
        """The last one closes the line."""
        self._told.pop(member, None)
        if not self._told and self._ear is not None:
            self._ear.close()
            self._lost()

    def _lost(self) -> None:
        self._ear = None
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    def _hear(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.bytes_heard += len(data)
        if self._settling is not None:
            self._settling.cancel()
        self._settling = loop.call_later(SETTLE_S, self._settle)
        self._tell(self._tap.feed(data, loop.time()))

    def _settle(self) -> None:
        self._settling = None
        self._tell(self._tap.settle(asyncio.get_running_loop().time()))

    def _tell(self, pairs: Sequence[Overheard]) -> None:
        for pair in pairs:
            for told in tuple(self._told.values()):
                told(pair)


#: The lines listened to, by event loop, as `bus` keeps its buses.
_POSTS: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, weakref.WeakValueDictionary[Line, _Post]
] = weakref.WeakKeyDictionary()


def _post_of(line: Line) -> _Post:
    posts = _POSTS.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
    post = posts.get(line)
    if post is None:
        post = posts[line] = _Post(line)
    return post


class ListenDriver:
    """One device behind `modbus+listen:///dev/ttyS0?unit=1&baud=9600&parity=E[&stop_bits=1]`.

    A value is good for `stale_after` reads (an option of the URL, 2 if absent), counting the one
    after it was overheard; then it is NO_ANSWER until the master reads it again.

    Raises (at construction):
        DeviceError: with `retry` False when the URL or a point cannot work as configured.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        place = parse_place(spec)
        if not isinstance(place.endpoint, Line):
            raise DeviceError(f"device {spec.id}: {place} is no serial line", retry=False)
        self._line, self._unit, self._stale_after = place.endpoint, place.unit, place.stale_after
        self._name = f"device {spec.id} ({place})"
        self._slots = slots_of(spec)
        self._values = [Value.of(bound.register) for bound in spec.points]
        self._post: _Post | None = None  # while connected
        self._reads = 0  # since connected
        self._latest: dict[int, tuple[int, Sample]] = {}  # point -> (reads before it, sample)
        self._news = asyncio.Event()

    def traffic(self) -> Traffic:
        """Nothing."""
        return listening_to(self._line)

    async def connect(self) -> None:
        """Open the line for reading, if it is not open."""
        if self._post is not None and self._post.is_open:
            return
        self._give_up()
        post = _post_of(self._line)
        try:
            post.join(self, self._told)
        except LineError as error:
            raise DeviceError(f"{self._name}: {error}") from None
        self._post = post
        self._reads = 0
        self._latest = {}

    async def read(self) -> Sequence[Sample]:
        """One sample a point, of what was overheard lately.

        The first read after connecting waits for the master to have read every point once, later
        ones for it to read any, if none is known any more; at most `timeout_s`.
        """
        post = self._post
        if post is None:
            raise DeviceError(f"{self._name}: not connected; connect first")
        wanted = len(self._slots) if self._reads == 0 else min(1, len(self._slots))
        try:
            await self._wait_for(post, wanted)
            self._check_it_speaks(post)
        except BaseException:
            self._give_up()
            raise
        fresh = self._fresh()
        self._reads += 1
        none = Sample(None, Quality.NO_ANSWER)
        return [fresh.get(i, none) for i in range(len(self._slots))]

    async def close(self) -> None:
        """Give the line back; a read under way ends with DeviceError."""
        self._give_up()

    def _give_up(self) -> None:
        post, self._post = self._post, None
        if post is not None:
            post.leave(self)

    async def _wait_for(self, post: _Post, wanted: int) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._spec.timeout_s
        while post.is_open and len(self._fresh()) < wanted and (left := until_s - loop.time()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(min(left, SETTLE_S)):  # a lost line wakes nobody
                    await self._news.wait()
            except TimeoutError:
                continue

    def _fresh(self) -> dict[int, Sample]:
        oldest = self._reads - self._stale_after
        return {i: sample for i, (reads, sample) in self._latest.items() if reads > oldest}

    def _told(self, pair: Overheard) -> None:
        if pair.unit != self._unit:
            return
        for slot in self._slots:
            sample = self._sample(slot, pair)
            if sample is not None:
                self._latest[slot.index] = (self._reads, sample)
        self._news.set()

    def _sample(self, slot: Slot, pair: Overheard) -> Sample | None:
        """What a pair says of a value: nothing unless it covers it whole, so that none is torn."""
        read = pair.read
        if read.table != slot.table:
            return None
        if pair.cells is None:  # of a longer read it is not known which register was refused
            inside = slot.address <= read.address and read.address + read.count <= slot.end
            return Sample(None, Quality.DEVICE_REFUSED) if inside else None
        if not (read.address <= slot.address and slot.end <= read.address + read.count):
            return None
        places = [(slot.address - read.address, self._values[slot.index])]
        if read.code <= 2:
            return decode_bits([bool(cell) for cell in pair.cells], places)[0]
        return decode_words(pair.cells, places)[0]

    def _check_it_speaks(self, post: _Post) -> None:
        if not post.is_open:
            raise DeviceError(f"{self._name}: the line is gone; check adapter and cable")
        if self._slots and not self._fresh():
            heard = f"{post.bytes_heard} bytes" if post.bytes_heard else "nothing"
            raise DeviceError(
                f"{self._name}: the master read none of its points within {self._spec.timeout_s:g} "
                f"s, {heard} heard on the line; check wiring, baud, parity and unit, and what the "
                "master reads"
            )
