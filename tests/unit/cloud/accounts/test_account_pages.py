"""What the pages of accounts say beside what they do."""

import pytest

from cloud.accounts.roles import Profile
from tests.unit.cloud.accounts.people_examples import PASSWORD, Town, csrf_of

OTHER = "quarry vellum insect"


@pytest.fixture
def town() -> Town:
    return Town()


def test_who_changes_the_password_is_told_that_tokens_go_on(town: Town) -> None:
    done = town.join("operator")
    token = town.accounts.tokens.make(done.principal, "scada", ["see"], 30)
    page = town.client(done)
    form = {"csrf": csrf_of(page.get("/en/account").text), "password": PASSWORD}
    changed = page.post("/en/account/password", data={**form, "new": OTHER, "again": OTHER})
    assert "Tokens for programs go on" in page.get(changed.headers["location"]).text
    assert town.accounts.sign_in.by_token(token) is not None


def test_a_reviewer_of_the_whole_country_is_one_on_purpose(town: Town) -> None:
    town.join("operator")
    done = town.join("security")
    chief = town.client(done)
    country = {"csrf": done.principal.csrf, "role": "reviewer", "region": ""}
    refused = chief.post("/en/accounts/operator/role", data=country)
    assert (refused.status_code, "A reviewer needs a region" in refused.text) == (422, True)
    order = {"json": {"role": "reviewer"}, "headers": {"X-CSRF-Token": done.principal.csrf}}
    refused = chief.put("/api/v1/accounts/operator/role", **order)
    assert (refused.status_code, "A reviewer needs a region" in refused.text) == (422, True)
    changed = chief.post("/en/accounts/operator/role", data={**country, "region": "*"})
    assert changed.status_code == 303
    assert town.accounts.people.account("operator").profile == Profile("reviewer", "")
    assert '<td translate="no">*</td>' in chief.get("/en/accounts").text
    assert 'value="*" maxlength="6"' in chief.get("/en/accounts?of=operator").text
