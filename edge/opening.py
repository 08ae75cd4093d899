"""A site file with its keys and what it signs, ready to run. I/O: reads files that it names."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.broker_tls import BrokerTls, believing
from edge.errors import SiteConfigError
from edge.identity import Identity, Problems, open_identity
from edge.signed import signed_configuration
from edge.site.config import Site, read_site
from evidence.keys import key_sha256
from evidence.version import VERSION

#: what must be right in a site file before its keys can be looked at
_KEY_PLACES = re.compile(
    r"plant|plant\.id|uplink|uplink\.collector"
    r"|gateway|gateway\.(id|key|certificate|previous_key|continues|root)"
)


@dataclass(frozen=True)
class Opened:
    """A site with its keys, ready to run."""

    site: Site
    who: Identity
    config: dict[str, Any]


def open_site(path: Path, ordered: bytes | None = None, *, may_be_away: bool = False) -> Opened:
    """Read a site file and its keys; SiteConfigError with every problem in them.

    Args:
        path: of the site file.
        ordered: what the root has ordered in its place; None to read the file.
        may_be_away: the token that holds the gateway's key need not be there now, nor what TLS
            with the broker takes: readings wait for neither.
    """
    site, found = read_site(path, ordered)
    problems = Problems(path)
    problems += found
    if any(_KEY_PLACES.fullmatch(problem.key) for problem in found):
        raise SiteConfigError(problems)  # whose keys they should be, or where, is not known
    who = open_identity(site, problems, may_be_away=may_be_away)
    config: dict[str, Any] = {}
    if not found:  # else it would be about stand-ins
        fingerprint = bytes(32) if who is None else key_sha256(who.collector)
        try:
            config = signed_configuration(
                site, collector_key_sha256=fingerprint, software=f"stackproof {VERSION}"
            )
        except SiteConfigError as error:
            problems += error.problems
    tls = None if found else problems.tried("uplink.url", lambda: BrokerTls.of(site))
    if tls is not None and not may_be_away:
        context = problems.tried("uplink.ca", lambda: believing(tls.ca))
        if context is not None:
            problems.tried("uplink.certificate", lambda: tls.show(context))
    if problems or who is None:
        raise SiteConfigError(problems)
    return Opened(site, who, config)
