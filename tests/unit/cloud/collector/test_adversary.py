"""Whoever has a broker login, and whoever has a gateway's key, against the collector.

Neither may make it raise, grow with what they send, give a receipt for what is not accepted, or
keep another gateway from being served. Everything drawn here is drawn from a seed.
"""

import hashlib
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud.collector import aside
from cloud.collector.judge import Accepted, Ahead, Duplicate
from cloud.collector.topics import Sender
from cloud.database.schema import aside as aside_table
from evidence import cbor, cose
from evidence.blocks import compress
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    TYP_ROTATE,
    encode_body,
)
from evidence.keys import FileSigner, certificate_from_pem, generate
from evidence.log import Kind
from evidence.orders import encode_rotate
from evidence.receipt import decode_receipt
from tests.unit.cloud.collector.site import Site as At
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    Gateway,
    body,
)

HONEST, STOLEN = Sender("mini", "edge-1"), Sender("mini", "edge-2")
TYPES = (TYP_FRAME, TYP_CONFIG, TYP_CLOSE, TYP_COSIGNATURE, TYP_ROTATE, "stackproof-later+cbor")
MIB = 1024 * 1024
BOMBS = [b"\x02" + zlib.compress(bytes(4 * MIB + more)) for more in range(2)]


class Site(At):
    """With an honest gateway, and one whose key was stolen."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ("edge-1", "edge-2"))
        self.honest, self.stolen = self.plant.gateways.values()
        self.honest_frames(3)
        self.now_s = 0.0

    def send(self, sender: Sender, data: bytes) -> Any:
        return self.intake.take(sender, data, self.now_s)

    def honest_frames(self, count: int) -> None:
        """The honest gateway is served, whatever happened before."""
        gateway = self.honest
        if not gateway.objects:
            assert isinstance(self.intake.take(HONEST, gateway.config(), 0.0), Accepted)
        for _ in range(count):
            data = gateway.frame(T0_NS + len(gateway.objects) * SECOND_NS)
            assert isinstance(self.intake.take(HONEST, data, 0.0), Accepted)
        assert HONEST in self.intake.commit().sealed
        receipt = decode_receipt(self.intake.receipt(HONEST), self.plant.collector.public_key)
        assert (receipt.seq, receipt.head) == (len(gateway.objects) - 1, gateway.head)

    def kept(self) -> Sequence[bytes]:
        with self.intake.store.database.reading() as connection:
            return connection.scalars(select(aside_table.c.sha256)).all()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.intake.store.close()


def login_only(site: Site, draw: random.Random) -> tuple[Sender, bytes]:
    """What somebody can send who may publish anything and holds no key."""
    names = ("edge-1", "edge-2", f"edge-{draw.randrange(10**6)}")
    sender = Sender(
        draw.choice(("mini", "mini", f"plant-{draw.randrange(10**6)}")), draw.choice(names)
    )
    genuine = draw.choice(site.honest.objects)
    stranger = Gateway(sender.plant, sender.gateway, FileSigner(generate()))
    seq = draw.choice((0, 1, 4, 5, 10**6, 2**64 - 1))
    typ = draw.choice(TYPES)
    flipped = bytearray(genuine)
    flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
    whole = site.honest.sign(TYP_FRAME, encode_body(body(T0_NS + 10**12)))  # then cut, never whole
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: draw.randbytes(draw.randrange(300)),
        lambda: bytes(flipped),
        lambda: genuine[: draw.randrange(len(genuine))],
        lambda: whole[:-1],
        lambda: genuine + b"\x00",
        lambda: stranger.sign(typ, draw.randbytes(20), seq=seq),
        lambda: stranger.sign(typ, encode_body(body(T0_NS)), seq=seq, prev=site.honest.head),
        lambda: bytes(cose.OBJECT_BYTES_MAX + 1),
        lambda: b"\xd2\x84" + b"\x81" * 5_000,  # nested arrays
        lambda: b"\xd2\x9b" + b"\xff" * 8,  # an array of 2^64 - 1 items
    )
    return sender, draw.choice(kinds)()


def test_a_login_without_a_key_gets_nothing_and_fills_nothing(site: Site) -> None:
    draw, before = random.Random(1), len(site.entries())
    for _ in range(3_000):
        sender, data = login_only(site, draw)
        verdict = site.send(sender, data)
        assert not isinstance(verdict, Accepted)
        assert not isinstance(verdict, Duplicate) or data in site.honest.objects
    assert site.intake.commit().sealed <= {HONEST}  # at most the receipt of what is held, again
    assert len(site.kept()) <= aside.UNKNOWN.an_hour
    assert len(site.entries()) - before <= aside.UNKNOWN.an_hour + 10  # one digest a reason
    counts = site.intake.rejects.counts  # of reasons, not of names that were made up
    assert set(counts) == {"mini", ""}
    assert {gateway for of in counts.values() for gateway, _ in of} <= {"edge-1", "edge-2", ""}
    assert site.intake.missing.of(HONEST) is None
    assert site.intake.plant("mini").reader.streams() == ["edge-1"]
    site.honest_frames(2)


def test_in_days_of_it_everything_refused_is_told_and_nothing_outgrows_its_bounds(
    site: Site,
) -> None:
    draw = random.Random(2)
    for _ in range(500):
        site.now_s += 1_200
        for _ in range(6):
            site.send(*login_only(site, draw))
        site.intake.tell_rejects(site.now_s)
        site.intake.commit()
    site.now_s += 60
    site.intake.tell_rejects(site.now_s)
    site.intake.commit()
    assert len(site.kept()) == aside.UNKNOWN.files
    told: Counter[str] = Counter()
    for entry in site.entries():
        if entry.kind is Kind.REJECT:
            told[entry.verdict] += entry.detail.get("count", 1)
    came: Counter[str] = Counter()
    for (_, reason), count in site.intake.rejects.counts["mini"].items():
        if reason not in ("duplicate", "ahead"):
            came[reason] += count
    assert told == came
    assert {"malformed", "signature", "unknown-key", "unknown-key-not-kept"} <= set(told)
    site.honest_frames(2)


def with_the_key(site: Site, draw: random.Random) -> bytes:
    """What somebody signs who holds the key of edge-2."""
    gateway, typ = site.stolen, draw.choice(TYPES)
    seq = draw.choice((0, 0, 1, 2, len(gateway.objects), len(gateway.objects), 2**64 - 1))
    payloads: tuple[Callable[[], bytes], ...] = (
        lambda: draw.randbytes(draw.randrange(40)),
        lambda: BOMBS[draw.randrange(2)],
        lambda: compress(cbor.encode({"checkpoint": "stackproof/mini\n9\nAAAA\n\n— x y\n"})),
        lambda: compress(cbor.encode({"certificate": draw.randbytes(50)})),
        lambda: compress(cbor.encode({"plant": {"id": "mini"}, "gateway": {"id": "edge-1"}})),
        lambda: encode_body(body(draw.choice((0, T0_NS, 2**62)), seed=draw.randrange(9))),
    )
    anchor = draw.choice((None, None, (3, bytes(32)), (10**9, bytes(32))))
    prev = draw.choice((gateway.head, gateway.head, bytes(32)))
    cfg = draw.choice((gateway.cfg, None, bytes(32)))
    return gateway.sign(typ, draw.choice(payloads)(), seq=seq, prev=prev, anchor=anchor, cfg=cfg)


def test_a_stolen_key_harms_its_own_stream_alone(site: Site) -> None:
    draw = random.Random(3)
    for _ in range(1_500):
        data = with_the_key(site, draw)
        if isinstance(site.send(STOLEN, data), Accepted):
            site.stolen.append(data)
        assert not isinstance(site.send(HONEST, data), Accepted | Duplicate)
    site.intake.commit()
    view = site.intake.plant("mini").reader
    assert view.head("edge-2").next_seq == len(site.stolen.objects)
    assert len(site.kept()) <= aside.KNOWN.an_hour + aside.UNKNOWN.an_hour
    entries = site.entries()
    accepted = [
        e for e in entries if e.stream == "edge-2" and e.verdict == "accepted" and e.seq is not None
    ]
    assert [e.sha256 for e in accepted] == [hashlib.sha256(d).digest() for d in site.stolen.objects]
    assert len(entries) <= 5 + len(site.honest.objects) + len(accepted) + len(site.kept()) + 20
    site.honest_frames(2)


def test_configurations_that_blow_up_are_not_held_beyond_the_newest(site: Site) -> None:
    gateway, noise = site.stolen, random.Random(1).randbytes(8_000).hex()
    for _ in range(5):
        data = gateway.config(noise + "x" * 3_000_000)  # three million characters in a few KB
        assert len(data) < 100_000
        assert isinstance(site.send(STOLEN, data), Accepted)
    assert [sender for sender in site.intake.commit().configs] == [STOLEN]


def test_the_same_objects_for_ever_change_nothing(site: Site) -> None:
    size = len(site.entries())
    for _ in range(300):
        for data in site.honest.objects:
            assert isinstance(site.send(HONEST, data), Duplicate)
    assert site.intake.commit().sealed == {HONEST}
    assert len(site.entries()) == size


# -- signatures that anybody can write anew --------------------------------------------------------

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2


def rewritten(data: bytes) -> bytes:
    """With n-s in place of s: verifies as well, and needs no key."""
    s = int.from_bytes(data[-32:], "big")
    return data[:-32] + (P256_ORDER - s).to_bytes(32, "big")


@pytest.fixture
def p256(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[At]:
    """A gateway whose token makes P-256 signatures; four of them say how it writes them."""
    monkeypatch.setattr("cloud.database.writer.LOWER_MANY", 4)
    monkeypatch.setattr("tests.unit.cloud.evidence_examples.generate", lambda: generate("p256"))
    made = At(tmp_path)
    made.take(made.gateway.config(), made.gateway.frame(T0_NS))
    yield made
    made.intake.store.close()


def frames(site: At, count: int) -> list[bytes]:
    begin = len(site.gateway.objects)
    return [site.gateway.frame(T0_NS + (begin + i) * SECOND_NS) for i in range(count)]


def test_what_is_held_and_comes_rewritten_is_no_fork(p256: At) -> None:
    """Whoever could publish had the log say that the gateway signs two objects for one place."""
    entries = p256.entries()
    assert p256.take(*map(rewritten, p256.gateway.objects)) == [Duplicate()] * 2
    assert p256.entries() == entries
    for spoilt in (bytes(64), b"\xff" * 64):
        (verdict,) = p256.take(p256.gateway.objects[1][:-64] + spoilt)
        assert verdict.reason == "signature"
    two = p256.gateway.objects.pop() and p256.gateway.frame(T0_NS)
    (verdict,) = p256.take(two)  # the same frame, signed once more with the key
    assert verdict.entry.verdict == "fork"


def test_what_is_due_and_comes_rewritten_is_not_taken_for_the_gateways(p256: At) -> None:
    """It was: the gateway's own object was a fork, and nothing of the stream was taken any more."""
    assert all(isinstance(v, Accepted) for v in p256.take(*frames(p256, 2)))
    (due,) = frames(p256, 1)
    (verdict,) = p256.take(rewritten(due))
    assert (verdict.reason, verdict.sentence) == (
        "signature", "seq 4: its signature was written anew on the way, without the key, or by an "
        "agent of before: then it is taken once the next one has come",
    )  # fmt: skip
    p256.restart()
    assert p256.take(rewritten(due))[0].reason == "signature"
    later = frames(p256, 2)
    p256.take(later[1], later[0])  # too early both: what they name is what the gateway has signed
    assert p256.take(rewritten(due))[0].reason == "signature"
    assert all(isinstance(v, Accepted) for v in p256.take(due, *later, *frames(p256, 3)))


