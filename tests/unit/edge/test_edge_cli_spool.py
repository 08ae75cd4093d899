"""`stackproof edge status`, `export` and `receipts`, on a spool made here."""

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.cli import main
from edge.clock import SystemClock
from edge.receipt_files import receipts_of, waiting
from edge.spool import Spool
from edge.stream import Stream
from evidence import cbor
from evidence.archive.export import ExportReader, write_receipts
from evidence.errors import KeyFileError
from evidence.keys import FileSigner, certificate_to_pem, generate, key_sha256, public_key
from evidence.merkle import Tree, leaf_hash
from tests.unit.edge.sites import (
    GATEWAY,
    METERS,
    PLANT,
    certificate,
    keys,
    replaced,
    who,
    write_keys,
    write_site,
)
from tests.unit.edge.stream_rig import BODY, NOW_NS, Rig, collector

Run = Callable[..., tuple[int, str, str]]


@dataclass
class Site:
    """A site's folder with a stopped agent's spool of so many objects."""

    folder: Path
    rig: Rig

    @property
    def file(self) -> str:
        return str(self.folder / "site.toml")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    write_keys(tmp_path / "keys")
    write_site(tmp_path, METERS)
    spool = Spool(tmp_path / "state" / "spool.sqlite", bytes_max=2**30)
    stream = Stream(spool, who())
    stream.take_up_key(NOW_NS)
    rig = Rig(spool, stream, collector())
    rig.made(5)
    yield Site(tmp_path, rig)
    spool.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*args: object) -> tuple[int, str, str]:
        status = main([str(arg) for arg in args])
        return (status, *capsys.readouterr())

    return call


# -- status ---------------------------------------------------------------------------------------


def test_status_beside_the_agent(site: Site, run: Run) -> None:
    site.rig.stream.take_receipt(
        site.rig.collector.receipt(seq=2, head=site.rig.spool.hash_at(2)), NOW_NS
    )
    site.rig.spool.commit_ticks([b"tick"])
    site.rig.stream.note_broker("it hangs up", NOW_NS)
    away = r"\nbroker: away since 2026-11-25 02:41:30 UTC \(.*\): it hangs up; readings are kept\n"
    assert re.search(away, run("status", site.file)[1])
    site.rig.stream.note_broker("", NOW_NS)
    assert "\nbroker: there since 2026-11-25 02:41:30 UTC (" in run("status", site.file)[1]
    status, out, _ = run("status", site.file, "--json")
    assert status == 0
    told = json.loads(out)
    assert told["broker"] == {"since_ns": NOW_NS, "reason": ""}
    assert (told["plant"], told["gateway"], told["mode"]) == (PLANT, GATEWAY, "mqtt")
    assert told["running"] is True, "somebody holds its lock"
    spool = told["spool"]
    assert (spool["objects"], spool["head_seq"], spool["receipted_seq"]) == (2, 4, 2)
    assert spool["open_ticks"] == 1
    assert spool["bytes_max"] == 8192 * 2**20
    assert spool["oldest_ns"] == NOW_NS
    assert (told["receipt"]["seq"], told["receipt"]["log_size"]) == (2, 5)
    own = key_sha256(keys().gateway.public_key()).hex()
    assert told["key"] == {"sha256": own, "site_sha256": own}
    assert set(told["clock"]) == {"source", "error_ms"}
    assert told["alarms"] == []


def test_status_for_people(site: Site, run: Run) -> None:
    site.rig.stream.note_broker("it hangs up", NOW_NS)  # said by an agent that runs no more
    site.rig.spool.close()
    status, out, _ = run("status", site.file, "--check")
    assert status == 1, "nothing is read, which no alarm says"
    lines = out.splitlines()
    assert lines[0] == f"{PLANT}/{GATEWAY}: agent not running, mqtt"
    assert re.match(r"spool: 0.0 % of 8192 MiB, \d+ MiB left on its disk; 5 objects wait", lines[1])
    assert "newest seq 4, under receipt up to -1; 0 ticks" in lines[2]
    assert lines[3] == "receipt: none yet"
    assert lines[-1] == "STOPPED: no agent runs, so nothing is read: stackproof edge run SITE.toml"
    assert not [line for line in lines if line.startswith("broker")]


