"""Webhook and mail over real servers: signed, encrypted, tried again, summed up, no secret told."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.alarms.channels import Mail, NotSentError, Webhook
from cloud.alarms.core import Alarm, Happening, Key, Phase, What
from cloud.alarms.notices import LISTED_MAX, make_notice
from cloud.alarms.outbox import WAITING_MAX, Outbox
from cloud.config_alarms import AlarmsConfig, read_alarms
from firmware_configs.fields import Fields, Problem
from tests.unit.cloud.alarms.mail_server import LOGIN, mail_server, own_certificate
from tests.unit.cloud.live_examples import T0, ManualClock

NS = 1_000_000_000
ZONE = "Asia/Shanghai"
SECRET = b"kept-to-ourselves"
FROM, TO = "stackproof@works.example", "shift@works.example"


def alarm(number: int, priority: int = 2) -> Alarm:
    values = {"points": 1, "of": 2, "names": "gas-1.flow"}
    key = Key("mini", "meter-silent", "edge-1", f"gas-{number}")
    return Alarm(key, Phase.RAISED, T0, values, priority, number, T0)


def happenings(count: int, priority: int = 2) -> list[Happening]:
    return [Happening(T0, What.RAISED, alarm(n, priority), is_told=True) for n in range(count)]


class Hook(http.server.BaseHTTPRequestHandler):
    """Answers what the server's list says, then 204."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.posts.append((dict(self.headers), body))
        self.send_response(server.answers.pop(0) if server.answers else 204, self.path)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        given: Any = server
        given.posts, given.answers = [], []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def outbox(channel: Any, **more: Any) -> Outbox:
    return Outbox(channel, ManualClock(), lambda _: ZONE, again_s=(0.0, 0.0), **more)


@pytest.fixture
def webhook(hook: Any, tmp_path: Path) -> Webhook:
    (tmp_path / "webhook.secret").write_bytes(SECRET + b"\n")
    url = f"http://127.0.0.1:{hook.server_address[1]}/who-knows-this?may=come-in"
    return Webhook(url, tmp_path / "webhook.secret")


def test_a_webhook_is_signed_and_tried_again(hook: Any, webhook: Webhook) -> None:
    hook.answers = [500, 302]
    box = outbox(webhook)
    box.put(happenings(1) + happenings(1, priority=3))  # priority 3 is not told
    assert asyncio.run(box.send_waiting()) is False
    assert len(hook.posts) == 3
    head, body = hook.posts[-1]
    now_s = T0 // NS
    mac = hmac.new(SECRET, f"{now_s}.".encode() + body, hashlib.sha256).hexdigest()
    assert head["Stackproof-Signature"] == f"t={now_s},v1={mac}"
    told = json.loads(body)
    (row,) = told["alarms"]
    assert (row["plant"], row["kind"], row["priority"]) == ("mini", "meter-silent", 2)
    assert row["en"].startswith("Meter gas-0 does not answer: 1 of 2 points without a value")
    assert "无应答" in row["zh"]


