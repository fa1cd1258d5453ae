"""A small company's Salesforce, as Fivetran and as Airbyte deliver it, and what staging makes of it.

Each source is a case of its own, so that one build holds them all. Expected rows are by hand.
"""

# ruff: noqa: E501 (a delivered row is one line)

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.tables import Tables
from tests.support.warehouse import BuildFailedError, build_warehouse, load_night

pytestmark = pytest.mark.slow

NIGHT = datetime(2024, 6, 1, 2, tzinfo=UTC)

# One company, in Fivetran's layout: object, then rows under their columns, cells separated by |.
COMPANY = {
    "opportunity": """
        id|name|stage_name|amount|close_date|is_closed|last_stage_change_date|created_date|owner_id|account_id|contact_id|record_type_id|region_c|loss_reason_c|tier_c|deal_size_c|backup_email_c|fiscal_quarter|is_deleted|last_modified_date|system_modstamp|_fivetran_synced
        006A|Bikes|Signed|1000|2024-01-19|true|2024-01-20 10:00:00|2024-01-01 09:00:00|005A|001A|003A|012X|North||gold|large|a@b.c|1|false|2024-01-21 00:00:00|2024-01-21 00:00:00|2024-02-20 01:00:00
        006B|Bells|Dead|200|2024-01-02|true||2024-01-02 10:00:00|005A|001A|||North|price||||1|false|2024-01-03 00:00:00|2024-01-03 00:00:00|2024-02-20 01:00:00
        006C|Carts|Proposal|300|2025-12-31|false|2024-01-09 10:00:00|2024-01-03 10:00:00|005B|001A||012Y||||||1|false|2024-01-09 10:00:00|2024-01-09 10:00:00|2024-02-20 01:00:00
        006D|Doors|Renewed|400|2024-03-31|true||2024-01-04 10:00:00|005B|001A||||||||1|false|2024-02-10 12:00:00|2024-02-10 12:00:00|2024-02-20 01:00:00
        006E|Edges|Lost|500|2024-01-25|||2024-01-05 10:00:00|005B|001A||||||||1|false|2024-01-26 12:00:00|2024-01-26 12:00:00|2024-02-20 01:00:00
        006F|Frame|Proposal|600|2024-03-01|false||2024-01-06 10:00:00|005B|001A||||||||1|true|2024-01-30 08:00:00|2024-02-01 08:00:00|2024-02-20 01:00:00
    """,
    "opportunity_history": """
        id|opportunity_id|stage_name|amount|close_date|created_date|_fivetran_synced
        008A|006A|Prospecting||2024-01-31|2024-01-01 09:00:00|2024-02-20 01:00:00
        008B|006A|Prospecting|900|2024-01-31|2024-01-05 09:00:00|2024-02-20 01:00:00
        008C|006A|Proposal|900|2024-01-31|2024-01-10 09:00:00|2024-02-20 01:00:00
        008D|006A|Signed|1000|2024-01-19|2024-01-20 10:00:00|2024-02-20 01:00:00
    """,
    "opportunity_field_history": """
        id|opportunity_id|field|data_type|old_value|new_value|created_date
        017A|006A|created||||2024-01-01 09:00:00
        017B|006A|StageName|Text|Prospecting|Proposal|2024-01-10 09:00:00
        017C|006A|Amount|Currency||900|2024-01-05 09:00:00
        017D|006A|Owner|Text|Bo|Ann|2024-01-06 09:00:00
        017E|006A|Owner|EntityId|005B|005A|2024-01-06 09:00:00
        017F|006A|CloseDate|Date|2024-01-31|2024-01-19|2024-01-20 10:00:00
        017G|006A|RecordType|EntityId|012Y|012X|2024-01-07 09:00:00
        017H|006A|Deal_Size__c|Text|small|large|2024-01-08 09:00:00
        017I|006A|Backup_Email__c|Text|x@y.z|a@b.c|2024-01-08 09:00:00
        017J|006D|StageName|Text|Proposal|Renewed|2024-02-10 12:00:00
    """,
    "opportunity_stage": """
        id|master_label|api_name|sort_order|is_active|is_closed|is_won|_fivetran_synced
        01J1|Old|Old|2|false|false|false|2024-02-20 01:00:00
        01J2|Prospecting|Prospecting|10|true|false|false|2024-02-20 01:00:00
        01J3|Proposal|Proposal|35|true|false|false|2024-02-20 01:00:00
        01J4|Signed|Signed|70|true|true|true|2024-02-20 01:00:00
        01J5|Renewed|Renewed|71|true|true|true|2024-02-20 01:00:00
        01J6|Gone|Lost|90|true|true|false|2024-02-20 01:00:00
        01J7|Dead|Dead|400|true|true|false|2024-02-20 01:00:00
    """,
    "lead": """
        id|name|first_name|last_name|company|status|email|phone|mobile_phone|street|lead_source|owner_id|converted_date|converted_opportunity_id|converted_account_id|converted_contact_id|master_record_id|lost_reason_c|tier_c|is_deleted|created_date|system_modstamp|_fivetran_synced
        00QA|Al Fine|Al|Fine|Acme|Converted|Al@Acme.com|12|34|Elm 1|Web|005A|2024-01-01|006A|001A|003A|||silver|false|2024-01-01 08:00:00|2024-01-01 09:00:00|2024-02-20 01:00:00
        00QB|Bea Low|Bea|Low|Byte|Open|||||Fair|005A||||||no need|bronze|false|2024-01-02 08:00:00|2024-01-02 08:00:00|2024-02-20 01:00:00
        00QC|B. Low|B.|Low|Byte|Open|||||Fair|005A|||||00QB|||true|2024-01-02 09:00:00|2024-01-03 08:00:00|2024-02-20 01:00:00
    """,
    "lead_history": """
        id|lead_id|field|old_value|new_value|created_date
        017K|00QA|created|||2024-01-01 08:00:00
        017L|00QA|Status|New|Working|2024-01-01 08:10:00
        017M|00QA|Status|Working|Converted|2024-01-01 09:00:00
        017N|00QA|Email|al@old.com|Al@Acme.com|2024-01-01 08:20:00
        017O|00QA|LastName|Coda|Fine|2024-01-01 08:20:00
        017P|00QA|LeadSource|Fair|Web|2024-01-01 08:30:00
        017Q|00QA|leadConverted|||2024-01-01 09:00:00
    """,
    "account": """
        id|name|is_person_account|industry|number_of_employees|annual_revenue|billing_country|billing_street|phone|website|parent_id|owner_id|master_record_id|is_deleted|created_date|system_modstamp|_fivetran_synced
        001A|Acme|false|Bikes|12|1000000.5|France|Elm 1|12|acme.com||005A||false|2024-01-01 08:00:00|2024-01-01 08:00:00|2024-02-20 01:00:00
        001B|ACME|false|||||||||005A|001A|true|2024-01-01 08:30:00|2024-01-04 08:00:00|2024-02-20 01:00:00
        001P|Pia Poe|true|||||||||005A||false|2024-01-01 08:00:00|2024-01-01 08:00:00|2024-02-20 01:00:00
    """,
    "contact": """
        id|account_id|user_id_c|buying_role_c|name|email|phone|mobile_phone|birthdate|title|owner_id|created_date|is_deleted|system_modstamp|_fivetran_synced
        003A|001A|u7|Decider|Al Fine|Al@Acme.com|12|34|1980-01-01|Buyer|005A|2024-01-01 09:00:00|false|2024-01-01 09:00:00|2024-02-20 01:00:00
    """,
    "user": """
        id|name|email|user_role_id|manager_id|is_active|created_date|_fivetran_synced
        005A|Ann|ann@us.com|00EA|005B|true|2020-01-01 00:00:00|2024-02-20 01:00:00
        005B|Bo|bo@us.com|||false|2020-01-01 00:00:00|2024-02-20 01:00:00
    """,
    "user_role": """
        id|name|_fivetran_synced
        00EA|East|2024-02-20 01:00:00
    """,
    "record_type": """
        id|name|_fivetran_synced
        012X|Enterprise|2024-02-20 01:00:00
    """,
    "task": """
        id|what_id|who_id|owner_id|type|task_subtype|status|is_closed|completed_date_time|activity_date|is_archived|is_deleted|created_date|last_modified_date|_fivetran_synced
        00T1|006A|003A|005A|Call|Task|Completed|true|2024-01-08 11:00:00|2024-01-09|false|false|2024-01-07 09:00:00|2024-01-08 11:00:00|2024-02-20 01:00:00
        00T2|006A||005A|Call|Task|Open|false||2024-12-01|false|false|2024-01-07 09:00:00|2024-01-07 09:00:00|2024-02-20 01:00:00
        00T3||00QA|005A||Email|Completed|true||2024-01-01|true|false|2024-01-01 08:40:00|2024-01-01 08:40:00|2024-02-20 01:00:00
        00T4|006A||005A|Call|Task|Completed|true|2024-01-08 11:00:00|2024-01-09|false|true|2024-01-07 09:00:00|2024-01-08 11:00:00|2024-02-20 01:00:00
        00T5|001A||005A|Call|Task|Completed|true|2024-01-08 11:00:00|2024-01-09|false|false|2024-01-07 09:00:00|2024-01-08 11:00:00|2024-02-20 01:00:00
        00T6|006C||005A|Call|Task|Completed|true||2025-01-09|false|false|2024-01-07 09:00:00|2024-01-08 12:00:00|2024-02-20 01:00:00
    """,
    "event": """
        id|what_id|who_id|owner_id|type|start_date_time|activity_date|is_child|is_deleted|created_date|_fivetran_synced
        00U1|006A|003A|005A|Meeting|2024-01-09 14:00:00|2024-01-09|false|false|2024-01-07 09:00:00|2024-02-20 01:00:00
        00U2|006A|003A|005A|Meeting|2024-12-09 14:00:00|2024-12-09|false|false|2024-01-07 09:00:00|2024-02-20 01:00:00
        00U3|006A|003A|005B|Meeting|2024-01-09 14:00:00|2024-01-09|true|false|2024-01-07 09:00:00|2024-02-20 01:00:00
    """,
    "campaign_member": """
        id|campaign_id|lead_id|contact_id|status|has_responded|first_responded_date|is_deleted|created_date|_fivetran_synced
        00v1|701A|00QB||Responded|true|2024-01-03|false|2024-01-02 08:30:00|2024-02-20 01:00:00
        00v2|701A||003A|Sent|false||false|2024-01-02 08:30:00|2024-02-20 01:00:00
    """,
    "order": """
        id|order_number|order_reference_number|account_id|status|effective_date|activated_date|total_amount|currency_iso_code|is_reduction_order|is_deleted|created_date|last_modified_date|system_modstamp|_fivetran_synced
        801A|00000101|W-7|001A|Activated|2024-01-19|2024-01-20 12:00:00|1000.5|EUR|false|false|2024-01-20 11:00:00|2024-01-20 12:00:00|2024-01-20 12:00:00|2024-02-20 01:00:00
        801B|00000102||001A|Draft|2025-12-31||200||false|false|2024-01-22 10:00:00|2024-01-22 11:00:00|2024-01-22 11:00:00|2024-02-20 01:00:00
        801C|00000103||001A|Activated|2024-01-10||300|||false|2024-01-22 10:00:00|2024-01-22 10:00:00|2024-01-22 10:00:00|2024-02-20 01:00:00
        801D|00000104||001A|Draft|||400|||false|2024-01-23 10:00:00|2024-01-23 10:00:00|2024-01-23 10:00:00|2024-02-20 01:00:00
        801E|00000105||001A|Activated|2024-01-10|2024-01-10 09:00:00|500||false|true|2024-01-10 08:00:00|2024-01-11 08:00:00|2024-01-11 08:00:00|2024-02-20 01:00:00
        801F|00000106||001A|Activated|2024-01-12|2024-01-12 09:00:00|-50||true|false|2024-01-12 08:00:00|2024-01-12 09:00:00|2024-01-12 09:00:00|2024-02-20 01:00:00
    """,
}

