"""Step 5, configurations: signed, of this gateway, in force where they are named, what changed."""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evidence import cose
from evidence.archive import paths
from evidence.config_changes import config_changes
from evidence.configuration import Together
from evidence.errors import (
    EvidenceError,
    LimitError,
    MalformedError,
    SignatureError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.findings import Report, said, utc
from evidence.frame import TYP_CONFIG, TYP_FRAME, Header, place_of
from evidence.verifier.key_check import KeyCheck
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened

SECOND_NS = 1_000_000_000

Config = Mapping[str, Any]
Check = Callable[[cose.Envelope, Header], None]


@dataclass(frozen=True)
class _Read:
    header: Header
    kid: bytes
    config: Config


@dataclass(frozen=True)
class _Held:
    sha256: bytes
    seq: int
    config: Config


class Configs:
    """The archive's configurations: two are held at a time, each is decoded twice at most.

    Attributes:
        newer: hashes of those that are newer than this program.
    """

    def __init__(self, archive: Opened, report: Report, keys: KeyCheck, log: LogView) -> None:
        """Prepare."""
        self._archive, self._report, self._keys, self._log = archive, report, keys, log
        self._held: _Held | None = None  # the newest looked at that can be used
        self._together, self.newer = Together(), set[bytes]()
        self._followed: set[bytes] = set()  # decoded as the one before another
        self._of_streams: dict[str, list[tuple[int, bytes]]] | None = None
        self._seen: set[bytes] = set()  # looked at, with the one before it; in the archive
        self._missed = b""  # the newest that is not in the archive
        self._known: set[bytes] = set()  # may be in the archive, and are
        self._in_force: dict[str, bytes | None] = {}  # of streams of which it is known
        self._lost: set[str] = set()  # streams of which an object could not be read
        self._unaware: set[str] = set()  # a new device has not yet said what it goes by
        self._before: bytes | None = None  # in force before the newest configuration object

    def follow(self, header: Header, sha256: bytes, where: str) -> None:
        """Follow which configuration is in force; an object names no other.

        Args:
            header: of the next object of its stream.
            sha256: of that object.
            where: its place.
        """
        stream = header.stream
        if header.seq == 0:
            self._in_force[stream] = None
        if self._keys.is_new_device(header):
            self._unaware.add(stream)
        fault = self._fault(header)
        is_missed = header.typ == TYP_FRAME and (
            header.cfg is None or paths.config(header.cfg) not in self._archive
        )
        if fault and not is_missed:  # else `named` says so
            self._report.add("E-CFG", where, fault)
        if stream not in self._in_force and header.cfg is not None:
            self._in_force[stream] = header.cfg
            self._lost.discard(stream)
        self._before = header.cfg or self._in_force.get(stream)
        if header.typ == TYP_CONFIG:
            if stream in self._unaware and self._before is None:
                self._before = self._newest_before(header)
            self._in_force[stream] = sha256
            self._know(sha256)
            self._unaware.discard(stream)
            self._lost.discard(stream)

    def _fault(self, header: Header) -> str:
        """What is wrong with the configuration that a header names; "" for nothing."""
        stream = header.stream
        if header.cfg is None:
            if stream in self._unaware | self._lost or self._in_force.get(stream, b"") is None:
                return ""
            return "It names no configuration, and one is in force."
        if self._in_force.get(stream, header.cfg) != header.cfg:
            return "It names another configuration than that in force."
        return ""

    def _newest_before(self, header: Header) -> bytes | None:
        """The newest configuration in the archive of before this object of the stream."""
        if self._of_streams is None:
            self._of_streams = self._placed()
        of_stream = self._of_streams.get(header.stream, [])
        before = bisect_left(of_stream, (header.seq, b""))
        return of_stream[before - 1][1] if before else None

    def _placed(self) -> dict[str, list[tuple[int, bytes]]]:
        """Stream -> (seq, hash) of each configuration in the archive, in order."""
        found: dict[str, list[tuple[int, bytes]]] = {}
        for path in self._archive.paths():
            match = paths.CONFIG.fullmatch(path)
            if match is None:
                continue
            try:
                own = place_of(cose.parse(self._archive.read(path)))
            except EvidenceError:
                continue  # what is wrong with it is said where it is named
            found.setdefault(own.stream, []).append((own.seq, bytes.fromhex(match[1])))
        for of_stream in found.values():
            of_stream.sort()
        return found

    def lose(self, stream: str) -> None:
        """An object of the stream cannot be read: the next one says what is in force."""
        self._in_force.pop(stream, None)
        self._lost.add(stream)

    def signed(self, header: Header, sha256: bytes, where: str) -> Config | None:
        """A configuration object stands in its stream, and its signature was looked at there.

        Returns:
            It, if it can be used.

        Raises:
            UnknownSuiteError, UnsupportedError: newer than this program.
        """
        self._look(header, sha256, where, self._say_nothing, before=self._before)
        held = self._held
        return held.config if held is not None and held.sha256 == sha256 else None

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
        if held is None or held.sha256 != header.cfg:
            return None
        if held.seq >= header.seq:
            sentence = f"It is of seq {held.seq}, and named at seq {header.seq}."
            self._report.add("E-CFG", paths.config(header.cfg), sentence)
            return None
        return held.config

    def later(self, lasts: Mapping[str, int]) -> Iterator[tuple[str, bytes, Config]]:
        """All objects were read: (stream, hash, configuration) of each signed after.

        Such a one may explain what meters said. Anything else that none of the objects names is no
        part of the archive.

        Args:
            lasts: stream -> seq of its last object here.
        """
        found = []
        for path in self._archive.paths():
            match = paths.CONFIG.fullmatch(path)
            if match and bytes.fromhex(match[1]) not in self._known:
                try:
                    found.append((self._place_after(path, lasts), bytes.fromhex(match[1])))
                except EvidenceError as error:
                    self._extra(path, error)
        for own, sha256 in sorted(found, key=lambda item: (item[0].stream, item[0].seq)):
            path = paths.config(sha256)
            try:
                new = self._read(replace(own, seq=own.seq + 1), sha256, self._signature)
            except (UnknownSuiteError, UnsupportedError) as error:
                code = "C-SUITE" if isinstance(error, UnknownSuiteError) else "C-FORMAT"
                self._report.add(code, path, said(error))
            except SignatureError as error:
                self._report.add("E-SIG-BAD", path, said(error))
            except EvidenceError as error:
                self._extra(path, error)
            else:
                yield own.stream, sha256, new.config

    def _place_after(self, path: str, lasts: Mapping[str, int]) -> Header:
        """Header of a configuration behind the last object here; EvidenceError when it is none."""
        data = self._archive.read(path)
        own = place_of(cose.parse(data))
        logged = self._log.entry(own.stream, own.seq)
        if own.seq <= lasts.get(own.stream, own.seq) or logged is None:
            raise MalformedError("the log here has no such object after those of the month")
        if (logged.sha256, logged.length) != (hashlib.sha256(data).digest(), len(data)):
            raise MalformedError("the log here accepted another object at its place")
        return own

    def _extra(self, path: str, error: EvidenceError) -> None:
        sentence = f"No object here names this configuration, nor does it explain one: {error}."
        self._report.add("E-FILE-EXTRA", path, sentence)

    def _look(
        self,
        header: Header,
        sha256: bytes,
        where: str,
        check: Check,
        *,
        before: bytes | None = None,
    ) -> None:
        """Check a configuration the first time it is met, and tell what changed in it."""
        if sha256 in self._seen or sha256 == self._missed:
            return
        if self._know(sha256):
            self._seen.add(sha256)
        else:
            self._missed = sha256
        told = f"{where} names a configuration"
        try:
            new = self._checked(header, sha256, told, check)
        except (UnknownSuiteError, UnsupportedError):
            self.newer.add(sha256)
            raise
        if new is None:
            return
        try:
            before = before or new.header.cfg
            if before is not None:
                self._compare(new, before)
        finally:
            self._held = _Held(sha256, new.header.seq, new.config)

    def _compare(self, new: _Read, before: bytes) -> None:
        """Check the one before it, and tell what changed."""
        is_here = self._know(before)
        if new.header.cfg is None and not is_here:
            return  # of a lost device, whose last frames are not of this month
        told = f"{new.header.stream} seq {new.header.seq} follows a configuration"
        if before in self._followed and not self._is_held(before):
            return  # two go on from one: something failed before
        if is_here:
            self._followed.add(before)
        is_seen = before in self._seen
        old = self._checked(
            new.header, before, told, self._say_nothing if is_seen else self._signature
        )
        if old is not None:
            self._tell(new, old.config)

    def _is_held(self, sha256: bytes) -> bool:
        return self._held is not None and self._held.sha256 == sha256

    def _know(self, sha256: bytes) -> bool:
        """A configuration may be in the archive: whether it is. Others are not held in memory."""
        is_here = paths.config(sha256) in self._archive
        if is_here:
            self._known.add(sha256)
        return is_here

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
        if own.typ != TYP_CONFIG:
            raise MalformedError("this is not a signed configuration")
        if own != header and own.seq >= header.seq:
            raise MalformedError(f"it is of seq {own.seq}, and named at seq {header.seq}")
        try:
            config = self._decoded(sha256, envelope.payload)
        except (MalformedError, LimitError) as error:
            raise MalformedError(f"it cannot be used: {error}") from error
        if (config["plant"]["id"], config["gateway"]["id"]) != (header.plant, header.stream):
            raise MalformedError("this is the configuration of another plant or gateway")
        return _Read(own, envelope.kid, config)

    def _decoded(self, sha256: bytes, payload: bytes) -> Config:
        held = self._held
        return held.config if held and held.sha256 == sha256 else self._together.decode(payload)

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
        has_room = self._report.has_room("N-CONFIG", rank=2)
        for change in config_changes(old, new.config, settings=has_room):
            rank = change.rank
            if not self._report.has_room("N-CONFIG", rank):
                self._report.add("N-CONFIG", where, "", rank)
                if rank:
                    continue
                return  # nobody reads more, and to find them all can take hours
            sentence = (
                f"{change.told}; signed by key {new.kid.hex()} "
                f"of gateway {header.stream} {utc(header.iat_s * SECOND_NS)}, {came}."
            )
            self._report.add("N-CONFIG", where, sentence, rank)
