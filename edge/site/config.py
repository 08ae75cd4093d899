"""The site file (TOML) as frozen types, every problem found in one pass. I/O: reads that file.

What the plant's people write is here; `edge.signed` turns it, with the profiles' rows, into the
configuration that is signed. No device is contacted and no key is opened here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.calc.factors import rule_set, statement_rule_sets
from edge.errors import SiteConfigError
from edge.site.blanks import told, without_blanks
from edge.site.devices import DeviceConfig, read_devices
from edge.site.metrics import Metrics, read_metrics
from edge.site.points import SitePoints
from edge.site.remote import Remote, read_remote
from edge.site.statement import read_potlines, read_statement
from edge.site.uplink import Uplink, file_of, read_uplink
from evidence.points import NAME_ID
from evidence.time_zones import time_zone
from firmware_configs.fields import Fields, Problem
from firmware_configs.toml import NotTomlError, parse_toml

SECTORS = ("aluminium", "cement", "steel")
PLANT_NAME_MAX = 200
SITE_BYTES_MAX = 4 * 1024 * 1024
KEY_SCHEMES = ("file:", "pkcs11:")

_SLICE = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True)
class Plant:
    """Plant facts; all of them are signed."""

    id: str
    name: str
    sector: str
    time_zone: str
    rule_set: str
    simulated: bool


@dataclass(frozen=True)
class Gateway:
    """This agent.

    Attributes:
        id, slice: its place in the topic tree.
        key: reference of the private key (`evidence.signers`).
        certificate: PEM file.
        state_dir: where the spool lives.
        previous_key: reference of the key before, to hand over with; "" when not given.
        continues: replace order of the plant's root, when this device takes another's place.
        root: the root's certificate (PEM); required beside `previous_key` and `continues`.
    """

    id: str
    slice: str
    key: str
    certificate: Path
    state_dir: Path
    previous_key: str = ""
    continues: Path | None = None
    root: Path | None = None

    @property
    def spool(self) -> Path:
        """The spool's file."""
        return self.state_dir / "spool.sqlite"

    @property
    def receipts(self) -> Path:
        """The folder of receipts that were brought as files."""
        return self.state_dir / "receipts"

    @property
    def orders(self) -> Path:
        """The folder of site files by order."""
        return self.state_dir / "site-orders"


@dataclass(frozen=True)
class Site:
    """Everything the site file says."""

    path: Path
    plant: Plant
    gateway: Gateway
    uplink: Uplink
    devices: tuple[DeviceConfig, ...]
    potlines: tuple[Mapping[str, Any], ...]
    statement: Mapping[str, Any]
    metrics: Metrics | None = None
    remote: Remote | None = None

    def schedules_ns(self) -> tuple[int, ...]:
        """The distinct poll intervals, shortest first: a schedule's number is its index."""
        return tuple(sorted({device.interval_ns for device in self.devices}))


def load_site(path: Path) -> Site:
    """Read a site file.

    Raises:
        SiteConfigError: with every problem in it; unreadable and non-TOML files too.
    """
    site, problems = read_site(path)
    if problems:
        raise SiteConfigError(problems)
    return site


def read_site(path: Path, ordered: bytes | None = None) -> tuple[Site, list[Problem]]:
    """A site file as far as it can be understood, and what is wrong with it.

    With problems the site holds stand-ins: it is good for looking on for more of them only.

    Args:
        path: of the file; what it names lies beside it.
        ordered: what the root has ordered in its place; None to read the file.

    Raises:
        SiteConfigError: it cannot be read or is no TOML.
    """
    problems: list[Problem] = []
    table, blanks = without_blanks(site_table(path, ordered))
    root = _fields(table, "", path, problems)
    if root.raw("format") is None:
        root.complain("format", "is missing: write format = 1 above all tables")
    elif root.raw("format") != 1:
        root.complain("format", "must be 1: the site file format this program knows")
    plant = _read_plant(_section(root, "plant", path, problems))
    gateway = _read_gateway(_section(root, "gateway", path, problems), path.parent)
    uplink = read_uplink(_section(root, "uplink", path, problems), path.parent)
    devices, unclear = read_devices(root, path.parent)
    points = {bound.point.id: bound.point for device in devices for bound in device.points}
    known = SitePoints(points, unclear)
    potlines = read_potlines(root, known)
    statement = read_statement(_section(root, "statement", path, problems), known)
    metrics = None
    if root.has("metrics"):
        metrics = read_metrics(_section(root, "metrics", path, problems))
    remote = None
    if root.has("remote"):
        section = _section(root, "remote", path, problems)
        remote = read_remote(section, has_root=gateway.root is not None, mode=uplink.mode)
    root.finish()
    site = Site(path, plant, gateway, uplink, devices, potlines, statement, metrics, remote)
    return site, told(problems, blanks, str(path))


