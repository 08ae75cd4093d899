"""Keys that come while the collector runs: certificates and orders from a folder, rotate objects.

Everything is checked on the evidence itself: what the log says, what is on disk, and which object
is accepted after it, also after a start anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from cloud.collector.intake import Intake
from cloud.collector.judge import Accepted, Aside
from cloud.collector.opening import open_plants
from cloud.collector.topics import Sender
from cloud.database.schema import key_file
from cloud.errors import DamagedLogError, NotServedError
from evidence.frame import TYP_FRAME, TYP_ROTATE, encode_body
from evidence.keys import FileSigner, certificate_from_pem, certificate_to_der, generate, key_sha256
from evidence.log import Kind
from evidence.orders import Order, Replace, Revoke, encode_order, encode_rotate
from tests.unit.cloud.collector.judge_examples import SENDER
from tests.unit.cloud.collector.site import Site as At
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    Gateway,
    ManualClock,
    body,
    make_plant,
)
from tests.unit.cloud.kept import evidence_in, full, kept_in, refusing


class Site(At):
    """With a gateway that has begun, and the plant's root at hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.take(self.gateway.config(), self.gateway.frame(T0_NS))

    def look(self) -> Any:
        news = self.intake.look_for_keys("mini")
        self.intake.commit()
        return news

    def new_key(self, name: str = "new.crt") -> FileSigner:
        """Certified in the operator's folder."""
        signer = FileSigner(generate())
        self.plant.certify("gateway", "edge-1", signer.public_key, name)
        (self.plant.folder / name).rename(self.keys / name)
        return signer

    def certificate(self, name: str = "new.crt") -> Any:
        return certificate_from_pem((self.keys / name).read_bytes())

    def order(self, order: Order, name: str = "order.cose", root: Any = None) -> bytes:
        data = encode_order(order, FileSigner(root or self.plant.root_key))
        (self.keys / name).write_bytes(data)
        return data

    def replacement(self, **changes: Any) -> Replace:
        """What a replace order must say now."""
        stream = self.intake.plant("mini").reader.state.stream("edge-1")
        fields: dict[str, Any] = {
            "plant": "mini", "stream": "edge-1", "old": key_sha256(self.gateway.signer.public_key),
            "certificate": certificate_to_der(self.certificate()), "seq": stream.next_seq - 1,
            "head": stream.head.hash, "through_ns": stream.through_ns, "reason": "burnt",
        }  # fmt: skip
        return Replace(**{**fields, **changes})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.intake.store.close()


def test_a_new_gateway_is_enrolled_without_a_start(site: Site) -> None:
    signer = FileSigner(generate())
    site.plant.certify("gateway", "edge-2", signer.public_key, "two.crt")
    (site.plant.folder / "two.crt").rename(site.keys / "two.crt")
    second = Gateway("mini", "edge-2", signer)
    sender, data = Sender("mini", "edge-2"), second.config()
    assert site.intake.take(sender, data, 0.0).entry.verdict == "unknown-key"
    (sentence,) = site.look().taken
    assert sentence.startswith("two.crt: certificate of edge-2, key ")
    assert isinstance(site.intake.take(sender, data, 0.0), Accepted)
    enrol = site.entries()[-1]
    assert (enrol.kind, enrol.stream, enrol.sha256) == (
        Kind.ENROL, "edge-2", key_sha256(signer.public_key),
    )  # fmt: skip
    assert sender in site.intake.gateways()
    assert site.look().taken == ()
    site.restart()
    assert sender in site.intake.gateways()


def test_a_rotate_object_hands_over_and_its_certificate_is_enrolled(site: Site) -> None:
    second = FileSigner(generate())
    site.plant.certify("gateway", "edge-1", second.public_key, "next.crt")
    certificate = certificate_from_pem((site.plant.folder / "next.crt").read_bytes())
    gateway, first = site.gateway, site.gateway.signer
    rotate = gateway.append(gateway.sign(TYP_ROTATE, encode_rotate(certificate)))
    gateway.signer = second
    assert all(isinstance(v, Accepted) for v in site.take(rotate, gateway.frame(T0_NS + SECOND_NS)))
    kinds = [(e.kind, e.certificate) for e in site.entries()[-3:]]
    assert kinds == [
        (Kind.ROTATE, key_sha256(first.public_key)),
        (Kind.ENROL, None),
        (Kind.FRAME, key_sha256(second.public_key)),
    ]
    site.restart()
    gateway.signer = first
    (verdict,) = site.take(gateway.sign(TYP_FRAME, encode_body(body(T0_NS + 2 * SECOND_NS))))
    assert verdict.entry.verdict == "key-change"
    gateway.signer = second
    (verdict,) = site.take(gateway.frame(T0_NS + 2 * SECOND_NS))
    assert isinstance(verdict, Accepted)


