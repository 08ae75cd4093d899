"""`stackproof keys …`: identities and orders about them, as files. Prints.

Private keys are written once, for their owner only; nothing is ever overwritten. A key may live in
a token instead: wherever a REF stands, `file:PATH` or `pkcs11:URI`.
"""

import argparse
from pathlib import Path
from typing import Any

from evidence.certify import encode_request
from evidence.cli_persons import add_person_commands
from evidence.cli_root import add_root_commands
from evidence.cli_show import add_show_command
from evidence.cli_site_order import add_site_command
from evidence.errors import KeyFileError
from evidence.key_files import REFERENCE, id_of, must_not_exist, now, write_new
from evidence.keys import (
    Certificate,
    Signer,
    certificate_to_pem,
    generate,
    identity,
    issue,
    key_sha256,
    load_certificate,
    load_private,
    public_key,
    write_private,
)
from evidence.signers import key_file, open_signer
from evidence.suites import PrivateKey

ROOT_DAYS, LEAF_DAYS = 7300, 1825


def add_key_commands(rooms: Any) -> None:
    """Add `keys` and its commands to the commands of `stackproof`."""
    keys = rooms.add_parser(
        "keys",
        help="make keys and certificates, and orders about them",
        description="Keys, certificates and orders as files. Exit status: 0 done, 2 refused.",
    )
    commands = keys.add_subparsers(required=True, metavar="COMMAND")
    _add_new(commands)
    _add_csr(commands)
    _add_rotate(commands)
    add_root_commands(commands)
    add_site_command(commands)
    add_person_commands(commands)
    add_show_command(commands)


# -- new --------------------------------------------------------------------------------------


def _add_new(commands: Any) -> None:
    new = commands.add_parser(
        "new",
        help="make a plant's root, gateway and collector keys; existing ones are kept",
        description="Writes ROLE.pem (private, mode 0600) and ROLE.crt. Keep root.pem offline. "
        "Whose certificate is there has a key, here or elsewhere, and gets no other.",
    )
    new.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    new.add_argument("--plant", required=True, type=id_of, metavar="ID", help="plant id")
    new.add_argument(
        "--gateway", action="append", default=[], metavar="ID", help="gateway id; may be repeated"
    )
    new.add_argument("--collector", default="collector", metavar="NAME", help="collector's name")
    new.add_argument("--kind", choices=("ed25519", "p256"), default="ed25519", help="key kind")
    new.set_defaults(run=_new)


def _new(args: argparse.Namespace) -> int:
    names = [args.collector, *args.gateway]
    for name in names:
        id_of(name)
    if len({"root", *names}) != len(names) + 1:
        raise KeyFileError("collector and gateways need names of their own, and none is 'root'")
    folder: Path = args.out
    root_path = folder / "root.crt"
    if _is_elsewhere(root_path):
        root_key = None
        print(f"{root_path}: is there already, and stays; its key is elsewhere")
    else:
        root_key = _key(root_path, args.kind)
    if root_key is not None and not root_path.exists():
        _issue(root_path, "root", args.plant, root_key, issuer=root_key)
        print(f"{root_path}: root of {args.plant}; keep root.pem offline")
    root = load_certificate(root_path)
    if identity(root)[:2] != ("root", args.plant):
        raise KeyFileError(f"{root_path} is the {identity(root)[0]} of {identity(root)[1]}")
    for name in names:
        role, path = "collector" if name == args.collector else "gateway", folder / f"{name}.crt"
        if _is_elsewhere(path):
            print(f"{path}: is there already, and stays; its key is elsewhere")
            continue
        if root_key is None:
            raise KeyFileError(f"{root_path} is there without root.pem, which is to sign {path}")
        key = _key(path, args.kind)
        if not path.exists():
            _issue(path, role, args.plant, key, issuer=(root_key, root))
            print(f"{path}: {role} {args.plant}/{name}")
    print(f"root key SHA-256: {key_sha256(public_key(root)).hex()}")
    return 0


def _is_elsewhere(certificate: Path) -> bool:
    """True for a certificate whose key was carried away: it needs no other."""
    return certificate.exists() and not certificate.with_suffix(".pem").exists()


def _key(certificate: Path, kind: str) -> PrivateKey:
    """The key beside a certificate, made if there is none; KeyFileError when they are two's."""
    path = certificate.with_suffix(".pem")
    if not path.exists():
        write_private(path, generate(kind))
    key = load_private(path)
    if certificate.exists() and public_key(load_certificate(certificate)) != key.public_key():
        raise KeyFileError(f"{certificate} is of another key than {path}")
    return key


