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
[sign_in]                       # the team's own proxy, which signs persons in
token = "file:secrets/proxy"    # it shows this one as a bearer, with each request
user = "X-Forwarded-User"       # in which header it says who has signed in
sign_out = "/oauth2/sign_out"   # where one signs out there; without, no link
```
"""

import re
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
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
#: a path of the address that the browser sees; "//" would be another host
_PATH = re.compile(r"/(?!/)[!-~]{0,199}")
#: what a request says of itself without any proxy names nobody
_TAKEN = frozenset({"authorization", "host", "cookie", "user-agent", "accept", "accept-language"})


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
class SignIn:
    """A proxy that signs persons in, and asks here for them.

    Attributes:
        token: that it shows.
        user: the header in which it names the person.
        sign_out: path at which one signs out there; "" for none.
    """

    token: str = field(repr=False)
    user: str
    sign_out: str


@dataclass(frozen=True)
class FrontConfig:
    """Everything FRONT.toml says.

    Attributes:
        path: the file.
        http: where pages and API are served.
        collectors: in the order of the file.
        readers: who may read by token.
        sign_in: who else may: whom this proxy signs in. Without either, whoever reaches the
            loopback address.
    """

    path: Path
    http: Address
    collectors: Sequence[CollectorAt]
    readers: Sequence[Reader]
    sign_in: SignIn | None


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
    _check_twice(root, "collector", [one.url for one in collectors])
    _check_twice(root, "reader", [one.name for one in readers])
    sign_in = _sign_in(root.child("sign_in"), path.parent) if root.has("sign_in") else None
    if http.names and not readers and sign_in is None:
        told = "is needed where others than this machine can ask: [[reader]], or [sign_in]"
        root.complain("reader", told)
    if sign_in and sign_in.token in [one.token for one in readers if one.token]:
        root.complain("sign_in.token", "is a reader's too: who has it could name any person")
    root.finish()
    if problems:
        raise CloudConfigError(problems)
    return FrontConfig(path, http, collectors, readers, sign_in)


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
    made = Reader(_name(fields), _long_token(fields, folder))
    fields.finish()
    return made


def _sign_in(fields: Fields, folder: Path) -> SignIn:
    token = _long_token(fields, folder)
    user, sign_out = fields.text("user", why="a header"), fields.text("sign_out", default="")
    if user and (not _HEADER.fullmatch(user) or user.lower() in _TAKEN):
        fields.complain("user", f"{user!r} is no header in which a proxy names a person")
    if sign_out and not _PATH.fullmatch(sign_out):
        fields.complain("sign_out", f'{sign_out!r} is no path, as "/oauth2/sign_out"')
    fields.finish()
    return SignIn(token, user, sign_out)


def _name(fields: Fields) -> str:
    name = fields.text("name", why="a short name")
    if name and not NAME_ID.fullmatch(name):
        fields.complain("name", f"{name!r} must match {NAME_ID.pattern}")
    return name


def _long_token(fields: Fields, folder: Path) -> str:
    token = _token(fields, folder)
    if token and len(token) < TOKEN_CHARACTERS_MIN:
        fields.complain("token", f"is short: {TOKEN_CHARACTERS_MIN} characters or more")
    return token


def _token(fields: Fields, folder: Path) -> str:
    fields.text("token", why='"file:name-of-a-file"')
    path = token_file(fields, folder) if fields.raw("token") else None
    return "" if path is None else read_token(path)


def _check_twice(root: Fields, key: str, names: Sequence[str]) -> None:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        root.complain(key, f"{name} stands here twice")
