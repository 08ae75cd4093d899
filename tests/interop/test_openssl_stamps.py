"""`openssl ts` and the verifier agree about an archive's time stamp: of its seal, and no other."""

import hashlib
import itertools
from pathlib import Path

import pytest

from evidence.archive import paths
from evidence.errors import EvidenceError, SignatureError
from evidence.timestamp import check_stamp, is_available, stamp_request
from tests.independent.other import run_node
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.chained_authority import KEYS, ChainedAuthority
from tests.unit.evidence.test_openssl import openssl
from tests.unit.evidence.time_authority import TimeAuthority

pytestmark = [
    pytest.mark.needs("openssl"),
    pytest.mark.skipif(not is_available(), reason="rfc3161-client is not installed"),
]


def test_openssl_and_the_verifier_take_the_same_stamps(tmp_path: Path) -> None:
    ours, other = (TimeAuthority(tmp_path / name) for name in ("ours", "other"))
    seal = sm.unpack(sm.honest())[paths.SEAL]
    stamp = ours.answer(stamp_request(seal))
    bent = stamp[:-20] + bytes([stamp[-20] ^ 1]) + stamp[-19:]  # inside the signature
    cases = [
        (stamp, seal, ours, True), (stamp, seal + b"x", ours, False), (stamp, seal, other, False),
        (bent, seal, ours, False), (stamp[:-1], seal, ours, False),
    ]  # fmt: skip
    for response, data, trusted, is_good in cases:
        (tmp_path / "r.tsr").write_bytes(response)
        (tmp_path / "data").write_bytes(data)
        said = openssl(
            "ts", "-verify", "-in", tmp_path / "r.tsr", "-data", tmp_path / "data",
            "-CAfile", trusted.root,
        )  # fmt: skip
        assert ("Verification: OK" in said) == is_good, said
        if is_good:
            assert check_stamp(response, data, trusted.certificates).authority
        else:
            with pytest.raises(EvidenceError):
                check_stamp(response, data, trusted.certificates)


#: what stands behind the signer's certificate: OpenSSL sends it in this order
CHAINS = [
    ("second", "first"), ("first", "second"), ("second", "first", "root"),
    ("root", "first", "second"),
]  # fmt: skip


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
@pytest.mark.parametrize("kind", list(KEYS))
def test_replies_with_their_chain_are_taken_by_all_three(tmp_path: Path, kind: str) -> None:
    """Digests and ESSCertID (SHA-1) or ESSCertIDv2 of every kind that `openssl ts` makes."""
    tsa = ChainedAuthority(tmp_path / "tsa", kind)
    seal = sm.unpack(sm.honest())[paths.SEAL]
    (tmp_path / "data").write_bytes(seal)
    files = []
    ways = [("sha256", "sha1"), ("sha256", "sha256"), ("sha384", "sha384"), ("sha512", "sha512")]
    for chain, (digest, ess), named in itertools.product(CHAINS, ways, (False, True)):
        made = tsa.answer(stamp_request(seal), chain, digest, ess, names_chain=named)
        files.append(tmp_path / f"{len(files)}.tsr")
        files[-1].write_bytes(made)
        said = openssl(
            "ts", "-verify", "-in", files[-1], "-data", tmp_path / "data", "-CAfile", tsa.root
        )
        assert "Verification: OK" in said, (chain, digest, ess)
        assert check_stamp(made, seal, tsa.certificates).authority == "CN=The tsa of all"
    digest = hashlib.sha256(seal).hexdigest()
    assert run_node("stamps.mjs", digest, *files) == [""] * len(files)


def test_a_reply_without_its_chain_needs_the_intermediate_certificates(tmp_path: Path) -> None:
    tsa = ChainedAuthority(tmp_path / "tsa", "P-256")
    seal = sm.unpack(sm.honest())[paths.SEAL]
    made = tsa.answer(stamp_request(seal), (), "sha256", "sha256", names_chain=False)
    with pytest.raises(SignatureError, match="not by an authority you trust"):
        check_stamp(made, seal, tsa.certificates)
