"""Papers of persons: signed by the wrong one, following what they do not, changed, left out."""

from collections.abc import Callable
from typing import Any

from evidence import cbor
from evidence.archive import paths
from evidence.documents.document import COLLECTOR
from tests.attacks.by_points import ORDER_8, Nobodys
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

#: places in `papers()`
WRONG, RIGHT = 5, 6


def new_person(by: str, *follows: bytes) -> bytes:
    """Eve is enrolled, with the laboratory's key."""
    after = follows or (sm.sha256(pp.persons()[-1]),)
    return pp.paper(by, "person", "eve", pp.person_body("lab"), *after)


def counted(person: str, **other: Any) -> bytes:
    body = {"value": "1", "unit": "t", **pp.PERIOD} | other.pop("body", {})
    return pp.paper(person, "count", "clinker", body, **other)


def actions(person: str, about: str = "security-log") -> bytes:
    return pp.paper(person, "account-actions", about, pp.ACTIONS)


def owing(person: str, *follows: bytes) -> bytes:
    body = {"reason": "fire", "by": "zhao", "owed": [{"what": "Silent.", "by": "operator"}]}
    return pp.paper(person, "month-decision", pp.MONTH, body, *follows)


def owed(person: str, what: str, body: dict[str, Any]) -> bytes:
    return pp.paper(person, what, pp.MONTH, body, sm.sha256(owing(COLLECTOR)))


def end_li(*follows: bytes) -> bytes:
    key = pp.key_sha256(pp.key_of("li").public_key)
    after = follows or (sm.sha256(pp.persons()[-1]),)
    return pp.paper("wang", "person-end", "li", {"key": key, "reason": "left"}, *after)


def after(place: int, by: str, what: str, about: str, body: dict[str, Any]) -> bytes:
    """A paper that follows one of `papers()`."""
    return pp.paper(by, what, about, body, sm.sha256(pp.papers()[place]))


def signed_anew() -> list[bytes]:
    """Wu has a P-256 key; what it signs is logged, and again with n-s in place of s."""
    body = pp.person_body("chen") | {"key": pp.spki(pp.key_of("wu"))}
    enrolled = pp.paper("wang", "person", "wu", body, sm.sha256(pp.persons()[-1]))
    once = counted("wu")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2
    s = order - int.from_bytes(once[-32:], "big")
    return [enrolled, once, once[:-32] + s.to_bytes(32, "big")]


def nobodys() -> list[bytes]:
    """Wu is enrolled with a key that nobody has, and a count is signed under it."""
    key = Nobodys(ORDER_8)
    body = pp.person_body("chen") | {"key": pp.spki(key)}
    enrolled = pp.paper("wang", "person", "wu", body, sm.sha256(pp.persons()[-1]))
    return [enrolled, counted("wu", by=key)]


Made = Callable[[], list[bytes]]
INVOICE = pp.INVOICE | {"value": "1.00"}

