"""All benchmarks, one after another, each in a process of its own.

    python -m benchmarks

With `--folder` they share what is generated and leave it there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import THREADS, scratch

# The queries use the release that the nights leave.
BENCHMARKS = ("simulation", "floor", "funnel", "matrix", "night", "queries", "alerts")


def main() -> int:
    """Run all, also those after one that failed, and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--folder", type=Path, help="keep what is generated there")
    options = parser.parse_args()
    failed = []
    # Polars reads how many threads it may use when it is imported.
    environment = {**os.environ, "POLARS_MAX_THREADS": str(THREADS)}
    with scratch(options.folder) as folder:
        for name in BENCHMARKS:
            command = [sys.executable, "-m", f"benchmarks.{name}", "--folder", str(folder)]
            if subprocess.run(command, env=environment, check=False).returncode:
                failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
