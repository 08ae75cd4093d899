"""The `[[device]]` tables of the site file: devices, their profiles, and the points they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge.drivers import DRIVERS, PROVENANCES, READS_SETTINGS, open_driver, protocol_of
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec
from edge.drivers.opcua.security import OpcUaSecurity, read_security, warning_of
from edge.drivers.traffic import Traffic
from edge.settings import Stated, signed_rows
from edge.site.rules import ruled_points
from edge.site.stated import read_stated
from edge.site.traffic import Asked, objections
from evidence.points import NAME_ID, Point, Provenance, Scaling, exact
from firmware_configs.fields import Fields, near
from firmware_configs.model import RATIOS, Profile, Register
from firmware_configs.profile import ProfileError, load_profile
from firmware_configs.row_source import source_settings

CLASSES = tuple(p.value for p in Provenance if p is not Provenance.COMPUTED)
INSTANCES_MAX = 2_000
INTERVAL_MS_MIN, INTERVAL_MS_MAX = 100, 3_600_000
TIMEOUT_S_MAX = 60
RATIO_MAX = 1_000_000  # the highest grid voltage there is has 1 000 000 V on its plate
#: what people write as a url's protocol -> what it is called here
_ALSO_CALLED = {
    "modbus": "modbus+tcp", "tcp": "modbus+tcp", "modbustcp": "modbus+tcp", "mbtcp": "modbus+tcp",
    "rtu": "modbus+rtu", "modbusrtu": "modbus+rtu", "opcua": "opc.tcp", "opc": "opc.tcp",
    "sqlite": "sqlite+ro", "postgresql": "postgresql+ro", "mysql": "mysql+ro",
}  # fmt: skip


@dataclass(frozen=True)
class DeviceConfig:
    """One device of the site.

    Attributes:
        id: device id; its points are called "<id>.<register>".
        url: where it answers.
        profile: its model.
        provenance: how near to the meter its values are taken.
        interval_ns: time between two polls.
        timeout_s: how long one answer may take.
        ratios: ct_ratio, vt_ratio, pulse_weight as the file gives them.
        points: what is read, in order.
        security: of an OPC UA device; None for the others.
        stated: setting -> (value, reason) of each value a person answers for; the last holds now.
        traffic: what its driver will send; None of a device that cannot be read as it stands.
    """

    id: str
    url: str
    profile: Profile
    provenance: Provenance
    interval_ns: int
    timeout_s: float
    ratios: Mapping[str, str]
    points: tuple[BoundPoint, ...]
    security: OpcUaSecurity | None = None
    stated: Stated = field(default_factory=dict)
    traffic: Traffic | None = None

    @property
    def spec(self) -> DeviceSpec:
        """What its driver is made of."""
        return DeviceSpec(
            self.id, self.url, self.profile, self.points, self.timeout_s, self.security, self.stated
        )

    @property
    def meter(self) -> dict[str, dict[str, Any]]:
        """The settings that are read of it, as they are signed."""
        is_read = self.url.partition("://")[0] in READS_SETTINGS
        return signed_rows(self.profile, self.stated) if is_read else {}

    @property
    def warning(self) -> str:
        """What a person should know before it is read; "" when there is nothing."""
        return warning_of(self.url, self.security) if self.security is not None else ""

    @property
    def settings(self) -> dict[str, str]:
        """What of it is signed beside its points: ratios, and how a source is talked to.

        Never a secret, nor where one lies.
        """
        security = self.security
        secured = {} if security is None or not security.mode else {"security": security.policy}
        return {**self.ratios, **secured, **source_settings(self.profile.rows)}


def read_devices(root: Fields, folder: Path) -> tuple[tuple[DeviceConfig, ...], frozenset[str]]:
    """All devices that can be understood; problems are collected.

    Args:
        root: the site file.
        folder: where it lies; paths of profiles are relative to it.

    Returns:
        The devices, and the ids of those with a problem: what points they give is not known.
    """
    tables = root.children("device")
    if not tables:
        root.complain("device", "no device: add at least one [[device]]")
    devices: list[DeviceConfig] = []
    unclear: set[str] = set()
    profiles: dict[str, Profile] = {}
    for fields in tables:
        device = _read_device(fields, folder, profiles)
        if device is not None:
            if any(other.id == device.id for other in devices):
                fields.complain(
                    "id", f"{device.id!r} is an earlier device's: name this one otherwise"
                )
            devices.append(device)
        if fields.flawed:
            unclear.add(fields.label)
    _check_intervals(tables, devices)
    _check_traffic(tables, devices)
    return tuple(devices), frozenset(unclear)


def _check_intervals(tables: Sequence[Fields], devices: Sequence[DeviceConfig]) -> None:
    """Slower devices are asked at instants of the fastest, so their intervals must be multiples."""
    shortest_ns = min((device.interval_ns for device in devices), default=1)
    by_label = {fields.label: fields for fields in tables}
    for device in devices:
        if device.interval_ns % shortest_ns:
            by_label[device.id].complain(
                "interval_s", f"must be a whole multiple of the site's shortest interval, "
                f"{shortest_ns / 1e9:g} s",
            )  # fmt: skip


def _check_traffic(tables: Sequence[Fields], devices: Sequence[DeviceConfig]) -> None:
    """What is asked of an endpoint must fit the caps and the intervals set for it."""
    by_label = {fields.label: fields for fields in tables}
    for device_id, key, reason in objections(asked_of(devices)):
        by_label[device_id].complain(key, reason)


def asked_of(devices: Sequence[DeviceConfig]) -> list[Asked]:
    """What each device is asked, in the order of the file; those with a problem are left out."""
    return [
        Asked(device.id, device.interval_ns, device.traffic)
        for device in devices
        if device.traffic is not None
    ]


def _read_device(fields: Fields, folder: Path, profiles: dict[str, Profile]) -> DeviceConfig | None:
    device_id = fields.text("id", why="lower-case letters, digits and -")
    fields.label = device_id
    if device_id and not NAME_ID.fullmatch(device_id):
        fields.complain("id", f"{device_id!r} must match {NAME_ID.pattern}")
        device_id = "device"  # one sentence is enough; no point of it is complained about
    url = fields.text("url", why="such as modbus+tcp://192.0.2.7:502?unit=1")
    scheme = url.partition("://")[0]
    if url and scheme not in DRIVERS:
        fields.complain("url", _no_scheme(url))
    provenance = _provenance(fields, scheme)
    interval_ns = _interval_ns(fields)
    timeout_s = _timeout_s(fields)
    given = {name: fields.text(name) for name in RATIOS if fields.has(name)}
    wanted = fields.sequence("points")
    numbers = _instances(fields)
    security = read_security(fields, folder) if scheme == "opc.tcp" else None
    profile = _profile(fields, folder, profiles)
    rules = fields.named_children("rules")
    stated = read_stated(fields, profile, is_read=scheme in READS_SETTINGS)
    fields.finish()
    if profile is None:
        return None
    if scheme in DRIVERS and (spoken := protocol_of(scheme)) != profile.protocol:
        fields.complain(
            "profile", f"{profile.id} is of a device that speaks {profile.protocol}, and "
            f"{scheme}:// is {spoken}: correct the profile, or the url",
        )  # fmt: skip
        return None
    ratios = _check_ratios(fields, profile, given)
    points = _bind(
        fields,
        device_id=device_id or "device",
        profile=profile,
        wanted=wanted,
        numbers=numbers,
        provenance=provenance,
        ratios=ratios,
    )
    points = ruled_points(fields, rules, profile, points, interval_ns)
    device = DeviceConfig(
        device_id, url, profile, provenance, interval_ns, timeout_s, ratios, points, security,
        stated,
    )  # fmt: skip
    return device if fields.flawed else _check_driver(fields, device)


def _no_scheme(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    known = sorted(DRIVERS)
    if not mark:
        return f"{url!r} names no protocol: write modbus+tcp://{url} or one of {' '.join(known)}"
    if wanted := _ALSO_CALLED.get(scheme.lower()):
        return f"{scheme}:// is no protocol here; did you mean {wanted}://{rest}?"
    return f"{scheme}:// is no protocol here{near(scheme, known) or '; known: ' + ' '.join(known)}"


def _provenance(fields: Fields, scheme: str) -> Provenance:
    """How near to the meter; what a source is, decides what it may be called."""
    provenance = fields.choice("provenance", CLASSES)
    allowed = PROVENANCES.get(scheme, CLASSES)
    if provenance == fields.raw("provenance") and provenance not in allowed:
        fields.complain(
            "provenance", f"{provenance!r} is not what {scheme}:// gives: {' | '.join(allowed)}"
        )
    return Provenance(provenance)


def _check_driver(fields: Fields, device: DeviceConfig) -> DeviceConfig:
    """The driver judges address and points without connecting, and tells what it will send.

    It also loads the protocol's library now, before there is a schedule it could hold up.
    """
    try:
        return replace(device, traffic=open_driver(device.spec).traffic())
    except DeviceError as error:
        known = f"device {device.id}: ", f"url {device.url!r}: "  # the complaint says them itself
        fields.complain(error.key, str(error).removeprefix(known[0]).removeprefix(known[1]))
        return device


def _profile(fields: Fields, folder: Path, known: dict[str, Profile]) -> Profile | None:
    """The device's profile; those of one model share it."""
    name = fields.text("profile", why='a device profile, such as "stackproof/ac-meter"')
    if not name:
        return None
    try:
        if name not in known:
            known[name] = load_profile(str(folder / name) if name.endswith(".toml") else name)
        return known[name]
    except ProfileError as error:
        for problem in error.errors:
            fields.complain("profile", str(problem))
        return None


