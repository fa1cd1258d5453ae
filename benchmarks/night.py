"""What a night takes: a first one, one with nothing new, one with one percent more; by size.

    python -m benchmarks.night --sizes 2000000 20000000 100000000

Each night is the command `python -m orchestration nightly` on the deliveries of the simulated
company. The demo night, which is nearly all fixed costs, is measured with them.
"""

from __future__ import annotations

import math
import re
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.company import DEMO_EVENTS, deliver, write_company
from benchmarks.floor import floor_seconds
from benchmarks.measure import Finished, bytes_in, options_of, run_command, scratch, write_result

FIRST, REPEATED, INCREMENTAL = "first", "nothing new", "1 % new"

# A line of the night: when, which layer, what. The layers are those that it says itself.
_LINE = re.compile(r"\d\d:\d\d  (?P<layer>\S.{11}) ")
_RELEASE = "release"

SAYS = """
Nights of the simulated company, all shipped funnels, from Parquet, CSV and JSON files in the
landing. `1 % new` is a night after the last two of 182 days were delivered. `work, s` is from the
start of the command until the gate behind the marts; publishing is apart. The floor is one scan
and one sort by subject of the same files (`python -m benchmarks.floor`). `floor_multiple` is what
the largest first night up to 20 million events takes beyond the demo night, in floors;
`incremental_share` is the work of the night with 1 % new beyond that of the demo company, as a
share of the first night's beyond the demo's; `growth_exponent` is the slope of the logarithm of
the first nights' seconds over that of their rows.
"""


@dataclass(frozen=True)
class Night:
    """One night, and what it left behind.

    Attributes:
        finished: the command.
        layers: the seconds between the line before a layer's and its own, by layer.
        disk_bytes: all that is in the home.
        published_bytes: of the files that the release does not share with the one before.
    """

    finished: Finished
    layers: Mapping[str, float]
    disk_bytes: int
    published_bytes: int

    @property
    def publishing_seconds(self) -> float:
        """From the gate behind the marts to the release."""
        return self.layers.get(_RELEASE, 0.0)

    @property
    def work_seconds(self) -> float:
        """From the start to the gate behind the marts."""
        until_release = sum(took for layer, took in self.layers.items() if layer != _RELEASE)
        return until_release or self.finished.seconds


def run_night(landing: Path, home: Path) -> Night:
    """Run a night and look at what it left."""
    before = _releases(home)
    finished = run_command(
        [sys.executable, "-m", "orchestration", "nightly"],
        {"FUNNEL_LANDING": str(landing), "FUNNEL_HOME": str(home)},
    )
    layers: dict[str, float] = {}
    reached = 0.0
    for seconds, line in finished.lines:
        if found := _LINE.match(line):
            layer = found["layer"].strip()
            layers[layer] = layers.get(layer, 0.0) + seconds - reached
            reached = seconds
    new = _releases(home) - before
    return Night(finished, layers, bytes_in(home), sum(_written_bytes(folder) for folder in new))


def _releases(home: Path) -> set[Path]:
    return set((home / "published" / "releases").glob("[!.]*"))


def _written_bytes(folder: Path) -> int:
    states = (path.stat() for path in folder.rglob("*") if path.is_file())
    return sum(state.st_size for state in states if state.st_nlink == 1)


def measure(folder: Path, events: int, runs_of_floor: int) -> dict[str, Any]:
    """Three nights of a company of some size, and the floor of its files."""
    company = folder / f"landing-{events}"
    rows = write_company(company, events)
    floor = floor_seconds(company, folder, runs_of_floor)
    landing, home = folder / f"delivered-{events}", folder / f"home-{events}"
    deliver(company, landing, has_new_days=False)
    nights = {FIRST: run_night(landing, home), REPEATED: run_night(landing, home)}
    deliver(company, landing, has_new_days=True)
    nights[INCREMENTAL] = run_night(landing, home)
    return {
        "rows": sum(rows.values()),
        "events": rows["events"],
        "floor_seconds": sum(min(seconds) for seconds in floor.values()),
        "nights": nights,
    }


