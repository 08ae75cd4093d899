"""Time stamps at sealing: over HTTP or carried as files, by an authority that openssl plays.

What is in the archive in the end is judged by `openssl ts -verify`.
"""

import hashlib
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cloud.api.services import MonthRefusedError
from cloud.closing import stamp as month_stamp
from cloud.closing.stamp import NEEDS_PACKAGE, Authority, make_request, url_fault
from cloud.errors import TimeStampError
from evidence import cose
from evidence.archive.paths import SEAL, TIMESTAMP, TIMESTAMP_SEAL
from evidence.findings import Verdict
from evidence.verifier.run import verify
from tests.unit.cloud.month_examples import ARCHIVE, Desk, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH
from tests.unit.evidence.time_authority import TimeAuthority

pytestmark = pytest.mark.needs("openssl")


class Handler(BaseHTTPRequestHandler):
    """An authority's web server, honest at /tsr and not so elsewhere."""

    def do_POST(self) -> None:
        server: Server = self.server  # type: ignore[assignment] # it is only served by that
        request = self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append((self.path, self.headers["Content-Type"]))
        if self.path == "/moved":
            self.send_response(307)
            self.send_header("Location", "/tsr")
            self.end_headers()
            return
        self.send_response(500 if self.path == "/ill" else 200)
        self.end_headers()
        if self.path == "/endless":
            self.wfile.write(bytes(80_000))
        elif self.path == "/slow":
            for _ in range(40):
                self.wfile.write(b"x")
                self.wfile.flush()
                if server.ended.wait(0.05):
                    return
        elif self.path == "/other":
            self.wfile.write(server.authority.answer(make_request(b"another seal")))
        elif self.path == "/refusing":
            self.wfile.write(server.authority.answer(b"\x30\x03\x02\x01\x05"))
        else:
            self.wfile.write(server.authority.answer(request))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest shows enough."""


class Server(ThreadingHTTPServer):
    """Where an authority takes requests."""

    def __init__(self, authority: TimeAuthority) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.authority, self.asked = authority, list[tuple[str, str]]()
        self.ended = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    return TimeAuthority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture
def server(authority: TimeAuthority) -> Iterator[Server]:
    with Server(authority) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield serving
        serving.ended.set()
        serving.shutdown()
        thread.join()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "evidence").deliver()
    yield opened
    opened.shut()


def openssl_verifies(files: sm.Files, authority: TimeAuthority, folder: Path) -> bool:
    (folder / "seal").write_bytes(files[SEAL])
    (folder / "stamp").write_bytes(files[TIMESTAMP])
    command = ["openssl", "ts", "-verify", "-data", "seal", "-in", "stamp", "-CAfile"]
    done = subprocess.run(
        [*command, str(authority.root)], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and "Verification: OK" in done.stdout


async def test_a_seal_is_stamped_over_http_and_the_stamp_is_kept(
    desk: Desk, server: Server, tmp_path: Path
) -> None:
    desk.away = True
    named = months(desk, tmp_path / "a", stamp=Authority(server.url("/tsr")))
    facts = await named.close(sm.PLANT, MONTH, closing="final")
    assert (facts["time_stamped"], facts["time_stamp"]) == (
        True,
        "the authority's time stamp is in",
    )
    files = sm.unpack((tmp_path / "a" / ARCHIVE).read_bytes())
    assert openssl_verifies(files, server.authority, tmp_path)
    with (tmp_path / "a" / ARCHIVE).open("rb") as file:
        report = verify(file, tsa=server.authority.certificates)
    assert report.verdict is Verdict.PASSED, report.findings
    assert server.asked == [("/tsr", "application/timestamp-query")]

    close = desk.sign_close()
    again = await named.seal(sm.PLANT, MONTH)
    assert (again["time_stamped"], len(server.asked)) == (True, 1)
    later = sm.unpack((tmp_path / "a" / ARCHIVE).read_bytes())
    assert later == files | {f"seal/close-{sm.STREAM}.cose": close}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/ill", "HTTP Error 500"),
        ("/moved", "HTTP Error 307"),
        ("/endless", "more than 65536 bytes"),
        ("/slow", "timed out|took too long"),
        ("/other", "is of other bytes than this seal"),
        ("/refusing", "time stamp"),
    ],
)
async def test_a_month_is_sealed_without_what_is_no_stamp_of_it(
    path: str, why: str, desk: Desk, server: Server, tmp_path: Path
) -> None:
    named = months(desk, tmp_path, stamp=Authority(server.url(path), answer_s=0.3))
    facts = await named.close(sm.PLANT, MONTH, closing="final")
    assert facts["time_stamped"] is False
    assert facts["time_stamp"].startswith("sealed without a time stamp: ")
    assert re.search(why, facts["time_stamp"])
    assert TIMESTAMP not in sm.unpack((tmp_path / ARCHIVE).read_bytes())
    assert [asked for asked, _ in server.asked] == [path]


async def test_an_authority_that_is_away_is_asked_again_by_seal(
    desk: Desk, server: Server, tmp_path: Path
) -> None:
    away = months(desk, tmp_path, stamp=Authority("http://127.0.0.1:9/tsr"))
    facts = await away.close(sm.PLANT, MONTH, closing="final")
    assert "127.0.0.1:9/tsr gave no time stamp" in facts["time_stamp"]
    back = months(desk, tmp_path, stamp=Authority(server.url("/tsr")))
    assert (await back.seal(sm.PLANT, MONTH))["time_stamped"] is True


async def test_a_stamp_carried_as_a_file_is_put_in(
    desk: Desk, authority: TimeAuthority, tmp_path: Path
) -> None:
    archive = tmp_path / ARCHIVE
    await months(desk, tmp_path).close(sm.PLANT, MONTH, closing="final")
    before = archive.read_bytes()
    sealed = sm.unpack(before)[SEAL]
    reply = authority.answer(make_request(sealed))
    for wrong in (b"junk", authority.answer(make_request(b"other")), reply + b"\0", bytes(70_000)):
        with pytest.raises(MonthRefusedError, match="is not put in, and the archive is as it was"):
            await months(desk, tmp_path).seal(sm.PLANT, MONTH, reply=wrong)
        assert archive.read_bytes() == before

    facts = await months(desk, tmp_path).seal(sm.PLANT, MONTH, reply=reply)
    assert (facts["time_stamped"], facts["time_stamp"]) == (True, "the time stamp given is in")
    files = sm.unpack(archive.read_bytes())
    over = cose.parse(files.pop(TIMESTAMP_SEAL))
    assert (over.typ, over.payload) == ("stackproof-stamp+cose", hashlib.sha256(reply).digest())
    assert files == sm.unpack(before) | {TIMESTAMP: reply}
    assert openssl_verifies(sm.unpack(archive.read_bytes()), authority, tmp_path)
    again = authority.answer(make_request(sealed))  # a newer one takes its place
    await months(desk, tmp_path).seal(sm.PLANT, MONTH, reply=again)
    assert sm.unpack(archive.read_bytes())[TIMESTAMP] == again != reply


async def test_what_is_no_stamp_is_not_kept(desk: Desk, tmp_path: Path) -> None:
    archive = tmp_path / ARCHIVE
    await months(desk, tmp_path).close(sm.PLANT, MONTH, closing="final")
    honest = archive.read_bytes()
    spoilt = sm.repack(sm.unpack(honest) | sm.stamped(b"junk"), manifest=False)
    (tmp_path / ARCHIVE).write_bytes(spoilt)
    facts = await months(desk, tmp_path).seal(sm.PLANT, MONTH)
    assert facts["time_stamped"] is False
    assert archive.read_bytes() == honest


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(month_stamp, "is_available", lambda: False)
    with pytest.raises(TimeStampError, match="pip install 'stackproof\\[tsa\\]'"):
        make_request(b"seal")
    assert url_fault("https://tsa.example/") == NEEDS_PACKAGE


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://tsa.example/tsr", None),
        ("https://tsa.example:8443", None),
        ("file:///etc/passwd", "is not"),
        ("ftp://tsa.example/", "is not"),
        ("tsa.example", "is not"),
        ("http://", "is not"),
        ("http://tsa.example:99999/", "Port out of range"),
        ("https://me:secret@tsa.example/", "must not hold a password"),
    ],
)
def test_addresses(url: str, fault: str | None) -> None:
    found = url_fault(url)
    assert (found is None) if fault is None else (found is not None and fault in found)
