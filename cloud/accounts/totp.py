"""One-time codes by RFC 6238 (HMAC-SHA-1, 30 s, 6 digits), which every authenticator app speaks.

Pure: an instant goes in. SHA-1 is what the apps have; in an HMAC its collisions are of no use.
"""

import base64
import hmac
import secrets
from urllib.parse import quote

STEP_S, DIGITS, SECRET_BYTES = 30, 6, 20
#: steps that a person's clock may be behind or ahead (RFC 6238 section 5.2 advises one)
DRIFT_STEPS = 1
ISSUER = "Stackproof"


def new_secret() -> bytes:
    """160 random bits (RFC 4226 section 4)."""
    return secrets.token_bytes(SECRET_BYTES)


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step: HOTP of its number (RFC 4226 section 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, now_s: int, last_step: int) -> int | None:
    """The step whose code this is; None when it is none of now, or was used before.

    Args:
        secret: the shared key.
        code: as typed; blanks are left out.
        now_s: seconds since 1970.
        last_step: newest step that was taken; it and all before count no more.
    """
    typed = "".join(code.split()).encode()
    found, newest = None, now_s // STEP_S
    for step in range(newest - DRIFT_STEPS, newest + DRIFT_STEPS + 1):
        is_it = hmac.compare_digest(code_of(secret, max(step, 0)).encode(), typed)
        if is_it and step > last_step:
            found = step
    return found


def shown_key(secret: bytes) -> str:
    """The secret for typing: base32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, account: str, host: str) -> str:
    """The otpauth address that apps read from a QR code."""
    label = quote(f"{ISSUER} {host}:{account}")
    key = base64.b32encode(secret).decode()
    return f"otpauth://totp/{label}?secret={key}&issuer={quote(f'{ISSUER} {host}')}"
