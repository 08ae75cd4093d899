"""Two gateways behind a diode, one by datagrams, one by files; relay and collector are killed.

At the end every object is at the collector, or named missing, and a re-export fills it. What
somebody forges meanwhile is called neither come nor missing, and keeps nothing out.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.export import export
from edge.one_way.leaving import left_seq
from edge.relay.config import load_relay
from edge.relay.status import status_of
from edge.site.config import load_site
from edge.spool import Spool
from edge.spool_reader import SpoolReader
from edge.stream import Stream
from evidence import cose
from evidence.archive.export import Span, write_export
from evidence.frame import Body, Clock, header_of, sign_object
from evidence.keys import FileSigner, certificate_to_pem, generate
from simulators.demo_files import write_cloud_file
from tests.kept_objects import objects_in
from tests.namespaces import has_namespaces
from tests.system.diode import Diode, between_namespaces, forwarder
from tests.unit.edge.sites import METERS, PLANT, certificate, config_of, replaced, who, write_keys

WAYS = {
    "edge-1": '[uplink.udp]\nto = "{to}"\nrepeat_after_s = [1]\nkbit_s_max = 8000\n',
    "edge-2": '[uplink.outbox]\nfolder = "outbox"\nfile_s = 1\nfile_kib_max = 64\n',
}
RELAY = """\
format = 1
[relay]
folder = "inbox"
udp = "{listen}"
allow_remote = true
broker = "mqtt://127.0.0.1:1883"
[[stream]]
plant = "north-works"
gateway = "edge-1"
collector = "file:keys/collector.crt"
[[stream]]
plant = "north-works"
gateway = "edge-2"
collector = "file:keys/collector.crt"
"""


@dataclass
class Sites:
    """Both gateways' spools, and everything that runs."""

    work: Path
    diode: Diode
    count: int
    signers: dict[str, FileSigner] = field(
        default_factory=lambda: {gateway: FileSigner(generate()) for gateway in WAYS}
    )
    objects: dict[str, list[bytes]] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def write_keys(self) -> None:
        write_keys(self.work / "keys")
        for gateway, signer in self.signers.items():
            cert = certificate(signer.public_key, name=gateway)
            (self.work / f"keys/{gateway}.crt").write_bytes(certificate_to_pem(cert))

    def fill(self) -> None:
        """A configuration and frames of about 6 kB, signed, in each spool."""
        choose = Random(4)
        for gateway, signer in self.signers.items():
            one_way = {"edge-1": gateway, 'url = "mqtt://127.0.0.1:1883"': 'mode = "one-way"'}
            way = WAYS[gateway].format(to=self.diode.to)
            text = replaced(METERS, one_way).replace("[[device]]", f"{way}[[device]]", 1)
            (self.work / gateway).mkdir()
            (self.work / gateway / "site.toml").write_text(text)
            site = load_site(self.work / gateway / "site.toml")
            cert = certificate(signer.public_key, name=gateway)
            spool = Spool(site.gateway.spool, bytes_max=2**26)
            stream = Stream(spool, who(gateway=gateway, signer=signer, certificate=cert))
            at_ns = time.time_ns() - 3_600 * 10**9
            stream.take_up_key(at_ns)
            stream.append_config(config_of(site), at_ns)
            while spool.head().next_seq < self.count:
                at_ns += 10**9
                note = {"kind": "test", "at_ns": at_ns, "noise": choose.randbytes(5_900).hex()}
                body = Body(at_ns, Clock("free", None, 1, bytes(16)), events=(note,))
                stream.append_frame(body, b"calc", at_ns)
            self.objects[gateway] = [s.data for s in spool.objects(0, self.count)]
            spool.close()

    def start(self, name: str, side: tuple[str, ...], *command: str) -> None:
        with (self.work / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*side, sys.executable, "-m", *command], stdout=log, stderr=log
            )

    def start_far(self, name: str) -> None:
        file = {"relay": "relay.toml", "cloud": "cloud.toml"}[name]
        self.start(name, self.diode.far, "stackproof", name, "run", str(self.work / file))

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def relay(self) -> dict[str, dict[str, Any]]:
        """Each stream as `relay status` tells it."""
        told = status_of(load_relay(self.work / "relay.toml"), SystemClock())
        return {stream["gateway"]: stream for stream in told["streams"]}

    def ferry(self) -> str:
        """Carry the outbox's files to the inbox, but for the third, which is lost: its name."""
        files = (self.work / "edge-2/outbox").glob("*.tar")
        paths = sorted(files, key=lambda path: int(path.stem.split("-")[-1]))
        for path in paths:
            path.replace(self.work / "inbox" / path.name)
        lost = paths[2].name
        (self.work / "inbox" / lost).unlink()
        return lost

    def named(self) -> bool:
        """Is every seq under receipt, held, or named, but for a tail that nothing came after?"""
        streams = self.relay().values()
        held = [
            s["receipted_seq"] + 1 + s["objects"]
            + sum(hole["last"] - hole["first"] + 1 for hole in s["missing"])
            for s in streams
        ]  # fmt: skip
        is_taken = not list((self.work / "inbox").glob("*.tar"))
        return is_taken and held == [s["newest_seq"] + 1 for s in streams]

    def ask(self, side: tuple[str, ...], *command: str) -> str:
        """What a command prints, run on that side in the test's folder."""
        line = [*side, sys.executable, "-m", "stackproof", *command]
        return subprocess.run(
            line, cwd=self.work, capture_output=True, text=True, check=False
        ).stdout

    def export(self, gateway: str, first: int, last: int) -> None:
        spool = SpoolReader(self.work / gateway / "state/spool.sqlite")
        with contextlib.closing(spool):
            export(spool, (PLANT, gateway), first=first, last=last, out=self.work / "inbox")

    def forge(self, gateway: str, seq: int) -> None:
        """Whoever can write behind the diode claims a seq of this gateway."""
        true, span = cose.parse(self.objects[gateway][-1]), Span(PLANT, gateway, seq, seq)
        data = sign_object(FileSigner(generate()), replace(header_of(true), seq=seq), b"")
        held = certificate(self.signers[gateway].public_key, name=gateway)
        with (self.work / "inbox" / f"{span.name}.tar").open("wb") as file:
            write_export(file, span, [held], [data], object_bytes=len(data))

    def left(self, gateway: str) -> int:
        with contextlib.closing(SpoolReader(self.work / gateway / "state/spool.sqlite")) as spool:
            return left_seq(spool)

    def wait(self, what: str, condition: Callable[[], bool], timeout_s: float = 60) -> None:
        ends_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > ends_s:
                logs = "\n".join(
                    f"{p.name}: {p.read_text()[-1500:]}" for p in self.work.glob("*.log")
                )
                raise AssertionError(f"{what}: {self.relay()}\n{logs}")
            time.sleep(0.1)


