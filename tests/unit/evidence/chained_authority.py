"""A time stamp authority under two intermediate ones: `openssl ts`, with its chain or without."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from evidence.keys import Certificate, load_certificates

_CA = """[req]
distinguished_name=dn
prompt=no
[dn]
CN=nobody
[ca]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
[signer]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
"""
_TS = """[tsa]
default_tsa=t
[t]
serial=serial
signer_digest={digest}
default_policy=1.2.3.4.1
digests=sha256
ess_cert_id_alg={ess}
ess_cert_id_chain={ess_chain}
accuracy=secs:1
ordering=yes
tsa_name=yes
"""
#: what `openssl req -newkey` takes
KEYS = {
    "P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "RSA": ["rsa:2048"],
}


class ChainedAuthority:
    """Certificates root, first, second and tsa, each issued by the one before; one kind of key."""

    def __init__(self, folder: Path, kind: str) -> None:
        """Make them in a new folder."""
        folder.mkdir()
        self._folder, self.root = folder, folder / "root.pem"
        (folder / "ca.cnf").write_text(_CA)
        (folder / "serial").write_text("01\n")
        new = ["req", "-newkey", *KEYS[kind], "-nodes", "-config", "ca.cnf"]
        self._openssl(
            *new, "-x509", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root",
            "-days", "99", "-extensions", "ca",
        )  # fmt: skip
        for by, name in (("root", "first"), ("first", "second"), ("second", "tsa")):
            self._openssl(
                *new, "-keyout", f"{name}.key", "-out", "csr", "-subj", f"/CN=The {name} of all"
            )
            self._openssl(
                "x509", "-req", "-in", "csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "99", "-extfile", "ca.cnf",
                "-extensions", "signer" if name == "tsa" else "ca",
            )  # fmt: skip

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """What a reviewer who trusts it has: its root's."""
        return load_certificates(self.root)

    def answer(
        self, request: bytes, chain: Sequence[str], digest: str, ess: str, *, names_chain: bool
    ) -> bytes:
        """The response to a request, with these certificates behind the signer's."""
        (self._folder / "q.tsq").write_bytes(request)
        pem = b"".join((self._folder / f"{name}.pem").read_bytes() for name in chain)
        (self._folder / "chain.pem").write_bytes(pem)
        says = _TS.format(digest=digest, ess=ess, ess_chain="yes" if names_chain else "no")
        (self._folder / "ts.cnf").write_text(says)
        self._openssl(
            "ts", "-reply", "-config", "ts.cnf", "-queryfile", "q.tsq", "-inkey", "tsa.key",
            "-signer", "tsa.pem", "-out", "r.tsr", *(["-chain", "chain.pem"] if chain else []),
        )  # fmt: skip
        return (self._folder / "r.tsr").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
