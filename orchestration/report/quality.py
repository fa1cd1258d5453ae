"""What the quality page shows: what was checked of this release, and what it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from orchestration.published_tables import literal

# What to show of lists that may be long.
ROWS = 30

OF_RELEASE = {
    "gates": """
        select
            layer,
            count(*) as results,
            count(*) filter (where status = 'passed') as passed,
            count(*) filter (where status = 'accepted') as accepted,
            count(*) filter (where status not in ('passed', 'accepted')) as other,
        from release_gates
        where release_id = $release_id
        group by layer
        order by list_position(['raw', 'staging', 'core', 'marts'], layer), layer
    """,
    "findings": f"""
        select layer, gate, table_name, rule, status, observed, expected, reason
        from release_gates
        where release_id = $release_id and status <> 'passed'
        order by layer, gate
        limit {ROWS}
    """,
    "deliveries": f"""
        select
            scope,
            max(counted) filter (where measure = 'rows_delivered') as delivered,
            max(counted) filter (where measure = 'rows_loaded') as loaded,
            max(counted) filter (where measure = 'rows_quarantined_at_loading') as quarantined,
        from control_totals
        where scope_type = 'delivery'
        group by scope
        order by scope
        limit {ROWS}
    """,
    "funnels": f"""
        select
            funnel_name,
            max(counted) filter (where measure = 'journeys') as journeys,
            max(counted) filter (where measure = 'journeys_undated') as undated,
            max(counted) filter (where measure = 'journeys_excluded') as excluded,
            max(counted) filter (where measure = 'subjects_with_results_by_tie') as by_tie,
        from control_totals
        inner join dim_funnels on control_totals.scope = dim_funnels.funnel_id
        where scope_type = 'funnel'
        group by funnel_id, funnel_name
        order by journeys desc, funnel_id
        limit {ROWS}
    """,
    "unmatched": f"""
        select
            evidence_type,
            evidence_name,
            evidence_rows,
            strftime(last_occurred_at, '%Y-%m-%d') as last_date,
        from unmatched_names
        order by evidence_rows desc, evidence_type, evidence_name
        limit {ROWS}
    """,
    "tables": """
        select
            table_name, rows, rows_before, rows_added, rows_removed, rows_changed, is_unchanged,
            changed_columns,
        from release_tables
        where release_id = $release_id
        order by is_unchanged, coalesce(rows_added + rows_removed + rows_changed, rows) desc,
            table_name
    """,
    "releases": f"""
        select
            release_id,
            strftime(as_of, '%Y-%m-%d %H:%M') as as_of,
            strftime(published_at, '%Y-%m-%d %H:%M') as published_at,
            rows,
            gate_results,
            accepted_surprises,
        from release_log
        order by release_number desc
        limit {ROWS}
    """,
}

HEADLINES = """
    select
        funnel_conversion.funnel_id,
        funnel_conversion.entered,
        funnel_conversion.reached,
        funnel_conversion.overall_rate,
        funnel_conversion.overall_rate_low,
        funnel_conversion.overall_rate_high,
    from {catalog}.funnel_conversion
    where cohort_grain = 'all' and segment_name = 'all'
    qualify stage_position = max(stage_position) over (partition by funnel_id)
    order by funnel_id
"""


def quality_data(
    connection: duckdb.DuckDBPyConnection, release_id: str, before: Path | None
) -> dict[str, list[dict[str, Any]]]:
    """All that the page shows, by topic.

    Args:
        connection: its tables are those of the release.
        release_id: the release.
        before: the database of the release that readers had before; None if there is none.
    """
    data = {topic: rows_of(connection, query, release_id) for topic, query in OF_RELEASE.items()}
    data["headlines"] = rows_of(connection, HEADLINES.format(catalog="release"), release_id)
    data["headlines_before"] = _headlines_before(connection, before) if before else []
    return data


def rows_of(
    connection: duckdb.DuckDBPyConnection, query: str, release_id: str
) -> list[dict[str, Any]]:
    """The rows of a query, by the names of its columns."""
    asked = {"release_id": release_id} if "$release_id" in query else {}
    found = connection.execute(query, asked)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _headlines_before(connection: duckdb.DuckDBPyConnection, before: Path) -> list[dict[str, Any]]:
    connection.execute(f"attach {literal(str(before))} as before (read_only)")
    try:
        return rows_of(connection, HEADLINES.format(catalog="before"), "")
    except duckdb.CatalogException:
        # Models of another version: they need not have had the same tables.
        return []
    finally:
        connection.execute("detach before")
