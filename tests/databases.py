"""A PostgreSQL server of this test run on loopback, and a fresh database in it for whoever asks."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from tests.ports import free_port

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
#: PostgreSQL does not run as root
USER = "postgres" if os.getuid() == 0 else None
_numbers = count()


class PostgreSQL:
    """One server, which believes everybody on this machine.

    Args:
        folder: of its data; the server's user must be able to use it.
        options: settings beside the ones that a test needs.
    """

    def __init__(self, folder: Path, options: Sequence[str] = ("fsync=off",)) -> None:
        self.folder, self.port = folder, free_port()
        self._options = [part for option in options for part in ("-c", option)]
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """A new cluster."""
        command = [PROGRAMS[-1], "-D", self.folder / "data", "-U", "postgres", "--auth=trust"]
        command += ["--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(
            command, check=True, capture_output=True, timeout=60, user=USER, cwd=self.folder
        )

    def copy_of(self, primary: "PostgreSQL", name: str) -> None:
        """A standby of another server, which knows it by that name."""
        command = [PROGRAMS[-1].with_name("pg_basebackup"), "-D", self.folder / "data", "-R"]
        command += [
            "-d",
            f"host=127.0.0.1 port={primary.port} user=postgres application_name={name}",
        ]
        command += ["-c", "fast", "--no-sync"]
        subprocess.run(
            command, check=True, capture_output=True, timeout=60, user=USER, cwd=self.folder
        )

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        command = [PROGRAMS[-1].with_name("postgres"), "-D", self.folder / "data"]
        command += ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", f"unix_socket_directories={self.folder}", *self._options]
        with log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, user=USER, cwd=self.folder
            )
        ends_s = time.monotonic() + 30
        while True:
            try:
                self.owner().close()
            except psycopg.OperationalError:
                assert time.monotonic() < ends_s, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT waits for nobody and is clean; SIGQUIT is as if the machine lost power."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def owner(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=database, user="postgres", autocommit=True
        )

    def fresh(self) -> str:
        """URL of a new, empty database."""
        name = f"evidence{next(_numbers)}"
        owner = self.owner()
        owner.execute(f"CREATE DATABASE {name}".encode())
        owner.close()
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"


@contextmanager
def servers(*options: Sequence[str]) -> Iterator[list[PostgreSQL]]:
    """Servers with these options each, not made yet; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="stackproof-pg-"))
    folder.chmod(0o755)
    made = list[PostgreSQL]()
    try:
        for n, chosen in enumerate(options):
            own = folder / str(n)
            own.mkdir()
            if USER:
                shutil.chown(own, USER)
            made.append(PostgreSQL(own, chosen))
        yield made
    finally:
        for server in made:
            server.stop()
        shutil.rmtree(folder)
