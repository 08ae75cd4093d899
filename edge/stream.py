"""A gateway's signed stream: what is made here, and what the collector says. Blocking disk I/O.

Runs on the agent's one disk thread; it does not know devices, schedules or the network. Objects are
made by `edge.signing`, what the collector says is judged by `edge.custody`: here it is acted on.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from edge.condition import Condition, condition_of, two_logs
from edge.custody import encode_log, judge_close_request, judge_receipt
from edge.errors import ForkError, KeyAwayError, SpoolError, TwoLogsError
from edge.kept_room import FREED_AT_ONCE
from edge.signing import SigningStream
from edge.spool_reader import State, Stored
from edge.trouble import (
    FORK,
    SENTENCE_MAX,
    UNHEARD,
    Answering,
    Trouble,
    decode_reach,
    decode_troubles,
    encode_reach,
    encode_troubles,
    tried,
)
from evidence import cbor, receipt
from evidence.blocks import compress
from evidence.broker_certificates import encode_broker_request
from evidence.chain import Head
from evidence.cosignature import cosign, witness_name
from evidence.errors import KeyFileError
from evidence.frame import TYP_CLOSE, TYP_COSIGNATURE
from evidence.keys import FileSigner
from evidence.shown_life import Life

CLOSES_MAX = 1_000  # answered close requests that are remembered
NS_PER_HOUR = 3_600 * 1_000_000_000


class Stream(SigningStream):
    """One gateway's stream.

    Attributes:
        newest_receipt: of which seq the receipt looked at last is, and when the collector had that.
    """

    newest_receipt: tuple[int, int] = -1, 0

    def condition(
        self, unanswered: str = "", devices: Answering | None = None, doubt: str = ""
    ) -> Condition:
        """How things stand now; what is given is kept for `edge status`.

        Args:
            unanswered: why [metrics] answer nobody, "" while they do.
            devices: which answer; None: nothing is known.
            doubt: why the time of readings is in doubt, "" while it is not.
        """
        for key, said in ((State.UNANSWERED, unanswered), (State.DOUBT, doubt)):
            if said != (self.spool.get(key) or b"").decode():
                self.spool.put({key: said.encode()})
        kept = devices.encode() if devices else b""
        if kept != (self.spool.get(State.SILENT) or b""):
            with suppress(SpoolError):  # a full disk is told of, and has no reading lost, elsewhere
                self.spool.put({State.SILENT: kept})
        return condition_of(self.spool, self.spool.fill())

    # -- the collector's first word ---------------------------------------------------------------

    def await_word(self, sentence: str, now_ns: int) -> None:
        """Sign nothing until `word_came`: the collector may hold other objects than the spool."""
        self.note_trouble(UNHEARD, sentence, now_ns)

    def word_came(self, now_ns: int) -> list[Stored]:
        """Begin to sign what has waited for it; what was made."""
        troubles = decode_troubles(self.spool.get(State.TROUBLE))
        if troubles.pop(UNHEARD, None) is None:
            return []
        self.spool.put({State.TROUBLE: encode_troubles(troubles)})
        return self._sign_some(now_ns)

    # -- what the collector says ------------------------------------------------------------------

    def take_receipt(self, data: bytes, now_ns: int) -> int | None:
        """Check a receipt against the spool and free what it covers; the seq it covers.

        None when it covers more than is freed at once: give it again, as a start does with one that
        was not acted on. What it speaks of goes last, since the next look at it needs that.

        Raises:
            TwoLogsError: the collector shows two histories; nothing is freed.
            ForkError: about objects this spool never made; nothing up to there is signed any more.
            NotOursError: not for this stream, or not signed by the pinned collector.
        """
        try:
            judged = judge_receipt(data, self.spool, self._who)
        except TwoLogsError as error:
            self._keep_proof(error, data, now_ns)
            raise
        except ForkError as error:  # kept before anything else is done here: what waits would fork
            self.note_trouble(FORK, str(error), now_ns, until_seq=error.seq)
            raise
        taken, state = judged.receipt, dict[str, bytes]()
        self.newest_receipt = taken.seq, taken.received_ns
        oldest = self.spool.oldest_seq()
        if oldest is not None and taken.seq - oldest >= FREED_AT_ONCE:
            self.spool.free_oldest(oldest + FREED_AT_ONCE - 1)
            return None
        if judged.may_anchor:
            note = taken.checkpoint.encode()
            state = {State.ANCHOR: encode_log(judged.log), State.NOTE: note}
        if judged.is_proven and self.spool.get(State.TWO_LOGS):
            state[State.TWO_LOGS] = b""
        if taken.seq > self.spool.receipted_seq():
            troubles = decode_troubles(self.spool.get(State.TROUBLE))
            left = {k: t for k, t in troubles.items() if t.until_seq > taken.seq or k == UNHEARD}
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
        if self._reason_to_hold(head):
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
        if before is not None:  # an older message, said again, takes nothing back
            until_seq = max(until_seq, before.until_seq)
        troubles[kind] = Trouble(sentence[:SENTENCE_MAX], at_ns, until_seq)
        if troubles[kind] != before:
            self.spool.put({State.TROUBLE: encode_troubles(troubles)})

    def note_broker(self, reason: str, now_ns: int, shown: Life | None = None) -> None:
        """Keep what came of a try to reach the broker.

        Args:
            reason: why it failed, "" where we are let in.
            now_ns: wall clock.
            shown: of the broker's certificate; None for not known, which stays as it was.
        """
        before = decode_reach(self.spool.get(State.BROKER))
        if (after := tried(before, reason, now_ns)) != before:
            self.spool.put({State.BROKER: encode_reach(after)})
        if shown is not None and (kept := cbor.encode([*shown])) != self.spool.get(State.SHOWN):
            self.spool.put({State.SHOWN: kept})

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

    def broker_request(self, key: Path) -> bytes:
        """A request for a certificate of this TLS key, signed by the key in use.

        Raises:
            KeyFileError: one of the two cannot sign now.
        """
        who, tls = self._who, FileSigner.load(key)
        return encode_broker_request(who.plant, who.gateway, self._signer(), tls)

    # -- cosignatures ----------------------------------------------------------------------------

    def cosign_hourly(self, now_ns: int) -> Stored | None:
        """Cosign the newest checkpoint, once an hour if it is new; None when none is due.

        What waits comes first, and nothing is signed while it may not.
        """
        if self.is_waiting() or self._reason_to_hold(self.spool.head()):
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
        who, signer = self._who, self._signer()
        name, now_s = witness_name(who.plant, who.gateway), now_ns // 1_000_000_000
        try:
            text = cosign(note.decode(), name, now_s, signer, signer.public_key)
        except KeyFileError as error:
            raise KeyAwayError(error) from error
        payload = compress(cbor.encode({"checkpoint": text}))
        return [self._sign(TYP_COSIGNATURE, payload, now_ns, head, anchor=self._anchor)]

    def _cosigned(self, now_ns: int) -> dict[str, bytes]:
        size = self._anchor[0] if self._anchor is not None else 0
        numbers = size, now_ns // NS_PER_HOUR
        return {State.COSIGNED: b"".join(number.to_bytes(8, "big") for number in numbers)}
