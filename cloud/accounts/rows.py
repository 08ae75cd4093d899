"""What is kept of accounts: frozen rows, each with an `id` and an `owner`. Pure.

Secrets that are presented (cookies, links, tokens) are random and kept as SHA-256 only. What a
one-time code is made from has to be kept as it is.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass

from cloud.accounts.roles import Profile

MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS

#: a session ends after so long without a request, and after so long in any case
IDLE_NS, ABSOLUTE_NS = 30 * MINUTE_NS, 720 * MINUTE_NS
#: its cookie is replaced so often; the one before is taken for so long after the new one was seen
TURN_NS, OVERLAP_NS = 15 * MINUTE_NS, MINUTE_NS
#: `until_ns` of a replaced cookie while its successor was not seen
OPEN = 2**62
LINK_NS = 2 * DAY_NS
DEVICE_NS = 180 * DAY_NS
TOKEN_DAYS_MAX = 365
#: what tokens begin with, so that scanners for secrets find them
MARK = "sp_"


@dataclass(frozen=True)
class Account:
    """A person. An id is given once, for ever: evidence names it.

    Attributes:
        id: `[a-z0-9-]{1,40}`, never "collector".
        owner: the id again.
        name: the person's.
        organisation: whom the person works for.
        role: one of `roles.ROLES`.
        region: of a reviewer.
        plants: of others, joined by commas.
        phc: of the password; "" before the first link was used.
        second_factor: key of the one-time codes, hex.
        last_step: newest step of it that was used.
        made_ns: when it was invited.
        ended_ns: when it was ended, 0 while it stands.
    """

    id: str
    owner: str
    name: str
    organisation: str
    role: str
    region: str
    plants: str
    made_ns: int
    phc: str = ""
    second_factor: str = ""
    last_step: int = 0
    ended_ns: int = 0

    @property
    def profile(self) -> Profile:
        """What it is for."""
        return Profile(self.role, self.region, tuple(filter(None, self.plants.split(","))))

    @property
    def is_active(self) -> bool:
        """May it sign in?"""
        return bool(self.phc) and not self.ended_ns


@dataclass(frozen=True)
class Link:
    """A one-time link; `id` is the SHA-256 of what is in it, `owner` the account it is for."""

    id: str
    owner: str
    second_factor: str
    until_ns: int


@dataclass(frozen=True)
class Device:
    """A browser that signed in; `id` is the SHA-256 of its cookie."""

    id: str
    owner: str
    seen_ns: int


@dataclass(frozen=True)
class Session:
    """A person at a browser; its cookies are `Cookie` rows."""

    id: str
    owner: str
    csrf: str
    made_ns: int
    seen_ns: int
    address: str

    def stands(self, now_ns: int) -> bool:
        """Neither too old nor left alone for too long."""
        return self.is_young(now_ns) and now_ns - self.seen_ns < IDLE_NS

    def is_young(self, now_ns: int) -> bool:
        """Not too old: what an open live page goes by, which nobody touches for hours."""
        return now_ns - self.made_ns < ABSOLUTE_NS


@dataclass(frozen=True)
class Cookie:
    """A value of a session's cookie; `id` is its SHA-256, `owner` the session's id.

    `until_ns` is 0 for the newest one, `OPEN` for the one before while the newest was not seen.
    """

    id: str
    owner: str
    made_ns: int
    until_ns: int = 0


@dataclass(frozen=True)
class Token:
    """What a program signs in with; `id` is public, `sha256` of the whole."""

    id: str
    owner: str
    name: str
    sha256: str
    scopes: str
    made_ns: int
    until_ns: int


def new_secret() -> str:
    """256 random bits, as text for cookies and addresses."""
    return secrets.token_urlsafe(32)


def sha256(secret: str) -> str:
    """What is kept of a random secret: guessing 256 bits needs no slow hash to be hopeless."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> tuple[str, str]:
    """(id, the token)."""
    ident = secrets.token_hex(6)
    return ident, f"{MARK}{ident}_{new_secret()}"


def short_id() -> str:
    """A public id of a session."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
