"""docs/deploy.md: its keys are made, and its files checked, by the commands that stand there."""

import asyncio
import shutil
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.config import load_cloud
from cloud.process import run_cloud
from edge.clock import SystemClock as EdgeClock
from edge.commissioning.doctor_broker import examine_broker
from edge.commissioning.findings import State
from edge.site.config import load_site
from evidence.broker_certificates import is_by
from evidence.keys import key_sha256, load_certificate, public_key
from tests.docs.reader import blocks, here, keys_told, put_tables
from tests.integration.edge.brokers import Broker
from tests.ports import free_port


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the keys and both files, as the document has them."""
    folder = tmp_path_factory.mktemp("made")
    ask, enrol = blocks("deploy", "Keys")
    here(enrol.replace("HEX", keys_told(here(ask, folder))), folder)
    (folder / "collector/CLOUD.toml").write_text(blocks("deploy", "The collector", "toml")[0])
    (folder / "gateway/SITE.toml").write_text(blocks("deploy", "The gateway", "toml")[0])
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))


def test_its_files_are_fine(folder: Path) -> None:
    out = here(
        "stackproof cloud check collector/CLOUD.toml\nstackproof edge check gateway/SITE.toml",
        folder,
    )
    assert "collector/CLOUD.toml: fine; 1 plant(s), 1 gateway(s)" in out
    assert "does not count" not in out
    assert "gateway/SITE.toml: fine. smelter/edge-1: 1 devices" in out


def test_another_plant_is_served_by_the_same_collector(folder: Path) -> None:
    chapter = "Another plant at the same collector"
    (script,), (table,) = blocks("deploy", chapter), blocks("deploy", chapter, "toml")
    ask, enrol = script.split("stackproof keys enrol")
    key = keys_told(here(ask, folder))
    here(f"stackproof keys enrol{enrol}".replace("HEX", key), folder)
    cloud = folder / "collector/CLOUD.toml"
    cloud.write_text(cloud.read_text() + table)
    out = here("stackproof cloud check collector/CLOUD.toml", folder)
    assert "fine; 2 plant(s), 1 gateway(s)" in out


def test_a_file_in_the_key_folder_that_does_not_count_is_named_before_the_start(
    folder: Path,
) -> None:
    script = """cp collector/root.crt collector/keys/
        cp gateway/edge-1.csr collector/keys/again.crt
        stackproof cloud check collector/CLOUD.toml"""
    assert "WARNING: does not count: collector/keys/again.crt: " in (out := here(script, folder))
    assert out.count("does not count") == 1, "the root may lie there"


def test_another_key_is_made_and_the_site_file_that_names_it_is_fine(folder: Path) -> None:
    (script,) = blocks("operations", "Rotate keys")
    rotate, enrol = script.split("cd ..\n")
    here(enrol.replace("HEX", keys_told(here(rotate, folder))), folder)
    site = folder / "gateway/SITE.toml"
    text = (
        site.read_text().replace("edge-1.pem", "edge-1-b.pem").replace("edge-1.crt", "edge-1-b.crt")
    )
    more = '[gateway]\nprevious_key = "file:edge-1.pem"\nroot = "file:root.crt"'
    site.write_text(text.replace("[gateway]", more))
    assert ": fine." in here("stackproof edge check gateway/SITE.toml", folder)


def test_keys_are_certified_again_for_a_log_that_has_run_ahead(folder: Path) -> None:
    """For longer than before, and within the life of the root that the document has made."""
    for script in blocks("deploy", "Clocks"):
        ask, enrol = script.split("stackproof keys enrol")
        key = keys_told(here(ask, folder))
        enrol = enrol.replace("HEX", key).replace("stackproof cloud keys", "# needs a collector: ")
        here(f"stackproof keys enrol{enrol}", folder)
    cloud = folder / "collector/CLOUD.toml"
    for name in ("collector/collector", "collector/keys/edge-1"):
        renewed, before = (load_certificate(folder / f"{name}{more}.crt") for more in ("-long", ""))
        assert key_sha256(public_key(renewed)) == key_sha256(public_key(before))
        assert renewed.not_valid_after_utc > before.not_valid_after_utc
    cloud.write_text(cloud.read_text().replace("file:collector.crt", "file:collector-long.crt"))
    assert ": fine;" in here("stackproof cloud check collector/CLOUD.toml", folder)


def test_the_collectors_next_key_is_made_and_both_files_that_name_it_are_fine(folder: Path) -> None:
    """Of docs/operations.md; what running processes make of it is in `test_recipes`."""
    script, _ = blocks("operations", "The collector's key is lost or stolen")
    ask, _, enrol = script.partition("stackproof keys enrol")
    here(f"stackproof keys enrol{enrol}".replace("HEX", keys_told(here(ask, folder))), folder)
    (folder / "collector/collector.pem").unlink()
    for name in ("collector/CLOUD.toml", "gateway/SITE.toml"):
        text = (folder / name).read_text().replace("file:collector.", "file:collector-b.")
        (folder / name).write_text(text)
    here("stackproof cloud check collector/CLOUD.toml", folder)
    assert ": fine." in here("stackproof edge check gateway/SITE.toml", folder)


def test_another_ca_of_the_broker_certifies_the_same_keys(folder: Path) -> None:
    """Likewise."""
    make, *_ = blocks("deploy", "TLS with the broker")
    here(make, folder)
    put_tables(folder, 8883)
    broker = folder / "collector/broker"
    keys = {name: (broker / f"{name}.pem").read_bytes() for name in ("server", "collector")}
    new, _ = blocks("operations", "The broker's CA is lost or stolen")
    here(new, folder)
    before, ca = (load_certificate(broker / name) for name in ("old/ca.crt", "ca.crt"))
    for name, key in keys.items():
        made = load_certificate(broker / f"{name}.crt")
        assert (broker / f"{name}.pem").read_bytes() == key
        assert (is_by(made, ca), is_by(made, before)) == (True, False)
    here("stackproof cloud check collector/CLOUD.toml", folder)


async def test_tls_with_the_broker_as_it_stands(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the files to a gateway that nats-server lets in, and after its revocation does not."""
    monkeypatch.chdir(folder)
    port = free_port()
    make, serve, enrol, revoke = (
        block.replace("--for nats", f"--for nats --port {port}")
        for block in blocks("deploy", "TLS with the broker")
    )
    here(make, folder)
    put_tables(folder, port)
    await asyncio.to_thread(here, serve.splitlines()[0], folder)
    running = Broker("nats", folder / "log", port, config=Path("collector/broker/nats.conf"))
    running.start()
    stop, ready = asyncio.Event(), asyncio.Event()
    config = load_cloud(Path("collector/CLOUD.toml"))
    task = asyncio.create_task(
        run_cloud(config, SystemClock(), stop, lambda said, **_: "ready" in said and ready.set())
    )
    try:
        await asyncio.wait_for(ready.wait(), 20)
        ask, _, rest = enrol.partition("\n")
        said = await asyncio.to_thread(here, ask, folder)
        key = keys_told(said)
        await asyncio.to_thread(here, rest.replace("HEX", key), folder)
        for is_in, script in ((True, ""), (False, revoke.replace("HEX", key))):
            await asyncio.to_thread(here, script, folder)
            running.stop()
            running.start()
            checks = await examine_broker(load_site(Path("gateway/SITE.toml")), EdgeClock())
            assert (checks[-1].state is State.FINE) == is_in, checks
    finally:
        stop.set()
        await task
        running.stop()
