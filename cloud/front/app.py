"""The front's web application: pages and API over what the collectors were heard to say."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from cloud.api.rendering import DASHBOARD
from cloud.api.security import SecurityHeaders
from cloud.api.services import LOOPBACK_HOSTS
from cloud.app import GZIP_BYTES_MIN
from cloud.clock import Clock
from cloud.front import pages, routes
from cloud.front.config import FrontConfig
from cloud.front.listener import Listener
from cloud.front.lists import NotKnownError
from cloud.front.passing import Door
from cloud.front.readers import ReadersOnly
from cloud.front.routes import Front


def front_of(config: FrontConfig, clock: Clock) -> Front:
    """Everything the application works on; nobody is asked yet."""
    listeners = tuple(Listener(one, clock) for one in config.collectors)
    doors = tuple(
        Door(one.name, at.pages, one.asked)
        for one, at in zip(listeners, config.collectors, strict=True)
    )
    return Front(listeners, doors, clock)


def create_front(config: FrontConfig, front: Front) -> FastAPI:
    """Build the application; it starts nothing."""
    app = FastAPI(
        title="stackproof front",
        summary="Lists of several collectors. What is of one plant is as at its own collector.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # the interactive pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.front = front
    app.add_exception_handler(NotKnownError, _not_known)
    app.include_router(routes.router)
    app.include_router(routes.beside)
    app.mount("/static", StaticFiles(directory=DASHBOARD / "static"), name="static")
    app.include_router(pages.router)
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_BYTES_MIN)
    app.add_middleware(ReadersOnly, readers=config.readers)
    app.add_middleware(
        TrustedHostMiddleware,
        allowed_hosts=[*LOOPBACK_HOSTS, *config.http.names],
        www_redirect=False,
    )
    app.add_middleware(SecurityHeaders)  # outermost: also on refusals
    return app


async def _not_known(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)
