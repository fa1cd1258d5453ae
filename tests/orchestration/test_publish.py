"""What is in a release, and that nothing else than an audited release is ever published."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import publish as publishing
from orchestration.publish import PublishError, publish
from orchestration.published_tables import published_tables
from orchestration.release_audit import AuditError
from orchestration.release_database import DatabaseInUseError
from orchestration.release_log import GateResultError
from orchestration.releases import current_release
from orchestration.settings import Settings
from tests.orchestration.tiny_builds import (
    TABLES,
    folders,
    link,
    manifest,
    model,
    publish_build,
    publish_mark,
    read,
    read_parquet,
    release_of,
    settings_for,
    write_build,
)

PASSED = {
    "layer": "staging",
    "gate": "volume",
    "rule": "rows_within_history",
    "table_name": "stg_events",
    "status": "passed",
    "observed": 120,
    "expected": {"least": 100, "most": 140},
}
CONNECT = duckdb.connect
SURPRISE = {"layer": "marts", "gate": "shape", "rule": "step_rate", "observed": "0.9"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "warehouse")


def test_a_release_holds_the_marts_in_the_order_of_their_keys(settings: Settings) -> None:
    """Files of the same content would differ, or a reader would find tables of the build."""
    release = publish_mark(settings, 1)
    assert link(settings) == f"releases/{release_of(1)}"
    assert folders(settings) == [release_of(1)]
    visits = [("a", 1, 1), ("a", 2, 1), ("b", 1, 1)]
    counts = [("all", None, 3, 1), ("day", datetime(2024, 1, 1).date(), 3, 1)]
    assert read(settings, "from fct_visits") == visits
    assert read_parquet(settings, "fct_visits") == visits
    assert read(settings, "from visit_counts") == counts
    assert read_parquet(settings, "visit_counts") == counts
    names = ["dim_stages", "fct_visits", "release_gates", "release_log", "release_tables"]
    names.append("visit_counts")
    assert read(settings, "select table_schema, table_name from information_schema.tables") == [
        ("main", name) for name in names
    ]
    folder = settings.published / "current"
    assert sorted(path.name for path in folder.iterdir()) == [
        "funnel.duckdb",
        "parquet",
        "release.json",
    ]
    assert sorted(path.name for path in (folder / "parquet").iterdir()) == [
        f"{name}.parquet" for name in names
    ]
    assert current_release(settings) == release
    assert release.rows == {"dim_stages": 2, "fct_visits": 3, "visit_counts": 2}


def test_analysts_see_every_description_in_the_file(settings: Settings) -> None:
    """Whoever opens the file without this repository would have to guess what a column means."""
    publish_mark(settings, 1)
    assert read(
        settings, "select comment from duckdb_tables() where table_name = 'fct_visits'"
    ) == [("The stays of a subject; it's quoted. One row per visit.",)]
    assert read(
        settings,
        "select column_name, comment from duckdb_columns() where table_name = 'fct_visits'",
    ) == [
        ("subject_id", "The subject_id."),
        ("visit_number", "The visit_number."),
        ("mark", "The mark."),
    ]
    undescribed = (
        "select table_name, column_name from duckdb_columns() where coalesce(comment, '') = '' "
        "and not internal"
    )
    assert read(settings, undescribed) == []


def test_the_file_is_written_for_older_clients(settings: Settings) -> None:
    """A BI tool with DuckDB 1.2 could not open it."""
    publish_mark(settings, 1)
    written = "select tags['storage_version'] from duckdb_databases() where path like '%funnel%'"
    assert read(settings, written) == [("v1.2.0+",)]


def test_nobody_writes_into_a_release(settings: Settings) -> None:
    """A client that forgets `read_only` would lock the file for all others, or change it."""
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    files = [path for path in settings.published.glob("releases/*/**/*") if path.is_file()]
    assert len(files) == 2 * (2 + 6)
    assert [path for path in files if path.stat().st_mode & 0o222] == []


def test_the_log_tells_where_the_release_comes_from(settings: Settings) -> None:
    """Nobody could say which run, as-of and gates stand behind a number."""
    publish_mark(settings, 1, gates=[PASSED])
    publish_mark(
        settings,
        2,
        gates=[PASSED, {**SURPRISE, "status": "failed"}],
        accepted=[{**SURPRISE, "reason": "the campaign of January"}],
    )
    first, second = release_of(1), release_of(2)
    where_from = (
        "select release_id, release_number, previous_release_id, run_id, fingerprint, as_of, "
        "published_at from release_log"
    )
    night, later = datetime(2024, 1, 1, 2, 30), datetime(2024, 1, 2, 2, 30)
    assert read(settings, where_from) == [
        (first, 1, None, "run 1", "fingerprint 1", datetime(2024, 1, 1), night),
        (second, 2, first, "run 2", "fingerprint 2", datetime(2024, 1, 2), later),
    ]
    counts = "select release_id, tables, rows, gate_results, accepted_surprises from release_log"
    assert read(settings, counts) == [(first, 3, 7, 1, 0), (second, 3, 7, 2, 1)]
    gates = (
        "select release_id, layer, gate, table_name, rule, status, observed, expected, reason "
        "from release_gates"
    )
    volume = ("staging", "volume", "stg_events", "rows_within_history", "passed", "120")
    bounds = '{"least": 100, "most": 140}'
    shape = ("marts", "shape", None, "step_rate", "accepted", "0.9", None)
    assert read(settings, gates) == [
        (first, *volume, bounds, None),
        (second, *shape, "the campaign of January"),
        (second, *volume, bounds, None),
    ]


def test_the_log_counts_what_changed_by_the_key(settings: Settings) -> None:
    """A night that rewrites history would look like one that adds a day."""
    publish_mark(settings, 1)
    write_build(
        settings.build,
        1,
        also=[
            # c/1 is new, b/1 is gone, a/2 has another value, a/1 has not.
            "insert into core.fct_visits values ('c', 1, 1)",
            "delete from core.fct_visits where subject_id = 'b'",
            "update core.fct_visits set mark = 7 where subject_id = 'a' and visit_number = 2",
            # The row without a day has its key, too.
            "update marts.visit_counts set visits = 4 where day is null",
        ],
    )
    publish(settings, TABLES, datetime(2024, 1, 1), "another", "run 2", [], [])
    changes = (
        "select table_name, is_unchanged, rows, rows_before, rows_added, rows_removed, "
        f"rows_changed, changed_columns from release_tables where release_id = '{release_of(1, 2)}'"
    )
    assert read(settings, changes) == [
        ("dim_stages", True, 2, 2, 0, 0, 0, None),
        ("fct_visits", False, 3, 3, 1, 1, 1, None),
        ("visit_counts", False, 2, 2, 0, 0, 1, None),
    ]
    first = f"select rows, rows_before from release_tables where release_id = '{release_of(1)}'"
    assert read(settings, first) == [(2, None), (3, None), (2, None)]


def test_the_log_names_columns_and_tables_that_came_and_went(settings: Settings) -> None:
    """A query of a BI tool breaks, and nothing tells since when."""
    publish_mark(settings, 1)
    columns = {"subject_id": "varchar", "visit_number": "integer", "mark": "bigint", "is_new": "b"}
    wider = model("fct_visits", "marts/core", columns, ["subject_id", "visit_number"])
    stages = model("dim_stages", "marts/core", {"stage_id": "varchar"}, ["stage_id"])
    tables = published_tables(manifest(wider, stages))
    publish_mark(
        settings,
        2,
        tables,
        also=[
            "alter table core.fct_visits alter mark type bigint",
            "alter table core.fct_visits add column is_new boolean",
            "alter table core.dim_stages drop column stage_name_zh",
            "alter table core.dim_stages alter stage_id type varchar[] using [stage_id]",
        ],
    )
    changes = (
        "select table_name, is_unchanged, rows, rows_before, rows_added, rows_removed, "
        f"rows_changed, changed_columns from release_tables where release_id = '{release_of(2)}'"
    )
    assert read(settings, changes) == [
        # The key is of another type, so no row of one is in the other.
        ("dim_stages", False, 2, 2, 2, 2, 0, "stage_id, stage_name_zh"),
        # The mark is of another type, so only the key can be compared: it is the same.
        ("fct_visits", False, 3, 3, 0, 0, 0, "mark, is_new"),
        ("visit_counts", False, None, 2, None, None, None, None),
    ]


def test_unchanged_parquet_takes_no_room_again(settings: Settings) -> None:
    """Seven releases would take seven times the disk."""
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    first, second = (
        settings.published / "releases" / release_of(day) / "parquet" for day in (1, 2)
    )
    same = {path.name for path in second.iterdir() if path.samefile(first / path.name)}
    assert same == {"dim_stages.parquet"}
    assert read_parquet(settings, "dim_stages") == [("cart", "加入购物车"), ("visit", "访问")]


def test_the_same_content_is_not_published_twice(settings: Settings) -> None:
    """A night without new deliveries would push a good release out of the ones that are kept."""
    first = publish_mark(settings, 1)
    write_build(settings.build, 1)
    again = publish(settings, TABLES, datetime(2024, 1, 1), "fingerprint 1", "run 2", [], [])
    assert again == first
    assert again.run_id == "run 1"
    assert folders(settings) == [release_of(1)]


def test_a_later_as_of_is_published_though_nothing_was_delivered(settings: Settings) -> None:
    """Journeys whose window passed in the meantime would stay open for the readers."""
    publish_mark(settings, 1)
    publish(settings, TABLES, datetime(2024, 1, 2), "fingerprint 1", "run 2", [], [])
    assert link(settings) == f"releases/{release_of(2)}"


def test_releases_of_one_as_of_are_counted(settings: Settings) -> None:
    """A restatement would overwrite what readers have open."""
    for count in (1, 2, 3):
        publish_mark(settings, 4) if count == 1 else publish(
            settings, TABLES, datetime(2024, 1, 4), f"restated {count}", "run", [], []
        )
        assert link(settings) == f"releases/{release_of(4, count)}"


@pytest.mark.parametrize(
    ("tables", "also", "error", "message"),
    [
        (
            TABLES,
            ["insert into marts.visit_counts values ('all', null, 4, 2)"],
            AuditError,
            r"visit_counts, by the key .* expected one row for each \(grain, day\), "
            "found 2 rows with grain = all, day = None",
        ),
        (
            TABLES,
            ["alter table core.dim_stages alter stage_id type hugeint using 1"],
            AuditError,
            r"columns of dim_stages in parquet/dim_stages.parquet: expected stage_id HUGEINT, "
            "found stage_id DOUBLE",
        ),
        (
            TABLES,
            ["drop table core.dim_stages"],
            PublishError,
            "core.dim_stages: expected a table to publish, found none",
        ),
        (
            TABLES,
            ["alter table core.dim_stages add column stage_colour varchar"],
            PublishError,
            "core.dim_stages: expected the columns stage_id, stage_name_zh, found "
            "stage_id, stage_name_zh, stage_colour",
        ),
        (
            TABLES,
            ["alter table core.dim_stages drop column stage_name_zh"],
            PublishError,
            "core.dim_stages: expected the columns stage_id, stage_name_zh, found stage_id",
        ),
        (
            published_tables(manifest(model("release_log", "marts/core", {"id": "int"}, ["id"]))),
            ["create table core.release_log as select 1 as id"],
            PublishError,
            "core.release_log: expected a name of its own",
        ),
    ],
    ids=["repeated key", "not in parquet", "no table", "new column", "lost column", "log's name"],
)
def test_a_build_that_is_not_as_declared_is_not_published(
    settings: Settings,
    tables: tuple[Any, ...],
    also: list[str],
    error: type[Exception],
    message: str,
) -> None:
    """Readers would get a table that its own yml does not describe."""
    publish_mark(settings, 1)
    with pytest.raises(error, match=message):
        publish_mark(settings, 2, tables, also)
    assert link(settings) == f"releases/{release_of(1)}"
    assert folders(settings) == [release_of(1)]


def _lose_a_row(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    connection.execute("delete from release.main.fct_visits where subject_id = 'b'")


def _change_a_value(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    connection.execute("update release.main.fct_visits set mark = 9 where subject_id = 'b'")


def _lose_a_table(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    connection.execute("drop table release.main.dim_stages")


def _lose_a_file(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    (folder / "parquet" / "dim_stages.parquet").unlink()


def _mix_up_files(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    before = folder.parent / release_of(1) / "parquet" / "fct_visits.parquet"
    (folder / "parquet" / "fct_visits.parquet").unlink()
    (folder / "parquet" / "fct_visits.parquet").hardlink_to(before)


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (_lose_a_row, r"fct_visits in .*: expected 2 rows of content .*, found 3 rows of content"),
        (
            _change_a_value,
            r"fct_visits in .*: expected 3 rows of content .*, found 3 rows of conte",
        ),
        (_lose_a_table, r"tables in funnel.duckdb: expected dim_stages, .*, found fct_visits"),
        (_lose_a_file, r"files in parquet/: expected dim_stages, .*, found fct_visits"),
        (_mix_up_files, r"fct_visits in parquet/fct_visits.parquet: expected 3 rows of content"),
    ],
)
def test_the_audit_finds_what_was_not_written_as_built(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    defect: Callable[[duckdb.DuckDBPyConnection, Path], None],
    message: str,
) -> None:
    """A defect in writing would reach the readers: an audit never seen failing is no audit."""
    publish_mark(settings, 1)
    write = publishing._write_parquet

    def write_and_spoil(connection: duckdb.DuckDBPyConnection, folder: Path, *others: Any) -> None:
        write(connection, folder, *others)
        defect(connection, folder)

    monkeypatch.setattr(publishing, "_write_parquet", write_and_spoil)
    with pytest.raises(AuditError, match=f"release {release_of(2)}, {message}"):
        publish_mark(settings, 2)
    assert folders(settings) == [release_of(1)]
    assert read(settings, "select distinct mark from fct_visits") == [(1,)]


def _lose_a_macro(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("drop macro table release.main.funnel_known_on")


def _select_other_rows(connection: duckdb.DuckDBPyConnection) -> None:
    _lose_a_macro(connection)
    connection.execute(
        "create macro release.main.funnel_known_on(known_on_date) as table "
        "from funnel_conversion_known_on limit 1"
    )


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (
            _lose_a_macro,
            "macros in funnel.duckdb: expected funnel_known_on, reporting_date, wilson",
        ),
        (_select_other_rows, r"funnel_known_on\(2024-01-01\): expected 2 rows .*, found 1 rows"),
    ],
)
def test_the_audit_asks_the_macros(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    defect: Callable[[duckdb.DuckDBPyConnection], None],
    message: str,
) -> None:
    """An analyst would get another date's rows, or be told that there is no such macro."""
    known_on = model(
        "funnel_conversion_known_on",
        "marts/marts",
        {"known_on": "date", "stage_id": "varchar"},
        ["known_on", "stage_id"],
    )
    tables = published_tables(manifest(known_on))
    table = (
        "create table marts.funnel_conversion_known_on as "
        "select * from (values (date '2024-01-01', 'visit'), (date '2024-01-01', 'cart'), "
        "(date '2024-01-02', 'visit')) as kept (known_on, stage_id)"
    )
    publish_mark(settings, 1, tables, [table])
    assert read(settings, "from funnel_known_on('2024-01-02')") == [
        (datetime(2024, 1, 2).date(), "visit")
    ]
    ((comment,),) = read(
        settings, "select comment from duckdb_functions() where function_name = 'funnel_known_on'"
    )
    assert comment.startswith("The rows of funnel_conversion_known_on for one date")
    write = publishing._write_parquet

    def write_and_spoil(connection: duckdb.DuckDBPyConnection, *others: Any) -> None:
        write(connection, *others)
        defect(connection)

    monkeypatch.setattr(publishing, "_write_parquet", write_and_spoil)
    with pytest.raises(AuditError, match=f"release {release_of(2)}, {message}"):
        publish_mark(settings, 2, tables, [table])