#: name, story, what is logged after the list of persons, what the verifier says
AFTER_PERSONS: list[tuple[str, str, Made, str]] = [
    ("paper under another's key", "An engineer signs in the accountant's name.",
     lambda: [counted("li", by=pp.key_of("zhao"))], "no such key"),
    ("paper of a stranger", "Somebody who was never enrolled signs a count.",
     lambda: [counted("mallory")], "no such key"),
    ("paper logged again, rewritten",
     "A count is logged a second time, without its signer's key.", signed_anew,
     "once with its signature rewritten"),
    ("person with a key of small order", "A person is enrolled in whose name anybody signs.",
     nobodys, "point of small order"),
    ("paper of another plant", "An operator uses the sister plant's count here.",
     lambda: [counted("li", plant="sister-smelter")], "plant sister-smelter"),
    ("invoice by an operator", "An operator, who may count, signs an invoice.",
     lambda: [pp.paper("chen", "invoice", "coal", pp.INVOICE)], "for operator to sign"),
    ("count by the laboratory", "A laboratory from outside says how much was produced.",
     lambda: [counted("lab")], "for laboratory to sign"),
    ("count by the collector", "The operator of the collector signs a count with its key.",
     lambda: [counted(COLLECTOR)], "for collector to sign"),
    ("actions of accounts by an administrator", "Who must not do it says what the accounts did.",
     lambda: [actions("wang")], "for security to sign"),
    ("actions of accounts about a plant", "Counts of accounts look like a count of clinker.",
     lambda: [actions(COLLECTOR, "clinker")], "is about 'security-log'"),
    ("actions of accounts withdrawn", "An operator withdraws what the accounts did.",
     lambda: [actions(COLLECTOR), pp.paper("chen", "withdraw", "security-log", {"reason": "no"},
                                           sm.sha256(actions(COLLECTOR)))], "ends or approves"),
    ("month decision withdrawn", "An operator withdraws that a month was closed owing something.",
     lambda: [owing(COLLECTOR), owed("chen", "withdraw", {"reason": "no"})], "ends or approves"),
    ("month decision approved", "An engineer approves what the collector wrote, as if a figure.",
     lambda: [owing(COLLECTOR), owed("zhao", "approve", {})], "ends or approves"),
    ("month decision rewritten", "An accountant corrects why a month was closed.",
     lambda: [owing(COLLECTOR), owing("li", sm.sha256(owing(COLLECTOR)))], "accountant to sign"),
    ("paper with a field too few", "A count says no unit, to be read as anything.",
     lambda: [pp.paper("li", "count", "coal", {"value": "1", **pp.PERIOD})], "nit: missing"),
    ("paper with a field too many", "A count brings a second figure.",
     lambda: [counted("li", body={"value_2": "2"})], "alue_2: unknown"),
    ("paper with a number that is no text", "A count is an integer, to be rounded by its reader.",
     lambda: [counted("li", body={"value": 1})], "must be a number"),
    ("paper with a period that ends first", "A count is of no time at all.",
     lambda: [counted("li", body={"to_ns": pp.MAY})], "before to_ns"),
    ("person enrolled by an accountant", "An accountant makes himself a second person.",
     lambda: [new_person("li")], "for accountant to sign"),
    ("person with another's key", "Eve is enrolled with a key that the laboratory has.",
     lambda: [new_person("wang")], "already"),
    ("list of persons forked", "A person is enrolled as if nobody had been since.",
     lambda: [new_person("wang", sm.sha256(pp.persons()[0]))], "does not follow the newest"),
    ("paper after the person's end", "Somebody who left signs a count.",
     lambda: [end_li(), counted("li")], "ended before"),
    ("person ended twice", "A key is ended that was ended before.",
     lambda: [end_li(), end_li(sm.sha256(end_li()))], "no such key to end"),
]  # fmt: skip
#: the same, after all of `papers()`
AFTER_PAPERS: list[tuple[str, str, Made, str]] = [
    ("paper approved by its writer", "The accountant approves the invoice that he signed.",
     lambda: [after(RIGHT, "li", "approve", "anthracite", {})], "another person must"),
    ("correction about something else", "The invoice for coal becomes one for coke.",
     lambda: [after(RIGHT, "li", "invoice", "coke", INVOICE)], "a document about anthracite"),
    ("correction of what stands no more", "A wording that was corrected is corrected again.",
     lambda: [after(WRONG, "li", "invoice", "anthracite", INVOICE)], "corrected or withdrawn"),
    ("correction of another kind", "A count takes the place of the invoice.",
     lambda: [after(RIGHT, "li", "count", "anthracite",
                    {"value": "1", "unit": "t", **pp.PERIOD})], "corrects no invoice"),
    ("approval of nothing", "An approval names a paper that nobody has seen.",
     lambda: [pp.paper("zhao", "approve", "anthracite", {}, bytes(32))], "no document"),
    ("paper logged twice", "The collector logs an invoice a second time, to count it twice.",
     lambda: [pp.papers()[RIGHT]], "twice"),
]  # fmt: skip

ASK, ANSWER, DECIDED, NOTED = 7, 8, 9, 10


def reviewed(place: int, by: str, what: str, **other: Any) -> bytes:
    """A review that follows one of `reviews()`; place 0: none of them."""
    body = {
        "review-answer": {"answer": "Dry."}, "review-question": pp.QUESTION, "approve": {},
        "review-decision": pp.DECISION, "withdraw": {"reason": "no"},
    }  # fmt: skip
    follows = [sm.sha256(pp.reviews()[place])] if place else []
    about = other.pop("about", pp.MONTH)
    return pp.paper(by, what, about, body[what] | other.pop("body", {}), *follows, **other)


