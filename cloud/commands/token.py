"""A token that a command line names, without being in it. I/O: reads a file."""

import os
import sys
from pathlib import Path

from evidence.errors import KeyFileError
from evidence.key_files import open_to_all, read_small


def read_token(reference: str) -> str:
    """The token that file:PATH or env:NAME names; KeyFileError when it names none."""
    scheme, _, name = reference.partition(":")
    if scheme == "file":
        if said := open_to_all(Path(name)):
            print(said, file=sys.stderr)
        return read_small(Path(name)).decode("utf-8", "replace").strip()
    if scheme == "env" and name in os.environ:
        return os.environ[name]
    raise KeyFileError(f"--token {reference!r}: write file:PATH, or env:NAME of a set variable")
