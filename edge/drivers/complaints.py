"""Says a lasting trouble once when it begins and once when it is over, not at every read."""

import logging
from time import monotonic

from evidence.log_lines import about

#: A device of thousands of points that are well and not well by turns fills no log: so many lines
#: of it are written in so many seconds.
LINES_MAX, LINES_S = 200, 60.0


class Complaints:
    """What a device is being complained about; one instance a device.

    Args:
        log: the driver's logger.
        device: device id, opens every line.
    """

    def __init__(self, log: logging.Logger, device: str) -> None:
        self._log = log
        self._device = device
        self._standing: dict[str, str] = {}
        self._since_s, self._lines = float("-inf"), 0

    def say(self, subject: str, trouble: str) -> None:
        """Log the trouble with a subject (a point, a block) unless it is the one already said."""
        if self._standing.get(subject) != trouble:
            self._standing[subject] = trouble
            self._write(logging.WARNING, subject, trouble)

    def over(self, subject: str) -> None:
        """The subject is fine; logged if it was not before."""
        if self._standing and self._standing.pop(subject, None) is not None:
            self._write(logging.INFO, subject, "is fine again")

    def forget(self, subject: str) -> None:
        """The subject is no more; not logged."""
        self._standing.pop(subject, None)

    def _write(self, level: int, subject: str, what: str) -> None:
        now_s, of = monotonic(), about(device=self._device)
        if now_s - self._since_s >= LINES_S:
            if self._lines > LINES_MAX:
                left_out = self._lines - LINES_MAX
                self._log.warning(
                    "device %s: %d lines of it were left out", self._device, left_out, extra=of
                )
            self._since_s, self._lines = now_s, 0
        self._lines += 1
        if self._lines <= LINES_MAX:
            self._log.log(level, "device %s: %s: %s", self._device, subject, what, extra=of)
        elif self._lines == LINES_MAX + 1:
            self._log.warning(
                "device %s: more than %d lines in %d s: what else comes and goes is left out till "
                "then", self._device, LINES_MAX, LINES_S, extra=of,
            )  # fmt: skip
