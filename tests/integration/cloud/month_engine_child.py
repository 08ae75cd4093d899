"""A month engine that is killed at a step of a closing: FOLDER WHOSE CALL AFTER."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from tests.unit.cloud.month.engine_examples import Works, ending
from tests.unit.cloud.month_examples import Desk


def be_gone() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody outlives this")


async def run(folder: Path, step: tuple[str, str, bool]) -> None:
    works = Works(folder / "state", Desk(folder / "evidence"))
    engine = works.engine(closing="when-complete")
    owner, name, stand_in = ending(works, step, be_gone)
    setattr(owner, name, stand_in)
    await engine.look()
    await engine.idle()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), (sys.argv[2], sys.argv[3], sys.argv[4] == "True")))
