"""A reader of the documents: their blocks, run as they stand in a folder of his."""

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path

import stackproof

ROOT = Path(__file__).resolve().parents[2]


def blocks(document: str, heading: str = "", language: str = "sh") -> list[str]:
    """Blocks of a language in docs/`document`.md, of one chapter if it is named."""
    text = (ROOT / f"docs/{document}.md").read_text()
    if heading:
        text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def environment(folder: Path) -> dict[str, str]:
    """Ours, in which `stackproof` is this tree's."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin/stackproof"
    if not program.exists():
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/stackproof.py" "$@"\n')
        program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def shell(script: str, folder: Path) -> str:
    """Run commands as a reader would; what they printed."""
    done = subprocess.run(
        ["sh", "-euc", script], cwd=folder, env=environment(folder),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def here(script: str, folder: Path) -> str:
    """The same for speed: `stackproof …` in this process, and only the shell's cd beside it."""
    said = io.StringIO()
    with chdir(folder):
        for line in script.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["stackproof"]:
                with redirect_stdout(said):
                    assert stackproof.main(words[1:]) == 0, said.getvalue()
            elif words[:1] == ["cd"]:
                os.chdir(words[1])
            elif words:
                subprocess.run(words, check=True)
    return said.getvalue()


def keys_told(said: str) -> str:
    """The SHA-256 that a command printed of a key: what a reader writes for HEX."""
    return str(re.findall(r"key SHA-256:? ([0-9a-f]{64})", said)[-1])


def put_tables(folder: Path, port: int) -> None:
    """Both files of docs/deploy.md with the tables of its TLS part, and ports that nobody has."""
    tables = blocks("deploy", "TLS with the broker", "toml")
    for name, table in zip(("collector/CLOUD.toml", "gateway/SITE.toml"), tables, strict=True):
        path, mine = folder / name, table.replace("8883", str(port))
        head, rest = path.read_text().split(mine.splitlines()[0] + "\n")
        rest = rest[rest.index("\n[") :].replace("port = 8600", "port = 0")
        path.write_text(head + mine + rest)
