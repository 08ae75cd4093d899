"""The files an OPC UA device names: each thing that can be wrong with them, said by its name."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import edge.drivers.opcua
from edge.drivers.opcua.certificates import check_credentials
from edge.drivers.opcua.credentials import (
    FILE_BYTES_MAX,
    TRUSTED_MAX,
    CredentialError,
    read_credentials,
)
from edge.drivers.opcua.security import ENCRYPT, NONE, SIGN, OpcUaSecurity
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, Made, make, secret_file


@pytest.fixture
def client(tmp_path: Path) -> Made:
    return make(tmp_path, "client", CLIENT_URI)


@pytest.fixture
def server(tmp_path: Path) -> Made:
    return make(tmp_path, "server", SERVER_URI, number=1)


def security(client: Made, server: Made, **changes: Any) -> OpcUaSecurity:
    given: dict[str, Any] = {
        "certificate": client.pem, "key": client.key, "trusted": server.der,
    }  # fmt: skip
    return OpcUaSecurity(ENCRYPT, **(given | changes))


def refused(said: OpcUaSecurity) -> tuple[str, str]:
    """(key, sentence) of what is wrong."""
    with pytest.raises(CredentialError) as caught:
        check_credentials(said)
    return caught.value.key, str(caught.value)


def test_nothing_is_read_without_security() -> None:
    assert read_credentials(OpcUaSecurity(NONE)) is None
    check_credentials(OpcUaSecurity())


def test_pem_and_der_are_the_same(client: Made, server: Made) -> None:
    ones = read_credentials(security(client, server))
    others = read_credentials(
        security(client, server, certificate=client.der, key=client.key_der, trusted=server.pem)
    )
    assert ones is not None
    assert others is not None
    assert ones.own.certificate == others.own.certificate == client.der.read_bytes()
    assert ones.trusted == others.trusted == {server.thumbprint}
    for said in (ones, others):
        assert "PRIVATE" not in repr(said)
        assert repr(client.key_der.read_bytes()[:20])[2:-1] not in repr(said)
    check_credentials(security(client, server, certificate=client.der, key=client.key_der))


def test_of_a_folder_every_certificate_is_trusted(
    tmp_path: Path, client: Made, server: Made
) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    assert read_credentials(security(client, server, trusted=folder)).trusted == frozenset()  # type: ignore[union-attr] # not None
    (folder / "a.pem").write_bytes(server.pem.read_bytes())
    (folder / "b.cer").write_bytes(client.der.read_bytes())
    read = read_credentials(security(client, server, trusted=folder))
    assert read is not None
    assert read.trusted == {server.thumbprint, client.thumbprint}
    (folder / "notes.txt").write_text("the one of the kiln")
    key, sentence = refused(security(client, server, trusted=folder))
    assert (key, sentence) == (
        "trust", f"{folder / 'notes.txt'} is no certificate in PEM or DER form",
    )  # fmt: skip


def test_a_folder_of_very_many_files_is_none_of_certificates(
    tmp_path: Path, client: Made, server: Made
) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    for number in range(TRUSTED_MAX + 1):
        (folder / f"{number}").touch()
    key, sentence = refused(security(client, server, trusted=folder))
    assert key == "trust"
    assert sentence.endswith(f"holds {TRUSTED_MAX + 1} files; {TRUSTED_MAX} at most")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no certificate in PEM or DER form"),
        (b"\x30\x82", "is no certificate: "),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM or DER form"),
        (b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n", "PEM or DER form"),
        (b"\x30\x82" + bytes(FILE_BYTES_MAX), f"has more than {FILE_BYTES_MAX} bytes"),
    ],
)
def test_a_certificate_that_is_none(
    tmp_path: Path, client: Made, server: Made, content: bytes, says: str
) -> None:
    path = tmp_path / "broken.pem"
    path.write_bytes(content)
    key, sentence = refused(security(client, server, certificate=path))
    assert key == "certificate"
    assert sentence.startswith(str(path))
    assert says in sentence


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\x30\x82\x01\x01junk"]
)
def test_a_key_that_is_none(tmp_path: Path, client: Made, server: Made, content: bytes) -> None:
    path = secret_file(tmp_path / "broken", "")
    path.write_bytes(content)
    key, sentence = refused(security(client, server, key=path))
    assert (key, sentence) == ("key", f"{path} is no private key in unencrypted PEM or DER form")


def test_an_encrypted_key_is_refused(tmp_path: Path, client: Made, server: Made) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(client.key.read_bytes(), None)
    path = secret_file(tmp_path / "encrypted", "")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
    )
    assert refused(security(client, server, key=path))[0] == "key"


def test_keys_open_to_others_are_refused(client: Made, server: Made) -> None:
    client.key.chmod(0o644)
    key, sentence = refused(security(client, server))
    assert key == "key"
    assert sentence == f"{client.key} is open to others (mode 0644); run: chmod 600 {client.key}"


def test_another_pairs_key_is_refused(client: Made, server: Made) -> None:
    key, sentence = refused(security(client, server, key=server.key))
    assert (key, sentence) == ("key", f"{server.key} is not the private key of {client.pem}")
    key, _ = refused(security(client, server, user_certificate=client.pem, user_key=server.key))
    assert key == "user_key"


def test_a_short_key_is_refused(tmp_path: Path, server: Made) -> None:
    weak = make(tmp_path, "weak", CLIENT_URI, number=9, bits=1024)
    key, sentence = refused(security(weak, server))
    assert key == "certificate"
    assert "is not of an RSA key of 2048 to 4096 bits" in sentence


def test_a_certificate_without_an_application_uri_is_refused(tmp_path: Path, server: Made) -> None:
    plain = make(tmp_path, "plain", None)
    key, sentence = refused(security(plain, server))
    assert key == "certificate"
    assert "must name one application URI (subjectAltName=URI:urn:…), and names 0" in sentence


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("correct horse", "correct horse"),
        ("correct horse\n", "correct horse"),
        ("correct horse\r\n", "correct horse"),
        (" spaces count \n", " spaces count "),
        ("密码", "密码"),
    ],
)
def test_a_password_is_what_the_file_holds_but_its_last_line_end(
    tmp_path: Path, client: Made, server: Made, content: str, read: str
) -> None:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_bytes(content.encode())
    made = read_credentials(security(client, server, user="edge", password=path))
    assert made is not None
    assert made.password == read
    assert read not in repr(made)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"x" * 513])
def test_a_password_file_that_is_none(
    tmp_path: Path, client: Made, server: Made, content: bytes
) -> None:
    path = secret_file(tmp_path / "password", "")
    path.write_bytes(content)
    said = OpcUaSecurity(
        SIGN, client.pem, client.key, trusted=server.der, user="edge", password=path
    )
    key, sentence = refused(said)
    assert key == "password"
    assert sentence.startswith(str(path))
    assert "one\ntwo" not in sentence


def test_a_file_that_is_a_folder_or_not_to_be_read(
    tmp_path: Path, client: Made, server: Made
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    assert refused(security(client, server, certificate=folder)) == (
        "certificate", f"{folder} cannot be read: Is a directory",
    )  # fmt: skip
    assert refused(security(client, server, key=folder))[0] == "key"
    if os.geteuid():
        server.der.chmod(0)
        assert refused(security(client, server))[1].endswith("cannot be read: Permission denied")


@pytest.mark.needs("openssl")
def test_the_command_of_the_readme_makes_a_certificate_that_will_do(
    tmp_path: Path, server: Made
) -> None:
    readme = Path(edge.drivers.opcua.__file__).parent / "README.md"
    (command,) = re.findall(r"```sh\n(.*?)```", readme.read_text(), re.DOTALL)
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True, capture_output=True)
    made = OpcUaSecurity(
        ENCRYPT,
        certificate=tmp_path / "edge-opcua.pem",
        key=tmp_path / "edge-opcua.key",
        trusted=server.der,
    )
    check_credentials(made)
