"""Closing a month: refused with a reason, or an archive that the verifier passes.

Keys, frames and configuration are the evidence room's small plant. What comes out is judged by the
verifier, not by this code.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import bagit  # type: ignore[import-untyped] # it has no types
import pytest

from cloud.api.services import MonthRefusedError
from evidence import cbor
from evidence.archive import paths
from evidence.blocks import compress
from evidence.errors import KeyFileError
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_COSIGNATURE, TYP_FRAME, encode_body
from evidence.keys import certificate_to_pem, issue
from evidence.log import Kind
from tests.attacks.by_time import cosignature
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


def unpacked(archive: Path) -> sm.Files:
    return sm.unpack(archive.read_bytes())


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("closing", ["interim", "final"])
async def test_a_closed_month_verifies(closing: str, desk: Desk, folder: Path) -> None:
    desk.deliver()
    facts = await months(desk, folder).close(sm.PLANT, MONTH, closing=closing)
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    codes = {finding.code for finding in report.findings}
    assert ("N-INTERIM" in codes) == (closing == "interim")
    assert "W-NO-PLANT-SIGNATURE" not in codes
    assert facts["signed_by"] == [sm.STREAM]
    (row,) = months(desk, folder).list(sm.PLANT)
    assert files(folder) == {ARCHIVE: row["bytes"]}
    assert (row["month"], row["archive"]) == (MONTH, facts["archive"])


async def test_bagit_calls_a_month_valid(desk: Desk, folder: Path, tmp_path: Path) -> None:
    await months(desk.deliver(), folder).close(sm.PLANT, MONTH, closing="interim")
    for path, data in unpacked(folder / ARCHIVE).items():
        target = tmp_path / "bag" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    bag = bagit.Bag(str(tmp_path / "bag"))
    assert bag.validate()
    assert bag.info["External-Identifier"] == f"{sm.PLANT}-{MONTH} interim"


async def test_a_token_that_does_not_sign_leaves_a_month_to_be_sealed(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise KeyFileError("token t1 is away")

    desk.deliver()
    with monkeypatch.context() as patch:
        patch.setattr(desk, "request_close", refuse)
        with pytest.raises(MonthRefusedError, match="t1 is away; mend that, then: stackproof"):
            await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    await months(desk, folder).seal(sm.PLANT, MONTH)
    assert judged(folder / ARCHIVE).verdict is Verdict.PASSED


async def test_a_gateway_that_is_away_signs_later(desk: Desk, folder: Path) -> None:
    desk.deliver().away = True
    facts = await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    assert facts["signed_by"] == []
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED
    assert "W-NO-PLANT-SIGNATURE" in sm.codes(report)
    before = unpacked(folder / ARCHIVE)

    close = desk.sign_close()
    again = await months(desk, folder).seal(sm.PLANT, MONTH)
    assert again["signed_by"] == [sm.STREAM]
    assert "W-NO-PLANT-SIGNATURE" not in sm.codes(judged(folder / ARCHIVE))
    assert unpacked(folder / ARCHIVE) == before | {paths.close(sm.STREAM): close}


async def test_a_lost_archive_is_made_again_with_the_same_bytes(desk: Desk, folder: Path) -> None:
    await months(desk.deliver(), folder).close(sm.PLANT, MONTH, closing="final")
    before = (folder / ARCHIVE).read_bytes()
    (folder / ARCHIVE).unlink()
    await months(desk, folder).seal(sm.PLANT, MONTH)
    assert (folder / ARCHIVE).read_bytes() == before


async def test_an_interim_close_may_be_repeated(desk: Desk, folder: Path) -> None:
    desk.deliver()
    for _ in range(2):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
        assert judged(folder / ARCHIVE).verdict is Verdict.PASSED
    assert [request.seq for request in desk.asked] == [5, 6]  # the second holds the first's close


async def test_a_month_with_two_configurations_verifies(desk: Desk, folder: Path) -> None:
    """The frames that were read under the first are calculated with it, as the verifier does."""
    first, moved = sm.configuration(), sm.configuration()
    moved["devices"][0]["url"] = "test:elsewhere"
    made = sm.bodies(first, anew_at=25)
    for config, bodies in ((first, made[:2]), (moved, made[2:])):
        desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
        for body in bodies:
            desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    assert "N-CONFIG" in sm.codes(report)


async def test_configurations_that_nothing_was_read_under_are_told_too(
    desk: Desk, folder: Path
) -> None:
    """Somebody tries one after another; each change is in the archive, and told."""
    desk.deliver(frames=0)
    for name in ("one", "two", "three", "four"):
        config = sm.configuration()
        config["plant"]["name"] = name
        desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    desk.deliver_more(0)
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    assert [f.where for f in report.findings if f.code == "N-CONFIG"] == [
        f"edge-1 seq {seq}" for seq in (1, 2, 3, 4)
    ]


async def test_computed_points_that_differ_are_logged_with_their_object(
    desk: Desk, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Running values that start anew without a new configuration are no longer their inputs'."""
    desk.deliver(frames=0)
    for body in sm.bodies(sm.configuration(), anew_at=25):
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    said = [r.getMessage() for r in caplog.records if "computed point differs" in r.getMessage()]
    assert said
    assert {sentence.partition(":")[0] for sentence in said} <= {"edge-1 seq 3", "edge-1 seq 4"}


