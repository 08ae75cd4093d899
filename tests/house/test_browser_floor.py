"""Control rooms keep their PCs: pages use nothing that Chromium 86 or Firefox 78 lacks.

`browser_floor/lint.mjs` asks eslint and doiuse, by the tables of MDN and Can I use.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.npm import install_locked

LINT = Path(__file__).with_name("browser_floor")
ROOT = Path(__file__).parents[2]
STATIC = ROOT / "cloud/dashboard/static"
AT_THE_EDGE = ROOT / "edge/commissioning/page/static"

#: what browsers of 2020 lack, by MDN
LATER = {
    "at.js": "export const last = [1].at(-1);",
    "assign.js": "let held = null; held ??= 1; export { held };",
    "await.js": "export const got = await fetch('/');",
    "class.js": "export class Pot { #number = 1; }",
    "clone.js": "export const copy = structuredClone({});",
    "digits.js": "export const million = 1_000_000;",
    "own.js": "export const known = Object.hasOwn({}, 'pot');",
    "random.js": "export const id = crypto.randomUUID();",
    "timeout.js": "export const soon = AbortSignal.timeout(5);",
    "modal.js": "document.querySelector('dialog').showModal();",
    "has.css": "td:has(a) { color: #000; }",
    "is.css": ":is(h1, h2) { color: #000; }",
    "layer.css": "@layer page { p { color: #000; } }",
    "not.css": "input:not([type='hidden'], [type='checkbox']) { color: #000; }",
    "ratio.css": "img { aspect-ratio: 1; }",
    "units.css": "main { height: 100dvh; }",
}

#: what they have
BY_THEN = {
    "chain.js": "export const unit = document.title?.length ?? 0;",
    "promises.js": "export const all = Promise.allSettled([]);",
    "grid.css": "main { display: grid; gap: 4px; } p { display: flex; gap: 4px; }",
}


@pytest.fixture(scope="module", autouse=True)
def linters() -> None:
    install_locked(LINT)


def lint(files: Sequence[Path]) -> list[str]:
    done = subprocess.run(
        ["node", "lint.mjs", *files], cwd=LINT, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.returncode == bool(done.stdout)
    return done.stdout.splitlines()


def test_pages_use_nothing_that_came_later() -> None:
    files = sorted([*STATIC.glob("js/*.js"), *STATIC.glob("css/*.css"), *AT_THE_EDGE.glob("*.css")])
    assert len(files) > 20
    assert lint(files) == []


def test_what_came_later_is_seen_and_what_was_there_is_not(tmp_path: Path) -> None:
    for name, text in {**LATER, **BY_THEN}.items():
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    found = lint([tmp_path / name for name in {**LATER, **BY_THEN}])
    seen = {Path(line.split(":")[0]).name for line in found}
    assert seen == set(LATER)
