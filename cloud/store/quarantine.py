"""Objects that fork a stream: signed by an enrolled key, but not what evidence holds at that seq.

Each is kept once, verbatim, as a file named by stream, seq and hash; the log says so in a REJECT
entry. A bounded number a plant: whoever has a gateway's key could make any number of them.
"""

from pathlib import Path

from cloud.store.disk import Disk

FILES_MAX = 1_000


class Quarantine:
    """The quarantine folder of one plant."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = {path.name for path in folder.glob("*.cose")}
        self._staged: dict[str, bytes] = {}

    @property
    def count(self) -> int:
        """Objects in it, staged ones included."""
        return len(self._names) + len(self._staged)

    def stage(self, stream: str, seq: int, sha256: bytes, data: bytes) -> bool:
        """Keep an object with the next commit; False when it is there already or there is no room.

        Args:
            stream: gateway id.
            seq: where it claims to stand.
            sha256: of it.
            data: its bytes.
        """
        name = f"{stream}-{seq}-{sha256.hex()[:16]}.cose"
        if name in self._names or name in self._staged or self.count >= FILES_MAX:
            return False
        self._staged[name] = data
        return True

    def write(self, disk: Disk) -> None:
        """Write what is staged; it gets its name when the disk publishes, after the log's sync."""
        for name, data in self._staged.items():
            disk.replace(self._folder / name, data)

    def settle(self) -> None:
        """What was staged is in place."""
        self._names.update(self._staged)
        self._staged.clear()

    def drop(self) -> None:
        """Forget what is staged."""
        self._staged.clear()
