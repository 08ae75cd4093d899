"""Who this gateway is and whom it believes: keys, certificates and orders a site file names.

I/O: reads those files. Everything that does not belong together is a problem under its own key.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edge.site.config import Site
from evidence.certify import objection_to
from evidence.cose import OBJECT_BYTES_MAX
from evidence.custody import validity_ns
from evidence.errors import EvidenceError, KeyFileError, TokenAwayError
from evidence.keys import (
    Certificate,
    Signer,
    certificate_from_der,
    is_issued_by,
    key_sha256,
    load_certificate,
    public_key,
)
from evidence.log_lines import about
from evidence.orders import Replace, decode_order
from evidence.signers import open_signer
from evidence.suites import PublicKey
from evidence.token_key import patient_signer
from firmware_configs.fields import Problem

T = TypeVar("T")

log = logging.getLogger("stackproof.edge")


@dataclass(frozen=True)
class Continuation:
    """The order by which this device goes on where a lost one ended.

    Attributes:
        order: what the root has signed.
        sha256: of the signed order.
    """

    order: Replace
    sha256: bytes


@dataclass(frozen=True)
class Addressee:
    """To whom the collector speaks, and who the collector is.

    Attributes:
        plant, gateway: the gateway's name.
        collector: the key whose receipts are honoured.
    """

    plant: str
    gateway: str
    collector: PublicKey


@dataclass(frozen=True)
class Identity(Addressee):
    """One gateway's keys.

    Attributes:
        signer: its key.
        certificate: of that key.
        previous: the key before, to hand over with.
        continues: the order this device began with.
    """

    signer: Signer
    certificate: Certificate
    previous: Signer | None = None
    continues: Continuation | None = None

    @property
    def key_sha256(self) -> bytes:
        """Fingerprint of the key in use."""
        return key_sha256(self.signer.public_key)


class Problems(list[Problem]):
    """Problems of one site file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def add(self, key: str, reason: object) -> None:
        """Note one more."""
        self.append(Problem(str(self._path), key, str(reason)))

    def tried(self, key: str, work: Callable[[], T]) -> T | None:
        """What the work gives; a problem and None when evidence refuses it."""
        try:
            return work()
        except EvidenceError as error:
            self.add(key, error)
            return None


def open_identity(site: Site, problems: Problems, *, may_be_away: bool = False) -> Identity | None:
    """The keys of a site, if they are all there and belong together; else problems and None.

    Args:
        site: the site file.
        problems: takes what is wrong.
        may_be_away: the token that holds the key need not be there now.
    """
    before = len(problems)
    gateway, folder = site.gateway, site.path.parent
    signer = problems.tried("gateway.key", lambda: _signer(site, may_be_away=may_be_away))
    certificate = open_gateway_certificate(site, problems)
    if signer is not None and certificate is not None:
        held = problems.tried("gateway.certificate", lambda: public_key(certificate))
        if held is not None and key_sha256(held) != key_sha256(signer.public_key):
            reason = f"{gateway.certificate} does not belong to {gateway.key}"
            problems.add("gateway.certificate", reason)
    previous = None
    if gateway.previous_key:
        previous = problems.tried(
            "gateway.previous_key", lambda: open_signer(gateway.previous_key, folder)
        )
    collector = open_collector(site, problems)
    root = open_root(site, problems, certificate)
    continues = None
    if gateway.continues is not None and root is not None and signer is not None:
        continues = _continuation(site, problems, gateway.continues, root, signer.public_key)
    if len(problems) > before or signer is None or certificate is None or collector is None:
        return None
    return Identity(site.plant.id, gateway.id, collector, signer, certificate, previous, continues)


def _signer(site: Site, *, may_be_away: bool) -> Signer:
    """The gateway's key; of one in a token what can wait for it."""

    def is_away(error: TokenAwayError) -> None:
        if not may_be_away:
            raise error
        of = about(site.plant.id, site.gateway.id)  # before the program has put them to every line
        log.warning("%s; readings are kept until it is, and signed then", error, extra=of)

    gateway = site.gateway
    return patient_signer(gateway.key, site.path.parent, gateway.certificate, is_away)


def open_gateway_certificate(site: Site, problems: Problems) -> Certificate | None:
    """The gateway's certificate."""
    name = ("gateway", site.plant.id, site.gateway.id)
    return _certificate(problems, "gateway.certificate", site.gateway.certificate, name)


def open_collector(site: Site, problems: Problems) -> PublicKey | None:
    """The pinned collector's key."""
    name = ("collector", site.plant.id, "")
    certificate = _certificate(problems, "uplink.collector", site.uplink.collector, name)
    if certificate is None:
        return None
    return problems.tried("uplink.collector", lambda: public_key(certificate))


def out_of_date(certificate: Certificate, now_ns: int) -> str:
    """Why the gateway's certificate is not valid now; "" when it is.

    The agent signs on all the same: readings kept aside can be taken in later, readings never
    signed cannot.
    """
    first, last = validity_ns(certificate)
    if now_ns < first:
        return "is not valid yet, by this machine's clock"
    if now_ns > last:
        return "is no longer valid: have the plant's root sign a new one (stackproof keys enrol)"
    return ""


def _certificate(
    problems: Problems, key: str, path: Path, wanted: tuple[str, str, str]
) -> Certificate | None:
    """A certificate of this role, plant and name ("" for any name)."""
    certificate = problems.tried(key, lambda: load_certificate(path))
    if certificate is None:
        return None
    why = problems.tried(key, lambda: objection_to(certificate, *wanted, root=None))
    if why is None:
        return None
    if why:
        role, plant, name = wanted
        problems.add(key, f"{why}; needed is one of {role} {plant}/{name or '…'}")
    return certificate


def open_root(
    site: Site, problems: Problems, certificate: Certificate | None
) -> Certificate | None:
    """The root, where the site names it; then the gateway's certificate, if given, must be its."""
    if site.gateway.root is None:
        return None
    name = ("root", site.plant.id, "")
    root = _certificate(problems, "gateway.root", site.gateway.root, name)
    if root is not None and certificate is not None and not is_issued_by(certificate, root):
        problems.add("gateway.certificate", f"is not issued by {site.gateway.root}")
    return root


def _continuation(
    site: Site, problems: Problems, path: Path, root: Certificate, own: PublicKey
) -> Continuation | None:
    key = "gateway.continues"
    data = problems.tried(key, lambda: _read(path))
    if data is None:
        return None
    order = problems.tried(key, lambda: decode_order(data, public_key(root)))
    if order is None:
        return None
    if not isinstance(order, Replace):
        problems.add(key, f"{path} revokes a key; a replace order is needed here")
        return None
    if (order.plant, order.stream) != (site.plant.id, site.gateway.id):
        whose = f"{order.plant}/{order.stream}"
        problems.add(key, f"is for {whose}, not for {site.plant.id}/{site.gateway.id}")
    certified = problems.tried(key, lambda: public_key(certificate_from_der(order.certificate)))
    if certified is not None and key_sha256(certified) != key_sha256(own):
        problems.add(
            key,
            f"gives the stream to key {key_sha256(certified).hex()[:16]}, and gateway.key is "
            f"{key_sha256(own).hex()[:16]}; if this device has changed its key since, remove "
            "continues: it is needed until the first object only",
        )
    return Continuation(order, hashlib.sha256(data).digest())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(OBJECT_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
    return data
