"""What somebody calls himself at a broker. I/O: reads the file of his TLS key."""

import hashlib
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence.errors import KeyFileError
from evidence.keys import load_private

#: nobody tries so many ids over a network
DIGITS = 16
_LABEL = b"stackproof client id\0"


def client_id(name: str, key: Path | None) -> str:
    """How somebody calls himself at a broker: by a name that nobody guesses who lacks his key.

    Whoever comes with the client id of another throws that one off (MQTT 3.1.1, 3.1.4-2), and not
    every broker can tie ids to certificates. So the id is a secret, the same at each start that
    finds the key.

    Args:
        name: what people call him.
        key: file of his TLS key; None without TLS, where nobody is known by anything.
    """
    if key is None:
        return name
    try:
        der = load_private(key).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except KeyFileError:  # no broker lets anybody in before the file is there, whatever he says
        der = secrets.token_bytes(32)
    return f"{name}-{hashlib.sha256(_LABEL + der).hexdigest()[:DIGITS]}"
