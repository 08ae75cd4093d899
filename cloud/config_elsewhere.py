"""A server elsewhere that a configuration names: its address, a token for it, who vouches for it.

I/O: looks into the files that are named.
"""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cloud.config_file import parse_file
from evidence.key_files import open_to_all
from firmware_configs.fields import Fields

#: keys whose file is nobody else's
_SECRETS = ("token", "webhook", "webhook_secret", "smtp_password")
TOKEN_BYTES_MAX = 4_096
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def url_fault(url: str, *, allow_http: bool | None = None) -> str:
    """What is wrong with an address that a token is sent to; "" when nothing is.

    Args:
        url: "https://host:port"; http to this machine alone.
        allow_http: what the configuration says of http to others; None where it cannot say that.
    """
    try:
        parts: SplitResult = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError as error:
        return str(error)
    if parts.username or parts.password:
        return "must not hold a password: it would be seen in logs and lists"
    if not whole or parts.path not in ("", "/") or parts.query or parts.fragment:
        return 'is not "https://host:port"'
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not allow_http:
        otherwise = "" if allow_http is None else ", or say allow_http = true"
        return f"would send the token in clear: use https{otherwise}"
    return ""


def in_clear(url: str) -> str:
    """What to know of a broker that is reached without TLS over a network; "" of any other."""
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or parts.hostname in _LOOPBACK:
        return ""
    return (
        f"{url} is reached without TLS: whoever is on the way reads all that is sent. Use mqtts:// "
        "(docs/deploy.md), unless a tunnel leads there"
    )


def token_file(fields: Fields, folder: Path) -> Path | None:
    """The file that `token` names, looked into; None without the key, or with a complaint."""
    path = _file(fields, "token", folder)
    try:
        if path is not None:
            read_token(path)
    except (OSError, ValueError) as error:
        fields.complain("token", f"{path}: {getattr(error, 'strerror', None) or error}")
        return None
    return path


def ca_file(fields: Fields, folder: Path) -> Path | None:
    """The file of certificates that `ca` names; None without the key, or with a complaint."""
    path = _file(fields, "ca", folder)
    try:
        if path is not None:
            ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl's own are OSErrors
        fields.complain("ca", f"{path}: cannot be used: {error.strerror or error}")
        return None
    return path


def _file(fields: Fields, key: str, folder: Path) -> Path | None:
    value = fields.text(key, default="")
    if value and not value.startswith("file:"):
        # what stands there may be the token itself: it is not repeated
        fields.complain(key, 'is no reference; write "file:name-of-a-file"')
        return None
    return folder / value.removeprefix("file:") if value else None


def open_secrets(config: Path) -> list[str]:
    """Secrets that CLOUD.toml or FRONT.toml names and any user of this machine can read, sentences.

    Private keys like that are refused; these may be a container's or orchestrator's, who mount
    them so.
    """
    return [*filter(None, map(open_to_all, _secrets(parse_file(config, []), config.parent)))]


def _secrets(value: object, folder: Path) -> Iterator[Path]:
    rows = value.items() if isinstance(value, Mapping) else ()
    for key, said in rows:
        if key in _SECRETS and isinstance(said, str) and said.startswith("file:"):
            yield folder / said.removeprefix("file:")
        yield from _secrets(said, folder)
    for one in value if isinstance(value, list) else ():
        yield from _secrets(one, folder)


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no one line.
    """
    with path.open("rb") as file:
        data = file.read(TOKEN_BYTES_MAX + 1)
    token = data.decode("ascii", "replace").strip()
    if not token.isprintable() or not token or len(data) > TOKEN_BYTES_MAX or not token.isascii():
        raise ValueError("holds no token: one line of ASCII is expected")
    return token
