"""Points that are no keys, held against the curve's own arithmetic in tests/attacks/edwards.py."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.cli import main
from evidence.ed25519_points import SMALL_ORDER, check_point
from evidence.errors import KeyFileError, MalformedError, SignatureError
from evidence.keys import certificate_to_pem, generate, is_issued_by, load_trust, spki
from evidence.public_key import load_key
from evidence.suites import ED25519, suite_of
from tests.attacks import edwards
from tests.attacks.by_newer import private
from tests.attacks.by_points import Giving, Larger, Nobodys, One, Shifted, plant, sealed
from tests.unit.evidence.small_plant import keys

#: RFC 8032 §7.1, TEST 1 to 3
RFC_KEYS = [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
]
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4
#: RFC 5480 §2.1.1.1 and §2.2: an uncompressed point of P-256
SPKI_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def test_the_arithmetic_of_these_tests_is_that_of_the_rfc() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    point = edwards.times(edwards.secret_of(seed), edwards.BASE)
    assert edwards.encode(point).hex() == RFC_KEYS[0]
    assert edwards.times(edwards.ORDER, edwards.BASE) == edwards.NEUTRAL


def test_the_points_of_small_order_are_eight_in_fourteen_forms() -> None:
    """Eight and six, as ZIP 215 and C2SP/CCTV count them."""
    assert len({edwards.decode(data) for data in SMALL_ORDER}) == 8
    assert set(edwards.SMALL) == SMALL_ORDER
    assert len(edwards.SMALL) == len(SMALL_ORDER) == 14


@pytest.mark.parametrize("data", edwards.SMALL, ids=bytes.hex)
def test_no_form_of_a_point_of_small_order_is_a_key(data: bytes) -> None:
    with pytest.raises(MalformedError, match="small order"):
        load_key(SPKI_ED25519 + data)


@pytest.mark.parametrize("y", range(edwards.P, 1 << 255))
@pytest.mark.parametrize("sign", [0, 1])
def test_no_y_of_p_or_more_is_a_key(y: int, sign: int) -> None:
    with pytest.raises(MalformedError):
        load_key(SPKI_ED25519 + (y | sign << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("y", range(2, 60))
def test_a_key_is_a_point_of_the_curve(y: int) -> None:
    data = y.to_bytes(32, "little")
    if edwards.xs(y):
        assert load_key(SPKI_ED25519 + data)
        return
    with pytest.raises(MalformedError, match="no point of the curve"):
        load_key(SPKI_ED25519 + data)


def test_keys_of_signers_are_keys() -> None:
    for text in RFC_KEYS:
        check_point(bytes.fromhex(text))
    for _ in range(50):
        assert suite_of(generate().public_key()) is ED25519


def test_a_key_with_a_part_of_small_order_is_one() -> None:
    key = Shifted(2)
    point = edwards.decode(key.point)
    assert point is not None
    assert edwards.times(edwards.ORDER, point) != edwards.NEUTRAL
    suite_of(key.public_key).verify(key.public_key, key.sign(b"m"), b"m")


@pytest.mark.parametrize("r", edwards.SMALL, ids=bytes.hex)
def test_no_signature_has_an_r_of_small_order(r: bytes) -> None:
    """With the neutral R the library is content: S·B is h·A."""
    by = Giving(2, r)
    made = by.sign(b"m")
    if r == edwards.encode(edwards.NEUTRAL):
        by.public_key.verify(made, b"m")
    with pytest.raises(SignatureError, match="R of small order"):
        ED25519.verify(by.public_key, made, b"m")


def test_s_is_below_the_order_of_the_group() -> None:
    by = Larger(private(2))
    with pytest.raises(SignatureError, match="does not verify"):
        ED25519.verify(by.public_key, by.sign(b"m"), b"m")


def test_a_root_issues_nothing_by_a_signature_that_gives_its_key_away() -> None:
    who = plant(Giving(1), keys().gateway, keys().collector)
    made = who.certificates
    made["gateway"].verify_directly_issued_by(made["root"])  # for the library it does
    assert not is_issued_by(made["gateway"], made["root"])
    assert is_issued_by(keys().certificates["gateway"], keys().certificates["root"])


def test_a_point_of_small_order_issues_nothing() -> None:
    nobody = Nobodys(edwards.SMALL[3])
    made = plant(nobody, keys().gateway, keys().collector).certificates
    made["gateway"].verify_directly_issued_by(made["root"])
    assert not is_issued_by(made["gateway"], made["root"])


def test_the_library_takes_what_is_refused_here() -> None:
    """If it once does not, this room's own check is one too many."""
    nobody = Nobodys(edwards.SMALL[3])
    key = ed25519.Ed25519PublicKey.from_public_bytes(nobody.point)
    key.verify(nobody.sign(b"any message"), b"any message")


def test_nobodys_root_is_not_trusted(tmp_path: Path) -> None:
    nobody = Nobodys(edwards.SMALL[3])
    root = plant(nobody, nobody, nobody).certificates["root"]
    pem = nobody.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (certificate_to_pem(root), pem):
        (tmp_path / "trust.pem").write_bytes(data)
        with pytest.raises(KeyFileError, match=r"trust\.pem: .*point of small order"):
            load_trust(tmp_path / "trust.pem")


def test_a_month_of_a_plant_without_keys_fails_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root, gateway and collector are the neutral point: one signature of 64 bytes fits all."""
    neutral = One(edwards.encode(edwards.NEUTRAL))
    who = plant(neutral, neutral, neutral)
    (tmp_path / "month.tar").write_bytes(sealed(who))
    (tmp_path / "trust.pem").write_bytes(certificate_to_pem(who.certificates["root"]))
    archive, trust = tmp_path / "month.tar", tmp_path / "trust.pem"
    assert main(["verify", str(archive)]) == 1
    assert "E-CERTIFICATE" in capsys.readouterr().out
    assert main(["verify", str(archive), "--trust", str(trust)]) == 2
    assert "under which anybody can sign: make a new key" in capsys.readouterr().err


def test_a_p256_key_is_a_point_of_its_curve_and_not_infinity() -> None:
    """FIPS 186-5 and SEC 1 §3.2.2.1; OpenSSL holds to it."""
    good = spki(ec.derive_private_key(7, ec.SECP256R1()).public_key())
    assert good.startswith(SPKI_P256)
    assert load_key(good)
    off = [SPKI_P256 + bytes(64), good[:-1] + bytes([good[-1] ^ 1]), SPKI_P256 + b"\xff" * 64]
    infinity = bytes.fromhex("3019301306072a8648ce3d020106082a8648ce3d030107030200") + b"\0"
    for data in (*off, infinity, infinity[:-1]):
        with pytest.raises(MalformedError):
            load_key(data)
