"""The JSON routes of accounts: sessions, one's password and tokens, people, the security log.

Plain functions: they read and write the disk and hash passwords, so they run in a worker thread.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.accounts.roles import ROLES, Principal, Profile
from cloud.accounts.rows import Account, Session, Token
from cloud.accounts.security_log import LogRow
from cloud.accounts.sign_in import SignedIn
from cloud.api.guard import Given, GuardedRoute, Who, address, device_of, set_cookie
from evidence.points import NAME_ID

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)

AccountPath = Annotated[str, Path(pattern=f"^{NAME_ID.pattern}$", description="account id")]
TokenPath = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="token id")]
Text = Annotated[str, Field(max_length=200)]
Secret = Annotated[str, Field(max_length=1024)]
Role = Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(ROLES)})]
RULES = ConfigDict(extra="forbid")


class SignInRequest(BaseModel):
    """Both factors."""

    model_config = RULES
    account: Text
    password: Secret
    code: Annotated[str, Field(max_length=16)]


class PasswordRequest(BaseModel):
    """The password, and the next one."""

    model_config = RULES
    password: Secret
    new_password: Secret


class TokenRequest(BaseModel):
    """Its name, rights (`see`, `evidence`, `system`, `months`, `security-log`) and days."""

    model_config = RULES
    name: Text
    scopes: Annotated[list[Text], Field(max_length=16)]
    days: Annotated[int, Field(ge=1, le=365)] = 90


class RoleRequest(BaseModel):
    """A role; a reviewer has a region (GB/T 2260), the people of a works have plants.

    "*" is the whole country, or every plant.
    """

    model_config = RULES
    role: Role
    region: Annotated[str, Field(pattern=r"^(\*|([0-9]{2}){0,3})$")] = ""
    plants: Annotated[list[Text], Field(max_length=1000)] = []

    def profile(self) -> Profile:
        """As accounts have it."""
        return Profile.asked(self.role, self.region, tuple(self.plants))


class InviteRequest(RoleRequest):
    """Who is invited."""

    account: Text
    name: Text
    organisation: Text


class AdministratorRequest(BaseModel):
    """Which administrator is invited, from the collector's machine."""

    model_config = RULES
    account: Text
    name: Text
    organisation: Text
    role: Literal["system", "security", "audit"]


# -- sessions -------------------------------------------------------------------------------------


@router.post("/sessions", status_code=201)
def sign_in(
    given: Given, request: Request, response: Response, order: SignInRequest
) -> Mapping[str, Any]:
    """Sign in: the answer sets the session's cookie; `csrf` goes into X-CSRF-Token from then on."""
    done = given.accounts.sign_in.sign_in(
        order.account, order.password, order.code,
        device=device_of(request), address=address(request),
    )  # fmt: skip
    give_cookies(response, request, done)
    return _me(done.principal)


def give_cookies(response: Response, request: Request, done: SignedIn) -> None:
    """Give the browser what a sign-in gives."""
    set_cookie(response, request, "session", done.cookie)
    set_cookie(response, request, "device", done.device)


@router.get("/session")
def me(who: Who) -> Mapping[str, Any]:
    """Who one is, and the session's CSRF value."""
    return _me(who)


def _me(who: Principal) -> Mapping[str, Any]:
    return {
        "account": who.account, "rights": sorted(who.rights), "region": who.region,
        "plants": list(who.plants), "csrf": who.csrf,
    }  # fmt: skip


@router.delete("/session", status_code=204)
def sign_out(given: Given, who: Who, request: Request) -> Response:
    """Sign out."""
    given.accounts.sign_in.sign_out(who, address(request))
    response = Response(status_code=204)
    set_cookie(response, request, "session", "")
    return response


@router.get("/sessions")
def sessions(given: Given, who: Who) -> Sequence[Mapping[str, Any]]:
    """One's sessions, newest first."""
    return [_session(row, who) for row in given.accounts.sign_in.sessions(who)]


def _session(row: Session, who: Principal) -> Mapping[str, Any]:
    return {
        "made_ns": row.made_ns, "seen_ns": row.seen_ns, "address": row.address,
        "current": row.id == who.session,
    }  # fmt: skip


@router.delete("/sessions")
def end_others(given: Given, who: Who, request: Request) -> Mapping[str, int]:
    """End all of one's other sessions."""
    return {"ended": given.accounts.sign_in.end_others(who, address(request))}


