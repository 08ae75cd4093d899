"""Who is killed first when memory runs out: a process that works for one reader, not the collector.

Both live in one control group, so the kernel would take the larger: the collector. I/O: one file.
"""

import contextlib
from pathlib import Path

#: the most that proc(5) knows
_FIRST = "1000"


def killed_first(pid: int) -> None:
    """Have the kernel kill this process before any other of the service.

    Nothing is raised where that cannot be said: it has ended, or there is no such kernel.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST, encoding="ascii")
