"""The folder of a broker's certificates: who asked, who was approved, issued, revoked. I/O: it.

    ca.crt                                  whose certificates these are
    pending/<plant>.<gateway>.cose          the newest request that waits for a person
    approved/<plant>.<gateway>.<key>.der    a key that a person has approved
    issued/<plant>.<gateway>.<key>.<end>-<begin>.crt
    revoked/<key>.json                      plant, gateway, reason, when, by whom
    crl.pem                                 for brokers that take one
    nodes/<name>/server.crt                 of one broker of several, with its key server.pem

<key> is the SHA-256 of the TLS key, <end> and <begin> are the certificate's, UTC: no certificate
takes the place of another, so the list of the revoked has them all. Files appear whole or not at
all, one writer at a time. Each is a fact for itself: whoever signs elsewhere (a CA that is kept
offline) works on a copy of the folder and brings back what is new.
"""

import contextlib
import datetime as dt
import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cloud.disk import sync_names
from cloud.errors import StoreError
from cloud.transport.broker_files import KnownNode
from evidence.broker_certificates import (
    CLIENT_DAYS,
    REQUEST_BYTES_MAX,
    BrokerRequest,
    Ca,
    certify_client,
    gateway_name,
    hosts_of,
    is_by,
    key_of_der,
    key_to_der,
    node_name,
)
from evidence.broker_revocations import Listed, read_list, revocation_list
from evidence.errors import KeyFileError, MalformedError
from evidence.keys import (
    Certificate,
    Signer,
    certificate_to_pem,
    key_sha256,
    load_certificate,
    public_key,
)
from evidence.owners import give, make_folder

CA, CRL = "ca.crt", "crl.pem"
PENDING, APPROVED, ISSUED, REVOKED = "pending", "approved", "issued", "revoked"
NODES, SERVER, SERVER_KEY = "nodes", "server.crt", "server.pem"
_SECOND = "%Y%m%d%H%M%S"
AS_BEFORE = (
    "{} is not later than the one before, which a clock that was ahead or another copy has made: "
    "mosquitto goes by that one until it is restarted"
)


@dataclass(frozen=True)
class Approved:
    """A gateway's TLS key that a person has approved.

    Attributes:
        plant, gateway: whose.
        key: its SHA-256, hex.
        path: of the file that says so.
    """

    plant: str
    gateway: str
    key: str
    path: Path

    @property
    def stem(self) -> str:
        """The beginning of its certificates' file names."""
        return f"{self.plant}.{self.gateway}.{self.key}"


