"""Searches all that is kept for a person's addresses and ids, byte by byte, once all is removed.

What is made again by itself is deleted where it holds any; the rest is told, as it is its owner's.
"""

from __future__ import annotations

import gzip
import json
import mmap
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import duckdb

from orchestration.database import open_database
from orchestration.erasure.journal import journal_file
from orchestration.release_database import DATABASE
from orchestration.settings import Settings
from orchestration.suppression import LEAST_CHARACTERS
from orchestration.values import literal, path_literal

# What goes on as one word, before it; as in o'brien, but not in 'brien'.
WITHIN = r"(?<![0-9a-z._+-])(?<![0-9a-z]')"
# RE2 looks neither ahead nor behind.
WITHIN_RE2 = "(^|[^0-9a-z._+'-]|^'|[^0-9a-z]')"
# A file without a zero byte in so many is a text.
TEXT_BYTES = 1 << 16


@dataclass(frozen=True)
class Trace:
    """A file that names the person: `rows` where it is one of rows, and is read by columns."""

    path: Path
    rows: int | None = None


class Tracer:
    """Looks for these words, where they are no part of a longer one.

    Not in what is made anew of raw: the tables of the build and the file of a release.
    """

    def __init__(self, settings: Settings, spelled: frozenset[str]) -> None:
        self._settings = settings
        meant = {word for word in spelled if "@" in word or len(word) >= LEAST_CHARACTERS}
        words = sorted({spelling for word in meant for spelling in _spellings(word)})
        self._is_empty = not words
        listed = "|".join(re.escape(word) for word in words)
        # In a file that is no text, values stand side by side with nothing in between.
        self._binary = re.compile(listed.encode(), re.IGNORECASE)
        self._bytes = re.compile(
            rf"{WITHIN}(?:{listed})(?!\.?[0-9a-z]|[_+-])".encode(), re.IGNORECASE
        )
        re2 = "|".join(re.sub(r"([^0-9A-Za-z_\u0080-\U0010ffff])", r"\\\1", word) for word in words)
        self._sql = literal(rf"{WITHIN_RE2}({re2})($|\.$|\.[^0-9a-z]|[^0-9a-z._+-])")

    def search(self, *folders: Path) -> tuple[Trace, ...]:
        """The files below these folders that hold one of the words, in order of their paths."""
        if self._is_empty:
            return ()
        secret = {self._settings.hash_key_file, self._settings.suppressed}
        secret |= {journal_file(self._settings), self._settings.build}
        found = []
        with open_database(self._settings) as connection:
            for path in sorted({path for folder in folders for path in _files(folder)} - secret):
                if path.name == DATABASE:
                    continue
                trace = self._look(connection, path)
                if trace:
                    found.append(trace)
        return tuple(found)

    def holds(self, path: Path) -> bool:
        """Whether a file holds one of the words."""
        if self._is_empty:
            return False
        with open_database(self._settings) as connection:
            return self._look(connection, path) is not None

    def without(self, text: str) -> str:
        """The lines that do not hold one of the words."""
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if not self._bytes.search(line.encode()))

    def _look(self, connection: duckdb.DuckDBPyConnection, path: Path) -> Trace | None:
        if path.suffix == ".parquet":
            try:
                counted = connection.execute(
                    "select count(*) from read_parquet("
                    f"{path_literal(path)}, hive_partitioning = false) as delivered_rows "
                    "where regexp_matches(lower(cast(to_json(delivered_rows) as varchar)), "
                    f"{self._sql})"
                ).fetchone()
            except duckdb.InvalidInputException:  # no Parquet file, whatever its name
                counted = None
            if counted is not None:
                return Trace(path, int(counted[0])) if counted[0] else None
        if path.suffix == ".gz":
            try:
                with gzip.open(path, "rb") as stream:
                    if any(self._bytes.search(line) for line in stream):
                        return Trace(path)
            except (OSError, EOFError, zlib.error):
                pass
        return Trace(path) if self._is_in_bytes(path) else None

    def _is_in_bytes(self, path: Path) -> bool:
        if path.stat().st_size == 0:
            return False
        with (
            path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            is_text = content.find(b"\0", 0, TEXT_BYTES) < 0
            return (self._bytes if is_text else self._binary).search(content) is not None


def _spellings(word: str) -> set[str]:
    """A word as it is, and as JSON and URLs have it, in small letters."""
    escaped = json.dumps(word)[1:-1].lower()
    in_urls = {quote(word, safe=signs).lower() for signs in ("", "@", "+")}
    return {word, escaped, word.replace("/", r"\/"), word.replace("@", "%40"), *in_urls}


def _refuse_unseen(error: OSError) -> None:
    # A folder that has gone holds nothing; one that may not be looked into may hold anything.
    if not isinstance(error, FileNotFoundError):
        raise error


def _files(folder: Path) -> Iterator[Path]:
    # Links are not followed: `current` leads to a release that is looked at anyway.
    for parent, _, names in os.walk(folder, onerror=_refuse_unseen):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path
