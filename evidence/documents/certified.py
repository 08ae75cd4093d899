"""A list by which somebody outside the collector vouches for keys of persons. Pure.

The plant's root certifies the plant's persons, a reviewers' organisation its reviewers. A list
names person and key as the plant's list of persons has them, so that a key under another name or
role is certified for nobody. Lists have no date and no end: a key counts until the same
certifier withdraws it, from an instant of the plant's log on. RECORDS.md "Who vouches for a key".
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from evidence import cbor, cose
from evidence.blocks import compress, content
from evidence.documents import fields as f
from evidence.errors import MalformedError
from evidence.keys import Signer
from evidence.points import NAME_ID
from evidence.suites import PublicKey

TYP_PERSONS = "stackproof-persons+cbor"
#: kind and about of the collector's document that lays a list in the plant's log
CERTIFIED, PERSONS = "persons-certified", "persons"
#: rows of one list, certified and withdrawn together
ROWS_MAX = 1_000
#: rows of all lists of a plant, each counted once
ALL_ROWS_MAX = 20_000

_CERTIFIED: Mapping[str, f.Check] = {
    "person": f.name_id, "name": f.text, "organisation": f.text, "role": f.name_id,
    "region": f.region, "key": f.digest,
}  # fmt: skip
_WITHDRAWN: Mapping[str, f.Check] = {"key": f.digest, "reason": f.text}
_THROUGH: Mapping[str, f.Check] = {"through_ns": f.instant}


@dataclass(frozen=True)
class Certified:
    """A person with one key, as the plant's list of persons has them; `key` is its SHA-256."""

    person: str
    name: str
    organisation: str
    role: str
    region: str
    key: bytes


@dataclass(frozen=True)
class Withdrawn:
    """A key that the signer of the list vouches for no more.

    Attributes:
        key: SHA-256 of it.
        through_ns: what the log received later does not count; None: nothing ever did.
        reason: for people.
    """

    key: bytes
    through_ns: int | None
    reason: str


@dataclass(frozen=True)
class PersonsList:
    """Content of one list of a plant's persons."""

    plant: str
    certified: tuple[Certified, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()


def encode_list(said: PersonsList, signer: Signer) -> bytes:
    """The signed bytes of a list; MalformedError for a field that is not as it must be."""
    fields: dict[str, Any] = {"plant": said.plant}
    if said.certified:
        fields["certified"] = [dict(vars(row)) for row in said.certified]
    if said.withdrawn:
        rows = [dict(vars(row)) for row in said.withdrawn]
        fields["withdrawn"] = [{k: v for k, v in row.items() if v is not None} for row in rows]
    _from_fields(fields)
    return cose.sign(signer, {cose.TYP: TYP_PERSONS}, compress(cbor.encode(fields)))


def decode_list(data: bytes, key: PublicKey) -> PersonsList:
    """A verified list.

    Raises:
        SignatureError, UnknownSuiteError: this key did not sign it.
        MalformedError, LimitError: not a list of persons.
    """
    envelope = cose.parse(data)
    cose.verify(envelope, key)
    if envelope.typ != TYP_PERSONS:
        raise MalformedError(f"it is of type {envelope.typ!r}, not a list of persons")
    if set(envelope.header) != {cose.ALG, cose.KID, cose.TYP}:
        raise MalformedError("the list's header has labels beside 1, 4 and 16")
    return _from_fields(content(envelope.payload))


def _from_fields(fields: Any) -> PersonsList:
    named = {"plant", "certified", "withdrawn"}
    if not isinstance(fields, dict) or not {"plant"} < set(fields) <= named:
        raise MalformedError("a list has a plant, and certified or withdrawn keys, or both")
    plant = fields["plant"]
    if not isinstance(plant, str) or not NAME_ID.fullmatch(plant):
        raise MalformedError("the list's plant is no id")
    if "certified" in fields:
        f.rows(_CERTIFIED)(fields["certified"])
    if "withdrawn" in fields:
        f.rows(_WITHDRAWN, _THROUGH)(fields["withdrawn"])
    certified = tuple(Certified(**row) for row in fields.get("certified", ()))
    withdrawn = tuple(
        Withdrawn(row["key"], row.get("through_ns"), row["reason"])
        for row in fields.get("withdrawn", ())
    )
    keys = [row.key for row in certified] + [row.key for row in withdrawn]
    if len(keys) > ROWS_MAX:
        raise MalformedError(f"a list names {ROWS_MAX} keys at most")
    if len(set(keys)) != len(keys):
        raise MalformedError("a list names each key once")
    return PersonsList(plant, certified, withdrawn)


class Vouched:
    """Everything that the lists of a plant's log say so far."""

    def __init__(self) -> None:
        """Begin with no list."""
        self._rows: set[tuple[bytes, Certified]] = set()  # hash of the certifier's key, row
        #: hashes of the certifier's and the person's key -> newest instant that counts, or -1
        self._ends: dict[tuple[bytes, bytes], int] = {}
        self._known: set[tuple[bytes, bytes]] = set()

    def copy(self) -> "Vouched":
        """The same, to be changed apart."""
        made = Vouched()
        made._rows, made._ends, made._known = set(self._rows), dict(self._ends), set(self._known)
        return made

    def take(self, by: bytes, said: PersonsList) -> None:
        """Let one more list count, signed by the key of this hash.

        Raises:
            MalformedError: the lists have more than `ALL_ROWS_MAX` rows together.
        """
        self._rows.update((by, row) for row in said.certified)
        self._known.update((by, row.key) for row in said.certified)
        for end in said.withdrawn:
            through = -1 if end.through_ns is None else end.through_ns
            self._ends[by, end.key] = min(through, self._ends.get((by, end.key), through))
        if len(self._rows) + len(self._ends) > ALL_ROWS_MAX:
            raise MalformedError(f"the plant's lists certify more than {ALL_ROWS_MAX} keys")

    def is_certified(self, row: Certified, at_ns: int, among: Collection[bytes]) -> bool:
        """True when somebody among these vouches for what a person signed.

        Args:
            row: the person and the key, as the plant's list of persons has them.
            at_ns: when the log received what was signed.
            among: hashes of the keys whose word counts.
        """
        return any(
            (by, row) in self._rows and at_ns <= self._ends.get((by, row.key), at_ns)
            for by in among
        )

    def certifiers(self, row: Certified, at_ns: int) -> list[bytes]:
        """Hashes of the keys of all who vouch for what a person signed, as `is_certified`."""
        bys = {by for by, key in self._known if key == row.key}
        return sorted(by for by in bys if self.is_certified(row, at_ns, (by,)))

    def is_known(self, by: bytes, key: bytes) -> bool:
        """True when a certifier has certified a key, whoever's."""
        return (by, key) in self._known

    def is_withdrawn(self, by: bytes, key: bytes) -> bool:
        """True when a certifier has withdrawn a key, from whenever."""
        return (by, key) in self._ends
