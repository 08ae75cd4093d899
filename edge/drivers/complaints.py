"""Says a lasting trouble once when it begins and once when it is over, not at every read."""

import logging

from evidence.log_lines import about


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

    def say(self, subject: str, trouble: str) -> None:
        """Log the trouble with a subject (a point, a block) unless it is the one already said."""
        if self._standing.get(subject) != trouble:
            self._standing[subject] = trouble
            of = about(device=self._device)
            self._log.warning("device %s: %s: %s", self._device, subject, trouble, extra=of)

    def over(self, subject: str) -> None:
        """The subject is fine; logged if it was not before."""
        if self._standing and self._standing.pop(subject, None) is not None:
            of = about(device=self._device)
            self._log.info("device %s: %s: is fine again", self._device, subject, extra=of)
