"""What the collector holds a decision against before it takes it, and how one is begun. Pure.

The signature, the level and the order are `evidence.documents`; here is what only the collector
knows: its own record of openings, the archives, and where the plant lies.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cloud.review.items import Opening, Row
from evidence.documents.fields import LIST_MAX
from evidence.errors import MalformedError

FINAL = "final"
_SECOND_NS = 10**9


def draft(level: str, archive: Row, items: Sequence[str], opened: Sequence[Opening]) -> Row:
    """The body of a decision but for what the person decides, and why.

    Args:
        level: of the signer.
        archive: the month's, which stands.
        items: of the month.
        opened: by the signer, in the order of opening.

    Returns:
        JSON-ready; instants are cut to the second, as people write them.
    """
    known, own = {item for item, _ in opened}, set(items)
    # what the month consists of comes first, readings and pages after it
    told = sorted(opened, key=lambda one: one[0] not in own)
    unopened = [item for item in items if item not in known]
    body: dict[str, Any] = {
        "level": level, "archive_sha256": archive["sha256"],
        "statement_sha256": archive["statement_sha256"], "openings": "recorded",
    }  # fmt: skip
    if told:
        body["opened"] = [{"item": item, "first_ns": _whole(at)} for item, at in told[:LIST_MAX]]
    if unopened:
        body["not_opened"] = [{"item": item} for item in unopened[:LIST_MAX]]
    for name, listed in (("opened_more", told), ("not_opened_more", unopened)):
        if len(listed) > LIST_MAX:
            body[name] = len(listed) - LIST_MAX
    return body


def check_archive(body: Mapping[str, Any], month: Row, archive: Row | None) -> None:
    """Hold a decision against the month's archives.

    One whose openings the collector recorded is about the archive that stands; of one that was made
    elsewhere it is enough that the log closed this statement for good.

    Raises:
        MalformedError: it decides about another archive.
    """
    statement, sha256 = body["statement_sha256"].hex(), body["archive_sha256"].hex()
    closed = {one["statement_sha256"] for one in month["closes"] if one["closing"] == FINAL}
    if statement not in closed:
        raise MalformedError(
            f"{month['month']} was never closed for good with statement {statement[:12]}…"
        )
    if body["openings"] == "told":
        return
    if archive is None or (archive["sha256"], archive["statement_sha256"]) != (sha256, statement):
        raise MalformedError(
            f"another archive of {month['month']} stands here now: look at it, and decide anew"
        )


def check_openings(
    body: Mapping[str, Any], items: Sequence[str], opened: Sequence[Opening]
) -> None:
    """Hold what a decision says was opened against the collector's record.

    Args:
        body: of the decision; one that is "told" is not held against anything.
        items: of the month.
        opened: what the record has of its signer.

    Raises:
        MalformedError: it claims what was not opened, or passes over an item of the month.
    """
    if body["openings"] == "told":
        return
    record = {item: _whole(at) for item, at in opened}
    listed = {row["item"]: row["first_ns"] for row in body.get("opened", ())}
    for item, at in listed.items():
        if record.get(item) != at:
            raise MalformedError(f"the collector has no record that {item} was opened then")
    if body.get("opened_more", 0) > len(record) - len(listed):
        raise MalformedError("it claims more openings than the collector has a record of")
    said = {row["item"] for row in body.get("not_opened", ())}
    passed = [item for item in items if item not in listed and item not in said]
    unseen = sum(item not in record for item in passed)
    if unseen > body.get("not_opened_more", 0) or (len(passed) > unseen and not _is_full(body)):
        raise MalformedError(
            f"it passes over {len(passed)} items of the month, {passed[0]} the first: decide anew"
        )


def _is_full(body: Mapping[str, Any]) -> bool:
    return len(body.get("opened", ())) == LIST_MAX


def check_region(person: str, region: str, plant: str, of_plant: str) -> None:
    """MalformedError when a plant does not lie in a reviewer's region (GB/T 2260 prefixes)."""
    if not of_plant.startswith(region):
        raise MalformedError(f"plant {plant} does not lie in region {region} of {person}")


def _whole(at_ns: int) -> int:
    return at_ns // _SECOND_NS * _SECOND_NS
