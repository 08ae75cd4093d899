"""Which site file an agent starts with: the one at the gateway, or one by order. I/O: files.

A file by order that cannot be opened goes, and the one before it counts again: an agent that reads
is worth more than an order.
"""

import hashlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge.errors import SiteConfigError, SpoolError
from edge.identity import Identity, Problems, open_root
from edge.opening import open_site
from edge.remote.folder import OrderFolder
from edge.remote.state import State, begun, counts, rolled_back, set_aside
from edge.site.config import Site, read_site, site_bytes
from evidence.keys import public_key

log = logging.getLogger("stackproof.edge.order")

REASON_MAX = 500  # that are kept


@dataclass
class Start:
    """What an agent starts with.

    Attributes:
        path: of the site file at the gateway.
        hand: what that file holds.
        site, who: to run.
        config: to sign; the agent's caller drops it when the agent has it.
        folder: of orders; None where none are taken.
        state: what counts.
    """

    path: Path
    hand: bytes
    site: Site
    who: Identity
    config: dict[str, Any]
    folder: OrderFolder | None = None
    state: State = field(default_factory=State)

    @classmethod
    def of(cls, path: Path, hand: bytes, ordered: bytes | None = None) -> "Start":
        """With a site file by order, or with the one at the gateway; SiteConfigError."""
        opened = open_site(path, hand if ordered is None else ordered, may_be_away=True)
        return cls(path, hand, opened.site, opened.who, opened.config)

    def keep(self, state: State) -> None:
        """Another state counts from here on; SpoolError when the disk refuses it."""
        if self.folder is not None:
            self.state = self.folder.keep(state)

    def gave_way(self, reason: str) -> bool:
        """Drop the file on trial for this reason; False when none is on trial."""
        if self.state.trial is None or self.folder is None:
            return False
        self.keep(rolled_back(self.state, reason))
        _say_last(self.folder, self.state)
        return True


def start_of(path: Path) -> Start:
    """Open what an agent of this site file is to run.

    Where the disk refuses what becomes of an order, a file on trial is not begun: what counts
    without it is, and the next start tries again.

    Raises:
        SiteConfigError: the site file at the gateway is wrong.
    """
    hand = site_bytes(path)
    folder = _folder(path, hand)
    if folder is None:
        return Start.of(path, hand)
    try:
        before = folder.state()
    except SpoolError as error:
        log.error("orders: %s", error, extra=folder.about)  # noqa: TRY400 - says all
        return Start.of(path, hand)
    state = begun(before, hashlib.sha256(hand).hexdigest())
    if state != before:
        state = _kept(folder, state)
    while True:
        given = counts(state)
        try:
            ordered = None if given is None else folder.order(given).site
            return replace(Start.of(path, hand, ordered), folder=folder, state=state)
        except (SiteConfigError, SpoolError) as error:
            if given is None:
                raise
            Start.of(
                path, hand
            )  # what is wrong beside both files, raised, is no fault of the order
            fails = set_aside if state.trial is None else rolled_back
            state = _kept(folder, fails(state, str(error)[:REASON_MAX]))


def ordered_bytes(path: Path) -> bytes | None:
    """The site file by order that an agent of this one would run, or tries; None where none counts.

    Changes nothing.

    Raises:
        SiteConfigError: the site file at the gateway cannot be read.
        SpoolError: the order cannot be read.
    """
    folder = _folder(path, site_bytes(path))
    given = None if folder is None else counts(folder.state())
    return None if folder is None or given is None else folder.order(given).site


def _folder(path: Path, hand: bytes) -> OrderFolder | None:
    """The folder of orders, where the site file at the gateway takes them and names its root."""
    site, wrong = read_site(path, hand)
    if wrong or site.remote is None:
        return None  # what is wrong is told when the site is opened
    root = open_root(site, Problems(path), None)
    if root is None:
        return None
    return OrderFolder(site.gateway.orders, site.plant.id, site.gateway.id, public_key(root))


def _kept(folder: OrderFolder, state: State) -> State:
    """The state, on disk; where the disk refuses it, the one without a file on trial."""
    try:
        folder.keep(state)
    except SpoolError as error:
        log.error("orders: %s", error, extra=folder.about)  # noqa: TRY400 - says all
        return rolled_back(state, str(error)[:REASON_MAX])
    _say_last(folder, state)
    return state


def _say_last(folder: OrderFolder, state: State) -> None:
    if state.last is not None:
        last, why = state.last, f": {state.last.reason}" if state.last.reason else ""
        log.warning("site order %d: %s%s", last.number, last.outcome, why, extra=folder.about)
