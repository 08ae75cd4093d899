"""What the simulated meters behind one link share: how they are reached, opened and closed."""

from collections.abc import Callable, Mapping

from firmware_configs.model import Profile, Register
from simulators.clock import Clock, SystemClock
from simulators.frames import Frames, Question
from simulators.links import Link, PtyLink, TcpLink
from simulators.manner import WELL, Manner
from simulators.served import ServeError


class LinkedMeter:
    """One meter behind one TCP port or on one serial line; the protocol's class answers."""

    def __init__(
        self,
        profile: Profile,
        *,
        host: str,
        port: int,
        frames: Callable[[], Frames],
        on_pty: bool,
        clock: Clock | None,
    ) -> None:
        """Nothing is opened yet; `port` 0 lets the machine choose one."""
        self.profile = profile
        self._is_on_line = on_pty
        self._place = "a pty" if on_pty else f"{host}:{port}; is it taken?"
        self._manner = WELL
        clock = clock or SystemClock()
        self._link: Link = (
            PtyLink(clock=clock, frames=frames)
            if on_pty
            else TcpLink(host, port, clock=clock, frames=frames)
        )

    @property
    def rows(self) -> Mapping[str, Register]:
        """Its rows by name."""
        return {register.name: register for register in self.profile.registers}

    def immunity(self, kind: str) -> str | None:
        """A serial line has no connections that could be half open."""
        if kind == "clock-jump":
            return "its protocol carries no times"
        if kind == "certificate":
            return "it shows none"
        return "a line has no connections" if kind == "half-open" and self._is_on_line else None

    def behave(self, manner: Manner) -> None:
        """Behave so from now on; what changes values shows with the next ones."""
        self._manner = manner
        self._link.behave(manner)

    async def start(self) -> None:
        """Listen; ServeError when the port cannot be had."""
        try:
            await self._link.start(self._answer)
        except OSError:
            raise ServeError(f"{self.profile.id}: cannot listen on {self._place}") from None

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._link.stop()

    def _answer(self, question: Question) -> bytes | None:
        """Of the protocol's class: what it answers; None when another was asked."""
        raise NotImplementedError
