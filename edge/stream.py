"""The gateway's signed stream: makes objects and keeps them in the spool. Blocking disk I/O.

Runs on the agent's one disk thread. It knows the stream's head, the configuration in force, the
key in use and the newest anchor; it does not know devices, schedules or the network. What the
collector says is judged by `edge.custody`.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from edge.condition import Condition, condition_of, through_of, two_logs
from edge.custody import Log, decode_log, encode_log, judge_close_request, judge_receipt, log_of
from edge.errors import HeldError, KeyAwayError, SpoolError, TwoLogsError
from edge.handover import objection, with_certificate, with_used
from edge.identity import Identity
from edge.spool import Spool
from edge.spool_reader import State, Stored, Unsigned
from edge.trouble import SENTENCE_MAX, Trouble, decode_troubles, encode_troubles, holds_back
from evidence import cbor, cose, receipt
from evidence.blocks import compress
from evidence.chain import Head
from evidence.cosignature import cosign, witness_name
from evidence.errors import EvidenceError, KeyFileError
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    TYP_ROTATE,
    Body,
    Header,
    decode_body,
    encode_body,
    place_of,
    sign_object,
)
from evidence.keys import Signer, key_sha256
from evidence.orders import encode_rotate

CLOSES_MAX = 1_000  # answered close requests that are remembered
NS_PER_HOUR = 3_600 * 1_000_000_000

log = logging.getLogger("stackproof.edge")


class Stream:
    """One gateway's stream."""

    def __init__(self, spool: Spool, who: Identity) -> None:
        """Take over where the spool stands; SpoolError when it is another gateway's."""
        self.spool = spool
        self._who = who
        self._anchor = log_of(spool, State.ANCHOR)
        owner = spool.owner()
        if owner not in (None, (who.plant, who.gateway)):
            raise SpoolError(
                f"the spool is {'/'.join(owner or ())}'s and {who.plant}/{who.gateway} cannot "
                "continue its stream: give every gateway a state_dir of its own"
            )

    # -- what is in force -------------------------------------------------------------------------

    def through_ns(self) -> int:
        """Newest instant the frames of the stream speak of, 0 before the first."""
        return through_of(self.spool)

    def is_continued(self) -> bool:
        """True while no tick has been signed since this device took a lost one's place."""
        continues = self._who.continues
        return continues is not None and self.through_ns() == continues.order.through_ns

    def cfg(self) -> bytes:
        """Hash of the configuration object in force, empty before the first."""
        return self.spool.get(State.CFG) or b""

    def config_in_force(self) -> Mapping[str, Any] | None:
        """The configuration of the newest config object, None before the first."""
        data = self.spool.get(State.CONFIG)
        return None if data is None else cbor.decode(data)

    def condition(self) -> Condition:
        """How things stand now."""
        return condition_of(self.spool, self.spool.fill())

    # -- keys -------------------------------------------------------------------------------------

    def take_up_key(self, now_ns: int) -> None:
        """Make the key of the site file the stream's key, before anything is signed with it.

        An empty spool begins, or continues the stream of a lost device. A spool of another key is
        handed over: that key signs the frames that wait, then a rotate object, naming the new one.

        Raises:
            SpoolError: the key in use is another and cannot hand over, or the order does not fit.
        """
        who = self._who
        if reason := objection(self.spool, who):
            raise SpoolError(reason)
        self._continue()
        in_use = self.spool.get(State.KEY)
        if in_use is not None and in_use != who.key_sha256:
            while self.sign_waiting(now_ns, who.previous):
                pass
            payload, head = encode_rotate(who.certificate), self.spool.head()
            stored = self._sign(
                TYP_ROTATE, payload, now_ns, head, anchor=self._anchor, signer=who.previous
            )
            self._append(stored, state=with_used(self.spool, in_use))
        self.spool.put(with_certificate(self.spool, who.certificate))

    def _continue(self) -> None:
        continues, spool = self._who.continues, self.spool
        if continues is None or spool.get(State.CONTINUES) == continues.sha256:
            return
        order = continues.order
        state: dict[str, bytes] = {
            State.THROUGH: order.through_ns.to_bytes(8, "big"),
            State.CONTINUES: continues.sha256,
            State.KEY: self._who.key_sha256,
            **with_used(spool, order.old),
        }
        spool.begin_after(order.seq, order.head, state)

    # -- making objects ---------------------------------------------------------------------------

    def append_config(
        self, config: Mapping[str, Any], now_ns: int, *, closing: Body | None = None
    ) -> list[Stored]:
        """Sign a configuration; it is in force from the next frame on.

        Frames that wait for the key are signed first: they are of the configuration before.

        Args:
            config: what it says.
            now_ns: wall clock.
            closing: a frame of the open ticks of the configuration before; signed in the same
                transaction, since the calculation's state ends between the two.
        """
        while self.sign_waiting(now_ns):
            pass
        made: list[Stored] = []
        head, state = self.spool.head(), dict[str, bytes]()
        if closing is not None:
            frame = self._sign_frame(self._frame(closing), now_ns, head)
            made, head = [frame], Head(frame.seq + 1, frame.sha256)
            state[State.THROUGH] = frame.through_ns.to_bytes(8, "big")
        data = cbor.encode(dict(config))
        through = made[0].through_ns if made else 0
        packed = compress(data)
        stored = self._sign(
            TYP_CONFIG, packed, now_ns, head, anchor=self._anchor, through_ns=through
        )
        state |= {State.CFG: stored.sha256, State.CONFIG: data, State.CALC: b""}
        self._append(*made, stored, state=state, closes_ticks=closing is not None)
        return [*made, stored]

    def append_frame(self, body: Body, calc: bytes, now_ns: int) -> Stored | None:
        """Sign a frame of the open ticks; None when it is kept until it may be signed.

        Args:
            body: what it says.
            calc: state of the live calculation after its last tick.
            now_ns: wall clock.
        """
        frame = self._frame(body)
        through = frame.through_ns.to_bytes(8, "big")
        state: dict[str, bytes] = {State.CALC: calc, State.THROUGH: through}
        if self.spool.unsigned() is None:
            try:
                stored = self._sign_frame(frame, now_ns, self.spool.head())
            except HeldError as error:
                log.error("%s; readings go on and wait", error)  # noqa: TRY400 - no defect
            else:
                self._append(stored, state=state, closes_ticks=True)
                return stored
        self.spool.keep_unsigned(frame, state)
        return None

    def sign_waiting(self, now_ns: int, signer: Signer | None = None) -> Stored | None:
        """Sign the oldest frame that waits for the key; None when none does.

        Args:
            now_ns: wall clock.
            signer: the key in use when it is not the gateway's own yet.

        Raises:
            HeldError: the key does not sign, or the object would be a fork.
        """
        signer = signer or self._who.signer
        if (frame := self.spool.unsigned()) is None:
            return None
        stored = self._sign_frame(frame, now_ns, self.spool.head(), signer)
        self._append(stored, state={State.KEY: key_sha256(signer.public_key)}, signs=frame)
        if self.spool.unsigned() is None:
            log.warning("the gateway's key has signed all frames that waited for it")
        return stored

    def _frame(self, body: Body) -> Unsigned:
        """A frame to be signed, which every reader takes: else all behind it would be refused."""
        payload = encode_body(body)
        try:
            decode_body(payload)
        except EvidenceError as error:
            raise SpoolError(f"a frame that no reader takes is not signed: {error}") from error
        if len(payload) > cose.PAYLOAD_BYTES_MAX:
            raise SpoolError(f"a frame of {len(payload)} bytes is not signed: no reader takes it")
        through = max(body.t0_ns, self.through_ns(), *(s.last_ns for s in body.sections))
        return Unsigned(payload, body.readings, through, encode_log(self._anchor))

    def _sign_frame(
        self, frame: Unsigned, now_ns: int, head: Head, signer: Signer | None = None
    ) -> Stored:
        if self._is_held_back(head):
            raise HeldError(f"the collector holds another object at seq {head.next_seq}")
        return self._sign(
            TYP_FRAME, frame.payload, now_ns, head,
            anchor=decode_log(frame.anchor), readings=frame.readings, through_ns=frame.through_ns,
            signer=signer,
        )  # fmt: skip

    def _is_held_back(self, head: Head) -> bool:
        """True when an object signed now would be one more fork."""
        return holds_back(self.spool.get(State.TROUBLE), head.next_seq)

    def cosign_hourly(self, now_ns: int) -> Stored | None:
        """Cosign the newest checkpoint, once an hour if it is new; None when none is due.

        Frames that wait for the key come first, and nothing is added to a fork.
        """
        if self.spool.unsigned() is not None or self._is_held_back(self.spool.head()):
            return None
        kept = self.spool.get(State.COSIGNED) or bytes(16)
        hour = int.from_bytes(kept[8:], "big")
        made = self._cosignature(now_ns, self.spool.head()) if hour != now_ns // NS_PER_HOUR else []
        if not made:
            return None
        self._append(*made, state=self._cosigned(now_ns))
        return made[0]

    def _cosignature(self, now_ns: int, head: Head) -> list[Stored]:
        """A cosignature of the anchor, unless it has one."""
        kept, note = self.spool.get(State.COSIGNED) or bytes(16), self.spool.get(State.NOTE)
        if self._anchor is None or note is None or self._anchor[0].to_bytes(8, "big") == kept[:8]:
            return []
        who = self._who
        name, now_s = witness_name(who.plant, who.gateway), now_ns // 1_000_000_000
        try:
            text = cosign(note.decode(), name, now_s, who.signer, who.signer.public_key)
        except KeyFileError as error:
            raise KeyAwayError(error) from error
        payload = compress(cbor.encode({"checkpoint": text}))
        return [self._sign(TYP_COSIGNATURE, payload, now_ns, head, anchor=self._anchor)]

    def _cosigned(self, now_ns: int) -> dict[str, bytes]:
        size = self._anchor[0] if self._anchor is not None else 0
        numbers = size, now_ns // NS_PER_HOUR
        return {State.COSIGNED: b"".join(number.to_bytes(8, "big") for number in numbers)}

    # -- what the collector says ------------------------------------------------------------------

    def take_receipt(self, data: bytes, now_ns: int) -> int:
        """Check a receipt against the spool and free what it covers; the seq it covers.

        Raises:
            TwoLogsError: the collector shows two histories; nothing is freed.
            ForkError: about objects this spool never made.
            NotOursError: not for this stream, or not signed by the pinned collector.
        """
        try:
            judged = judge_receipt(data, self.spool, self._who)
        except TwoLogsError as error:
            self._keep_proof(error, data, now_ns)
            raise
        taken, state = judged.receipt, dict[str, bytes]()
        if judged.may_anchor:
            note = taken.checkpoint.encode()
            state = {State.ANCHOR: encode_log(judged.log), State.NOTE: note}
        if judged.is_proven and self.spool.get(State.TWO_LOGS):
            state[State.TWO_LOGS] = b""
        if taken.seq > self.spool.receipted_seq():
            troubles = decode_troubles(self.spool.get(State.TROUBLE))
            left = {kind: t for kind, t in troubles.items() if t.until_seq > taken.seq}
            if left != troubles:
                state[State.TROUBLE] = encode_troubles(left)
            self.spool.release(taken.seq, data, state)
        elif state:
            self.spool.put(state)
        if judged.may_anchor:
            self._anchor = judged.log
        return taken.seq

    def answer_close(self, data: bytes, now_ns: int) -> list[Stored]:
        """Sign a close the collector asks for; nothing when it was signed before.

        Gives the close, and before it a cosignature of the newest checkpoint if that has none.

        Raises:
            TwoLogsError: of a log other than the one the collector showed before.
            NotOursError: not for this stream, not signed by the pinned collector, or not true
                of this spool.
        """
        try:
            request = judge_close_request(data, self.spool, self._who)
        except TwoLogsError as error:
            self._keep_proof(error, data, now_ns)
            raise
        payload = receipt.encode_close(request)
        digest = hashlib.sha256(payload).digest()
        closed, size = self.spool.get(State.CLOSED) or b"", len(digest)
        if digest in {closed[i : i + size] for i in range(0, len(closed), size)}:
            return []
        head, state = self.spool.head(), dict[str, bytes]()
        if self._is_held_back(head):
            return []
        made = self._cosignature(now_ns, head)
        if made:
            head, state = Head(made[0].seq + 1, made[0].sha256), self._cosigned(now_ns)
        made.append(self._sign(TYP_CLOSE, payload, now_ns, head, anchor=self._anchor))
        kept = (closed + digest)[-CLOSES_MAX * size :]
        self._append(*made, state={**state, State.CLOSED: kept})
        return made

    def note_trouble(self, kind: str, sentence: str, now_ns: int, *, until_seq: int = 0) -> None:
        """Keep what stands in the way of delivery, until a new receipt for `until_seq` or later.

        Args:
            kind: of it; one is kept of each.
            sentence: what happened and what to do.
            now_ns: wall clock.
            until_seq: the object that is stuck; 0 when any new receipt ends it.
        """
        troubles = decode_troubles(self.spool.get(State.TROUBLE))
        before = troubles.get(kind)
        at_ns = now_ns if before is None else before.at_ns
        troubles[kind] = Trouble(sentence[:SENTENCE_MAX], at_ns, until_seq)
        if troubles[kind] != before:
            self.spool.put({State.TROUBLE: encode_troubles(troubles)})

    def _keep_proof(self, error: TwoLogsError, data: bytes, now_ns: int) -> None:
        """The alarm stands until a proof holds again; the first proof is kept for ever."""
        shown, held = list(error.shown), list(error.held)
        state: dict[str, bytes] = {
            State.TWO_LOGS: cbor.encode({"at_ns": now_ns, "log": shown, "anchor": held}),
            State.PROOF: data,
        }
        if self.spool.get(State.PROOF) is not None:
            del state[State.PROOF]
        if two_logs(self.spool) is None:
            self.spool.put(state)

    # -- signing ----------------------------------------------------------------------------------

    def _append(
        self,
        *made: Stored,
        state: Mapping[str, bytes],
        closes_ticks: bool = False,
        signs: Unsigned | None = None,
    ) -> None:
        own: dict[str, bytes] = {
            State.BASE: encode_log(place_of(cose.parse(made[-1].data)).anchor),
            State.KEY: self._who.key_sha256,
        }
        self.spool.append(*made, state={**own, **state}, closes_ticks=closes_ticks, signs=signs)

    def _sign(
        self,
        typ: str,
        payload: bytes,
        now_ns: int,
        head: Head,
        *,
        anchor: Log | None,
        readings: int = 0,
        through_ns: int = 0,
        signer: Signer | None = None,
    ) -> Stored:
        header = Header(
            typ=typ,
            plant=self._who.plant,
            stream=self._who.gateway,
            iat_s=now_ns // 1_000_000_000,
            seq=head.next_seq,
            prev=head.hash,
            anchor=anchor,
            cfg=self.cfg() or None,
        )
        try:
            data = sign_object(signer or self._who.signer, header, payload)
        except KeyFileError as error:  # a token that is away: nothing is lost that is committed
            raise KeyAwayError(error) from error
        digest, through = hashlib.sha256(data).digest(), through_ns or self.through_ns() or now_ns
        return Stored(head.next_seq, typ, digest, data, readings, through)