def _interval_ns(fields: Fields) -> int:
    milliseconds = exact(fields.decimal("interval_s", default="1")) * 1000
    if milliseconds.denominator != 1 or not INTERVAL_MS_MIN <= milliseconds <= INTERVAL_MS_MAX:
        fields.complain("interval_s", "must be 0.1 to 3600 seconds, in whole milliseconds")
        return 1_000_000_000
    return int(milliseconds) * 1_000_000


def _timeout_s(fields: Fields) -> float:
    timeout = exact(fields.decimal("timeout_s", default="1"))
    if not 0 < timeout <= TIMEOUT_S_MAX:
        fields.complain("timeout_s", f"must be more than 0 and at most {TIMEOUT_S_MAX} seconds")
        return 1.0
    return float(timeout)


def _instances(fields: Fields) -> range | None:
    """`each = "1-24"`: the numbers that fill {n} in register names."""
    if not fields.has("each"):
        return None
    text = fields.text("each")
    if not text:
        return range(0)
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()) or int(first) > int(last):
        fields.complain("each", f'{text!r} must be a range of numbers such as "1-24"')
        return range(0)
    if int(last) - int(first) >= INSTANCES_MAX:
        fields.complain("each", f"{text!r} is more than {INSTANCES_MAX} instances")
        return range(0)
    return range(int(first), int(last) + 1)


