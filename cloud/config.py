"""CLOUD.toml as frozen types, every problem found in one pass. I/O: reads it, keys, certificates.

```toml
format = 1
[cloud]
slice = "00"                       # which plants: their topics and evidence
database = "sqlite:///evidence.db" # the default; paths are relative to this file; or a PostgreSQL:
#                                  # docs/database.md
# durability = "one machine is enough"  # a PostgreSQL without a synchronous standby
state_dir = "state"
archive_dir = "archives"           # the default; sealed months go here
key = "file:keys/collector.pem"    # or "pkcs11:token=…;object=…?module-path=…&pin-source=file:…"
certificate = "file:keys/collector.crt"
# tsa_url = "https://tsa.example/"  # RFC 3161 authority: stamps every seal, checkpoints daily
[broker]
mode = "embedded"                  # or "external"
port = 1883                        # embedded; 0 = any free one, its url is in state_dir/broker.url
# url = "mqtts://host:8883"        # external: docs/deploy.md; all its keys: cloud/config_broker.py
[http]
host = "127.0.0.1"
port = 8600                        # 0 = any free one, see state_dir/ready.json
# allow_remote = true              # needed to listen beyond this machine
# names = ["collector.example"]    # further names browsers may use for it
# accounts = false                 # whoever reaches it reads everything: for trying out
# [months]
# close = "when-complete"          # a month with nothing owed closes itself; else "by-hand"
# settle_h = 24                    # after it has been complete for so long
# [series]                         # where series are kept: docs/series.md
# kind = "influxdb"                # without the table, a file in state_dir
[[plant]]
id = "smelter"
root = "file:keys/root.crt"
gateways = ["file:keys/edge-1.crt"]
# keys = "file:keys/smelter"       # a folder for more: *.crt of gateways and *.cose orders, looked
#                                  # into at start, on SIGHUP and by `stackproof cloud keys`
# collector = "file:…"             # this collector's certificate from this plant's root, when
#                                  # it is not the one of [cloud]
# region = "370700"                # GB/T 2260: which reviewers see it; without, national ones only
# allowance_t = "1200000"          # tCO2e of a calendar year, for the projection; or in its place
# benchmark_t_t = "0.8500"         # tCO2e per tonne of output
# accuracy = "file:smelter.toml"   # how sure its meters and factors are: docs/uncertainty.md
# [alarms], shifts, [plant.alarms.KIND]: cloud/config_alarms.py
# [[plant.normal]]: what its emission is on a normal day: cloud/config_normal.py
```
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.accounts.roles import is_region
from cloud.accumulated.accuracy_file import read_accuracy_file
from cloud.accumulated.outlook import PlantSaid
from cloud.closing.stamp import url_fault
from cloud.collector.identity import Certified, PlantIdentity, read_issued, read_root
from cloud.collector.topics import SLICE_ID
from cloud.config_alarms import AlarmsConfig, PlantAlarms, read_alarms, read_of_plant
from cloud.config_allowance import read_allowance
from cloud.config_broker import BrokerConfig, read_broker
from cloud.config_file import parse_file
from cloud.config_http import HttpConfig, read_http
from cloud.config_months import MonthsConfig, read_months
from cloud.config_normal import read_normal
from cloud.config_series import SeriesConfig, read_series
from cloud.database.urls import FILE, ONE_MACHINE, file_of, placed, without_password
from cloud.database.urls import url_fault as url_fault_of
from cloud.errors import CloudConfigError, CloudError
from cloud.live.normal import NormalBand
from evidence.custody import validity_ns
from evidence.errors import EvidenceError, MalformedError
from evidence.keys import Signer, key_sha256, load_certificate
from evidence.points import NAME_ID
from evidence.signers import open_signer
from firmware_configs.fields import Fields, Problem

#: a plant that names no certificate of its own for the collector, and whose root gave none
OTHER_ROOT = (
    ". Have this plant's root certify the same key (stackproof keys csr --role collector, keys "
    'enrol --role collector), and name that here: collector = "file:…"'
)


@dataclass(frozen=True)
class CloudConfig:
    """Everything CLOUD.toml says, with the keys it names.

    Attributes:
        path: the file.
        slice: two hex digits.
        evidence_dir: where evidence was before databases, in <evidence_dir>/<slice>; `cloud
            migrate` copies it. Where it is named, an SQLite file is there unless named otherwise.
        database: URL of the database that evidence is kept in.
        durability: what a commit there must outlive (`cloud.database.urls`).
        state_dir: broker, token, ready file.
        archive_dir: sealed months.
        signer: the collector's key.
        tsa_url: time stamping authority; "" for none.
        broker: which broker.
        http: where pages and API are served.
        months: how they are closed.
        series: where series are kept.
        plants: their certificates, in the order of the file.
        regions: plant -> its GB/T 2260 code, "" where none is given.
        said: plant -> what it may emit, and how sure its meters are, as far as somebody said.
        alarms: who is told of them elsewhere; plants' own rules and shifts.
        normal: plant -> what its people call normal, none where nobody said.
    """

    path: Path
    slice: str
    evidence_dir: Path
    state_dir: Path
    archive_dir: Path
    signer: Signer
    tsa_url: str
    broker: BrokerConfig
    http: HttpConfig
    months: MonthsConfig
    series: SeriesConfig
    plants: tuple[PlantIdentity, ...]
    regions: Mapping[str, str]
    said: Mapping[str, PlantSaid]
    alarms: AlarmsConfig
    normal: Mapping[str, tuple[NormalBand, ...]]
    database: str
    durability: str = ""

    @property
    def where(self) -> str:
        """Where evidence is kept, as people may read it."""
        return without_password(self.database)

    def accumulated(self, plant: str) -> Path:
        """The file of how far a plant's month was counted."""
        return self.state_dir / "accumulated" / f"{plant}.json"

    @property
    def collector_ends(self) -> dict[str, int]:
        """Plant -> end of the certificate by which the collector signs, UTC ns."""
        return {one.plant: validity_ns(one.collector.certificate)[1] for one in self.plants}

    @property
    def folders(self) -> dict[str, Path]:
        """What lies there -> where the collector writes."""
        file = file_of(self.database)
        evidence = None if file is None else file.parent
        found = {"evidence": evidence, "state": self.state_dir, "archives": self.archive_dir}
        return {what: folder for what, folder in found.items() if folder is not None}


