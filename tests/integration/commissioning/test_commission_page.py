"""`stackproof edge commission` by HTTP, without a browser: what it does, and what it refuses."""

import asyncio
import hashlib
import http.client
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from edge.clock import SystemClock
from edge.commissioning.page.server import AT_ONCE_MAX, PageServer, serving
from edge.commissioning.page.session import Session
from edge.commissioning.site_part import read_part
from edge.errors import EdgeError
from edge.spool import Spool
from tests.integration.commissioning.field import Said, edge, site_at, with_url
from tests.integration.drivers.modbus_responder import Responder
from tests.unit.edge.sites import AC, replaced, write_site

TOKEN = "T" * 22


@dataclass
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Words without tags."""
        plain = re.sub(r"<[^>]+>", " ", self.body.decode())
        return re.sub(r"\s+", " ", plain)


@dataclass
class Page:
    """The page of a site whose AC meter is ours, asked as a browser does."""

    server: PageServer
    session: Session
    site: Path
    meter: Responder

    async def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Got:
        return await asyncio.to_thread(self._ask, method, path, body, headers)

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Got:
        host, port = self.server.server_address[:2]
        connection = http.client.HTTPConnection(str(host), port, timeout=20)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        got = Got(answer.status, dict(answer.headers), answer.read())
        connection.close()
        return got

    async def get(self, path: str, **headers: str) -> Got:
        return await self.ask("GET", f"/{TOKEN}/{path}", None, **headers)

    async def post(self, path: str, **form: str) -> Got:
        """The page that a form leads to."""
        got = await self.ask("POST", f"/{TOKEN}/{path}", urlencode(form))
        if got.status != 303:
            return got
        return await self.ask("GET", got.headers["Location"].partition("#")[0])


@pytest.fixture
async def page(tmp_path: Path, meter: Responder) -> AsyncIterator[Page]:
    site = site_at(tmp_path, meter)
    session = Session(site, read_part(site), SystemClock(), 1.0)
    with serving(session, "127.0.0.1", 0, TOKEN) as server:
        yield Page(server, session, site, meter)


async def test_from_the_device_to_the_record(page: Page, tmp_path: Path) -> None:
    """Doctor, register view, a refused and a good face value, and the file."""
    assert "not asked yet" in (await page.get("en/devices")).text
    assert page.meter.questions == []
    told = (await page.post("en/examine")).text
    assert "ac-1 answers" in told
    assert "gas-1 does not work: network connection" in told
    told = (await page.post("en/read/ac-1.power")).text
    assert "8000.00 kW good" in told  # 0.5 kW × 800/5 × 10000/100
    assert "Raw words 0x0000 0xC350" in told
    assert re.search(r"i32 50000 the site file(&#x27;|')s", told)
    assert "holding 0x0017 -1" in told
    typed = {"face": "8,010", "tolerance": "0.1", "instrument": "panel", "by": "Li Wei"}
    asked = len(page.meter.questions)
    refused = await page.post("zh/face/ac-1.power", **typed)
    assert "不是数字" in refused.text
    assert b'value="8,010" aria-invalid="true"' in refused.body
    assert len(page.meter.questions) == asked
    told = (await page.post("en/face/ac-1.power", **(typed | {"face": "8010"}))).text
    # 8000 against 8010: 10 of 8.01 allowed, 0.12484 %
    assert "outside tolerance" in told
    assert "-10.00 kW Difference in % of the face value -0.12 %" in told
    assert "-1000 counts; 1 count as signed = 0.01 kW" in told
    told = (await page.post("en/make")).text
    assert "some points have no value" in told
    saved = await page.get("en/record.html/save")
    assert hashlib.sha256(saved.body).hexdigest() in told
    assert re.search(r'filename="commissioning-north-works-edge-1-\w+Z.html"',
                     saved.headers["Content-Disposition"])  # fmt: skip
    assert b"0.1 %" in saved.body
    assert saved.body.count(b'<td class="blank"></td>') == 4 * 14
    out = tmp_path / "command.html"
    assert await edge("record", page.site, "--by", "Li Wei", "--out", out) == 1
    assert heads(out.read_text()) == heads(saved.body.decode())
    await page.post("en/forget/ac-1.power")
    assert (await page.get("en/record.html")).status == 404  # the record is of before


def heads(text: str) -> list[str]:
    return re.findall(r"<h2>.*?</h2>|<th>.*?</th>", text)


async def test_a_name_is_needed_and_stays(page: Page) -> None:
    assert "Write your name" in (await page.post("en/make", by=" ")).text
    await page.post("en/face/ac-1.frequency", face="50", by="Li Wei")
    told = (await page.post("en/make", by="Wang Fang")).text
    assert "typed by Li Wei, and a record has one name" in told
    assert page.session.made is None


async def test_of_two_who_type_at_once_one_is_told_whose_record_it_is(page: Page) -> None:
    """Both passed, and what the first had typed was recorded under the other's name."""
    with page.session._asking:
        two = [
            asyncio.create_task(page.post(f"en/face/ac-1.{point}", face="50", by=name))
            for point, name in (("power", "Li Wei"), ("frequency", "Wang Fang"))
        ]
        await asyncio.sleep(0.3)  # both have come as far as they come before the other is done
    refused = [got for got in await asyncio.gather(*two) if "a record has one name" in got.text]
    assert (len(refused), len(page.session.entries)) == (1, 1)


