"""Accounts of every role over a clock that tests set, and a client that signs in like a browser."""

import re
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from cloud.accounts.desks import Accounts
from cloud.accounts.roles import PROGRAM, STRANGER, Principal, Profile, Right
from cloud.accounts.sign_in import SignedIn
from cloud.accounts.store import AccountStore
from cloud.accounts.totp import code_of
from tests.unit.cloud.app_examples import BASE, make_accounts, make_app, make_hub
from tests.unit.cloud.live_examples import GATEWAY, PLANT, ManualClock, configuration

PASSWORD = "plover mast yonder"  # noqa: S105 - of these tests
NS = 1_000_000_000
MINUTE = 60 * NS
PROFILES = {
    "operator": Profile("operator", plants=(PLANT,)),
    "engineer": Profile("engineer", plants=(PLANT,)),
    "accountant": Profile("accountant", plants=(PLANT,)),
    "laboratory": Profile("laboratory", plants=(PLANT,)),
    "reviewer": Profile("reviewer", "3707"),  # mini lies there, maxi does not
    "system": Profile("system"),
    "security": Profile("security"),
    "audit": Profile("audit"),
}
#: who may invite anybody
SECURITY = Principal("chief", frozenset({Right.ACCOUNTS}))


class Away:
    """A collector that has no plant, whatever it is asked of one."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*_: object) -> Any:
            raise LookupError("not a plant of this collector")

        return ask


class Town:
    """People and the desks they come to."""

    def __init__(self, unsigned: Principal = STRANGER) -> None:
        self.clock = ManualClock()
        self.accounts: Accounts = make_accounts(self.clock, unsigned)
        self._keys: dict[str, bytes] = {}

    @property
    def store(self) -> AccountStore:
        return self.accounts.book._store

    def invite(self, ident: str, profile: Profile | None = None) -> str:
        """The link's secret."""
        by = SECURITY if profile or ident in PROFILES else PROGRAM
        told = profile or PROFILES.get(ident, Profile("security"))
        secret = self.accounts.people.invite(by, ident, ident.title(), "Example Ltd", told)
        self._keys[ident] = self.accounts.people.invited(secret).second_factor
        return secret

    def renew(self, ident: str) -> str:
        secret = self.accounts.people.renew(SECURITY, ident)
        self._keys[ident] = self.accounts.people.invited(secret).second_factor
        return secret

    def code(self, ident: str) -> str:
        """Of now."""
        return code_of(self._keys[ident], self.clock.now_ns // NS // 30)

    def join(self, ident: str, profile: Profile | None = None, **more: str) -> SignedIn:
        """Invite and accept; the next code is a step later."""
        secret = self.invite(ident, profile)
        done = self.accounts.people.accept(secret, PASSWORD, self.code(ident), **more)
        self.clock.now_ns += 30 * NS
        return done

    def sign_in(self, ident: str, password: str = PASSWORD, **more: str) -> SignedIn:
        code = self.code(ident) if ident in self._keys else "000000"
        return self.accounts.sign_in.sign_in(ident, password, code, **more)

    def events(self) -> list[str]:
        return [row.event for row in self.accounts.people.log_rows()]

    def client(self, done: SignedIn | None = None, **more: Any) -> TestClient:
        """A browser, signed in where `done` says so; hub with mini, maxi and unplaced."""
        hub = make_hub()
        for plant in ("maxi", "unplaced"):
            hub.on_config(plant, GATEWAY, configuration(id=plant, name=plant.title()))
        parts = {"keys": Away(), "one_way": Away(), **more}
        app = make_app(hub, accounts=self.accounts, **parts)
        client = TestClient(app, base_url=BASE, follow_redirects=False)
        client.headers["Origin"] = BASE
        if done is not None:
            client.cookies.set("stackproof-session", done.cookie)
            client.cookies.set("stackproof-device", done.device)
        return client


def csrf_of(html: str) -> str:
    """The hidden value of a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found is not None
    return found.group(1)
