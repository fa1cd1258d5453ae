"""What the funnel page shows: the figures of one funnel, as the marts have them.

Rates are rounded to five digits, durations to seconds; nothing is worked out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from orchestration.report.scope import scope_of

# A curve is drawn from so many of its points at most: more cannot be told apart on a screen.
POINTS = 40

# What a funnel counts, in words.
UNITS = {"opportunity": "opportunities", "person": "people"}

FUNNELS = """
    select funnel_id, funnel_name, subject_type, order_mode, count_by, window_seconds
    from dim_funnels
    inner join (
        select funnel_id, max(entered) as entered
        from funnel_conversion
        where cohort_grain = 'all' and segment_name = 'all'
        group by funnel_id
    ) using (funnel_id)
    order by entered desc nulls last, funnel_id
"""

STAGES = """
    select stage_id, stage_name, stage_name_zh, stage_kind, stage_position
    from dim_funnel_stages
    where funnel_id = $funnel_id
    order by stage_position nulls last, stage_id
"""


def rate(name: str, table: str) -> list[tuple[str, str]]:
    """The columns of a rate and its interval."""
    return [(f"{name}{part}", f"round({table}.{name}{part}, 5)") for part in ("", "_low", "_high")]


def plain(table: str, *names: str) -> list[tuple[str, str]]:
    """Columns that are shown as they are."""
    return [(name, f"{table}.{name}") for name in names]


def rounded(table: str, digits: int, *names: str) -> list[tuple[str, str]]:
    """Columns that are shown with so many digits."""
    return [(name, f"round({table}.{name}, {digits})::double") for name in names]


CONVERSION = [
    ("period", "shown_cells.period"),
    ("segment", "shown_cells.segment"),
    *plain("conversion", "stage_position", "is_mature", "visited", "reached", "imputed"),
    *plain("conversion", "reached_previous", "entered"),
    *rate("step_rate", "conversion"),
    ("step_rate_is_reportable", "conversion.step_rate_is_reportable"),
    *rate("overall_rate", "conversion"),
    ("overall_rate_is_reportable", "conversion.overall_rate_is_reportable"),
    *plain("conversion", "mature_reached", "mature_reached_previous", "mature_entered"),
    *rate("mature_step_rate", "conversion"),
    ("mature_step_rate_is_reportable", "conversion.mature_step_rate_is_reportable"),
    *rate("mature_overall_rate", "conversion"),
    ("mature_overall_rate_is_reportable", "conversion.mature_overall_rate_is_reportable"),
    *plain("leaks", "advanced", "won", "lost", "abandoned", "still_open"),
    *rate("drop_off_rate", "leaks"),
    *rounded("leaks", 2, "amount_lost"),
    *plain("leaks", "amount_unknown", "top_loss_reason"),
    *rounded("leaks", 3, "one_point_wins", "one_point_wins_low", "one_point_wins_high"),
    *rounded("leaks", 2, "one_point_amount", "one_point_amount_low", "one_point_amount_high"),
    ("one_point_rank", "leaks.one_point_rank"),
]

MATRIX = [
    ("period", "shown_cells.period"),
    ("segment", "shown_cells.segment"),
    *plain("matrix", "from_stage_id", "to_stage_id", "transitions", "subjects", "visits"),
    *rate("transition_rate", "matrix"),
    ("transition_rate_is_reportable", "matrix.transition_rate_is_reportable"),
    ("median_seconds", "round(matrix.median_seconds)::bigint"),
]

TIMES = [
    ("period", "shown_cells.period"),
    ("segment", "shown_cells.segment"),
    *plain("times", "from_stage_id", "to_stage_id", "completed", "competing", "censored"),
    *(
        (name, f"round(times.{name})::bigint")
        for name in ("p10", "p25", "p50", "p50_low", "p50_high", "p75", "p90")
    ),
    *plain("times", "p50_is_reportable", "waits"),
    *(
        (name, f"round(times.{name})::bigint")
        for name in ("survival_p50", "survival_p50_low", "survival_p50_high")
    ),
    *plain("times", "still_there", "stalled"),
]

CURVES = [
    ("period", "shown_cells.period"),
    ("segment", "shown_cells.segment"),
    *plain("curves", "event", "from_stage_id", "to_stage_id", "waits"),
    (
        "points",
        "list([round(curves.seconds), curves.at_risk, round(curves.share, 4), "
        "round(curves.share_low, 4), round(curves.share_high, 4)] order by curves.point_number)",
    ),
]

DIFFERENCES = [
    ("period", "shown_cells.period"),
    ("segment", "shown_cells.segment"),
    *plain("differences", "stage_position", "rate_name", "trials", "other_trials"),
    *rounded("differences", 5, "other_rate", "difference", "difference_low", "difference_high"),
    ("p_value_corrected", "round(differences.p_value_corrected, 5)"),
    *plain("differences", "is_significant"),
]

DRIVERS = [
    *plain("drivers", "to_stage_position", "factor_kind", "factor_name", "factor_value", "verdict"),
    *plain("drivers", "cases", "converted", "other_cases", "other_converted"),
    *rounded("drivers", 5, "rate", "other_rate", "q_value"),
    *rounded("drivers", 4, "odds_ratio", "odds_ratio_low", "odds_ratio_high"),
]


def _of_shown_cells(table: str, name: str) -> str:
    return f"""
        from {table} as {name}
        inner join shown_cells
            on {name}.cohort_grain = shown_cells.cohort_grain
            and {name}.cohort_date is not distinct from shown_cells.cohort_date
            and {name}.segment_name = shown_cells.segment_name
            and {name}.segment_value = shown_cells.segment_value
    """


LEAKS = """
    inner join drop_off_points as leaks
        on conversion.funnel_id = leaks.funnel_id
        and conversion.cohort_grain = leaks.cohort_grain
        and conversion.cohort_date is not distinct from leaks.cohort_date
        and conversion.segment_name = leaks.segment_name
        and conversion.segment_value = leaks.segment_value
        and conversion.stage_id = leaks.stage_id
    where conversion.funnel_id = $funnel_id and leaks.funnel_id = $funnel_id
    order by period, segment, conversion.stage_position
