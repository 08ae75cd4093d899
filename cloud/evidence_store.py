"""Where a collector keeps evidence: a database, or the folders of a slice as it did before.

Both are written by the same calls. CLOUD.toml's `database` says which; without it, folders. What
is kept beside evidence (accounts, alarms, months) is in a database either way.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cloud.config import CloudConfig
from cloud.database.bring_over import KEPT, bring_over
from cloud.database.engine import Database
from cloud.database.reader import PlantReader as DatabaseReader
from cloud.database.state import Committed as DatabaseCommitted
from cloud.database.state import StreamState as DatabaseStream
from cloud.database.store import EvidenceStore
from cloud.database.store import Failure as DatabaseFailure
from cloud.database.writer import PlantWriter
from cloud.store.plant import Laid, PlantStore
from cloud.store.reader import Committed, PlantReader
from cloud.store.slice import Failure, SliceStore
from cloud.store.state import StreamState

AnyStore = SliceStore | EvidenceStore
AnyPlant = PlantStore | PlantWriter
AnyReader = PlantReader | DatabaseReader
AnyCommitted = Committed | DatabaseCommitted
AnyStream = StreamState | DatabaseStream
AnyFailure = Failure | DatabaseFailure
AnyLaid = Laid | frozenset[bytes]


def open_store(config: CloudConfig) -> AnyStore:
    """The evidence of the collector's slice, which nobody else writes from now on.

    Raises:
        SliceLockedError: another collector holds it.
        StoreError: it cannot be used.
    """
    if not config.database:
        return SliceStore(config.evidence_dir / config.slice)
    return EvidenceStore(Database(config.database, config.durability), config.slice)


@contextmanager
def kept_beside(config: CloudConfig, store: AnyStore) -> Iterator[Database]:
    """The database of what is kept beside evidence: that of the evidence, where it has one.

    Raises:
        StoreError: it cannot be used.
    """
    with ExitStack() as stack:
        if isinstance(store, EvidenceStore):
            kept = store.database
        else:
            kept = Database(f"sqlite:///{config.state_dir / KEPT}")
            stack.callback(kept.close)
        bring_over(config.state_dir, kept)
        yield kept
