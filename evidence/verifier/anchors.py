"""The gateways' anchors: roots of the log that a gateway signed, against the archive's log.

A gateway puts the newest checkpoint it holds into every object. A log that was rewritten after a
gateway had seen it cannot have those roots any more.
"""

from dataclasses import dataclass, field

from evidence.findings import Report
from evidence.frame import Header
from evidence.verifier.log_check import LogView


@dataclass
class Anchors:
    """Collects anchors while objects are read; `check` compares them with the log.

    Attributes:
        seen: log size -> (root, where it was first seen).
    """

    seen: dict[int, tuple[bytes, str]] = field(default_factory=dict)

    def take(self, report: Report, log: LogView, header: Header, where: str) -> None:
        """Note an object's anchor; it must be older than the object's own entry in the log."""
        if header.anchor is None:
            return
        size, root = header.anchor
        known = self.seen.setdefault(size, (root, where))
        if known[0] != root:
            sentence = f"It and {known[1]} name different roots of a log of {size} entries."
            report.add("E-ANCHOR", where, sentence)
        own = log.objects.get((header.stream, header.seq))
        if own is not None and size > own.index:
            sentence = f"It names a log of {size} entries; its own entry there is {own.index}."
            report.add("E-ANCHOR", where, sentence)

    def check(self, report: Report, log: LogView) -> None:
        """Compare with the root at each of these sizes; older sizes are not in the archive."""
        tree, taken = log.start, 0
        for size in sorted(size for size in self.seen if size >= log.start.size):
            root, where = self.seen[size]
            while tree.size < size and taken < len(log.leaves):
                tree, taken = tree.append(log.leaves[taken]), taken + 1
            if tree.size != size:
                sentence = f"It names a log of {size} entries; the archive has {tree.size}."
                report.add("E-ANCHOR", where, sentence)
            elif tree.root() != root:
                sentence = (
                    f"The log's first {size} entries had another root when the gateway saw it."
                )
                report.add("E-ANCHOR", where, sentence)
