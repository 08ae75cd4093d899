"""Child processes of the demo: the product's own commands, started, watched and ended."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

POLL_S = 0.05
END_S = 10.0
TAIL_LINES = 15


class DemoError(Exception):
    """The demo cannot go on; the sentence says which part failed and where its log is."""


class Child:
    """One long-running command, ended when its context ends."""

    def __init__(self, work: Path, name: str, arguments: list[str]) -> None:
        """Prepare; output goes to `<work>/<name>.out` and `.log`."""
        self.name = name
        self._arguments = arguments
        self._out, self._log = work / f"{name}.out", work / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it, in a session of its own so that Ctrl-C reaches only the demo."""
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command(self._arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        """Ask it to end; make it end when it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def check(self) -> None:
        """DemoError when it has ended by itself."""
        if self._process is not None and (status := self._process.poll()) is not None:
            tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
            raise DemoError(f"{self.name} ended with status {status}; {self._log} says:\n{tail}")

    def json_line(self, timeout_s: float) -> dict[str, Any]:
        """The first line it prints, as JSON."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            self.check()
            line, newline, _ = self._out.read_text(errors="replace").partition("\n")
            if newline:
                return dict(json.loads(line))
            time.sleep(POLL_S)
        raise DemoError(f"{self.name} said nothing within {timeout_s:g} s; see {self._log}")


def command(arguments: list[str]) -> list[str]:
    """The command line of one of our own commands."""
    return [sys.executable, "-m", "stackproof", *arguments]


def run_to_end(
    arguments: list[str], timeout_s: float = 60.0, *, fine: Collection[int] = (0,)
) -> str:
    """Run a command that ends by itself; its output.

    Raises:
        DemoError: it ended with a status that is none of `fine`.
    """
    done = subprocess.run(  # noqa: S603 - our own commands
        command(arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout_s, check=False,
    )  # fmt: skip
    if done.returncode not in fine:
        said = f"{done.stdout}{done.stderr}".strip()
        raise DemoError(f"stackproof {' '.join(arguments[:2])} failed:\n{said}")
    return done.stdout
