"""Doors of `evidence`: CBOR, signed objects, frames, log, receipts, orders, notes, keys, stamps."""

import datetime as dt
import functools
import hashlib
import json
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import cbor, checkpoint, cose, keys, log, receipt
from evidence.blocks import compress, decode_block, decompress, encode_block
from evidence.broker_certificates import Ca, decode_broker_request, encode_broker_request
from evidence.broker_revocations import read_list, revocation_list
from evidence.certify import decode_request, encode_request
from evidence.cli_persons import exported
from evidence.cli_screen import read_balances
from evidence.config_changes import config_changes
from evidence.configuration import Together, decode_configuration
from evidence.cosignature import cosign, decode_cosignature, verify_cosigned, witness_name
from evidence.documents.certified import PersonsList, decode_list, encode_list
from evidence.documents.document import Document, decode_document, signed_by
from evidence.documents.kinds import check_document
from evidence.documents.observed.paper import instant_of, parse_paper
from evidence.documents.plainly import body_of, plain_body
from evidence.errors import EvidenceError
from evidence.frame import TYP_FRAME, decode_body, encode_body, header_of, place_of
from evidence.inclusion_receipt import encode_inclusion, verify_inclusion
from evidence.key_files import public_der, witness_keys
from evidence.keys import FileSigner
from evidence.log_details import check_entry
from evidence.merkle import inclusion_path, leaf_hash, root_of
from evidence.orders import decode_order, decode_rotate, encode_rotate, is_order
from evidence.pkcs11_signer import parse_uri
from evidence.points import Dtype
from evidence.public_key import load_key
from evidence.recompute import Recomputation
from evidence.records import read_records, whole_length
from evidence.signers import open_signer
from evidence.site_order import SiteOrder, decode_site_order, encode_site_order
from firmware_configs.toml import NotTomlError, parse_toml
from tests.attacks import by_keys
from tests.fuzz.doors import Door, file_door, pure
from tests.fuzz.mutating import (
    cbor_bent,
    json_bent,
    lines_bent,
    note_bent,
    object_bent,
    payload_bent,
    pem_bent,
    records_bent,
    spoilt,
    toml_bent,
)
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers

OURS = (EvidenceError,)
WHO = sm.keys()
MONTH = sm.month()
FRAMES = [o for o in MONTH.objects if cose.parse(o).typ == TYP_FRAME]
PAYLOADS = [cose.parse(o).payload for o in FRAMES]
CONFIG = cose.parse(MONTH.objects[0]).payload
ENTRIES = list(MONTH.entries)
NOTE = sm.log_note(ENTRIES)
WITNESS = witness_name(sm.PLANT, sm.STREAM)
DTYPES = list(Dtype)
BROKER_ASKED = [
    encode_broker_request("mini", "edge-1", WHO.gateway, keys.FileSigner(keys.generate("p256")))
]


def _cbor(data: bytes) -> None:
    assert cbor.encode(cbor.decode(data)) == data  # one value, one spelling


def _object(data: bytes) -> None:
    envelope = cose.parse(data)
    place_of(envelope)
    header_of(envelope)
    cose.verify(envelope, WHO.gateway.public_key)
    decode_body(envelope.payload)


def _body(payload: bytes) -> None:
    body = decode_body(payload)
    for section in body.sections:
        assert len(section.ticks_ns()) == section.ticks
    assert decode_body(encode_body(body)).readings == body.readings


def _configuration(payload: bytes) -> None:
    config = Together().decode(payload)
    list(config_changes(decode_configuration(CONFIG), config))
    Recomputation().configure(b"x", config)


def _block(data: bytes) -> None:
    """The first four bytes say of what kind and shape the rest is."""
    dtype, how, rows, ticks = [*data[:4], 0, 0, 0, 0][:4]
    raw = decode_block(data[4:], DTYPES[dtype % len(DTYPES)], how % 4, rows, ticks)
    assert raw.shape == (rows, ticks)


