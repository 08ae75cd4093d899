"""The live calculation of a plant, tick by tick as the agent does it. Prints one JSON object.

    python -m tests.bench.load.live_plant POINTS POTS SECONDS

Readings are those of `stackproof sim month`. Counted are the CPU seconds of the calculation alone:
each tick's computed points, the effects for the page, and, every ten ticks, the state that is
written with a frame.
"""

import json
import sys
import time

from edge.calc.folds.live import PlantCalc
from evidence.recompute import blocks_of
from simulators.month_play import frame_of
from tests.bench.evidence import played_hour

FRAME_S = 10


def main(argv: list[str]) -> int:
    """Feed and print."""
    points, pots, seconds = map(int, argv)
    config, hour = played_hour(points, pots, FRAME_S)
    calc = PlantCalc(config)
    spent_s = 0.0
    for at in range(seconds):
        blocks = blocks_of(frame_of(hour, at, 1))
        began_s = time.process_time()
        calc.feed(blocks)
        calc.effects()
        if at % FRAME_S == FRAME_S - 1:
            calc.snapshot()
        spent_s += time.process_time() - began_s
    print(json.dumps({"cpu_s": spent_s, "seconds": seconds, "effects": len(calc.effects())}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
