"""Requests that the OpenAPI document allows, and some beside them, to a running collector.

By somebody of every role. None may be answered with a 5xx, and each is answered within seconds.
`tests/interop/test_openapi.py` lets schemathesis do it, for longer.
"""

import http.client
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.cloud.running_collector import LEFT_OUT, Headers, running

Route = tuple[str, str, dict[str, Any]]

ANSWER_S = 10.0
ATOMS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
JUNK = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
#: what is there, by the name of the parameter
KNOWN = {"plant": "mini", "gateway": "edge-1", "month": "2026-09", "kind": "invoice",
         "account": "security", "sha256": "ab" * 32, "point": "meter.count"}  # fmt: skip
SOME = [*KNOWN.values(), "0" * 12, "*", "37", "see"]


@dataclass
class Asked:
    """A running collector, who asks it, its routes, and the schemas they name."""

    address: str
    people: Mapping[str, Headers]
    routes: list[Route]
    parts: dict[str, Any]

    def ask(self, method: str, target: str, body: str | None, headers: Headers) -> tuple[int, str]:
        host = urllib.parse.urlsplit(self.address).netloc
        connection = http.client.HTTPConnection(host, timeout=ANSWER_S)
        try:
            connection.request(method.upper(), target, body and body.encode(), dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()


def values(schema: dict[str, Any], parts: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a schema of the document allows, and texts beside it."""
    schema = parts[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    kind, found = schema.get("type"), st.sampled_from(SOME) | st.text(max_size=30)
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
        found = st.sampled_from(SOME) | st.from_regex(schema["pattern"], fullmatch=True)
    return found


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with running(tmp_path_factory.mktemp("collector")) as (address, people):
        made = Asked(address, people, [], {})
        status, text = made.ask("GET", "/api/openapi.json", None, {})
        assert status == 200
        document = json.loads(text)
        made.parts.update(document["components"]["schemas"])
        made.routes.extend(
            (method, path, route)
            for path, methods in document["paths"].items()
            for method, route in methods.items()
            if path not in LEFT_OUT
        )
        yield made


@settings(
    max_examples=200, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_no_request_is_answered_with_5xx(asked: Asked, data: st.DataObject) -> None:
    method, path, route = data.draw(st.sampled_from(asked.routes))
    query = {}
    for parameter in route.get("parameters", []):
        name, drawn = parameter["name"], values(parameter["schema"], asked.parts)
        value = data.draw(st.just(KNOWN[name]) | drawn if name in KNOWN else drawn)
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", urllib.parse.quote(str(value), safe="") or "x")
        else:
            query[name] = value
    who = data.draw(st.sampled_from(sorted(asked.people)))
    headers, content = dict(asked.people[who]), None
    if "requestBody" in route:
        ((media_type, body),) = route["requestBody"]["content"].items()
        drawn = data.draw(values(body["schema"], asked.parts) | JUNK)
        content = json.dumps(drawn) if media_type == "application/json" else str(drawn)
        headers["Content-Type"] = media_type
    status, text = asked.ask(method, f"{path}?{urllib.parse.urlencode(query)}", content, headers)
    assert status < 500, (who, method, path, query, content, text)
