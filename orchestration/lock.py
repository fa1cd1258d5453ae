"""One writer at a time: a lock that the operating system drops when its holder dies.

What is locked, and for how long, is decided by the callers. Readers of a release never take a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


class LockHeldError(RuntimeError):
    """Somebody else holds the lock. The message says who, since when, and what to do."""


@contextmanager
def writer_lock(home: Path, what: str) -> Iterator[None]:
    """Hold the state under `home` for one run that writes: loading, building, publishing.

    Args:
        home: the folder of all state; made if it is not there.
        what: what the holder is doing, for the message that others get ("nightly run 4f2a").

    Raises:
        LockHeldError: another run is writing.
    """
    with exclusive(home / ".lock", what):
        yield


@contextmanager
def exclusive(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`, or fail at once.

    The file stays when the lock is released: only the lock on it counts, not that it is there. It
    says who held it last. The lock does not nest, not even within one process.

    Raises:
        LockHeldError: somebody holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _locked_descriptor(path)
    try:
        holder = {
            "what": what,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked_descriptor(path: Path) -> int:
    while True:
        # Python does not hand the descriptor on to programs that it starts, so a dbt that outlives
        # its run does not keep the lock.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise LockHeldError(_message(path)) from None
        if _is_same_file(path, descriptor):
            return descriptor
        # Somebody deleted the file in between: this lock would be on a file that nobody else sees.
        os.close(descriptor)


def _is_same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _message(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = "{what} (process {process} on {host}) since {since}".format(**holder)
        stop = f"`kill {holder['process']}` on {holder['host']}"
    except (OSError, ValueError, KeyError):
        # The holder has the lock but has not yet written who it is.
        who, stop = "a run that has just started", "end its process"
    return (
        f"{path}: expected nobody else to be writing, found {who}. Wait until it has ended, or "
        f"stop it ({stop}). The lock ends with its holder; deleting the file does not help."
    )
