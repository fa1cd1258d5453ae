"""How fast the simulated company is written: rows and seconds at some size.

    python -m benchmarks.simulation --events 20000000

The last figures stand in README.md beside this.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from simulation.company import generate
from simulation.parameters import Parameters

# Events that come of a first-time visitor within the default days.
EVENTS_A_VISITOR_A_DAY = 735


def main() -> None:
    """Write about the events that are asked for into a temporary folder, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    parameters = Parameters(visitors_per_day=options.events / EVENTS_A_VISITOR_A_DAY)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        made = generate(Path(folder) / "landing", parameters=parameters)
        seconds, processor = time.perf_counter() - began, time.process_time()
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    rows = sum(made.rows.values())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{made.rows['events']:,} events, {rows:,} rows in all, {size / 1e6:,.0f} MB")
    print(
        f"{seconds:,.1f} s ({processor:,.1f} s of processor), {rows / seconds:,.0f} rows a second"
    )
    print(f"{memory:,.0f} MB of memory at most")


if __name__ == "__main__":
    main()
