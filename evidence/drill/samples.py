"""From a document to the sample it is of, and to all that was signed of that sample. Pure."""

from collections.abc import Sequence
from typing import Any

from evidence.documents.standing import Logged, Standing
from evidence.drill.facts import plain

PARTS_MAX = 200


def story_of(standing: Standing, sha256: bytes) -> list[dict[str, Any]] | None:
    """The document, and where it is of a sample all of that sample and of the samples in it.

    JSON-ready, in the log's order; None when there is no such document.
    """
    asked = standing.get(sha256)
    if asked is None:
        return None
    return [_row(standing, one) for one in _of_sample(standing, asked)]


def _of_sample(standing: Standing, asked: Logged) -> Sequence[Logged]:
    if not asked.document.kind.startswith("sample-"):
        return [asked]
    names, waiting = set[str](), [asked.document.about]
    while waiting and len(names) < PARTS_MAX:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        waiting += [
            part["sample"]
            for one in standing.all()
            if one.document.about == name and one.document.kind == "sample-composed"
            for part in one.document.body["parts"]
        ]
    return [
        one
        for one in standing.all()
        if one.document.about in names and one.document.kind.startswith("sample-")
    ]


def _row(standing: Standing, one: Logged) -> dict[str, Any]:
    document, ended = one.document, standing.ended_by(one.sha256)
    return {
        "sha256": one.sha256.hex(), "index": one.index, "received_ns": one.received_ns,
        "kind": document.kind, "about": document.about, "person": document.person,
        "organisation": "" if one.signer is None else one.signer.organisation,
        "body": plain(dict(document.body)),
        "files": [
            {"name": f.name, "type": f.media_type, "size": f.size, "sha256": f.sha256.hex()}
            for f in document.files
        ],
        "approved_by": [other.document.person for other in standing.approvals(one.sha256)],
        "ended_by": None if ended is None else ended.sha256.hex(),
    }  # fmt: skip
