"""A month's sealed figures, as its page and the API show them. Reads archives."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud.closing.kept import read_kept
from evidence.month_state import issues_of, state_of

#: of a statement's input and output, what is shown
_GIVEN, _OUTPUT = (
    ("closing", "rule_set", "output"),
    ("totals", "gases", "intensity", "lines", "flags"),
)


def figures_row(path: Path, statement: bytes) -> Mapping[str, Any] | None:
    """JSON-ready: what a statement says, strings as they are sealed.

    Args:
        path: of the archive.
        statement: SHA-256 of a statement that the log closed.

    Returns:
        None where the archive is not there, cannot be read, or holds another statement.
    """
    kept = read_kept(path)
    if kept is None or kept.sha256 != statement:
        return None
    given, output = kept.statement["input"], kept.statement["output"]
    return {
        "statement_sha256": statement.hex(),
        **{key: given[key] for key in _GIVEN if key in given},
        "made": {key: output[key] for key in _OUTPUT if key in output},
        "state": state_of(issues_of(given, output), closing=str(given["closing"])).as_map(),
    }