def test_status_tells_alarms_and_ends_with_1(site: Site, run: Run) -> None:
    rig = site.rig
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    rig.made(6)
    tree = Tree()
    for _ in range(6):
        tree.append(leaf_hash(b"other"))
    rig.collector.log = tree
    receipts = site.folder / "bent.receipts"
    receipts.write_bytes(rig.collector.receipt())
    status, _, err = run("receipts", "import", site.file, receipts)
    assert status == 1
    assert "two logs" in err
    (dropped,) = waiting(site.folder / "state" / "receipts")
    with pytest.raises(Exception, match="two logs"):
        rig.stream.take_receipt(receipts_of(dropped)[0], NOW_NS)
    status, out, _ = run("status", site.file)
    assert status == 1
    assert "ALARM log-inconsistent: the collector has shown two histories" in out


def test_status_tells_why_nothing_gets_through(site: Site, run: Run) -> None:
    """The agent has seen it and said it once; whoever asks later is told too."""
    site.rig.stream.note_trouble("fork", "the collector holds seq 9. What to do: …", NOW_NS)
    status, out, _ = run("status", site.file)
    assert status == 1
    said = "ALARM fork: since 2026-11-25 02:41 UTC: the collector holds seq 9. What to do"
    assert said in out


def test_status_of_a_stream_that_stands_ahead_of_the_clock(site: Site, run: Run) -> None:
    ahead_ns = NOW_NS + 50 * 365 * 86_400 * 10**9
    site.rig.spool.put({"through": ahead_ns.to_bytes(8, "big")})
    status, out, _ = run("status", site.file)
    assert status == 1
    assert "ALARM clock-ahead: the stream's newest reading is of 2076-" in out


@pytest.mark.parametrize(
    ("minutes", "boot", "stands"), [(20, 0, True), (10, 0, False), (20, 1, False)]
)
def test_status_while_the_clock_is_not_yet_believed(
    site: Site, run: Run, minutes: int, boot: int, stands: bool
) -> None:
    clock = SystemClock().state()
    tick_ns = SystemClock().wall_ns() - (minutes * 60 + 30) * 10**9
    boot_id = bytes([clock.boot_id[0] ^ boot]) + clock.boot_id[1:]
    kept = cbor.encode([boot_id, tick_ns, clock.monotonic_ns])
    site.rig.spool.put({"clock": kept})
    _, out, _ = run("status", site.file)
    assert ("ALARM clock-unsure: the clock has gone 20 minutes ahead" in out) is stands


def test_one_altered_object(site: Site, run: Run) -> None:
    """Found by a check; what is before and behind it can be exported, and it cannot."""
    site.rig.spool._db.execute("UPDATE objects SET bytes = x'00' WHERE seq = 2")
    status, out, _ = run("status", site.file, "--check")
    assert status == 1
    assert "ALARM spool-damaged: " in out
    assert "altered seq 2: it cannot be delivered" in out
    assert run("status", site.file)[0] == 0
    for first, last in ((0, 1), (3, 4)):
        path = site.folder / f"{first}.tar"
        assert run("export", site.file, "--from", first, "--to", last, "--out", path)[0] == 0
        with path.open("rb") as file:
            assert [h.seq for h, _ in ExportReader(file).objects()] == [first, last]
    status, _, err = run("export", site.file)
    assert status == 2
    assert "altered seq 2" in err


def test_status_of_a_damaged_spool(site: Site, run: Run) -> None:
    site.rig.made(200)
    site.rig.spool.close()
    path = site.folder / "state" / "spool.sqlite"
    data = bytearray(path.read_bytes())
    at = len(data) // 4096 // 2 * 4096  # a page of objects
    data[at : at + 96] = b"\xff" * 96
    path.write_bytes(data)
    status, out, _ = run("status", site.file, "--check")
    assert status == 1
    assert "ALARM spool-damaged: " in out


def test_status_after_the_site_names_another_key(site: Site, run: Run) -> None:
    (site.folder / "keys" / "edge-1.crt").unlink()
    pem = certificate_to_pem(certificate(generate().public_key()))
    (site.folder / "keys" / "edge-1.crt").write_bytes(pem)
    _, out, _ = run("status", site.file)
    assert "of the site file takes over at the next start" in out


