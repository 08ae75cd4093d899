"""Pages of reviews: months that wait, one month's review, a line of it, a decision, plants beside.

They are made on the server; a decision is signed by the forms' module in the browser.
"""

import shlex
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from cloud.api import month_texts as texts
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.item_words import figure_words, item_words, line_names
from cloud.api.month_view import MonthView
from cloud.api.record_pages import Page
from cloud.api.rendering import STRINGS, Language, render
from cloud.api.review_across import across_of
from cloud.api.reviewed import Reviewed, drawable, level_at, listed, note, openings_of, queue
from cloud.api.reviews import DRAWN_MAX, ROWS_MAX, After, month_of
from cloud.api.routes import MonthPath, PlantPath
from cloud.api.screening import ScreeningView, alike_across, screened_across
from cloud.outputs.headline import emission_unit, line_name
from cloud.records.forms import fields_of
from cloud.records.written import local_text
from cloud.review import rules
from cloud.review.draw import SEED_MAX, Drawn, draw
from cloud.review.items import ITEM_MAX, Opening, line_item, lines_of, of_statement
from edge.calc.statements.statement import statement_rules
from evidence.documents.plainly import body_of
from evidence.documents.review import DECISION, LEVELS
from evidence.drill.lines import paths_of

#: items not opened that stand in a row before the rest is folded away
ITEMS_SHOWN = 10
#: plants that one row names
PLANTS_SHOWN = 20

router = APIRouter(
    prefix="/{language}", default_response_class=HTMLResponse, include_in_schema=False,
    route_class=GuardedRoute,
)  # fmt: skip
Month = Annotated[str, Query(max_length=7)]


