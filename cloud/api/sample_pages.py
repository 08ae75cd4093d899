"""The page of a month's samples: each one's chain, and what its documents show. No script."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cloud.api import month_texts as texts
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import Language, render
from cloud.api.routes import MonthPath, PlantPath, found
from evidence.documents.observed.observation import shown

#: seconds for PDFs that were not read yet: a page is waited for; the next time it tells more
READ_S = 5.0

router = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)


@router.get("/{language}/plants/{plant}/months/{month}/samples")
def samples_page(
    given: Given, who: Who, language: Language, plant: PlantPath, month: MonthPath
) -> HTMLResponse:
    """The samples of a month, from sampling to report, with each finding."""
    with found():
        sees = partial(given.accounts.sees, who)
        told = given.records.findings(plant, sees, month, READ_S)
    row = {"plant": plant, "month": month}
    return render(
        "samples.html", language, path=f"/plants/{plant}/months/{month}/samples", who=who, row=row,
        told=texts.told, counts=told, samples=chains(told), shown=shown, error="",
        kind=lambda name: texts.kind(language, name), simulated=given.is_simulated(plant),
    )  # fmt: skip


def chains(told: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The samples with their own findings and results; those with findings first."""
    made = []
    for one in told["samples"]:
        found = [of for of in told["findings"] if of["sample"] == one["sample"]]
        results = {of["document"]: of for of in told["results"] if of["sample"] == one["sample"]}
        made.append({**one, "findings": found, "results": results})
    return sorted(made, key=lambda one: not one["findings"])
