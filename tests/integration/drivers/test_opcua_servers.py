"""Against OPC UA servers we did not write: every number type, status, source time, security.

The expected bytes are those of IEEE 754 and two's complement, written by hand; statuses and times
are what the servers' own programs set (`opcua_servers/`).
"""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edge.drivers.opcua.session as session_module
from edge.drivers.base import DeviceError, Sample
from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import ENCRYPT, NONE, SIGN, OpcUaSecurity
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import Register
from tests.integration.drivers.opcua_others import NAMESPACE, PASSWORD, SERVERS, USER, Other
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make, secret_file
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, secured

# date -ud 2026-11-01T12:00 +%s, then the fraction; node-opcua was given milliseconds
WHEN_NS = {"node-opcua": 1_793_534_400_123_000_000, "open62541": 1_793_534_400_123_456_000}

TYPES = (
    ("Boolean", Dtype.U8, "01"),
    ("SByte", Dtype.I8, "fe"),
    ("Byte", Dtype.U8, "a5"),
    ("Int16", Dtype.I16, "feff"),
    ("UInt16", Dtype.U16, "3412"),
    ("Int32", Dtype.I32, "feffffff"),
    ("UInt32", Dtype.U32, "78563412"),
    ("Int64", Dtype.I64, "feffffffffffffff"),
    ("UInt64", Dtype.U64, "efcdab8967452301"),
    ("Float", Dtype.F32, "0020f147"),
    ("Double", Dtype.F64, "00000000000000c0"),
)


def node(name: str, dtype: Dtype) -> Register:
    return register(name.lower(), dtype, node="ns={ns};s=" + name, namespace=NAMESPACE)


