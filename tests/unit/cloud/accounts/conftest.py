"""Passwords that cost little, and people who are there already."""

import pytest

from cloud.accounts import passwords, sign_in
from tests.unit.cloud.accounts.people_examples import Town


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(sign_in, "NOBODY", passwords.hash_password("of nobody at all"))


@pytest.fixture
def town(cheap_hashes: None) -> Town:
    return Town()
