"""Schemathesis asks a running collector what its OpenAPI document allows, and what it does not."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.cloud.running_collector import LEFT_OUT, running

#: cases an operation; seconds for an answer; roles for which each constraint is covered, too
CASES, ANSWER_S, COVERED = "15", "15", ("program", "accountant", "security")
PARAMETERS = """[parameters]
"path.plant" = "mini"
"query.plant" = "mini"
"path.gateway" = "edge-1"
"path.month" = "2026-09"
"""


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_schemathesis_finds_no_5xx_and_no_hang(elsewhere: Path, tmp_path: Path) -> None:
    """A 5xx, or an answer that does not come, is an issue there."""
    (tmp_path / "schemathesis.toml").write_text(PARAMETERS)
    left_out = f"^({'|'.join(map(re.escape, LEFT_OUT))})$"
    with running(tmp_path) as (address, people):
        for role, headers in people.items():
            phases = "coverage,fuzzing" if role in COVERED else "fuzzing"
            given = [word for name in headers for word in ("-H", f"{name}:{headers[name]}")]
            done = subprocess.run(
                [
                    elsewhere.with_name("schemathesis"), "run", f"{address}/api/openapi.json",
                    "--checks", "not_a_server_error", "--phases", phases, "-n", CASES,
                    "--request-timeout", ANSWER_S, "--continue-on-failure", "--no-shrink",
                    "--suppress-health-check", "all", "--warnings", "off",
                    "--exclude-path-regex", left_out, *given,
                ],
                capture_output=True, text=True, cwd=tmp_path, timeout=1200,
            )  # fmt: skip
            assert done.returncode == 0, (role, done.stdout[-6000:], done.stderr[-2000:])
            assert re.search(r"[1-9][0-9]+ generated", done.stdout), (role, done.stdout[-2000:])
