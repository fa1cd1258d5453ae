"""The bytes of a delivered file: their hash, whether a gzip stream is whole, and how they begin.

DuckDB reads a gzip stream that was cut off without an error up to the cut, so every new stream is
checked here to its end. What the bytes mean is the matter of `readers`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.landing import LandingFile
from orchestration.refusals import UnreadablePathError, VanishedFileError

CHUNK_BYTES = 1 << 20
# No header that anyone meant is longer, and Python's CSV reader takes no longer fields.
HEAD_BYTES = 1 << 17


@dataclass(frozen=True)
class Contents:
    """What is in a file.

    Attributes:
        content_hash: SHA-256 of its bytes, in hexadecimal.
        unpacked_size: how many bytes it unpacks to; as many as it has if it is not packed.
        head: the first of these.
        damage: what is wrong with its packing; empty if nothing is.
    """

    content_hash: str
    unpacked_size: int
    head: bytes
    damage: str


def read_contents(file: LandingFile) -> Contents:
    """Read a file to its end, chunk by chunk.

    Raises:
        VanishedFileError: if it is gone.
        UnreadablePathError: if it cannot be opened or read.
    """
    digest = hashlib.sha256()
    unpacking = _Gunzip() if file.is_gzipped else None
    head = bytearray()
    unpacked_size = 0
    for chunk in _chunks(file):
        digest.update(chunk)
        for piece in unpacking.unpack(chunk) if unpacking else [chunk]:
            unpacked_size += len(piece)
            head += piece[: HEAD_BYTES - len(head)]
    damage = unpacking.finish() if unpacking else ""
    return Contents(digest.hexdigest(), unpacked_size, bytes(head), damage)


def _chunks(file: LandingFile) -> Iterator[bytes]:
    try:
        with file.path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
    except FileNotFoundError:
        raise VanishedFileError(file.file, "the file that was listed", "none") from None
    except OSError as error:
        found = error.strerror or "an error of the operating system"
        raise UnreadablePathError(file.file, "a file that can be read", found.lower()) from error


class _Gunzip:
    """Unpacks a gzip stream of one or more members, and checks length and checksum of each."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._is_in_member = False
        self._damage = ""

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """The unpacked bytes in pieces of bounded size, up to where the stream is damaged."""
        while packed and not self._damage:
            if not self._is_in_member:
                packed = packed.lstrip(b"\0")  # padding after a member is allowed
                self._member = zlib.decompressobj(wbits=31)
                self._is_in_member = bool(packed)
            try:
                yield self._member.decompress(packed, CHUNK_BYTES)
            except zlib.error as error:
                self._damage = f"a gzip stream that is broken ({error})"
            if self._member.eof:
                self._is_in_member = False
                packed = self._member.unused_data
            else:
                packed = self._member.unconsumed_tail

    def finish(self) -> str:
        """What was wrong with the stream, such as an end within a member; empty if nothing was."""
        if self._is_in_member and not self._damage:
            self._member.flush()
            if not self._member.eof:
                self._damage = "a gzip stream that stops in the middle"
        return self._damage
