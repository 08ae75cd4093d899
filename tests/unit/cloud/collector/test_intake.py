"""Deliveries into evidence: whatever is lost, repeated, reordered or forged, the chain holds."""

import hashlib
import logging
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from cloud.collector import intake as intake_module
from cloud.collector.identity import collector_keys
from cloud.collector.intake import Intake
from cloud.collector.judge import Accepted, Ahead, Aside, Duplicate, Refused
from cloud.collector.opening import open_plants
from cloud.collector.topics import Sender
from cloud.database.schema import entry
from cloud.errors import DamagedLogError, NotServedError, StoreError
from evidence import cbor, checkpoint, merkle
from evidence.blocks import compress
from evidence.chain import ZERO_HASH
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, decode_entry
from evidence.receipt import decode_receipt
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    Gateway,
    ManualClock,
    body,
    configuration,
    make_plant,
)
from tests.unit.cloud.kept import FILE, evidence_in, full, kept_in
from tests.unit.cloud.read_plant import read_plant

SENDER = Sender("mini", "edge-1")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> ExamplePlant:
    """With one gateway only."""
    return make_plant(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def intake(plant: ExamplePlant, tmp_path: Path) -> Iterator[Intake]:
    opened = open_intake(plant, tmp_path / "00")
    yield opened
    opened.store.close()


def open_intake(plant: ExamplePlant, root: Path) -> Intake:
    made = Intake(evidence_in(root), ManualClock(T0_NS + 100 * SECOND_NS), plant.collector)
    open_plants(made, [plant.identity()])
    return made


def entries(intake: Intake) -> list[Entry]:
    return [decode_entry(data) for _, data in intake.plant("mini").reader.entries()]


def test_a_new_plant_begins_with_its_certificates(intake: Intake, plant: ExamplePlant) -> None:
    identity = plant.identity()
    found = entries(intake)
    assert [e.kind for e in found] == [Kind.ENROL] * 3
    assert [(e.stream, e.detail["role"], e.detail["name"]) for e in found] == [
        ("", "root", "mini"), ("", "collector", "collector"), ("edge-1", "gateway", "edge-1"),
    ]  # fmt: skip
    assert [e.sha256 for e in found] == [c.fingerprint for c in identity.certified()]
    kept = intake.store.certificates("mini").values()
    assert {*kept} == {c.pem for c in identity.certified()}


def test_certificates_are_enrolled_once_and_a_new_one_later(
    plant: ExamplePlant, tmp_path: Path
) -> None:
    for _ in range(2):
        opened = open_intake(plant, tmp_path / "00")
        assert len(entries(opened)) == 3
        opened.store.close()
    more = make_plant(tmp_path, gateways=())
    more.root_key, more.root_certificate = plant.root_key, plant.root_certificate
    more.certify("gateway", "edge-1", FileSigner(generate()).public_key, "new.crt")
    (plant.folder / "new.crt").write_bytes((more.folder / "new.crt").read_bytes())
    plant.gateways["new"] = plant.gateways["edge-1"]
    try:
        opened = open_intake(plant, tmp_path / "00")
    finally:
        del plant.gateways["new"]
    assert [e.stream for e in entries(opened)][3:] == ["edge-1"]
    opened.store.close()


def test_an_accepted_object_is_logged_kept_and_receipted(
    intake: Intake, gateway: Gateway, plant: ExamplePlant, tmp_path: Path
) -> None:
    for data in (gateway.config(), gateway.frame(T0_NS, points=3, ticks=4)):
        assert isinstance(intake.take(SENDER, data, 0.0), Accepted)
    outcome = intake.commit()
    assert (outcome.sealed, outcome.failed) == ({SENDER}, {})
    assert outcome.configs[SENDER]["gateway"] == {"id": "edge-1", "slice": "00"}
    assert (intake.frames[SENDER], intake.readings[SENDER]) == (1, 12)
    receipt = decode_receipt(intake.receipt(SENDER), plant.collector.public_key)
    assert (receipt.plant, receipt.stream, receipt.seq) == ("mini", "edge-1", 1)
    assert receipt.head == gateway.head
    assert receipt.received_ns == T0_NS + 100 * SECOND_NS
    note = checkpoint.verify(receipt.checkpoint, plant.collector.public_key)
    leaves = [merkle.leaf_hash(d) for _, d in intake.plant("mini").reader.entries()]
    assert (note.size, note.root) == (5, merkle.root_of(leaves))
    assert decode_entry(list(intake.plant("mini").reader.entries())[receipt.log_index][1]).seq == 1
    held = read_plant(tmp_path / "00" / FILE, plant.collector.public_key)
    assert held == {"edge-1": gateway.objects}


def test_there_is_no_receipt_for_what_is_only_staged(intake: Intake, gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="has no object"):
        intake.receipt(SENDER)
    intake.take(SENDER, gateway.config(), 0.0)
    with pytest.raises(ValueError, match="has no object"):
        intake.receipt(SENDER)


def test_a_repeated_object_gets_its_receipt_again(intake: Intake, gateway: Gateway) -> None:
    data = gateway.config()
    intake.take(SENDER, data, 0.0)
    intake.commit()
    size = intake.plant("mini").reader.size
    assert intake.take(SENDER, data, 0.0) == Duplicate()
    assert intake.is_dirty
    assert intake.commit().sealed == {SENDER}
    assert not intake.is_dirty
    assert intake.plant("mini").reader.size == size
    assert intake.rejects.of("mini", "edge-1") == {"duplicate": 1}


def test_a_repetition_within_one_batch_is_seen(intake: Intake, gateway: Gateway) -> None:
    data = gateway.config()
    kinds = [type(intake.take(SENDER, data, 0.0)) for _ in range(3)]
    assert kinds == [Accepted, Duplicate, Duplicate]


def test_what_is_ahead_leaves_no_trace_but_a_count(
    intake: Intake, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.config()
    for n in range(5):
        gateway.frame(T0_NS + n * SECOND_NS)
    with caplog.at_level(logging.WARNING):
        verdicts = [intake.take(SENDER, data, 0.0) for data in gateway.objects[1:]]
    assert verdicts == [Ahead(seq, 0) for seq in range(1, 6)]
    assert not intake.is_dirty
    assert intake.rejects.of("mini", "edge-1") == {"ahead": 5}
    assert caplog.messages == ["mini/edge-1: seq 1 came, 0 is due"]  # once, not five times


def test_a_fork_is_logged_once_and_quarantined(
    intake: Intake, gateway: Gateway, tmp_path: Path
) -> None:
    intake.take(SENDER, gateway.config(), 0.0)
    intake.take(SENDER, gateway.frame(T0_NS), 0.0)
    intake.commit()
    held, prev = (hashlib.sha256(gateway.objects[n]).digest() for n in (1, 0))
    other = gateway.sign(TYP_FRAME, encode_body(body(T0_NS, seed=9)), seq=1, prev=prev)
    for _ in range(3):
        assert isinstance(intake.take(SENDER, other, 0.0), Aside)
        intake.commit()
    forks = [e for e in entries(intake) if e.verdict == "fork"]
    assert [(e.kind, e.stream, e.seq, e.detail["held"]) for e in forks] == [
        (Kind.REJECT, "edge-1", 1, held)
    ]
    found = intake.plant("mini").reader.kept(hashlib.sha256(other).digest())
    assert found is not None
    assert found[1] == other
    assert intake.rejects.of("mini", "edge-1")["fork"] == 3
    assert isinstance(intake.take(SENDER, gateway.frame(T0_NS + SECOND_NS), 0.0), Accepted)


def test_a_flood_of_forgeries_is_two_entries_in_two_minutes(
    intake: Intake, gateway: Gateway
) -> None:
    forged = bytearray(gateway.config())
    forged[-1] ^= 1
    for n in range(200):
        verdict = intake.take(SENDER, bytes(forged), n / 2)  # a hundred seconds
        assert isinstance(verdict, Refused)
        assert verdict.reason == "signature"
    intake.tell_rejects(120.0)
    intake.commit()
    rejects = [e for e in entries(intake) if e.kind is Kind.REJECT]
    assert [(e.verdict, e.detail["count"]) for e in rejects] == [
        ("signature", 1), ("signature", 120), ("signature", 79),
    ]  # fmt: skip
    assert {e.sha256 for e in rejects} == {hashlib.sha256(forged).digest()}
    assert intake.rejects.of("mini", "edge-1") == {"signature": 200}


def test_refusals_the_disk_did_not_take_are_told_with_the_next(intake: Intake) -> None:
    with full(intake.store.database):
        for _ in range(3):
            intake.take(SENDER, b"junk", 0.0)
        assert intake.commit().failed
    intake.tell_rejects(60.0)
    intake.commit()
    rejects = [e for e in entries(intake) if e.kind is Kind.REJECT]
    assert [(e.verdict, e.detail["count"]) for e in rejects] == [("malformed", 3)]


def test_unknown_plants_and_gateways_are_counted_together_and_not_kept(
    intake: Intake, gateway: Gateway
) -> None:
    data = gateway.config()
    for n in range(50):
        intake.take(Sender(f"plant-{n}", "edge-1"), data, 0.0)
        intake.take(Sender("mini", f"edge-{n + 2}"), data, 0.0)
    assert intake.rejects.counts == {
        "": {("", "unknown-plant"): 50}, "mini": {("", "identity"): 50},
    }  # fmt: skip
    intake.commit()
    assert [e.verdict for e in entries(intake) if e.kind is Kind.REJECT] == ["identity"]


def test_a_defect_of_ours_refuses_one_object_and_goes_on(
    intake: Intake,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    data = gateway.config()
    with monkeypatch.context() as patched:
        patched.setattr(intake_module, "judge", broken)
        assert intake.take(SENDER, data, 0.0) == Refused("defect", "ZeroDivisionError()")
        for n in range(120):
            intake.take(SENDER, data, n / 2)
    assert caplog.text.count("could not be judged") == 1  # a traceback a minute
    assert isinstance(intake.take(SENDER, data, 0.0), Accepted)


def test_a_damaged_plant_is_refused_and_the_others_are_served(
    plant: ExamplePlant, tmp_path: Path, gateway: Gateway
) -> None:
    open_intake(plant, tmp_path / "00").store.close()
    with kept_in(tmp_path / "00").writing() as connection:
        connection.execute(delete(entry))
    other = make_plant(tmp_path / "k", "maxi", collector=plant.collector)
    opened = Intake(evidence_in(tmp_path / "00"), ManualClock(), plant.collector)
    (of, note), *_ = open_plants(opened, [plant.identity(), other.identity()])
    assert of == "mini"
    assert note.startswith("plant mini is NOT served: ")
    assert note.endswith("repair the plant, start the collector again")
    assert list(opened.plants) == ["maxi"]
    verdict = opened.take(SENDER, gateway.config(), 0.0)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, [*opened.plants.stopped()["mini"]]) == ("not-served", ["damaged"])
    with pytest.raises(
        NotServedError, match=r"plant mini .*restore a backup\. .*start the collector again"
    ):
        opened.plant("mini")
    with pytest.raises(LookupError, match="plant nowhere: not a plant of this collector"):
        opened.plants.require("nowhere")
    sender = Sender("maxi", "edge-1")
    assert isinstance(opened.take(sender, other.gateways["edge-1"].config(), 0.0), Accepted)
    opened.store.close()


def test_enrolment_survives_a_disk_that_refused_it(plant: ExamplePlant, tmp_path: Path) -> None:
    opened = Intake(evidence_in(tmp_path / "00"), ManualClock(), plant.collector)
    database = opened.store.database
    with full(database), pytest.raises(StoreError, match="disk is full"):
        open_plants(opened, [plant.identity()])
    refused = "plant mini: evidence cannot be written: .*disk is full"
    with full(database, "stackproof/mini"), pytest.raises(StoreError, match=refused):
        open_plants(opened, [plant.identity()])
    opened.commit()
    assert len(entries(opened)) == 3
    opened.store.close()


def test_a_new_collector_key_goes_on_with_the_old_ones_log(
    plant: ExamplePlant, tmp_path: Path
) -> None:
    open_intake(plant, tmp_path / "00").store.close()
    new = make_plant(tmp_path / "k", collector=FileSigner(generate()))
    new.root_key, new.root_certificate = plant.root_key, plant.root_certificate
    for name in ("root.crt", "edge-1.crt"):
        (new.folder / name).write_bytes((plant.folder / name).read_bytes())
    new.certify("collector", "collector", new.collector.public_key, "collector.crt")
    opened = open_intake(new, tmp_path / "00")
    assert [e.detail["role"] for e in entries(opened)] == [
        "root", "collector", "gateway", "collector",
    ]  # fmt: skip
    opened.store.close()
    with pytest.raises(DamagedLogError, match=r"collector-x\.crt: not a PEM certificate"):
        collector_keys(new.identity(), {"collector-x.crt": b"garbage"})


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_delivery_ends_with_an_unbroken_chain(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Loss, repetition, reordering, forgery and restarts, then go-back-N until all is receipted."""
    plant, objects = DELIVERY
    dice = random.Random(seed)
    root = tmp_path_factory.mktemp("delivery")
    intake = open_intake(plant, root)
    receipted = -1
    for _ in range(200):
        window = objects[receipted + 1 : receipted + 9]
        for data in disturb(window, objects, dice):
            intake.take(SENDER, data, 0.0)
        if dice.random() < 0.3:
            intake.store.close()  # everything not committed is gone
            intake = open_intake(plant, root)
        else:
            intake.commit()
        head = intake.plant("mini").reader.head("edge-1")
        assert head.next_seq - 1 >= receipted
        receipted = head.next_seq - 1
        expected = hashlib.sha256(objects[receipted]).digest() if receipted >= 0 else ZERO_HASH
        assert head.hash == expected
        if receipted == len(objects) - 1:
            break
    intake.store.close()
    assert read_plant(root / FILE, plant.collector.public_key) == {"edge-1": objects}


def disturb(window: list[bytes], all_objects: list[bytes], dice: random.Random) -> list[bytes]:
    """What a network and a forger make of a window of objects."""
    sent = [data for data in window if dice.random() > 0.2]
    sent += [dice.choice(all_objects) for _ in range(dice.randrange(3))]
    if dice.random() < 0.5:
        dice.shuffle(sent)
    forged = bytearray(dice.choice(all_objects))
    forged[dice.randrange(len(forged))] ^= 1 << dice.randrange(8)
    sent.insert(dice.randrange(len(sent) + 1), bytes(forged))
    return sent


def _delivery() -> tuple[ExamplePlant, list[bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        plant = make_plant(Path(folder))
        identity = plant.identity()
    plant.identity = lambda: identity  # its files are gone
    gateway = plant.gateways["edge-1"]
    gateway.config()
    for n in range(30):
        gateway.frame(T0_NS + n * 300 * SECOND_NS, ticks=3)
    return plant, gateway.objects


DELIVERY = _delivery()


def test_under_a_simulated_clock_a_real_plant_is_refused(
    plant: ExamplePlant, tmp_path: Path, gateway: Gateway
) -> None:
    """So every frame of every archive made under it names a configuration that says simulated."""
    opened = Intake(
        evidence_in(tmp_path / "00"), ManualClock(), plant.collector, only_simulated=True
    )
    open_plants(opened, [plant.identity()])
    real = configuration("mini", "edge-1")
    real["plant"]["simulated"] = False
    refused = opened.take(SENDER, gateway.sign(TYP_CONFIG, compress(cbor.encode(real))), 0.0)
    assert isinstance(refused, Refused)
    assert (refused.reason, "clock is simulated" in refused.sentence) == ("config", True)
    assert isinstance(opened.take(SENDER, gateway.config(), 0.0), Accepted)
    opened.store.close()
