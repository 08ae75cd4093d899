"""The JSON routes under /api/v1: health, plants, streams, points, live snapshot, months."""

import base64
import contextlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cloud.accounts.roles import Principal, Right
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.month_names import for_eyes_of
from cloud.api.month_texts import said
from cloud.api.services import MonthRefusedError, Services
from cloud.api.without_paths import without_paths
from cloud.live.hub import UnknownPlantError, UnknownPointError
from cloud.month.book import MONTHS_MAX
from cloud.month.newest import NEWEST, newest_months
from cloud.series.follow import Followed
from evidence.log_lines import about
from evidence.points import NAME_ID, POINT_ID
from evidence.timestamp import RESPONSE_BYTES_MAX

log = logging.getLogger("stackproof.cloud.http")

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)

PlantId = Annotated[str, Query(pattern=f"^{NAME_ID.pattern}$", description="plant id")]
PointId = Annotated[str, Query(pattern=f"^{POINT_ID.pattern}$", description="point id")]
PlantPath = Annotated[str, Path(pattern=f"^{NAME_ID.pattern}$", description="plant id")]
MonthPath = Annotated[
    str,
    Path(
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        description="YYYY-MM in the plant's time zone",
    ),
]
Newest = Annotated[
    int | None,
    Query(ge=1, le=MONTHS_MAX, description="so many of each plant, and older that need somebody"),
]
#: months that are given at once: a front of before, which asks for all, could read no more of them
MONTHS_WHOLE_MAX = 60_000
#: of a register for who may not see the gateways of every plant
BEHIND_TOLD = "a broker does not do what the register of its certificates says: cloud check"


class CloseRequest(BaseModel):
    """How to close a month: "interim" (so far) or "final" (the month is over).

    With `amend` it replaces the final close that stands, for a `reason` that the statement names. A
    month of which something is owed is closed for a `reason` that is logged before the close.
    """

    model_config = ConfigDict(extra="forbid")
    closing: Literal["interim", "final"]
    amend: bool = False
    reason: str = Field(default="", max_length=200)


def _from_base64(text: object) -> bytes:
    if not isinstance(text, str) or len(text) > 2 * RESPONSE_BYTES_MAX:
        raise ValueError("it is no base64 text of a time stamp")
    return base64.b64decode(text, validate=True)


Base64 = Annotated[bytes, BeforeValidator(_from_base64, json_schema_input_type=str)]


class SealRequest(BaseModel):
    """What a lost archive of an amended month was amended for; a time stamp over the seal, base64.

    Both are empty otherwise.
    """

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(default="", max_length=200)
    time_stamp: Base64 = b""


def _refused(plant: str, error: MonthRefusedError) -> HTTPException:
    """Why, for people elsewhere; all of it is in the log."""
    log.warning("%s", error, extra=about(plant))
    return HTTPException(409, without_paths(str(error)))


