"""docs/operations.md: recipes run as they stand, against processes of their own.

One works goes through one after another, as a real one may: what a recipe leaves behind, the next
has to bear. Their commands are held to the parsers at every run (`test_commands`), and the order of
keys and files by `test_deploy`; here is what only running processes show.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.docs.reader import blocks, environment, keys_told, put_tables, shell
from tests.integration.edge.brokers import Broker
from tests.ports import free_port
from tests.system.rig import Rig

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

GATEWAY, COLLECTOR = "gateway/SITE.toml", "collector/CLOUD.toml"


class Works(Rig):
    """A folder as docs/deploy.md makes it; what runs in it is the gateway and collector of now."""

    COMMANDS: ClassVar[dict[str, tuple[str, ...]]] = {
        "sim": ("stackproof", "sim", "run", "smelter", "--modbus-port", "0", "--opcua-port", "0",
                "--json"),
        "cloud": ("stackproof", "cloud", "run", "{work}/now-cloud/CLOUD.toml"),
        "edge": ("stackproof", "edge", "run", "{work}/now-edge/SITE.toml"),
    }  # fmt: skip

    def does(self, script: str) -> str:
        """Run a recipe's lines, but for the last one that runs a collector: that is `serve`'s."""
        lines = script.replace("/backup/", "backup/").splitlines(keepends=True)
        return shell(
            "".join(line for line in lines if not line.startswith("stackproof cloud run ")),
            self.work,
        )

    def certified(self, script: str) -> str:
        """The same of lines that ask for a certificate and give it: HEX is what was printed."""
        ask, _, rest = script.partition("stackproof keys enrol")
        key = keys_told(self.does(ask))
        return self.does(f"stackproof keys enrol{rest}".replace("HEX", key))

    def now(self, part: str, folder: str) -> None:
        """From now on this is the folder of "cloud" or "edge"."""
        link = self.work / f"now-{part}"
        link.unlink(missing_ok=True)
        link.symlink_to(folder)

    def said(self, part: str) -> str:
        """What a part has said since it was started last."""
        return (self.work / f"{part}.log").read_bytes()[self.logged[part] :].decode()

    def serve(self) -> None:
        """Start the collector; wait until it serves."""
        self.start("cloud")
        self.wait("the collector", lambda: "ready: " in self.said("cloud"), 180)

    def deliver(self) -> None:
        """Start the agent; wait until more than before is under receipt, and nothing waits long."""
        before = self.spool()["receipted_seq"]
        self.start("edge")
        self.wait("receipts", lambda: self.has_delivered(before), 90)

    def has_delivered(self, before: int) -> bool:
        spool = self.spool() if self.close_frame() else {"receipted_seq": -1, "objects": 1}
        return bool(spool["receipted_seq"] > before + 1 and spool["objects"] <= 1)

    def spool(self) -> dict[str, Any]:
        """What `edge status` says of it; nothing receipted where there is none yet."""
        return dict(self.status().get("spool", {"receipted_seq": -1, "objects": 0}))

    def status(self) -> dict[str, Any]:
        done = subprocess.run(
            ["stackproof", "edge", "status", "now-edge/SITE.toml", "--json"], cwd=self.work,
            env=environment(self.work), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return dict(json.loads(done.stdout)) if done.stdout else {}

    def end(self, part: str) -> None:
        """End one part, as a service manager would."""
        process = self.processes.pop(part)
        process.terminate()
        process.wait(30)

    def edit(self, file: str, *changes: tuple[str, str]) -> None:
        """Change words of a file; each is there."""
        path = self.work / file
        text = path.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)


def the_works(works: Works) -> None:
    """Keys and files by docs/deploy.md, on ports that nobody has, and the meter running."""
    works.start("sim")
    ask, enrol = blocks("deploy", "Keys")
    works.does(enrol.replace("HEX", keys_told(works.does(ask))))
    works.wait("the meter", lambda: "ready" in works.said("sim"), 60)
    (meter, *_) = re.findall(r"modbus\+tcp://127\.0\.0\.1:(\d+)", works.said("sim"))
    broker = str(free_port())
    cloud, site = (blocks("deploy", f"The {who}", "toml")[0] for who in ("collector", "gateway"))
    for file, text in ((COLLECTOR, cloud), (GATEWAY, site)):
        text = text.replace("1883", broker).replace("15020", meter)
        (works.work / file).write_text(text.replace("port = 8600", "port = 0"))
    works.now("cloud", "collector")
    works.now("edge", "gateway")


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    made = Works(tmp_path)
    try:
        the_works(made)
        yield made
    finally:
        made.stop()


def test_a_year_of_troubles(works: Works) -> None:
    """Backup and restore, a stolen collector's key, a lost gateway, another collector."""
    works.serve()
    works.deliver()
    backed_up_and_restored(works)
    collector_key_stolen(works)
    gateway_replaced(works)
    moved(works, "gateway2", "collector-b")
    assert "SOUND" in works.does("stackproof cloud fsck collector2/CLOUD.toml")
    report = closed(works, "collector2/CLOUD.toml", "desk2")
    assert [code for code in ("N-KEY", "W-KEY-REVOKED", "W-GAP") if code not in report] == []
    assert "W-NO-PLANT-SIGNATURE" not in report


