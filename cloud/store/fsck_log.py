"""Reads a log's entries past damage, and compares tree and offsets with them. Reads only."""

from collections.abc import Iterator
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.fsck_findings import Fault, Findings
from cloud.store.layout import PlantFolder
from cloud.store.reader import OFFSET
from cloud.store.record_file import read_at, size_of, whole_records
from cloud.store.tree import HASH_BYTES, TreeFile, file_bytes
from evidence.checkpoint import Checkpoint
from evidence.merkle import CompactRange
from evidence.records import MAGIC

#: altered leaves that are told one by one
_LEAVES_MAX = 1_000


class LogCheck:
    """The files of one log.

    Args:
        folder: the plant's files.
        signed: the newest checkpoint; None when there is none to be believed.
        findings: where to note differences.
    """

    def __init__(self, folder: PlantFolder, signed: Checkpoint | None, findings: Findings) -> None:
        self._folder, self._signed, self._findings = folder, signed, findings
        self._entries = _name(folder, folder.entries)
        #: (index, offset) of entries whose stored leaf is another
        self._leaves: list[tuple[int, int]] = []
        self._inner: list[int] = []

    def entries(self) -> Iterator[tuple[int, int, bytes | None]]:
        """(index, offset, entry) up to the checkpoint, or all; None for one that is not whole."""
        path, limit = self._folder.entries, None if self._signed is None else self._signed.size
        index = offset = 0
        while limit is None or index < limit:
            for record in whole_records(path, offset):
                yield index, offset, record.data
                index, offset = index + 1, record.end
                if index == limit:
                    return
            end = None if limit is None else self.stored_end(index, offset)
            if end is None:
                break
            what = f"log entry {index} at byte {offset} is not whole: its bytes were altered"
            self._findings.add(Fault.ENTRY_DAMAGED, self._entries, what, index=index, offset=offset)
            yield index, offset, None
            index, offset = index + 1, end
        if limit is not None and index < limit:
            self._findings.add(
                Fault.LOG_CUT, self._entries,
                f"entries {index} to {limit - 1}, which the checkpoint covers, cannot be read from "
                f"byte {offset} on (the file has {size_of(path)}); their objects are not checked",
                index=index, offset=offset,
            )  # fmt: skip

    def stored_end(self, index: int, offset: int) -> int | None:
        """Where the entry behind a damaged one begins, by the stored offsets; None if unusable."""
        data = read_at(self._folder.offsets, index * OFFSET.size, OFFSET.size)
        if len(data) != OFFSET.size:
            return None
        end, size = int(OFFSET.unpack(data)[0]), size_of(self._folder.entries)
        if not offset < end <= size:
            return None
        is_record = end == size or read_at(self._folder.entries, end, len(MAGIC)) == MAGIC
        return end if is_record else None

    def stored_leaf(self, index: int) -> bytes:
        """The leaf hash the tree's file holds for an entry that cannot be read."""
        return read_at(self._folder.tree, file_bytes(index), HASH_BYTES).ljust(HASH_BYTES, b"\0")

    def compare(self, index: int, offset: int, nodes: bytes, end: int) -> None:
        """Compare what one entry adds to tree and offsets.

        Args:
            index: of the entry.
            offset: where it begins.
            nodes: the hashes the tree gains with it.
            end: where it ends.
        """
        stored = read_at(self._folder.tree, file_bytes(index), len(nodes))
        if stored[:HASH_BYTES] != nodes[:HASH_BYTES]:
            self._leaves += [(index, offset)] if len(self._leaves) < _LEAVES_MAX else []
        elif stored != nodes:
            self._inner = self._inner or [index]
        if read_at(self._folder.offsets, index * OFFSET.size, OFFSET.size) != OFFSET.pack(end):
            what = f"the end of log entry {index} is not the one stored for it"
            self._findings.add(
                Fault.OFFSETS, _name(self._folder, self._folder.offsets), what, index=index
            )

    def finish(self, tree: CompactRange) -> None:
        """Compare the root, and say whether entries or tree are wrong where they differ.

        Args:
            tree: made of all entries.
        """
        signed, are_true = self._signed, True
        if signed is not None and tree.size == signed.size:
            are_true = tree.root() == signed.root
        if signed is not None and not are_true:
            self._findings.add(
                Fault.ROOT, _name(self._folder, self._folder.checkpoint),
                f"root {signed.root.hex()} of {signed.size} log entries was signed, but the "
                f"entries give {tree.root().hex()}: they are not those that were logged",
                index=signed.size,
            )  # fmt: skip
            if self._stored_tree_is(signed):
                for index, offset in self._leaves:
                    what = f"log entry {index} at byte {offset} is not the one that was logged"
                    self._findings.add(
                        Fault.ENTRY_ALTERED, self._entries, what, index=index, offset=offset
                    )
                return
        self._tell_tree()

    def _tell_tree(self) -> None:
        tree = _name(self._folder, self._folder.tree)
        for index, _ in self._leaves:
            what = f"the hash of log entry {index} at byte {file_bytes(index)} is not that entry's"
            self._findings.add(Fault.TREE, tree, what, index=index, offset=file_bytes(index))
        for index in self._inner:
            what = f"hashes behind leaf {index} are not those of the leaves under them"
            self._findings.add(Fault.TREE, tree, what, index=index, offset=file_bytes(index))

    def _stored_tree_is(self, signed: Checkpoint) -> bool:
        try:
            return TreeFile(self._folder.tree).compact_range(signed.size).root() == signed.root
        except StoreError:
            return False

    def look_beyond(self, size: int, end: int) -> bool:
        """What stands behind the newest entry; only where nobody writes.

        Args:
            size: entries before.
            end: where they end.

        Returns:
            True when there are whole entries: the next start cuts them, or finds them signed, and
            sets aside what is signed.
        """
        count, at = 0, end
        for record in whole_records(self._folder.entries, end):
            count, at = count + 1, record.end
        if count:
            what = f"{count} whole entries from byte {end} on, which no checkpoint speaks of"
            self._findings.add(Fault.UNSIGNED, self._entries, what, index=size, offset=end)
        torn = size_of(self._folder.entries) - at
        if torn > 0:
            what = f"{torn} bytes from byte {at} on are no whole record: a commit did not finish"
            self._findings.add(Fault.TORN_TAIL, self._entries, what, offset=at)
        for fault, path, length in (
            (Fault.TREE, self._folder.tree, file_bytes(size + count)),
            (Fault.OFFSETS, self._folder.offsets, (size + count) * OFFSET.size),
        ):
            extra = size_of(path) - length
            if extra > 0:
                what = f"{extra} bytes too many for {size + count} log entries"
                self._findings.add(fault, _name(self._folder, path), what, offset=length)
        return count > 0


def _name(folder: PlantFolder, path: Path) -> str:
    return str(path.relative_to(folder.root))