class ReviewView:
    """A month's review in a language, for its templates.

    Args:
        of: the review.
        language: "en" or "zh".
        own: who asks, and what that account opened.
    """

    def __init__(self, of: Reviewed, language: str, own: tuple[str, Sequence[Opening]]) -> None:
        self.of, self._language = of, language
        self._zone = ZoneInfo(of.row["zone"])
        self._by: dict[str, dict[str, str]] = defaultdict(dict)
        for one in of.thread.decided:
            body = body_of(DECISION, one.row["body"])
            word = STRINGS[language]["review.told.short"] if body["openings"] == "told" else ""
            for row in body.get("opened", ()):
                # a line of a statement that was replaced is another line
                if one.archive != "older" or not row["item"].startswith("line/"):
                    told = f"{self.at(row['first_ns'])} {word}".rstrip()
                    self._by[row["item"]].setdefault(one.row["person"], told)
        self._names = line_names(of.row, language)
        account, opened = own
        for item, at in opened:
            self._by[item][account] = self.at(at)

    def at(self, ns: int) -> str:
        """An instant by the plant's clock."""
        return local_text(ns // 10**9 * 10**9, self._zone)

    def opened(self, item: str) -> list[str]:
        """Who opened an item, and when first: of those who decided, by their decisions; oneself."""
        return [f"{person} {told}" for person, told in self._by.get(item, {}).items()]

    def lines(self) -> list[tuple[str, str, str, str]]:
        """(name, emission as it is sealed, unit, item) of each line."""
        figures = self.of.row["figures"]
        if figures is None:
            return []
        rule_set = statement_rules(figures["rule_set"])
        return [
            (line_name(rule_set, line, self._language), line["emission_t"], emission_unit(line),
             line_item(line))
            for line in lines_of(self.of.row)
        ]  # fmt: skip

    def item(self, path: str) -> str:
        """An item in words, as far as it has any: a hash is cut."""
        return item_words(path, self._names, self._language)


@router.get("/reviews")
def reviews_page(given: Given, who: Who, language: Language, after: After = "") -> HTMLResponse:
    """Closed months of the plants one sees, what waits for one's level first."""
    return render(
        "reviews.html", language, path="/reviews", who=who, of=listed(given, who, after, ROWS_MAX),
        after=after, told=texts.told, levels=list(LEVELS), error="", left=texts.left,
        is_simulated=given.is_simulated, left_out=given.others_of(who),
    )  # fmt: skip


@router.get("/plants/{plant}/months/{month}/review")
def review_page(
    given: Given, who: Who, language: Language, plant: PlantPath, month: MonthPath
) -> HTMLResponse:
    """One month's review: lines, documents, open points, decisions, and what was opened by whom."""
    of = month_of(given, plant, month)
    note(given, who, plant, month, "month")
    own = who.account, openings_of(given, who.account, plant, of)
    looked = given.screenings.of(given.months.rows(plant), month)
    screening = None
    if looked is not None and of.archive is not None:
        screening = ScreeningView(looked, str(of.archive["name"]), language)
    return render(
        "review.html", language, path=f"/plants/{plant}/months/{month}/review", who=who,
        row=of.row, of=of, view=ReviewView(of, language, own),
        month_view=MonthView(of.row, language),
        told=texts.told, levels=list(LEVELS), level=level_at(given, who, plant), error="",
        may_answer="sign" in who.rights and who.region is None, shown=ITEMS_SHOWN,
        screening=screening, simulated=given.is_simulated(plant),
    )  # fmt: skip


@router.get("/plants/{plant}/months/{month}/review/line")
def line_page(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given,
    who: Who,
    language: Language,
    plant: PlantPath,
    month: MonthPath,
    item: Annotated[str, Query(max_length=ITEM_MAX)],
) -> HTMLResponse:
    """A line of the sealed statement: every parameter with its value, basis and source."""
    of = month_of(given, plant, month)
    every = lines_of(of.row)
    lines = [(ln, path) for ln, path in zip(every, paths_of(every), strict=True)
             if line_item(ln) == item]  # fmt: skip
    if not lines:
        raise HTTPException(404, f"{plant} {month} has no such line")
    figures = of.row["figures"]
    note(given, who, plant, month, of_statement(item, figures["statement_sha256"]))
    rule_set = statement_rules(figures["rule_set"])
    named = [(line_name(rule_set, line, language), line, path) for line, path in lines]
    return render(
        "review_line.html", language, path=f"/plants/{plant}/months/{month}/review/line", who=who,
        row=of.row, named=named, item=item, unit=emission_unit, told=texts.told, error="",
        asks=bool(level_at(given, who, plant)), word=STRINGS[language].get,
        simulated=given.is_simulated(plant),
    )  # fmt: skip


@router.get("/plants/{plant}/months/{month}/review/decide")
def decide_page(asked: Page, who: Who, plant: PlantPath, month: MonthPath) -> HTMLResponse:
    """The form of a decision: what is decided about and what was opened is filled in already."""
    given = asked.given
    of = month_of(given, plant, month)
    level = level_at(given, who, plant)
    body = dict[str, Any]()
    if level and of.archive is not None:
        opened = openings_of(given, who.account, plant, of)
        body = dict(rules.draft(level, of.archive, of.items, opened))
        for row in body.get("opened", ()):
            row["first_ns"] = local_text(row["first_ns"], asked.zone)
    path = f"/months/{month}/review/decide"
    return asked.page(
        "review_decide.html", path, body=body, month=month, level=level, archive=of.archive,
        fields={form.name: form for form in fields_of(DECISION)}, told=texts.told, of=of,
        embedded=asked.embedded(
            kind=DECISION, follows=[], decides=False,
            order=[form.name for form in fields_of(DECISION)],
        ),
    )  # fmt: skip


@router.get("/reviews/across")
def across_page(
    given: Given, who: Who, language: Language, *, month: Month = "",
    seed: Annotated[str, Query(max_length=SEED_MAX)] = "",
    count: Annotated[int, Query(ge=1, le=DRAWN_MAX)] = 5,
) -> HTMLResponse:  # fmt: skip
    """One month of all plants one sees, side by side, and a draw from a published seed."""
    found = queue(given, who)
    months = sorted({str(one.row["month"]) for one in found}, reverse=True)
    shown = month if month in months else (months[0] if months else "")
    drawn, wrong = list[Drawn](), ""
    if seed:
        try:
            drawn = draw(seed, drawable(found), count)
        except ValueError:  # of the seed: the count was held to its bounds before
            wrong = texts.told(language, "review.seed.wrong", most=SEED_MAX)
    return render(
        "across.html", language, path="/reviews/across", who=who, months=months, month=shown,
        of=across_of(given, found, shown), seed=seed, count=count, drawn=drawn, error=wrong,
        quoted=shlex.quote, screened=screened_across(given, found, shown, language),
        alike=alike_across(given, {str(one.row["plant"]) for one in found}, shown, language),
        told=texts.told, plants_shown=PLANTS_SHOWN, figure_words=partial(figure_words, language),
        left_out=given.others_of(who),
    )  # fmt: skip
