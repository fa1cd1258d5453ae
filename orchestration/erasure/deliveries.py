"""Takes a person's rows out of delivered files, of every format that is read; all else stays.

Of text files the other rows keep their very bytes. A file is replaced in one step, by one that lay
under a name that the loader passes over.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from orchestration.columns import snake_name
from orchestration.database import open_database
from orchestration.extracts import Extract
from orchestration.landing import LandingFile
from orchestration.readers import PARQUET, as_text
from orchestration.releases import sync
from orchestration.settings import Settings
from orchestration.suppression import WORD, Suppression
from orchestration.values import literal, path_literal, quoted

# No value that anybody meant has more lines; a quote that does not close would swallow the file.
MOST_LINES = 1000


class DeliveryFileError(RuntimeError):
    """A delivered file that cannot be searched. The message names it."""


@dataclass(frozen=True)
class Rewritten:
    """A file without the rows of a person, not yet in its place.

    Attributes:
        removed: how many rows were left out.
        left: how many rows it has.
        unfinished: where it lies.
        content_hash: SHA-256 of its bytes, in hexadecimal.
        content_hash_before: that of the delivered file.
    """

    removed: int
    left: int
    unfinished: Path
    content_hash: str
    content_hash_before: str


class Searcher:
    """Looks into delivered files for one person.

    Args:
        settings: what DuckDB may use.
        suppression: the person.
        spelled: their addresses, hashes of these and ids, as they are delivered, in small letters:
            whatever row is about them holds one of these.

    Attributes:
        doubtful: by file that was counted, rows that cannot be taken apart into columns and hold
            what may be an id of theirs, or a number of something else.
    """

    def __init__(
        self, settings: Settings, suppression: Suppression, spelled: frozenset[str]
    ) -> None:
        self._settings = settings
        self._suppression = suppression
        self.doubtful: Counter[str] = Counter()
        self._is_ascii = all(text.isascii() for text in spelled)
        # The ledger need not have seen a hash of theirs: a file may be refused as a whole.
        hashed = {hashlib.sha256(word.encode()).hexdigest() for word in spelled if "@" in word}
        needles = [re.escape(text.encode()) for text in sorted(spelled | hashed)]
        # Whatever is escaped may be anything: JSON has `\`, a URL `%`.
        self._needles = re.compile(b"|".join([*needles, rb"\\", b"%[0-9a-f]{2}"]))

    def count(self, file: LandingFile, extract: Extract) -> int:
        """How many rows of a file are about the person."""
        if file.file_format == "parquet":
            with open_database(self._settings) as connection:
                return len(self._parquet_rows(connection, file, extract))
        self.doubtful[file.file] = 0
        with self._reading(file):
            return sum(is_about for _, is_about in self._records(file, extract))

    def rewrite(self, file: LandingFile, extract: Extract) -> Rewritten:
        """Write the file once more, without these rows, beside where it really lies."""
        place = file.path.resolve()
        unfinished = place.with_name(f".{place.name}.unfinished")
        before = content_hash(file.path)
        write = self._rewrite_parquet if file.file_format == "parquet" else self._rewrite_text
        removed, left = write(file, extract, unfinished)
        shutil.copystat(file.path, unfinished)
        return Rewritten(removed, left, unfinished, content_hash(unfinished), before)

    def _rewrite_text(
        self, file: LandingFile, extract: Extract, unfinished: Path
    ) -> tuple[int, int]:
        removed = left = 0
        with unfinished.open("wb") as raw:
            # Without name and time, so that the same rows give the same bytes.
            packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if file.is_gzipped else None
            target = packed or raw
            with self._reading(file):
                for record, is_about in self._records(file, extract):
                    removed += is_about
                    left += not is_about
                    if not is_about:
                        target.write(record)
            if packed:
                packed.close()
            raw.flush()
            os.fsync(raw.fileno())
        return removed, left

    def _records(self, file: LandingFile, extract: Extract) -> Iterator[tuple[bytes, bool]]:
        """Every record with its line end, the header first, and whether it is about the person."""
        with _opened(file) as stream:
            if file.file_format == "csv":
                yield from self._csv_records(stream, file, extract)
            else:
                for line in stream:
                    values = _values_of_json(line)
                    yield line, self._is_about(line, values, extract, file)

    def _csv_records(
        self, stream: IO[bytes], file: LandingFile, extract: Extract
    ) -> Iterator[tuple[bytes, bool]]:
        lines = _Lines(stream)
        header = lines.record(lambda fields: True)
        yield header, False
        delivered = _fields(header.removeprefix(b"\xef\xbb\xbf"))
        names = [snake_name(name, place) for place, name in enumerate(delivered, start=1)]
        while record := lines.record(lambda fields: len(fields) == len(names)):
            yield record, self._is_about_csv(record, names, extract, file)

    def _is_about_csv(
        self, record: bytes, names: list[str], extract: Extract, file: LandingFile
    ) -> bool:
        if not self._may_be_about(record):
            return False
        fields = _fields(record)
        values = dict(zip(names, fields, strict=True)) if len(fields) == len(names) else None
        return self._is_about(record, values, extract, file)

    def _is_about(
        self,
        record: bytes,
        values: Mapping[str, str] | None,
        extract: Extract,
        file: LandingFile,
    ) -> bool:
        if not self._may_be_about(record):
            return False
        text = record.decode(errors="replace")
        if values is None:
            if self._suppression.is_text_about_them(text, file.source):
                return True
            self.doubtful[file.file] += self._suppression.may_hold_id(text, file.source)
            return False
        return bool(self._suppression.named_in(*values.values())) or any(
            self._suppression.has(kind, word, file.source)
            for column in extract.columns
            for kind in column.person
            for word in _ids(values.get(column.name, ""))
        )

    def _may_be_about(self, record: bytes) -> bool:
        """Whether a closer look is needed: hardly any record holds one of the words."""
        # Bytes have small letters in ASCII alone.
        return not self._is_ascii or bool(self._needles.search(record.lower()))

    def _rewrite_parquet(
        self, file: LandingFile, extract: Extract, unfinished: Path
    ) -> tuple[int, int]:
        with open_database(self._settings) as connection:
            rows = self._parquet_rows(connection, file, extract)
            connection.execute(
                "create temp table removed as select unnest($rows) as row", {"rows": rows}
            )
            connection.execute(
                f"copy (select * exclude (file_row_number) from {_read(file)} where "
                "file_row_number not in (select row from removed) order by file_row_number) "
                f"to {literal(str(unfinished))} {PARQUET}"
            )
            left = connection.execute(f"select count(*) from {_read(file)}").fetchone()
        assert left
        sync(unfinished)
        return len(rows), int(left[0]) - len(rows)

    def _parquet_rows(
        self, connection: duckdb.DuckDBPyConnection, file: LandingFile, extract: Extract
    ) -> list[int]:
        connection.execute("set TimeZone = 'UTC'")
        try:
            described = connection.execute(f"describe select * from {_read(file)}").fetchall()
            types = {name: kind for name, kind, *_ in described if name != "file_row_number"}
            names = {snake_name(name, place): name for place, name in enumerate(types, start=1)}
            texts = ", ".join(
                f"{as_text(quoted(name), types[name])} as {quoted(snake)}"
                for snake, name in names.items()
            )
            self._suppression.tell(connection)
            is_about = self._suppression.is_about(extract, file.source, list(names))
            found = connection.execute(
                f"select file_row_number from (select file_row_number, {texts} from {_read(file)}) "
                f"where {is_about} order by all"
            ).fetchall()
        except duckdb.InvalidInputException as error:
            raise _unreadable(file, str(error)) from error
        return [int(row) for (row,) in found]

    def _reading(self, file: LandingFile) -> _Reading:
        return _Reading(file)


@dataclass(frozen=True)
class _Reading:
    """Says which file it was that could not be read."""

    file: LandingFile

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)):
            raise _unreadable(self.file, str(error)) from error


def _unreadable(file: LandingFile, found: str) -> DeliveryFileError:
    return DeliveryFileError(
        f"{file.path}: expected a {file.file_format} file that can be searched, found {found}. It "
        "may hold rows of the person: have it delivered again, or delete it, and call this again."
    )


def _opened(file: LandingFile) -> IO[bytes]:
    return gzip.open(file.path, "rb") if file.is_gzipped else file.path.open("rb")  # type: ignore[return-value]


class _Lines:
    """The lines of a CSV file, put together to records."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._again: deque[bytes] = deque()

    def record(self, is_whole: Callable[[list[str]], bool]) -> bytes:
        """The next record, which may be of several lines; empty at the end.

        Where several lines are no whole record together, a quote was misplaced: then the first line
        is a record of its own, and the next ones are looked at again.
        """
        record = [self._next()]
        quotes = record[0].count(b'"')
        while quotes % 2 and len(record) < MOST_LINES and (line := self._next()):
            record.append(line)
            quotes += line.count(b'"')
        if len(record) > 1 and (quotes % 2 or not is_whole(_fields(b"".join(record)))):
            self._again.extendleft(reversed(record[1:]))
            return record[0]
        return b"".join(record)

    def _next(self) -> bytes:
        return self._again.popleft() if self._again else self._stream.readline()


def _fields(record: bytes) -> list[str]:
    text = record.decode("utf-8", errors="replace")
    try:
        return next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:  # a field that is longer than any that was meant
        return []


def _values_of_json(line: bytes) -> dict[str, str] | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    return {
        snake_name(key, place): value if isinstance(value, str) else _nested(value)
        for place, (key, value) in enumerate(values.items(), start=1)
    }


def _nested(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _ids(value: str) -> list[str]:
    """The ids of a value, which may be a list of them."""
    return re.findall(WORD, value) if value.startswith("[") else [value]


def _read(file: LandingFile) -> str:
    return (
        f"read_parquet({path_literal(file.path)}, hive_partitioning = false, "
        "file_row_number = true)"
    )


def content_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
