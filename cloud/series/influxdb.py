"""InfluxDB as the store of series: written through its v2 API, read with InfluxQL.

`/api/v2/write` and `/query` are served by 1.8, 2 (with a DBRP mapping) and 3 alike. Writing is
synchronous, in a thread of its own behind a bounded queue: influxdb-client's batching mode returns
normally while the server is down. What waits here is never the only copy: its mark is set when it
is written, and from the mark on the log is followed again. A server that is away or shuts us out is
waited for; one that refuses what a plant sends holds up that plant alone. Network I/O.
"""

import contextlib
import http.client
import logging
import queue
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cloud.answers import opener
from cloud.config_elsewhere import read_token
from cloud.config_series import InfluxConfig
from cloud.errors import StoreError
from cloud.series.bucket import SECOND_NS, Bucket, Series
from cloud.series.database import SeriesFile, drop_marks, set_mark
from cloud.series.line_protocol import decode_answer, lines, question
from cloud.series.refusal import Refused, reason_of, refused
from cloud.series.store import Batch, Mark, SeriesAwayError, SeriesRefusedError, StoreState
from evidence.log_lines import about
from evidence.support import secret_lines, without_secrets

if TYPE_CHECKING:  # loaded by the thread that writes: most collectors have no InfluxDB
    from influxdb_client.client.influxdb_client import InfluxDBClient

#: batches that wait for the server: some minutes of a plant each while it lives
WAITING_MAX = 8
#: lines of one request
LINES_MAX = 5_000
#: of a longer answer the two halves are asked for: the running day of a gateway of many points
ANSWER_BYTES_MAX = 64 * 1024 * 1024
#: questions at once, and seconds until one more is refused: each holds a thread of those that serve
#: pages, of which there are few
ASKING_MAX, BUSY_S = 8, 1.0
#: seconds until it answers, for all of a long answer, and for the last batch at the end
TIMEOUT_S, WHOLE_S, CLOSE_S = 20.0, 60.0, 5.0
#: seconds between tries, doubled up to the last while it is away
AGAIN_S = (1.0, 60.0)

log = logging.getLogger("stackproof.cloud.series")