# Field history alone.
FIELDS = {
    "opportunity": """
        id|stage_name|close_date|is_closed|created_date|_fivetran_synced
        006A|Proposal|2024-12-31|false|2024-01-01 09:00:00|2024-02-20 01:00:00
    """,
    "opportunity_field_history": """
        opportunity_id|field|old_value|new_value|created_date
        006A|StageName|Prospecting|Proposal|2024-01-10 09:00:00
    """,
}

# Fivetran's history mode: 006A was there before the history began, 006B was created after it, 006C
# has had its stage for long; 006D was deleted.
VERSIONS = {
    "opportunity": """
        id|stage_name|amount|close_date|is_closed|created_date|_fivetran_active|_fivetran_start|_fivetran_end|_fivetran_synced
        006A|Prospecting|1|2024-12-31|false|2023-05-01 09:00:00|false|2024-01-10 00:00:00|2024-01-15 09:59:59.999|2024-02-01 01:00:00
        006A|Proposal|1|2024-12-31|false|2023-05-01 09:00:00|true|2024-01-15 10:00:00|9999-12-31 23:59:59|2024-02-01 01:00:00
        006B|Prospecting|2|2024-12-31|false|2024-01-12 09:00:00|false|2024-01-12 9:00:00|2024-01-12 09:59:59.999|2024-02-01 01:00:00
        006B|Prospecting|3|2024-12-31|false|2024-01-12 09:00:00|true|2024-01-12 10:00:00|9999-12-31 23:59:59|2024-02-01 01:00:00
        006D|Prospecting|4|2024-12-31|false|2024-01-13 09:00:00|false|2024-01-13 09:00:00|2024-01-20 08:00:00|2024-02-01 01:00:00
    """,
    "opportunity_history": """
        id|stage_name|amount|created_date|last_stage_change_date|owner_id|_fivetran_active|_fivetran_start|_fivetran_end
        006C|Proposal|5|2023-01-01 09:00:00|2023-03-01 09:00:00|005A|true|2024-01-10 00:00:00|9999-12-31 23:59:59
    """,
}

