"""Reading is all this driver can do: its source names no write, its gate lets none through."""

import ast
from pathlib import Path

import pytest
from asyncua import ua

import edge.drivers.opcua.session as module
from edge.drivers.opcua.refusals import RefusedError
from edge.drivers.opcua.session import _ALLOWED, _ReadsOnly

SOURCE = Path(module.__file__)
FOLDER = SOURCE.parent
BOUNDS = FOLDER / "bounds.py"  # what asyncua may be given: sends nothing
CERTIFICATES = FOLDER / "certificates.py"  # X.509 with what asyncua reads it with: sends nothing

READING = {
    "GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest",
    "CloseSessionRequest", "ReadRequest", "BrowseRequest", "BrowseNextRequest",
    "CreateSubscriptionRequest", "CreateMonitoredItemsRequest", "PublishRequest",
    "DeleteSubscriptionsRequest",
}  # fmt: skip


def attributes(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }


def test_the_allowed_requests_are_real_and_none_changes_anything() -> None:
    assert set(_ALLOWED) == READING
    assert all(hasattr(ua, name) for name in _ALLOWED)


def every_request() -> list[str]:
    return sorted(n for n in dir(ua) if n.endswith("Request") and isinstance(getattr(ua, n), type))


def test_asyncua_has_the_dangerous_requests_under_the_names_tested_here() -> None:
    assert {"WriteRequest", "CallRequest", "AddNodesRequest", "DeleteNodesRequest",
            "HistoryUpdateRequest", "AddReferencesRequest"} <= set(every_request())  # fmt: skip


@pytest.mark.parametrize("name", every_request())
def test_the_gate_lets_reading_requests_pass_and_stops_every_other(name: str) -> None:
    request = getattr(ua, name)()
    if name in READING:
        with _ReadsOnly(is_encrypted=True).observe_request(request):
            pass
    else:
        with pytest.raises(RuntimeError, match=f"{name} must never leave the edge"):
            _ReadsOnly(is_encrypted=True).observe_request(request)


def test_the_driver_names_no_service_that_changes_anything() -> None:
    named = set().union(*(attributes(path) for path in FOLDER.glob("*.py")))
    assert not {n for n in named if "write" in n.lower()}
    assert not named & {
        "call", "call_method", "set_value", "set_values", "add_nodes", "delete_nodes",
        "history_update", "register_nodes", "set_monitoring_mode", "protocol_send",
    }  # fmt: skip


@pytest.mark.parametrize("is_encrypted", [True, False])
@pytest.mark.parametrize("algorithm", [None, "http://www.w3.org/2001/04/xmlenc#rsa-oaep"])
def test_a_password_leaves_encrypted_or_not_at_all(
    is_encrypted: bool, algorithm: str | None
) -> None:
    request = ua.ActivateSessionRequest()
    request.Parameters.UserIdentityToken = ua.UserNameIdentityToken(
        UserName="edge", Password=b"hunter2", EncryptionAlgorithm=algorithm
    )
    gate = _ReadsOnly(is_encrypted=is_encrypted)
    if is_encrypted or algorithm:
        with gate.observe_request(request):
            pass
    else:
        with pytest.raises(RefusedError, match="only signed: write security") as caught:
            gate.observe_request(request)
        assert "hunter2" not in str(caught.value)


def test_only_one_file_speaks_by_asyncua_and_two_mind_what_it_reads() -> None:
    for path in FOLDER.parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        touches = "import asyncua" in text or "from asyncua" in text
        assert touches == (path in (SOURCE, CERTIFICATES, BOUNDS)), path