class InfluxSeries:
    """Series in an InfluxDB; `cloud.series.store.SeriesStore` says what each method does.

    Args:
        path: of the file that keeps the marks.
        config: which server.
        again_s: seconds before the first try again, and the longest wait.

    Raises:
        StoreError: the file cannot be used.
    """

    def __init__(
        self, path: Path, config: InfluxConfig, again_s: tuple[float, float] = AGAIN_S
    ) -> None:
        target = f"influxdb {config.url} {config.org} {config.bucket}"
        self._file, self._config, self._again_s = SeriesFile(path, target), config, again_s
        self._queue: queue.Queue[tuple[Batch, int] | None] = queue.Queue(WAITING_MAX)
        self._begun = dict[str, int]()  # how often anew: what was queued before counts no more
        self._refused, self._lock = dict[str, str](), threading.Lock()
        self._too_old, self._lost = set[str](), 0
        self._trouble, self._stop = "", threading.Event()
        self._opener, self._asking = _opener(config), threading.BoundedSemaphore(ASKING_MAX)
        self._writer = threading.Thread(target=self._run, name="series", daemon=True)
        self._writer.start()

    def marks(self, plant: str) -> Mapping[str, Mark]:
        """See `SeriesStore`."""
        return self._file.marks(plant)

    def is_full(self) -> bool:
        """See `SeriesStore`."""
        return self._queue.full()

    def put(self, batch: Batch) -> None:
        """See `SeriesStore`."""
        with self._lock:
            if batch.plant in self._refused:  # this one's mark would leave out what was refused
                raise SeriesRefusedError(self._refused[batch.plant])
            begun = self._begun.get(batch.plant, 0)
        self._queue.put((batch, begun), timeout=TIMEOUT_S)

    def refused(self, plant: str) -> str:
        """See `SeriesStore`."""
        with self._lock:
            return self._refused.pop(plant, "")

    def read(
        self, step_s: int, plant: str, from_ns: int, to_ns: int, *, gateway: str = "",
        point: str = "",
    ) -> Mapping[Series, Sequence[Bucket]]:  # fmt: skip
        """See `SeriesStore`."""
        asked = question(step_s, plant, from_ns, to_ns, gateway=gateway, point=point)
        of = {"db": self._config.database, "q": asked, "epoch": "s"}
        policy = self._config.bucket.partition("/")[2]
        query = urlencode(of | ({"rp": policy} if policy else {}))
        data = self._get(f"{self._config.url}/query?{query}")
        if len(data) <= ANSWER_BYTES_MAX:
            return decode_answer(data)
        if to_ns - from_ns <= step_s * SECOND_NS:
            raise SeriesAwayError(self._sentence("gave an answer that is too long"))
        del data
        found: dict[Series, list[Bucket]] = {}
        middle_ns = (from_ns + to_ns) // 2
        for span in ((from_ns, middle_ns), (middle_ns, to_ns)):
            half = self.read(step_s, plant, *span, gateway=gateway, point=point)
            for series, buckets in half.items():
                found.setdefault(series, []).extend(buckets)
        return found

    def forget(self, plant: str) -> None:
        """See `SeriesStore`; buckets stay until they are written again, or are too old."""
        with self._file.changing() as sql:
            self._begin_anew(plant, "")
            drop_marks(sql, plant)

    def state(self) -> StoreState:
        """See `SeriesStore`."""
        waiting = self._queue.unfinished_tasks
        return StoreState("influxdb", self._trouble, waiting, self._lost)

    def close(self) -> None:
        """See `SeriesStore`."""
        self._stop.set()
        with contextlib.suppress(queue.Full):  # then the thread is at a batch, and looks after it
            self._queue.put_nowait(None)
        self._writer.join(CLOSE_S)  # one that hangs finds the file closed, and gives up
        self._file.close()

    # -- reading ----------------------------------------------------------------------------------

    def _get(self, address: str) -> bytes:
        """An answer, of which a byte more than `ANSWER_BYTES_MAX` is read at most."""
        if not self._asking.acquire(timeout=BUSY_S):
            raise SeriesAwayError(self._sentence("answers slowly, and many wait for it already"))
        try:
            return self._answer(address)
        except (OSError, http.client.HTTPException) as error:  # URLError, time-outs are OSErrors
            why = getattr(error, "reason", None) or error
            raise SeriesAwayError(self._sentence(f"does not answer: {why}")) from error
        finally:
            self._asking.release()

    def _answer(self, address: str) -> bytes:
        request = urllib.request.Request(address, headers=self._headers())  # noqa: S310 - config_series lets http and https pass
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                answer.until(time.monotonic() + WHOLE_S)
                data: bytes = answer.read(ANSWER_BYTES_MAX + 1)
        except urllib.error.HTTPError as error:
            with error:
                told = reason_of(error.read(1_000))
            raise SeriesAwayError(self._sentence(self._refusal(error.code, told))) from error
        return data

    def _headers(self) -> dict[str, str]:
        token = self._token()
        return {"Authorization": f"Token {token}"} if token else {}

    def _token(self) -> str:
        """Read anew each time a connection is made: it may have been replaced."""
        try:
            return read_token(self._config.token) if self._config.token else ""
        except (OSError, ValueError) as error:
            raise SeriesAwayError(f"token of [series]: {error}") from error

    def _refusal(self, status: int | None, sentence: str) -> str:
        """What the server refuses with; no token in it."""
        return f"refuses ({status}): {without_secrets(sentence, secret_lines(self._token()))[:200]}"

    def _sentence(self, what: str) -> str:
        return f"InfluxDB {self._config.url}: {what}"

    # -- writing ----------------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread: one batch after another, each until it is written."""
        while (held := self._queue.get()) is not None:
            self._put(*held)
            self._queue.task_done()
            if self._stop.is_set():
                return

    def _put(self, batch: Batch, begun: int) -> None:
        wait_s, longest_s = self._again_s
        while self._counts(batch, begun) and not self._stop.is_set():
            try:
                self._write(batch)
                with self._file.changing() as sql:
                    if self._counts(batch, begun):
                        set_mark(sql, batch.plant, batch.gateway, batch.mark, batch.after)
            except SeriesRefusedError as error:
                self._begin_anew(batch.plant, str(error))
            except StoreError as error:  # the server's trouble, or that of the marks' disk
                if str(error) != self._trouble:
                    log.warning("series: %s; tried again, and the log keeps all", error)
                self._trouble = str(error)
                self._stop.wait(wait_s)
                wait_s = min(2 * wait_s, longest_s)
                continue
            except Exception as error:  # what nobody thought of is of this plant; others go on
                told = "%s: its series cannot be written"
                log.exception(told, batch.plant, extra=about(batch.plant))
                self._begin_anew(batch.plant, f"its series cannot be written: {error!r}")
            if self._trouble:
                log.info("series: InfluxDB takes what it is given again")
                self._trouble = ""
            return

    def _counts(self, batch: Batch, begun: int) -> bool:
        with self._lock:
            return self._begun.get(batch.plant, 0) == begun

    def _lose(self) -> None:
        """The bucket is gone, so nothing is in it: what is queued goes on from no mark any more."""
        with self._file.changing() as sql:
            if drop_marks(sql):
                log.warning("series: the bucket is gone: all of the log is followed again")
                self._lost += 1

    def _begin_anew(self, plant: str, refused: str) -> None:
        """What was queued of a plant counts no more; with a reason, who puts must hear it first."""
        with self._lock:
            self._begun[plant] = self._begun.get(plant, 0) + 1
            self._refused.pop(plant, None)
            if refused:
                self._refused[plant] = refused

    def _write(self, batch: Batch) -> None:
        """All lines of a batch that are not too old to be kept.

        Raises:
            SeriesAwayError: the server does not answer, or takes nothing.
            SeriesRefusedError: it does not take these.
        """
        from influxdb_client.client.write_api import SYNCHRONOUS
        from influxdb_client.domain.write_precision import WritePrecision
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        bucket, org = self._config.bucket, self._config.org
        try:
            with self._client() as client, client.write_api(write_options=SYNCHRONOUS) as api:
                for part in _parts(batch):
                    try:
                        api.write(bucket, org, part, write_precision=WritePrecision.S)
                        answer = client.api_client.last_response
                        if answer.status != HTTPStatus.NO_CONTENT:  # a part, or a proxy's page
                            self._judge(batch.plant, answer.status, answer.data)
                    except ApiException as error:
                        self._judge(batch.plant, error.status, error.body or error.reason)
        except ReadTimeoutError as error:  # its text has another number of seconds each time
            raise SeriesAwayError(self._sentence("does not answer: timed out")) from error
        except UnicodeDecodeError as error:  # influxdb-client reads an answer before its status
            raise SeriesAwayError(self._sentence("answers in no UTF-8: a proxy?")) from error
        except (HTTPError, OSError) as error:
            raise SeriesAwayError(self._sentence(f"does not answer: {error}")) from error

    def _judge(self, plant: str, status: int | None, answer: object) -> None:
        """Nothing where only what is too old was left out, otherwise raises."""
        told = reason_of(str(answer or "").encode())
        said = self._sentence(self._refusal(status, told))
        whose = refused(status, told)
        if whose is Refused.LOST:
            self._lose()
        if whose in (Refused.STORE, Refused.LOST):
            raise SeriesAwayError(said)
        if whose is Refused.POINTS:
            raise SeriesRefusedError(said)
        if plant not in self._too_old:  # so it is with all of a log that is older than the bucket
            self._too_old.add(plant)
            told = "%s: what is older than the bucket keeps is in no series: %s"
            log.warning(told, plant, said, extra=about(plant))

    def _client(self) -> "InfluxDBClient":
        from influxdb_client.client.influxdb_client import InfluxDBClient

        from cloud.series.timed_pools import POOLS

        made = InfluxDBClient(
            self._config.url, self._token(), timeout=int(TIMEOUT_S * 1_000), enable_gzip=True,
            org=self._config.org, ssl_ca_cert=self._config.ca and str(self._config.ca),
        )  # fmt: skip
        made.api_client.rest_client.pool_manager.pool_classes_by_scheme = POOLS
        return made


def _parts(batch: Batch) -> Iterator[list[str]]:
    for step_s, ended in batch.rows.items():
        rows = [row for columns in ended for row in columns.rows()]
        for first in range(0, len(rows), LINES_MAX):
            yield list(lines(step_s, rows[first : first + LINES_MAX]))


def _opener(config: InfluxConfig) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=config.ca)
    # influxdb-client goes by no proxy either; a redirect would take the token to another server
    return opener(urllib.request.ProxyHandler({}), context=context)
