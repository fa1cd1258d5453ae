"""Loads what is new in the landing into raw, source by source, and enters it in the ledger.

A source's new files become current together or not at all. Nothing counts before it stands in the
ledger, so a run that is killed anywhere leaves only files that the next run writes again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import duckdb

from orchestration.acceptance import Acceptance, accept_file
from orchestration.columns import new_columns
from orchestration.contents import Contents, read_contents
from orchestration.database import open_database
from orchestration.declarations import Source
from orchestration.extracts import Extracts, read_extracts
from orchestration.landing import LandingFile, Listing, list_landing, look_at
from orchestration.ledger import Ledger, Load, Look, load_id, open_ledger
from orchestration.load_notes import load_notes, waiting_notes
from orchestration.refusals import ChangedFileError, DeliveryError
from orchestration.settings import Settings
from orchestration.suppression import read_suppression, refuse_lost

# Smaller files are read before anyone could read that they are.
LONG_FILE_BYTES = 1 << 28
# Below, one thread takes less time than two take to agree.
MANY_THREADS_BYTES = 1 << 23


@dataclass(frozen=True)
class LoadSummary:
    """What a run found in the landing.

    Attributes:
        run_id: the run.
        files: how many files lie there for the enabled sources.
        loads: the versions that were accepted in this run.
        deliveries: how many paths have another content than at the run before.
        errors: why nothing new of a source was accepted, by source; empty if all went well.
        notes: what a person should know and nobody need be woken for.
    """

    run_id: str
    files: int
    loads: tuple[Load, ...]
    deliveries: int
    errors: Mapping[str, tuple[DeliveryError, ...]]
    notes: tuple[str, ...]

    @property
    def rows_loaded(self) -> int:
        """Rows that were accepted in this run."""
        return sum(load.rows_loaded for load in self.loads)

    @property
    def rows_quarantined(self) -> int:
        """Rows that were set aside in this run."""
        return sum(load.rows_quarantined for load in self.loads)


def load_landing(
    settings: Settings,
    sources: Sequence[Source],
    now: datetime,
    run_id: str,
    progress: Callable[[str], None] = lambda _: None,
) -> LoadSummary:
    """Load every file whose content was not the last to be delivered under its path.

    Files that cannot be used are in the summary's errors and in the ledger; they are tried again
    each night as long as they lie there.

    Args:
        settings: where landing and state are.
        sources: the declared sources.
        now: the instant of the run; without an offset it is UTC.
        run_id: the run, as it stands in the ledger.
        progress: told what is being done, a line at a time.

    Raises:
        LandingError: if the landing as a whole cannot be read.
        LedgerError: if another run is at work.
        SuppressionError: if who was forgotten is listed under another secret, or no longer.
    """
    extracts = {source.source: read_extracts(source.system) for source in sources}
    listing = list_landing(settings.landing, sources)
    now = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    with open_ledger(settings.ledger) as ledger, _open_workshop(settings) as workshop:
        loader = _Loader(settings, extracts, ledger, workshop, run_id, progress)
        earlier = ledger.delivered_loads()
        finds = {
            source: loader.load_source(files, errors, now)
            for source, (files, errors) in _by_source(listing).items()
        }
    loads = tuple(load for find in finds.values() for load in find.loads if load.is_loaded)
    return LoadSummary(
        run_id=run_id,
        files=len(listing.files),
        loads=loads,
        deliveries=sum(len(find.delivered) for find in finds.values()),
        errors={source: tuple(find.errors) for source, find in finds.items() if find.errors},
        notes=(
            *load_notes(listing, sources, extracts, earlier, loads, settings.quarantine),
            *waiting_notes([file for find in finds.values() for file in find.waiting]),
        ),
    )


def fingerprint(settings: Settings, sources: Sequence[Source]) -> str:
    """A text that is another when anything that counts was delivered for the enabled sources.

    Raises:
        LedgerError: if a run is loading.
    """
    enabled = {source.source for source in sources if source.is_enabled}
    with open_ledger(settings.ledger) as ledger:
        deliveries = ledger.deliveries()
    # By path, so that the order in which paths were found decides nothing.
    lines = sorted(
        (file, number, content_hash)
        for number, (file, content_hash) in enumerate(deliveries)
        if file.partition("/")[0] in enabled
    )
    text = "\n".join(f"{file}\0{content_hash}" for file, _, content_hash in lines)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class _Find:
    """What a run has found out about one source so far."""

    looks: list[Look] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    waiting: list[LandingFile] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    acceptances: list[tuple[Load, Acceptance]] = field(default_factory=list)
    errors: list[DeliveryError] = field(default_factory=list)


class _Loader:
    """One run of loading, with the ledger as it was before."""

    def __init__(
        self,
        settings: Settings,
        extracts: Mapping[str, Extracts],
        ledger: Ledger,
        workshop: _Workshop,
        run_id: str,
        progress: Callable[[str], None],
    ) -> None:
        self.loads = ledger.loads()
        self._looks = ledger.looks()
        self._latest = ledger.latest_deliveries()
        self._readings = ledger.readings()
        self._searched_from = _searched_from(settings, extracts, ledger.delivered_loads())
        self._suppression = read_suppression(settings)
        refuse_lost(settings, self._suppression, ledger.suppression_hashes())
        ledger.remember_suppression_hashes(len(self._suppression.hashes))
        self._settings = settings
        self._extracts = extracts
        self._ledger = ledger
        self._workshop = workshop
        self._run_id = run_id
        self._progress = progress

    def load_source(
        self, files: Sequence[LandingFile], errors: Sequence[DeliveryError], now: datetime
    ) -> _Find:
        """Load a source's new files, and enter all of them in the ledger or, for an error, none."""
        find = _Find(errors=list(errors))
        for table_name, table_files in groupby(files, key=lambda file: file.table_name):
            before = len(find.loads)
            for file in table_files:
                if self._waits(file):
                    find.waiting.append(file)
                    continue
                try:
                    self._load_file(file, find)
                except DeliveryError as error:
                    find.errors.append(error)
            self._report(f"{files[0].source}/{table_name}", find.loads[before:])

        if find.errors:
            find.loads = [load for load in find.loads if not load.is_loaded]
            find.delivered = []
        elif find.acceptances:
            for load, acceptance in find.acceptances:
                self._place(load, acceptance)
            # Once for all, as it waits for the disk: the ledger must not tell of rows that a power
            # cut takes away.
            os.sync()
        self._ledger.commit(
            self._run_id,
            now,
            looks=find.looks,
            seen=find.seen,
            loads=find.loads,
            delivered=find.delivered,
        )
        return find

    def _load_file(self, file: LandingFile, find: _Find) -> None:
        look = self._looks.get(file.file)
        contents = None
        if look is None or not look.still_holds(file.size, file.modified_ns, file.changed_ns):
            look, contents = self._read(file, find)
        version = self._version(file, look)
        find.seen.append(version)
        known = self.loads.get(version)
        is_in_raw = known is not None and known.is_loaded and self._has_files(known)
        if not is_in_raw:
            if contents is None:
                look, contents = self._read(file, find)
            self._accept(file, look, contents, find)
        if self._latest.get(file.file) != version:
            find.delivered.append((version, file.file))

    def _version(self, file: LandingFile, look: Look) -> str:
        return load_id(file.file, look.content_hash, self._readings.get(file.file, 0))

    def _waits(self, file: LandingFile) -> bool:
        """Whether a new or changed file is older than what a night searches, and nobody asked."""
        first = self._searched_from.get((file.source, file.table_name))
        if first is None or file.path_date is None or file.path_date >= first:
            return False
        look = self._looks.get(file.file)
        if look is None:
            return file.file not in self._readings and file.file not in self._latest
        if look.is_as(file.size, file.modified_ns, file.changed_ns):
            return False
        return self._latest.get(file.file) == self._version(file, look)

    def _read(self, file: LandingFile, find: _Find) -> tuple[Look, Contents]:
        if file.size >= LONG_FILE_BYTES:
            self._progress(f"reading {file.file}, {file.size / 1e9:,.1f} GB")
        looked_ns = time.time_ns()
        seen = look_at(file)
        contents = read_contents(file)
        look = Look(file.file, *seen, looked_ns, contents.content_hash)
        self._check_unchanged(file, look)
        find.looks.append(look)
        return look, contents

    def _accept(self, file: LandingFile, look: Look, contents: Contents, find: _Find) -> None:
        version = self._version(file, look)
        extract = self._extracts[file.source][file.table_name]
        load = Load(
            load_id=version,
            source=file.source,
            table_name=file.table_name,
            file=file.file,
            content_hash=look.content_hash,
            path_date=file.path_date,
            status="refused",
            refused_reason=None,
            rows_read=0,
            rows_loaded=0,
            rows_quarantined=0,
            rows_suppressed=0,
            columns=(),
            new_columns=(),
            run_id=self._run_id,
        )
        try:
            acceptance = accept_file(
                self._workshop.connection_for(file),
                file,
                contents,
                extract,
                self._workshop.folder,
                version,
                self._suppression,
            )
        except DeliveryError as error:
            self._check_unchanged(file, look)
            find.loads.append(replace(load, refused_reason=str(error)))
            raise
        self._check_unchanged(file, look)
        load = replace(
            load,
            status="loaded",
            rows_read=acceptance.rows_accepted
            + acceptance.rows_quarantined
            + acceptance.rows_suppressed,
            rows_loaded=acceptance.rows_accepted,
            rows_quarantined=acceptance.rows_quarantined,
            rows_suppressed=acceptance.rows_suppressed,
            columns=acceptance.columns,
            new_columns=new_columns(extract, acceptance.columns),
        )
        find.loads.append(load)
        find.acceptances.append((load, acceptance))

    def _check_unchanged(self, file: LandingFile, look: Look) -> None:
        if look_at(file) != (look.size, look.modified_ns, look.changed_ns):
            raise ChangedFileError(
                file.file, "a file that is complete", "one that was being written"
            )

    def _has_files(self, load: Load) -> bool:
        files = load.files(self._settings.raw, self._settings.quarantine)
        return all(path.exists() for path in files)

    def _place(self, load: Load, acceptance: Acceptance) -> None:
        """Move the Parquet files of an accepted version to where they stay."""
        places = load.files(self._settings.raw, self._settings.quarantine)
        for place, written in zip(
            places, (acceptance.accepted, acceptance.quarantined), strict=False
        ):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(written, place)

    def _report(self, table: str, loads: Sequence[Load]) -> None:
        refused = sum(not load.is_loaded for load in loads)
        suppressed = sum(load.rows_suppressed for load in loads)
        if loads:
            self._progress(
                f"{table}: {len(loads):,} new file{'s' if len(loads) > 1 else ''}, "
                f"{sum(load.rows_loaded for load in loads):,} rows"
                f", {sum(load.rows_quarantined for load in loads):,} quarantined"
                f"{f', {suppressed:,} suppressed' if suppressed else ''}"
                f"{f', {refused:,} refused' if refused else ''}"
            )