def test_check_names_a_key_that_cannot_take_up_the_spool(site: Site, run: Run) -> None:
    assert run("check", site.file)[0] == 0
    new = FileSigner(generate())
    stream = Stream(site.rig.spool, who(signer=new, previous=keys().signer))
    stream.take_up_key(NOW_NS)
    status, _, err = run("check", site.file)
    assert status == 2
    assert "gateway.key: the stream is signed with key" in err
    assert "which was in use before" in err


def test_status_without_a_spool(tmp_path: Path, run: Run) -> None:
    write_keys(tmp_path / "keys")
    status, out, err = run("status", write_site(tmp_path, METERS))
    assert (status, out) == (2, "")
    assert "spool.sqlite: no spool here; has the agent ever run?" in err


# -- export ---------------------------------------------------------------------------------------


def test_export_holds_the_objects_and_their_certificate(
    site: Site, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.folder)
    status, out, _ = run("export", site.file)
    name = f"{PLANT}-{GATEWAY}-0-4.tar"
    assert (status, out) == (0, f"{name}: seq 0 to 4 of {PLANT}/{GATEWAY}\n")
    with (site.folder / name).open("rb") as file:
        reader = ExportReader(file)
        objects = [data for _, data in reader.objects()]
    assert objects == [stored.data for stored in site.rig.spool.objects(0, 9)]
    assert (site.folder / name).stat().st_mode & 0o027 == 0, "no one else's on the machine"
    (held,) = reader.certificates
    assert public_key(held) == keys().gateway.public_key()


def test_export_of_a_span_is_the_same_every_time(site: Site, run: Run) -> None:
    made = []
    for name in ("a.tar", "b.tar"):
        path = site.folder / name
        assert run("export", site.file, "--from", 1, "--to", 3, "--out", path)[0] == 0
        made.append(path.read_bytes())
    assert made[0] == made[1]
    span = ExportReader(io.BytesIO(made[0])).span
    assert (span.first, span.last) == (1, 3)


def test_export_holds_the_certificates_of_the_keys_that_signed(site: Site, run: Run) -> None:
    new = FileSigner(generate())
    stream = Stream(site.rig.spool, who(signer=new, previous=keys().signer))
    stream.take_up_key(NOW_NS)  # 5 is the rotate object
    stream.append_frame(BODY, b"", NOW_NS)
    found = []
    for first, last in ((0, 6), (0, 5), (6, 6)):
        path = site.folder / f"{first}-{last}.tar"
        run("export", site.file, "--from", first, "--to", last, "--out", path)
        with path.open("rb") as file:
            found.append(len(ExportReader(file).certificates))
    assert found == [2, 1, 1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", 2], "the spool holds seq 3 to 4 (what is before is under receipt"),
        (["--to", 5], "--from 3 --to 5 asks for others"),
        (["--from", 4, "--to", 3], "--from 4 --to 3 asks for others"),
        (["--out", "site.toml"], "exists already; remove it or name another with --out"),
        (["--out", "none/x.tar"], "cannot be written: No such file"),
    ],
)
def test_export_says_what_it_cannot(
    site: Site, run: Run, options: list[object], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.folder)
    head = site.rig.spool.hash_at(2)
    site.rig.stream.take_receipt(site.rig.collector.receipt(seq=2, head=head), NOW_NS)
    status, out, err = run("export", site.file, *options)
    assert (status, out) == (2, "")
    assert says in err
    assert not list(site.folder.glob("*.part"))


def test_export_when_nothing_waits(site: Site, run: Run) -> None:
    site.rig.stream.take_receipt(site.rig.collector.receipt(), NOW_NS)
    status, _, err = run("export", site.file)
    assert status == 2
    assert "nothing waits for a receipt: the collector has it all" in err


