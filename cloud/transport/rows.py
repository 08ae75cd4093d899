"""Which brokers' configurations a register knows: `brokers.json` in its folder. I/O: it.

It says where `cloud broker config` wrote and for whom, so that whoever approves or revokes a key
has all of them written again.
"""

import fcntl
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cloud.errors import CarriedFileError
from cloud.transport.broker_files import ROUTE_PORT
from cloud.transport.register import CA, CRL, SERVER
from cloud.transport.whole import FOR_ALL, put_whole

ROWS = "brokers.json"
#: of what we write and brokers take at a start alone; one more with each change of it (ADR 0077,
#: 0087)
WORDS = 3
_WORDS = "words-"
PROGRAMS = {"mosquitto": ("mosquitto", "mosquitto.conf"), "nats": ("nats-server", "nats.conf")}


@dataclass(frozen=True)
class Served:
    """One broker's configuration.

    Attributes:
        kind: one of `FILES`.
        out: folder of the files, absolute.
        at: where they are at the broker.
        listen, port: of the broker.
        user: whom the broker runs as, who can read them; "" for whoever writes them.
        sha256: of the broker's own file as it was written last, hex: another one is by hand. While
            it is written also of the one before, with spaces between.
        websocket: nats-server's port of MQTT over WebSocket; None: nowhere.
        node, route_port: as in `Place`.
        collectors: CLOUD.toml of each that it serves, absolute; nodes are those of the first one's
            register. None: of the one whose register this stands in.
        words: `WORDS` of the program that wrote it; of one before ADR 0077: 1.
    """

    kind: str
    out: str
    at: str
    listen: str
    port: int
    user: str = ""
    sha256: str = ""
    websocket: int | None = None
    node: str = ""
    route_port: int = ROUTE_PORT
    collectors: Sequence[str] = ()
    words: int = WORDS

    @property
    def file(self) -> str:
        """The file that the broker is started with."""
        return f"{self.at}/{PROGRAMS[self.kind][1]}"


def names_of(served: Served) -> Sequence[str]:
    """The files that are written."""
    return [PROGRAMS[served.kind][1], *(["acl"] if served.kind == "mosquitto" else [])]


def read_of(served: Served) -> Sequence[str]:
    """The files that the broker reads again when it is told to, as far as they change."""
    return [*names_of(served), CA, SERVER, *([CRL] if served.kind == "mosquitto" else [])]


def remember(registers: Sequence[Path], served: Served) -> None:
    """Keep in each register where a configuration is, in place of the one in its folder.

    Raises:
        CarriedFileError: the disk refuses, or what is there cannot be read.
    """
    for folder in registers:
        try:
            # two that are written at once know each other; the folder may be a broker's, held by it
            with (folder / CA).open("rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                rows = [*(row for row in remembered(folder) if row.out != served.out), served]
                text = json.dumps([_row(row) for row in rows], indent=1)
                put_whole(folder / ROWS, text.encode(), FOR_ALL)
        except OSError as error:
            path = folder / ROWS
            raise CarriedFileError(f"{path} cannot be written: {error.strerror}") from error


def remembered(folder: Path) -> list[Served]:
    """Every configuration of a register; CarriedFileError when that cannot be read."""
    path = folder / ROWS
    try:
        return [_served(row) for row in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CarriedFileError(
            f"{path} cannot be read: take it away, then broker config again for each broker"
        ) from error


def _row(served: Served) -> dict[str, Any]:
    """JSON-ready: `words` among the hashes, where a program that knows of none reads on."""
    row = asdict(served)
    words = row.pop("words")
    return {**row, "sha256": f"{served.sha256} {_WORDS}{words}".strip()}


def _served(row: Mapping[str, Any]) -> Served:
    said = str(row.get("sha256", "")).split()
    words = [int(one.removeprefix(_WORDS)) for one in said if one.startswith(_WORDS)]
    sha256 = " ".join(one for one in said if not one.startswith(_WORDS))
    return Served(**{**row, "sha256": sha256, "words": max(words, default=1)})
