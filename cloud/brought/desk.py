"""Archives that people bring: verified one after another, in a process of its own, then deleted.

Whoever brings one may read what was found for a day; nobody else may. The process is the command
that an auditor runs, `stackproof verify`, with nothing told to it but the file, and confined
(`cloud.brought.child`). Starts processes.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cloud.clock import Clock
from cloud.errors import CloudError
from cloud.spared import killed_first
from evidence.archive.ustar import SIZE_MAX

FOLDER = "brought"
#: what a collector must keep free for evidence, bytes
ROOM_BYTES = 2 * 1024**3
#: files that wait or are on their way, in all and of one account
WAITING_MAX, OF_ONE_MAX = 8, 2
#: results that are kept, and for how long
KEPT_MAX, KEPT_NS = 200, 24 * 3_600_000_000_000
#: of all reports as JSON: of a hostile archive one has megabytes
KEPT_BYTES_MAX = 64 * 1024**2
#: of a month of 1.3 thousand million readings, on a busy machine
VERIFIED_WITHIN_S = 1_800.0
#: address space of the verifying process: a month of 6 days at 500 points a second takes 0.2 GiB,
#: and grows by 1.5 MB a day; what bombs take is tested within it (`tests.attacks`). Collector and a
#: paper's reader need the rest of the unit's memory (`tests.house.test_units`)
MEMORY_BYTES = 1024**3
#: a report lists a bounded number of findings
REPORT_BYTES_MAX = 32 * 1024**2
#: whoever serves a plant comes first
NICE = 10
_PIECE = 1024 * 1024
CHILD = "cloud.brought.child"
#: its last argument where it reads the roots to trust from its standard input
TRUSTS = "--trust"
#: of the process, when that memory did not do; `verify` itself says 0 to 3
EXIT_MEMORY = 75

log = logging.getLogger("stackproof.cloud.brought")


class BroughtError(CloudError):
    """A file cannot be taken now, or is too large; the sentence says what to do."""


@dataclass(frozen=True)
class Brought:
    """An archive that somebody brought.

    Attributes:
        id: what it is asked for by.
        account: whose it is.
        name: of the file, as the browser told it; not trusted.
        size: bytes.
        sha256: of the file, hex.
        at_ns: when it was all here, collector's clock.
        report: what `stackproof verify --json` said, None while it has not.
        failed: why it was not verified, a sentence; "" while it may be.
        is_running: it is being verified now.
        report_bytes: of the report as JSON.
    """

    id: str
    account: str
    name: str
    size: int
    sha256: str
    at_ns: int
    report: Mapping[str, Any] | None = None
    failed: str = ""
    is_running: bool = False
    report_bytes: int = 0

    @property
    def state(self) -> str:
        """One of waiting, running, done, failed."""
        if self.is_waiting:
            return "running" if self.is_running else "waiting"
        return "failed" if self.failed else "done"

    @property
    def is_waiting(self) -> bool:
        """It has no end yet."""
        return self.report is None and not self.failed


class BroughtArchives:
    """Those of a collector. Call from the event loop's thread.

    Args:
        state_dir: files wait in a folder of it; those of the process before are deleted.
        clock: the collector's clock.
        roots: plant id -> `key_sha256` of the root that CLOUD.toml names for it, hex.
    """

    def __init__(self, state_dir: Path, clock: Clock, roots: Mapping[str, str]) -> None:
        self._folder, self._clock, self.roots = state_dir / FOLDER, clock, roots
        shutil.rmtree(self._folder, ignore_errors=True)
        self._held: OrderedDict[str, Brought] = OrderedDict()
        self._coming: dict[str, str] = {}  # id -> account, on its way
        self._wake = asyncio.Event()

    async def take(self, chunks: AsyncIterator[bytes], account: str, name: str) -> Brought:
        """Take in a file, a piece at a time, and have it verified.

        Args:
            chunks: the file.
            account: who brings it.
            name: what it is called there.

        Raises:
            BroughtError: too many wait, it is too large, or the disk has no room.
        """
        of_one = [*self._coming.values(), *(b.account for b in self._waiting())]
        if len(of_one) >= WAITING_MAX or of_one.count(account) >= OF_ONE_MAX:
            raise BroughtError("archives are being verified already: ask again in some minutes")
        key = secrets.token_urlsafe(16)
        self._coming[key] = account
        path = self._folder / key
        try:
            size, sha256 = await self._write(path, chunks)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            del self._coming[key]
        brought = Brought(key, account, name, size, sha256, self._clock.wall_ns())
        self._put(brought)
        self._wake.set()
        return brought

    async def _write(self, path: Path, chunks: AsyncIterator[bytes]) -> tuple[int, str]:
        self._folder.mkdir(exist_ok=True)
        size, digest, piece = 0, hashlib.sha256(), bytearray()
        with path.open("xb") as file:

            def write(data: bytes) -> None:
                if shutil.disk_usage(self._folder).free < ROOM_BYTES + len(data):
                    raise BroughtError("this collector's disk has no room for the file: verify it "
                                       "with stackproof verify")  # fmt: skip
                digest.update(data)
                file.write(data)

            async for chunk in chunks:
                size += len(chunk)
                if size > SIZE_MAX:
                    raise BroughtError(f"an archive has at most {SIZE_MAX} bytes")
                piece += chunk
                if len(piece) >= _PIECE:
                    await asyncio.to_thread(write, bytes(piece))
                    piece.clear()
            await asyncio.to_thread(write, bytes(piece))
        return size, digest.hexdigest()

    def of(self, key: str, account: str) -> tuple[Brought, int] | None:
        """An archive and how many are verified before it; None for what is not theirs, or gone."""
        self._forget()
        brought = self._held.get(key)
        if brought is None or brought.account != account:
            return None
        waiting = [b.id for b in self._waiting()]
        return brought, waiting.index(key) if key in waiting else 0

    def all_of(self, account: str) -> list[Brought]:
        """What an account brought, the newest first."""
        self._forget()
        return [b for b in reversed(self._held.values()) if b.account == account]

    def _waiting(self) -> list[Brought]:
        return [b for b in self._held.values() if b.is_waiting]

    def _put(self, brought: Brought) -> None:
        self._held[brought.id] = brought
        self._forget()

    def _forget(self) -> None:
        ended = [b for b in self._held.values() if not b.is_waiting]
        old = self._clock.wall_ns() - KEPT_NS
        size = 0
        for count, one in enumerate(reversed(ended), 1):
            size += one.report_bytes
            if one.at_ns < old or count > KEPT_MAX or size > KEPT_BYTES_MAX:
                del self._held[one.id]

    async def run(self) -> None:
        """Verify what was brought, one at a time, for ever; cancelled, its process ends with it."""
        while True:
            if waiting := self._waiting():
                await self._verify(waiting[0])
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _verify(self, brought: Brought) -> None:
        path = self._folder / brought.id
        self._put(replace(brought, is_running=True))
        try:
            try:
                report, size = await report_of(path)
            finally:
                path.unlink(missing_ok=True)
            ended = replace(brought, report=report, report_bytes=size)
        except BroughtError as error:
            log.warning("%s: %s", brought.sha256, error)
            ended = replace(brought, failed=str(error))
        except Exception as error:  # a file holds what nobody thought of; others are verified
            log.exception("%s: cannot be verified", brought.sha256)
            ended = replace(brought, failed=repr(error))
        self._put(ended)


async def report_of(path: Path, trust: bytes = b"") -> tuple[Mapping[str, Any], int]:
    """What `stackproof verify --json` says of a file, and how many bytes that are.

    Args:
        path: of the archive.
        trust: PEM certificates of the roots to trust; none: the archive is not identified.

    Raises:
        BroughtError: it cannot be started, said nothing that can be read, or took too long.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", CHILD, str(MEMORY_BYTES), f"{VERIFIED_WITHIN_S:.0f}", str(path),
            *([TRUSTS] if trust else []),
            stdin=asyncio.subprocess.PIPE if trust else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    except OSError as error:  # no memory or no process is free: the next one is tried all the same
        sentence = f"the verifier cannot be started ({error.strerror}); run: stackproof verify"
        raise BroughtError(sentence) from error
    killed_first(child.pid)
    with contextlib.suppress(ProcessLookupError):  # it has ended
        os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
    try:
        async with asyncio.timeout(VERIFIED_WITHIN_S):
            await _give(child, trust)
            said = await _said(child)
            status = await child.wait()
    except TimeoutError as error:
        sentence = f"not verified within {VERIFIED_WITHIN_S:.0f} s; run: stackproof verify"
        raise BroughtError(sentence) from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if status == EXIT_MEMORY:
        sentence = f"the verifier needs more than {MEMORY_BYTES >> 20} MiB for it"
        raise BroughtError(f"{sentence}; run: stackproof verify")
    try:
        report: Mapping[str, Any] = json.loads(said)
    except ValueError as error:
        sentence = f"the verifier ended with status {status} and told nothing that can be read"
        raise BroughtError(f"{sentence}; run: stackproof verify") from error
    return report, len(said)


async def _give(child: asyncio.subprocess.Process, trust: bytes) -> None:
    if child.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its status says why
        child.stdin.write(trust)
        await child.stdin.drain()
    child.stdin.close()


async def _said(child: asyncio.subprocess.Process) -> bytes:
    said = bytearray()
    while child.stdout is not None and (piece := await child.stdout.read(_PIECE)):
        said += piece
        if len(said) > REPORT_BYTES_MAX:
            raise BroughtError("the report is too long to be shown; run: stackproof verify --json")
    return bytes(said)
