"""Answers that never end: what a hostile server may hold up, and for how long."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import HTTPException

from cloud.alarms.channels import Mail, NotSentError, Webhook
from cloud.alarms.notices import make_notice
from cloud.closing.stamp import Authority
from cloud.errors import NotRunningError, RefusedError, TimeStampError
from cloud.front.passing import AT_ONCE, Door
from tests.unit.cloud.alarms.test_told_elsewhere import ZONE, alarm
from tests.unit.cloud.dripping import CHUNKED, HEAD, STEP_S, Dripping


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    made = Dripping(*request.param)
    yield made
    made.close()
    assert not made.was_heard_out


@pytest.mark.parametrize(
    ("dripping", "why"),
    [
        (
            (b"HTTP/1.1 500 Bearer " + b"t" * 32 + b"\r\nContent-Length: 0\r\n\r\n", b""),
            RefusedError,
        ),
        ((b"Bearer " + b"t" * 32 + b"\r\n\r\n", b""), NotRunningError),
    ],
    indirect=["dripping"],
)
def test_our_token_is_not_in_what_it_is_said_to_say(
    dripping: Dripping, why: type[Exception]
) -> None:
    """Logs, pages and programs get its no as it was said."""
    with pytest.raises(why) as caught:
        dripping.collector.get("health")
    assert "Bearer" in str(caught.value)
    assert "tttt" not in str(caught.value)


@pytest.mark.parametrize(
    "dripping",
    [(HEAD, b"x"), (HEAD, b"X: y\r\n"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    indirect=True,
)
def test_a_head_that_never_ends_is_given_up(dripping: Dripping) -> None:
    with pytest.raises(NotRunningError, match="does not answer"):
        dripping.collector.reach("rights", timeout_s=STEP_S)


@pytest.mark.parametrize(
    "dripping",
    [
        (HEAD + b"\r\n", b"x"),
        (CHUNKED, b"0"),  # the length of a chunk
        (CHUNKED + b"0\r\n", b"X: y\r\n"),  # trailers behind the last
    ],
    indirect=True,
)
def test_a_body_that_never_ends_is_given_up(
    dripping: Dripping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.asking.WHOLE_S", STEP_S)
    with pytest.raises(NotRunningError, match="does not answer"):
        dripping.collector.get("rights", timeout_s=STEP_S)


@pytest.mark.parametrize("dripping", [(HEAD, b"x")], indirect=True)
def test_one_that_never_ends_holds_up_no_other(dripping: Dripping) -> None:
    """As many threads as it may have are waiting for it, while another collector answers."""
    good = Dripping(HEAD + b"Content-Length: 2\r\n\r\n{}", b"")
    slow = Door("slow", "", dripping.collector)

    async def ask() -> None:
        waiting = [asyncio.create_task(slow.get("rights")) for _ in range(AT_ONCE)]
        for _ in waiting:
            await asyncio.to_thread(dripping.asked.acquire)
        answer = await Door("good", "", good.collector).get("rights")
        assert answer.status_code == 200
        with pytest.raises(HTTPException, match="ask again"):
            await slow.get("rights")
        dripping.close()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(ask())
    good.close()


# -- others that are asked -------------------------------------------------------------------------


@pytest.mark.parametrize("dripping", [(HEAD, b"x"), (CHUNKED, b"0")], indirect=True)
def test_a_time_stamping_authority_that_never_ends_is_given_up(dripping: Dripping) -> None:
    with pytest.raises(TimeStampError, match="gave no time stamp"):
        Authority(f"http://127.0.0.1:{dripping.port}/", STEP_S)(b"seal")


@pytest.mark.parametrize("dripping", [(HEAD, b"x")], indirect=True)
def test_a_webhook_that_never_ends_is_given_up(
    dripping: Dripping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.alarms.channels.ANSWER_S", STEP_S)
    (tmp_path / "secret").write_bytes(b"word")
    hook = Webhook(f"http://127.0.0.1:{dripping.port}/", tmp_path / "secret")
    with pytest.raises(NotSentError, match="webhook: "):
        hook.send(make_notice([(alarm(1), ZONE)], 0, 0), 0)


@pytest.mark.parametrize(
    "dripping",
    [(b"", b"2"), (b"", b"220-wait\r\n"), (b"220 mail.test\r\n", b"250-wait\r\n")],
    indirect=True,
)
def test_a_mail_server_that_never_ends_is_given_up(
    dripping: Dripping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of a greeting, or of a reply, without a last one."""
    monkeypatch.setattr("cloud.alarms.channels.MAIL_S", STEP_S)
    dripping.speaks_first = True
    mail = Mail("127.0.0.1", dripping.port, False, None, "", None, "a@x.test", ("b@x.test",))
    with pytest.raises(NotSentError, match=r"timed out|took too long"):
        mail.send(make_notice([(alarm(1), ZONE)], 0, 0), 0)
