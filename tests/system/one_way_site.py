"""A one-way site whose readings are all taken: brings its spool out, and nothing else.

python -m tests.system.one_way_site SITE.toml    until it is killed
"""

import asyncio
import sys
from pathlib import Path

from edge.clock import SystemClock
from edge.disk import Disk
from edge.one_way.leaving import leave_forever, leaving_of
from edge.site.config import load_site
from edge.spool import Spool


async def main(path: Path) -> None:
    site, clock, disk = load_site(path), SystemClock(), Disk()
    spool = await disk.run(Spool, site.gateway.spool, bytes_max=site.uplink.spool_bytes_max)
    leaving = leaving_of(site, spool, clock, disk)
    assert leaving is not None
    await leave_forever(leaving, site, spool, clock, disk)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
