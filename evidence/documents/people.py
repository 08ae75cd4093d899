"""Who may sign for a plant: persons with their keys, as documents enrolled and ended them. Pure.

The list of persons is a chain: each `person` and `person-end` follows the one before it, so none
can be left out of the middle. The collector's key begins it; from then on those whose role is
"security" continue it too. Lists by which others vouch for keys stand beside the chain. RECORDS.md
"Persons".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from evidence.documents.certified import CERTIFIED, Certified, Vouched, decode_list
from evidence.documents.document import COLLECTOR, Document, decode_document, signed_by
from evidence.documents.kinds import check_document, shape_of
from evidence.documents.review import check_level
from evidence.errors import MalformedError, SignatureError
from evidence.keys import key_id, key_sha256
from evidence.public_key import load_key
from evidence.suites import PublicKey

PERSON, PERSON_END = "person", "person-end"
#: keys that a plant's list of persons ever had
KEYS_MAX = 10_000


@dataclass(frozen=True)
class Person:
    """Somebody with one key; another key of the same person is another of these.

    Attributes:
        id: account id.
        name, organisation: for people.
        role: one of `kinds.ROLES`.
        region: GB/T 2260 prefix, "" for all.
        key: what the person signs with.
        key_sha256: of it.
    """

    id: str
    name: str
    organisation: str
    role: str
    region: str
    key: PublicKey
    key_sha256: bytes

    @property
    def row(self) -> Certified:
        """Row of a list that certifies this key."""
        return Certified(
            self.id, self.name, self.organisation, self.role, self.region, self.key_sha256
        )


@dataclass
class People:
    """The persons of a plant so far.

    Attributes:
        plant: plant id.
        collectors: keys the collector has, or had.
        head: SHA-256 of the newest document of the list, None before the first.
        active: key hash -> person, of keys that may sign now.
        ended: key hash -> person, of keys that may not sign any more.
        vouched: what those say who vouch for keys.
    """

    plant: str
    collectors: Iterable[PublicKey]
    head: bytes | None = None
    active: dict[bytes, Person] = field(default_factory=dict)
    ended: dict[bytes, Person] = field(default_factory=dict)
    vouched: Vouched = field(default_factory=Vouched)

    def read(self, data: bytes) -> tuple[Document, Person | None]:
        """A document that the right person signed with a key that may sign now.

        Returns:
            The document, and who signed it: None for the collector.

        Raises:
            SignatureError: no key of that person signed it, or one that may not sign any more.
            UnknownSuiteError, UnsupportedError: newer than this program.
            MalformedError, LimitError: not a document of its kind, of another plant, or of a
                person whose role may not sign it.
        """
        person_id, kid = signed_by(data)
        if person_id == COLLECTOR:
            document, person = decode_document(data, self._collector(kid)), None
        else:
            person = self._person(person_id, kid)
            document = decode_document(data, person.key)
        if document.plant != self.plant:
            raise MalformedError(f"it is a document of plant {document.plant}")
        check_document(document)
        role = COLLECTOR if person is None else person.role
        if role not in shape_of(document.kind).roles:
            raise MalformedError(f"a {document.kind} is not for {role} to sign")
        if person is not None:
            check_level(document, person.region)
        return document, person

    def take(self, document: Document, sha256: bytes) -> None:
        """Let a document about persons or their keys count; others leave the list as it is.

        Args:
            document: as `read` gave it.
            sha256: of its bytes.

        Raises:
            MalformedError: it does not follow the newest one, or cannot be done.
            SignatureError: a list that vouches for keys is not signed by the key it names.
            UnknownSuiteError: the key is of a kind this program has no suite for.
        """
        if document.kind == CERTIFIED:
            self._vouch(document)
        if document.kind not in (PERSON, PERSON_END):
            return
        if document.follows != (() if self.head is None else (self.head,)):
            raise MalformedError(
                "it does not follow the newest document of the list of persons: somebody else was "
                "enrolled or ended meanwhile, or one is missing"
            )
        if document.kind == PERSON:
            self._enrol(document)
        else:
            self._end(document)
        self.head = sha256

    def _enrol(self, document: Document) -> None:
        body = document.body
        key = load_key(body["key"])
        digest = key_sha256(key)
        if digest in self.active or digest in self.ended:
            raise MalformedError("this key is or was in the list of persons already")
        if len(self.active) + len(self.ended) >= KEYS_MAX:
            raise MalformedError(f"the list of persons has {KEYS_MAX} keys; no more fit")
        if document.about == COLLECTOR:
            raise MalformedError(f"no person can be called {COLLECTOR!r}")
        for known in self.active.values():
            if known.id == document.about and known.role != body["role"]:
                raise MalformedError(f"{known.id} is {known.role}; end that key first")
        self.active[digest] = Person(
            document.about, body["name"], body["organisation"], body["role"], body["region"],
            key, digest,
        )  # fmt: skip

    def _end(self, document: Document) -> None:
        digest = document.body["key"]
        person = self.active.get(digest)
        if person is None or person.id != document.about:
            raise MalformedError(f"{document.about} has no such key to end")
        self.ended[digest] = self.active.pop(digest)

    def _vouch(self, document: Document) -> None:
        by = load_key(document.body["by"])
        said = decode_list(document.body["list"], by)
        if said.plant != document.plant:
            raise MalformedError(f"the list certifies persons of plant {said.plant}")
        self.vouched.take(key_sha256(by), said)

    def _collector(self, kid: bytes) -> PublicKey:
        for key in self.collectors:
            if key_id(key) == kid:
                return key
        raise SignatureError("it names a key that the collector does not have")

    def _person(self, person_id: str, kid: bytes) -> Person:
        for digest, person in self.active.items():
            if digest[:8] == kid and person.id == person_id:
                return person
        if any(digest[:8] == kid for digest in self.ended):
            raise SignatureError(f"{person_id} signed with a key that was ended before")
        raise SignatureError(f"{person_id} has no such key in the list of persons")
