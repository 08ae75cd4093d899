"""Certificates that are made by hand: what is made anew, and when people are told of their ends."""

import asyncio
import datetime as dt
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.cli import main
from cloud.transport import own
from cloud.transport.own import Ends
from cloud.transport.register import Register
from cloud.transport.rows import Served
from cloud.transport.served import write
from cloud.transport.tls import TlsFiles
from evidence.broker_certificates import names_in
from evidence.keys import Certificate, load_certificate, public_key
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.transport.test_served import known_in
from tests.waiting import until

T0 = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Hand:
    """Whoever types `cloud broker`, on some day."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.day = folder / "broker", 0
        self._capsys = capsys
        monkeypatch.setattr("cloud.commands.broker._now", self.now)

    def now(self) -> dt.datetime:
        return T0 + self.day * DAY

    def types(self, day: int, words: str) -> str:
        self.day = day
        done = main(["broker", *words.replace("DIR", str(self.folder)).split()])
        said = self._capsys.readouterr()
        assert done == 0, said.err
        return said.out

    def made(self, name: str) -> Certificate:
        return load_certificate(self.folder / name)


@pytest.fixture
def hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Hand:
    return Hand(tmp_path, monkeypatch, capsys)


NEW = "new --out DIR --host broker --host 10.0.0.9"


def test_what_is_past_half_of_its_life_is_made_anew_and_the_rest_stays(hand: Hand) -> None:
    hand.types(0, f"{NEW} --slice 07")
    names = ("server.crt", "collector.crt")
    first = {name: hand.made(name) for name in names}
    assert hand.types(364, NEW).count("it stays") == 2
    assert {name: hand.made(name) for name in names} == first
    said = hand.types(366, NEW)  # of 730 days
    assert said.splitlines()[0].endswith(
        "server.crt: broker, until 2029-11-01, in place of one of broker 10.0.0.9 until 2028-10-31"
    )
    assert "collector-07, until 2029-11-01" in said, "the slice need not be told again"
    for name in names:
        second = hand.made(name)
        assert second.not_valid_after_utc == T0 + (366 + 730) * DAY
        assert public_key(second) == public_key(first[name])
        assert names_in(second) == names_in(first[name])
    assert "in place of one of broker 10.0.0.9 until" in hand.types(
        367, "new --out DIR --host broker --host mqtt.example"
    )
    assert names_in(hand.made("server.crt")) == ["broker", "mqtt.example"]
    (hand.folder / "ca.pem").unlink()
    with pytest.raises(AssertionError, match=r"ca\.pem: cannot be read"):  # elsewhere, or lost
        hand.types(368, NEW)
    assert not (hand.folder / "ca.pem").exists(), "another key would be in its place"
    (hand.folder / "ca.crt").unlink()
    assert hand.types(368, NEW).count("in place of") == 2, "by another CA they are none"


@pytest.mark.parametrize(
    ("words", "files"),
    [("relay DIR --name west", ("relay-west.pem", "relay-west.crt")),
     ("node DIR --name 1 --host 10.0.0.11", ("nodes/1/server.pem", "nodes/1/server.crt"))],
)  # fmt: skip
def test_one_whose_key_was_carried_away_is_made_anew_for_that_key(
    hand: Hand, words: str, files: tuple[str, str]
) -> None:
    hand.types(0, NEW)
    hand.types(0, words)
    first = hand.made(files[1])
    (hand.folder / files[0]).unlink()
    assert "it stays" in hand.types(300, words)
    hand.types(400, words)
    second = hand.made(files[1])
    assert (second.not_valid_after_utc, public_key(second)) == (
        T0 + 1130 * DAY, public_key(first),
    )  # fmt: skip
    assert not (hand.folder / files[0]).exists()


def test_the_brokers_folder_gets_the_certificate_that_was_made_anew(hand: Hand) -> None:
    hand.types(0, NEW)
    hand.types(0, "node DIR --name 1 --host 10.0.0.11")
    register = Register(hand.folder, None)
    known = replace(known_in(register), nodes=register.nodes())
    for name, node in (("", ""), ("nodes/1", "node-1")):
        out, source = hand.folder.parent / f"out{node}", hand.folder / name
        served = Served("nats", str(out), str(out), "127.0.0.1", 8883, node=node)
        write(served, known, [hand.folder])
        assert not (out / "server.crt").exists(), "carried by whoever carries the key"
        for file in ("server.crt", "server.pem"):
            (out / file).write_bytes((source / file).read_bytes())
        hand.types(400, NEW if not node else "node DIR --name 1 --host 10.0.0.11")
        write(served, known, [hand.folder])
        assert (out / "server.crt").read_bytes() == (source / "server.crt").read_bytes()
        stranger = (hand.folder / "collector.crt").read_bytes()
        (out / "server.crt").write_bytes(stranger)  # another broker's, of another key
        write(served, known, [hand.folder])
        assert (out / "server.crt").read_bytes() == stranger


async def test_ends_are_known_and_people_told_of_them_once_a_day(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A collector's run may be longer than two years."""
    hand.types(0, NEW)
    hand.types(0, "node DIR --name 1 --host 10.0.0.11")
    clock, shown = ManualClock(), list[int]()
    files = TlsFiles(*(hand.folder / name for name in ("ca.crt", "collector.crt", "collector.pem")))
    context, loaded = ssl.create_default_context(), list[Path]()
    monkeypatch.setattr(type(context), "load_cert_chain", lambda _, *of: loaded.extend(of))
    ends = Ends(
        files, context, Register(hand.folder, None), clock=clock,
        shown_ns=lambda: shown[0] if shown else None,
    )  # fmt: skip

    def on(day: int) -> list[str]:
        caplog.clear()
        clock.now_ns = int((T0 + day * DAY).timestamp()) * 10**9
        ends.look()
        return [one.partition(": ")[2].partition(",")[0] for one in caplog.messages]

    monkeypatch.setattr(own, "LOOK_S", 0.01)
    clock.now_ns = int(T0.timestamp()) * 10**9
    watching = asyncio.create_task(ends.watch())
    await until(ends.rows)
    watching.cancel()
    end_ns = int((T0 + 730 * DAY).timestamp()) * 10**9
    lasting = {"ca": int((T0 + 7300 * DAY).timestamp()) * 10**9}
    assert ends.rows() == {"collector": end_ns, "server": end_ns, "node-1": end_ns, **lasting}
    shown.append(end_ns)
    assert "shown" not in ends.rows(), "it is one of these"
    shown[0] = end_ns - 10**9
    assert ends.rows()["shown"] == end_ns - 10**9, "a broker that is elsewhere, or shows another"
    assert on(300) == []
    assert on(600) == ["collector", "server", "node-1"]
    assert "it ends on 2028-10-31 00:00 UTC" in caplog.text
    assert on(600) == [], "once a day"
    hand.types(600, NEW)
    assert loaded == []
    assert on(601) == ["node-1"]
    assert loaded == [hand.folder / "collector.crt", hand.folder / "collector.pem"]
    assert on(731) == ["node-1"]
    assert "it ended on" in caplog.text
    files.certificate.unlink()
    assert on(732) == ["collector", "node-1"]
    assert "cannot be read" in caplog.text
    assert "collector" not in ends.rows()
    bare = Ends(None, None, None, shown_ns=lambda: None, clock=clock)
    bare.look()
    assert bare.rows() == {}
