"""A site that takes orders, in a folder, and an order staged there."""

import hashlib
from pathlib import Path

from edge.remote.folder import OrderFolder
from edge.remote.state import Given, staged
from evidence.keys import FileSigner
from evidence.site_order import SiteOrder, encode_site_order
from tests.unit.edge.sites import GATEWAY, METERS, PLANT, keys, replaced, write_keys, write_site

CERTIFICATE = 'certificate = "file:keys/edge-1.crt"\n'
HAND = replaced(METERS, {CERTIFICATE: CERTIFICATE + 'root = "file:keys/root.crt"\n'})
HAND += "[remote]\norders = true\n"
NEW = replaced(HAND, {'"800/5"': '"400/5"'})
ROOT = FileSigner(keys().root)


def site_folder(folder: Path) -> Path:
    write_keys(folder / "keys")
    return write_site(folder, HAND)


def order_folder(path: Path) -> OrderFolder:
    folder = path.parent / "state/site-orders"
    return OrderFolder(folder, PLANT, GATEWAY, keys().root.public_key())


def stage(path: Path, number: int = 1, site: str = NEW) -> None:
    folder, hand = order_folder(path), hashlib.sha256(path.read_bytes()).hexdigest()
    order = SiteOrder(PLANT, GATEWAY, number, site.encode(), "a test")
    folder.put(number, encode_site_order(order, ROOT))
    folder.keep(staged(folder.state(), Given(number, hand), answered=("ac-1",), heard=False))
