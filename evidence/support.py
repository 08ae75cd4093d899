"""What a gateway or collector hands to whoever is to help: one archive of texts, without secrets.

Secrets are taken out twice: by how they are written (`without_secrets`), and by what they are: the
contents of every file and variable that the configuration names, but for certificates. I/O: reads
those, log files and the journal; writes the archive.
"""

import base64
import contextlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

from evidence.version import VERSION

TAKEN_OUT = "[taken out]"
LOG_BYTES = 512 * 1024  # of the end of each log
JOURNAL_LINES, JOURNAL_S = 2_000, 20
_LEAST = 4  # characters: a shorter one would be found everywhere

# in TOML, JSON and a log's sentences, also with the quotes escaped; unless it says where it is
_REFERENCE = "(?!file:|env:|pkcs11:)"
_VALUE = (
    rf'\s*(?P<value>(?P<q>"{{3}}|\'{{3}}){_REFERENCE}(?s:.*?)(?:(?P=q)|\Z)'
    rf'|(?P<e>\\["\']){_REFERENCE}[^\n]+?(?:(?P=e)|$)'
    rf'|"{_REFERENCE}(?:\\.|[^"\\\n])+(?:"|$)|\'{_REFERENCE}(?:\\.|[^\'\\\n])+(?:\'|$)'
    rf"|{_REFERENCE}[^\s\"',;&\\]+)"
)
#: chat services let in whoever knows the rest of the address
_WEBHOOK = re.compile(
    r"(?im)webhook[\"']?\s*=\s*(?P<q>\"{3}|'{3}|[\"'])\s*https?://[^/?#\s\"']+"
    r"(?P<value>[/?#](?:\\.|[^\\\n])*?)(?=(?P=q)|$)"
)
_REST = re.compile(r"https?://[^/?#\s]+([/?#]\S+)")
#: of such an address, also where its beginning is not as it should be
_BEHIND_HOST = re.compile(r"(?i)(?:https?:/*)?[^/?#\s]*([/?#]\S+)")
#: keys of a configuration where a reference belongs
_SECRET_KEY = re.compile(r"(?i)passw|passphrase|secret|token|login|credentials|pwd|key$")
_KEY_LEAST = 32  # characters: shorter ones are the names of files
_WRITTEN = (
    re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    # up to the last @: a password may hold one, and a slash; bounded, for a log's lines are long
    re.compile(r"(?<=://)[^\s\"'<>]{1,300}(?=@)"),
    re.compile(r"(?<=[\"'])[^\s\"'@:/]{1,100}:[^\s\"']{1,100}(?=@)"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]+"),
    # as headers have them; a word without a digit is a word
    re.compile(r"(?i)\b(?:basic|token) +(?P<value>(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,})"),
    re.compile(r"(?i)\bpin-(?:value|source)=(?P<value>(?!file:)[^&;\s\"']+)"),
    _WEBHOOK,
    re.compile(rf"(?im)(?:passw(?:or)?d|passphrase|secret|token|pin)[\"']?\s*[=:]{_VALUE}"),
    # after a colon, without quotes, stands what a sentence says of them
    re.compile(
        rf"(?im)(?:login|credentials|pwd|(?:api|access|secret)[-_]?key)[\"']?"
        rf"(?:\s*=|:\s*(?=\\?[\"'])){_VALUE}"
    ),
)
_PUBLIC = re.compile(r"(?s)-----BEGIN CERTIFICATE-----.*?(-----END CERTIFICATE-----|\Z)")
#: in a text, or inside a PKCS#11 URI
_NAMED = re.compile(r"\b(file|env):([^\"'?&\s]+)")
#: the whole of a value, where a path may have blanks
_NAMED_WHOLE = re.compile(r"[\"'](file|env):([^\"'\n]+)[\"']")


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """A text in which nothing stands that is written as a secret, nor any known one. Pure."""
    spelt = {spelling for secret in known for spelling in _spellings(secret)}
    for secret in sorted(spelt, key=len, reverse=True):
        text = text.replace(secret, TAKEN_OUT)
    for pattern in _WRITTEN:
        text = pattern.sub(_taken_out, text)
    return text


def _spellings(secret: str) -> Iterator[str]:
    """As it is, and as addresses, JSON, Python's own sentences and headers have it."""
    yield secret
    secret = secret.encode(errors="replace").decode()  # a variable may be no UTF-8
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False))
    yield from (repr(secret)[1:-1], base64.b64encode(secret.encode()).decode())


def _taken_out(found: re.Match[str]) -> str:
    value = found.groupdict().get("value")
    return TAKEN_OUT if value is None else found[0][: -len(value)] + TAKEN_OUT