@pytest.mark.parametrize(
    ("gates", "accepted", "message"),
    [
        ([{"layer": "raw", "gate": "volume", "rule": "r"}], [], "found no status"),
        ([], [{"layer": "raw", "gate": "volume", "rule": "r"}], "found no reason"),
        ([PASSED, PASSED], [], "expected one result of this layer, gate, table and rule"),
    ],
)
def test_a_gate_result_that_cannot_be_logged_is_refused(
    settings: Settings,
    gates: list[dict[str, Any]],
    accepted: list[dict[str, Any]],
    message: str,
) -> None:
    """A surprise would pass without anybody being able to read why."""
    with pytest.raises(GateResultError, match=message):
        publish_mark(settings, 1, gates=gates, accepted=accepted)
    assert folders(settings) == []


def test_there_must_be_a_build(settings: Settings) -> None:
    """An empty release would be made of nothing."""
    with pytest.raises(PublishError, match=r"build\.duckdb: expected what was built, found no"):
        publish_build(settings, 1)
    assert not (settings.published / "current").exists()


def test_a_build_that_is_open_elsewhere_is_named_with_who_has_it(settings: Settings) -> None:
    """Somebody looks at the build in the evening, and nobody can tell why the night failed."""
    write_build(settings.build, 1)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(settings.build)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        message = rf"build\.duckdb: expected to open it, .* elsewhere(.|\n)*PID {holder.pid}"
        with pytest.raises(DatabaseInUseError, match=message):
            publish_build(settings, 1)
        holder.kill()
    assert publish_build(settings, 1).release_id == release_of(1)


