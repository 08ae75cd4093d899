"""A link that carries one way only and loses some: two network namespaces, or a lossy forwarder.

Namespaces need root, `ip` and `nft`: the far side drops 5 % of what comes, and all it would send
is dropped, answers to ARP too, as at a diode. What is long and may not be cut is dropped too, as by
a hop with a smaller MTU, which can tell nobody. Elsewhere datagrams on loopback go by a forwarder.
"""

import contextlib
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests import namespaces
from tests.namespaces import FAR, FAR_MAC, LINK, NEAR, counted
from tests.ports import free_port

LOSS_PERCENT = 5

_RULES = f"""
table inet diode {{
  chain in {{
    type filter hook input priority 0;
    iifname "{LINK}" ip frag-off & 0x4000 != 0 meta length > 1280 drop
    iifname "{LINK}" numgen random mod 100 < {LOSS_PERCENT} counter drop
  }}
  chain out {{
    type filter hook output priority 0;
    oifname "{LINK}" counter drop
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
        lost: how many datagrams were lost on their way there so far.
        tried_back: tries the way back, where there is something to try: did anything come, and how
            much was dropped on it so far.
    """

    near: tuple[str, ...]
    far: tuple[str, ...]
    to: str
    listen: str
    lost: Callable[[], int]
    tried_back: Callable[[], tuple[bool, int]] | None = None


@contextlib.contextmanager
def between_namespaces() -> Iterator[Diode]:
    """Two namespaces, and what the far one would send is dropped."""
    with namespaces.namespaces() as made:
        near = made.near[-1]
        namespaces.run(
            f"ip -n {near} neigh replace {FAR} lladdr {FAR_MAC} dev {LINK} nud permanent"
        )
        if not _comes(made.far, made.near, NEAR):
            raise AssertionError("the way back is dead before the diode is there")
        namespaces.run(f"{' '.join(made.far)} nft -f -", _RULES)
        yield Diode(
            made.near, made.far, f"{FAR}:5514", f"{FAR}:5514",
            lambda: counted(made.far, "chain inet diode in"),
            lambda: (_comes(made.far, made.near, NEAR), counted(made.far, "chain inet diode out")),
        )  # fmt: skip


_TAKE = """\
import socket, sys
taken = socket.socket(type=socket.SOCK_DGRAM)
taken.bind((sys.argv[1], 5515))
taken.settimeout(0.5)
print("waits", flush=True)
print(len(taken.recv(9)))
"""
_GIVE = """\
import socket, sys
socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (sys.argv[1], 5515))
"""


def _comes(give: tuple[str, ...], take: tuple[str, ...], at: str) -> bool:
    """Does a datagram come from one side to the other, whose address this is?"""
    python = (sys.executable, "-ISc")
    order = [*take, *python, _TAKE, at]
    with subprocess.Popen(order, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as taking:
        assert taking.stdout is not None
        taking.stdout.readline()
        subprocess.run([*give, *python, _GIVE, at], check=False, stderr=subprocess.DEVNULL)
        return taking.stdout.read() == b"1\n"


@contextlib.contextmanager
def forwarder() -> Iterator[Diode]:
    """A thread that carries datagrams one way and loses some, the same ones each time."""
    take, give = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    take.bind(("127.0.0.1", 0))
    take.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
    to, choose, lost = free_port(), random.Random(20), list[int]()

    def carry() -> None:
        while data := take.recv(2_048):
            if choose.random() * 100 >= LOSS_PERCENT:
                give.sendto(data, ("127.0.0.1", to))
            else:
                lost.append(len(data))

    thread = threading.Thread(target=carry, name="diode")
    thread.start()
    port = take.getsockname()[1]
    try:
        yield Diode((), (), f"127.0.0.1:{port}", f"127.0.0.1:{to}", lambda: len(lost))
    finally:
        give.sendto(b"", ("127.0.0.1", port))
        thread.join()
        take.close()
        give.close()
