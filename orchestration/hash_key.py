"""The secret with which addresses are hashed, so that no list of them tells whose hash is whose.

A keyed hash is HMAC-SHA-256: `sql_hash` gives that of DuckDB, `keyed_hash` the same of one text.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Protocol

BLOCK_BYTES = 64
LEAST_CHARACTERS = 16


class HashKeyError(RuntimeError):
    """There is no secret that can be used. The message says where it was looked for."""


class HasHashKey(Protocol):
    """Settings, as far as the secret goes."""

    @property
    def hash_key(self) -> str:
        """The secret of FUNNEL_HASH_KEY; empty: the one in the file."""

    @property
    def hash_key_file(self) -> Path:
        """Where the secret is kept that the warehouse made for itself."""


def read_key(settings: HasHashKey) -> bytes:
    """The secret: FUNNEL_HASH_KEY, else that of the file, which the first night makes.

    Raises:
        HashKeyError: the file is there and is not what was written.
    """
    if settings.hash_key:
        return settings.hash_key.encode()
    file = settings.hash_key_file
    if not file.exists():
        _make(file)
    text = file.read_text(encoding="utf-8").strip()
    if len(text) < LEAST_CHARACTERS:
        raise HashKeyError(
            f"{file}: expected a secret of at least {LEAST_CHARACTERS} characters, found "
            f"{len(text)}. Restore the file from a backup. Without one, delete it, and let "
            "suppressed.txt beside it hold nothing but the word `complete`: whoever was forgotten "
            "may then come back with a later delivery."
        )
    return text.encode()


def keyed_hash(key: bytes, text: str) -> str:
    """HMAC-SHA-256 of a text, as 64 hexadecimal digits."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def email_hash(key: bytes, address: str) -> str:
    """What stands for an address, as the macro `hash_email` has it.

    The secret is put over the plain hash, as some systems deliver no more than that.
    """
    plain = hashlib.sha256(address.strip().lower().encode()).hexdigest()
    return keyed_hash(key, plain)


def pads(key: bytes) -> tuple[str, str]:
    """The inner and the outer block of HMAC (RFC 2104) in hexadecimal, from which SQL goes on."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(
        BLOCK_BYTES, b"\0"
    )
    return bytes(b ^ 0x36 for b in block).hex(), bytes(b ^ 0x5C for b in block).hex()


def variables(key: bytes) -> str:
    """SQL that tells a connection the secret. It stands in no table and in no file."""
    inner, outer = pads(key)
    return (
        f"set variable hash_inner_pad = unhex('{inner}'); "
        f"set variable hash_outer_pad = unhex('{outer}')"
    )


def sql_hash(text: str) -> str:
    """SQL: the keyed hash of a text, on a connection that was told `variables`."""
    inner = f"sha256(getvariable('hash_inner_pad') || encode({text}))"
    return f"sha256(getvariable('hash_outer_pad') || unhex({inner}))"


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_hex(32)


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(f"{new_secret()}\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        # Not over one that another process made in between: its hashes are told already.
        os.link(unfinished, file)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