def test_an_as_of_with_an_offset_is_refused(settings: Settings) -> None:
    """The id would name another instant than the tables were built for."""
    instant = datetime.fromisoformat("2024-01-01T00:00:00+02:00")
    with pytest.raises(PublishError, match="expected an instant in UTC without an offset"):
        publish(settings, TABLES, instant, "fingerprint", "run", [], [])


def test_a_release_lost_by_hand_does_not_stop_the_next(settings: Settings) -> None:
    """Somebody deletes a folder, and no night can publish any more."""
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    for path in sorted((settings.published / "releases" / release_of(2)).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    publish_mark(settings, 3)
    assert read(settings, "select distinct mark from fct_visits") == [(3,)]
    assert read(settings, "select release_id, previous_release_id from release_log") == [
        (release_of(1), None),
        (release_of(3), None),
    ]


def opened_with(
    threads: int, path: str, *, read_only: bool, config: Mapping[str, Any]
) -> duckdb.DuckDBPyConnection:
    """Open a database as the code does, with so many threads."""
    return CONNECT(path, read_only=read_only, config={**config, "threads": threads})


def test_two_threads_write_the_same_parquet_as_one(tmp_path: Path) -> None:
    """Files of the same content would differ from night to night, and readers load them again."""
    written = []
    many = "insert into core.fct_visits select hash(n)::varchar, n, 1 from range(200000) as r (n)"
    for threads in (1, 2):
        settings = settings_for(tmp_path / str(threads))
        write_build(settings.build, 1, also=[many])
        connect = partial(opened_with, threads)
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr("orchestration.database.duckdb.connect", connect)
            publish_build(settings, 1)
        parquet = settings.published / "current" / "parquet"
        written.append({path.name: path.read_bytes() for path in parquet.iterdir()})
    assert written[0] == written[1]
    assert len(written[0]["fct_visits.parquet"]) > 1_000_000
