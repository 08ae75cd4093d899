"""Evidence is of one clock: a folder whose times were simulated is marked, and stays so.

<evidence_dir>/<slice>/simulated-clock   there when a simulated clock stamped its log
"""

from pathlib import Path

from cloud.errors import StoreError

MARK = "simulated-clock"
_TEXT = "Times in the logs below are of `stackproof cloud run --clock sim`: nothing here is real.\n"


def check_clock(root: Path, *, is_simulated: bool) -> None:
    """Refuse evidence of the other clock; mark what is begun under a simulated one.

    Args:
        root: `<evidence_dir>/<slice>`, locked.
        is_simulated: whether the clock is.

    Raises:
        StoreError: the folder is of the other clock, or cannot be marked.
    """
    mark = root / MARK
    try:
        if mark.exists() and not is_simulated:
            raise StoreError(
                f"{root}: its log was stamped by a simulated clock: go on with --clock sim, or "
                "name another evidence_dir"
            )
        if is_simulated and not mark.exists():
            if any(entry.is_dir() for entry in root.iterdir()):
                raise StoreError(
                    f"{root}: there is evidence that a simulated clock would spoil: for --clock "
                    "sim name an evidence_dir of its own"
                )
            mark.write_text(_TEXT, encoding="ascii")
    except OSError as error:
        raise StoreError(f"{mark}: cannot be looked at or written: {error.strerror}") from error
