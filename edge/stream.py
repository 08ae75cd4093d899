"""The gateway's signed stream: makes objects and keeps them in the spool. Blocking disk I/O.

Runs on the agent's one disk thread. It knows the stream's head, the configuration in force and
the newest anchor; it does not know devices, schedules or the network.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from edge.errors import NotOursError, SpoolError
from edge.spool import Spool, Stored
from evidence import cbor, checkpoint, receipt
from evidence.blocks import compress
from evidence.chain import Head
from evidence.errors import EvidenceError
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_FRAME,
    Body,
    Header,
    encode_body,
    sign_object,
)
from evidence.keys import Signer
from evidence.suites import PublicKey

CLOSES_MAX = 1_000  # answered close requests that are remembered


class Stream:
    """One gateway's stream."""

    def __init__(
        self, spool: Spool, signer: Signer, collector: PublicKey, *, plant: str, gateway: str
    ) -> None:
        """Take over where the spool stands; SpoolError when it is another gateway's."""
        self.spool = spool
        self._signer, self._collector = signer, collector
        self._plant, self._gateway = plant, gateway
        self._anchor: tuple[int, bytes] | None = None
        anchor = spool.get("anchor")
        if anchor is not None:
            self._anchor = int.from_bytes(anchor[:8], "big"), anchor[8:]
        held = self.config_in_force()
        if held is not None:
            owner = held["plant"]["id"], held["gateway"]["id"]
            if owner != (plant, gateway):
                raise SpoolError(
                    f"the spool is {'/'.join(owner)}'s and {plant}/{gateway} cannot continue its "
                    "stream: give every gateway a state_dir of its own"
                )

    def through_ns(self) -> int:
        """Newest instant the frames of the stream speak of, 0 before the first."""
        value = self.spool.get("through")
        return 0 if value is None else int.from_bytes(value, "big")

    def cfg(self) -> bytes:
        """Hash of the configuration object in force, empty before the first."""
        return self.spool.get("cfg") or b""

    def config_in_force(self) -> Mapping[str, Any] | None:
        """The configuration of the newest config object, None before the first."""
        data = self.spool.get("config")
        return None if data is None else cbor.decode(data)

    def append_config(
        self, config: Mapping[str, Any], now_ns: int, *, closing: Body | None = None
    ) -> list[Stored]:
        """Sign a configuration; it is in force from the next frame on.

        Args:
            config: what it says.
            now_ns: wall clock.
            closing: a frame of the open ticks of the configuration before; signed in the same
                transaction, since the calculation's state ends between the two.
        """
        made, head, state = [], self.spool.head(), {}
        if closing is not None:
            frame = self._frame(closing, now_ns, head)
            made, head = [frame], Head(frame.seq + 1, frame.sha256)
            state["through"] = frame.through_ns.to_bytes(8, "big")
        data = cbor.encode(dict(config))
        through = made[0].through_ns if made else 0
        stored = self._sign(TYP_CONFIG, compress(data), now_ns, head, through_ns=through)
        state |= {"cfg": stored.sha256, "config": data, "calc": b""}
        self.spool.append(*made, stored, state=state, closes_ticks=closing is not None)
        return [*made, stored]

    def append_frame(self, body: Body, calc: bytes, now_ns: int) -> Stored:
        """Sign a frame of the open ticks.

        Args:
            body: what it says.
            calc: state of the live calculation after its last tick.
            now_ns: wall clock.
        """
        stored = self._frame(body, now_ns, self.spool.head())
        state = {"calc": calc, "through": stored.through_ns.to_bytes(8, "big")}
        self.spool.append(stored, state=state, closes_ticks=True)
        return stored

    def _frame(self, body: Body, now_ns: int, head: Head) -> Stored:
        ends = [s.first_ns + s.step_ns * (s.ticks - 1) for s in body.sections]
        through = max(body.t0_ns, self.through_ns(), *ends)
        payload = encode_body(body)
        return self._sign(
            TYP_FRAME, payload, now_ns, head, readings=body.readings, through_ns=through
        )

    def take_receipt(self, data: bytes) -> int:
        """Check a receipt against the spool and free what it covers; the seq it covers.

        Raises:
            NotOursError: not for this stream, not signed by the pinned collector, or about
                objects this spool never made.
        """
        taken = self._checked_receipt(data)
        if taken.seq > self.spool.receipted_seq():
            self.spool.release(taken.seq, data)
        return taken.seq

    def _checked_receipt(self, data: bytes) -> receipt.Receipt:
        try:
            taken = receipt.decode_receipt(data, self._collector)
            note = checkpoint.verify(taken.checkpoint, self._collector)
        except EvidenceError as error:
            raise NotOursError(f"receipt refused: {error}") from error
        self._check_addressee(taken.plant, taken.stream)
        if note.plant != self._plant or note.size <= taken.log_index:
            raise NotOursError("receipt refused: its checkpoint does not cover its log entry")
        if taken.seq >= self.spool.head().next_seq:
            raise NotOursError(
                f"the collector holds seq {taken.seq}, this spool only {self.spool.head().next_seq}"
                " objects: the spool was lost or replaced. Enrol this gateway anew."
            )
        known = self.spool.hash_at(taken.seq)
        if known is not None and known != taken.head:
            raise NotOursError(f"the collector holds another object at seq {taken.seq} (fork)")
        self._check_log(note.size, note.root)
        if self._anchor is None or note.size > self._anchor[0]:
            self._anchor = note.size, note.root
            self.spool.put("anchor", note.size.to_bytes(8, "big") + note.root)
        return taken

    def answer_close(self, data: bytes, now_ns: int) -> Stored | None:
        """Sign a close the collector asks for; None when it was signed before.

        Raises:
            NotOursError: not for this stream, not signed by the pinned collector, or not true
                of this spool.
        """
        try:
            request = receipt.decode_close_request(data, self._collector)
        except EvidenceError as error:
            raise NotOursError(f"close request refused: {error}") from error
        self._check_addressee(request.plant, request.stream)
        known = self.spool.hash_at(request.seq)
        if known != request.head:
            found = "is unknown here" if known is None else "has another hash here"
            raise NotOursError(f"close request refused: seq {request.seq} {found}")
        # receipts newer than the request may have come first: its log may well be an older one
        self._check_log(request.log_size, request.log_root)
        payload = receipt.encode_close(request)
        digest = hashlib.sha256(payload).digest()
        closed = self.spool.get("closed") or b""
        size = len(digest)
        if digest in {closed[i : i + size] for i in range(0, len(closed), size)}:
            return None
        stored = self._sign(TYP_CLOSE, payload, now_ns, self.spool.head())
        kept = (closed + digest)[-CLOSES_MAX * size :]
        self.spool.append(stored, state={"closed": kept})
        return stored

    def _check_log(self, size: int, root: bytes) -> None:
        """The log must not have two roots at one size (older sizes need a proof to be judged)."""
        if self._anchor is not None and size == self._anchor[0] and root != self._anchor[1]:
            raise NotOursError(f"the collector shows two logs of {size} entries with unlike roots")

    def _check_addressee(self, plant: str, stream: str) -> None:
        if (plant, stream) != (self._plant, self._gateway):
            raise NotOursError(f"message for {plant}/{stream}, not for this gateway")

    def _sign(
        self,
        typ: str,
        payload: bytes,
        now_ns: int,
        head: Head,
        *,
        readings: int = 0,
        through_ns: int = 0,
    ) -> Stored:
        header = Header(
            typ=typ,
            plant=self._plant,
            stream=self._gateway,
            iat_s=now_ns // 1_000_000_000,
            seq=head.next_seq,
            prev=head.hash,
            anchor=self._anchor,
            cfg=None if typ == TYP_CONFIG else self.cfg() or None,
        )
        data = sign_object(self._signer, header, payload)
        digest = hashlib.sha256(data).digest()
        return Stored(head.next_seq, typ, digest, data, readings, through_ns or self.through_ns())
