"""Whether a host is known, and whether somebody listens there: DNS and TCP. I/O: opens and closes.

Nothing is sent.
"""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from edge.commissioning.findings import Check, State, failed, fine

_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})


@dataclass(frozen=True)
class Knock:
    """What came of a try to connect.

    Attributes:
        is_open: somebody accepts.
        sentence: what happened.
        todo: what to do; "" when it is open.
    """

    is_open: bool
    sentence: str
    todo: str = ""


async def reach(subject: str, host: str, port: int, timeout_s: float) -> list[Check]:
    """DNS, then TCP; TCP is not tried where the name is not known."""
    dns = await dns_check(subject, host, port)
    if dns.state is State.FAILED:
        return [dns]
    knock = await knock_at(host, port, timeout_s)
    if knock.is_open:
        return [dns, fine(subject, "tcp", knock.sentence)]
    return [dns, failed(subject, "tcp", knock.sentence, knock.todo)]


async def dns_check(subject: str, host: str, port: int) -> Check:
    """Whether a host's name is known."""
    address = await resolve(host, port)
    if isinstance(address, Knock):
        return failed(subject, "dns", address.sentence, address.todo)
    known = f"{host} is an address" if _is_address(host) else f"{host} is {' '.join(address)}"
    return fine(subject, "dns", known)


async def resolve(host: str, port: int) -> Sequence[str] | Knock:
    """The addresses of a host, or why it has none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: such as "a..b"
        why = getattr(error, "strerror", None) or "it is no host's name"
        return Knock(
            False,
            f"the name {host!r} is not known here: {why}",
            "write the device's IP address, or correct the name, or this machine's DNS server "
            "(resolv.conf)",
        )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def knock_at(host: str, port: int, timeout_s: float) -> Knock:
    """Connect and hang up; of a host with several addresses the first that accepts will do."""
    found = await resolve(host, port)
    if isinstance(found, Knock):
        return found
    for address in found:
        knock = await _knock(f"{host} port {port}", address, port, timeout_s)
        if knock.is_open:
            break
    return knock


async def _knock(where: str, address: str, port: int, timeout_s: float) -> Knock:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        async with asyncio.timeout(timeout_s):
            transport, _ = await loop.create_connection(asyncio.Protocol, address, port)
    except TimeoutError:
        return Knock(
            False,
            f"{where}: nothing comes back within {timeout_s:g} s",
            "check the address, power and network cable, and whether a firewall drops it",
        )
    except ConnectionRefusedError:
        return Knock(
            False,
            f"{where}: refused: the host is there, nobody listens on that port",
            "check the port and that the service is switched on there; it may also have "
            "no connection left: end other programs that hold one",
        )
    except OSError as error:
        away = error.errno in _UNREACHABLE
        return Knock(
            False,
            f"{where}: {error.strerror or error}",
            "check this machine's own address, mask and gateway: no way leads to that host"
            if away
            else "check the address and this machine's network",
        )
    transport.abort()
    await asyncio.sleep(0)  # the loop lets go of the socket in its next turn
    return Knock(True, f"{where} accepts after {1000 * (loop.time() - began_s):.0f} ms")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
