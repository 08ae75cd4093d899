"""The auditor's install: verifier and calculation run with the base packages and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What base.txt brings, by the names it is imported under.
BASE = "cryptography cffi _cffi_backend pycparser cbor2 _cbor2 numpy backports tzdata"

# Refuses every import that is neither the standard library, nor base, nor ours.
GUARD = f"""
import sys
class Guard:
    allowed = sys.stdlib_module_names | set({BASE.split()!r}) | {{
        "evidence", "firmware_configs", "edge", "cloud", "simulators", "witness",
        "stackproof"}}
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        of_python = ("_virtualenv", "__editable__", "_sysconfigdata_")
        if top in self.allowed or top.startswith(of_python):
            return None
        raise ModuleNotFoundError(f"not in the base install: {{name}}", name=name)
sys.meta_path.insert(0, Guard())
import stackproof
sys.exit(stackproof.main(sys.argv[1:]))
"""


def guarded(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", GUARD, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command", ["verify", "keys", "screen", "compare", "witness", "calc", "profile", "record"]
)
def test_base_commands_need_base_packages_only(command: str) -> None:
    done = guarded(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "extra"), [("demo", "all"), ("sim", "simulators"), ("cloud", "cloud")]
)
def test_other_commands_run_or_name_their_extra(command: str, extra: str) -> None:
    """Either the room's own cli imports lazily enough to help, or one sentence has the fix."""
    done = guarded(command, "--help")
    if done.returncode != 0:
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert f'pip install "stackproof[{extra}]"' in done.stderr


def test_no_room_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys, stackproof; stackproof.main(['--help']);"
        "sys.exit(any(r in sys.modules for r in ('evidence', 'edge', 'cloud', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
