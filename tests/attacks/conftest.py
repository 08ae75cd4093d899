"""Says at the end of a run how many kinds of tampering there are."""

import sys

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, where the corpus was used at all."""
    corpus = sys.modules.get("tests.attacks.corpus")
    if corpus is not None:
        bombs = sum(kind.is_bomb for kind in corpus.KINDS)
        terminalreporter.write_line(
            f"tests/attacks: {len(corpus.KINDS)} kinds of tampering, {bombs} of them bombs"
        )
