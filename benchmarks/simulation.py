"""How fast the simulated company is written: rows and seconds at some size.

python -m benchmarks.simulation --events 20000000
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.company import write_company
from benchmarks.measure import bytes_in, options_of, run_command, scratch, write_result

SAYS = """
The simulated company writing the extracts of half a year, about as many events as asked for.
"""


def main() -> None:
    """Write the company in a process of its own and measure that."""
    options = options_of("simulation", events=20_000_000)
    with scratch(options.folder) as folder, TemporaryDirectory(dir=folder) as fresh:
        landing = Path(fresh) / f"landing-{options.events}"
        writes = f"write_company(Path({str(landing)!r}), {options.events})"
        imports = "from pathlib import Path; from benchmarks.company import write_company"
        finished = run_command([sys.executable, "-c", f"{imports}; {writes}"], {})
        rows = write_company(landing, options.events)
        size = bytes_in(landing)
    figures = {
        "events": rows["events"],
        "rows": sum(rows.values()),
        "bytes": size,
        "seconds": round(finished.seconds, 1),
        "processor_seconds": round(finished.processor_seconds, 1),
        "peak_memory_bytes": finished.peak_memory_bytes,
    }
    write_result(
        options.results,
        "simulation",
        figures,
        [
            {
                "events": figures["events"],
                "rows": figures["rows"],
                "MB": size / 1e6,
                "wall, s": finished.seconds,
                "CPU, s": finished.processor_seconds,
                "rows/s": round(figures["rows"] / finished.seconds),
                "GB at most": finished.peak_memory_bytes / 1e9,
            }
        ],
        SAYS,
        packages=("duckdb", "numpy"),
    )


if __name__ == "__main__":
    main()
