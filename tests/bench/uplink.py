"""How fast a backlog drains over a far or a slow link, and how old newest values are meanwhile.

    ./run bench uplink [--frames N] [--links near far slow] [--json]

A thousand points a second; the real agent, nats-server, the real collector. Far: a relay on
loopback takes 150 ms each way, as a satellite or a continent does. Slow: 1 Mbit/s between two
network namespaces (root). The target of a backlog is 50 objects/s wherever the link carries them.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.system.apart import apart
from tests.system.links import PlantLink, RelayLink, by_namespaces, by_relay
from tests.system.relay import Relay

AWAY_S = 0.15
WAIT_S = 600


@contextlib.contextmanager
def _far() -> Iterator[PlantLink]:
    with Relay() as relay:
        relay.distance(AWAY_S)
        yield RelayLink(relay)


LINKS = {"near": by_relay, "far": _far, "slow": by_namespaces}


def drained(link: str, frames: int) -> dict[str, float]:
    """Figures of one link; each frame has one more object, its gap, in the backlog."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LINKS[link]() as plant,
        apart(Path(folder), plant, frames=frames, every_s=900) as made,
    ):
        if link == "slow":
            plant.fail("slow")
        made.start_agent()
        began_s, left = time.monotonic(), 0
        while not made.is_drained() and time.monotonic() < began_s + WAIT_S:
            if not left and (left := (made.gateway().get("spool") or {}).get("frames", 0)):
                began_s = time.monotonic()  # from here on both are known
            time.sleep(0.05)
        took_s = time.monotonic() - began_s
        ages_s = np.quantile(made.ages_s, [0.5, 0.95])
    return {"frames": left, "seconds": took_s, "frames_s": left / took_s,
            "age_s_median": float(ages_s[0]), "age_s_95": float(ages_s[1])}  # fmt: skip


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./run bench uplink")
    parser.add_argument("--frames", type=int, default=960, help="that wait (%(default)s)")
    parser.add_argument("--links", nargs="+", choices=LINKS, default=list(LINKS))
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args(argv)
    found = {link: drained(link, args.frames) for link in args.links}
    if args.json:
        print(json.dumps(found))
        return 0
    for link, row in found.items():
        print(
            f"{link:5} {row['frames']:5} frames in {row['seconds']:5.1f} s: "
            f"{row['frames_s']:5.1f}/s; newest values {row['age_s_median']:.1f} s old at the "
            f"median, {row['age_s_95']:.1f} s at the 95th percentile"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
