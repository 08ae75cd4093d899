"""Walks all evidence within a week at low priority, and has damage told. I/O: scrub.json, a child.

The walk is `stackproof cloud fsck` in a process of its own, one plant at a time. Where it stands is
kept in `state_dir`, so that a restart goes on there. What a read of the running collector finds
altered is an alarm at once, and has that plant walked next. An alarm ends with a whole walk that
finds nothing.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cloud.clock import Clock
from cloud.collector.service import Collector
from cloud.database.store import EvidenceStore
from cloud.errors import StoreError
from cloud.spared import killed_first
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.scrub")

FILE, REASON = "scrub.json", "evidence-damaged"
NS = 1_000_000_000
LOOK_S = 1.0
#: a start is left alone
FIRST_S = 600.0
#: after a walk that found nothing, and after one that found something: until the next
AGAIN_NS, RECHECK_NS = 86_400 * NS, 3_600 * NS
#: all plants are walked within this; the rest of a week is for what is walked twice
ROUND_S = 5 * 86_400.0
SAVE_NS = 60 * NS
FOUND_MAX = 20
ANSWER_BYTES_MAX = 64 * 2**20
#: which object a read found altered: gateway and seq
_OBJECT = re.compile(r"(?P<stream>.+)/(?P<seq>\d+)")


class Walk(NamedTuple):
    """How far a plant's evidence was walked.

    Attributes:
        done, total: log entries of the walk that goes on.
        walked_ns: end of the newest whole walk, UTC ns; 0 before the first.
        findings: how much that found.
        found: the first of it, with `file` and `sentence`.
        trouble: why the newest walk gave nothing; "" where it gave something.
    """

    done: int = 0
    total: int = 0
    walked_ns: int = 0
    findings: int = 0
    found: Sequence[Mapping[str, Any]] = ()
    trouble: str = ""


class Scrub:
    """The walks of one collector.

    Args:
        config: the collector's file, for the child.
        state_dir: where the position is kept.
        collector: tells alarms.
        store: the plants that are open, and what reads of them found altered.
        clock: wall clock.
    """

    def __init__(
        self,
        config: Path,
        state_dir: Path,
        collector: Collector,
        store: EvidenceStore,
        clock: Clock,
    ) -> None:
        self._config, self._path = config, state_dir / FILE
        self._collector, self._store, self._clock = collector, store, clock
        self._walks = self._read()
        self._asked: set[str] = set()
        self._saved_ns = 0

    def rows(self) -> list[dict[str, Any]]:
        """Each open plant's walk, JSON-ready, sorted."""
        return [
            {"plant": plant, **self._walks.get(plant, Walk())._asdict()}
            for plant in sorted(self._store.plants)
        ]

    async def run(self) -> None:
        """Tell what reads find, and walk; for ever."""
        for plant, walk in self._walks.items():
            if walk.findings:
                await self._tell(plant, walk.found, walk.findings)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._walk_all())

    async def _listen(self) -> None:
        while True:
            for plant in list(self._store.altered):
                error = self._store.altered.pop(plant)
                named = _OBJECT.fullmatch(error.place)
                found = {"file": error.place, "sentence": str(error)}
                await self._tell(plant, [{**found, **(named.groupdict() if named else {})}], 1)
                self._asked.add(plant)
            await asyncio.sleep(LOOK_S)

    async def _walk_all(self) -> None:
        await asyncio.sleep(FIRST_S)
        while True:
            plant = self._next(self._clock.wall_ns())
            if plant is None:
                await asyncio.sleep(LOOK_S)
            else:
                await self._walk(plant)

    def _next(self, now_ns: int) -> str | None:
        """The plant that is due: asked for, then half done, then walked longest ago."""
        due = []
        for plant in self._store.plants:
            walk = self._walks.get(plant, Walk())
            wait_ns = (
                RECHECK_NS if walk.findings or walk.trouble or plant in self._asked else AGAIN_NS
            )
            # a clock that was ahead when it was written holds up nothing for longer
            if walk.done or not walk.walked_ns or abs(now_ns - walk.walked_ns) >= wait_ns:
                due.append((plant not in self._asked, not walk.done, walk.walked_ns, plant))
        return min(due)[-1] if due else None

    async def _walk(self, plant: str) -> None:
        """Walk a plant to its end, from where the last walk was broken off."""
        before = self._walks.get(plant, Walk())
        first = 0 if plant in self._asked or before.findings else before.done
        self._asked.discard(plant)
        sizes = sum(store.reader.size for store in self._store.plants.values())
        code, answer, said = await self._child(plant, first, ROUND_S / max(1, sizes))
        now_ns = self._clock.wall_ns()
        try:
            (row,) = json.loads(answer)["plants"] if code in (0, 1) else []
        except ValueError:
            trouble = said or f"the walk ended with status {code}"
            log.error("scrub: %s", trouble, extra=about(plant))  # noqa: TRY400 - it says all
            self._keep(plant, before._replace(done=0, walked_ns=now_ns, trouble=trouble))
            return
        found, entries = row["findings"], row["entries"]
        self._keep(plant, Walk(0, entries, now_ns, len(found), found[:FOUND_MAX]))
        await self._tell(plant, found, len(found))

    async def _child(self, plant: str, first: int, entry_s: float) -> tuple[int, bytes, str]:
        """Exit status, standard output and last words of the walk."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stackproof", "cloud", "fsck", str(self._config), "--json",
            "--plant", plant, "--walk", f"{entry_s:.6f}", "--first", str(first),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        killed_first(child.pid)
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.setpriority(os.PRIO_PROCESS, child.pid, 19)
        try:
            said, answer = await asyncio.gather(
                self._follow(plant, child.stderr), _bounded(child.stdout)
            )
            return await child.wait(), answer, said
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _follow(self, plant: str, lines: asyncio.StreamReader | None) -> str:
        """Note how far it is; the last line that says something else."""
        said, walk = "", self._walks.get(plant, Walk())
        while lines is not None and (line := (await lines.readline()).decode("utf-8", "replace")):
            words = line.split()
            if len(words) == 2 and all(word.isdecimal() for word in words):
                walk = walk._replace(done=int(words[0]), total=int(words[1]))
                self._walks[plant] = walk
                if self._clock.wall_ns() - self._saved_ns >= SAVE_NS:
                    self._save()
            else:
                said = line.strip()[:400]
        return said

    async def _tell(self, plant: str, found: Sequence[Mapping[str, Any]], count: int) -> None:
        """Raise the alarm, or end it where nothing is found."""
        sentence, values = "", dict[str, Any]()
        if found:
            month = await asyncio.to_thread(self._month, plant, found[0])
            values = {"file": str(found[0]["file"]), "month": month, "places": count}
            sentence = f"evidence is damaged: {found[0]['sentence']}"
            log.error("plant %s: %s", plant, sentence, extra=about(plant))

        def stand() -> None:
            self._collector.stand(plant, REASON, sentence, **values)

        with contextlib.suppress(
            StoreError, LookupError
        ):  # not served, or stopping: told elsewhere
            await asyncio.wrap_future(self._collector.submit(stand))

    def _month(self, plant: str, found: Mapping[str, Any]) -> str:
        """That of the first object that is damaged; – where none is, or nobody can say."""
        if "seq" not in found:
            return "–"
        try:
            return self._store.month_of(plant, str(found["stream"]), int(found["seq"])) or "–"
        except StoreError:  # the database is away: told elsewhere
            return "–"

    def _keep(self, plant: str, walk: Walk) -> None:
        self._walks[plant] = walk
        self._save()

    def _save(self) -> None:
        self._saved_ns = self._clock.wall_ns()
        text = json.dumps({plant: walk._asdict() for plant, walk in self._walks.items()})
        beside = self._path.with_name(f"{FILE}.new")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            log.warning("%s: not kept: %s", self._path, error.strerror)

    def _read(self) -> dict[str, Walk]:
        """What was kept; nothing where that cannot be read: the walk begins anew."""
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(plant): Walk(**row) for plant, row in rows.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("%s: cannot be read, the walk begins anew: %s", self._path, error)
            return {}


async def _bounded(stream: asyncio.StreamReader | None) -> bytes:
    read = b""
    while stream is not None and (piece := await stream.read(65_536)):
        read += piece
        if len(read) > ANSWER_BYTES_MAX:
            raise StoreError("the walk tells of more damage than can be taken")
    return read
