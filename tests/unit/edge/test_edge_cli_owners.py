"""What root writes with `stackproof edge` is the service's; keys the agent cannot read are told."""

import os
from pathlib import Path

import pytest

from edge.cli import main
from edge.receipt_files import waiting
from edge.spool import Spool
from edge.stream import Stream
from evidence.archive.export import write_receipts
from tests.service_user import given, needs_root, not_given
from tests.unit.edge.sites import GATEWAY, METERS, replaced, who, write_keys, write_site
from tests.unit.edge.stream_rig import NOW_NS, Rig, collector

pytestmark = needs_root


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A stopped agent's spool of five objects, in the folder of its site."""
    write_keys(tmp_path / "keys")
    write_site(tmp_path, METERS)
    spool = Spool(tmp_path / "state" / "spool.sqlite", bytes_max=2**30)
    stream = Stream(spool, who())
    stream.take_up_key(NOW_NS)
    made = Rig(spool, stream, collector())
    made.made(5)
    spool.close()
    return made


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_exports_and_receipts(tmp_path: Path, rig: Rig) -> None:
    """Into a relay's folder, and for an agent that may never have had any."""
    site, inbox, state = (tmp_path / name for name in ("site.toml", "inbox", "state"))
    inbox.mkdir()
    given(inbox, state)
    assert run("export", site, "--out", inbox) == 0
    assert [path.stat().st_mode & 0o777 for path in inbox.iterdir()] == [0o640]
    (tmp_path / "new").write_bytes(write_receipts([rig.collector.receipt()]))
    assert run("receipts", "import", site, tmp_path / "new") == 0
    assert waiting(state / "receipts")
    assert not_given(inbox, state) == []


@pytest.mark.usefixtures("rig")
def test_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Root can read all: what the agent cannot read it must not call fine."""
    tls = 'mqtts://127.0.0.1:1883"\nca = "file:a"\nkey = "file:tls.pem"\ncertificate = "file:c'
    site = write_site(tmp_path, replaced(METERS, {"mqtt://127.0.0.1:1883": tls}))
    own, state = tmp_path / f"keys/{GATEWAY}.pem", tmp_path / "state"
    given(own, state)
    assert run("enrol", site, "--out", tmp_path / "request") == 0
    assert not_given(tmp_path / "tls.pem") == []
    write_site(tmp_path, METERS)
    assert run("check", site) == 0
    os.chown(own, 0, 0)
    assert run("check", site) == 2
    said = capsys.readouterr().err
    assert f"gateway.key: {own} belongs to another user than {state}, so the agent cannot" in said
    assert f"chown --reference={state} {own}" in said


@pytest.mark.usefixtures("rig")
def test_a_spool_that_root_has_restored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, state = tmp_path / "site.toml", tmp_path / "state"
    given(tmp_path / f"keys/{GATEWAY}.pem", state)
    assert run("check", site) == 0
    os.chown(state / "spool.sqlite", 0, 0)
    assert run("check", site) == 2
    said = capsys.readouterr().err
    assert f"gateway.state_dir: {state}/spool.sqlite belongs to another user than the fold" in said
    assert f"chown -R --reference={state} {state}" in said
