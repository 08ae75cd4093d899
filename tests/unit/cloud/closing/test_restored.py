"""A month whose archive stands is closed again, in the log of an older backup."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from evidence import checkpoint
from evidence.archive import paths
from evidence.checkpoint import Checkpoint
from evidence.findings import Verdict
from evidence.frame import TYP_CLOSE, TYP_FRAME, encode_body
from evidence.keys import issue
from evidence.log import Kind, decode_entry
from evidence.receipt import Receipt, encode_close, encode_receipt
from tests.unit.cloud.month_examples import (
    AFTER_NS,
    ARCHIVE,
    ROOT_KEY,
    Desk,
    files,
    judged,
    months,
)
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import DAYS, MONTH, SINCE, signer


async def test_a_month_closed_again_after_a_restore_has_nothing_of_the_log_that_is_lost(
    desk: Desk, folder: Path, tmp_path: Path
) -> None:
    """Its archive stands, and an older backup of the evidence came back: the statement is the same.

    The receipt in it is of an object of July, which has another place in the log that goes on.
    """
    desk.deliver()
    shutil.copytree(tmp_path / "evidence", tmp_path / "restored")
    beat = dataclasses.replace(sm.bodies(sm.configuration())[4], t0_ns=AFTER_NS)
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(beat), beat)
    size, by = desk.reader.size, desk.signer
    ((index, data),) = desk.reader.entries(size - 1, size)
    entry, tree = decode_entry(data), desk.reader.compact_range(size)
    note = checkpoint.sign(Checkpoint(sm.PLANT, size, tree.root()), by, by.public_key)
    told = (sm.PLANT, sm.STREAM, 6, entry.sha256, index, entry.received_ns, note)
    desk.receipt = lambda *_: encode_receipt(Receipt(*told), by)  # type: ignore[method-assign] # it gave one
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    lost = (folder / ARCHIVE).read_bytes()
    assert paths.receipt(sm.STREAM) in sm.unpack(lost)

    restored = Desk(tmp_path / "restored")
    following = issue(
        "gateway", sm.PLANT, sm.STREAM, signer(9).public_key, not_before=SINCE, days=DAYS,
        issuer=(ROOT_KEY, sm.keys().certificates["root"]),
    )  # fmt: skip
    restored.enrol("gateway", following)
    restored.take(Kind.FRAME, TYP_FRAME, encode_body(beat), beat)
    restored.away = True
    await months(restored, folder).close(sm.PLANT, MONTH, closing="final")
    kept = folder / f"{sm.PLANT}-{MONTH}.replaced-{sm.sha256(lost).hex()[:12]}.tar"
    assert kept.read_bytes() == lost, "all that is left of the other log"
    # what the gateway had signed in the other log, and still had in its spool
    restored.take(Kind.PLANT_CLOSE, TYP_CLOSE, encode_close(desk.asked[-1]))
    for _ in range(2):
        report = judged(folder / ARCHIVE)
        assert report.verdict is Verdict.PASSED, report.findings
        facts = await months(restored, folder).seal(sm.PLANT, MONTH)
        assert facts["signed_by"] == []
    assert len(files(folder)) == 2
    await months(restored, folder).close(
        sm.PLANT, MONTH, closing="final", amend=True, reason="to see"
    )
    assert len(files(folder)) == 3, "the log's own that was amended, too"
    restored.shut()


async def test_an_interim_close_after_a_restore_takes_no_final_archive_away(
    desk: Desk, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log that came back knows nothing of the close."""
    desk.deliver()
    shutil.copytree(tmp_path / "evidence", tmp_path / "restored")
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    lost = (folder / ARCHIVE).read_bytes()
    restored = Desk(tmp_path / "restored")
    await months(restored, folder).close(sm.PLANT, MONTH, closing="interim")
    await months(restored, folder).close(sm.PLANT, MONTH, closing="interim")
    restored.shut()
    kept = f"{sm.PLANT}-{MONTH}.replaced-{sm.sha256(lost).hex()[:12]}.tar"
    assert set(files(folder)) == {ARCHIVE, kept}
    assert (folder / kept).read_bytes() == lost
    assert caplog.text.count(f"log that is not the one here; kept as {kept}") == 1


async def test_no_archive_takes_the_name_of_another_or_of_what_cannot_be_read(
    desk: Desk, folder: Path, tmp_path: Path
) -> None:
    """Of a lost log, amended there; of the one here, amended too; and a damaged one."""
    desk.deliver()
    shutil.copytree(tmp_path / "evidence", tmp_path / "restored")
    made = set[bytes]()

    async def close(of: Desk, closing: str = "final", *, amend: bool = False) -> None:
        why = "to see" if amend else ""
        await months(of, folder).close(sm.PLANT, MONTH, closing=closing, amend=amend, reason=why)
        made.add((folder / ARCHIVE).read_bytes())

    await close(desk)
    await close(desk, amend=True)
    restored = Desk(tmp_path / "restored")
    for amend in (False, True):
        await close(restored, amend=amend)
    damaged = bytes([1]) + (folder / ARCHIVE).read_bytes()[1:]
    (folder / ARCHIVE).write_bytes(damaged)
    await months(restored, folder).seal(sm.PLANT, MONTH, reason="to see")
    restored.shut()
    stand = {(folder / name).read_bytes() for name in files(folder)}
    assert len(made) == 4
    assert made | {damaged} <= stand, "the damaged one was made again, to the byte"
