"""Servers of browser tests, forked from one process that has imported already what they need."""

import importlib
import os
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

_NURSERY = get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.e2e.fake_server", "tests.e2e.real_works"])


def start(module: str, *arguments: str) -> BaseProcess:
    """A process of `python -m tests.e2e.MODULE ARGUMENT...` that has said it is ready."""
    heard, said = _NURSERY.Pipe(duplex=False)
    process = _NURSERY.Process(target=_run, args=(module, arguments, said))
    process.start()
    said.close()
    told = os.read(heard.fileno(), 99)
    heard.close()
    assert told == b"ready\n"
    return process


def _run(module: str, arguments: tuple[str, ...], said: Connection) -> None:
    os.dup2(said.fileno(), 1)
    importlib.import_module(f"tests.e2e.{module}").main(arguments)
