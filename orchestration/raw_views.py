"""Makes what dbt reads in build.duckdb, from ledger and Parquet files.

That is the schema raw, and raw_<system> for the extracts of each system.
Everything here can be made anew at any time; what it means is described in the dbt sources files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.database import open_database
from orchestration.declarations import Source
from orchestration.extracts import OWN_COLUMNS, Extract, known_systems, read_extracts
from orchestration.known_deliveries import Known, received_at
from orchestration.ledger import Load, open_ledger
from orchestration.settings import Settings
from orchestration.values import literal, quoted


class RawError(Exception):
    """Raw is not as the ledger says. The message names the file and what to do."""


def create_raw_views(
    settings: Settings,
    sources: Sequence[Source],
    build: Path | None = None,
    known: Known | None = None,
) -> None:
    """Make the schemas raw and raw_<system> of build.duckdb for the enabled sources.

    Args:
        settings: where the state is.
        sources: the declared sources.
        build: the database to make them in; None for `build.duckdb`.
        known: what alone is to be in them; None for everything.

    Raises:
        RawError: if a file is gone that the ledger says was loaded, or the build is in use.
        LedgerError: if a run is loading.
    """
    enabled = {source.source: source for source in sources if source.is_enabled}
    with open_ledger(settings.ledger) as ledger:
        loads = [load for load in ledger.loads().values() if load.source in enabled]
    loaded = sorted((load for load in loads if load.is_loaded), key=lambda load: load.file)

    connection = _connect(settings, build or settings.build)
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(str(settings.ledger))} as ledger (read_only)")
        connection.begin()
        connection.execute("create schema if not exists raw")
        _list_deliveries(connection, known)
        _create_loads(connection, enabled, is_all=known is None)
        _create_deliveries(connection)
        if known:
            held = connection.execute("select load_id from raw.loads").fetchall()
            loaded = [load for load in loaded if (load.load_id,) in set(held)]
        _check_files(settings, loaded)
        _create_quarantined_rows(connection, settings, loaded)
        for system in known_systems():
            connection.execute(f"create schema if not exists {_schema(system)}")
            of_system = [load for load in loaded if enabled[load.source].system == system]
            for extract in read_extracts(system).values():
                of_table = [load for load in of_system if load.table_name == extract.table_name]
                condition = _was_known(connection, extract, enabled, known) if known else "true"
                _create_view(connection, settings, _schema(system), extract, of_table, condition)
        connection.commit()
    finally:
        connection.close()


def _connect(settings: Settings, build: Path) -> duckdb.DuckDBPyConnection:
    try:
        return open_database(settings, build)
    except duckdb.IOException as error:
        raise RawError(
            f"{build}: expected a build that nobody has open, found: {error}. "
            "End the other run, or close the client that reads the build."
        ) from error


def _schema(system: str) -> str:
    return f"raw_{system}"


def _check_files(settings: Settings, loaded: Sequence[Load]) -> None:
    for load in loaded:
        for path in load.files(settings.raw, settings.quarantine):
            if not path.exists():
                raise RawError(
                    f"{path}: expected rows of {load.file} that the ledger says were loaded, "
                    "found no file. Restore it from a backup, or put the delivery back into the "
                    "landing and load again."
                )


def _list_deliveries(connection: duckdb.DuckDBPyConnection, known: Known | None) -> None:
    """The ledger's deliveries, or those that were known; `is_by_rows` tells which by rows alone."""
    connection.execute(
        """
        create temp table listed_deliveries as
        select *, delivery_number in (select unnest(cast($by_rows as bigint[]))) as is_by_rows
        from ledger.deliveries
        where $is_all or delivery_number in (select unnest(cast($numbers as bigint[])))
        """,
        {
            "by_rows": list(known.by_rows) if known else [],
            "numbers": [*known.deliveries, *known.by_rows] if known else [],
            "is_all": known is None,
        },
    )


def _create_loads(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Source], is_all: bool
) -> None:
    zones = ", ".join(
        f"({literal(source.source)}, {literal(source.timezone)})" for source in sources.values()
    )
    connection.execute(
        f"""
        create or replace table raw.loads as
        with declared_sources (source, timezone) as (
            values {zones or "(null, null)"}
        ),

        latest_deliveries as (
            select load_id, is_by_rows
            from listed_deliveries
            qualify row_number() over (partition by file order by delivery_number desc) = 1
        ),

        current_loads as (
            select loads.load_id
            from latest_deliveries
            join ledger.loads on loads.load_id = latest_deliveries.load_id
            qualify row_number() over (
                partition by loads.source, loads.table_name, loads.content_hash
                order by latest_deliveries.is_by_rows, loads.file
            ) = 1
        ),

        dated_loads as (
            select
                loads.*,
                sightings.first_seen_at,
                timezone(declared_sources.timezone, cast(loads.path_date as timestamp))
                    as path_day_began_at,
                timezone(declared_sources.timezone, cast(loads.path_date + 1 as timestamp))
                    as path_day_ended_at
            from ledger.loads
            join ledger.sightings on sightings.load_id = loads.load_id
            join declared_sources on declared_sources.source = loads.source
        )

        select
            load_id,
            source,
            table_name,
            file,
            content_hash,
            first_seen_at,
            coalesce(timezone('UTC', path_day_began_at), first_seen_at) as delivered_at,
            coalesce(timezone('UTC', path_day_ended_at), first_seen_at) + interval 1 day
                as plausible_until,
            status,
            refused_reason,
            status = 'loaded' and load_id in (select load_id from current_loads) as is_current,
            rows_read,
            rows_loaded,
            rows_quarantined,
            rows_suppressed,
            nullif(array_to_string(new_columns, ','), '') as new_columns,
            run_id,
        from dated_loads
        where {"true" if is_all else "load_id in (select load_id from listed_deliveries)"}
        order by file, first_seen_at, load_id
        """
    )


