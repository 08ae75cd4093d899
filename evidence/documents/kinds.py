"""The kinds of documents: their fields, who may sign them, what they follow. Pure, a table.

A kind that is published keeps its meaning; a new field is a new kind. RECORDS.md "Kinds" is this
table in words, and a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evidence.documents import fields as f
from evidence.documents.actions import ACTIONS, SECURITY_LOG
from evidence.documents.certified import CERTIFIED, PERSONS
from evidence.documents.document import COLLECTOR, Document
from evidence.documents.review import (
    ANSWER,
    COSIGNED,
    DECISION,
    LEVELS,
    LOG,
    QUESTION,
    VISIT,
    check_review,
)
from evidence.documents.visit import AGREES, DIFFERS, NO_READING
from evidence.errors import MalformedError, UnsupportedError

ROLES = (
    "operator", "engineer", "accountant", "laboratory", "reviewer",
    "system", "security", "audit",
)  # fmt: skip
PLANT_ROLES = ("operator", "engineer", "accountant")

#: what a document of a kind follows, see `Shape`
Follows = Literal["corrected", "decided", "previous", "own", "answered", "nothing"]


@dataclass(frozen=True)
class Shape:
    """What a kind of document must be.

    Attributes:
        required, optional: field -> check.
        roles: who may sign it.
        follows: "corrected": maybe one of its kind and about, which it corrects; "decided": one or
            more that it decides about; "previous": the one before it in the plant's list of
            persons, none in the first; "own": maybe one of its kind and about that the same person
            signed, which it corrects; "answered": one question, which stands on; "nothing": none.
        about: the one thing it may be about, "" for any.
    """

    required: Mapping[str, f.Check]
    roles: tuple[str, ...]
    optional: Mapping[str, f.Check] = field(default_factory=dict)
    follows: Follows = "corrected"
    about: str = ""


#: the period a figure is of: from, to exclusive
_PERIOD = {"from_ns": f.instant, "to_ns": f.instant}
_VALUE = {"value": f.decimal, "unit": f.text}
_NOTE = {"note": f.note}
_SEAL = {"seal": f.text, "is_seal_whole": f.truth}
_LAB = ("laboratory",)
_SAMPLERS = ("operator", "engineer", "accountant", "laboratory")
_RESULT_ROW = {"name": f.name_id, **_VALUE}
_RESULT_BASIS = {"basis": f.one_of("ar", "ad", "d", "daf")}

KINDS: dict[str, Shape] = {
    # persons: `about` is the person
    "person": Shape(
        {
            "name": f.text, "organisation": f.text, "role": f.one_of(*ROLES), "region": f.region,
            "key": f.key_bytes,
        },
        (COLLECTOR, "security"),
        follows="previous",
    ),
    "person-end": Shape(
        {"key": f.digest, "reason": f.text}, (COLLECTOR, "security"), follows="previous"
    ),
    # who vouches for keys of persons: the plant's root, or a reviewers' organisation
    CERTIFIED: Shape(
        {"by": f.key_bytes, "list": f.signed}, (COLLECTOR,), follows="nothing", about=PERSONS
    ),
    # samples: `about` is the sample
    "sample-taken": Shape(
        {"source": f.name_id, "place": f.text, "taken_ns": f.instant, "mass_kg": f.amount,
         "seal": f.text, **_PERIOD},
        PLANT_ROLES, {"stands_for_t": f.amount, **_NOTE},
    ),
    "sample-prepared": Shape(
        {"prepared_ns": f.instant, "method": f.text}, _SAMPLERS, {"parts": f.count, **_NOTE}
    ),
    "sample-composed": Shape(
        {"source": f.name_id, "composed_ns": f.instant,
         "parts": f.rows({"sample": f.name_id, "weight": f.amount}), **_PERIOD},
        _SAMPLERS, _NOTE,
    ),
    "sample-retained": Shape(
        {"retained_ns": f.instant, "place": f.text, "seal": f.text, "until": f.day},
        _SAMPLERS, _NOTE,
    ),
    "sample-sent": Shape(
        {"sent_ns": f.instant, "laboratory": f.text, "carrier": f.text}, PLANT_ROLES, _NOTE
    ),
    "sample-received": Shape(
        {"received_ns": f.instant, "seal": f.text, "is_seal_whole": f.truth}, _LAB, _NOTE
    ),
    "sample-tested": Shape({"tested_ns": f.instant, "method": f.text}, _LAB, _NOTE),
    "sample-result": Shape(
        {"report": f.text, "report_day": f.day, "laboratory": f.text,
         "values": f.rows(_RESULT_ROW, _RESULT_BASIS)},
        ("laboratory", "accountant"), {"accreditation": f.text, **_NOTE},
    ),
    # amounts: `about` is the source (a fuel, material or product of the statement)
    "invoice": Shape(
        {"number": f.text, "party": f.text,
         "part": f.one_of("purchased", "output"), **_VALUE, **_PERIOD},
        ("accountant",), _NOTE,
    ),
    "stock-take": Shape(
        {"at_ns": f.instant, "method": f.text, **_VALUE}, PLANT_ROLES, _NOTE
    ),
    "count": Shape({**_VALUE, **_PERIOD}, PLANT_ROLES, _NOTE),
    "parameter": Shape(
        {"name": f.name_id, "origin": f.text, **_VALUE, **_PERIOD},
        ("accountant", "engineer"), {**_RESULT_BASIS, **_NOTE},
    ),
    # in the place of what a counter counted over a drop or a leap: `about` is the point
    "counter-correction": Shape(
        {**_VALUE, "reason": f.text, **_PERIOD}, ("accountant", "engineer"), _NOTE
    ),
    # meters: `about` is the device
    "meter-event": Shape(
        {"event": f.one_of("maintenance", "calibration", "replacement", "setting", "marked"),
         "reason": f.text, **_PERIOD},
        PLANT_ROLES, _NOTE,
    ),
    "meter-certificate": Shape(
        {"scope": f.one_of("verification", "calibration", "own-check"), "issuer": f.text,
         "number": f.text, "day": f.day, "due": f.day, "fit": f.truth},
        ("engineer",),
        {"as_found_percent": f.decimal, "as_left_percent": f.decimal, "limit_percent": f.amount,
         **_NOTE},
    ),
    # internal checks: `about` is the check in the control plan
    "internal-check": Shape(
        {"of": f.name_id, "checked_ns": f.instant, "by": f.text, "method": f.text,
         "result": f.text, "passed": f.truth},
        PLANT_ROLES, {"as_found_percent": f.decimal, "as_left_percent": f.decimal, **_NOTE},
    ),
    # papers: `about` is the ledger sheet, or the year of the control plan
    "ledger": Shape({"sheet_sha256": f.digest, "pages": f.count, **_PERIOD}, PLANT_ROLES, _NOTE),
    "control-plan": Shape({"plan_sha256": f.digest, "revision": f.count}, ("engineer",), _NOTE),
    # months: `about` is the month
    "month-decision": Shape(
        {"reason": f.text, "by": f.text, "owed": f.rows({"what": f.text, "by": f.text})},
        (COLLECTOR,), _NOTE,
    ),
    # accounts: what happened to those that are for the plant
    ACTIONS: Shape(
        {"number": f.ordinal, "chain": f.digest,
         "events": f.rows({"what": f.name_id, "times": f.ordinal}), **_PERIOD},
        (COLLECTOR,), about=SECURITY_LOG,
    ),
    # reviews: `about` is the month
    QUESTION: Shape(
        {"item": f.text, "question": f.note, "answer_by": f.day}, ("reviewer",), follows="own"
    ),
    ANSWER: Shape({"answer": f.note}, PLANT_ROLES, follows="answered"),
    DECISION: Shape(
        {"decision": f.one_of("approve", "return", "note"), "level": f.one_of(*LEVELS),
         "archive_sha256": f.digest, "statement_sha256": f.digest, "reason": f.note,
         "openings": f.one_of("recorded", "told")},
        ("reviewer",),
        {"opened": f.rows({"item": f.text, "first_ns": f.instant}), "opened_more": f.count,
         "not_opened": f.rows({"item": f.text}), "not_opened_more": f.count},
        follows="own",
    ),
    # witnesses
    COSIGNED: Shape({"checkpoint": f.note}, ("reviewer",), follows="own", about=LOG),
    # visits: `about` is the month that a reviewer looks into on site
    VISIT: Shape(
        {**_PERIOD, "meters": f.rows(
            {"point": f.name_id, "at_ns": f.instant, "face": f.decimal, "unit": f.text},
            {"photo": f.digest, "result": f.one_of(AGREES, DIFFERS, NO_READING),
             "reading": f.decimal, "allowed": f.amount, "quality": f.amount, "frame": f.text,
             "frame_sha256": f.digest, **_SEAL, **_NOTE},
        )},
        ("reviewer",),
        {"samples": f.rows({"sample": f.name_id, "is_present": f.truth}, {**_SEAL, **_NOTE}),
         **_NOTE},
        follows="own",
    ),
    # decisions: `about` is what the documents they follow are about
    "approve": Shape({}, ("accountant", "engineer"), _NOTE, follows="decided"),
    "withdraw": Shape({"reason": f.text}, PLANT_ROLES + _LAB, follows="decided"),
}  # fmt: skip


def shape_of(kind: str) -> Shape:
    """The shape of a kind; UnsupportedError when this program has none."""
    try:
        return KINDS[kind]
    except KeyError:
        raise UnsupportedError(f"documents of kind {kind!r} are unknown to this program") from None


def check_document(document: Document) -> None:
    """Hold a document against its kind.

    Raises:
        UnsupportedError: the kind is newer than this program.
        MalformedError: names every field that is wrong.
    """
    shape = shape_of(document.kind)
    f.check_fields(document.body, shape.required, shape.optional)
    followed, body = len(document.follows), document.body
    if shape.about and document.about != shape.about:
        raise MalformedError(f"a document of kind {document.kind} is about {shape.about!r}")
    if shape.follows == "decided" and not followed:
        raise MalformedError(f"a {document.kind} names the documents it decides about")
    if shape.follows == "answered" and followed != 1:
        raise MalformedError(f"a {document.kind} follows one question")
    if shape.follows == "nothing" and followed:
        raise MalformedError(f"a {document.kind} follows no other document")
    if shape.follows in ("corrected", "previous", "own") and followed > 1:
        raise MalformedError(f"a {document.kind} follows one other document at most")
    if "from_ns" in body and not body["from_ns"] < body["to_ns"]:
        raise f.FieldsError("from_ns: must be before to_ns", {"from_ns": "order"})
    check_review(document)
