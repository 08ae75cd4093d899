"""Time stamps over each plant's newest checkpoint, one a day: who doubts the log's dates has these.

A sealed month is stamped once, at its end. A stamp a day bounds from above when each day's entries
were in the log. Two files a day and plant lie beside the archives: `stamps/PLANT/YYYY-MM-DD.note`,
the checkpoint, and `….tsr`, the authority's response over it. Disk and network I/O, in threads.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cloud.clock import Clock
from cloud.errors import StoreError, TimeStampError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.stamps")

#: seconds between two looks; between two requests, as public authorities ask; after a failure
LOOK_S, SPACE_S, AGAIN_S = 60.0, 15.0, 3_600.0
FOLDER = "stamps"


class DailyStamps:
    """Has checkpoints stamped.

    Args:
        folder: of the archives.
        stamp: an RFC 3161 response over these bytes; TimeStampError where there is none.
        clock: wall clock; its days are of UTC.
    """

    def __init__(self, folder: Path, stamp: Callable[[bytes], bytes], clock: Clock) -> None:
        self._folder, self._stamp, self._clock = folder / FOLDER, stamp, clock
        self._again_ns: dict[str, int] = {}

    async def run(
        self, plants: Callable[[], Sequence[str]], checkpoint: Callable[[str], str]
    ) -> None:
        """Look again and again, for ever.

        Args:
            plants: ids of those served.
            checkpoint: the newest signed note of a plant; StoreError, LookupError for none.
        """
        while True:
            try:
                for plant in plants():
                    if await asyncio.to_thread(self.look, plant, checkpoint):
                        await asyncio.sleep(SPACE_S)
            except Exception:  # a defect of one look: it is tried again
                log.exception("checkpoints could not be stamped; they are again")
            await asyncio.sleep(LOOK_S)

    def look(self, plant: str, checkpoint: Callable[[str], str]) -> bool:
        """Have today's checkpoint of a plant stamped if it is not; True if somebody was asked."""
        now_ns = self._clock.wall_ns()
        day = datetime.fromtimestamp(now_ns // 10**9, UTC).strftime("%Y-%m-%d")
        note = self._folder / plant / f"{day}.note"
        if now_ns < self._again_ns.get(plant, 0) or note.exists():
            return False
        try:
            text = checkpoint(plant).encode()
            response = self._stamp(text)
            note.parent.mkdir(parents=True, exist_ok=True)
            _put(note.with_suffix(".tsr"), response)
            _put(note, text)  # last: a day is done where it stands
        except (TimeStampError, StoreError, LookupError, OSError) as error:
            self._again_ns[plant] = now_ns + int(AGAIN_S * 1e9)
            log.warning("%s: no time stamp of %s yet: %s", plant, day, error, extra=about(plant))
        else:
            log.info("%s: the checkpoint of %s is stamped", plant, day, extra=about(plant))
        return True


def _put(path: Path, data: bytes) -> None:
    """A whole file, on disk before it has its name."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
