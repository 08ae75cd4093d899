"""A collector that answers as it is told, for commands that ask one."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

TOKEN = "t" * 32


class FakeCollector(HTTPServer):
    """Answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, Any, str]] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.kinds: dict[str, str] = {}  # of answers, by path; without, none is said

    def answer(self, path: str, body: Any, status: int = 200) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[f"/api/v1/{path}"] = status, data


class _Handler(BaseHTTPRequestHandler):
    server: FakeCollector

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        self.server.asked.append(
            (self.command, self.path, body, self.headers.get("Authorization", ""))
        )
        # a collector of before knows no `newest`, and answers as without it
        path = self.path.replace("?newest=13&", "?").removesuffix("?newest=13")
        status, data = self.server.answers[path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if self.path in self.server.kinds:
            self.send_header("Content-Type", self.server.kinds[self.path])
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
