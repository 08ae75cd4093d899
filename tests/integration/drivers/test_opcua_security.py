"""Secured connections when something is wrong: each refusal has its sentence, and no secret.

The server is asyncua's, with the certificates this file makes.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole

from edge.drivers.base import DeviceError
from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import ENCRYPT, SIGN, OpcUaSecurity
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.drivers.opcua_others import PASSWORD, USER
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, Made, make, secret_file
from tests.ports import free_port
from tests.recording import recorded_asyncua
from tests.unit.edge.drivers.specs import register, secured

VOLT = register("volt", Dtype.F32, node="ns=2;s=volt", namespace=None)
LONG = register("long", Dtype.F32, node="ns=2;s=long", namespace=None)
BOTH = [
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
]


class OneUser:
    """Lets one user in by password, and nobody else by name."""

    def get_user(
        self, iserver: object, username: str | None = None, password: str | None = None,
        certificate: object = None,
    ) -> User | None:  # fmt: skip
        known = username is None or (username, password) == (USER, PASSWORD)
        return User(role=UserRole.User) if known else None


@asynccontextmanager
async def serving(
    made: Made, port: int, *, uri: str = SERVER_URI, offers: list[ua.SecurityPolicyType] = BOTH
) -> AsyncIterator[str]:
    """A server with this certificate; gives its url."""
    server = Server(user_manager=OneUser())
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/secured")
    await server.set_application_uri(uri)
    server.set_security_policy(offers)
    await server.load_certificate(str(made.der))
    await server.load_private_key(str(made.key))
    await server.register_namespace("urn:test:secured")
    await server.nodes.objects.add_variable(
        ua.NodeId(ua.String("volt"), ua.Int16(2)), "volt", 4.25, ua.VariantType.Float
    )
    await server.nodes.objects.add_variable(
        ua.NodeId(ua.String("long"), ua.Int16(2)), "long", "x" * 300_000, ua.VariantType.String
    )
    await server.start()
    try:
        with recorded_asyncua():
            yield f"opc.tcp://127.0.0.1:{port}/secured"
    finally:
        await server.stop()


@pytest.fixture
def client(tmp_path: Path) -> Made:
    return make(tmp_path, "client", CLIENT_URI, number=2)


def driver_of(
    url: str, client: Made, trusted: Path, policy: str = ENCRYPT, **more: Any
) -> OpcUaDriver:
    security = OpcUaSecurity(policy, client.pem, client.key, trusted, **more)
    return OpcUaDriver(secured(url, security, VOLT, LONG, timeout_s=5.0))


async def refused(driver: OpcUaDriver) -> str:
    """The sentence of a refusal; nothing is left open after it."""
    before = asyncio.all_tasks()
    with pytest.raises(DeviceError) as caught:
        await driver.connect()
    assert caught.value.retry is True
    assert driver._session is None
    left = {t.get_coro().__qualname__ for t in asyncio.all_tasks() - before}  # type: ignore[union-attr] # coroutines
    assert not {name for name in left if name.startswith(("Client", "UaSession"))}
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("device dev (opc.tcp://127.0.0.1:")
    return said


@pytest.mark.parametrize("policy", [SIGN, ENCRYPT])
async def test_a_server_with_a_new_certificate_is_refused_until_it_is_trusted(
    tmp_path: Path, client: Made, policy: str
) -> None:
    port, folder = free_port(), tmp_path / "trusted"
    folder.mkdir()
    old = make(folder, "old", SERVER_URI, number=1)
    for path in (old.der, old.key, old.key_der):
        path.rename(tmp_path / path.name)
    old = Made(old.pem, tmp_path / old.der.name, tmp_path / old.key.name, old.key_der)
    new = make(tmp_path, "new", SERVER_URI, number=3)
    driver = driver_of(f"opc.tcp://127.0.0.1:{port}/secured", client, folder, policy)
    async with serving(old, port):
        await driver.connect()
        assert (await driver.read())[0].quality is Quality.GOOD
    with pytest.raises(DeviceError):  # it is restarting
        await driver.read()
    async with serving(new, port):
        said = await refused(driver)
        assert "the server's certificate is not trusted: SHA-256 thumbprint" in said
        assert new.thumbprint.upper() in said.replace(":", "")
        (folder / "new.der").write_bytes(new.der.read_bytes())
        await driver.connect()
        session = driver.connection()
        for _ in range(2):  # a text of more than an answer costs its own point alone
            volt, long = await driver.read()
            assert (volt.quality, long.quality) == (Quality.GOOD, Quality.WRONG_ANSWER)
        assert driver.connection() == session
        await driver.close()


async def test_an_expired_certificate_is_refused_though_it_is_trusted(
    tmp_path: Path, client: Made
) -> None:
    expired = make(tmp_path, "expired", SERVER_URI, number=1, days=(-400, -30))
    async with serving(expired, port := free_port()):
        said = await refused(driver_of(f"opc.tcp://127.0.0.1:{port}/secured", client, expired.der))
    assert re.search(
        r"the server's certificate is valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, which is not "
        r"now: renew it", said,
    )  # fmt: skip


async def test_a_certificate_of_tomorrow_is_refused(tmp_path: Path, client: Made) -> None:
    early = make(tmp_path, "early", SERVER_URI, number=1, days=(5, 300))
    async with serving(early, port := free_port()):
        said = await refused(driver_of(f"opc.tcp://127.0.0.1:{port}/secured", client, early.der))
    assert "which is not now: renew it (or set this machine's clock)" in said


async def test_our_own_expired_certificate_is_named_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    ours = make(tmp_path, "ours", CLIENT_URI, number=2, days=(-400, -30))
    server = make(tmp_path, "server", SERVER_URI, number=1)
    said = await refused(driver_of("opc.tcp://127.0.0.1:1", ours, server.der))
    assert f"this client's {ours.pem} is valid from" in said


async def test_a_certificate_made_out_to_another_application_is_refused(
    tmp_path: Path, client: Made
) -> None:
    other = make(tmp_path, "other", "urn:somebody:else", number=1)
    async with serving(other, port := free_port()):
        said = await refused(driver_of(f"opc.tcp://127.0.0.1:{port}/secured", client, other.der))
    assert f"the server calls itself '{SERVER_URI}', but its certificate was made out to " in said
    assert "'urn:somebody:else'" in said


async def test_a_server_without_the_policy_says_what_it_offers(
    tmp_path: Path, client: Made
) -> None:
    server = make(tmp_path, "server", SERVER_URI, number=1)
    offers = [ua.SecurityPolicyType.Basic256Sha256_Sign]
    async with serving(server, port := free_port(), offers=offers):
        said = await refused(driver_of(f"opc.tcp://127.0.0.1:{port}/secured", client, server.der))
    assert f"the server does not offer {ENCRYPT}; it offers" in said
    assert "'Basic256Sha256-Sign'" in said


@pytest.mark.parametrize("policy", [SIGN, ENCRYPT])
async def test_passwords_right_and_wrong(
    tmp_path: Path, client: Made, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="edge")
    server = make(tmp_path, "server", SERVER_URI, number=1)
    password = secret_file(tmp_path / "password", "battery staple")
    async with serving(server, port := free_port()):
        url = f"opc.tcp://127.0.0.1:{port}/secured"
        said = await refused(
            driver_of(url, client, server.der, policy, user=USER, password=password)
        )
        assert f"the server refuses user 'edge': check user and the password in {password}" in said
        assert "battery staple" not in said + caplog.text
        secret_file(password, PASSWORD)
        driver = driver_of(url, client, server.der, policy, user=USER, password=password)
        await driver.connect()
        assert (await driver.read())[0].quality is Quality.GOOD
        await driver.close()


async def test_a_refused_identity_is_not_tried_again_for_ten_minutes(
    tmp_path: Path, client: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    import edge.drivers.opcua.driver as module

    server = make(tmp_path, "server", SERVER_URI, number=1)
    password = secret_file(tmp_path / "password", "battery staple")
    port = free_port()
    url = f"opc.tcp://127.0.0.1:{port}/secured"
    driver = driver_of(url, client, server.der, user=USER, password=password)
    async with serving(server, port):
        first = await refused(driver)
    now = module.monotonic()
    assert await refused(driver) == first  # though nobody listens now
    secret_file(password, PASSWORD)
    async with serving(server, port):
        monkeypatch.setattr(module, "monotonic", lambda: now + 590)
        assert await refused(driver) == first
        monkeypatch.setattr(module, "monotonic", lambda: now + 610)
        await driver.connect()
        assert (await driver.read())[0].quality is Quality.GOOD
        await driver.close()


async def test_a_file_that_vanishes_is_named_and_may_come_back(
    tmp_path: Path, client: Made
) -> None:
    server = make(tmp_path, "server", SERVER_URI, number=1)
    async with serving(server, port := free_port()):
        driver = driver_of(f"opc.tcp://127.0.0.1:{port}/secured", client, server.der)
        away = client.key.rename(tmp_path / "away")
        assert f"{client.key} cannot be read: No such file" in await refused(driver)
        away.rename(client.key)
        await driver.connect()
        await driver.close()