#: the same, after all of `reviews()`
AFTER_REVIEWS: list[tuple[str, str, Made, str]] = [
    ("question by the plant", "An accountant asks in a reviewer's stead.",
     lambda: [reviewed(0, "li", "review-question")], "for accountant to sign"),
    ("answer by a reviewer", "A reviewer answers the own question.",
     lambda: [reviewed(ASK, "qin", "review-answer")], "for reviewer to sign"),
    ("answer to no question", "An answer is to a decision.",
     lambda: [reviewed(DECIDED + 1, "li", "review-answer")], "no question"),
    ("answer to nothing", "An answer names no question.",
     lambda: [reviewed(0, "li", "review-answer")], "follows one question"),
    ("decision of another level", "A province's reviewer decides for the nation.",
     lambda: [reviewed(0, "qin", "review-decision", body={"level": "nation"})], "for the province"),
    ("decision corrected by another", "The nation's reviewer rewrites the province's decision.",
     lambda: [reviewed(NOTED, "guo", "review-decision", body={"level": "nation"})], "nly qin"),
    ("decision twice of one item", "A decision says an item was opened, and was not.",
     lambda: [reviewed(0, "qin", "review-decision",
                       body={"not_opened": [{"item": pp.ITEM}]})], "each item once"),
    ("review of no month", "A question is about a source instead of a month.",
     lambda: [reviewed(0, "qin", "review-question", about="coal")], "about a month"),
    ("question withdrawn by the plant", "The plant withdraws what it was asked.",
     lambda: [reviewed(ASK, "li", "withdraw")], "ends or approves"),
    ("answer approved", "An engineer approves an answer, as if it made a figure.",
     lambda: [reviewed(ANSWER, "zhao", "approve")], "ends or approves"),
]  # fmt: skip


def changed(path: str, data: bytes | None) -> Callable[[], bytes]:
    """The honest papers with a file changed or left out, packed and sealed anew."""

    def build() -> bytes:
        files = sm.unpack(pp.archive(pp.papers(), earlier=3))
        files = {k: v for k, v in files.items() if k != path} | ({path: data} if data else {})
        return sm.repack(files, by=sm.keys().collector)

    return build


def entry_says(**fields: Any) -> Callable[[], bytes]:
    """The log's entry of the invoice says something else than the invoice."""
    return lambda: pp.archive(pp.papers(), entries={RIGHT: fields})


def proof(bend: Callable[[list[Any]], list[Any]]) -> Callable[[], bytes]:
    """The proof of an earlier paper, bent."""

    def build() -> bytes:
        path = paths.record_proof(sm.sha256(pp.papers()[1]))
        honest = cbor.decode(sm.unpack(pp.archive(pp.papers(), earlier=3))[path])
        return changed(path, cbor.encode(bend(honest)))()

    return build


INVOICE_PATH = paths.record(sm.sha256(pp.papers()[RIGHT]))
SCAN_PATH = paths.record_file(sm.sha256(pp.SCAN))
OTHERS_KEY = pp.key_sha256(pp.key_of("zhao").public_key)
COUNT = {"kind": "count", "about": "anthracite", "person": "li"}

