"""A real PKCS#11 token of this test run (SoftHSM), and references to its keys."""

import shutil
import subprocess
from pathlib import Path

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
ED25519_OID = bytes.fromhex("06032b6570")  # 1.3.101.112, RFC 8410
PIN = "t0ken-s3cret"  # nothing else says that


def module_path() -> str:
    """The module's file."""
    found = [path for path in MODULES if Path(path).exists()]
    assert found, "softhsm2-util is here and its library is not"
    return found[0]


def uri(label: str, pin: str = "pin", named: str = "t1") -> str:
    """How a site file or CLOUD.toml names a key of the token."""
    module = module_path()
    return f"pkcs11:token={named};object={label}?module-path={module}&pin-source=file:{pin}"


def make_token(folder: Path) -> None:
    """A token with keys p256, p384 and ed, and its PIN file; SOFTHSM2_CONF names `settings`."""
    program = shutil.which("softhsm2-util")
    assert program is not None
    subprocess.run(
        [program, "--init-token", "--free", "--label", "t1", "--so-pin", "5678", "--pin", PIN],
        check=True,
        capture_output=True,
        timeout=30,
    )
    (found,) = pkcs11.lib(module_path()).get_tokens(token_label="t1")  # noqa: S106 - a name
    with found.open(user_pin=PIN, rw=True) as made:
        for label, curve in (("p256", "secp256r1"), ("p384", "secp384r1")):
            named = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            made.create_domain_parameters(KeyType.EC, named, local=True).generate_keypair(
                store=True, label=label
            )
        made.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: ED25519_OID}, local=True
        ).generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="ed")
    pin = folder / "pin"
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o600)
