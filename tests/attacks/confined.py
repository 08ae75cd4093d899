"""Verify archives in processes of little memory and time: `python -m tests.attacks.confined FILE…`.

The program is loaded once; each archive is then verified in a fork that may use `AS_BYTES` of
address space and `CPU_S` of processor time. A line of JSON each: verdict, codes, what the process
took. A fork that dies prints its signal in the place of a verdict.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

AS_BYTES = 2 << 30  # address space: libraries alone reserve some hundred MiB of it
CPU_S = 30


def confined(path: Path, trust: frozenset[bytes] | None) -> dict[str, Any]:
    """What verifying this archive in a fork came to and took."""
    reading, writing = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (AS_BYTES, AS_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        with os.fdopen(writing, "w") as pipe:
            json.dump(_verified(path, trust), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    found: dict[str, Any] = {"verdict": f"died, wait status {status}", "codes": []}
    if status == 0:
        found = json.loads(said)
    taken = {"peak_mib": usage.ru_maxrss / 1024, "wall_s": time.monotonic() - started}
    return {"file": path.name, **found, **taken}


def _verified(path: Path, trust: frozenset[bytes] | None) -> dict[str, Any]:
    from evidence.verifier.run import verify  # the parent has loaded it

    try:
        with path.open("rb") as file:
            report = verify(file, trust=trust)
    except BaseException as error:  # noqa: BLE001 - whatever escapes is what this looks for
        return {"verdict": f"raised {type(error).__name__}: {error}"[:300], "codes": []}
    codes = sorted({finding.code for finding in report.findings})
    return {"verdict": report.verdict.value, "codes": codes}


def main(names: list[str]) -> None:
    """Verify each; the first argument is the trusted key's hash in hex."""
    import evidence.verifier.run  # noqa: F401 - loaded once, before forking

    trust = frozenset({bytes.fromhex(names[0])})
    for name in names[1:]:
        sys.stdout.write(json.dumps(confined(Path(name), trust)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
