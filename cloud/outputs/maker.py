"""Makes papers for the web side, in a process of its own: a verification takes minutes of a core.

One at a time, and what was made of an archive is kept while that archive stands. Starts processes.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path

from cloud.outputs.errors import OutputError
from cloud.spared import killed_first

#: of a month of 1.3 thousand million readings; who wants to wait longer has the command
MADE_WITHIN_S = 1_200.0
#: workbooks have tens of kilobytes, reports hundreds
KEPT_MAX = 16
#: a larger one is handed on and not kept
KEPT_BYTES_MAX = 8 * 1024 * 1024
#: it is handed on from the collector's memory; the largest, an upload, has half of it
MADE_BYTES_MAX = 512 * 1024 * 1024
#: of what a command says, the end
_SAID_BYTES = 8_000
#: papers that are asked for at once: each is minutes of a core, and its request waits
WAITING_MAX = 8
#: of them of one plant: those of one whose months take long kept all others' out
OF_ONE_MAX = 3

#: papers that `stackproof cloud year` makes; the others are of a month
OF_YEARS = frozenset({"statement", "footprint", "inventory", "cbam", "package", "upload"})

Key = tuple[str, tuple[tuple[str, int, int], ...]]


class PaperMaker:
    """Runs `stackproof cloud month …` or `year …` and hands on what it wrote."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._one, self._waiting = asyncio.Lock(), Counter[str]()
        self._kept: OrderedDict[Key, bytes] = OrderedDict()

    async def make(
        self, plant: str, command: str, archives: Sequence[Path], *options: str
    ) -> bytes:
        """A paper's bytes.

        Args:
            plant: whose it is.
            command: of `stackproof cloud month` ("report", "workbook"), or one of `OF_YEARS`.
            archives: what it is made of.
            options: more of its arguments.

        Raises:
            OutputError: it cannot be made, the command's own sentence; or too many are waited for.
        """
        key = (" ".join((command, *options)), tuple(map(_standing, archives)))
        if key not in self._kept:  # what is kept waits for nobody
            return await self._make(plant, key, [command, *map(str, archives), *options])
        self._kept.move_to_end(key)
        return self._kept[key]

    async def _make(self, plant: str, key: Key, arguments: Sequence[str]) -> bytes:
        count = self._waiting[plant]
        if count >= OF_ONE_MAX or self._waiting.total() >= WAITING_MAX:
            said = f"{count} papers of {plant}" if count >= OF_ONE_MAX else f"{WAITING_MAX} papers"
            raise OutputError(f"{said} are being made: ask again in some minutes")
        self._waiting[plant] += 1
        try:
            async with self._one:
                if key in self._kept:
                    return self._kept[key]
                group = "year" if arguments[0] in OF_YEARS else "month"
                data = await made_apart((group, *arguments), MADE_WITHIN_S)
                if len(data) <= KEPT_BYTES_MAX:
                    self._kept[key] = data
                while len(self._kept) > KEPT_MAX:
                    self._kept.popitem(last=False)
                return data
        finally:
            self._waiting[plant] -= 1
            self._waiting += Counter()  # without those of which there is none


def _standing(path: Path) -> tuple[str, int, int]:
    try:
        facts = path.stat()
    except OSError as error:
        raise OutputError(f"{path.name}: cannot be read: {error.strerror}") from error
    return str(path), facts.st_mtime_ns, facts.st_size


async def made_apart(arguments: Sequence[str], within_s: float) -> bytes:
    """What a command writes, run in a process of its own.

    Args:
        arguments: of `stackproof cloud`, without `--out`.
        within_s: seconds until it is given up.

    Raises:
        OutputError: it wrote nothing, the command's own sentence; or too much, or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="stackproof-paper-") as folder:
        out = Path(folder) / "paper"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stackproof", "cloud", *arguments, "--out", str(out),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        killed_first(child.pid)
        try:
            async with asyncio.timeout(within_s):
                said = await _end_of(child.stderr)
                await child.wait()
        except TimeoutError as error:
            raise OutputError(
                f"not made within {within_s:.0f} s; make it with stackproof cloud {arguments[0]}"
            ) from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        try:
            if (size := out.stat().st_size) > MADE_BYTES_MAX:
                told = f"too large to be sent, {size >> 20} MiB: make it with stackproof cloud"
                raise OutputError(f"{told} {arguments[0]} {arguments[1]}")
            return await asyncio.to_thread(out.read_bytes)
        except OSError as error:
            told = said.decode("utf-8", "replace").strip().removeprefix("stackproof cloud: ")
            raise OutputError(told[-2_000:] or "the paper was not made") from error


async def _end_of(stream: asyncio.StreamReader | None) -> bytes:
    said = b""
    while stream is not None and (piece := await stream.read(_SAID_BYTES)):
        said = (said + piece)[-_SAID_BYTES:]
    return said
