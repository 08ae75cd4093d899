"""No request that the OpenAPI document allows, nor one beside it, is answered with a 5xx.

Beside schemathesis, which is too heavy to carry along (CONTRIBUTING.md says how it is run).
"""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.accounts.roles import VISITOR
from tests.unit.cloud.accounts.people_examples import Town
from tests.unit.cloud.app_examples import TOKEN

Route = tuple[str, str, dict[str, Any]]

ATOMS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
JUNK = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KNOWN = ["mini", "edge-1", "security", "2026-09", "ab" * 32, "0" * 12, "*", "37", "see"]
#: by it the others would be asked by nobody
LEFT_OUT = ("delete", "/api/v1/session")


def values(schema: dict[str, Any], parts: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a schema of the document allows, and texts beside it."""
    schema = parts[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    kind, found = schema.get("type"), st.sampled_from(KNOWN) | st.text(max_size=30)
    if "enum" in schema:
        found = st.sampled_from(schema["enum"]) | st.text(max_size=9)
    elif kind == "object":
        named = {key: values(part, parts) for key, part in schema.get("properties", {}).items()}
        needed = {key: named.pop(key) for key in schema.get("required", ())}
        found = st.fixed_dictionaries(needed, optional=named)
    elif kind == "array":
        found = st.lists(values(schema["items"], parts), max_size=4)
    elif kind == "integer":
        found = st.integers(schema.get("minimum", -5), schema.get("maximum", 2**63))
    elif kind == "boolean":
        found = st.booleans()
    elif "pattern" in schema:
        found = st.sampled_from(KNOWN) | st.from_regex(schema["pattern"], fullmatch=True)
    return found


@pytest.fixture
def opened(cheap_hashes: None) -> tuple[TestClient, list[Route], dict[str, Any]]:
    """A security administrator's browser, every route, and the schemas they name."""
    town = Town(VISITOR)
    done = town.join("security")
    client = town.client(done)
    client.headers["X-CSRF-Token"] = done.principal.csrf
    document = client.get("/api/openapi.json").json()
    found = [
        (method, path, route)
        for path, methods in document["paths"].items()
        for method, route in methods.items()
        if (method, path) != LEFT_OUT
    ]
    return client, found, document["components"]["schemas"]


@settings(
    max_examples=300, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_no_request_is_answered_with_5xx(
    opened: tuple[TestClient, list[Route], dict[str, Any]], data: st.DataObject
) -> None:
    client, found, parts = opened
    method, path, route = data.draw(st.sampled_from(found))
    query = {}
    for parameter in route.get("parameters", []):
        value = data.draw(values(parameter["schema"], parts))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(value).replace("/", "") or "x")
        else:
            query[parameter["name"]] = value
    headers, content = {}, None
    if "requestBody" in route:
        ((media_type, body),) = route["requestBody"]["content"].items()
        drawn = data.draw(values(body["schema"], parts) | JUNK)
        content = json.dumps(drawn) if media_type == "application/json" else str(drawn)
        headers["Content-Type"] = media_type
    if data.draw(st.booleans()):
        headers["Authorization"] = f"Bearer {TOKEN}"
    address = client.base_url.copy_with(path=path)
    answer = client.request(method, address, params=query, content=content, headers=headers)
    assert answer.status_code < 500, (method, path, answer.text)
