"""Which files lie in the landing, what their paths say, and whether they are still being written.

Nothing is opened here: what is in the files is the matter of `contents` and `readers`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from orchestration.columns import snake_name
from orchestration.declarations import Source
from orchestration.extracts import read_extracts
from orchestration.refusals import DeliveryError, UnreadablePathError, VanishedFileError

FileFormat = Literal["csv", "jsonl", "parquet"]
FORMATS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".parquet": "parquet",
}
DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
# A folder is a date, or a date with a name as in `day=2024-05-01`; anything else there is a name.
DATE_FOLDER = re.compile(r"(?:\w+=)?\d{4}-\d{2}-\d{2}")
# A table of GA4's export, which is named for its day. In other names eight digits may be a key.
DAY_TABLE = re.compile(r"(?<![a-z0-9])events_(?:intraday_|fresh_)?(\d{8})(?!\d)")


class LandingError(Exception):
    """The landing as a whole cannot be used. The message says where it was looked for."""


@dataclass(frozen=True)
class LandingFile:
    """A file of the landing as its folder shows it; sizes in bytes, times in nanoseconds of 1970.

    Attributes:
        file: path within the landing with `/`, the name that the file has in all tables.
        path_date: the latest calendar date that the path names, in the source's time zone.
        changed_ns: when the operating system last changed it; a tool can set `modified_ns` back,
            but not this.
    """

    file: str
    path: Path
    source: str
    table_name: str
    file_format: FileFormat
    is_gzipped: bool
    path_date: date | None
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True)
class Unrecognised:
    """Something in the landing that is not loaded, and what to do if it should be."""

    file: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file} is not loaded: {self.remedy}"


@dataclass(frozen=True)
class Listing:
    """What lies in the landing, in the order of the paths."""

    files: tuple[LandingFile, ...]
    unrecognised: tuple[Unrecognised, ...]
    errors: tuple[DeliveryError, ...]


def list_landing(landing: Path, sources: Sequence[Source]) -> Listing:
    """List the files of all enabled sources.

    Names that begin with `_` or `.` are ignored, as are sources that are declared and not enabled.

    Args:
        landing: the folder of the source folders.
        sources: the declared sources.

    Raises:
        LandingError: if there is no such folder, or it cannot be read.
    """
    files: list[LandingFile] = []
    unrecognised: list[Unrecognised] = []
    errors: list[DeliveryError] = []
    declared = {source.source: source for source in sources}

    for entry in _landing_entries(landing):
        source = declared.get(entry.name)
        if not entry.is_dir():
            unrecognised.append(Unrecognised(entry.name, "files lie in <source>/<table>/"))
        elif source is None:
            unrecognised.append(
                Unrecognised(f"{entry.name}/", "name the source in sources.csv if it is to be")
            )
        elif source.is_enabled:
            _list_source(entry, read_extracts(source.system), files, unrecognised, errors)
    return Listing(
        tuple(sorted(files, key=lambda file: file.file)), tuple(unrecognised), tuple(errors)
    )


def is_settled(file: LandingFile, now_ns: int, settle_seconds: int) -> bool:
    """Whether the file was left alone for `settle_seconds` before `now_ns`."""
    return now_ns - file.changed_ns >= settle_seconds * 1_000_000_000


def landing_signature(files: Sequence[LandingFile]) -> str:
    """A text that is another when a file came, went or was written to. Nothing is opened for it."""
    lines = (f"{file.file}\0{file.size}\0{file.changed_ns}" for file in files)
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def path_date(parts: Sequence[str]) -> date | None:
    """The latest date in the last part of a path, or that a folder before it is named by.

    Only real dates count, in the form YYYY-MM-DD or as in `events_20240229`. The latest, because
    a delivery that is named for a range of days was not complete before its last day.
    """
    *folders, name = parts
    texts = [folder[-10:] for folder in folders if DATE_FOLDER.fullmatch(folder)]
    texts += DATE.findall(name)
    texts += [day for part in parts for day in DAY_TABLE.findall(part)]
    return max(_dates(texts), default=None)


def look_at(file: LandingFile) -> tuple[int, int, int]:
    """Size and times of the file now, to be held against those of the listing.

    Raises:
        VanishedFileError: if it is gone.
    """
    try:
        found = file.path.stat()
    except FileNotFoundError:
        raise VanishedFileError(file.file, "the file that was listed", "none") from None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _landing_entries(landing: Path) -> list[os.DirEntry[str]]:
    try:
        return _visible_entries(landing)
    except FileNotFoundError:
        raise LandingError(
            f"FUNNEL_LANDING: expected a folder of deliveries, found nothing at {landing}. "
            "Create it, or point FUNNEL_LANDING to where the deliveries lie."
        ) from None
    except NotADirectoryError:
        raise LandingError(
            f"FUNNEL_LANDING: expected a folder of deliveries, found a file at {landing}. "
            "Point FUNNEL_LANDING to the folder where the deliveries lie."
        ) from None
    except PermissionError:
        raise LandingError(
            f"FUNNEL_LANDING: expected a folder that can be read, was denied {landing}. "
            "Give the user of the nightly run the right to read it."
        ) from None


def _list_source(
    folder: os.DirEntry[str],
    tables: Mapping[str, object],
    files: list[LandingFile],
    unrecognised: list[Unrecognised],
    errors: list[DeliveryError],
) -> None:
    for entry in _entries(Path(folder.path), folder.name, errors):
        name = f"{folder.name}/{entry.name}"
        if not entry.is_dir():
            unrecognised.append(Unrecognised(name, f"files lie in {folder.name}/<table>/"))
            continue
        # Connectors name an object as its API does: `OpportunityHistory`.
        table_name = entry.name if entry.name in tables else snake_name(entry.name, 1)
        if table_name not in tables:
            unrecognised.append(
                Unrecognised(f"{name}/", f"expected a table of {', '.join(sorted(tables))}")
            )
            continue
        for path, file in _walk(Path(entry.path), name, errors):
            _list_file(path, file, table_name, files, unrecognised, errors)


def _list_file(
    path: Path,
    file: str,
    table_name: str,
    files: list[LandingFile],
    unrecognised: list[Unrecognised],
    errors: list[DeliveryError],
) -> None:
    suffix = next((suffix for suffix in FORMATS if file.lower().endswith(suffix)), None)
    printable = file.encode(errors="backslashreplace").decode()
    if printable != file:
        unrecognised.append(Unrecognised(printable, "expected a name in UTF-8"))
        return
    if suffix is None:
        unrecognised.append(Unrecognised(file, f"expected a name in {', '.join(FORMATS)}"))
        return
    source, _, *parts = file.split("/")
    try:
        found = path.stat()
    except FileNotFoundError:
        errors.append(VanishedFileError(file, "the file that was listed", "none"))
        return
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
        unrecognised.append(Unrecognised(file, "expected a file with content of its own"))
        return
    files.append(
        LandingFile(
            file=file,
            path=path,
            source=source,
            table_name=table_name,
            file_format=FORMATS[suffix],
            is_gzipped=suffix.endswith(".gz"),
            path_date=path_date(parts),
            size=found.st_size,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
        )
    )


def _walk(folder: Path, name: str, errors: list[DeliveryError]) -> Iterator[tuple[Path, str]]:
    """The files at any depth below a table's folder; links to folders are not followed."""
    for entry in _entries(folder, name, errors):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{name}/{entry.name}", errors)
        else:
            yield Path(entry.path), f"{name}/{entry.name}"


def _entries(folder: Path, name: str, errors: list[DeliveryError]) -> list[os.DirEntry[str]]:
    try:
        return _visible_entries(folder)
    except PermissionError:
        errors.append(UnreadablePathError(name, "a folder that can be read", "permission denied"))
    except FileNotFoundError:
        errors.append(VanishedFileError(name, "the folder that was listed", "none"))
    return []


def _visible_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(("_", "."))]
    return sorted(visible, key=lambda entry: entry.name)


def _dates(texts: Sequence[str]) -> Iterator[date]:
    for text in texts:
        try:
            yield date.fromisoformat(text)
        except ValueError:  # such as 2024-02-30: digits of some other meaning
            continue
