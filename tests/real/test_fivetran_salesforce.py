"""Extracts in Fivetran's layout of Salesforce, real ones with their values masked.

Figures are counted in the files with Python's csv module, and by none of the code under test.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from orchestration import dbt, declarations
from orchestration.extracts import read_extracts
from orchestration.raw_views import create_raw_views
from orchestration.settings import Settings
from tests.support.tables import Tables
from tests.support.warehouse import load_night

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
EXTRACTS = REPOSITORY.parent / "shared" / "data" / "fivetran_seeds" / "salesforce"
OBJECTS = (
    "account",
    "contact",
    "event",
    "lead",
    "opportunity",
    "opportunity_history",
    "task",
    "user",
    "user_role",
)
SEEDS = {
    "sources": "source\nsalesforce\n",
    "funnels": "funnel_id,subject_type,order_mode\ndeals,opportunity,furthest\n",
    "funnel_stages": "funnel_id,stage_position,stage_id,stage_kind\ndeals,1,won,won\n",
    "stage_rules": "funnel_id,stage_id,rule_type,match_value\n"
    "deals,won,opportunity_stage,GavUFuuf4DrnQAoiRGlWpQ==\n",
}

# Why nothing is made of a column that is not declared, and how it is named.
LEFT_ALONE = {
    "custom: a segment, where segments.csv names it": "_c$",
    "of companies: a segment, where segments.csv names it": (
        "^(account_number|account_source|company|country|country_code|state|state_code|industry|"
        "annual_revenue|number_of_employees|ownership|rating|sic|sic_desc|ticker_symbol|type|"
        "website|(billing|shipping)_(country|state)(_code)?|shipping_country)$"
    ),
    "of deals: a segment, where segments.csv names it": (
        "^(expected_revenue|fiscal.*|forecast_category.*|has_open_activity|is_won|probability|"
        "has_opportunity_line_item|has_overdue_task|is_excluded_from_territory_2_filter)$"
    ),
    "who a person is": (
        "name|phone|fax|mail|street|city|postal|latitude|longitude|geocode|photo|salutation|"
        "birthdate|^(mailing|other)_|signature|alias|about_me|badge|employee_number|extension|"
        "^title$|^department$|^division$|do_not_call|gender"
    ),
    "free text": "^(description|subject|location|next_step|site|rollup_description)$",
    "keys of what is not loaded": "_id$|_identifier$|^jigsaw$",
    "who touched it, and when it was looked at": "^last_|^is_unread_by_owner$",
    "how activities repeat, remind and are shown": (
        "recurrence|reminder|^(show_as|who_count|what_count|is_private|is_group_event|priority|"
        "group_event_type|is_high_priority|end_date|end_date_time|duration_in_minutes|"
        "call_disposition|call_object|call_type|call_duration_in_seconds|is_archived)$"
    ),
    "settings and rights of users and roles": (
        "_access_for_account_owner$|_sid_key$|_locale_key$|^(digest|default_group)_|_expiration_date$|"
        "^(forecast_enabled|may_forecast_manager_share|portal_type|user_type|individual_id)$"
    ),
    "is_converted follows from converted_date": "^is_converted$",
    "the history tells of changes alone; the deal itself tells the rest": (
        "^(close_date|is_closed|is_deleted|lead_source)$"
    ),
    "of Fivetran, where rows of all versions are taken": "^_fivetran_",
}


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of an object, as they lie in its file."""
    with (EXTRACTS / f"sf_{name}_data.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ids(name: str) -> set[str]:
    return {row["id"] for row in rows_of(name)}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The staging layer, built of the files as they are."""
    missing = [name for name in OBJECTS if not (EXTRACTS / f"sf_{name}_data.csv").is_file()]
    if missing:
        pytest.skip(f"needs Fivetran's extracts, found none of {', '.join(missing)} in {EXTRACTS}")
    folder = tmp_path_factory.mktemp("salesforce")
    landing, seeds, home = folder / "landing", folder / "seeds", folder / "home"
    for name in OBJECTS:
        (landing / "salesforce" / name).mkdir(parents=True)
        shutil.copyfile(
            EXTRACTS / f"sf_{name}_data.csv", landing / "salesforce" / name / "data.csv"
        )
    seeds.mkdir()
    for name, text in SEEDS.items():
        (seeds / f"{name}.csv").write_text(text, encoding="utf-8")
    load_night(landing, seeds, home)
    settings = Settings.from_environment(
        {"FUNNEL_LANDING": str(landing), "FUNNEL_SEEDS": str(seeds), "FUNNEL_HOME": str(home)}
    )
    create_raw_views(settings, declarations.read(seeds).sources)
    selected = ["--select", *dbt.LAYERS[0].select, "--indirect-selection", "buildable"]
    outcome = dbt.run(settings, ["build", *selected, *dbt.common_arguments(settings)])
    assert outcome.results
    assert not outcome.failures, [failure.message for failure in outcome.failures]
    tables = Tables(settings.build)
    yield tables
    tables.close()


def test_no_row_is_quarantined(staged: Tables) -> None:
    """Prevents what Fivetran writes every day from being refused."""
    assert staged.query("select * from raw.quarantined_rows") == []
    assert staged.query("select * from staging.stg_quarantined_rows") == []
    for name in OBJECTS:
        [(loaded,)] = staged.query(f'select count(*) from raw_salesforce."{name}"')
        assert loaded == len(rows_of(name)), name


def test_counts_are_those_of_the_files(staged: Tables) -> None:
    """Prevents rows from being lost or doubled on the way through staging."""
    expected = {
        "records where record_type = 'opportunity'": len(ids("opportunity")),
        "records where record_type = 'lead'": len(ids("lead")),
        # Neither has the files any version twice, nor two of one instant.
        "stage_changes": len(
            {(row["id"], row["_fivetran_start"]) for row in rows_of("opportunity_history")}
        ),
        "accounts": len(ids("account")),
        "contacts": len(ids("contact")),
        "owners": len(ids("user")),
        # All have somebody whom they are with, and none is a copy, a plan or deleted.
        "activities": len(ids("task")) + len(ids("event")),
    }
    for row in rows_of("task"):
        assert row["who_id"] and row["is_closed"] == "TRUE" and row["is_deleted"] == "FALSE"
    for row in rows_of("event"):
        assert row["who_id"] and row["is_child"] == "FALSE" and row["is_deleted"] == "FALSE"
    found = {
        table: staged.query(f"select count(*) from staging.stg_{table}")[0][0] for table in expected
    }
    assert found == expected
    assert found["stage_changes"] > 0


def test_deleted_are_those_in_the_bin_and_those_without_a_lasting_version(staged: Tables) -> None:
    """Prevents deals that are gone from counting."""
    for name, table, key in (
        ("opportunity", "records", "record_id"),
        ("account", "accounts", "account_id"),
    ):
        expected = {
            f"salesforce:{row['id']}"
            for row in rows_of(name)
            if row["is_deleted"] == "true" or row["_fivetran_active"] == "false"
        }
        found = staged.query(f"select {key} from staging.stg_{table} where is_deleted")
        assert {row[0] for row in found} == expected
        assert expected


def test_stages_and_instants_are_those_of_the_history(staged: Tables) -> None:
    """Prevents a history that was switched on late from dating all deals to that day."""
    expected = set()
    for row in rows_of("opportunity_history"):
        # Each deal has one version, and was there before.
        created, began = (
            datetime.fromisoformat(row[name]) for name in ("created_date", "_fivetran_start")
        )
        expected.add((f"salesforce:{row['id']}", row["stage_name"], min(created, began)))
    found = staged.query("select record_id, stage, changed_at from staging.stg_stage_changes")
    assert set(found) == expected


def test_closed_deals_have_an_end_and_open_ones_a_plan(staged: Tables) -> None:
    """Prevents a plan from being taken for an end, and an end from lying before the creation."""
    expected: dict[str, tuple[datetime | None, date | None]] = {}
    for row in rows_of("opportunity"):
        closes, created = (
            datetime.fromisoformat(row[name]) for name in ("close_date", "created_date")
        )
        if row["is_closed"] == "true":
            closed_at = closes if closes.date() > created.date() else created
            expected[f"salesforce:{row['id']}"] = (closed_at, None)
        else:
            expected[f"salesforce:{row['id']}"] = (None, closes.date())
    found = staged.query(
        """
        select record_id, closed_at, expected_close_date
        from staging.stg_records
        where record_type = 'opportunity'
        """
    )
    assert {row[0]: row[1:] for row in found} == expected
    assert {end is None for end, _ in expected.values()} == {True, False}


def test_activities_are_about_deals_leads_and_contacts(staged: Tables) -> None:
    """Prevents tasks about an account from being taken for tasks about a deal."""
    expected = {}
    for row in [*rows_of("task"), *rows_of("event")]:
        deal = row["what_id"] if row["what_id"].startswith("006") else ""
        lead = row["who_id"] if row["who_id"].startswith("00Q") else ""
        contact = row["who_id"] if row["who_id"].startswith("003") else ""
        expected[f"salesforce:{row['id']}"] = (
            f"salesforce:{deal or lead}" if deal or lead else None,
            f"salesforce:{contact}" if contact else None,
        )
    found = staged.query("select activity_id, record_id, contact_id from staging.stg_activities")
    assert {row[0]: row[1:] for row in found} == expected
    assert {(record is None, contact is None) for record, contact in expected.values()} == {
        (False, False),
        (False, True),
        (True, False),
    }


def test_owners_have_teams_where_the_file_of_roles_knows_them(staged: Tables) -> None:
    """Prevents users from being lost for want of a role, or doubled by one."""
    roles = {row["id"]: row["name"] for row in rows_of("user_role")}
    expected = {
        f"salesforce:{row['id']}": (
            roles.get(row["user_role_id"]),
            row["is_active"] == "true"
            and row["_fivetran_deleted"] == "false"
            and row["_fivetran_active"] == "true",
        )
        for row in rows_of("user")
    }
    found = staged.query("select owner_id, team, is_active from staging.stg_owners")
    assert {row[0]: row[1:] for row in found} == expected


def test_every_delivered_column_is_declared_or_left_alone_for_a_reason(staged: Tables) -> None:
    """Prevents a column that matters from being overlooked, and any from getting by unasked."""
    extracts = read_extracts("salesforce")
    unexplained = {
        f"{name}.{column}"
        for name in OBJECTS
        for column in rows_of(name)[0]
        if column not in extracts[name].column_names
        and not any(re.search(pattern, column) for pattern in LEFT_ALONE.values())
    }
    assert unexplained == set()
    # What the loss marts ask of every record, declared or not; it is a checkbox here.
    further = {"records": [('{"competitor":"FALSE"}',)], "accounts": [], "contacts": []}
    for table, expected in further.items():
        found = staged.query(
            f"select further_columns from staging.base_{table} where further_columns is not null"
        )
        assert found == expected, table
