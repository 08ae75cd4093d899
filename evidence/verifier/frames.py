"""Step 5: every signed object: record, signature, key, chain, log entry, place, configuration."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evidence import cbor, cose
from evidence.archive import paths
from evidence.blocks import decompress
from evidence.chain import ZERO_HASH, Head, follow
from evidence.errors import (
    ChainError,
    EvidenceError,
    LimitError,
    MalformedError,
    SignatureError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.findings import Report
from evidence.frame import TYP_CONFIG, TYP_FRAME, UP_TYPES, Body, Header, decode_body, place_of
from evidence.keys import key_sha256
from evidence.records import records_in
from evidence.verifier.anchors import Anchors
from evidence.verifier.identities import Identities
from evidence.verifier.log_view import Logged, LogView
from evidence.verifier.opened import Opened

HOUR_NS = 3600 * 1_000_000_000
CONFIG_FORMAT = 1

Period = tuple[int, int]


@dataclass
class StreamView:
    """How far one stream has been followed.

    Attributes:
        first: seq of its first object in the archive, None before it.
        head: where it stands.
        hour: of the segment being read, "YYYY-MM-DD/HH".
        t0_ns: of the newest frame.
        last_ns: newest tick seen.
    """

    first: int | None = None
    head: Head = field(default_factory=Head)
    hour: str = ""
    t0_ns: int = 0
    last_ns: int = -1


@dataclass(frozen=True)
class Checked:
    """One frame that is sound, with the configuration it names."""

    stream: str
    header: Header
    body: Body
    cfg: bytes
    config: Mapping[str, Any]
    first_seq: int  # of the stream in this archive


class FrameCheck:
    """Walks all segments of an archive.

    Attributes:
        streams: gateway id -> how far it was followed.
        undecided: True when an object could not be read because it is newer than this program;
            figures made without it mean nothing.
        broken: True when an object is missing or not sound; running values after it mean nothing.
    """

    def __init__(
        self,
        archive: Opened,
        report: Report,
        identities: Identities,
        log: LogView,
        period: Period | None,
    ) -> None:
        """Prepare; `period` is the statement's, None when there is none to hold ticks against."""
        self._archive, self._report = archive, report
        self._identities, self._log, self._period = identities, log, period
        self._anchors = Anchors()
        self.streams: dict[str, StreamView] = {}
        self.undecided = self.broken = False
        self._configs: dict[bytes, Mapping[str, Any] | None] = {}

    def frames(self) -> Iterator[Checked]:
        """Every sound frame, stream by stream in order; findings go to the report."""
        for path in self._archive.paths():
            match = paths.FRAMES.fullmatch(path)
            if match:
                view = self.streams.setdefault(match[1], StreamView())
                view.hour = f"{match[2]}/{match[3]}"
                yield from self._segment(path, match[1], view)
        self._missing()

    def _segment(self, path: str, stream: str, view: StreamView) -> Iterator[Checked]:
        try:
            for data in records_in(self._archive.chunks(path)):
                yield from self._object(path, stream, view, data)
        except (MalformedError, LimitError) as error:
            self.broken = True
            self._report.add("E-RECORD", path, f"{error}.")

    def _object(self, path: str, stream: str, view: StreamView, data: bytes) -> Iterator[Checked]:
        self._report.counts["objects"] += 1
        where = f"{path} after seq {view.head.next_seq - 1}"
        try:
            envelope = cose.parse(data)
            header = place_of(envelope)
            where = f"{stream} seq {header.seq}"
            digest = hashlib.sha256(data).digest()
            self._follow(view, header, digest, where)
            logged = self._log.entry(header.stream, header.seq)
            self._anchors.take(self._report, self._log, header, logged, where)
            fingerprint = self._signature(envelope, header, stream)
            self._logged(logged, digest, fingerprint, where)
            if header.typ not in UP_TYPES:
                self.undecided = True
                sentence = f"Object type {header.typ!r} is unknown to this program."
                self._report.add("C-FORMAT", where, sentence)
            elif header.typ == TYP_FRAME:
                yield from self._frame(view, header, envelope.payload, where)
        except (UnknownSuiteError, UnsupportedError) as error:
            self.undecided = True
            code = "C-SUITE" if isinstance(error, UnknownSuiteError) else "C-FORMAT"
            self._report.add(code, where, f"{error}.")
        except SignatureError as error:
            self.broken = True
            self._report.add("E-SIG-BAD", where, f"{error}: these bytes were changed or forged.")
        except EvidenceError as error:
            self.broken = True
            self._report.add("E-FRAME", where, f"{error}.")

    def _signature(self, envelope: cose.Envelope, header: Header, stream: str) -> bytes | None:
        """Check it; the fingerprint of the key, None when no key could be found."""
        if (header.plant, header.stream) != (self._identities.plant, stream):
            raise MalformedError(f"it is of {header.plant}/{header.stream}, not of this place")
        key = self._identities.gateways.get((stream, envelope.kid))
        if key is None and self._identities.is_foreign(stream):
            raise UnknownSuiteError(f"key {envelope.kid.hex()} is of an unknown crypto suite")
        if key is None:
            sentence = f"No certificate of gateway {stream} holds key {envelope.kid.hex()}."
            self._report.add("E-SIG-UNKNOWN-KEY", f"{stream} seq {header.seq}", sentence)
            return None
        cose.verify(envelope, key)
        self._report.counts["signatures"] += 1
        return key_sha256(key)

    def _follow(self, view: StreamView, header: Header, digest: bytes, where: str) -> None:
        if view.first is None:
            view.first = header.seq
            if header.seq == 0 and header.prev != ZERO_HASH:
                self._report.add("E-CHAIN", where, "The first object of a stream follows nothing.")
            view.head = Head(header.seq + 1, digest)
            return
        try:
            view.head = follow(view.head, header, digest)
        except ChainError as error:
            self.broken = True
            code = "E-CHAIN-GAP" if header.seq > view.head.next_seq else "E-CHAIN"
            self._report.add(code, where, f"{error}.")
            view.head = Head(header.seq + 1, digest)

    def _logged(
        self, entry: Logged | None, digest: bytes, fingerprint: bytes | None, where: str
    ) -> None:
        if entry is None and not self._log.undecided:
            self._report.add("E-LOG-FRAME", where, "The log has no entry that accepts this object.")
        if entry is None:
            return
        if entry.sha256 != digest:
            self._report.add("E-LOG-FRAME", where, "The log accepted other bytes at this seq.")
        elif fingerprint is not None and entry.key_sha256 != fingerprint:
            self._report.add("E-LOG-FRAME", where, "The log says another key had signed it.")

    def _frame(
        self, view: StreamView, header: Header, payload: bytes, where: str
    ) -> Iterator[Checked]:
        body = decode_body(payload)
        self._report.counts["frames"] += 1
        self._report.counts["readings"] += body.readings
        hour = datetime.fromtimestamp(body.t0_ns // HOUR_NS * 3600, UTC).strftime("%Y-%m-%d/%H")
        if hour != view.hour:
            self._report.add("E-FRAME-PLACE", where, f"It is of hour {hour}, not {view.hour}.")
        self._times(view, body, where)
        config = self._config(header, where)
        self.broken = self.broken or config is None
        if config is not None and header.cfg is not None:
            first = view.first if view.first is not None else header.seq
            yield Checked(header.stream, header, body, header.cfg, config, first)

    def _times(self, view: StreamView, body: Body, where: str) -> None:
        if body.t0_ns < view.t0_ns:
            self._report.add("E-TIME", where, "Its t0 is before that of the frame before it.")
        view.t0_ns = max(view.t0_ns, body.t0_ns)
        if not body.sections:
            return
        first = min(section.first_ns for section in body.sections)
        last = max(int(section.ticks_ns()[-1]) for section in body.sections)
        if first <= view.last_ns:
            self._report.add("E-TIME", where, "Its readings are not after those before it.")
        if self._period is not None and not self._period[0] <= first <= last < self._period[1]:
            self._report.add("E-TIME", where, "Its readings are outside the statement's period.")
        view.last_ns = max(view.last_ns, last)

    def _config(self, header: Header, where: str) -> Mapping[str, Any] | None:
        if header.cfg is None:
            self._report.add("E-CFG-MISSING", where, "It names no configuration.")
            return None
        if header.cfg not in self._configs:
            self._configs[header.cfg] = None
            try:
                self._configs[header.cfg] = self._read_config(header, where)
            except (UnknownSuiteError, UnsupportedError):
                raise
            except EvidenceError as error:
                self._report.add("E-CFG", paths.config(header.cfg), f"{error}.")
        return self._configs[header.cfg]

    def _read_config(self, header: Header, where: str) -> Mapping[str, Any] | None:
        path = paths.config(header.cfg or b"")
        if path not in self._archive:
            sentence = f"The configuration it names ({path}) is not in the archive."
            self._report.add("E-CFG-MISSING", where, sentence)
            return None
        data = self._archive.read(path)
        if hashlib.sha256(data).digest() != header.cfg:
            self._report.add("E-CFG", path, "Its bytes are not those its name and the frames say.")
            return None
        envelope = cose.parse(data)
        own = place_of(envelope)
        self._signature(envelope, own, header.stream)
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
        return config

    def _missing(self) -> None:
        """Objects the log accepted within the month's span that the archive does not hold."""
        if self._log.close is None:
            return  # step 7 says so
        closed = self._log.close.get("streams")
        spans = closed if isinstance(closed, dict) else {}
        for stream, span in sorted(spans.items()):
            view = self.streams.get(stream, StreamView())
            held = None
            if view.first is not None:
                held = [view.first, view.head.next_seq - 1, view.head.hash]
            if span != held:
                sentence = f"The log closed the month with {span}; the archive holds {held}."
                self._report.add("E-CHAIN-GAP", f"stream {stream}", sentence)
        for stream in sorted(set(self.streams) - set(spans)):
            sentence = "The log closed the month without this stream."
            self._report.add("E-LOG-CLOSE", f"stream {stream}", sentence)
