"""What a receipt proves of the log, and what the log says beside a frame: gaps.

The proofs are made here from the entries by the definitions of RFC 6962 §2.1.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.collector.judge import Accepted
from cloud.errors import ReceiptWithheldError
from evidence import checkpoint
from evidence.frame import TYP_FRAME, Gap, encode_body
from evidence.log import Kind, decode_entry
from evidence.log_details import check_entry
from evidence.receipt import Receipt, decode_receipt
from tests.unit.cloud.collector.judge_examples import SENDER
from tests.unit.cloud.collector.site import Site as At
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    body,
)
from tests.unit.cloud.rfc6962 import proof, tree


class Site(At):
    """With a gateway that names what it saw of the log."""

    def frame(self, n: int, anchor: tuple[int, bytes] | None = None, gap: Gap | None = None) -> Any:
        payload = encode_body(replace(body(T0_NS + n * SECOND_NS), gap=gap))
        data = self.gateway.sign(TYP_FRAME, payload, anchor=anchor)
        (verdict,) = self.take(data)
        if isinstance(verdict, Accepted):
            self.gateway.append(data)
        return verdict

    def receipt(self) -> Receipt:
        return decode_receipt(self.intake.receipt(SENDER), self.plant.collector.public_key)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.take(made.gateway.config())
    made.frame(0)
    yield made
    made.intake.store.close()


def test_without_an_anchor_it_proves_nothing_of_before(site: Site) -> None:
    receipt = site.receipt()
    assert (receipt.seq, receipt.since, receipt.path) == (1, 0, ())


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_it_proves_that_the_log_continues_the_one_the_gateway_named(site: Site, size: int) -> None:
    anchor = size, tree(site.leaves()[:size])
    for n in range(1, 5):
        assert isinstance(site.frame(n, anchor), Accepted)
    for restarted in (False, True):
        if restarted:
            site.restart()
        receipt, leaves = site.receipt(), site.leaves()
        note = checkpoint.verify(receipt.checkpoint, site.plant.collector.public_key)
        assert (note.size, note.root) == (len(leaves), tree(leaves))
        assert (receipt.seq, receipt.since) == (5, size)
        assert list(receipt.path) == proof(size, leaves)


def test_a_log_that_was_set_back_gives_no_receipt_and_says_so(site: Site, tmp_path: Path) -> None:
    site.intake.store.close()
    shutil.copytree(site.root, tmp_path / "backup")
    site.intake = site.start()
    site.frame(1)
    leaves, held = site.leaves(), site.receipt()
    site.intake.store.close()
    shutil.rmtree(site.root)
    shutil.copytree(tmp_path / "backup", site.root)
    site.intake = site.start()
    verdict = site.frame(2, (len(leaves), tree(leaves)))
    assert (verdict.reason, "has fewer entries" in verdict.sentence) == ("anchor", True)
    assert site.receipt().seq == held.seq - 1
    assert site.intake.rejects.of("mini", "edge-1")["anchor"] == 1
    lacking = site.intake.missing.of(SENDER)
    assert lacking is not None
    assert (lacking.first, lacking.last, lacking.is_receipted) == (held.seq, held.seq, True)
    assert isinstance(site.take(site.gateway.objects[2])[0], Accepted)  # what was lost comes again
    verdict = site.frame(2, (len(leaves), tree(leaves)))
    assert "is another log" in verdict.sentence  # longer by now, and never again the one shown
    assert site.receipt().seq == held.seq


def test_a_held_object_that_names_another_log_withholds_the_receipt(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.frame(1, (4, tree(site.leaves()[:4])))
    assert site.receipt().since == 4
    with monkeypatch.context() as other:
        other.setattr(site.intake.plant("mini"), "root_at", lambda _: bytes(32))
        with pytest.raises(ReceiptWithheldError, match="names a log of 4 entries that is not here"):
            site.intake.receipt(SENDER)
    assert "mini" in site.intake.commit().alarmed
    assert site.intake.rejects.of("mini", "edge-1") == {"anchor": 1}


def test_a_gap_stands_directly_after_the_frame_that_tells_of_it(site: Site) -> None:
    gap = Gap(T0_NS + SECOND_NS, T0_NS + 4 * SECOND_NS, "restart")
    site.frame(5, gap=gap)
    site.frame(6)
    entries = [decode_entry(data) for data in site.leaves()[-3:]]
    assert [(e.kind, e.seq) for e in entries] == [
        (Kind.FRAME, 2), (Kind.GAP, 2), (Kind.FRAME, 3),
    ]  # fmt: skip
    frame, told, _ = entries
    for entry in entries:
        check_entry(entry)
    assert (told.sha256, told.length, told.certificate, told.verdict) == (
        frame.sha256, frame.length, frame.certificate, "accepted",
    )  # fmt: skip
    assert told.detail == {"from_ns": gap.from_ns, "to_ns": gap.to_ns, "reason": "restart"}
    site.restart()
    assert isinstance(site.frame(7), Accepted)