def _issue(
    path: Path,
    role: str,
    plant: str,
    key: PrivateKey,
    *,
    issuer: tuple[PrivateKey, Certificate] | PrivateKey,
) -> None:
    """Write the certificate of a key; its name is that of the file, a root's that of the plant."""
    certificate = issue(
        role,
        plant,
        plant if role == "root" else path.stem,
        key.public_key(),
        issuer=issuer,
        not_before=now(),
        days=ROOT_DAYS if role == "root" else LEAF_DAYS,
    )
    write_new(path, certificate_to_pem(certificate))


# -- csr, rotate: at the gateway --------------------------------------------------------------


def _add_csr(commands: Any) -> None:
    csr = commands.add_parser(
        "csr",
        help="ask for a certificate; the private key stays where it is",
        description="Writes a certificate request of a key. Run it on the machine that holds the "
        "key; a key file that is not there yet is made (mode 0600). Next: keys enrol, by whoever "
        "keeps the plant's root.",
    )
    _add_request(csr)
    csr.add_argument("--role", choices=("gateway", "collector"), default="gateway")
    csr.set_defaults(run=_csr)


def _add_rotate(commands: Any) -> None:
    rotate = commands.add_parser(
        "rotate",
        help="prepare a gateway's next key; the agent hands over to it with the old one",
        description="Makes the next key (if it is a file that is not there yet) and a certificate "
        "request for it, and says what to write into the site file.",
    )
    _add_request(rotate)
    rotate.add_argument("--previous", required=True, metavar="REF", help=f"key in use: {REFERENCE}")
    rotate.set_defaults(run=_rotate, role="gateway")


def _add_request(command: Any) -> None:
    command.add_argument("--key", required=True, metavar="REF", help=f"{REFERENCE} of the key")
    command.add_argument("--plant", required=True, type=id_of, metavar="ID", help="plant id")
    command.add_argument(
        "--name", required=True, type=id_of, metavar="ID", help="gateway id, or collector's name"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the request")
    command.add_argument(
        "--kind", choices=("ed25519", "p256"), default="ed25519", help="kind of a key that is made"
    )


def _csr(args: argparse.Namespace) -> int:
    signer = _request(args)
    print(f"{args.out}: request of {args.role} {args.plant}/{args.name}")
    print(f"key SHA-256: {key_sha256(signer.public_key).hex()}")
    print(f"next, where the root is: stackproof keys enrol --csr {args.out} {_whose(args)} …;")
    print("tell its keeper the key SHA-256 and whose it is by another way than the file")
    return 0


def _request(args: argparse.Namespace, previous: str = "") -> Signer:
    """Write the request; KeyFileError when the key is the previous one, which it must not be."""
    must_not_exist(args.out)
    unlike = open_signer(previous, Path()) if previous else None
    path, like = key_file(args.key, Path()), key_file(previous, Path())
    if path is not None and not path.exists():
        write_private(path, generate(args.kind), like)
        print(f"{path}: new private key, mode 0600")
    signer = open_signer(args.key, Path())
    if unlike is not None and unlike.kid == signer.kid:
        raise KeyFileError(f"{args.key} is the key in use: name another for --key")
    write_new(args.out, encode_request(args.role, args.plant, args.name, signer))
    return signer


def _whose(args: argparse.Namespace) -> str:
    role = "" if args.role == "gateway" else f"--role {args.role} "
    return f"{role}--name {args.name}"


def _rotate(args: argparse.Namespace) -> int:
    signer = _request(args, args.previous)
    certificate = args.out.with_suffix(".crt")
    print(f"{args.out}: request of gateway {args.plant}/{args.name} for its next key")
    print(f"key SHA-256: {key_sha256(signer.public_key).hex()}")
    print(f"1. where the root is: stackproof keys enrol --csr {args.out} {_whose(args)} \\")
    print(f"     --out {certificate} …")
    print("2. in the site file, [gateway]:")
    print(f'     key = "{args.key}"')
    print(f'     certificate = "file:{certificate}"')
    print(f'     previous_key = "{args.previous}"')
    print('     root = "file:root.crt"     the plant root\'s certificate')
    print("3. start the agent anew: it hands over with the old key; then previous_key may go")
    return 0
