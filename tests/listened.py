"""What an agent or a relay answers where its [metrics] says."""

import urllib.request
from urllib.error import HTTPError


def answer(url: str, method: str = "GET") -> tuple[int, str]:
    """(status, text); URLError: nobody is there."""
    request = urllib.request.Request(url, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=10) as response:
            assert response.headers["Cache-Control"] == "no-store"  # of this moment alone
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
