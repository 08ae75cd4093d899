"""Whether a device on a serial line may still send an answer nobody waits for any more. Pure.

An RTU answer carries no number that ties it to its question. One that comes after its question was
given up could be taken for the next question's: same unit, same function, same number of bytes.
But a device answers in the order it is asked. So after a question was given up (lost), the next one
must be of another shape - function code and number of data bytes - than every lost one: a late
answer does not fit it and is passed over, and once its own has come, no earlier one can come.
"""

from edge.drivers.modbus.answers import data_bytes
from edge.drivers.modbus.plan import Read

#: A lost question is taken for dead after this many times the device's timeout, and at least
#: LATE_S_MIN seconds. A device that answers later than that is not defended against.
LATE_TIMEOUTS = 10
LATE_S_MIN = 10.0
#: ... behind a gateway, which itself throws away what comes while it asks nothing.
GATEWAY_LATE_TIMEOUTS = 2


class Doubt:
    """The lost questions of one unit.

    Args:
        timeout_s: how long the device may take to answer.
        late_s: how long a lost question is not taken for dead.

    Attributes:
        quiet_until_s: it is asked nothing before; what it says meanwhile is thrown away.
    """

    def __init__(self, timeout_s: float, late_s: float | None = None) -> None:
        self._timeout_s = timeout_s
        self.quiet_until_s = 0.0
        self._late_s = late_s or max(LATE_TIMEOUTS * timeout_s, LATE_S_MIN)
        self._lost: dict[tuple[int, int], float] = {}

    def lost(self, read: Read, now_s: float) -> None:
        """A question was given up, or its answer could not be believed."""
        self._lost[_shape(read)] = now_s + self._late_s
        self.quiet_until_s = now_s + self._timeout_s

    def answered(self) -> None:
        """A safe question was answered: whatever was lost before can come no more."""
        self._lost.clear()

    def stands(self, now_s: float) -> bool:
        """True while a late answer may still come."""
        self._lost = {shape: until for shape, until in self._lost.items() if until > now_s}
        return bool(self._lost)

    def takes(self, pdu: bytes, read: Read) -> bool:
        """True when an answer can be this safe read's, and no lost one's.

        A refusal has no length: it is told apart by its function only.

        Args:
            pdu: function code and data of a whole answer of the unit.
            read: what is being asked.
        """
        if not self._lost:
            return True  # whatever it is, it is the answer, right or wrong
        if pdu[0] & 0x80:
            code = pdu[0] & 0x7F
            return code == read.code and all(code != lost for lost, _ in self._lost)
        return (pdu[0], len(pdu) - 2) == _shape(read)

    def is_safe(self, read: Read) -> bool:
        """True when no late answer could be taken for this question's."""
        return _shape(read) not in self._lost


def _shape(read: Read) -> tuple[int, int]:
    return read.code, data_bytes(read)
