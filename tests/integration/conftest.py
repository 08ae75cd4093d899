"""Fixtures of more than one room."""

from collections.abc import Iterator
from pathlib import Path

import pytest


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
