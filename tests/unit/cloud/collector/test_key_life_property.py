"""Any order of frames, rotates, revokes, replaces and starts anew, against the rules by hand.

The oracle below is written from FORMAT.md §6 alone: one key at a time, changed by rotate and
replace, ended by revoke.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloud.collector.judge import Accepted, Aside, Refused
from evidence.frame import TYP_FRAME, TYP_ROTATE, encode_body
from evidence.keys import (
    FileSigner,
    certificate_from_pem,
    certificate_to_der,
    generate,
    key_sha256,
)
from evidence.orders import Order, Replace, Revoke, encode_order, encode_rotate
from tests.unit.cloud.collector.site import Site as At
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, body

KEYS = 4


class Oracle:
    """Which key is good where: keys are numbers, -1 is a stranger's."""

    def __init__(self) -> None:
        self.objects = 0
        self.first: int | None = None
        self.certified = {0}
        self.changes: list[tuple[int, bool, int, int]] = []  # seq, by order, old key, new key
        self.revoked: dict[int, int] = {}

    def life(self) -> tuple[int | None, set[int]]:
        """The key in use now, and every key that was; an order that comes late undoes a rotate."""
        current, had = self.first, {self.first} - {None}
        for seq, by_order in sorted({change[:2] for change in self.changes}):
            pairs = [(old, new) for at, by, old, new in self.changes if (at, by) == (seq, by_order)]
            replaced = [old for old, _ in pairs]
            last = [new for _, new in pairs if new not in replaced]
            if by_order:
                holds = len(last) == 1 and len(set(replaced)) == len(replaced)
            else:
                ((old, new),) = pairs
                holds = old == current and self.is_good(old, seq) and new not in had
            if holds:
                current = last[0]
            had |= {current} - {None}
        return current, {key for key in had if key is not None}

    @property
    def current(self) -> int | None:
        return self.life()[0]

    def is_good(self, key: int, seq: int) -> bool:
        return seq <= self.revoked.get(key, seq)

    def fault(self, key: int) -> str:
        """Why the next object may not be signed by a key, "" when it may."""
        if key not in self.certified:
            return "unknown-key"
        if not self.is_good(key, self.objects):
            return "revoked"
        return "" if self.current in (None, key) else "key-change"

    def accept(self, key: int) -> None:
        self.first = key if self.first is None else self.first
        self.objects += 1

    def may_rotate(self, new: int) -> bool:
        ended = new in self.revoked and self.revoked[new] <= self.objects
        return not ended and new not in self.life()[1]

    def change(self, seq: int, old: int, new: int, *, by_order: bool) -> None:
        self.changes.append((seq, by_order, old, new))
        self.certified.add(new)

    def revoke(self, key: int, through: int) -> None:
        self.revoked[key] = min(through, self.revoked.get(key, through))

    def may_replace(self, new: int) -> bool:
        return self.objects > 0 and new != self.current and new not in self.revoked


