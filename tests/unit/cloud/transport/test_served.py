"""What the collector does about a broker's files, and what it says where it may not."""

import datetime as dt
import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cloud.config import CloudConfig
from cloud.errors import CarriedFileError
from cloud.transport import served as module
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
from cloud.transport.served import Served, barred, remembered, serve_again, take_in, write
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
        patched.setattr(module, "_running", lambda *_: iter([1, 2]))
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
    assert "use_username_as_clientid true" in (tmp_path / "out/mosquitto.conf").read_text()
    relay = known_in(register, relays=[KnownRelay("relay-a", "urn:r", [("mini", "e")])])
    assert "must be restarted" in write(kept, relay, [register.folder])[-1]
    assert "use_username_as_clientid" not in (tmp_path / "out/mosquitto.conf").read_text()
    write(served(tmp_path / "other", "nats"), relay, [register.folder])
    assert [row.kind for row in remembered(register.folder)] == ["mosquitto", "nats"]
    (register.folder / module.ROWS).write_text(json.dumps([{"kind": 1}]))
    with pytest.raises(CarriedFileError, match="run broker config again"):
        remembered(register.folder)


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
    config = cast("CloudConfig", SimpleNamespace(path=tmp_path))
    assert "was changed by hand and stays" in serve_again(config, register)[0]
    main.unlink()
    relay = KnownRelay("relay-a", "urn:r", [("mini", "e")])
    monkeypatch.setattr(module, "known_of", lambda _: known_in(register, relays=[relay]))
    (register.folder / f".{module.ROWS}.part").mkdir()
    assert serve_again(config, register)[-1].startswith("the broker knows nothing of it")


def test_what_each_may_do_where_slices_share_a_broker() -> None:
    """Written by hand: an account a slice, in it its collector, its gateways, nobody else."""
    place = Place("/etc/nats", "0.0.0.0", 8883, node="node-1")  # noqa: S104 - where it listens
    nodes = [KnownNode("node-1", "a.example", "0" * 64)]
    text = nats_files(place, Known([NORTH, SOUTH], nodes))["nats.conf"]
    only = 'allowed_connection_types: ["MQTT", "MQTT_WS"], permissions'
    accounts = "".join(
        f"slice-{its} {{ jetstream: {{ max_file: 6144MB }}, users: [\n"  # 4096 thrice, by two
        f'  {{ user: "{collector}", {only}: {{ publish: ['
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
        )
    )  # fmt: skip
    others = "".join(f"slice-{n:02x} {{ jetstream: enabled }}\n" for n in range(2, 256))
    assert f"\naccounts {{\n{accounts}{others}}}\n" in text
    west = replace(SOUTH, slice_id="ff")
    alone = nats_files(replace(place, node=""), Known([NORTH, SOUTH, west]))["nats.conf"]
    assert alone.count("max_file: 1365MB }") == 3, "4096 by three: one copy at a broker alone"
    assert "slice-00 { jetstream: enabled, users" in nats_files(place, Known([NORTH], nodes)).get(
        "nats.conf", ""
    )


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
