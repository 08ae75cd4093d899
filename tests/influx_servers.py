"""Servers that speak what the product needs of InfluxDB: `/api/v2/write` and InfluxQL's `/query`.

Two of them, behind one front: `Fake` keeps what it is given in a dict and reads only the questions
that the product asks; `Real` is a front for an `influxd` 1.6.7, which has no v2 API of its own.
No InfluxDB 1.8, 2 or 3 was run with these tests.
"""

import gzip
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from tests.ports import free_port

TOKEN, BUCKET = "only-of-these-tests", "stackproof"
#: one of 1.8's buckets, which keeps rows for so many days; `BUCKET` keeps all
QUARTER, QUARTER_DAYS = f"{BUCKET}/quarter", 90
#: a field has one type in a shard: of as many seconds in `BUCKET`, InfluxDB's choice
SHARD_S = 7 * 86_400
_QUARTER = f'CREATE RETENTION POLICY quarter ON "{BUCKET}" DURATION {QUARTER_DAYS}d REPLICATION 1'
Answer = tuple[int, dict[str, Any]]
_LINE = re.compile(r"(?P<name>\w+),(?P<tags>(?:\\.|[^ \\])+) (?P<fields>[^ ]+) (?P<time>\d+)")
_TAG = re.compile(r"(\w+)=((?:\\.|[^,\\])*)")
_ASKED = re.compile(
    r'SELECT (?P<fields>.+) FROM "(?P<name>\w+)" WHERE (?P<where>.+) AND time >= (?P<first>\d+)'
    r" AND time < (?P<stop>\d+) GROUP BY (?P<tags>.+)"
)

_AGED = (
    "dropped 1 points outside retention policy of duration 2160h0m0s - oldest point minute at"
    " 2022-05-09T10:22:00Z dropped because it violates a Retention Policy Lower Bound at"
    " 2025-03-05T16:34:57Z, newest point minute at 2025-02-23T14:44:00Z dropped because it violates"
    " a Retention Policy Lower Bound at 2025-03-05T16:34:57Z dropped=1"
)
_CONFLICT = (
    'field type conflict: input field "{}" on measurement "{}" is type {}, already exists as type'
    " {} dropped=1"
)


def _numbers(fields: str) -> dict[str, int | float]:
    """Of a line's fields; none where one is no number."""
    told = dict(one.split("=") for one in fields.split(","))
    if not all(re.fullmatch(r"-?\d+(i|\.\d+)", value) for value in told.values()):
        return {}
    return {k: int(v[:-1]) if v[-1] == "i" else float(v) for k, v in told.items()}


class Engine(Protocol):
    def write(self, lines: str, policy: str = "") -> Answer: ...

    def query(self, asked: dict[str, str]) -> Answer: ...

    def empty(self) -> int:
        """Its bucket is dropped and made again; 200 when it is."""
        ...


