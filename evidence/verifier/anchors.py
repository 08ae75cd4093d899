"""The gateways' anchors: roots of the log that a gateway signed, against the archive's log.

A gateway puts the newest checkpoint it holds into every object. A log that was rewritten after a
gateway had seen it cannot have those roots any more.
"""

from dataclasses import dataclass, field

from evidence.findings import Report
from evidence.frame import Header
from evidence.verifier.log_view import Logged, LogView


@dataclass
class Anchors:
    """Checks the anchor of each object as it is read.

    Attributes:
        before: log size -> (root, where it was first seen), of logs older than the archive's.
    """

    before: dict[int, tuple[bytes, str]] = field(default_factory=dict)

    def take(
        self, report: Report, log: LogView, header: Header, own: Logged | None, where: str
    ) -> None:
        """Compare an object's anchor with the log; it must be older than the object's own entry.

        Args:
            report: takes the findings.
            log: what the archive's log says.
            header: of the object.
            own: the log's entry for it, if any.
            where: the object's place.
        """
        if header.anchor is None:
            return
        size, root = header.anchor
        if own is not None and size > own.index:
            sentence = f"It names a log of {size} entries; its own entry there is {own.index}."
            report.add("E-ANCHOR", where, sentence)
        tree = log.tree
        if size > tree.size:
            sentence = f"It names a log of {size} entries; the archive has {tree.size}."
            report.add("E-ANCHOR", where, sentence)
        elif size < tree.start.size:
            known = self.before.setdefault(size, (root, where))
            if known[0] != root:
                sentence = f"It and {known[1]} name different roots of a log of {size} entries."
                report.add("E-ANCHOR", where, sentence)
        elif tree.root_at(size) != root:
            sentence = f"The log's first {size} entries had another root when the gateway saw it."
            report.add("E-ANCHOR", where, sentence)
