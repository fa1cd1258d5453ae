"""What dbt finds in the build: all tables and columns, whatever was delivered."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from orchestration.extracts import OWN_COLUMNS, STAGING, known_systems, sources_file
from orchestration.raw_views import RawError, create_raw_views
from orchestration.shell import ShellError, open_build_shell
from tests.orchestration.deliveries import CRM, EVENTS_HEADER, ONE_EVENT, WEB, Company


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def declared_columns(path: Path) -> dict[str, list[tuple[str, str]]]:
    """The columns of each table in a dbt sources file, and the types they have in the build."""
    (source,) = yaml.safe_load(path.read_text())["sources"]
    return {
        table["name"]: [
            (column["name"], _type_in_build(column["name"], column["data_type"], source["name"]))
            for column in table["columns"]
        ]
        for table in source["tables"]
    }


def _type_in_build(name: str, data_type: str, source: str) -> str:
    is_delivered = source != "raw" and name not in OWN_COLUMNS
    return "VARCHAR" if is_delivered else data_type.upper()


def built_columns(company: Company, schema: str) -> dict[str, list[tuple[str, str]]]:
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, data_type in company.query(
        f"""
        select table_name, column_name, data_type
        from duckdb_columns()
        where schema_name = '{schema}'
        order by table_name, column_index
        """
    ):
        columns.setdefault(table, []).append((name, data_type))
    return columns


@pytest.mark.parametrize("is_delivered", [False, True])
def test_all_declared_tables_have_their_declared_columns_in_any_case(
    company: Company, is_delivered: bool
) -> None:
    """A model fails on a table or column that no source has delivered yet."""
    if is_delivered:
        company.deliver("crm/events/a.csv", ONE_EVENT + "2024-02-30,visit,u\n")
        company.deliver("crm/records/a.csv", "record_id,shade\nr1,green\n")

    company.load()

    for system in known_systems():
        declared = declared_columns(sources_file(STAGING / system))
        assert built_columns(company, f"raw_{system}") == declared
    assert built_columns(company, "raw") == declared_columns(STAGING / "_raw__sources.yml")
    assert company.query("select count(*) from raw_generic.owners") == [(0,)]
    assert company.query("select count(*) from raw.quarantined_rows") == [(int(is_delivered),)]


def test_rows_of_files_with_different_columns_come_together(company: Company) -> None:
    """Columns are matched by place, or a column of one file shows in the rows of another."""
    company.deliver("crm/records/a.csv", "record_id,stage,shade\nr1,won,green\nr2,,\n")
    company.deliver("crm/records/b.csv", "amount,record_id,size\n7,r3,small\n")
    company.deliver("web/records/c.csv", "record_id\nr4\n")

    company.load()

    assert company.query(
        "select _source, record_id, stage, amount, _extra from raw_generic.records order by all"
    ) == [
        ("crm", "r1", "won", None, '{"shade":"green"}'),
        ("crm", "r2", None, None, None),
        ("crm", "r3", None, "7", '{"size":"small"}'),
        ("web", "r4", None, None, None),
    ]


def test_a_source_that_is_switched_off_leaves_the_tables(company: Company) -> None:
    """Its rows stay in the numbers until the state is deleted."""
    company.deliver("crm/events/a.csv", ONE_EVENT)
    company.deliver("web/events/a.csv", ONE_EVENT + "2024-02-01,visit\n")
    company.load()
    company.sources = [CRM, replace(WEB, is_enabled=False)]

    company.load()

    assert company.query("select distinct _source from raw_generic.events") == [("crm",)]
    assert company.query("select distinct source from raw.loads") == [("crm",)]
    assert company.query("select count(*) from raw.deliveries") == [(1,)]
    assert company.query("select count(*) from raw.quarantined_rows") == [(0,)]


def test_a_corrected_time_zone_dates_earlier_deliveries_anew(company: Company) -> None:
    """A slip in sources.csv stays in the past for ever."""
    company.deliver("crm/events/a_2024-02-01.csv", ONE_EVENT)
    company.load()
    company.sources = [replace(CRM, timezone="Asia/Tokyo")]

    company.load()

    ((delivered_at,),) = company.query("select delivered_at from raw.loads")
    assert str(delivered_at) == "2024-01-31 15:00:00"


@pytest.mark.parametrize("folder", ["raw", "quarantine"])
def test_rows_that_are_gone_are_named(company: Company, folder: str) -> None:
    """The night ends with an error of DuckDB that does not say what was lost."""
    landed = company.deliver("crm/events/a.csv", ONE_EVENT + "2024-02-01,visit\n")
    company.load()
    (file,) = (company.settings.home / folder).rglob("*.parquet")
    file.unlink()

    with pytest.raises(RawError, match=r"expected rows of crm/events/a\.csv .*Restore it"):
        create_raw_views(company.settings, company.sources)

    # What still lies in the landing is its own backup.
    assert landed.exists()
    assert not company.load().errors
    assert company.query("select user_id, _is_current from raw_generic.events") == [("u1", True)]
    assert company.query("select count(*) from raw.deliveries") == [(1,)]


def test_raw_files_hold_the_delivered_columns_as_text(company: Company) -> None:
    """Raw is bound to what was declared on the day of delivery."""
    company.deliver("crm/records/a.csv", "Record Id,amount,Shade\nr1,07.50,green\n")

    company.load()

    (file,) = company.settings.raw.rglob("*.parquet")
    assert file.relative_to(company.settings.raw).parts[:2] == ("crm", "records")
    assert company.query(f"describe select * from '{file}'") == [
        ("_row", "BIGINT", "YES", None, None, None),
        ("record_id", "VARCHAR", "YES", None, None, None),
        ("amount", "VARCHAR", "YES", None, None, None),
        ("shade", "VARCHAR", "YES", None, None, None),
    ]
    assert company.query(f"select * from '{file}'") == [(1, "r1", "07.50", "green")]


def test_quarantine_files_lie_beside_raw_under_the_same_name(company: Company) -> None:
    """Bad rows cannot be found by hand."""
    company.deliver("crm/events/a.csv", EVENTS_HEADER + "2024-02-01,visit\n2024-02-01,visit,u\n")

    company.load()

    (load_id,) = company.query("select load_id from raw.loads")[0]
    file = company.settings.quarantine / "crm" / "events" / f"{load_id}.parquet"
    assert company.query(f"select * from '{file}'") == [
        (1, "user_id", "too_few_columns", "3 columns", "2024-02-01,visit")
    ]


def test_the_shell_on_the_build_shows_refused_rows_and_cannot_write(tmp_path: Path) -> None:
    """Whoever is woken has to write a program to see the rows that a message speaks of."""
    company = Company(tmp_path)
    with pytest.raises(ShellError, match="expected a build, found none"):
        open_build_shell(company.settings)
    company.deliver("crm/events/a.csv", EVENTS_HEADER + "2024-02-30,visit,u1\n")
    company.deliver("crm/events/b.csv", ONE_EVENT)
    company.load()
    asked = ".mode csv\nselect reason from raw.quarantined_rows;\ncreate table mine (a integer);\n"
    found = subprocess.run(
        [sys.executable, "-m", "orchestration", "sql-build"],
        input=asked,
        env={**os.environ, "FUNNEL_HOME": str(company.settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.split() == ["reason", "nonexistent_date"]
    assert "read-only" in found.stderr
