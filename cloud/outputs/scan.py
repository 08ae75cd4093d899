"""QR codes on a scan (PDF, JPEG, PNG), read in a process of its own with limits. Starts processes.

Whoever sends a scan may have made it to crash its reader, which is C++ throughout. So the child has
a bound on memory and time and gets the bytes alone; it prints what the codes say, and dies.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cloud.outputs.errors import OutputError
from evidence.documents.document import FILE_BYTES_MAX

PAGES_MAX = 200
CODES_MAX, CODE_MAX = 20, 400
WITHIN_S = 180
MEMORY_BYTES = 2 << 30
#: enough for a module of 0.4 mm on a scan of a whole page
DPI = 200
PIXELS_MAX = 60_000_000
_ANSWER_BYTES_MAX = 4 << 20


def codes_on(scan: bytes) -> list[list[str]]:
    """What the QR codes of each page say.

    Args:
        scan: a PDF, JPEG or PNG.

    Raises:
        OutputError: it is none, is too large, or its reader died.
    """
    if len(scan) > FILE_BYTES_MAX:
        raise OutputError(f"the scan has more than {FILE_BYTES_MAX} bytes")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cloud.outputs.scan"],
            input=scan, capture_output=True, timeout=WITHIN_S, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OutputError(f"the scan was not read within {WITHIN_S} s") from error
    if done.returncode != 0 or len(done.stdout) > _ANSWER_BYTES_MAX:
        raise OutputError("the scan cannot be read: it is no PDF, JPEG or PNG, or too large")
    found: list[list[str]] = json.loads(done.stdout)
    return found


def _child() -> None:
    _limit()
    scan = sys.stdin.buffer.read()
    document = _document(scan if scan.startswith(b"%PDF-") else _as_pdf(scan))
    if len(document) > PAGES_MAX:
        raise SystemExit(1)
    sys.stdout.write(json.dumps([_codes(document[n]) for n in range(len(document))]))


def _limit() -> None:
    with contextlib.suppress(ImportError):  # Windows has no such module
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (WITHIN_S, WITHIN_S))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))


def _document(data: bytes) -> Any:  # noqa: ANN401 - pypdfium2 has no types
    import pypdfium2  # type: ignore[import-untyped]  # it has no types

    return pypdfium2.PdfDocument(data)


def _as_pdf(image: bytes) -> bytes:
    """A picture as a page of A4's width: one way to read both."""
    import typst

    form = "png" if image.startswith(b"\x89PNG") else "jpg"
    page = "#set page(width: 595pt, height: auto, margin: 0pt)\n"
    with tempfile.TemporaryDirectory(prefix="stackproof-scan-") as folder:
        (Path(folder) / f"scan.{form}").write_bytes(image)
        source = Path(folder) / "scan.typ"
        source.write_text(f'{page}#image("scan.{form}", width: 100%)')
        data = typst.compile(source, format="pdf")
    if not isinstance(data, bytes):
        raise SystemExit(1)
    return data


def _codes(page: Any) -> list[str]:  # noqa: ANN401 - pypdfium2 has no types
    import zxingcpp

    width, height = page.get_size()
    scale = DPI / 72
    if width * height * scale**2 > PIXELS_MAX:
        raise SystemExit(1)
    picture = page.render(scale=scale, grayscale=True).to_numpy().squeeze()
    found = [c for c in zxingcpp.read_barcodes(picture) if c.format == zxingcpp.QRCode]
    return [code.text for code in found[:CODES_MAX] if len(code.text) <= CODE_MAX]


if __name__ == "__main__":
    _child()
