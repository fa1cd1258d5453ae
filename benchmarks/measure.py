"""What all benchmarks share: runs in turns, the memory of a process with its children, results.

What is measured, and of what, stands in the benchmark's own module; made-up events in `events`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"

# Both sides of every comparison get as many.
THREADS = 2

Row = Mapping[str, Any]


class DifferentResultsError(AssertionError):
    """Two sides of a comparison did not compute the same, so that their times say nothing."""


@dataclass(frozen=True)
class Alternated:
    """What several sides took, run in turns so that a busy machine is busy for all of them.

    Attributes:
        seconds: of each side, run by run.
    """

    seconds: Mapping[str, Sequence[float]]

    def median(self, side: str) -> float:
        """The median seconds of a side."""
        return statistics.median(self.seconds[side])

    def ratios(self, side: str, other: str) -> list[float]:
        """How many times as long as another side a side took, turn by turn."""
        pairs = zip(self.seconds[side], self.seconds[other], strict=True)
        return [one / another for one, another in pairs]

    def ratio(self, side: str, other: str) -> dict[str, float]:
        """The median of the turns' ratios, with the lowest and the highest."""
        ratios = self.ratios(side, other)
        return {
            "median": round(statistics.median(ratios), 3),
            "low": round(min(ratios), 3),
            "high": round(max(ratios), 3),
        }


def alternate(sides: Mapping[str, Callable[[], object]], runs: int) -> Alternated:
    """Run each side once to warm up, then all of them in turns, `runs` times each."""
    for run in sides.values():
        run()
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, run in sides.items():
            began = time.perf_counter()
            run()
            seconds[side].append(time.perf_counter() - began)
    return Alternated(seconds)


def require_same(what: str, sides: Mapping[str, object]) -> None:
    """Refuse to go on unless all sides computed the same.

    Raises:
        DifferentResultsError: naming two sides that differ.
    """
    (first, expected), *others = sides.items()
    for side, found in others:
        if found != expected:
            raise DifferentResultsError(
                f"{what}: expected {side} to give what {first} gives, {str(expected)[:300]}, "
                f"found {str(found)[:300]}"
            )


class Memory:
    """The most memory that a process and its children held at once, in bytes."""

    def __init__(self, process: int) -> None:
        self.peak = 0
        self._process = process
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.1):
            self.peak = max(self.peak, _resident(self._process))


def _resident(process: int) -> int:
    """Bytes of a process and its children that are no pages of files, as Linux counts them."""
    total, waiting = 0, [process]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        try:
            resident, of_files = (folder / "statm").read_text().split()[1:3]
            for task in (folder / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            # It has ended.
            continue
        total += (int(resident) - int(of_files)) * os.sysconf("SC_PAGE_SIZE")
    return total


@dataclass(frozen=True)
class Finished:
    """A command that has ended well.

    Attributes:
        seconds: of wall time.
        processor_seconds: of all cores, with those of its children.
        peak_memory_bytes: see `Memory`.
        lines: what it said, each with the seconds from its start.
    """

    seconds: float
    processor_seconds: float
    peak_memory_bytes: int
    lines: Sequence[tuple[float, str]]


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> Finished:
    """Run a command and watch it.

    Raises:
        RuntimeError: it failed; with all that it said.
    """
    began, before = time.perf_counter(), os.times()
    lines = []
    with (
        subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        Memory(process.pid) as memory,
    ):
        assert process.stdout
        lines = [(time.perf_counter() - began, line.rstrip("\n")) for line in process.stdout]
    after = os.times()
    if process.returncode:
        said = "\n".join(line for _, line in lines)
        raise RuntimeError(f"{' '.join(command)} failed with {process.returncode}:\n{said}")
    return Finished(
        seconds=time.perf_counter() - began,
        processor_seconds=after.children_user
        + after.children_system
        - before.children_user
        - before.children_system,
        peak_memory_bytes=memory.peak,
        lines=lines,
    )


def bytes_in(folder: Path) -> int:
    """The bytes of all files in a folder; of hard links to one file, of one."""
    states = (path.lstat() for path in folder.rglob("*"))
    sizes = {(state.st_dev, state.st_ino): state.st_blocks * 512 for state in states}
    return sum(sizes.values())


@contextmanager
def scratch(kept: Path | None = None) -> Iterator[Path]:
    """A folder for what a benchmark makes: one that is kept, or one that is gone afterwards."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="funnel-benchmark-") as folder:
            yield Path(folder)


def options_of(name: str, **defaults: int | tuple[int, ...]) -> argparse.Namespace:
    """The options of a benchmark: whole numbers with their defaults, and where to work."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    for option, default in defaults.items():
        count = "+" if isinstance(default, tuple) else None
        parser.add_argument(
            f"--{option}", type=int, nargs=count, default=default, help=f"default {default}"
        )
    parser.add_argument(
        "--folder", type=Path, help="keep what is generated there, and use it again (default: no)"
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="where the figures go (default: beside this)"
    )
    return parser.parse_args()


def write_result(
    folder: Path,
    name: str,
    figures: Mapping[str, Any],
    table: Sequence[Row],
    says: str,
    packages: Sequence[str] = ("duckdb",),
) -> None:
    """Write `<name>.json` and the same as a Markdown page, and print the page.

    Args:
        folder: where to.
        name: of the benchmark.
        figures: all that was found, for programs.
        table: the same for people, row by row; all rows have the columns of the first.
        says: what exactly was measured.
        packages: whose versions matter.
    """
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }
    versions = {"python": platform.python_version(), **{one: version(one) for one in packages}}
    date = datetime.now(UTC).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    content = {"benchmark": name, "date": date, "machine": machine, "versions": versions, **figures}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    columns = list(table[0])
    lines = [
        f"# {name}",
        "",
        says.strip(),
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(_shown(row[column]) for column in columns)} |" for row in table),
        "",
        f"{date}; {machine['cores']} cores, {machine['memory_gb']} GB of memory, "
        f"{machine['system']}; "
        + ", ".join(f"{package} {number}" for package, number in versions.items())
        + ".",
        "",
    ]
    page = "\n".join(lines)
    (folder / f"{name}.md").write_text(page, encoding="utf-8")
    print(page, flush=True)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