class Fake:
    """Rows by measurement, tags and time, refused in the words of an InfluxDB 2.

    Attributes:
        rows: key -> fields.
        types: measurement, shard and field -> what it was first, which it stays.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, int | float]] = {}
        self.types: dict[tuple[str, int, str], str] = {}

    def write(self, lines: str, policy: str = "") -> Answer:
        oldest_s = int(time.time()) - QUARTER_DAYS * 86_400 if policy else 0
        refused = ""
        for line in lines.splitlines():
            found = _LINE.fullmatch(line)
            numbers = {} if found is None else _numbers(found["fields"])
            if found is None or not numbers:
                return 400, {"code": "invalid", "message": f"unable to parse {line!r}"}
            if int(found["time"]) < oldest_s:
                refused = refused or _AGED
            elif conflict := self._conflict(found["name"], int(found["time"]), numbers):
                refused = conflict  # this is what they tell of, if of one
            else:
                tags = _TAG.findall(found["tags"])
                key = tuple((name, re.sub(r"\\(.)", r"\1", value)) for name, value in tags)
                row = self.rows.setdefault((found["name"], key, int(found["time"])), {})
                row.update(numbers)
        if not refused:
            return 204, {}
        said = f"failure writing points to database: partial write: {refused}"
        return 422, {"code": "unprocessable entity", "message": said}

    def _conflict(self, name: str, at_s: int, numbers: dict[str, int | float]) -> str:
        for field, number in numbers.items():
            kind = {int: "integer", float: "float"}[type(number)]
            first = self.types.setdefault((name, at_s // SHARD_S, field), kind)
            if first != kind:
                return _CONFLICT.format(field, name, kind, first)
        return ""

    def empty(self) -> int:
        self.rows.clear()
        self.types.clear()
        return 200

    def query(self, asked: dict[str, str]) -> Answer:
        found = _ASKED.fullmatch(asked["q"])
        if asked["db"] != BUCKET or found is None:
            return 200, {"results": [{"error": f"database not found: {asked['db']}"}]}
        where = set(re.findall(r"\"(\w+)\" = '([^']*)'", found["where"]))
        names = [name.strip('" ') for name in found["fields"].split(",")]
        kept = [name.strip('" ') for name in found["tags"].split(",")]
        first, stop = int(found["first"]), int(found["stop"])
        series: dict[str, dict[str, Any]] = {}
        for (name, tags, at_s), fields in sorted(self.rows.items()):
            if name != found["name"] or not where <= set(tags):
                continue
            if not first <= at_s * 10**9 < stop:
                continue
            shown = {key: value for key, value in tags if key in kept}
            one = series.setdefault(
                json.dumps(shown), {"name": name, "tags": shown, "columns": ["time", *names]}
            )
            one.setdefault("values", []).append([at_s, *map(fields.get, names)])
        result = {"statement_id": 0} | ({"series": list(series.values())} if series else {})
        return 200, {"results": [result]}


class Real:
    """An influxd 1.x at an address; what it says of an error is said as 2 would."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, lines: str, policy: str = "") -> Answer:
        of = {"db": BUCKET, "precision": "s"} | ({"rp": policy} if policy else {})
        code, told = self._ask(f"/write?{urllib.parse.urlencode(of)}", lines.encode())
        said = str(told.get("error", ""))
        kind = "unprocessable entity" if "partial write" in said else "invalid"
        return (204, {}) if code == 204 else (code, {"code": kind, "message": said})

    def query(self, asked: dict[str, str]) -> Answer:
        return self._ask(f"/query?{urllib.parse.urlencode(asked)}", None)

    def order(self, statement: str) -> Answer:
        return self._ask("/query", urllib.parse.urlencode({"q": statement}).encode())

    def empty(self) -> int:
        made = f'DROP DATABASE "{BUCKET}"; CREATE DATABASE "{BUCKET}"; {_QUARTER}'
        return self.order(made)[0]

    def _ask(self, path: str, data: bytes | None) -> Answer:
        try:
            with urllib.request.urlopen(self.url + path, data, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")


class Front(ThreadingHTTPServer):
    """An engine behind HTTP on a free port of loopback.

    Attributes:
        refuses: a status it answers every write with, 0 for none.
        only: part of a line that must be in a write which is refused so.
        page: the answer to a write that is refused so, as a proxy has them; b"" for InfluxDB's.
        is_gone: its bucket was dropped.
        tokens: every Authorization header it was sent.
        written, refused: writes it took, and those it refused so.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.engine, self.refuses, self.only = engine, 0, ""
        self.page, self.is_gone = b"", False
        self.written = self.refused = 0
        self.tokens = list[str | None]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quietly."""

    def do_GET(self) -> None:
        self._answer(self._query())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self._answer(self._write(body.decode()))

    def _write(self, lines: str) -> Answer:
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if not self._is_known():
            return 401, {"code": "unauthorized", "message": "unauthorized access"}
        is_known = asked["bucket"] in (BUCKET, QUARTER) and asked["precision"] == "s"
        if path != "/api/v2/write" or not is_known or self.server.is_gone:
            return 404, {"code": "not found", "message": f"bucket {asked['bucket']!r} not found"}
        if self.server.refuses and self.server.only in lines:
            self.server.refused += 1
            said = f"come back later, {self.headers['Authorization']}"  # as a proxy's page may
            return self.server.refuses, {"code": "unavailable", "message": said}
        self.server.written += 1
        return self.server.engine.write(lines, asked["bucket"].partition("/")[2])

    def _query(self) -> Answer:
        query = self.path.partition("?")[2]
        if not self._is_known():
            return 401, {"error": "unauthorized access"}
        return self.server.engine.query(dict(urllib.parse.parse_qsl(query)))

    def _is_known(self) -> bool:
        self.server.tokens.append(self.headers.get("Authorization"))
        return self.headers.get("Authorization") == f"Token {TOKEN}"

    def _answer(self, answer: Answer) -> None:
        code, told = answer
        body = b"" if code == 204 else json.dumps(told).encode()
        if self.command == "POST" and code == self.server.refuses:
            body = self.server.page or body
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(engine: Engine) -> Iterator[Front]:
    front = Front(engine)
    thread = threading.Thread(target=front.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield front
    finally:
        front.shutdown()
        thread.join()
        front.server_close()


_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{http}"
log-enabled = false
"""


@contextmanager
def influxd(folder: Path) -> Iterator[Real]:
    """Debian's influxd with an empty database; its log is in the folder."""
    folder.mkdir()
    http = free_port()
    config = folder / "influxd.conf"
    config.write_text(_CONFIG.format(folder=folder, http=http, rpc=free_port()))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["influxd", "-config", str(config)], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            real = Real(f"http://127.0.0.1:{http}")
            _wait(real, process)
            yield real
        finally:
            process.terminate()
            process.wait(10)


def _wait(real: Real, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        try:
            if real.empty() == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("influxd did not come up: see its log")
