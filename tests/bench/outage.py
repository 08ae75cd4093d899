"""Broker stopped, links silently dead, agent killed: what is lost, what comes twice, how soon back.

    ./run bench outage [--seconds N] [--broker nats|mosquitto] [--json]

Ten Modbus TCP devices of a hundred float32 registers, read once a second by the real agent, over a
real broker into a real collector. A poll is one device's hundred registers at one second. It is
undelivered when the device has answered it and the collector's evidence holds nothing of that
second. The other gateways' rows were measured on the same workload with outages of 60 s; each names
its source.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.integration.edge.brokers import NAMES
from tests.system.outages import Scene, Verdict, scene

#: what others lost of about 600 polls (10 devices, 60 s); our own measurement of 2026-11-24, one
#: run each: Node-RED 5.0.7 with node-red-contrib-modbus 5.60.2, thingsboard-gateway 3.8.5 with its
#: memory, file and SQLite storage; mosquitto 2.0.21. A kill is one at half time, 2 s away.
OTHERS = {
    "broker stopped": {
        "Node-RED": "650 undelivered (65 s), back about 5 s after the broker",
        "ThingsBoard memory / file / sqlite": "0 / 0 / 0 undelivered, 0 / 7 / 0 twice",
    },
    "broker stopped, agent killed": {
        "Node-RED": "590 undelivered",
        "ThingsBoard memory / file / sqlite": "300 / 0 / 0 undelivered",
    },
    "link to broker silent": {
        "Node-RED": "502 undelivered",
        "ThingsBoard memory / sqlite": "550 / 550 undelivered",
    },
}


def main(argv: list[str]) -> int:
    """Measure and print; 0 when nothing was lost, twice or out of order."""
    parser = argparse.ArgumentParser(prog="./run bench outage")
    parser.add_argument("--seconds", type=float, default=60, help="of each outage (%(default)s)")
    parser.add_argument("--broker", choices=NAMES, default="nats", help="%(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args(argv)
    with (
        tempfile.TemporaryDirectory() as folder,
        scene(Path(folder), args.broker, args.seconds) as made,
    ):
        for kill in (False, True):
            made.stop_broker(args.seconds, kill=kill)
            made.silence_uplink(args.seconds, kill=kill)
            made.silence_devices(args.seconds, kill=kill)
        verdict = made.judge()
    result = _result(made, verdict)
    if args.json:
        print(json.dumps(result))
    else:
        _print(made, verdict, args)
    is_whole = verdict.undelivered == verdict.under_way and not verdict.mistakes
    return 0 if is_whole else 1


def _result(made: Scene, verdict: Verdict) -> dict[str, Any]:
    rows = [
        {**asdict(outage), "device_s": device_s}
        for outage, device_s in zip(made.outages, verdict.device_s, strict=True)
    ]
    whole = asdict(verdict)
    return {**whole, "ticks": len(verdict.ticks), "outages": rows}


def _print(made: Scene, verdict: Verdict, args: argparse.Namespace) -> None:
    print(f"10 devices x 100 float32 a second, {args.broker}, outages of {args.seconds:g} s")
    print(f"{'':38}{'page again':>11}{'receipted':>11}{'devices good':>14}")
    for outage, device_s in zip(made.outages, verdict.device_s, strict=True):
        row = f"{outage.live_s:9.1f} s{outage.receipted_s:9.1f} s{device_s:12.1f} s"
        print(f"{outage.name:38}{row}")
    print(
        f"{verdict.polls} polls answered; undelivered {verdict.undelivered - verdict.under_way}, "
        f"and {verdict.under_way} of the very second of a kill; mistakes of order, value or "
        f"repetition: {len(verdict.mistakes)}; kept as bad readings {verdict.marked}"
    )
    gaps = ", ".join(f"{seconds:.0f} s ({reason})" for seconds, reason in verdict.gaps)
    print(f"no process, or no tick, all signed as gaps: {gaps or 'none'}")
    print("\nothers on this workload, outages of 60 s, about 600 polls each:")
    for name, rows in OTHERS.items():
        for other, lost in rows.items():
            print(f"{name:38}{other}: {lost}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