def _sealed(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was sealed; the archive by its name in `archive_dir`."""
    return {**facts, "archive": FilePath(str(facts["archive"])).name}


@contextlib.contextmanager
def found() -> Iterator[None]:
    """404 for what is not there."""
    try:
        yield
    except LookupError as error:
        raise HTTPException(404, str(error)) from error


def _known(given: Services, plant: str) -> None:
    """404 for a plant that this collector does not know; from any thread."""
    try:
        given.hub.facts(plant)
    except UnknownPlantError as error:
        raise HTTPException(404, str(error)) from error


def snapshot_of(given: Services, plant: str) -> dict[str, Any]:
    """What the live page of a plant shows; 404 for one that this collector does not know."""
    try:
        return given.hub.snapshot(plant)
    except UnknownPlantError as error:
        raise HTTPException(404, str(error)) from error


@router.get("/health")
async def health(given: Given, who: Who) -> dict[str, Any]:
    """Is every plant served, what did the live view refuse, and what came for unknown plants.

    `broker_away_s` is null while the broker is there, `broker_unkept_s` while the embedded one
    keeps what gateways send, as it does not on a full disk; `broker_register` says why brokers do
    not do what the register of their certificates says, "" where they do; it names gateways of
    any plant, so only a system administrator and programs on this machine are told why. `status`
    is "ok", or "amiss" where `amiss` says of a plant why it does not go on: by reason, a sentence.
    `scrub` says of each plant how many entries of its log the walk over all evidence has done, and
    when the last whole one ended with how many findings.
    Who may see nothing of any plant is told the status alone.
    """
    amiss = given.streams.amiss()
    told: dict[str, Any] = {"status": "amiss" if amiss else "ok"}
    if Right.EVIDENCE not in who.rights:
        return told
    served, behind = given.streams.served(), given.transport.trouble or ""
    if behind and Right.SYSTEM not in who.rights:
        behind = BEHIND_TOLD
    return told | {
        "served": [plant for plant in served if given.accounts.sees(who, plant)],
        "amiss": {
            plant: {reason: without_paths(said) for reason, said in why.items()}
            for plant, why in amiss.items()
            if given.accounts.sees(who, plant)
        },
        "server_ns": given.clock.wall_ns(),
        "plants": len(given.plants_of(who)),
        "viewers": given.hub.viewers,
        "live_refused": dict(given.hub.refused),
        "strangers_refused": given.streams.strangers(),
        "broker_away_s": given.broker.away_s,
        "broker_unkept_s": given.broker_unkept_s(),
        "broker_register": without_paths(behind),
        "series": _series_state(given, who),
        "scrub": [
            {name: value for name, value in row.items() if name != "found"}
            for row in given.scrub()
            if given.accounts.sees(who, row["plant"])
        ],
    }


def _series_state(given: Services, who: Principal) -> dict[str, Any]:
    """How the store of series is, and how far behind the log it is of the plants one may see.

    A plant none of whose gateways could be followed has one row without a gateway. `minutes_days`:
    how long its minutes stay, where that is less long than is configured; else null.
    """
    state, trouble = given.series.state(), given.series.trouble()
    followed = given.series.followed()
    known = {one.plant for one in followed}
    amiss = sorted({plant for plant, _ in trouble} - known)
    unknown = [Followed(plant, "", 0, 0, 0, 0) for plant in amiss]
    return {
        "kind": state.kind,
        "trouble": without_paths(state.trouble),
        "waiting": state.waiting,
        "plants": [
            {
                "plant": one.plant,
                "gateway": one.gateway,
                "through_ns": one.through_ns,
                "behind_ns": one.behind_ns,
                "minutes_days": state.short_days.get(one.plant),
                "trouble": without_paths(
                    trouble.get((one.plant, ""), "") or trouble.get((one.plant, one.gateway), "")
                ),
            }
            for one in [*followed, *unknown]
            if given.accounts.sees(who, one.plant)
        ],
    }


@router.get("/rights")
async def rights(who: Who) -> dict[str, Any]:
    """What whoever asks may do, and a reviewer's region: null of all others.

    What a reviewer reads counts as opened by that reviewer.
    """
    return {"rights": sorted(who.rights), "region": who.region}


@router.get("/plants")
async def plants(given: Given, who: Who) -> list[dict[str, Any]]:
    """Facts of every plant one may see whose configuration has been received."""
    return [given.hub.facts(plant) for plant in given.plants_of(who)]


@router.get("/streams")
async def streams(given: Given, who: Who) -> Sequence[Mapping[str, Any]]:
    """State of every gateway's stream of signed frames, of the plants one may see."""
    return [row for row in given.streams.status() if given.accounts.sees(who, str(row["plant"]))]


@router.get("/points")
async def points(given: Given, plant: PlantId) -> list[dict[str, Any]]:
    """Every point of a plant with its newest value (live, unsigned), quality and times."""
    state = snapshot_of(given, plant)
    names = ("value", "quality", "tick_ns", "source_ns")
    none = (None, None, None, None)
    return [
        {"id": point, **facts, **dict(zip(names, state["values"].get(point, none), strict=True))}
        for point, facts in state["points"].items()
    ]


@router.get("/history")
async def history(given: Given, plant: PlantId, point: PointId) -> dict[str, Any]:
    """The last ten minutes of a pot voltage or of an emission rate (live, unsigned)."""
    try:
        rows = given.hub.history(plant, point)
    except (UnknownPlantError, UnknownPointError) as error:
        raise HTTPException(404, str(error)) from error
    return {
        "point": point,
        "ticks_ns": [tick for tick, _ in rows],
        "values": [value for _, value in rows],
    }


@router.get("/live/snapshot")
async def livesnapshot_of(given: Given, plant: PlantId) -> dict[str, Any]:
    """The whole live state: what the WebSocket sends first; for polling where it is blocked."""
    return snapshot_of(given, plant)


@router.get("/plants/{plant}/accumulated")
async def accumulated(given: Given, plant: PlantPath) -> Mapping[str, Any]:
    """This hour, day and month so far as the month counts them, and where month and year end.

    Of committed frames alone. What has no figure has a `reason` in its place, never 0.
    """
    with found():
        return given.accumulated.of(plant)


@router.get("/months", response_model=Sequence[Mapping[str, Any]])
def months(
    given: Given,
    who: Who,
    plant: Annotated[str, Query(pattern=f"^({NAME_ID.pattern})?$", description="plant id")] = "",
    newest: Newest = None,
) -> Response:
    """Months of one plant, or of all one may see, newest first: state, deadline, what is owed.

    With `newest` so many of each plant, and of its older ones the oldest due and the oldest failed.
    """
    if plant:
        _known(given, plant)
    plants = [plant] if plant else given.plants_of(who)
    rows = [row for name in plants for row in newest_months(given.months.rows(name), newest)]
    if len(rows) > MONTHS_WHOLE_MAX:
        raise HTTPException(
            422,
            f"{len(rows)} months are not given at once: ask for those of one plant (plant=ID), or "
            f"for the newest of each (newest={NEWEST}); a front that asks for all of them is older "
            "than this collector: upgrade it",
        )
    # a row at a time, beside the event loop: the newest of 1,500 plants at once held it for 0.7 s
    told = (json.dumps(said(for_eyes_of(who, row)), ensure_ascii=False) for row in rows)
    return Response(f"[{','.join(told)}]".encode(), media_type="application/json")


@router.get("/plants/{plant}/months/{month}")
def month(given: Given, who: Who, plant: PlantPath, month: MonthPath) -> Mapping[str, Any]:
    """A month with its checklist: days and devices, documents, what is owed, closes, archives."""
    _known(given, plant)
    found = given.months.month(plant, month)
    if found is None:
        raise HTTPException(404, f"{plant} has no month {month}")
    return said(for_eyes_of(who, found))


@router.post("/months/{plant}/{month}/close")
async def close_month(
    given: Given,
    who: Who,
    plant: PlantPath,
    month: MonthPath,
    order: CloseRequest,
) -> Mapping[str, Any]:
    """Close and seal a month: an accountant's."""
    _known(given, plant)
    try:
        return _sealed(
            await given.months.close(
                plant,
                month,
                closing=order.closing,
                amend=order.amend,
                reason=order.reason,
                by=who.account,
            )
        )
    except MonthRefusedError as error:
        raise _refused(plant, error) from error


@router.post("/months/{plant}/{month}/seal")
async def seal_month(
    given: Given,
    plant: PlantPath,
    month: MonthPath,
    order: SealRequest,
) -> Mapping[str, Any]:
    """Seal a closed month again, with signatures that came since: an accountant's."""
    _known(given, plant)
    try:
        return _sealed(
            await given.months.seal(plant, month, reason=order.reason, reply=order.time_stamp)
        )
    except MonthRefusedError as error:
        raise _refused(plant, error) from error
