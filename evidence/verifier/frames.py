"""Step 5: every signed object: record, signature, key, chain, log entry, place, configuration."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from evidence import cose
from evidence.archive import paths
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
from evidence.findings import Report, said
from evidence.frame import (
    FLAG_MANUAL,
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    TYP_ROTATE,
    Body,
    Header,
    decode_body,
    place_of,
)
from evidence.frame_form import FrameForm, check_order
from evidence.log_details import KIND_OF, is_span
from evidence.points import NAME_ID
from evidence.receipt import decode_close
from evidence.records import records_in
from evidence.verifier.anchors import Anchors
from evidence.verifier.clocks import newest_ns
from evidence.verifier.completeness import Held
from evidence.verifier.configs import Configs
from evidence.verifier.gaps import Gaps
from evidence.verifier.identities import Identities
from evidence.verifier.key_check import KeyCheck
from evidence.verifier.log_view import Logged, LogView, gap_sha256
from evidence.verifier.meter_settings import SettingsCheck
from evidence.verifier.named import Named
from evidence.verifier.opened import Opened
from evidence.verifier.stream_view import StreamView, receipted_seq

#: no figure is made of them
_BESIDE = frozenset({TYP_CONFIG, TYP_ROTATE, TYP_COSIGNATURE, TYP_CLOSE})
HOUR_NS = 3600 * 1_000_000_000

Period = tuple[int, int]


@dataclass(frozen=True)
class Checked:
    """One frame that is sound, with the configuration it names.

    Attributes:
        stream, header, body: the frame.
        cfg, config: what it names.
        first_seq: of the stream in this archive.
        is_unfit: it does not fit its configuration, which is told: nothing is made of it.
    """

    stream: str
    header: Header
    body: Body
    cfg: bytes
    config: Mapping[str, Any]
    first_seq: int
    is_unfit: bool = False


class FrameCheck:
    """Walks all segments of an archive.

    Attributes:
        streams: gateway id -> how far it was followed.
        anchors: what its gateways saw of the log.
        named: what its configurations name.
        simulated: True when a frame, its clock or its configuration says so.
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
        *,
        is_final: bool = False,
    ) -> None:
        """Prepare; `period` is the statement's, None when there is none to hold ticks against.

        `is_final`: the statement is, so that all of its period is due.
        """
        self._archive, self._report = archive, report
        self._identities, self._log, self.period = identities, log, period
        self._is_final = is_final
        self.anchors = Anchors()
        self._keys = KeyCheck(report, identities)
        self._configs = Configs(archive, report, self._keys, log)
        self._form: tuple[bytes, FrameForm | None] = b"", None
        self.streams: dict[str, StreamView] = {}
        self.named = Named()
        self.undecided = self.broken = self.simulated = False

    def frames(self) -> Iterator[Checked]:
        """Every sound frame, stream by stream in order; findings go to the report."""
        for path in self._archive.paths():
            match = paths.FRAMES.fullmatch(path)
            if match:
                view = self._view(match[1])
                view.hour = f"{match[2]}/{match[3]}"
                yield from self._segment(path, match[1], view)
        self._missing()
        if not self.broken:
            lasts = {stream: view.head.next_seq - 1 for stream, view in self.streams.items()}
            for stream, sha256, config in self._configs.later(lasts):
                self.streams[stream].settings.explain(sha256, config)
        for stream, view in self.streams.items():
            view.settings.finish()
            self.anchors.tell(self._report, stream)
            view.times.tell(self._report, stream)
            if view.manual:
                sentence = f"{view.manual} of its frames say that a person typed their readings."
                self._report.add("W-TYPED", f"stream {stream}", sentence)
            last, to_ns = view.head.next_seq - 1, self.period[1] if self.period else None
            if view.first is not None:
                self._keys.finish(stream, view.first, last)
            if to_ns is not None:
                for sentence in view.gaps.end(to_ns, is_final=self._is_final):
                    self._report.add("W-GAP", f"stream {stream}", sentence)
            told = view.held.as_map(view.first, last, to_ns, view.times) | view.gaps.as_map()
            self._report.completeness[stream] = told

    def _view(self, stream: str) -> StreamView:
        if stream not in self.streams:
            from_ns = self.period[0] if self.period else None
            held = Held(from_ns, len(self._archive.streams))
            settings = SettingsCheck(self._report, stream)
            receipt = receipted_seq(self._archive, stream, self._identities.collector)
            self.streams[stream] = StreamView(held, Gaps(from_ns), settings, receipt=receipt)
        return self.streams[stream]

    def _segment(self, path: str, stream: str, view: StreamView) -> Iterator[Checked]:
        try:
            for data in records_in(self._archive.chunks(path)):
                yield from self._object(path, stream, view, data)
        except (MalformedError, LimitError) as error:
            self.broken = True
            self._report.add("E-RECORD", path, said(error))

    def _object(self, path: str, stream: str, view: StreamView, data: bytes) -> Iterator[Checked]:
        self._report.counts["objects"] += 1
        typ, where = "", f"{path} after seq {view.head.next_seq - 1}"
        try:
            envelope = cose.parse(data)
            header = place_of(envelope)
            typ, where = header.typ, f"{stream} seq {header.seq}"
            digest = hashlib.sha256(data).digest()
            self._follow(view, header, digest, where)
            if (header.plant, header.stream) != (self._identities.plant, stream):
                raise MalformedError(f"it is of {header.plant}/{header.stream}, not of this place")
            logged = self._log.entry(header.stream, header.seq)
            self._keys.follow(header, where)
            self.anchors.take(self._report, self._log, header, logged, where)
            if header.seq == view.receipt:
                view.receipted = header.anchor or (0, b"")
            view.held.take(header)
            self._configs.follow(header, digest, where)
            received = logged.received_ns if logged is not None else None
            try:
                by = self._keys.signature(envelope, header, received, where)
            except UnknownSuiteError:
                self._logged(logged, header, data, digest, None)  # bytes and kind need no suite
                raise
            self._logged(logged, header, data, digest, by)
            if header.typ == TYP_FRAME:
                yield from self._frame(view, header, envelope.payload, logged, where)
            else:
                self._place(view, where)
                self._other(header, envelope, digest, by, where)
        except (UnknownSuiteError, UnsupportedError) as error:
            self.undecided = self.undecided or typ not in _BESIDE
            code = "C-SUITE" if isinstance(error, UnknownSuiteError) else "C-FORMAT"
            self._report.add(code, where, said(error))
        except SignatureError as error:
            self.broken = True
            self._configs.lose(stream)
            sentence = f"{said(error)} These bytes were changed or forged."
            self._report.add("E-SIG-BAD", where, sentence)
        except EvidenceError as error:
            self.broken = True
            self._configs.lose(stream)
            self._report.add("E-FRAME", where, said(error))

    def _place(self, view: StreamView, where: str) -> None:
        """An object that is no frame stands with the frame before it, or else after it."""
        if not view.frame_hour:
            view.early_hour = view.early_hour or view.hour
        elif view.hour != view.frame_hour:
            sentence = f"It stands in hour {view.hour}, the frame before it in {view.frame_hour}."
            self._report.add("E-FRAME-PLACE", where, sentence)

    def _other(
        self, header: Header, envelope: cose.Envelope, digest: bytes, by: bytes | None, where: str
    ) -> None:
        """An object that is no frame."""
        collector = self._identities.collector
        if header.typ == TYP_CONFIG:
            config = self._configs.signed(header, digest, where)
            if config is not None:
                self.streams[header.stream].settings.explain(digest, config)
        elif header.typ == TYP_ROTATE:
            self._keys.rotate(header, envelope.payload, by, where)
        elif header.typ == TYP_COSIGNATURE:
            signer = self._identities.keys_of(header.stream).find(envelope.kid)
            if signer is not None and collector is not None:
                self.anchors.take_cosignature(
                    self._report,
                    self._log,
                    header,
                    envelope.payload,
                    witness=signer.key,
                    collectors=(collector, *self._identities.earlier),
                )
        elif header.typ == TYP_CLOSE:
            decode_close(envelope.payload)
        else:
            raise UnsupportedError(f"object type {header.typ!r} is unknown to this program")

    def _follow(self, view: StreamView, header: Header, digest: bytes, where: str) -> None:
        if view.first is None:
            view.first = header.seq
            self._keys.start(header.stream, header.seq)
            if header.seq == 0 and header.prev != ZERO_HASH:
                self._report.add("E-CHAIN", where, "The first object of a stream follows nothing.")
            view.head = Head(header.seq + 1, digest)
            return
        try:
            view.head = follow(view.head, header, digest)
        except ChainError as error:
            self.broken = True
            if header.seq > view.head.next_seq:
                self._miss(view, header.stream, view.head.next_seq, header.seq - 1)
            else:
                self._report.add("E-CHAIN", where, said(error))
            view.head = Head(header.seq + 1, digest)

    def _logged(
        self, entry: Logged | None, header: Header, data: bytes, digest: bytes, by: bytes | None
    ) -> None:
        where = f"{header.stream} seq {header.seq}"
        if entry is None and not self._log.undecided:
            self._report.add("E-LOG-FRAME", where, "The log has no entry that accepts this object.")
        if entry is None:
            return
        if (entry.sha256, entry.length) != (digest, len(data)):
            self._report.add("E-LOG-FRAME", where, "The log accepted other bytes at this seq.")
        elif by is not None and entry.key_sha256 != by:
            self._report.add("E-LOG-FRAME", where, "The log says another key had signed it.")
        if KIND_OF.get(header.typ, entry.kind) is not entry.kind:
            sentence = f"The log calls it a {entry.kind.name.lower()}."
            self._report.add("E-LOG-FRAME", where, sentence)

    def _gap(self, view: StreamView, entry: Logged | None, body: Body, where: str) -> None:
        """The log says the same gap as the frame, in the entry directly after the frame's."""
        if (gap := body.gap) is not None:
            self._report.add("W-GAP", where, view.gaps.tell(gap), rank=1)
        if entry is None:
            return
        told = gap_sha256(vars(body.gap)) if body.gap is not None else None
        if entry.gap_sha256 != told:
            sentence = "The log tells another gap before it, or none, than the frame itself."
            self._report.add("E-LOG-FRAME", where, sentence)

    def _frame(
        self, view: StreamView, header: Header, payload: bytes, logged: Logged | None, where: str
    ) -> Iterator[Checked]:
        body = decode_body(payload)
        self._report.counts["frames"] += 1
        self._report.counts["readings"] += body.readings
        view.manual += bool(body.flags & FLAG_MANUAL)
        self.simulated |= body.is_simulated
        hour = paths.hour_text(body.t0_ns // HOUR_NS)
        if view.hour != hour or view.early_hour not in ("", hour):
            stands = view.early_hour if view.hour == hour else view.hour
            self._report.add("E-FRAME-PLACE", where, f"It is of hour {hour}, not {stands}.")
        view.frame_hour, view.early_hour = hour, ""
        self._gap(view, logged, body, where)
        view.times.take(self._log, header, body, logged)
        if body.t0_ns < view.t0_ns:
            self._report.add("E-TIME", where, "Its t0 is before that of the frame before it.")
        view.t0_ns = max(view.t0_ns, body.t0_ns)
        is_unfit = False
        try:
            config = self._configs.named(header, where)
            is_unfit = config is not None and self._is_unfit(view, header, config, body, where)
        finally:  # also where the configuration is newer than this program
            if not is_unfit:
                self._times(view, body, where)
        self.broken = self.broken or config is None
        self.undecided = self.undecided or (config is None and header.cfg in self._configs.newer)
        if config is not None and header.cfg is not None:
            self.named.take(header.cfg, config)
            self.simulated |= config["plant"]["simulated"]
            if not is_unfit:
                view.held.read(header.cfg, config, body)
                for sentence in view.gaps.read(header.cfg, config, body):
                    self._report.add("W-GAP", where, sentence)
            view.settings.read(header.cfg, config, body, where)
            first = view.first if view.first is not None else header.seq
            yield Checked(header.stream, header, body, header.cfg, config, first, is_unfit)

    def _is_unfit(
        self, view: StreamView, header: Header, config: Mapping[str, Any], body: Body, where: str
    ) -> bool:
        """Hold a frame against its configuration; of one that gives none a form step 6 tells."""
        cfg = header.cfg or b""
        if cfg != self._form[0]:
            self._form = cfg, None
            with suppress(MalformedError):
                self._form = cfg, FrameForm(config)
        form = self._form[1]
        if form is None:
            return False
        try:
            form.check(body)
            check_order(body, view.last_ns)
        except MalformedError as error:
            sentence = f"{said(error)} Nothing of it is used; its time counts as without readings."
            self._report.add("W-UNFIT", where, sentence)
            return True
        return False

    def _times(self, view: StreamView, body: Body, where: str) -> None:
        if not body.sections:
            return
        first = min(section.first_ns for section in body.sections)
        last = newest_ns(body)
        if self.period is not None and not self.period[0] <= first <= last < self.period[1]:
            self._report.add("E-TIME", where, "Its readings are outside the statement's period.")
        view.last_ns = max(view.last_ns, last)

    def _miss(self, view: StreamView, stream: str, first: int, last: int) -> None:
        view.held.miss(first, last)
        view.gaps.lose()
        which = f"Object {first} is" if first == last else f"Objects {first} to {last} are"
        sentence = f"{which} missing; what was read there is not in this archive."
        self._report.add("E-CHAIN-GAP", f"stream {stream}", sentence)

    def _missing(self) -> None:
        """Objects the log accepted within the month's span that the archive does not hold."""
        if self._log.close is None:
            return  # step 7 says so
        closed = self._log.close.get("streams")
        spans = closed if isinstance(closed, dict) else {}
        for stream, span in sorted(spans.items()):
            if is_span(span) and NAME_ID.fullmatch(stream):
                self._ends(stream, *span)
            else:
                sentence = "The entry that closes the month does not say which objects it closes."
                self._report.add("E-CHAIN-GAP", f"stream {stream}", sentence)
        for stream in sorted(set(self.streams) - set(spans)):
            sentence = "The log closed the month without this stream."
            self._report.add("E-LOG-CLOSE", f"stream {stream}", sentence)

    def _ends(self, stream: str, first: int, last: int, head: bytes) -> None:
        """The archive begins and ends a stream where the log closed it."""
        none = StreamView(Held(None), Gaps(None), SettingsCheck(self._report, stream))
        view = self.streams.get(stream) or none
        if view.first is None:
            self._miss(view, stream, first, last)
            told = view.held.as_map(None, -1, None, view.times) | view.gaps.as_map()
            self._report.completeness[stream] = told
            return
        held = view.head.next_seq - 1
        if first < view.first:
            self._miss(view, stream, first, min(view.first - 1, last))
        if held < last:
            self._miss(view, stream, max(held + 1, first), last)
        if first > view.first or held > last:
            sentence = f"The month was closed with objects {first} to {last} only."
            self._report.add("E-CHAIN-GAP", f"stream {stream}", sentence)
        elif held == last and view.head.hash != head:
            sentence = f"The month was closed with another object {last} than the archive's."
            self._report.add("E-CHAIN-GAP", f"stream {stream}", sentence)
