"""The web application: routes, pages, static files, and the rules every answer follows.

Not here: the collector, the broker, the server itself. The composition root builds `Services`,
calls `create_app`, and serves it (uvicorn with `ws_per_message_deflate=False`: deflate costs four
times the CPU at 200 viewers). Before shutdown it calls `hub.close()`, which ends all viewers.
"""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from cloud.accounts.errors import AccountError
from cloud.accounts.roles import STRANGER
from cloud.api import (
    account_pages,
    account_routes,
    alarm_pages,
    alarms,
    broker,
    brought,
    commissioning_pages,
    documents,
    drill_pages,
    live_routes,
    metrics,
    month_pages,
    one_way,
    outputs,
    pages,
    plans,
    proofs,
    record_imports,
    record_pages,
    review_pages,
    reviews,
    routes,
    sample_pages,
    screening,
    series,
    shift_pages,
    socket,
    visits,
    year_pages,
)
from cloud.api.guard import SignInNeededError
from cloud.api.rendering import DASHBOARD, LANGUAGES, STRINGS, render, sentence
from cloud.api.security import put_around
from cloud.api.services import Services
from cloud.api.without_paths import without_paths
from cloud.errors import StoreError
from evidence.documents.fields import FieldsError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.http")


def create_app(services: Services) -> FastAPI:
    """Build the application.

    Args:
        services: what the routes work on.

    Returns:
        An ASGI application; it starts nothing and reads only its own static files.
    """
    app = FastAPI(
        title="stackproof",
        summary="Live view, streams and months of a stackproof collector",
        openapi_url="/api/openapi.json",
        docs_url=None,  # the interactive pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.services = services
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(FieldsError, _wrong_fields)
    app.add_exception_handler(HTTPException, _not_there)
    app.add_exception_handler(StoreError, _disk_disagrees)
    app.add_exception_handler(AccountError, _refused)
    app.add_exception_handler(SignInNeededError, pages.to_sign_in)
    app.add_exception_handler(ClientDisconnect, _gone)
    api = (
        routes, live_routes, proofs, one_way, documents, record_imports, outputs, plans, socket,
        account_routes, reviews, year_pages, screening, brought, broker, series, alarms,
    )  # fmt: skip
    for part in api:
        app.include_router(part.router)
    app.include_router(drill_pages.frames)
    app.include_router(visits.router)
    app.mount("/static", StaticFiles(directory=DASHBOARD / "static"), name="static")
    app.include_router(metrics.router)
    app.include_router(pages.router)
    app.include_router(account_pages.router)
    app.include_router(plans.pages)
    app.include_router(record_pages.router)
    app.include_router(review_pages.router)
    app.include_router(month_pages.router)
    app.include_router(year_pages.pages)
    app.include_router(drill_pages.router)
    app.include_router(commissioning_pages.router)
    app.include_router(visits.pages)
    app.include_router(sample_pages.router)
    app.include_router(brought.pages)
    app.include_router(alarm_pages.router)
    app.include_router(shift_pages.router)
    put_around(app, services.hosts)
    return app


async def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request, and where; its own values are not sent back: NaN is no JSON."""
    rows = error.errors() if isinstance(error, RequestValidationError) else []
    kept = ("type", "loc", "msg")
    return JSONResponse({"detail": [{key: row[key] for key in kept} for row in rows]}, 422)


async def _wrong_fields(_: Request, error: Exception) -> JSONResponse:
    """What is wrong with a document's fields: a sentence, and field -> what it must be."""
    problems = error.problems if isinstance(error, FieldsError) else {}
    return JSONResponse({"detail": str(error), "fields": problems}, 422)


async def _refused(request: Request, error: Exception) -> Response:
    """What accounts refuse, as a sentence; of a page, as a page."""
    if not isinstance(error, AccountError):
        raise error
    if (language := _language_of(request)) is None:
        return JSONResponse({"detail": sentence(error)}, error.status)
    return _page(request, language, error.status, sentence(error, language))


async def _not_there(request: Request, error: Exception) -> Response:
    """What is not there, or not for who asks, alike; of a page, as a page."""
    if not isinstance(error, HTTPException):
        raise error
    language = _language_of(request)
    if language is None or error.status_code != HTTPStatus.NOT_FOUND:
        return await http_exception_handler(request, error)
    return _page(request, language, 404, STRINGS[language]["page.not-there"])


def _language_of(request: Request) -> str | None:
    """Of a page, whether there is one at that address or not; None for all else."""
    first = request.url.path.lstrip("/").partition("/")[0]
    return first if first in LANGUAGES else None


def _page(request: Request, language: str, status: int, said: str) -> Response:
    """A sentence in place of a page; nobody has signed in where no route has asked who it is."""
    who = getattr(request.state, "who", STRANGER)
    return render("refused.html", language, status=status, path="/account", who=who, error=said)


async def _gone(_: Request, _error: Exception) -> Response:
    """Whoever sent something went away before its end: nobody hears the answer, nothing is kept."""
    return Response(status_code=400)


async def _disk_disagrees(request: Request, error: Exception) -> Response:
    """Evidence cannot be read or written just then, of one plant or all, whatever was asked."""
    log.error("%s", error, extra=about(request.path_params.get("plant", "")))
    if (language := _language_of(request)) is not None:
        return _page(request, language, 503, STRINGS[language]["page.disk"])
    return JSONResponse({"detail": without_paths(str(error))}, 503)
