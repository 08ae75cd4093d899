"""Runs `stackproof verify` in processes of little memory and time.

    python -m tests.attacks.confined ROOT.crt WITNESS.pem FILE…

The program is loaded once; each archive is then verified by its command in a fork that may use
`AS_BYTES` of address space and `CPU_S` of processor time. A line of JSON each: exit status,
verdict, codes, what the process took. A fork that dies or raises has no verdict.
"""

import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

import stackproof
from cloud.brought.desk import MEMORY_BYTES

AS_BYTES = MEMORY_BYTES  # address space: libraries alone reserve some hundred MiB of it
CPU_S = 30
EXIT_RAISED = 70


def confined(path: Path, root: Path, witness: Path) -> dict[str, Any]:
    """What verifying this archive in a fork came to and took."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.dup2(writing, sys.stdout.fileno())
        resource.setrlimit(resource.RLIMIT_AS, (AS_BYTES, AS_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        os._exit(_command(path, root, witness))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        printed = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    exit_status = os.waitstatus_to_exitcode(status)
    found: dict[str, Any] = {"verdict": f"none, exit status {exit_status}", "codes": []}
    if exit_status in range(4):
        report = json.loads(printed)
        codes = sorted({finding["code"] for finding in report["findings"]})
        found = {"verdict": report["verdict"], "codes": codes}
    # seconds of the processor: by the clock an hour of a busy machine looks like a slow verifier
    taken = {"peak_mib": usage.ru_maxrss / 1024, "cpu_s": usage.ru_utime + usage.ru_stime}
    return {"file": path.name, "exit": exit_status, **found, **taken}


def _command(path: Path, root: Path, witness: Path) -> int:
    try:
        command = ["verify", str(path), "--trust", str(root), "--witness", str(witness), "--json"]
        status = stackproof.main(command)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - whatever escapes is what this looks for
        traceback.print_exc()
        return EXIT_RAISED
    return status


def main(names: list[str]) -> None:
    """Verify each; the first arguments are the trusted root's certificate and witnesses' keys."""
    import evidence.verifier.run  # noqa: F401 - loaded once, before forking

    root, witness, *archives = map(Path, names)
    for path in archives:
        said = json.dumps(confined(path, root, witness))
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
