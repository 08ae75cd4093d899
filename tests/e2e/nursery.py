"""Servers of browser tests, forked from one process that has imported already what they need."""

import importlib
import os
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

_NURSERY = get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.e2e.fake_server"])


def start(*arguments: str) -> BaseProcess:
    """A process of `python -m tests.e2e.fake_server ARGUMENT...` that has said it is ready."""
    heard, said = _NURSERY.Pipe(duplex=False)
    process = _NURSERY.Process(target=_run, args=(arguments, said))
    process.start()
    said.close()
    told = b""
    while not told.endswith(b"\n") and (more := os.read(heard.fileno(), 99)):
        told += more  # the word and the end of its line may come apart
    heard.close()
    assert told == b"ready\n"
    return process


def _run(arguments: tuple[str, ...], said: Connection) -> None:
    os.dup2(said.fileno(), 1)
    importlib.import_module("tests.e2e.fake_server").main(arguments)