def test_a_revoke_order_ends_a_key_and_outlives_a_start(site: Site) -> None:
    key = key_sha256(site.gateway.signer.public_key)
    data = site.order(Revoke("mini", "edge-1", key, 2, "stolen"))
    (sentence,) = site.look().taken
    assert sentence.endswith("after seq 2 (stolen)"), "nothing in the log is under it"
    entry = site.entries()[-1]
    assert (entry.kind, entry.stream, entry.seq) == (Kind.REVOKE, "edge-1", 2)
    assert (entry.detail, entry.length) == ({"key": key}, len(data))
    assert entry.certificate == site.plant.identity().root.fingerprint
    (site.keys / "order.cose").unlink()  # it counts from its copy beside the log now
    for restart in (False, True):
        if restart:
            site.restart()
        good = site.gateway.frame(T0_NS + SECOND_NS) if not restart else b""
        if good:
            assert isinstance(site.take(good)[0], Accepted)
        (verdict,) = site.take(
            site.gateway.sign(TYP_FRAME, encode_body(body(T0_NS + 2 * SECOND_NS)))
        )
        assert verdict.entry.verdict == "revoked"
    site.order(Revoke("mini", "edge-1", key, 0, "since then"), "earlier.cose")  # 2 was the frame
    assert site.look().taken[0].endswith("In the log seq 1 to 2 count no more by it")


def test_a_revoke_from_before_a_rotate_undoes_it_and_says_how_to_go_on(site: Site) -> None:
    """What a revoked key handed over counts for nothing, as in every archive."""
    second, first = site.new_key(), site.gateway.signer
    rotate = site.gateway.append(
        site.gateway.sign(TYP_ROTATE, encode_rotate(site.certificate()))
    )  # fmt: skip
    site.gateway.signer = second
    site.take(rotate, site.gateway.frame(T0_NS + SECOND_NS))
    old, new = (key_sha256(key.public_key) for key in (first, second))
    site.order(Revoke("mini", "edge-1", old, 1, "stolen"), "end.cose")
    news = site.look()
    (sentence,) = news.problems
    assert news.taken[0].endswith("In the log seq 2 to 2 count no more by it")
    assert "ends key " + old[:8].hex() + " before its rotate object of seq 2" in sentence
    assert sentence.endswith("a replace order whose old key is " + old.hex())
    next_frame = site.gateway.sign(TYP_FRAME, encode_body(body(T0_NS + 2 * SECOND_NS)))
    (verdict,) = site.take(next_frame)
    assert verdict.entry.verdict == "key-change"
    site.order(site.replacement(old=old), "replace.cose")
    assert site.look().problems == ()
    (verdict,) = site.take(site.gateway.frame(T0_NS + 2 * SECOND_NS))
    assert isinstance(verdict, Accepted)
    assert site.entries()[-1].certificate == new


