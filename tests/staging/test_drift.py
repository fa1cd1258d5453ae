"""Names and stages that drift in HubSpot and Salesforce between two deliveries.

In both, a stage is renamed, one is put before another, one is deleted half-way through the deals in
it, and a pipeline is added that no funnel takes. Nothing is lost: every deal is kept, what the
rules know stays in the funnel, and what they do not know is listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.staging import deliver_csv
from tests.support.tables import Tables
from tests.support.warehouse import build_warehouse

pytestmark = pytest.mark.slow

SEEDS = {
    "sources": """
        source|system
        hub|hubspot
        air|hubspot
        sf|salesforce
    """,
    "funnels": """
        funnel_id|subject_type|order_mode|pipeline
        deals|opportunity|furthest|Sales
    """,
    "funnel_stages": """
        funnel_id|stage_position|stage_id|stage_kind
        deals|1|appointment|open
        deals|2|trial|open
        deals|3|offer|open
        deals|4|signed|won
    """,
    "stage_rules": """
        funnel_id|stage_id|rule_type|match_value
        deals|appointment|opportunity_stage|Appointment
        deals|trial|opportunity_stage|Trial
        deals|offer|opportunity_stage|Offer
        deals|signed|opportunity_stage|Signed
    """,
}

# `Appointment` becomes `Meeting`, `Offer` goes before it, `Trial` is deleted.
HUBSPOT = {
    "deal_pipeline/2024-02-01": """
        pipeline_id|label|_fivetran_synced
        p1|Sales|2024-02-01
    """,
    "deal_pipeline/2024-02-02": """
        pipeline_id|label|_fivetran_synced
        p1|Sales|2024-02-02
        p2|Renewals|2024-02-02
    """,
    "deal_pipeline_stage/2024-02-01": """
        stage_id|pipeline_id|label|probability|display_order|_fivetran_deleted|_fivetran_synced
        s1|p1|Appointment|0.2|0||2024-02-01
        s2|p1|Trial|0.4|1||2024-02-01
        s3|p1|Offer|0.6|2||2024-02-01
        s9|p1|Signed|1|3||2024-02-01
    """,
    "deal_pipeline_stage/2024-02-02": """
        stage_id|pipeline_id|label|probability|display_order|_fivetran_deleted|_fivetran_synced
        s3|p1|Offer|0.6|0||2024-02-02
        s1|p1|Meeting|0.2|1||2024-02-02
        s2|p1|Trial|0.4|1|true|2024-02-02
        s9|p1|Signed|1|3||2024-02-02
        r1|p2|Due|0.5|0||2024-02-02
    """,
    "deal/2024-02-01": """
        deal_id|deal_pipeline_id|deal_pipeline_stage_id|property_createdate|_fivetran_synced
        1|p1|s9|2024-01-01|2024-02-01
        2|p1|s2|2024-01-10|2024-02-01
        3|p1|s1|2024-01-20|2024-02-01
    """,
    "deal/2024-02-02": """
        deal_id|deal_pipeline_id|deal_pipeline_stage_id|property_createdate|_fivetran_synced
        1|p1|s9|2024-01-01|2024-02-02
        2|p1|s3|2024-01-10|2024-02-02
        3|p1|s1|2024-01-20|2024-02-02
        4|p2|r1|2024-02-01|2024-02-02
    """,
    "deal_stage/2024-02-02": """
        deal_id|value|date_entered
        1|s1|2024-01-01
        1|s2|2024-01-03
        1|s9|2024-01-05
        2|s2|2024-01-10
        2|s3|2024-02-01
        3|s1|2024-01-20
        4|r1|2024-02-01
    """,
}

SALESFORCE = {
    "record_type/2024-02-01": """
        id|name
        p1|Sales
    """,
    "record_type/2024-02-02": """
        id|name
        p1|Sales
        p2|Renewals
    """,
    "opportunity_stage/2024-02-01": """
        id|master_label|api_name|is_closed|is_won|sort_order
        s1|Appointment|Appointment|false|false|1
        s2|Trial|Trial|false|false|2
        s3|Offer|Offer|false|false|3
        s9|Signed|Signed|true|true|9
    """,
    "opportunity_stage/2024-02-02": """
        id|master_label|api_name|is_closed|is_won|sort_order
        s3|Offer|Offer|false|false|1
        s1|Meeting|Meeting|false|false|2
        s9|Signed|Signed|true|true|9
        r1|Due|Due|false|false|10
    """,
    "opportunity/2024-02-01": """
        id|record_type_id|stage_name|close_date|created_date|_fivetran_synced
        1|p1|Signed|2024-01-05|2024-01-01|2024-02-01
        2|p1|Trial|2024-12-31|2024-01-10|2024-02-01
        3|p1|Appointment|2024-12-31|2024-01-20|2024-02-01
    """,
    "opportunity/2024-02-02": """
        id|record_type_id|stage_name|close_date|created_date|_fivetran_synced
        1|p1|Signed|2024-01-05|2024-01-01|2024-02-02
        2|p1|Offer|2024-12-31|2024-01-10|2024-02-02
        3|p1|Meeting|2024-12-31|2024-01-20|2024-02-02
        4|p2|Due|2024-12-31|2024-02-01|2024-02-02
    """,
    # A renaming takes the history along.
    "opportunity_history/2024-02-02": """
        id|opportunity_id|stage_name|created_date
        h1|1|Meeting|2024-01-01
        h2|1|Trial|2024-01-03
        h3|1|Signed|2024-01-05
        h4|2|Trial|2024-01-10
        h5|2|Offer|2024-02-01
        h6|3|Meeting|2024-01-20
        h7|4|Due|2024-02-01
    """,
}

# By Airbyte a stage that was deleted is in no list any more.
SIGNED = {"id": "a9", "label": "Signed", "metadata": {"isClosed": "true", "probability": "1.0"}}
AIRBYTE: dict[str, list[dict[str, Any]]] = {
    "deal_pipelines/2024-02-01": [
        {
            "id": "p1",
            "label": "Sales",
            "stages": [
                {"id": "a1", "label": "Appointment"},
                {"id": "a2", "label": "Trial"},
                SIGNED,
            ],
            "_airbyte_extracted_at": "2024-02-01T00:00:00Z",
        }
    ],
    "deal_pipelines/2024-02-02": [
        {
            "id": "p1",
            "label": "Sales",
            "stages": [SIGNED, {"id": "a1", "label": "Appointment"}],
            "_airbyte_extracted_at": "2024-02-02T00:00:00Z",
        }
    ],
    "deals/2024-02-02": [
        {
            "id": deal,
            "properties": {"pipeline": "p1", "dealstage": stage, "createdate": "2024-01-01"},
            "_airbyte_extracted_at": "2024-02-02T00:00:00Z",
        }
        for deal, stage in (("1", "a9"), ("2", "a2"))
    ],
    "deals_property_history/2024-02-02": [
        {"dealId": deal, "property": "dealstage", "value": stage, "timestamp": at}
        for deal, stage, at in (
            ("1", "a1", "2024-01-01T00:00:00Z"),
            ("1", "a2", "2024-01-03T00:00:00Z"),
            ("1", "a9", "2024-01-05T00:00:00Z"),
            ("2", "a2", "2024-01-10T00:00:00Z"),
        )
    ],
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    folder = tmp_path_factory.mktemp("drift")
    for source, files in ("hub", HUBSPOT), ("sf", SALESFORCE):
        for path, text in files.items():
            deliver_csv(folder / "landing" / source / f"{path}.csv", text)
    for path, rows in AIRBYTE.items():
        file = folder / "landing" / "air" / f"{path}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name, text in SEEDS.items():
        deliver_csv(folder / "seeds" / f"{name}.csv", text)
    tables = Tables(build_warehouse(folder / "landing", folder / "seeds", folder / "home"))
    yield tables
    tables.close()


def test_every_deal_and_every_change_is_kept(warehouse: Tables) -> None:
    """Deals of a stage or pipeline that came or went are gone with it."""
    assert warehouse.query(
        """
        select source, table_name, rows_kept, rows_quarantined_in_staging
        from staging.stg_row_counts
        where table_name in ('records', 'stage_changes')
        order by all
        """
    ) == [
        ("air", "records", 2, 0),
        ("air", "stage_changes", 4, 0),
        ("hub", "records", 4, 0),
        ("hub", "stage_changes", 7, 0),
        ("sf", "records", 4, 0),
        ("sf", "stage_changes", 7, 0),
    ]
    assert warehouse.query("select * from raw.quarantined_rows") == []


def test_what_the_rules_know_stays_where_it_was(warehouse: Tables) -> None:
    """A stage is moved by its place in the system's list, or leaves the history as it is deleted.

    The renamed first stage is missing, in front of what came after it.
    """
    found = warehouse.query(
        """
        select subject_id, string_agg(stage_id, ' ' order by visit_number)
        from core.fct_stage_visits
        group by all
        order by all
        """
    )
    assert found == [
        ("air:1", "appointment signed"),
        ("hub:1", "trial signed"),
        ("hub:2", "trial offer"),
        ("sf:1", "trial signed"),
        ("sf:2", "trial offer"),
    ]


def test_what_no_rule_knows_any_more_is_listed(warehouse: Tables) -> None:
    """A new name or a new pipeline is in no funnel, and nobody can tell why."""
    found = warehouse.query(
        "select evidence_type, evidence_name, evidence_rows from core.unmatched_names order by all"
    )
    assert found == [
        ("opportunity_pipeline", "Renewals", 2),
        ("opportunity_stage", "Due", 2),
        ("opportunity_stage", "Meeting", 4),
        ("opportunity_stage", "a2", 2),
    ]
