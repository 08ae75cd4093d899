"""A user that a service runs as, where tests are root: whose what root makes beside it is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

USER = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def _below(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")


def given(*folders: Path) -> None:
    """Everything there is the service's."""
    for folder in folders:
        for path in _below(folder):
            os.chown(path, USER, USER)


def not_given(*folders: Path) -> list[str]:
    """Everything there that the service does not own."""
    found = (path for folder in folders for path in _below(folder))
    return [str(path) for path in found if (s := path.stat()).st_uid != USER or s.st_gid != USER]
