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
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cloud.config_broker import slice_now
from cloud.errors import CarriedFileError, CloudError
from cloud.transport.broker_files import (
    REPLICAS,
    Known,
    Place,
    conflict,
    mosquitto_files,
    nats_files,
)
from cloud.transport.register import CA, CRL, NODES, SERVER, SERVER_KEY, Register
from cloud.transport.rows import PROGRAMS, WORDS, Served, remember, remembered
from cloud.transport.taken import note_moved, take_in, untold
from cloud.transport.whole import FOR_ALL, FOR_ONE, entry_of, give_to, put_whole
from evidence.broker_certificates import NODE_PREFIX
from evidence.errors import EvidenceError
from evidence.keys import key_sha256, load_certificate, public_key
from evidence.owners import make_folder, open_lock

LOCK = "lock"
FILES = {"mosquitto": mosquitto_files, "nats": nats_files}
#: whom a configuration of nats-server lets in
_USER = re.compile(r"urn:stackproof:broker:[^\s\"]+")


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
        held = open_lock(out / LOCK)
    except OSError as error:
        raise CarriedFileError(f"{out} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


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
    texts = _texts(served, known)
    main = out / PROGRAMS[served.kind][1]
    try:
        make_folder(out)
        # somebody may have written anything into it
        before = main.read_text(errors="surrogateescape") if main.exists() else None
        if before is not None and _is_by_hand(before, served, known):
            texts = {name: text for name, text in texts.items() if name != main.name}
            said.append(f"{main} was changed by hand and stays: broker config writes it anew")
        elif before != texts[main.name]:  # whichever is there if this ends here, is none by hand
            rows = _rows(served, known)
            # a collector that wrote before another one did does not know what is there now
            last = [row for row in rows if _sha256(before or "") in row.sha256.split()]
            note_moved(last or rows, served)
            both = {_sha256(texts[main.name]), *_written(served, known)}
            remember(registers, replace(served, sha256=" ".join(sorted(both))))
        for name, text in texts.items():
            put_whole(out / name, text.encode(), FOR_ONE, served.user)
        said += _write_certificates(served, Register(known.slices[0].register, None))
    except OSError as error:
        raise CarriedFileError(f"{out} cannot be written: {error.strerror}") from error
    if missing := [name for name in (SERVER, SERVER_KEY) if not (out / name).exists()]:
        said.append(f"still needed at {served.at}: {' '.join(missing)}, the broker's own")
    if served.kind == "mosquitto" and before not in (None, texts.get(main.name, before)):
        said.append(f"{main} is another one now: mosquitto must be restarted for that")
    if main.name in texts:
        remember(registers, replace(served, sha256=_sha256(texts[main.name])))
    return said


def _write_certificates(served: Served, register: Register) -> list[str]:
    out = Path(served.out)
    crl, told = register.list_for(out / CRL)
    if out.samefile(register.folder):  # written back, a list that was read could replace a newer
        for path in (out / CA, out / CRL):
            if path.exists():
                path.chmod(FOR_ALL)
    else:
        put_whole(out / CA, (register.folder / CA).read_bytes(), FOR_ALL)
        if crl is not None:
            put_whole(out / CRL, crl, FOR_ALL)
    if (made := _made_anew(served, register.folder)) is not None:
        put_whole(out / SERVER, made, FOR_ALL)
    if served.user and (out / SERVER_KEY).exists():
        give_to(out / SERVER_KEY, served.user)
    return told


def _is_by_hand(text: str, served: Served, known: Known) -> bool:
    """Is it another one than whichever collector wrote last?"""
    return served.sha256 != "" and _sha256(text) not in _written(served, known)


def _written(served: Served, known: Known) -> set[str]:
    """Of texts that collectors wrote, or were about to."""
    return {sha256 for row in _rows(served, known) for sha256 in row.sha256.split()}


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


def serve_again(config: Path, register: Register) -> list[str]:
    """Write every configuration again and have it taken in; a sentence or more for each.

    What CLOUD.toml (`config`) says is what it says now: the collector may be older than it.
    """
    said = list[str]()
    try:
        for served in remembered(register.folder):
            said += _serve(served, config, register)
    except CarriedFileError as error:
        return [str(error)]
    return said or ["no broker's configuration was written yet: stackproof cloud broker config"]


def _serve(served: Served, config: Path, register: Register) -> list[str]:
    said, served = list[str](), replace(served, words=WORDS)
    try:
        with alone(Path(served.out)):
            known = known_of([Path(name) for name in served.collectors] or [config])
            if why := _not_ours(served, known):
                return [f"{served.out} stays: {why}"]
            said += write(served, known, [register.folder])
        return [*said, take_in(served)]
    except (CloudError, EvidenceError, OSError) as error:  # what was done stands; others are told
        return [*said, f"{error}", "the broker knows nothing of it: stackproof cloud broker config"]


def behind(config: Path, register: Register) -> list[str]:
    """Why brokers do not do what the register says now, a sentence each; writes nothing.

    What a disk refused, what was changed by hand and what nobody could tell a broker of this
    machine shows here alike. Of one elsewhere it is known what was written for it.
    """
    found = list[str]()
    try:
        for served in remembered(register.folder):
            found += _behind(served, config, register)
    except CarriedFileError as error:
        return [str(error)]
    return found


def _behind(served: Served, config: Path, register: Register) -> list[str]:
    out, found = Path(served.out), list[str]()
    main = PROGRAMS[served.kind][1]
    try:
        known = known_of([Path(name) for name in served.collectors] or [config])
        if not _is_known(served, known):
            return []  # a node that was lost: the others let it in no more
        if why := _not_ours(served, known):
            return [f"{out} stays: {why}"]
        for name, text in _texts(served, known).items():
            there = (out / name).read_text(errors="surrogateescape")
            is_by_hand = name == main and _is_by_hand(there, served, known)
            if is_by_hand and sorted(_USER.findall(there)) != sorted(_USER.findall(text)):
                found.append(
                    f"{out / name} was changed by hand, and lets in others than the register says: "
                    "take it over there, or have it written (broker config)"
                )
            elif there != text and not is_by_hand:
                found.append(f"{out / name} is not as the register says: broker reload")
        if served.kind == "mosquitto" and (lacks := register.unlisted(out / CRL)):
            found.append(
                f"{out / CRL} does not name {len(lacks)} certificate(s) of revoked keys: broker "
                "reload, or broker sign where the CA's key is"
            )
        if not found and (why := untold(served)):
            found.append(why)
    except (CloudError, EvidenceError, OSError) as error:
        found.append(f"{out}: {error}")
    return found


def _texts(served: Served, known: Known) -> dict[str, str]:
    place = Place(served.at, served.listen, served.port, served.user, served.websocket,
                  served.node, served.route_port)  # fmt: skip
    return FILES[served.kind](place, known)


def _not_ours(served: Served, known: Known) -> str:
    if not _is_known(served, known):
        return f"{served.node} is none of the nodes any more"
    if all([*row.collectors] == [*served.collectors] for row in _rows(served, known)):
        return ""
    return "it was written for other collectors since: cloud broker config, with all of them"


def barred(served: Served) -> str:
    """Why the broker's user cannot read its files, a sentence; "" where it can."""
    if not served.user:
        main = Path(served.out, PROGRAMS[served.kind][1])
        try:
            name = main.owner()
        except KeyError:  # a container's user may have no name
            name = f"user {main.stat().st_uid}"
        return (
            f"{served.out}: {name} alone can read these files. A broker under another user "
            f"(Debian's mosquitto gives up root) needs --user NAME"
        )
    entry = entry_of(served.user)
    for folder in (Path(served.out), *Path(served.out).parents):
        held = folder.stat()
        its = 0o010 if held.st_gid == entry.pw_gid else 0o001
        its = 0o100 if held.st_uid == entry.pw_uid else its
        if not held.st_mode & its and entry.pw_uid != 0:
            return f"{folder}: {served.user} cannot enter it: chmod o+x, or --out another folder"
    return ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
