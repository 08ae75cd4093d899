"""What a point said over time: /api/v1/plants/{plant}/series, as JSON columns or CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Response

from cloud.api.documents import download, zone_of
from cloud.api.drill_pages import found
from cloud.api.guard import Given, GuardedRoute
from cloud.api.routes import PlantPath, PointId
from cloud.api.services import Services
from cloud.series.bucket import SECOND_NS, Bucket, quantity_of
from cloud.series.desk import SpanError, Told, step_for
from cloud.series.raw import readings
from edge.calc.local_time import PlantDays
from evidence.counts import count_to_text
from evidence.findings import utc
from evidence.points import NAME_ID
from evidence.quality import sentence

Step = Literal["auto", "raw", "60", "3600", "86400"]
#: without `from`: what came before `to`
SPAN_NS = 86_400 * SECOND_NS
#: latest instant that may be asked for: the end of the year 9000, which every calendar here knows
LATEST_NS = 2**62
_NUMBERS = ("min", "mean", "max", "last")
_HEADERS = ("gateway", "point", "unit", "from_utc", "count", *_NUMBERS, "quality", "says")

router = APIRouter(prefix="/api/v1/plants/{plant}", route_class=GuardedRoute)

GatewayId = Annotated[str, Query(pattern=f"^({NAME_ID.pattern})?$", description="gateway id")]
Instant = Annotated[int | None, Query(ge=0, lt=LATEST_NS, description="UTC nanoseconds")]


@router.get("/series", response_model=None, responses={200: {"content": {"text/csv": {}}}})
def series(  # noqa: PLR0917 - each is another thing
    given: Given,
    plant: PlantPath,
    point: PointId,
    from_ns: Annotated[Instant, Query(alias="from")] = None,
    to_ns: Annotated[Instant, Query(alias="to")] = None,
    step: Step = "auto",
    gateway: GatewayId = "",
    form: Literal["json", "csv"] = "json",
) -> Mapping[str, Any] | Response:
    """Lowest, mean, highest and newest value by minute, hour or plant-local day, with quality.

    Of committed frames alone: what is newer than `through_ns` is seen live. Without `to` until now,
    without `from` the day before `to`; `auto` takes the shortest step that one answer holds. `raw`
    gives single readings of an hour at most, as the signed frames have them. A bucket without a
    usable reading has count 0, its worst quality and no value; where nothing came is no bucket.
    """
    zone = zone_of(given, plant)
    end_ns = given.clock.wall_ns() if to_ns is None else to_ns
    begin_ns = max(0, end_ns - SPAN_NS) if from_ns is None else from_ns
    if begin_ns >= end_ns:
        raise HTTPException(422, "`from` must be before `to`")
    step_s = step_for(begin_ns, end_ns) if step == "auto" else 0 if step == "raw" else int(step)
    try:
        if step_s:
            held: Sequence[Told] = given.series.told(
                plant, zone, point, step_s, begin_ns, end_ns, gateway
            )
        else:
            held = _raw(given, plant, zone, point, begin_ns, end_ns, gateway)
    except SpanError as error:
        raise HTTPException(422, str(error)) from error
    if form == "csv":
        return download(_csv(held), "text/csv", f"{plant}-{point}.csv")
    asked = {"plant": plant, "point": point, "from_ns": begin_ns, "to_ns": end_ns, "step_s": step_s}
    return {**asked, "series": [_columns(one) for one in held]}


def _raw(  # noqa: PLR0917 - each is another thing
    given: Services, plant: str, zone: ZoneInfo, point: str, from_ns: int, to_ns: int, gateway: str
) -> list[Told]:
    with found():
        month = PlantDays(zone.key).day(from_ns).month
        source = given.drill.source(plant, month, zone)
        held = readings(source, point, from_ns, to_ns, gateway)
    newest = {one: max((b.from_ns + 1 for b in held[one]), default=0) for one in held}
    return [Told(one, held[one], newest[one], None) for one in sorted(held)]


def _columns(told: Told) -> dict[str, Any]:
    one = told.series
    rows = list(zip(*map(_row, [told] * len(told.buckets), told.buckets), strict=True))
    names = ("from_ns", "count", *_NUMBERS, "quality")
    return {
        "gateway": one.gateway,
        "quantity": quantity_of(one.quantity),
        "unit": quantity_of(one.quantity)["unit"],
        "decimals": one.decimals,
        "through_ns": told.through_ns,
        "open_ns": told.open_ns,
        **dict(zip(names, rows or [()] * len(names), strict=True)),
    }


def _row(told: Told, bucket: Bucket) -> tuple[int | str | None, ...]:
    """Instant, count, lowest, mean, highest and newest value as decimal strings, quality."""
    numbers: tuple[str | None, ...] = (None,) * 4
    if bucket.count:
        low, high, last = (
            count_to_text(count, told.series.decimals)
            for count in (bucket.low, bucket.high, bucket.last)
        )
        # there is no arithmetic with the numbers that stand for states
        is_state = quantity_of(told.series.quantity)["kind"] == "state"
        mean = None if is_state else bucket.mean_text(told.series.decimals)
        numbers = low, mean, high, last
    return bucket.from_ns, bucket.count, *numbers, bucket.worst


def _csv(held: Sequence[Told]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_HEADERS)
    for told in held:
        writer.writerows(_csv_rows(told))
    return out.getvalue().encode("utf-8-sig")


def _csv_rows(told: Told) -> Iterator[tuple[int | str | None, ...]]:
    one = told.series
    for bucket in told.buckets:
        _, *numbers, worst = _row(told, bucket)
        unit = quantity_of(one.quantity)["unit"]
        says = sentence(bucket.worst)
        yield one.gateway, one.point, unit, utc(bucket.from_ns), *numbers, worst, says
