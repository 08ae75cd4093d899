"""What a process holds that another could hold too: files, locks, memory."""

import contextlib
import os
import sys
from pathlib import Path

#: what is read by whoever runs Python or this program; nobody writes it or waits for it
_INSTALLED = (sys.prefix, sys.base_prefix, "/usr/", "/lib/", str(Path(__file__).parents[3]))
_NOBODYS = ("/dev/null", "/dev/urandom")


def held(pid: int) -> set[str]:
    """Open files, folders, pipes and sockets, and mapped files, of a running process, by name.

    Without those of the installation. A lock of Linux is one of an open file: two processes that
    have no file in common share none.
    """
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            found.add(str(entry.readlink()))
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        _, access, _, _, _, *name = line.split(maxsplit=5)
        if name and access.endswith("s"):
            found.add(name[0])
    return {
        name
        for name in found
        if name not in _NOBODYS
        and not name.startswith(("anon_inode:", *(f"{one.rstrip(os.sep)}/" for one in _INSTALLED)))
    }
