"""Time stamps by an authority made with openssl: this seal, the trusted authority, or nothing."""

import datetime as dt
import io
from pathlib import Path

import pytest

from evidence import cli, timestamp
from evidence.archive import paths
from evidence.errors import EvidenceError, MalformedError, SignatureError
from evidence.findings import Report, Verdict, said
from evidence.phrases import translated
from evidence.timestamp import check_stamp, read_stamp, stamp_request
from evidence.verifier.run import verify
from tests.attacks.by_stamps import tst_info
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.time_authority import TimeAuthority

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.needs("openssl")

SEAL = sm.unpack(sm.honest())[paths.SEAL]
TRUST = frozenset({sm.key_sha256(sm.keys().root.public_key)})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    return TimeAuthority(tmp_path_factory.mktemp("tsa") / "ours")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    return TimeAuthority(tmp_path_factory.mktemp("tsa") / "other")


@pytest.fixture(scope="module")
def stamped(authority: TimeAuthority) -> bytes:
    return authority.answer(stamp_request(SEAL))


def verified(stamp: bytes | None, authority: TimeAuthority | None = None) -> Report:
    """The honest archive with this beside its seal."""
    files = sm.unpack(sm.honest())
    if stamp is not None:
        files |= sm.stamped(stamp)
    tsa = None if authority is None else authority.certificates
    return verify(io.BytesIO(sm.repack(files, manifest=False)), trust=TRUST, tsa=tsa)


def not_checked(report: Report) -> list[str]:
    return [sentence for sentence in report.not_checked if sentence.startswith("Time stamp")]


def test_a_stamp_says_when_and_by_whom(authority: TimeAuthority, stamped: bytes) -> None:
    stamp = check_stamp(stamped, SEAL, authority.certificates)
    assert stamp == read_stamp(stamped, SEAL)
    assert stamp.authority == "CN=Test time"
    assert stamp.at.tzinfo is not None
    made = authority.certificates[0].not_valid_before_utc
    assert made <= stamp.at <= made + dt.timedelta(hours=1)


def test_a_request_of_openssl_itself_is_answered_alike(authority: TimeAuthority) -> None:
    stamped = authority.answer(authority.asked(SEAL, "-sha256", "-cert"))
    assert check_stamp(stamped, SEAL, authority.certificates).authority == "CN=Test time"


def test_the_trusted_authoritys_stamp_passes(authority: TimeAuthority, stamped: bytes) -> None:
    report = verified(stamped, authority)
    assert report.verdict is Verdict.PASSED
    assert report.timestamp.endswith(" by one you trust: CN=Test time")
    assert not_checked(report) == []
    at = report.timestamp.split()[0]
    (line,) = [line for line in report.not_checked if line.startswith("Witnesses")]
    assert line.startswith(f"Witnesses: the trusted time stamp binds this history from {at} on; ")


def test_without_tsa_the_authority_is_only_named(stamped: bytes) -> None:
    report = verified(stamped)
    assert report.verdict is Verdict.PASSED
    assert report.timestamp.endswith("Z, not checked")
    (sentence,) = not_checked(report)
    assert "without --tsa anybody's signature passes for an authority's" in sentence
    assert sentence.endswith("which anybody can write: CN=Test time.")


def test_no_stamp_is_said_and_passes_unless_one_is_asked_for(authority: TimeAuthority) -> None:
    for tsa, verdict in ((None, Verdict.PASSED), (authority, Verdict.FAILED)):
        report = verified(None, tsa)
        assert (report.verdict, report.timestamp) == (verdict, "none")
        assert ("E-TIMESTAMP" in {finding.code for finding in report.findings}) == (tsa is not None)
        assert not_checked(report) == [
            "Time stamp: there is none; only the collector vouches for dates."
        ]


def test_another_authoritys_stamp_fails(
    other: TimeAuthority, authority: TimeAuthority, stamped: bytes
) -> None:
    report = verified(stamped, other)
    assert {c for c in sm.codes(report) if c[0] == "E"} == {"E-TIMESTAMP"}
    assert report.timestamp == "none"
    with pytest.raises(SignatureError, match="not by an authority you trust"):
        check_stamp(stamped, SEAL, other.certificates)
    both = (*other.certificates, *authority.certificates)
    assert check_stamp(stamped, SEAL, both).authority == "CN=Test time"


def test_why_a_stamp_fails_is_a_plain_sentence_in_both_languages(
    authority: TimeAuthority, other: TimeAuthority, stamped: bytes
) -> None:
    now = f"{dt.datetime.now(dt.UTC):%Y%m%d%H%M%SZ}"
    good = authority.says(tst_info(at=now))
    assert check_stamp(good, SEAL, authority.certificates).authority == "CN=Test time"
    for response, trusted, why, chinese in (
        (authority.says(tst_info(at="20010101000000Z")), authority.certificates, "was not valid",
         "不在有效期内"),
        (authority.says(tst_info(at=now), "other"), authority.certificates, "not for time stamps",
         "不是用于签发时间戳"),
        (stamped, authority.signer, "needs the root certificate", "需要授时机构的根证书"),
        (stamped, other.certificates, "not by an authority you trust", "不是由您信任的"),
    ):  # fmt: skip
        with pytest.raises(SignatureError, match=why) as caught:
            check_stamp(response, SEAL, trusted)
        assert chinese in translated("sentence", said(caught.value), "zh")


