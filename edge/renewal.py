"""Renews the certificate for the broker over the link that works, before it ends.

Asked for at two thirds of its life, signed by the evidence key, and again every hour until one has
come; then connections show the new one, and the next begins at once. So it goes with files that a
person has put in place of the ones before: another key, its certificate, one more CA.
"""

import datetime as dt
import logging

from edge.broker_tls import Shown
from edge.clock import Clock
from edge.disk import Disk
from edge.stream import Stream
from edge.uplink.mqtt import MqttUplink
from evidence.broker_certificates import renews_at
from evidence.errors import EvidenceError

log = logging.getLogger("stackproof.edge.uplink")

LOOK_S, AGAIN_S = 60.0, 3_600.0
AWAY_LOOK_S = 1.0  # without the broker: other files may be what lets us in


class Renewal:
    """Of one gateway's certificate.

    Args:
        shown: its files, and the context by which the uplink connects.
        parts: the uplink, the stream whose key signs, the clock, the disk's thread.

    Attributes:
        trouble: what a person must know of the certificate, "" for nothing.
    """

    def __init__(
        self, shown: Shown, *,
        uplink: MqttUplink, stream: Stream, clock: Clock, disk: Disk,
    ) -> None:  # fmt: skip
        self.trouble = ""
        self._shown, self._tls, self._uplink = shown, shown.tls, uplink
        self._stream, self._clock, self._disk = stream, clock, disk
        self._look_s = self._ask_s = float("-inf")
        self._said = ""  # of what cannot be now

    async def look(self, *, is_online: bool) -> None:
        """Ask if it is time to; called often."""
        now_s = self._clock.monotonic_ns() / 1e9
        if now_s < self._look_s:
            return
        self._look_s = now_s + LOOK_S
        now_ns = self._clock.wall_ns()
        self.trouble = await self._disk.run(self._tls.trouble, now_ns)
        try:
            await self._take_up()
            certificate = await self._disk.run(self._tls.certificate)
            now = dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC)
            is_due = not certificate.not_valid_before_utc <= now < renews_at(certificate)
            if not is_online or not is_due or now_s < self._ask_s:
                self._look_s = now_s + (LOOK_S if is_online else AWAY_LOOK_S)
                return
            request = await self._disk.run(self._stream.broker_request, self._tls.key)
        except EvidenceError as error:  # a file that was taken away, a key in a token that is away
            if str(error) != self._said:
                log.warning(
                    "the certificate for the broker cannot be used or renewed now: %s", error
                )
            self._said = str(error)
            self._look_s = now_s + (LOOK_S if is_online else AWAY_LOOK_S)
            return
        self._said = ""
        if self._uplink.ask(request):
            self._ask_s = now_s + AGAIN_S
            log.info("asked for the next certificate for the broker")

    async def take(self, pem: bytes) -> None:
        """A certificate came over the broker: use it if it is a newer one of ours.

        Raises:
            NotOursError, SpoolError: as for `BrokerTls.take`.
        """
        if await self._disk.run(self._tls.take, pem, self._clock.wall_ns()) is not None:
            self._look_s = float("-inf")  # `look` connects with it at once

    async def _take_up(self) -> None:
        """Connect anew if the files say something new."""
        if not await self._disk.run(self._shown.look):
            return
        ends = (await self._disk.run(self._tls.certificate)).not_valid_after_utc
        log.info("a new certificate for the broker, until %s; connecting with it",
                 f"{ends:%Y-%m-%d %H:%M} UTC")  # fmt: skip
        self._uplink.reconnect()
