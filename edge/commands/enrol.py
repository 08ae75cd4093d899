"""`stackproof edge enrol`: asks for a certificate for the broker, as a file. Prints."""

import argparse
from pathlib import Path

from edge.errors import SiteConfigError
from edge.identity import Problems, open_identity
from edge.site.config import load_site
from evidence.broker_certificates import encode_broker_request
from evidence.key_files import must_not_exist, write_new
from evidence.keys import FileSigner, generate, key_sha256, write_private
from evidence.signers import key_file
from firmware_configs.fields import Problem


def add_enrol_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `enrol` to `stackproof edge`."""
    enrol = commands.add_parser(
        "enrol",
        help="ask for a certificate for the broker; the TLS key stays here",
        description="Makes the TLS key that [uplink] key names, if it is not there yet (mode "
        "0600), and a request for its certificate, signed by the gateway's evidence key. Later "
        "certificates of the same key come over the broker by themselves.",
    )
    enrol.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    enrol.add_argument("--out", type=Path, required=True, metavar="FILE", help="the request")
    enrol.set_defaults(run=_enrol)


def _enrol(args: argparse.Namespace) -> int:
    must_not_exist(args.out)
    site, problems = load_site(args.site), Problems(args.site)
    who = open_identity(site, problems)
    if who is None:
        raise SiteConfigError(problems)
    if site.uplink.tls is None:
        reason = "is not mqtts://host:port: such brokers ask for no certificate"
        raise SiteConfigError([Problem(str(args.site), "uplink.url", reason)])
    path = site.uplink.tls.key
    if not path.exists():
        # of the agent's user, who reads the evidence key too
        write_private(path, generate("p256"), key_file(site.gateway.key, site.path.parent))
        print(f"{path}: new private key, mode 0600")
    key = FileSigner.load(path)
    write_new(args.out, encode_broker_request(site.plant.id, site.gateway.id, who.signer, key))
    print(f"{args.out}: {site.plant.id}/{site.gateway.id} asks for a certificate for the broker")
    print(f"key SHA-256: {key_sha256(key.public_key).hex()}")
    print(
        f"next, at the collector: stackproof cloud broker request CLOUD.toml {args.out}; tell its"
    )
    print("people the key SHA-256 by another way than the file")
    return 0
