"""What a gateway or collector hands to whoever is to help: one archive of texts, without secrets.

Secrets are taken out twice: by how they are written (`without_secrets`), and by what they are: the
contents of every file and variable that the configuration names, but for certificates. I/O: reads
those, log files and the journal; writes the archive.
"""

import io
import os
import platform
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import unquote

from evidence.version import VERSION

TAKEN_OUT = "[taken out]"
LOG_BYTES = 512 * 1024  # of the end of each log
JOURNAL_LINES, JOURNAL_S = 2_000, 20
_LEAST = 4  # characters: a shorter one would be found everywhere

#: chat services let in whoever knows the rest of the address
_WEBHOOK = re.compile(r"(?i)\bwebhook\s*=\s*[\"']https?://[^/\s\"']+(?P<value>/[^\"'\n]*)")
_WRITTEN = (
    re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"(?<=://)[^/\s\"'@]+(?=@)"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]+"),
    # as headers have them; a word without a digit is a word
    re.compile(r"(?i)\b(?:basic|token) +(?P<value>(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,})"),
    re.compile(r"(?i)(?<=pin-value=)[^&;\s\"']+"),
    _WEBHOOK,
    # a value, unless it says where the secret is
    re.compile(
        r"(?i)\b[\w-]*(?:password|passwd|secret|token|pin)[\"']?\s*[=:]\s*"
        r"(?P<value>\"(?!file:|env:|pkcs11:)[^\"\n]+\"|'(?!file:|env:|pkcs11:)[^'\n]+'"
        r"|(?!file:|env:|pkcs11:)[^\s\"',;&]+)"
    ),
)
_PUBLIC = re.compile(r"(?s)-----BEGIN CERTIFICATE-----.*?(-----END CERTIFICATE-----|\Z)")
#: in a text, or inside a PKCS#11 URI
_NAMED = re.compile(r"\b(file|env):([^\"'?&\s]+)")
#: the whole of a value, where a path may have blanks
_NAMED_WHOLE = re.compile(r"[\"'](file|env):([^\"'\n]+)[\"']")


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """A text in which nothing stands that is written as a secret, nor any known one. Pure."""
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, TAKEN_OUT)
    for pattern in _WRITTEN:
        text = pattern.sub(_taken_out, text)
    return text


def _taken_out(found: re.Match[str]) -> str:
    value = found.groupdict().get("value")
    return TAKEN_OUT if value is None else found[0][: -len(value)] + TAKEN_OUT


def secrets_of(config: str, folder: Path) -> set[str]:
    """What the files and variables that a configuration names hold, line by line.

    Args:
        config: its text.
        folder: relative paths in it start there.
    """
    found = {rest for rest in _WEBHOOK.findall(config) if len(rest) >= _LEAST}
    for kind, name in {*_NAMED.findall(config), *_NAMED_WHOLE.findall(config)}:
        if kind == "env":
            found |= secret_lines(os.environ.get(name, ""))
        for path in {folder / name, folder / unquote(name)}:  # of a url: a space is %20
            if kind == "file" and path.is_file():
                found |= secrets_in(path)
    return found


def secrets_in(path: Path) -> set[str]:
    """What is secret in a file; nothing in a certificate. A file that cannot be read gives none."""
    try:
        text = path.read_text(errors="replace")
    except OSError:  # who cannot read it cannot pack it either
        return set()
    return secret_lines(_PUBLIC.sub("", text))


def secret_lines(text: str) -> set[str]:
    """The lines of a secret, and what stands behind a name in them."""
    lines = {line.strip() for line in text.splitlines() if not line.startswith("-----")}
    values = {line.partition(sign)[2].strip(" \"'") for line in lines for sign in "=:"}
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
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
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
