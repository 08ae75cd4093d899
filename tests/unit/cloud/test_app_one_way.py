"""The routes of one-way sites: who may use them, and every refusal with its sentence."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any, BinaryIO

import pytest

from cloud.api import one_way
from cloud.errors import StoreError
from evidence.errors import MalformedError
from tests.unit.cloud.app_examples import TOKEN, make_app, make_client

BEARER = {"Authorization": f"Bearer {TOKEN}"}


class OneWay:
    """Remembers what it was given; fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken: list[bytes] = []
        self._error = error

    def incoming(self) -> BinaryIO:
        if isinstance(self._error, OSError):
            raise self._error
        return io.BytesIO()

    def put(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)

    async def take(self, file: BinaryIO) -> Mapping[str, Any]:
        if self._error is not None:
            raise self._error
        file.seek(0)
        self.taken.append(file.read())
        return {"accepted": 3}

    async def receipts(self, plant: str) -> tuple[bytes, Mapping[str, str]]:
        if self._error is not None:
            raise self._error
        return f"receipts of {plant}".encode(), {"edge-2": "why"}


def test_a_file_is_taken_in_whole_and_in_pieces() -> None:
    by = OneWay()
    client = make_client(make_app(one_way=by))
    large = bytes(range(256)) * 12_000
    answer = client.post("/api/v1/imports", content=large, headers=BEARER)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 3})
    pieces = client.post("/api/v1/imports", content=iter([b"a", b"", b"bc"]), headers=BEARER)
    assert pieces.status_code == 200
    assert by.taken == [large, b"abc"]


def test_a_sender_who_goes_away_is_no_defect() -> None:
    """As `stackproof cloud import` of a file that is not there: nothing is taken or raised."""
    by, told = OneWay(), list[Any]()
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/imports", "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", BEARER["Authorization"].encode())],
        "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "server": ("localhost", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def tell(message: Any) -> None:
        told.append(message)

    asyncio.run(make_app(one_way=by)(scope, gone, tell))
    assert (by.taken, told[0]["status"]) == ([], 400)


def test_both_need_the_token() -> None:
    by = OneWay()
    client = make_client(make_app(one_way=by))
    assert client.post("/api/v1/imports", content=b"x").status_code == 401
    assert client.get("/api/v1/plants/mini/receipts").status_code == 401
    assert by.taken == []


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_way, "FILE_BYTES_MAX", 1_000)
    by = OneWay()
    client = make_client(make_app(one_way=by))
    assert client.post("/api/v1/imports", content=b"x" * 1_000, headers=BEARER).status_code == 200
    answer = client.post("/api/v1/imports", content=b"x" * 1_001, headers=BEARER)
    assert answer.status_code == 413
    assert len(by.taken) == 1


@pytest.mark.parametrize(
    ("error", "importing", "exporting", "words"),
    [
        (MalformedError("cut"), 422, None, "this is no exported spool as it was written: cut"),
        (LookupError("plant maxi: not here"), 404, 404, "plant maxi: not here"),
        (StoreError("disk full"), 503, 503, "disk full"),
        (OSError(28, "No space left on device"), 503, None, "(No space left on device): make room"),
    ],
)
def test_refusals_are_sentences(
    error: Exception, importing: int, exporting: int | None, words: str
) -> None:
    client = make_client(make_app(one_way=OneWay(error)))
    answer = client.post("/api/v1/imports", content=b"x", headers=BEARER)
    assert answer.status_code == importing
    assert words in answer.json()["detail"]
    if exporting is not None:
        answer = client.get("/api/v1/plants/mini/receipts", headers=BEARER)
        assert (answer.status_code, answer.json()["detail"]) == (exporting, words)


def test_a_receipt_file_is_given_with_what_is_not_in_it() -> None:
    answer = make_client(make_app(one_way=OneWay())).get(
        "/api/v1/plants/mini/receipts", headers=BEARER
    )
    assert answer.status_code == 200
    assert answer.json() == {"file": "cmVjZWlwdHMgb2YgbWluaQ==", "withheld": {"edge-2": "why"}}
