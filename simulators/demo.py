"""`stackproof demo`: simulated plants, an agent each, a broker and a collector in one go.

Starts the same commands a user starts, as child processes: `keys new`, `sim run`, `cloud run`,
`edge run`, and for a demo that ends by itself `cloud month close` and `verify`. What it is doing
goes to stderr, a line a step; the archives it made go to stdout, one path a line.
"""

import argparse
import shlex
import shutil
import signal
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.children import Child, DemoError, run_to_end
from simulators.clock import SystemClock
from simulators.collector_watch import CollectorWatch
from simulators.demo_files import (
    PLANTS,
    TIME_ZONE,
    DemoPlant,
    write_cloud_file,
    write_site_file,
)

PORT = 8600
EXIT_FAILED, EXIT_CANNOT = 1, 2
#: exit statuses of `verify` for a sound archive; a month of seconds may lack what a whole one has
SOUND = (0, 3)
START_S = 60.0
CLOSE_S = 120.0
LAST_FRAME_S = 10.0
#: months closed and verified at a time
CLOSING = 2


def main(argv: list[str]) -> int:
    """Run the demo; 0 when every archive is sound."""
    args = _parser().parse_args(argv)
    names = dict.fromkeys(args.plants.split(",") if args.plants else PLANTS)
    if unknown := [name for name in names if name not in PLANTS]:
        known = ", ".join(PLANTS)
        _say(f"stackproof demo: no plant {unknown[0]!r}; there is: {known}")
        return EXIT_CANNOT
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="work-", dir=args.out.resolve()))
    except OSError as error:
        _say(f"stackproof demo: --out {args.out}: cannot be used as a folder: {error.strerror}")
        return EXIT_CANNOT
    try:
        with ExitStack() as stack:
            return _demo(args, [PLANTS[name] for name in names], work, stack)
    except DemoError as error:
        _say(f"stackproof demo: {error}")
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof demo",
        description="Simulated plants, agents, broker and collector in one go, on this machine.",
    )
    parser.add_argument(
        "--for", dest="seconds", type=_seconds, metavar="SECONDS",
        help="collect this long after the first receipt, then close, seal, verify and end",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("demo-out"), metavar="DIR",
        help="where archives, trust.pem and a work folder go (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--plants", metavar="LIST", help=f"of {','.join(PLANTS)} (all)")
    parser.add_argument(
        "--port", type=_port_number, metavar="PORT",
        help=f"of the dashboard; 0 takes any free one ({PORT}, or a free one when it is taken)",
    )  # fmt: skip
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError("must be above 0 and at most 86400 seconds")
    return seconds


def _port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return port


