"""`stackproof cloud run --clock sim`: deadlines in seconds, for simulated plants alone."""

import io
from hashlib import sha256
from pathlib import Path

from evidence import cbor
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.verifier.run import verify
from tests.integration.cloud.cloud_process import Cloud, run, wait
from tests.unit.evidence import small_plant


def test_a_months_deadline_passes_in_seconds_under_a_simulated_clock(cloud: Cloud) -> None:
    """June ends at 16:00 UTC of the 30th where the plant is; its readings are of the 15th."""
    order = ("month", "close", cloud.config, "--plant", "mini", "--month", small_plant.MONTH)
    sim, gateway = ("--clock", "sim", "--from"), cloud.plant.gateways["edge-1"]
    config = small_plant.configuration(cloud.plant.collector)
    config["plant"] |= {"id": "mini", "simulated": True}
    gateway.cfg = sha256(
        gateway.append(gateway.sign(TYP_CONFIG, compress(cbor.encode(config))))
    ).digest()
    for body in small_plant.bodies(config):
        gateway.append(gateway.sign(TYP_FRAME, encode_body(body)))
    ready = cloud.start(*sim, "2026-06-15T05:01:00Z", "--speed", "1")
    publisher = cloud.publisher(ready["broker"])
    wait(lambda: publisher.receipted == len(gateway.objects) - 1)
    publisher.stop()
    assert "2026-06 is not over in Asia/Shanghai" in run(*order).stderr
    assert "clock: simulated, it is 2026-06-15 05:01:" in cloud.end()[1]
    done = run("run", cloud.config)
    assert done.returncode == 2
    assert "go on with --clock sim" in done.stderr
    cloud.start(*sim, "2026-06-30T23:50:00+08:00", "--speed", "600")  # ten minutes: one second
    assert "is not complete: silent (operator)" in wait(
        lambda: "not complete" in (d := run(*order)).stderr and d.stderr
    )
    done = run(*order, "--reason", "nothing more was measured")
    assert done.returncode == 0, done.stderr
    archive = Path(done.stdout.strip())
    assert archive.name == "mini-2026-06.tar"
    report = verify(io.BytesIO(archive.read_bytes()))
    assert report.verdict is Verdict.PASSED, report.findings
    assert "N-SIMULATED" in {finding.code for finding in report.findings}
    assert cloud.end()[0] == 0


def test_a_simulated_clock_spoils_no_evidence_and_takes_its_words_alone(cloud: Cloud) -> None:
    cloud.start()
    cloud.end()
    done = run("run", cloud.config, "--clock", "sim")
    assert done.returncode == 2
    assert "for --clock sim name a database of its own" in done.stderr
    for words, sentence in (
        (("--speed", "9"), "--from and --speed belong to --clock sim"),
        (("--clock", "sim", "--speed", "0"), "'0' is no whole number in 1..1000000"),
        (("--clock", "sim", "--from", "2026-09-30"), "'2026-09-30' is no instant with its zone"),
    ):
        done = run("run", cloud.config, *words)
        assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
