"""The first administrator of a collector, as processes: invited, back after a restart, logged."""

import base64
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
    assert stat.S_IMODE((cloud.folder / "state/accounts.db").stat().st_mode) == 0o600
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
