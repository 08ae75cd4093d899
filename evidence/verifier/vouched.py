"""Step 5, its third part: keys of persons and witnesses that somebody outside the collector knows.

A plant's root certifies the plant's persons, the reader's `--witness` keys certify reviewers. What
others have signed is told as it is: with a key for which there is the collector's word alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from evidence.documents.certified import Vouched
from evidence.documents.people import PERSON, PERSON_END, Person
from evidence.documents.review import DECISION, VISIT
from evidence.documents.standing import WITHDRAW, Logged, Standing
from evidence.findings import Report, utc

REVIEWER = "reviewer"
#: documents of one person that are named; the others are counted
NAMED_MAX = 8
_SECOND_NS = 10**9
_ALONE = "which nobody outside the collector vouches for; --witness FILE checks it."
_KNOWN = "which a key of --witness vouches for."
_STRANGE = "which no key of --witness vouches for."


@dataclass(frozen=True)
class Seen:
    """A checkpoint that a person from outside has cosigned, of the log here.

    Attributes:
        person: the witness.
        size: entries of the log that were seen.
        at_s: when, seconds since 1970 by the witness's clock.
        received_ns: when the log received the document.
    """

    person: Person
    size: int
    at_s: int
    received_ns: int

    @property
    def at(self) -> str:
        """`at_s` as people read it."""
        return utc(self.at_s * _SECOND_NS)


@dataclass(frozen=True)
class Vouching:
    """Certification of the keys in this archive.

    Attributes:
        vouched: what the lists in the log say.
        root: hash of the plant's root key, None when it cannot be used.
        witnesses: hashes of the keys that the reader trusts for reviewers; None for none given.
    """

    vouched: Vouched
    root: bytes | None
    witnesses: frozenset[bytes] | None

    def is_certified(self, person: Person, at_ns: int) -> bool:
        """True when the plant's root certifies a person of the works, for what came then."""
        among = () if self.root is None else (self.root,)
        return self.vouched.is_certified(person.row, at_ns, among)

    def is_witness(self, person: Person, at_ns: int) -> bool:
        """True when the reader's keys certify a reviewer, or are that reviewer's own."""
        among = (self.witnesses or frozenset()) - {self.root}
        return person.key_sha256 in among or self.vouched.is_certified(person.row, at_ns, among)

    @property
    def not_by(self) -> str:
        """The end of a sentence about a reviewer's key for which nobody vouches."""
        return _ALONE if self.witnesses is None else _STRANGE


def tell_persons(report: Report, standing: Standing, vouching: Vouching) -> None:
    """One finding for each key of a person of the works that signed what counts, uncertified."""
    found = defaultdict[bytes, list[Logged]](list)
    signers = dict[bytes, Person]()
    for logged, signer in _counting(standing):
        if signer.role != REVIEWER and not vouching.is_certified(signer, logged.received_ns):
            found[signer.key_sha256].append(logged)
            signers[signer.key_sha256] = signer
    for key, documents in found.items():
        signer = signers[key]
        report.add(
            "W-PERSON",
            f"person {signer.id}",
            f"{signer.name} ({signer.id}, {signer.role}) signed with key {key.hex()[:16]}, "
            f"{_why(signer, vouching)} Documents that count here: {len(documents)} "
            f"({_named(documents)}).",
        )


def _why(signer: Person, vouching: Vouching) -> str:
    root, vouched = vouching.root or b"", vouching.vouched
    if vouched.is_withdrawn(root, signer.key_sha256):
        return "which the plant's root has withdrawn."
    if vouched.is_known(root, signer.key_sha256):
        return "which the plant's root has certified as another person's or role's."
    return "which the plant's root has not certified."


def _counting(standing: Standing) -> Iterator[tuple[Logged, Person]]:
    """Documents that count, and withdrawals that ended one, by signer."""
    for logged in standing.all():
        kind, is_ended = logged.document.kind, standing.ended_by(logged.sha256) is not None
        if logged.signer is None or kind in (PERSON, PERSON_END):
            continue
        if not is_ended or kind == WITHDRAW:
            yield logged, logged.signer


