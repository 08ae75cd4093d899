"""The pages of accounts: sign in, invitation, one's account, the administrators' list.

Plain forms, no script. What is refused is said on the same page; what was done, after a redirect.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import segno
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from cloud.accounts.desks import Accounts
from cloud.accounts.errors import AccountError
from cloud.accounts.passwords import LENGTH_MIN
from cloud.accounts.roles import ROLES, TOKEN_RIGHTS, Principal, Profile, Right
from cloud.accounts.totp import address as totp_address
from cloud.accounts.totp import shown_key
from cloud.api.account_routes import give_cookies, shown
from cloud.api.guard import Given, GuardedRoute, Who, address, device_of, set_cookie
from cloud.api.pages import first_page
from cloud.api.rendering import Language, render, sentence
from cloud.clock import instant

router = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)

_NEXT = re.compile(r"/(?:en|zh)/[a-z0-9/-]{0,100}")
_DONE = ("password", "changed", "sessions", "token", "role", "ended")


@dataclass(frozen=True)
class Asked:
    """What is asked of a page: by whom, for which plants, in which language, with which form."""

    accounts: Accounts
    who: Principal
    request: Request
    language: str
    plants: Sequence[str]

    @property
    def form(self) -> Mapping[str, str]:
        """The form's fields as they came; the guard has read them."""
        found: Mapping[str, str] = self.request.state.form
        return found

    def text(self, name: str) -> str:
        """A field without the blanks that people paste; "" where it is missing."""
        return self.form.get(name, "").strip()

    @property
    def address(self) -> str:
        """Where it comes from."""
        return address(self.request)

    def page(self, template: str, error: AccountError | None, **values: object) -> HTMLResponse:
        """The page, with what was refused."""
        said = sentence(error, self.language) if error else ""
        status = error.status if error else 200
        return render(template, self.language, status=status, who=self.who, error=said, **values)

    def to(self, path: str) -> RedirectResponse:
        """A redirect to a page of the same language."""
        return RedirectResponse(f"/{self.language}{path}", 303)


def _asked(given: Given, who: Who, request: Request, language: Language) -> Asked:
    return Asked(given.accounts, who, request, language, given.plants_of(who))


Page = Annotated[Asked, Depends(_asked)]
Done = Annotated[str, Query(max_length=40)]


def _check_same(one: str, other: str, key: str) -> None:
    if one != other:
        raise AccountError(key)


# -- sign in and out ------------------------------------------------------------------------------


@router.get("/{language}/sign-in")
def sign_in_page(asked: Page, behind: Annotated[str, Query(alias="next")] = "") -> HTMLResponse:
    """The form for both factors."""
    return _sign_in(asked, behind)


def _sign_in(
    asked: Asked, behind: str, account: str = "", error: AccountError | None = None
) -> HTMLResponse:
    kept = behind if _NEXT.fullmatch(behind) else ""
    return asked.page("sign_in.html", error, path="/sign-in", behind=kept, account=account)


@router.post("/{language}/sign-in")
def sign_in(asked: Page) -> Response:
    """Sign in, then go where one was going."""
    behind, account = asked.text("next"), asked.text("account")
    try:
        done = asked.accounts.sign_in.sign_in(
            account, asked.form.get("password", ""), asked.text("code"),
            device=device_of(asked.request), address=asked.address,
        )  # fmt: skip
    except AccountError as error:
        return _sign_in(asked, behind, account[:40], error)
    first = first_page(done.principal, asked.language)
    response = RedirectResponse(behind if _NEXT.fullmatch(behind) else first, 303)
    give_cookies(response, asked.request, done)
    return response


@router.post("/{language}/sign-out")
def sign_out(asked: Page) -> Response:
    """Sign out."""
    asked.accounts.sign_in.sign_out(asked.who, asked.address)
    response = asked.to("/sign-in")
    set_cookie(response, asked.request, "session", "")
    return response


# -- the one-time link ----------------------------------------------------------------------------


@router.get("/{language}/invited/{secret}")
def invited_page(asked: Page, secret: str) -> HTMLResponse:
    """Who is invited, the second factor's key, and the form for password and code."""
    return _invited(asked, secret)


def _invited(asked: Asked, secret: str, error: AccountError | None = None) -> HTMLResponse:
    try:
        invited = asked.accounts.people.invited(secret)
    except AccountError as gone:
        return asked.page("refused.html", gone, path="/sign-in")
    host = asked.request.url.hostname or "collector"
    uri = totp_address(invited.second_factor, invited.account.id, host)
    return asked.page(
        "invited.html", error, path=f"/invited/{secret}", account=shown(invited.account),
        key=shown_key(invited.second_factor), code=_qr(uri), least=str(LENGTH_MIN),
    )  # fmt: skip


def _qr(text: str) -> str:
    """A QR code as inline SVG: plain attributes, as the policy wants it; no text is in it."""
    return str(segno.make_qr(text, error="m").svg_inline(scale=4, border=4, svgclass="qr"))


@router.post("/{language}/invited/{secret}")
def accept(asked: Page, secret: str) -> Response:
    """Use the link; one is signed in then."""
    password = asked.form.get("password", "")
    try:
        _check_same(password, asked.form.get("again", ""), "passwords-differ")
        done = asked.accounts.people.accept(
            secret, password, asked.text("code"),
            device=device_of(asked.request), address=asked.address,
        )  # fmt: skip
    except AccountError as error:
        return _invited(asked, secret, error)
    response = asked.to("/account?done=password")
    give_cookies(response, asked.request, done)
    return response


