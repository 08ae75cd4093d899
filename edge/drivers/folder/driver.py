"""A folder's files, each read once: which is next, how far the current one is delivered.

A file is taken when size and times have stood still for the profile's `settle_s`, oldest first, one
after the other. It is known by its SHA-256 from then on, under whatever name it comes again. The
disk is read in `edge.drivers.folder.files`, a file's bytes in `content` and `sheet`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlsplit

from edge.drivers.address import wrong
from edge.drivers.backlog import Backlog
from edge.drivers.base import EVENTS_PER_READ, DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.folder.content import FileRefusedError, csv_lines
from edge.drivers.folder.files import FileError, Folder, FolderError, Identity, Listing
from edge.drivers.folder.history import FILES_MAX, Current, History
from edge.drivers.folder.sheet import is_installed, sheet_lines
from edge.drivers.own_thread import OwnThread, StuckError
from edge.drivers.source_rows import Row, RowReader, plain_number, text_number
from edge.drivers.traffic import Traffic
from edge.drivers.waiting_rows import Key, take
from evidence.log_lines import about
from evidence.quality import Quality
from firmware_configs.row_source import FolderSource, source_settings

_LOG = logging.getLogger(__name__)

LOAD_S = 50.0  # for reading and parsing one file; meanwhile points have no answer
WINDOW = 1_000  # rows of a file that one read looks at
SOUGHT_MAX = 100  # files that are looked through for the half-read one
CELLS_MAX = 1_000_000  # of the device's points in one file; each takes some 200 bytes until read
LINES_TOLD = 20  # of rows that cannot be used, in the log and in the event

_NOT_TAKEN = Sample(None, Quality.NOT_SAMPLED)


class FolderDriver:
    """A folder behind `folder:///absolute/path`.

    Raises (at construction):
        DeviceError: with `retry` False when URL, profile or position cannot work.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        source = spec.profile.rows
        if not isinstance(source, FolderSource):
            raise wrong(spec, f"needs a profile with protocol folder; {spec.profile.id} has none")
        self._source = source
        self._path = _path(spec)
        self._name = f"device {spec.id} ({self._path})"
        if source.form == "xlsx" and not is_installed():
            raise wrong(spec, "needs the Python package openpyxl: pip install 'stackproof[xlsx]'")
        number_of = text_number(source.decimal) if source.form == "csv" else plain_number
        self._reader = RowReader(spec, source.rows, number_of)
        self._complaints, self._about = Complaints(_LOG, spec.id), about(device=spec.id)
        self._backlog = Backlog(self._complaints)
        form = f"{spec.profile.revision}\n{sorted(source_settings(source).items())}"
        try:
            self._history = History(sha256(form.encode()).digest(), spec.position, spec.marks)
        except ValueError as error:
            raise DeviceError(
                f"{self._name}: what is kept of its files cannot be read ({error}); give the "
                "device another id to begin anew",
                retry=False,
            ) from None
        self._ripens: dict[str, tuple[Identity, float]] = {}
        self._sought_s = 0.0  # since when the half-read file is sought
        self._complained: set[str] = set()  # names
        self._events: list[dict[str, Any]] = []
        self._thread: OwnThread | None = None
        self._folder = Folder(self._path, source.pattern)

    def traffic(self) -> Traffic:
        """Nothing: files are read."""
        return Traffic(
            protocol="files",
            endpoint=str(self._path),
            promise="nothing is sent or changed: the folder is listed, files opened for reading",
            is_listening=True,
        )

    async def connect(self) -> None:
        """Open the folder."""
        if self._thread is not None:
            return
        try:
            self._thread = thread = OwnThread(f"folder-{self._spec.id}")
        except StuckError as error:
            raise self._error(error) from error
        self._folder = Folder(self._path, self._source.pattern)
        try:
            await thread.run(self._folder.open, self._spec.timeout_s)
        except (FolderError, TimeoutError) as error:
            self._drop()
            raise self._error(error) from error
        except BaseException:
            self._drop()
            raise

    async def read(self) -> Sequence[Sample]:
        """The oldest unread row of each point; NOT_SAMPLED where none is new."""
        thread = self._thread
        if thread is None:
            raise DeviceError(f"{self._name}: not connected; connect first")
        if self._history.is_full:
            raise DeviceError(
                f"{self._name}: {FILES_MAX} files were read; give the device another id",
                retry=False,
            )
        try:
            listing = await thread.run(self._folder.listing, self._spec.timeout_s)
            ripe = self._ripe(listing)
            work = self._work(listing, ripe)
            found = None if work is None else await thread.run(work, LOAD_S)
        except FileError as error:
            self._complain(error.name, error.reason)
            self._ripens.pop(error.name, None)  # the others need not wait for it
            return self._taken(listing, 0)
        except (FolderError, TimeoutError) as error:
            self._drop()
            raise self._error(error) from error
        except BaseException:
            self._drop()
            raise
        if work is not None:
            self._admit(found)
        return self._taken(listing, len(ripe))

    async def close(self) -> None:
        """Let go of the folder."""
        self._drop()

    def position(self) -> bytes | None:
        """Which file is being delivered, and up to which line."""
        return self._history.position()

    def take_marks(self) -> Mapping[bytes, bytes]:
        """The files that are done with."""
        return self._history.take_marks()

    def take_events(self) -> Sequence[Mapping[str, Any]]:
        """Files read, refused, changed or come again; begin and end of a backlog."""
        events, self._events = self._events[:EVENTS_PER_READ], self._events[EVENTS_PER_READ:]
        return events

    def _drop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.end(self._folder.close)

    def _error(self, error: Exception) -> DeviceError:
        reason = str(error)
        if isinstance(error, TimeoutError):
            reason = "no answer in time"
        return DeviceError(
            f"{self._name}: {reason}; check that the folder is there and may be read"
        )

    # -- which file -------------------------------------------------------------------------------

    def _ripe(self, listing: Listing) -> list[str]:
        """Names of files that stand still and are not known as they are, oldest first."""
        now_s, settle_s = monotonic(), self._source.rows.settle_s
        ripens: dict[str, tuple[Identity, float]] = {}
        for name, identity in listing.files.items():
            if not self._history.knows(name, identity):
                was = self._ripens.get(name)
                same = was is not None and was[0] == identity
                ripens[name] = was if was and same else (identity, now_s + settle_s)
        self._ripens = ripens
        ripe = [name for name, (_, at_s) in ripens.items() if at_s <= now_s]
        return sorted(ripe, key=lambda name: (listing.files[name].mtime_ns, name))

    def _work(self, listing: Listing, ripe: Sequence[str]) -> "Callable[[], _Loaded | None] | None":
        """What is to be read now: the half-read file of the last process, or the next one."""
        half = self._history.half_read
        if half is not None:
            now_s = monotonic()
            if not listing.files:  # a share that is not mounted yet is an empty folder
                self._sought_s = 0.0
                return None
            self._sought_s = self._sought_s or now_s
            if now_s < self._sought_s + self._source.rows.settle_s:
                return None  # no file is ripe yet
            named = sorted(ripe, key=lambda name: name != half.name)[:SOUGHT_MAX]
            return lambda: self._find(half.sha256, named, listing)
        if self._history.current is not None or not ripe:
            return None
        return lambda: self._load(ripe[0], listing.files[ripe[0]])

    def _find(self, digest: bytes, names: Sequence[str], listing: Listing) -> "_Loaded | None":
        """The file of these bytes, whatever it is called now; in the thread."""
        for name in names:
            if sha256(self._folder.read(name, listing.files[name])).digest() == digest:
                return self._load(name, listing.files[name])
        return None

    def _load(self, name: str, identity: Identity) -> "_Loaded":
        """Read, hash and parse one file; in the thread. Touches nothing that changes."""
        data = self._folder.read(name, identity)
        digest = sha256(data).digest()
        loaded = _Loaded(name, identity, digest)
        if self._history.has_read(digest):
            return loaded
        try:
            made = csv_lines if self._source.form == "csv" else sheet_lines
            for line, cells in made(data, self._source):
                row = Row({}, cells) if isinstance(cells, str) else self._reader.row(cells)
                if row.reason:
                    loaded.refused.append((line, row.reason))
                elif row.samples:
                    loaded.take(line, row)
        except FileRefusedError as error:
            loaded.reason = str(error)
        return loaded

    def _admit(self, loaded: "_Loaded | None") -> None:
        """Decide what the file is: the half-read one, new, known, changed, or refused."""
        history = self._history
        half, history.half_read = history.half_read, None
        if half is not None and (loaded is None or loaded.reason):
            line = half.delivered.floor or 0
            _LOG.warning(
                "device %s: file %s was read up to line %s and is gone or changed: the rest of it "
                "is lost", self._spec.id, half.name, line, extra=self._about,
            )  # fmt: skip
            self._note("source-file-lost", half.name, half.sha256, line=line)
            history.finish(half)
        elif half is not None and loaded is not None:
            history.begin(half.resumed(loaded.name, loaded.identity, loaded.rows))
        elif loaded is not None:
            self._judge(loaded)

    def _judge(self, loaded: "_Loaded") -> None:
        history, name, digest = self._history, loaded.name, loaded.sha256
        self._complaints.over(f"file {name}")
        before = history.hashes_of(name)
        if history.has_read(digest):
            if digest not in before:
                _LOG.info(
                    "device %s: file %s was read before: not again", self._spec.id, name,
                    extra=self._about,
                )  # fmt: skip
                self._note("source-file-again", name, digest)
            history.tell(name, loaded.identity, digest)
        elif before and not self._source.reuses_names:
            _LOG.warning(
                "device %s: file %s changed after it was read: what it holds now is not read. Drop "
                "it under a name of its own", self._spec.id, name, extra=self._about,
            )  # fmt: skip
            self._note("source-file-changed", name, digest, was=before[-1])
            history.tell(name, loaded.identity, digest)
        elif loaded.reason:
            _LOG.warning(
                "device %s: file %s: %s: not read", self._spec.id, name, loaded.reason,
                extra=self._about,
            )  # fmt: skip
            self._note("source-file-refused", name, digest, reason=loaded.reason)
            history.tell(name, loaded.identity, digest, is_refused=True)
        else:
            self._begin(loaded)

    def _begin(self, loaded: "_Loaded") -> None:
        _LOG.info(
            "device %s: file %s: %d rows, %d refused", self._spec.id, loaded.name,
            len(loaded.rows), len(loaded.refused), extra=self._about,
        )  # fmt: skip
        bad = sorted([*loaded.refused, *loaded.doubts])  # both in order, so these are the first
        count = len(loaded.refused) + loaded.bad_cells
        for line, reason in bad[:LINES_TOLD]:
            _LOG.warning(
                "device %s: file %s, line %d: %s", self._spec.id, loaded.name, line, reason,
                extra=self._about,
            )  # fmt: skip
        if count > LINES_TOLD:
            _LOG.warning(
                "device %s: file %s: and %d more", self._spec.id, loaded.name, count - LINES_TOLD,
                extra=self._about,
            )  # fmt: skip
        self._note(
            "source-file", loaded.name, loaded.sha256, bytes=loaded.identity.size,
            rows=len(loaded.rows), refused=len(loaded.refused), bad_cells=loaded.bad_cells,
            lines=sorted({line for line, _ in bad})[:LINES_TOLD],
        )  # fmt: skip
        made = Current(loaded.name, loaded.identity, loaded.sha256, loaded.rows)
        if loaded.rows:
            self._history.begin(made)
        else:
            self._history.finish(made)

    # -- its rows ---------------------------------------------------------------------------------

    def _taken(self, listing: Listing, ripe: int) -> list[Sample]:
        for name, reason in listing.refused.items():
            self._complain(name, f"{reason}: not read")
        for name in self._complained - listing.refused.keys() - listing.files.keys():
            self._complaints.forget(f"file {name}")  # names come and go without end
            self._complained.remove(name)
        current = self._history.current
        samples: Mapping[int, Sample] = {}
        waiting = 0
        if current is not None:
            window = current.rows[:WINDOW]
            taken = take(window, current.delivered, is_whole=len(window) == len(current.rows))
            samples = taken.samples
            current.delivered = taken.delivered
            floor = int(taken.delivered.floor or 0)
            del current.rows[: sum(int(line) <= floor for line, _ in window)]
            waiting = len(current.rows)
            if not current.rows:
                self._history.finish(current)
        for event in self._backlog.look(waiting if waiting or ripe <= 1 else waiting + ripe - 1):
            self._events.append({**event, "device": self._spec.id})
        return [samples.get(index, _NOT_TAKEN) for index in range(len(self._spec.points))]

    def _complain(self, name: str, reason: str) -> None:
        self._complained.add(name)
        self._complaints.say(f"file {name}", reason)

    def _note(self, kind: str, name: str, digest: bytes, **more: object) -> None:
        made = {"kind": kind, "device": self._spec.id, "name": name, "sha256": digest, **more}
        self._events.append(made)