def backed_up_and_restored(works: Works) -> None:
    """The collector's disk is lost; the first backup that is put back is not the newest."""
    said = "".join(works.does(script) for script in blocks("operations", "Back up"))
    assert "backed up" in said
    more = works.spool()["receipted_seq"]
    works.wait("more", lambda: works.has_delivered(more), 90)
    works.end("edge")
    works.does("stackproof cloud backup collector/CLOUD.toml --out backup/newest")
    works.end("cloud")
    works.does("rm -r collector/state")
    script, _start = blocks("operations", "Restore")
    assert "SOUND" in works.does(script)
    works.serve()
    works.start("edge")
    refused = "It was set back or replaced: restore the newest backup."
    works.wait("a refusal", lambda: works.close_frame() and refused in works.said("cloud"), 90)
    held = works.spool()
    assert held["objects"] > 0
    works.end("cloud")
    works.does("mkdir old; mv collector/evidence.db* old/; cp backup/newest/evidence.db collector/")
    works.serve()
    works.wait("receipts", lambda: works.has_delivered(held["receipted_seq"]), 150)
    assert works.status()["alarms"] == []


def collector_key_stolen(works: Works) -> None:
    """As it says: the gateway first; what the old key says is refused until the new one serves."""
    ask, start = blocks("operations", "The collector's key is lost or stolen")
    works.certified(ask)
    works.end("edge")
    works.edit(GATEWAY, ("file:collector.crt", "file:collector-b.crt"))
    works.start("edge")
    works.wait("a refusal", lambda: "if the collector has a new key" in works.said("edge"), 60)
    before = works.spool()["receipted_seq"]
    works.end("cloud")
    works.edit(
        COLLECTOR, ("file:collector.pem", "file:collector-b.pem"),
        ("file:collector.crt", "file:collector-b.crt"),
    )  # fmt: skip
    works.does("rm collector/collector.pem")
    assert ": fine;" in works.does(start)
    works.serve()
    works.wait("receipts", lambda: works.has_delivered(before), 90)
    assert "W-NO-PLANT-SIGNATURE" not in closed(works, COLLECTOR, "desk")


def closed(works: Works, collector: str, out: str) -> str:
    """What `verify` says of the month so far; it passes."""
    works.does(
        f"stackproof cloud month close {collector} --plant smelter "
        f'--month "$(TZ=Asia/Shanghai date +%Y-%m)" --interim --out {out}'
    )
    report = works.does(f"stackproof verify {out}/*.tar --trust root/root.crt")
    assert "PASSED" in report
    return report


def gateway_replaced(works: Works) -> None:
    """A new device goes on where the collector's log ends, and the old key ends there."""
    works.end("edge")
    replace, revoke = blocks("operations", "A gateway is lost or replaced")
    stream, _, rest = replace.partition("stackproof keys csr")
    works.does(stream)
    works.certified(f"stackproof keys csr{rest}")
    state = json.loads((works.work / "edge-1.json").read_text())
    site = (works.work / GATEWAY).read_text()
    more = '[gateway]\ncontinues = "file:replace-1.cose"\nroot = "file:root.crt"'
    (works.work / "gateway2/SITE.toml").write_text(site.replace("[gateway]", more))
    assert f"after seq {state['seq']} (device lost)" in works.does(revoke)
    works.now("edge", "gateway2")
    works.deliver()
    again = json.loads(works.does(stream.partition(">")[0]))
    assert again["key"] != state["key"]
    assert state["key"] in json.dumps(again["revoked"])