def _check_ratios(fields: Fields, profile: Profile, given: Mapping[str, str]) -> dict[str, str]:
    """The usable ratios; they must be said where the meter needs them, and only there."""
    needed = {
        name
        for register in profile.registers
        for name in register.applies
        if profile.reports == "secondary" or name == "pulse_weight"
    }
    for name in sorted(needed - set(given)):
        fields.complain(
            name, f"is missing: {profile.id} reports secondary values; write {name} = "
            '"primary/secondary" from the transformer plate, or "1" when there is none',
        )  # fmt: skip
    for name in sorted(set(given) - needed):
        fields.complain(
            name, f"has no effect: no register of {profile.id} takes it "
            f"(the meter reports {profile.reports or 'no ratio-dependent'} values); remove it",
        )  # fmt: skip
    usable: dict[str, str] = {}
    for name, text in given.items():
        if not text:
            continue  # complained about when it was read
        try:
            if exact(text) <= 0:
                fields.complain(name, f"{text!r} must be greater than zero")
            elif any(abs(exact(part)) > RATIO_MAX for part in (text, *text.split("/"))):
                fields.complain(name, f"{text!r} holds or makes a number above {RATIO_MAX}")
            else:
                usable[name] = text
        except ValueError as error:
            fields.complain(name, str(error))
    return usable


def _bind(
    fields: Fields,
    *,
    device_id: str,
    profile: Profile,
    wanted: list[Any],
    numbers: range | None,
    provenance: Provenance,
    ratios: Mapping[str, str],
) -> tuple[BoundPoint, ...]:
    names = [register.name for register in profile.registers]
    for name in wanted:
        if name not in names:
            hint = near(str(name), names) or f"; there are {' '.join(names)}"
            fields.complain("points", f"{name!r} is no register of {profile.id}{hint}")
    registers = [r for r in profile.registers if not wanted or r.name in wanted]
    repeated = [r.name for r in registers if "{n" in r.name]
    if repeated and numbers is None:
        fields.complain("each", f'is missing: {repeated[0]!r} is made once per number, "1-24"')
    if numbers is not None and not repeated:
        fields.complain("each", f"has no effect: no chosen register of {profile.id} has {{n}}")
    bound: list[BoundPoint] = []
    for register in registers:
        fills: list[int | None] = [None] if "{n" not in register.name else list(numbers or ())
        for n in fills:
            try:
                point = _point(
                    device_id, register, n, profile=profile, provenance=provenance, ratios=ratios
                )
            except ValueError as error:
                fields.complain("points", f"{register.name}: {error}")
                break
            bound.append(BoundPoint(point, register, n))
    return tuple(bound)


def _point(
    device_id: str,
    register: Register,
    n: int | None,
    *,
    profile: Profile,
    provenance: Provenance,
    ratios: Mapping[str, str],
) -> Point:
    secondary = profile.reports == "secondary"
    applied = {
        name: ratios.get(name) for name in register.applies if secondary or name == "pulse_weight"
    }
    name = register.name if n is None else register.name.format(n=n)
    source = register.place
    if register.column is not None:
        source = f"column {register.column}" + ("" if n is None else f" of {n}")
    elif register.node is not None:
        source = register.node.format(n=n, ns=register.namespace or "")
    return Point(
        id=f"{device_id}.{name}",
        quantity=register.quantity,
        dtype=register.dtype,
        decimals=register.point_decimals,
        role=register.role,
        provenance=provenance,
        device=device_id,
        source=source,
        scaling=Scaling(
            raw_decimals=register.decimals, scale=register.scale, offset=register.offset, **applied
        ),
        range_min=register.range_min,
        range_max=register.range_max,
        states=register.states,
    )
