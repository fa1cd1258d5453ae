"""A warehouse that is published in a blink: two tables that change and one that does not.

Every row of `fct_visits` and `visit_counts` bears the mark of the build that made it, so that a
reader can tell whether all it sees is of one release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publish import publish
from orchestration.published_tables import PublishedTable, published_tables
from orchestration.releases import Release
from orchestration.settings import Settings


def model(
    name: str,
    folder: str,
    columns: Mapping[str, str],
    key: object,
    description: str = "A table. One row per thing.",
    **config: Any,
) -> dict[str, Any]:
    """A model as dbt writes it into `manifest.json`, as far as publishing looks at it."""
    layer, schema = folder.split("/")
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "fqn": ["funnel_warehouse", layer, schema, name],
        "original_file_path": f"models/{folder}/{name}.sql",
        "description": description,
        "columns": {
            column: {"name": column, "data_type": data_type, "description": f"The {column}."}
            for column, data_type in columns.items()
        },
        "config": {
            "enabled": True,
            "materialized": "table",
            "contract": {"enforced": True},
            "meta": {} if key is None else {"key": key},
            **config,
        },
    }


VISITS = model(
    "fct_visits",
    "marts/core",
    {"subject_id": "varchar", "visit_number": "integer", "mark": "integer"},
    ["subject_id", "visit_number"],
    description="The stays of a subject; it's quoted. One row per visit.",
)
COUNTS = model(
    "visit_counts",
    "marts/marts",
    {"grain": "varchar", "day": "date", "visits": "bigint", "mark": "integer"},
    ["grain", "day"],
)
STAGES = model(
    "dim_stages", "marts/core", {"stage_id": "varchar", "stage_name_zh": "varchar"}, ["stage_id"]
)
UNPUBLISHED = model("int_visits", "intermediate/intermediate", {"subject_id": "varchar"}, None)


def manifest(*models: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest of these models and of a test on the first, which is no model."""
    nodes = {f"model.funnel_warehouse.{node['name']}": dict(node) for node in models}
    test = {"resource_type": "test", "name": "unique", "fqn": ["funnel_warehouse", "marts", "u"]}
    return {"nodes": {**nodes, "test.funnel_warehouse.unique": test}}


TABLES = published_tables(manifest(VISITS, COUNTS, STAGES, UNPUBLISHED))


def settings_for(home: Path, keep_releases: int = 7) -> Settings:
    """The settings of a warehouse at `home`."""
    return Settings.from_environment(
        {
            "FUNNEL_HOME": str(home),
            "FUNNEL_LANDING": str(home / "landing"),
            "FUNNEL_KEEP_RELEASES": str(keep_releases),
        }
    )


def write_build(build: Path, mark: int, also: Sequence[str] = ()) -> None:
    """Build the tables anew, all marked, with more statements after.

    Rows: `fct_visits` b/1, a/2, a/1 (in that order); `visit_counts` day/2024-01-01 and all/null (a
    key without a value); `dim_stages` visit, cart, the same in every build.
    """
    build.parent.mkdir(parents=True, exist_ok=True)
    build.unlink(missing_ok=True)
    with duckdb.connect(str(build)) as connection:
        connection.execute("create schema core; create schema marts; create schema intermediate")
        connection.execute("create table intermediate.int_visits as select 'a' as subject_id")
        connection.execute(
            "create table core.fct_visits as "
            f"select subject_id, visit_number, {mark} as mark "
            "from (values ('b', 1), ('a', 2), ('a', 1)) as visits (subject_id, visit_number)"
        )
        connection.execute(
            "create table marts.visit_counts as "
            f"select grain, day, visits, {mark} as mark from (values "
            "('day', date '2024-01-01', 3::bigint), ('all', null, 3::bigint)"
            ") as counts (grain, day, visits)"
        )
        connection.execute(
            "create table core.dim_stages as select stage_id, stage_name_zh "
            "from (values ('visit', '访问'), ('cart', '加入购物车')) "
            "as stages (stage_id, stage_name_zh)"
        )
        for statement in also:
            connection.execute(statement)


def publish_mark(
    settings: Settings,
    mark: int,
    tables: Sequence[PublishedTable] = TABLES,
    also: Sequence[str] = (),
    gates: Sequence[Mapping[str, Any]] = (),
    accepted: Sequence[Mapping[str, Any]] = (),
) -> Release:
    """Build and publish what a night of January 2024 makes: the mark is its day and fingerprint."""
    write_build(settings.build, mark, also)
    return publish_build(settings, mark, tables, gates, accepted)


def publish_build(
    settings: Settings,
    mark: int,
    tables: Sequence[PublishedTable] = TABLES,
    gates: Sequence[Mapping[str, Any]] = (),
    accepted: Sequence[Mapping[str, Any]] = (),
) -> Release:
    """Publish what was built already."""
    return publish(
        settings,
        tables,
        as_of=datetime(2024, 1, mark),
        fingerprint=f"fingerprint {mark}",
        run_id=f"run {mark}",
        gates=gates,
        accepted=accepted,
        published_at=datetime(2024, 1, mark, 2, 30),
    )


def release_of(day: int, count: int = 1) -> str:
    """The id of the release with that as-of."""
    return f"202401{day:02d}T000000Z-{count:03d}"


def read(settings: Settings, query: str, release_id: str | None = None) -> list[tuple[Any, ...]]:
    """What a reader gets from the current release, or from the named one."""
    folder = settings.published / (f"releases/{release_id}" if release_id else "current")
    with duckdb.connect(str(folder / "funnel.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def read_parquet(settings: Settings, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table's Parquet file in the current release, in the order of the file."""
    path = settings.published / "current" / "parquet" / f"{table}.parquet"
    with duckdb.connect(":memory:") as connection:
        return connection.execute("from read_parquet(?)", [str(path)]).fetchall()


def folders(settings: Settings) -> list[str]:
    """All that lies beside the releases, hidden names included."""
    return sorted(path.name for path in (settings.published / "releases").iterdir())


def link(settings: Settings) -> str:
    """Where `current` leads, as it stands in the link."""
    return str((settings.published / "current").readlink())
