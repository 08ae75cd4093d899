"""What the collector does about a broker's files, and what it says where it may not."""

import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.errors import CarriedFileError
from cloud.transport import served as module
from cloud.transport import taken
from cloud.transport.broker_files import (
    Known,
    KnownNode,
    KnownRelay,
    KnownSlice,
    Place,
    conflict,
    nats_files,
)
from cloud.transport.register import Register
from cloud.transport.rows import ROWS, Served, remember, remembered
from cloud.transport.served import barred, behind, serve_again, write
from cloud.transport.taken import take_in, untold
from tests.service_user import given, needs_root, not_given
from tests.unit.cloud.transport.test_transport import BY, folder_in

NORTH = KnownSlice(
    Path("north/CLOUD.toml"), Path("north/broker"), "00", "collector-00", "urn:c",
    [("mini", "edge-1", "urn:e1")],
)  # fmt: skip
SOUTH = KnownSlice(
    Path("south/CLOUD.toml"), Path("south/broker"), "01", "collector-01", "urn:d",
    [("maxi", "edge-1", "urn:f1")],
)  # fmt: skip


def known_in(register: Register, **more: Any) -> Known:
    return Known([replace(NORTH, register=register.folder, **more)])


def served(folder: Path, kind: str = "mosquitto") -> Served:
    return Served(kind, str(folder), str(folder), "127.0.0.1", 8883)


