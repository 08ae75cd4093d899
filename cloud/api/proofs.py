"""Routes about one plant's log and keys: checkpoint, proofs, receipts, what was refused.

Hashes are hex; indices and sizes count entries from 0. A proof is about trees the log has had, up
to the newest checkpoint; anybody can check it with RFC 6962 and the checkpoint alone.

A receipt of inclusion is signed for whoever asks, by the key that gateways wait for, which may live
in a token. What is signed is the newest root in a stream's name, no word of the asker's: so one
signature a stream and commit is made, however many entries are asked for, and as often.
"""

import base64
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from threading import Lock
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import PlainTextResponse

from cloud.api.guard import Given, GuardedRoute
from cloud.api.routes import PlantPath, found
from cloud.api.services import Services
from cloud.collector.desk import PlantEvidence
from evidence.errors import KeyFileError
from evidence.inclusion_receipt import encode_inclusion
from evidence.keys import Signer
from evidence.points import NAME_ID
from evidence.suites import PublicKey

ENTRIES_MAX = 1_000
#: of what RFC 9052 registers
COSE_TYPE = "application/cose"

#: a signature for every stream of a large collector
SIGNATURES_KEPT = 4_096

router = APIRouter(prefix="/api/v1/plants/{plant}", route_class=GuardedRoute)

Count = Annotated[int, Query(ge=0, lt=2**63)]
GatewayId = Annotated[str, Query(pattern=f"^{NAME_ID.pattern}$", description="gateway id")]
GatewayPath = Annotated[str, Path(pattern=f"^{NAME_ID.pattern}$", description="gateway id")]
Sha256Path = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the object")]


def _evidence(given: Services, plant: str) -> PlantEvidence:
    with found():
        return given.evidence.evidence(plant)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """A proof about a tree the log never had is the asker's mistake."""
    try:
        yield
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


@lru_cache(SIGNATURES_KEPT)
def _signature(signer: Signer, message: bytes) -> bytes:
    return signer.sign(message)


@dataclass(frozen=True)
class _Once:
    """A key that signs the same bytes once, whoever asks. Any thread."""

    signer: Signer
    one: ClassVar = Lock()  # many who ask at once would each find nothing kept

    @property
    def alg(self) -> int:
        return self.signer.alg

    @property
    def kid(self) -> bytes:
        return self.signer.kid

    @property
    def public_key(self) -> PublicKey:
        return self.signer.public_key

    def sign(self, message: bytes) -> bytes:
        with self.one:
            return _signature(self.signer, message)  # type: ignore[arg-type]  # hashed by identity


# plain functions: they read the disk, so they run in a worker thread


@router.get("/log/checkpoint", response_class=PlainTextResponse)
def checkpoint(given: Given, plant: PlantPath) -> str:
    """The newest checkpoint, a C2SP signed note."""
    return _evidence(given, plant).checkpoint


@router.get("/log/proof/inclusion")
def inclusion(given: Given, plant: PlantPath, index: Count, size: Count) -> dict[str, Any]:
    """The audit path of an entry in the tree of the first `size` entries (RFC 6962 §2.1.1)."""
    evidence = _evidence(given, plant)
    with _refusing():
        path = evidence.inclusion_path(index, size)
        root = evidence.compact_range(size).root()
    return {"index": index, "size": size, "root": root.hex(), "path": [h.hex() for h in path]}


@router.get("/log/proof/consistency")
def consistency(
    given: Given,
    plant: PlantPath,
    old: Annotated[int, Query(alias="from", ge=1, lt=2**63)],
    new: Annotated[int, Query(alias="to", ge=1, lt=2**63)],
) -> dict[str, Any]:
    """The proof that the tree of `from` entries is a prefix of that of `to` (RFC 6962 §2.1.2)."""
    evidence = _evidence(given, plant)
    with _refusing():
        path = evidence.consistency_path(old, new)
        roots = [evidence.compact_range(size).root().hex() for size in (old, new)]
    return {
        "from": old,
        "to": new,
        "from_root": roots[0],
        "to_root": roots[1],
        "path": [h.hex() for h in path],
    }


@router.get("/log/entries")
def entries(
    given: Given,
    plant: PlantPath,
    first: Annotated[int, Query(alias="from", ge=0, lt=2**63)],
    count: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = ENTRIES_MAX,
) -> dict[str, Any]:
    """Up to 1,000 entries as they stand in the log, base64; fewer where the log ends."""
    evidence = _evidence(given, plant)
    found = [base64.b64encode(data).decode() for _, data in evidence.entries(first, first + count)]
    return {"from": first, "size": evidence.size, "entries": found}


@router.get("/log/receipt", response_class=Response, responses={200: {"content": {COSE_TYPE: {}}}})
def receipt(given: Given, plant: PlantPath, stream: GatewayId, seq: Count) -> Response:
    """A COSE receipt (RFC 9942) that the entry of an object is in the log."""
    evidence = _evidence(given, plant)
    size = evidence.size
    found = next(evidence.objects(stream, seq, seq + 1), None)
    if found is None:
        raise HTTPException(404, f"stream {stream} of plant {plant} has no object seq {seq}")
    with _refusing():
        index = found.log_index
        _, entry = next(iter(evidence.entries(index, index + 1)))
        path = evidence.inclusion_path(index, size)
    try:
        signed = encode_inclusion(
            plant, entry, index, size, path, signer=_Once(given.evidence.signer)
        )
    except KeyFileError as error:
        raise HTTPException(503, f"the collector's key does not sign just then: {error}") from error
    return Response(signed, media_type=COSE_TYPE)


@router.get("/streams/{gateway}")
async def stream(given: Given, plant: PlantPath, gateway: GatewayPath) -> Mapping[str, Any]:
    """Where a stream stands and which keys it has: what a replace order must say."""
    with found():
        return given.keys.stream(plant, gateway)


@router.get("/quarantine")
def quarantine(given: Given, plant: PlantPath) -> Mapping[str, Any]:
    """What was refused of the plant's gateways and why, and every object kept aside."""
    with found():
        return given.keys.quarantine(plant)


@router.get(
    "/quarantine/{sha256}", response_class=Response, responses={200: {"content": {COSE_TYPE: {}}}}
)
def kept_aside(given: Given, plant: PlantPath, sha256: Sha256Path) -> Response:
    """One object that was put aside, as it came."""
    evidence = _evidence(given, plant)
    found = evidence.kept(bytes.fromhex(sha256))
    if found is None:
        raise HTTPException(404, f"plant {plant} keeps no object {sha256} aside")
    # whoever reached the broker made these bytes: no browser is to show them
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:16]}.cose"'}
    return Response(found[1], media_type=COSE_TYPE, headers=headers)


@router.post("/keys/reload")
async def reload(given: Given, plant: PlantPath) -> dict[str, Any]:
    """Look into the plant's key folder for certificates and orders."""
    with found():
        return asdict(await given.keys.reload(plant))
