"""Persons of a plant with who vouches for their keys, as the API and the pages have them. Pure."""

from collections.abc import Mapping
from typing import Any

from cloud.records.papers import Papers
from evidence.documents.certified import CERTIFIED, decode_list
from evidence.documents.people import Person
from evidence.documents.standing import Logged
from evidence.public_key import load_key
from evidence.suites import PublicKey

REVIEWER = "reviewer"


def is_certified(papers: Papers, signer: Person | None, at_ns: int) -> bool | None:
    """Whether the plant's root certifies who signed something that the log received then.

    None for the collector, and for reviewers: the root vouches for neither.
    """
    if signer is None or signer.role == REVIEWER:
        return None
    return papers.people.vouched.is_certified(signer.row, at_ns, (papers.root,))


def person_rows(papers: Papers, at_ns: int, *, are_ended: bool = False) -> list[Any]:
    """JSON-ready: every key that may sign now, and maybe those ended before, with whose it is.

    Args:
        papers: of the plant.
        at_ns: now, as the log would say it.
        are_ended: the ended ones too.
    """
    people = papers.people
    known = [*people.active.values(), *(people.ended.values() if are_ended else ())]
    return [
        {
            "person": one.id, "name": one.name, "organisation": one.organisation,
            "role": one.role, "region": one.region, "key": one.key_sha256.hex(),
            "is_ended": one.key_sha256 in people.ended,
            "certified": is_certified(papers, one, at_ns),
            "certified_by": [by.hex() for by in people.vouched.certifiers(one.row, at_ns)],
        }
        for one in known
    ]  # fmt: skip


def list_laid(papers: Papers, by: PublicKey, data: bytes) -> Logged | None:
    """The document that has laid this list in the log before; None when none has."""
    for logged in papers.of_kind(CERTIFIED):
        body = logged.document.body
        if body["list"] == data and load_key(body["by"]) == by:
            return logged
    return None


def told_of(papers: Papers, by: PublicKey, data: bytes, at_ns: int) -> Mapping[str, Any]:
    """Effect of a list in the log, JSON-ready: persons certified now and persons in no list.

    Args:
        papers: of the plant, the list among them.
        by: who signed the list.
        data: the list.
        at_ns: now, as the log would say it.
    """
    said, people = decode_list(data, by), papers.people
    rows = {one.row for one in (*people.active.values(), *people.ended.values())}
    known = {row.person for row in said.certified if row in rows}
    return {
        "certified": sorted(known),
        "unknown": sorted({row.person for row in said.certified if row not in rows} - known),
        "withdrawn": [end.key.hex() for end in said.withdrawn],
        "waiting": sorted(
            row["person"] for row in person_rows(papers, at_ns) if row["certified"] is False
        ),
    }