def test_whoever_may_not_tell_a_broker_says_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, told = served(tmp_path), list[tuple[int, int]]()
    assert 'then kill -HUP "$(pidof mosquitto)", or systemctl reload mosquitto' in take_in(one)
    (tmp_path / "mosquitto.conf").write_text("")
    # a shell that waits under that name, started in the folder with a relative one
    process = subprocess.Popen(
        ["mosquitto", "-c", "read line", "mosquitto.conf"], executable="/bin/sh", cwd=tmp_path,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
        pass  # for a moment after exec the kernel tells no words of it
    with process, monkeypatch.context() as patched:
        patched.setattr(os, "kill", lambda *of: told.append(of))
        assert take_in(one).startswith(f"mosquitto {process.pid} has been told to read")
        assert told == [(process.pid, signal.SIGHUP)]

        def refused(*_: int) -> None:
            raise PermissionError

        patched.setattr(os, "kill", refused)
        assert take_in(one) == f"mosquitto runs as another user; as root: kill -HUP {process.pid}"

        # somebody else's process of that name hides no broker of ours
        def of_two(process: int, _: int) -> None:
            if process == 1:
                raise PermissionError

        patched.setattr(os, "kill", of_two)
        patched.setattr(taken, "_running", lambda *_: iter([1, 2]))
        assert take_in(one).startswith("mosquitto 2 has been told to read")
        assert take_in(one).endswith("kill -HUP 1")


@needs_root
def test_what_root_writes_the_collector_can_write_again(tmp_path: Path) -> None:
    """It does so with each approved key, as a user of its own."""
    folder = folder_in(tmp_path)
    given(folder)
    one = served(folder / "nats", "nats")
    register = Register(folder, BY)
    register.write_list(dt.datetime(2026, 11, 28, tzinfo=dt.UTC))
    write(one, known_in(register), [register.folder])
    assert {path.name for path in (folder / "nats").iterdir()} >= {"nats.conf", "ca.crt", "crl.pem"}
    assert not_given(folder) == []
    assert barred(one).startswith(f"{one.out}: nobody alone can read these files")
    os.chown(folder / "nats/nats.conf", 54_321, -1)  # in a container: nobody knows its name
    assert barred(one).startswith(f"{one.out}: user 54321 alone can read these files")


def test_what_was_written_is_known_and_a_change_that_takes_a_restart_is_said(
    tmp_path: Path,
) -> None:
    register = Register(folder_in(tmp_path), BY)
    one = served(tmp_path / "out")
    assert remembered(register.folder) == []
    said = write(one, known_in(register), [register.folder])
    assert said == [f"still needed at {one.at}: server.crt server.pem, the broker's own"]
    (kept,) = remembered(register.folder)
    assert kept.out == one.out
    for line in ("use_username_as_clientid true", "persistent_client_expiration 1h"):
        assert f"\n{line}\n" in (tmp_path / "out/mosquitto.conf").read_text()
    relay = known_in(register, relays=[KnownRelay("relay-a", "urn:r", [("mini", "e")])])
    assert "must be restarted" in write(kept, relay, [register.folder])[-1]
    assert "use_username_as_clientid" not in (tmp_path / "out/mosquitto.conf").read_text()
    write(served(tmp_path / "other", "nats"), relay, [register.folder])
    assert [row.kind for row in remembered(register.folder)] == ["mosquitto", "nats"]
    (register.folder / ROWS).write_text(json.dumps([{"kind": 1}]))
    with pytest.raises(CarriedFileError, match="take it away, then broker config again"):
        remembered(register.folder)


def test_a_broker_of_another_user_can_read_what_is_for_all(tmp_path: Path) -> None:
    """Whatever the umask of who has made it, in the register's own folder too."""
    register = Register(folder_in(tmp_path), BY)
    before = os.umask(0o077)
    try:
        register.write_list(dt.datetime(2026, 11, 28, tzinfo=dt.UTC))
        (register.folder / "ca.crt").chmod(0o600)
        write(served(register.folder), known_in(register), [register.folder])
        write(served(tmp_path / "out"), known_in(register), [register.folder])
    finally:
        os.umask(before)
    for folder in (register.folder, tmp_path / "out"):
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        assert {name: mode for name, mode in modes.items() if mode != 0o600} == {
            "ca.crt": 0o644, "crl.pem": 0o644, **({"brokers.json": 0o644} if folder.name == "broker"
                                                  else {})
        }  # fmt: skip


def test_addresses_of_ipv6_stand_in_brackets() -> None:
    nodes = [KnownNode("node-1", "fd00::1", "0" * 64), KnownNode("node-2", "b.example", "1" * 64)]
    place = Place("/etc/nats", "::", 8883, websocket=443, node="node-1")
    text = nats_files(place, Known([NORTH], nodes))["nats.conf"]
    at = ["[::]:8883", "[::]:443", "[::]:6222", "[fd00::1]:6222", "b.example:6222"]
    assert [one for one in at if f'"{one}"' not in text.replace("nats-route://", "")] == []


def test_what_the_disk_refuses_is_said_and_takes_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, one = Register(folder_in(tmp_path), BY), served(tmp_path / "out")
    write(one, known_in(register), [register.folder])
    monkeypatch.setattr(module, "known_of", lambda _: known_in(register))
    # a line of another age, in no encoding of ours: the file stays, the rest is written
    main = tmp_path / "out/mosquitto.conf"
    main.write_bytes(main.read_bytes() + b"# \xe9\n")
    assert "was changed by hand and stays" in serve_again(tmp_path, register)[0]
    assert behind(tmp_path, register) == [], "mosquitto.conf itself lets in nobody"
    main.unlink()
    relay = KnownRelay("relay-a", "urn:r", [("mini", "e")])
    monkeypatch.setattr(module, "known_of", lambda _: known_in(register, relays=[relay]))
    (register.folder / f".{ROWS}.part").mkdir()
    assert serve_again(tmp_path, register)[-1].startswith("the broker knows nothing of it")


def test_what_each_may_do_where_slices_share_a_broker() -> None:
    """Written by hand: an account a slice, in it its collector, its gateways, nobody else."""
    place = Place("/etc/nats", "0.0.0.0", 8883, node="node-1")  # noqa: S104 - where it listens
    nodes = [KnownNode("node-1", "a.example", "0" * 64)]
    text = nats_files(place, Known([NORTH, SOUTH], nodes))["nats.conf"]
    only = 'allowed_connection_types: ["MQTT", "MQTT_WS"], permissions'
    purges = '"$JS.API.STREAM.PURGE.$MQTT_sess", "$JS.API.STREAM.PURGE.$MQTT_msgs"'
    accounts = "".join(
        f"slice-{its} {{ jetstream: {{ max_consumers: 288, max_file: 6144MB }}, "  # 4 * 72; by two
        "limits { max_connections: 72 }, users: [\n"  # 64, and 4 for each of two certificates
        f'  {{ user: "{collector}", {only}: {{ publish: [{purges}, '
        f'"stackproof.v1.{its}.*.*.receipts", "stackproof.v1.{its}.*.*.config", '
        f'"stackproof.v1.{its}.*.*.certificate", "stackproof.v1.{its}.*.*.order"], subscribe: ['
        f'"stackproof.v1.{its}.*.*.frames", "stackproof.v1.{its}.*.*.live", '
        f'"stackproof.v1.{its}.*.*.state", "stackproof.v1.{its}.*.*.renew", "$MQTT.sub.>"] }} }}\n'
        f'  {{ user: "{gateway}", {only}: {{ publish: ['
        f'"stackproof.v1.{its}.{plant}.edge-1.frames", "stackproof.v1.{its}.{plant}.edge-1.live", '
        f'"stackproof.v1.{its}.{plant}.edge-1.state", "stackproof.v1.{its}.{plant}.edge-1.renew"], '
        f'subscribe: ["stackproof.v1.{its}.{plant}.edge-1.receipts", '
        f'"stackproof.v1.{its}.{plant}.edge-1.config", '
        f'"stackproof.v1.{its}.{plant}.edge-1.certificate", '
        f'"stackproof.v1.{its}.{plant}.edge-1.order", "$MQTT.sub.>"] }} }}\n] }}\n'
        for its, collector, plant, gateway in (
            ("00", "urn:c", "mini", "urn:e1"), ("01", "urn:d", "maxi", "urn:f1"),
        ))  # fmt: skip
    others = "".join(f"slice-{n:02x} {{ jetstream: enabled }}\n" for n in range(2, 256))
    assert f"\naccounts {{\n{accounts}{others}}}\n" in text
    west = replace(SOUTH, slice_id="ff")
    alone = nats_files(replace(place, node=""), Known([NORTH, SOUTH, west]))["nats.conf"]
    assert alone.count("max_file: 1365MB }") == 3, "4096 by three: one copy at a broker alone"
    hundred = KnownRelay("relay-a", "urn:r", [(f"p{n}", "e") for n in range(100)])
    text = nats_files(place, Known([replace(NORTH, relays=[hundred]), SOUTH], nodes))["nats.conf"]
    # a relay has a connection for each stream: 64, and 4 * (1 + 1 + 100)
    assert re.findall(r"max_connections: (\d+)", text) == ["472", "72"]
    text = nats_files(place, Known([NORTH], nodes))["nats.conf"]
    assert "slice-00 { jetstream: { max_consumers: 288 }, limits" in text


@pytest.mark.parametrize(("change", "said"), [
    ({}, ""),
    ({"slice_id": "00"}, "are both of slice 00"),
    ({"collector": "collector-00"}, "are both collector-00 at the broker"),
    ({"gateways": [("mini", "edge-1", "urn:x")]},
     "plant mini is at two collectors: mini/edge-1 at north/CLOUD.toml, mini/edge-1 at south"),
    ({"gateways": [("mini", "edge-2", "urn:x")]}, "mini/edge-2 at south/CLOUD.toml. Where it is"),
    ({"relays": [KnownRelay("relay-b", "urn:s", [("mini", "edge-3")])]}, "mini/edge-3 at south"),
    ({"relays": [KnownRelay("relay-a", "urn:r", [("maxi", "edge-3")])]}, "both name relay-a"),
])  # fmt: skip
def test_who_cannot_share_a_broker(change: dict[str, Any], said: str) -> None:
    north = replace(NORTH, relays=[KnownRelay("relay-a", "urn:r", [("mini", "edge-9")])])
    west = replace(SOUTH, slice_id="02", collector="collector-02", gateways=[])
    found = conflict([north, west, replace(SOUTH, **change)])
    assert said in found
    assert bool(found) == bool(change)


def test_a_broker_that_cannot_be_written_keeps_no_other_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three nodes the first one's disk: the others hear who was revoked, and it is healed."""
    register = Register(folder_in(tmp_path), BY)
    known = known_in(register)
    monkeypatch.setattr(module, "known_of", lambda _: known)
    outs = [tmp_path / name for name in ("a", "b", "c")]
    for out in outs:
        write(served(out, "nats"), known, [register.folder])
    assert behind(tmp_path, register) == []
    known = known_in(register, gateways=[])
    is_not = "nats.conf is not as the register says: broker reload"
    assert behind(tmp_path, register) == [f"{out}/{is_not}" for out in outs]
    (outs[0] / ".nats.conf.part").mkdir()
    said = serve_again(tmp_path, register)
    assert f"{outs[0]} cannot be written: Is a directory" in said[0]
    assert [("urn:e1" in (out / "nats.conf").read_text()) for out in outs] == [True, False, False]
    assert behind(tmp_path, register) == [f"{outs[0]}/{is_not}"]
    (outs[0] / ".nats.conf.part").rmdir()
    assert not any("by hand" in one for one in serve_again(tmp_path, register))
    assert behind(tmp_path, register) == []
    (outs[1] / "nats.conf").unlink()
    assert "No such file" in behind(tmp_path, register)[0]


def test_a_text_that_was_written_and_not_noted_is_none_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power fails between the two, or the register's disk is full."""
    register = Register(folder_in(tmp_path), BY)
    known, one = known_in(register), served(tmp_path / "out", "nats")
    monkeypatch.setattr(module, "known_of", lambda _: known)
    write(one, known, [register.folder])
    known, rows = known_in(register, gateways=[]), list[Served]()

    def dies(registers: list[Path], row: Served) -> None:
        rows.append(row)
        if " " not in row.sha256:
            raise CarriedFileError("no space")
        remember(registers, row)

    with monkeypatch.context() as patched:
        patched.setattr(module, "remember", dies)
        assert "no space" in serve_again(tmp_path, register)[-2]
    assert len(rows) == 2
    known = known_in(register)
    assert not any("by hand" in said for said in serve_again(tmp_path, register))
    assert "urn:e1" in (tmp_path / "out/nats.conf").read_text()
    # and what is kept by hand is behind as long as it lets in others
    main = tmp_path / "out/nats.conf"
    main.write_text(main.read_text().replace("urn:e1", "urn:stackproof:broker:mini:edge-9:ab"))
    assert "was changed by hand, and lets in others" in behind(tmp_path, register)[0]
    main.write_text(main.read_text().replace("urn:stackproof:broker:mini:edge-9:ab", "urn:e2"))
    assert behind(tmp_path, register) == []


def test_configurations_that_are_written_at_once_are_all_known(tmp_path: Path) -> None:
    """`config` for each node, in a shell's background: none is forgotten at the next approval."""
    register = Register(folder_in(tmp_path), BY)
    rows = [served(tmp_path / f"{n:02}", "nats") for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda row: remember([register.folder], row), rows))
    assert sorted(row.out for row in remembered(register.folder)) == [row.out for row in rows]


