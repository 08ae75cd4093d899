"""What a process and all it starts show to others while they run: sockets, arguments, environment.

Read from /proc, as `ss` and `ps` do.
"""

import base64
import ipaddress
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
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
        if b"PRIVATE KEY" in (data := path.read_bytes()):
            found[path] = key_forms(data)
    for path in folder.rglob("api.token"):
        found[path] = [path.read_bytes().strip()]
    return found


def key_forms(pem: bytes) -> list[bytes]:
    """The forms of a private key: nothing in them is also in its public half.

    Args:
        pem: PKCS#8, Ed25519, on a curve of NIST, or RSA; certificates may follow.
    """
    key = load_pem_private_key(pem, None)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    lines = pem.partition(b"PRIVATE KEY-----\n")[2].partition(b"-----END")[0].split()
    return [form for raw in _kept(key) for form in _forms(raw, der, lines)]


def _kept(key: PrivateKeyTypes) -> list[bytes]:
    """The numbers that nobody else may know."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return [key.private_bytes_raw()]
    if isinstance(key, rsa.RSAPrivateKey):
        own = key.private_numbers()
        return [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in (own.d, own.p, own.q)]
    assert isinstance(key, ec.EllipticCurvePrivateKey), "another kind: say where its secret is"
    scalar = key.private_numbers().private_value
    return [scalar.to_bytes((key.key_size + 7) // 8, "big")]


def _forms(raw: bytes, der: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    """One of its numbers, of the key as DER, and as lines of PEM."""
    yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
    for before in range(3):  # bytes: a base64 character is six bits, taken where it is all ours
        text = base64.b64encode(bytes(before) + raw)[slice(*_characters(before, len(raw)))]
        yield from (text, text.translate(bytes.maketrans(b"+/", b"-_")))
    body = base64.b64encode(der)
    first, last = _characters(der.index(raw), len(raw))
    for line in lines:
        at = body.index(line)
        if min(at + len(line), last) - max(at, first) >= 8:
            yield line


def _characters(at: int, length: int) -> tuple[int, int]:
    """The base64 characters that so many bytes at this place alone decide."""
    return -(at * 8 // -6), (at + length) * 8 // 6


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