def moved(works: Works, gateway: str, own: str, brokers: list[Broker] | None = None) -> None:
    """To another collector with another key, at another broker.

    Args:
        works: the old collector runs, and the agent.
        gateway: its folder.
        own: name of the old collector's key.
        brokers: with TLS, the old one's; the new one's is added. None: without, each its own.
    """
    cloud, text = "collector2/CLOUD.toml", (works.work / COLLECTOR).read_text()
    works.does(
        "mkdir collector2; cp -r collector/keys collector/root.crt collector2/; "
        "cp collector/CLOUD.toml collector2/"
    )
    works.certified(
        "stackproof keys csr --role collector --key file:collector2/collector-2.pem "
        "--plant smelter --name collector-2 --out collector2/collector-2.csr\n"
        "stackproof keys enrol --csr collector2/collector-2.csr --key-sha256 HEX "
        "--role collector --name collector-2 "
        "--root file:root/root.pem --root-certificate root/root.crt "
        f"--out collector2/collector-2.crt\ncp collector2/collector-2.crt {gateway}/"
    )
    (old,) = re.findall(r"mqtts://127.0.0.1:(\d+)" if brokers else r"port = (\d\d+)", text)
    port = free_port()
    works.edit(cloud, (f"file:{own}.", "file:collector-2."), (old, str(port)))
    if brokers:
        works.does(
            "stackproof cloud broker new --out collector2/broker --host 127.0.0.1\n"
            f"stackproof cloud broker config {cloud} --for nats --port {port} "
            "--out collector2/broker"
        )
        brokers.append(a_broker(works, "collector2", port))
        key = re.findall(
            r"[0-9a-f]{64}", works.does(f"stackproof cloud broker requests {COLLECTOR}")
        )
        revoke, again, _memory = blocks("operations", "A revoked certificate for the broker")
        works.does(revoke.partition("\n")[2].replace("HEX", key[0]))
        assert "has been told to read" in works.does(again)
    (works.work / COLLECTOR).write_text(text.split("[[plant]]")[0])
    works.end("cloud")
    works.start("cloud")
    nobody = "names no [[plant]]: nothing is accepted of any"
    works.wait("the old one", lambda: nobody in works.said("cloud"), 60)
    works.end("edge")
    carry, let_in = blocks("operations", "Moving a plant")
    works.end("cloud")
    works.does(carry)
    works.now("cloud", "collector2")
    works.serve()
    works.edit(
        f"{gateway}/SITE.toml", (f"file:{own}.crt", "file:collector-2.crt"), (old, str(port))
    )
    if brokers:
        ask, request, approve = let_in.partition("stackproof cloud broker request")
        works.does(request + approve.replace("HEX", keys_told(works.does(ask))))
    works.does(f"stackproof edge check {gateway}/SITE.toml")
    works.deliver()


def a_broker(works: Works, folder: str, port: int) -> Broker:
    """A nats-server by the files in this collector's folder, which `cloud broker config` wrote."""
    config = works.work / folder / "broker/nats.conf"
    broker = Broker("nats", works.work / f"log-{folder}", port, config=config)
    broker.start()
    return broker


def test_another_ca_of_the_broker_and_another_collector(works: Works) -> None:
    """All certificates are by a CA that is gone: everybody is let in again with the same keys.

    Then the plant moves to a collector that has a broker, a CA and a register of its own.
    """
    port, folder = free_port(), works.work
    put_tables(folder, port)
    make, serve, enrol, _ = blocks("deploy", "TLS with the broker")
    nats = f"--for nats --port {port}"
    works.does(make)
    works.does(serve.splitlines()[0].replace("--for nats", nats))
    broker = a_broker(works, "collector", port)
    brokers = [broker]
    try:
        works.serve()
        ask, _, rest = enrol.partition("\n")
        works.does(rest.replace("HEX", keys_told(works.does(ask))))
        broker.stop()
        broker.start()
        works.deliver()
        before = works.spool()["receipted_seq"]
        new, let_in = blocks("operations", "The broker's CA is lost or stolen")
        works.does(new.replace("--for nats", nats))
        works.end("cloud")
        broker.stop()
        broker.start()
        works.serve()
        assert "its key is approved already" in works.does(let_in)
        works.wait("receipts", lambda: works.has_delivered(before), 150)
        works.end("edge")  # and with the new CA alone
        works.deliver()
        assert "the broker lets this gateway in" in works.does(f"stackproof edge doctor {GATEWAY}")
        moved(works, "gateway", "collector", brokers)
    finally:
        for one in brokers:
            one.stop()
