"""What passes on an RTU line between its master and its devices: questions and their answers. Pure.

Both directions share one wire and no frame says which way it goes, so a frame is judged by its CRC,
by its length, which follows from its function code, and by what stands before it. What is told is a
pair: a read, and directly behind it the answer that fits it. Whatever is not certain is not told:

- The frames are taken as one unbroken run. A pair is told only when the run up to it is longer than
  the longest frame (256 bytes), for then it cannot all lie inside the data of one frame, where
  anything at all may stand. Noise, a cut frame, a collision or an unknown function begin a new run.
- One byte that belongs to nothing is allowed between two frames: drivers of a line that has just
  been let go make one. Two are not, for the CRC of a frame around the run would hide in them. And
  between a question and its answer only one that an idle line makes, all its bits alike: any other
  may be what is left of a next question.
- A frame that can be the awaited answer and a new question as well is neither; nothing is told.

- A question that is not directly followed by its answer may still be answered late. Until the unit
  has answered one of another length, or `LATE_S` are over, no answer is told that could be it.

Short times are not looked at, because an adapter hands bytes over when it likes. Only `settle` is
told by its caller that the line has been silent: what is incomplete then stays so.
"""

from dataclasses import dataclass

from edge.drivers.modbus.answers import Cells, RefusedError, WrongAnswerError, cells_of, data_bytes
from edge.drivers.modbus.endpoint import ANSWER_HEAD, FRAME_MAX
from edge.drivers.modbus.gate import READ_CODES
from edge.drivers.modbus.plan import CELLS, TABLES, Read
from edge.drivers.modbus.rtu import is_whole

_TABLE_OF = {code: table for table, (code, _) in TABLES.items()}
_CELLS_MAX = {1: 2000, 2: 2000, 3: 125, 4: 125}  # Application Protocol 1.1b3, 6.1 to 6.4
_REQUEST = 8
_STRAY_MAX = 1  # bytes between two frames that may belong to nothing
_IDLE = (0x00, 0xFF)

#: Functions whose question and answer are of one fixed length; 6.5, 6.6, 6.8, 6.16.
_FIXED = {5: 8, 6: 8, 8: 8, 22: 10}
LATE_S = 10.0


@dataclass(frozen=True)
class Overheard:
    """One question of the master and its answer.

    Attributes:
        unit: who was asked.
        read: what was asked; it carries no slots.
        cells: the answer; None when the device refused.
    """

    unit: int
    read: Read
    cells: Cells | None


class Tap:
    """Takes the bytes of one line in the order they come."""

    def __init__(self) -> None:
        self._bytes = b""
        self._run = 0  # bytes of frames in an unbroken run up to here
        self._strays = 0  # bytes that belong to nothing since the last frame
        self._asked: tuple[int, Read] | None = None  # by the frame directly before
        self._unanswered: dict[int, dict[Read, float]] = {}  # unit -> reads, each until when

    def feed(self, data: bytes, now_s: float) -> list[Overheard]:
        """More bytes; the pairs they complete.

        Args:
            data: what came in.
            now_s: when, on a clock that only goes forward.
        """
        self._bytes += data
        return self._take(now_s, is_silent=False)

    def settle(self, now_s: float) -> list[Overheard]:
        """The line has been silent for long: what is incomplete stays so."""
        return self._take(now_s, is_silent=True)

    def _take(self, now_s: float, *, is_silent: bool) -> list[Overheard]:
        told: list[Overheard] = []
        at = 0
        while at < len(self._bytes):
            here = self._bytes[at : at + FRAME_MAX]
            ends, is_open = _ends(here)
            if is_open and not is_silent:
                break
            if ends:
                pair = self._frame(here, ends, now_s)
                if pair is not None and self._run > FRAME_MAX:
                    told.append(pair)
                at += ends[-1]
            else:
                self._stray(self._bytes[at], now_s)
                at += 1
        self._bytes = self._bytes[at:]
        return told

    def _stray(self, byte: int, now_s: float) -> None:
        self._strays += 1
        if self._strays > _STRAY_MAX:
            self._run = 0
        if self._asked is not None and (self._strays > _STRAY_MAX or byte not in _IDLE):
            self._note_unanswered(self._asked, now_s)
            self._asked = None

    def _note_unanswered(self, asked: tuple[int, Read], now_s: float) -> None:
        unit, read = asked
        self._unanswered[unit] = {**self._late(unit, now_s), read: now_s + LATE_S}

    def _frame(self, here: bytes, ends: list[int], now_s: float) -> Overheard | None:
        """A frame, or the several these bytes could be; the pair it closes, if that is sure."""
        asked, self._asked = self._asked, None
        self._strays = 0
        question, answer = _question(here), _answer(here, asked)
        if len(ends) > 1:
            self._run = 0  # where it ends is not known, nor where the next one begins
        else:
            self._run += ends[0]
        is_sure = len(ends) == 1 and (question is None or answer is None)
        if asked is not None and (answer is None or not is_sure):
            self._note_unanswered(asked, now_s)
        if not is_sure:
            return None
        if answer is None:
            self._asked = question
            return None
        return answer if self._is_its_own(answer, now_s) else None

    def _is_its_own(self, answer: Overheard, now_s: float) -> bool:
        """False when it could be the late answer to an earlier question."""
        late = self._late(answer.unit, now_s)
        if not late:
            return True
        if answer.cells is not None and not any(_fits(answer.read, read) for read in late):
            del self._unanswered[answer.unit]  # a device keeps the order: no earlier one can come
            return True
        is_the_same = set(late) == {answer.read}  # asked again: whichever it answers, it is true
        late.setdefault(answer.read, max(late.values()))
        return is_the_same

    def _late(self, unit: int, now_s: float) -> dict[Read, float]:
        """The questions to a unit whose answers may still come."""
        late = {r: t for r, t in self._unanswered.get(unit, {}).items() if t > now_s}
        self._unanswered[unit] = late
        return late


