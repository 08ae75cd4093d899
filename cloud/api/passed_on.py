"""Did a request come through a proxy? Then `visitors_operate` is not for whoever asks. No I/O.

Whoever sits at the collector's machine may operate a demo without an account. A proxy on the same
machine asks from there too, for somebody who may be anywhere, and may put 127.0.0.1 into `Host`.
"""

from starlette.requests import HTTPConnection

from cloud.accounts.roles import VISITING_OPERATOR, VISITOR, Principal

#: what proxies add: RFC 7239, RFC 9110 section 7.6.3, and by custom
_ADDED, _ADDED_WITH = {"forwarded", "via", "x-real-ip"}, "x-forwarded-"


def unsigned_of(request: HTTPConnection, unsigned: Principal) -> Principal:
    """Whom a request is taken for that does not say who asks.

    Args:
        request: any.
        unsigned: whom it is taken for when it comes straight from this machine.
    """
    return VISITOR if unsigned == VISITING_OPERATOR and was_passed_on(request) else unsigned


def was_passed_on(request: HTTPConnection) -> bool:
    """Does it show that a proxy passed it on?

    One that shows nothing is taken for a browser. No browser speaks HTTP/1.0, but nginx before
    1.29.7 does to what is behind it unless told otherwise, its `Host` replaced and nothing added.
    """
    added = any(name in _ADDED or name.startswith(_ADDED_WITH) for name in request.headers)
    return added or request.scope.get("http_version") == "1.0"
