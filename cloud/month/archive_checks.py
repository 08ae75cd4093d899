"""Every archive that stands is verified by this collector once; the verdict is kept for pages.

By the command that an auditor runs, in a process of its own, one after another, the newest month
first. The verdict is no evidence: whoever needs one verifies the archive. Starts processes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cloud.brought.desk import BroughtError, report_of
from cloud.clock import Clock
from cloud.closing.kept import file_sha256, read_kept
from cloud.errors import StoreError
from cloud.kept_file import KeptFile
from cloud.month.substituted import substituted_percent
from edge.calc.errors import UnknownRuleSetError
from evidence.findings import Verdict
from evidence.log_lines import about
from evidence.version import VERSION

FILE = "archive-checks.db"
_SCHEMA = """
CREATE TABLE checked (
    sha256 TEXT PRIMARY KEY, verdict TEXT, code TEXT, substituted_percent TEXT, version TEXT,
    at_ns INTEGER
) WITHOUT ROWID;
"""
_TOLD = ("verdict", "code", "substituted_percent", "version", "at_ns")
#: seconds between two looks when nobody tells of news; until one that could not be verified is
#: tried again
LOOK_S, AGAIN_S = 30.0, 3_600.0

log = logging.getLogger("stackproof.cloud.months")


class Stands(NamedTuple):
    """An archive in the folder: of which plant, where, and its SHA-256 (hex)."""

    plant: str
    path: Path
    sha256: str


class ArchiveChecks(KeptFile):
    """Verdicts by the archive's SHA-256. `of` may be called by any thread.

    Args:
        state_dir: they are kept in a file of it.
        clock: the collector's clock.

    Raises:
        StoreError: the file cannot be used.
    """

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        super().__init__(state_dir / FILE, _SCHEMA, 1, "verdicts of archives")
        self._clock = clock
        self._failed: dict[str, float] = {}

    def of(self, sha256: str) -> Mapping[str, Any] | None:
        """What was found of an archive, JSON-ready; None while it was not verified.

        verdict; code: of the finding that weighs most, "" when it passed; substituted_percent: of
        its emission, as `substituted_percent`, None where that is not told; version: of the
        program; at_ns: when.
        """
        rows = self._ask(f"SELECT {', '.join(_TOLD)} FROM checked WHERE sha256 = ?", sha256)  # noqa: S608 - our own names
        return dict(zip(_TOLD, rows[0], strict=True)) if rows else None

    async def run(
        self,
        archives: Callable[[], Iterable[Stands]],
        changed: asyncio.Event,
        told: Callable[[str], None],
    ) -> None:
        """Verify what was not, for ever.

        Args:
            archives: those that stand, first what is wanted first. Called in a worker thread.
            changed: set when others stand there: they are looked at at once.
            told: called with a plant of which one has a verdict now.
        """
        while True:
            try:
                wanted = await asyncio.to_thread(self._next, archives)
                if wanted is not None:
                    await self._check(wanted)
                    told(wanted.plant)
                    continue
            except StoreError as error:
                log.warning("no archive is verified just now: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), LOOK_S)
            changed.clear()

    def _next(self, archives: Callable[[], Iterable[Stands]]) -> Stands | None:
        """What was never tried goes first: three that take half an hour each leave no room."""
        now_s, again = self._clock.wall_ns() / 1e9, None
        for one in archives():
            failed_s = self._failed.get(one.sha256)
            if failed_s is None:
                if self.of(one.sha256) is None:
                    return one
            elif again is None and now_s - failed_s >= AGAIN_S and self.of(one.sha256) is None:
                again = one
        return again

    async def _check(self, wanted: Stands) -> None:
        plant, path, sha256 = wanted
        try:
            await self._verify(wanted)
        except StoreError:  # of this desk's own file: nothing of the archive
            raise
        except BroughtError as error:
            log.warning("%s: %s", path.name, error, extra=about(plant))
        except Exception:  # an archive holds what nobody thought of; others are verified
            log.exception("%s cannot be verified; tried again", path.name, extra=about(plant))
        else:
            return
        self._failed[sha256] = self._clock.wall_ns() / 1e9  # late ones: since their end

    async def _verify(self, wanted: Stands) -> None:
        _, path, sha256 = wanted
        report, _ = await report_of(path)
        if await asyncio.to_thread(_sha256, path) != sha256:
            raise BroughtError("it is another file than was verified: later")
        verdict, findings = str(report["verdict"]), report["findings"]
        code = "" if verdict == Verdict.PASSED.value else str(findings[0]["code"])
        share = await asyncio.to_thread(_substituted, path)
        row = (sha256, verdict, code, share, VERSION, self._clock.wall_ns())
        asked = "INSERT OR REPLACE INTO checked VALUES (?, ?, ?, ?, ?, ?)"
        await asyncio.to_thread(self._ask, asked, *row)


def _sha256(path: Path) -> str:
    """Of a file; "" when it went."""
    try:
        return file_sha256(path)
    except OSError:
        return ""


def _substituted(path: Path) -> str | None:
    """Of its statement; None where that cannot be read, which the verdict says."""
    kept = read_kept(path)
    if kept is None:
        return None
    try:
        return substituted_percent(kept.statement["input"], kept.statement["output"])
    except (UnknownRuleSetError, KeyError, TypeError, ValueError):
        return None
