"""`stackproof edge doctor` on machine and broker: permission, clock and broker, each failing."""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.commissioning.doctor_machine import clock_checks, permission_checks
from edge.commissioning.findings import Check, State
from edge.site.config import Site, load_site
from edge.spool import Spool
from edge.spool_reader import State as Key
from evidence.frame import Clock as ClockState
from evidence.keys import certificate_to_pem, issue
from tests.integration.commissioning.field import AC_WORDS, Said, edge, site_at, with_url
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.edge.brokers import NAMES, Broker
from tests.unit.edge.sites import (
    AC,
    GATEWAY,
    METERS,
    PLANT,
    keys,
    root_certificate,
    write_keys,
    write_site,
)

NS = 1_000_000_000
NOW_NS = 1_793_534_400 * NS  # date -ud 2026-11-01T12:00 +%s
NOBODY = 65534


class Stopped:
    """A clock that stands, kept right by something."""

    def __init__(self, now_ns: int = NOW_NS, error_ms: int | None = 3) -> None:
        self.now_ns, self.error_ms = now_ns, error_ms

    def wall_ns(self) -> int:
        return self.now_ns

    def monotonic_ns(self) -> int:
        return 0

    def state(self) -> ClockState:
        return ClockState(
            "ntp" if self.error_ms is not None else "free", self.error_ms, 0, bytes(16)
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_keys(tmp_path / "keys")
    return load_site(write_site(tmp_path, METERS))


def states(checks: list[Check]) -> list[tuple[str, State]]:
    return [(check.layer, check.state) for check in checks]


class TestPermission:
    """State folder, keys."""

    def test_all_is_well(self, site: Site) -> None:
        checks = permission_checks(site)
        assert states(checks) == [("permission", State.FINE)] * 2
        assert "(to be made in" in checks[0].sentence
        assert list(site.path.parent.glob(".doctor-*")) == []

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
    def test_a_folder_that_this_user_may_not_write(self) -> None:
        with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to others
            folder = Path(name)
            folder.chmod(0o755)
            write_keys(folder / "keys")
            site = load_site(write_site(folder, METERS))
            site.gateway.state_dir.mkdir(mode=0o755)
            with _as_nobody():
                checks = permission_checks(site)
        assert states(checks)[0] == ("permission", State.FAILED)
        assert (
            f"{site.gateway.state_dir} cannot be written: Permission denied" in checks[0].sentence
        )
        assert "chmod u+rwx" in checks[0].todo
        # and the private key is its owner's alone
        assert any(
            c.sentence.startswith("gateway.key: ") for c in checks if c.state is State.FAILED
        )

    def test_a_state_folder_that_is_a_file(self, site: Site) -> None:
        site.gateway.state_dir.write_text("")
        (check, _) = permission_checks(site)
        assert (check.state, "Not a directory" in check.sentence) == (State.FAILED, True)

    def test_a_key_that_is_not_there(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "keys/edge-1.pem").unlink()
        (_, check) = permission_checks(site)
        assert check.state is State.FAILED
        assert check.sentence.startswith("gateway.key: ")
        assert "the agent's user may read it" in check.todo

    def test_a_running_agent_is_told(self, site: Site) -> None:
        site.gateway.state_dir.mkdir()
        spool = Spool(site.gateway.spool, bytes_max=site.uplink.spool_bytes_max)
        try:
            assert permission_checks(site)[-1].sentence.startswith("the agent is running")
        finally:
            spool.close()


@contextmanager
def _as_nobody() -> Iterator[None]:
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


class TestClock:
    """What speaks against the clock."""

    def test_a_clock_that_is_kept_right(self, site: Site) -> None:
        (check,) = clock_checks(site, Stopped())
        assert check.state is State.FINE
        assert check.sentence == "it is 2026-11-01 12:00:00 UTC here, kept by ntp, to 3 ms"

    def test_a_clock_that_nothing_keeps(self, site: Site) -> None:
        (check,) = clock_checks(site, Stopped(error_ms=None))
        assert (check.state, "chrony" in check.todo) == (State.WARNING, True)

    def test_a_clock_far_behind(self, site: Site) -> None:
        """After a flat battery machines wake in 1970; the certificate is of 2026."""
        (check,) = clock_checks(site, Stopped(now_ns=3600 * NS))
        assert (check.layer, check.state) == ("clock", State.FAILED)
        assert check.sentence.startswith("it is 1970-01-01 01:00:00 UTC here, and the gateway's")
        assert check.todo.startswith("if that is not the time, set the clock")

    def test_a_clock_that_was_set_back(self, site: Site) -> None:
        site.gateway.state_dir.mkdir()
        spool = Spool(site.gateway.spool, bytes_max=site.uplink.spool_bytes_max)
        spool.put({Key.THROUGH: (NOW_NS + 3600 * NS).to_bytes(8, "big")})
        spool.close()
        (check,) = clock_checks(site, Stopped())
        assert check.state is State.FAILED
        assert "readings of 2026-11-01 13:00:00 UTC are signed already" in check.sentence

    async def test_by_the_command(self, tmp_path: Path, said: Said) -> None:
        """A certificate that begins in years to come stands for a clock years behind."""
        import datetime as dt

        async with Responder(words=dict(AC_WORDS)) as meter:
            path = site_at(tmp_path, meter)
            late = issue("gateway", PLANT, GATEWAY, keys().gateway.public_key(),
                         issuer=(keys().root, root_certificate()),
                         not_before=dt.datetime(2090, 1, 1, tzinfo=dt.UTC), days=30)  # fmt: skip
            (tmp_path / "keys/edge-1.crt").write_bytes(certificate_to_pem(late))
            assert await edge("doctor", path, "ac-1") == 1
        text = said.out()
        assert "clock       FAILED" in text
        assert "is not valid yet, by this machine's clock" in text


def with_broker(path: Path, line: str) -> Path:
    """The site file with this line in place of its broker's."""
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line if "mqtt:" in old else old for old in lines))
    return path


