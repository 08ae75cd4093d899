"""docs/deploy.md: its keys are made, and its files checked, by the commands that stand there."""

import asyncio
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import pytest

import stackproof
from cloud.clock import SystemClock
from cloud.config import load_cloud
from cloud.process import run_cloud
from edge.clock import SystemClock as EdgeClock
from edge.commissioning.doctor_broker import examine_broker
from edge.commissioning.findings import State
from edge.site.config import load_site
from evidence.keys import key_sha256, load_certificate, public_key
from tests.integration.edge.brokers import Broker
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/deploy.md").read_text()


def blocks(language: str, heading: str = "") -> list[str]:
    text = TEXT if not heading else TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shell(script: str, folder: Path) -> str:
    """Run commands as a reader would; `stackproof` is this tree's."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin/stackproof"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/stackproof.py" "$@"\n')
    program.chmod(0o755)
    path = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-euc", script], cwd=folder, env={**os.environ, **path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the keys and both files, as the document has them."""
    folder = tmp_path_factory.mktemp("made")
    ask, enrol = blocks("sh", "Keys")
    key = re.findall(r"key SHA-256: ([0-9a-f]{64})", shell(ask, folder))[-1]
    shell(enrol.replace("HEX", key), folder)
    (folder / "collector/CLOUD.toml").write_text(blocks("toml", "The collector")[0])
    (folder / "gateway/SITE.toml").write_text(blocks("toml", "The gateway")[0])
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))


def test_its_files_are_fine(folder: Path) -> None:
    out = shell(
        "stackproof cloud check collector/CLOUD.toml; stackproof edge check gateway/SITE.toml",
        folder,
    )
    assert "collector/CLOUD.toml: fine; 1 plant(s)" in out
    assert "gateway/SITE.toml: fine. smelter/edge-1: 1 devices" in out


def test_another_key_is_made_and_the_site_file_that_names_it_is_fine(folder: Path) -> None:
    (script,) = blocks("sh", "Another key")
    rotate, enrol = script.split("cd ..\n")
    printed = shell(rotate, folder)
    (key,) = re.findall(r"key SHA-256: ([0-9a-f]{64})", printed)
    shell(enrol.replace("HEX", key), folder)
    site = folder / "gateway/SITE.toml"
    text = (
        site.read_text().replace("edge-1.pem", "edge-1-b.pem").replace("edge-1.crt", "edge-1-b.crt")
    )
    more = '[gateway]\nprevious_key = "file:edge-1.pem"\nroot = "file:root.crt"'
    site.write_text(text.replace("[gateway]", more))
    assert ": fine." in shell("stackproof edge check gateway/SITE.toml", folder)


def test_keys_are_certified_again_for_a_log_that_has_run_ahead(folder: Path) -> None:
    """For longer than before, and within the life of the root that the document has made."""
    for script in blocks("sh", "Clocks"):
        ask, enrol = script.split("stackproof keys enrol")
        (key,) = re.findall(r"key SHA-256: ([0-9a-f]{64})", shell(ask, folder))
        enrol = enrol.replace("HEX", key).replace("stackproof cloud keys", "# needs a collector: ")
        shell(f"stackproof keys enrol{enrol}", folder)
    cloud = folder / "collector/CLOUD.toml"
    for name in ("collector/collector", "collector/keys/edge-1"):
        renewed, before = (load_certificate(folder / f"{name}{more}.crt") for more in ("-long", ""))
        assert key_sha256(public_key(renewed)) == key_sha256(public_key(before))
        assert renewed.not_valid_after_utc > before.not_valid_after_utc
    cloud.write_text(cloud.read_text().replace("file:collector.crt", "file:collector-long.crt"))
    assert ": fine;" in shell("stackproof cloud check collector/CLOUD.toml", folder)


def commands(script: str) -> str:
    """Run `stackproof …` lines of a script here, for speed, and the others by a shell."""
    said = io.StringIO()
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["stackproof"]:
            with redirect_stdout(said):
                assert stackproof.main(words[1:]) == 0, said.getvalue()
        elif words:
            subprocess.run(words, check=True)
    return said.getvalue()


def put_tables(port: int) -> None:
    """Both files with the tables of the TLS part, and ports that nobody has."""
    tables = blocks("toml", "TLS with the broker")
    for name, table in zip(("collector/CLOUD.toml", "gateway/SITE.toml"), tables, strict=True):
        text, mine = Path(name).read_text(), table.replace("8883", str(port))
        head, rest = text.split(mine.splitlines()[0] + "\n")
        rest = rest[rest.index("\n[") :].replace("port = 8600", "port = 0")
        Path(name).write_text(head + mine + rest)


async def test_tls_with_the_broker_as_it_stands(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the files to a gateway that nats-server lets in, and after its revocation does not."""
    monkeypatch.chdir(folder)
    port = free_port()
    make, serve, enrol, revoke = (
        block.replace("--for nats", f"--for nats --port {port}")
        for block in blocks("sh", "TLS with the broker")
    )
    commands(make)
    put_tables(port)
    await asyncio.to_thread(commands, serve.splitlines()[0])
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
        said = await asyncio.to_thread(commands, ask)
        (key,) = re.findall(r"key SHA-256: (\w{64})", said)
        await asyncio.to_thread(commands, rest.replace("HEX", key))
        for is_in, script in ((True, ""), (False, revoke.replace("HEX", key))):
            await asyncio.to_thread(commands, script)
            running.stop()
            running.start()
            checks = await examine_broker(load_site(Path("gateway/SITE.toml")), EdgeClock())
            assert (checks[-1].state is State.FINE) == is_in, checks
    finally:
        stop.set()
        await task
        running.stop()


@pytest.mark.parametrize("document", ["deploy", "operations"])
def test_every_option_in_it_exists(document: str) -> None:
    """Each command is understood with the options it has there."""
    text = (ROOT / f"docs/{document}.md").read_text()
    commands = re.findall(r"^stackproof (\w+ \w+(?: \w+)?)(.*(?:\\\n.*)*)", text, re.MULTILINE)
    assert len(commands) > 25
    for name, rest in commands:
        words = name.split()
        helped = _help(*words[: _depth(words)])
        for option in re.findall(r"(?<= )--[a-z0-9-]+", rest.split("#")[0]):
            assert option in helped, f"{name} {option}"


@cache
def _help(*words: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit, match=r"^0$"):
        stackproof.main([*words, "--help"])
    return said.getvalue()


def _depth(words: list[str]) -> int:
    return 3 if words[1] in ("month", "receipts", "broker") else 2
