"""What a server's bytes may cost the agent: how long an answer is, and what it becomes in memory.

asyncua believes lengths: a chunk may say 4 GiB, a message never end, and a value of 5 bytes be an
array of two thousand million nothings, or of a million empty lists by its dimensions. All devices
share one loop and one memory, so one such server would end the readings of all. Hence what comes
is cut into chunks here, before asyncua sees it, and three of its functions give way to ours. Pure,
but for that.
"""

import struct
from collections.abc import Callable
from time import thread_time
from typing import IO, Any, TypeVar

from asyncua import ua
from asyncua.client import ua_session
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.connection import MessageChunk
from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary
from asyncua.ua.uaerrors import UaError, UaStructParsingError

#: Of one answer of a server. A thousand numbers with status and time are 31 kB; the dearest bytes
#: (empty DataValues) take 200 bytes of memory each.
ANSWER_BYTES_MAX = 128 * 1024
#: ... where a person lists a server's variables, or looks at one.
LISTING_BYTES_MAX = 16 * 1024 * 1024
#: ... where it is let run past, chunk by chunk, so that only its question is lost.
PASSED_BYTES_MAX = LISTING_BYTES_MAX
#: asyncua says that it takes chunks of any size, and deciphers each whole.
CHUNK_BYTES_MAX = 1024 * 1024
PIECES_MAX = 1_024  # chunks of one message: each takes asyncua 30 us, however short it is
BUFFER_BYTES_MIN = 8_192  # of what a server takes in a chunk (Part 6, 7.1.2.3)
ERROR_BYTES_MAX = 16 + 4_096  # an Error's reason has 4,096 bytes at most (Part 6, 7.1.2.5)

#: Numbers take 0.3 us a byte to decode, ten times that on a small board; the dearest bytes 6 us.
_DECODE_S, _BYTE_S = 0.2, 3e-6

#: asyncua asks for a new channel after three quarters of what the server gives it, without pause.
CHANNEL_MS_MIN = 1_000

_T = TypeVar("_T")
_HEAD = struct.Struct("<3scI")
_CHUNK_BYTES_MIN = 16  # an Error without a reason is the shortest that there is
_ACKNOWLEDGE, _ERROR, _OPEN, _MESSAGE = b"ACK", b"ERR", b"OPN", b"MSG"
_FINAL, _MORE, _ABORTED = b"F", b"C", b"A"


class AnswerError(UaError):
    """A server sends what no answer is, or too much of it."""


class TooLongError(AnswerError):
    """One answer has more than it may have, or than its server can send: ask for less at once."""


class Chunks:
    """Cuts what one connection brings into whole chunks (Part 6, 6.7.2); holds one at most.

    Args:
        message_bytes_max: of all chunks of one message.
        chunk_bytes_max: of one of them.
    """

    def __init__(self, message_bytes_max: int, chunk_bytes_max: int = CHUNK_BYTES_MAX) -> None:
        self._max, self._chunk_max = message_bytes_max, min(chunk_bytes_max, message_bytes_max)
        self._held = bytearray()
        self._before = self._pieces = 0  # bytes and number of this message's earlier chunks

    def take(self, data: bytes) -> list[bytes]:
        """The chunks that are whole now; AnswerError when there is to be no more of this server."""
        self._held += data
        whole, at = [], 0
        while len(self._held) - at >= _HEAD.size:
            kind, part, size = _HEAD.unpack_from(self._held, at)
            self._check(kind, part, size)
            if len(self._held) - at < size:
                break
            is_more = part == _MORE
            self._before = self._before + size if is_more else 0
            self._pieces = self._pieces + 1 if is_more else 0
            whole.append(bytes(self._held[at : at + size]))
            at += size
        del self._held[:at]
        return whole

    def _check(self, kind: bytes, part: bytes, size: int) -> None:
        is_known = kind in (_ACKNOWLEDGE, _ERROR, _OPEN, _MESSAGE) and part in (_FINAL, _MORE)
        is_known = is_known or (kind == _MESSAGE and part == _ABORTED)
        if not is_known or size < _CHUNK_BYTES_MIN:
            raise AnswerError("what answers there does not keep to OPC UA's framing")
        if self._pieces >= PIECES_MAX:
            raise AnswerError(f"the server sends an answer in more than {PIECES_MAX} pieces")
        most = ERROR_BYTES_MAX if kind == _ERROR else self._chunk_max
        if size > most or self._before + size > self._max:
            raise AnswerError(too_long(most if size > most else self._max))


def too_long(most: int) -> str:
    """What is said of an answer of more bytes than these."""
    return (
        f"the server sends an answer of more than {most} bytes: read fewer points of it, and none "
        "that is a long text or array"
    )


