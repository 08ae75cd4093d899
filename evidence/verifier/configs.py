"""Step 5, configurations: signed, of this gateway, in force where they are named, what changed."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import decompress
from evidence.config_changes import config_changes
from evidence.errors import EvidenceError, MalformedError, UnknownSuiteError, UnsupportedError
from evidence.findings import Report, said, utc
from evidence.frame import TYP_CONFIG, Header, place_of
from evidence.verifier.key_check import KeyCheck
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened

CONFIG_FORMAT = 1
SECOND_NS = 1_000_000_000

Config = Mapping[str, Any]
Check = Callable[[cose.Envelope, Header], None]


@dataclass(frozen=True)
class _Read:
    header: Header
    kid: bytes
    config: Config


class Configs:
    """The archive's configurations; one or two are held at a time, however many there are."""

    def __init__(self, archive: Opened, report: Report, keys: KeyCheck, log: LogView) -> None:
        """Prepare."""
        self._archive, self._report, self._keys, self._log = archive, report, keys, log
        self._held: tuple[bytes, Config] | None = None
        self._seen: set[bytes] = set()  # looked at, with the one before it
        self._known: set[bytes] = set()  # may be in the archive
        self._in_force: dict[str, bytes | None] = {}

    def follow(self, header: Header, sha256: bytes, where: str) -> None:
        """Follow which configuration is in force.

        Args:
            header: of the next object of its stream.
            sha256: of that object.
            where: its place.
        """
        in_force = self._in_force.get(header.stream)
        if in_force is None:
            self._in_force[header.stream] = header.cfg
        elif (
            header.cfg not in (None, in_force) and paths.config(header.cfg or b"") in self._archive
        ):
            self._report.add("E-CFG", where, "It names another configuration than that in force.")
        if header.typ == TYP_CONFIG:
            self._in_force[header.stream] = sha256
            self._known.add(sha256)

    def lose(self, stream: str) -> None:
        """An object of the stream cannot be read: the next one says what is in force."""
        self._in_force.pop(stream, None)

    def signed(self, header: Header, sha256: bytes, where: str) -> None:
        """A configuration object stands in its stream, and its signature was looked at there.

        Raises:
            UnknownSuiteError, UnsupportedError: newer than this program.
        """
        self._look(header, sha256, where, self._say_nothing)

    def named(self, header: Header, where: str) -> Config | None:
        """The configuration that a frame names, None when it cannot be used.

        Raises:
            UnknownSuiteError, UnsupportedError: newer than this program.
        """
        if header.cfg is None:
            self._report.add("E-CFG-MISSING", where, "It names no configuration.")
            return None
        self._look(header, header.cfg, where, self._signature)
        held = self._held  # one that was followed by another does not come again
        return held[1] if held is not None and held[0] == header.cfg else None

    def finish(self) -> None:
        """All objects were read: what none of them names is no part of the archive."""
        for path in self._archive.paths():
            match = paths.CONFIG.fullmatch(path)
            if match and bytes.fromhex(match[1]) not in self._known:
                sentence = "No object names this configuration, nor is it one that went before."
                self._report.add("E-FILE-EXTRA", path, sentence)

    def _look(self, header: Header, sha256: bytes, where: str, check: Check) -> None:
        """Check a configuration the first time it is met, and tell what changed in it."""
        if sha256 in self._seen:
            return
        self._seen.add(sha256)
        self._known.add(sha256)
        self._held = None
        new = self._checked(header, sha256, f"{where} names a configuration", check)
        if new is None:
            return
        self._held = sha256, new.config
        if new.header.cfg is None:
            return
        self._known.add(new.header.cfg)
        told = f"{new.header.stream} seq {new.header.seq} follows a configuration"
        again = new.header.cfg in self._seen
        old = self._checked(
            header, new.header.cfg, told, self._say_nothing if again else self._signature
        )
        if old is not None:
            self._tell(new, old.config)

    def _checked(self, header: Header, sha256: bytes, told: str, check: Check) -> _Read | None:
        path = paths.config(sha256)
        if path not in self._archive:
            self._report.add("E-CFG-MISSING", path, f"{told} that is not in the archive.")
            return None
        try:
            return self._read(header, sha256, check)
        except (UnknownSuiteError, UnsupportedError):
            raise
        except EvidenceError as error:
            self._report.add("E-CFG", path, said(error))
            return None

    def _read(self, header: Header, sha256: bytes, check: Check) -> _Read:
        data = self._archive.read(paths.config(sha256))
        if hashlib.sha256(data).digest() != sha256:
            raise MalformedError("its bytes are not those its name and the frames say")
        envelope = cose.parse(data)
        own = place_of(envelope)
        if (own.plant, own.stream) != (header.plant, header.stream):
            raise MalformedError(f"it is of {own.plant}/{own.stream}")
        check(envelope, own)
        config = cbor.decode(decompress(envelope.payload))
        if own.typ != TYP_CONFIG or not isinstance(config, dict):
            raise MalformedError("this is not a signed configuration")
        if type(config.get("format")) is not int:
            raise MalformedError("this configuration has no format number")
        if config["format"] != CONFIG_FORMAT:
            raise UnsupportedError(f"configuration format {config['format']} is unknown")
        named = [config.get(key, {}) for key in ("plant", "gateway")]
        ids = [part.get("id") if isinstance(part, dict) else None for part in named]
        if ids != [header.plant, header.stream]:
            raise MalformedError("this is the configuration of another plant or gateway")
        return _Read(own, envelope.kid, config)

    def _signature(self, envelope: cose.Envelope, own: Header) -> None:
        logged = self._log.entry(own.stream, own.seq)
        received = logged.received_ns if logged is not None else None
        self._keys.signature(envelope, own, received, f"{own.stream} seq {own.seq}")

    def _say_nothing(self, envelope: cose.Envelope, own: Header) -> None:
        """Its signature was looked at before."""

    def _tell(self, new: _Read, old: Config) -> None:
        header = new.header
        logged = self._log.entry(header.stream, header.seq)
        came = f"received {utc(logged.received_ns)}" if logged is not None else "before this month"
        where = f"{header.stream} seq {header.seq}"
        for change in config_changes(old, new.config):
            sentence = (
                f"{change.path}: {change.old} became {change.new}; signed by key {new.kid.hex()} "
                f"of gateway {header.stream} {utc(header.iat_s * SECOND_NS)}, {came}."
            )
            self._report.add("N-CONFIG", where, sentence)
