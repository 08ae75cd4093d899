"""Persons of the small plant with fixed keys, the papers they sign, and months that hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import checkpoint, cose, merkle
from evidence.archive.build import Records, encode_proof
from evidence.blocks import content
from evidence.checkpoint import Checkpoint
from evidence.cosignature import cosign
from evidence.documents.certified import (
    CERTIFIED,
    PERSONS,
    Certified,
    PersonsList,
    Withdrawn,
    encode_list,
)
from evidence.documents.counted import papers_that_stand
from evidence.documents.document import COLLECTOR, AttachedFile, Document, encode_document
from evidence.documents.people import People
from evidence.documents.standing import Logged, Standing
from evidence.keys import FileSigner, key_sha256
from evidence.log import Kind
from evidence.recompute import Paper
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import PLANT, SECOND, START_NS, keys, signer

DAY = 86_400 * SECOND
MAY, JUNE = START_NS - 45 * DAY, START_NS - 14 * DAY
PERIOD = {"from_ns": MAY, "to_ns": JUNE}
#: where the security log stood, and what happened to accounts
ACTIONS = {
    "number": 1_000_001,
    "chain": bytes(range(32)),
    **PERIOD,
    "events": [{"what": "ended", "times": 1}, {"what": "sign-in", "times": 7}],
}
#: person -> role, and seed of the key
WHO = {"wang": ("security", 51), "li": ("accountant", 52), "zhao": ("engineer", 53),
       "lab": ("laboratory", 54), "chen": ("operator", 55)}  # fmt: skip
#: reviewers: person -> region, and seed of the key
REVIEWERS = {"qin": ("37", 56), "guo": ("", 57)}
#: whom nobody has met: seeds of the keys
INVENTED = {"ivy": 61, "joe": 62, "kim": 63}
#: signs lists of reviewers
ORGANISATION = signer(58)
ITEM, MONTH = "line/fuel/anthracite", "2026-05"
QUESTION = {"item": ITEM, "question": "Why\nso little?", "answer_by": "2026-06-20"}
DECISION = {
    "decision": "return", "level": "province", "archive_sha256": bytes(32), "reason": "no scale",
    "statement_sha256": bytes(32), "openings": "recorded", "not_opened_more": 3,
    "opened": [{"item": ITEM, "first_ns": JUNE}], "not_opened": [{"item": "line/fuel/coke"}],
}  # fmt: skip
SCAN = b"%PDF-1.7 an invoice"
INVOICE = {"number": "0001", "party": "Coal Ltd", "part": "purchased", "value": "120.50",
           "unit": "t", **PERIOD}  # fmt: skip
STOCK = {"at_ns": JUNE, "method": "tape", "value": "8.25", "unit": "t"}


def key_of(person: str) -> FileSigner:
    """The key of a person, Wu's one of P-256; of a stranger, one that nobody has."""
    if person == "wu":
        return keys(p256=True).gateway
    known = {**WHO, **REVIEWERS, **{one: ("", seed) for one, seed in INVENTED.items()}}
    return keys().collector if person == COLLECTOR else signer(known.get(person, ("", 59))[1])


def spki(by: FileSigner) -> bytes:
    return by.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def file_of(data: bytes, name: str = "invoice.pdf") -> AttachedFile:
    return AttachedFile(name, "application/pdf", len(data), sm.sha256(data))


