"""`stackproof sim`: list and serve scenarios or a single device, make a month, record and replay.

Exit codes: 0 ended as asked, 2 cannot run (usage, bad scenario, port taken).
"""

import argparse
import asyncio
import json
import logging
import sys
from contextlib import nullcontext
from pathlib import Path

from firmware_configs.profile import ProfileError, load_profile
from simulators import option_types as types
from simulators.cli_record import add_record, add_replay, record, replay
from simulators.cli_serve import METER_PORT, OPCUA_PORT, add_play, add_serve, serve, trust_of
from simulators.clock import Clock, SystemClock
from simulators.effect_table import EffectTable
from simulators.faults import KINDS
from simulators.modbus_meter import ModbusMeter
from simulators.month import make_month
from simulators.month_plants import SMELTER_POINTS, month_plant
from simulators.opcua_gateway import OpcUaGateway
from simulators.plants import AnyScenario, load_any, make
from simulators.recorded.recording import RecordingError
from simulators.scenario import Scenario, ScenarioError, list_scenarios
from simulators.served import Served, ServeError
from simulators.stage import Staging, stage

#: what frames of a month may be, seconds; the first as the agent makes them of short intervals
FRAME_S = (10, 60, 900)
#: seconds between two readings of a month
INTERVAL_S = (1, 2, 5, 10, 30, 60)


