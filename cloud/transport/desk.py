"""Certificates of the broker for gateways: who asks, who is approved, who is revoked.

A gateway asks with its evidence key, over the broker or by a file. A key of TLS that no person has
approved waits; one that was approved gets its next certificate at once. What people do here stands
in the security log, revocations also in the plant's (`cloud.accounts.digest`). Reads and writes the
disk: call from a worker thread; `asked` alone is for the event loop.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from cloud.accounts.book import Book
from cloud.accounts.errors import AccountError
from cloud.accounts.roles import COLLECTOR, Principal
from cloud.accounts.security_log import Event
from cloud.clock import Clock
from cloud.collector.intake import Intake
from cloud.collector.topics import Sender
from cloud.errors import ClockError, NoRegisterError, StoreError
from cloud.transport.register import CRL, Approved, Register
from evidence.broker_certificates import (
    REQUEST_BYTES_MAX,
    BrokerRequest,
    decode_broker_request,
    who_asks,
)
from evidence.custody import KeyFault, KeyRefusedError
from evidence.errors import EvidenceError
from evidence.keys import Certificate, certificate_to_pem, key_sha256
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.transport")

#: gateways whose newest request is kept until it is looked at
WAITING_MAX = 1_000
#: seconds between two answers: a flood of requests fills neither the log nor the register's disk
PACE_S = 0.1
#: and of one gateway, which asks each hour: each answer may be a file, and a line of the log
OF_ONE_S = 60.0
#: seconds between tries while brokers do not do what the register says; else so many times that
AGAIN_S, LOOKS_REST = 60.0, 10
#: a broker elsewhere fetches the list each minute. After that it is told for so long that somebody
#: who was revoked has come in: some speak each quarter hour
KNOWS_S, STILL_S = 180.0, 1_800.0
APPROVED, RENEWED, REVOKED = (
    "broker-key-approved", "broker-certificate-renewed", "broker-key-revoked",
)  # fmt: skip
#: how an order begins in the security log
_KEY = re.compile(r"([^/ ]+)/([^/ ]+) key ([0-9a-f]{64})\b")


class BrokerDesk:
    """Certificates of the running collector's gateways.

    Args:
        register: the folder; None where CLOUD.toml names none: everything raises NoRegisterError.
        intake: whose evidence keys count.
        book: of accounts, with the security log.
        clock: the machine's; TLS goes by no other.
        publish: hands a certificate to a gateway, PEM.
        serve: writes the brokers' configurations again and has them taken in; sentences.
        behind: why brokers do not do what the register says, sentences; none where all is well.
        heard_ns: when a gateway's newest word came that no relay passes on; None before the first.
        doubt: why the clock is not believed just then, "" when it is: certificates of a clock that
            is ahead lock gateways out, so none is made.
    """

    def __init__(
        self, register: Register | None, intake: Intake, book: Book, clock: Clock, *,
        publish: Callable[[Sender, bytes], None], serve: Callable[[Register], Sequence[str]],
        behind: Callable[[Register], Sequence[str]] = lambda _: (),
        heard_ns: Callable[[str, str], int | None] = lambda *_: None,
        doubt: Callable[[], str] = lambda: "",
    ) -> None:  # fmt: skip
        self._held, self._intake, self._book = register, intake, book
        self._clock, self._publish, self._doubt = clock, publish, doubt
        self._serve, self._behind, self._heard_ns = serve, behind, heard_ns
        # of revoked ones: since when, whether their broker is to know it by now, their newest word
        self._ended = dict[tuple[str, str], tuple[float, bool, int | None]]()
        self._came_in_s = dict[tuple[str, str], float]()  # when one of them was heard again
        self._trouble = self._unsigned = ""
        self._one = threading.Lock()
        self._waiting = dict[Sender, bytes]()
        self._looked_s = dict[Sender, float]()  # the newest WAITING_MAX, oldest first
        self._came = asyncio.Event()

    def _register(self) -> Register:
        if self._held is None:
            raise NoRegisterError(
                'CLOUD.toml names no folder of broker certificates: write [broker] register = "…"'
            )
        return self._held

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._clock.wall_ns() / 1e9, dt.UTC)

    # -- over the broker: the event loop's thread -------------------------------------------------

    def asked(self, sender: Sender, data: bytes) -> None:
        """A request came over the broker; a gateway's newest is looked at, once in `OF_ONE_S`.

        Nobody else's: names without end would keep gateways waiting, and fill the log.
        """
        plant = self._intake.plants.get(sender.plant)
        if plant is None or sender.gateway not in plant.keyring.gateways:
            return
        now_s, before_s = time.monotonic(), self._looked_s.get(sender, float("-inf"))
        is_fit = len(data) <= REQUEST_BYTES_MAX and now_s >= before_s + OF_ONE_S
        if is_fit and (sender in self._waiting or len(self._waiting) < WAITING_MAX):
            self._waiting[sender] = data
            self._came.set()

    async def run(self) -> None:
        """Answer what comes, who waits longest first, for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                sender = next(iter(self._waiting))
                data = self._waiting.pop(sender)
                self._looked_s.pop(sender, None)
                self._looked_s[sender] = time.monotonic()
                if len(self._looked_s) > WAITING_MAX:
                    del self._looked_s[next(iter(self._looked_s))]
                try:
                    await asyncio.to_thread(self._answer, sender, data)
                except (EvidenceError, StoreError, LookupError, AccountError) as error:
                    log.warning("%s: no certificate: %s", sender, error, extra=sender.about)
                except Exception:  # a file that somebody wrote into, a disk; others are answered
                    log.exception("%s: no certificate", sender, extra=sender.about)
                await asyncio.sleep(PACE_S)

    # -- what the register says is what brokers do ------------------------------------------------

    @property
    def trouble(self) -> str | None:
        """Why it is not so, or may not stay so, a line each; "" where it is, None without one."""
        return None if self._held is None else self._trouble

    async def watch(self) -> None:
        """Finish what was cut short, and try again what failed, for ever."""
        while True:
            await asyncio.to_thread(self.look)
            for _ in range(LOOKS_REST):  # an order may have failed meanwhile
                await asyncio.sleep(AGAIN_S)
                if self._trouble:
                    break

    def look(self) -> None:
        """Have brokers know what the register says, and note why they do not."""
        if self._held is None:
            return
        with self._one:
            self._note(self._mended(self._held))

    def _mended(self, register: Register) -> list[str]:
        """What is left after one more try."""
        found, said = list[str](), list[str]()
        try:
            if register.signs and register.unlisted(register.folder / CRL):
                said += ["a key was revoked, and not listed", *register.write_list(self._now())]
        except (EvidenceError, StoreError, OSError) as error:
            found.append(f"revoked keys may be let in: {error}")
        if said or self._behind(register):
            said += self._serve(register)
            if left := self._behind(register):
                found += [*left, *said]
            else:
                log.warning("brokers are told again what the register says: %s", "; ".join(said))
        return self._left(register, found, looks=True)

    def _left(self, register: Register, found: Sequence[str], *, looks: bool = False) -> list[str]:
        """And what telling a broker does not end."""
        more = self._not_revoked(register) + self._still_in(register, looks=looks)
        return [*dict.fromkeys(filter(None, [register.barred(), self._unsigned, *found, *more]))]

    def _not_revoked(self, register: Register) -> list[str]:
        """Keys that an older register, put back, lets in again; no order does that."""
        try:
            with self._book.begin() as (transaction, _):
                told = [_KEY.match(row.detail) for row in transaction.log_rows_of(REVOKED)]
        except StoreError as error:
            return [f"the register cannot be held against the security log: {error}"]
        return [
            f"{one[1]}/{one[2]} key {one[3]} was revoked, says the security log, and the register "
            "lets it in: revoke it again (broker revoke)"
            for one in told
            if one is not None and register.find(one[1], one[2], one[3]) is not None
        ]

    def _still_in(self, register: Register, *, looks: bool) -> list[str]:
        """Who speaks though he was revoked, wherever his broker is: newer words than a look ago."""
        now_s, before = time.monotonic(), self._ended
        self._ended = {} if looks else before
        for one in register.ended() if looks else ():
            heard_ns = self._heard_ns(*one)
            since_s, is_to_know, was_ns = before.get(one, (now_s, False, heard_ns))
            if is_to_know and heard_ns != was_ns:
                self._came_in_s[one] = now_s
            self._ended[one] = since_s, now_s - since_s >= KNOWS_S, heard_ns
        return [
            f"{plant}/{gateway} comes in, whose every key is revoked: its broker does not know. "
            "Where it runs: carry the files there, and start it anew"
            for (plant, gateway), at_s in self._came_in_s.items()
            if (plant, gateway) in self._ended and now_s - at_s < STILL_S
        ]

    def _note(self, found: Sequence[str]) -> None:
        if (trouble := "\n".join(found)) != self._trouble:
            if trouble:
                log.error("the broker's register: %s", "; ".join(found))
            else:
                log.warning("the broker's register: brokers do what it says")
        self._trouble = trouble

    def _serve_now(self, register: Register) -> list[str]:
        """After an order: sentences for who gave it."""
        said = self._serve(register)
        self._note(self._left(register, self._behind(register)))
        return [*said]

    def _answer(self, sender: Sender, data: bytes) -> None:
        if who_asks(data)[:2] != (sender.plant, sender.gateway):
            raise LookupError("the request names another gateway than its topic")
        self.take(data)

    # -- what is asked and answered ---------------------------------------------------------------

    def standing(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """JSON-ready: what waits for a person, and who is approved until when."""
        with self._one:
            register = self._register()
            waiting = [self._waits(*one) for one in register.pending()]
            approved = [_row(*one) for one in register.all_newest(self._now())]
        return {"waiting": waiting, "approved": approved}

    def revoked(self) -> bytes:
        """The CA's newest list of revoked certificates, PEM; LookupError where it signed none."""
        register = self._register()
        try:
            return (register.folder / CRL).read_bytes()  # it is replaced whole
        except FileNotFoundError:
            raise LookupError("the broker's CA has signed no list yet") from None

    def _waits(self, plant: str, gateway: str, data: bytes) -> Mapping[str, str]:
        row = {"plant": plant, "gateway": gateway}
        try:
            return {**row, "key": key_sha256(self._verified(data).key).hex(), "problem": ""}
        except (EvidenceError, LookupError) as error:  # its evidence key has ended since
            return {**row, "key": "", "problem": str(error)}

    def take(self, data: bytes) -> Mapping[str, str]:
        """Take in a request; JSON-ready: whose, and "waiting", or its certificate.

        Raises:
            EvidenceError: it is none, or not by the gateway's key in use.
            LookupError: of no plant that is served here.
            StoreError: the disk refused, or the clock is in doubt.
        """
        request = self._verified(data)
        key = key_sha256(request.key).hex()
        row = {"plant": request.plant, "gateway": request.gateway, "key": key}
        with self._one:
            register = self._register()
            _require_good(register, key)
            approved = register.find(request.plant, request.gateway, key)
            if approved is None:
                register.wait(request.plant, request.gateway, data)
                log.warning(
                    "%s/%s asks for a broker certificate of key %s: stackproof cloud broker "
                    "requests", request.plant, request.gateway, key,
                    extra=about(request.plant, request.gateway),
                )  # fmt: skip
                return {**row, "certificate": ""}
            return {**row, "certificate": self._certificate(approved)}

    def approve(self, who: Principal, row: Mapping[str, str], address: str) -> Mapping[str, str]:
        """A person has compared the key's SHA-256 with what the gateway shows.

        Args:
            who: that person.
            row: plant, gateway and key (SHA-256, hex) as the person says them.
            address: where the order came from.

        Raises:
            LookupError: no such request waits.
            EvidenceError, StoreError: as for `take`.
        """
        plant, gateway, key = row["plant"], row["gateway"], row["key"]
        with self._one:
            register = self._register()
            found = next((d for p, g, d in register.pending() if (p, g) == (plant, gateway)), None)
            request = None if found is None else self._verified(found)
            if request is None:
                said = f"{plant}/{gateway} does not ask for a broker certificate"
                if register.find(plant, gateway, key) is not None:
                    said += ": its key is approved. broker request … --out gives the signed one"
                raise LookupError(said)
            asked = key_sha256(request.key).hex()
            if asked != key:
                raise LookupError(
                    f"{plant}/{gateway} asks for key {asked}, not for the one that was named: "
                    "compare it with what `edge enrol` printed there"
                )
            _require_good(register, asked)
            self._require_clock()
            event = Event(APPROVED, "", who.account, address, f"{plant}/{gateway} key {key}")
            with self._logging(event):
                approved = register.approve(request)
            broker = "\n".join(self._serve_now(register))
            made = self._certificate(approved, told=False)
            return {**row, "certificate": made, "broker": broker}

    def revoke(
        self, who: Principal, row: Mapping[str, str], reason: str, address: str
    ) -> Mapping[str, str]:
        """A gateway's TLS key lets nobody in any more, nor on; the rest as for `approve`."""
        plant, gateway, key = row["plant"], row["gateway"], row["key"]
        with self._one:
            register = self._register()
            approved = register.known(plant, gateway, key)  # revoked too: it may stand half done
            if approved is None:
                raise LookupError(f"{plant}/{gateway} has no approved key {key}")
            told = f"{plant}/{gateway} key {key}: {reason}"
            with self._logging(Event(REVOKED, "", who.account, address, told)):
                register.revoke(approved, reason, who.account, self._now())
            told, *more = self._list(register)
            return {**row, "list": told, "broker": "\n".join([*more, *self._serve_now(register)])}

    def _list(self, register: Register) -> list[str]:
        """Sign the list of the revoked; what came of it. The key is revoked all the same."""
        try:
            more = register.write_list(self._now())
        except (EvidenceError, StoreError) as error:
            return [f"NOT written: {error}. Order it again, or sign it elsewhere (broker sign)"]
        is_here = register.signs
        return ["written" if is_here else "to be signed where the CA's key is (broker sign)", *more]

    def _verified(self, data: bytes) -> BrokerRequest:
        """A request by the key that signs for its gateway now."""
        plant, gateway, kid = who_asks(data)
        enrolled = self._intake.plants.require(plant)
        next_seq = enrolled.store.reader.state.stream(gateway).next_seq
        try:
            known = enrolled.keyring.of(gateway).check(next_seq, kid, self._clock.wall_ns())
        except KeyRefusedError as error:
            if error.fault is not KeyFault.UNKNOWN:
                raise
            said = f"{error}: put it into the plant's key folder, then stackproof cloud keys"
            raise KeyRefusedError(error.fault, said) from error
        return decode_broker_request(data, known.key)

    def _certificate(self, approved: Approved, *, told: bool = True) -> str:
        """The certificate of an approved key, on its way to the gateway too; "" for not yet."""
        self._require_clock()
        register, now = self._register(), self._now()
        before = register.newest(approved, now)
        try:
            made, self._unsigned = register.certificate(approved, now), ""
        except EvidenceError as error:
            self._unsigned = f"no certificate is made: {error}"
            raise
        if made is None:
            return ""
        if told and made != before:
            until = f"until {made.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
            whose = f"{approved.plant}/{approved.gateway} key {approved.key}"
            with self._logging(Event(RENEWED, "", COLLECTOR, "", f"{whose} {until}")):
                pass
        pem = certificate_to_pem(made)
        self._publish(Sender(approved.plant, approved.gateway), pem)
        return pem.decode()

    def _require_clock(self) -> None:
        if doubt := self._doubt():
            raise ClockError(f"no certificate is made: {doubt}")

    @contextlib.contextmanager
    def _logging(self, event: Event) -> Iterator[None]:
        """The event stands in the security log if what is done meanwhile succeeds, else neither."""
        with self._book.begin() as (transaction, now_ns):
            self._book.log(transaction, now_ns, event)
            yield


def _require_good(register: Register, key: str) -> None:
    if register.is_revoked(key):
        raise LookupError(f"key {key} is revoked: the gateway needs another (edge enrol)")


def _row(approved: Approved, newest: Certificate | None) -> Mapping[str, str]:
    until = "" if newest is None else newest.not_valid_after_utc.isoformat(timespec="seconds")
    row = {"plant": approved.plant, "gateway": approved.gateway, "key": approved.key}
    return {**row, "until": until}
