"""A device's settings, asked for after a read that was answered and never beside one."""

import asyncio
import logging
from collections.abc import Callable

from edge.drivers.base import DeviceError, ReadsSettings
from edge.link import Link, cancel
from edge.settings import MeterSettings
from edge.unkept import Unkept
from evidence.log_lines import about
from firmware_configs.profile import Setting

log = logging.getLogger("stackproof.edge.device")


class SettingQuestions:
    """To one device, one at a time."""

    def __init__(
        self, link: Link, settings: MeterSettings, unkept: Unkept, now_ns: Callable[[], int]
    ) -> None:
        """Prepare; what a round of questions ends with is told to `unkept`."""
        self._link, self._settings, self._unkept = link, settings, unkept
        self._now_ns = now_ns
        self._connection: tuple[int, int] | None = None  # that the settings were read on
        self._asking: asyncio.Task[None] | None = None

    @property
    def is_asking(self) -> bool:
        """True while a question is under way."""
        return self._asking is not None and not self._asking.done()

    async def over(self, timeout_s: float) -> bool:
        """Wait for the question under way; True when there is none any more."""
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=timeout_s)
        return not self.is_asking

    def ask(self) -> None:
        """A read was answered: ask the next question, if one is due."""
        if (reads := self._link.asks) is None or self._link.driver is None:
            return
        connection = self._link.number, reads.connection()
        if connection != self._connection:  # another device may answer there
            self._connection = connection
            self._settings.begin(self._now_ns())
        if (setting := self._settings.due(self._now_ns())) is not None:
            self._asking = asyncio.create_task(self._ask(reads, setting))

    async def close(self) -> None:
        """End a question under way."""
        await cancel(self._asking)

    async def _ask(self, reads: ReadsSettings, setting: Setting) -> None:
        try:
            async with asyncio.timeout(self._link.stuck_s):
                value = await reads.read_setting(setting)
        except DeviceError as error:
            device = self._link.spec.id
            log.debug("%s: setting %s: %s", device, setting.name, error, extra=about(device=device))
            return  # the next read says what is the matter
        except Exception as error:  # noqa: BLE001 - as of a read
            await self._link.lose(error)
            return
        event = self._settings.take(value, self._now_ns())
        if event is not None:
            self._unkept.tell([event])