@pytest.mark.parametrize("higher", [0, 1])
def test_an_agent_that_wrote_either_way_goes_on(p256: At, higher: int) -> None:
    """As all did: nothing says which it will be."""
    for n in range(8):
        (data,) = frames(p256, 1)
        if n % 4 == higher:
            p256.gateway.objects[-1] = data = rewritten(data)
        assert isinstance(p256.take(data)[0], Accepted), n


def test_an_older_agent_goes_on_with_what_a_newer_one_has_signed(p256: At) -> None:
    """After `install.sh --rollback`: it stood still for good, and with the newer agent again, too.

    What the spool holds is sent as it was signed, and the next object names it.
    """
    assert all(isinstance(v, Accepted) for v in p256.take(*frames(p256, 5)))
    assert p256.take(rewritten(frames(p256, 1)[0]))[0].reason == "signature"
    p256.gateway.objects[-1] = rewritten(p256.gateway.objects[-1])
    first, others = p256.gateway.objects[-1], frames(p256, 1)
    for _ in range(6):  # each of them with the higher s
        p256.gateway.objects[-1] = rewritten(p256.gateway.objects[-1])
        others[-1:] = [p256.gateway.objects[-1], *frames(p256, 1)]
    sent = [first, *others]
    refused, *early = p256.take(*sent)
    assert (refused.reason, {type(one) for one in early}) == ("signature", {Ahead})
    assert [type(one) for one in p256.take(*sent)] == [Accepted] * 8
    assert [p256.intake.plant("mini").hash_at("edge-1", 7 + n) for n in range(8)] == [
        hashlib.sha256(one).digest() for one in sent
    ]