@functools.cache
def _blocks() -> list[bytes]:
    made = []
    for body in map(decode_body, PAYLOADS):
        for section in body.sections:
            for group in section.groups:
                how = 2 if group.dtype.is_float else 1
                data = encode_block(group.raw, group.dtype, how)
                shape = [DTYPES.index(group.dtype), how, *group.raw.shape]
                made.append(bytes(shape) + data)
    return made


def _entry(data: bytes) -> None:
    entry = log.decode_entry(data)
    assert log.encode_entry(entry) == data
    check_entry(entry)


def _records(data: bytes) -> None:
    assert whole_length(data) <= len(data)
    list(read_records(data))


def _note(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    checkpoint.parse(text)
    checkpoint.verify_any(text, [WHO.gateway.public_key, WHO.collector.public_key])


def _cosigned(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    verify_cosigned(text, WITNESS, WHO.gateway.public_key, [WHO.collector.public_key])


def _cosigned_note() -> bytes:
    return cosign(NOTE, WITNESS, 1_781_500_000, WHO.gateway, WHO.gateway.public_key).encode()


def _cosignature(payload: bytes) -> None:
    _cosigned(decode_cosignature(payload).encode("utf-8", "surrogatepass"))


def _order(data: bytes) -> None:
    is_order(data)
    decode_order(data, WHO.root.public_key)


def _receipt_of_inclusion() -> bytes:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    path = inclusion_path(leaves, 2)
    return encode_inclusion(sm.PLANT, ENTRIES[2], 2, len(leaves), path, signer=WHO.collector)


def _inclusion_bent(data: bytes, choose: Random) -> bytes:
    """Header or proof bent, and signed over the true root."""
    protected, outer, nothing, signature = cbor.decode(data[1:])
    if choose.randint(0, 1):
        protected = cbor_bent(protected, choose)
        root = root_of([leaf_hash(entry) for entry in ENTRIES])
        signature = WHO.collector.sign(cbor.encode(["Signature1", protected, b"", root]))
    else:
        outer = {396: {-1: [cbor_bent(outer[396][-1][0], choose)]}}
    made = b"\xd2" + cbor.encode([protected, outer, nothing, signature])
    return made if choose.randint(0, 3) else b"\xd2" + cbor_bent(made[1:], choose)


def _certificate(certificate: keys.Certificate) -> None:
    keys.certificate_to_pem(certificate)
    keys.is_issued_by(certificate, WHO.certificates["root"])
    keys.is_issued_by(WHO.certificates["gateway"], certificate)
    keys.identity(certificate)
    keys.key_sha256(keys.public_key(certificate))


def _document(data: bytes) -> None:
    signed_by(data)
    check_document(decode_document(data, LI.public_key))


def _written_body(data: bytes) -> None:
    """A body as somebody wrote it: what is taken is said again as it was."""
    made = body_of("invoice", parse_toml(data))
    check_document(Document("p", "li", 0, "invoice", "x", made))
    assert body_of("invoice", plain_body("invoice", made)) == made


def _rotate(payload: bytes) -> None:
    _certificate(decode_rotate(payload))


LI = papers.key_of("li")
INVOICE = b"""number = "1"\nparty = "Coal"\npart = "output"\nvalue = "1.5"\nunit = "t"
from_ns = 2026-05-01T00:00:00+08:00\nto_ns = "2026-05-02T00:00:00.5Z"\n"""
PAPERS = [data for data in papers.papers() if signed_by(data)[0] == "li"]
PEMS = [keys.certificate_to_pem(c) for c in WHO.certificates.values()]
ROOT = keys.certificate_to_pem(WHO.certificates["root"])
PUBLIC = WHO.gateway.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DAY_0 = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
LISTS = [revocation_list(Ca(WHO.root, WHO.certificates["root"]), [1, 2**90], DAY_0)]
DERS = [keys.certificate_to_der(c) for c in WHO.certificates.values()]
HEAD = hashlib.sha256(MONTH.objects[2]).digest()
EVERYBODY = tuple(map(papers.row_of, papers.WHO))
LISTED = encode_list(PersonsList(sm.PLANT, EVERYBODY), WHO.root)
EXPORTED = json.dumps(
    {"plant": sm.PLANT, "persons": [{**vars(row), "key": row.key.hex()} for row in EVERYBODY]}
).encode()
SITE_ORDERS = [encode_site_order(SiteOrder("p", "s", 7, b"format = 1\n", "why"), WHO.root)]
ORDERS = [by_keys.revoke(3), by_keys.revoke(None), by_keys.replacement(2, HEAD)]
ROTATE = encode_rotate(by_keys.NEXT)
COSIGNATURE = compress(cbor.encode({"checkpoint": _cosigned_note().decode()}))
ASKED = [encode_request("gateway", sm.PLANT, sm.STREAM, sm.keys(p256=p).gateway) for p in (0, 1)]
URIS = [
    b"pkcs11:token=plant;object=edge-1?module-path=/usr/lib/softhsm/libsofthsm2.so",
    b"pkcs11:object=a%20b;token=t?pin-source=file:pin&module-path=m.so",
]


def _private_seeds(folder: Path) -> list[bytes]:
    made = []
    for kind in ("ed25519", "p256"):
        path = folder / f"{kind}.pem"
        keys.write_private(path, keys.generate(kind))
        made.append(path.read_bytes())
    return made


def _reference(path: Path) -> None:
    open_signer(f"file:{path.name}", path.parent)
    FileSigner.load(path).sign(b"x")


BALANCES = b'[[balance]]\nplant = "a"\nname = "gas"\nenters = ["x"]\nleaves = ["y", "z"]\n'
PAPER = json.dumps(
    {"pages": 1, "pages_read": 1, "revisions": 1, "signatures": 0, "made": "D:2026103116+08'00'",
     "changed": "", "producer": "LIMS", "author": "", "text": "HT-2026-0412\n",
     "codes": [["no"]], "unread": ""}
).encode()  # fmt: skip

DOORS: list[Door] = [
    pure("cbor", _cbor, [decompress(CONFIG), *map(decompress, PAYLOADS), *ENTRIES], cbor_bent, OURS,
         "evidence.cbor.decode"),
    pure("signed object", _object, FRAMES, object_bent(WHO.gateway), OURS, "evidence.cose.parse",
         "evidence.frame.header_of", "evidence.frame.place_of", "evidence.cose.verify"),
    pure("frame body", _body, PAYLOADS, payload_bent, OURS,
         "evidence.frame.decode_body", "evidence.runs.decode_runs"),
    pure("configuration", _configuration, [CONFIG], payload_bent, OURS, "evidence.points.from_map",
         "evidence.configuration.decode_configuration", "evidence.configuration.decode",
         weight=2),
    pure("block", _block, _blocks(), spoilt, OURS, "evidence.blocks.decode_block"),
    pure("compressed payload", decompress, [compress(b"x" * 999, how) for how in (0, 1, 2)],
         spoilt, OURS, "evidence.blocks.decompress"),
    pure("log entry", _entry, ENTRIES, cbor_bent, OURS, "evidence.log.decode_entry"),
    pure("record file", _records, [sm.seg(ENTRIES)], records_bent(spoilt), OURS,
         "evidence.records.read_records", "evidence.records.records_in"),
    pure("checkpoint", _note, [NOTE.encode()], note_bent(f"stackproof/{sm.PLANT}", WHO.collector),
         OURS, "evidence.checkpoint.parse", "evidence.checkpoint.verify",
         "evidence.checkpoint.verify_any"),
    pure("cosigned checkpoint", _cosigned, [_cosigned_note()], lines_bent, OURS,
         "evidence.cosignature.verify_cosigned"),
    pure("cosignature", _cosignature, [COSIGNATURE], payload_bent, OURS,
         "evidence.cosignature.decode_cosignature"),
    pure("receipt", lambda d: receipt.decode_receipt(d, WHO.collector.public_key), [MONTH.receipt],
         object_bent(WHO.collector), OURS, "evidence.receipt.decode_receipt"),
    pure("close request", lambda d: receipt.decode_close_request(d, WHO.collector.public_key),
         [receipt.encode_close_request(receipt.decode_close(cose.parse(MONTH.close).payload),
                                       WHO.collector)],
         object_bent(WHO.collector), OURS, "evidence.receipt.decode_close_request"),
    pure("close", receipt.decode_close, [cose.parse(MONTH.close).payload], payload_bent, OURS,
         "evidence.receipt.decode_close"),
    pure("receipt of inclusion",
         lambda d: verify_inclusion(d, ENTRIES[2], WHO.collector.public_key),
         [_receipt_of_inclusion()], _inclusion_bent, OURS,
         "evidence.inclusion_receipt.verify_inclusion"),
    pure("order", _order, ORDERS, object_bent(WHO.root), OURS, "evidence.orders.decode_order"),
    pure("site order", lambda d: decode_site_order(d, WHO.root.public_key), SITE_ORDERS,
         object_bent(WHO.root), OURS, "evidence.site_order.decode_site_order"),
    pure("list of persons", lambda d: decode_list(d, WHO.root.public_key), [LISTED],
         object_bent(WHO.root), OURS, "evidence.documents.certified.decode_list"),
    file_door("exported list of persons", lambda p: exported(p, p.read_bytes()),
              lambda _: [EXPORTED], json_bent, OURS),
    file_door("keys of witnesses", lambda p: witness_keys([p]), lambda _: [PUBLIC], pem_bent, OURS),
    pure("document", _document, PAPERS, object_bent(LI), OURS,
         "evidence.documents.document.decode_document"),
    pure("document's body", _written_body, [INVOICE], toml_bent, (EvidenceError, NotTomlError)),
    file_door("person's key as a file", public_der, lambda _: [PUBLIC, _private_seeds(_)[0]],
              pem_bent, OURS),
    pure("person's key", load_key, [papers.spki(LI), papers.spki(sm.keys(p256=True).gateway)],
         spoilt, OURS, "evidence.public_key.load_key"),
    pure("networks a reviewer names", read_balances, [BALANCES], toml_bent, OURS,
         "evidence.cli_screen.read_balances"),
    pure("paper of a PDF", lambda d: instant_of(parse_paper(d).made), [PAPER], json_bent, OURS,
         "evidence.documents.observed.paper.parse_paper"),
    pure("rotate", _rotate, [ROTATE], payload_bent, OURS, "evidence.orders.decode_rotate"),
    pure("certificate, PEM", lambda d: _certificate(keys.certificate_from_pem(d)), PEMS, pem_bent,
         OURS, "evidence.keys.certificate_from_pem"),
    pure("certificate, DER", lambda d: _certificate(keys.certificate_from_der(d)), DERS, spoilt,
         OURS, "evidence.keys.certificate_from_der"),
    pure("key in a token", lambda d: parse_uri(d.decode("utf-8", "replace"), Path()), URIS,
         toml_bent, OURS, "evidence.pkcs11_signer.parse_uri"),
    file_door("private key", _reference, _private_seeds, pem_bent, OURS,
              "evidence.keys.load_private", "evidence.keys.load", "evidence.signers.open_signer"),
    pure("request for a certificate", decode_request, ASKED, pem_bent, OURS,
         "evidence.certify.decode_request"),
    pure("request for a broker certificate",
         lambda data: decode_broker_request(data, WHO.gateway.public_key), BROKER_ASKED,
         object_bent(WHO.gateway, spoilt), OURS,
         "evidence.broker_certificates.decode_broker_request"),
    pure("revocation list, PEM", read_list, LISTS, pem_bent, OURS,
         "evidence.broker_revocations.read_list"),
    file_door("certificates of authorities", keys.load_certificates, lambda _: [b"".join(PEMS)],
              pem_bent, OURS, "evidence.keys.load_certificates"),
    file_door("certificate file", keys.load_certificate, lambda _: PEMS, pem_bent, OURS,
              "evidence.keys.load_certificate"),
    file_door("trusted keys", keys.load_trust, lambda _: [ROOT, ROOT + PUBLIC], pem_bent,
              OURS, "evidence.keys.load_trust"),
]  # fmt: skip