def test_a_replace_order_continues_the_stream_with_another_device(site: Site) -> None:
    gateway, first = site.gateway, site.gateway.signer
    second = site.new_key()
    site.order(site.replacement())
    taken = " ".join(site.look().taken)
    assert "goes on after seq 1 with key" in taken
    entry = next(e for e in site.entries() if e.kind is Kind.REPLACE)
    assert (entry.seq, entry.detail) == (
        1, {"old": key_sha256(first.public_key), "new": key_sha256(second.public_key)}
    )  # fmt: skip
    (verdict,) = site.take(gateway.sign(TYP_FRAME, encode_body(body(T0_NS + SECOND_NS))))
    assert verdict.entry.verdict == "revoked"
    gateway.signer = second
    assert isinstance(site.take(gateway.frame(T0_NS + SECOND_NS))[0], Accepted)
    site.restart()
    assert isinstance(site.take(gateway.frame(T0_NS + 2 * SECOND_NS))[0], Accepted)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seq": 0}, "the stream's newest object here is seq 1"),
        ({"head": bytes(32)}, "sign a new order with these"),
        ({"through_ns": 1}, "through_ns is 1, but the newest tick is"),
        ({"old": bytes(32)}, "but the key in use is"),
        ({"plant": "maxi"}, "is an order of plant maxi"),
        ({"stream": "edge-2"}, "needed is one of gateway mini/edge-2"),
    ],
)
def test_a_replace_order_that_does_not_fit_is_told_and_not_taken(
    site: Site, changes: dict[str, Any], words: str
) -> None:
    site.new_key()
    site.order(site.replacement(**changes))
    news = site.look()
    assert [words in sentence for sentence in news.problems] == [True], news.problems
    assert [e.kind for e in site.entries()].count(Kind.REPLACE) == 0
    assert isinstance(site.take(site.gateway.frame(T0_NS + SECOND_NS))[0], Accepted)


def test_what_the_folder_holds_and_does_not_count_is_told(site: Site, tmp_path: Path) -> None:
    foreign = make_plant(tmp_path / "foreign")
    key = key_sha256(site.gateway.signer.public_key)
    site.order(Revoke("mini", "edge-1", key, None, "forged"), root=foreign.root_key)
    (site.keys / "foreign.crt").write_bytes((foreign.folder / "edge-1.crt").read_bytes())
    (site.keys / "junk.cose").write_bytes(b"junk")
    (site.keys / "large.cose").write_bytes(bytes(2_000_000))
    (site.keys / "junk.crt").write_bytes(b"junk")
    (site.keys / "root.crt").write_bytes((site.plant.folder / "root.crt").read_bytes())
    (site.keys / "README.txt").write_bytes(b"not looked at")
    (site.keys / "folder.crt").mkdir()
    size, news = len(site.entries()), site.look()
    assert news.taken == ()
    named = sorted(Path(sentence.split(": ")[0]).name for sentence in news.problems)
    assert named == [
        "folder.crt", "foreign.crt", "junk.cose", "junk.crt", "large.cose", "order.cose",
    ]  # fmt: skip
    assert len(site.entries()) == size
    assert isinstance(site.take(site.gateway.frame(T0_NS + SECOND_NS))[0], Accepted)


def test_an_order_the_disk_refused_does_not_count_until_it_is_there(site: Site) -> None:
    key = key_sha256(site.gateway.signer.public_key)
    site.order(Revoke("mini", "edge-1", key, 1, "stolen"))
    with full(site.intake.store.database):
        site.intake.look_for_keys("mini")
        assert site.intake.commit().failed
    site.intake.commit()
    assert [e.kind for e in site.entries()].count(Kind.REVOKE) == 1
    (verdict,) = site.take(site.gateway.frame(T0_NS + SECOND_NS))
    assert isinstance(verdict, Aside)


