"""An InfluxDB, or what stands at its address, whose answers never end: it is away, no more."""

import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from cloud.series import influxdb
from cloud.series.bucket import MINUTE_S
from cloud.series.influxdb import InfluxSeries
from cloud.series.store import SeriesAwayError
from cloud.series.timed_pools import POOLS
from tests.unit.cloud.alarms.mail_server import own_certificate
from tests.unit.cloud.dripping import CHUNKED, HEAD, STEP_S, Dripping
from tests.unit.cloud.series.test_refusals import within_wait
from tests.unit.cloud.series.test_store_contract import VOLTS, batch, bucket, influx_config

WAIT_S = STEP_S / 2
NO = b"HTTP/1.1 503 Away\r\nContent-Length: 999\r\n\r\n"


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        ("http", (HEAD, b"x")),
        ("https", (HEAD, b"x")),
        ("http", (b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("http", (HEAD + b"Content-Length: 999\r\n\r\n", b"x")),
        ("http", (CHUNKED, b"0")),
        ("http", (NO, b"x")),
    ],
)
def test_an_answer_that_never_ends_is_given_up(
    scheme: str, answer: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again and again, by the one thread that asks: neither it nor another is left with it."""
    monkeypatch.setattr(influxdb, "TIMEOUT_S", WAIT_S)
    monkeypatch.setattr(influxdb, "WHOLE_S", WAIT_S)
    config, context = influx_config("", tmp_path), None
    if scheme == "https":
        config = replace(config, ca=own_certificate(tmp_path))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(config.ca))
    dripping = Dripping(*answer, context)
    config = replace(config, url=f"{scheme}://127.0.0.1:{dripping.port}")
    store = InfluxSeries(tmp_path / "marks.db", config, (0.01, 0.02))
    try:
        with pytest.raises(SeriesAwayError, match="does not answer"):
            store.read(MINUTE_S, "mini", 0, 1)
        assert dripping.asked.acquire(blocking=False)
        store.put(batch(VOLTS, bucket(0, 1, 1, 1, 1, 1, 0)))
        for _ in range(3):
            assert dripping.asked.acquire(timeout=20)
        within_wait(lambda: store.state().trouble)
        assert store.state().trouble == f"InfluxDB {config.url}: does not answer: timed out"
        assert [one.name for one in threading.enumerate()].count("series") == 1
        assert (store.marks("mini"), store.state().waiting) == ({}, 1)
    finally:
        dripping.close()
        store.close()
    assert not dripping.was_heard_out


def test_only_so_many_wait_for_a_server_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the threads that serve all pages: with InfluxDB away the others would wait, too."""
    monkeypatch.setattr(influxdb, "ASKING_MAX", 2)
    monkeypatch.setattr(influxdb, "BUSY_S", 0.05)
    silent = Dripping(b"", b"")
    config = replace(influx_config("", tmp_path), url=f"http://127.0.0.1:{silent.port}")
    store, said = InfluxSeries(tmp_path / "marks.db", config), list[str]()

    def ask() -> None:
        try:
            store.read(MINUTE_S, "mini", 0, 1)
        except SeriesAwayError as error:
            said.append(str(error))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for one in asking:
        one.start()
        assert silent.asked.acquire(timeout=20)
    ask()
    assert said == [f"InfluxDB {config.url}: answers slowly, and many wait for it already"]
    silent.close()
    for one in asking:
        one.join(20)
    ask()  # there is room again
    assert [one.count("does not answer") for one in said] == [0, 1, 1, 1]
    store.close()


def test_a_request_that_is_taken_too_slowly_is_given_up() -> None:
    """Each block within the timeout, and all of them not."""
    dripping = Dripping(b"", b"")
    pool: HTTPConnectionPool = POOLS["http"]("127.0.0.1", dripping.port)
    connection = pool.ConnectionCls("127.0.0.1", dripping.port, timeout=WAIT_S)
    connection.putrequest("POST", "/")
    connection.endheaders(b"x")
    time.sleep(WAIT_S)
    with pytest.raises(TimeoutError, match="too slowly"):
        connection.send(b"x")
    connection.close()
    dripping.close()
