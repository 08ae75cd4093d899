"""A database's password is in no sentence, even where the server says it back."""

import traceback
from pathlib import Path

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.table.driver import TableDriver
from tests.integration.drivers.opcua_pki import secret_file
from tests.integration.drivers.parrot_database import parrot_database
from tests.unit.edge.drivers.row_specs import row_spec, table


@pytest.mark.parametrize("password", ["p0stgres-s3cret", "of  two spaces", "x" * 290])
async def test_a_refused_question_and_a_refused_login(tmp_path: Path, password: str) -> None:
    credentials = secret_file(tmp_path / "credentials", f"reader\n{password}\n")
    with parrot_database() as server:
        at = f"127.0.0.1:{server.server_address[1]}"
        url = f"postgresql+ro://{at}/lims?credentials=file:{credentials}&tls=off"
        driver = TableDriver(row_spec(url, table(), timeout_s=10.0))
        await driver.connect()
        with pytest.raises(DeviceError, match=r"let do that with \[taken out\]") as question:
            await driver.read()
        with pytest.raises(DeviceError, match=r"let do that with \[taken out\]") as login:
            await driver.connect()
    assert server.heard == [password] * 2
    told = "".join(line for caught in (question, login)
                   for line in traceback.format_exception(caught.value))  # fmt: skip
    assert all(part not in told for part in (password, " ".join(password.split())))
