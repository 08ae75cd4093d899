"""`stackproof sim serve PROFILE`: one device, made from its profile alone, to practise on."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from firmware_configs.profile import Profile, load_profile
from simulators import option_types as types
from simulators.clock import Clock
from simulators.dlt645_meter import Dlt645Meter
from simulators.hj212_logger import Hj212Logger
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.played import TruthLine
from simulators.profile_plant import DEVICE, ProfilePlant
from simulators.served import Served, ServeError
from simulators.stage import Staging, stage

#: the first port of meters; of an OPC UA server
METER_PORT = 15020
OPCUA_PORT = 14840
SEED = 1


def add_serve(serve: argparse.ArgumentParser) -> None:
    """Its options."""
    serve.add_argument("profile", help="a name of `stackproof profile list`, or a file")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=types.port, metavar="P",
        help=f"0 = any free port ({METER_PORT}, OPC UA {OPCUA_PORT})",
    )  # fmt: skip
    serve.add_argument("--pty", action="store_true", help="a serial line instead, on a pty")
    serve.add_argument("--unit", type=types.unit, default=1, help="Modbus unit id (%(default)s)")
    serve.add_argument(
        "--address", type=types.plate, default="100000000001", metavar="DIGITS",
        help="of a DL/T 645 meter, as on its plate (%(default)s)",
    )  # fmt: skip
    serve.add_argument(
        "--to", type=types.listener, metavar="HOST:PORT", help="whom an HJ 212 logger calls"
    )
    serve.add_argument(
        "--mn", type=types.mn, default="010000A8900016F000169DC0", metavar="DIGITS",
        help="of an HJ 212 logger (%(default)s)",
    )  # fmt: skip
    serve.add_argument(
        "--every", type=types.every, default=5, metavar="SECONDS",
        help="of an HJ 212 logger, between two real-time messages (%(default)s)",
    )  # fmt: skip
    serve.add_argument(
        "--seed", type=types.seed, default=SEED, help="of all that moves (%(default)s)"
    )
    serve.add_argument(
        "--set", type=types.named, action="append", default=[], metavar="NAME=VALUE",
        help="a value, or a setting, that stays as it is said, such as power=86.4",
    )  # fmt: skip
    serve.add_argument(
        "--ratio", type=types.ratio, action="append", default=[], metavar="NAME=VALUE",
        help="of the installation, such as ct_ratio=800/5; otherwise 1",
    )  # fmt: skip
    serve.add_argument(
        "--each", type=types.each, default=3, metavar="N",
        help="how many of what the profile has many of, such as pots (%(default)s)",
    )  # fmt: skip
    serve.add_argument("--json", action="store_true", help="say what is served as one JSON line")
    add_play(serve)


def add_play(command: argparse.ArgumentParser) -> None:
    """Options of all that is played."""
    command.add_argument(
        "--secured", action="store_true",
        help="OPC UA: signed or encrypted sessions only, by a certificate made at the start",
    )  # fmt: skip
    command.add_argument("--out", type=Path, metavar="DIR", help="write the truth here, anew")
    command.add_argument(
        "--for", dest="seconds", type=types.duration, metavar="SECONDS",
        help="end by itself after this scenario time; otherwise at SIGINT or SIGTERM",
    )  # fmt: skip
    command.add_argument(
        "--change", type=types.change, action="append", default=[],
        metavar="SECONDS:DEVICE.SETTING=VALUE",
        help="from then on a meter says that of itself, such as 30:ac-1.ct_primary=400",
    )  # fmt: skip
    command.add_argument(
        "--fault", type=types.fault, action="append", default=[], metavar="FAULT",
        help='such as "at=20 for=10 kind=stuck on=ac-1.power"; see `sim list --faults`',
    )  # fmt: skip


async def serve(options: argparse.Namespace, clock: Clock) -> None:
    """Serve until the end."""
    profile = load_profile(options.profile)
    ratios = dict(options.ratio)
    for name in ratios:
        if not any(name in register.applies for register in profile.registers):
            raise ServeError(f"{profile.id} has nothing that {name} applies to")
    settings = {setting.name for setting in profile.settings}
    rows = {register.name for register in profile.registers}
    said = {name: value for name, value in options.set if name in settings - rows}
    fixed = {name: value for name, value in options.set if name not in said}
    plants: list[ProfilePlant] = []
    device = _device(profile, options, ratios, said)

    def announce(started_ns: int, truth: Path | None) -> None:
        del started_ns
        _announce(profile, device, plants[0].shown, options, truth)

    def make(record: Callable[[TruthLine], None]) -> ProfilePlant:
        plants.append(
            ProfilePlant(
                profile, ratios=ratios, seed=options.seed, fixed=fixed, each=options.each,
                record=record,
            )
        )  # fmt: skip
        return plants[0]

    staging = Staging(
        name=profile.id, seed=options.seed, make=make, devices={DEVICE: device},
        announce=announce, out=options.out, seconds=options.seconds, changes=options.change,
        faults=options.fault,
    )  # fmt: skip
    await stage(staging, clock)


def _device(
    profile: Profile, options: argparse.Namespace, ratios: dict[str, str], said: dict[str, str]
) -> Served:
    if profile.protocol == "opcua" and not options.pty:
        port = OPCUA_PORT if options.port is None else options.port
        return OpcUaGateway(
            profile, host=options.host, port=port, pots=options.each, path="/",
            is_secured=options.secured,
        )  # fmt: skip
    if options.secured:
        raise ServeError(f"{profile.id}: speaks {profile.protocol}, which --secured is not of")
    port = METER_PORT if options.port is None else options.port
    if profile.protocol == "dlt645":
        return Dlt645Meter(
            profile, host=options.host, port=port, address=options.address, ratios=ratios,
            on_pty=options.pty,
        )  # fmt: skip
    if profile.protocol == "hj212" and not options.pty:
        if options.to is None:
            raise ServeError(f"{profile.id}: a logger calls; say whom: --to HOST:PORT")
        host, to = options.to
        return Hj212Logger(profile, host=host, port=to, mn=options.mn, rtd_s=options.every)
    if profile.protocol != "modbus":
        what = "has no serial line" if options.pty else "cannot be served"
        raise ServeError(f"{profile.id}: a device that speaks {profile.protocol} {what}")
    return ModbusMeter(
        profile, host=options.host, port=port, ratios=ratios, unit=options.unit, settings=said,
        on_pty=options.pty,
    )  # fmt: skip


def trust_of(device: Served) -> dict[str, str]:
    """What a site file needs to trust a secured server."""
    if isinstance(device, OpcUaGateway) and device.thumbprint:
        return {"trust": f"sha256:{device.thumbprint}"}
    return {}


def _announce(
    profile: Profile, device: Served, shown: dict[str, str], options: argparse.Namespace,
    truth: Path | None,
) -> None:  # fmt: skip
    """The address, and each row with where it stands and what it shows; then "ready"."""
    places = {
        register.name.format(n=n): register.place.format(ns="{ns}", n=n)
        for register in profile.registers
        for n in (range(1, options.each + 1) if "{n" in register.name else [0])
    }
    address = {"url": device.url, **trust_of(device)}
    if options.json:
        rows = [{"name": name, "place": places[name], "shows": shown[name]} for name in shown]
        head = {"profile": profile.id, "seed": options.seed, "device": DEVICE} | address
        print(json.dumps({**head, "truth": str(truth) if truth else None, "rows": rows}))
    else:
        print(f"{profile.title}: profile {profile.id}, seed {options.seed}; values are made up")
        for key, text in address.items():
            print(f"{key} = {json.dumps(text)}")
        width = max(map(len, shown))
        for name, what in shown.items():
            print(f"{name:{width}}  {places[name]:24}  {what}")
        print(f"truth={truth}" if truth else f"faults and changes name it {DEVICE!r}")
    print("ready", flush=True)
