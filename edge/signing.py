"""Making a gateway's signed objects, in the order of its stream. Blocking disk I/O.

What may not be signed yet waits in the spool, in order: while the key is away, while nobody knows
whether the collector holds other objects already, and for ever where it does. It knows the stream's
head, the configuration in force, the key in use and the newest anchor.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from edge.condition import through_of
from edge.custody import Log, decode_log, encode_log, log_of
from edge.errors import HeldError, KeyAwayError, SpoolError
from edge.handover import objection, with_certificate, with_used
from edge.identity import Identity
from edge.spool import Spool
from edge.spool_reader import State, Stored, Unsigned
from edge.trouble import reason_to_hold
from evidence import cbor, cose
from evidence.blocks import compress
from evidence.chain import Head
from evidence.errors import EvidenceError, KeyFileError
from evidence.frame import (
    TYP_CONFIG,
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

#: nothing is read meanwhile: the rest is signed in the time that ticks leave
SIGNS_AT_ONCE = 100

log = logging.getLogger("stackproof.edge")


class SigningStream:
    """One gateway's stream as far as the gateway itself adds to it."""

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
        """Hash of the configuration in force; empty while that waits to be signed."""
        return b"" if self._upcoming() else self._cfg()

    def config_in_force(self) -> Mapping[str, Any] | None:
        """The newest configuration, signed or waiting; None before the first."""
        data = self.spool.get(State.CONFIG)
        return None if data is None else cbor.decode(data)

    def _cfg(self) -> bytes:
        """Hash of the newest configuration object, which the next object names."""
        return self.spool.get(State.CFG) or b""

    def _upcoming(self) -> int:
        return int.from_bytes(self.spool.get(State.UPCOMING) or b"", "big")

    # -- keys -------------------------------------------------------------------------------------

    def take_up_key(self, now_ns: int) -> None:
        """Make the key of the site file the stream's key.

        An empty spool begins, or continues the stream of a lost device. A spool of another key is
        handed over: that key signs what waits, then a rotate object, naming the new one. What it
        may not sign yet, or has no time for, waits, and `sign_waiting` hands over.

        Raises:
            SpoolError: the key in use is another and cannot hand over, or the order does not fit.
        """
        if reason := objection(self.spool, self._who):
            raise SpoolError(reason)
        self._continue()
        if not self._hands_over():
            self.spool.put(with_certificate(self.spool, self._who.certificate))
            return
        self._sign_some(now_ns)

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

    def _hands_over(self) -> bool:
        """True until the key in use has signed the rotate object that names the site file's."""
        return self.spool.get(State.KEY) not in (None, self._who.key_sha256)

    def _signer(self) -> Signer:
        """The key in use."""
        previous = self._who.previous
        return previous if previous is not None and self._hands_over() else self._who.signer

    def _rotate(self, now_ns: int) -> Stored:
        spool, certificate = self.spool, self._who.certificate
        used = with_used(spool, key_sha256(self._signer().public_key))
        head, payload = self._free_head(), encode_rotate(certificate)
        stored = self._sign(TYP_ROTATE, payload, now_ns, head, anchor=self._anchor)
        self._append(
            stored,
            state={**used, **with_certificate(spool, certificate), State.KEY: self._who.key_sha256},
        )
        return stored

    # -- making objects ---------------------------------------------------------------------------

    def append_config(
        self, config: Mapping[str, Any], now_ns: int, *, closing: Body | None = None
    ) -> list[Stored]:
        """Sign a configuration; it is in force from the next frame on. Nothing when it must wait.

        It waits behind what waits, which is of the configuration before: to sign that here would
        keep a start from reading for as long as it takes.

        Args:
            config: what it says.
            now_ns: wall clock.
            closing: a frame of the open ticks of the configuration before; signed in the same
                transaction, since the calculation's state ends between the two.
        """
        data, waits, state = cbor.encode(dict(config)), list[Unsigned](), dict[str, bytes]()
        if closing is not None:
            waits = [self._frame(closing)]
            state[State.THROUGH] = waits[0].through_ns.to_bytes(8, "big")
        through = waits[0].through_ns if waits else self.through_ns() or now_ns
        anchor = encode_log(self._anchor)
        waits.append(Unsigned(compress(data), 0, through, anchor, TYP_CONFIG))
        state |= {State.CONFIG: data, State.CALC: b""}
        try:
            made, head = list[Stored](), self._head_behind_all(now_ns)
            for waiting in waits:
                made.append(self._sign_waiting(waiting, now_ns, head))
                head = Head(made[-1].seq + 1, made[-1].sha256)
        except HeldError as error:
            log.warning("%s; a new configuration and its readings wait", error)
            upcoming = (self._upcoming() + 1).to_bytes(8, "big")
            self.spool.keep_unsigned(*waits, state={**state, State.UPCOMING: upcoming})
            return []
        state[State.CFG] = made[-1].sha256
        self._append(*made, state=state, closes_ticks=closing is not None)
        return made

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
                stored = self._sign_waiting(frame, now_ns, self._free_head())
            except HeldError as error:
                log.warning("%s; readings go on and wait", error)
            else:
                self._append(stored, state=state, closes_ticks=True)
                return stored
        self.spool.keep_unsigned(frame, state=state)
        return None

    def is_waiting(self) -> bool:
        """True while something is to be signed, or the key to be handed over."""
        return self.spool.unsigned() is not None or self._hands_over()

    def sign_waiting(self, now_ns: int) -> Stored | None:
        """Sign the oldest that waits, or hand over to the new key after all that; None when done.

        Args:
            now_ns: wall clock.

        Raises:
            HeldError: the key does not sign, or nothing may be signed.
        """
        if (waiting := self.spool.unsigned()) is None:
            return self._rotate(now_ns) if self._hands_over() else None
        stored, state = self._sign_waiting(waiting, now_ns, self._free_head()), dict[str, bytes]()
        if waiting.typ == TYP_CONFIG:
            upcoming = (self._upcoming() - 1).to_bytes(8, "big")
            state = {State.CFG: stored.sha256, State.UPCOMING: upcoming}
        self._append(stored, state=state, signs=waiting)
        if self.spool.unsigned() is None:
            log.warning("the gateway's key has signed all that waited")
        return stored

    def _sign_some(self, now_ns: int) -> list[Stored]:
        """Sign what waits as far as it may be, at most `SIGNS_AT_ONCE` objects; what was made."""
        made = list[Stored]()
        try:
            while len(made) < SIGNS_AT_ONCE and (stored := self.sign_waiting(now_ns)) is not None:
                made.append(stored)
        except HeldError as error:
            log.warning("%s; what is read waits", error)
        return made

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
        return Unsigned(payload, body.readings, through, encode_log(self._anchor), TYP_FRAME)

    # -- signing ----------------------------------------------------------------------------------

    def _reason_to_hold(self, head: Head) -> str:
        """Why nothing may be signed after `head` now, "" when it may."""
        return reason_to_hold(self.spool.get(State.TROUBLE), head.next_seq)

    def _free_head(self) -> Head:
        """The stream's head; HeldError when nothing may be signed after it."""
        head = self.spool.head()
        if reason := self._reason_to_hold(head):
            raise HeldError(reason)
        return head

    def _head_behind_all(self, now_ns: int) -> Head:
        """The same; HeldError also while anything waits. A hand-over that is due is made first."""
        if self.spool.unsigned() is not None:
            raise HeldError("other objects wait to be signed")
        if self._hands_over():
            self._rotate(now_ns)
        return self._free_head()

    def _append(
        self,
        *made: Stored,
        state: Mapping[str, bytes],
        closes_ticks: bool = False,
        signs: Unsigned | None = None,
    ) -> None:
        own: dict[str, bytes] = {
            State.BASE: encode_log(place_of(cose.parse(made[-1].data)).anchor),
            State.KEY: key_sha256(self._signer().public_key),
        }
        self.spool.append(*made, state={**own, **state}, closes_ticks=closes_ticks, signs=signs)

    def _sign_waiting(self, waiting: Unsigned, now_ns: int, head: Head) -> Stored:
        return self._sign(
            waiting.typ, waiting.payload, now_ns, head, anchor=decode_log(waiting.anchor),
            readings=waiting.readings, through_ns=waiting.through_ns,
        )  # fmt: skip

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
    ) -> Stored:
        header = Header(
            typ=typ,
            plant=self._who.plant,
            stream=self._who.gateway,
            iat_s=now_ns // 1_000_000_000,
            seq=head.next_seq,
            prev=head.hash,
            anchor=anchor,
            cfg=self._cfg() or None,
        )
        try:
            data = sign_object(self._signer(), header, payload)
        except KeyFileError as error:  # a token that is away: nothing is lost that is committed
            raise KeyAwayError(error) from error
        digest, through = hashlib.sha256(data).digest(), through_ns or self.through_ns() or now_ns
        return Stored(head.next_seq, typ, digest, data, readings, through)
