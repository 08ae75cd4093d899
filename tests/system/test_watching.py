"""What the watcher of sockets and secrets would miss, nobody would be told of."""

import base64
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.system.watching import Seen, secrets


@pytest.mark.parametrize(
    ("family", "kind", "address", "is_seen"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0", True),  # noqa: S104 - what it is about
        (socket.AF_INET6, socket.SOCK_STREAM, "::", True),
        (socket.AF_INET, socket.SOCK_DGRAM, "0.0.0.0", True),  # noqa: S104 - what it is about
        (socket.AF_INET6, socket.SOCK_DGRAM, "::1", False),
        (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.2", False),
    ],
)
def test_an_open_port_is_seen(
    family: socket.AddressFamily, kind: socket.SocketKind, address: str, is_seen: bool
) -> None:
    seen = Seen()
    with socket.socket(family, kind) as opened:
        opened.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            opened.listen()
        seen.look(os.getpid())
    assert address in seen.bound
    assert (address in seen.beyond_loopback) is is_seen


def openssl(*words: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ED25519", "priv:"), ("EC -pkeyopt ec_paramgen_curve:P-256", "priv:"),
        ("RSA", "privateExponent:"),
    ],
)  # fmt: skip
def test_a_private_key_is_known_in_every_form_and_its_public_half_is_none(
    kind: str, name: str, tmp_path: Path
) -> None:
    pem = openssl("genpkey", "-algorithm", *kind.split())
    text = openssl("pkey", "-noout", "-text", given=pem).decode()
    (digits,) = re.findall(rf"{name}\n((?:    .*\n)+)", text)
    raw = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
    der = openssl("pkey", "-outform", "DER", given=pem)
    (tmp_path / "tls.pem").write_bytes(pem)
    (forms,) = secrets(tmp_path).values()
    body = [line for line in pem.splitlines() if b"-----" not in line]
    shown = {
        "bytes": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
        "base64": base64.b64encode(raw), "for addresses": base64.urlsafe_b64encode(raw),
        "with others behind it": base64.b64encode(raw + b"others"),
        "der": der, "der in base64": base64.b64encode(der), "pem": pem,
        "pem in json": pem.replace(b"\n", b"\\n"), "a line of it": body[len(body) // 3],
    }  # fmt: skip
    missed = [name for name, data in shown.items() if not any(form in data for form in forms)]
    assert missed == []
    public = openssl("pkey", "-pubout", "-outform", "DER", given=pem)
    around = [base64.b64encode(bytes(n) + public) for n in range(3)]
    for data in (public, public.hex().encode(), *around):
        assert not any(form in data for form in forms)
