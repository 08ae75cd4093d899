"""Why a connection was refused, by us or by the server, in sentences that say what to do.

Pure. What a server says of itself is its own text: it is shown as ASCII and cut, so that it can
neither forge a line of the log nor fill it.
"""

from collections.abc import Iterable
from pathlib import Path

from edge.drivers.opcua.security import OpcUaSecurity
from evidence.printed import printable

_SHOWN_MAX = 120

#: Names of status codes (Part 6, annex A) a server gives when it does not accept the identity.
LOGIN_CODES = frozenset(
    {"BadUserAccessDenied", "BadIdentityTokenRejected", "BadIdentityTokenInvalid"}
)
#: ... when it cannot answer so much at once.
_TOO_MUCH_CODES = frozenset(
    {
        "BadResponseTooLarge", "BadRequestTooLarge", "BadEncodingLimitsExceeded",
        "BadTcpMessageTooLarge", "BadTooManyOperations",
    }
)  # fmt: skip
#: ... and when it does not accept our certificate.
CERTIFICATE_CODES = frozenset(
    {
        "BadCertificateUntrusted", "BadSecurityChecksFailed", "BadCertificateInvalid",
        "BadCertificateTimeInvalid", "BadCertificateUriInvalid", "BadCertificateUseNotAllowed",
        "BadCertificateChainIncomplete", "BadCertificateRevocationUnknown",
    }
)  # fmt: skip


class RefusedError(Exception):
    """The connection was refused for a reason that a person must mend."""


class LoginRefusedError(RefusedError):
    """The server does not accept the identity; asking again and again may lock the account."""


def shown(text: object) -> str:
    """A server's text, harmless and short."""
    return ascii(str(text)[:_SHOWN_MAX])


def named(said: object, most: int = 200) -> str:
    """What a server calls something, as a person may read it: one line, and not too long."""
    return printable(str(said or "")[:most])


def is_too_much(error: Exception) -> bool:
    """The server says that it cannot answer so much at once; less of it, it may."""
    return type(error).__name__ in _TOO_MUCH_CODES


def grouped(thumbprint: str) -> str:
    """A thumbprint as certificate tools show it, "AB:CD:…"."""
    return ":".join(thumbprint[i : i + 2] for i in range(0, len(thumbprint), 2)).upper()


def not_trusted(thumbprint: str, subject: str, security: OpcUaSecurity) -> RefusedError:
    """The server's certificate is none of those that are trusted."""
    return RefusedError(
        f"the server's certificate is not trusted: SHA-256 thumbprint {grouped(thumbprint)}, "
        f"subject {shown(subject)}. Only if the server itself shows this thumbprint, "
        f"{security.where_trust_goes}"
    )


def out_of_date(whose: str, begin: object, end: object) -> RefusedError:
    """A certificate, ours or the server's, is not valid today."""
    return RefusedError(
        f"{whose} is valid from {begin} to {end}, which is not now: renew it "
        "(or set this machine's clock)"
    )


def not_own(uri: str | None, uris: Iterable[str]) -> RefusedError:
    """The server calls itself otherwise than its certificate does."""
    named = ", ".join(shown(uri) for uri in uris) or "nobody"
    return RefusedError(
        f"the server calls itself {shown(uri)}, but its certificate was made out to {named}: "
        "give the server a certificate with its own application URI"
    )


def not_offered(policy: str, offered: Iterable[str]) -> RefusedError:
    """The server has no endpoint of the wanted policy and mode."""
    listed = " ".join(sorted({shown(one) for one in offered})[:20]) or "nothing"
    return RefusedError(
        f"the server does not offer {policy}; it offers {listed}. Switch it on at the server, or "
        "write another security in the device's table"
    )


def clear_password() -> RefusedError:
    """The server wants a password that anybody on the line could read."""
    return RefusedError(
        "the server wants the password unencrypted over a connection that is only signed: write "
        'security = "Basic256Sha256-SignAndEncrypt"'
    )


def by_server(code: str, security: OpcUaSecurity, own: str, uri: str) -> str:
    """What a server's refusal means and what to do; "" when the code says nothing about it.

    Args:
        code: name of the status code.
        security: the device's.
        own: thumbprint of our certificate, "" without security.
        uri: our application URI.
    """
    if code in LOGIN_CODES:
        return f"the server refuses {_login(security)} ({code})"
    if code in CERTIFICATE_CODES and own:
        return (
            f"the server does not accept this client's certificate ({code}): have it trusted "
            f"there. It is {security.certificate}, SHA-256 thumbprint {grouped(own)}, "
            f"application URI {uri}"
        )
    if code == "BadTooManySessions":
        return f"the server has no session left ({code}): close other clients or raise its limit"
    return ""


def _login(security: OpcUaSecurity) -> str:
    if security.user:
        return (
            f"user {security.user!r}: check user and the password in {_name(security.password)}, "
            "and that the user may read"
        )
    if security.user_certificate:
        return (
            f"the user certificate {security.user_certificate}: have it trusted there as that of "
            "a user who may read"
        )
    return "to be read anonymously: write user and password, or user_certificate, for the device"


def _name(path: Path | None) -> str:
    return str(path)
