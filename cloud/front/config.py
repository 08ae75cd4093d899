"""FRONT.toml: which collectors are read, with which tokens, and who may read them here.

I/O: reads the file and the tokens it names.

```toml
format = 1
[http]                          # as in CLOUD.toml, without accounts
port = 8700
[[collector]]
name = "north"
url = "https://north.example"   # http on this machine only
token = "file:secrets/north"    # see, evidence, records; of no reviewer
ca = "file:secrets/north-ca"    # who vouches for it; without, the system's
pages = "https://north.cn"      # where people find its pages; without, its url
[[reader]]                      # none: whoever reaches this machine's own loopback reads
name = "grafana"
token = "file:secrets/grafana"  # 32 characters or more
```
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloud.config_elsewhere import ca_file, read_token, token_file, url_fault
from cloud.config_file import parse_file
from cloud.config_http import Address, read_address
from cloud.errors import CloudConfigError
from evidence.points import NAME_ID
from firmware_configs.fields import Fields, Problem

TOKEN_CHARACTERS_MIN = 32
COLLECTORS_MAX = 256


@dataclass(frozen=True)
class CollectorAt:
    """A collector that is read.

    Attributes:
        name: of its slice, for people.
        url: where this process asks it.
        pages: where people's browsers find its pages.
        token: of an account there.
        context: whom of https servers to believe; None for the system's authorities.
    """

    name: str
    url: str
    pages: str
    token: str = field(repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reader:
    """Somebody who may read: a person or a program."""

    name: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class FrontConfig:
    """Everything FRONT.toml says.

    Attributes:
        path: the file.
        http: where pages and API are served.
        collectors: in the order of the file.
        readers: who may read; empty for whoever reaches the loopback address.
    """

    path: Path
    http: Address
    collectors: Sequence[CollectorAt]
    readers: Sequence[Reader]


def load_front(path: Path) -> FrontConfig:
    """Read FRONT.toml and the tokens it names.

    Raises:
        CloudConfigError: with every problem in it; an unreadable or non-TOML file too.
    """
    problems: list[Problem] = []
    root = Fields(parse_file(path, problems), file=str(path), prefix="", problems=problems)
    if problems:
        raise CloudConfigError(problems)
    if root.raw("format") != 1:
        root.complain("format", "must be 1: the configuration format this program knows")
    http = read_address(root.child("http") if root.has("http") else _nothing(path, problems))
    collectors = [_collector(fields, path.parent) for fields in root.children("collector")]
    readers = [_reader(fields, path.parent) for fields in root.children("reader")]
    if not 1 <= len(collectors) <= COLLECTORS_MAX:
        root.complain("collector", f"there must be 1 to {COLLECTORS_MAX}: write [[collector]]")
    _check_twice(root, "collector", [one.name for one in collectors])
    _check_twice(root, "reader", [one.name for one in readers])
    if http.names and not readers:
        root.complain("reader", "is needed where others than this machine can ask: [[reader]]")
    root.finish()
    if problems:
        raise CloudConfigError(problems)
    return FrontConfig(path, http, collectors, readers)


def _nothing(path: Path, problems: list[Problem]) -> Fields:
    return Fields({}, file=str(path), prefix="http", problems=problems)


def _collector(fields: Fields, folder: Path) -> CollectorAt:
    name = _name(fields)
    url = fields.text("url", why='"https://host"')
    pages = fields.text("pages", default=url or "https://unknown")
    for key, value in (("url", url), ("pages", pages)):
        if value and (fault := url_fault(value)):
            fields.complain(key, fault)
    token = _token(fields, folder)
    ca = ca_file(fields, folder)
    context = None if ca is None else ssl.create_default_context(cafile=ca)
    fields.finish()
    return CollectorAt(name, url.rstrip("/"), pages.rstrip("/"), token, context)


def _reader(fields: Fields, folder: Path) -> Reader:
    made = Reader(_name(fields), _token(fields, folder))
    if made.token and len(made.token) < TOKEN_CHARACTERS_MIN:
        fields.complain("token", f"is short: {TOKEN_CHARACTERS_MIN} characters or more")
    fields.finish()
    return made


def _name(fields: Fields) -> str:
    name = fields.text("name", why="a short name")
    if name and not NAME_ID.fullmatch(name):
        fields.complain("name", f"{name!r} must match {NAME_ID.pattern}")
    return name


def _token(fields: Fields, folder: Path) -> str:
    fields.text("token", why='"file:name-of-a-file"')
    path = token_file(fields, folder) if fields.raw("token") else None
    return "" if path is None else read_token(path)


def _check_twice(root: Fields, key: str, names: Sequence[str]) -> None:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        root.complain(key, f"{name} stands here twice")
