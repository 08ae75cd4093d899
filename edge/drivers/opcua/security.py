"""How an OPC UA server is to be trusted and told who we are: the keys of a `[[device]]` table.

No OPC UA library, no I/O: what the files hold is looked at by `edge.drivers.opcua.session`. Secrets
are named by reference only; nothing here holds one, so a printed or logged setting shows none.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from firmware_configs.fields import Fields

NONE, SIGN, ENCRYPT = "none", "Basic256Sha256-Sign", "Basic256Sha256-SignAndEncrypt"
POLICIES = (NONE, SIGN, ENCRYPT)

_PIN = "sha256:"
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
_FOR_SECURITY = ("certificate", "key", "trust")
_FOR_IDENTITY = ("user", "password", "user_certificate", "user_key")


@dataclass(frozen=True)
class OpcUaSecurity:
    """What a device's table says about security.

    Attributes:
        policy: one of `POLICIES`.
        certificate, key: ours (PEM or DER; RSA): who the client is. None only with policy none.
        trusted: the server's certificate, or a folder of certificates of which it is one.
        thumbprint: SHA-256 of the server's certificate (DER), hex; given instead of `trusted`.
        user: name to log in with; "" when not by name.
        password: file with its password.
        user_certificate, user_key: X.509 identity to log in with (PEM or DER; RSA).
    """

    policy: str = NONE
    certificate: Path | None = None
    key: Path | None = None
    trusted: Path | None = None
    thumbprint: str = ""
    user: str = ""
    password: Path | None = None
    user_certificate: Path | None = None
    user_key: Path | None = None

    @property
    def mode(self) -> str:
        """MessageSecurityMode: "Sign" or "SignAndEncrypt"; "" without security."""
        return self.policy.partition("-")[2]

    @property
    def where_trust_goes(self) -> str:
        """What a person does to have a certificate trusted, as the end of a sentence."""
        if self.thumbprint:
            return 'write it as trust = "sha256:…" in the device\'s table'
        return f'put its certificate into {self.trusted}, or write trust = "sha256:…" with it'


def read_security(fields: Fields, folder: Path) -> OpcUaSecurity:
    """The security keys of an OPC UA device's table; what is wrong with them is complained about.

    Args:
        fields: the device's table.
        folder: where the site file lies; paths are relative to it.
    """
    policy = fields.choice("security", POLICIES, default=NONE)
    pin = fields.optional_text("trust") or ""
    thumbprint, trusted = _thumbprint(fields, pin), None
    if pin and not pin.startswith(_PIN):
        trusted = _path(fields, "trust", folder)
    security = OpcUaSecurity(
        policy,
        certificate=_path(fields, "certificate", folder),
        key=_path(fields, "key", folder),
        trusted=trusted,
        thumbprint=thumbprint,
        user=fields.optional_text("user") or "",
        password=_path(fields, "password", folder),
        user_certificate=_path(fields, "user_certificate", folder),
        user_key=_path(fields, "user_key", folder),
    )
    _check_together(fields, security)
    return security


def _path(fields: Fields, key: str, folder: Path) -> Path | None:
    value = fields.optional_text(key)
    if value is None:
        return None
    if not value.startswith("file:"):
        # what stands there may be the secret itself: it is not repeated
        fields.complain(key, 'must be a reference: "file:" and a path')
        return None
    return folder / value.removeprefix("file:")


def _thumbprint(fields: Fields, pin: str) -> str:
    if not pin.startswith(_PIN):
        return ""
    thumbprint = re.sub(r"[: ]", "", pin.removeprefix(_PIN)).lower()
    if not _THUMBPRINT.fullmatch(thumbprint):
        fields.complain("trust", f"{pin!r} must be sha256: and the 64 hex digits of a thumbprint")
    return thumbprint


def _check_together(fields: Fields, security: OpcUaSecurity) -> None:
    if security.policy == NONE:
        for key in (*_FOR_SECURITY, *_FOR_IDENTITY):
            if fields.has(key):
                fields.complain(
                    key, f'needs a secured connection: write security = "{ENCRYPT}", '
                    f"or remove {key}",
                )  # fmt: skip
        return
    for key, why in (
        ("certificate", "the certificate this client shows, \"file:\" and a path"),
        ("key", "the private key of the certificate, \"file:\" and a path"),
        ("trust", "the server's certificate or a folder of such, \"file:\" and a path, "
         "or \"sha256:\" and its thumbprint"),
    ):  # fmt: skip
        if not fields.has(key):
            fields.complain(key, f"is missing: {why}")
    if fields.has("user") and fields.has("user_certificate"):
        fields.complain("user", "log in by user and password or by user_certificate, not by both")
    for one, other in (("user", "password"), ("user_certificate", "user_key")):
        for given, missing in ((one, other), (other, one)):
            if fields.has(given) and not fields.has(missing):
                fields.complain(missing, f"is missing: {given} is of no use without it")


def warning_of(url: str, security: OpcUaSecurity) -> str:
    """What a person should know about an unsecured line beyond this machine; "" when it is fine."""
    if security.policy != NONE or _is_loopback(urlsplit(url).hostname or ""):
        return ""
    return (
        f"{url} is read without security: whoever is on the network in between can read and change "
        f'its values unseen. Write security = "{ENCRYPT}" if the server can do it'
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
