"""Protocol libraries are loaded with the site file, before there is a schedule to hold up.

asyncua takes more than a second to import; inside the event loop that second belonged to every
other device's first connection.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.edge.sites import METERS, SITE, write_site

_PROGRAM = """
import json, sys
from pathlib import Path
from edge.site.config import load_site
load_site(Path(sys.argv[1]))
print(json.dumps([name for name in ("pymodbus", "asyncua") if name in sys.modules]))
"""


@pytest.mark.parametrize(
    ("text", "loaded"), [(SITE, ["pymodbus", "asyncua"]), (METERS, ["pymodbus"])]
)
def test_only_the_libraries_a_site_needs(tmp_path: Path, text: str, loaded: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(write_site(tmp_path, text))],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert json.loads(done.stdout) == loaded