def site_bytes(path: Path) -> bytes:
    """What a site file holds; SiteConfigError when it cannot be read, or is too large for one."""
    try:
        if path.stat().st_size > SITE_BYTES_MAX:
            raise SiteConfigError([Problem(str(path), "", "too large for a site file")])
        return path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise SiteConfigError([Problem(str(path), "", reason)]) from error


def site_table(path: Path, held: bytes | None = None) -> Mapping[str, Any]:
    """What a site file says, not looked at yet; `held`: what it holds, None to read it.

    Raises:
        SiteConfigError: it cannot be read or is no TOML.
    """
    try:
        return parse_toml(site_bytes(path) if held is None else held)
    except NotTomlError as error:
        raise SiteConfigError([Problem(str(path), "", f"is not TOML: {error}")]) from error


def _fields(table: Mapping[str, Any], prefix: str, path: Path, problems: list[Problem]) -> Fields:
    return Fields(table, file=str(path), prefix=prefix, problems=problems)


def _section(root: Fields, key: str, path: Path, problems: list[Problem]) -> Fields:
    value = root.raw(key)
    if not isinstance(value, dict):
        reason = "is missing" if value is None else "must be a table"
        root.complain(key, f"{reason}: write [{key}]")
        # every key of the absent table would complain again; one sentence is enough
        return _fields({}, key, path, [])
    return _fields(value, key, path, problems)


def _read_plant(fields: Fields) -> Plant:
    simulated = fields.raw("simulated")
    if not isinstance(simulated, bool | None):
        fields.complain("simulated", "must be true or false")
    zone = fields.text("time_zone", default="Asia/Shanghai")
    try:
        time_zone(zone)
    except ValueError as error:
        fields.complain("time_zone", str(error))
    plant = Plant(
        id=_name(fields, "id"),
        name=_plant_name(fields),
        sector=fields.choice("sector", SECTORS),
        time_zone=zone,
        rule_set=_rule_set(fields),
        simulated=simulated is True,
    )
    fields.finish()
    return plant


def _plant_name(fields: Fields) -> str:
    name = fields.text("name", why="the plant's name for people")
    if len(name) > PLANT_NAME_MAX:
        reason = f"{len(name)} characters are too many; {PLANT_NAME_MAX} at most"
        fields.complain("name", reason)
    elif not name.isprintable():
        fields.complain("name", f"{name!r} holds characters that cannot be printed")
    return name


def _rule_set(fields: Fields) -> str:
    """One that statements are made by, of the plant's own sector."""
    chosen = fields.choice("rule_set", statement_rule_sets())
    sector = fields.raw("sector")
    if not fields.flawed and (its := rule_set(chosen).sector) != sector:
        fields.complain("rule_set", f"{chosen} is for {its}, and the sector is {sector}")
    return chosen


def _read_gateway(fields: Fields, folder: Path) -> Gateway:
    slice_id = slice_of(fields)
    gateway = Gateway(
        id=_name(fields, "id"),
        slice=slice_id,
        key=_key(fields, "key"),
        certificate=file_of(fields, "certificate", folder),
        state_dir=folder / fields.text("state_dir", default="state"),
        previous_key=_key(fields, "previous_key") if fields.has("previous_key") else "",
        continues=file_of(fields, "continues", folder) if fields.has("continues") else None,
        root=file_of(fields, "root", folder) if fields.has("root") else None,
    )
    needs_root = {"previous_key": gateway.previous_key, "continues": gateway.continues}
    if gateway.root is None and (named := [key for key, value in needs_root.items() if value]):
        fields.complain(
            "root",
            f'is missing: with {" and ".join(named)} write root = "file:root.crt", for what the '
            "root has not signed the collector refuses for ever",
        )
    fields.finish()
    return gateway


def slice_of(fields: Fields) -> str:
    """The part of the topic tree that a table names."""
    slice_id = fields.text("slice", default="00")
    if not _SLICE.fullmatch(slice_id):
        fields.complain("slice", f'{slice_id!r} must be two hex digits, "00" to "ff"')
    return slice_id


def _name(fields: Fields, key: str) -> str:
    value = fields.text(key, why="lower-case letters, digits and -")
    if value and not NAME_ID.fullmatch(value):
        fields.complain(key, f"{value!r} must match {NAME_ID.pattern}")
    return value


def _key(fields: Fields, key: str) -> str:
    value = fields.text(key, why='a reference such as "file:keys/edge-1.pem"')
    if value and not value.startswith(KEY_SCHEMES):
        # what stands there may be the key itself: it is not repeated
        fields.complain(key, 'must be a reference: "file:" and a path, or "pkcs11:…"')
    return value
