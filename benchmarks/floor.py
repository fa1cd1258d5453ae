"""The floor: one scan and one sort by subject of the events, so that all can be read as a multiple.

    python -m benchmarks.floor --events 20000000

The files are the events that the simulated company delivers, as Parquet; `night` uses the same.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.company import write_company
from benchmarks.events import connection
from benchmarks.measure import options_of, scratch, write_result

SAYS = """
One scan and one sort by subject of the Parquet files of events that the simulated company
delivers, in DuckDB with two threads. The scan reads every column of every row. The sort reads
subject, instant and name, and writes them in the order of subject and instant into a table of a
database on disk.
"""


def floor_seconds(landing: Path, folder: Path, runs: int) -> dict[str, list[float]]:
    """The seconds that scan and sort of a landing's events take, run by run."""
    events = f"read_parquet('{landing}/generic/events/*.parquet')"
    seconds: dict[str, list[float]] = {"scan": [], "sort": []}
    database = folder / "floor.duckdb"
    for _ in range(runs):
        with connection(database) as opened:
            columns = opened.execute(f"describe select * from {events}").fetchall()
            hashes = ", ".join(f"max(hash({name}))" for name, *_ in columns)
            began = time.perf_counter()
            opened.execute(f"select {hashes} from {events}").fetchall()
            seconds["scan"].append(time.perf_counter() - began)
            began = time.perf_counter()
            opened.execute(
                f"""
                create or replace table sorted as
                select coalesce(anonymous_id, user_id) as subject_id, occurred_at, event_name
                from {events}
                order by subject_id, occurred_at
                """
            )
            opened.execute("checkpoint")
            seconds["sort"].append(time.perf_counter() - began)
        database.unlink()
    return seconds


def main() -> None:
    """Measure both at the size that is asked for."""
    options = options_of("floor", events=20_000_000, runs=3)
    with scratch(options.folder) as folder:
        landing = folder / f"landing-{options.events}"
        made = write_company(landing, options.events)
        seconds = floor_seconds(landing, folder, options.runs)
    best = {what: min(runs) for what, runs in seconds.items()}
    rows = made["events"]
    write_result(
        options.results,
        "floor",
        {
            "events": rows,
            "seconds": {what: [round(one, 3) for one in runs] for what, runs in seconds.items()},
            "floor_seconds": round(sum(best.values()), 3),
        },
        [
            {"what": what, "s": took, "million rows/s": rows / took / 1e6}
            for what, took in {**best, "both": sum(best.values())}.items()
        ],
        f"{SAYS.strip()}\n\n{rows:,} events; the best of {options.runs} runs each.",
    )


if __name__ == "__main__":
    main()
