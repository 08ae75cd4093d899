"""Site orders in an operator's key folder: carried by the collector, judged at the edge.

File I/O: reads. Only the root's signature is looked at, so that a file in the wrong folder is told
here and not at a gateway far away. What an order says counts where it is obeyed (`edge.remote`).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from cloud.collector.identity import PlantIdentity
from evidence.cose import OBJECT_BYTES_MAX
from evidence.errors import EvidenceError
from evidence.site_order import decode_site_order

SUFFIX = ".order"
FILES_MAX = 1_000


@dataclass(frozen=True)
class CarriedOrder:
    """The newest for one gateway: its file's name, its number, and its bytes as they came.

    `older`: names of files with a lower number.
    """

    name: str
    number: int
    data: bytes
    older: frozenset[str] = frozenset()


def read_site_orders(
    folder: Path | None, identity: PlantIdentity
) -> tuple[dict[str, CarriedOrder], list[str]]:
    """Gateway -> its newest order among `*.order` files; a sentence for each that is none."""
    found: dict[str, CarriedOrder] = {}
    problems: list[str] = []
    if folder is None:
        return found, problems
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError as error:  # the keys in it are looked for too, and that is told there
        return found, [f"{folder}: cannot be read: {error.strerror}"]
    for path in paths[:FILES_MAX]:
        try:
            with path.open("rb") as file:
                data = file.read(OBJECT_BYTES_MAX + 1)
            order = decode_site_order(data, identity.root.key)
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
            continue
        except EvidenceError as error:
            problems.append(f"{path}: {error}")
            continue
        before = found.get(order.stream)
        if order.plant != identity.plant:
            problems.append(f"{path}: is for plant {order.plant}")
        elif before is not None and before.number == order.number and before.data != data:
            problems.append(f"{path}: has the number of {before.name}: sign it anew with a higher")
        else:
            found[order.stream] = _newest(before, CarriedOrder(path.name, order.number, data))
    if len(paths) > FILES_MAX:
        problems.append(f"{folder}: {len(paths)} site orders; only the first {FILES_MAX} are read")
    return found, problems


def _newest(before: CarriedOrder | None, one: CarriedOrder) -> CarriedOrder:
    if before is None or before.number == one.number:
        return before or one
    newest, other = (one, before) if one.number > before.number else (before, one)
    return replace(newest, older=before.older | {other.name})