# What was delivered of it while the first versions lasted.
VERSIONS_BEFORE = """
    id|stage_name|amount|close_date|is_closed|created_date|_fivetran_active|_fivetran_start|_fivetran_end|_fivetran_synced
    006A|Prospecting|1|2024-12-31|false|2023-05-01 09:00:00|true|2024-01-10 00:00:00|9999-12-31 23:59:59|2024-01-14 01:00:00
    006B|Prospecting|2|2024-12-31|false|2024-01-12 09:00:00|false|2024-01-12 9:00:00|2024-01-12 09:59:59.999|2024-01-14 01:00:00
    006B|Prospecting|3|2024-12-31|false|2024-01-12 09:00:00|true|2024-01-12 10:00:00|9999-12-31 23:59:59|2024-01-14 01:00:00
    006D|Prospecting|4|2024-12-31|false|2024-01-13 09:00:00|true|2024-01-13 09:00:00|9999-12-31 23:59:59|2024-01-14 01:00:00
"""

# Three full deliveries. `Proposal` was renamed `Offer` on the second day, and `Prospecting` left the
# picklist on the third. Columns come, go and change places, while the connector sees no reason to
# write unchanged rows anew.
DRIFTING = {
    "opportunity/2024-02-01": """
        id|stage_name|amount|close_date|is_closed|created_date|lead_source|tier_c|_fivetran_synced
        006A|Proposal|1|2024-12-31|false|2024-01-01 09:00:00|Web|gold|2024-01-31 01:00:00
        006B|Prospecting|2|2024-12-31|false|2024-01-02 09:00:00|Fair|gold|2024-01-31 01:00:00
        006C|Signed|3|2024-01-20|true|2024-01-03 09:00:00|Web|gold|2024-01-31 01:00:00
    """,
    "opportunity/2024-02-02": """
        stage_name|id|created_date|is_closed|amount|close_date|lead_source|grade_c|_fivetran_synced
        Offer|006A|2024-01-01 09:00:00|false|1|2024-12-31|Web|x|2024-02-01 23:00:00
        Prospecting|006B|2024-01-02 09:00:00|false|2|2024-12-31|Fair|x|2024-01-31 01:00:00
        Signed|006C|2024-01-03 09:00:00|true|3|2024-01-20|Web|x|2024-01-31 01:00:00
    """,
    "opportunity/2024-02-03": """
        id|stage_name|amount|close_date|is_closed|created_date|grade_c|_fivetran_synced
        006A|Offer|1|2024-12-31|false|2024-01-01 09:00:00|x|2024-02-01 23:00:00
        006B|Prospecting|2|2024-12-31|false|2024-01-02 09:00:00|x|2024-01-31 01:00:00
        006C|Signed|3|2024-01-20|true|2024-01-03 09:00:00|x|2024-01-31 01:00:00
    """,
    "opportunity_stage/2024-02-01": """
        master_label|api_name|is_closed|is_won|sort_order
        Prospecting|Prospecting|false|false|1
        Proposal|Proposal|false|false|2
        Signed|Signed|true|true|3
    """,
    "opportunity_stage/2024-02-03": """
        master_label|api_name|is_closed|is_won|sort_order
        Signed|Signed|true|true|1
        Offer|Proposal|false|false|7
    """,
}