@dataclass(frozen=True)
class _Workshop:
    """Where files are worked on: a folder on the file system of raw, and two private DuckDBs."""

    folder: Path
    one_thread: duckdb.DuckDBPyConnection
    all_threads: duckdb.DuckDBPyConnection

    def connection_for(self, file: LandingFile) -> duckdb.DuckDBPyConnection:
        """The connection that reads a file of this size in the least time."""
        return self.all_threads if file.size >= MANY_THREADS_BYTES else self.one_thread


@contextmanager
def _open_workshop(settings: Settings) -> Iterator[_Workshop]:
    folder = settings.raw / ".incoming"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open_database(settings) as one_thread, open_database(settings) as all_threads:
        for connection in one_thread, all_threads:
            connection.execute("set TimeZone = 'UTC'")
        one_thread.execute("set threads = 1")
        yield _Workshop(folder, one_thread, all_threads)
    shutil.rmtree(folder)


def _searched_from(
    settings: Settings, extracts: Mapping[str, Extracts], delivered: Sequence[Load]
) -> dict[tuple[str, str], date]:
    """By source and table of events, the first day whose files a night searches; none: all."""
    if settings.lookback_days is None:
        return {}
    newest: dict[tuple[str, str], date] = {}
    for load in delivered:
        extract = extracts.get(load.source, {}).get(load.table_name)
        if extract and extract.is_web_events and load.path_date:
            table = (load.source, load.table_name)
            newest[table] = max(newest.get(table, load.path_date), load.path_date)
    return {table: day - timedelta(days=settings.lookback_days) for table, day in newest.items()}


def _by_source(
    listing: Listing,
) -> dict[str, tuple[list[LandingFile], list[DeliveryError]]]:
    by_source: dict[str, tuple[list[LandingFile], list[DeliveryError]]] = {}
    for file in listing.files:
        by_source.setdefault(file.source, ([], []))[0].append(file)
    for error in listing.errors:
        by_source.setdefault(error.source, ([], []))[1].append(error)
    return dict(sorted(by_source.items()))
