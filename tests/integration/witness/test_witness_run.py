"""`stackproof witness run` as a process, against a running collector over HTTP on loopback."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.checkpoint import parse
from evidence.cosignature import verify_cosigned
from evidence.kept import notes_in
from evidence.keys import FileSigner, generate, write_private
from tests.integration.cloud.cloud_process import Cloud
from tests.integration.cloud.running_collector import _post, send_readings
from tests.unit.cloud.evidence_examples import Gateway

NAME = "stackproof/mini/witness/qin"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    (tmp_path / "works").mkdir()
    made = Cloud(tmp_path / "works")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end()


class Desk:
    """The witness's own folder."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.folder, self.cloud = folder, cloud
        folder.mkdir()
        key = generate()
        self.signer = FileSigner(key)
        write_private(folder / "qin.pem", key)
        shutil.copy(cloud.folder / "mini/collector.pem", folder / "collector.pem")

    def begin(self) -> str:
        """Start the collector, enrol the witness there, send readings; its address."""
        ready = self.cloud.start()
        address = str(ready["http"])
        token = (self.cloud.folder / "state/api.token").read_text().strip()
        (self.folder / "token").write_text(token)
        (self.folder / "token").chmod(0o600)
        headers = {"Authorization": f"Bearer {token}"}
        der = self.signer.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        who = {"person": "qin", "name": "Qin", "organisation": "City", "role": "reviewer"}
        _post(f"{address}/api/v1/plants/mini/persons", {**who, "key": der.hex()}, headers)
        send_readings(self.cloud, ready["broker"])
        self.configure(address)
        return address

    def configure(self, address: str) -> None:
        (self.folder / "witness.toml").write_text(
            f'folder = "notes"\nkey = "file:qin.pem"\n[[collector]]\nurl = "{address}"\n'
            f'token = "file:token"\nperson = "qin"\nkeys = ["collector.pem"]\n'
            'plants = ["mini"]\n'
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stackproof", "witness", *arguments]
        return subprocess.run(
            [*command, str(self.folder / "witness.toml")],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def notes(self, end: str = "note") -> list[str]:
        file = self.folder / f"notes/mini.{end}"
        return list(notes_in(file.read_bytes())) if file.exists() else []


def test_a_witness_keeps_a_log_day_by_day_and_refuses_one_that_began_anew(
    cloud: Cloud, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "desk", cloud)
    address = desk.begin()
    done = desk.run("run", "--once")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "(the first seen); kept in " in done.stdout
    done = desk.run("run", "--once")
    assert done.returncode == 0, done.stderr
    first, second = (parse(note)[0] for note in desk.notes())
    assert f"(it continues {first.size})" in done.stdout
    assert second.size == first.size + 1  # the entry of the first cosigned note
    for note in desk.notes():
        seen = verify_cosigned(
            note, NAME, desk.signer.public_key, [cloud.plant.collector.public_key]
        )
        assert seen.checkpoint.plant == "mini"
    asked = urllib.request.Request(
        f"{address}/api/v1/plants/mini/documents?kind=log-cosigned",
        headers={"Authorization": f"Bearer {(desk.folder / 'token').read_text()}"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert [row["person"] for row in json.load(answer)] == ["qin", "qin"]
    assert desk.run("list").stdout.startswith("mini: 2 notes, 20")

    # the operator begins the log again, with the same keys, and sends as much as before and more
    cloud.end()
    shutil.rmtree(cloud.folder / "state")
    for file in cloud.folder.glob("evidence.db*"):
        file.unlink()
    of = cloud.plant.gateways["edge-1"]
    cloud.plant.gateways["edge-1"] = Gateway("mini", "edge-1", of.signer)
    desk.begin()
    kept = (desk.folder / "notes/mini.note").read_bytes()
    for _ in range(2):
        done = desk.run("run", "--once")
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert "mini: FORK at http://127.0.0.1:" in done.stderr
        assert "notes/mini.refused: they are the proof" in done.stderr
    assert (desk.folder / "notes/mini.note").read_bytes() == kept
    assert len(desk.notes("refused")) >= 1
    done = desk.run("run", "--every", "24h")
    assert (done.returncode, "mini: FORK at" in done.stderr) == (1, True), done.stderr
    assert desk.run("list").returncode == 1


def test_a_collector_that_does_not_answer_or_refuses_is_no_fork(
    cloud: Cloud, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "desk", cloud)
    cloud.config.write_text(cloud.config.read_text().replace("accounts = false\n", ""))
    (desk.folder / "token").write_text("secret-of-nobody")
    desk.configure(str(cloud.start()["http"]))
    done = desk.run("run", "--once")
    assert done.returncode == 2
    assert " refuses plants/mini/log/checkpoint: " in done.stderr
    assert "secret-of-nobody" not in done.stdout + done.stderr
    cloud.end()
    done = desk.run("run", "--once")
    assert done.returncode == 2
    assert "does not answer" in done.stderr
    assert not (desk.folder / "notes/mini.refused").exists()
