"""An environment for other people's readers, made of requirements/interop.txt and thrown away."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).parent / "elsewhere"
LOCK = ROOT / "requirements" / "interop.txt"

Ask = Callable[[str, Any], Any]


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment's Python."""
    folder = tmp_path_factory.mktemp("elsewhere")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=120)
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    made = subprocess.run([*install, "-r", LOCK], capture_output=True, text=True, timeout=300)
    if made.returncode:
        pytest.skip(f"needs a package index: {made.stderr.strip().splitlines()[-1:]}")
    return python


@pytest.fixture(scope="session")
def ask(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Runs a script of `elsewhere` on something that can be JSON; its answer likewise."""
    folder = tmp_path_factory.mktemp("asked")

    def asked(script: str, question: Any) -> Any:
        path = folder / "asked.json"
        path.write_text(json.dumps(question))
        done = subprocess.run(
            [elsewhere, SCRIPTS / script, path], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return asked