class _Answers:
    """What of one connection's chunks becomes answers: those that are not too long, and whole.

    Attributes:
        is_passing: a message that is too long is running past.
    """

    def __init__(self, protocol: UASocketProtocol, answer_bytes_max: int) -> None:
        self._protocol, self._max = protocol, answer_bytes_max
        self._connection = protocol._connection
        self._receive = self._connection._receive
        self._connection._receive = self.take  # type: ignore[method-assign] # it has no door
        self.is_passing = False

    def take(self, msg: MessageChunk) -> ua.Message | None:
        """As asyncua, which deciphers a chunk and sees that it is the next one, before."""
        size = self._connection._incoming_size + len(msg.Body)
        self.is_passing = self.is_passing or size > self._max
        if self.is_passing:
            self._connection._drop_incoming_parts()
        message = self._receive(msg)
        part: object = msg.MessageHeader.ChunkType
        if part == ua.ChunkType.Abort:
            code = ua_binary.struct_from_binary(ua.ErrorMessage, Buffer(msg.Body)).Error
            self._lose(msg, f"the server broke an answer off: {code.name if code else 'unsaid'}")
        elif part == ua.ChunkType.Single and self.is_passing:
            self._lose(msg, too_long(self._max))
        else:
            return message
        self.is_passing = False
        return None

    def _lose(self, chunk: MessageChunk, why: str) -> None:
        waits = self._protocol._callbackmap.pop(chunk.SequenceHeader.RequestId, None)
        if waits is not None and not waits.done():
            waits.set_exception(TooLongError(why))


def _acknowledged(chunk: bytes) -> None:
    """AnswerError where a server takes so little at once that each request is thousands of it."""
    if len(chunk) < 28 or min(struct.unpack_from("<2I", chunk, 12)) < BUFFER_BYTES_MIN:
        raise AnswerError(f"the server takes no chunks of {BUFFER_BYTES_MIN} bytes")


def check_life(channel_ms: float) -> None:
    """ConnectionError where a channel lives so shortly that asyncua would only renew it."""
    if channel_ms < CHANNEL_MS_MIN:
        raise ConnectionError(f"the server ends each channel after {channel_ms:g} ms")


def bind(
    client: UaClient, answer_bytes_max: int, ended: Callable[[str], None]
) -> Callable[[], bool]:
    """Give this client's connections whole chunks, and no more of them than fit.

    Args:
        client: not yet connected.
        answer_bytes_max: of one message; the question of a longer one ends with TooLongError.
        ended: told why the connection is not to be used any more.

    Returns:
        What says whether a message that is too long is running past.
    """
    make, publish = client._make_protocol, client.session.publish
    bound: list[_Answers] = []

    def made() -> UASocketProtocol:
        protocol = make()
        chunks = Chunks(PASSED_BYTES_MAX, max(answer_bytes_max, CHUNK_BYTES_MAX))
        bound[:] = [_Answers(protocol, answer_bytes_max)]
        limits = protocol._connection._limits

        def received(data: bytes) -> None:
            try:
                for chunk in chunks.take(data):
                    if chunk.startswith(_ACKNOWLEDGE):
                        _acknowledged(chunk)
                    if not protocol.is_closed:
                        protocol._process_received_data(chunk)
                    # what a server takes of us; asyncua would have it send no more either
                    limits.max_message_size = limits.max_chunk_count = 0
            except AnswerError as error:
                ended(str(error))
                protocol._fail_all_pending(error)
                if protocol.transport is not None:
                    protocol.transport.abort()

        protocol.data_received = received  # type: ignore[method-assign] # asyncio looks it up here
        return protocol

    async def published(acks: list[ua.SubscriptionAcknowledgement]) -> ua.PublishResponse:
        try:
            return await publish(acks)
        except (UaStructParsingError, AnswerError) as error:  # asyncua goes on without a word
            ended(f"a notification could not be understood: {error.__cause__ or error!r}")
            raise

    client._make_protocol = made  # type: ignore[method-assign] # it has no door of its own
    client.session.publish = published  # type: ignore[method-assign] # likewise
    return lambda: any(answers.is_passing for answers in bound)


def _flat(flat: list[Any], dims: list[int]) -> list[Any]:
    """A matrix as the row that it came as: no point is one, and its dimensions need not be true."""
    del dims
    return flat


_unpack_array = ua_binary.unpack_uatype_array


def _array(vtype: ua.VariantType, data: Buffer | IO[Any]) -> list[Any] | None:
    """An array: its elements take bytes, but those of nothing, which are as many as it says."""
    if vtype is ua.VariantType.Null:
        data.read(4)  # how many
        return []
    return _unpack_array(vtype, data)


_decode = ua_binary.struct_from_binary


def _decoded(kind: type[_T], data: Buffer) -> _T:
    """What was read or pushed, unless its bytes are made to be dear: nothings by the thousand."""
    size, began_s = len(data), thread_time()
    made = _decode(kind, data)
    took_s = thread_time() - began_s
    if kind in (ua.ReadResponse, ua.PublishResponse) and took_s > _DECODE_S + _BYTE_S * size:
        raise AnswerError(f"the server's answer of {size} bytes takes {took_s:.1f} s to understand")
    return made


vars(ua_session)["struct_from_binary"] = _decoded  # of answers within a session
ua_binary._reshape = _flat  # its own bound is a million empty lists a value
ua_binary.unpack_uatype_array = _array
