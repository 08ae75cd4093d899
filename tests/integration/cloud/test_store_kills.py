"""The collector's core killed at random moments, again and again: every receipt is kept.

A real process takes objects, commits and signs receipts until SIGKILL. After each kill a copy of
its database is opened and judged; the next process goes on with the evidence itself.
"""

import hashlib
import multiprocessing
import random
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from cloud.collector.intake import Intake
from cloud.collector.topics import Sender
from cloud.database.fsck import Trusted, check_plant
from evidence import checkpoint, merkle
from evidence.frame import TYP_FRAME, Gap, encode_body
from evidence.log import Kind, decode_entry
from evidence.receipt import Receipt, decode_receipt
from tests.unit.cloud.evidence_examples import (
    HOUR_NS,
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    ManualClock,
    body,
    make_plant,
)
from tests.unit.cloud.kept import FILE, evidence_in, kept_in
from tests.unit.cloud.read_plant import entries_of, read_plant

PLANT, GATEWAYS = "mini", ("edge-a", "edge-b")
FRAMES = 400
KILLS = 15


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> ExamplePlant:
    """Two streams over some hours, every seventh frame with a gap before it."""
    made = make_plant(tmp_path_factory.mktemp("keys"), PLANT, GATEWAYS)
    for gateway in made.gateways.values():
        gateway.config()
        for n in range(FRAMES):
            t0_ns = T0_NS + n * 40 * SECOND_NS
            if n % 7:
                gateway.frame(t0_ns, ticks=4)
            else:
                gap = Gap(t0_ns - 10 * SECOND_NS, t0_ns, "restart")
                told = replace(body(t0_ns, ticks=4), gap=gap)
                gateway.append(gateway.sign(TYP_FRAME, encode_body(told)))
    return made


def forks(plant: ExamplePlant) -> dict[int, bytes]:
    """Seq -> another well signed object of edge-a for it."""
    a, found = plant.gateways["edge-a"], {}
    for seq in range(2, 350, 5):
        prev = hashlib.sha256(a.objects[seq - 1]).digest()
        other = encode_body(body(T0_NS + HOUR_NS, seed=1000 + seq))
        found[seq] = a.sign(TYP_FRAME, other, seq=seq, prev=prev)
    return found


def collect(plant: ExamplePlant, root: Path, seed: int, told: Connection) -> None:
    """The process: take, commit, tell the receipts, until killed."""
    dice = random.Random(seed)
    intake = Intake(evidence_in(root), ManualClock(T0_NS + 9 * HOUR_NS), plant.collector)
    intake.open(plant.identity())
    intake.commit()
    told.send(b"open")
    strange = forks(plant)
    while True:
        for name, gateway in plant.gateways.items():
            sender = Sender(PLANT, name)
            due = intake.plant(PLANT).stream(name).next_seq
            for data in gateway.objects[due : due + dice.randrange(5)]:
                intake.take(sender, data, time.monotonic())
            if due and dice.random() < 0.2:
                intake.take(sender, gateway.objects[dice.randrange(due)], time.monotonic())
        taken = [seq for seq in strange if seq < intake.plant(PLANT).stream("edge-a").next_seq]
        if taken:
            other = strange[dice.choice(taken)]
            intake.take(Sender(PLANT, "edge-a"), other, time.monotonic())
        for sender in intake.commit().sealed:
            told.send(intake.receipt(sender))


