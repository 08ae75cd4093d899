"""What fuzzing found once, with the bytes that showed it."""

from pathlib import Path

import numpy as np
import pytest
from cryptography import x509

from edge.custody import judge_close_request
from edge.errors import NotOursError
from edge.pipeline import Layout, decode_tick
from evidence import cbor
from evidence.errors import MalformedError
from evidence.keys import certificate_from_der, certificate_to_der
from evidence.receipt import encode_close_request
from tests.unit.cloud import app_examples
from tests.unit.edge import sites
from tests.unit.edge.stream_rig import Rig, collector, opened
from tests.unit.edge.test_pipeline import PLAIN, T0
from tests.unit.evidence import sealed_month as sm


@pytest.mark.filterwarnings("default")  # as outside of tests: the library warns and goes on
def test_a_certificate_of_a_negative_serial_number_is_none() -> None:
    """RFC 5280 §4.1.2.2; the library's next release raises something else at it."""
    der = bytearray(certificate_to_der(sm.keys().certificates["gateway"]))
    serial = sm.keys().certificates["gateway"].serial_number
    der[der.index(serial.to_bytes(serial.bit_length() // 8 + 1))] |= 0x80
    with pytest.warns(UserWarning, match="serial number"):
        assert x509.load_der_x509_certificate(bytes(der)).serial_number < 0
    with (
        pytest.warns(UserWarning, match="serial number"),
        pytest.raises(MalformedError, match="serial number"),
    ):
        certificate_from_der(bytes(der))


@pytest.mark.parametrize("place", [0, 1, 3])
def test_an_open_tick_with_a_part_of_another_type_is_none(place: int) -> None:
    raw = np.array([1, 2], dtype="<u2").tobytes()
    parts = [0, T0, [[0, raw, bytes(2), bytes(8)]], bytes(8)]
    assert decode_tick(Layout(PLAIN), cbor.encode(parts)).tick_ns == T0
    parts[place] = None
    with pytest.raises(MalformedError):
        decode_tick(Layout(PLAIN), cbor.encode(parts))


def test_a_request_with_a_number_that_is_no_json_is_refused_in_json() -> None:
    said = app_examples.make_client().post(
        "/api/v1/months/mini/2026-09/close", content=b'{"closing": NaN}',
        headers={"Authorization": f"Bearer {app_examples.TOKEN}",
                 "Content-Type": "application/json"},
    )  # fmt: skip
    assert said.status_code == 422
    assert said.json()["detail"][0]["loc"] == ["body", "closing"]


def test_a_close_request_for_a_seq_no_spool_can_hold_is_refused(tmp_path: Path) -> None:
    """SQLite's integers end at 2^63 - 1, a message's at 2^64 - 1."""
    spool, stream = opened(tmp_path / "spool.sqlite")
    rig = Rig(spool, stream, collector())
    rig.made(3)
    asked = rig.collector.close_request(seq=2**64 - 1)
    data = encode_close_request(asked, sites.keys().collector_signer)
    with pytest.raises(NotOursError, match="unknown here"):
        judge_close_request(data, spool, sites.who())
    spool.close()
