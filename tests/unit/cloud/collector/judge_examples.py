"""What a judge is asked with: streams held in memory, and a plant's keys."""

from dataclasses import dataclass, field

from cloud.collector.identity import Certified, PlantIdentity, read_issued
from cloud.collector.judge import Accepted, Verdict
from cloud.collector.keyring import Keyring
from cloud.collector.topics import Sender
from cloud.database.state import StreamState
from evidence.keys import FileSigner, generate
from tests.unit.cloud.evidence_examples import T0_NS, ExamplePlant

SENDER = Sender("mini", "edge-1")
NOW_NS = T0_NS + 5


@dataclass
class View:
    """What is held, in memory."""

    states: dict[str, StreamState] = field(default_factory=dict)
    hashes: dict[tuple[str, int], bytes] = field(default_factory=dict)
    roots: dict[int, bytes] = field(default_factory=dict)

    def stream(self, stream: str) -> StreamState:
        return self.states.get(stream, StreamState())

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        return self.hashes.get((stream, seq))

    def root_at(self, size: int) -> bytes | None:
        return self.roots.get(size)

    def must_be_lower(self, stream: str, kid: bytes, sha256: bytes) -> bool:
        return False

    def hold(self, accepted: Verdict) -> None:
        assert isinstance(accepted, Accepted)
        entry, stream = accepted.entry, self.stream(accepted.entry.stream)
        place = stream.next_place(entry, 0, t0_ns=accepted.t0_ns, newest_ns=accepted.newest_ns)
        self.states[entry.stream] = stream.with_object(place)
        self.hashes[entry.stream, entry.seq or 0] = entry.sha256


def keyring_of(identity: PlantIdentity, *more: Certified) -> Keyring:
    keyring = Keyring(identity)
    for certified in (*identity.gateways, *more):
        keyring.certify(certified)
    return keyring


def second_key(plant: ExamplePlant) -> tuple[FileSigner, Certified]:
    """Another key that is certified for the gateway."""
    second = FileSigner(generate())
    plant.certify("gateway", "edge-1", second.public_key, "edge-1-new.crt")
    path = plant.folder / "edge-1-new.crt"
    return second, read_issued(path, plant.folder / "root.crt", "gateway", "mini")
