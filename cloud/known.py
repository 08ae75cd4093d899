"""Which plants had evidence at an earlier start: a volume that is not mounted is no new beginning.

<state_dir>/evidence.known   their ids, a line each; whoever wants another log takes a line out

It is no evidence: without it a start takes what it finds, as the first one does.
"""

from collections.abc import Collection
from pathlib import Path

from cloud.disk import lay, sync_names
from evidence.owners import give

NAME = "evidence.known"


def read_known(state: Path) -> frozenset[str]:
    """Ids of the plants; none where there is no such file. OSError."""
    try:
        return frozenset((state / NAME).read_text("utf-8", "replace").split())
    except FileNotFoundError:
        return frozenset()


def remember(state: Path, plants: Collection[str]) -> None:
    """From now on these are known, and no others, also after a power cut. OSError."""
    if plants == read_known(state):
        return
    path = state / NAME
    part = path.with_name(f".{NAME}.part")
    part.unlink(missing_ok=True)  # of one that was interrupted
    lay(part, "".join(f"{plant}\n" for plant in sorted(plants)).encode())
    give(part)
    part.replace(path)
    sync_names(state)
