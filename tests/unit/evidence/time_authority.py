"""A time stamp authority of this machine: `openssl ts` answers what a request asks."""

import subprocess
from pathlib import Path

from evidence.keys import Certificate, load_certificates
from tests.attacks.by_stamps import number, tlv

_CA = """[req]
distinguished_name=dn
prompt=no
[dn]
CN=Test time root
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
[signer]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
subjectKeyIdentifier=hash
[other]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
"""
_TS = """[tsa]
default_tsa=t
[t]
serial={folder}/serial
signer_digest=sha256
default_policy=1.2.3.4.1
digests=sha256,sha512
ess_cert_id_alg=sha256
"""
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class TimeAuthority:
    """An authority with a root of its own.

    Attributes:
        root: path of its root certificate, PEM.
    """

    def __init__(self, folder: Path) -> None:
        """Make root and signer in a new folder."""
        folder.mkdir()
        self._folder, self.root = folder, folder / "root.pem"
        (folder / "ca.cnf").write_text(_CA)
        (folder / "ts.cnf").write_text(_TS.format(folder=folder))
        (folder / "serial").write_text("01\n")
        conf = ["-config", "ca.cnf"]
        self._openssl("req", "-x509", *_KEY, "-keyout", "root.key", "-out", "root.pem",
                      "-days", "3650", *conf, "-extensions", "root")  # fmt: skip
        for name, extensions in (("tsa", "signer"), ("other", "other")):
            self._openssl("req", "-new", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                          *conf, "-subj", "/CN=Test time")  # fmt: skip
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem", "-CAkey",
                          "root.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "3650",
                          "-extfile", "ca.cnf", "-extensions", extensions)  # fmt: skip

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """What a reviewer who trusts it has."""
        return load_certificates(self.root)

    def answer(self, request: bytes) -> bytes:
        """The response to a request (RFC 3161, DER)."""
        (self._folder / "q.tsq").write_bytes(request)
        self._openssl("ts", "-reply", "-config", "ts.cnf", "-queryfile", "q.tsq", "-inkey",
                      "tsa.key", "-signer", "tsa.pem", "-out", "r.tsr")  # fmt: skip
        return (self._folder / "r.tsr").read_bytes()

    @property
    def signer(self) -> tuple[Certificate, ...]:
        """The certificate that it signs stamps with."""
        return load_certificates(self._folder / "tsa.pem")

    def says(self, told: bytes, by: str = "tsa") -> bytes:
        """A granted response that says anything (DER), signed by "tsa" or by "other"."""
        (self._folder / "told").write_bytes(told)
        self._openssl("cms", "-sign", "-binary", "-nodetach", "-econtent_type",
                      "1.2.840.113549.1.9.16.1.4", "-in", "told", "-signer", f"{by}.pem",
                      "-inkey", f"{by}.key", "-outform", "DER", "-out", "token")  # fmt: skip
        return tlv(0x30, tlv(0x30, number(0)), (self._folder / "token").read_bytes())

    def asked(self, data: bytes, *arguments: str) -> bytes:
        """A request as openssl itself makes it."""
        (self._folder / "data").write_bytes(data)
        self._openssl("ts", "-query", "-data", "data", *arguments, "-out", "own.tsq")
        return (self._folder / "own.tsq").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
