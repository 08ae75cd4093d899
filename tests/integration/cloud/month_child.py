"""Seals the small plant's month again, in a process of its own: EVIDENCE and ARCHIVES folders."""

import asyncio
import os
import sys
from pathlib import Path

from tests.unit.cloud.month_examples import Desk, months
from tests.unit.evidence.small_plant import MONTH, PLANT


def main(evidence: str, archives: str, umask: str) -> None:
    os.umask(int(umask, 8))
    desk = Desk(Path(evidence))
    asyncio.run(months(desk, Path(archives)).seal(PLANT, MONTH, reason="twice"))
    desk.shut()


if __name__ == "__main__":
    main(*sys.argv[1:])
