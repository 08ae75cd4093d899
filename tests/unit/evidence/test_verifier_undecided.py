"""What "cannot decide" says beside its code; the kinds themselves are in tests/attacks/by_newer."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.archive import paths
from evidence.findings import Verdict
from evidence.keys import key_id
from tests.attacks.by_newer import KINDS, UnknownSuite, certificate, private
from tests.attacks.forging import Kind
from tests.unit.evidence import sealed_month as sm

UNDECIDED = [kind for kind in KINDS if kind.verdict is Verdict.CANNOT_DECIDE]


@pytest.mark.parametrize("kind", UNDECIDED, ids=[kind.name for kind in UNDECIDED])
def test_undecided_has_an_exit_status_of_its_own_and_a_sentence(kind: Kind) -> None:
    report = sm.check(kind.build())
    assert report.state.exit_status == 2
    said = [f.sentence for f in report.findings if f.code[0] == "C"]
    assert said
    told = ("unknown", "no crypto suite", "not in this program")
    assert all(any(words in text.lower() for words in told) for text in said), said


@pytest.mark.parametrize("kind", UNDECIDED, ids=[kind.name for kind in UNDECIDED])
def test_an_undecided_archive_cannot_be_sealed_by_a_stranger(kind: Kind) -> None:
    report = sm.check(sm.repack(sm.unpack(kind.build()), by=sm.signer(90)))
    assert report.verdict is (
        Verdict.CANNOT_DECIDE if "collector key" in kind.name else Verdict.FAILED
    )


def test_a_collector_of_an_unknown_suite_leaves_the_seal_open_and_says_so() -> None:
    (kind,) = [kind for kind in UNDECIDED if "collector key" in kind.name]
    assert any(s.startswith("Seal") for s in sm.check(kind.build()).not_checked)


def test_a_root_of_an_unknown_suite_is_not_one_that_anybody_trusts() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    foreign = certificate("root", sm.PLANT, key.public_key(), key)
    files = sm.unpack(sm.honest()) | {paths.ROOT_CERTIFICATE: foreign.public_bytes(sm.PEM)}
    trusting_nobody = sm.check(sm.repack(files), trust=None)
    assert trusting_nobody.verdict is Verdict.CANNOT_DECIDE
    assert sm.codes(trusting_nobody) >= {"C-SUITE"}
    assert "unknown" in trusting_nobody.identity or "does not know" in trusting_nobody.identity


def test_the_unknown_suite_of_these_tests_names_a_known_key() -> None:
    assert UnknownSuite(private(2)).kid == key_id(sm.keys().gateway.public_key)
