"""Takes a person's rows out of raw, quarantine and the ledger, as if they had not been delivered.

A file that was rewritten keeps when it was seen, and in which order, under its new content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import duckdb

from orchestration.database import open_database
from orchestration.declarations import Source
from orchestration.extracts import Extract, read_extracts
from orchestration.ledger import Load, load_id, open_ledger
from orchestration.readers import PARQUET, WHOLE_ROW_REASONS
from orchestration.releases import sync
from orchestration.settings import Settings
from orchestration.suppression import Suppression, sql_email_hash
from orchestration.values import literal, quoted


@dataclass(frozen=True)
class Find:
    """Rows of a person in a Parquet file of a table, in `raw` or `quarantine`."""

    table: str
    place: str
    path: Path
    rows: int
    condition: str


def find_rows(
    settings: Settings, sources: Sequence[Source], suppression: Suppression
) -> tuple[Find, ...]:
    """Find a person's rows in raw and quarantine, superseded versions included."""
    with open_database(settings) as connection:
        suppression.tell(connection)
        return tuple(_find_rows(connection, settings, sources, suppression))


def find_spellings(
    settings: Settings, sources: Sequence[Source], suppression: Suppression
) -> frozenset[str]:
    """The person's addresses, and hashes of these, as they were delivered, in small letters."""
    found: set[str] = set()
    with open_database(settings) as connection:
        suppression.tell(connection)
        for files in _files(settings, sources, suppression):
            columns = _columns(connection, files.paths)
            cells = [quoted(name) for name in columns]
            rows = connection.execute(
                f"""
                select distinct word
                from (
                    select unnest(flatten(list_transform(
                        [{", ".join(cells)}], lambda cell: addresses_in(cell)
                    ))) as word
                    from {_parquet(files.paths)}
                    where {suppression.names(*cells)}
                )
                where {sql_email_hash("word")} in (select hash from suppressed)
                """
            ).fetchall()
            found |= {word for (word,) in rows}
    return frozenset(found)


def remove_rows(settings: Settings, finds: Sequence[Find], suppression: Suppression) -> None:
    """Write the Parquet files once more, each replaced in one step."""
    with open_database(settings) as connection:
        suppression.tell(connection)
        for find in finds:
            unfinished = find.path.with_name(f".{find.path.name}.unfinished")
            connection.execute(
                f"copy (select * from read_parquet({literal(str(find.path))}) "
                f"where not {find.condition} order by _row) to {literal(str(unfinished))} {PARQUET}"
            )
            sync(unfinished)
            os.replace(unfinished, find.path)


def rewrite_ledger(
    settings: Settings, rewritten: Mapping[str, tuple[str, str]], spelled: frozenset[str]
) -> None:
    """Write the ledger as a new file, which has no free pages that hold what stood there before.

    Args:
        settings: where it is.
        rewritten: by path in the landing, the hashes of the file before and after.
        spelled: what no reason of a refusal may name, in small letters.
    """
    with open_ledger(settings.ledger) as ledger:
        loads, readings = ledger.loads(), ledger.readings()
    renamed = {
        load_id(file, before, reading): (load_id(file, after, reading), after)
        for file, (before, after) in rewritten.items()
        if before != after
        for reading in range(readings.get(file, 0) + 1)
    }
    for old, (new, _) in renamed.items():
        if old in loads and loads[old].is_loaded:
            _link(settings, loads[old], new)

    unfinished = settings.ledger.with_name(".ledger.unfinished.duckdb")
    for leftover in settings.home.glob(f"{unfinished.name}*"):
        leftover.unlink()
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(settings.ledger))} as ledger (read_only)")
        connection.execute(f"attach {literal(str(unfinished))} as rewritten")
        connection.execute("copy from database ledger to rewritten")
        connection.execute("use rewritten")
        for old, (new, content_hash) in renamed.items():
            if old in loads:
                _rename(connection, loads, loads[old], new, content_hash)
        _forget_reasons(connection, spelled)
        _count_again(connection, settings)
        connection.execute("checkpoint rewritten")
    sync(unfinished)
    os.replace(unfinished, settings.ledger)
    sync(settings.home)
    _remove_orphans(settings)


@dataclass(frozen=True)
class _Files:
    """Parquet files of a table in `raw` or `quarantine`, and how a row of theirs is judged."""

    table: str
    place: str
    paths: list[Path]
    condition: Callable[[Sequence[str]], str]


def _find_rows(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    sources: Sequence[Source],
    suppression: Suppression,
) -> Iterator[Find]:
    for files in _files(settings, sources, suppression):
        columns = _columns(connection, files.paths)
        counted = connection.execute(
            f"select filename, count(*) from {_parquet(files.paths)} "
            f"where {files.condition(columns)} group by all order by all"
        ).fetchall()
        for name, rows in counted:
            # It may lack columns that others of the table have.
            condition = files.condition(_columns(connection, [Path(name)]))
            yield Find(files.table, files.place, Path(name), rows, condition)


