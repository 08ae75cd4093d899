"""Edge: Modbus reads and OPC UA changes on one core, and the whole agent with a hundred devices.

    ./run bench edge [--quick] [--only modbus|agent|opcua] [--json]

What is measured runs as a process of its own on one core, all around it (devices, broker,
collector) on the other; counted are CPU seconds (user + system), because a machine does other
things too. "bare" is the protocol's library alone on the same work, measured in the same run.
Published for the agent's work, without signing or keeping (measured on another day's machine):
bare pymodbus + paho 13 % of a core and 31 MB, Node-RED 8 % and 253 MB, ThingsBoard Gateway 24-72 %
and 79-168 MB.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.evidence import Line, ended
from tests.bench.load import whole_agent
from tests.bench.load.spent import end, on_core, two_cores
from tests.ports import free_port

CONNECTIONS = 50
READS_A_SECOND, READS_SHARE = 8_000, 0.85
NODES, CHANGE_MS = 5_000, 200
CHANGES_A_SECOND = 20_000
AGENT_PERCENT, AGENT_MB = 6, 100
_PUBLISHED = (
    "published: bare 13 % and 31 MB, Node-RED 8 % and 253 MB, ThingsBoard Gateway 24-72 % and "
    "79-168 MB"
)


def main(argv: list[str]) -> int:
    """Measure and print; 0 when every target is met."""
    parser = argparse.ArgumentParser(prog="./run bench edge")
    parser.add_argument("--quick", action="store_true", help="a quarter of the time")
    parser.add_argument("--only", choices=("modbus", "agent", "opcua"), help="one part")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    args = parser.parse_args(argv)
    parts: dict[str, Callable[[bool], Iterator[Line]]] = {
        "modbus": _modbus, "opcua": _opcua, "agent": _agent,
    }  # fmt: skip
    lines = []
    for name, measure in parts.items():
        if args.only not in (None, name):
            continue
        _say(f"{name}; load of the machine before: {os.getloadavg()[0]:.2f}")
        for line in measure(args.quick):
            lines.append(line)
            if not args.json:
                print(line.text(), flush=True)
    return ended(lines, as_json=args.json)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _modbus(is_quick: bool) -> Iterator[Line]:
    """Ours and bare in turns; of each the run that was least disturbed."""
    cpu_s, repeats = (1.0, 2) if is_quick else (3.0, 5)
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    with whole_agent.plant(two_cores()[1], CONNECTIONS) as ports:
        for _ in range(repeats):
            for who, found in rates.items():
                done = _client("modbus_client", who, str(cpu_s), *map(str, ports))
                found.append(done["count"] / done["cpu_s"])
    ours, bare = max(rates["ours"]), max(rates["bare"])
    yield Line(
        "batched Modbus TCP reads of 124 registers", ours, "reads/s",
        min(READS_A_SECOND, READS_SHARE * bare), bare=bare / ours,
        more=f"{1e6 / ours:.0f} us a read, checked and decoded; bare pymodbus, not decoded: "
        f"{bare:,.0f} reads/s, {1e6 / bare:.0f} us",
    )  # fmt: skip


def _opcua(is_quick: bool) -> Iterator[Line]:
    seconds, repeats = (4, 1) if is_quick else (10, 3)
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    lost, took = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for who, found in rates.items():
                done = _with_opcua_plant(Path(folder), who, str(seconds))
                found.append(done["count"] / done["cpu_s"])
                if who == "ours":
                    lost, took = lost + done["lost"], done["count"] / seconds
    ours, bare = max(rates["ours"]), max(rates["bare"])
    yield Line(
        "OPC UA data changes of a subscription", ours, "changes/s", CHANGES_A_SECOND,
        bare=bare / ours,
        more=f"{1e6 / ours:.1f} us a change, {took:,.0f} came a second; bare asyncua: "
        f"{bare:,.0f} changes/s, {1e6 / bare:.1f} us",
    )  # fmt: skip
    yield Line("its changes that never came", lost, "", 0, at_most=True)


def _with_opcua_plant(folder: Path, who: str, seconds: str) -> dict[str, Any]:
    program = folder / "plant"
    if not program.exists():
        source = Path(__file__).parent / "load/opcua_plant.c"
        if shutil.which("cc") is None or not Path("/usr/include/open62541/server.h").exists():
            raise SystemExit("cannot measure OPC UA: apt install gcc libopen62541-1.4-dev")
        command = ["cc", "-O2", str(source), "-o", str(program), "-lopen62541"]
        subprocess.run(command, check=True)
    port = free_port()
    arguments = (str(port), str(NODES), str(CHANGE_MS))
    server = on_core(two_cores()[1], str(program), *arguments, out=subprocess.PIPE, is_python=False)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"READY\n"
        return _client("opcua_client", who, seconds, f"opc.tcp://127.0.0.1:{port}", str(NODES))
    finally:
        end(server)


def _client(module: str, *arguments: str) -> dict[str, Any]:
    """Run a client on the measured core to its end; what it printed."""
    began_s = time.monotonic()
    process = on_core(
        two_cores()[0], "-m", f"tests.bench.load.{module}", *arguments, out=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        done: dict[str, Any] = json.loads(process.stdout.read() or b"{}")
        assert process.wait() == 0, module
    finally:
        end(process)
    rate = done["count"] / done["cpu_s"]
    took_s = time.monotonic() - began_s
    _say(f"  {arguments[0]}: {rate:,.0f} a second of CPU (took {took_s:.0f} s)")
    return done


def _agent(is_quick: bool) -> Iterator[Line]:
    seconds = 20 if is_quick else 90
    floor: list[whole_agent.Cost] = []
    _say(f"  {seconds} s of the agent and {seconds // 2} s of its floor, each after a warm-up")
    devices = whole_agent.DEVICES
    with (
        tempfile.TemporaryDirectory() as folder,
        whole_agent.plant(two_cores()[1], devices) as ports,
    ):
        cost, delivered = whole_agent.measure(
            Path(folder), ports, seconds,
            lambda broker: floor.append(whole_agent.bare_gateway(ports, broker, seconds // 2)),
        )  # fmt: skip
    (bare,) = floor
    yield Line(
        "the agent, 100 devices × 100 floats a second", cost.share, "% of a core", AGENT_PERCENT,
        at_most=True, bare=cost.share / bare.share,
        more=f"over {seconds} s; {cost.busy:.1f} cores were busy. Bare pymodbus + paho, neither "
        f"signed nor kept: {bare.share:.1f} % and {bare.at_end.rss_mb:.0f} MB "
        f"({bare.busy:.1f} busy); {_PUBLISHED}",
    )  # fmt: skip
    yield Line("its memory", cost.at_end.rss_mb, "MB", AGENT_MB, at_most=True)
    yield Line("its memory, at most", cost.at_end.peak_mb, "MB", AGENT_MB, at_most=True)
    yield Line(
        "of its readings in the collector's store", 100 * delivered.arrived / delivered.due, "%",
        100, more=f"{delivered.arrived:,} of {delivered.due:,}, each good and as it was served; "
        f"{delivered.object_bytes:.2f} B a reading, signed",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
