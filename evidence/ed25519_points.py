"""Points of Ed25519's curve that no key and no signature may be (FORMAT.md §2). Pure.

Under a key of small order anybody can sign anything; OpenSSL takes such keys, and encodings of
points that RFC 8032 §5.1.3 does not decode. libsodium and Web Cryptography refuse what is refused
here. Points with a part of small order and another part are allowed: ADR 0090 says why.
"""

from functools import lru_cache

from evidence.errors import MalformedError

_P = 2**255 - 19
#: RFC 8032 §5.1: the curve is -x² + y² = 1 + D·x²·y²
_D = -121665 * pow(121666, -1, _P) % _P
_SIGN = 1 << 255
#: y of the points of order 8; those of order 1, 2 and 4 have y = 1, -1 and 0
_Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7


def _encodings() -> frozenset[bytes]:
    """The 14 encodings: of each y, also that of y + P where it has 255 bits, with either sign."""
    ys = (0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8, _P, _P + 1)
    return frozenset((y | sign).to_bytes(32, "little") for y in ys for sign in (0, _SIGN))


#: the eight points of small order in every encoding that some reader takes for them, 32 bytes each
SMALL_ORDER = _encodings()


@lru_cache(maxsize=4_096)  # a plant has few keys, and each signs thousands of times
def check_point(encoded: bytes) -> None:
    """Refuse 32 bytes that can be no public key: MalformedError says why."""
    if encoded in SMALL_ORDER:
        raise MalformedError(
            "the Ed25519 key is a point of small order, under which anybody can sign: "
            "make a new key"
        )
    y = int.from_bytes(encoded, "little") & (_SIGN - 1)
    if y >= _P:
        raise MalformedError("the Ed25519 key is not in the one form it has (RFC 8032 §5.1.3)")
    # x² = (y² - 1) / (D·y² + 1) has a root if, and only if, the product of both does
    square = (y * y - 1) * (_D * y * y + 1)
    if pow(square, (_P - 1) // 2, _P) != 1:
        raise MalformedError("the Ed25519 key is no point of the curve")