"""

WHICH_TIMES = """
    where times.funnel_id = $funnel_id and times.to_stage_id = 'any_exit'
        and shown_cells.cohort_grain <> 'week'
    order by period, segment, times.from_stage_id, times.to_stage_id
"""

WHICH_MATRIX = """
    where matrix.funnel_id = $funnel_id and shown_cells.cohort_grain <> 'week'
    order by period, segment, matrix.from_stage_id, matrix.to_stage_id
"""

# Evenly along the curve, with its first and its last point; more of them for the whole.
KEPT_POINTS = f"""
    (
        select
            *,
            max(point_number) over curve as last_point,
            if(segment_name = 'all', {POINTS}, {POINTS} // 2) - 2 as most,
        from survival_curves
        where funnel_id = $funnel_id and event in ('left', 'reached')
        window curve as (
            partition by
                cohort_grain, cohort_date, segment_name, segment_value, event, from_stage_id,
                to_stage_id
        )
        qualify point_number in (1, last_point)
            or point_number * most // last_point > (point_number - 1) * most // last_point
    )
"""

WHICH_CURVES = """
    group by period, segment, event, from_stage_id, to_stage_id, waits
    order by period, segment, event, from_stage_id, to_stage_id
"""

# Each value against the rest of its segment, each period against the one before.
WHICH_DIFFERENCES = """
    where differences.funnel_id = $funnel_id and differences.is_compared
        and (differences.compared_with = 'previous_period') = (shown_cells.segment = 0)
    order by period, segment, differences.stage_position, rate_name
"""

# The surest first.
WHICH_DRIVERS = """
    from conversion_drivers as drivers
    where drivers.funnel_id = $funnel_id and drivers.is_tested
    order by
        drivers.to_stage_position, drivers.q_value, drivers.p_value, factor_kind, factor_name,
        factor_value
"""


def funnel_rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The funnels, those with most journeys first."""
    funnels = _dicts(connection.execute(FUNNELS))
    for funnel in funnels:
        subject = funnel["subject_type"]
        subjects = UNITS.get(subject, f"{subject}s")
        funnel["unit"] = "journeys" if funnel["count_by"] == "journey" else subjects
    return funnels


def funnel_data(connection: duckdb.DuckDBPyConnection, funnel: dict[str, Any]) -> dict[str, Any]:
    """All that the page shows of one funnel, tables as their columns and their rows."""
    scope = scope_of(connection, funnel["funnel_id"])
    asked = {"funnel_id": funnel["funnel_id"]}

    def table(columns: Sequence[tuple[str, str]], rest: str) -> dict[str, Any]:
        shown = ", ".join(f"{what} as {name}" for name, what in columns)
        rows = connection.execute(f"select {shown} {rest}", asked).fetchall()
        return {"columns": [name for name, _ in columns], "rows": rows}

    return {
        **funnel,
        "stages": _dicts(connection.execute(STAGES, asked)),
        "periods": scope.periods,
        "segments": scope.segments,
        "left_out": scope.left_out,
        "conversion": table(CONVERSION, _of_shown_cells("funnel_conversion", "conversion") + LEAKS),
        "matrix": table(MATRIX, _of_shown_cells("conversion_matrix", "matrix") + WHICH_MATRIX),
        "times": table(TIMES, _of_shown_cells("cycle_times", "times") + WHICH_TIMES),
        "curves": table(CURVES, _of_shown_cells(KEPT_POINTS, "curves") + WHICH_CURVES),
        "differences": table(
            DIFFERENCES,
            _of_shown_cells("conversion_differences", "differences") + WHICH_DIFFERENCES,
        ),
        "drivers": table(DRIVERS, WHICH_DRIVERS),
    }


def headline(figures: dict[str, Any]) -> dict[str, Any]:
    """What the overview tells of a funnel: its ladder, the rate to the end, the narrowest step."""
    names = {stage["stage_position"]: stage["stage_name"] for stage in figures["stages"]}
    columns = figures["conversion"]["columns"]
    ladder = [
        {**row, "stage_name": names[row["stage_position"]]}
        for row in (dict(zip(columns, row, strict=True)) for row in figures["conversion"]["rows"])
        if (row["period"], row["segment"]) == (0, 0)
    ]
    steps = [row for row in ladder if row["step_rate"] is not None]
    return {
        "ladder": ladder,
        "last": ladder[-1] if ladder else None,
        "narrowest": min(steps, key=lambda row: row["step_rate"]) if steps else None,
    }


def _dicts(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
