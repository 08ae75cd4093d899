"""Verify: somebody brings an archive, of whatever collector, and reads what the verifier says."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from cloud.api.brought_view import plant_and_month, told_of
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.month_texts import at
from cloud.api.rendering import Language, render
from cloud.api.services import Services
from cloud.brought.desk import Brought, BroughtError
from cloud.review.items import archive_of
from evidence.phrases import phrase

NAME_MAX = 200
#: of what somebody did here; the archive's own times have their plant's
ZONE = "Asia/Shanghai"
#: of what is kept, and nobody else's
_OURS = ("account", "is_running", "report_bytes")

router = APIRouter(prefix="/api/v1/verify", route_class=GuardedRoute)
pages = APIRouter(
    prefix="/{language}/verify", default_response_class=HTMLResponse, include_in_schema=False,
    route_class=GuardedRoute,
)  # fmt: skip


@router.post("", status_code=202)
async def bring(
    given: Given, who: Who, request: Request, name: Annotated[str, Query(max_length=NAME_MAX)] = ""
) -> Mapping[str, Any]:
    """Have an archive verified (the body, as it is); ask for its `id` until it has an end."""
    if request.headers.get("content-length") == "0":
        raise HTTPException(422, "the body is the archive, and there is none")
    try:
        brought = await given.brought.take(request.stream(), who.account, name)
    except BroughtError as error:
        raise HTTPException(409, str(error)) from error
    except OSError as error:
        sentence = f"state_dir cannot take the file ({error.strerror}): make room, bring it again"
        raise HTTPException(503, sentence) from error
    return _row(brought, 0)


@router.get("/{brought}")
async def state(given: Given, who: Who, brought: str) -> Mapping[str, Any]:
    """How an archive stands that one brought: waiting, running, done or failed; its report."""
    found = given.brought.of(brought, who.account)
    if found is None:
        raise HTTPException(404, "no such archive of yours: results are kept for a day")
    return _row(*found)


def _row(brought: Brought, before: int) -> Mapping[str, Any]:
    row = {**asdict(brought), "before": before, "state": brought.state}
    return {key: value for key, value in row.items() if key not in _OURS}


@pages.get("")
async def verify_page(given: Given, who: Who, language: Language) -> HTMLResponse:
    """Where an archive is dropped, and what one brought in the last day."""
    return render(
        "verify.html", language, path="/verify", who=who, mine=given.brought.all_of(who.account),
        shown=_shown, verdict=_verdict, error="",
    )  # fmt: skip


@pages.get("/{brought}")
async def verified_page(given: Given, who: Who, language: Language, brought: str) -> HTMLResponse:
    """What was found in an archive; until then the page asks again by itself."""
    found = given.brought.of(brought, who.account)
    if found is None:
        raise HTTPException(404, "no such archive of yours: results are kept for a day")
    one, before = found
    told = None if one.report is None else told_of(one.report, language, given.brought.roots)
    return render(
        "verified.html", language, path=f"/verify/{brought}", who=who, one=one, before=before,
        told=told, here=_here(given, who, one), shown=_shown, error="",
    )  # fmt: skip


def _verdict(one: Brought, language: str) -> str:
    return "" if one.report is None else phrase(f"verdict.{one.report['verdict']}", language)


def _shown(ns: int) -> str:
    return f"{at(ns, ZONE)} ({ZONE})"


def _here(given: Services, who: Who, one: Brought) -> Mapping[str, str] | None:
    """The month of this collector that has this very archive; None where none that one sees has."""
    plant, month = plant_and_month(one.report) if one.report is not None else ("", "")
    if plant not in given.plants_of(who) or (row := given.months.month(plant, month)) is None:
        return None
    standing = archive_of(row)
    is_same = standing is not None and standing["sha256"] == one.sha256
    return {"plant": plant, "month": month} if is_same else None