class Site(At):
    """With every key of the gateway, and the root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.signers = [self.gateway.signer, *(FileSigner(generate()) for _ in range(KEYS))]
        self.certificates = []
        for n, signer in enumerate(self.signers[:KEYS]):
            self.plant.certify("gateway", "edge-1", signer.public_key, f"{n}.crt")
            self.certificates.append(
                certificate_from_pem((self.plant.folder / f"{n}.crt").read_bytes())
            )
        self.orders = 0

    def hash(self, key: int) -> bytes:
        return key_sha256(self.signers[key].public_key)

    def object(self, key: int, typ: str, payload: bytes) -> bytes:
        self.gateway.signer = self.signers[key]
        return self.gateway.sign(typ, payload)

    def frame(self, key: int) -> bytes:
        if not self.gateway.objects:
            self.gateway.signer = self.signers[key]
            data = self.gateway.config()
            self.gateway.objects.clear()
            self.gateway.cfg = None
            return data
        at_ns = T0_NS + len(self.gateway.objects) * SECOND_NS
        return self.object(key, TYP_FRAME, encode_body(body(at_ns)))

    def send(self, data: bytes) -> Any:
        (verdict,) = self.take(data)
        if isinstance(verdict, Accepted):
            self.gateway.append(data)
            self.gateway.cfg = self.gateway.cfg or verdict.entry.sha256  # a configuration is first
        return verdict

    def order(self, order: Order) -> bool:
        """True when it counts."""
        self.orders += 1
        name = f"{self.orders}.cose"
        data = encode_order(order, FileSigner(self.plant.root_key))
        (self.keys / name).write_bytes(data)
        news = self.intake.look_for_keys("mini")
        self.intake.commit()
        (self.keys / name).unlink()
        return any(sentence.startswith(name) for sentence in news.taken)

    def replacement(self, old: int, new: int) -> Replace:
        stream = self.intake.plant("mini").reader.state.stream("edge-1")
        return Replace(
            "mini", "edge-1", self.hash(old), certificate_to_der(self.certificates[new]),
            max(stream.next_seq - 1, 0), stream.head.hash, stream.through_ns, f"no. {self.orders}",
        )  # fmt: skip


STEPS = st.one_of(
    st.tuples(st.just("frame"), st.integers(-1, KEYS - 1)),
    st.tuples(st.just("own"), st.just(0)),
    st.tuples(st.just("rotate"), st.integers(0, KEYS - 1)),
    st.tuples(st.just("revoke"), st.integers(0, KEYS - 1), st.integers(-1, 12)),
    st.tuples(st.just("replace"), st.integers(0, KEYS - 1)),
    st.tuples(st.just("restart"), st.just(0)),
)


#: a device replaced by one that never signs, and that one by a third: orders at one seq
TWICE = [("frame", 0), ("replace", 1), ("replace", 2), ("replace", 3), ("restart", 0), ("own", 0)]


#: an order ends a key before the place where it handed over
UNDONE = [("frame", 0), ("frame", 0), ("rotate", 1), ("revoke", 0, 0), ("own", 0), ("replace", 2)]


@example(steps=TWICE)
@example(steps=UNDONE)
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_what_counts_is_what_the_rules_say(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site, oracle = Site(Path(folder)), Oracle()
        for step in steps:
            apply(site, oracle, *step)
            compare(site, oracle)
        site.restart()
        compare(site, oracle)
        site.intake.store.close()


def apply(site: Site, oracle: Oracle, what: str, key: int, through: int = 0) -> None:
    signer = 0 if oracle.current is None else oracle.current
    if what in ("frame", "own"):
        key = signer if what == "own" else key
        fault, verdict = oracle.fault(key), site.send(site.frame(key))
        if fault:
            assert isinstance(verdict, Aside | Refused), verdict  # the room for strangers is small
            told = verdict.entry.verdict if isinstance(verdict, Aside) else verdict.reason
            assert told.removesuffix("-not-kept") == fault
        else:
            assert isinstance(verdict, Accepted), verdict
            oracle.accept(key)
    elif what == "rotate" and oracle.objects and not oracle.fault(signer):
        payload = encode_rotate(site.certificates[key])
        verdict = site.send(site.object(signer, TYP_ROTATE, payload))
        assert isinstance(verdict, Accepted) == oracle.may_rotate(key), verdict
        if isinstance(verdict, Accepted):
            oracle.change(oracle.objects, signer, key, by_order=False)
            oracle.accept(signer)
    elif what == "revoke":
        order = Revoke(
            "mini", "edge-1", site.hash(key), None if through < 0 else through, f"{site.orders}"
        )
        assert site.order(order)
        oracle.revoke(key, through)
    elif what == "replace":
        assert site.order(site.replacement(signer, key)) == oracle.may_replace(key)
        if oracle.may_replace(key):
            oracle.revoke(signer, oracle.objects - 1)
            oracle.change(oracle.objects - 1, signer, key, by_order=True)
    elif what == "restart":
        site.restart()


def compare(site: Site, oracle: Oracle) -> None:
    """The collector holds as much, and knows the same key to be in use."""
    state = site.intake.plant("mini").reader.state.stream("edge-1")
    assert state.next_seq == oracle.objects == len(site.gateway.objects)
    keys = site.intake.plants.require("mini").keyring.of("edge-1")
    in_use = keys.current(oracle.objects)
    assert in_use == (None if oracle.current is None else site.hash(oracle.current))