# -- one's account --------------------------------------------------------------------------------


@router.get("/{language}/account")
def account_page(asked: Page, done: Done = "") -> HTMLResponse:
    """Who one is, password, sessions, tokens."""
    return _account(asked, done=done)


def _account(
    asked: Asked, error: AccountError | None = None, *, done: str = "", token: str = ""
) -> HTMLResponse:
    desks, who = asked.accounts, asked.who
    return asked.page(
        "account.html", error, path="/account", account=shown(desks.people.account(who.account)),
        sessions=desks.sign_in.sessions(who), tokens=desks.tokens.tokens(who),
        scopes=sorted(who.rights & TOKEN_RIGHTS), token=token, least=str(LENGTH_MIN),
        instant=instant, plants=asked.plants, done=done if done in _DONE else "",
    )  # fmt: skip


@router.post("/{language}/account/password")
def change_password(asked: Page) -> Response:
    """Another password."""
    new = asked.form.get("new", "")
    try:
        _check_same(new, asked.form.get("again", ""), "passwords-differ")
        asked.accounts.sign_in.check_own(asked.who, asked.form.get("password", ""))
        asked.accounts.people.change_password(asked.who, new, asked.address)
    except AccountError as error:
        return _account(asked, error)
    return asked.to("/account?done=changed")


@router.post("/{language}/account/sessions/end")
def end_others(asked: Page) -> Response:
    """End all of one's other sessions."""
    asked.accounts.sign_in.end_others(asked.who, asked.address)
    return asked.to("/account?done=sessions")


@router.post("/{language}/account/tokens")
def make_token(asked: Page) -> Response:
    """A new token, shown this once."""
    days = asked.text("days")
    scopes = [scope for scope in asked.form.get("scopes", "").split(",") if scope]
    number = int(days) if re.fullmatch("[0-9]{1,3}", days) else 0
    try:
        token = asked.accounts.tokens.make(
            asked.who, asked.text("name"), scopes, number, asked.address
        )
    except AccountError as error:
        return _account(asked, error)
    return _account(asked, token=token)


@router.post("/{language}/account/tokens/{token}/end")
def end_token(asked: Page, token: str) -> Response:
    """End a token."""
    try:
        asked.accounts.tokens.end(asked.who, token, asked.address)
    except AccountError as error:
        return _account(asked, error)
    return asked.to("/account?done=token")


# -- the administrators' list ---------------------------------------------------------------------


@router.get("/{language}/accounts")
def accounts_page(asked: Page, done: Done = "", of: Done = "") -> HTMLResponse:
    """Every account; for security administrators what they can do about the one they chose."""
    return _accounts(asked, done=done, of=of)


def _accounts(
    asked: Asked, error: AccountError | None = None, *, done: str = "", of: str = "",
    secret: str = "", form: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    url = asked.request.url
    link = f"{url.scheme}://{url.netloc}/{asked.language}/invited/{secret}" if secret else ""
    unplaced = sorted(plant for plant, region in asked.accounts.regions.items() if not region)
    return asked.page(
        "accounts.html", error, path="/accounts", roles=tuple(ROLES), form=form or {}, link=link,
        of=of, unplaced=unplaced, rows=[shown(row) for row in asked.accounts.people.accounts()],
        may_change=Right.ACCOUNTS in asked.who.rights, done=done if done in _DONE else "",
    )  # fmt: skip


def _profile(asked: Asked) -> Profile:
    plants = tuple(plant for plant in re.split(r"[\s,，、]+", asked.text("plants")) if plant)
    return Profile.asked(asked.text("role"), asked.text("region"), plants)


@router.post("/{language}/accounts")
def invite(asked: Page) -> Response:
    """Invite a person; the page shows the one-time link this once."""
    try:
        secret = asked.accounts.people.invite(
            asked.who, asked.text("account"), asked.text("name"), asked.text("organisation"),
            _profile(asked), asked.address,
        )  # fmt: skip
    except AccountError as error:
        return _accounts(asked, error, form=asked.form)
    return _accounts(asked, secret=secret)


@router.post("/{language}/accounts/{account}/role")
def change(asked: Page, account: str) -> Response:
    """Another role, region or plants."""
    try:
        asked.accounts.people.change(asked.who, account, _profile(asked), asked.address)
    except AccountError as error:
        return _accounts(asked, error, of=account)
    return asked.to("/accounts?done=role")


@router.post("/{language}/accounts/{account}/link")
def renew(asked: Page, account: str) -> Response:
    """A new one-time link, shown this once."""
    try:
        secret = asked.accounts.people.renew(asked.who, account, asked.address)
    except AccountError as error:
        return _accounts(asked, error, of=account)
    return _accounts(asked, secret=secret)


@router.post("/{language}/accounts/{account}/end")
def end(asked: Page, account: str) -> Response:
    """End an account for good; its id has to be typed once more."""
    try:
        _check_same(asked.text("again"), account, "id-again")
        asked.accounts.people.end(asked.who, account, asked.address)
    except AccountError as error:
        return _accounts(asked, error, of=account)
    return asked.to("/accounts?done=ended")