class _Loaded:
    """What one file holds.

    Attributes:
        rows: line -> row, of those that say something to this device.
        refused: (line, why) of rows that cannot be used.
        doubts: likewise of cells, of the first that there are.
        bad_cells: how many there are.
        reason: why the whole file cannot be read, "" when it can.
    """

    def __init__(self, name: str, identity: Identity, digest: bytes) -> None:
        self.name, self.identity, self.sha256 = name, identity, digest
        self.rows: list[tuple[Key, Row]] = []
        self.refused: list[tuple[int, str]] = []
        self.doubts: list[tuple[int, str]] = []
        self.bad_cells = self._cells = 0
        self.reason = ""

    def take(self, line: int, row: Row) -> None:
        """One row; FileRefusedError when they are more than there is room for."""
        self._cells += len(row.samples)
        if self._cells > CELLS_MAX:
            raise FileRefusedError(f"it holds more than {CELLS_MAX} values: split it")
        self.rows.append((line, Row(row.samples)))
        self.bad_cells += len(row.doubts)
        free = LINES_TOLD + 1 - len(self.doubts)
        self.doubts += [(line, doubt) for doubt in row.doubts[:free]]


def _path(spec: DeviceSpec) -> Path:
    try:
        parts = urlsplit(spec.url)
        path = unquote(parts.path, errors="strict")
    except ValueError as error:
        raise wrong(spec, f"{error}; write folder:///absolute/path") from None
    if parts.netloc or parts.query or parts.fragment or not path.startswith("/"):
        raise wrong(spec, "names no folder; write folder:///absolute/path, and no more")
    if not path.isprintable() or ".." in path.split("/"):
        raise wrong(spec, "names a folder by .. or by characters that cannot be printed")
    return Path(path)
