"""What is told to people elsewhere names files, and not where they stand."""

import pytest

from cloud.api.without_paths import without_paths


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("/srv/stackproof/archives cannot take archives (read-only)",
         "archives cannot take archives (read-only)"),
        ("mill 2026-10: /srv/e/00/mill/records/ab-cd: missing, or altered",
         "mill 2026-10: ab-cd: missing, or altered"),
        ("'/srv/e/log', \"/srv/x\" and (/a/b)", "'log', \"x\" and (b)"),
        ("see application/cose, either/or, https://example.org/a and 3 / 4",
         "see application/cose, either/or, https://example.org/a and 3 / 4"),
    ],
)  # fmt: skip
def test_a_path_becomes_its_name(sentence: str, told: str) -> None:
    assert without_paths(sentence) == told
