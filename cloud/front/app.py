"""The front's web application: pages and API over what the collectors were heard to say."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from cloud.api.rendering import DASHBOARD
from cloud.api.security import put_around
from cloud.clock import Clock
from cloud.front import pages, routes
from cloud.front.config import FrontConfig
from cloud.front.listener import Listener
from cloud.front.lists import NotKnownError
from cloud.front.passing import Door
from cloud.front.readers import ReadersOnly
from cloud.front.routes import Front
from cloud.front.turning import TurnError


def front_of(config: FrontConfig, clock: Clock) -> Front:
    """Everything the application works on; nobody is asked yet."""
    listeners = tuple(Listener(one, clock) for one in config.collectors)
    doors = {one.name: Door(one.name, one.heard.pages, one.asked) for one in listeners}
    sign_out = config.sign_in.sign_out if config.sign_in else ""
    return Front(listeners, doors, clock, sign_out)


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
    app.add_exception_handler(TurnError, _no_turn)
    app.include_router(routes.router)
    app.include_router(routes.beside)
    app.mount("/static", StaticFiles(directory=DASHBOARD / "static"), name="static")
    app.include_router(pages.router)
    app.add_middleware(ReadersOnly, readers=config.readers, sign_in=config.sign_in)
    put_around(app, config.http.names)
    return app


async def _not_known(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)


async def _no_turn(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 422)
