"""Who asks, and may they: before anything of a request but its head is read.

A request says who asks by its bearer token, else by its cookie. What changes something and comes by
a cookie must come from a page of ours as well: the cookie is SameSite=Strict, the Origin must be
this address, and the session's own CSRF value must be in the form or the header.

A dependency would come too late: FastAPI parses the body before it calls any. It reads one whole,
however long it is, so that is bounded here; how long it may take, where connections are kept.
"""

import asyncio
import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from cloud.accounts.desks import Accounts
from cloud.accounts.errors import AccountError
from cloud.accounts.roles import PROGRAM, Principal, Right
from cloud.accounts.security_log import Event
from cloud.api.access import ACCESS
from cloud.api.passed_on import unsigned_of
from cloud.api.security import same_origin, token_matches
from cloud.api.services import Services
from evidence.cose import OBJECT_BYTES_MAX

#: seconds that a browser keeps it from being a stranger
DEVICE_S = 180 * 86_400
FORM_BYTES_MAX, FORM_FIELDS_MAX, FORM_S = 32 * 1024, 32, 10.0
#: a body that FastAPI reads, of who has a right: documents/prepare takes an object's in hex
JSON_BYTES_MAX = 4 * OBJECT_BYTES_MAX
#: of an address in the security log, whatever a header says: an IPv6 one has 39
ADDRESS_MAX = 64
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SignInNeededError(Exception):
    """A page was asked for by somebody who did not say who it is."""


class GuardedRoute(APIRoute):
    """A route that only those reach who have the right that `ACCESS` names for it."""

    def get_route_handler(self) -> Handler:
        """The route's handler behind the guard."""
        handle = super().get_route_handler()
        rights = {method: ACCESS[method, self.path] for method in self.methods or ()}

        async def guarded(request: Request) -> Response:
            who, cookie = await identify(request)
            request.state.who = who
            right = rights[request.method]
            await _admit(request, who, right)
            if self.body_field is not None:
                most = FORM_BYTES_MAX if right is None else JSON_BYTES_MAX
                request = Request(request.scope, _bounded(request.receive, most))
            response = await handle(request)
            if cookie:
                set_cookie(response, request, "session", cookie)
            return response

        return guarded


def services(request: HTTPConnection) -> Services:
    """The bundle `create_app` was given."""
    found: Services = request.app.state.services
    return found


def _who(request: Request) -> Principal:
    found: Principal = request.state.who
    return found


Given = Annotated[Services, Depends(services)]
Who = Annotated[Principal, Depends(_who)]


async def identify(request: HTTPConnection) -> tuple[Principal, str]:
    """(who asks, a new value for the session's cookie or "").

    Raises:
        HTTPException: 401, it brings a token that is nobody's.
    """
    given = services(request)
    header = request.headers.get("authorization")
    if header is not None:
        if token_matches(header, given.token):
            return PROGRAM, ""
        found = await asyncio.to_thread(given.accounts.sign_in.by_token, header.partition(" ")[2])
        if found is None or not header.lower().startswith("bearer "):
            event = Event("refused", address=address(request), detail="bearer token")
            await asyncio.to_thread(given.accounts.book.refused, event)
            raise _unauthorised()
        return found, ""
    value = request.cookies.get(cookie_name(request, "session"))
    if value:
        turns = request.scope["type"] == "http"
        known, turned = await asyncio.to_thread(
            given.accounts.sign_in.by_cookie, value, address(request), turns=turns
        )
        if known is not None:
            return known, turned
    return unsigned_of(request, given.accounts.unsigned), ""