def test_what_does_not_get_through_is_given_up_and_no_secret_is_told(
    hook: Any, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [500] * 3
    box = outbox(webhook)
    box.put(happenings(1))
    with caplog.at_level(logging.DEBUG):
        asyncio.run(box.send_waiting())
    assert len(hook.posts) == 3
    assert "given up" in caplog.text
    assert "webhook: it answers 500" in caplog.text
    assert not any(word in caplog.text for word in (SECRET.decode(), "who-knows", "come-in"))
    assert "who-knows" not in repr(webhook)
    asyncio.run(box.send_waiting())
    assert len(hook.posts) == 3


def test_a_flood_is_one_message_with_a_sum(hook: Any, webhook: Webhook) -> None:
    box = outbox(webhook)
    box.put(happenings(WAITING_MAX + 40))
    assert asyncio.run(box.send_waiting()) is True
    ((_, body),) = hook.posts
    told = json.loads(body)
    assert len(told["alarms"]) == LISTED_MAX
    assert told["more_by_priority"] == {"2": WAITING_MAX - LISTED_MAX}
    assert told["dropped"] == 40


def test_a_flood_of_one_plant_hides_no_other_plants_alarm(hook: Any, webhook: Webhook) -> None:
    """One gateway raised a thousand in ten seconds: what was older was only counted."""
    other = replace(alarm(7, priority=1), raised_ns=T0 + 1)
    box = outbox(webhook)
    box.put([Happening(T0, What.RAISED, other, is_told=True)])
    flood = [
        replace(one, alarm=replace(one.alarm, key=one.alarm.key._replace(plant="evil")))
        for one in happenings(WAITING_MAX + 40, priority=1)
    ]
    box.put(flood)
    asyncio.run(box.send_waiting())
    ((_, body),) = hook.posts
    told = json.loads(body)
    assert [row["plant"] for row in told["alarms"][:3]] == ["evil", "mini", "evil"]
    assert told["dropped"] == 41


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_certificate(tmp_path_factory.mktemp("mail"))


def mail(port: int, folder: Path, authority: Path | None, password: str = LOGIN[1]) -> Mail:
    (folder / "mail.secret").write_text(f"{password}\n")
    return Mail(
        "127.0.0.1", port, authority is not None, authority, LOGIN[0], folder / "mail.secret",
        FROM, (TO, "night@works.example"),
    )  # fmt: skip


def test_mail_goes_encrypted_in_both_languages(tmp_path: Path, certificate: Path) -> None:
    with mail_server(certificate) as server:
        notice = make_notice([(alarm(1), ZONE), (alarm(2, 1), ZONE)], 0, T0)
        mail(server.port, tmp_path, certificate).send(notice, T0 // NS)
    ((is_encrypted, recipients, text),) = server.mails
    assert is_encrypted
    assert recipients == [TO, "night@works.example"]
    assert server.logins == [LOGIN]
    found = email.message_from_string(text, policy=email.policy.default)
    assert found["Subject"].startswith("[stackproof] mini 1: 仪表 gas-2 无应答 · Meter gas-2")
    assert found["Subject"].endswith("(+1)")
    lines = found.get_content().splitlines()
    assert lines[0].startswith("[1] mini 仪表 gas-2 无应答：")
    assert any(line.startswith("[2] mini Meter gas-1 does not answer") for line in lines)


def test_no_name_in_a_configuration_ends_the_mails(tmp_path: Path, certificate: Path) -> None:
    """A line's end in a device's id ended the way to people, for all plants, until a restart."""
    forged = alarm(1)
    forged = replace(forged, key=forged.key._replace(about="gas\nBcc: thief@x.example\n\n[1] mini"))
    with mail_server(certificate) as server:
        box = outbox(mail(server.port, tmp_path, certificate), gather_s=0.01)
        box.put([Happening(T0, What.RAISED, forged, is_told=True)])
        assert asyncio.run(box.send_waiting()) is False
    ((_, _, text),) = server.mails
    message = email.message_from_string(text, policy=email.policy.default)
    assert "Bcc" not in message
    assert "gas\ufffdBcc: thief@x.example" in message["Subject"]
    assert [one for one in message.get_content().splitlines() if one.startswith("[1]")] == []


async def test_a_message_that_cannot_be_made_keeps_no_later_one_back() -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Queue[int]()

    class Odd:
        name, count = "odd", 0

        def send(self, *_: object) -> None:
            self.count += 1
            loop.call_soon_threadsafe(told.put_nowait, self.count)
            if self.count == 1:
                raise ValueError("nobody thought of it")

    box = outbox(Odd(), gather_s=0.01)
    sending = asyncio.create_task(box.run())
    for count in (1, 2):
        box.put(happenings(1))
        assert await asyncio.wait_for(told.get(), 30) == count
    sending.cancel()


def test_mail_to_a_stranger_or_with_a_wrong_password_is_not_sent(
    tmp_path: Path, certificate: Path
) -> None:
    notice = make_notice([(alarm(1), ZONE)], 0, T0)
    with mail_server(certificate) as server:
        unknown = mail(server.port, tmp_path, None)
        stranger = Mail(**{**vars(unknown), "is_tls": True})  # the machine does not know who signed
        with pytest.raises(NotSentError, match="certificate"):
            stranger.send(notice, 0)
        with pytest.raises(NotSentError) as caught:
            mail(server.port, tmp_path, certificate, "wrong-word").send(notice, 0)
        assert "wrong-word" not in str(caught.value)
    assert server.mails == []


def test_a_mailbox_that_is_refused_is_told_and_the_others_have_it_once(
    tmp_path: Path, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notice = make_notice([(alarm(1), ZONE)], 0, T0)
    with mail_server(certificate) as server:
        server.refuses = {"night@works.example"}
        mail(server.port, tmp_path, certificate).send(notice, 0)
        assert "refused for night@works.example; the others have it" in caplog.text
        assert [recipients for _, recipients, _ in server.mails] == [[TO]]
        server.refuses |= {TO}
        with pytest.raises(NotSentError, match="no such mailbox"):
            mail(server.port, tmp_path, certificate).send(notice, 0)


def test_what_the_server_says_to_quit_sends_nothing_again(
    tmp_path: Path, certificate: Path
) -> None:
    notice = make_notice([(alarm(1), ZONE)], 0, T0)
    with mail_server(certificate) as server:
        for server.bye in ("250 ok", "421 too busy", "bye"):
            mail(server.port, tmp_path, certificate).send(notice, 0)
        assert len(server.mails) == 3


def test_without_starttls_nothing_is_sent(tmp_path: Path, certificate: Path) -> None:
    with mail_server() as server:
        with pytest.raises(NotSentError, match="STARTTLS"):
            mail(server.port, tmp_path, certificate).send(make_notice([(alarm(1), ZONE)], 0, T0), 0)
        assert (server.mails, server.logins) == ([], [])


@pytest.mark.parametrize("is_there", [False, True])
def test_a_server_that_is_down_or_says_nothing_is_tried_later(
    tmp_path: Path, *, is_there: bool, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """It never holds up what alarms come meanwhile: those wait for the next message."""
    monkeypatch.setattr("cloud.alarms.channels.ANSWER_S", 0.1)
    (tmp_path / "webhook.secret").write_bytes(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        if not is_there:
            door.close()
        for channel in (
            mail(port, tmp_path, None),
            Webhook(f"http://127.0.0.1:{port}/in", tmp_path / "webhook.secret"),
        ):
            box = outbox(channel)
            box.put(happenings(1))
            with caplog.at_level(logging.DEBUG):
                asyncio.run(box.send_waiting())
            box.put(happenings(WAITING_MAX + 1))
    assert caplog.text.count("tried again in 0 s") == 4
    assert caplog.text.count("a message of alarms is given up") == 2
    assert ("timed out" in caplog.text, "refused" in caplog.text) == (is_there, not is_there)
    assert SECRET.decode() not in caplog.text
    assert LOGIN[1] not in caplog.text


def config(folder: Path, **table: Any) -> tuple[AlarmsConfig, dict[str, str]]:
    problems: list[Problem] = []
    fields = Fields(table, file="CLOUD.toml", prefix="alarms", problems=problems)
    read = read_alarms(fields, folder, {})
    return read, {one.key.removeprefix("alarms."): one.reason for one in problems}


def test_nobody_is_told_unless_the_file_says_so(tmp_path: Path) -> None:
    assert config(tmp_path) == (AlarmsConfig((), 2, {}), {})


MAIL = {"smtp": "mail.example:587", "mail_from": FROM, "mail_to": [TO]}


def test_a_file_that_names_channels(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("x")
    hook = {"webhook": "https://chat.example/in", "webhook_secret": "file:s"}
    read, problems = config(tmp_path, priority=3, **hook, **MAIL)
    assert problems == {}
    assert [one.name for one in read.channels] == ["webhook", "mail"]
    (tmp_path / "url").write_text("https://chat.example/in\n")
    by_file, problems = config(tmp_path, **{**hook, "webhook": "file:url"})
    assert (problems, by_file.channels) == ({}, read.channels[:1])
    assert vars(read.channels[1])["is_tls"] is True
    read, _ = config(tmp_path, **{**MAIL, "smtp": "127.0.0.1:25"})
    assert vars(read.channels[0])["is_tls"] is False


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"webhook": "ftp://a", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "http://chat.example", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "https://u:p@chat.example", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "https://chat.example/hunter2 x", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "chat.example/in?key=hunter2", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "https://[/hunter2", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "file:s", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "file:no", "webhook_secret": "file:s"}, "webhook"),
        ({"webhook": "https://chat.example"}, "webhook_secret"),
        ({"webhook": "https://chat.example", "webhook_secret": "hunter2"}, "webhook_secret"),
        ({"webhook": "https://chat.example", "webhook_secret": "file:no"}, "webhook_secret"),
        ({**MAIL, "smtp": "mail.example"}, "smtp"),
        ({**MAIL, "smtp": "mail.example:0"}, "smtp"),
        ({**MAIL, "smtp": "u:hunter2@mail.example:587"}, "smtp"),
        ({**MAIL, "mail_to": []}, "mail_to"),
        ({**MAIL, "mail_to": ["a b@c\nBcc: d@e"]}, "mail_to"),
        ({**MAIL, "smtp": "127.0.0.1:25", "smtp_user": "u", "smtp_password": "file:s"},
         "smtp_user"),
        ({"webhoo": "x"}, "webhoo"),
    ],
)  # fmt: skip
def test_mistakes_are_told_and_secrets_are_not(
    tmp_path: Path, table: dict[str, Any], key: str
) -> None:
    (tmp_path / "s").write_text("hunter2")
    _, problems = config(tmp_path, **table)
    assert set(problems) == {key}
    assert "hunter2" not in problems[key]
