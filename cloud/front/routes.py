"""The front's /api/v1: the collectors' lists as one, and everything of one plant from where it is.

Lists are given whole, or by parts where `count` or `after` asks for one.
A plant's paths are those of the collector's own table whose right is one of reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse, Response

from cloud.api.access import ACCESS, API
from cloud.clock import Clock
from cloud.front import lists, rates
from cloud.front.heard import READING, Heard, Why, at
from cloud.front.listener import Listener
from cloud.front.passing import Door
from cloud.front.prometheus import text
from cloud.front.turning import AFTER_MAX, COUNT_MAX, Turn, Turned, turned
from cloud.month.newest import NEWEST

T = TypeVar("T")
#: paths that say their plant in the query; the lists among them are asked of all without one
OF_A_PLANT = ("points", "history", "live/snapshot", "alarms/events", "alarms/events.csv")
QUERY_MAX = 2_000


@dataclass(frozen=True)
class Front:
    """What the front's routes and pages work on.

    Attributes:
        listeners: every collector, in FRONT.toml's order.
        doors: name of each -> what is passed on from it.
        clock: the front's.
        sign_out: path at which persons sign out, "" for none.
    """

    listeners: tuple[Listener, ...]
    doors: Mapping[str, Door]
    clock: Clock
    sign_out: str

    @property
    def heard(self) -> tuple[Heard, ...]:
        """What they were last heard to say."""
        now_ns = self.clock.wall_ns()
        return tuple(one.heard.at(now_ns) for one in self.listeners)

    def door(self, plant: str) -> Door:
        """Of the collector that has a plant.

        Raises:
            HTTPException: none has it, none that answers, or several have it.
        """
        heard = self.heard
        found = at(heard, plant)
        if not found:
            silent = [one.name for one in heard if one.amiss is not None]
            if silent:
                told = f"no collector that answers has this plant; silent: {', '.join(silent)}"
                raise HTTPException(503, told)
            raise HTTPException(404, f"no collector has a plant {plant[:40]!r}")
        if len(found) > 1:
            names = ", ".join(one.name for one in found)
            raise HTTPException(409, f"{plant} is at {names}: ask one of them itself")
        return self.doors[found[0].name]


def _front(request: Request) -> Front:
    found: Front = request.app.state.front
    return found


Given = Annotated[Front, Depends(_front)]


class Parts:
    """Which part of a list is asked for, and its answer.

    Args:
        request: for a list.
        response: gets the address of the next part.
        after: `next` of the part before.
        count: rows at most.
    """

    def __init__(
        self,
        request: Request,
        response: Response,
        after: Annotated[str, Query(max_length=AFTER_MAX, description="`next` of before")] = "",
        count: Annotated[int | None, Query(ge=1, le=COUNT_MAX, description="all without")] = None,
    ) -> None:
        self.turn = Turn(after, count)
        self._path, self._headers = request.url.path, response.headers

    def of_newest(self) -> None:
        """Say that a list has the newest months of each plant, and which older ones need somebody.

        All months of one plant are at its collector.
        """
        self._headers["stackproof-newest"] = f"{NEWEST}"

    def rows(self, found: Turned[tuple[str, T]]) -> list[T]:
        """As a list alone."""
        if link := found.link(self._path, self.turn):
            self._headers["Link"] = link
        return [row for _, row in found.rows]

    def lists(self, found: Turned[tuple[str, T]], *names: str) -> dict[str, Any]:
        """As lists of these names, with where the next part begins."""
        self.rows(found)
        told = {name: [row for key, row in found.rows if key == name] for name in names}
        return {**told, "next": found.next, "more": found.more}


By = Annotated[Parts, Depends()]
Plant = Annotated[str, Query(max_length=40, description="plant id; all plants without")]

router = APIRouter(prefix="/api/v1")
beside = APIRouter(include_in_schema=False)


@router.get("/collectors")
async def collectors(given: Given) -> list[dict[str, Any]]:
    """Every collector: whether it answers, since when not and why, which plants it has."""
    return lists.collectors(given.heard)


@router.get("/health")
async def health(given: Given) -> Any:  # noqa: ANN401 - JSON
    """What each collector says of itself, and plants that several serve."""
    return lists.health(given.heard)


@router.get("/plants")
async def plants(given: Given, by: By) -> Any:  # noqa: ANN401 - JSON
    """Facts of every plant."""
    return by.rows(lists.merged(given.heard, "plants", turn=by.turn))


@router.get("/streams")
async def streams(given: Given, by: By) -> Any:  # noqa: ANN401 - JSON
    """State of every gateway's stream of signed frames."""
    return by.rows(lists.merged(given.heard, "streams", turn=by.turn))


