"""What a forger's work looks like from other sides; the kinds themselves are in tests/attacks."""

import pytest

from evidence import checkpoint
from evidence.archive import paths
from evidence.findings import Verdict
from tests.attacks.by_strangers import CHANGES
from tests.attacks.forging import FOREIGN, ROOT_SHA256
from tests.unit.evidence import sealed_month as sm


def errors(archive: bytes) -> set[str]:
    return {code for code in sm.codes(sm.check(archive)) if code[0] in "EC"}


@pytest.mark.parametrize("name", CHANGES)
def test_a_stranger_who_leaves_the_manifests_alone_is_seen_at_the_bag(name: str) -> None:
    change, _ = CHANGES[name]
    files = sm.unpack(sm.honest())
    before = dict(files)
    change(files)
    found = errors(sm.repack(files, manifest=False))
    if set(files) - set(before):
        assert "E-FILE-EXTRA" in found
    elif set(before) - set(files):
        assert "E-FILE-MISSING" in found
    elif any(files[p] != before[p] for p in files if p.startswith("data/")):
        assert "E-FILE-HASH" in found


def test_another_root_fails_only_on_trust_when_everything_else_is_its_own() -> None:
    """Anybody can make a whole archive of their own; only the trusted root tells."""
    report = sm.check(sm.honest(), trust=frozenset({bytes(32)}))
    assert report.verdict is Verdict.FAILED
    assert {c for c in sm.codes(report) if c[0] == "E"} == {"E-TRUST"}
    assert "NOT among the trusted" in report.identity


def test_a_certificates_key_is_trusted_for_its_plant_only_and_a_bare_key_for_any() -> None:
    """One file may hold the roots of two plants; neither may speak for the other."""
    for key, verdict in (("test-smelter", Verdict.PASSED), ("sister", Verdict.FAILED)):
        report = sm.check(sm.honest(), trust=frozenset({(key, ROOT_SHA256)}))
        assert (report.verdict, report.trusted) == (verdict, verdict is Verdict.PASSED)
    (finding,) = [one for one in report.findings if one.code == "E-TRUST"]
    assert "for another plant than test-smelter" in finding.sentence
    assert report.identity.endswith("NOT trusted for this plant")
    assert sm.check(sm.honest(), trust=frozenset({ROOT_SHA256})).trusted


def test_a_checkpoint_may_carry_a_witness() -> None:
    files = sm.unpack(sm.honest())
    note = files[paths.LOG_CHECKPOINT].decode()
    witness = checkpoint.sign(
        checkpoint.Checkpoint("w", 1, bytes(32)), FOREIGN, FOREIGN.public_key
    ).splitlines()[-1]
    files[paths.LOG_CHECKPOINT] = f"{note}{witness}\n".encode()
    assert errors(sm.repack(files, by=sm.keys().collector)) == set()
