"""Which brokers are said to need a start after an upgrade; which can read nothing of their file."""

import hashlib
import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.broker import find_binary
from cloud.transport import served as module
from cloud.transport import taken
from cloud.transport.register import Register
from cloud.transport.rows import ROWS, remembered
from cloud.transport.served import behind, serve_again, write
from cloud.transport.taken import take_in, untold
from tests.unit.cloud.transport.test_served import known_in, served
from tests.unit.cloud.transport.test_transport import BY, folder_in

ANEW, TOLD = "must be started anew", "has been told to read"


def make_older(register: Register) -> None:
    """As a program left it that knew of no words."""
    text = (register.folder / ROWS).read_text()
    assert " words-3" in text
    (register.folder / ROWS).write_text(text.replace(" words-3", ""))


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Processes of brokers, which began before any file was written."""
    processes = [os.getpid()]
    monkeypatch.setattr(taken, "_running", lambda *_: iter(processes))
    monkeypatch.setattr(taken, "_began_ns", lambda _: 0)
    monkeypatch.setattr(os, "kill", lambda *_: None)
    return processes


@pytest.mark.usefixtures("running")
def test_an_upgrade_moves_no_broker_whose_file_is_kept_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never written anew, so a start changed nothing: no order could end the alarm."""
    register, one = Register(folder_in(tmp_path), BY), served(tmp_path / "out", "nats")
    known = known_in(register)
    monkeypatch.setattr(module, "known_of", lambda _: known)
    write(one, known, [register.folder])
    main = tmp_path / "out/nats.conf"
    main.write_text(f"{main.read_text()}# by hand\n")
    make_older(register)
    assert "was not told" in behind(tmp_path, register)[0]
    assert TOLD in serve_again(tmp_path, register)[-1]
    assert behind(tmp_path, register) == []


def test_the_last_collector_to_be_upgraded_moves_no_broker_that_was_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, running: list[int]
) -> None:
    for name in ("first", "last"):
        (tmp_path / name).mkdir()
    first, last = (Register(folder_in(tmp_path / name), BY) for name in ("first", "last"))
    one = served(tmp_path / "out", "nats")
    known = known_in(first)
    two = replace(known.slices[0], register=last.folder)
    both = replace(known, slices=[*known.slices, two])
    monkeypatch.setattr(module, "known_of", lambda _: both)
    monkeypatch.setitem(module.FILES, "nats", lambda *_: {"nats.conf": text})

    text = "# 1"  # of the older program
    write(one, both, [first.folder, last.folder])
    for register in (first, last):
        make_older(register)
    text = "# 2"  # the first is upgraded
    assert ANEW in serve_again(tmp_path, first)[-1]
    assert [ANEW in sentence for sentence in behind(tmp_path, first)] == [True]
    with subprocess.Popen(["true"]) as anew:
        running[:] = [anew.pid]  # its people do as they are told
        assert TOLD in serve_again(tmp_path, first)[-1]
        assert behind(tmp_path, last) == []
        text = "# 3"  # the last one is as well, and approves a key
        assert TOLD in serve_again(tmp_path, last)[-1]
        assert behind(tmp_path, last) == behind(tmp_path, first) == []


def test_a_program_before_the_words_reads_what_is_kept(tmp_path: Path) -> None:
    """Else whoever goes back could tell no broker of anything: it takes no other name."""
    register, one = Register(folder_in(tmp_path), BY), served(tmp_path / "out", "nats")
    write(one, known_in(register), [register.folder])
    text = (tmp_path / "out/nats.conf").read_bytes()
    (row,) = json.loads((register.folder / ROWS).read_text())
    assert [*row] == [
        "kind", "out", "at", "listen", "port", "user", "sha256", "websocket", "node", "route_port",
        "collectors",
    ]  # fmt: skip
    assert row["sha256"].split() == [hashlib.sha256(text).hexdigest(), "words-3"]
    (kept,) = remembered(register.folder)
    assert (kept.sha256, kept.words) == (hashlib.sha256(text).hexdigest(), 3)


def test_a_nats_server_that_refuses_its_file_is_not_told(tmp_path: Path) -> None:
    """It goes on by what it read before, and lets in who was revoked since."""
    one, main = served(tmp_path, "nats"), tmp_path / "nats.conf"
    good = 'listen: "127.0.0.1:-1"\n'
    main.write_text(good)
    with subprocess.Popen([find_binary(), "-c", main], stderr=subprocess.PIPE, text=True) as broker:
        assert broker.stderr is not None
        try:
            assert any("Server is ready" in line for line in broker.stderr)
            time.sleep(0.02)  # the clock that says when a process began has ticks of 10 ms
            main.write_text(f"{good}wrod: 1\n")
            assert f'nats-server takes nothing in: {main}:2:1: unknown field "wrod"' in take_in(one)
            assert "was not told" in untold(one)
            main.write_text(good)
            assert take_in(one).startswith(f"nats-server {broker.pid} has been told to read")
            assert untold(one) == ""
        finally:
            broker.kill()