@router.get("/overview")
async def overview(given: Given, by: By) -> dict[str, Any]:
    """Every plant in one line."""
    found = lists.merged(given.heard, "overview", ["plants"], by.turn)
    return {"server_ns": given.clock.wall_ns(), **by.lists(found, "plants")}


@router.get("/live/rates")
async def live_rates(given: Given, by: By) -> dict[str, Any]:
    """What every plant emits now: value, unit, quality, age at `server_ns`, and of which slice.

    `value` is null where it is bad or its collector is not heard, never 0.
    """
    now_ns = given.clock.wall_ns()
    heard = [heard for heard, _ in lists.known(given.heard, "overview")]
    found = turned(rates.placed(rates.rates(heard, now_ns)), by.turn)
    rows = Turned([("rates", one.as_map()) for one in found.rows], found.next, found.more)
    return {"server_ns": now_ns, **by.lists(rows, "rates")}


@router.get("/months")
async def months(request: Request, given: Given, by: By, plant: Plant = "") -> Any:  # noqa: ANN401 - JSON, or an answer passed on
    """Months with their state, deadline and what is owed: all of one plant.

    Of all plants the newest 13 of each (`stackproof-newest`), and its oldest before them that
    needs somebody.
    """
    if plant:
        return await _of(request, given, plant)
    by.of_newest()
    return by.rows(lists.merged(given.heard, "months", turn=by.turn))


@router.get("/reviews")
async def reviews(given: Given, by: By) -> dict[str, Any]:
    """Closed months with how far their review is: the newest 13 of each plant.

    And older ones with an open question, or that were returned.
    """
    by.of_newest()
    return by.lists(lists.merged(given.heard, "reviews", ["reviews"], by.turn), "reviews")


@router.get("/alarms")
async def alarms(request: Request, given: Given, by: By, plant: Plant = "") -> Any:  # noqa: ANN401 - JSON, or an answer passed on
    """What stands and what cleared; counts are null while a collector is not heard."""
    if plant:
        return await _of(request, given, plant)
    heard, names = given.heard, ("standing", "cleared")
    counts = ("unacknowledged", "new_in_last_hour")
    return {
        "server_ns": given.clock.wall_ns(),
        **{name: lists.counted(heard, "alarms", name) for name in counts},
        **by.lists(lists.merged(heard, "alarms", names, by.turn), *names),
    }


# -- of one plant ---------------------------------------------------------------------------------


async def _of(request: Request, given: Front, plant: str) -> Response:
    """The same question to the collector that has the plant."""
    path: str = request.scope["route"].path
    named = {name: quote(value, safe="") for name, value in request.path_params.items()}
    if {".", ".."} & set(named.values()):  # what stands before a collector may walk by them
        raise HTTPException(404, "there is no such path")
    query = request.url.query
    if len(query) > QUERY_MAX:
        raise HTTPException(414, f"a query has at most {QUERY_MAX} characters")
    target = path.removeprefix(f"{API}/").format_map(named)
    return await given.door(plant).get(f"{target}?{query}" if query else target)


async def _of_query(request: Request, given: Given, plant: Plant = "") -> Response:
    if not plant:
        raise HTTPException(422, "say of which plant: ?plant=ID")
    return await _of(request, given, plant)


async def _of_path(request: Request, given: Given, plant: str) -> Response:
    return await _of(request, given, plant)


for _path in OF_A_PLANT:
    router.add_api_route(f"/{_path}", _of_query, include_in_schema=False)
for (_method, _path), _right in ACCESS.items():
    if _method == "GET" and _path.startswith(f"{API}/plants/{{plant}}/") and _right in READING:
        router.add_api_route(_path.removeprefix(API), _of_path, include_in_schema=False)


# -- for those who watch the front ----------------------------------------------------------------


@beside.get("/metrics")
async def metrics(given: Given) -> Response:
    """The text format of Prometheus: which collectors are heard."""
    return text(given.heard)


@beside.get("/livez")
async def live() -> PlainTextResponse:
    """The process answers: if it does not, start it again."""
    return PlainTextResponse("alive\n")


@beside.get("/readyz")
async def ready(given: Given) -> PlainTextResponse:
    """200: every collector was asked once. One that is silent is told by /metrics, not here."""
    known = [part.amiss for one in given.heard for part in one.parts.values()]
    is_ready = all(amiss is None or amiss.why is not Why.UNASKED for amiss in known)
    return PlainTextResponse("ready\n" if is_ready else "starting\n", 200 if is_ready else 503)