def main(argv: list[str]) -> int:
    """Run one `sim` command; the result is the process's exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "list":
            return _list_faults() if options.faults else _list(as_json=options.json)
        if options.command == "month":
            return _month(options)
        logging.getLogger("asyncua").setLevel(logging.ERROR)  # warns of no encryption: meant here
        played = {"run": _run, "serve": serve, "record": record, "replay": replay}
        asyncio.run(played[options.command](options, SystemClock()))
    except BrokenPipeError:
        raise  # nobody reads any more: `stackproof.main` ends quietly
    except (ScenarioError, ProfileError, ServeError, RecordingError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof sim", description="Plants to try things on, with their ground truth."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="the scenarios there are")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    listing.add_argument("--faults", action="store_true", help="the kinds of faults there are")
    add_serve(commands.add_parser("serve", help="serve one device, made from its profile alone"))
    run = commands.add_parser("run", help="serve a scenario over Modbus TCP and OPC UA")
    run.add_argument("scenario", help="a name of `stackproof sim list`")
    run.add_argument("--pots", type=types.pots, help="number of pots instead of the scenario's")
    run.add_argument("--seed", type=types.seed, help="seed instead of the scenario's")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    run.add_argument(
        "--modbus-port", type=types.port, default=METER_PORT, metavar="P",
        help="first meter at P, second at P+1, ...; 0 = any free ports (%(default)s)",
    )  # fmt: skip
    run.add_argument(
        "--opcua-port", type=types.port, default=OPCUA_PORT, metavar="P",
        help="0 = any free port (%(default)s)",
    )  # fmt: skip
    run.add_argument(
        "--effect-table", type=Path, metavar="FILE",
        help="of a smelter: the pot controllers' own table of anode effects, an SQLite database "
        "that is added to; see the profile stackproof/pot-effects",
    )  # fmt: skip
    add_play(run)
    run.add_argument("--json", action="store_true", help="say what is served as one JSON line")
    _add_month(
        commands.add_parser(
            "month",
            help="make a sealed month, fast, without any plant",
            description="Make a sealed month that says it is simulated, with fresh keys, to try "
            "`stackproof verify` on, and beside it what really happened (TRUTH.md). 500 points a "
            "second take minutes and make an archive of 1.5 GB and more; DIR needs three times as "
            "much. A reading a minute (--interval 60) takes seconds. Readings of a smelter follow "
            "its scenario's figures; other plants are played, one physical step a reading.",
            epilog="Then: stackproof verify --trust DIR/trust.pem DIR/SCENARIO-YYYY-MM.tar",
        )
    )
    add_record(
        commands.add_parser(
            "record",
            help="ask a real device and write down what it answers",
            description="Ask a real device, reading only, round after round, and write down every "
            "answer, exception and silence. The file holds what the device says of itself too, "
            "such as its serial number. Format: simulators/recorded/RECORDING.md.",
        )
    )
    add_replay(
        commands.add_parser(
            "replay",
            help="serve a recording as a simulator",
            description="Serve a device from its recording: same answers, exceptions and silences, "
            "values as they went.",
        )
    )
    return parser


def _add_month(month: argparse.ArgumentParser) -> None:
    month.add_argument("scenario", help="a name of `stackproof sim list`")
    month.add_argument(
        "--month", required=True, type=types.month_id, metavar="YYYY-MM",
        help="which month, in the plant's time zone",
    )  # fmt: skip
    month.add_argument(
        "--out", required=True, type=Path, metavar="DIR",
        help="the archive goes here; the root's certificate is added to trust.pem",
    )  # fmt: skip
    month.add_argument(
        "--days", type=types.days, metavar="N", help="only the first N, as an interim archive"
    )
    month.add_argument(
        "--points", type=types.points, metavar="N",
        help=f"of a smelter: measured points ({SMELTER_POINTS})",
    )  # fmt: skip
    month.add_argument(
        "--pots", type=types.pots, metavar="N",
        help="of a smelter: so many of them pot voltages, instead of the scenario's number",
    )  # fmt: skip
    month.add_argument(
        "--interval", type=int, choices=INTERVAL_S, metavar="S",
        help=f"seconds between two readings: {', '.join(map(str, INTERVAL_S))} (a smelter 1, other "
        "plants 60)",
    )  # fmt: skip
    month.add_argument(
        "--frame-s", type=int, choices=FRAME_S,
        help="seconds a frame, instead of the agent's: 10 s, or a reading where that is longer",
    )  # fmt: skip
    month.add_argument(
        "--seed", type=types.seed, metavar="N",
        help="of the readings, instead of the scenario's; keys are always new",
    )  # fmt: skip
    month.add_argument("--json", action="store_true", help="say what was made as one JSON object")


def _list(*, as_json: bool) -> int:
    scenarios = [load_any(name) for name in list_scenarios()]
    if as_json:
        print(json.dumps([{"name": s.name, "description": s.description} for s in scenarios]))
    else:
        for scenario in scenarios:
            print(f"{scenario.name:20}{scenario.description}")
    return 0


def _list_faults() -> int:
    for name, kind in KINDS.items():
        print(f"{name:16}{kind.help}" + (f" (BY: {kind.by})" if kind.by is not None else ""))
    return 0


def _month(options: argparse.Namespace) -> int:
    scenario = load_any(options.scenario)
    interval_s = options.interval or (1 if isinstance(scenario, Scenario) else 60)
    frame_s = options.frame_s or max(FRAME_S[0], interval_s)
    try:
        plant = month_plant(
            scenario, points=options.points, pots=options.pots, seed=options.seed,
            interval_s=interval_s,
        )  # fmt: skip
        made = make_month(
            plant, month=options.month, out=options.out, frame_s=frame_s, days=options.days,
            say=lambda text: print(text, file=sys.stderr),
        )  # fmt: skip
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    told = {
        "archive": str(made.archive),
        "trust": str(made.trust),
        "truth": str(made.truth),
        "bytes": made.archive.stat().st_size,
        "month": options.month,
        "closing": "interim" if options.days else "final",
        "interval_s": interval_s,
        "frame_s": frame_s,
    }
    print(json.dumps(told) if options.json else made.archive)
    return 0


async def _run(options: argparse.Namespace, clock: Clock) -> None:
    scenario = load_any(options.scenario)
    pots = (options.pots or scenario.pots) if isinstance(scenario, Scenario) else None
    if (options.pots or options.effect_table) and pots is None:
        raise ServeError(f"{scenario.name} has no pots")
    seed = scenario.seed if options.seed is None else options.seed
    devices = _devices(scenario, options, pots)
    table = EffectTable(options.effect_table, pots) if options.effect_table and pots else None

    def announce(started_ns: int, truth: Path | None) -> None:
        if table:
            table.started_ns = started_ns
        rows = [{"id": key, "url": device.url, **facts, **trust_of(device)}
                for key, (device, facts) in devices.items()]  # fmt: skip
        head: dict[str, object] = {"scenario": scenario.name, "seed": seed}
        head |= {"pots": pots} if pots else {}
        head |= {"started_ns": started_ns, "truth": str(truth) if truth else None}
        head |= {"effect_table": str(options.effect_table.resolve())} if table else {}
        _announce(head, rows, as_json=options.json)

    staging = Staging(
        name=scenario.name,
        seed=seed,
        make=lambda record: make(scenario, pots=pots, seed=seed, record=record),
        devices={key: device for key, (device, _) in devices.items()},
        announce=announce,
        out=options.out,
        seconds=options.seconds,
        changes=options.change,
        faults=[*scenario.faults, *options.fault],
        watch=table.watch if table else None,
    )
    with table or nullcontext():
        await stage(staging, clock)


def _devices(
    scenario: AnyScenario, options: argparse.Namespace, pots: int | None
) -> dict[str, tuple[Served, dict[str, str]]]:
    """Device id -> the device, and what a site file must say of it beside its address."""
    devices: dict[str, tuple[Served, dict[str, str]]] = {}
    modbus_port = options.modbus_port
    for device in scenario.devices:
        profile = load_profile(device.profile)
        facts = {"profile": device.profile, **device.ratios}
        if profile.protocol == "opcua":
            path = "/potline" if pots else f"/{device.id}"
            gateway = OpcUaGateway(
                profile, host=options.host, port=options.opcua_port, pots=pots or 1, path=path,
                is_secured=options.secured,
            )  # fmt: skip
            devices[device.id] = gateway, facts | ({"each": f"1-{pots}"} if pots else {})
        else:
            meter = ModbusMeter(
                profile, host=options.host, port=modbus_port, ratios=device.ratios,
                settings=device.settings,
            )  # fmt: skip
            devices[device.id] = meter, facts
            modbus_port += 1 if modbus_port else 0
    return devices


def _announce(head: dict[str, object], rows: list[dict[str, str]], *, as_json: bool) -> None:
    """What is served where, in the words a site file needs, then "ready"."""
    if as_json:
        print(json.dumps({**head, "devices": rows}))
    else:
        pots = f", {head['pots']} pots" if "pots" in head else ""
        print(f"scenario {head['scenario']}, seed {head['seed']}{pots}")
        for row in rows:
            print(" ".join(f"{key}={value}" for key, value in row.items()))
        if "effect_table" in head:
            print(
                f"pot-effects url=sqlite+ro://{head['effect_table']} profile=stackproof/pot-effects"
            )
        print(f"truth={head['truth']}" if head["truth"] else "truth is not kept: give --out DIR")
    print("ready", flush=True)
