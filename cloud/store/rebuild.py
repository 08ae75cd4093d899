"""Makes a plant's index, offsets, tree and state again from its log, when a check says they differ.

Evidence is read and never written: entries, objects, certificates, orders and the checkpoint stay
as they are, and so does what a commit that did not finish has left behind them. Interrupted, it
leaves nothing that the next start of the collector cannot make.
"""

from collections.abc import Iterator
from pathlib import Path

from cloud.errors import DamagedLogError
from cloud.store.disk import Disk
from cloud.store.fsck import Checked
from cloud.store.fsck_findings import Finding, Remedy
from cloud.store.index import IndexFile, Place
from cloud.store.layout import PlantFolder
from cloud.store.reader import read_object
from cloud.store.recovery import replay_signed
from cloud.store.state import LogState, encode_snapshot
from evidence.log import Kind
from evidence.records import encode_record


def rebuildable(checked: Checked) -> list[Finding]:
    """The findings of a check that a rebuild puts right."""
    return [f for f in checked.findings if f.fault.remedy is Remedy.REBUILD]


def rebuild_plant(root: Path, disk: Disk, checked: Checked) -> None:
    """Make again what can be made again. The caller holds the slice's lock.

    Args:
        root: the plant's folder.
        disk: writes.
        checked: of a check just made.

    Raises:
        DamagedLogError: entries or objects are damaged, so that nothing can be made from them.
        OSError: the disk refuses.
    """
    folder = PlantFolder(root)
    lost = (Remedy.RESTORE, Remedy.WHOLE)
    damaged = [f for f in checked.findings if f.fault.remedy in lost]
    if damaged or checked.signed is None:
        why = damaged[0].sentence if damaged else "there is no checkpoint"
        raise DamagedLogError(f"{root}: is not rebuilt: its evidence is damaged: {why}")
    for path in (*root.glob("index/*.idx"), folder.offsets, folder.tree, folder.snapshot):
        path.unlink(missing_ok=True)
    state = replay_signed(folder, disk, checked.signed)
    if state.tree.root().hex() != checked.root:
        raise DamagedLogError(f"{root}: evidence changed under the rebuild; check it again")
    for name in state.streams:
        for place in _rotations(folder, state, name):
            disk.replace(folder.order(place.sha256), read_object(folder, name, place))
    disk.replace(folder.snapshot, encode_record(encode_snapshot(state)))
    disk.sync()
    disk.publish()
    disk.sync()


def _rotations(folder: PlantFolder, state: LogState, name: str) -> Iterator[Place]:
    for place in IndexFile(folder.index(name)).places(0, state.stream(name).next_seq):
        if place.kind is Kind.ROTATE:
            yield place