class Register:
    """One folder.

    Args:
        folder: it.
        signer: the CA's key; None where certificates are signed elsewhere.
        days: that a certificate is valid.

    Raises:
        KeyFileError: no CA's certificate there, or of another key.
    """

    def __init__(self, folder: Path, signer: Signer | None, days: int = CLIENT_DAYS) -> None:
        self.folder, self.days = folder, days
        self.ca = load_certificate(folder / CA)
        if signer is not None and key_sha256(signer.public_key) != key_sha256(public_key(self.ca)):
            raise KeyFileError(f"{folder / CA} does not belong to the CA's key")
        self._ca = None if signer is None else Ca(signer, self.ca)

    @property
    def signs(self) -> bool:
        """The CA's key is here."""
        return self._ca is not None

    # -- what is known ----------------------------------------------------------------------------

    def pending(self) -> Iterator[tuple[str, str, bytes]]:
        """(plant, gateway, request) of those that wait, as they came."""
        for path, (plant, gateway) in _named(self.folder / PENDING, "cose", 2):
            yield plant, gateway, path.read_bytes()

    def approved(self) -> Iterator[Approved]:
        """Keys that were approved and are not revoked, sorted."""
        for path, (plant, gateway, key) in self._approved():
            if not self.is_revoked(key):
                yield Approved(plant, gateway, key, path)

    def ended(self) -> set[tuple[str, str]]:
        """(plant, gateway) that had keys and have none any more."""
        had = {(plant, gateway) for _, (plant, gateway, _) in self._approved()}
        return had - {(one.plant, one.gateway) for one in self.approved()}

    def _approved(self) -> Iterator[tuple[Path, list[str]]]:
        return _named(self.folder / APPROVED, "der", 3)

    def find(self, plant: str, gateway: str, key: str) -> Approved | None:
        """One of `approved`."""
        return None if self.is_revoked(key) else self.known(plant, gateway, key)

    def known(self, plant: str, gateway: str, key: str) -> Approved | None:
        """A key that was approved, revoked since or not."""
        path = self.folder / APPROVED / f"{plant}.{gateway}.{key}.der"
        return Approved(plant, gateway, key, path) if path.exists() else None

    def is_revoked(self, key: str) -> bool:
        """A key that lets nobody in any more."""
        return (self.folder / REVOKED / f"{key}.json").exists()

    def nodes(self) -> list[KnownNode]:
        """Every broker of several, sorted by name; KeyFileError for a certificate not of ours."""
        found = []
        for path in sorted((self.folder / NODES).glob(f"*/{SERVER}")):
            made = load_certificate(path)
            if not is_by(made, self.ca):
                raise KeyFileError(
                    f"{path} is not by {self.folder / CA}: take it away, make another"
                )
            try:
                host = hosts_of(made)[0]
            except MalformedError as error:
                raise KeyFileError(f"{path}: {error}") from error
            key = key_sha256(public_key(made)).hex()
            found.append(KnownNode(node_name(path.parent.name), host, key))
        return found

    def newest(self, approved: Approved, now: dt.datetime) -> Certificate | None:
        """Of a key's certificates that have begun the one that ends last, else of all.

        By the CA of now, or of those before. One that has not begun is of a clock that was ahead.
        """
        return self._newest((self.folder / ISSUED).glob(f"{approved.stem}.*.crt"), now)

    def all_newest(self, now: dt.datetime) -> Iterator[tuple[Approved, Certificate | None]]:
        """`newest` of each of `approved`, by one look at the folder: years are many files."""
        paths = dict[str, list[Path]]()
        for path, words in _named(self.folder / ISSUED, "crt", 4):
            paths.setdefault(".".join(words[:3]), []).append(path)
        for one in self.approved():
            yield one, self._newest(paths.get(one.stem, ()), now)

    def _newest(self, paths: Iterable[Path], now: dt.datetime) -> Certificate | None:
        ours, other = None, None
        for path in sorted(paths, reverse=True):
            try:
                made = load_certificate(path)
            except KeyFileError:  # a copy that was cut short: another is made
                continue
            if not is_by(made, self.ca):
                other = other or made
            elif made.not_valid_before_utc <= now:
                return made
            else:
                ours = ours or made
        return ours or other

    def unlisted(self, path: Path) -> frozenset[int]:
        """Serial numbers of revoked keys' certificates that a revocation list does not name."""
        return self._revoked() - _listed(path).serials

    def _revoked(self) -> frozenset[int]:
        keys = {key for _, (key,) in _named(self.folder / REVOKED, "json", 1)}
        issued = _named(self.folder / ISSUED, "crt", 4)
        ended = (path for path, (_, _, key, _) in issued if key in keys)
        return frozenset(load_certificate(path).serial_number for path in ended)

    def list_for(self, there: Path) -> tuple[bytes | None, list[str]]:
        """What a broker's folder is to have as its list, None to leave it; sentences for people."""
        path, said = self.folder / CRL, list[str]()
        if lacks := self.unlisted(path):
            said.append(
                f"{path} does not name {len(lacks)} certificate(s) of revoked keys: brokers that "
                "go by it let them in. Sign it where the CA's key is, from a copy of the folder as "
                "it is now (broker sign)"
            )
        if not path.exists() or not there.exists():
            return (path.read_bytes() if path.exists() else None), said
        if self.unlisted(there) < lacks:
            return None, [*said, f"{there} stays: it names more of them"]
        data = path.read_bytes()
        if data != there.read_bytes() and _listed(path).begins <= _listed(there).begins:
            said.append(AS_BEFORE.format(there))
        return data, said

    # -- what changes it --------------------------------------------------------------------------

    def barred(self) -> str:
        """Why this process cannot write here, a sentence; "" where it can. Leaves nothing."""
        parts = (self.folder / name for name in (PENDING, APPROVED, ISSUED, REVOKED))
        for folder in (self.folder, *(part for part in parts if part.exists())):
            try:
                with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                    file.write(bytes(REQUEST_BYTES_MAX))
            except OSError as error:
                why = ""
                if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                    why = (
                        ". The unit lets the collector write below /var/lib/stackproof alone "
                        "(docs/install.md, Services)"
                    )
                return (
                    f"{folder} cannot be written ({error.strerror}): no gateway's certificate is "
                    f"renewed, no key approved or revoked{why}"
                )
        return ""

    def wait(self, plant: str, gateway: str, data: bytes) -> None:
        """A verified request waits for a person, in place of the gateway's last."""
        self._write(f"{PENDING}/{plant}.{gateway}.cose", data)

    def approve(self, request: BrokerRequest) -> Approved:
        """A person has seen the key's SHA-256 at both ends."""
        key = key_sha256(request.key).hex()
        name = f"{APPROVED}/{request.plant}.{request.gateway}.{key}.der"
        self._write(name, key_to_der(request.key))
        (self.folder / PENDING / f"{request.plant}.{request.gateway}.cose").unlink(missing_ok=True)
        return Approved(request.plant, request.gateway, key, self.folder / name)

    def certificate(self, approved: Approved, now: dt.datetime) -> Certificate | None:
        """The newest of a key, made anew when less than half of its life is left or none has begun.

        None where none is good for long and the CA's key is not here.
        """
        newest = self.newest(approved, now)
        if newest is not None and is_fresh(newest, self.ca, now):
            return newest
        if self._ca is None:
            return None
        key = key_of_der(approved.path.read_bytes())
        if key_sha256(key).hex() != approved.key:
            raise KeyFileError(f"{approved.path} holds another key than its name says")
        name = gateway_name(approved.plant, approved.gateway)
        made = certify_client(name, key, self._ca, now, self.days)
        end, begin = made.not_valid_after_utc, made.not_valid_before_utc
        life = f"{end.strftime(_SECOND)}-{begin.strftime(_SECOND)}"
        self._write(f"{ISSUED}/{approved.stem}.{life}.crt", certificate_to_pem(made))
        return made

    def revoke(self, approved: Approved, reason: str, by: str, now: dt.datetime) -> None:
        """A key is to let nobody in from now on; `write_list` tells those who take a list."""
        if self.is_revoked(approved.key):
            return  # as it was: who orders it again has the list written
        facts = {
            "plant": approved.plant, "gateway": approved.gateway, "reason": reason, "by": by,
            "at": now.isoformat(timespec="seconds"),
        }  # fmt: skip
        data = json.dumps(facts, ensure_ascii=False, indent=1).encode()
        self._write(f"{REVOKED}/{approved.key}.json", data)

    def write_list(self, now: dt.datetime) -> list[str]:
        """Sign the list of every certificate whose key is revoked, where the CA's key is.

        Gives what people must do besides, a sentence or none.
        """
        if self._ca is None:
            return []
        path = self.folder / CRL
        with self._alone():  # of two lists that are alike a broker goes by the first
            told, before = _listed(path).begins, path.read_bytes() if path.exists() else None
            self._put(CRL, revocation_list(self._ca, self._revoked(), now, before))
        return [AS_BEFORE.format(path)] if _listed(path).begins <= told else []

    def mend_list(self, now: dt.datetime) -> list[str]:
        """`write_list` if the list lacks a revoked certificate, or has not begun."""
        path = self.folder / CRL
        is_whole = _listed(path).begins <= now and not self.unlisted(path)
        return [] if is_whole else self.write_list(now)

    def _write(self, name: str, data: bytes) -> None:
        with self._alone():
            self._put(name, data)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No command writes here meanwhile. The folder itself may be a broker's, and held so."""
        with (self.folder / CA).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _put(self, name: str, data: bytes) -> None:
        """Write a file that is whole under its name, and on disk."""
        path = self.folder / name
        part = path.with_name(f".{path.name}.part")
        try:
            if not path.parent.is_dir():
                make_folder(path.parent)
                sync_names(self.folder)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            give(part)
            part.replace(path)
            sync_names(path.parent)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _named(folder: Path, kind: str, words: int) -> Iterator[tuple[Path, list[str]]]:
    """Files whose name is so many words and a kind, sorted; what else lies there is no fact."""
    for path in sorted(folder.glob(f"*.{kind}")):
        *found, _ = path.name.split(".")
        if len(found) == words and all(found):
            yield path, found


def is_fresh(certificate: Certificate, ca: Certificate, now: dt.datetime) -> bool:
    """By this CA, begun, and with more than half of its life before it."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return is_by(certificate, ca) and begins <= now < begins + (ends - begins) / 2


def _listed(path: Path) -> Listed:
    """What a revocation list says; of none, or none that can be read: the first instant, nobody."""
    try:
        return read_list(path.read_bytes())
    except (FileNotFoundError, MalformedError):
        return Listed(dt.datetime.min.replace(tzinfo=dt.UTC), 0, frozenset())
