"""What can go wrong in the cloud. One line a class: who acts on it.

    CloudError
    ├── CloudConfigError     CLOUD.toml is wrong (operator: every problem is listed)
    ├── StoreError           the disk refuses or disagrees (operator: disk full, read-only, damaged)
    │   ├── ReceiptWithheldError the log here is not the one a gateway was shown (restore)
    │   ├── NotServedError   a plant waits for its disk, or for a backup (see `cloud run`'s log)
    │   ├── ClockError       the machine's clock is in doubt (operator: set it)
    │   ├── DamagedLogError  a plant's evidence is less than what was signed (restore from backup)
    │   ├── OtherVersionError another version wrote a file (operator: it says what to do)
    │   ├── SliceLockedError another collector holds this slice (operator: stop one)
    │   ├── DatabaseAwayError the database does not answer, or takes no writes (it is asked again)
    │   ├── StaleStateError  a plant's log moved on without this collector (it reads it again)
    │   ├── NotReplicatedError no standby has what was committed (operator: see to the standby)
    │   └── SliceLostError   another collector took this slice over (this one ends)
    ├── NoRegisterError      CLOUD.toml names no folder of broker certificates (operator: add it)
    ├── BrokerError          the embedded broker cannot run (operator: port taken, binary missing)
    ├── ServerError          the page's address cannot be served (operator: port taken)
    ├── TimeStampError       the time stamping authority gave no good stamp (month sealed without)
    ├── StoppedError         a closing ends because the collector does (the next start goes on)
    ├── LateDocumentError    a document came while its month was made (close it again)
    ├── NotRunningError      a command finds no collector to ask (`cloud.asking`; start it)
    ├── RefusedError         the collector says no to a command (`cloud.asking`; it says why)
    └── CarriedFileError     a file that is carried by hand cannot be read or written

What a gateway sends never raises any of these: it is refused and counted (`cloud.collector`).
"""

from collections.abc import Sequence

from firmware_configs.fields import Problem


class CloudError(Exception):
    """Base of the cloud's own errors."""


class CloudConfigError(CloudError):
    """CLOUD.toml is wrong.

    Attributes:
        problems: all of them, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class StoreError(CloudError):
    """The disk refuses to take evidence, or gives back something else than was put there."""


class AlteredEvidenceError(StoreError):
    """Committed evidence that does not have the hash or checksum it was stored under.

    Attributes:
        place: which rows of the plant, such as `<gateway>/<seq>`.
    """

    def __init__(self, plant: str, place: str, what: str) -> None:
        """Args: plant: its id; place: as above; what: what is wrong with it."""
        super().__init__(f"{plant}/{place}: {what}")
        self.place = place


class OtherVersionError(StoreError):
    """Another version of the program wrote a file of the state: it was only read."""

    def __init__(self, path: object, found: int, own: int, *, is_remade: bool = False) -> None:
        """Say what to do.

        Args:
            path: the file.
            found: its format.
            own: the one this program knows.
            is_remade: it is made again from the log when it is not there.
        """
        said = f"{path} is of a newer version: format {found}, this program knows {own}. Start the "
        said += "newer program again"
        if is_remade:
            said += ", or delete the file while no collector runs: it is made again from the log"
        super().__init__(said)


class DamagedLogError(StoreError):
    """What is on disk is less than what was signed, or other than it: nothing is appended."""


class ReceiptWithheldError(StoreError):
    """A gateway was shown a log that is not the one here: no receipt may be given on it."""


class NoRegisterError(CloudError):
    """Certificates of the broker are not made by this collector."""


class StoppedError(CloudError):
    """A closing gives up because the collector ends; it is ordered still."""


class NotServedError(StoreError):
    """A plant of this collector is not served just then, or before it is restored."""


class ClockError(StoreError):
    """The machine's clock is in doubt: nothing is logged, its time would be wrong for good."""


class SliceLockedError(StoreError):
    """Another process is the collector of this slice."""


class SliceLostError(StoreError):
    """Another process has become the collector of this slice: this one may write nothing more."""


class DatabaseAwayError(StoreError):
    """The database does not answer, or takes no writes just now: what a commit did is not known."""


class StaleStateError(StoreError):
    """A plant's log in the database is not the one that this collector knows."""


class NotReplicatedError(StoreError):
    """It was committed on one machine alone, so no receipt may be given for it yet."""


class BrokerError(CloudError):
    """The embedded broker cannot be started."""


class ServerError(CloudError):
    """The page's address cannot be served."""


class LateDocumentError(CloudError):
    """The log has more documents of persons than a figure was made of."""


class TimeStampError(CloudError):
    """The time stamping authority is away, refuses, or gives another stamp than was asked for."""


class NotRunningError(CloudError):
    """There is no running collector to ask."""


class RefusedError(CloudError):
    """The collector refused what was asked; the sentence is its own."""


class CarriedFileError(CloudError):
    """A spool, receipt file or archive that is carried by hand cannot be read or written."""
