"""Documents as the API and the pages have them, JSON-ready: each with what became of it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloud.records.papers import Papers
from cloud.records.persons import is_certified
from evidence.documents.certified import CERTIFIED
from evidence.documents.document import COLLECTOR, Document
from evidence.documents.plainly import plain_body
from evidence.documents.review import not_opened
from evidence.documents.standing import WITHDRAW, Logged


def row(papers: Papers, logged: Logged) -> Mapping[str, Any]:
    """A document with its place and what became of it, JSON-ready; hashes in hex."""
    document, ended = logged.document, papers.standing.ended_by(logged.sha256)
    return {
        "sha256": logged.sha256.hex(),
        "index": logged.index,
        "received_ns": logged.received_ns,
        "person": document.person,
        "role": COLLECTOR if logged.signer is None else logged.signer.role,
        "region": "" if logged.signer is None else logged.signer.region,
        "certified": is_certified(papers, logged.signer, logged.received_ns),
        "signed_s": document.signed_s,
        "kind": document.kind,
        "about": document.about,
        "body": _body(document),
        "follows": [sha256.hex() for sha256 in document.follows],
        "files": [
            {"name": f.name, "type": f.media_type, "size": f.size, "sha256": f.sha256.hex()}
            for f in document.files
        ],
        "ended_by": None if ended is None else ended.sha256.hex(),
        "approved_by": [one.document.person for one in papers.standing.approvals(logged.sha256)],
        "state": state_of(papers, logged),
    }


def _body(document: Document) -> Mapping[str, Any]:
    """As `plain_body`; of a list of certified persons, which may be long, its SHA-256."""
    body = plain_body(document.kind, document.body)
    if document.kind == CERTIFIED:
        body["list"] = hashlib.sha256(document.body["list"]).hexdigest()
    return body


def in_brief(logged: Logged) -> Logged:
    """A review without its lists: a decision's have a thousand rows."""
    document = logged.document
    body = {name: value for name, value in document.body.items() if not isinstance(value, list)}
    if missing := not_opened(document.body):
        body["not_opened_more"] = missing
    return replace(logged, document=replace(document, body=body))


def state_of(papers: Papers, logged: Logged) -> str:
    """What became of a document, in one word: stands, approved, corrected or withdrawn."""
    ended = papers.standing.ended_by(logged.sha256)
    if ended is not None:
        return "withdrawn" if ended.document.kind == WITHDRAW else "corrected"
    return "approved" if papers.standing.approvals(logged.sha256) else "stands"