def secrets_of(config: str, folder: Path) -> set[str]:
    """What the files and variables that a configuration names hold, line by line.

    Args:
        config: its text.
        folder: relative paths in it start there.

    Raises:
        OSError: a file that is there cannot be read.
    """
    texts = list(_texts(config))
    # TOML has more ways to write a text than are seen in it
    config += "".join(f'\n"{text}"' for _, text in texts)
    hooks = [found["value"] for found in _WEBHOOK.finditer(config)]
    found = {rest for rest in hooks if len(rest) >= _LEAST}
    for key, text in texts:
        found |= _itself(key, text)
    for kind, name in {*_NAMED.findall(config), *_NAMED_WHOLE.findall(config)}:
        if kind == "env":
            found |= secret_lines(os.environ.get(name, ""))
        for path in {folder / name, folder / unquote(name)}:  # of a url: a space is %20
            if kind == "file" and path.is_file():
                found |= secrets_in(path)
    return found


def _itself(key: str, text: str) -> set[str]:
    """What is secret in a text of a configuration, where a reference to it belongs."""
    if text.startswith(("file:", "env:", "pkcs11:")):
        return set()
    login, at, _ = (text.partition("://")[2] or text).rpartition("@")
    found = {login.partition(":")[2] if at else ""}
    if key == "webhook" and (rest := _BEHIND_HOST.match(text)):
        found.add(rest[1])
    if _SECRET_KEY.search(key) and (len(text) >= _KEY_LEAST or not key.endswith("key")):
        found |= {text, *secret_lines(text)}
    return {part for part in found if len(part) >= _LEAST}


def _texts(config: str) -> Iterator[tuple[str, str]]:
    """(key, text) of a TOML file, of lists each; none where it is no TOML: it is packed as well."""
    left: list[tuple[str, object]] = []
    with contextlib.suppress(tomllib.TOMLDecodeError, RecursionError):
        left.append(("", tomllib.loads(config)))
    while left:
        key, value = left.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            left.extend(value.items())
        elif isinstance(value, list):
            left.extend((key, one) for one in value)


def secrets_in(path: Path) -> set[str]:
    """What is secret in a file; nothing in a certificate, nor in one that is not there.

    Raises:
        OSError: it cannot be read, and so what it holds would be found nowhere.
    """
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return set()
    return secret_lines(_PUBLIC.sub("", text))


def secret_lines(text: str) -> set[str]:
    """The lines of a secret, and what stands behind a name in them."""
    lines = {line.strip() for line in text.splitlines() if not line.startswith("-----")}
    values = {line.partition(sign)[2].strip(" \"'") for line in lines for sign in "=:"}
    values |= set(_REST.findall(text))  # a program tells address and path apart
    return {part for part in lines | values if len(part) >= _LEAST}


def machine(folders: Iterable[Path]) -> str:
    """Program, system, packages, and the room on the disks of some folders."""
    lines = [f"stackproof {VERSION}, Python {platform.python_version()}, {platform.platform()}"]
    for folder in folders:
        try:
            usage = shutil.disk_usage(folder)
            lines.append(f"{folder}: {usage.free >> 20} MiB of {usage.total >> 20} MiB free")
        except OSError as error:
            lines.append(f"{folder}: {error.strerror}")
    return "\n".join([*lines, *sorted(f"{d.name} {d.version}" for d in distributions())]) + "\n"


def tail(path: Path) -> str:
    """The end of a log file."""
    with path.open("rb") as file:
        if (left_out := path.stat().st_size - LOG_BYTES) > 0:
            file.seek(left_out)
            file.readline()  # of which the beginning may say what it holds
        return file.read().decode(errors="replace")


def journal(unit: str) -> str:
    """The last lines of a unit in systemd's journal."""
    program = shutil.which("journalctl")
    if program is None:
        return "there is no journalctl on this machine\n"
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [program, "--no-pager", "--output=cat", f"--lines={JOURNAL_LINES}", f"--unit={unit}"],
        capture_output=True, check=False, timeout=JOURNAL_S,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode(errors="replace")


def pack(out: Path, parts: Mapping[str, Callable[[], str]], known: Iterable[str]) -> list[str]:
    """Write the archive, readable for its owner only; a sentence for each part that failed.

    Args:
        out: the archive, gzipped tar; one that is there is not overwritten (OSError).
        parts: name in it -> makes the text; what it raises stands there instead.
        known: secrets, taken out wherever they stand.
    """
    failed, secrets = [], set(known)
    with (
        open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,  # noqa: PTH123 - no Path has a mode
        tarfile.open(fileobj=file, mode="w:gz") as archive,
    ):
        for name, make in parts.items():
            try:
                text = make()
            except Exception as error:  # noqa: BLE001 - the others are wanted all the more
                text = f"could not be made: {error}\n"
                failed.append(f"{name}: {error}")
            data = without_secrets(text, secrets).encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return failed