SEEDS = {
    "sources": """
        source|system
        fivetran|salesforce
        airbyte|salesforce
        fields|salesforce
        versions|salesforce
        drifting|salesforce
    """,
    "funnels": """
        funnel_id|subject_type|order_mode
        deals|opportunity|furthest
        leads|lead|furthest
    """,
    "funnel_stages": """
        funnel_id|stage_position|stage_id|stage_kind
        deals|1|prospecting|open
        deals|2|proposal|open
        deals|3|won|won
        deals||lost|lost
        leads|1|open|open
        leads|2|working|open
        leads|3|converted|won
    """,
    "stage_rules": """
        funnel_id|stage_id|rule_type|match_value
        deals|prospecting|opportunity_stage|Prospecting
        deals|proposal|opportunity_stage|Proposal
        deals|proposal|opportunity_stage|Offer
        deals|won|opportunity_stage|Signed
        deals|won|opportunity_stage|Renewed
        deals|lost|opportunity_stage|Lost
        deals|lost|opportunity_stage|Dead
        leads|open|lead_status|New
        leads|open|lead_status|Open
        leads|working|lead_status|Working
        leads|converted|lead_status|Converted
    """,
    "segments": """
        segment_name|subject_type|attribute
        tier|opportunity|tier_c
        lead_tier|lead|tier_c
        size|opportunity|deal_size
        mail|opportunity|backup_email_c
        first_name|lead|first_name
    """,
}