def growth(measured: Sequence[Mapping[str, Any]]) -> float | None:
    """The slope of the logarithm of a first night's seconds over that of its rows."""
    if len(measured) < 2:
        return None
    rows = [math.log(one["rows"]) for one in measured]
    seconds = [math.log(one["nights"][FIRST].finished.seconds) for one in measured]
    return statistics.linear_regression(rows, seconds).slope


def growth_beyond_linear(measured: Sequence[Mapping[str, Any]]) -> float | None:
    """How many times as fast as the rows the seconds grow, from smallest to largest."""
    if len(measured) < 2:
        return None
    small, large = (function(measured, key=lambda one: one["rows"]) for function in (min, max))
    less, more = (one["nights"][FIRST].finished.seconds for one in (small, large))
    return float((more / less) / (large["rows"] / small["rows"]))


def _figures(night: Night) -> dict[str, Any]:
    published = night.publishing_seconds
    return {
        "seconds": round(night.finished.seconds, 1),
        "processor_seconds": round(night.finished.processor_seconds, 1),
        "work_seconds": round(night.work_seconds, 1),
        "seconds_by_layer": {layer: round(took, 1) for layer, took in night.layers.items()},
        "peak_memory_bytes": night.finished.peak_memory_bytes,
        "disk_bytes": night.disk_bytes,
        "published_bytes": night.published_bytes,
        "publishing_seconds": round(published, 1),
        "published_bytes_per_second": round(night.published_bytes / published) if published else 0,
    }


def _row(size: str, which: str, night: Night) -> dict[str, Any]:
    figures = _figures(night)
    return {
        "events": size,
        "night": which,
        "wall, s": figures["seconds"],
        "CPU, s": figures["processor_seconds"],
        "work, s": figures["work_seconds"],
        "GB at most": figures["peak_memory_bytes"] / 1e9,
        "GB on disk": figures["disk_bytes"] / 1e9,
        "published, MB": figures["published_bytes"] / 1e6,
        "MB/s": figures["published_bytes_per_second"] / 1e6,
        "layers, s": ", ".join(
            f"{layer} {took:.0f}" for layer, took in night.layers.items() if took >= 0.5
        ),
    }


def main() -> None:
    """Measure the demo night and all sizes."""
    options = options_of("night", sizes=(2_000_000, 20_000_000, 100_000_000), runs=2)
    with scratch(options.folder) as folder:
        demo = measure(folder, DEMO_EVENTS, options.runs)
        measured = [measure(folder, events, options.runs) for events in options.sizes]
    judged = max(
        (one for one in measured if one["events"] < 25_000_000),
        key=lambda one: one["events"],
        default=measured[0],
    )
    beyond_demo = {
        which: judged["nights"][which].work_seconds - demo["nights"][which].work_seconds
        for which in (FIRST, INCREMENTAL)
    }
    whole_night = judged["nights"][FIRST].finished.seconds - demo["nights"][FIRST].finished.seconds
    slope, beyond_linear = growth(measured), growth_beyond_linear(measured)
    peak = max(
        night.finished.peak_memory_bytes for one in measured for night in one["nights"].values()
    )
    write_result(
        options.results,
        "night",
        {
            "floor_multiple": round(whole_night / judged["floor_seconds"], 1),
            "incremental_share": round(beyond_demo[INCREMENTAL] / beyond_demo[FIRST], 3),
            "growth_exponent": slope and round(slope, 3),
            "growth_beyond_linear": beyond_linear and round(beyond_linear, 3),
            "peak_memory_bytes": peak,
            "judged_events": judged["events"],
            "sizes": [
                {
                    "events": one["events"],
                    "rows": one["rows"],
                    "floor_seconds": round(one["floor_seconds"], 2),
                    "nights": {which: _figures(night) for which, night in one["nights"].items()},
                }
                for one in (demo, *measured)
            ],
        },
        [
            _row(f"{one['events']:,}", which, night)
            for one in (demo, *measured)
            for which, night in one["nights"].items()
        ],
        SAYS,
        packages=("duckdb", "dbt-core", "dagster", "great-expectations"),
    )


if __name__ == "__main__":
    main()
