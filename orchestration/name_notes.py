"""Which names of the data no rule of any funnel knows, and were not among such names before.

A stage that was renamed, a pipeline or an event that is new: its rows are there, and in no funnel.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.release_database import DATABASE
from orchestration.releases import current_release, release_folder
from orchestration.settings import Settings
from orchestration.values import literal

UNMATCHED = "unmatched_names"
# Longer lists are for the table.
MOST_NAMES = 10


def name_notes(settings: Settings) -> tuple[str, ...]:
    """Notes on the names in the build that neither a rule nor the current release knows.

    None without a release before: then all of them are new, and the table has them.
    """
    release = current_release(settings)
    if release is None:
        return ()
    before = release_folder(settings.published, release.release_id) / DATABASE
    names = _new_names(settings.build, before)
    notes = [
        f"no rule knows the {kind.replace('_', ' ')} {name!r} of {rows:,} "
        f"{'row' if rows == 1 else 'rows'}, which is new among the unmatched_names"
        for kind, name, rows in names[:MOST_NAMES]
    ]
    if len(names) > MOST_NAMES:
        notes.append(f"{len(names) - MOST_NAMES} further names are new among the unmatched_names")
    return tuple(notes)


def _new_names(build: Path, before: Path) -> list[tuple[str, str, int]]:
    """Type, name and rows, those with most rows first."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(build))} as build (read_only)")
        connection.execute(f"attach {literal(str(before))} as before (read_only)")
        return connection.execute(
            f"""
            select evidence_type, evidence_name, evidence_rows
            from build.core.{UNMATCHED}
            anti join before.main.{UNMATCHED} using (evidence_type, evidence_name)
            order by evidence_rows desc, evidence_type, evidence_name
            """
        ).fetchall()