def cells(table: str) -> tuple[list[str], list[list[str]]]:
    lines = [line.strip().split("|") for line in table.strip().splitlines()]
    for line in lines:
        assert len(line) == len(lines[0]), line
    return lines[0], lines[1:]


def write_csv(path: Path, table: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header, rows = cells(table)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def api_name(column: str) -> str:
    """The column as Salesforce itself, and so Airbyte, names it."""
    if column == "_fivetran_synced":
        return "_airbyte_extracted_at"
    name, custom = (column[:-2], "__c") if column.endswith("_c") else (column, "")
    joint = "_" if custom else ""
    return joint.join(word.capitalize() for word in name.split("_")) + custom


def api_value(column: str, text: str) -> Any:
    if text == "":
        return None
    if column == "_fivetran_synced":
        instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return int(instant.timestamp() * 1000)
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
        return text.replace(" ", "T") + ".000+0000"
    return text


def write_jsonl(path: Path, table: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header, rows = cells(table)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            data = {
                api_name(column): api_value(column, text)
                for column, text in zip(header, row, strict=True)
            }
            file.write(json.dumps({"_airbyte_raw_id": "r", "_airbyte_meta": {}, **data}) + "\n")


def write_seeds(seeds: Path) -> None:
    for name, table in SEEDS.items():
        write_csv(seeds / f"{name}.csv", table)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    folder = tmp_path_factory.mktemp("salesforce")
    landing = folder / "landing"
    for source, delivered in (("fivetran", COMPANY), ("fields", FIELDS), ("versions", VERSIONS)):
        for name, table in delivered.items():
            write_csv(landing / source / name / "all.csv", table)
    for name, table in COMPANY.items():
        object_name = "".join(word.capitalize() for word in name.split("_"))
        write_jsonl(landing / "airbyte" / object_name / "all.jsonl", table)
    write_csv(landing / "versions" / "opportunity" / "2024-01-14.csv", VERSIONS_BEFORE)
    for path, table in DRIFTING.items():
        write_csv(landing / "drifting" / f"{path}.csv", table)
    write_seeds(folder / "seeds")
    built = Tables(
        build_warehouse(landing, folder / "seeds", folder / "home", now=NIGHT, with_tests=False)
    )
    yield built
    built.close()


def rows(tables: Tables, columns: str, table: str, source: str) -> list[tuple[Any, ...]]:
    """Rows of a source by their keys, which are led by its name; instants up to the minute."""
    found = tables.query(f"select {columns} from staging.{table} where source = ?", [source])
    return sorted(
        (tuple(_told(cell, source) for cell in row) for row in found),
        key=lambda row: tuple(str(cell) for cell in row),
    )


def _told(cell: Any, source: str) -> Any:
    if isinstance(cell, datetime):
        return cell.strftime("%m-%d %H:%M") if cell.year == 2024 else cell.strftime("%Y-%m-%d")
    return cell.removeprefix(f"{source}:") if isinstance(cell, str) else cell


@pytest.mark.parametrize(
    "table",
    [
        *("records", "stage_changes", "field_changes", "orders"),
        *("activities", "accounts", "contacts", "owners"),
    ],
)
def test_both_connectors_give_the_same_rows(tables: Tables, table: str) -> None:
    """Prevents a company's numbers from hanging on which connector it pays for."""
    columns = [
        f"replace({column}, source || ':', '')" if column == "attributes" else column
        for column in tables.columns(f"staging.stg_{table}")
        if column not in ("source", "source_file", "source_row")
    ]
    of_fivetran = rows(tables, ", ".join(columns), f"stg_{table}", "fivetran")
    assert of_fivetran
    assert of_fivetran == rows(tables, ", ".join(columns), f"stg_{table}", "airbyte")


def test_orders_are_of_their_activation_and_known_by_the_number_of_the_shop(
    tables: Tables,
) -> None:
    """Prevents orders of tomorrow, deleted ones and returns from being sold.

    801B counts from a day to come, and is no older than its last change; 801E is deleted, 801F
    takes something back.
    """
    columns = "order_id, order_number, ordered_at, amount, currency, account_id, status"
    assert rows(tables, columns, "stg_orders", "fivetran") == [
        ("801A", "W-7", "01-20 12:00", Decimal("1000.5"), "EUR", "001A", "Activated"),
        ("801B", "00000102", "01-22 11:00", Decimal(200), None, "001A", "Draft"),
        ("801C", "00000103", "01-10 00:00", Decimal(300), None, "001A", "Activated"),
        ("801D", "00000104", "01-23 10:00", Decimal(400), None, "001A", "Draft"),
    ]


def test_nothing_is_quarantined(tables: Tables) -> None:
    """Prevents rows as connectors write them from being refused."""
    assert tables.query("select source, table_name, reason from raw.quarantined_rows") == []
    assert tables.query("select * from staging.stg_quarantined_rows") == []


def test_deals_close_when_their_stage_changed_last_else_on_their_close_date(
    tables: Tables,
) -> None:
    """Prevents open deals from closing on their plan, and wins from preceding their creation."""
    found = tables.query(
        """
        select
            replace(record_id, 'fivetran:', ''),
            stage,
            strftime(closed_at, '%m-%d %H:%M'),
            cast(expected_close_date as varchar),
            strftime(deleted_at, '%m-%d %H:%M'),
        from staging.stg_records
        where source = 'fivetran' and record_type = 'opportunity'
        order by record_id
        """
    )
    assert found == [
        ("006A", "Signed", "01-20 10:00", None, None),
        # Closed on the day on which it was created: not before.
        ("006B", "Dead", "01-02 10:00", None, None),
        ("006C", "Proposal", None, "2025-12-31", None),
        # Its close date lies after the last anybody knew of it.
        ("006D", "Renewed", "02-10 12:00", None, None),
        # That it is closed is known from its stage, by the stage's first name.
        ("006E", "Lost", "01-25 00:00", None, None),
        ("006F", "Proposal", None, "2024-03-01", "02-01 08:00"),
    ]


def test_record_types_are_pipelines(tables: Tables) -> None:
    """Prevents deals of two processes from being measured by one funnel."""
    found = rows(tables, "record_id, pipeline", "stg_records", "fivetran")
    assert [row for row in found if row[1]] == [("006A", "Enterprise"), ("006C", "012Y")]


def test_the_history_of_stages_is_that_of_the_object_else_of_the_fields(tables: Tables) -> None:
    """Prevents a change from being told twice, and deals without history rows from having none."""
    found = tables.query(
        """
        select
            replace(record_id, 'fivetran:', ''), record_type, stage,
            strftime(changed_at, '%m-%d %H:%M'), cast(amount as int)
        from staging.stg_stage_changes
        where source = 'fivetran'
        order by record_id, changed_at
        """
    )
    assert found == [
        ("006A", "opportunity", "Prospecting", "01-01 09:00", None),
        ("006A", "opportunity", "Prospecting", "01-05 09:00", 900),
        ("006A", "opportunity", "Proposal", "01-10 09:00", 900),
        ("006A", "opportunity", "Signed", "01-20 10:00", 1000),
        ("006D", "opportunity", "Renewed", "02-10 12:00", None),
        ("00QA", "lead", "Working", "01-01 08:10", None),
        ("00QA", "lead", "Converted", "01-01 09:00", None),
    ]


def test_field_history_alone_is_a_history_of_stages(tables: Tables) -> None:
    """Prevents a company that does not sync the history object from having no history."""
    found = rows(tables, "record_id, stage, changed_at", "stg_stage_changes", "fields")
    assert found == [("006A", "Proposal", "01-10 09:00")]
    [(delivered,)] = tables.query(
        "select previous_stage from staging.delivered_stage_changes where _source = 'fields'"
    )
    assert delivered == "Prospecting"


def test_field_changes_bear_the_names_of_the_records_columns(tables: Tables) -> None:
    """Prevents a segment from missing its history, and names of people from getting through."""
    found = rows(
        tables, "record_id, field_name, old_value, new_value", "stg_field_changes", "fivetran"
    )
    assert found == [
        ("006A", "amount", None, "900"),
        ("006A", "created", None, None),
        # As the segment names it.
        ("006A", "deal_size", "small", "large"),
        ("006A", "expected_close_date", "2024-01-31", "2024-01-19"),
        ("006A", "owner_id", "005B", "005A"),
        ("006A", "pipeline", "012Y", "Enterprise"),
        ("006A", "stage", "Prospecting", "Proposal"),
        ("006D", "stage", "Proposal", "Renewed"),
        ("00QA", "created", None, None),
        ("00QA", "lead_converted", None, None),
        ("00QA", "lead_source", "Fair", "Web"),
        ("00QA", "stage", "New", "Working"),
        ("00QA", "stage", "Working", "Converted"),
    ]


def test_history_mode_begins_where_the_record_did(tables: Tables) -> None:
    """Prevents all deals from entering their stage on the day the history was switched on."""
    found = tables.query(
        """
        select
            replace(record_id, 'versions:', ''), stage,
            strftime(changed_at, '%Y-%m-%d %H:%M'), cast(amount as int)
        from staging.stg_stage_changes
        where source = 'versions'
        order by record_id, changed_at
        """
    )
    assert found == [
        # Created before the history: in this stage since then, as far as anybody knows.
        ("006A", "Prospecting", "2023-05-01 09:00", 1),
        ("006A", "Proposal", "2024-01-15 10:00", 1),
        ("006B", "Prospecting", "2024-01-12 09:00", 2),
        ("006B", "Prospecting", "2024-01-12 10:00", 3),
        # The instant of its last change of stage is known.
        ("006C", "Proposal", "2023-03-01 09:00", 5),
        ("006D", "Prospecting", "2024-01-13 09:00", 4),
    ]


def test_in_history_mode_the_lasting_version_is_the_record(tables: Tables) -> None:
    """Prevents an ended version from standing, and a record without a lasting one from living on."""
    found = tables.query(
        """
        select
            replace(record_id, 'versions:', ''), stage, cast(amount as int), is_deleted,
            strftime(deleted_at, '%m-%d %H:%M')
        from staging.stg_records
        where source = 'versions'
        order by record_id
        """
    )
    assert found == [
        ("006A", "Proposal", 1, False, None),
        ("006B", "Prospecting", 3, False, None),
        ("006D", "Prospecting", 4, True, "01-20 08:00"),
    ]


def test_leads_are_converted_and_merged(tables: Tables) -> None:
    """Prevents a lead from ending nowhere, before its creation, or as two."""
    found = tables.query(
        """
        select
            replace(record_id, 'fivetran:', ''),
            replace(converted_record_id, 'fivetran:', ''),
            replace(account_id, 'fivetran:', ''),
            replace(merged_into_id, 'fivetran:', ''),
            is_deleted,
            strftime(closed_at, '%m-%d %H:%M'),
            record_name,
            email_hash is not null,
            loss_reason
        from staging.stg_records
        where source = 'fivetran' and record_type = 'lead'
        order by record_id
        """
    )
    assert found == [
        ("00QA", "006A", "001A", None, False, "01-01 08:00", None, True, None),
        ("00QB", None, None, None, False, None, None, False, "no need"),
        ("00QC", None, None, "00QB", True, None, None, False, None),
    ]
    accounts = rows(tables, "account_id, merged_into_id, is_deleted", "stg_accounts", "fivetran")
    assert accounts == [("001A", None, False), ("001B", "001A", True), ("001P", None, False)]


def test_a_deal_has_the_hashed_address_of_its_contact(tables: Tables) -> None:
    """Prevents a person from being two: as a lead, and as the contact of a deal."""
    [(records,)] = tables.query(
        """
        select count(*)
        from staging.stg_records as deals
        join staging.stg_records as leads using (email_hash)
        join staging.stg_contacts as contacts using (email_hash)
        where
            deals.record_id = 'fivetran:006A'
            and leads.record_id = 'fivetran:00QA'
            and contacts.contact_id = 'fivetran:003A'
        """
    )
    assert records == 1
    # Who that is on the web, where the company keeps it in a column of its own.
    assert rows(tables, "contact_id, user_id", "stg_contacts", "fivetran") == [("003A", "u7")]


def test_only_declared_segments_become_attributes_and_never_personal_ones(
    tables: Tables,
) -> None:
    """Prevents the many columns of Salesforce that tell who a person is from passing staging."""
    [(keys,)] = tables.query(
        """
        with keys as (
            select unnest(json_keys(attributes)) as key from staging.stg_records
            where source = 'fivetran'
            union
            select unnest(json_keys(attributes)) from staging.stg_accounts
            where source = 'fivetran'
            union
            select unnest(json_keys(attributes)) from staging.stg_contacts
            where source = 'fivetran'
        )
        select list(key order by key) from keys
        where
            key in ('tier_c', 'deal_size', 'deal_size_c', 'backup_email_c', 'fiscal_quarter')
            or regexp_matches(key, 'name|phone|mail|street|birth|company')
        """
    )
    # A custom one with or without its `_c`, as the segment has it.
    assert keys == ["deal_size", "tier_c"]
    [(role,)] = tables.query(
        "select attributes ->> 'buying_role' from staging.stg_contacts"
        " where contact_id = 'fivetran:003A'"
    )
    assert role == "Decider"
    [(name,)] = tables.query(
        "select account_name from staging.stg_accounts where account_id = 'fivetran:001P'"
    )
    assert name is None


def test_owners_have_their_role_as_team_and_their_manager(tables: Tables) -> None:
    """Prevents teams from being empty where Salesforce knows them as roles."""
    found = rows(
        tables, "owner_id, owner_name, team, manager_id, is_active", "stg_owners", "fivetran"
    )
    assert found == [("005A", "Ann", "East", "005B", True), ("005B", "Bo", None, None, False)]


def test_activities_are_what_was_done_about_a_deal_or_person(tables: Tables) -> None:
    """Prevents plans, copies for guests and deleted tasks from counting; keeps archived ones."""
    found = rows(
        tables,
        "activity_id, activity_type, record_id, contact_id, occurred_at",
        "stg_activities",
        "fivetran",
    )
    assert found == [
        ("00T1", "Call", "006A", "003A", "01-08 11:00"),
        ("00T3", "Email", "00QA", None, "01-01 00:00"),
        # Due later than it was last seen, and done: no later than that.
        ("00T6", "Call", "006C", None, "01-08 12:00"),
        ("00U1", "Meeting", "006A", "003A", "01-09 14:00"),
        ("00v1", "campaign response", "00QB", None, "01-03 00:00"),
        ("00v2", "campaign member", None, "003A", "01-02 08:30"),
    ]


def test_a_lead_goes_through_its_statuses_to_its_conversion(tables: Tables) -> None:
    """Prevents leads from ending at their first status, and merged ones from counting twice."""
    found = tables.query(
        """
        select replace(subject_id, 'fivetran:', ''), outcome, furthest_stage_id
        from core.fct_journeys
        where funnel_id = 'leads' and subject_id like 'fivetran:%'
        order by subject_id
        """
    )
    assert found == [("00QA", "won", "converted"), ("00QB", "open", "open")]


def test_two_won_and_two_lost_stages_meet_in_one_funnel(tables: Tables) -> None:
    """Prevents gaps in the sort order or a second closed stage from changing an outcome."""
    found = tables.query(
        """
        select replace(subject_id, 'fivetran:', ''), outcome, furthest_stage_id
        from core.fct_journeys
        where funnel_id = 'deals' and subject_id like 'fivetran:%'
        order by subject_id
        """
    )
    assert found == [
        ("006A", "won", "won"),
        ("006B", "lost", "prospecting"),
        ("006C", "open", "proposal"),
        ("006D", "won", "won"),
        ("006E", "lost", "prospecting"),
    ]


def test_what_drifts_loses_no_row(tables: Tables) -> None:
    """Prevents a renamed stage or a column that is synced no more from taking deals away."""
    found = tables.query(
        """
        select
            replace(record_id, 'drifting:', ''), stage, cast(amount as int), lead_source,
            json_extract_string(attributes, '$.tier_c')
        from staging.stg_records
        where source = 'drifting'
        order by record_id
        """
    )
    assert found == [
        ("006A", "Offer", 1, None, None),
        ("006B", "Prospecting", 2, None, None),
        ("006C", "Signed", 3, None, None),
    ]
    assert tables.query(
        """
        select rows_delivered, rows_kept, rows_quarantined_in_staging
        from staging.stg_row_counts
        where source = 'drifting' and table_name = 'records'
        """
    ) == [(4, 3, 0)]
    # Under both names it is one stage, and no visit is made of the renaming.
    visits = tables.query(
        """
        select stage_id, evidence
        from core.fct_stage_visits
        where subject_id = 'drifting:006A'
        order by visit_number
        """
    )
    assert [stage for stage, _ in visits] == ["prospecting", "proposal"]


def test_tables_that_are_not_delivered_are_empty(tables: Tables) -> None:
    """Prevents a company that syncs deals alone from having no warehouse."""
    for table in ("field_changes", "activities", "accounts", "contacts", "owners"):
        assert rows(tables, "source", f"stg_{table}", "drifting") == []
    assert len(rows(tables, "source", "stg_records", "drifting")) == 3


@pytest.mark.parametrize(
    ("table", "header", "column"),
    [
        ("opportunity", "id|close_date|created_date", "stage_name"),
        ("lead", "id|created_date", "status"),
        ("opportunity_history", "id|stage_name|created_date", "opportunity_id or _fivetran_start"),
        ("lead_history", "lead_id|created_date", "field"),
    ],
)
def test_a_missing_required_column_is_named_with_its_file(
    tmp_path: Path, table: str, header: str, column: str
) -> None:
    """Prevents a column that the connector does not sync from being taken for one without values."""
    row = "|".join("2024-01-01" for _ in header.split("|"))
    write_csv(tmp_path / "landing" / "salesforce" / table / "all.csv", f"{header}\n{row}")
    write_csv(tmp_path / "seeds" / "sources.csv", "source\nsalesforce")
    for name in ("funnels", "funnel_stages", "stage_rules"):
        write_csv(tmp_path / "seeds" / f"{name}.csv", SEEDS[name])

    with pytest.raises(BuildFailedError, match=rf"salesforce/{table}/all\.csv.*{column}"):
        load_night(tmp_path / "landing", tmp_path / "seeds", tmp_path / "home", NIGHT)
