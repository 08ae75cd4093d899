"""The honest archive passes, says what it is, and says what was not looked at."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence.errors import LimitError
from evidence.findings import Verdict
from evidence.verifier.closing import ClosingCheck
from tests.unit.evidence import sealed_month as sm


def test_the_honest_archive_passes_and_says_what_a_reviewer_should_see() -> None:
    report = sm.check(sm.honest())
    assert report.verdict is Verdict.PASSED
    assert sm.codes(report) == {
        "W-GAP", "W-TYPED", "W-UNCONFIRMED", "W-INCOMPLETE", "N-INTERIM", "N-SIMULATED",
        "N-REJECTED",
    }  # fmt: skip
    assert (report.state.headline("en"), report.state.exit_status) == (sm.HEADLINE["en"], 3)
    assert report.identity.endswith("is trusted")


def test_counts_are_those_of_the_month() -> None:
    report = sm.check(sm.honest())
    # 1 configuration, 4 frames, 1 heartbeat
    assert (report.counts["objects"], report.counts["frames"]) == (6, 5)
    assert report.counts["signatures"] == 6
    # 40 ticks of 2 voltages, 2 states, current and metal and the computed points, 4 slow ticks of 4
    computed = len(sm.configuration()["points"]) - 10
    assert report.counts["readings"] == 40 * (6 + computed) + 4 * 4
    assert report.counts["log_entries"] == 10  # enrol, 6 objects, a gap, a reject, the close


def test_the_effect_is_in_the_figures() -> None:
    given = json.loads(sm.month().statement)["input"]
    # one effect from tick 12 to tick 19; between known ticks pot 01 has 19 + 19 s and pot 02,
    # whose first reading after the gap is bad, 19 + 18 s: 7/60 min in 75/86400 cell-days
    assert given["pfc"]["indicator"]["aem_min_per_cell_day"] == "134.400000000000"
    assert given["pfc"]["metal_t"] == "5.5"  # 44 s at 0.125 t


def test_without_trust_the_root_key_is_shown_and_the_omission_said() -> None:
    report = sm.check(sm.honest(), trust=None)
    assert report.verdict is Verdict.PASSED
    key = sm.keys().root.public_key
    assert isinstance(key, ed25519.Ed25519PublicKey)
    fingerprint = sm.sha256(
        # the fixed prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410), then the key
        bytes.fromhex("302a300506032b6570032100") + key.public_bytes_raw()
    )
    assert report.identity == (
        f"not checked; the archive's root key has SHA-256 {fingerprint.hex()}"
    )
    assert any(sentence.startswith("Identity") for sentence in report.not_checked)


def test_without_recomputation_the_omission_is_said() -> None:
    report = sm.check(sm.honest(), recompute=False)
    assert report.verdict is Verdict.PASSED
    assert any("not recomputed" in sentence for sentence in report.not_checked)


def test_an_archive_the_gateway_has_not_signed_passes_with_a_warning() -> None:
    report = sm.check(sm.build(sm.contents(sm.month(), closes={})))
    assert report.verdict is Verdict.PASSED
    assert "W-NO-PLANT-SIGNATURE" in sm.codes(report)


def test_the_same_contents_give_the_same_bytes() -> None:
    assert sm.build(sm.contents(sm.month())) == sm.honest()


def test_the_forger_packs_as_the_builder_does() -> None:
    """So that every forgery below differs from the honest archive only in what it says."""
    assert sm.repack(sm.unpack(sm.honest()), by=sm.keys().collector) == sm.honest()


def test_what_the_closing_step_did_not_expect_is_a_finding_and_the_rest_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No archive is known that gets there: `verify` never raises all the same, and never passes."""

    def check(self: ClosingCheck, _: object) -> None:
        raise LimitError("data/x.close has 9 bytes; the limit is 8")

    monkeypatch.setattr(ClosingCheck, "check", check)
    report = sm.check(sm.honest())
    assert report.verdict is Verdict.FAILED
    (found,) = (finding for finding in report.findings if finding.code == "E-SEAL")
    assert (found.where, found.sentence) == (
        "archive", "data/x.close has 9 bytes; the limit is 8."
    )  # fmt: skip
    assert any(sentence.startswith("Witnesses: ") for sentence in report.not_checked)
