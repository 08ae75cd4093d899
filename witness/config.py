"""Configuration of a witness: one TOML file. Reads files."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.errors import EvidenceError
from evidence.key_files import open_to_all, public_der, read_small
from evidence.keys import Signer
from evidence.points import NAME_ID
from evidence.public_key import load_key
from evidence.signers import open_signer
from evidence.suites import PublicKey
from witness.errors import WitnessConfigError

PLANTS_MAX = 10_000
_TOKEN = re.compile(r"[!-~]{1,4096}")
_TOP = {"folder": str, "key": str, "collector": list}
_NEEDED = {"url": str, "token": str, "person": str, "keys": list, "plants": list}
_OPTIONAL = {"send": bool, "ca": str}


@dataclass(frozen=True)
class Watched:
    """One collector, and the plants whose logs are watched there.

    Attributes:
        url: of the collector, without a slash at its end.
        token: bearer token of the witness's account there.
        person: id of that account, and of the person whose key it is.
        keys: public keys of the collector: of today and earlier ones.
        plants: plant ids.
        is_sent: cosigned notes go to the collector.
        ca: PEM file of whom to believe for TLS; None for the system's authorities.
    """

    url: str
    token: str
    person: str
    keys: tuple[PublicKey, ...]
    plants: tuple[str, ...]
    is_sent: bool
    ca: Path | None


@dataclass(frozen=True)
class Config:
    """Everything a witness is told.

    Attributes:
        folder: notes are kept there, a file a plant.
        signer: the witness's key.
        collectors: whom it asks.
        warnings: secrets that are open to others, a sentence each.
    """

    folder: Path
    signer: Signer
    collectors: tuple[Watched, ...]
    warnings: tuple[str, ...]


def read_config(path: Path) -> Config:
    """The configuration in a file; relative paths start at its folder.

    Raises:
        WitnessConfigError: all that is wrong with it, a line each.
    """
    try:
        given = tomllib.loads(read_small(path).decode())
    except (EvidenceError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WitnessConfigError(f"{path}: {error}") from error
    return _Reader(path.parent, given).read(path)


class _Reader:
    """Reads the tables; collects what is wrong with them."""

    def __init__(self, base: Path, given: dict[str, Any]) -> None:
        self._base, self._given = base, given
        self._wrong: list[str] = []
        self._warnings: list[str] = []

    def read(self, path: Path) -> Config:
        given, signer = self._given, None
        if self._fits("the file", given, _TOP, {}):
            try:
                signer = open_signer(given["key"], self._base)
            except EvidenceError as error:
                self._wrong.append(f"key: {error}")
        tables = given.get("collector")
        tables = tables if isinstance(tables, list) else []
        read = [self._collector(f"[[collector]] no. {i}", t) for i, t in enumerate(tables, 1)]
        found = [one for one in read if one is not None]
        self._plants(found)
        if self._wrong or signer is None:
            raise WitnessConfigError("\n".join(f"{path}: {one}" for one in self._wrong))
        folder = self._base / given["folder"]
        return Config(folder, signer, tuple(found), tuple(self._warnings))

    def _plants(self, found: list[Watched]) -> None:
        """Each plant once: its notes are one file."""
        plants = [plant for one in found for plant in one.plants]
        twice = sorted({plant for plant in plants if plants.count(plant) > 1})
        if twice:
            self._wrong.append(f"plants {', '.join(twice)}: name each once, in one [[collector]]")

    def _fits(
        self, where: str, table: object, needed: Mapping[str, type], optional: Mapping[str, type]
    ) -> bool:
        if not isinstance(table, dict):
            self._wrong.append(f"{where}: it is no table")
            return False
        before, known = len(self._wrong), {**needed, **optional}
        self._wrong += [f"{where}: {n} is missing" for n in needed if n not in table]
        self._wrong += [f"{where}: unknown key {n}" for n in table if n not in known]
        for name, kind in known.items():
            if name in table and type(table[name]) is not kind:
                self._wrong.append(f"{where}: {name} must be a {kind.__name__}")
            elif kind is list and name in table and not table[name]:
                self._wrong.append(f"{where}: {name} is empty")
        return len(self._wrong) == before

    def _collector(self, where: str, table: dict[str, Any]) -> Watched | None:
        if not self._fits(where, table, _NEEDED, _OPTIONAL):
            return None
        plants = table["plants"]
        for name in (table["person"], *plants):
            if not isinstance(name, str) or not NAME_ID.fullmatch(name):
                self._wrong.append(f"{where}: {name!r} is no id: {NAME_ID.pattern}")
        if len(plants) > PLANTS_MAX:
            self._wrong.append(f"{where}: more than {PLANTS_MAX} plants")
        keys, token = self._keys(where, table["keys"]), self._token(where, table["token"])
        ca = self._base / table["ca"] if "ca" in table else None
        return Watched(
            table["url"].rstrip("/"), token, table["person"], keys, tuple(map(str, plants)),
            table.get("send", True), ca,
        )  # fmt: skip

    def _keys(self, where: str, names: list[Any]) -> tuple[PublicKey, ...]:
        found = []
        for name in names:
            try:
                found.append(load_key(public_der(self._base / str(name))))
            except EvidenceError as error:
                self._wrong.append(f"{where}: keys: {error}")
        return tuple(found)

    def _token(self, where: str, reference: str) -> str:
        scheme, _, name = reference.partition(":")
        token = ""
        try:
            if scheme == "file":
                file = self._base / name
                self._warnings += filter(None, [open_to_all(file)])
                token = read_small(file).decode("utf-8", "replace").strip()
            elif scheme == "env":
                token = os.environ.get(name, "")
        except EvidenceError as error:
            self._wrong.append(f"{where}: token: {error}")
            return ""
        if not _TOKEN.fullmatch(token):
            self._wrong.append(f"{where}: token: write file:PATH or env:NAME of a bearer token")
        return token
