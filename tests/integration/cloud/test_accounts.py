"""The first administrator of a collector, as processes: invited, back after a restart, logged."""

import base64
import json
import re
import stat
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from cloud.accounts.totp import code_of
from tests.integration.cloud.cloud_process import Cloud, run
from tests.integration.cloud.test_process import get

PASSWORD = "plover mast yonder"  # noqa: S105 - of this test


class Still(urllib.request.HTTPRedirectHandler):
    """Goes nowhere."""

    def redirect_request(self, *_: object) -> None:  # type: ignore[override]  # None: not followed
        return None


def test_the_first_administrator_comes_by_a_link_that_outlives_a_restart(cloud: Cloud) -> None:
    """Nothing is open before, and a proxy's word that there is TLS is taken from this machine."""
    text = cloud.config.read_text()
    cloud.config.write_text(text.replace("accounts = false\n", ""))
    ready = cloud.start()
    assert get(f"{ready['http']}/api/v1/health") == {"status": "ok"}
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        get(f"{ready['http']}/api/v1/streams")
    refused.value.close()
    who = ("--id", "li-wei", "--name", "李伟", "--organisation", "铝业", "--role", "security")
    done = run("accounts", "invite", cloud.config, *who)
    assert done.returncode == 0
    link = done.stdout.strip().removeprefix(ready["http"])
    assert run("accounts", "invite", cloud.config, *who).returncode == 1
    assert stat.S_IMODE((cloud.folder / "evidence.db").stat().st_mode) == 0o600
    cloud.end()
    ready = cloud.start()
    with urllib.request.urlopen(ready["http"] + link, timeout=5) as answer:
        page = answer.read().decode()
    assert "李伟" in page
    form = {"password": PASSWORD, "again": PASSWORD}
    key = re.findall(r'class="key"[^>]*>([A-Z2-7 ]+)<', page)[0].replace(" ", "")
    form["code"] = code_of(base64.b32decode(key), int(time.time()) // 30)
    headers = {"X-Forwarded-Proto": "https", "Origin": ready["http"].replace("http:", "https:")}
    request = urllib.request.Request(
        ready["http"] + link, urllib.parse.urlencode(form).encode(), headers
    )
    with pytest.raises(urllib.error.HTTPError, match="303") as redirect:
        urllib.request.build_opener(Still()).open(request, timeout=5)
    session = redirect.value.headers.get_all("set-cookie")[0]
    redirect.value.close()
    assert re.match("__Host-stackproof-session=.*; Secure", session)
    log = run("accounts", "log", cloud.config, "--syslog").stdout.splitlines()
    assert [line.split()[5] for line in log] == ["invited", "link-used"]
    until_s = time.monotonic() + 60
    while (told := run("accounts", "log", cloud.config, "--check")).returncode == 2:
        assert time.monotonic() < until_s, told.stderr  # no plant was told of it yet
    assert "and all of these agree; " in told.stdout, told.stderr
    _, printed = cloud.end()
    assert link.rpartition("/")[2] not in printed
    assert PASSWORD not in printed


def try_to_sign_in(at: str, account: str, forwarded_for: str) -> tuple[int, str]:
    """Status and sentence of a try by the API, passed on by a proxy of this machine."""
    order = {"account": account, "password": PASSWORD, "code": "000000"}
    headers = {"Content-Type": "application/json", "X-Forwarded-For": forwarded_for}
    request = urllib.request.Request(f"{at}/api/v1/sessions", json.dumps(order).encode(), headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        return answer.code, json.load(answer)["detail"]


def test_an_address_that_tries_one_account_after_the_other_has_to_wait(cloud: Cloud) -> None:
    """By what the proxy adds: what a stranger writes in front of it counts for nothing."""
    cloud.config.write_text(cloud.config.read_text().replace("accounts = false\n", ""))
    at = cloud.start()["http"]
    for n in range(20):
        forwarded = f"198.51.100.{n}, 203.0.113.7" if n % 2 else "203.0.113.7"
        assert try_to_sign_in(at, f"person-{n}", forwarded)[0] == 401
    status, told = try_to_sign_in(at, "another", "198.51.100.99, 203.0.113.7")
    assert (status, told) == (
        429,
        "Too many wrong tries from 203.0.113.7. Try again in 3 min, or use a browser that you have "
        "signed in with before.",
    )
    assert try_to_sign_in(at, "another", "203.0.113.8")[0] == 401
    form = {"account": "another", "password": PASSWORD, "code": "000000", "next": ""}
    request = urllib.request.Request(
        f"{at}/zh/sign-in", urllib.parse.urlencode(form).encode(),
        {"Origin": at, "X-Forwarded-For": "203.0.113.7"},
    )  # fmt: skip
    with pytest.raises(urllib.error.HTTPError, match="429") as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        assert "来自 203.0.113.7 的错误次数过多，请 3 分钟后再试" in answer.read().decode()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "accounts = false: everyone on this machine reads everything."),
        (
            'names = ["collector.example"]\n',
            "accounts = false: everyone who reaches AT reads all plants, months and documents. "
            "Delete the line from [http] in CLOUD.toml.",
        ),
    ],
)
def test_a_collector_without_accounts_says_so_at_start(cloud: Cloud, more: str, told: str) -> None:
    text = cloud.config.read_text()
    cloud.config.write_text(text.replace("accounts = false\n", f"accounts = false\n{more}"))
    at = cloud.start()["http"]
    _, printed = cloud.end()
    (line,) = [line for line in printed.splitlines() if "accounts = false" in line]
    assert told.replace("AT", at) in line
    assert ("WARNING" in line) is bool(more), "a demo on this machine alarms nobody"


def test_a_collector_with_accounts_says_nothing_of_them(cloud: Cloud) -> None:
    cloud.config.write_text(cloud.config.read_text().replace("accounts = false\n", ""))
    cloud.start()
    assert "accounts = false" not in cloud.end()[1]
