"""A running collector with a plant, readings, a document, and an account of every role."""

import base64
import hashlib
import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud.accounts.desks import open_accounts
from cloud.accounts.roles import STRANGER, Profile
from cloud.accounts.store import AccountStore
from cloud.accounts.totp import code_of
from cloud.clock import SystemClock
from evidence.documents.document import AttachedFile, Document, encode_document
from evidence.keys import FileSigner, generate
from tests.integration.cloud.cloud_process import Cloud, wait
from tests.unit.cloud.accounts.people_examples import PASSWORD, PROFILES, SECURITY
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS
from tests.unit.cloud.kept import kept_in

FRAMES = 30
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PERIOD = {"from_ns": T0_NS, "to_ns": T0_NS + SECOND_NS}
INVOICE = {"number": "0001", "party": "Coal Ltd", "part": "purchased", "value": "120.50",
           "unit": "t", **PERIOD}  # fmt: skip

#: by these nobody could ask any more
LEFT_OUT = ("/api/v1/session", "/api/v1/sessions", "/api/v1/password")

Headers = Mapping[str, str]


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, Mapping[str, Headers]]]:
    """Its address, and role -> the headers of somebody who has it; "program" and "nobody" too."""
    cloud = Cloud(folder)
    cloud.config.write_text(cloud.config.read_text().replace("accounts = false\n", ""))
    state = folder / "state"
    state.mkdir()
    people = _join(folder)
    ready = cloud.start()
    address = ready["http"]
    try:
        token = (state / "api.token").read_text().strip()
        send_readings(cloud, ready["broker"])
        _sign(address, {"Authorization": f"Bearer {token}"}, people["accountant"])
        for headers in people.values():
            headers["Origin"] = address
        yield address, {**people, "program": {"Authorization": f"Bearer {token}"}, "nobody": {}}
    finally:
        status, printed = cloud.end()
        assert (status, "Traceback" in printed) == (0, False), printed[-4000:]


def _join(folder: Path) -> dict[str, dict[str, str]]:
    """Accounts of all roles, each of the person of its name, and their sessions' headers."""
    store, found = AccountStore(kept_in(folder)), {}
    accounts = open_accounts(store, SystemClock(), {"mini": "370700"}, STRANGER)
    for role, profile in PROFILES.items():
        of = Profile("reviewer", "") if role == "reviewer" else profile
        secret = accounts.people.invite(SECURITY, role, role.title(), "Works", of)
        key = accounts.people.invited(secret).second_factor
        done = accounts.people.accept(secret, PASSWORD, code_of(key, int(time.time()) // 30))
        found[role] = {
            "Cookie": f"stackproof-session={done.cookie}", "X-CSRF-Token": done.principal.csrf,
        }  # fmt: skip
    return found


def send_readings(cloud: Cloud, broker: str) -> None:
    """A configuration and half a minute of frames, until they are under receipt."""
    gateway = cloud.plant.gateways["edge-1"]
    gateway.config()
    for n in range(FRAMES):
        gateway.frame(T0_NS + n * SECOND_NS)
    publisher = cloud.publisher(
        json.loads((cloud.folder / "state/ready.json").read_text())["broker"]
    )
    wait(lambda: publisher.receipted == FRAMES)
    publisher.stop()


def _sign(address: str, program: Headers, accountant: Headers) -> None:
    """The accountant is enrolled, and signs an invoice with its scan."""
    signer = FileSigner(generate())
    key = signer.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    person = {"person": "accountant", "name": "Ann", "organisation": "Works", "role": "accountant"}
    _post(f"{address}/api/v1/plants/mini/persons", {**person, "key": key.hex()}, program)
    file = AttachedFile("scan.pdf", "application/pdf", len(PDF), hashlib.sha256(PDF).digest())
    signed = encode_document(
        Document("mini", "accountant", T0_NS // SECOND_NS, "invoice", "coal", INVOICE, (), (file,)),
        signer,
    )
    in_text = [base64.b64encode(data).decode() for data in (signed, PDF)]
    posted = {"document": in_text[0], "files": in_text[1:]}
    _post(f"{address}/api/v1/plants/mini/documents", posted, accountant)


def _post(url: str, body: Any, headers: Headers) -> None:
    told = {**headers, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), told)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