def test_a_plant_whose_keys_cannot_be_read_again_is_served_when_the_disk_is_well(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk refuses to write, and then to read: it is tried again, ever more rarely."""
    data = site.gateway.frame(T0_NS + SECOND_NS)
    with refusing(site.intake.store.database, "disk I/O error"):
        site.intake.take(SENDER, data, 0.0)
        assert set(site.intake.commit().failed) == {"mini"}
        assert "plant mini is NOT served for now" in caplog.text
        assert site.intake.watch.look(100.0) == {"mini"}
        assert site.intake.watch.next_due_s() == 101.0
        assert site.intake.watch.look(101.0) == set()
        assert site.intake.watch.next_due_s() == 103.0
    assert site.take(data)[0].reason == "not-served"
    assert list(site.intake.plants) == []
    (alarm,) = site.intake.standing.of("mini")
    assert (alarm.gateway, alarm.reason) == ("", "not-served")
    assert "disk I/O error" in alarm.sentence
    with pytest.raises(NotServedError, match="I/O error"):
        site.intake.plant("mini")
    assert site.intake.watch.look(102.0) == set()
    assert site.intake.watch.look(103.0) == {"mini"}
    assert site.intake.standing.of("mini") == []
    assert site.intake.watch.next_due_s() == 108.0  # a quiet time later
    assert isinstance(site.take(data)[0], Accepted)
    assert site.intake.plant("mini").reader.head("edge-1").next_seq == 3


def test_what_was_missing_of_a_lost_device_is_so_no_more_after_an_order(site: Site) -> None:
    """The numbers of the dead device will never come."""
    lost, ahead = (site.gateway.frame(T0_NS + n * SECOND_NS) for n in (1, 2))
    site.take(ahead)
    assert site.intake.missing.of(SENDER) is not None
    key = key_sha256(site.gateway.signer.public_key)
    site.order(Revoke("mini", "edge-1", key, 1, "lost"))
    assert site.look().ordered == ("edge-1",)
    assert site.intake.missing.of(SENDER) is None
    assert isinstance(site.take(lost)[0], Aside)


def test_an_order_that_was_taken_away_stops_the_plant(site: Site) -> None:
    """Without it a revoked key would count again."""
    key = key_sha256(site.gateway.signer.public_key)
    site.order(Revoke("mini", "edge-1", key, 1, "stolen"))
    site.look()
    site.intake.store.close()
    an_order = key_file.c.name.like("order-%.cose")
    with kept_in(site.root).writing() as connection:
        row = connection.execute(select(key_file).where(an_order)).one()
        connection.execute(delete(key_file).where(an_order))
    (site.keys / "order.cose").unlink()
    site.intake = site.start()
    assert site.notes[0].startswith("plant mini is NOT served: ")
    assert "the log names this order" in site.notes[0]
    assert list(site.intake.plants) == []
    site.intake.store.close()
    altered = row.data[:-1] + bytes([row.data[-1] ^ 1])
    with kept_in(site.root).writing() as connection:
        connection.execute(insert(key_file), {**row._mapping, "data": altered})
    site.intake = Intake(evidence_in(site.root), ManualClock(), site.plant.collector)
    with pytest.raises(DamagedLogError):
        site.intake.open(site.plant.identity())


@pytest.mark.parametrize("name", ["gateway-00.crt", "collector-00.crt"])
def test_a_damaged_certificate_stops_its_plant_and_no_other(site: Site, name: str) -> None:
    site.intake.store.close()
    damaged = {"plant_id": 1, "name": name, "data": b"not a certificate"}
    with kept_in(site.root).writing() as connection:
        connection.execute(insert(key_file), damaged)
    site.intake = site.start()
    assert site.notes[0].startswith("plant mini is NOT served: ")
    assert name in site.notes[0]
    assert list(site.intake.plants) == []


def test_a_key_too_many_does_not_count_and_holds_up_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the stream it was logged and did not count; in the folder it ended what looked there."""
    monkeypatch.setattr("evidence.custody.KEYS_MAX", 2)
    site.new_key("a.crt")
    second = site.new_key()
    news = site.look()
    assert [sentence[:5] for sentence in news.taken] == ["a.crt"]
    (sentence,) = news.problems
    assert sentence == f"{site.keys}/new.crt: this gateway has 2 keys already"
    rotate = site.gateway.sign(TYP_ROTATE, encode_rotate(site.certificate()))
    (verdict,) = site.take(rotate)
    assert (verdict.reason, site.entries()[-1].kind) == ("rotate", Kind.REJECT)
    site.order(site.replacement())
    assert "this gateway has 2 keys already" in site.look().problems[-1]
    assert isinstance(site.take(site.gateway.frame(T0_NS + SECOND_NS))[0], Accepted)
    site.restart()
    assert site.notes[-1].endswith("order.cose: this gateway has 2 keys already")
    assert key_sha256(second.public_key).hex() not in str(site.intake.plants.require("mini").news)


def test_certificates_that_cannot_all_count_hold_up_their_plant_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector of all plants did not start for it."""
    monkeypatch.setattr("evidence.custody.KEYS_MAX", 0)
    mini = make_plant(tmp_path)
    maxi = make_plant(tmp_path, "maxi", gateways=(), collector=mini.collector)
    opened = Intake(evidence_in(tmp_path / "00"), ManualClock(), mini.collector)
    (_, note), *_ = open_plants(opened, [mini.identity(), maxi.identity()])
    assert note.startswith("plant mini is NOT served: this gateway has 0 keys already. ")
    assert list(opened.plants) == ["maxi"]
    opened.store.close()