async def test_beside_an_agent_a_person_is_asked_first(page: Page) -> None:
    spool = Spool(page.session.part.site.gateway.spool, bytes_max=2**20)
    try:
        assert "The agent is running" in (await page.get("en/devices")).text
        for path in ("en/examine", "en/examine/ac-1", "en/read/ac-1.power"):
            assert "Nothing was asked" in (await page.post(path)).text
        assert page.meter.connections == 0
        assert "8000.00" in (await page.post("en/read/ac-1.power", beside="yes")).text
        assert "8000.00" in (await page.post("en/read/ac-1.power")).text  # said once is enough
        assert "Nothing was asked" in (await page.post("en/make", by="Li Wei")).text
        assert "8000.00" in (await page.post("en/examine", beside="yes")).text
        page.site.write_text(replaced(page.site.read_text(), {"800/5": "400/5"}))
        await page.post("en/reload")  # of another device nobody has said so
        assert "Nothing was asked" in (await page.post("en/read/ac-1.power")).text
    finally:
        spool.close()
    assert await page.meter.settled() == 0  # nothing is held between two questions


async def test_a_corrected_site_file(page: Page) -> None:
    """What was typed of a device that was changed is forgotten; mistakes keep the old one."""
    await page.post("en/face/ac-1.power", face="8000", by="Li Wei", instrument="A12")
    assert "the host is there" in (await page.post("en/broker")).text
    text = page.site.read_text()
    page.site.write_text(replaced(text, {'ct_ratio = "800/5"\n': ""}))
    told = (await page.post("en/reload")).text
    assert "ct_ratio: ac-1: is missing" in told
    assert set(page.session.entries) == {"ac-1.power"}
    page.site.write_text(replaced(text, {"800/5": "400/5"}))
    assert "changed since it was read" in (await page.post("en/make", by="Li Wei")).text
    assert "is missing" not in (await page.post("en/reload")).text
    assert page.session.entries == page.session.instruments == {}
    assert "the host is there" in (await page.get("en/round-trip")).text
    page.site.write_text(replaced(page.site.read_text(), {"edge-1": "edge-2"}))
    await page.post("en/reload")
    assert "the host is there" not in (await page.get("en/round-trip")).text
    assert "4000.00 kW" in (await page.post("en/read/ac-1.power")).text


async def test_clock_and_round_trip_where_nothing_is_signed(page: Page) -> None:
    assert "not known yet" in (await page.get("en/clock")).text
    assert "This machine signs nothing yet" in (await page.get("en/round-trip")).text
    assert "This machine signs nothing yet" in (await page.post("en/trip")).text
    assert "本机尚未签名任何内容" in (await page.get("zh/round-trip")).text
    assert "refused: the host is there" in (await page.post("en/broker")).text


