"""Write the tamper corpus as files: `python -m tests.attacks DIR`.

One archive a kind, and index.json: for each its file, name, story, the verdict it must come to,
the codes that must be among the findings, whether E- and C- codes are exactly these, the roots to
trust, as PLANT:SHA256 of the key, the SHA-256 of the keys that vouch for witnesses, and the files
that the reviewer kept. A verifier that shares nothing with ours can be run over it.
"""

import json
import shutil
import sys
from pathlib import Path

from tests.attacks.corpus import KINDS, archive, file_name, kept
from tests.attacks.forging import WITNESSES
from tests.independent.other import trusted


def write_corpus(folder: Path) -> int:
    """Write all archives and the index; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for kind in KINDS:
        for file in (archive(kind), *kept(kind)):
            shutil.copy(file, folder)
        index.append(
            {
                "file": file_name(kind),
                "name": kind.name,
                "story": kind.story,
                "verdict": kind.verdict.value,
                "codes": sorted(kind.codes),
                "exact": not kind.more,
                "trust": None if kind.trust is None else sorted(map(trusted, kind.trust)),
                "witness": sorted(one.hex() for one in WITNESSES),
                "is_bomb": kind.is_bomb,
                "kept": [file.name for file in kept(kind)],
            }
        )
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1))
    return len(index)


def main() -> int:
    """Run from the command line."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.stderr.write("usage: python -m tests.attacks DIR\n")
        return 2
    sys.stderr.write(f"{write_corpus(Path(sys.argv[1]))} archives written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
