"""Step 7, the time stamp: over this seal, and by an authority that the reader trusts."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from evidence import timestamp
from evidence.archive import bag, paths
from evidence.errors import EvidenceError
from evidence.findings import Report, said, shown, utc
from evidence.keys import Certificate
from evidence.suites import PublicKey
from evidence.verifier.clocks import AHEAD_MAX_NS, SECOND_NS
from evidence.verifier.opened import Opened


def check_timestamp(
    archive: Opened,
    report: Report,
    collector: PublicKey | None,
    authorities: Sequence[Certificate] | None,
    closed_ns: int,
) -> datetime | None:
    """Compare the time stamp, if any, with the seal, the authorities and the close.

    A stamp that is dated later than today is for the reader to see: what a verifier finds does not
    depend on the day it runs.

    Args:
        archive: a sound container.
        report: takes the finding, and what the stamp says.
        collector: whose signature says that these are the bytes it was given; None when there
            is no good certificate, which was told.
        authorities: certificates the reader trusts; None leaves the authority open, and
            asks for no stamp.
        closed_ns: when the log closed the month, UTC nanoseconds; 0 when it does not say.

    Returns:
        When an authority that the reader trusts stamped the seal; None otherwise.
    """
    path = paths.TIMESTAMP
    if path not in archive:
        sentence = "Time stamp: there is none; only the collector vouches for dates."
        report.not_checked.append(sentence)
        if paths.TIMESTAMP_SEAL in archive:
            sentence = "It is over a time stamp that is not here."
            report.add("E-TIMESTAMP", paths.TIMESTAMP_SEAL, sentence)
        if authorities is not None:
            sentence = "There is none, and --tsa asks for one: take the archive as it was stamped."
            report.add("E-TIMESTAMP", path, sentence)
        return None
    if collector is not None and not _is_as_it_came(archive, report, collector):
        return None
    if not timestamp.is_available():
        report.not_checked.append(
            f"Time stamp: {path} was not looked at: the package rfc3161-client is not installed "
            "(pip install 'stackproof[tsa]')."
        )
        return None
    try:
        seal, response = archive.read(paths.SEAL), archive.read(path)
        if authorities is None:
            stamp = timestamp.read_stamp(response, seal)
        else:
            stamp = timestamp.check_stamp(response, seal, authorities)
    except EvidenceError as error:
        report.add("E-TIMESTAMP", path, said(error))
        return None
    at, authority = f"{stamp.at:%Y-%m-%dT%H:%M:%SZ}", shown(stamp.authority)
    # the authority chose its name: what we say of it stands before that
    report.timestamp = f"{at} by one you trust: {authority}"
    if authorities is None:
        report.timestamp = f"{at}, not checked"
        report.not_checked.append(
            f"Time stamp: it says {at}; without --tsa anybody's signature passes for an "
            f"authority's. The name in it, which anybody can write: {authority}."
        )
    if int(stamp.at.timestamp()) * SECOND_NS < closed_ns - AHEAD_MAX_NS:
        sentence = f"It says {at}; the collector closed the month later, {utc(closed_ns)}."
        report.add("W-CLOCK", path, sentence)
    return None if authorities is None else stamp.at


def _is_as_it_came(archive: Opened, report: Report, collector: PublicKey) -> bool:
    """True when the collector sealed these bytes: not all of a response is signed by its maker."""
    try:
        digest = hashlib.sha256(archive.read(paths.TIMESTAMP)).digest()
        bag.check_seal(archive.read(paths.TIMESTAMP_SEAL), digest, collector, bag.Sealed.STAMP)
    except EvidenceError as error:
        report.add("E-TIMESTAMP", paths.TIMESTAMP_SEAL, said(error))
        return False
    return True