class Plant:
    """A server of somebody else's, and who may talk to it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.server = make(folder, "server", SERVER_URI, number=1)
        self.client = make(folder, "client", CLIENT_URI, number=2)
        self.other: Other = SERVERS[kind](folder, self.server, self.client)

    def security(self, policy: str, **changes: Any) -> OpcUaSecurity:
        if policy == NONE:
            return OpcUaSecurity()
        given: dict[str, Any] = {
            "certificate": self.client.pem, "key": self.client.key, "trusted": self.server.der,
        }  # fmt: skip
        return OpcUaSecurity(policy, **(given | changes))

    def driver(self, security: OpcUaSecurity, *rows: Register, query: str = "") -> OpcUaDriver:
        return OpcUaDriver(secured(self.other.url + query, security, *rows, timeout_s=5.0))


@pytest.fixture(scope="module", params=list(SERVERS))
def plant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    made = Plant(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.other.stop()


@pytest.mark.parametrize("policy", [NONE, SIGN, ENCRYPT])
@pytest.mark.parametrize("mode", ["read", "subscribe"])
async def test_every_number_type_status_and_source_time(
    plant: Plant, policy: str, mode: str
) -> None:
    rows = [node(name, dtype) for name, dtype, _ in TYPES]
    rows += [node(name, Dtype.F32) for name in ("Unsure", "Broken", "Away", "Missing")]
    async with opened(plant.driver(plant.security(policy), *rows, query=f"?mode={mode}")) as driver:
        for _ in range(2):
            samples = list(await driver.read())
            when = WHEN_NS[plant.kind]
            assert samples[: len(TYPES)] == [
                Sample(bytes.fromhex(raw), Quality.GOOD, when) for _, _, raw in TYPES
            ]
            unsure, broken, away, missing = samples[len(TYPES) :]
            assert unsure == Sample(bytes.fromhex("00009040"), Quality.UNCERTAIN, when)
            assert (broken.quality, broken.source_ns) == (Quality.SENSOR_FAULT, when)
            assert (away.quality, away.source_ns) == (Quality.NOT_CONNECTED, when)
            assert (missing.raw, missing.quality) == (None, Quality.DEVICE_REFUSED)
            await asyncio.sleep(0.3)


@pytest.mark.parametrize("policy", [NONE, ENCRYPT])
async def test_changes_are_pushed(plant: Plant, policy: str) -> None:
    async with opened(
        plant.driver(
            plant.security(policy),
            node("Counter", Dtype.U32),
            query="?mode=subscribe&publishing_ms=50",
        )
    ) as driver:
        seen: list[int] = []
        for _ in range(20):
            (sample,) = await driver.read()
            assert sample.quality is Quality.GOOD
            assert sample.raw is not None
            seen.append(int.from_bytes(sample.raw, "little"))
            await asyncio.sleep(0.05)
    assert seen == sorted(seen)
    assert len(set(seen)) >= 5  # it counts every 50 ms, for a second


@pytest.mark.parametrize("policy", [SIGN, ENCRYPT])
async def test_user_and_password(plant: Plant, policy: str) -> None:
    password = secret_file(plant.folder / "password", PASSWORD + "\n")
    security = plant.security(policy, user=USER, password=password)
    async with opened(plant.driver(security, node("Float", Dtype.F32))) as driver:
        (sample,) = await driver.read()
    assert sample.quality is Quality.GOOD


@pytest.mark.parametrize("policy", [SIGN, ENCRYPT])
async def test_a_wrong_password_is_refused_in_a_sentence_and_not_tried_again_at_once(
    plant: Plant, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    password = secret_file(plant.folder / "wrong-password", "battery staple")
    security = plant.security(policy, user=USER, password=password)
    driver = plant.driver(security, node("Float", Dtype.F32))
    with pytest.raises(DeviceError) as caught:
        await driver.connect()
    assert f"the server refuses user 'edge': check user and the password in {password}" in str(
        caught.value
    )
    assert caught.value.retry is True
    secret_file(password, PASSWORD)  # right now, but within the pause nobody is asked
    with pytest.raises(DeviceError, match="the server refuses user 'edge'"):
        await driver.connect()
    assert "battery staple" not in caplog.text + repr(security) + str(caught.value)
    fresh = plant.driver(security, node("Float", Dtype.F32))
    await fresh.connect()
    await fresh.close()


async def test_a_user_certificate(plant: Plant) -> None:
    security = plant.security(
        ENCRYPT, user_certificate=plant.client.der, user_key=plant.client.key_der
    )
    async with opened(plant.driver(security, node("Float", Dtype.F32))) as driver:
        assert (await driver.read())[0].quality is Quality.GOOD


async def test_a_client_the_server_does_not_trust_is_told_which_certificate(
    plant: Plant, tmp_path: Path
) -> None:
    stranger = make(tmp_path, "stranger", CLIENT_URI, number=3)
    security = plant.security(ENCRYPT, certificate=stranger.pem, key=stranger.key)
    with pytest.raises(DeviceError) as caught:
        await plant.driver(security, node("Float", Dtype.F32)).connect()
    said = str(caught.value)
    assert "does not accept this client's certificate" in said
    assert stranger.thumbprint in said.replace(":", "").lower()
    assert str(stranger.pem) in said


async def test_a_server_that_is_not_trusted_is_refused_by_its_thumbprint(
    plant: Plant, tmp_path: Path
) -> None:
    other = make(tmp_path, "other", SERVER_URI, number=4)
    folder = tmp_path / "trusted"
    folder.mkdir()
    (folder / "other.der").write_bytes(other.der.read_bytes())
    driver = plant.driver(plant.security(ENCRYPT, trusted=folder), node("Float", Dtype.F32))
    with pytest.raises(DeviceError) as caught:
        await driver.connect()
    said = str(caught.value)
    assert "the server's certificate is not trusted: SHA-256 thumbprint" in said
    assert plant.server.thumbprint in said.replace(":", "").lower()
    assert f"put its certificate into {folder}" in said
    # doing what it says is enough, without a restart
    (folder / "server.pem").write_bytes(plant.server.pem.read_bytes())
    await driver.connect()
    assert (await driver.read())[0].quality is Quality.GOOD
    await driver.close()
    pinned = plant.security(ENCRYPT, trusted=None, thumbprint=plant.server.thumbprint)
    driver = plant.driver(pinned, node("Float", Dtype.F32))
    await driver.connect()
    await driver.close()


async def test_the_channel_is_renewed_and_values_go_on(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # renewed after 2.25 s; of much shorter lives asyncua forgets the old key too early
    monkeypatch.setattr(session_module, "CHANNEL_MS", 3000)
    driver = plant.driver(
        plant.security(ENCRYPT), node("Counter", Dtype.U32), query="?mode=subscribe"
    )
    await driver.connect()
    first = driver._session
    try:
        for _ in range(20):
            assert (await driver.read())[0].quality is Quality.GOOD
            await asyncio.sleep(0.25)
        assert driver._session is first
    finally:
        await driver.close()
