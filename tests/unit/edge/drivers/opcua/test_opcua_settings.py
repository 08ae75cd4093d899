"""The security keys of an OPC UA device in the site file, and what becomes of them."""

from pathlib import Path

import pytest

from edge.drivers.opcua.security import ENCRYPT, NONE, SIGN, OpcUaSecurity, warning_of
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make, secret_file
from tests.unit.edge.sites import SITE, config_of, problems, replaced, site_of

ID = 'id = "pot-gateway"\n'
PIN = "AB" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what the keys below name."""
    make(tmp_path, "client", CLIENT_URI)
    make(tmp_path, "server", SERVER_URI, number=1)
    secret_file(tmp_path / "password", "correct horse\n")
    return tmp_path


def text(*lines: str) -> str:
    """The good site with these lines in its OPC UA device's table."""
    return replaced(SITE, {ID: ID + "".join(f"{line}\n" for line in lines)})


SECURED = (
    f'security = "{ENCRYPT}"',
    'certificate = "file:client.pem"',
    'key = "file:client.key.pem"',
    'trust = "file:server.der"',
)


def test_without_a_word_the_line_is_not_secured(folder: Path) -> None:
    device = site_of(folder).devices[2]
    assert device.security == OpcUaSecurity(NONE)
    assert device.spec.security == device.security
    assert site_of(folder).devices[0].security is None  # a Modbus device


def test_a_secured_device(folder: Path) -> None:
    site = site_of(folder, text(*SECURED, 'user = "edge"', 'password = "file:password"'))
    security = site.devices[2].security
    assert security == OpcUaSecurity(
        ENCRYPT,
        certificate=folder / "client.pem",
        key=folder / "client.key.pem",
        trusted=folder / "server.der",
        user="edge",
        password=folder / "password",
    )
    assert security.mode == "SignAndEncrypt"


def test_the_policy_is_signed_and_no_secret_nor_where_one_lies(folder: Path) -> None:
    site = site_of(folder, text(*SECURED, 'user = "edge"', 'password = "file:password"'))
    device = config_of(site)["devices"][2]
    assert device["settings"] == {"security": ENCRYPT}
    said = str(config_of(site))
    assert not [word for word in ("correct horse", "file:", "password", "key.pem") if word in said]
    assert config_of(site_of(folder))["devices"][2]["settings"] == {}


def test_a_thumbprint_is_taken_as_tools_print_it(folder: Path) -> None:
    for said in (PIN, PIN.lower(), ":".join(["AB"] * 32), " ".join(["ab"] * 32)):
        site = site_of(folder, text(*SECURED[:3], f'trust = "sha256:{said}"'))
        security = site.devices[2].security
        assert security is not None
        assert (security.thumbprint, security.trusted) == ("ab" * 32, None)


def test_a_user_certificate(folder: Path) -> None:
    lines = ('user_certificate = "file:client.der"', 'user_key = "file:client.key.der"')
    security = site_of(folder, text(*SECURED, *lines)).devices[2].security
    assert security is not None
    assert security.user_key == folder / "client.key.der"


