"""What each route needs, in one table: a route that is not in it does not start. No I/O."""

from collections.abc import Mapping

from cloud.accounts.roles import Right

SEE, EVIDENCE, OWN, ACCOUNTS = Right.SEE, Right.EVIDENCE, Right.OWN, Right.ACCOUNTS
API, PAGE = "/api/v1", "/{language}"
LOG = f"{API}/plants/{{plant}}"

#: (method, path) -> the right that it needs, None where anybody may ask
ACCESS: Mapping[tuple[str, str], Right | None] = {
    ("GET", f"{API}/health"): None,
    ("GET", f"{API}/plants"): SEE,
    ("GET", f"{API}/points"): SEE,
    ("GET", f"{API}/history"): SEE,
    ("GET", f"{API}/live/snapshot"): SEE,
    ("WEBSOCKET", f"{API}/live"): SEE,
    ("GET", f"{API}/months"): SEE,
    ("POST", f"{API}/months/{{plant}}/{{month}}/close"): Right.MONTHS,
    ("POST", f"{API}/months/{{plant}}/{{month}}/seal"): Right.MONTHS,
    ("GET", f"{API}/streams"): EVIDENCE,
    ("GET", f"{LOG}/log/checkpoint"): EVIDENCE,
    ("GET", f"{LOG}/log/proof/inclusion"): EVIDENCE,
    ("GET", f"{LOG}/log/proof/consistency"): EVIDENCE,
    ("GET", f"{LOG}/log/entries"): EVIDENCE,
    ("GET", f"{LOG}/log/receipt"): EVIDENCE,
    ("GET", f"{LOG}/streams/{{gateway}}"): EVIDENCE,
    ("GET", f"{LOG}/quarantine"): EVIDENCE,
    ("GET", f"{LOG}/quarantine/{{sha256}}"): EVIDENCE,
    ("POST", f"{LOG}/keys/reload"): Right.SYSTEM,
    ("POST", f"{API}/imports"): Right.SYSTEM,
    ("GET", f"{LOG}/receipts"): Right.SYSTEM,
    ("POST", f"{API}/sessions"): None,
    ("GET", f"{API}/sessions"): OWN,
    ("DELETE", f"{API}/sessions"): OWN,
    ("GET", f"{API}/session"): OWN,
    ("DELETE", f"{API}/session"): OWN,
    ("POST", f"{API}/password"): OWN,
    ("GET", f"{API}/tokens"): OWN,
    ("POST", f"{API}/tokens"): OWN,
    ("DELETE", f"{API}/tokens/{{token}}"): OWN,
    ("GET", f"{API}/accounts"): Right.PEOPLE,
    ("POST", f"{API}/accounts"): ACCOUNTS,
    ("PUT", f"{API}/accounts/{{account}}/role"): ACCOUNTS,
    ("POST", f"{API}/accounts/{{account}}/link"): ACCOUNTS,
    ("DELETE", f"{API}/accounts/{{account}}"): ACCOUNTS,
    ("POST", f"{API}/administrators"): Right.ADMINISTRATORS,
    ("POST", f"{API}/administrators/{{account}}/link"): Right.ADMINISTRATORS,
    ("GET", f"{API}/security-log"): Right.SECURITY_LOG,
    ("GET", "/"): None,
    ("GET", f"{PAGE}/"): SEE,
    ("GET", f"{PAGE}/plants/{{plant}}"): SEE,
    ("GET", f"{PAGE}/sign-in"): None,
    ("POST", f"{PAGE}/sign-in"): None,
    ("GET", f"{PAGE}/invited/{{secret}}"): None,
    ("POST", f"{PAGE}/invited/{{secret}}"): None,
    ("POST", f"{PAGE}/sign-out"): OWN,
    ("GET", f"{PAGE}/account"): OWN,
    ("POST", f"{PAGE}/account/password"): OWN,
    ("POST", f"{PAGE}/account/sessions/end"): OWN,
    ("POST", f"{PAGE}/account/tokens"): OWN,
    ("POST", f"{PAGE}/account/tokens/{{token}}/end"): OWN,
    ("GET", f"{PAGE}/accounts"): Right.PEOPLE,
    ("POST", f"{PAGE}/accounts"): ACCOUNTS,
    ("POST", f"{PAGE}/accounts/{{account}}/role"): ACCOUNTS,
    ("POST", f"{PAGE}/accounts/{{account}}/link"): ACCOUNTS,
    ("POST", f"{PAGE}/accounts/{{account}}/end"): ACCOUNTS,
}
