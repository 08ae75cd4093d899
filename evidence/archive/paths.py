"""Where everything stands in an archive. FORMAT.md "Archive". Pure."""

import re

STATEMENT = "data/statement.json"
LOG_ENTRIES = "data/log/entries.seg"
LOG_RANGE = "data/log/range.cbor"
LOG_CHECKPOINT = "data/log/checkpoint"
FORMAT_TEXT = "data/spec/FORMAT.md"
ROOT_CERTIFICATE = "data/keys/root.crt"
COLLECTOR_CERTIFICATE = "data/keys/collector.crt"
SEAL = "seal/seal.cose"

FRAMES = re.compile(r"data/frames/([a-z0-9-]{1,40})/(\d{4}-\d{2}-\d{2})/(\d{2})\.seg")
CONFIG = re.compile(r"data/config/([0-9a-f]{64})\.cose")
GATEWAY_CERTIFICATE = re.compile(r"data/keys/gateway-([a-z0-9-]{1,40})-([0-9a-f]{16})\.crt")
RULES = re.compile(r"data/rules/([a-z0-9.-]{1,80})\.toml")
RECEIPT = re.compile(r"data/receipts/([a-z0-9-]{1,40})\.cose")
CLOSE = re.compile(r"seal/close-([a-z0-9-]{1,40})\.cose")

#: every name an archive may hold beside the bag's own tag files
KNOWN = (FRAMES, CONFIG, GATEWAY_CERTIFICATE, RULES, RECEIPT, CLOSE)
FIXED = frozenset(
    {
        STATEMENT, LOG_ENTRIES, LOG_RANGE, LOG_CHECKPOINT, FORMAT_TEXT, ROOT_CERTIFICATE,
        COLLECTOR_CERTIFICATE, SEAL,
    }
)  # fmt: skip


def is_known(path: str) -> bool:
    """True for a path that this format has a meaning for."""
    return path in FIXED or any(pattern.fullmatch(path) for pattern in KNOWN)


def frames(stream: str, hour: str) -> str:
    """Path of the segment of one stream and UTC hour ("YYYY-MM-DD/HH")."""
    return f"data/frames/{stream}/{hour}.seg"


def config(sha256: bytes) -> str:
    """Path of a signed configuration."""
    return f"data/config/{sha256.hex()}.cose"


def gateway_certificate(gateway: str, fingerprint: bytes) -> str:
    """Path of a gateway's certificate."""
    return f"data/keys/gateway-{gateway}-{fingerprint.hex()[:16]}.crt"


def rules(rule_set: str) -> str:
    """Path of the rule set the statement was made by."""
    return f"data/rules/{rule_set}.toml"


def receipt(stream: str) -> str:
    """Path of a stream's newest receipt."""
    return f"data/receipts/{stream}.cose"


def close(stream: str) -> str:
    """Path of a gateway's signature under the month."""
    return f"seal/close-{stream}.cose"