@pytest.mark.parametrize(
    ("lines", "key", "says"),
    [
        (('security = "Basic128Rsa15-Sign"',), "security", "is not one of none |"),
        (('security = "None"',), "security", "did you mean 'none'?"),
        (("security = true",), "security", "is not text"),
        (('certificate = "file:client.pem"',), "certificate", "needs a secured connection"),
        (('user = "edge"',), "user", "needs a secured connection: write security ="),
        (SECURED[:3], "trust", "is missing: the server's certificate or a folder of such"),
        ((*SECURED[:2], SECURED[3]), "key", "is missing: the private key"),
        ((SECURED[0], *SECURED[2:]), "certificate", "is missing: the certificate"),
        ((*SECURED, 'user = "edge"'), "password", "is missing: user is of no use without it"),
        ((*SECURED, 'password = "file:password"'), "user", "is missing: password is of no use"),
        ((*SECURED, 'user_key = "file:client.key.pem"'), "user_certificate", "is missing"),
        ((*SECURED[:3], 'trust = "sha256:12"'), "trust", "the 64 hex digits of a thumbprint"),
        ((*SECURED[:3], 'trust = "server.der"'), "trust", 'must be a reference: "file:"'),
        ((*SECURED[:3], 'trust = "file:gone.der"'), "trust", "gone.der cannot be read: No such"),
        ((*SECURED[:3], 'trust = "file:password"'), "trust", "is no certificate in PEM or DER"),
        (
            (*SECURED[:2], 'key = "file:server.key.pem"', SECURED[3]),
            "key", "is not the private key of",
        ),
        ((*SECURED, 'pasword = "file:password"'), "pasword", "unknown key; did you mean"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_under_its_key(
    folder: Path, lines: tuple[str, ...], key: str, says: str
) -> None:
    (problem,) = problems(folder, text(*lines))
    assert problem[0] == f"device[2].{key}"
    assert says in problem[1]


def test_both_identities_are_one_too_many(folder: Path) -> None:
    lines = (
        'user = "edge"', 'password = "file:password"', 'user_certificate = "file:client.der"',
        'user_key = "file:client.key.der"',
    )  # fmt: skip
    (problem,) = problems(folder, text(*SECURED, *lines))
    assert problem == (
        "device[2].user",
        "pot-gateway: log in by user and password or by user_certificate, not by both",
    )


def test_a_password_typed_into_the_file_is_refused_and_not_repeated(folder: Path) -> None:
    (problem,) = problems(folder, text(*SECURED, 'user = "edge"', 'password = "correct horse"'))
    assert problem == (
        "device[2].password", 'pot-gateway: must be a reference: "file:" and a path',
    )  # fmt: skip


def test_a_password_in_the_url_is_refused(folder: Path) -> None:
    (problem,) = problems(folder, replaced(SITE, {"opc.tcp://": "opc.tcp://edge:secret@"}))
    assert "secrets are never part of a url" in problem[1]


def test_a_password_file_that_others_may_read_is_refused(folder: Path) -> None:
    (folder / "password").chmod(0o640)
    (problem,) = problems(folder, text(*SECURED, 'user = "edge"', 'password = "file:password"'))
    assert problem[0] == "device[2].password"
    assert "is open to others (mode 0640); run: chmod 600" in problem[1]
    assert "correct horse" not in problem[1]


def test_the_keys_mean_nothing_to_another_protocol(folder: Path) -> None:
    site = replaced(SITE, {'id = "ac-1"\n': f'id = "ac-1"\nsecurity = "{SIGN}"\n'})
    (problem,) = problems(folder, site)
    assert problem[0] == "device[0].security"
    assert "unknown key" in problem[1]


@pytest.mark.parametrize(
    ("url", "policy", "warns"),
    [
        ("opc.tcp://127.0.0.1:4840", NONE, False),
        ("opc.tcp://127.8.0.1", NONE, False),
        ("opc.tcp://[::1]:4840", NONE, False),
        ("opc.tcp://localhost/path", NONE, False),
        ("opc.tcp://192.0.2.7:4840", NONE, True),
        ("opc.tcp://localhost.example", NONE, True),
        ("opc.tcp://dcs", NONE, True),
        ("opc.tcp://dcs", SIGN, False),
        ("opc.tcp://192.0.2.7", ENCRYPT, False),
    ],
)
def test_an_unsecured_line_beyond_this_machine_is_warned_of(
    url: str, policy: str, warns: bool
) -> None:
    warning = warning_of(url, OpcUaSecurity(policy))
    assert bool(warning) == warns
    if warns:
        assert warning.startswith(f"{url} is read without security: whoever is on the network")
        assert f'write security = "{ENCRYPT}"' in warning.lower().replace(ENCRYPT.lower(), ENCRYPT)