def _named(documents: list[Logged]) -> str:
    """Kinds and what they are about: "invoice coal, approve coal ×2"."""
    counted = Counter(f"{one.document.kind} {one.document.about}" for one in documents)
    named = [what if n == 1 else f"{what} ×{n}" for what, n in counted.items()]
    return ", ".join(named[:NAMED_MAX]) + (", …" if len(named) > NAMED_MAX else "")


def tell_witnesses(
    report: Report, standing: Standing, seen: list[Seen], vouching: Vouching, size: int
) -> None:
    """Outside witnesses and reviewers, and the certification of their keys.

    Args:
        report: takes the findings, and what was seen as `Report.witnesses`.
        standing: documents of the archive.
        seen: checkpoints of this log that were cosigned, in the log's order.
        vouching: who vouches for keys.
        size: entries of the log.
    """
    newest: dict[tuple[bytes, bool], Seen] = {}
    for one in seen:
        newest[one.person.key_sha256, vouching.is_witness(one.person, one.received_ns)] = one
    for (key, is_certified), one in newest.items():
        who = f"{one.person.name} ({one.person.id})"
        by = _KNOWN if is_certified else vouching.not_by
        report.add(
            "N-WITNESS" if is_certified else "W-WITNESS",
            f"person {one.person.id}",
            f"{who} cosigned the log when it had {one.size:,} entries, {one.at} by that person's "
            f"clock, with key {key.hex()[:16]}, {by}",
        )
        report.witnesses.append(
            {
                "person": one.person.id, "name": one.person.name, "size": one.size, "of": size,
                "organisation": one.person.organisation, "at": one.at, "certified": is_certified,
            }
        )  # fmt: skip
    _tell_reviews(report, standing, vouching)


def _tell_reviews(report: Report, standing: Standing, vouching: Vouching) -> None:
    found = defaultdict[bytes, list[Person]](list)
    for logged, signer in _counting(standing):
        is_review = logged.document.kind in (DECISION, VISIT)
        if is_review and not vouching.is_witness(signer, logged.received_ns):
            found[signer.key_sha256].append(signer)
    for key, signers in found.items():
        report.add(
            "W-WITNESS",
            f"person {signers[0].id}",
            f"{signers[0].name} ({signers[0].id}) signed decisions or visits here, {len(signers)}, "
            f"with key {key.hex()[:16]}, {vouching.not_by}",
        )


def witnesses_line(report: Report, stamped: datetime | None) -> str:
    """Sentence for "not checked": the part of the log that no third party has bound.

    Args:
        report: with its witnesses.
        stamped: time of a stamp by an authority that the reader trusts; None without one.
    """
    certified = [one for one in report.witnesses if one["certified"]]
    if certified:
        names = ", ".join(sorted({one["person"] for one in certified}))
        size, of = max(one["size"] for one in certified), certified[0]["of"]
        if stamped is None:
            return (
                f"Witnesses: of the log's {of:,} entries {names} saw the first {size:,}; no third "
                "party has bound those after them yet."
            )
        return (
            f"Witnesses: of the log's {of:,} entries {names} saw the first {size:,}; those after "
            f"them are bound by the time stamp of {stamped:%Y-%m-%dT%H:%M:%SZ}, and before it by "
            "no third party."
        )
    if stamped is not None:
        return (
            "Witnesses: the trusted time stamp binds this history from "
            f"{stamped:%Y-%m-%dT%H:%M:%SZ} on; before it gateway and collector together could have "
            "written another one."
        )
    if report.counts["kept"]:
        return (
            "Witnesses: no third party you trust has bound this log; what you kept binds it as far "
            "as it reaches, and nobody does after that."
        )
    if report.witnesses:
        names = ", ".join(sorted({one["person"] for one in report.witnesses}))
        return (
            f"Witnesses: {names} cosigned the log, and nobody you trust vouches for the key; "
            "gateway and collector together could have written another history."
        )
    return (
        "Witnesses: the checkpoint has no signature of a third party; gateway and collector "
        "together could have written another history."
    )
