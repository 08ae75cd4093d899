"""Persons and witnesses whom the collector alone vouches for, and lists that vouch for others.

Unless a kind says otherwise, the collector is the forger: it enrols whom it likes, and logs what it
likes.
"""

from collections.abc import Callable
from dataclasses import replace

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import compress
from evidence.documents.certified import TYP_PERSONS, Certified, PersonsList, Withdrawn, encode_list
from evidence.keys import FileSigner, certificate_to_der
from evidence.orders import Revoke, encode_order
from tests.attacks.forging import SISTER, Kind, kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp
from tests.unit.evidence.small_plant import START_NS

ROOT, COLLECTOR, GATEWAY = sm.keys().root, sm.keys().collector, sm.keys().gateway
#: a key that nobody has met
STRANGE = pp.key_of("ivy")
LI = pp.key_sha256(pp.key_of("li").public_key)


def enrolled(who: str, role: str, after: bytes, region: str = "") -> bytes:
    """The collector enrols somebody nobody knows."""
    body = {"name": who.title(), "organisation": "Test smelter", "role": role, "region": region,
            "key": pp.spki(pp.key_of(who))}  # fmt: skip
    return pp.paper(pp.COLLECTOR, "person", who, body, sm.sha256(after))


def invented() -> list[bytes]:
    """Two accountants whom nobody has met: one signs an invoice, the other approves it."""
    ivy = enrolled("ivy", "accountant", pp.persons()[-1])
    joe = enrolled("joe", "accountant", ivy)
    invoice = pp.paper("ivy", "invoice", "anthracite", pp.INVOICE)
    approval = pp.paper("joe", "approve", "anthracite", {}, sm.sha256(invoice))
    return [*pp.persons(), ivy, joe, invoice, approval]


def papers_with(*lists: bytes) -> Callable[[], bytes]:
    """The honest papers, and these lists."""
    return lambda: pp.archive([*pp.papers(), *lists])


def all_but(person: str, *rows: Certified) -> bytes:
    """The root certifies everybody but one, and these."""
    return pp.listed(*(pp.row_of(one) for one in pp.WHO if one != person), *rows)


def ended(through_ns: int | None) -> bytes:
    """The root withdraws the accountant's key."""
    return pp.listed(withdrawn=[Withdrawn(LI, through_ns, "left")])


def certified_twice() -> bytes:
    """The collector logs the list in which the root certified the accountant after the end."""
    return pp.archive([*pp.papers(), ended(None), pp.listed()])


def replaced() -> bytes:
    """The certified accountant's key ends; the collector enrols another one in that name."""
    key = {"key": LI, "reason": "lost"}
    end = pp.paper("wang", "person-end", "li", key, sm.sha256(pp.persons()[-1]))
    told = pp.person_body("li") | {"key": pp.spki(STRANGE)}
    new = pp.paper(pp.COLLECTOR, "person", "li", told, sm.sha256(end))
    invoice = pp.paper("li", "invoice", "anthracite", pp.INVOICE, by=STRANGE)
    made = [*pp.persons(), pp.listed(), end, new, invoice]
    by = {"certificate": pp.key_sha256(STRANGE.public_key)}
    return pp.archive(made, files=(), entries={len(made) - 1: by})


def took_away() -> bytes:
    """An invented accountant withdraws an invoice that a certified one had signed."""
    ivy = enrolled("ivy", "accountant", pp.persons()[-1])
    invoice = pp.paper("li", "invoice", "anthracite", pp.INVOICE)
    reason, after = {"reason": "wrong"}, sm.sha256(invoice)
    gone = pp.paper("ivy", "withdraw", "anthracite", reason, after)
    return pp.archive([*pp.persons(), ivy, invoice, gone, pp.listed()], files=())


def witness(*lists: bytes) -> Callable[[], bytes]:
    """A reviewer has cosigned the log; these lists vouch for the reviewer, or do not."""
    return lambda: pp.archive([*pp.reviews(), pp.cosigned(pp.reviews(), 9), pp.listed(), *lists])


def reviewed_by_nobody() -> bytes:
    """A reviewer nobody has met approves the month."""
    kim = enrolled("kim", "reviewer", pp.persons()[-1], "37")
    approved = pp.DECISION | {"decision": "approve"}
    decision = pp.paper("kim", "review-decision", pp.MONTH, approved)
    return pp.archive([*pp.persons(), kim, decision, pp.listed()], files=())


def bent(data: bytes, by: FileSigner = ROOT, signer: str = pp.COLLECTOR) -> Callable[[], bytes]:
    """The honest papers, and a document with what is no list by this key."""
    return lambda: pp.archive([*pp.papers(), pp.laid(data, by, signer)])


def signed(fields: dict[str, object], typ: str = TYP_PERSONS) -> bytes:
    """The root signs a list that no program would write."""
    return cose.sign(ROOT, {cose.TYP: typ}, compress(cbor.encode(fields)))


def as_map(person: str) -> dict[str, object]:
    return dict(vars(pp.row_of(person)))


def as_order() -> bytes:
    """The root's list stands among the orders about gateways' keys."""
    data = encode_list(PersonsList(sm.PLANT, (pp.row_of("li"),)), ROOT)
    files = sm.unpack(sm.honest()) | {paths.order(sm.sha256(data)): data}
    return sm.repack(files, by=COLLECTOR)