# -- amended --------------------------------------------------------------------------------------


async def test_an_amended_month_names_what_it_replaces_and_why(desk: Desk, folder: Path) -> None:
    first = await months(desk.deliver(frames=3), folder).close(sm.PLANT, MONTH, closing="final")
    old = (folder / ARCHIVE).read_bytes()
    desk.deliver_more(3)
    why = "frames of 15 June came on 2 July"
    facts = await months(desk, folder).close(
        sm.PLANT, MONTH, closing="final", amend=True, reason=why
    )
    replaced = first["statement_sha256"]
    assert facts["replaces"] == {
        "statement_sha256": replaced, "reason": why, "same_figures": False,
    }  # fmt: skip
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    (said,) = (f.sentence for f in report.findings if f.code == "N-AMENDED")
    assert replaced in said
    assert why in said
    made = unpacked(folder / ARCHIVE)
    assert f"\nReplaces: {replaced}\n".encode() in made["bag-info.txt"]
    statement = json.loads(made[paths.STATEMENT])
    assert statement["replaces"] == {"statement_sha256": replaced, "reason": why}

    kept = folder / f"{sm.PLANT}-{MONTH}.replaced-{replaced[:12]}.tar"
    assert kept.read_bytes() == old
    assert judged(kept).verdict is Verdict.PASSED
    assert sha256(unpacked(kept)[paths.STATEMENT]) == replaced
    newest, before = months(desk, folder).list(sm.PLANT)
    assert (newest["replaced"], newest["archive"]) == (False, str(folder / ARCHIVE))
    assert (before["replaced"], before["archive"]) == (True, str(kept))


async def test_the_newest_close_is_amended_and_every_one_is_kept(desk: Desk, folder: Path) -> None:
    desk.deliver()
    closed = await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    for reason in ("first", "second"):
        facts = await months(desk, folder).close(
            sm.PLANT, MONTH, closing="final", amend=True, reason=reason
        )
        assert facts["replaces"]["statement_sha256"] == closed["statement_sha256"]
        assert facts["replaces"]["same_figures"] is True
        closed = facts
    assert len(files(folder)) == 3
    assert all(judged(folder / name).verdict is Verdict.PASSED for name in files(folder))


async def test_an_amended_month_whose_archive_is_lost_needs_its_reason_again(
    desk: Desk, folder: Path
) -> None:
    await months(desk.deliver(), folder).close(sm.PLANT, MONTH, closing="final")
    order: dict[str, Any] = {"closing": "final", "amend": True, "reason": "a meter was exchanged"}
    await months(desk, folder).close(sm.PLANT, MONTH, **order)
    before = (folder / ARCHIVE).read_bytes()
    (folder / ARCHIVE).unlink()
    with pytest.raises(MonthRefusedError, match="give the --reason it was amended for"):
        await months(desk, folder).seal(sm.PLANT, MONTH, reason="something else")
    await months(desk, folder).seal(sm.PLANT, MONTH, reason="a meter was exchanged")
    assert (folder / ARCHIVE).read_bytes() == before


@pytest.mark.parametrize(
    ("closed", "order", "refusal"),
    [
        ("final", {"closing": "final"}, "is closed for good .* close it with --amend --reason"),
        ("final", {"closing": "interim"}, "is closed for good"),
        ("final", {"closing": "final", "amend": True}, "says why, in 1 to 200 characters"),
        ("final", {"closing": "final", "amend": True, "reason": "x" * 201}, "1 to 200 characters"),
        ("final", {"closing": "final", "reason": "why"}, "a reason belongs to --amend"),
        ("final", {"closing": "interim", "amend": True, "reason": "why"}, "is final too"),
        ("interim", {"closing": "final", "amend": True, "reason": "why"}, "no final close"),
        ("", {"closing": "final", "amend": True, "reason": "why"}, "no final close to amend"),
    ],
)
async def test_what_cannot_be_amended_says_why(
    closed: str, order: dict[str, Any], refusal: str, desk: Desk, folder: Path
) -> None:
    desk.deliver()
    if closed:
        await months(desk, folder).close(sm.PLANT, MONTH, closing=closed)
    size = desk.reader.size
    with pytest.raises(MonthRefusedError, match=refusal):
        await months(desk, folder).close(sm.PLANT, MONTH, **order)
    assert desk.reader.size == size


