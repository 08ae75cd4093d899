"""The pages of what persons sign: list, one document, forms, imports, one's key, labels, persons.

They are made on the server; what is signed is signed by modules in the browser, through the API.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse

from cloud.accounts.errors import AccountError
from cloud.accounts.roles import Principal, Right
from cloud.api.documents import Sha256Path, seen_by, zone_of
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.item_words import item_words, line_names
from cloud.api.record_imports import KindPath
from cloud.api.rendering import STRINGS, Language, render
from cloud.api.reviewed import note_document
from cloud.api.routes import PlantPath, found
from cloud.api.services import Services
from cloud.records.forms import ABOUT_OF, CHOSEN, ELSEWHERE, TABLES, fields_of, kinds_for
from cloud.records.laboratory import Laboratory
from cloud.records.listing import Filter, month_span, period_of
from cloud.records.written import local_text, written_body
from evidence.documents.document import ABOUT
from evidence.documents.fields import TEXT_MAX
from evidence.documents.kinds import KINDS
from evidence.documents.plainly import body_of
from evidence.documents.review import ANSWER, FINAL, QUESTION, VISIT

#: rows that one page shows
ROWS_SHOWN = 200
DECISIONS = ("approve", "withdraw")

router = APIRouter(
    prefix="/{language}/plants/{plant}", default_response_class=HTMLResponse,
    include_in_schema=False, route_class=GuardedRoute,
)  # fmt: skip
Text = Annotated[str, Query(max_length=80)]
Hash = Annotated[str, Query(max_length=64)]
Item = Annotated[str, Query(max_length=TEXT_MAX)]


@dataclass(frozen=True)
class Asked:
    """What is asked of a page: of which plant, by whom, in which language."""

    given: Services
    who: Principal
    language: str
    plant: str
    zone: ZoneInfo
    person: Mapping[str, Any] | None
    keys: Sequence[str]

    @property
    def sees(self) -> bool:
        """May it read what others signed? A laboratory: of its samples."""
        return Right.SAMPLES in self.who.rights

    @property
    def only(self) -> Laboratory | None:
        """Whose documents alone it sees; None for all."""
        return seen_by(self.given, self.who, self.plant)

    def one(self, sha256: str) -> Mapping[str, Any]:
        """A document's row; 404 for one that is not there, or not for this account."""
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise AccountError("no-record", 404)
        row = self.given.records.one(self.plant, bytes.fromhex(sha256))
        own = row is not None and row["person"] == self.who.account
        if not own:
            row = self.given.records.one(self.plant, bytes.fromhex(sha256), self.only)
        if row is None or not (own or self.sees):
            raise AccountError("no-record", 404)
        item = row["body"].get("item", "")
        return {
            **self.readable(row),
            "item_words": self.item_words(row["kind"], row["about"], item),
        }

    def item_words(self, kind: str, month: str, item: str) -> str:
        """What a question is about, in words; "" for what is none."""
        if kind != QUESTION or not item:
            return ""
        of = self.given.months.month(self.plant, month)
        names = {} if of is None else line_names(of, self.language)
        return item_words(item, names, self.language)

    def readable(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with its body and times as people read them, in the plant's time."""
        body = body_of(row["kind"], row["body"])
        written = written_body(row["kind"], body, self.zone)
        from_to = period_of(body)
        return {
            **row,
            "written": written,
            "period": " – ".join(local_text(at, self.zone) for at in dict.fromkeys(from_to)),
            "received": local_text(row["received_ns"] // 10**9 * 10**9, self.zone),
        }

    def page(self, template: str, path: str, **values: object) -> HTMLResponse:
        """The page; `path` is its address behind the plant."""
        known: dict[str, Any] = {
            "path": f"/plants/{self.plant}{path}", "at": path, "who": self.who,
            "plant": self.plant, "zone": self.zone.key, "sees": self.sees,
            "plant_name": self.given.hub.facts(self.plant)["name"],
            "may_sign": Right.SIGN in self.who.rights, "person": self.person, "chosen": CHOSEN,
            "label": _label(STRINGS[self.language]),
            "simulated": self.given.is_simulated(self.plant),
        }  # fmt: skip
        return render(template, self.language, **(known | values))

    def embedded(self, **more: object) -> dict[str, object]:
        """What the browser's modules know of the page."""
        return {
            "plant": self.plant, "zone": self.zone.key, "language": self.language,
            "person": self.who.account, "csrf": self.who.csrf, "keys": list(self.keys),
            "sees": self.sees, "chosen": sorted(CHOSEN), **more,
        }  # fmt: skip


def _label(texts: Mapping[str, str]) -> Callable[[str, str], str]:
    """A text of the table, or the bare name for what a newer table of kinds has."""
    return lambda key, name: texts.get(f"{key}{name}", name)


def _asked(given: Given, who: Who, plant: PlantPath, language: Language) -> Asked:
    zone = zone_of(given, plant)
    with found():
        mine = [one for one in given.records.persons(plant) if one["person"] == who.account]
    keys = [one["key"] for one in mine]
    return Asked(given, who, language, plant, zone, mine[-1] if mine else None, keys)


Page = Annotated[Asked, Depends(_asked)]


# -- reading --------------------------------------------------------------------------------------


@router.get("/records")
def records(  # noqa: PLR0917 - FastAPI calls it by names
    asked: Page,
    month: Annotated[str, Query(max_length=7)] = "",
    kind: Text = "",
    about: Text = "",
    state: Text = "",
    before: Annotated[int, Query(ge=0, lt=2**63)] = 2**62,
) -> HTMLResponse:
    """Documents, the newest first, by what people look for."""
    month = month if re.fullmatch("20[0-9]{2}-(0[1-9]|1[0-2])", month) else ""
    span = month_span(month, asked.zone) if month else None
    wanted = Filter(kind, about, state, month, span, before)
    found = asked.given.records.newest(asked.plant, wanted, ROWS_SHOWN + 1, asked.only)
    shown = [asked.readable(row) for row in found[:ROWS_SHOWN]]
    more = shown[-1]["index"] if len(found) > ROWS_SHOWN else 0
    return asked.page(
        "records.html", "/records", rows=shown, kinds=list(KINDS), month=month, kind=kind,
        about=about, state=state, more=more,
    )  # fmt: skip


@router.get("/records/{sha256}")
def record(asked: Page, sha256: Sha256Path) -> HTMLResponse:
    """One document: what it says, its files, what was before and after it, who approved it."""
    row = asked.one(sha256)
    note_document(asked.given, asked.who, asked.plant, row, f"document/{sha256}")
    history, follows = _history(asked, row), [asked.one(one) for one in row["follows"]]
    size = asked.given.evidence.evidence(asked.plant).size
    return asked.page(
        "record.html", f"/records/{sha256}", row=row, history=history, follows=follows,
        fields=fields_of(row["kind"]), about_of=ABOUT_OF.get(row["kind"], "other"), size=size,
        actions=_actions(asked, row) if Right.SIGN in asked.who.rights else {},
    )  # fmt: skip


def _history(asked: Asked, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All wordings, the first one first, and what ended the last."""
    first = row
    while first["kind"] not in DECISIONS and first["follows"]:
        before = asked.one(first["follows"][0])
        if before["kind"] != first["kind"] or before["ended_by"] != first["sha256"]:
            break  # the list of persons is a chain too, but corrects nothing
        first = before
    history = [first]
    while history[-1]["ended_by"]:
        history.append(asked.one(history[-1]["ended_by"]))
    return history if len(history) > 1 else []


def _actions(asked: Asked, row: Mapping[str, Any]) -> dict[str, str]:
    """What one might do with a document -> "" when one may, else the reason why not."""
    role = asked.person["role"] if asked.person else ""
    done = _possible(row["kind"])
    if KINDS[row["kind"]].follows == "own" and asked.who.account != row["person"]:
        done.pop("correct", None)
    reasons = dict[str, str]()
    for action, kind in done.items():
        reason = ""
        if not role:
            reason = "not-enrolled"
        elif row["ended_by"]:
            reason = "ended"
        elif role not in KINDS[kind].roles:
            reason = "role"
        elif action == "approve" and asked.who.account in row["authors"]:
            reason = "own"
        elif action == "approve" and asked.who.account in row["approved_by"]:
            reason = "approved"
        reasons[action] = reason
    return reasons


def _possible(kind: str) -> dict[str, str]:
    """What can be done with a document of a kind -> the kind that does it."""
    if kind == "approve":
        return {"withdraw": "withdraw"}
    if kind == QUESTION:
        return {"correct": QUESTION, ANSWER: ANSWER}
    if kind == VISIT:
        return {"correct": VISIT}
    if kind == "withdraw" or kind in FINAL or KINDS[kind].follows != "corrected":
        return {}
    return {"correct": kind, "approve": "approve", "withdraw": "withdraw"}


@router.get("/persons")
def persons(asked: Page) -> HTMLResponse:
    """Whose keys may sign."""
    return asked.page("persons.html", "/persons", rows=asked.given.records.persons(asked.plant))


# -- signing --------------------------------------------------------------------------------------


@router.get("/sign")
def sign(asked: Page) -> HTMLResponse:
    """What one may sign."""
    role = asked.person["role"] if asked.person else ""
    kinds = kinds_for(role)
    imported = [kind for kind in kinds if kind in TABLES]
    return asked.page("sign.html", "/sign", kinds=kinds, imported=imported)


@router.get("/sign/{kind}")
def sign_form(
    asked: Page, kind: KindPath, *, follows: Hash = "", about: Text = "", key: Hash = "",
    item: Item = "",
) -> HTMLResponse:  # fmt: skip
    """The form of a kind; `follows` names what it corrects, answers, approves or withdraws."""
    if kind not in KINDS or kind in ELSEWHERE:
        raise HTTPException(404, f"there are no documents of kind {kind[:40]!r}")
    followed = asked.one(follows) if follows else None
    values = dict(followed["written"]) if followed and followed["kind"] == kind else {}
    if key:
        values["key"] = key
    if item and not followed:
        values["item"] = item
    role = asked.person["role"] if asked.person else ""
    return asked.page(
        "sign_form.html", f"/sign/{kind}", kind=kind, fields=fields_of(kind), values=values,
        item_words=asked.item_words(kind, about, item),
        followed=followed, about=followed["about"] if followed else about,
        about_of=ABOUT_OF.get(kind, "other"), may=role in KINDS[kind].roles, role=role,
        abouts=_abouts(asked, kind), roles=KINDS[kind].roles,
        has_files=KINDS[kind].follows in ("corrected", "answered"),
        embedded=asked.embedded(
            kind=kind, follows=[follows] if follows else [],
            decides=kind in DECISIONS, order=[form.name for form in fields_of(kind)],
        ),
    )  # fmt: skip


def _abouts(asked: Asked, kind: str) -> list[str]:
    """Ids that documents of this sort were about before, to choose from."""
    if not asked.sees or kind in DECISIONS:
        return []
    if asked.only is not None:
        return sorted(asked.only.samples)[:ROWS_SHOWN]
    like = {other for other in KINDS if ABOUT_OF.get(other) == ABOUT_OF.get(kind)}
    return list(asked.given.records.abouts(asked.plant, like))[:ROWS_SHOWN]


@router.get("/import/{kind}")
def import_page(asked: Page, kind: KindPath) -> HTMLResponse:
    """A table becomes documents."""
    if kind not in TABLES:
        raise HTTPException(404, f"no table of {kind[:40]!r} can be imported")
    role = asked.person["role"] if asked.person else ""
    return asked.page(
        "import.html", f"/import/{kind}", kind=kind, may=role in KINDS[kind].roles, role=role,
        roles=KINDS[kind].roles, embedded=asked.embedded(kind=kind),
    )  # fmt: skip


@router.get("/key")
def key_page(asked: Page) -> HTMLResponse:
    """One's own key."""
    try:
        account = asked.given.accounts.people.account(asked.who.account)
        told = {"name": account.name, "organisation": account.organisation,
                "role": account.role, "region": account.region}  # fmt: skip
    except AccountError:  # a program beside the collector has no account
        told = dict.fromkeys(("name", "organisation", "role", "region"), "")
    return asked.page("key.html", "/key", embedded=asked.embedded(**told))


@router.get("/labels")
def labels(asked: Page, id: Text = "", count: Text = "1") -> HTMLResponse:
    """Labels of one sample to be printed: its id and plant as a QR code."""
    ident = id.strip()
    is_id = ABOUT.fullmatch(ident) is not None
    number = int(count) if re.fullmatch("[1-9][0-9]?", count) else 1
    code = ""
    if is_id:
        made = segno.make_qr(f"stackproof:{asked.plant}/{ident}", error="m")
        code = str(made.svg_inline(border=4, svgclass="qr", omitsize=True))
    return asked.page("labels.html", "/labels", ident=ident, is_id=is_id, code=code, number=number)
