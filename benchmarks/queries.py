"""The published tables as dashboards query them: a dozen queries, cold and warm, 1 and 16 clients.

    python -m benchmarks.queries --events 20000000

The release is that of the first night of the simulated company; with `--folder`, the one that
`benchmarks.night` has left there.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.company import deliver, write_company
from benchmarks.measure import options_of, scratch, write_result
from benchmarks.night import run_night

CLIENTS = (1, 16)

_OF_ALL = "funnel_id = 'web_purchase' and cohort_grain = 'all' and segment_name = 'all'"
_BY_MONTH = "funnel_id = 'web_purchase' and cohort_grain = 'month' and segment_name = 'all'"
QUERIES = {
    "funnel": f"""
        select stage_position, stage_id, reached, step_rate, step_rate_low, step_rate_high
        from funnel_conversion where {_OF_ALL} order by stage_position
    """,
    "all funnels": """
        select dim_funnels.funnel_name, max(entered) as entered, min(overall_rate) as finished
        from funnel_conversion inner join dim_funnels using (funnel_id)
        where cohort_grain = 'all' and segment_name = 'all' group by all order by entered desc
    """,
    "trend by week": """
        select cohort_date, stage_id, step_rate, overall_rate, is_mature from funnel_conversion
        where funnel_id = 'web_purchase' and cohort_grain = 'week' and segment_name = 'all'
        order by cohort_date, stage_position
    """,
    "by segment": """
        select segment_name, segment_value, entered, overall_rate from funnel_conversion
        where funnel_id = 'web_purchase' and cohort_grain = 'all' and stage_id = 'payment'
        order by segment_name, entered desc
    """,
    "matrix": f"""
        select from_stage_id, to_stage_id, transitions, transition_rate, median_seconds
        from conversion_matrix where {_OF_ALL} order by from_stage_id, to_stage_id
    """,
    "drop-off": f"""
        select stage_id, reached, drop_off_rate, amount_lost, best_segment_value
        from drop_off_points where {_OF_ALL} order by stage_position
    """,
    "after drop-off": f"""
        select stage_id, next_name, journeys, share from after_drop_off
        where {_OF_ALL} order by stage_position, journeys desc
    """,
    "cycle times": f"""
        select cohort_date, from_stage_id, to_stage_id, p50, p90, survival_p50
        from cycle_times where {_BY_MONTH} order by cohort_date, from_stage_id, to_stage_id
    """,
    "survival curve": f"""
        select from_stage_id, to_stage_id, seconds, share, share_low, share_high
        from survival_curves where {_OF_ALL} order by from_stage_id, to_stage_id, point_number
    """,
    "within days": f"""
        select from_stage_id, to_stage_id, horizon_days, corrected_rate
        from conversion_by_horizon where {_BY_MONTH} order by cohort_date, horizon_days
    """,
    "pipeline of today": """
        select stage_id, count(*) as visits, sum(amount) as amount,
            count(*) filter (where is_beyond_target) as beyond_target, median(age_seconds) as age
        from open_visits where funnel_id = 'sales_pipeline' group by stage_id order by stage_id
    """,
    "journeys by outcome and month": """
        select date_trunc('month', entered_date) as month, outcome, count(*) as journeys
        from fct_journeys where funnel_id = 'web_purchase' group by all order by all
    """,
}

SAYS = """
The dozen queries of the dashboards on the published file, each client with a connection of its
own, rows fetched. Cold: each query by itself after the file was opened anew and its pages were
dropped from the system's cache, as far as the system lets one. Warm: every client asks all of
them, one after another without a pause, several rounds. `p95_warm_ms` is that of sixteen, the
worse: they never pause and keep two cores full, so that it is mostly waiting for one another.
"""


def _timed(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    began = time.perf_counter()
    connection.execute(sql).fetchall()
    return (time.perf_counter() - began) * 1000


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(file), read_only=True)


def cold_milliseconds(file: Path) -> dict[str, float]:
    """What each query takes with nothing read before."""
    found = {}
    for name, sql in QUERIES.items():
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
        began = time.perf_counter()
        with _open(file) as connection:
            connection.execute(sql).fetchall()
        found[name] = (time.perf_counter() - began) * 1000
    return found


def warm_milliseconds(file: Path, clients: int, rounds: int) -> dict[str, list[float]]:
    """What each query takes while so many clients ask, all of them at work at once."""
    found: dict[str, list[float]] = {name: [] for name in QUERIES}
    names = list(QUERIES)
    is_ready = threading.Barrier(clients)

    def ask(client: int) -> None:
        with _open(file) as connection:
            for name in names:
                _timed(connection, QUERIES[name])
            is_ready.wait()
            start = client % len(names)
            for name in (names[start:] + names[:start]) * rounds:
                found[name].append(_timed(connection, QUERIES[name]))

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def percentile_95(values: Sequence[float]) -> float:
    """The 95th percentile, interpolated."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def main() -> None:
    """Have a release, and ask it."""
    options = options_of("queries", events=20_000_000, rounds=10)
    with scratch(options.folder) as folder:
        home = folder / f"home-{options.events}"
        file = home / "published" / "current" / "funnel.duckdb"
        if not file.exists():
            landing = folder / f"delivered-{options.events}"
            write_company(folder / f"landing-{options.events}", options.events)
            deliver(folder / f"landing-{options.events}", landing, has_new_days=True)
            run_night(landing, home)
        size = file.stat().st_size
        cold = cold_milliseconds(file)
        warm = {clients: warm_milliseconds(file, clients, options.rounds) for clients in CLIENTS}
    p95 = {
        clients: percentile_95([one for times in found.values() for one in times])
        for clients, found in warm.items()
    }
    columns: dict[str, dict[str, Any]] = {
        name: {
            "query": name,
            "cold, ms": cold[name],
            **{
                f"{what}, {clients} clients, ms": function(found[name])
                for clients, found in warm.items()
                for what, function in (("median", statistics.median), ("p95", percentile_95))
            },
        }
        for name in QUERIES
    }
    write_result(
        options.results,
        "queries",
        {
            "events": options.events,
            "file_bytes": size,
            "p95_warm_ms": round(max(p95.values()), 2),
            "p95_warm_ms_by_clients": {clients: round(one, 2) for clients, one in p95.items()},
            "p95_cold_ms": round(percentile_95(list(cold.values())), 2),
            "queries": list(columns.values()),
        },
        list(columns.values()),
        f"{SAYS.strip()}\n\n{options.events:,} events, a file of {size / 1e6:,.0f} MB.",
    )


if __name__ == "__main__":
    main()