def load_cloud(path: Path) -> CloudConfig:
    """Read CLOUD.toml and the keys and certificates it names.

    Raises:
        CloudConfigError: with every problem in it; an unreadable or non-TOML file too.
    """
    reader = _Reader(path)
    config = reader.read()
    if reader.problems or config is None:
        raise CloudConfigError(reader.problems)
    return config


def read_state_dir(path: Path) -> Path:
    """Only `state_dir` of CLOUD.toml: for commands that talk to the running cloud.

    Raises:
        CloudConfigError: unreadable, not TOML, or without it.
    """
    return _one_folder(path, "state_dir")


def read_archive_dir(path: Path) -> Path:
    """Only `archive_dir` of CLOUD.toml; errors as for `read_state_dir`."""
    return _one_folder(path, "archive_dir", "archives")


def _one_folder(path: Path, name: str, default: str | None = None) -> Path:
    reader = _Reader(path)
    folder = reader.folder(name, default)
    if reader.problems:
        raise CloudConfigError(reader.problems)
    return folder


class _Reader:
    """One pass over the file; `problems` grows and nothing is raised."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._regions: dict[str, str] = {}
        self._said: dict[str, PlantSaid] = {}
        self._alarms: dict[str, PlantAlarms] = {}
        self._normal: dict[str, tuple[NormalBand, ...]] = {}
        self._root = self._fields(parse_file(path, self.problems), "", self.problems)

    def _fields(self, table: Mapping[str, Any], prefix: str, problems: list[Problem]) -> Fields:
        return Fields(table, file=str(self._path), prefix=prefix, problems=problems)

    def _section(self, key: str, *, required: bool) -> Fields:
        value = self._root.raw(key)
        if isinstance(value, dict):
            return self._fields(value, key, self.problems)
        if required or value is not None:
            reason = "is missing" if value is None else "must be a table"
            self._root.complain(key, f"{reason}: write [{key}]")
            return self._fields({}, key, [])  # one sentence is enough for an absent table
        return self._fields({}, key, self.problems)

    def folder(self, name: str, default: str | None) -> Path:
        if self.problems:
            return Path()
        return self._folder(self._section("cloud", required=True), name, default=default)

    def read(self) -> CloudConfig | None:
        if self.problems:
            return None
        root = self._root
        if root.raw("format") != 1:
            root.complain("format", "must be 1: the configuration format this program knows")
        cloud = self._section("cloud", required=True)
        slice_id = cloud.text("slice", why='two hex digits, as in the sites\' "slice"')
        if slice_id and not SLICE_ID.fullmatch(slice_id):
            cloud.complain("slice", f'{slice_id!r} is not two hex digits "00" to "ff"')
        is_of_before = cloud.raw("evidence_dir") is not None
        evidence_dir = self._folder(cloud, "evidence_dir", "evidence")
        # where a collector of before wrote, it may write
        there = (
            f"sqlite:///{evidence_dir / slice_id / FILE}" if is_of_before else f"sqlite:///{FILE}"
        )
        database, durability = self._database(cloud, there)
        state_dir = self._folder(cloud, "state_dir")
        signer = self._signer(cloud)
        archive_dir = self._folder(cloud, "archive_dir", default="archives")
        certificate = self._file(cloud, "certificate")
        tsa_url = cloud.text("tsa_url", default="")
        if tsa_url and (fault := url_fault(tsa_url)):
            cloud.complain("tsa_url", fault)
        cloud.finish()
        broker = read_broker(self._section("broker", required=False), self._path.parent)
        http = read_http(self._section("http", required=False))
        months = read_months(self._section("months", required=False))
        series = read_series(self._section("series", required=False), self._path.parent)
        plants = self._plants(certificate, signer)
        told = self._section("alarms", required=False)
        alarms = read_alarms(told, self._path.parent, self._alarms)
        root.finish()
        if signer is None:
            return None
        return CloudConfig(
            self._path, slice_id, evidence_dir, state_dir, archive_dir, signer, tsa_url, broker,
            http, months, series, plants, self._regions, self._said, alarms,
            self._normal, database, durability,
        )  # fmt: skip

    # -- single values ----------------------------------------------------------------------------

    def _folder(self, fields: Fields, key: str, default: str | None = None) -> Path:
        named = fields.text(key, default=default, why="a folder, relative to this file")
        folder = self._path.parent / named
        try:
            if folder.exists() and not folder.is_dir():
                fields.complain(key, f"{folder} is a file: name a folder")
        except OSError as error:
            fields.complain(key, f"{folder} cannot be used: {error.strerror}")
        return folder

    def _database(self, cloud: Fields, default: str) -> tuple[str, str]:
        """URL and durability."""
        url = cloud.text("database", default=default)
        durability = cloud.text("durability", default="")
        if url and (fault := url_fault_of(url)):
            cloud.complain("database", fault)
            return "", ""
        if durability not in ("", ONE_MACHINE):
            cloud.complain("durability", f"write {ONE_MACHINE!r}, or leave it out")
        return (placed(url, self._path.parent), durability) if url else ("", "")

    def _file(self, fields: Fields, key: str) -> Path | None:
        return self._reference(fields, key, fields.text(key, why='"file:…"'))

    def _reference(self, fields: Fields, key: str, value: object) -> Path | None:
        if not isinstance(value, str) or not value.startswith("file:"):
            if value != "":
                fields.complain(key, f'{value!r} is not a reference; write "file:path.pem"')
            return None
        return self._path.parent / value.removeprefix("file:")

    def _signer(self, cloud: Fields) -> Signer | None:
        reference = cloud.text("key", why='"file:path.pem", or "pkcs11:…" for a key in a token')
        if not reference:
            return None
        try:
            return open_signer(reference, self._path.parent)
        except EvidenceError as error:
            cloud.complain("key", str(error))
            return None

    # -- tables -----------------------------------------------------------------------------------

    def _plants(self, certificate: Path | None, signer: Signer | None) -> tuple[PlantIdentity, ...]:
        tables = self._root.children("plant")
        read = [self._plant(fields, certificate, signer) for fields in tables]
        found = [plant for plant in read if plant is not None]
        ids = [identity.plant for identity in found]
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            self._root.complain("plant", f"{twice} stands here twice")
        return tuple(found)

    def _plant(
        self, fields: Fields, certificate: Path | None, signer: Signer | None
    ) -> PlantIdentity | None:
        plant = fields.text("id", why="plant id, as in its site files")
        if plant and not NAME_ID.fullmatch(plant):
            fields.complain("id", f"{plant!r} must match {NAME_ID.pattern}")
        region = fields.text("region", default="")
        if not is_region(region):
            fields.complain("region", f"{region!r} is not 2, 4 or 6 digits of GB/T 2260")
        self._regions[plant] = region
        self._said[plant] = PlantSaid(read_allowance(fields), self._accuracy(fields))
        self._alarms[plant] = read_of_plant(fields)
        self._normal[plant] = read_normal(fields)
        root = self._file(fields, "root")
        listed = fields.sequence("gateways")
        gateways = [self._reference(fields, "gateways", value) for value in listed]
        key_folder = self._key_folder(fields)
        if not listed and key_folder is None and fields.raw("gateways") in (None, []):
            fields.complain("gateways", 'is empty: write gateways = ["file:keys/edge-1.crt"]')
        collector = self._file(fields, "collector") if fields.has("collector") else certificate
        fields.finish()
        root_certificate = None if fields.flawed else self._root_of(fields, root, plant)
        if root is None or root_certificate is None:
            # nothing can be checked against the root, but what is not there is told now
            for key, paths in (("gateways", gateways), ("collector", [collector])):
                self._readable(fields, key, paths)
            return None
        of_gateways = [self._issued(fields, "gateways", path, root, plant) for path in gateways]
        of_collector = self._issued(fields, "collector", collector, root, plant)
        known = tuple(certified for certified in of_gateways if certified is not None)
        if of_collector is None or signer is None or fields.flawed:
            return None
        if of_collector.fingerprint != key_sha256(signer.public_key):
            fields.complain("collector", f"{collector}: is not the certificate of [cloud] key")
            return None
        return PlantIdentity(plant, root_certificate, of_collector, known, key_folder)

    def _accuracy(self, fields: Fields) -> Mapping[str, Any] | None:
        """The file of meters and factors; None where none is named."""
        path = self._file(fields, "accuracy") if fields.has("accuracy") else None
        if path is None:
            return None
        try:
            return read_accuracy_file(path)
        except CloudError as error:
            fields.complain("accuracy", str(error))
            return None

    def _key_folder(self, fields: Fields) -> Path | None:
        """The folder for more certificates and orders; None where none is named."""
        folder = self._file(fields, "keys") if fields.has("keys") else None
        if folder is not None and not folder.is_dir():
            fields.complain("keys", f"{folder} is not a folder: make it, or leave keys out")
        return folder

    def _root_of(self, fields: Fields, root: Path | None, plant: str) -> Certified | None:
        if root is None:
            return None
        try:
            return read_root(root, plant)
        except EvidenceError as error:
            fields.complain("root", str(error))
            return None

    def _readable(self, fields: Fields, key: str, paths: Sequence[Path | None]) -> None:
        for path in paths:
            try:
                if path is not None:
                    load_certificate(path)
            except EvidenceError as error:
                fields.complain(key, str(error))

    def _issued(
        self, fields: Fields, key: str, path: Path | None, root: Path, plant: str
    ) -> Certified | None:
        """A certificate of the plant; None when it was complained about, here or before."""
        if path is None:
            return None
        role = "gateway" if key == "gateways" else "collector"
        try:
            return read_issued(path, root, role, plant)
        except EvidenceError as error:
            is_of_the_cloud = key == "collector" and not fields.has(key)
            todo = OTHER_ROOT if is_of_the_cloud and isinstance(error, MalformedError) else ""
            fields.complain(key, f"{error}{todo}")
            return None
