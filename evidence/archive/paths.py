"""Where everything stands in an archive. FORMAT.md "Archive". Pure."""

import functools
import re
from datetime import UTC, datetime

STATEMENT = "data/statement.json"
LOG_ENTRIES = "data/log/entries.seg"
LOG_RANGE = "data/log/range.cbor"
LOG_CHECKPOINT = "data/log/checkpoint"
FORMAT_TEXT = "data/spec/FORMAT.md"
FIGURES_TEXT = "data/spec/FIGURES.md"
RECORDS_TEXT = "data/spec/RECORDS.md"
ROOT_CERTIFICATE = "data/keys/root.crt"
COLLECTOR_CERTIFICATE = "data/keys/collector.crt"
KEYS = "data/keys/"
RECORDS = "data/records/"
RECORD_FILES = f"{RECORDS}files/"
SEAL = "seal/seal.cose"
TIMESTAMP = "seal/seal.tsr"
TIMESTAMP_SEAL = "seal/stamp.cose"

FRAMES = re.compile(r"data/frames/([a-z0-9-]{1,40})/(\d{4}-\d{2}-\d{2})/(\d{2})\.seg")
CONFIG = re.compile(r"data/config/([0-9a-f]{64})\.cose")
GATEWAY_CERTIFICATE = re.compile(r"data/keys/gateway-([a-z0-9-]{1,40})-([0-9a-f]{16})\.crt")
EARLIER_COLLECTOR = re.compile(r"data/keys/collector-([0-9a-f]{16})\.crt")
ORDER = re.compile(r"data/keys/order-([0-9a-f]{64})\.cose")
RULES = re.compile(r"data/rules/([a-z0-9.-]{1,80})\.toml")
RECEIPT = re.compile(r"data/receipts/([a-z0-9-]{1,40})\.cose")
CLOSE = re.compile(r"seal/close-([a-z0-9-]{1,40})\.cose")
RECORD = re.compile(r"data/records/([0-9a-f]{64})\.cose")
RECORD_PROOF = re.compile(r"data/records/([0-9a-f]{64})\.proof")
RECORD_FILE = re.compile(r"data/records/files/([0-9a-f]{64})")

#: every name an archive may hold beside the bag's own tag files
KNOWN = (
    FRAMES, CONFIG, GATEWAY_CERTIFICATE, EARLIER_COLLECTOR, ORDER, RULES, RECEIPT, CLOSE,
    RECORD, RECORD_PROOF, RECORD_FILE,
)  # fmt: skip
FIXED = frozenset(
    {
        STATEMENT, LOG_ENTRIES, LOG_RANGE, LOG_CHECKPOINT, FORMAT_TEXT, FIGURES_TEXT,
        RECORDS_TEXT, ROOT_CERTIFICATE, COLLECTOR_CERTIFICATE, SEAL, TIMESTAMP, TIMESTAMP_SEAL,
    }
)  # fmt: skip


def is_known(path: str) -> bool:
    """True for a path that this format has a meaning for."""
    return path in FIXED or any(pattern.fullmatch(path) for pattern in KNOWN)


def frames(stream: str, hour: str) -> str:
    """Path of the segment of one stream and UTC hour ("YYYY-MM-DD/HH")."""
    return f"data/frames/{stream}/{hour}.seg"


@functools.lru_cache(maxsize=2)
def hour_text(hour: int) -> str:
    """An hour since 1970 UTC as "2026-10-31/16"."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%d/%H")


def config(sha256: bytes) -> str:
    """Path of a signed configuration."""
    return f"data/config/{sha256.hex()}.cose"


def gateway_certificate(gateway: str, certificate_sha256: bytes) -> str:
    """Path of a gateway's certificate; the hash is over its DER form."""
    return f"data/keys/gateway-{gateway}-{certificate_sha256.hex()[:16]}.crt"


def earlier_collector(certificate_sha256: bytes) -> str:
    """Path of a certificate of an earlier key of the collector; the hash is over its DER form."""
    return f"data/keys/collector-{certificate_sha256.hex()[:16]}.crt"


def order(sha256: bytes) -> str:
    """Path of an order about keys, or of a rotate object of an earlier month."""
    return f"data/keys/order-{sha256.hex()}.cose"


def record(sha256: bytes) -> str:
    """Path of a document that a person signed."""
    return f"data/records/{sha256.hex()}.cose"


def record_proof(sha256: bytes) -> str:
    """Path of the proof that an earlier document is in the log."""
    return f"data/records/{sha256.hex()}.proof"


def record_file(sha256: bytes) -> str:
    """Path of a file that is attached to a document."""
    return f"{RECORD_FILES}{sha256.hex()}"


def rules(rule_set: str) -> str:
    """Path of the rule set the statement was made by, or of a table beside it."""
    return f"data/rules/{rule_set}.toml"


def receipt(stream: str) -> str:
    """Path of a stream's newest receipt."""
    return f"data/receipts/{stream}.cose"


def close(stream: str) -> str:
    """Path of a gateway's signature under the month."""
    return f"seal/close-{stream}.cose"
