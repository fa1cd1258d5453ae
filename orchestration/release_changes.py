"""What changed in a table from one release to the next, by the table's key.

Only counts and names come out of here; they are written by `release_log`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from orchestration.published_tables import PublishedTable, quoted_list
from orchestration.release_database import columns_of, digest


@dataclass(frozen=True)
class TableChange:
    """A row of `release_tables`, but for the release. The counts mean what that table says."""

    table_name: str
    rows: int | None
    rows_before: int | None = None
    rows_added: int | None = None
    rows_removed: int | None = None
    rows_changed: int | None = None
    changed_columns: tuple[str, ...] = ()
    is_unchanged: bool = False


def table_change(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, after: str, before: str | None
) -> TableChange:
    """Compare a table with itself in the release before.

    Args:
        connection: sees both.
        table: what is compared.
        after: the new table (SQL).
        before: the old one (SQL); None if there is none.
    """
    names = table.column_names
    new = digest(connection, after, names)
    if before is None:
        return TableChange(table.name, rows=new.rows)

    columns_after = columns_of(connection, after)
    columns_before = columns_of(connection, before)
    old = digest(connection, before, tuple(columns_before))
    # In order, too: a file with its columns in another order is another file.
    if old == new and list(columns_after.items()) == list(columns_before.items()):
        return TableChange(table.name, new.rows, old.rows, 0, 0, 0, is_unchanged=True)

    changed_columns = tuple(
        name
        for name in {**columns_after, **columns_before}
        if columns_after.get(name) != columns_before.get(name)
    )
    if any(name in changed_columns for name in table.key):
        # Without the same key no row of one can be found in the other.
        added, removed, changed = new.rows, old.rows, 0
    else:
        common = [name for name in names if name not in changed_columns]
        added, removed, changed = _compare(connection, table.key, common, after, before)
    return TableChange(table.name, new.rows, old.rows, added, removed, changed, changed_columns)


def _compare(
    connection: duckdb.DuckDBPyConnection,
    key: Sequence[str],
    common: Sequence[str],
    after: str,
    before: str,
) -> tuple[int, int, int]:
    """How many rows were added, removed and changed."""
    names, row = quoted_list(key), quoted_list(common)
    found = connection.execute(
        f"""
        with sides as (
            select {names}, hash({row}) as row_hash, true as is_after from {after}
            union all
            select {names}, hash({row}) as row_hash, false as is_after from {before}
        ),

        keys as (
            select
                {names},
                max(row_hash) filter (where is_after) as hash_after,
                max(row_hash) filter (where not is_after) as hash_before
            from sides
            group by {names}
        )

        select
            count(*) filter (where hash_before is null),
            count(*) filter (where hash_after is null),
            count(*) filter (where hash_before <> hash_after)
        from keys
        """
    ).fetchone()
    assert found is not None
    return found[0], found[1], found[2]
