"""The drill's pages and downloads: month, line, days, hours, minutes, reading, document. No script.

What a reviewer opens is noted, where somebody keeps it (`Services.openings`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from fastapi.responses import HTMLResponse

from cloud.accounts.roles import Principal, Right
from cloud.api.documents import COSE_TYPE, Sha256Path, download, zone_of
from cloud.api.drill_view import DrillView
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import Language, render
from cloud.api.routes import MonthPath, PlantPath
from cloud.api.services import Services
from cloud.drill.store import StoreSource
from cloud.records.forms import CHOSEN
from evidence.errors import EvidenceError
from evidence.points import NAME_ID, POINT_ID

PEM_TYPE = "application/x-pem-file"

router = APIRouter(
    prefix="/{language}/plants/{plant}/months/{month}", default_response_class=HTMLResponse,
    include_in_schema=False, route_class=GuardedRoute,
)  # fmt: skip
frames = APIRouter(prefix="/api/v1/plants/{plant}/streams/{gateway}", route_class=GuardedRoute)

Gateway = Annotated[str, Path(pattern=f"^{NAME_ID.pattern}$", description="gateway id")]
Point = Annotated[str, Path(pattern=f"^{POINT_ID.pattern}$", description="point id")]
Seq = Annotated[int, Path(ge=0, lt=2**63, description="seq of the frame")]
Instant = Annotated[int, Query(ge=0, lt=2**63)]
Step = Literal["day", "hour", "minute"]


@dataclass(frozen=True)
class Asked:
    """What is asked of a page: of which month of which plant, by whom, in which language."""

    given: Services
    who: Principal
    language: str
    source: StoreSource
    view: DrillView

    def opened(self, item: str) -> None:
        """Note it, if it is a reviewer who opens it."""
        if self.who.region is not None:
            now_ns, source = self.given.clock.wall_ns(), self.source
            self.given.openings.note(self.who.account, source.plant, source.month, item, now_ns)

    def page(self, template: str, path: str, **values: object) -> HTMLResponse:
        """The page; `path` is its address behind "…/drill"."""
        plant, month = self.source.plant, self.source.month
        at = f"/plants/{plant}/months/{month}"
        return render(
            template, self.language, path=f"{at}{path}", who=self.who, plant=plant, month=month,
            base=f"/{self.language}{at}", view=self.view, simulated=self.given.is_simulated(plant),
            has_records=Right.RECORDS in self.who.rights, **values,  # type: ignore[arg-type] # `status` is none of them
        )  # fmt: skip


@contextmanager
def found() -> Iterator[None]:
    """What is not there is 404, what is damaged 422."""
    try:
        yield
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except EvidenceError as error:
        raise HTTPException(422, str(error)) from error


def _asked(
    given: Given, who: Who, plant: PlantPath, month: MonthPath, language: Language
) -> Asked:  # fmt: skip
    zone = zone_of(given, plant)
    with found():
        source = given.drill.source(plant, month, zone)
    return Asked(given, who, language, source, DrillView(language, zone))


Page = Annotated[Asked, Depends(_asked)]


@router.get("/drill")
def month(asked: Page, line: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """The lines of a month, or one of them with what it was made of."""
    with found():
        top = asked.given.drill.top(asked.source)
    chosen = [one for one in top.lines if one.path == line]
    if line and not chosen:
        raise HTTPException(404, f"the month has no {line[:80]!r}")
    # of its own name: a review's line is opened where all of its parameters stand
    asked.opened(f"drill/{line}" if line else "lines")
    lines = asked.view.lines(top)
    path = f"/drill?line={quote(line)}" if line else "/drill"
    return asked.page("drill.html", path, top=top, lines=lines, chosen=chosen, line=line)


@router.get("/drill/{gateway}/{point}")
def times(
    asked: Page, gateway: Gateway, point: Point, step: Step | None = None, at: Instant = 0
) -> HTMLResponse:
    """The days of a month; the hours of a day, the minutes of an hour, the readings of a minute."""
    desk, source, zone = asked.given.drill, asked.source, asked.view.zone
    rows: Sequence[Any]
    with found():
        unit = desk.point(source, gateway, point).quantity.unit
        if step is None:
            rows = desk.days(source, gateway, zone)
        elif step == "day":
            rows = desk.hours(source, gateway, zone, at)
        elif step == "hour":
            rows = desk.minutes(source, gateway, point, at)
        else:
            rows = desk.readings(source, gateway, point, at)
    asked.opened(f"point/{gateway}/{point}")
    query = f"?step={step}&at={at}" if step else ""
    return asked.page(
        "drill_times.html", f"/drill/{gateway}/{point}{query}", gateway=gateway, point=point,
        step=step, at=at, rows=rows, unit=unit,
    )  # fmt: skip


@router.get("/drill/{gateway}/{point}/{seq}")
def reading(
    asked: Page, gateway: Gateway, point: Point, seq: Seq, tick: Instant
) -> HTMLResponse:  # fmt: skip
    """One reading with everything that proves it."""
    with found():
        told = asked.given.drill.reading(asked.source, gateway, point, seq, tick)
        data = asked.given.drill.frame(asked.source.plant, gateway, seq)
    asked.opened(f"reading/{gateway}/{seq}/{point}")
    return asked.page(
        "drill_reading.html", f"/drill/{gateway}/{point}/{seq}?tick={tick}", told=told,
        dump=asked.view.dump(data),
    )  # fmt: skip


@router.get("/documents/{sha256}")
def story(asked: Page, sha256: Sha256Path) -> HTMLResponse:
    """A document; of a sample, all that was signed of it, with the attachments."""
    with found():
        rows = asked.given.drill.story(asked.source, bytes.fromhex(sha256))
    for row in rows:
        asked.opened(f"document/{row['sha256']}")
    return asked.page(
        "drill_story.html", f"/documents/{sha256}", sha256=sha256, chosen=CHOSEN,
        rows=[asked.view.readable(row) for row in rows],
    )  # fmt: skip


# -- downloads ------------------------------------------------------------------------------------


@frames.get(
    "/frames/{seq}",
    response_class=Response,
    responses={200: {"content": {COSE_TYPE: {}}}},
)
def frame(given: Given, plant: PlantPath, gateway: Gateway, seq: Seq) -> Response:
    """One frame as it was signed; `stackproof month frame` checks it."""
    with found():
        data = given.drill.frame(plant, gateway, seq)
    return download(data, COSE_TYPE, f"{gateway}-{seq}.cose")


@frames.get(
    "/frames/{seq}/certificate",
    response_class=Response,
    responses={200: {"content": {PEM_TYPE: {}}}},
)
def certificate(given: Given, plant: PlantPath, gateway: Gateway, seq: Seq) -> Response:
    """PEM of the certificate of the key that signed a frame."""
    with found():
        pem = given.drill.certificate(plant, gateway, seq)
    return download(pem, PEM_TYPE, f"{gateway}-{seq}.crt")
