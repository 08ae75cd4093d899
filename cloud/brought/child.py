"""The process that verifies one archive: `stackproof verify --json`, with less to lose and to take.

`python -m cloud.brought.child MEMORY_BYTES SECONDS FILE [--trust]`; with `--trust` it reads the
certificates to trust from its standard input. The process that starts it kills it when it is late
(`cloud.brought.desk`). Before it opens the file its memory, processor time and descriptors are
bounded; it writes no file, starts no process, and gains no right by any program it might run.
"""

import ctypes
import resource
import sys

from cloud.brought.desk import EXIT_MEMORY, TRUSTS
from evidence import cli

DESCRIPTORS = 64
_STDIN = "/dev/stdin"
_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h


def confine(memory_bytes: int, seconds: int) -> None:
    """Give up what verifying does not need; nothing gives it back."""
    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # pipes are none
        (resource.RLIMIT_NPROC, 0),  # of root the kernel does not ask it
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
    ):
        resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main() -> int:
    """Confine, verify, print the report."""
    memory_bytes, seconds, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    trust = ["--trust", _STDIN] if sys.argv[4:] == [TRUSTS] else []
    confine(memory_bytes, seconds)
    try:
        return cli.main(["verify", "--json", file, *trust])
    except MemoryError:
        return EXIT_MEMORY


if __name__ == "__main__":
    sys.exit(main())