@contextlib.contextmanager
def sites(work: Path, diode: Diode, count: int) -> Iterator[Sites]:
    made = Sites(work, diode, count)
    made.write_keys()
    cloud = write_cloud_file(work, archives=work / "archives", port=0, keys={PLANT: "keys"})
    both = 'edge-1.crt", "file:keys/edge-2.crt'
    text = cloud.read_text().replace("edge-1.crt", both)
    cloud.write_text(text.replace("port = 0", "port = 1883", 1))
    (work / "relay.toml").write_text(RELAY.format(listen=diode.listen))
    (work / "inbox").mkdir()
    try:
        made.start_far("cloud")
        made.start_far("relay")
        made.fill()  # meanwhile
        made.wait("the relay", lambda: "running" in (work / "relay.log").read_text())
        yield made
    finally:
        for process in made.processes.values():
            process.terminate()  # the collector ends its broker
        for process in made.processes.values():
            process.wait(15)


def everything_arrives(made: Sites, *, forges_near: bool = False) -> None:
    """Run both sites to their end, with kills in between; then fill what is named."""
    last = made.count - 1
    for gateway in WAYS:
        site = str(made.work / gateway / "site.toml")
        made.start(gateway, made.diode.near, "tests.system.one_way_site", site)
    made.wait("some datagrams", lambda: made.relay()["edge-1"]["objects"] > 20)
    made.kill("relay")
    made.kill("cloud")
    made.start_far("relay")
    made.start_far("cloud")
    made.wait("the outbox", lambda: made.left("edge-2") == last)
    near = str(last + 500)  # looks like a hole at the relay; the collector knows better
    if forges_near:
        made.forge("edge-2", int(near))
        made.wait("what is forged", lambda: made.relay()["edge-2"]["newest_seq"] == int(near))
    first, end = made.ferry().removesuffix(".tar").split("-")[-2:]
    made.wait("every object came or is named", lambda: made.left("edge-1") == last and made.named())
    command = f"stackproof edge export SITE.toml --from {first} --to {end}"
    told = made.ask((), "relay", "status", "relay.toml")
    assert f"MISSING {PLANT}/edge-2: seq {first} to {end} did not come" in told
    assert command in told
    names = f"--from {first} --to {last}" if forges_near else f"--from {first}"
    made.wait("the collector names it", lambda: names in made.ask(
        made.diode.far, "cloud", "missing", "cloud.toml"))  # fmt: skip
    if forges_near:
        forget = ("relay", "forget", "relay.toml", f"{PLANT}/edge-2")
        made.ask((), *forget, "--from", near, "--to", near)
    far = str(2**62)
    made.forge("edge-2", int(far))
    made.forge("edge-2", int(first))
    made.wait("what is forged", lambda: made.relay()["edge-2"]["held_seq"] == int(first))
    made.wait("what is far ahead", lambda: made.relay()["edge-2"]["not_believed"] == [int(far)])
    made.ask((), "relay", "forget", "relay.toml", f"{PLANT}/edge-2", "--from", far, "--to", far)
    assert not made.relay()["edge-2"]["not_believed"]
    made.export("edge-2", int(first), int(first))
    for gateway, stream in made.relay().items():
        for hole in stream["missing"]:
            made.export(gateway, hole["first"], hole["last"])
        if stream["newest_seq"] < last:  # what a later object would show; none comes here
            made.export(gateway, stream["newest_seq"] + 1, last)
    made.wait("receipts", lambda: made.relay()["edge-1"]["receipted_seq"] > 0)
    made.kill("relay")
    made.start_far("relay")
    made.wait(
        "receipts of all",
        lambda: (
            [(s["receipted_seq"], s["objects"]) for s in made.relay().values()] == [(last, 0)] * 2
        ),
    )
    arrived = set(objects_in(made.work / "evidence.db"))
    for gateway, objects in made.objects.items():
        assert arrived >= set(objects), f"{gateway}: verbatim, every one"
    assert made.diode.lost() > 0, "of what was sent by datagrams"
    if made.diode.tried_back is not None:
        came, dropped = made.diode.tried_back()
        assert not came
        assert dropped > 0


@pytest.mark.timeout(150)
def test_every_object_arrives_or_is_named_and_a_new_export_fills_it(tmp_path: Path) -> None:
    link = between_namespaces if has_namespaces() else forwarder
    with link() as diode, sites(tmp_path, diode, count=120) as made:
        everything_arrives(made)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_same_by_a_forwarder_and_longer(tmp_path: Path) -> None:
    with forwarder() as diode, sites(tmp_path, diode, count=1_500) as made:
        everything_arrives(made, forges_near=True)
