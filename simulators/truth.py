"""Writes the ground truth of a scenario (schema in `TRUTH.md`). The only I/O here is its files."""

import json
from pathlib import Path

from simulators.played import TruthLine

TRUTH_NAME = "truth.jsonl"
START_NAME = "truth-start.json"


def line_text(line: TruthLine) -> str:
    """The line as it stands in the file: compact JSON and a newline, keys in the given order."""
    return json.dumps(line, separators=(",", ":")) + "\n"


class TruthFile:
    """`truth.jsonl` in a folder, written anew; a run that is killed loses only unflushed lines."""

    def __init__(self, folder: Path, name: str = TRUTH_NAME) -> None:
        """The folder is made when it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self._file = self.path.open("w", encoding="ascii", newline="\n")

    def __enter__(self) -> "TruthFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, line: TruthLine) -> None:
        """Append one line."""
        self._file.write(line_text(line))

    def flush(self) -> None:
        """Let readers see all lines so far."""
        self._file.flush()


def write_start(folder: Path, *, started_ns: int, scenario: str, seed: int) -> None:
    """When t_s = 0 was, beside the truth and not in it: the truth depends on the seed alone."""
    start = {"scenario": scenario, "seed": seed, "started_ns": started_ns}
    path = folder / START_NAME
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(start) + "\n", encoding="ascii")
    partial.replace(path)
