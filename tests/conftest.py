"""What every test run shares: which tests are left out and why, and the tally for `./run test`.

No fixtures here but one of which a process can have no second: the others stand beside the tests
that use them. What servers were asked is watched by `tests/recording.py`.
"""

import faulthandler
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import unclosed
from tests.recording import RECORD, Watch

EXIT_S = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` also runs the tests that take minutes."""
    parser.addoption("--long", action="store_true", help="also run tests marked long")


def pytest_configure(config: pytest.Config) -> None:
    """Watch what servers are asked; without --long the same commit always gets the same verdict.

    Random search belongs to --long, which somebody reads and may run again: a change must not be
    refused, nor pass, by the luck of a draw. Nor by a slow machine: no test has a deadline.
    """
    gc.disable()  # until all is collected
    config.pluginmanager.register(Watch())
    config.pluginmanager.register(unclosed)
    is_long = config.getoption("--long")
    hypothesis.settings.register_profile("ours", derandomize=not is_long, deadline=None)
    hypothesis.settings.load_profile("ours")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect long tests, and skip those whose program is not installed."""
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    for item in items:
        needed = [program for mark in item.iter_markers("needs") for program in mark.args]
        if item.get_closest_marker("browser"):
            needed.append("chromium")
        for program in needed:
            if shutil.which(program) is None:
                item.add_marker(pytest.mark.skip(reason=f"{program} is not installed"))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no search for garbage looks at it."""
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Append "passed failed skipped" to the file named by STACKPROOF_TALLY, for `./run test`."""
    tally = os.environ.get("STACKPROOF_TALLY")
    if not tally:
        return
    count = {kind: len(reports) for kind, reports in terminalreporter.stats.items()}
    failed = count.get("failed", 0) + count.get("error", 0) + len(RECORD.complaints())
    failed += len(unclosed.Connection.left)
    skipped = count.get("skipped", 0) + count.get("xfailed", 0)
    with Path(tally).open("a") as file:
        file.write(f"{count.get('passed', 0)} {failed} {skipped}\n")


def pytest_unconfigure() -> None:
    """A thread that a test left behind must not keep the run from ever ending: say which, fail."""
    faulthandler.dump_traceback_later(EXIT_S, exit=True)


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a PIN file beside an initialised token; see `softhsm.make_token`.

    One a test run: a PKCS#11 module is one a process, and reads its settings once.
    """
    from tests.integration.softhsm import make_token  # python-pkcs11 may not be installed

    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        make_token(folder)
        yield folder