@dataclass
class Witness:
    """Everything that was ever told, and whether the evidence bears it out."""

    plant: ExamplePlant
    receipts: dict[tuple[str, int], Receipt] = field(default_factory=dict)
    opened: int = 0

    def run(self, root: Path, dice: random.Random) -> None:
        """Let a process work for a while and kill it, in its start or at its work."""
        mine, its = multiprocessing.Pipe(duplex=False)
        fork = multiprocessing.get_context("fork")
        child = fork.Process(target=collect, args=(self.plant, root, dice.randrange(2**32), its))
        child.start()
        its.close()
        lines = dice.choice((0, 1, dice.randrange(2, 40), dice.randrange(2, 40)))
        for _ in range(lines):
            self._listen(mine.recv)
        time.sleep(dice.uniform(0, 0.03))
        assert child.is_alive(), "it ended by itself"
        child.kill()
        child.join()
        try:
            while True:
                self._listen(mine.recv)
        except (EOFError, OSError):  # OSError: killed within a message
            mine.close()

    def _listen(self, receive: Callable[[], bytes]) -> None:
        data = receive()
        if data == b"open":
            self.opened += 1
            return
        receipt = decode_receipt(data, self.plant.collector.public_key)
        self.receipts[receipt.stream, receipt.seq] = receipt

    def judge(self, root: Path) -> int:
        """Open this evidence and compare; how many objects it holds."""
        trusted = Trusted(self.plant.root_certificate, (self.plant.collector.public_key,))

        store = evidence_in(root)
        if self.receipts:
            assert check_plant(PLANT, store.database, trusted).findings == []
        Intake(store, ManualClock(), self.plant.collector).open(self.plant.identity())
        store.commit()
        assert check_plant(PLANT, store.database, trusted).findings == []
        store.close()
        held = read_plant(root / FILE, self.plant.collector.public_key)
        for name, gateway in self.plant.gateways.items():
            objects = held.get(name, [])
            assert objects == gateway.objects[: len(objects)]
            newest = max((seq for stream, seq in self.receipts if stream == name), default=-1)
            assert len(objects) > newest
        self._judge_log(root)
        return sum(map(len, held.values()))

    def _judge_log(self, root: Path) -> None:
        """It continues every checkpoint; each gap follows its frame; each fork is there once."""
        data = entries_of(root / FILE)
        leaves, entries = [merkle.leaf_hash(d) for d in data], [decode_entry(d) for d in data]
        for receipt in self.receipts.values():
            note = checkpoint.verify(receipt.checkpoint, self.plant.collector.public_key)
            assert merkle.root_of(leaves[: note.size]) == note.root
            entry = entries[receipt.log_index]
            assert (entry.stream, entry.seq, entry.sha256) == (
                receipt.stream, receipt.seq, receipt.head,
            )  # fmt: skip
        gapped = {n + 1 for n in range(0, FRAMES, 7)}
        frames = [e for e in entries if e.kind is Kind.FRAME and e.seq in gapped]
        gaps = [(e.stream, e.seq) for e in entries if e.kind is Kind.GAP]
        assert gaps == [(e.stream, e.seq) for e in frames]
        kept = [e.sha256 for e in entries if e.verdict == "fork"]
        assert len(kept) == len(set(kept))


def killed_again_and_again(plant: ExamplePlant, folder: Path, seed: int) -> Witness:
    dice, witness, root = random.Random(seed), Witness(plant), folder / "00"
    root.mkdir()
    for kill in range(KILLS):
        witness.run(root, dice)
        shutil.copytree(root, folder / str(kill))
        witness.judge(folder / str(kill))
        shutil.rmtree(folder / str(kill))
    witness.judge(root)
    return witness


def test_killed_at_random(plant: ExamplePlant, tmp_path: Path) -> None:
    witness = killed_again_and_again(plant, tmp_path, 20261126)
    assert witness.opened >= KILLS // 2
    assert len(witness.receipts) > 30


def test_checked_beside_a_collector_at_work(plant: ExamplePlant, tmp_path: Path) -> None:
    """Two processes on the same files, and nothing between them: never a finding."""
    root = tmp_path / "00"
    mine, its = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=collect, args=(plant, root, 5, its))
    child.start()
    its.close()
    try:
        assert mine.recv() == b"open"
        trusted = Trusted(plant.root_certificate, (plant.collector.public_key,))
        database = kept_in(root)
        sizes, until_s = [0], time.monotonic() + 60
        while sizes[-1] < 150 and time.monotonic() < until_s:
            checked = check_plant(PLANT, database, trusted)
            assert checked.findings == []
            sizes.append(checked.entries)
            while mine.poll():
                mine.recv()
    finally:
        child.kill()
        child.join()
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 3, "it wrote hardly anything meanwhile"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(30))
def test_killed_at_random_hundreds_of_times(plant: ExamplePlant, tmp_path: Path, seed: int) -> None:
    witness = killed_again_and_again(plant, tmp_path, seed)
    told = len(witness.receipts)
    sys.stdout.write(f"{KILLS} kills, {witness.opened} at work, {told} receipts\n")  # for -rP
    assert told
