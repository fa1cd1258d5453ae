"""How long a night takes at some size: a first one, one with nothing new, one with a further day.

    python -m benchmarks.night --events 2000000

The last figures stand in README.md beside this.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.simulation import EVENTS_A_VISITOR_A_DAY
from simulation.company import generate
from simulation.parameters import Parameters

DAYS = 182


def main() -> None:
    """Let a company of the size that is asked for deliver, and time three nights over it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.night")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    parameters = Parameters(visitors_per_day=options.events / EVENTS_A_VISITOR_A_DAY)
    with tempfile.TemporaryDirectory() as folder:
        landing, home = Path(folder, "landing"), Path(folder, "home")
        generate(landing, days=DAYS, parameters=parameters)
        _night("first night", landing, home)
        _night("nothing new", landing, home)
        generate(landing, days=DAYS + 1, parameters=parameters)
        _night("one day more", landing, home)


def _night(what: str, landing: Path, home: Path) -> None:
    environment = {**os.environ, "FUNNEL_LANDING": str(landing), "FUNNEL_HOME": str(home)}
    command = [sys.executable, "-m", "orchestration", "nightly"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{what} failed:\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    layers = [line for line in done.stdout.splitlines() if line[2:3] == ":" and "note" not in line]
    print(f"{what}: {wall:.0f} s wall, {cpu:.0f} s CPU, {after.ru_maxrss / 2**20:.1f} GB at most")
    print("\n".join(f"    {line}" for line in layers if "generic/" not in line))


if __name__ == "__main__":
    main()
