"""Every package that users install has a licence that Apache-2.0 may stand beside.

What its metadata says is believed. Copyleft ones are named, here and in ADR 0008.
"""

import re
import sys
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

import pytest

from tests.house.test_locks import PYTHONS, pins

ADR = Path(__file__).resolve().parents[2] / "docs/adr/0008-dependencies-and-licences.md"

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0", "PSF-2.0",
    "Zlib",
}  # fmt: skip
#: package -> its licence: unmodified, loaded by `import`, replaceable by whoever installs it
COPYLEFT = {
    "asyncua": "LGPL-3.0-or-later",
    "certifi": "MPL-2.0",
    "pathspec": "MPL-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
}
#: what packages without an SPDX expression write (https://spdx.org/licenses)
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "MIT License": "MIT",
    "PSFL": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 or later": "LGPL-3.0-or-later",
    "BSD-3-Clause, Apache-2.0, dependency licenses": "BSD-3-Clause AND Apache-2.0",
}
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def expression(of: PackageMetadata) -> str:
    """SPDX expression of a package: as it says it, or what its older fields mean."""
    classifiers = [c.rpartition(" :: ")[2] for c in of.get_all("Classifier", []) if "License" in c]
    short = [text for text in of.get_all("License", []) if text and "\n" not in text]
    exact = of.get_all("License-Expression", [])
    said = (exact or short or classifiers or [""])[0]
    return SPDX.get(said, said)


def is_permissive(text: str) -> bool:
    """True when one may keep to permissive licences only: of "OR" one is enough, of "AND" all."""
    parts = [re.split(r" AND ", choice.strip("() ")) for choice in text.split(" OR ")]
    return any(PERMISSIVE.issuperset(choice) for choice in parts)


@pytest.mark.skipif(PYTHON not in PYTHONS, reason="nothing is locked for this Python")
def test_each_licence_is_permissive_or_named() -> None:
    locked = {name for name, python in pins("all") if python == PYTHON}
    said = {name: expression(metadata(name)) for name in sorted(locked)}
    others = {name: text for name, text in said.items() if not is_permissive(text)}
    assert others == COPYLEFT
    rows = [row.split("|")[1:3] for row in ADR.read_text().splitlines() if row.startswith("| ")]
    for name, licence in COPYLEFT.items():
        assert any(name in row[0] and licence in row[1] for row in rows), f"{name}: not in the ADR"


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("MIT", True),
        ("EPL-2.0 OR BSD-3-Clause", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-or-later", False),
        ("", False),
    ],
)
def test_what_is_permissive(text: str, is_so: bool) -> None:
    assert is_permissive(text) is is_so