@pytest.mark.parametrize("trusted", [False, True])
def test_a_stamp_of_another_seal_fails(authority: TimeAuthority, trusted: bool) -> None:
    stamped = authority.answer(stamp_request(b"another seal"))
    report = verified(stamped, authority if trusted else None)
    assert report.verdict is Verdict.FAILED
    (finding,) = [f for f in report.findings if f.code == "E-TIMESTAMP"]
    assert (finding.where, finding.sentence) == (
        paths.TIMESTAMP, "The time stamp is of other bytes than this seal.",
    )  # fmt: skip


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("junk", [b"", b"junk", b"\x30\x00", SEAL, bytes(65 * 1024)])
def test_what_is_no_stamp_fails(authority: TimeAuthority, junk: bytes, trusted: bool) -> None:
    report = verified(junk, authority if trusted else None)
    assert {c for c in sm.codes(report) if c[0] == "E"} == {"E-TIMESTAMP"}


def test_a_stamp_over_another_hash_or_without_certificates_is_refused(
    authority: TimeAuthority,
) -> None:
    with pytest.raises(MalformedError, match="not over a SHA-256 hash"):
        read_stamp(authority.answer(authority.asked(SEAL, "-sha512", "-cert")), SEAL)
    with pytest.raises(MalformedError, match="lacks the certificate that signed it"):
        read_stamp(authority.answer(authority.asked(SEAL, "-sha256")), SEAL)


def test_a_refusal_is_no_stamp(authority: TimeAuthority) -> None:
    """The authority takes SHA-256 and SHA-512 only; to SHA-1 it answers with a rejection."""
    refused = authority.answer(authority.asked(SEAL, "-sha1", "-cert"))
    with pytest.raises(MalformedError):
        read_stamp(refused, SEAL)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a spoilt certificate
def test_no_signed_bit_of_a_stamp_can_change(authority: TimeAuthority, stamped: bytes) -> None:
    """What CMS leaves unsigned says nothing: two version numbers, a label of the algorithm.

    In an archive the collector's seal over the response covers these too.
    """
    passed = set()
    for at in range(len(stamped)):
        spoilt = bytearray(stamped)
        spoilt[at] ^= 1 << at % 8
        try:
            stamp = check_stamp(bytes(spoilt), SEAL, authority.certificates)
        except EvidenceError:
            continue
        passed.add(at)
        assert stamp == read_stamp(stamped, SEAL)
    assert len(passed) <= 12


def test_no_bit_of_a_stamp_in_an_archive_can_change(stamped: bytes) -> None:
    honest = sm.unpack(sm.honest()) | sm.stamped(stamped)
    for at in range(0, len(stamped), 61):
        spoilt = bytearray(stamped)
        spoilt[at] ^= 1 << at % 8
        archive = sm.repack(honest | {paths.TIMESTAMP: bytes(spoilt)}, manifest=False)
        report = verify(io.BytesIO(archive), trust=TRUST, recompute=False)
        assert {c for c in sm.codes(report) if c[0] == "E"} == {"E-TIMESTAMP"}


def test_a_stamp_has_the_collectors_seal_and_the_seal_has_a_stamp(stamped: bytes) -> None:
    honest = sm.unpack(sm.honest())
    for name in (paths.TIMESTAMP, paths.TIMESTAMP_SEAL):
        files = honest | {name: sm.stamped(stamped)[name]}
        report = verify(io.BytesIO(sm.repack(files, manifest=False)), trust=TRUST)
        (finding,) = [f for f in report.findings if f.code[0] == "E"]
        assert (finding.code, finding.where) == ("E-TIMESTAMP", paths.TIMESTAMP_SEAL)


def test_an_authoritys_name_cannot_steer_a_terminal(
    stamped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nasty = timestamp.Stamp(dt.datetime(2026, 7, 1, tzinfo=dt.UTC), "CN=x\x1b[2J\nPASSED")
    monkeypatch.setattr(timestamp, "read_stamp", lambda *_: nasty)
    report = verified(stamped)
    assert report.timestamp == "2026-07-01T00:00:00Z, not checked"
    (sentence,) = not_checked(report)
    assert sentence.endswith("which anybody can write: CN=x\\x1b[2J\\nPASSED.")
    assert sentence.isprintable()


def test_without_the_package_it_is_said(
    authority: TimeAuthority, stamped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timestamp, "is_available", lambda: False)
    report = verified(stamped, authority)
    assert report.verdict is Verdict.PASSED
    (sentence,) = not_checked(report)
    assert "pip install 'stackproof[tsa]'" in sentence


@pytest.fixture
def archive(tmp_path: Path, stamped: bytes) -> Path:
    path = tmp_path / "test-smelter-2026-06.tar"
    files = sm.unpack(sm.honest()) | sm.stamped(stamped)
    path.write_bytes(sm.repack(files, manifest=False))
    return path


def test_the_command_takes_the_authoritys_certificate(
    authority: TimeAuthority,
    other: TimeAuthority,
    archive: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["verify", str(archive), "--tsa", str(authority.root)]) == sm.QUESTIONS
    assert "by one you trust: CN=Test time" in capsys.readouterr().out
    assert cli.main(["verify", str(archive), "--tsa", str(other.root)]) == 1
    assert "E-TIMESTAMP" in capsys.readouterr().out
    junk = archive.with_name("junk.pem")
    junk.write_bytes(b"junk")
    assert cli.main(["verify", str(archive), "--tsa", str(junk)]) == 2
    assert "not PEM certificates" in capsys.readouterr().err


def test_the_command_refuses_what_it_cannot_check(
    authority: TimeAuthority,
    archive: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "is_available", lambda: False)
    assert cli.main(["verify", str(archive), "--tsa", str(authority.root)]) == 2
    assert "pip install 'stackproof[tsa]'" in capsys.readouterr().err
