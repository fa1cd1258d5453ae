"""What the pipeline page shows: open deals by day, what moved them, and what will be won."""

from __future__ import annotations

from typing import Any

import duckdb

# A year and a month, so that a day can be compared with the same day a year ago.
DAYS = 400
# The values of a segment with most open deals.
VALUES = 12

PIPELINES = """
    select funnel_id, funnel_name
    from dim_funnels
    inner join (
        select funnel_id, count(*) as stage_days
        from pipeline_daily
        where segment_name = 'all'
        group by funnel_id
    ) using (funnel_id)
    order by stage_days desc, funnel_id
"""

TABLES = {
    "stages": """
        select stage_id, stage_name, stage_name_zh, stage_kind, stage_position
        from dim_funnel_stages
        where funnel_id = $funnel_id
        order by stage_position nulls last, stage_id
    """,
    "days": f"""
        select
            snapshot_date::varchar as snapshot_date,
            stage_position,
            open_deals,
            round(open_amount, 2)::double as open_amount,
            round(weighted_amount, 2)::double as weighted_amount,
            deals_without_amount,
            overdue_deals,
        from pipeline_daily
        where funnel_id = $funnel_id and segment_name = 'all'
            and snapshot_date > (select max(snapshot_date) - {DAYS} from pipeline_daily)
        order by pipeline_daily.snapshot_date, stage_position
    """,
    "movements": f"""
        select
            movement_date::varchar as movement_date,
            movement,
            moves,
            deals_change,
            round(amount_change, 2)::double as amount_change,
            moves_without_amount,
        from pipeline_movements
        where funnel_id = $funnel_id and segment_name = 'all'
            and movement_date > (select max(snapshot_date) - {DAYS} from pipeline_daily)
        order by pipeline_movements.movement_date, movement
    """,
    "by_segment": f"""
        select
            segment_name,
            segment_value,
            sum(open_deals)::bigint as open_deals,
            round(sum(open_amount), 2)::double as open_amount,
            round(sum(weighted_amount), 2)::double as weighted_amount,
            sum(deals_without_amount)::bigint as deals_without_amount,
            sum(overdue_deals)::bigint as overdue_deals,
        from pipeline_daily
        where funnel_id = $funnel_id and segment_name <> 'all'
            and snapshot_date = (
                select max(snapshot_date) from pipeline_daily where funnel_id = $funnel_id
            )
        group by segment_name, segment_value
        having sum(open_deals) > 0
        qualify row_number() over (
            partition by segment_name
            order by sum(pipeline_daily.open_deals) desc, segment_value
        ) <= {VALUES}
        order by segment_name, open_deals desc, segment_value
    """,
    "forecast": """
        select
            period_grain,
            period_date::varchar as period_date,
            periods_ahead,
            method,
            is_recommended,
            wins_before,
            round(amount_before, 2)::double as amount_before,
            round(expected_wins, 2) as expected_wins,
            round(expected_wins_low_80, 2) as expected_wins_low_80,
            round(expected_wins_high_80, 2) as expected_wins_high_80,
            round(expected_amount, 2) as expected_amount,
            round(expected_amount_low_80, 2) as expected_amount_low_80,
            round(expected_amount_high_80, 2) as expected_amount_high_80,
            deals,
            past_forecasts,
            round(past_error_share, 4) as past_error_share,
        from sales_forecast
        where funnel_id = $funnel_id
        order by sales_forecast.period_grain, sales_forecast.period_date, method
    """,
    "coverage": """
        select
            period_grain,
            period_date::varchar as period_date,
            scope,
            scope_value,
            round(target_amount, 2)::double as target_amount,
            won_deals,
            round(won_amount, 2)::double as won_amount,
            open_deals,
            round(open_amount, 2)::double as open_amount,
            round(weighted_amount, 2)::double as weighted_amount,
            round(coverage, 3) as coverage,
            round(weighted_coverage, 3) as weighted_coverage,
        from pipeline_coverage
        where funnel_id = $funnel_id
            and snapshot_date = (
                select max(snapshot_date) from pipeline_coverage where funnel_id = $funnel_id
            )
        order by period_grain, pipeline_coverage.period_date, scope, scope_value
        limit 40
    """,
}


def pipeline_rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The funnels that have a pipeline by day."""
    return [
        {"funnel_id": funnel_id, "funnel_name": name}
        for funnel_id, name in connection.execute(PIPELINES).fetchall()
    ]


def pipeline_data(
    connection: duckdb.DuckDBPyConnection, pipeline: dict[str, Any]
) -> dict[str, Any]:
    """All that the page shows of one pipeline, tables as their columns and their rows."""
    data: dict[str, Any] = dict(pipeline)
    for name, query in TABLES.items():
        found = connection.execute(query, {"funnel_id": pipeline["funnel_id"]})
        columns = [column[0] for column in found.description or ()]
        data[name] = {"columns": columns, "rows": found.fetchall()}
    data["left_out"] = [
        f"Days: the latest {DAYS}. Of a segment, the {VALUES} values with most open deals."
    ]
    return data