async def test_what_is_refused(page: Page) -> None:
    good = f"/{TOKEN}/en/devices"
    for method, path, headers, status in (
        ("GET", "/", {}, 404),
        ("GET", "/wrong/en/devices", {}, 404),
        ("GET", good, {"Host": "evil.example"}, 403),
        ("POST", f"/{TOKEN}/en/examine", {"Origin": "http://evil.example"}, 403),
        ("GET", f"/{TOKEN}/en/point/ac-1.nothing", {}, 404),
        ("POST", f"/{TOKEN}/en/read/ac-1.nothing", {}, 404),
        ("POST", f"/{TOKEN}/en/devices", {}, 404),
        ("POST", f"/{TOKEN}/en/examine", {"Content-Length": "5000"}, 413),
        ("POST", f"/{TOKEN}/en/examine", {"Content-Length": "-1"}, 411),
        ("GET", "/static/../server.py", {}, 404),
        ("GET", f"/{TOKEN}/en/record.html", {}, 404),
        ("DELETE", good, {}, 501),
    ):
        got = await page.ask(method, path, "" if method == "POST" else None, **headers)
        assert got.status == status, (method, path, headers)
        assert "default-src 'none'" in got.headers["Content-Security-Policy"]
        assert TOKEN not in got.text
    assert page.meter.questions == []


async def test_headers_of_a_page(page: Page) -> None:
    got = await page.get("en/devices")
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["Server"] == "stackproof"
    assert "script-src" not in got.headers["Content-Security-Policy"]  # default-src: none runs
    assert "Set-Cookie" not in got.headers


async def test_who_holds_connections_keeps_nobody_out_for_long(page: Page) -> None:
    """More than there are seats: those beyond are hung up on; a seat that is left is free."""
    address = page.server.server_address[:2]
    held = [socket.create_connection(address) for _ in range(AT_ONCE_MAX)]  # type: ignore[arg-type]  # an IPv4 one
    beyond = socket.create_connection(address)  # type: ignore[arg-type]  # an IPv4 one
    beyond.settimeout(5)
    assert await asyncio.to_thread(beyond.recv, 1) == b""
    for one in (*held, beyond):
        one.close()
    for _ in range(100):
        try:
            assert (await page.get("en/devices")).status == 200
            break
        except ConnectionError:
            await asyncio.sleep(0.02)
    else:
        pytest.fail("no seat became free")


async def test_a_site_file_with_nothing_but_a_device(
    tmp_path: Path, meter: Responder, said: Said
) -> None:
    """The command as typed, in a process of its own."""
    site = write_site(tmp_path, "format = 1\n" + with_url(AC, meter.port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stackproof", "edge", "commission", site, "--listen", "[::1]:0",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    url = re.fullmatch(r"open http://\[::1\]:(\d+)(/\S{22}/) \(Ctrl-C ends it\)\n", line)
    assert url is not None
    connection = http.client.HTTPConnection("::1", int(url[1]), timeout=20)
    await asyncio.to_thread(connection.request, "GET", f"{url[2]}en/round-trip")
    text = connection.getresponse().read().decode()
    connection.close()
    assert "no [plant], [gateway], [uplink], [statement] yet" in text
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize("listen", ["0.0.0.0:8610", "192.0.2.7:1", "localhost", "127.0.0.1:70000"])
async def test_it_listens_on_loopback_alone(listen: str, tmp_path: Path, said: Said) -> None:
    with pytest.raises(SystemExit):
        await edge("commission", tmp_path / "site.toml", "--listen", listen)


async def test_a_port_that_is_taken(page: Page) -> None:
    with (
        pytest.raises(EdgeError, match="name another: --listen"),
        serving(page.session, "127.0.0.1", page.server.server_port, TOKEN),
    ):
        pass
