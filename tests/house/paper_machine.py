"""A machine of paper for `./run`: its Python, pip, pytest and user are small stand-ins.

The stand-in Python is a shell script that logs what it is asked to do, so that set-up is tested
without a network: when it happens, in which order, what a failure leaves behind.
"""

import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

TOOLS = "sh dirname readlink sed cat sha256sum flock rm mktemp awk basename ls touch sleep env nice"

# Says whether it is new enough and has venv; a .venv it makes holds a copy of itself.
PYTHON = """#!/bin/sh
case "$*" in
-V) echo "Python 3.12.1" ;;
*%d.%d*) echo 3.12 ;;
*version_info*) exit {too_old} ;;
*ensurepip*) exit {no_venv} ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo venv >>{log} ;;
"-m pip "*) sleep {pip_s}; echo "pip $*" >>{log}; exit {pip_exit} ;;
"-m pytest "*)
    echo "pytest $*" >>{log}; echo "files in ${{TMPDIR:-}}" >>{log}
    echo "compiled ${{PYTHONDONTWRITEBYTECODE:-kept}}" >>{log}
    echo "{tally}" >>"$STACKPROOF_TALLY"; exit {pytest_exit} ;;
*uplot.py) exit {uplot_exit} ;;
*) exit 99 ;;
esac
"""


class Machine:
    """A folder with `run` in it and a PATH on which only chosen programs exist."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the project"  # a space, on purpose
        self.bin = folder / "bin"
        self.log = folder / "log"
        (self.root / "requirements").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(REPOSITORY / "run", self.root)
        for name in ("build", "all", "dev"):
            (self.root / f"requirements/{name}.txt").write_text(f"{name}==1\n")
        (self.root / "pyproject.toml").write_text('[project]\nversion = "1"\n\n[tool.x]\ny = 1\n')
        (self.root / "package-lock.json").write_text("{}")
        for tool in (*TOOLS.split(), "mkdir", "cp"):
            (self.bin / tool).symlink_to(Path("/usr/bin") / tool)
        self.program("id", "#!/bin/sh\necho 1000\n")  # not root: nothing is installed
        self.python()

    def program(self, name: str, text: str = "#!/bin/sh\n") -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def python(self, name: str = "python3", **behaviour: object) -> None:
        defaults: dict[str, object] = {
            "too_old": 0, "no_venv": 0, "pip_s": 0, "pip_exit": 0, "tally": "3 0 1",
            "pytest_exit": 0, "uplot_exit": 0,
        }  # fmt: skip
        text = PYTHON.format(log=self.log, **{**defaults, **behaviour})
        self.program(name, text)
        inside = self.root / ".venv/bin/python"
        if inside.exists():
            inside.write_text(text)

    def start(
        self, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "run", *arguments],
            env={"PATH": str(self.bin), "PYTHONDONTWRITEBYTECODE": "1", **environment},
            cwd=cwd or self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> tuple[int, str, str]:
        process = self.start(*arguments, cwd=cwd, **environment)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def logged(self, word: str) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith(word)]
