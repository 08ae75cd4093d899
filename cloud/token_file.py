"""The bearer token of programs on this machine. I/O: its file."""

import os
import secrets
from pathlib import Path


def new_token(path: Path) -> str:
    """A new bearer token in a file that only its owner can read."""
    token = secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as output:
        output.write(token + "\n")
    return token
