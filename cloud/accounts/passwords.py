"""Which passwords are taken, and how they are kept.

Rules by NIST SP 800-63B-4 section 3.1.1: a length, no composition, no expiry, a block list. It asks
for at least 8 characters beside a second factor; 12 are asked here, which leaves so few of the
passwords that are common that rules find them and no list of a million is carried along.

Kept by argon2id (RFC 9106) with one of the settings that OWASP's cheat sheet names.
"""

import re
import secrets
import unicodedata
from collections.abc import Sequence

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from cloud.accounts.errors import AccountError

LENGTH_MIN, LENGTH_MAX = 12, 128
#: characters of it that must not come from a common word, a row or somebody's name
OWN_MIN = 6

MEMORY_KIB, PASSES, LANES = 47_104, 1, 1
SALT_BYTES, HASH_BYTES = 16, 32

#: what the lists of leaked passwords (SecLists, Have I Been Pwned) are mostly made of
COMMON = (
    "password", "passwort", "passwd", "pass", "word", "qwerty", "qwertz", "azerty", "asdf", "zxcv",
    "1qaz2wsx", "qazwsx", "admin", "administrator", "root", "user", "guest", "login", "welcome",
    "letmein", "iloveyou", "love", "woaini", "aini", "nihao", "mima", "zhongguo", "china",
    "beijing", "dragon", "monkey", "football", "baseball", "master", "superman", "batman",
    "sunshine", "princess", "shadow", "summer", "winter", "spring", "autumn", "secret", "change",
    "default", "test", "demo", "trustno", "michael", "charlie", "freedom", "whatever", "hello",
    "hunter", "correcthorsebatterystaple", "stackproof", "carbon", "emission", "collector",
)  # fmt: skip
_ROWS = (
    "01234567890123456789", "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)  # fmt: skip
_LOOKALIKES = str.maketrans("@$!|5", "asiis")
_PIECE = 4


def as_kept(password: str) -> bytes:
    """The bytes that are hashed: NFKC, as SP 800-63B asks, then UTF-8."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def check_password(password: str, about: Sequence[str] = ()) -> None:
    """AccountError when a password is not taken.

    Args:
        password: as typed.
        about: what others know of the person: id, name, organisation.
    """
    if len(password) < LENGTH_MIN:
        raise AccountError("password-short", least=str(LENGTH_MIN))
    if len(password) > LENGTH_MAX:
        raise AccountError("password-long", most=str(LENGTH_MAX))
    if _own_characters(password, about) < OWN_MIN:
        raise AccountError("password-common")


def _own_characters(password: str, about: Sequence[str]) -> int:
    """How many characters are left without common words, rows and repetitions."""
    text = unicodedata.normalize("NFKC", password).casefold()
    named = [word for phrase in about for word in re.split(r"\W+", phrase.casefold())]
    words = sorted({*COMMON, *(w for w in named if len(w) >= _PIECE)}, key=len, reverse=True)
    # once as typed, once with what people write for letters: pa55w0rd, p@ssw0rd
    variants = (text, text.translate(_LOOKALIKES).replace("0", "o").replace("1", "i"))
    return min(_left(variant, words) for variant in variants)


def _left(text: str, words: Sequence[str]) -> int:
    for word in words:
        text = text.replace(word, " ")
    text = re.sub(r"(?:19|20)[0-9]{2}", " ", text)  # years
    text = re.sub(r"(.{1,4}?)\1+", r"\1", text)  # aaaa, abcabc
    left, at = 0, 0
    while at < len(text):
        piece = text[at : at + _PIECE]
        is_row = len(piece) == _PIECE and any(piece in row or piece[::-1] in row for row in _ROWS)
        left += not is_row and not piece[0].isspace()
        at += _PIECE if is_row else 1
    return left


def hash_password(password: str) -> str:
    """The PHC string of a password, with a new salt; takes MEMORY_KIB and some 50 ms."""
    kdf = Argon2id(
        salt=secrets.token_bytes(SALT_BYTES), length=HASH_BYTES,
        iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB,
    )  # fmt: skip
    return kdf.derive_phc_encoded(as_kept(password))


def is_password(password: str, kept: str) -> bool:
    """Is this the password whose PHC string is kept?"""
    try:
        Argon2id.verify_phc_encoded(as_kept(password), kept)
    except InvalidKey:
        return False
    return True


#: as long in the making as any other: for ids that nobody has. Nobody knows its password
NOBODY = hash_password(secrets.token_urlsafe())