#: name, story, archive, what the verifier says
BENT: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("paper left out", "The invoice is in the log and not in the archive.",
     changed(INVOICE_PATH, None), "not in the archive"),
    ("paper replaced", "The first wording of the invoice stands where the corrected one was.",
     changed(INVOICE_PATH, pp.papers()[WRONG]), "not the document its name"),
    ("scan left out", "The invoice's scan is not there.", changed(SCAN_PATH, None), "is not here"),
    ("scan changed", "Another scan of the same length stands there.",
     changed(SCAN_PATH, pp.SCAN[::-1]), "was changed"),
    ("entry of another kind", "The log calls the invoice a count.",
     entry_says(detail=COUNT), "something else"),
    ("entry of another signer", "The log says that somebody else signed the invoice.",
     entry_says(certificate=OTHERS_KEY), "another key"),
    ("entry of another length", "The log has the invoice shorter than it is.",
     entry_says(length=3), "not the document"),
    ("proof of another place", "An earlier paper is said to stand elsewhere in the log.",
     proof(lambda p: [p[0] + 1, *p[1:]]), "do not lead"),
    ("proof cut", "An earlier paper's proof lacks a hash.",
     proof(lambda p: [*p[:2], p[2][:-1]]), "do not lead"),
    ("proof with half a hash", "An earlier paper's proof holds what is no hash.",
     proof(lambda p: [*p[:2], [*p[2][:-1], bytes(31)]]), "proof is [index"),
    ("proof of a place in the archive", "An earlier paper is said to stand where the log is here.",
     proof(lambda p: [9, *p[1:]]), "not of an entry before"),
]  # fmt: skip

#: the list of the reviewers' organisation
ORGANISATIONS = pp.listed(*map(pp.row_of, pp.REVIEWERS), by=pp.ORGANISATION)

SAID: list[tuple[str, Callable[[], bytes], str]] = [
    *[(name, lambda m=made: pp.archive([*pp.persons(), *m()], files=()), said)
      for name, _, made, said in AFTER_PERSONS],
    *[(name, lambda m=made: pp.archive([*pp.papers(), *m()]), said)
      for name, _, made, said in AFTER_PAPERS],
    *[(name, lambda m=made: pp.archive([*pp.reviews(), *m()]), said)
      for name, _, made, said in AFTER_REVIEWS],
    *[(name, build, said) for name, _, build, said in BENT],
]  # fmt: skip
_STORIES = [row[1] for row in (*AFTER_PERSONS, *AFTER_PAPERS, *AFTER_REVIEWS, *BENT)]

#: what hangs on a paper that cannot be read is then named by none
_MORE = {"paper left out", "paper replaced", "entry of another length"} | {
    row[0] for row in BENT if "proof" in row[0]
}

KINDS: list[Kind] = [
    *[kind(name, story, build, "E-DOCUMENT", *(["E-FILE-EXTRA"] if name in _MORE else []))
      for (name, build, _), story in zip(SAID, _STORIES, strict=True)],
    kind("honest month with papers", "Nobody: persons, an invoice that was corrected, a scan.",
         lambda: pp.archive([*pp.papers(), pp.listed()], earlier=3)),
    kind("honest month with reviews", "Nobody: a question, its answer, decisions of two levels.",
         lambda: pp.archive([*pp.reviews(), pp.listed(), ORGANISATIONS], earlier=9)),
    kind("honest month with a witness", "Nobody: a reviewer has cosigned the log.",
         lambda: pp.archive([*pp.reviews(), pp.cosigned(pp.reviews(), 9), pp.listed(),
                             ORGANISATIONS]), "N-WITNESS"),
    kind("witness of another log", "The log was rewritten after a reviewer had cosigned it.",
         lambda: pp.archive([*pp.reviews(), pp.cosigned(pp.reviews(), 9, bend=bytes(32))]),
         "E-COSIGNATURE"),
    kind("witness of a later log", "A reviewer cosigns what the log did not have yet.",
         lambda: pp.archive([*pp.reviews(), pp.cosigned(pp.reviews(), len(pp.reviews()) + 2)]),
         "E-COSIGNATURE"),
    kind("witness by another's key", "A nation's reviewer cosigns in the province's name.",
         lambda: pp.archive([*pp.reviews(), pp.cosigned(pp.reviews(), 9, by="guo")]),
         "E-COSIGNATURE"),
    kind("file that no paper names", "A scan nobody signed for lies among the others.",
         changed(paths.record_file(bytes(32)), b"x"), "E-FILE-EXTRA"),
    kind("paper that the log does not have", "A paper nobody logged lies among the others.",
         changed(paths.record(bytes(32)), b"x"), "E-FILE-EXTRA"),
    kind("paper of a newer kind", "A paper is of a kind that this program does not know.",
         lambda: pp.archive([*pp.persons(), pp.paper("li", "hologram", "x", {})], files=()),
         "C-FORMAT"),
]  # fmt: skip
