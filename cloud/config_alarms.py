"""[alarms] of CLOUD.toml: who is told of alarms elsewhere; a plant's rules and shifts.

I/O: reads the files that are named.

```toml
[alarms]                            # all of it may be left out: then nobody is told elsewhere
# priority = 2                      # 1 act now, 2 this shift, 3 all
# webhook = "https://chat.example/in"           # or "file:…": whoever knows some lets himself in
# webhook_secret = "file:keys/webhook.secret"   # signs what is posted
# smtp = "mail.example:587"         # STARTTLS, except to this machine itself
# smtp_authority = "file:keys/mail-ca.pem"      # who issued its certificate, if a private one
# smtp_user = "stackproof"
# smtp_password = "file:keys/mail.secret"
# mail_from = "stackproof@works.example"
# mail_to = ["shift@works.example"]
[[plant]]
# shifts = ["00:00", "08:00", "16:00"]          # when they begin, by the plant's clock
# [plant.alarms.effect-long]        # a kind of cloud/alarms/rules.toml with its numbers
# priority = 1
# longest_s = 120
```
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cloud.alarms.channels import Channel, Mail, Webhook
from cloud.alarms.rules import Rules, read_rules
from cloud.config_elsewhere import read_token
from firmware_configs.fields import Fields

_SERVER = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}):(?P<port>[0-9]{1,5})")
_ADDRESS = re.compile(r"[^@\s<>,;]{1,64}@[A-Za-z0-9.-]{1,253}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
DEFAULT_SHIFTS = ("00:00", "08:00", "16:00")
SHIFTS_MAX = 8


@dataclass(frozen=True)
class PlantAlarms:
    """A plant's own.

    Attributes:
        rules: when something is an alarm there.
        shifts: when its shifts begin, "hh:mm" by its clock, in order.
    """

    rules: Rules
    shifts: tuple[str, ...] = DEFAULT_SHIFTS


@dataclass(frozen=True)
class AlarmsConfig:
    """Who is told elsewhere, and plants' own.

    Attributes:
        channels: none unless CLOUD.toml names some.
        priority: 1 to 3; less urgent alarms are not told.
        plants: by id.
    """

    channels: tuple[Channel, ...]
    priority: int
    plants: Mapping[str, PlantAlarms]


def read_alarms(fields: Fields, folder: Path, plants: Mapping[str, PlantAlarms]) -> AlarmsConfig:
    """What the table says; mistakes are told to `fields`, files are relative to `folder`."""
    priority = fields.integer("priority", 1, 3, default=2)
    found = [_webhook(fields, folder), _mail(fields, folder)]
    fields.finish()
    return AlarmsConfig(tuple(one for one in found if one is not None), priority, plants)


def read_of_plant(fields: Fields) -> PlantAlarms:
    """What a [[plant]] table says; mistakes are told to `fields`."""
    return PlantAlarms(read_rules(fields), _shifts(fields))


def _webhook(fields: Fields, folder: Path) -> Webhook | None:
    if not fields.has("webhook"):
        return None
    url, secret = fields.text("webhook"), _file(fields, "webhook_secret", folder)
    try:  # the address may let in whoever knows it: it is not repeated
        if url.startswith("file:"):
            url = read_token(folder / url.removeprefix("file:"))
        parts = urlsplit(url)
        is_known = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
        if not is_known or not url.isprintable() or (parts.port or 1) < 1:
            fields.complain("webhook", 'is not "http://…" or "https://…", nor a file with that')
        elif parts.username or parts.password:
            fields.complain("webhook", "must not hold a password: it would be seen in lists")
        elif parts.scheme == "http" and not _is_here(str(parts.hostname)):
            fields.complain("webhook", "must be https: what is told is not for everybody's eyes")
    except OSError as error:
        fields.complain("webhook", f"{error.filename} cannot be read: {error.strerror}")
    except ValueError:
        fields.complain("webhook", "is no address, nor a file with one line that is")
    return Webhook(url, secret) if secret is not None else None


def _mail(fields: Fields, folder: Path) -> Mail | None:
    if not fields.has("smtp"):
        return None
    server = fields.text("smtp", why='"host:port"')
    match = _SERVER.fullmatch(server)
    if match is None or not 1 <= int(match["port"]) <= 65_535:
        said = "" if "@" in server else f"{server!r} "  # before an @ may stand a password
        fields.complain("smtp", f'{said}is not "host:port"')
        match = None
    authority = _file(fields, "smtp_authority", folder) if fields.has("smtp_authority") else None
    user = fields.text("smtp_user", default="")
    password = _file(fields, "smtp_password", folder) if user else None
    sender = fields.text("mail_from", why="the sender's address")
    listed = fields.sequence("mail_to")
    wrong = [one for one in (sender, *listed) if not _is_address(one)]
    if wrong or not listed:
        fields.complain("mail_to", 'give addresses: mail_to = ["shift@works.example"]')
    if match is None or wrong or not listed:
        return None
    is_tls = authority is not None or not _is_here(match["host"])
    if user and not is_tls:
        fields.complain("smtp_user", "a password is not sent without TLS: give smtp_authority")
    return Mail(
        match["host"], int(match["port"]), is_tls, authority, user, password, sender,
        tuple(listed),
    )  # fmt: skip


def _shifts(fields: Fields) -> tuple[str, ...]:
    listed = fields.sequence("shifts") if fields.has("shifts") else list(DEFAULT_SHIFTS)
    is_good = all(isinstance(one, str) and _CLOCK.fullmatch(one) for one in listed)
    if not is_good or not 1 <= len(listed) <= SHIFTS_MAX or listed != sorted(set(listed)):
        fields.complain("shifts", f"write when they begin, in order: {list(DEFAULT_SHIFTS)}")
        return DEFAULT_SHIFTS
    return tuple(listed)


def _file(fields: Fields, key: str, folder: Path) -> Path | None:
    value = fields.text(key, why='"file:…"')
    if not value:
        return None
    if not value.startswith("file:"):
        # the value may be the secret itself: it is not repeated
        fields.complain(key, 'is not a reference; write "file:path"')
        return None
    path = folder / value.removeprefix("file:")
    if not path.is_file():
        fields.complain(key, f"{path} is not there")
        return None
    return path


def _is_address(value: object) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
