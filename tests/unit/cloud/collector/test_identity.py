"""Certificates of a plant: which count, and what is said about those that do not."""

import datetime as dt
import hashlib
import ssl
from pathlib import Path

import pytest

from cloud.collector.identity import collector_keys, read_issued, read_root
from evidence.errors import EvidenceError, KeyFileError, MalformedError
from evidence.keys import (
    FileSigner,
    certificate_to_pem,
    generate,
    issue,
    key_sha256,
    load_certificate,
)
from tests.unit.cloud.evidence_examples import NOT_BEFORE, ExamplePlant, make_plant


@pytest.fixture
def plant(tmp_path: Path) -> ExamplePlant:
    return make_plant(tmp_path, gateways=("edge-1", "edge-2"))


def test_a_certificates_facts_are_those_of_its_bytes(plant: ExamplePlant) -> None:
    """The DER form is taken apart here by the standard library's ssl module."""
    path = plant.folder / "edge-1.crt"
    certified = read_issued(path, plant.folder / "root.crt", "gateway", "mini")
    der = ssl.PEM_cert_to_DER_cert(path.read_text())
    assert (certified.role, certified.name) == ("gateway", "edge-1")
    assert certified.der == der
    assert certified.certificate_sha256 == hashlib.sha256(der).digest()
    assert certified.fingerprint == key_sha256(plant.gateways["edge-1"].signer.public_key)
    assert certified.pem == path.read_bytes()
    assert certified.file_name == f"gateway-edge-1-{hashlib.sha256(der).hexdigest()[:16]}.crt"


def test_a_plants_certificates_come_root_first(plant: ExamplePlant) -> None:
    identity = plant.identity()
    assert [c.role for c in identity.certified()] == ["root", "collector", "gateway", "gateway"]


def test_a_root_is_its_own_issuer_and_of_this_plant(plant: ExamplePlant, tmp_path: Path) -> None:
    root = read_root(plant.folder / "root.crt", "mini")
    assert (root.role, root.name) == ("root", "mini")
    with pytest.raises(MalformedError, match=r"root\.crt: .*; needed is one of root maxi/"):
        read_root(plant.folder / "root.crt", "maxi")
    cross = issue(
        "root", "mini", "mini", generate().public_key(),
        issuer=(plant.root_key, plant.root_certificate), not_before=NOT_BEFORE, days=9,
    )  # fmt: skip
    (tmp_path / "cross.crt").write_bytes(certificate_to_pem(cross))
    with pytest.raises(MalformedError, match=r"cross\.crt: the plant's root did not issue"):
        read_root(tmp_path / "cross.crt", "mini")


@pytest.mark.parametrize(
    ("role", "of_plant", "words"),
    [
        ("collector", "mini", "needed is one of collector mini/"),
        ("root", "mini", "needed is one of root mini/"),
        ("gateway", "maxi", "needed is one of gateway maxi/"),
    ],
)
def test_a_certificate_of_another_role_or_plant_does_not_count(
    plant: ExamplePlant, role: str, of_plant: str, words: str
) -> None:
    with pytest.raises(MalformedError, match=words):
        read_issued(plant.folder / "edge-1.crt", plant.folder / "root.crt", role, of_plant)


def test_a_forgers_root_of_the_same_name_does_not_count(
    plant: ExamplePlant, tmp_path: Path
) -> None:
    forged = make_plant(tmp_path / "forged")
    with pytest.raises(MalformedError, match="did not issue this certificate"):
        read_issued(forged.folder / "edge-1.crt", plant.folder / "root.crt", "gateway", "mini")


def test_a_gateway_cannot_certify_another(plant: ExamplePlant, tmp_path: Path) -> None:
    """Signed by a key the root certified, but which may not issue."""
    key, other = generate(), generate()
    plant.certify("gateway", "edge-3", key.public_key(), "edge-3.crt")
    minted = issue(
        "gateway", "mini", "edge-4", other.public_key(),
        issuer=(key, load_certificate(plant.folder / "edge-3.crt")),
        not_before=NOT_BEFORE, days=9,
    )  # fmt: skip
    (tmp_path / "edge-4.crt").write_bytes(certificate_to_pem(minted))
    for issuer in ("root.crt", "edge-3.crt"):
        with pytest.raises(MalformedError, match="did not issue this certificate"):
            read_issued(tmp_path / "edge-4.crt", plant.folder / issuer, "gateway", "mini")


@pytest.mark.parametrize("data", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_a_file_that_is_no_certificate_is_named(
    plant: ExamplePlant, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "x.crt").write_bytes(data)
    with pytest.raises(EvidenceError, match=r"x\.crt: not a PEM certificate"):
        read_issued(tmp_path / "x.crt", plant.folder / "root.crt", "gateway", "mini")
    with pytest.raises(KeyFileError, match=r"absent\.crt: cannot be read"):
        read_root(tmp_path / "absent.crt", "mini")


def test_an_expired_certificate_still_counts(plant: ExamplePlant) -> None:
    """Validity of evidence goes by the log, never by a device's or collector's clock."""
    key = generate()
    old = issue(
        "gateway", "mini", "edge-9", key.public_key(),
        issuer=(plant.root_key, plant.root_certificate),
        not_before=dt.datetime(2001, 1, 1, tzinfo=dt.UTC), days=1,
    )  # fmt: skip
    (plant.folder / "edge-9.crt").write_bytes(certificate_to_pem(old))
    found = read_issued(plant.folder / "edge-9.crt", plant.folder / "root.crt", "gateway", "mini")
    assert found.name == "edge-9"


def test_earlier_collector_keys_come_after_the_own_one_once(plant: ExamplePlant) -> None:
    own, earlier = plant.identity(), generate().public_key()
    assert list(collector_keys(own, {})) == [own.collector.key]
    plant.certify("collector", "before", earlier, "before.crt")
    names = {"a": "before", "b": "before", "own": "collector"}
    kept = {f"collector-{name}.crt": (plant.folder / f"{of}.crt").read_bytes()
            for name, of in names.items()}  # fmt: skip
    kept["gateway-edge-1.crt"] = (plant.folder / "edge-1.crt").read_bytes()
    found = [key_sha256(key) for key in collector_keys(own, kept)]
    assert found == [key_sha256(plant.collector.public_key), key_sha256(earlier)]


def test_a_key_that_the_root_never_certified_as_its_collector_is_none(
    plant: ExamplePlant, tmp_path: Path
) -> None:
    """Of another root, of another role, and of a plant that has a root of the same key."""
    own, kept = plant.identity(), dict[str, bytes]()
    stranger = make_plant(tmp_path / "stranger", collector=FileSigner(generate()))
    other = issue(
        "collector", "maxi", "collector", generate().public_key(),
        issuer=(plant.root_key, plant.root_certificate), not_before=NOT_BEFORE, days=9,
    )  # fmt: skip
    for name, pem in (
        ("collector-a.crt", (stranger.folder / "collector.crt").read_bytes()),
        ("collector-b.crt", (plant.folder / "edge-1.crt").read_bytes()),
        ("collector-c.crt", certificate_to_pem(other)),
    ):
        kept[name] = pem
    assert list(collector_keys(own, kept)) == [own.collector.key]