def test_an_older_agents_change_of_key_is_taken_once_the_next_certificate_is_known(
    p256: At,
) -> None:
    """It was refused for good: only the next key names it, which only it makes known.

    A key that was in use before, and may be a thief's by now, names nothing.
    """
    first, next_ = p256.gateway.signer, FileSigner(generate("p256"))
    p256.plant.certify("gateway", "edge-1", next_.public_key, "next.crt")
    pem = (p256.plant.folder / "next.crt").read_bytes()
    assert all(isinstance(v, Accepted) for v in p256.take(*frames(p256, 3)))
    handed = p256.gateway.sign(TYP_ROTATE, encode_rotate(certificate_from_pem(pem)))
    p256.gateway.append(rewritten(handed))
    p256.gateway.signer = next_
    sent = [p256.gateway.objects[-1], *frames(p256, 3)]
    for _ in range(2):
        refused, *early = p256.take(*sent)
        assert (refused.reason, {type(one) for one in early}) == ("signature", {Ahead})
    (p256.keys / "next.crt").write_bytes(pem)
    assert p256.intake.look_for_keys("mini").problems == ()
    assert p256.take(*sent)[0].reason == "signature"
    assert [type(one) for one in p256.take(*sent)] == [Accepted] * 4
    (due,) = p256.take(*frames(p256, 1)) and frames(p256, 1)
    p256.gateway.objects[-1] = rewritten(due)
    p256.gateway.signer = first
    assert isinstance(p256.take(*frames(p256, 1))[0], Ahead)
    assert p256.take(rewritten(due))[0].reason == "signature"
    assert isinstance(p256.take(due)[0], Accepted)