async def _admit(request: Request, who: Principal, right: Right | None) -> None:
    """Go on only for who may; a page's form is read here, for its CSRF value."""
    given, is_api = services(request), request.url.path.startswith(("/api/", "/metrics"))
    if right is not None and right not in who.rights:
        if who.account and who != given.accounts.unsigned:
            await refuse(given.accounts, request, who, str(right))
            raise AccountError("no-right", 403)
        if is_api or request.method != "GET":
            raise _unauthorised()
        raise SignInNeededError
    named = {*request.query_params.getlist("plant"), request.path_params.get("plant")} - {None}
    for plant in sorted(str(name) for name in named):
        if not given.accounts.sees(who, plant):
            await refuse(given.accounts, request, who, f"plant {plant[:40]!r}")
            raise HTTPException(404, f"no plant {plant[:40]!r} has sent its configuration")
    if request.method == "GET":
        return
    brought = request.headers.get(CSRF_HEADER, "")
    if not is_api:
        request.state.form = await _read_form(request)
        brought = request.state.form.get(CSRF_FIELD, "")
    is_ours = came_from_here(request, must_say=not is_api)
    # what anybody may ask changes nothing of the session that is there
    needs_none = right is None or not who.session
    is_its = needs_none or hmac.compare_digest(brought.encode(), who.csrf.encode())
    if not (is_ours and is_its):
        await refuse(given.accounts, request, who, "request of another page")
        raise AccountError("not-ours", 403)


def came_from_here(request: Request, *, must_say: bool) -> bool:
    """Does the browser say that the request is of a page of ours?

    Args:
        request: one that changes something.
        must_say: it is a page's form, and browsers always say it of those.
    """
    if request.headers.get("origin") is not None:
        return same_origin(request.headers)
    site = request.headers.get("sec-fetch-site")
    return site == "same-origin" or (site is None and not must_say)


async def refuse(accounts: Accounts, request: Request, who: Principal, what: str) -> None:
    """Log that somebody was refused something."""
    path = request.scope["route"].path  # as the table has it: an address may hold a secret
    event = Event("refused", who.account, who.account, address(request), f"{path}: {what}")
    await asyncio.to_thread(accounts.book.refused, event)


def _bounded(receive: Receive, most: int) -> Receive:
    """A request's `receive` that raises HTTPException at more than so many bytes of body."""
    left = most

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"this takes at most {most} bytes")
        return message

    return bounded


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form; of several with one name, all joined by commas.

    Raises:
        HTTPException: it is none, too long, or too slow.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "a form is expected: application/x-www-form-urlencoded")
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > FORM_BYTES_MAX:
                    raise HTTPException(413, f"a form has at most {FORM_BYTES_MAX} bytes")
    except TimeoutError as error:
        raise HTTPException(408, "the form did not come in time") from error
    try:
        return parse_form(bytes(body))
    except ValueError as error:
        raise HTTPException(422, "this is no form as browsers send it") from error


def parse_form(body: bytes) -> dict[str, str]:
    """Name -> value; of several with one name, all joined by commas. ValueError when it is none."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(
        body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
        max_num_fields=FORM_FIELDS_MAX,
    ):  # fmt: skip
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


# -- cookies --------------------------------------------------------------------------------------


def cookie_name(request: HTTPConnection, what: str) -> str:
    """With TLS a name that browsers refuse from other hosts and without Secure."""
    is_tls = request.url.scheme in ("https", "wss")
    return f"__Host-stackproof-{what}" if is_tls else f"stackproof-{what}"


def set_cookie(response: Response, request: Request, what: str, value: str) -> None:
    """Give the browser a cookie; an empty value takes it away."""
    lasts = DEVICE_S if what == "device" else None
    response.set_cookie(
        cookie_name(request, what), value, max_age=lasts if value else 0, path="/",
        secure=request.url.scheme == "https", httponly=True, samesite="strict",
    )  # fmt: skip


def device_of(request: Request) -> str:
    """The cookie of an earlier sign-in, "" for none."""
    return request.cookies.get(cookie_name(request, "device"), "")


def address(request: HTTPConnection) -> str:
    """Where a request comes from, as far as it is known: of a proxy's, whatever that says."""
    return request.client.host[:ADDRESS_MAX] if request.client else ""


def _unauthorised() -> HTTPException:
    return HTTPException(
        401, "this needs an account, or a bearer token", {"WWW-Authenticate": "Bearer"}
    )
