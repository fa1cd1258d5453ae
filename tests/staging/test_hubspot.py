"""HubSpot as Fivetran and as Airbyte deliver it, from files that were written by hand.

`hubspot/fivetran` and `hubspot/airbyte` hold one small company in both layouts. Beside them stand
sources of one matter each: the kinds of history, instants in milliseconds, columns that come and
go. All are built at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import declarations
from orchestration.raw_views import create_raw_views
from tests.support.staging import build_staging, declare, deliver_csv, settings_of
from tests.support.tables import Tables, spelled
from tests.support.warehouse import BuildFailedError, load_night

DELIVERIES = Path(__file__).parent / "hubspot"
NIGHT = datetime(2024, 6, 1, 2, tzinfo=UTC)
# What tells who somebody is, wherever it stands in the deliveries.
PERSONAL = ("Ada", "Lovelace", "555-0100", "Secret Street", "ada@example.com", "Call her")


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The staging layer of all sources of this module."""
    folder = tmp_path_factory.mktemp("hubspot")
    shutil.copytree(DELIVERIES, folder / "landing")
    declare(folder / "seeds", {source.name: "hubspot" for source in DELIVERIES.iterdir()})
    # Of contacts only what a segment names becomes an attribute, and nothing personal even then.
    (folder / "seeds" / "segments.csv").write_text(
        "segment_name,subject_type,attribute\ncountry,lead,country\nphone,lead,phone\n",
        encoding="utf-8",
    )
    tables = build_staging(folder, [NIGHT])
    yield tables
    tables.close()


