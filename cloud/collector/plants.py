"""The plants of a slice: which are served, and which wait until the disk lets them go on.

When a commit fails, a plant's keys have to be read from the disk again. Where the disk refuses
that too (no descriptor free, an I/O error), nobody knows which keys count: the plant waits, takes
nothing, and is tried again for as long as the process runs. The collector's thread changes it, any
may ask.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloud.collector.plant import EnrolledPlant
from cloud.collector.standing import DAMAGED, NOT_SERVED
from cloud.database.store import EvidenceStore
from cloud.errors import NotServedError, StoreError
from evidence.errors import EvidenceError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.collector")

#: seconds between two tries: doubled from the first to the last
AGAIN_FIRST_S, AGAIN_LAST_S = 1.0, 60.0
#: what to do about a plant that was damaged at the start
AFTER_REPAIR = "Stop the collector, repair the plant, start the collector again"


@dataclass(slots=True)
class _Waiting:
    plant: EnrolledPlant
    reason: str
    again_s: float = float("-inf")
    pause_s: float = AGAIN_FIRST_S


class Plants:
    """Open plants by id.

    Args:
        store: the slice's evidence.
    """

    def __init__(self, store: EvidenceStore) -> None:
        self.store = store
        self._served: dict[str, EnrolledPlant] = {}
        self._waiting: dict[str, _Waiting] = {}

    def add(self, plant: str, opened: EnrolledPlant) -> None:
        """Serve a plant from now on."""
        self._served[plant] = opened

    def __iter__(self) -> Iterator[str]:
        """Ids of the served plants, sorted."""
        return iter(sorted(self._served))

    def __contains__(self, plant: object) -> bool:
        """True for a served plant."""
        return plant in self._served

    def get(self, plant: str) -> EnrolledPlant | None:
        """A served plant, None for any other."""
        return self._served.get(plant)

    def likely_key(self, plant: str, gateway: str) -> bytes:
        """SubjectPublicKeyInfo of the key that a stream's next object is likely signed with."""
        served = self.get(plant)
        return b"" if served is None else served.likely_key(gateway)

    def require(self, plant: str) -> EnrolledPlant:
        """A served plant.

        Raises:
            NotServedError: it is this collector's, and not served.
            LookupError: it is not.
        """
        found = self._served.get(plant)
        if found is not None:
            return found
        reason = self.not_served().get(plant)
        if reason is not None:
            raise NotServedError(f"plant {plant} is not served: {reason}")
        raise LookupError(f"plant {plant}: not a plant of this collector")

    def not_served(self) -> Mapping[str, str]:
        """Plants of this collector that are not served -> why.

        A damaged one stays so until a start: its repair (`cloud rebuild`, a backup put in place)
        needs the slice's lock, and to read its log again would hold up every other plant.
        """
        waiting = {plant: waits.reason for plant, waits in list(self._waiting.items())}
        return {
            **{p: f"{why}. {AFTER_REPAIR}" for p, why in self.store.damaged.items()},
            **waiting,
        }

    def stopped(self) -> Mapping[str, Mapping[str, str]]:
        """Likewise, each with its reason: NOT_SERVED or DAMAGED -> why."""
        return {
            plant: {DAMAGED if plant in self.store.damaged else NOT_SERVED: why}
            for plant, why in self.not_served().items()
        }

    def start_again(self, plant: str) -> None:
        """What was staged of a plant is dropped: its keys as on disk; it waits if that fails."""
        opened = self._served[plant]
        reason = _try(opened)
        if reason:
            log.critical(
                "plant %s is NOT served for now, it is tried again: %s", plant, reason,
                extra=about(plant),
            )  # fmt: skip
            self._waiting[plant] = _Waiting(opened, reason)
            del self._served[plant]

    def heal(self, now_s: float) -> list[str]:
        """Try the waiting plants whose time has come; those that are served again.

        Args:
            now_s: monotonic seconds.
        """
        healed = []
        for plant, waits in list(self._waiting.items()):
            if now_s < waits.again_s:
                continue
            reason = _try(waits.plant)
            if reason:
                waits.reason, waits.again_s = reason, now_s + waits.pause_s
                waits.pause_s = min(2 * waits.pause_s, AGAIN_LAST_S)
                continue
            log.warning("plant %s is served again", plant, extra=about(plant))
            self._served[plant] = waits.plant
            del self._waiting[plant]
            healed.append(plant)
        return healed

    def next_due_s(self) -> float | None:
        """When `heal` has something to try, None when nothing waits."""
        return min((waits.again_s for waits in self._waiting.values()), default=None)


def _try(plant: EnrolledPlant) -> str:
    """Read a plant's keys again; "" or why that failed."""
    try:
        plant.store.require_there()
        plant.start_again()
    except (OSError, StoreError, EvidenceError) as error:
        plant.store.drop()
        return str(error)
    return ""
