"""From a reference in a configuration file to the key that signs: `file:…` or `pkcs11:…`.

    file:keys/edge-1.pem                       PEM, mode 0600, relative to the configuration file
    pkcs11:token=T;object=O?module-path=…      a key in a token, card, TPM or HSM (RFC 7512)

Everything that signs takes a `Signer`; nothing else knows where the key lives.
"""

from pathlib import Path

from evidence.errors import KeyFileError
from evidence.keys import FileSigner, Signer

FILE, PKCS11 = "file:", "pkcs11:"


def key_file(reference: str, folder: Path) -> Path | None:
    """The file that a reference names; None where it is no file's. `folder` as below."""
    return folder / reference.removeprefix(FILE) if reference.startswith(FILE) else None


def open_signer(reference: str, folder: Path) -> Signer:
    """The signer a reference names.

    Args:
        reference: as written in the configuration.
        folder: of the configuration file; relative paths start there.

    Raises:
        KeyFileError: no such key, open to others, of another kind, or the token refuses.
    """
    if (path := key_file(reference, folder)) is not None:
        return FileSigner.load(path)
    if reference.startswith(PKCS11):
        # imported on use: the package is optional, and so is the hardware
        from evidence.pkcs11_signer import Pkcs11Signer, parse_uri

        return Pkcs11Signer(parse_uri(reference, folder))
    # what stands there may be the key itself: it is not repeated
    raise KeyFileError("no key reference: write file:PATH or pkcs11:URI")