def _port(asked: int | None) -> int:
    """The dashboard's port: the one asked for, else the usual one, else (0) any free one."""
    if asked is not None:
        return asked
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            _say(f"Port {PORT} is taken; the dashboard takes a free one.")
            return 0
    return PORT


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _demo(args: argparse.Namespace, plants: list[DemoPlant], work: Path, stack: ExitStack) -> int:
    out = work.parent
    clock = SystemClock()
    began_s = clock.elapsed_s()
    _say(f"Working in {work}; logs of every part stand there.")
    sims = {}
    for plant in plants:
        _say(f"Starting the simulated {plant.scenario}: Modbus TCP meters and an OPC UA gateway.")
        truth = str(work / plant.scenario / "truth")
        ports = ["--modbus-port", "0", "--opcua-port", "0"]
        run = ["sim", "run", plant.scenario, "--json", "--out", truth, *ports]
        if plant.fault and args.seconds is None:
            _say(f"A meter of it stops answering: {plant.fault}")
            run += ["--fault", plant.fault]
        sims[plant.scenario] = Child(work, f"sim-{plant.scenario}", run)
        stack.enter_context(sims[plant.scenario])
    _make_keys(plants, work)
    _say("Starting the collector with its broker.")
    cloud_file = write_cloud_file(
        work, archives=out, port=_port(args.port),
        keys={plant.id: f"{plant.scenario}/keys" for plant in plants},
    )  # fmt: skip
    collector = Child(work, "cloud", ["cloud", "run", str(cloud_file)])
    stack.enter_context(collector)
    watch = CollectorWatch(work / "cloud", collector, clock, START_S)
    _say(f"Dashboard: {watch.http} (no account is needed; alarms: {watch.http}/en/alarms)")
    agents = []
    for plant in plants:
        devices = sims[plant.scenario].json_line(START_S)["devices"]
        site_file = write_site_file(
            work / plant.scenario, devices, broker=watch.broker, plant=plant.scenario
        )
        _say(f"Starting an agent: it reads {len(devices)} devices once a second and signs.")
        agents.append(Child(work, f"edge-{plant.scenario}", ["edge", "run", str(site_file)]))
        stack.enter_context(agents[-1])
    children = (*sims.values(), collector, *agents)
    watch.wait_for_receipts(children, START_S, after={plant.id: -1 for plant in plants})
    _say(f"First signed objects delivered and receipted {clock.elapsed_s() - began_s:.0f} s in.")

    if args.seconds is None:
        _say("Running until Ctrl-C.")
        watch.stay(children, None)
        return 0
    _say(f"Collecting for {args.seconds:g} s.")
    watch.stay(children, args.seconds)
    _say("Asking every agent to sign the frame it has open.")
    held = watch.receipted()
    for agent in agents:
        agent.signal(signal.SIGUSR1)
    watch.wait_for_receipts(children, LAST_FRAME_S, after=held)
    with ThreadPoolExecutor(CLOSING) as pool:  # each waits for processes most of the time
        for archive, said in pool.map(lambda p: _close_and_verify(p.id, out, cloud_file), plants):
            _say(said)
            sys.stdout.write(f"{archive}\n")
    return 0


def _make_keys(plants: list[DemoPlant], work: Path) -> None:
    """A root a plant; one key of the collector, certified by each."""
    _say(f"Making keys: a root and a gateway for each of {len(plants)} plants, and a collector.")
    roots, first = b"", work / plants[0].scenario / "keys/collector.pem"
    for plant in plants:
        keys = work / plant.scenario / "keys"
        keys.mkdir(parents=True)
        if first.exists():
            shutil.copy(first, keys)  # its mode too
        run_to_end(["keys", "new", "--out", str(keys), "--plant", plant.id, "--gateway", "edge-1"])
        roots += (keys / "root.crt").read_bytes()
    (work.parent / "trust.pem").write_bytes(roots)


def _close_and_verify(plant: str, out: Path, cloud_file: Path) -> tuple[Path, str]:
    """The sealed archive of the month so far, and what is to be said of it."""
    now = datetime.fromtimestamp(SystemClock().now_ns() // 10**9, ZoneInfo(TIME_ZONE))
    month = now.strftime("%Y-%m")
    _say(f"Closing {month} of {plant} so far, asking the gateway to sign, sealing.")
    run_to_end(
        ["cloud", "month", "close", str(cloud_file), "--plant", plant, "--month", month,
         "--interim"],
        timeout_s=CLOSE_S,
    )  # fmt: skip
    archive = out / f"{plant}-{month}.tar"
    _say(f"Verifying {archive.name} with nothing but trust.pem.")
    said = run_to_end(
        ["verify", str(archive), "--trust", str(out / "trust.pem")], timeout_s=CLOSE_S,
        fine=SOUND,
    )  # fmt: skip
    found = shutil.which(
        "stackproof"
    )  # its path: that ./run finds it does not mean the reader does
    program = [found] if found else ["./run", "exec", "stackproof"]
    again = shlex.join([*program, "verify", str(archive), "--trust", str(out / "trust.pem")])
    return archive, f"{said.rstrip()}\nTry it yourself: {again}"