class TestBroker:
    """Reached and let in, or not."""

    async def of_broker(self, path: Path, said: Said) -> tuple[int, list[Mapping[str, Any]]]:
        status = await edge("doctor", path, "ac-1", "--json")
        return status, [c for c in said.json()["checks"] if c["subject"] == "broker"]

    @pytest.mark.parametrize("name", NAMES)
    async def test_it_lets_us_in(
        self, name: str, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        broker = Broker(name, tmp_path / name)
        path = with_broker(site_at(tmp_path, meter), f'url = "{broker.url}"')
        await asyncio.to_thread(broker.start)
        try:
            status, checks = await self.of_broker(path, said)
        finally:
            broker.stop()
        assert [c["state"] for c in checks] == ["fine"] * 3
        assert status == 0

    async def test_nobody_listens(self, tmp_path: Path, meter: Responder, said: Said) -> None:
        status, checks = await self.of_broker(site_at(tmp_path, meter), said)
        assert status == 1
        assert (checks[-1]["layer"], checks[-1]["state"]) == ("tcp", "failed")

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            (b"\x20\x02\x00\x05", "the broker does not let this client in"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers is no MQTT broker"),
            (b"", "accepts, and hangs up on an MQTT CONNECT"),
        ],
    )
    async def test_it_does_not_let_us_in(
        self, answer: bytes, sentence: str, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(64)
            writer.write(answer)
            writer.close()

        path = site_at(tmp_path, meter)
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with_broker(path, f'url = "mqtt://127.0.0.1:{port}"')
            status, checks = await self.of_broker(path, said)
        assert status == 1
        assert (checks[-1]["layer"], checks[-1]["state"]) == ("protocol", "failed")
        assert checks[-1]["sentence"].startswith(sentence)

    async def test_a_one_way_site_has_none(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        path = with_broker(site_at(tmp_path, meter), 'mode = "one-way"')
        status, (check,) = await self.of_broker(path, said)
        assert (status, check["sentence"]) == (0, "none: what is signed leaves as files")


class TestLaptop:
    """An engineer's machine: a site file, meters within reach, no keys, no broker."""

    async def test_a_site_file_with_nothing_but_a_device(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        site = write_site(tmp_path, "format = 1\n" + with_url(AC, meter.port))
        assert await edge("doctor", site, "--json") == 0
        told = said.json()
        assert told["verdict"].endswith("; not looked at: this machine at permission, broker at "
                                        "protocol")  # fmt: skip
        skipped = {c["subject"]: c["sentence"] for c in told["checks"] if c["state"] == "skipped"}
        assert skipped["this machine"] == (
            "state folder, keys and certificates are not looked at: the site file has no [plant] "
            "[gateway] yet"
        )
        assert any(c["layer"] == "clock" for c in told["checks"])  # this machine has one
        assert any(c["layer"] == "register" and c["subject"] == "ac-1" for c in told["checks"])

    async def test_what_is_written_must_be_right(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        text = "format = 1\n" + with_url(AC, meter.port) + '[plant]\nid = "north"\n'
        assert await edge("doctor", write_site(tmp_path, text)) == 2
        assert "plant.name: is missing: the plant's name for people" in said.both()[1]

    async def test_a_whole_site_file_without_its_keys(
        self, tmp_path: Path, meter: Responder, said: Said
    ) -> None:
        site = site_at(tmp_path, meter)
        for key in (tmp_path / "keys").iterdir():
            key.unlink()
        assert await edge("doctor", site, "ac-1") == 1
        assert "where this machine is not the gateway, add --laptop" in said.out()
        assert await edge("doctor", site, "ac-1", "--laptop") == 0
        text = said.out()
        assert "skipped  state folder, keys and certificates are not looked at: --laptop" in text
        assert "nothing that was looked at fails" in text.splitlines()[-1]