def _files(
    settings: Settings, sources: Sequence[Source], suppression: Suppression
) -> Iterator[_Files]:
    systems = {source.source: source.system for source in sources}
    with open_ledger(settings.ledger) as ledger:
        loads = [load for load in ledger.loads().values() if load.is_loaded]
    loads.sort(key=lambda load: (load.source, load.table_name, load.load_id))
    for (source, table_name), group in groupby(loads, lambda load: (load.source, load.table_name)):
        of_table = list(group)
        declared = read_extracts(systems[source]).get(table_name) if source in systems else None
        # In a source that is no longer declared, addresses are found, and ids are not.
        extract = declared or Extract(table_name, ())
        table = f"{source}/{table_name}"
        accepted = [settings.raw / load.parquet for load in of_table]
        if found := [path for path in accepted if path.exists()]:
            yield _Files(table, "raw", found, partial(suppression.is_about, extract, source))
        set_aside = [settings.quarantine / load.parquet for load in of_table]
        if found := [path for path in set_aside if path.exists()]:
            condition = _of_quarantine(suppression, source)
            yield _Files(table, "quarantine", found, partial(_whatever, condition))


def _whatever(condition: str, columns: Sequence[str]) -> str:
    """Files of quarantine have all the same columns."""
    return condition


def _of_quarantine(suppression: Suppression, source: str) -> str:
    whole = ", ".join(literal(reason) for reason in WHOLE_ROW_REASONS)
    return (
        f"(case when reason in ({whole}) then {suppression.is_text_about('text', source)} "
        f"else {suppression.names('text')} end)"
    )


def _columns(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[str]:
    described = connection.execute(f"describe select * from {_parquet(paths)}").fetchall()
    return [name for name, *_ in described if name not in ("_row", "filename")]


def _parquet(paths: Sequence[Path]) -> str:
    listed = ", ".join(literal(str(path)) for path in paths)
    return (
        f"read_parquet([{listed}], union_by_name = true, filename = true, "
        "hive_partitioning = false)"
    )


def _link(settings: Settings, load: Load, new: str) -> None:
    """Have the rows under their new name, too, before the ledger tells of it."""
    for path in load.files(settings.raw, settings.quarantine):
        if path.exists():
            unfinished = path.with_name(f".{new}.unfinished")
            unfinished.unlink(missing_ok=True)
            os.link(path, unfinished)
            os.replace(unfinished, path.with_name(f"{new}.parquet"))
            sync(path.parent)


def _rename(
    connection: duckdb.DuckDBPyConnection,
    loads: Mapping[str, Load],
    load: Load,
    new: str,
    after: str,
) -> None:
    """Let a version go by its new content, which may have been there before."""
    old = load.load_id
    if new in loads:
        connection.execute(
            "update sightings set first_seen_at = (select min(first_seen_at) from sightings "
            "where load_id in ($old, $new)) where load_id = $new",
            {"old": old, "new": new},
        )
        for table in ("sightings", "loads"):
            connection.execute(f"delete from {table} where load_id = $old", {"old": old})
    else:
        connection.execute(
            "update sightings set load_id = $new where load_id = $old", {"old": old, "new": new}
        )
        connection.execute(
            "update loads set load_id = $new, content_hash = $after where load_id = $old",
            {"old": old, "new": new, "after": after},
        )
    connection.execute(
        "update deliveries set load_id = $new where load_id = $old", {"old": old, "new": new}
    )
    # It is hashed again by the next night, which then finds what it knows.
    connection.execute("delete from looks where file = $file", {"file": load.file})


def _forget_reasons(connection: duckdb.DuckDBPyConnection, spelled: frozenset[str]) -> None:
    connection.execute(
        "update loads set refused_reason = 'Refused; the reason named somebody who was forgotten.' "
        "where list_bool_or(list_transform($spelled, lambda word: "
        "contains(lower(refused_reason), word)))",
        {"spelled": sorted(word for word in spelled if len(word) > 3) or [chr(0)]},
    )


def _count_again(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Have the ledger say how many rows the files have now."""
    for place, column in ((settings.raw, "rows_loaded"), (settings.quarantine, "rows_quarantined")):
        files = sorted(place.glob("*/*/[!.]*.parquet"))
        if not files:
            continue
        listed = ", ".join(literal(str(file)) for file in files)
        connection.execute(
            f"""
            update loads set {column} = counted.rows
            from (
                select parse_filename(file_name, true) as load_id, num_rows as rows
                from parquet_file_metadata([{listed}])
            ) as counted
            where loads.load_id = counted.load_id and loads.status = 'loaded'
            """
        )
    connection.execute(
        "update loads set rows_read = rows_loaded + rows_quarantined + rows_suppressed "
        "where status = 'loaded'"
    )


def _remove_orphans(settings: Settings) -> None:
    """Delete the Parquet files of which the ledger tells nothing."""
    with open_ledger(settings.ledger) as ledger:
        loads = [load for load in ledger.loads().values() if load.is_loaded]
    named = {path for load in loads for path in load.files(settings.raw, settings.quarantine)}
    for place in (settings.raw, settings.quarantine):
        for path in place.glob("*/*/*"):
            if path not in named:
                path.unlink()