HONEST_LIST = encode_list(PersonsList(sm.PLANT, (pp.row_of("li"),)), ROOT)
REVOKED = encode_order(Revoke(sm.PLANT, sm.STREAM, LI, None, "never was good"), ROOT)
QIN = pp.row_of("qin")

#: what is no list, its signer, its certifier's key
NO_LISTS: list[tuple[str, str, Callable[[], bytes]]] = [
    ("list of certified persons of another plant", "The sister plant's list is logged here.",
     lambda: pp.archive([*pp.papers(), pp.listed(plant="sister-smelter", by=SISTER.root)])),
    ("list by the collector in the root's name", "The collector signs the list that the root did "
     "not sign.", bent(encode_list(PersonsList(sm.PLANT, (pp.row_of("li"),)), COLLECTOR), ROOT)),
    ("order about a gateway as a list of persons", "The root's revoke order is logged as a list.",
     bent(REVOKED)),
    ("certificate of a gateway as a list of persons", "The gateway's own is logged as a list.",
     bent(certificate_to_der(sm.keys().certificates["gateway"]))),
    ("list of persons with a key twice", "A list certifies one key as two persons'.",
     bent(signed({"plant": sm.PLANT,
                  "certified": [as_map("li"), as_map("li") | {"person": "ivy"}]}))),
    ("list of persons without a key", "A list names nobody.", bent(signed({"plant": sm.PLANT}))),
    ("list of persons with a field too many", "A list says until when it is good.",
     bent(signed({"plant": sm.PLANT, "certified": [as_map("li")], "until": 1}))),
    ("list of persons by an administrator", "An administrator lays a list in the log.",
     bent(HONEST_LIST, ROOT, "wang")),
    ("list of persons withdrawn", "An accountant withdraws what the root has certified.",
     lambda: pp.archive([*pp.papers(), pp.listed(), pp.paper(
         "li", "withdraw", "persons", {"reason": "no"}, sm.sha256(pp.listed()))])),
    ("list of persons that follows another", "The collector says that a list corrects another.",
     lambda: pp.archive([*pp.papers(), pp.listed(), pp.paper(
         pp.COLLECTOR, "persons-certified", "persons",
         {"by": pp.spki(ROOT), "list": HONEST_LIST}, sm.sha256(pp.listed()))])),
]  # fmt: skip

KINDS: list[Kind] = [
    *[kind(name, story, build, "E-DOCUMENT") for name, story, build in NO_LISTS],
    kind("invented accountants", "Alone, the collector enrols two persons, signs and approves.",
         lambda: pp.archive([*invented(), pp.listed()], files=()), "W-PERSON"),
    kind("invoice withdrawn by an invented accountant",
         "Nobody the root knows takes an amount away.", took_away, "W-PERSON"),
    kind("person certified by the collector", "The collector vouches for its own accountants.",
         papers_with(pp.listed(by=COLLECTOR)), "W-PERSON"),
    kind("person certified by a gateway", "A gateway's key vouches for the accountants.",
         papers_with(pp.listed(by=GATEWAY)), "W-PERSON"),
    kind("person certified by another plant's root", "The sister's root signs this plant's list.",
         papers_with(pp.listed(by=SISTER.root)), "W-PERSON"),
    kind("person certified by the reviewers", "The reviewers' bureau vouches for the works.",
         papers_with(pp.listed(by=pp.ORGANISATION)), "W-PERSON"),
    kind("person certified in another role", "The root knows an operator; he signs invoices.",
         papers_with(all_but("li", pp.row_of("li", role="operator"))), "W-PERSON"),
    kind("person certified under another name", "The root knows Li; the collector calls her Lu.",
         papers_with(all_but("li", pp.row_of("li", name="Lu"))), "W-PERSON"),
    kind("person whose key the root has withdrawn", "An accountant who left signs an invoice.",
         papers_with(pp.listed(), ended(START_NS - 1)), "W-PERSON"),
    kind("person certified again after the end", "The collector logs the older list once more.",
         certified_twice, "W-PERSON"),
    kind("person with a key that took the place of another",
         "The collector enrols another key in the name of a certified accountant.", replaced,
         "W-PERSON"),
    kind("honest month after an accountant has left",
         "Nobody: what came before her key was withdrawn counts.",
         papers_with(pp.listed(), ended(2**63 - 1))),
    kind("list of persons as an order", "A list lies among the orders about gateways' keys.",
         as_order, "C-FORMAT"),
    kind("invented reviewer", "The collector enrols a reviewer and cosigns its own log.",
         witness(), "W-WITNESS"),
    kind("month approved by an invented reviewer", "The collector enrols a reviewer and approves.",
         reviewed_by_nobody, "W-WITNESS"),
    kind("witness certified by the plant's root", "Works and collector vouch for a witness.",
         witness(pp.listed(QIN)), "W-WITNESS"),
    kind("witness certified for another region", "A city's reviewer is enrolled as a province's.",
         witness(pp.listed(replace(QIN, region="3701"), by=pp.ORGANISATION)), "W-WITNESS"),
    kind("witness whose key was withdrawn", "A reviewer who left cosigns the log.",
         witness(pp.listed(QIN, by=pp.ORGANISATION),
                 pp.listed(withdrawn=[Withdrawn(QIN.key, None, "left")], by=pp.ORGANISATION)),
         "W-WITNESS"),
]  # fmt: skip
