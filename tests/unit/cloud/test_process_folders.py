"""Folders of CLOUD.toml: what the disk refuses at the start is named; what is left at the end."""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloud import cli
from cloud.clock import SystemClock
from cloud.config import load_cloud
from cloud.database.store import EvidenceStore
from cloud.errors import CloudConfigError, CloudError
from cloud.process import run_cloud
from cloud.starting import held, prepare, take_slice
from cloud.transport.register import Register
from tests.notified import manager
from tests.unit.cloud.evidence_examples import (
    CLOUD_HEAD,
    CLOUD_PLANT,
    SECOND_NS,
    ManualClock,
    make_plant,
)
from tests.unit.cloud.kept import evidence_in
from tests.unit.cloud.transport.test_transport import BY, folder_in

TEXT = f"""\
{CLOUD_HEAD}archive_dir = "archives"
[broker]
mode = "external"
url = "mqtt://127.0.0.1:9"
{CLOUD_PLANT}"""


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    """A collector that ends lets go of what no search is to look at (`tests/conftest.py`)."""
    yield
    gc.freeze()


@pytest.mark.parametrize(("key", "name"), [("state_dir", "state"), ("archive_dir", "archives")])
@pytest.mark.parametrize(
    ("taken", "words"),
    [("{name}", "is a file: name a folder"), ("{name}/below", "Not a directory")],
)
def test_a_file_where_a_folder_must_be(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    key: str,
    name: str,
    taken: str,
    words: str,
) -> None:
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(TEXT.replace(f'"{name}"', f'"{taken.format(name=name)}"'))
    (tmp_path / name).write_text("kept")
    assert cli.main(["run", str(config)]) == 2
    printed = capsys.readouterr()
    assert f"{config}: cloud.{key}: {tmp_path / name}" in printed.err
    assert words in printed.err
    assert "ready" not in printed.out
    assert (tmp_path / name).read_text() == "kept"
    assert not (tmp_path / "evidence.db").exists()


def test_a_state_folder_with_a_folder_in_the_place_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(TEXT)
    (tmp_path / "state" / "api.token").mkdir(parents=True)
    assert cli.main(["run", str(config)]) == 2
    assert f"{config}: cloud.state_dir: {tmp_path / 'state'} cannot be used" in (
        capsys.readouterr().err
    )


def test_a_state_folder_is_of_one_collector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CLOUD.toml copied for another slice: it ended the first one's broker, and took its token."""
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(TEXT)
    (tmp_path / "state").mkdir()
    (tmp_path / "state/api.token").write_text("the first one's")
    with held(tmp_path / "state"):
        assert cli.main(["run", str(config)]) == 2
    told = f"{tmp_path / 'state/lock'}: held by process {os.getpid()}; a state_dir is of one"
    assert told in capsys.readouterr().err
    assert (tmp_path / "state/api.token").read_text() == "the first one's"
    evidence_in(tmp_path).close()  # and the slice was given back


