"""Step 5, keys: which key signed an object, and whether it may at that place."""

from evidence import cose
from evidence.custody import KeyFault, KeyRefusedError
from evidence.errors import MalformedError, UnknownSuiteError
from evidence.findings import Report, said
from evidence.frame import Header
from evidence.keys import certificate_from_der
from evidence.orders import Replace, handed_over
from evidence.verifier.identities import Identities
from evidence.verifier.key_orders import apply_rotates

SEQ_END = 2**64
CODES = {
    KeyFault.UNKNOWN: "E-SIG-UNKNOWN-KEY",
    KeyFault.REVOKED: "E-KEY-REVOKED",
    KeyFault.CHANGED: "E-KEY-CHANGE",
    KeyFault.EXPIRED: "E-KEY-EXPIRED",
}


class KeyCheck:
    """Checks signatures in the order of the streams, and follows their keys."""

    def __init__(self, report: Report, identities: Identities) -> None:
        """Prepare with the keys that step 3 found."""
        self._report, self._identities = report, identities
        # (stream, seq of a new device's first object) -> what the orders say it follows
        self._heads: dict[tuple[str, int], set[bytes]] = {}
        for _, order in identities.all_orders():
            if isinstance(order, Replace):
                place = order.stream, order.seq + 1
                self._heads.setdefault(place, set()).add(order.head)

    def start(self, stream: str, first: int) -> None:
        """The archive's objects of a stream begin at this seq: what was before it is applied."""
        apply_rotates(self._identities, stream, range(first))

    def signature(
        self, envelope: cose.Envelope, header: Header, received_ns: int | None, where: str
    ) -> bytes | None:
        """Check an object's signature and key.

        Args:
            envelope: the object.
            header: its header, of the gateway whose keys count.
            received_ns: when the collector took it; None leaves certificates' dates aside.
            where: its place.

        Returns:
            Fingerprint of the key that signed it, None when no certificate holds the key.

        Raises:
            SignatureError: the signature does not verify.
            UnknownSuiteError: its suite, or the suite of a key of the gateway, is unknown.
        """
        keys = self._identities.keys_of(header.stream)
        named = keys.find(envelope.kid)
        if named is None and self._identities.is_foreign(header.stream):
            raise UnknownSuiteError(f"key {envelope.kid.hex()} is of an unknown crypto suite")
        try:
            keys.check(header.seq, envelope.kid, received_ns)
        except KeyRefusedError as error:
            self._report.add(CODES[error.fault], where, said(error))
        if named is None:
            return None
        cose.verify(envelope, named.key)
        self._report.counts["signatures"] += 1
        if keys.current(header.seq) is None:
            keys.begin(named.sha256)
        self._identities.note(header.stream, named.sha256, header.seq)
        return named.sha256

    def follow(self, header: Header, where: str) -> None:
        """The first object of a new device follows the object that the order for it names."""
        if self._heads.get((header.stream, header.seq), set()) - {header.prev}:
            sentence = "It follows another object than the replace order for its device names."
            self._report.add("E-ORDER", where, sentence)

    def is_new_device(self, header: Header) -> bool:
        """True for the first object of a device that continues the stream of a lost one."""
        keys = self._identities.keys_of(header.stream)
        return keys.was_replaced(range(header.seq - 1, header.seq))

    def rotate(self, header: Header, payload: bytes, by: bytes | None, where: str) -> None:
        """Take in a rotate object of the stream that is well signed by `by`.

        Raises:
            MalformedError: it is no rotate.
            UnknownSuiteError: no suite for the next key.
        """
        data = handed_over(payload)
        try:
            new = self._identities.certify(certificate_from_der(data), header.stream)
        except MalformedError as error:
            self._report.add("E-CERTIFICATE", where, said(error))
            return
        keys = self._identities.keys_of(header.stream)
        if by is None:
            return
        if keys.hands_over(header.seq, by, new):
            keys.rotate(header.seq, by, new)
            sentence = f"Key {by.hex()[:16]} handed over to key {new.hex()[:16]}."
            self._report.add("N-KEY", where, sentence)
        elif keys.current(header.seq) == by and header.seq <= keys.revoked.get(by, header.seq):
            sentence = f"It hands over to key {new.hex()[:16]}, which the stream had before."
            self._report.add("E-KEY-CHANGE", where, sentence)

    def finish(self, stream: str, first: int, last: int) -> None:
        """Tell what became of a stream's keys; its objects here are seq first to last."""
        keys = self._identities.keys_of(stream)
        for change in keys.changes:
            if change.by_order and first <= change.seq + 1 <= last:
                sentence = (
                    f"By order of the root key {change.new.hex()[:16]} of a new device follows "
                    f"key {change.old.hex()[:16]}."
                )
                self._report.add("N-KEY", f"{stream} seq {change.seq}", sentence)
        for sha256, through in sorted(keys.revoked.items()):
            newest = self._identities.newest.get((stream, sha256))
            if newest is not None and newest <= through:
                sentence = (
                    f"Key {sha256.hex()[:16]} signed objects here and is revoked after seq "
                    f"{through}; these are before."
                )
                self._report.add("W-KEY-REVOKED", f"stream {stream}", sentence)
        for seq, rotated in self._identities.rotates.get(stream, {}).items():
            if first <= seq <= last:
                sentence = f"A rotate object of seq {seq} is to stand among the objects only."
                self._report.add("E-ORDER", rotated.path, sentence)
        apply_rotates(self._identities, stream, range(last + 1, SEQ_END))