def test_a_broker_that_nobody_could_tell_is_behind_until_it_is_told_or_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, one = Register(folder_in(tmp_path), BY), served(tmp_path / "out")
    known = known_in(register)
    monkeypatch.setattr(module, "known_of", lambda _: known)

    def refused(*_: int) -> None:
        raise PermissionError

    write(one, known, [register.folder])
    monkeypatch.setattr(taken, "_running", lambda *_: iter([os.getpid()]))  # it began after that
    monkeypatch.setattr(taken, "_began_ns", lambda _: 2**62)
    assert behind(tmp_path, register) == []
    monkeypatch.setattr(taken, "_began_ns", lambda _: 0)  # before it
    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", refused)
        assert "runs as another user" in serve_again(tmp_path, register)[-1]
        assert untold(one)
        assert behind(tmp_path, register) == [
            f"the broker of {one.file} was not told; as root: broker reload"
        ]
    monkeypatch.setattr(os, "kill", lambda *_: None)
    serve_again(tmp_path, register)
    assert behind(tmp_path, register) == []
    before = (tmp_path / "out/acl").stat()
    write(one, known, [register.folder])
    after = (tmp_path / "out/acl").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "not anew"
    known = known_in(register, ended=[("mini", "edge-1")])
    write(one, known, [register.folder])
    assert untold(one)


