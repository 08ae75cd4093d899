"""What a long command says on a terminal, how it is ended there, and in which language it speaks.

Writes to stderr; has SIGINT noted while it runs.
"""

import signal
import sys
import time
from typing import Never, Self

from evidence.phrases import PHRASES

PROGRESS_S, PROGRESS_LINE_S = 1.0, 15.0


class Progress:
    """Says on stderr what is being done: over and over on one line of a terminal, else in lines.

    Within `with`, Ctrl-C ends the command at the next `tell` at the latest. Python's own way does
    not always: one in fifty met the CBOR library where that can let no error through, and verify
    went on as if nobody had asked.
    """

    def __init__(self) -> None:
        self._is_interrupted = self._is_noting = False
        self._is_terminal = sys.stderr.isatty()
        self._every_s = PROGRESS_S if self._is_terminal else PROGRESS_LINE_S
        self._begun_s = self._said_s = time.monotonic()

    def __enter__(self) -> Self:
        # not where it is ignored (nohup), nor in a thread, which cannot ask for it
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                signal.signal(signal.SIGINT, self._interrupt)
            except ValueError:
                return self
            self._is_noting = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_noting:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._end()

    def _interrupt(self, *_: object) -> Never:
        self._is_interrupted = True
        raise KeyboardInterrupt

    def tell(self, text: str) -> None:
        """Say it if it is time to; KeyboardInterrupt once somebody has asked for the end."""
        if self._is_interrupted:
            raise KeyboardInterrupt
        now_s = time.monotonic()
        if now_s - self._said_s < self._every_s:
            return
        self._said_s = now_s
        line = f"{now_s - self._begun_s:.0f} s: {text}"
        told = f"\r{line:<79}" if self._is_terminal else f"{line}\n"
        print(told, end="", file=sys.stderr, flush=True)

    def _end(self) -> None:
        """Wipe the line of a terminal."""
        if self._is_terminal:
            print(f"\r{'':<79}\r", end="", file=sys.stderr, flush=True)


def readable(language: str, command: str) -> str:
    """This language, or English where the terminal has no letters for it."""
    if can_print("".join(texts[language] for texts in PHRASES.values())):
        return language
    print(
        f"stackproof {command}: stdout is {sys.stdout.encoding}, which cannot show --lang "
        f"{language}; this report is in English. For Chinese set PYTHONIOENCODING=utf-8.",
        file=sys.stderr,
    )
    return "en"


def can_print(text: str) -> bool:
    """The terminal has letters for it."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
