"""What the front says is in the page's language: why a collector or a plant does not go on."""

from email.message import Message
from http.client import RemoteDisconnected
from pathlib import Path
from socket import gaierror
from ssl import SSLCertVerificationError, SSLError
from urllib.error import HTTPError, URLError

import pytest

from cloud.api.rendering import STRINGS
from cloud.front.faults import LATE, fault_of
from tests.unit.cloud.front.front_examples import Fronted, Slice


def test_a_plant_in_trouble_is_told_in_the_pages_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amiss = {"mini": {"not-written": "No space left", "of-tomorrow": "Whatever"}}
    one = Slice("mini")
    monkeypatch.setattr(one.streams, "amiss", lambda: amiss)
    try:
        fronted = Fronted(tmp_path, {"north": one})
        fronted.look()
        page = fronted.page("/zh/")
        assert "有异常：采集端磁盘无法写入存证" in page
        assert "；of-tomorrow" in page
        assert "No space" not in page
        assert fronted.get("health")["collectors"][0]["health"]["amiss"] == amiss
    finally:
        one.kill()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (URLError(ConnectionRefusedError(111, "refused")), "nobody"),
        (URLError(TimeoutError()), "timeout"),
        (TimeoutError(), "timeout"),
        (URLError(gaierror(-2, "not known")), "name"),
        (URLError(SSLCertVerificationError()), "certificate"),
        (URLError(SSLError()), "tls"),
        (RemoteDisconnected(), "network"),
        (ValueError("no JSON"), "stranger"),
        (HTTPError("", 401, "", Message(), None), "token"),
        (HTTPError("", 503, "", Message(), None), "busy"),
        (HTTPError("", 404, "", Message(), None), "http 404"),
        (None, "late"),
    ],
)
def test_what_an_answer_failed_by_has_words(error: Exception | None, code: str) -> None:
    assert (fault_of(error) if error else LATE) == code
    assert f"front.fault.{code.partition(' ')[0]}" in STRINGS["zh"]
