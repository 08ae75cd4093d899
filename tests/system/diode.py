"""A link that carries one way only and loses some: two network namespaces, or a lossy forwarder.

Namespaces need root, `ip` and `nft`: the far side drops 5 % of what comes, and all it would send
is dropped, answers to ARP too, as at a diode. Elsewhere datagrams on loopback go by a forwarder.
"""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.ports import free_port

LOSS_PERCENT = 5
NEAR, FAR, FAR_MAC = "10.77.0.1", "10.77.0.2", "02:00:00:77:00:02"

_RULES = f"""
table inet diode {{
  chain in {{
    type filter hook input priority 0;
    iifname "diode" numgen random mod 100 < {LOSS_PERCENT} counter drop
  }}
  chain out {{
    type filter hook output priority 0;
    oifname "diode" counter drop
  }}
}}
table arp diode {{
  chain out {{
    type filter hook output priority 0;
    drop
  }}
}}
"""


@dataclass(frozen=True)
class Diode:
    """How to run something on either side, and where datagrams are sent and taken.

    Attributes:
        near, far: what stands before a command of that side.
        to, listen: "host:port" at the site and at the relay.
    """

    near: tuple[str, ...]
    far: tuple[str, ...]
    to: str
    listen: str


def has_namespaces() -> bool:
    """True for root with the programs, where the kernel lets it."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if os.geteuid() or not all(shutil.which(name, path=path) for name in ("ip", "nft")):
        return False
    name = f"sp-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


@contextlib.contextmanager
def namespaces() -> Iterator[Diode]:
    """Two namespaces of our own, joined by one link."""
    near, far = (f"sp-{side}-{os.getpid()}" for side in ("near", "far"))
    run = ("ip", "netns", "exec")
    try:
        for line in (
            f"ip netns add {near}", f"ip netns add {far}",
            f"ip -n {near} link add diode type veth peer name diode netns {far}",
            f"ip -n {far} link set diode address {FAR_MAC}",
            f"ip -n {near} addr add {NEAR}/30 dev diode",
            f"ip -n {far} addr add {FAR}/30 dev diode",
            *(f"ip -n {at} link set {link} up" for at in (near, far) for link in ("lo", "diode")),
            f"ip -n {near} neigh replace {FAR} lladdr {FAR_MAC} dev diode nud permanent",
        ):  # fmt: skip
            subprocess.run(line.split(), check=True, capture_output=True)
        subprocess.run([*run, far, "nft", "-f", "-"], input=_RULES, text=True, check=True,
                       capture_output=True)  # fmt: skip
        yield Diode((*run, near), (*run, far), f"{FAR}:5514", f"{FAR}:5514")
    finally:
        for name in (near, far):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextlib.contextmanager
def forwarder() -> Iterator[Diode]:
    """A thread that carries datagrams one way and loses some, the same ones each time."""
    take, give = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    take.bind(("127.0.0.1", 0))
    take.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
    to, choose = free_port(), random.Random(20)

    def carry() -> None:
        while data := take.recv(2_048):
            if choose.random() * 100 >= LOSS_PERCENT:
                give.sendto(data, ("127.0.0.1", to))

    thread = threading.Thread(target=carry, name="diode")
    thread.start()
    port = take.getsockname()[1]
    try:
        yield Diode((), (), f"127.0.0.1:{port}", f"127.0.0.1:{to}")
    finally:
        give.sendto(b"", ("127.0.0.1", port))
        thread.join()
        take.close()
        give.close()