@router.post("/password", status_code=204)
def change_password(given: Given, who: Who, request: Request, order: PasswordRequest) -> Response:
    """Another password; one's other sessions end."""
    given.accounts.sign_in.check_own(who, order.password)
    given.accounts.people.change_password(who, order.new_password, address(request))
    return Response(status_code=204)


# -- tokens ---------------------------------------------------------------------------------------


@router.get("/tokens")
def tokens(given: Given, who: Who) -> Sequence[Mapping[str, Any]]:
    """One's tokens; the tokens themselves are shown only once, when they are made."""
    return [_token(row) for row in given.accounts.tokens.tokens(who)]


def _token(row: Token) -> Mapping[str, Any]:
    return {
        "id": row.id, "name": row.name, "scopes": row.scopes.split(","),
        "made_ns": row.made_ns, "until_ns": row.until_ns,
    }  # fmt: skip


@router.post("/tokens", status_code=201)
def make_token(given: Given, who: Who, request: Request, order: TokenRequest) -> Mapping[str, str]:
    """A new token for a program, shown this once."""
    desk = given.accounts.tokens
    return {"token": desk.make(who, order.name, order.scopes, order.days, address(request))}


@router.delete("/tokens/{token}", status_code=204)
def end_token(given: Given, who: Who, request: Request, token: TokenPath) -> Response:
    """End a token."""
    given.accounts.tokens.end(who, token, address(request))
    return Response(status_code=204)


# -- people ---------------------------------------------------------------------------------------


@router.get("/accounts")
def accounts(given: Given) -> Sequence[Mapping[str, Any]]:
    """Every account there is or was."""
    return [shown(row) for row in given.accounts.people.accounts()]


def shown(row: Account) -> dict[str, Any]:
    """What others may know of an account."""
    state = "ended" if row.ended_ns else "active" if row.phc else "invited"
    return {
        "account": row.id, "name": row.name, "organisation": row.organisation, "role": row.role,
        "region": row.region, "plants": list(row.profile.plants), "state": state,
        "made_ns": row.made_ns, "ended_ns": row.ended_ns,
    }  # fmt: skip


@router.post("/accounts", status_code=201)
def invite(given: Given, who: Who, request: Request, order: InviteRequest) -> Mapping[str, str]:
    """Invite a person; `link` is the path behind the language, and works once, for two days."""
    secret = given.accounts.people.invite(
        who, order.account, order.name, order.organisation, order.profile(), address(request)
    )
    return {"link": f"/invited/{secret}"}


@router.put("/accounts/{account}/role", status_code=204)
def change(
    given: Given, who: Who, request: Request, account: AccountPath, order: RoleRequest
) -> Response:
    """Another role, region or plants; the account's sessions and tokens end."""
    given.accounts.people.change(who, account, order.profile(), address(request))
    return Response(status_code=204)


@router.post("/accounts/{account}/link", status_code=201)
def renew(given: Given, who: Who, request: Request, account: AccountPath) -> Mapping[str, str]:
    """A new one-time link, for a lost password or second factor."""
    return {"link": f"/invited/{given.accounts.people.renew(who, account, address(request))}"}


@router.delete("/accounts/{account}", status_code=204)
def end(given: Given, who: Who, request: Request, account: AccountPath) -> Response:
    """End an account for good; its id is never given again."""
    given.accounts.people.end(who, account, address(request))
    return Response(status_code=204)


@router.post("/administrators", status_code=201)
def invite_administrator(
    given: Given, who: Who, request: Request, order: AdministratorRequest
) -> Mapping[str, str]:
    """Invite an administrator from the collector's machine: how the first ones come."""
    secret = given.accounts.people.invite(
        who, order.account, order.name, order.organisation, Profile(order.role), address(request)
    )
    return {"link": f"/invited/{secret}"}


@router.post("/administrators/{account}/link", status_code=201)
def renew_administrator(
    given: Given, who: Who, request: Request, account: AccountPath
) -> Mapping[str, str]:
    """A new one-time link for an administrator, from the collector's machine."""
    return renew(given, who, request, account)


@router.get("/security-log")
def security_log(
    given: Given,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Mapping[str, Sequence[LogRow]]:
    """Rows of the security log behind a number, oldest first."""
    return {"rows": given.accounts.people.log_rows(after, count)}