def test_a_register_that_cannot_be_written_is_told_at_the_start_and_by_check(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It runs all the same: gateways have certificates for days."""
    make_plant(tmp_path)
    path = tmp_path / "CLOUD.toml"
    path.write_text(TEXT)
    register, config = Register(folder_in(tmp_path), BY), load_cloud(path)
    config = replace(config, broker=replace(config.broker, register=register))
    monkeypatch.setattr("cloud.commands.run.load_cloud", lambda _: config)
    for barred in (False, True):
        if barred:
            (register.folder / "issued").write_text("where a folder must be")
        prepare(config, standby=False)
        assert cli.main(["check", str(path)]) == 0
        told = f"{register.folder / 'issued'} cannot be written (Not a directory)"
        assert (told in caplog.text, told in capsys.readouterr().out) == (barred, barred)


async def test_who_stops_leaves_the_ready_file_of_the_next_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have the same state_dir; the standby takes over the moment the slice is given back."""
    make_plant(tmp_path)
    config, ready = tmp_path / "CLOUD.toml", tmp_path / "state/ready.json"
    config.write_text(f"{TEXT}[http]\nport = 0\n")
    give_back, stop, found = EvidenceStore.close, asyncio.Event(), list[bool]()

    def close(store: EvidenceStore) -> None:
        give_back(store)
        found.append(ready.exists())
        ready.write_text("the next holder's")

    monkeypatch.setattr(EvidenceStore, "close", close)
    monkeypatch.setattr("cloud.process.CONNECT_S", 0.0)

    def say(sentence: str, /, **_: object) -> None:
        if sentence.startswith("ready"):
            found.append(ready.exists())
            stop.set()

    await run_cloud(load_cloud(config), SystemClock(), stop, say)
    assert found == [True, False]
    assert ready.read_text() == "the next holder's"


async def test_a_start_a_year_later_doubts_a_clock_that_nothing_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine booted; nobody has set its clock yet."""
    make_plant(tmp_path)
    config = tmp_path / "CLOUD.toml"
    config.write_text(f"{TEXT}[http]\nport = 0\n")
    monkeypatch.setattr("cloud.process.CONNECT_S", 0.0)
    monkeypatch.setattr("cloud.clock.kernel_error_ms", lambda: None)
    now_ns = SystemClock().wall_ns()
    stop, said = asyncio.Event(), list[str]()

    def say(sentence: str, /, **_: object) -> None:
        said.append(sentence)
        if sentence.startswith("ready"):
            stop.set()

    for at_ns in (now_ns, now_ns + 365 * 86_400 * SECOND_NS):
        assert not [one for one in said if one.startswith("clock")]
        stop.clear()
        await run_cloud(load_cloud(config), ManualClock(at_ns), stop, say)
    assert len([one for one in said if one.startswith("clock: at the start")]) == 1


async def test_evidence_that_was_there_is_not_begun_anew_below_its_mount_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its volume is not mounted: another log would be one that the gateways refuse."""
    collector = make_plant(tmp_path).collector
    make_plant(tmp_path, "maxi", collector=collector)
    config, volume, state = tmp_path / "CLOUD.toml", tmp_path / "volume", tmp_path / "state"
    monkeypatch.setattr("cloud.process.CONNECT_S", 0.0)
    stop, said = asyncio.Event(), list[str]()

    def say(sentence: str, /, **_: object) -> None:
        said.append(sentence)
        if sentence.startswith("ready"):
            stop.set()

    async def run() -> list[str]:
        stop.clear()
        said.clear()
        await run_cloud(load_cloud(config), SystemClock(), stop, say)
        return [one for one in said if "there was evidence" in one]

    maxi = CLOUD_PLANT.replace("mini", "maxi") + 'collector = "file:maxi/collector.crt"\n'
    named = TEXT.replace('slice = "00"', 'slice = "00"\ndatabase = "sqlite:///volume/evidence.db"')
    config.write_text(f"{named}{maxi}[http]\nport = 0\n")
    state.mkdir()
    (state / ".evidence.known.part").write_text("of one that was killed")
    assert await run() == []
    volume.rename(tmp_path / "away")
    volume.mkdir()  # as a mount point is
    (tmp_path / "archives").rmdir()  # of the same volume
    with pytest.raises(CloudError, match="mount its volume, or restore a backup"):
        await run()
    assert [*volume.iterdir()] == []
    assert not (tmp_path / "archives").exists()
    volume.rmdir()
    (tmp_path / "away").rename(volume)
    assert (state / "evidence.known").read_text() == "maxi\nmini\n"
    assert await run() == []


async def waited(
    folder: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Path], object]
) -> list[str]:
    """What a standby says that takes over after `meanwhile` was done to its CLOUD.toml."""
    make_plant(folder)
    config = folder / "CLOUD.toml"
    config.write_text(f"{TEXT}[http]\nport = 0\n")
    monkeypatch.setattr("cloud.process.CONNECT_S", 0.0)
    monkeypatch.setattr("cloud.starting.AGAIN_S", 0.01)
    holder, stop, said = evidence_in(folder), asyncio.Event(), list[str]()

    def say(sentence: str, /, **_: object) -> None:
        said.append(sentence)
        if sentence.startswith("standby: waiting"):
            meanwhile(config)
            holder.close()
        if sentence.startswith("ready"):
            stop.set()

    await run_cloud(load_cloud(config), SystemClock(), stop, say, standby=True)
    return said


async def test_a_standby_serves_what_cloud_toml_says_when_it_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plant moved to another collector while it waited: both would serve it."""
    with manager(tmp_path) as hearing:
        monkeypatch.setenv("NOTIFY_SOCKET", hearing.environment["NOTIFY_SOCKET"])

        def move(config: Path) -> None:
            config.write_text(config.read_text().replace(CLOUD_PLANT, ""))
            for told in ("READY=1", "WATCHDOG=1"):  # else its unit would count as starting
                assert hearing.heard() == [told, "STATUS=standby"]

        said = await waited(tmp_path, monkeypatch, move)
        assert hearing.heard() == ["READY=1", "STATUS=0 plants served, in trouble: none"]
    assert any("names no [[plant]]: nothing is accepted of any" in one for one in said), said
    assert said[-1] == "stopped"


async def test_a_standby_makes_nothing_in_the_place_of_a_file_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took the slice in an empty database: the holder ended by it, whose file came back."""
    make_plant(tmp_path)
    config, evidence = tmp_path / "CLOUD.toml", tmp_path / "evidence.db"
    config.write_text(f"{TEXT}[http]\nport = 0\n")
    monkeypatch.setattr("cloud.starting.AGAIN_S", 0.01)
    holder, said = evidence_in(tmp_path), list[str]()
    found = list[bool]()

    def back() -> None:
        found.append(evidence.exists())
        (tmp_path / "away").rename(evidence)
        found.append(holder.is_ours())
        holder.close()

    def say(sentence: str, /, **_: object) -> None:
        said.append(sentence)
        if sentence.startswith("standby: waiting"):
            evidence.rename(tmp_path / "away")
        if "is away: nothing is made in its place" in sentence:
            asyncio.get_running_loop().call_later(0.2, back)

    taken = await take_slice(load_cloud(config), asyncio.Event(), say, waits=True)
    assert found == [False, True]
    assert taken is not None
    assert taken.epoch == 2
    taken.close()


@pytest.mark.parametrize(
    ("before", "after", "error", "words"),
    [
        ("root = ", "roof = ", CloudConfigError, "roof"),
        ('slice = "00"', 'slice = "01"', CloudError, "names another slice"),
        ('mode = "external"\nurl = "mqtt://127.0.0.1:9"', "port = 0", CloudError, "external"),
    ],
)
async def test_a_standby_whose_file_cannot_be_served_gives_the_slice_back(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    before: str,
    after: str,
    error: type[CloudError],
    words: str,
) -> None:
    def change(config: Path) -> None:
        text = config.read_text()
        assert before in text
        config.write_text(text.replace(before, after))

    with pytest.raises(error, match=words):
        await waited(tmp_path, monkeypatch, change)
    evidence_in(tmp_path).close()  # nobody holds it
