"""A warehouse with figures planted for the report: two funnels, names that want to be tags.

The tables have the columns of their contracts, so that the report asks for what the models promise.
The figures are at random and of no meaning, except that a share lies in its interval and that
counts fall from stage to stage: what the page shows must be what stands in the tables.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from orchestration.dbt import PROJECT
from orchestration.publish import publish
from orchestration.published_tables import Column, PublishedTable
from orchestration.releases import Release
from orchestration.report.writing import TABLES
from orchestration.settings import Settings

WICKED = "</script><b>Deals</b>"
WICKED_STAGE = "<img src=x onerror=window.hacked=1>"
WICKED_VALUE = "<b>north</b> & %{x} 'south'"
AS_OF = datetime(2026, 2, 16)

STAGES: dict[str, list[tuple[str, str, str | None, str, int | None]]] = {
    "deals": [
        ("lead", "Lead", "线索", "open", 1),
        ("offer", WICKED_STAGE, None, "open", 2),
        ("won", "Won", "成交", "won", 3),
        ("lost", "Lost", "失单", "lost", None),
    ],
    "web": [
        ("visit", "Visit", None, "open", 1),
        ("cart", "Add to cart", None, "open", 2),
        ("paid", "Paid", None, "won", 3),
    ],
}
NAMES = {"deals": WICKED, "web": "Web purchase"}
# More values than are shown, and a segment whose values do not add up.
SEGMENTS: dict[str, dict[str, tuple[list[str], bool]]] = {
    "deals": {"region": ([WICKED_VALUE, "west"], True)},
    "web": {
        "channel": ([f"channel {number:02}" for number in range(10)], True),
        "products": (["chairs", "desks"], False),
    },
}
PERIODS: list[tuple[str, date | None]] = [
    ("all", None),
    *(("year", date(year, 1, 1)) for year in (2025, 2026)),
    *(("quarter", when) for when in (date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1))),
    *(("month", date(2025, month, 1)) for month in range(8, 13)),
    *(("month", date(2026, month, 1)) for month in (1, 2)),
    *(("week", date(2025, 6, 30) + timedelta(weeks=week)) for week in range(30)),
]
SHOWN_VALUES = 8

Row = dict[str, Any]


def contracts() -> tuple[PublishedTable, ...]:
    """The tables that the report asks for, as their models declare them."""
    made = []
    for file in sorted((PROJECT / "models" / "marts").rglob("_*__models.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]:
            if model["name"] in TABLES:
                columns = tuple(
                    Column(column["name"], column["data_type"], "A column.")
                    for column in model["columns"]
                )
                key = tuple(model["config"]["meta"]["key"])
                made.append(PublishedTable("marts", model["name"], key, "A table.", columns))
    return tuple(sorted(made, key=lambda table: table.name))


def publish_planted(settings: Settings, as_of: datetime = AS_OF, seed: int = 1) -> Release:
    """Build the planted tables anew, and publish them."""
    tables = contracts()
    write_build(settings.build, tables, seed)
    gates = [
        {
            "layer": "marts",
            "gate": "marts.shape",
            "rule": "the share of wins",
            "table_name": "funnel_conversion",
            "status": status,
            "observed": observed,
            "expected": "0.3",
        }
        for status, observed in (("passed", "0.3"), ("accepted", "<b>0.9</b>"))
    ]
    return publish(
        settings,
        tables,
        as_of=as_of,
        fingerprint=f"fingerprint {as_of} {seed}",
        run_id="run",
        gates=[gate for gate in gates if gate["status"] == "passed"],
        accepted=[{**gate, "reason": "a fair"} for gate in gates if gate["status"] == "accepted"],
        published_at=as_of + timedelta(hours=2),
    )


def write_build(build: Path, tables: Sequence[PublishedTable], seed: int) -> None:
    """Write the database of the build, with rows for every table."""
    rows: dict[str, list[Row]] = {table.name: [] for table in tables}
    for name, row in _rows(random.Random(seed)):
        rows[name].append(row)
    build.parent.mkdir(parents=True, exist_ok=True)
    build.unlink(missing_ok=True)
    with duckdb.connect(str(build)) as connection:
        connection.execute("create schema marts")
        for table in tables:
            columns = ", ".join(f'"{column.name}" {column.data_type}' for column in table.columns)
            connection.execute(f"create table marts.{table.name} ({columns})")
            _insert(connection, table, rows[table.name])


def _insert(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: Sequence[Row]
) -> None:
    unknown = {name for row in rows for name in row} - set(table.column_names)
    assert not unknown, f"{table.name} has no {unknown}"
    assert rows, table.name
    given = pa.Table.from_pylist(list(rows))
    connection.register("given", given)
    connection.execute(f"insert into marts.{table.name} by name select * from given")
    connection.unregister("given")


def _rate(of: random.Random, name: str, part: int, whole: int) -> Row:
    """A share in its interval; none of nothing."""
    if not whole:
        return {
            **{f"{name}{end}": None for end in ("", "_low", "_high")},
            f"{name}_is_reportable": False,
        }
    share = part / whole
    return {
        name: share,
        f"{name}_low": share * of.uniform(0.7, 0.95),
        f"{name}_high": share + (1 - share) * of.uniform(0.05, 0.3),
        f"{name}_is_reportable": whole >= 30,
    }


def _without_mark(rate: Mapping[str, Any]) -> Row:
    return {name: value for name, value in rate.items() if not name.endswith("_is_reportable")}


def _rows(of: random.Random) -> Iterator[tuple[str, Row]]:
    for funnel, stages in STAGES.items():
        yield (
            "dim_funnels",
            {
                "funnel_id": funnel,
                "funnel_name": NAMES[funnel],
                "subject_type": {"deals": "opportunity", "web": "visitor"}[funnel],
                "order_mode": {"deals": "furthest", "web": "ordered"}[funnel],
                "count_by": "subject",
                "window_seconds": {"deals": None, "web": 604800}[funnel],
            },
        )
        for stage_id, name, chinese, kind, position in stages:
            yield (
                "dim_funnel_stages",
                {
                    "funnel_id": funnel,
                    "stage_id": stage_id,
                    "stage_name": name,
                    "stage_name_zh": chinese,
                    "stage_kind": kind,
                    "stage_position": position,
                },
            )
        segments = [("all", "all", True)]
        for segment, (values, adds_up) in SEGMENTS[funnel].items():
            segments += [(segment, value, adds_up) for value in values]
        for grain, when in PERIODS:
            for segment, value, adds_up in segments:
                cell = {
                    "funnel_id": funnel,
                    "cohort_grain": grain,
                    "cohort_date": when,
                    "segment_name": segment,
                    "segment_value": value,
                    "segment_adds_up": adds_up,
                }
                yield from _cell(of, funnel, cell)
        yield from _controls(of, funnel)
        yield from _drivers(funnel)
    yield from _pipeline(of)
    yield from _watched()
    yield (
        "unmatched_names",
        {
            "evidence_type": "event",
            "evidence_name": "<i>search</i>",
            "first_occurred_at": datetime(2026, 1, 1),
            "last_occurred_at": datetime(2026, 2, 1),
            "evidence_rows": 4711,
        },
    )


def _drivers(funnel: str) -> Iterator[tuple[str, Row]]:
    """Better, worse, no different, without a bound, and too few, of each step."""
    attribute, (values, _) = next(iter(SEGMENTS[funnel].items()))
    for place, (before, after) in enumerate(pairwise(STAGES[funnel][:3])):
        for kind, name, value, verdict, ratio in (
            ("attribute", attribute, values[0], "more often", 1.5 + place),
            ("attribute", attribute, values[1], "less often", 0.4),
            ("behaviour", "event", "<i>search</i>", "no difference found", 1.05),
            ("behaviour", "event", "sign_in", "more often", None),
            ("behaviour", "activity", "call", "too few cases", 3.0),
        ):
            yield (
                "conversion_drivers",
                {
                    "funnel_id": funnel,
                    "from_stage_id": before[0],
                    "to_stage_id": after[0],
                    "to_stage_position": after[4],
                    "factor_kind": kind,
                    "factor_name": name,
                    "factor_value": value,
                    "verdict": verdict,
                    "cases": 100 + place,
                    "converted": 40,
                    "rate": 40 / (100 + place),
                    "other_cases": 200,
                    "other_converted": 60,
                    "other_rate": 0.3,
                    "odds_ratio": ratio,
                    "odds_ratio_low": ratio and ratio / 1.4,
                    "odds_ratio_high": ratio and ratio * 1.4,
                    "is_tested": verdict != "too few cases",
                    "q_value": {"more often": 0.001, "less often": 0.01}.get(verdict, 0.6),
                },
            )


def _cell(of: random.Random, funnel: str, cell: Row) -> Iterator[tuple[str, Row]]:
    ladder = [stage for stage in STAGES[funnel] if stage[4]]
    reached, mature = of.randint(60, 400), 0
    entered = reached
    is_mature = cell["cohort_date"] is not None and cell["cohort_date"] < date(2026, 1, 1)
    mature_entered = mature = reached if is_mature else reached * 2 // 3
    before: tuple[int, int] | None = None
    for stage_id, _, _, kind, place in ladder:
        position = place or 0
        if before:
            reached = of.randint(1, before[0])
            mature = min(reached, of.randint(1, before[1]))
        step, mature_step = (before or (0, 0)), (before or (0, 0))[1]
        where = {**cell, "stage_id": stage_id, "stage_position": position}
        yield (
            "funnel_conversion",
            {
                **where,
                "is_mature": is_mature,
                "visited": reached - reached // 10,
                "reached": reached,
                "imputed": reached // 10,
                "reached_previous": before[0] if before else None,
                "entered": entered,
                **_rate(of, "step_rate", reached, step[0]),
                **_rate(of, "overall_rate", reached, entered),
                "mature_reached": mature,
                "mature_reached_previous": mature_step if before else None,
                "mature_entered": mature_entered,
                **_rate(of, "mature_step_rate", mature, mature_step),
                **_rate(of, "mature_overall_rate", mature, mature_entered),
            },
        )
        stopped = reached // 3 if kind == "open" else 0
        is_priced = funnel == "deals"
        yield (
            "drop_off_points",
            {
                **where,
                "reached": reached,
                "advanced": reached // 2 if kind == "open" else 0,
                "won": reached if kind == "won" else 0,
                "lost": stopped if is_priced else 0,
                "abandoned": 0 if is_priced else stopped,
                "still_open": reached - reached // 2 - stopped if kind == "open" else 0,
                **_without_mark(_rate(of, "drop_off_rate", stopped, reached)),
                "amount_lost": round(of.uniform(1e3, 1e6), 2) if is_priced and stopped else None,
                "amount_unknown": stopped // 4 if is_priced else stopped,
                "top_loss_reason": "<b>price</b>" if is_priced and stopped else None,
                "one_point_wins": of.uniform(1, 9) if kind == "open" else None,
                "one_point_wins_low": 0.5 if kind == "open" else None,
                "one_point_wins_high": 9.5 if kind == "open" else None,
                "one_point_amount": None,
                "one_point_amount_low": None,
                "one_point_amount_high": None,
                "one_point_rank": position if kind == "open" else None,
            },
        )
        if position > 1:
            yield (
                "conversion_differences",
                {
                    **where,
                    "rate_name": "overall_rate",
                    "compared_with": (
                        "previous_period" if cell["segment_name"] == "all" else "rest_of_segment"
                    ),
                    "trials": mature_entered,
                    "other_trials": 100,
                    "other_rate": 0.5,
                    "difference": of.uniform(-0.2, 0.2),
                    "difference_low": -0.3,
                    "difference_high": 0.3,
                    "p_value_corrected": 0.01,
                    "is_compared": True,
                    "is_significant": of.random() < 0.3,
                },
            )
        before = (reached, mature)
        yield from _times(of, cell, stage_id, reached)
        if (cell["segment_name"] == "all" and cell["cohort_grain"] != "week") or (
            cell["cohort_grain"] == "all"
        ):
            yield from _curve(of, cell, stage_id, reached)
    yield from _moves(of, funnel, cell)


def _times(of: random.Random, cell: Row, stage_id: str, waits: int) -> Iterator[tuple[str, Row]]:
    median = of.uniform(60, 2e6)
    yield "cycle_times", {
        **cell,
        "from_stage_id": stage_id,
        "to_stage_id": "any_exit",
        "completed": waits,
        "competing": 0,
        "censored": waits // 5,
        **{
            name: median * factor
            for name, factor in (
                ("p10", 0.1), ("p25", 0.5), ("p50", 1), ("p50_low", 0.9), ("p50_high", 1.1),
                ("p75", 2), ("p90", 4), ("survival_p50", 1.2), ("survival_p50_low", 1.1),
                ("survival_p50_high", 1.4),
            )
        },
        "p50_is_reportable": waits >= 30,
        "waits": waits,
        "still_there": waits // 5,
        "stalled": waits // 9,
    }  # fmt: skip


def _curve(of: random.Random, cell: Row, stage_id: str, waits: int) -> Iterator[tuple[str, Row]]:
    share = 0.0
    for number in range(1, 61):
        share += (1 - share) * of.uniform(0, 0.06)
        yield (
            "survival_curves",
            {
                **cell,
                "event": "left",
                "from_stage_id": stage_id,
                "to_stage_id": None,
                "point_number": number,
                "seconds": number * 7200.0,
                "waits": waits,
                "at_risk": max(1, waits - number),
                "share": share,
                "share_low": share * 0.9,
                "share_high": min(1.0, share * 1.1),
            },
        )


def _moves(of: random.Random, funnel: str, cell: Row) -> Iterator[tuple[str, Row]]:
    ids = [stage[0] for stage in STAGES[funnel]]
    targets = {ids[0]: [*ids[1:], "still_there"], ids[1]: [*ids[:1], *ids[2:]], "entry": ids[:1]}
    for start, ends in targets.items():
        counts = [of.randint(1, 50) for _ in ends]
        for end, transitions in zip(ends, counts, strict=True):
            yield (
                "conversion_matrix",
                {
                    **cell,
                    "from_stage_id": start,
                    "to_stage_id": end,
                    "transitions": transitions,
                    "subjects": transitions,
                    "visits": sum(counts),
                    **_rate(of, "transition_rate", transitions, sum(counts)),
                    "median_seconds": of.uniform(60, 1e6) if end != "still_there" else None,
                },
            )


def _controls(of: random.Random, funnel: str) -> Iterator[tuple[str, Row]]:
    for measure in ("journeys", "journeys_undated", "journeys_excluded"):
        yield (
            "control_totals",
            {
                "scope_type": "funnel",
                "scope": funnel,
                "measure": measure,
                "counted": of.randint(0, 999),
            },
        )
    for measure in ("rows_delivered", "rows_loaded", "rows_quarantined_at_loading"):
        yield (
            "control_totals",
            {
                "scope_type": "delivery",
                "scope": f"generic/<b>{funnel}</b>",
                "measure": measure,
                "counted": of.randint(0, 99999),
            },
        )


def _watched() -> Iterator[tuple[str, Row]]:
    """Twelve metrics that are watched, eleven of which changed, the twelfth of them most."""
    for number in range(1, 13):
        watched = {
            "funnel_id": "web",
            "metric": "step_rate",
            "stage_id": f"stage {number:02}",
            "segment_name": "all",
            "segment_value": "all",
            "period_grain": "week",
            "compared_with": "baseline",
        }
        yield "metric_tests", watched
        if number > 1:
            yield (
                "metric_alerts",
                {
                    **watched,
                    "alert_id": f"alert {number:02}",
                    "headline": f"{WICKED_VALUE} {number} fell.",
                    "explanation": f"{WICKED} {number}.",
                    "certainty": "likely",
                    "times_declared": 1,
                    "q_value": 0.05 / number,
                },
            )


def _pipeline(of: random.Random) -> Iterator[tuple[str, Row]]:
    stock = {1: 30, 2: 20}
    amount = {1: 1000.0, 2: 500.0}
    for number in range(120):
        day = date(2025, 10, 19) + timedelta(days=number)
        came, won = of.randint(0, 3), of.randint(0, 1)
        moved = {
            "created": (1, came, came * 10.5),
            "won": (2, -min(won, stock[2]), -min(won, stock[2]) * 7.25),
        }
        for movement, (position, deals, worth) in moved.items():
            stock[position] += deals
            amount[position] += worth
            if deals:
                yield (
                    "pipeline_movements",
                    {
                        "funnel_id": "deals",
                        "segment_name": "all",
                        "segment_value": "all",
                        "movement_date": day,
                        "movement": movement,
                        "moves": abs(deals),
                        "deals_change": deals,
                        "amount_change": worth,
                        "moves_without_amount": 0,
                    },
                )
        for segment, value in (("all", "all"), ("owner", WICKED_VALUE)):
            for position, stage_id in ((1, "lead"), (2, "offer")):
                yield (
                    "pipeline_daily",
                    {
                        "funnel_id": "deals",
                        "snapshot_date": day,
                        "segment_name": segment,
                        "segment_value": value,
                        "stage_id": stage_id,
                        "stage_position": position,
                        "open_deals": stock[position],
                        "open_amount": round(amount[position], 2),
                        "weighted_amount": round(amount[position] / 4, 2),
                        "deals_without_amount": 2,
                        "overdue_deals": stock[position] // 3,
                    },
                )
    for method, expected in (("declared_weights", 30.25), ("moving_average", 28.5)):
        yield (
            "sales_forecast",
            {
                "funnel_id": "deals",
                "period_grain": "month",
                "periods_ahead": 0,
                "period_date": date(2026, 2, 1),
                "method": method,
                "is_recommended": method == "declared_weights",
                "wins_before": 11,
                "amount_before": 1234.5,
                "expected_wins": expected,
                "expected_wins_low_80": expected - 4,
                "expected_wins_high_80": expected + 4,
                "expected_amount": expected * 100,
                "expected_amount_low_80": expected * 80,
                "expected_amount_high_80": expected * 120,
                "deals": 50,
                "past_forecasts": 6,
                "past_error_share": 0.12,
            },
        )
    yield (
        "pipeline_coverage",
        {
            "funnel_id": "deals",
            "period_grain": "month",
            "period_date": date(2026, 2, 1),
            "scope": "all",
            "scope_value": "all",
            "snapshot_date": date(2026, 2, 15),
            "target_amount": 5000,
            "won_deals": 11,
            "won_amount": 1234.5,
            "open_deals": 50,
            "open_amount": 1500,
            "weighted_amount": 375,
            "coverage": 0.4,
            "weighted_coverage": 0.1,
        },
    )
