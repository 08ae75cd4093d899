"""A plant's link to the collector that fails in the ways links do: two namespaces, or a relay.

Both have the same faults, each until it is mended:

    down        nothing passes, nobody is told; the plant's end may be gone altogether
    reset       whatever is sent is answered with RST
    half open   what the plant sends passes, nothing comes back
    lossy       one packet in five is lost, each way
    slow        `SLOW_BYTES_S` each way
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from tests.namespaces import FAR, LINK, Namespaces, counted, namespaces, run
from tests.system.relay import Relay

LOSS_PERCENT = 20
SLOW_BYTES_S = 125_000  # 1 Mbit/s
MEETS_S = 30.0
FAULTS = ("down", "reset", "half open", "lossy", "slow")

_IN = f'chain in {{ type filter hook input priority 0; iifname "{LINK}" %s\n}}'
_OUT = f'chain out {{ type filter hook output priority 0; oifname "{LINK}" %s\n}}'
_LOST = f"numgen random mod 100 < {LOSS_PERCENT} counter drop"
_RULES = {
    "reset": _IN % "meta l4proto tcp counter reject with tcp reset",
    "half open": _OUT % "counter drop",
    "lossy": f"{_IN % _LOST}\n{_OUT % _LOST}",
}


class PlantLink(Protocol):
    """What stands between an agent and its broker.

    Attributes:
        near, far: what stands before a command of the plant's side, and of the collector's.
    """

    near: tuple[str, ...]
    far: tuple[str, ...]

    def lead_to(self, port: int) -> str:
        """Where the agent finds the broker that listens on this port of the far side."""

    def fail(self, fault: str) -> None:
        """One of `FAULTS` begins."""

    def mend(self) -> None:
        """It carries again."""


class NamespaceLink:
    """A veth pair; packets are dropped, answered or delayed by the kernel on the far side."""

    def __init__(self, made: Namespaces) -> None:
        self.near, self.far = made.near, made.far
        self._is_ruled = False

    def lead_to(self, port: int) -> str:
        return f"mqtt://{FAR}:{port}"

    def fail(self, fault: str) -> None:
        near = self.near[-1]
        if fault == "down":
            run(f"ip -n {near} link set {LINK} down")
        elif fault == "slow":
            for at in (near, self.far[-1]):
                run(f"tc -n {at} qdisc replace dev {LINK} root tbf "
                    f"rate {SLOW_BYTES_S * 8}bit burst 4kb latency 400ms")  # fmt: skip
        else:
            run(f"{' '.join(self.far)} nft -f -", f"table inet faults {{\n{_RULES[fault]}\n}}")
            self._is_ruled = True

    def mend(self) -> None:
        """It carries again; a fault that met no packet lasts until it has."""
        near, far = self.near[-1], self.far[-1]
        ends_s = time.monotonic() + MEETS_S
        while self._is_ruled and not counted(self.far, "table inet faults"):
            assert time.monotonic() < ends_s, "nothing was dropped"
            time.sleep(0.02)
        self._is_ruled = False
        run(f"ip -n {near} link set {LINK} up")
        run(f"{' '.join(self.far)} nft flush ruleset")
        for at in (near, far):
            run(f"tc -n {at} qdisc replace dev {LINK} root pfifo limit 1000")


class RelayLink:
    """A TCP relay on loopback: the same faults as far as a relay can have them."""

    near: tuple[str, ...] = ()
    far: tuple[str, ...] = ()

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._is_shut = False

    def lead_to(self, port: int) -> str:
        return f"mqtt://127.0.0.1:{self._relay.forward(port)}"

    def fail(self, fault: str) -> None:
        begin = {
            "down": self._relay.silence,
            "reset": self._relay.shut,
            "half open": self._relay.deafen,
            "lossy": lambda: self._relay.lose(LOSS_PERCENT / 100),
            "slow": lambda: self._relay.narrow(SLOW_BYTES_S),
        }
        begin[fault]()
        self._is_shut = fault == "reset"

    def mend(self) -> None:
        if self._is_shut:
            self._relay.open()
        self._relay.restore()
        self._is_shut = False


@contextlib.contextmanager
def by_namespaces() -> Iterator[PlantLink]:
    """Two namespaces; needs root."""
    with namespaces() as made:
        yield NamespaceLink(made)


@contextlib.contextmanager
def by_relay() -> Iterator[PlantLink]:
    """Everything on loopback."""
    with Relay() as relay:
        yield RelayLink(relay)