def _fits(one: Read, other: Read) -> bool:
    return (one.code, data_bytes(one)) == (other.code, data_bytes(other))


def _question(here: bytes) -> tuple[int, Read] | None:
    """The read these bytes ask for, if they do."""
    code, address = here[1], int.from_bytes(here[2:4], "big")
    count = int.from_bytes(here[4:6], "big")
    if code not in READ_CODES or not 1 <= count <= _CELLS_MAX[code] or address + count > CELLS:
        return None
    if len(here) < _REQUEST or not is_whole(here[:_REQUEST]):
        return None
    return here[0], Read(_TABLE_OF[code], address, count, ())


def _answer(here: bytes, asked: tuple[int, Read] | None) -> Overheard | None:
    """The answer to what was asked directly before, if these bytes are it."""
    if asked is None or here[0] != asked[0] or here[1] & 0x7F != asked[1].code:
        return None
    unit, read = asked
    end = ANSWER_HEAD if here[1] & 0x80 else ANSWER_HEAD + data_bytes(read)
    if len(here) < end or not is_whole(here[:end]):
        return None
    try:
        return Overheard(unit, read, cells_of(here[1 : end - 2], read))
    except RefusedError:
        return Overheard(unit, read, None)
    except WrongAnswerError:
        return None


def _ends(here: bytes) -> tuple[list[int], bool]:
    """The lengths at which these bytes make a whole frame, and whether more bytes could add one."""
    if len(here) < 2:
        return [], True
    lengths, is_open = _lengths(here)
    whole = sorted(n for n in lengths if n <= len(here) and is_whole(here[:n]))
    return whole, is_open or any(len(here) < n <= FRAME_MAX for n in lengths)


def _lengths(here: bytes) -> tuple[set[int], bool]:
    """How long a frame that begins like this may be, and whether that takes more bytes to say."""
    code = here[1]
    if code & 0x80:
        return {ANSWER_HEAD}, False
    if code in READ_CODES:
        return _lengths_of_read(here)
    if code in (15, 16):
        return _lengths_of_write(here)
    return ({_FIXED[code]} if code in _FIXED else set()), False


def _lengths_of_read(here: bytes) -> tuple[set[int], bool]:
    if len(here) < 3:
        return {_REQUEST}, True
    is_answer = here[2] > 0 and (here[1] <= 2 or here[2] % 2 == 0)
    return {_REQUEST} | ({ANSWER_HEAD + here[2]} if is_answer else set()), False


def _lengths_of_write(here: bytes) -> tuple[set[int], bool]:
    """Of "write multiple coils" and "registers": the question is long, the answer is not."""
    if len(here) < 7:
        return {_REQUEST}, True
    count = int.from_bytes(here[4:6], "big")
    due = -(-count // 8) if here[1] == 15 else 2 * count
    return {_REQUEST} | ({9 + due} if here[6] == due else set()), False
