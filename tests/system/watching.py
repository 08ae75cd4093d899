"""What a process and all it starts show to others while they run: sockets, arguments, environment.

Read from /proc, as `ss` and `ps` do.
"""

import base64
import ipaddress
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

LOOK_S = 0.2
_LISTENS, _UNCONNECTED = "0A", "07"  # states of TCP and UDP in /proc/net (include/net/tcp_states.h)


@dataclass
class Seen:
    """Everything that was seen of them, at any time.

    Attributes:
        bound: address -> programs that took connections or datagrams there.
        shown: arguments and environments.
    """

    bound: dict[str, set[str]] = field(default_factory=dict)
    shown: set[bytes] = field(default_factory=set)

    @property
    def beyond_loopback(self) -> dict[str, set[str]]:
        """Of `bound`, what other machines can reach."""
        return {
            at: who for at, who in self.bound.items() if not ipaddress.ip_address(at).is_loopback
        }

    def look(self, root: int) -> None:
        """Look once."""
        for pid in _tree(root):
            home = Path(f"/proc/{pid}")
            with suppress(OSError):  # it may have ended
                command = (home / "cmdline").read_bytes()
                self.shown |= {command, (home / "environ").read_bytes()}
                for address in _bound(home):
                    name = command.replace(b"\0", b" ").decode(errors="replace")
                    self.bound.setdefault(address, set()).add(name)


@contextmanager
def watching(root: int) -> Iterator[Seen]:
    """Look again and again until the end."""
    seen, ended = Seen(), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_S):
            seen.look(root)

    thread = threading.Thread(target=watch, name="watching")
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def secrets(folder: Path) -> dict[Path, list[bytes]]:
    """File -> the forms its secret could show itself in: every private key and token there."""
    found: dict[Path, list[bytes]] = {}
    for path in folder.rglob("*.pem"):
        data = path.read_bytes()
        if b"PRIVATE KEY" in data:
            key = load_pem_private_key(data, None)
            der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            raw = der[-32:]  # an Ed25519 seed is the end of it (RFC 8410 §7)
            found[path] = [raw, raw.hex().encode(), *_in_base64(raw), data.splitlines()[-2][-40:]]
    for path in folder.rglob("api.token"):
        found[path] = [path.read_bytes().strip()]
    return found


def _in_base64(raw: bytes) -> Iterator[bytes]:
    yield base64.b64encode(raw).rstrip(b"=")
    yield base64.urlsafe_b64encode(raw).rstrip(b"=")


def _tree(root: int) -> set[int]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    tree, size = {root}, 0
    while len(tree) > size:
        size = len(tree)
        tree |= {pid for pid, parent in parents.items() if parent in tree}
    return tree


def _bound(home: Path) -> Iterator[str]:
    links = set()
    for path in (home / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            links.add(str(path.readlink()))
    for name, state in (("tcp", _LISTENS), ("tcp6", _LISTENS), ("udp", _UNCONNECTED),
                        ("udp6", _UNCONNECTED)):  # fmt: skip
        for line in (home / "net" / name).read_text().splitlines()[1:]:
            row = line.split()
            if row[3] == state and f"socket:[{row[9]}]" in links:
                yield _address(row[1].partition(":")[0])


def _address(text: str) -> str:
    """Words of 32 bits in the machine's order, as hexadecimal."""
    words = [int(text[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))
