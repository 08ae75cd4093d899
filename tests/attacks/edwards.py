"""The curve of Ed25519 in whole numbers, from RFC 8032 §5.1 alone: slow, and by itself.

Points are pairs (x, y) modulo P. The program's own test of keys and signatures is held against it.
"""

import hashlib
from collections.abc import Iterator

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
BITS_255 = (1 << 255) - 1
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032 §5.1.4, its affine form)."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(count: int, point: Point) -> Point:
    """A point added so many times."""
    total = NEUTRAL
    while count:
        if count & 1:
            total = add(total, point)
        point, count = add(point, point), count >> 1
    return total


def roots(square: int) -> list[int]:
    """The square roots modulo P, which is 5 modulo 8: at most two."""
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square % P:
            return sorted({candidate, -candidate % P})
    return []


def xs(y: int) -> list[int]:
    """The x of the points that have this y."""
    return roots((y * y - 1) * pow(D * y * y + 1, -1, P) % P)


def decode(data: bytes) -> Point | None:
    """The point of 32 bytes as lenient readers take it: y of 255 bits, any sign of x = 0."""
    number = int.from_bytes(data, "little")
    y, sign = number & BITS_255, number >> 255
    found = [x for x in xs(y % P) if x & 1 == sign or x == 0]
    return (found[0], y % P) if found else None


def encode(point: Point) -> bytes:
    """The one encoding of RFC 8032 §5.1.2."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def of_small_order() -> list[Point]:
    """The eight points that are neutral when they are taken eight times.

    A point of order 8 comes of any point: what is left of it once its part of order ORDER is gone.
    """
    for y in range(2, 100):
        for x in xs(y):
            torsion = times(ORDER, (x, y))
            if times(4, torsion) != NEUTRAL:
                return [times(count, torsion) for count in range(8)]
    raise AssertionError("no point of order 8")


def encodings(point: Point) -> Iterator[bytes]:
    """Every 32 bytes that lenient readers take for this point."""
    for y in range(point[1], 1 << 255, P):
        for sign in {point[0] & 1} if point[0] else {0, 1}:
            yield (y | sign << 255).to_bytes(32, "little")


SMALL: list[bytes] = [data for point in of_small_order() for data in encodings(point)]
BASE: Point = (min(xs(4 * pow(5, -1, P) % P), key=lambda x: x & 1), 4 * pow(5, -1, P) % P)


def secret_of(seed: bytes) -> int:
    """The scalar of a private key (RFC 8032 §5.1.5)."""
    spread = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    return spread & ((1 << 254) - 8) | 1 << 254


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    """Hash h of a signature (RFC 8032 §5.1.7)."""
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % ORDER
