"""What the pages ask beside the live stream: plants in one line each, anode effects, their CSV."""

import csv
import io
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from cloud.accounts.roles import Principal
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.routes import PlantPath
from cloud.api.services import Services
from cloud.clock import instant
from cloud.live.hub import UnknownPlantError
from evidence.points import NAME_ID

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)

Name = Annotated[str, Query(pattern=f"^({NAME_ID.pattern})?$", description='id; "" for any')]
#: masses are the indicator by the slope method, never the figure of record
COLUMNS = (
    "potline", "pot", "start_utc", "end_utc", "time_zone", "duration_s", "polarised_s", "v_max_v",
    "over_target_v_s", "cf4_kg_indicator", "state", "flags",
)  # fmt: skip
_NS = 1_000_000_000


@router.get("/overview")
async def overview(given: Given, who: Who) -> dict[str, Any]:
    """Every plant one may see in one line: emission now, trusted share, effects, gateways.

    `others` are those whose configuration is not known: with the reasons why they do not go on, as
    in `/health`, or none of those that wait for their first one.
    """
    return overview_of(given, who)


def overview_of(given: Services, who: Principal) -> dict[str, Any]:
    """JSON-ready: what the page of all plants begins with, and asks for again."""
    return {
        "server_ns": given.clock.wall_ns(),
        "plants": [given.hub.summary(plant) for plant in given.plants_of(who)],
        "others": [{"plant": plant, "reasons": why} for plant, why in given.others_of(who).items()],
    }


@router.get("/plants/{plant}/effects")
async def effects(
    given: Given, plant: PlantPath, potline: Name = "", pot: Name = ""
) -> list[dict[str, Any]]:
    """The newest 500 anode effects, newest first, those of the log too; of two days after a start.

    One without an end, not lost, of a gateway that is silent may be over: nobody knows.
    """
    return _effects(given, plant, potline, pot)


@router.get("/plants/{plant}/effects.csv")
async def effects_csv(
    given: Given, plant: PlantPath, potline: Name = "", pot: Name = ""
) -> Response:
    """The same as a table; times in UTC, masses by the slope method (an indicator)."""
    rows = _effects(given, plant, potline, pot)
    text, zone = io.StringIO(), given.hub.zone(plant)
    written = csv.writer(text, lineterminator="\r\n")
    written.writerow(COLUMNS)
    written.writerows(_cells(row, zone) for row in rows)
    name = "-".join(filter(None, (plant, potline, pot, "anode-effects.csv")))
    return Response(
        "\ufeff" + text.getvalue(),  # so that spreadsheets read it as UTF-8
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _effects(given: Services, plant: str, potline: str, pot: str) -> list[dict[str, Any]]:
    try:
        return given.hub.effects(plant, potline, pot)
    except UnknownPlantError as error:
        raise HTTPException(404, str(error)) from error


def _cells(row: dict[str, Any], zone: ZoneInfo) -> list[object]:
    end_ns = row["end_ns"]
    state = "lost" if row["lost"] else "running" if end_ns is None else "ended"
    return [
        row["potline"], row["pot"], instant(row["start_ns"]),
        "" if end_ns is None else instant(end_ns), zone.key,
        "" if end_ns is None else (end_ns - row["start_ns"]) / _NS, row["polarised_ns"] / _NS,
        row["v_max"], row["integral_v_s"] or "", row["cf4_kg"] or "", state, " ".join(row["flags"]),
    ]  # fmt: skip
