"""Persons who sign in at the team's own proxy: whom the front believes, and whom not."""

from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from cloud.front.config import SignIn
from cloud.front.readers import signed_in
from tests.unit.cloud.front.front_examples import PROXY, READER, FakeSlice, Fronted

BY_PROXY = [("Authorization", f"Bearer {PROXY * 8}")]


@pytest.mark.parametrize(
    ("headers", "status", "shown"),
    [
        ([*BY_PROXY, ("X-Forwarded-User", "li.wei")], 200, "li.wei"),
        ([*BY_PROXY, ("X-Forwarded-User", "李伟".encode())], 200, "李伟"),
        ([*BY_PROXY, ("X-Forwarded-User", "<b>x</b>")], 200, "&lt;b&gt;x&lt;/b&gt;"),
        # a person whom nobody but the proxy may name, and one whom it does not name
        ([("X-Forwarded-User", "li.wei")], 401, ""),
        ([("Authorization", f"Bearer {READER * 8}"), ("X-Forwarded-User", "li.wei")], 200, ""),
        (BY_PROXY, 403, ""),
        ([*BY_PROXY, ("X-Forwarded-User", "")], 403, ""),
        ([*BY_PROXY, ("X-Forwarded-User", "a"), ("X-Forwarded-User", "b")], 403, ""),
        ([*BY_PROXY, ("X-Forwarded-User", "x" * 201)], 403, ""),
    ],
)
def test_whom_the_proxy_signs_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, headers: Any, status: int, shown: str
) -> None:
    fronted = Fronted(tmp_path, {"north": FakeSlice()}, reader=READER, proxy=PROXY)
    caplog.set_level("INFO")
    for path in ("/en/", "/api/v1/collectors"):
        answer = fronted.client.get(path, headers=headers)
        assert answer.status_code == status
    page = fronted.client.get("/en/", headers=headers).text
    assert (f'<span translate="no">{shown}</span> <a href="/out">' in page) == bool(shown)
    told = [one for one in caplog.messages if "begins to read" in one]
    assert len(told) == (status == 200), "once a visit"
    assert f"{PROXY * 8}" not in caplog.text
    bytes_of_none = Headers(raw=[(b"x-forwarded-user", b"\xff")])
    assert signed_in(bytes_of_none, SignIn("", "X-Forwarded-User", "")) is None
