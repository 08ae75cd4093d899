"""`stackproof edge commission` over two simulated meters: one answers, one is away.

As a process of its own, for browser tests: `python -m tests.e2e.fake_meters FOLDER` prints the
page's address, and ends when its input does.
"""

import asyncio
import sys
from pathlib import Path

from edge.clock import SystemClock
from edge.commissioning.page.server import serving
from edge.commissioning.page.session import Session
from edge.commissioning.site_part import read_part
from tests.integration.commissioning.field import AC_WORDS, site_at
from tests.integration.drivers.modbus_responder import Responder
from tests.unit.edge.sites import METERS, replaced

HOSTILE = '<img src=x onerror="alert(1)"> & 北方铝厂'


async def main(folder: Path) -> None:
    """Serve until stdin ends."""
    async with Responder(words=dict(AC_WORDS)) as meter:
        text = replaced(METERS, {'"North works"': f"'{HOSTILE}'"})
        site = site_at(folder, meter, text=text)
        session = Session(site, read_part(site), SystemClock(), 1.0)
        with serving(session, "127.0.0.1", 0, "e2e") as server:
            print(server.url, flush=True)  # noqa: T201 - that is what it is for
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
