"""The bytes of an MQTT 3.1.1 hello, against the standard's own figures."""

import pytest

from edge.uplink.hello import NotLetInError, connect_packet, read_answer


def test_the_connect_packet() -> None:
    # figures 3.2 to 3.6: protocol name, level 4, flags, keep alive, client identifier
    assert connect_packet("ab") == bytes.fromhex("10 0e 0004 4d515454 04 02 000a 0002 6162")


def test_a_client_id_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="too long"):
        connect_packet("x" * 200)


def test_let_in() -> None:
    read_answer(bytes.fromhex("20020000"))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("20020005", "does not let this client in"),
        ("20020004", "does not accept user or password"),
        ("20020002", "does not take this client id"),
        ("20020009", "refuses with code 9"),
        ("48545450", "no MQTT broker: it says b'HTTP'"),
    ],
)
def test_not_let_in(answer: str, sentence: str) -> None:
    with pytest.raises(NotLetInError, match=sentence):
        read_answer(bytes.fromhex(answer))
