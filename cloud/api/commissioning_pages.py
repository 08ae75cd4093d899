"""The commissioning pages: what a gateway signs that it reads, beside the faces of its meters.

No script; what was typed stands in the address alone, so a page that is kept or printed says what
it was made of. `stackproof edge commission` is the page that reaches the meters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from cloud.accounts.roles import Right
from cloud.api.amounts import figure, unit
from cloud.api.documents import zone_of
from cloud.api.drill_pages import found
from cloud.api.drill_view import DrillView
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import STRINGS, Language, render
from cloud.api.routes import PlantPath
from cloud.api.services import Services
from cloud.drill.commissioning import SignedGateway
from cloud.drill.store import StoreSource
from cloud.records.written import instant_ns, local_text
from cloud.visits.held import Held, hold
from evidence.documents.fields import DECIMAL
from evidence.drill.readings import MINUTE_NS
from evidence.points import NAME_ID, Role

AT = "/commissioning"
#: each reads the frames of its minute
FACES_MAX = 20

router = APIRouter(
    prefix="/{language}/plants/{plant}/commissioning", default_response_class=HTMLResponse,
    include_in_schema=False, route_class=GuardedRoute,
)  # fmt: skip
Gateway = Annotated[str, Path(pattern=f"^{NAME_ID.pattern}$", description="gateway id")]
Device = Annotated[str, Path(pattern=f"^{NAME_ID.pattern}$", description="device id")]


@dataclass(frozen=True)
class Typed:
    """What was typed for a point, and what came of it.

    Attributes:
        face: as on the meter.
        at: minute, the plant's own time.
        held: the comparison; None where one of them cannot be read.
        sentence: in the language of the page.
    """

    face: str
    at: str
    held: Held | None
    sentence: str


@router.get("")
def gateways(given: Given, who: Who, plant: PlantPath, language: Language) -> HTMLResponse:
    """Every gateway with its devices, and how far its newest frame has come."""
    source, view = _source(given, plant), DrillView(language, zone_of(given, plant))
    with found():
        known = [SignedGateway(source, one) for one in source.streams()]
        told = [(one, one.devices(), one.delivered()) for one in known]
    return render(
        "commissioning.html", language, path=f"/plants/{plant}{AT}", at=AT, who=who, plant=plant,
        view=view, gateways=told, simulated=given.is_simulated(plant),
    )  # fmt: skip


@router.get("/{gateway}/{device}")
def device(  # noqa: PLR0917 - FastAPI calls it by names
    request: Request, given: Given, who: Who, plant: PlantPath, gateway: Gateway, device: Device,
    language: Language,
) -> HTMLResponse:  # fmt: skip
    """One device: how each register is read, its newest reading, and the face beside it."""
    source, zone = _source(given, plant), zone_of(given, plant)
    with found():
        signed = SignedGateway(source, gateway)
        of = signed.device(device)
        points = [one for one in signed.points(device) if one.point.role is not Role.STATE]
        asked, names = request.query_params, [one.point.id for one in points]
        if sum(bool(asked.get(f"face.{name}", "").strip()) for name in names) > FACES_MAX:
            raise HTTPException(422, STRINGS[language]["commissioning.too-many"])
        typed = {
            name: _typed(given, source, gateway, name, asked, language=language) for name in names
        }
        delivered = signed.delivered()
    now_ns = given.clock.wall_ns()
    query = f"?{request.url.query}" if request.url.query else ""
    return render(
        "commissioning_device.html", language, at=AT, who=who, plant=plant, gateway=gateway,
        path=f"/plants/{plant}{AT}/{gateway}/{device}{query}", view=DrillView(language, zone),
        signed=signed, device=of, points=points, typed=typed, delivered=delivered, now_ns=now_ns,
        minute=local_text(now_ns // MINUTE_NS * MINUTE_NS, zone), month=source.month,
        may_drill=Right.SEE in who.rights, simulated=given.is_simulated(plant),
    )  # fmt: skip


def _source(given: Services, plant: str) -> StoreSource:
    zone = zone_of(given, plant)
    month = local_text(given.clock.wall_ns(), zone)[: len("2026-10")]
    with found():
        return given.drill.source(plant, month, zone)


def _typed(
    given: Services, source: StoreSource, gateway: str, point: str, query: Mapping[str, str], *,
    language: str,
) -> Typed | None:  # fmt: skip
    """None where nothing was typed."""
    face, at = query.get(f"face.{point}", "").strip(), query.get(f"at.{point}", "").strip()
    if not face:
        return None
    texts = STRINGS[language]
    at_ns = instant_ns(at, zone_of(given, source.plant))
    if at_ns is None or not DECIMAL.fullmatch(face):
        return Typed(face[:40], at[:20], None, texts["visit.result.wrong"])
    held = hold(source, gateway, point, face, at_ns)
    return Typed(face, at, held, _sentence(held, DrillView(language, zone_of(given, source.plant))))


def _sentence(held: Held, view: DrillView) -> str:
    of = held.compared
    values: dict[str, Any] = {
        "reading": "–" if of.reading is None else figure(of.reading.value), "unit": unit(held.unit),
        "difference": of.difference, "allowed": of.allowed, "frame": held.frame,
        "quality": "–" if of.quality is None else view.quality(of.quality),
    }  # fmt: skip
    text = STRINGS[view.language][f"visit.result.{of.result}"]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
