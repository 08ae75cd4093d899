"""The on-site sheet of a reviewer: its page, and a face value compared with the signed log."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from cloud.accounts.errors import AccountError
from cloud.api.documents import zone_of
from cloud.api.drill_pages import found
from cloud.api.guard import Given, GuardedRoute
from cloud.api.record_pages import Asked, Hash, Page
from cloud.api.rendering import STRINGS
from cloud.api.routes import MonthPath, PlantPath
from cloud.records.forms import fields_of
from cloud.records.written import instant_ns, written_body
from cloud.visits.held import hold
from cloud.visits.sheet import to_visit, told
from evidence.documents.fields import DECIMAL
from evidence.documents.kinds import KINDS
from evidence.documents.review import VISIT
from evidence.points import NAME_ID, POINT_ID
from evidence.quality import sentence

router = APIRouter(
    prefix="/api/v1/plants/{plant}/months/{month}/visit", route_class=GuardedRoute
)  # fmt: skip
pages = APIRouter(
    prefix="/{language}/plants/{plant}/months/{month}", default_response_class=HTMLResponse,
    include_in_schema=False, route_class=GuardedRoute,
)  # fmt: skip


@router.get("/compare")
def compare(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given,
    plant: PlantPath,
    month: MonthPath,
    gateway: Annotated[str, Query(pattern=f"^{NAME_ID.pattern}$", description="gateway id")],
    point: Annotated[str, Query(pattern=f"^{POINT_ID.pattern}$", description="point id")],
    face: Annotated[str, Query(pattern=f"^{DECIMAL.pattern}$", description="as on the meter")],
    at: Annotated[str, Query(max_length=20, description="2026-10-01 08:30, the plant's time")],
) -> Mapping[str, Any]:
    """A face value against the signed readings of its minute; docs/site-visits.md says how."""
    zone = zone_of(given, plant)
    at_ns = instant_ns(at, zone)
    if at_ns is None:
        raise HTTPException(422, f"{at!r} is no time of the plant such as 2026-10-01 08:30")
    with found():
        source = given.drill.source(plant, month, zone)
        held = hold(source, gateway, point, face, at_ns)
    of, reading = held.compared, held.compared.reading
    return {
        "result": of.result, "unit": held.unit, "low": of.low, "high": of.high,
        "allowed": of.allowed, "difference": of.difference,
        "reading": None if reading is None else reading.value,
        "tick_ns": None if reading is None else reading.tick_ns,
        "quality": None if of.quality is None else {
            "code": of.quality,
            **{language: sentence(of.quality, language) for language in ("en", "zh")},
        },
        "frame": held.frame, "frame_sha256": held.frame_sha256,
    }  # fmt: skip


@pages.get("/visit")
def visit(asked: Page, month: MonthPath, follows: Hash = "") -> HTMLResponse:
    """The sheet: to be filled on a phone, or printed; `follows` names a visit that it corrects."""
    given, path = asked.given, f"/months/{month}/visit"
    with found():
        sheet = given.visits.sheet(given.drill.source(asked.plant, month, asked.zone))
    cards = to_visit(sheet.meters)
    corrected = _own(asked, month, follows) if follows else None
    return asked.page(
        "visit.html", path, month=month, cards=cards,
        whys=partial(told, texts=STRINGS[asked.language], language=asked.language),
        samples=sheet.samples, meters=sheet.meters, not_held=sheet.not_held, older=sheet.older,
        visits=[
            {"sha256": one.sha256.hex(), "person": one.document.person,
             "written": written_body(VISIT, one.document.body, asked.zone)}
            for one in sheet.visits
        ],
        corrected=corrected, has_statement=any(one.share is not None for one in sheet.meters),
        may=asked.person is not None and asked.person["role"] in KINDS[VISIT].roles,
        role=asked.person["role"] if asked.person else "", roles=KINDS[VISIT].roles,
        embedded=asked.embedded(
            kind=VISIT, month=month, follows=[follows] if follows else [], decides=False,
            corrected=None if corrected is None else corrected["written"],
            order=[form.name for form in fields_of(VISIT)],
            now_ms=given.clock.wall_ns() // 1_000_000,
        ),
    )  # fmt: skip


def _own(asked: Asked, month: str, sha256: str) -> Mapping[str, Any]:
    """A visit that its signer corrects; 404 for what is none, or not any more."""
    row = asked.one(sha256)
    own = (row["kind"], row["about"], row["person"]) == (VISIT, month, asked.who.account)
    if not own or row["ended_by"]:
        raise AccountError("no-record", 404)
    return row
