"""A broker's configuration on disk: where it lies, written again, taken in. I/O: files, a signal.

`brokers.json` in the register's folder says where `cloud broker config` wrote and for whom. So
whoever approves or revokes a key has the files written again, and a broker that runs on this
machine from them reads them at once. Measured with SIGHUP and sessions that stand:

- nats-server 2.15.1 cuts whoever is no more on its list, and nobody else.
- An account that is new is there for its slice, and nobody of the others is cut.
- mosquitto 2.0.21 reads `acl`, `crl.pem` and its certificate: who is revoked does not get in, and a
  session that stands has the new rights, for each message. It cuts none. It keeps the newest list
  of a CA. What else stands in `mosquitto.conf` takes a restart.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cloud.config import CloudConfig
from cloud.config_broker import slice_now
from cloud.errors import CarriedFileError, CloudError
from cloud.transport.broker_files import (
    REPLICAS,
    ROUTE_PORT,
    Known,
    Place,
    conflict,
    mosquitto_files,
    nats_files,
)
from cloud.transport.register import CA, CRL, NODES, SERVER, SERVER_KEY, Register
from evidence.broker_certificates import NODE_PREFIX
from evidence.errors import EvidenceError
from evidence.keys import key_sha256, load_certificate, public_key
from evidence.owners import give, make_folder

ROWS = "brokers.json"
FILES = {"mosquitto": mosquitto_files, "nats": nats_files}
PROGRAMS = {"mosquitto": ("mosquitto", "mosquitto.conf"), "nats": ("nats-server", "nats.conf")}
_FOR_ALL, _FOR_ONE, _FOR_GROUP = 0o644, 0o600, 0o640


@dataclass(frozen=True)
class Served:
    """One broker's configuration.

    Attributes:
        kind: one of `FILES`.
        out: folder of the files, absolute.
        at: where they are at the broker.
        listen, port: of the broker.
        user: whom the broker runs as, who can read them; "" for whoever writes them.
        sha256: of the broker's own file as it was written last, hex: another one is by hand.
        websocket: nats-server's port of MQTT over WebSocket; None: nowhere.
        node, route_port: as in `Place`.
        collectors: CLOUD.toml of each that it serves, absolute; nodes are those of the first one's
            register. None: of the one whose register this stands in.
    """

    kind: str
    out: str
    at: str
    listen: str
    port: int
    user: str = ""
    sha256: str = ""
    websocket: int | None = None
    node: str = ""
    route_port: int = ROUTE_PORT
    collectors: Sequence[str] = ()

    @property
    def file(self) -> str:
        """The file that the broker is started with."""
        return f"{self.at}/{PROGRAMS[self.kind][1]}"


def known_of(files: Sequence[Path]) -> Known:
    """Whom a broker of these collectors lets in now, and which nodes it has, of the first register.

    Args:
        files: CLOUD.toml of each, which may be a copy.

    Raises:
        CarriedFileError: they cannot have one broker.
        CloudConfigError, EvidenceError: a file cannot be read.
    """
    slices = [slice_now(path) for path in files]
    first = slices[0].register
    for one in slices[1:]:
        if load_certificate(one.register / CA) != load_certificate(first / CA):
            raise CarriedFileError(
                f"{one.register / CA} and {first / CA} are two CAs, and a broker believes one: "
                "begin the later register with the other's"
            )
    if said := conflict(slices):
        raise CarriedFileError(said)
    return Known(slices, Register(first, None).nodes())


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else writes a configuration there meanwhile: each writes what all registers say.

    Raises:
        CarriedFileError: the disk refuses.
    """
    try:
        make_folder(out)
        held = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CarriedFileError(f"{out} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def names_of(served: Served) -> Sequence[str]:
    """The files that are written."""
    return [PROGRAMS[served.kind][1], *(["acl"] if served.kind == "mosquitto" else [])]


def _remember(registers: Sequence[Path], served: Served) -> None:
    """Keep in each register where a configuration is, in place of the one in its folder."""
    for folder in registers:
        rows = [*(row for row in remembered(folder) if row.out != served.out), served]
        text = json.dumps([asdict(row) for row in rows], indent=1)
        try:
            _put(folder / ROWS, text.encode(), _FOR_ALL)
        except OSError as error:
            path = folder / ROWS
            raise CarriedFileError(f"{path} cannot be written: {error.strerror}") from error


def remembered(folder: Path) -> list[Served]:
    """Every configuration of a register; CarriedFileError when that cannot be read."""
    path = folder / ROWS
    try:
        return [Served(**row) for row in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise CarriedFileError(f"{path} cannot be read: run broker config again") from error


def write(served: Served, known: Known, registers: Sequence[Path]) -> list[str]:
    """Write a configuration, for its user to read; sentences for people, none where all is well.

    A broker's own file that somebody changed by hand stays (a cluster's, say) where `served` knows
    what was written.

    Args:
        served: which.
        known: whom the broker lets in.
        registers: folders in which what is written now is kept.

    Raises:
        CarriedFileError: the disk refuses, the files cannot be given to that user, or it is to be
            one of several brokers and has no certificate.
    """
    out, said = Path(served.out), _of_nodes(served, known)
    place = Place(served.at, served.listen, served.port, served.user, served.websocket,
                  served.node, served.route_port)  # fmt: skip
    texts = FILES[served.kind](place, known)
    main = out / PROGRAMS[served.kind][1]
    try:
        make_folder(out)
        # somebody may have written anything into it
        before = main.read_text(errors="surrogateescape") if main.exists() else None
        if before is not None and _is_by_hand(before, served, known):
            texts = {name: text for name, text in texts.items() if name != main.name}
            said.append(f"{main} was changed by hand and stays: broker config writes it anew")
        for name, text in texts.items():
            _put(out / name, text.encode(), _FOR_ONE, served.user)
        register = Register(known.slices[0].register, None)
        _put(out / CA, (register.folder / CA).read_bytes(), _FOR_ALL)
        crl, told = register.list_for(out / CRL)
        said += told
        if crl is not None:
            _put(out / CRL, crl, _FOR_ALL)
        if (made := _made_anew(served, register.folder)) is not None:
            _put(out / SERVER, made, _FOR_ALL)
        if served.user and (out / SERVER_KEY).exists():
            _give(out / SERVER_KEY, served.user)
    except OSError as error:
        raise CarriedFileError(f"{out} cannot be written: {error.strerror}") from error
    if missing := [name for name in (SERVER, SERVER_KEY) if not (out / name).exists()]:
        said.append(f"still needed at {served.at}: {' '.join(missing)}, the broker's own")
    if served.kind == "mosquitto" and before not in (None, texts.get(main.name, before)):
        said.append(f"{main} is another one now: mosquitto must be restarted for that")
    if main.name in texts:
        _remember(registers, replace(served, sha256=_sha256(texts[main.name])))
    return said


def _is_by_hand(text: str, served: Served, known: Known) -> bool:
    """Is it another one than whichever collector wrote last?"""
    return served.sha256 != "" and _sha256(text) not in {r.sha256 for r in _rows(served, known)}


def _rows(served: Served, known: Known) -> list[Served]:
    """What each collector of it knows of this configuration."""
    rows = [row for one in known.slices for row in remembered(one.register)]
    return [row for row in rows if row.out == served.out]


def _made_anew(served: Served, register: Path) -> bytes | None:
    """The broker's certificate, where the one in its folder is another of the same key."""
    folder = register / NODES / served.node.removeprefix(NODE_PREFIX) if served.node else register
    source, there = folder / SERVER, Path(served.out) / SERVER
    if not source.exists() or not there.exists():
        return None
    one, other = (key_sha256(public_key(load_certificate(path))) for path in (source, there))
    return source.read_bytes() if one == other else None


def _of_nodes(served: Served, known: Known) -> list[str]:
    if not _is_known(served, known):
        raise CarriedFileError(
            f"the register has no certificate of {served.node}: stackproof cloud broker node"
        )
    if not served.node or len(known.nodes) >= REPLICAS:
        return []
    return [
        f"{served.node}: of {len(known.nodes)} node(s); {REPLICAS} hold each stream, so that one "
        "may be lost: stackproof cloud broker node, then config for each"
    ]


def _is_known(served: Served, known: Known) -> bool:
    return not served.node or served.node in [node.name for node in known.nodes]


def take_in(served: Served) -> str:
    """Have a broker of this machine read its files again; what came of it, a sentence."""
    program, _ = PROGRAMS[served.kind]
    told, others = list[str](), list[str]()
    for process in _running(program, Path(served.file)):
        try:
            os.kill(process, signal.SIGHUP)
            told.append(str(process))
        except ProcessLookupError:
            continue
        except PermissionError:  # anybody may run one of this name: it hides none of ours
            others.append(str(process))
    said = list[str]()
    if told:
        said.append(f"{program} {' '.join(told)} has been told to read {served.file} again")
    if others:
        said.append(f"{program} runs as another user; as root: kill -HUP {' '.join(others)}")
    return "\n".join(said) or (
        f"no {program} of {served.file} runs here; where it runs: carry the files there if they"
        f' are not, then kill -HUP "$(pidof {program})", or systemctl reload {program}'
    )


def serve_again(config: CloudConfig, register: Register) -> list[str]:
    """Write every configuration again and have it taken in; a sentence or more for each.

    What CLOUD.toml says is what it says now: the collector's process may be older than it.
    """
    said = list[str]()
    try:
        for served in remembered(register.folder):
            with alone(Path(served.out)):
                known = known_of([Path(name) for name in served.collectors] or [config.path])
                if why := _not_ours(served, known):  # the others must know all the same
                    said.append(f"{served.out} stays: {why}")
                    continue
                said += write(served, known, [register.folder])
            said.append(take_in(served))
    except (CloudError, EvidenceError, OSError) as error:  # what was done stands, and is said
        return [*said, f"{error}", "the broker knows nothing of it: stackproof cloud broker config"]
    return said or ["no broker's configuration was written yet: stackproof cloud broker config"]


def _not_ours(served: Served, known: Known) -> str:
    if not _is_known(served, known):
        return f"{served.node} is none of the nodes any more"
    if all([*row.collectors] == [*served.collectors] for row in _rows(served, known)):
        return ""
    return "it was written for other collectors since: cloud broker config, with all of them"


def barred(served: Served) -> str:
    """Why the broker's user cannot read its files, a sentence; "" where it can."""
    if not served.user:
        name = Path(served.out, PROGRAMS[served.kind][1]).owner()
        return (
            f"{served.out}: {name} alone can read these files. A broker under another user "
            f"(Debian's mosquitto gives up root) needs --user NAME"
        )
    entry = _entry(served.user)
    for folder in (Path(served.out), *Path(served.out).parents):
        held = folder.stat()
        its = 0o010 if held.st_gid == entry.pw_gid else 0o001
        its = 0o100 if held.st_uid == entry.pw_uid else its
        if not held.st_mode & its and entry.pw_uid != 0:
            return f"{folder}: {served.user} cannot enter it: chmod o+x, or --out another folder"
    return ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _running(program: str, file: Path) -> Iterator[int]:
    """Processes of this machine that were started with a configuration."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = [os.fsdecode(word) for word in (folder / "cmdline").read_bytes().split(b"\0")]
            if Path(words[0]).name != program:
                continue
            if str(file) in words:
                yield int(folder.name)
                continue
            cwd = (folder / "cwd").readlink()
            if any((cwd / word).resolve() == file.resolve() for word in words[1:] if word):
                yield int(folder.name)
        except OSError:  # it has ended, or is another user's: its folder is not told
            continue


def _put(path: Path, data: bytes, mode: int, user: str = "") -> None:
    """Write a file that appears whole, or not at all if it holds that already."""
    if path.exists() and path.read_bytes() == data and not user:
        path.chmod(mode)
        return
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_ONE), "wb") as file:
        file.write(data)
    if user:
        _give(part, user)
    else:
        part.chmod(mode)
        give(part)
    part.replace(path)


def _give(path: Path, user: str) -> None:
    """Let one user read a file: as its owner where we are root, by its group where we are not.

    mosquitto 2.0.21 warns of an `acl` that is another's, and reads it.
    """
    entry = _entry(user)
    if os.geteuid() == entry.pw_uid:
        path.chmod(_FOR_ONE)
        return
    is_root = os.geteuid() == 0
    try:
        os.chown(path, entry.pw_uid if is_root else -1, entry.pw_gid)
    except PermissionError as error:
        raise CarriedFileError(
            f"{path} cannot be given to {user}: do it as root, or as a member of {user}'s group"
        ) from error
    path.chmod(_FOR_ONE if is_root else _FOR_GROUP)


def _entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise CarriedFileError(
            f"this machine knows no user {user}: --user is the broker's"
        ) from None
