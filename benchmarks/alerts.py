"""How many nights on which nothing changes have an alert all the same.

    python -m benchmarks.alerts --seeds 4

The docs claim at most 5 in 100. The counts are those of `tests/marts/watched_counts.py`, whose
tests hold fewer nights against the same claim.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.measure import options_of, scratch, write_result
from tests.marts.watched_counts import QUIET, WEEKS_OF_HISTORY, build_trends, quiet_nights
from tests.support.tables import Tables

# Of the false-discovery rate that the tables correct for, and of single p-values.
LEVEL = 0.05

SAYS = """
Nights of simulated companies in which nothing changes, one each week: pure chance; days, and
weeks, that are better and worse than others beyond chance; weekdays and a yearly season. All
metrics of all stages are watched by day, week, and the last 7 and 30 days, and every change is
declared as worth an alert. A night has a false alarm if any of its comparisons has a q-value of at
most 0.05 by the p-values of `funnel_trends`, corrected as `metric_tests` does. `uncorrected` is
what the p-values would raise alone. The claim is at most 0.05; the interval is Wilson's.
"""


def main() -> None:
    """Build the trends of each seed, count the false alarms, and write the result."""
    options = options_of("alerts", seeds=4, weeks=200 + WEEKS_OF_HISTORY)
    began = time.perf_counter()
    with scratch(options.folder) as folder, TemporaryDirectory(dir=folder) as fresh:
        judged = pd.concat(
            _quiet_nights(Path(fresh) / str(seed), seed, options.weeks)
            for seed in range(1, options.seeds + 1)
        )
    of_night = judged.groupby(["funnel_id", "seed", "night"])
    nights = of_night.agg(
        comparisons=("p_value", "size"), p_value=("p_value", "min"), q_value=("q_value", "min")
    ).reset_index()
    parts = {company: nights[nights["funnel_id"] == company] for company in QUIET}
    rows = [_row(company, part) for company, part in {**parts, "all": nights}.items()]
    write_result(
        options.results,
        "alerts",
        {
            "seeds": options.seeds,
            "weeks": options.weeks,
            "seconds": round(time.perf_counter() - began, 1),
            "companies": rows,
        },
        rows,
        SAYS,
        packages=("duckdb", "numpy", "dbt-core"),
    )


def _quiet_nights(home: Path, seed: int, weeks: int) -> pd.DataFrame:
    """What would be judged in each night of a seed, with its q-value."""
    tables = Tables(build_trends(home, seed=seed, weeks=weeks))
    try:
        return quiet_nights(tables).assign(seed=seed)
    finally:
        tables.close()


def _row(company: str, nights: pd.DataFrame) -> dict[str, str | int | float]:
    alarms, total = int((nights["q_value"] <= LEVEL).sum()), len(nights)
    low, high = _wilson(alarms, total)
    return {
        "company": company,
        "nights": total,
        "comparisons a night": round(float(nights["comparisons"].mean()), 1),
        "with a false alarm": alarms,
        "share": round(alarms / total, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "uncorrected": round(float((nights["p_value"] <= LEVEL).mean()), 4),
    }


def _wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95% interval of a share."""
    z = 1.959963984540054
    middle = (hits + z * z / 2) / (trials + z * z)
    half = z / (trials + z * z) * (hits * (trials - hits) / trials + z * z / 4) ** 0.5
    return middle - half, middle + half


if __name__ == "__main__":
    main()
