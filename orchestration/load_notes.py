"""What a person should know of a night's deliveries although nobody need be woken for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from orchestration.declarations import Source
from orchestration.extracts import Extract, Extracts
from orchestration.landing import Listing
from orchestration.ledger import Load


def load_notes(
    listing: Listing,
    sources: Sequence[Source],
    extracts: Mapping[str, Extracts],
    earlier: Sequence[Load],
    loads: Sequence[Load],
) -> tuple[str, ...]:
    """Notes on a night.

    Args:
        listing: what lies in the landing.
        sources: the declared sources.
        extracts: the declared tables of each source.
        earlier: the versions in the ledger before the night.
        loads: the versions that were accepted in the night, ordered by source and table.
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
            load
            for load in earlier
            if load.is_loaded and (load.source, load.table_name) == (source_name, table_name)
        ]
        table_notes = _table_notes(extracts[source_name][table_name], before, list(group))
        notes += [f"{source_name}/{table_name}: {note}" for note in table_notes]
    return tuple(notes)


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

    lost = [
        (column, load.file)
        for load in loads
        for column in extract.column_names
        if column in known and column not in load.columns
    ]
    for column, file in dict(reversed(lost)).items():
        notes.append(f"column {column}, delivered before, is not in {file}")
    return notes
