"""What a plant emitted so far, frame by frame as the collector counts it. Prints one JSON object.

    python -m tests.bench.load.accumulated POINTS POTS SECONDS

Readings are those of `stackproof sim month`. Counted are the CPU seconds of reading each frame's
body, counting it, and making all three periods' figures after each: the collector does no more.
"""

import json
import sys
import time

from edge.calc.folds.live_sums import LiveSums
from evidence.frame import decode_body, encode_body
from evidence.recompute import Recomputation, joined_blocks
from simulators.month_play import frame_of
from tests.bench.evidence import played_hour

FRAME_S = 10


def main(argv: list[str]) -> int:
    """Feed and print."""
    points, pots, seconds = map(int, argv)
    config, hour = played_hour(points, pots, FRAME_S)
    form = Recomputation()
    form.configure(b"any", config)
    sums, spent_s, total = None, 0.0, None
    for at in range(0, seconds, FRAME_S):
        data = encode_body(frame_of(hour, at, FRAME_S))
        began_s = time.process_time()
        body = decode_body(data)
        form.check(body)
        blocks = joined_blocks([body])
        if sums is None:
            sums = LiveSums(config, int(blocks[0].ticks_ns[0]), is_start=True)
        sums.feed(blocks)
        total = sums.as_map()["month"]["total_t"]
        spent_s += time.process_time() - began_s
    print(json.dumps({"cpu_s": spent_s, "seconds": seconds, "total_t": total}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
