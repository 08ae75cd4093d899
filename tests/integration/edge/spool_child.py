"""Works on a spool until it is killed, saying what has been committed. Run as a program.

One line on stdout for every operation that has returned: "tick N", "object SEQ", "free SEQ". What
was said must be in the file, whatever happens to the process afterwards.
"""

import hashlib
import random
import sys
from pathlib import Path

from edge.spool import Spool, Stored


def say(line: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def work(path: Path, seed: int) -> None:
    """Commit ticks, close frames, free objects of earlier processes, for ever."""
    chance = random.Random(seed)
    spool = Spool(path, bytes_max=2**30)
    number = int.from_bytes(spool.get("number") or b"\0", "big")
    seen = spool.head().next_seq  # the test has looked at these
    say("open")
    while True:
        kind = chance.random()
        if kind < 0.7:
            number += 1
            tick = number.to_bytes(8, "big") * chance.randrange(1, 200)
            spool.commit_ticks([tick], {"number": number.to_bytes(8, "big")})
            say(f"tick {number}")
        elif kind < 0.9:
            ticks = spool.open_ticks()
            seq = spool.head().next_seq
            data = b"".join(ticks)
            closing = Stored(seq, "frame", hashlib.sha256(data).digest(), data)
            spool.append(closing, state={"calc": data[:8]}, closes_ticks=True)
            say(f"object {seq}")
        elif spool.receipted_seq() < seen - 1:
            seq = spool.receipted_seq() + 1
            spool.release(seq, b"receipt")
            say(f"free {seq}")


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
