"""Site orders on the gateway's disk: `state_dir/site-orders`. I/O: that folder.

`state.json` says what counts; `NUMBER.order` is an order as it came, and is verified against the
root whenever it is read. Each file is whole from the moment it has its name, and an order is there
before the state that names it: a power cut leaves the state before, or the one after.
"""

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.errors import SpoolError
from edge.remote.state import Answer, Given, State, Trial, counts
from evidence.cose import OBJECT_BYTES_MAX
from evidence.errors import EvidenceError
from evidence.log_lines import about
from evidence.site_order import SiteOrder, decode_site_order
from evidence.suites import PublicKey

STATE_BYTES_MAX = 1024 * 1024
FORMAT = 1  # of `state.json`; the first releases' says none


class OtherStateError(ValueError):
    """A state that another program has written."""


class OrderFolder:
    """Orders of one gateway.

    Args:
        folder: made when it is needed.
        plant, gateway: whose orders count.
        root: the key that signs them.
    """

    def __init__(self, folder: Path, plant: str, gateway: str, root: PublicKey) -> None:
        self._folder, self._root = folder, root
        self._whose = plant, gateway

    @property
    def about(self) -> dict[str, str]:
        """`extra` of a log call about their gateway."""
        return about(*self._whose)

    def state(self) -> State:
        """What counts; the empty state before the first order. SpoolError for a damaged file."""
        return read_state(self._folder)

    def keep(self, state: State) -> State:
        """Put a state on disk, drop the orders that it names no more; the state."""
        self._write(
            self._folder / "state.json", json.dumps({"format": FORMAT, **asdict(state)}).encode()
        )
        kept = {f"{g.number}.order" for g in (state.in_force, counts(state)) if g is not None}
        with contextlib.suppress(OSError):  # the state counts already: the next one drops them
            for path in self._folder.iterdir():
                # also what a power cut left of one that was being written
                if path.suffix in (".order", ".part") and path.name not in kept:
                    path.unlink()
        return state

    def verified(self, data: bytes) -> SiteOrder:
        """An order, if the plant's root signed it; errors as `decode_site_order`."""
        return decode_site_order(data, self._root)

    def put(self, number: int, data: bytes) -> None:
        """Put an order on disk, for a state that names it."""
        self._write(self._order(number), data)

    def order(self, given: Given) -> SiteOrder:
        """An order that was kept; SpoolError when it is not as it was put there."""
        path = self._order(given.number)
        try:
            with path.open("rb") as file:
                order = self.verified(file.read(OBJECT_BYTES_MAX + 1))
        except OSError as error:
            raise SpoolError(f"{path}: cannot be read: {error.strerror}") from error
        except EvidenceError as error:
            raise SpoolError(f"{path}: {error}") from error
        if (order.plant, order.stream, order.number) != (*self._whose, given.number):
            raise SpoolError(f"{path}: is order {order.number} of {order.plant}/{order.stream}")
        return order

    def _order(self, number: int) -> Path:
        return self._folder / f"{number}.order"

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SpoolError(f"{path}: cannot be written: {error.strerror}") from error


def read_state(folder: Path) -> State:
    """What `state.json` of a folder says; the empty state when there is none.

    Raises:
        SpoolError: the file cannot be read or is damaged.
    """
    path = folder / "state.json"
    try:
        with path.open("rb") as file:
            data = file.read(STATE_BYTES_MAX + 1)
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise SpoolError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return parse_state(data)
    except OtherStateError as error:
        raise SpoolError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise SpoolError(
            f"{path}: is damaged ({error!r}). Nothing by order counts until it is taken away; "
            "then every order counts as new: sign none with a number that was used"
        ) from error


def parse_state(data: bytes) -> State:
    """A state of its JSON.

    Raises:
        OtherStateError: of another program.
        ValueError, TypeError, KeyError, RecursionError: it is none.
    """
    said = json.loads(data)
    if (found := said.get("format", FORMAT) if isinstance(said, dict) else FORMAT) != FORMAT:
        raise OtherStateError(
            f"has format {found!r}, and this program knows {FORMAT}: no order counts until the "
            "program that wrote it runs again. Leave the file as it is"
        )
    trial = said["trial"]
    state = State(
        judged=said["judged"],
        in_force=_made(Given, said["in_force"]),
        trial=None if trial is None else Trial(
            Given(**trial["given"]), trial["begun"], tuple(trial["answered"]), trial["heard"]
        ),
        last=_made(Answer, said["last"]),
        refusal=_made(Answer, said["refusal"]),
    )  # fmt: skip
    numbers = [given.number for given in (state.in_force, counts(state)) if given is not None]
    if any(type(n) is not int or not 0 <= n <= state.judged for n in (state.judged, *numbers)):
        raise ValueError("numbers that cannot be")
    return state


def _made(kind: Any, fields: Any) -> Any:  # noqa: ANN401 - a dataclass, and what JSON can hold
    return None if fields is None else kind(**fields)
