"""The plan that a document of kind `control-plan` brings: its file must say what it says. Pure."""

from collections.abc import Mapping
from functools import lru_cache

from evidence.documents.document import Document
from evidence.errors import MalformedError
from evidence.plan.plan import Plan, plan_of
from firmware_configs.toml import NotTomlError, parse_toml

CONTROL_PLAN, TOML = "control-plan", "application/toml"
#: plans that are remembered as they were read: each month of 1,500 plants asks once a minute
READ_MAX = 4_096


@lru_cache(READ_MAX)
def read_plan(data: bytes) -> Plan:
    """The plan of a file's bytes; MalformedError names everything that is wrong with it."""
    try:
        return plan_of(parse_toml(data))
    except NotTomlError as error:
        raise MalformedError(f"the plan: {error}") from error


def plan_file(document: Document) -> bytes | None:
    """SHA-256 of the file that is its plan; None where it has none that a program reads."""
    named = document.body["plan_sha256"]
    is_there = any((f.sha256, f.media_type) == (named, TOML) for f in document.files)
    return named if is_there else None


def check_plan(document: Document, files: Mapping[bytes, bytes]) -> None:
    """Whether a document's plan is one, and the one the document says. Others pass.

    Raises:
        MalformedError: it cannot be read, or is of another plant, year or revision.
    """
    if document.kind != CONTROL_PLAN or (named := plan_file(document)) is None:
        return
    plan = read_plan(files[named])
    said = (document.plant, document.about, document.body["revision"])
    if (plan.plant, str(plan.year), plan.revision) != said:
        raise MalformedError(
            f"its plan is of {plan.plant} {plan.year}, revision {plan.revision}; the document says "
            f"{said[0]} {said[1]}, revision {said[2]}"
        )


def check_revision(document: Document, former: Document | None, held: Document | None) -> None:
    """The first plan of a year follows none, revision n the one that stands; MalformedError else.

    Args:
        document: of any kind; others than control plans pass.
        former: what it follows.
        held: the plan of its year that stands: there is never more than one.
    """
    if document.kind != CONTROL_PLAN:
        return
    if held is not None and former is None:
        raise MalformedError(f"a plan of {document.about} stands already; another one follows it")
    due = 1 if former is None else former.body["revision"] + 1
    if document.body["revision"] != due:
        raise MalformedError(f"it is revision {document.body['revision']} where {due} is due")
