"""A collector that changed its key: what gateways cosigned under the one before still counts."""

from cryptography import x509

from evidence.archive import paths
from evidence.findings import Report, Verdict
from evidence.keys import certificate_to_pem, issue
from tests.attacks.by_keys import DAYS, SINCE, private
from tests.attacks.by_time import SEEN, cosignature
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import signer

BEFORE = signer(44)


def certificate(role: str = "collector", root: int = 1) -> x509.Certificate:
    """Of the key before, issued by the root of a seed (1 is the plant's)."""
    issuer = private(root), sm.keys(root).certificates["root"]
    return issue(
        role, sm.PLANT, "before", BEFORE.public_key, issuer=issuer, not_before=SINCE, days=DAYS
    )


def checked(*earlier: x509.Certificate, **given: str) -> Report:
    """A month with a cosignature under the key before, and these certificates of that key."""
    stream = sm.items()
    month = sm.make_month([*stream[:3], cosignature(SEEN, log=BEFORE), *stream[3:]])
    archive = sm.build(sm.contents(month, earlier=earlier))
    if "named" in given:
        files = sm.unpack(archive)
        (old,) = [path for path in files if path.startswith("data/keys/collector-")]
        files[given["named"]] = files.pop(old)
        archive = sm.repack(files)
    return sm.check(archive)


def test_an_earlier_key_counts_by_its_certificate() -> None:
    report = checked(certificate())
    assert report.verdict is Verdict.PASSED, report.findings


def test_without_its_certificate_the_checkpoint_is_a_strangers() -> None:
    assert sm.codes(checked()) >= {"E-COSIGNATURE"}


def test_a_certificate_that_is_no_collectors_of_this_plant_is_told() -> None:
    for strange in (certificate("gateway"), certificate(root=60)):
        assert sm.codes(checked(strange)) >= {"E-CERTIFICATE", "E-COSIGNATURE"}


def test_its_name_is_that_of_its_bytes() -> None:
    report = checked(certificate(), named=paths.earlier_collector(bytes(32)))
    assert sm.codes(report) >= {"E-CERTIFICATE", "E-COSIGNATURE"}


def test_an_earlier_key_seals_and_signs_nothing_else() -> None:
    """The newest receipt and the log's checkpoint are by the key of collector.crt."""
    month = sm.month()
    note = sm.log_note(month.entries, BEFORE)
    report = sm.check(sm.build(sm.contents(month, earlier=[certificate()], checkpoint=note)))
    assert "E-CHECKPOINT" in sm.codes(report)


def test_it_stands_as_it_was_issued() -> None:
    made = certificate()
    files = sm.unpack(sm.build(sm.contents(sm.month(), earlier=[made])))
    found = {path: data for path, data in files.items() if path.startswith("data/keys/collector-")}
    assert list(found.values()) == [certificate_to_pem(made)]
