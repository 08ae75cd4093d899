"""Site orders: every field's shape, whose signature counts, and that no other order is one."""

from typing import Any

import pytest

from evidence import cbor, cose
from evidence.blocks import compress
from evidence.errors import EvidenceError, LimitError, MalformedError, SignatureError
from evidence.keys import FileSigner
from evidence.orders import Revoke, decode_order, encode_order
from evidence.site_order import (
    NUMBER_MAX,
    SITE_BYTES_MAX,
    TYP_SITE_ORDER,
    SiteOrder,
    decode_site_order,
    encode_site_order,
)
from tests.unit.evidence.small_plant import keys, signer

ROOT = keys().root
FIELDS: dict[str, Any] = {
    "plant": "p", "stream": "s", "number": 1, "site": b"format = 1\n", "reason": "new meter",
}  # fmt: skip


def signed(fields: Any, by: FileSigner = ROOT, **labels: Any) -> bytes:
    header = {cose.TYP: TYP_SITE_ORDER, **{int(k[1:]): v for k, v in labels.items()}}
    return cose.sign(by, header, compress(cbor.encode(fields), 0))


def test_it_is_the_map_of_its_fields() -> None:
    order = SiteOrder(**FIELDS)
    assert decode_site_order(signed(FIELDS), ROOT.public_key) == order
    data = encode_site_order(order, ROOT)
    assert (cose.parse(data).typ, set(cose.parse(data).header)) == (TYP_SITE_ORDER, {1, 4, 16})
    assert decode_site_order(data, ROOT.public_key) == order


@pytest.mark.parametrize(
    "wrong",
    [
        {"plant": "P"}, {"stream": ""}, {"number": 0}, {"number": NUMBER_MAX + 1}, {"number": True},
        {"number": "1"}, {"site": b""}, {"site": "text"}, {"site": bytes(SITE_BYTES_MAX + 1)},
        {"reason": ""}, {"reason": "x" * 201}, {"more": 1},
    ],
)  # fmt: skip
def test_fields_that_are_not_as_they_must_be(wrong: dict[str, Any]) -> None:
    with pytest.raises((MalformedError, LimitError)):
        decode_site_order(signed(FIELDS | wrong), ROOT.public_key)
    if "more" not in wrong:
        with pytest.raises(MalformedError):
            encode_site_order(SiteOrder(**FIELDS | wrong), ROOT)


@pytest.mark.parametrize(
    "data",
    [signed({}), signed([]), signed(FIELDS, l15={}), b"", encode_order(
        Revoke("p", "s", bytes(32), None, "stolen"), ROOT)],
)  # fmt: skip
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        decode_site_order(data, ROOT.public_key)


def test_only_the_root_s_counts_and_only_as_what_it_is() -> None:
    with pytest.raises(SignatureError):
        decode_site_order(signed(FIELDS, signer(9)), ROOT.public_key)
    with pytest.raises(EvidenceError, match="unknown to this program"):
        decode_order(signed(FIELDS), ROOT.public_key)
