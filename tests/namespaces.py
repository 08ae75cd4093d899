"""Two network namespaces of our own joined by one link, for tests that break it. Needs root."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: the link's name in both, and the addresses of its ends
LINK, NEAR, FAR, FAR_MAC = "between", "10.77.0.1", "10.77.0.2", "02:00:00:77:00:02"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Namespaces:
    """A plant's side and the far one.

    Attributes:
        near, far: what stands before a command of that side.
    """

    near: tuple[str, ...]
    far: tuple[str, ...]


def has_namespaces(*programs: str) -> bool:
    """True for root with `ip`, `nft` and these programs, where the kernel lets it."""
    if os.geteuid() or not all(shutil.which(name, path=_PATH) for name in ("ip", "nft", *programs)):
        return False
    name = f"sp-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


def run(line: str, rules: str | None = None) -> None:
    """Run one of the commands that make a network, with rules as its input."""
    subprocess.run(line.split(), input=rules, text=True, check=True, capture_output=True)


def counted(side: Sequence[str], what: str) -> int:
    """Packets that rules with a `counter` have met: of a table or chain of nft on that side."""
    order = [*side, "nft", "--json", "list", *what.split()]
    told = json.loads(subprocess.run(order, capture_output=True, check=True).stdout)
    parts = [part for row in told["nftables"] for part in row.get("rule", {}).get("expr", [])]
    return sum(int(part["counter"]["packets"]) for part in parts if "counter" in part)


@contextlib.contextmanager
def namespaces() -> Iterator[Namespaces]:
    """Both, up and joined; gone afterwards, whatever still runs in them."""
    near, far = (f"sp-{side}-{os.getpid()}" for side in ("near", "far"))
    try:
        for line in (
            f"ip netns add {near}", f"ip netns add {far}",
            f"ip -n {near} link add {LINK} type veth peer name {LINK} netns {far}",
            f"ip -n {far} link set {LINK} address {FAR_MAC}",
            f"ip -n {near} addr add {NEAR}/30 dev {LINK}",
            f"ip -n {far} addr add {FAR}/30 dev {LINK}",
            *(f"ip -n {at} link set {link} up" for at in (near, far) for link in ("lo", LINK)),
        ):  # fmt: skip
            run(line)
        enter = ("ip", "netns", "exec")
        yield Namespaces((*enter, near), (*enter, far))
    finally:
        for name in (near, far):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