def test_export_while_frames_wait_for_the_key(
    site: Site, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so each time, and what it tells to do does it."""
    monkeypatch.chdir(site.folder)
    rig = site.rig
    says = "2 frames or configurations behind seq 4 are not signed yet and cannot be exported"
    with monkeypatch.context() as patch:
        patch.setattr(FileSigner, "sign", no_token)
        for _ in range(2):
            assert rig.stream.append_frame(BODY, b"", NOW_NS) is None
    status, out, err = run("export", site.file)
    assert (status, out) == (0, f"{PLANT}-{GATEWAY}-0-4.tar: seq 0 to 4 of {PLANT}/{GATEWAY}\n")
    assert says in err
    assert "Export once more when it says 0 frames not signed" in err
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    status, out, err = run("export", site.file)
    assert (status, out) == (2, "")
    assert f"the collector has all of what is signed, and {says}" in err
    status, out, _ = run("status", site.file)
    assert status == 1
    assert "2 frames not signed" in out
    assert "ALARM key-away: " in out
    while rig.stream.sign_waiting(NOW_NS) is not None:  # the token is back
        pass
    assert "0 frames not signed" in run("status", site.file)[1]
    status, out, err = run("export", site.file)
    assert (status, err) == (0, "")
    assert out.endswith(f"seq 5 to 6 of {PLANT}/{GATEWAY}\n")


def no_token(*_: object) -> bytes:
    raise KeyFileError("no token in the slot")


def test_export_of_another_gateway_s_spool(site: Site, run: Run) -> None:
    write_site(site.folder, replaced(METERS, {'id = "edge-1"': 'id = "edge-2"'}))
    status, _, err = run("export", site.file)
    assert status == 2
    assert f"the spool is {PLANT}/edge-1's, not {PLANT}/edge-2's" in err


def test_seq_that_is_no_number(site: Site, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("export", site.file, "--from", "-1")
    assert caught.value.code == 2
    assert "--from" in capsys.readouterr().err


# -- receipts import ------------------------------------------------------------------------------


def test_receipts_wait_for_the_next_agent(site: Site, run: Run) -> None:
    receipt = site.rig.collector.receipt()
    other = collector(gateway="edge-2")
    other.head, other.objects, other.log = (
        site.rig.collector.head, site.rig.collector.objects, site.rig.collector.log,
    )  # fmt: skip
    site.rig.spool.close()
    path = site.folder / "all.receipts"
    path.write_bytes(write_receipts([other.receipt(), receipt]))
    status, out, err = run("receipts", "import", site.file, path)
    assert (status, err) == (0, "")
    assert "up to seq 4; no agent is running: it is taken when the next one starts" in out
    (dropped,) = waiting(site.folder / "state" / "receipts")
    assert receipts_of(dropped) == [receipt], "those of other gateways are passed over"
    assert run("receipts", "import", site.file, path)[0] == 0
    assert len(waiting(site.folder / "state" / "receipts")) == 1


def test_receipts_that_are_not_for_this_spool(site: Site, run: Run) -> None:
    rig, path = site.rig, site.folder / "x.receipts"
    own, rig.collector.signer = rig.collector.signer, FileSigner(generate())
    forged = rig.collector.receipt()
    rig.collector.signer = own
    attempts = {
        forged: "receipt refused: ",
        rig.collector.receipt(stream="edge-2"): f"1 receipts, none for {PLANT}/{GATEWAY}",
        rig.collector.receipt(seq=9): "replace order",
        b"noise": "receipt refused: ",
    }
    for data, says in attempts.items():
        path.write_bytes(data)
        status, out, err = run("receipts", "import", site.file, path)
        assert (status, out, says in err) == (1, "", True), err
    path.write_bytes(b"")
    status, _, err = run("receipts", "import", site.file, path)
    assert (status, "no receipt file: the receipt file is empty" in err) == (2, True)
    assert run("receipts", "import", site.file, site.folder / "none")[0] == 2
    assert waiting(site.folder / "state" / "receipts") == []


def test_the_receipt_that_is_held_goes_into_a_file(site: Site, run: Run) -> None:
    out, made = site.folder / "receipts.cbor", b""
    ask = ("receipts", "export", site.file, "--out", out)
    assert "nothing is under receipt here yet" in run(*ask)[2]
    for seq in (1, 2):
        made = site.rig.collector.receipt(seq=seq, head=site.rig.spool.hash_at(seq))
        site.rig.stream.take_receipt(made, NOW_NS)
    assert run(*ask)[:2] == (0, f"{out}: {PLANT}/{GATEWAY} is under receipt up to seq 2\n")
    assert (list(receipts_of(out)), run(*ask)[0]) == ([made], 2), "and is not written over"
