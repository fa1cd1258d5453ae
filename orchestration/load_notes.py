"""What a person should know of a night's deliveries although nobody need be woken for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from textwrap import shorten

import duckdb

from orchestration.declarations import Source
from orchestration.extracts import Extract, Extracts
from orchestration.landing import LandingFile, Listing
from orchestration.ledger import Load
from orchestration.values import SHAPE, literal, shape_of


def load_notes(
    listing: Listing,
    sources: Sequence[Source],
    extracts: Mapping[str, Extracts],
    earlier: Sequence[Load],
    loads: Sequence[Load],
    quarantine: Path,
) -> tuple[str, ...]:
    """Notes on a night.

    Args:
        listing: what lies in the landing.
        sources: the declared sources.
        extracts: the declared tables of each source.
        earlier: the versions that were accepted before the night, in the order of delivery.
        loads: those that were accepted in the night, by source, table and path.
        quarantine: the folder of the rows that were set aside.
    """
    notes = [str(unrecognised) for unrecognised in listing.unrecognised]
    delivering = {file.source for file in listing.files}
    for source in sources:
        if source.is_enabled and source.source not in delivering:
            notes.append(f"{source.source} is enabled, and no file of it lies in the landing")
    for (source_name, table_name), group in groupby(
        loads, key=lambda load: (load.source, load.table_name)
    ):
        before = [
            load for load in earlier if (load.source, load.table_name) == (source_name, table_name)
        ]
        table_notes = _table_notes(extracts[source_name][table_name], before, list(group))
        notes += [f"{source_name}/{table_name}: {note}" for note in table_notes]
    return (*notes, *_faulty_columns(loads, quarantine))


def waiting_notes(files: Sequence[LandingFile]) -> tuple[str, ...]:
    """A note on the new or changed files of events that are older than what a night searches."""
    days = sorted(file.path_date for file in files if file.path_date)
    if not days:
        return ()
    return (
        f"{len(files):,} new or changed file{'s' * (len(files) > 1)} of events "
        f"{'are' if len(files) > 1 else 'is'} older than FUNNEL_LOOKBACK_DAYS and not loaded, as "
        f"{files[0].file}; `make backfill FROM={days[0]} TO={days[-1]}` loads them",
    )


def _table_notes(extract: Extract, earlier: Sequence[Load], loads: Sequence[Load]) -> list[str]:
    notes = []
    empty = [load.file for load in loads if load.rows_read == 0]
    if empty:
        notes.append(f"{len(empty)} of {len(loads)} new files have no rows, as {empty[0]}")

    known = {column for load in earlier for column in load.columns}
    new = sorted({column for load in loads for column in load.new_columns} - known)
    if new:
        notes.append(
            f"new columns {', '.join(new)}; they are kept, and can be declared as segments"
        )
    return notes + _changed_columns(extract, earlier, loads)


def _changed_columns(extract: Extract, earlier: Sequence[Load], loads: Sequence[Load]) -> list[str]:
    """Each new file held against the one before it. What changed is told of one file only."""
    notes: dict[str, str] = {}
    known = {column for load in earlier for column in load.columns}
    latest = {kind: load for load in earlier for kind in _kinds(load.file)}
    for load in loads:
        kinds = _kinds(load.file)
        before = next((latest[kind] for kind in kinds if kind in latest), load)
        lost = [column for column in before.columns if column not in load.columns]
        gained = [column for column in load.columns if column not in before.columns]
        for column in lost:
            renamed = get_close_matches(column, gained, n=1)
            hint = f"; {renamed[0]} may be its new name" if renamed else ""
            note = f"column {column}, delivered before, is not in {load.file}{hint}"
            notes.setdefault(f"lost {column}", note)
        for column in gained:
            if column in extract.column_names and column not in known:
                note = f"column {column}, not delivered before, is in {load.file}"
                notes.setdefault(f"gained {column}", note)
        if _has_other_order(before, load):
            note = f"columns are in another order in {load.file}; they are read by their names"
            notes.setdefault("order", note)
        latest |= dict.fromkeys(kinds, load)
    return list(notes.values())


def _has_other_order(before: Load, load: Load) -> bool:
    # Of JSON Lines the order says nothing: what is null may be left out of a line.
    shared = [column for column in before.columns if column in load.columns]
    return ".jsonl" not in load.file and shared != [
        column for column in load.columns if column in before.columns
    ]


def _kinds(file: str) -> tuple[str, str]:
    """What a file is of, the narrower first: its path without the numbers in it, and its folder.

    A folder may hold several kinds of files with columns of their own.
    """
    kind = re.sub(r"\d+", "", file)
    return kind, kind.rpartition("/")[0]


def _faulty_columns(loads: Sequence[Load], quarantine: Path) -> list[str]:
    """Columns for which at least half of the rows of a new file are quarantined."""
    notes = []
    for load in loads:
        if 2 * load.rows_quarantined < max(load.rows_read, 1):
            continue
        # The text of what is missing is the whole row.
        found = duckdb.execute(
            f"""
            select
                column_name,
                count(*),
                min(expected),
                min(text) filter (where reason not in ('missing_value', 'no_subject'))
            from read_parquet({literal(str(quarantine / load.parquet))})
            where column_name is not null
            group by column_name
            having 2 * count(*) >= $rows
            order by all
            """,
            {"rows": load.rows_read},
        ).fetchall()
        for column, rows, expected, text in found:
            example = f", found for example {shorten(shape_of(text), 40)!r} {SHAPE}" if text else ""
            notes.append(
                f"{load.source}/{load.table_name}: {rows:,} of {load.rows_read:,} rows of "
                f"{load.file} are quarantined for column {column}: expected {expected}{example}"
            )
    return notes