@pytest.mark.parametrize(("kind", "change"), [
    ("nats", {"port": 8884}), ("nats", {"listen": "::1"}), ("nats", {"websocket": 443}),
    ("mosquitto", {"user": "nobody"}),
])  # fmt: skip
def test_a_broker_whose_place_was_changed_is_not_told_by_a_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, change: dict[str, Any]
) -> None:
    """nats-server says "config reload not supported for MQTT", and lets in whom it did."""
    register, one = Register(folder_in(tmp_path), BY), served(tmp_path / "out", kind)
    known = known_in(register)
    running = [os.getpid()]
    monkeypatch.setattr(module, "known_of", lambda _: known)
    monkeypatch.setattr(module, "give_to", lambda *_: None)
    monkeypatch.setattr(module, "put_whole", lambda path, data, *_: path.write_bytes(data))
    monkeypatch.setattr(os, "kill", lambda *_: None)
    write(one, known, [register.folder])
    monkeypatch.setattr(taken, "_running", lambda *_: iter(running))
    assert "has been told to read" in take_in(one)

    moved = replace(one, **change)
    write(moved, known, [register.folder])
    said = f"{os.getpid()} must be started anew: it began with another address, port, user or "
    assert said in take_in(moved)
    for _ in range(2):  # an order to it is not what it does either
        assert said in serve_again(tmp_path, register)[-1]
        assert [said in sentence for sentence in behind(tmp_path, register)] == [True]

    write(one, known, [register.folder])  # as it began
    assert "has been told to read" in take_in(one)
    assert behind(tmp_path, register) == []
    write(moved, known, [register.folder])
    with subprocess.Popen(["true"]) as anew:
        running[:] = [anew.pid]
        assert "has been told to read" in take_in(moved)
        assert behind(tmp_path, register) == []


