"""Files for a broker: each appears whole, for its user to read. I/O: them."""

import contextlib
import os
import pwd
from pathlib import Path

from cloud.errors import CarriedFileError
from evidence.owners import give

FOR_ALL, FOR_ONE, _FOR_GROUP = 0o644, 0o600, 0o640


def put_whole(path: Path, data: bytes, mode: int, user: str = "") -> None:
    """Write a file, or only say who may read it if it holds that already.

    Args:
        path: of it.
        data: what it is to hold.
        mode: permission bits, without a user.
        user: who alone can read it; "" for whom `mode` says.

    Raises:
        OSError: the disk refuses.
        CarriedFileError: it cannot be given to that user.
    """
    with contextlib.suppress(FileNotFoundError, PermissionError):  # one of another user's
        if path.read_bytes() == data:  # as it is: who has read it need not be told again
            if user:
                give_to(path, user)
            else:
                path.chmod(mode)
            return
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ONE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if user:
        give_to(part, user)
    else:
        part.chmod(mode)
        give(part)
    part.replace(path)


def give_to(path: Path, user: str) -> None:
    """Let one user read a file: as its owner where we are root, by its group where we are not.

    mosquitto 2.0.21 warns of an `acl` that is another's, and reads it.
    """
    entry = entry_of(user)
    if os.geteuid() == entry.pw_uid:
        path.chmod(FOR_ONE)
        return
    is_root = os.geteuid() == 0
    try:
        os.chown(path, entry.pw_uid if is_root else -1, entry.pw_gid)
    except PermissionError as error:
        raise CarriedFileError(
            f"{path} cannot be given to {user}: do it as root, or as a member of {user}'s group"
        ) from error
    path.chmod(FOR_ONE if is_root else _FOR_GROUP)


def entry_of(user: str) -> pwd.struct_passwd:
    """What this machine knows of a user; CarriedFileError for nothing."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise CarriedFileError(
            f"this machine knows no user {user}: --user is the broker's"
        ) from None
