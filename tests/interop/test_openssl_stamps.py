"""`openssl ts` and the verifier agree about an archive's time stamp: of its seal, and no other."""

from pathlib import Path

import pytest

from evidence.archive import paths
from evidence.errors import EvidenceError
from evidence.timestamp import check_stamp, is_available, stamp_request
from tests.unit.evidence import sealed_month as sm
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
