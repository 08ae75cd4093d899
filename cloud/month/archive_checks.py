"""Verdicts of this collector's own verifier on every archive that stands, kept for pages.

Each archive is verified once, by the command that an auditor runs, in a process of its own, the
newest month first; each file is hashed again within a day, so that a flipped bit is noticed. The
verdict is no evidence: an auditor verifies the archive. Starts processes.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select, update

from cloud.brought.desk import BroughtError, report_of
from cloud.clock import Clock
from cloud.closing.kept import file_sha256, read_kept
from cloud.database.engine import Database
from cloud.database.put import put_over
from cloud.database.schema_kept import archive_check
from cloud.errors import StoreError
from cloud.month.substituted import substituted_percent
from edge.calc.errors import UnknownRuleSetError
from evidence.findings import Verdict
from evidence.log_lines import about
from evidence.version import VERSION

_OF = archive_check.c
_TOLD = (
    _OF.verdict, _OF.code, _OF.substituted_percent, _OF.version, _OF.at_ns, _OF.state,
    _OF.not_checked,
)  # fmt: skip
#: seconds between two looks when nobody tells of news; until one that could not be verified is
#: tried again
LOOK_S, AGAIN_S = 30.0, 3_600.0
#: a file is hashed again when its last hash is so old; seconds of rest for each second of hashing
HASHED_NS, REST = 20 * 3_600 * 10**9, 9.0

log = logging.getLogger("stackproof.cloud.months")


class Stands(NamedTuple):
    """An archive in the folder: of which plant, where, and its SHA-256 (hex)."""

    plant: str
    path: Path
    sha256: str


class ArchiveChecks:
    """Verdicts by the archive's SHA-256. `of` may be called by any thread.

    Args:
        database: they are kept there.
        clock: the collector's clock.
        roots: plant id -> PEM of the root certificate that CLOUD.toml names for it.
    """

    def __init__(self, database: Database, clock: Clock, roots: Mapping[str, bytes]) -> None:
        self._database, self._clock, self._roots = database, clock, roots
        self._failed: dict[str, float] = {}

    def of(self, sha256: str) -> Mapping[str, Any] | None:
        """What was found of an archive, JSON-ready; None while it was not verified.

        verdict; code: of the finding that weighs most, "" when it passed; substituted_percent: of
        its emission, as `substituted_percent`, None where that is not told; version: of the
        program; at_ns: when; state: `MonthState.as_map` as JSON text; not_checked: the verifier's
        sentences, likewise.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(*_TOLD).where(_OF.sha256 == sha256)).first()
        return None if row is None else dict(row._mapping)

    async def run(
        self,
        archives: Callable[[], Iterable[Stands]],
        changed: asyncio.Event,
        told: Callable[[str], None],
        altered: Callable[[Stands], None],
    ) -> None:
        """Verify what was not, and hash again what was, for ever.

        Args:
            archives: those that stand, first what is wanted first. Called in a worker thread.
            changed: set when others stand there: they are looked at at once.
            told: called with a plant of which one has a verdict now.
            altered: called with one whose file has another hash than it was noted with.
        """
        while True:
            try:
                wanted = await asyncio.to_thread(self._next, archives)
                if wanted is not None:
                    await self._check(wanted)
                    told(wanted.plant)
                    continue
                old = await asyncio.to_thread(self._oldest, archives)
                if old is not None:
                    await self._hash(old, altered)
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

    def _oldest(self, archives: Callable[[], Iterable[Stands]]) -> Stands | None:
        """The archive whose last hash is the oldest, None where all are recent."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_OF.sha256, _OF.hashed_ns))
            found = {row.sha256: row.hashed_ns for row in rows}
        due_ns = self._clock.wall_ns() - HASHED_NS
        old = [one for one in archives() if found.get(one.sha256, due_ns) < due_ns]
        return min(old, key=lambda one: found[one.sha256], default=None)

    async def _hash(self, one: Stands, altered: Callable[[Stands], None]) -> None:
        """Hash a file again, and rest; the disk is there for readings first."""
        began_s = time.monotonic()
        sha256 = await asyncio.to_thread(_sha256, one.path)
        await asyncio.to_thread(self._note_hashed, one.sha256)
        if sha256 not in (one.sha256, ""):  # "": it went, and whoever lists the folder sees it
            log.error("%s is another file than was sealed", one.path, extra=about(one.plant))
            altered(one)
        await asyncio.sleep(REST * (time.monotonic() - began_s))

    async def _check(self, wanted: Stands) -> None:
        plant, path, sha256 = wanted
        try:
            await self._verify(wanted)
        except StoreError:  # of the database: nothing of the archive
            raise
        except BroughtError as error:
            log.warning("%s: %s", path.name, error, extra=about(plant))
        except Exception:  # an archive holds what nobody thought of; others are verified
            log.exception("%s cannot be verified; tried again", path.name, extra=about(plant))
        else:
            return
        self._failed[sha256] = self._clock.wall_ns() / 1e9  # late ones: since their end

    async def _verify(self, wanted: Stands) -> None:
        plant, path, sha256 = wanted
        report, _ = await report_of(path, self._roots.get(plant, b""))
        if await asyncio.to_thread(_sha256, path) != sha256:
            raise BroughtError("it is another file than was verified: later")
        verdict, findings = str(report["verdict"]), report["findings"]
        code = "" if verdict == Verdict.PASSED.value else str(findings[0]["code"])
        share = await asyncio.to_thread(_substituted, path)
        now_ns = self._clock.wall_ns()
        row = {
            "sha256": sha256, "verdict": verdict, "code": code, "substituted_percent": share,
            "version": VERSION, "at_ns": now_ns, "state": json.dumps(report["state"]),
            "not_checked": json.dumps(report["not_checked"]), "hashed_ns": now_ns,
        }  # fmt: skip
        await asyncio.to_thread(self._keep, row)

    def _keep(self, row: Mapping[str, Any]) -> None:
        with self._database.writing(lasts=False) as connection:
            put_over(connection, archive_check, [row])

    def _note_hashed(self, sha256: str) -> None:
        of = update(archive_check).where(_OF.sha256 == sha256)
        with self._database.writing(lasts=False) as connection:
            connection.execute(of.values(hashed_ns=self._clock.wall_ns()))


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