def _create_deliveries(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create or replace table raw.deliveries as
        select
            deliveries.delivery_number,
            deliveries.load_id,
            case
                when ledger_loads.path_date is not null then loads.delivered_at
                when row_number() over (
                    partition by deliveries.load_id order by deliveries.delivery_number
                ) = 1 then loads.first_seen_at
                else deliveries.found_at
            end as delivered_at,
        from listed_deliveries as deliveries
        join raw.loads on loads.load_id = deliveries.load_id
        join ledger.loads as ledger_loads on ledger_loads.load_id = deliveries.load_id
        order by deliveries.delivery_number
        """
    )


def _create_quarantined_rows(
    connection: duckdb.DuckDBPyConnection, settings: Settings, loaded: Sequence[Load]
) -> None:
    files = [settings.quarantine / load.parquet for load in loaded if load.rows_quarantined]
    rows = (
        f"{_parquet(files)} as quarantined_rows"
        if files
        else """(
            select
                cast(null as bigint) as _row,
                cast(null as varchar) as column_name,
                cast(null as varchar) as reason,
                cast(null as varchar) as expected,
                cast(null as varchar) as text,
                '' as filename
            where false
        ) as quarantined_rows"""
    )
    connection.execute(
        f"""
        create or replace view raw.quarantined_rows as
        select
            loads.source,
            loads.table_name,
            loads.file,
            quarantined_rows._row as row_number,
            loads.load_id,
            loads.delivered_at,
            quarantined_rows.column_name,
            quarantined_rows.reason,
            quarantined_rows.expected,
            quarantined_rows.text
        from {rows}
        join raw.loads on loads.load_id = parse_filename(quarantined_rows.filename, true)
        """
    )


def _create_view(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    schema: str,
    extract: Extract,
    loads: Sequence[Load],
    condition: str,
) -> None:
    """Create the view of a table over those of its delivered rows that meet the condition."""
    delivered = {column for load in loads for column in load.columns}
    declared = [
        f"delivered_rows.{quoted(name)}"
        if name in delivered
        else f"cast(null as varchar) as {quoted(name)}"
        for name in extract.column_names
    ]
    further = sorted(delivered - set(extract.column_names))
    fields = ", ".join(f"{literal(name)}, delivered_rows.{quoted(name)}" for name in further)
    # A patch drops what is null, so that a column that one file lacks does not show in its rows.
    extra = (
        f"nullif(cast(json_merge_patch('{{}}', json_object({fields})) as varchar), '{{}}')"
        if further
        else "cast(null as varchar)"
    )
    own = {
        "_source": "loads.source",
        "_file": "loads.file",
        "_row": "delivered_rows._row",
        "_load_id": "loads.load_id",
        "_delivered_at": "loads.delivered_at",
        "_plausible_until": "loads.plausible_until",
        "_is_current": "loads.is_current",
        "_extra": extra,
    }
    columns = [*declared, *(f"{own[name]} as {name}" for name in OWN_COLUMNS)]
    rows = (
        _parquet([settings.raw / load.parquet for load in loads])
        if loads
        else "(select cast(null as bigint) as _row, '' as filename where false)"
    )
    connection.execute(
        f"""
        create or replace view {schema}.{quoted(extract.table_name)} as
        select {", ".join(columns)}
        from {rows} as delivered_rows
        join raw.loads on loads.load_id = parse_filename(delivered_rows.filename, true)
        where {condition if extract.received_at in delivered else "true"}
        """
    )


def _was_known(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    sources: Mapping[str, Source],
    known: Known,
) -> str:
    """SQL: whether a row was known: by when it was received, where it says so, else by its file."""
    if extract.received_at is None:
        return "true"
    zones = " ".join(
        f"when {literal(source.source)} then {literal(source.timezone)}"
        for source in sources.values()
    )
    column = f"delivered_rows.{quoted(extract.received_at)}"
    received = received_at(column, f"(case loads.source {zones} end)")
    by_rows = connection.execute(
        "select distinct load_id from listed_deliveries where is_by_rows order by all"
    ).fetchall()
    later = ", ".join(literal(load_id) for (load_id,) in by_rows)
    is_known_by_file = f"loads.load_id not in ({later})" if later else "true"
    before = f"timestamp {literal(known.before.isoformat(sep=' '))}"
    return f"coalesce({received} < {before}, {is_known_by_file})"


def _parquet(files: Sequence[Path]) -> str:
    listed = ", ".join(literal(str(file)) for file in files)
    return (
        f"read_parquet([{listed}], union_by_name = true, filename = true, "
        "hive_partitioning = false)"
    )