def test_a_broker_that_reads_a_copy_is_told_when_the_copy_is_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this machine, with `--at`: whoever forgets to carry has let in who was revoked."""
    register, at = Register(folder_in(tmp_path), BY), tmp_path / "etc"
    one = replace(served(tmp_path / "out", "nats"), at=str(at))
    known = known_in(register)
    monkeypatch.setattr(module, "known_of", lambda _: known)
    monkeypatch.setattr(taken, "_running", lambda *_: iter([os.getpid()]))
    monkeypatch.setattr(taken, "_began_ns", lambda _: 0)
    monkeypatch.setattr(os, "kill", lambda *_: None)
    write(one, known, [register.folder])
    shutil.copytree(tmp_path / "out", at)
    assert "has been told to read" in take_in(one)
    known = known_in(register, gateways=[])
    said = f"reads {at}, where nats.conf is another one: carry it there from {one.out}"
    assert said in serve_again(tmp_path, register)[-1]
    assert [said in sentence for sentence in behind(tmp_path, register)] == [True]
    shutil.copy(tmp_path / "out/nats.conf", at)
    assert "was not told" in behind(tmp_path, register)[0]
    assert "has been told to read" in serve_again(tmp_path, register)[-1]
    assert behind(tmp_path, register) == []
    at.rename(tmp_path / "elsewhere")
    at.symlink_to(tmp_path / "out")
    assert behind(tmp_path, register) == []


def test_when_a_process_began() -> None:
    """This one, by its own clock: started with the test run, and not after now."""
    began_ns = taken._began_ns(os.getpid())
    with subprocess.Popen(["true"]) as later:
        after_ns = taken._began_ns(later.pid)
    now_ns = int(dt.datetime.now(dt.UTC).timestamp() * 1e9)
    assert now_ns - 86_400 * 10**9 < began_ns <= after_ns <= now_ns + 20_000_000
    assert now_ns - after_ns < 10 * 10**9
    assert taken._began_ns(2**30) > now_ns, "none of that number"