def rows_of(tables: Tables, source: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a source, its name taken from ids; JSON objects as objects."""

    def plain(cell: object) -> object:
        if not isinstance(cell, str):
            return cell
        text = cell.replace(f"{source}:", "")
        return json.loads(text) if text.startswith("{") else text

    return [tuple(map(plain, row)) for row in tables.query(query, [source])]


def lines_of(tables: Tables, source: str, query: str) -> list[str]:
    """The rows of a query on a source, each as one line."""
    return [" | ".join(map(spelled, row)) for row in rows_of(tables, source, query)]


def written(lines: str) -> list[str]:
    """Lines written by hand, blanks around cells left out."""
    return [
        " | ".join(cell.strip() for cell in line.split("|")) for line in lines.strip().splitlines()
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    ["records", "stage_changes", "field_changes", "accounts", "contacts", "owners", "activities"],
)
def test_both_connectors_give_the_same_rows(staged: Tables, table: str) -> None:
    """Prevents a company that changes its connector from changing its numbers."""
    columns = [
        column
        for column in staged.columns(f"staging.stg_{table}")
        if column not in ("source", "source_file", "source_row")
    ]
    query = f"select {', '.join(columns)} from staging.stg_{table} where source = ? order by all"
    rows = rows_of(staged, "fivetran", query)
    assert rows
    assert rows == rows_of(staged, "airbyte", query)


@pytest.mark.slow
def test_deals_are_opportunities_in_the_stages_that_people_read(staged: Tables) -> None:
    """Prevents ids for labels, a plan taken for a closing, and the wrong account of several."""
    assert lines_of(
        staged,
        "fivetran",
        """
        select
            record_id, pipeline, stage, owner_id, account_id, email_hash is not null, currency,
            amount, expected_close_date, closed_at, merged_into_id, is_deleted
        from staging.stg_records
        where source = ? and record_type = 'opportunity'
        order by record_id
        """,
    ) == written(
        """
        101 | Sales    | Signed      | 9 | 501 | yes | EUR | 1000.5 | -          | 2024-03-10T12:00 | -   | no
        102 | Partners | Handed over | 9 | 501 | yes | -   | 20     | -          | 2024-03-20T12:00 | -   | no
        103 | Sales    | Appointment | 8 | -   | no  | -   | -      | 2024-09-01 | -                | -   | no
        104 | gone     | 9999        | - | -   | no  | -   | -      | 2024-09-02 | -                | -   | no
        105 | Sales    | Appointment | 9 | -   | no  | -   | 900    | -          | -                | 101 | yes
        106 | Sales    | Appointment | 9 | -   | no  | -   | 1      | -          | -                | -   | yes
        107 | Sales    | Signed      | 9 | -   | no  | -   | 5      | 2030-01-01 | -                | -   | no
        108 | -        | -           | - | -   | no  | -   | -      | -          | -                | -   | no
        """  # noqa: E501
    )


@pytest.mark.slow
def test_a_closed_stage_is_not_taken_for_a_won_one(staged: Tables) -> None:
    """Prevents deals that were handed over or lost from counting as won."""
    assert lines_of(
        staged,
        "fivetran",
        """
        select
            record_id,
            json_extract_string(attributes, '$.stage_id'),
            json_extract_string(attributes, '$.stage_is_closed'),
            json_extract_string(attributes, '$.stage_is_won'),
            json_extract_string(attributes, '$.product_line'),
        from staging.stg_records
        where source = ? and stage is not null and record_type = 'opportunity'
        order by record_id
        limit 4
        """,
    ) == written(
        """
        101 | closedwon | true  | true  | engines
        102 | 7102      | true  | false | -
        103 | first     | false | false | -
        104 | 9999      | -     | -     | -
        """
    )


@pytest.mark.slow
def test_contacts_are_leads_in_their_lifecycle_stage(staged: Tables) -> None:
    """Prevents keys of contacts from meeting those of deals, and merged leads from standing."""
    assert lines_of(
        staged,
        "fivetran",
        """
        select
            record_id, stage, owner_id, account_id, lead_source, converted_record_id,
            merged_into_id, is_deleted, created_at, json_extract_string(attributes, '$.country')
        from staging.stg_records
        where source = ? and record_type = 'lead'
        order by created_at
        """,
    ) == written(
        """
        contact:301  | customer | 9 | 501 | friend | 101 | -           | no  | 2024-01-01T08:00 | UK
        contact:302  | lead     | - | -   | -      | -   | contact:301 | yes | 2024-01-02T08:00 | -
        """
    )
    assert lines_of(
        staged,
        "fivetran",
        """
        select contact_id, account_id, job_title, merged_into_id, is_deleted
        from staging.stg_contacts
        where source = ?
        order by created_at
        """,
    ) == written(
        """
        301  | 501 | Countess | -   | no
        302  | -   | -        | 301 | yes
        1301 | -   | -        | -   | no
        """
    )


@pytest.mark.slow
def test_properties_of_the_company_s_own_fill_what_hubspot_lacks(staged: Tables) -> None:
    """Prevents regions, channels and users that a company keeps in HubSpot from being lost."""
    assert lines_of(
        staged,
        "fivetran",
        """
        select record_id, region, lead_source, loss_reason, attributes ->> 'region'
        from staging.stg_records
        where source = ? and record_id in ('fivetran:101', 'fivetran:contact:301')
        order by record_id
        """,
    ) == written(
        """
        101         | North | fair   | -       | North
        contact:301 | South | friend | no need | South
        """
    )
    assert lines_of(
        staged,
        "fivetran",
        "select region, user_id from staging.stg_contacts where source = ? and region is not null"
        " union all select region, null from staging.stg_accounts where region is not null"
        " and source = 'fivetran'",
    ) == written("South | u7\nEast | -")


@pytest.mark.slow
def test_who_has_a_say_is_told_in_the_words_of_the_tables_on_sales(staged: Tables) -> None:
    """Prevents the decider that HubSpot knows from counting as one whom nobody has met."""
    assert lines_of(
        staged,
        "fivetran",
        "select contact_id, attributes ->> 'buying_role' from staging.stg_contacts"
        " where source = ? and (attributes ->> 'buying_role') is not null",
    ) == written("301 | decider;purchaser;champion")


@pytest.mark.slow
def test_the_best_history_of_a_deal_is_told_once(staged: Tables) -> None:
    """Prevents visits that two histories, or a merged deal and its survivor, both tell of."""
    assert lines_of(
        staged,
        "fivetran",
        """
        select record_type, record_id, stage, changed_at
        from staging.stg_stage_changes
        where source = ?
        order by record_type desc, record_id, changed_at
        """,
    ) == written(
        """
        opportunity | 101         | Appointment            | 2024-01-05T10:00
        opportunity | 101         | Signed                 | 2024-03-10T12:00
        opportunity | 102         | Talks                  | 2024-02-01T08:00
        opportunity | 102         | Handed over            | 2024-03-20T12:00
        opportunity | 104         | 9999                   | 2024-02-03T08:00
        opportunity | 107         | Signed                 | 2024-01-08T10:00
        lead        | contact:301 | lead                   | 2024-01-01T08:00
        lead        | contact:301 | marketingqualifiedlead | 2024-01-03T08:00
        lead        | contact:301 | customer               | 2024-03-10T12:00:01
        """
    )


@pytest.mark.slow
def test_other_fields_change_under_the_names_of_records(staged: Tables) -> None:
    """Prevents the value of a segment at entry from being looked for under HubSpot's name."""
    assert lines_of(
        staged,
        "airbyte",
        """
        select record_id, field_name, new_value, changed_at
        from staging.stg_field_changes
        where source = ?
        order by field_name, changed_at
        """,
    ) == written(
        """
        101 | amount              | 800        | 2024-01-05T10:00
        101 | amount              | 1000.50    | 2024-02-01T10:00
        101 | expected_close_date | 2024-04-01 | 2024-01-05T10:00
        101 | owner_id            | 9          | 2024-01-05T10:00
        101 | pipeline            | Sales      | 2024-01-05T10:00
        """
    )


@pytest.mark.slow
def test_the_history_of_properties_does_where_it_is_the_only_one(staged: Tables) -> None:
    """Prevents deals from losing their middle stages where the table of stages is not synced."""
    assert lines_of(
        staged,
        "history",
        "select record_id, stage, changed_at from staging.stg_stage_changes where source = ?"
        " order by changed_at",
    ) == written(
        """
        1 | first     | 2024-01-01T08:00:00.500000
        1 | closedwon | 2024-01-02T08:00
        """
    )


@pytest.mark.slow
def test_dates_among_the_properties_do_where_there_is_no_history(staged: Tables) -> None:
    """Prevents deals without a history from being taken through the funnel in one step."""
    assert lines_of(
        staged,
        "dated",
        "select record_id, stage, changed_at from staging.stg_stage_changes where source = ?"
        " order by record_id, changed_at",
    ) == written(
        """
        1         | Offer     | 2024-01-03T09:00
        1         | closedwon | 2024-01-09T09:00
        2         | closedwon | 2024-01-07T09:00
        contact:5 | lead      | 2024-01-04T09:00
        contact:5 | customer  | 2024-01-05T09:00
        """
    )


@pytest.mark.slow
def test_milliseconds_are_instants_too(staged: Tables) -> None:
    """Prevents older versions of a connector from filling the quarantine."""
    assert lines_of(
        staged,
        "epoch",
        """
        select
            record_id, created_at, closed_at, deleted_at, updated_at, is_deleted,
            json_extract_string(attributes, '$.tier')
        from staging.stg_records
        where source = ?
        """,
    ) == written(
        "1 | 2024-01-01T10:00 | 2024-01-02T10:00:00.123000 | 2024-01-03T10:00 | 2024-05-31T09:00"
        " | yes | gold"
    )


@pytest.mark.slow
def test_without_any_history_the_deliveries_are_one(staged: Tables) -> None:
    """Prevents rows or stages from being lost as columns come, go and change places."""
    assert lines_of(
        staged,
        "snapshots",
        """
        select
            split_part(source_file, '/', 3), record_id, stage
        from staging.stg_record_versions
        where starts_with(record_id, ? || ':')
        order by all
        """,
    ) == written(
        """
        2024-05-01.csv | 1 | first
        2024-05-01.csv | 2 | first
        2024-05-02.csv | 1 | closedwon
        2024-05-02.csv | 2 | first
        """
    )
    assert lines_of(
        staged,
        "snapshots",
        """
        select record_id, amount, attributes ->> 'size', attributes ->> 'tier'
        from staging.stg_records
        where source = ?
        order by record_id
        """,
    ) == written(
        """
        1 | 10 | large | -
        2 | 20 | small | -
        """
    )
    assert lines_of(
        staged, "snapshots", "select count(*) from staging.stg_stage_changes where source = ?"
    ) == ["0"]


@pytest.mark.slow
def test_owners_have_their_main_team(staged: Tables) -> None:
    """Prevents owners from selling for a team that they merely look after."""
    assert lines_of(
        staged,
        "fivetran",
        "select owner_id, owner_name, team, is_active from staging.stg_owners where source = ?"
        " order by owner_id",
    ) == written(
        """
        8 | Bo       | -     | no
        9 | Ida Berg | North | yes
        """
    )


@pytest.mark.slow
def test_companies_are_accounts(staged: Tables) -> None:
    """Prevents merged and deleted companies from standing as accounts of their own."""
    assert lines_of(
        staged,
        "fivetran",
        """
        select
            account_id, account_name, industry, employees, annual_revenue, website,
            parent_account_id, merged_into_id, is_deleted
        from staging.stg_accounts
        where source = ?
        order by account_id
        """,
    ) == written(
        """
        500 | Works      | ENGINES | 12 | 1000000 | works.example | -   | -   | no
        501 | Mill       | -       | -  | -       | -             | 500 | -   | no
        502 | Mill again | -       | -  | -       | -             | -   | 501 | yes
        """
    )


@pytest.mark.slow
def test_activities_are_those_that_are_about_somebody(staged: Tables) -> None:
    """Prevents deleted activities, and rows that stand for details, from being counted.

    And an activity about a contact from being nothing about the lead that the contact is. Ticket
    902 was closed and opened again.
    """
    assert lines_of(
        staged,
        "fivetran",
        """
        select activity_id, activity_type, record_id, contact_id, owner_id, occurred_at
        from staging.stg_activities
        where source = ?
        order by activity_id
        """,
    ) == written(
        """
        801               | call          | 101         | 301 | 9 | 2024-01-20T09:30
        802               | email         | contact:301 | 301 | 9 | 2024-01-21T09:30
        ticket:901        | ticket        | 101         | -   | 9 | 2024-02-01T09:30
        ticket:901:closed | ticket_closed | 101         | -   | 9 | 2024-02-03T10:00
        ticket:902        | ticket        | contact:301 | 301 | - | 2024-02-05T09:30
        """
    )


@pytest.mark.slow
def test_nothing_is_quarantined(staged: Tables) -> None:
    """Prevents a spelling of one connector from being held against its rows."""
    assert staged.query("select * from raw.quarantined_rows") == []
    assert staged.query("select * from staging.stg_quarantined_rows") == []


@pytest.mark.slow
def test_nobody_can_be_told_from_what_passes_staging(staged: Tables) -> None:
    """Prevents names, numbers, addresses and free text from becoming attributes."""
    tables = [
        f"staging.{name}"
        for (name,) in staged.query(
            "select table_name from information_schema.tables where table_schema = 'staging'"
            " and table_name like 'stg_%'"
        )
    ]
    assert len(tables) > 8
    for table in tables:
        for text in PERSONAL:
            found = staged.query(
                f"select count(*) from {table} as passed where contains(cast(passed as text), ?)",
                [text],
            )
            assert found == [(0,)], (table, text)


def test_tables_that_are_not_delivered_are_empty(tmp_path: Path) -> None:
    """Prevents a company that syncs deals alone, or calendars too, from having no warehouse."""
    declare(tmp_path / "seeds", {"crm": "hubspot"})
    deliver_csv(tmp_path / "landing/crm/deal/a.csv", "deal_id\n1")
    deliver_csv(tmp_path / "landing/crm/calendar_event/a.csv", "id\n1")
    settings = settings_of(tmp_path)

    load_night(settings.landing, settings.seeds, settings.home, NIGHT)
    create_raw_views(settings, declarations.read(settings.seeds).sources)

    with duckdb.connect(str(settings.build), read_only=True) as build:
        tables = build.execute(
            "select view_name from duckdb_views() where schema_name = ?", ["raw_hubspot"]
        ).fetchall()
        rows = {
            table: build.execute(f"select count(*) from raw_hubspot.{table}").fetchone()
            for (table,) in tables
        }
    assert rows.pop("deal") == (1,)
    assert len(rows) > 30
    assert set(rows.values()) == {(0,)}


@pytest.mark.parametrize(
    ("table", "columns", "missing"),
    [
        ("deal", "id|property_dealname", "deal_id"),
        ("deals", "deal_id|properties", "id"),
        ("deal_stage", "deal_id|value", "date_entered or _fivetran_start"),
        ("deals_property_history", "dealId|value|timestamp", "property"),
        ("deal_pipelines", "label|stages", "id or pipeline_id"),
    ],
)
def test_a_lost_column_is_named_with_its_file(
    tmp_path: Path, table: str, columns: str, missing: str
) -> None:
    """Prevents the history from ending without a word as a connector changes its layout."""
    declare(tmp_path / "seeds", {"crm": "hubspot"})
    deliver_csv(tmp_path / f"landing/crm/{table}/a.csv", columns)
    settings = settings_of(tmp_path)

    with pytest.raises(
        BuildFailedError, match=rf"crm/{table}/a\.csv.*expected the required column {missing},"
    ):
        load_night(settings.landing, settings.seeds, settings.home, NIGHT)
