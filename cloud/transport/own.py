"""Certificates of those who are always there: broker, its nodes, collector. I/O: their files.

They are made by hand, for two years: made anew by the command that made them, once half of that is
over or they are to say something else. Their ends are watched.
"""

import asyncio
import datetime as dt
import logging
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from cloud.clock import Clock
from cloud.transport.register import CA, NODES, SERVER, Register, is_fresh
from cloud.transport.tls import TlsFiles
from evidence.broker_certificates import name_of, names_in, node_name, trouble_of
from evidence.errors import EvidenceError
from evidence.keys import (
    Certificate,
    certificate_to_pem,
    key_sha256,
    load_certificate,
    public_key,
)
from evidence.owners import give

log = logging.getLogger("stackproof.cloud.transport")

LOOK_S = 3_600.0
CA_ROW, COLLECTOR, SHOWN = "ca", "collector", "shown"


def put(path: Path, made: Certificate, ca: Certificate, now: dt.datetime) -> str:
    """Write a certificate, unless one that says the same has half of its life before it.

    Gives what became of it, a sentence. KeyFileError: what is there cannot be read.
    """
    before = load_certificate(path) if path.exists() else None
    if before is not None and is_fresh(before, ca, now) and _says(before) == _says(made):
        return f"{path}: {name_of(before)}, until {before.not_valid_after_utc:%Y-%m-%d}; it stays"
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(certificate_to_pem(made))
    give(part)
    part.replace(path)
    said = f"{path}: {name_of(made)}, until {made.not_valid_after_utc:%Y-%m-%d}"
    if before is None:
        return said
    names = " ".join(names_in(before))
    return f"{said}, in place of one of {names} until {before.not_valid_after_utc:%Y-%m-%d}"


def _says(certificate: Certificate) -> tuple[str, list[str], bytes]:
    return name_of(certificate), names_in(certificate), key_sha256(public_key(certificate))


class Ends:
    """When they end, looked at each hour; what a person must know of one is logged once a day.

    Args:
        tls: files of the collector; None without TLS.
        context: what its connections show: a certificate made anew, from the next connection on.
        register: of the broker's certificates; None where there is none here.
        shown_ns: when the certificate ends that the broker has shown, UTC ns; None for not known.
        clock: the machine's.
    """

    def __init__(
        self, tls: TlsFiles | None, context: ssl.SSLContext | None, register: Register | None, *,
        shown_ns: Callable[[], int | None], clock: Clock,
    ) -> None:  # fmt: skip
        self._tls, self._context, self._register = tls, context, register
        self._shown_ns, self._clock = shown_ns, clock
        self._own: Certificate | None = None
        self._found = dict[str, int]()
        self._told = dict[str, dt.date]()

    def rows(self) -> Mapping[str, int]:
        """Name -> UTC ns: ca, collector, server, node-NAME; shown, if none of the brokers' ends so.

        That is a broker whose files are elsewhere, or had shown an older one when we connected.
        """
        shown_ns, found = self._shown_ns(), self._found
        brokers = [ends_ns for name, ends_ns in found.items() if name not in (CA_ROW, COLLECTOR)]
        return found if shown_ns is None or shown_ns in brokers else {**found, SHOWN: shown_ns}

    async def watch(self) -> None:
        """Look for ever; cancel it to end."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Read the files."""
        now = dt.datetime.fromtimestamp(self._clock.wall_ns() / 1e9, dt.UTC)
        found = dict[str, int]()
        for name, path in self._files().items():
            try:
                made = load_certificate(path)
                if name == COLLECTOR:
                    self._show(made)
                found[name] = int(made.not_valid_after_utc.timestamp()) * 10**9
                why = trouble_of(made, now)
            except (EvidenceError, OSError) as error:  # ssl's errors are OSErrors
                why = str(error)
            if why and self._told.get(name) != now.date():
                self._told[name] = now.date()
                log.warning(
                    "certificates for the broker: %s, %s: %s; make it anew: stackproof cloud "
                    "broker new (a node's: broker node), then broker config", name, path, why,
                )  # fmt: skip
        self._found = found

    def _files(self) -> Mapping[str, Path]:
        found = {} if self._tls is None else {COLLECTOR: self._tls.certificate}
        if self._register is not None:
            folder = self._register.folder
            found[CA_ROW] = folder / CA
            if (folder / SERVER).exists():  # else it is a broker whose files are elsewhere
                found["server"] = folder / SERVER
            for path in sorted((folder / NODES).glob(f"*/{SERVER}")):
                found[node_name(path.parent.name)] = path
        return found

    def _show(self, made: Certificate) -> None:
        """Have connections that begin from now on show it; the first is shown already."""
        if self._own not in (None, made) and self._tls is not None and self._context is not None:
            self._context.load_cert_chain(self._tls.certificate, self._tls.key)
            log.info("connections to the broker show the collector's new certificate from now on")
        self._own = made