# -- keys -----------------------------------------------------------------------------------------


async def test_a_key_that_changes_before_the_gateway_signs_the_close_comes_along(
    desk: Desk, folder: Path
) -> None:
    desk.deliver().away = True
    await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    desk.rotate(90)
    desk.sign_close()
    facts = await months(desk, folder).seal(sm.PLANT, MONTH)
    assert facts["signed_by"] == [sm.STREAM]
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    assert "W-NO-PLANT-SIGNATURE" not in sm.codes(report)


# -- refused --------------------------------------------------------------------------------------


async def test_a_month_in_which_the_collector_changed_its_key_verifies(
    desk: Desk, folder: Path
) -> None:
    """The gateway has cosigned under the key before: its certificate comes along."""
    before = signer(44)
    certificate = issue(
        "collector", sm.PLANT, "before", before.public_key,
        issuer=(ROOT_KEY, sm.keys().certificates["root"]), not_before=SINCE, days=DAYS,
    )  # fmt: skip
    desk.enrol("collector", certificate, "collector-before.crt")
    desk.deliver(frames=3)
    seen = [data for _, data in desk.reader.entries(0, 5)]
    desk.take(Kind.COSIGNATURE, TYP_COSIGNATURE, cosignature(seen, log=before).payload)
    await months(desk.deliver_more(3), folder).close(sm.PLANT, MONTH, closing="final")
    report = judged(folder / ARCHIVE)
    assert report.verdict is Verdict.PASSED, report.findings
    assert certificate_to_pem(certificate) in unpacked(folder / ARCHIVE).values()


@pytest.mark.parametrize(
    ("frames", "asked", "reason"),
    [
        (5, ("other", MONTH, "interim"), "no plant of this collector"),
        (5, (sm.PLANT, "2026-13", "interim"), "not a month"),
        (5, (sm.PLANT, MONTH, "weekly"), "not a month"),
        (5, (sm.PLANT, "1999-01", "interim"), "no readings in 1999-01"),
        (0, (sm.PLANT, MONTH, "interim"), "no readings"),
        (None, (sm.PLANT, MONTH, "interim"), "0 gateways"),
    ],
)
async def test_what_cannot_be_closed_says_why(
    frames: int | None, asked: tuple[str, str, str], reason: str, desk: Desk, folder: Path
) -> None:
    if frames is not None:
        desk.deliver(frames=frames)
    plant, month, closing = asked
    size = desk.reader.size
    with pytest.raises(MonthRefusedError, match=reason):
        await months(desk, folder).close(plant, month, closing=closing)
    assert desk.reader.size == size
    assert files(folder) == {}


async def test_a_configuration_that_nobody_thought_of_is_a_refusal(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its time zone is none; then, whatever a program may stumble over."""
    config = sm.configuration()
    config["plant"]["time_zone"] = "../../etc/passwd"
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    with pytest.raises(MonthRefusedError, match=r"etc/passwd' is no IANA time zone"):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    monkeypatch.setattr("cloud.closing.months.draft_month", lambda *_, **__: {}["time_zone"])
    with pytest.raises(MonthRefusedError, match=r"KeyError\('time_zone'\)"):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    assert "a month cannot be made of what is in the log" in caplog.text
    assert files(folder) == {}


async def test_an_archive_folder_that_is_a_file_is_refused_before_the_close_is_logged(
    desk: Desk, folder: Path, tmp_path: Path
) -> None:
    desk.deliver()
    size = desk.reader.size
    (tmp_path / "archives").write_text("")
    with pytest.raises(MonthRefusedError, match=r"archives cannot take archives \(File exists\)"):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    assert desk.reader.size == size


async def test_a_month_that_is_not_over_is_only_closed_as_interim(desk: Desk, folder: Path) -> None:
    now = months(desk.deliver(), folder, now_ns=sm.START_NS + 60 * sm.SECOND)
    with pytest.raises(
        MonthRefusedError, match=r"is not over in Asia/Shanghai; close it as interim"
    ):
        await now.close(sm.PLANT, MONTH, closing="final")
    await now.close(sm.PLANT, MONTH, closing="interim")
    assert judged(folder / ARCHIVE).verdict is Verdict.PASSED


async def test_a_month_that_was_never_closed_is_not_sealed(desk: Desk, folder: Path) -> None:
    with pytest.raises(MonthRefusedError, match="is not closed yet; close it first"):
        await months(desk.deliver(), folder, AFTER_NS).seal(sm.PLANT, MONTH)
