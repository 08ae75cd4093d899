"""A gateway's key moves into a token (SoftHSM): the key in the file hands over to it."""

import asyncio
from pathlib import Path

import pytest

from edge.identity import Problems, open_identity
from edge.site.config import load_site
from evidence import cose
from evidence.keys import certificate_to_pem
from evidence.signers import open_signer
from tests.integration.edge.conftest import Plant
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes
from tests.integration.softhsm import uri
from tests.unit.edge.sites import certificate, replaced, write_keys

pytestmark = pytest.mark.needs("softhsm2-util")


async def test_key_moves_into_a_token(
    plant: Plant,
    collector: SmallCollector,
    token: Path,
) -> None:
    write_keys(plant.folder / "keys")
    await plant.run(0.4)
    old = '"file:keys/edge-1.pem"'
    reference = uri("p256", pin=str(token / "pin"))
    more = 'previous_key = "file:keys/edge-1.pem"\nroot = "file:keys/root.crt"'
    plant.text = replaced(plant.text, {old: f'"{reference}"\n{more}'})
    held = open_signer(reference, token)
    pem = certificate_to_pem(certificate(held.public_key))
    (plant.folder / "keys" / "edge-1.crt").write_bytes(pem)
    problems = Problems(plant.site.path)
    plant.own = open_identity(load_site(plant.site.path), problems)
    assert problems == []
    await asyncio.sleep(0.2)
    await plant.run(0.8)
    objects = plant.kept()
    assert all(collector.take(data) for data in objects)
    assert mistakes(objects) == []
    assert {cose.parse(data).alg for data in objects} == {-19, -9}
    assert cose.parse(objects[-1]).kid == held.kid
