"""Transitions and the conversion matrix of a process log, against polars and pm4py.

python -m benchmarks.matrix --events 3000000
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from benchmarks.events import FUNNEL_STAGES, connection, write_events
from benchmarks.measure import THREADS, alternate, options_of, require_same, scratch, write_result
from benchmarks.models import INPUT, Models

OUTPUT = "conversion_matrix"
# From stage, to stage: how many transitions, their median seconds.
Matrix = dict[tuple[str, str], tuple[int, float]]

SAYS = f"""
Who goes from which stage to which, how often and in what median time, of a log of visits of five
stages. In the time of the models is all that dbt builds between `{INPUT}` and `{OUTPUT}`:
journeys, visits, transitions, the matrix of all cohorts by day, week, month, quarter and year,
with intervals. In the time of polars (a lag over each case, one group) and pm4py (its
directly-follows graph) is reading the same file and the one matrix of everything; pm4py tells no
medians, only counts.
"""


def seeds() -> dict[str, list[str]]:
    """The declarations of a process without a window, in which every entry is a visit."""
    return {
        "funnels": [
            "funnel_id,funnel_name,subject_type,order_mode,entry_policy,count_by,window_hours,"
            "tie_policy,collapse_repeats,pipeline",
            "process,Process,visitor,furthest,first,subject,,source_order,false,",
        ],
        "funnel_stages": [
            "funnel_id,stage_position,stage_id,stage_name,stage_kind,is_optional",
            *(
                f"process,{position},{stage},{stage},open,false"
                for position, stage in enumerate(FUNNEL_STAGES, start=1)
            ),
        ],
        "stage_rules": [
            "funnel_id,stage_id,rule_type,match_type,match_value",
            *(f"process,{stage},event,equals,{stage}" for stage in FUNNEL_STAGES),
        ],
    }


def matrix_of_models(models: Models) -> Matrix:
    """The matrix as the mart has it."""
    rows = models.query(
        f"""
        select from_stage_id, to_stage_id, transitions, median_seconds
        from marts.{OUTPUT}
        where
            cohort_grain = 'all'
            and segment_name = 'all'
            and from_stage_id in {FUNNEL_STAGES}
            and to_stage_id in {FUNNEL_STAGES}
            and transitions > 0
        """
    )
    return {(one, other): (count, _rounded(median)) for one, other, count, median in rows}


def _rounded(seconds: float) -> float:
    """Polars takes the median of floats, the models that of whole microseconds."""
    return round(float(seconds), 4)


def matrix_of_polars(log: Path) -> Matrix:
    """The matrix as one lazy query of polars."""
    found = (
        pl.scan_parquet(log)
        .sort("occurred_at", "event_number")
        .with_columns(
            to=pl.col("event_name").shift(-1).over("subject_id"),
            seconds=(pl.col("occurred_at").shift(-1).over("subject_id") - pl.col("occurred_at"))
            .dt.total_microseconds()
            .truediv(1_000_000),
        )
        .filter(pl.col("to").is_not_null())
        .group_by("event_name", "to")
        .agg(pl.len().alias("transitions"), pl.col("seconds").median())
        .collect()
    )
    return {
        (one, other): (count, _rounded(median)) for one, other, count, median in found.iter_rows()
    }


def counts_of_pm4py(log: Path) -> dict[tuple[str, str], int]:
    """The directly-follows graph as pm4py finds it."""
    import pandas as pd
    import pm4py

    frame = pd.read_parquet(log).sort_values(["occurred_at", "event_number"])
    graph, _, _ = pm4py.discover_dfg(
        frame,
        activity_key="event_name",
        timestamp_key="occurred_at",
        case_id_key="subject_id",
    )
    return {(one, other): int(count) for (one, other), count in graph.items()}


def write_log(events: Path, log: Path) -> None:
    """Keep the events that are stages, at instants a second apart where they would be the same."""
    with connection() as opened:
        opened.execute(
            f"""
            copy (
                select subject_id, event_name, event_number,
                    occurred_at + to_microseconds(event_number % 1000000) as occurred_at
                from read_parquet('{events}')
                where event_name in {FUNNEL_STAGES}
            ) to '{log}' (format parquet, compression zstd)
            """
        )


def main() -> None:
    """Compare what the sides compute, then time them in turns."""
    options = options_of("matrix", events=4_000_000, runs=3)
    with scratch(options.folder) as folder:
        events, log = (folder / f"{name}-{options.events}.parquet" for name in ("events", "log"))
        write_events(events, options.events)
        write_log(events, log)
        models = Models(folder / "matrix", log, OUTPUT, seeds())
        models.run()
        matrix = matrix_of_models(models)
        require_same("the matrix", {"models": matrix, "polars": matrix_of_polars(log)})
        sides: dict[str, Callable[[], object]] = {
            "models": models.run,
            "polars": lambda: matrix_of_polars(log),
        }
        if find_spec("pm4py"):
            counts = {pair: count for pair, (count, _) in matrix.items()}
            require_same("the counts", {"models": counts, "pm4py": counts_of_pm4py(log)})
            sides["pm4py"] = lambda: counts_of_pm4py(log)
        times = alternate(sides, options.runs)
    transitions = sum(count for count, _ in matrix.values())
    write_result(
        options.results,
        "matrix",
        {
            "transitions": transitions,
            "seconds": {side: list(run) for side, run in times.seconds.items()},
            **{
                f"ratio_to_{side}": times.ratio("models", side)
                for side in sides
                if side != "models"
            },
            "seconds_by_model": models.seconds,
        },
        [
            {
                "side": side,
                "s": times.median(side),
                "models : side": times.ratio("models", side)["median"],
            }
            for side in sides
        ],
        f"{SAYS.strip()}\n\n{transitions:,} transitions; {THREADS} threads but for pm4py; medians "
        f"of {options.runs} runs in turns.",
        packages=("duckdb", "polars", *(["pm4py"] if "pm4py" in sides else [])),
    )


if __name__ == "__main__":
    main()