def paper(
    person: str, kind: str, about: str, body: Mapping[str, Any],
    *follows: bytes, files: Sequence[AttachedFile] = (), by: FileSigner | None = None,
    plant: str = PLANT,
) -> bytes:  # fmt: skip
    """A document as it is signed; `by` signs it instead of the person's own key."""
    document = Document(plant, person, START_NS // SECOND, kind, about, body, follows, tuple(files))
    return encode_document(document, by or key_of(person))


def person_body(person: str) -> dict[str, Any]:
    return {
        "name": person.title(), "organisation": "Test smelter", "role": WHO[person][0],
        "region": "", "key": spki(key_of(person)),
    }  # fmt: skip


def persons() -> list[bytes]:
    """The list of persons: the collector enrols Wang, who enrols the others."""
    made = [paper(COLLECTOR, "person", "wang", person_body("wang"))]
    for person in list(WHO)[1:]:
        made.append(paper("wang", "person", person, person_body(person), sm.sha256(made[-1])))
    return made


def row_of(person: str, **other: str | bytes) -> Certified:
    """What a list says of somebody of the plant's list of persons; `other` replaces fields."""
    key = key_sha256(key_of(person).public_key)
    if person in REVIEWERS:
        row = Certified(person, person, "Bureau", "reviewer", REVIEWERS[person][0], key)
    else:
        told = person_body(person)
        row = Certified(person, told["name"], told["organisation"], told["role"], "", key)
    return replace(row, **other)


def listed(
    *rows: Certified, by: FileSigner | None = None, withdrawn: Sequence[Withdrawn] = (),
    plant: str = PLANT, signer: str = COLLECTOR,
) -> bytes:  # fmt: skip
    """The collector's document of a list by the plant's root, or by another key.

    Without rows and withdrawn keys it certifies everybody of `WHO`.
    """
    key = by or keys().root
    chosen = rows if rows or withdrawn else tuple(map(row_of, WHO))
    data = encode_list(PersonsList(plant, tuple(chosen), tuple(withdrawn)), key)
    return laid(data, key, signer)


def laid(data: bytes, by: FileSigner, signer: str = COLLECTOR) -> bytes:
    """A document that lays these bytes in the log as a list by a key."""
    return paper(signer, CERTIFIED, PERSONS, {"by": spki(by), "list": data})


def reviewers(after: bytes) -> list[bytes]:
    """A province's and the nation's reviewer are enrolled, after the newest of the list."""
    made = [after]
    for person, (region, _) in REVIEWERS.items():
        body = {"name": person, "organisation": "Bureau", "role": "reviewer", "region": region,
                "key": spki(key_of(person))}  # fmt: skip
        made.append(paper("wang", "person", person, body, sm.sha256(made[-1])))
    return made[1:]


def reviews() -> list[bytes]:
    """Persons and reviewers; a question, its answer with a scan, a decision, a corrected one."""
    ask = paper("qin", "review-question", MONTH, QUESTION)
    decided = paper("qin", "review-decision", MONTH, DECISION)
    return [
        *persons(), *reviewers(persons()[-1]), ask,
        paper("li", "review-answer", MONTH, {"answer": "Wet."}, sm.sha256(ask),
              files=[file_of(SCAN)]),
        decided,
        paper("qin", "review-decision", MONTH, DECISION | {"decision": "note"}, sm.sha256(decided)),
        paper("guo", "review-decision", MONTH, DECISION | {"level": "nation"}),
    ]  # fmt: skip


def papers() -> list[bytes]:
    """Persons, an invoice that is corrected and approved, a stock-take that is withdrawn."""
    wrong = paper("li", "invoice", "anthracite", INVOICE | {"value": "12.05"})
    right = paper("li", "invoice", "anthracite", INVOICE, sm.sha256(wrong), files=[file_of(SCAN)])
    stock = paper("chen", "stock-take", "anthracite", STOCK)
    return [
        *persons(), wrong, right, paper("zhao", "approve", "anthracite", {}, sm.sha256(right)),
        stock, paper("chen", "withdraw", "anthracite", {"reason": "wet"}, sm.sha256(stock)),
    ]  # fmt: skip


def cosigned(made: Sequence[bytes], size: int, *, by: str = "qin", bend: bytes = b"") -> bytes:
    """A reviewer's document that cosigns the log of `archive` when it had so many entries."""
    entries = [sm.enrolment()]
    for data in made:
        entries.append(entry_of(data, len(entries)))
    root = merkle.root_of([merkle.leaf_hash(data) for data in entries[:size]])
    key = keys().collector
    note = checkpoint.sign(Checkpoint(PLANT, size, bend or root), key, key.public_key)
    name = f"stackproof/{PLANT}/witness/qin"
    signer = key_of(by)
    return paper("qin", "log-cosigned", "log",
                 {"checkpoint": cosign(note, name, START_NS // SECOND, signer, signer.public_key)}
                 )  # fmt: skip


def standing_of(made: Sequence[bytes]) -> list[Paper]:
    """What stands of documents that are logged one after another."""
    people, standing = People(PLANT, [sm.keys().collector.public_key]), Standing()
    for index, data in enumerate(made, 1):
        document, signer = people.read(data)
        people.take(document, sm.sha256(data))
        standing.take(Logged(index, 0, sm.sha256(data), document, signer))
    return papers_that_stand(standing)


def entry_of(data: bytes, index: int, **other: Any) -> bytes:
    """The log's record entry of a paper, as the collector writes it."""
    envelope = cose.parse(data)
    told, person = content(envelope.payload), envelope.header[cose.CWT_CLAIMS][cose.CWT_SUB]
    fields: dict[str, Any] = {
        "stream": "", "certificate": key_sha256(key_of(person).public_key),
        "detail": {"kind": told["kind"], "about": told["about"], "person": person},
    }  # fmt: skip
    return sm.entry(Kind.RECORD, data, index, **(fields | other))


def archive(
    made: Sequence[bytes], *, files: Sequence[bytes] = (SCAN,), earlier: int = 0,
    entries: Mapping[int, Mapping[str, Any]] | None = None,
    stream: Sequence[sm.Item] = (), statement: bytes | None = None,
) -> bytes:  # fmt: skip
    """The small plant's month with these papers, logged before its first object.

    Args:
        made: papers in the log's order.
        files: what is attached to them.
        earlier: so many of them stand before the archive's piece of the log, with proofs.
        entries: number of a paper -> fields of its entry to replace.
        stream: objects; absent: the small plant's.
        statement: what is closed; absent: the honest statement of readings alone.
    """
    first = [sm.enrolment()]
    for i, data in enumerate(made):
        first.append(entry_of(data, len(first), **(entries or {}).get(i, {})))
    month = sm.make_month(stream or sm.items(), statement=statement, first_entries=first)
    leaves = [merkle.leaf_hash(data) for data in month.entries]
    start = 1 + earlier if earlier else 0
    proofs = {
        sm.sha256(data): encode_proof(i, month.entries[i], merkle.inclusion_path(leaves, i))
        for i, data in enumerate(made[:earlier], 1)
    }
    held = Records(dict.fromkeys(made), proofs, [(sm.sha256(data), [data]) for data in files])
    return sm.build(
        sm.contents(
            month, records=held, log_range=sm.tree_of(month.entries[:start]),
            log_entries=month.entries[start:],
        )
    )  # fmt: skip
