"""One night on the command line: the job of that name, in this process, with a line a step."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from orchestration import declarations
from orchestration.dbt import DbtError
from orchestration.declarations import DeclarationError
from orchestration.lock import LockHeldError
from orchestration.settings import Settings
from orchestration.summary import Failure, failure_text, success_text
from simulation.company import SimulationError, generate, read_truth

if TYPE_CHECKING:
    from orchestration.run_outcome import Outcome

# What can stop a night before its first step, and is no mistake in this code.
START_ERRORS = (DbtError, LockHeldError, OSError, SimulationError)


def run_nightly(settings: Settings, out: TextIO = sys.stdout) -> int:
    """Run the night and say how it went.

    Returns:
        The exit status: 0 if it went well, also if nothing was new.
    """
    started = time.monotonic()
    # At once: what is imported next takes seconds.
    where = f"{_shown(settings.landing)}/ into {_shown(settings.home)}/"
    print(f"00:00  start        a night from {where}", file=out, flush=True)
    _quieten()
    # Two to four seconds, most of what a night without news takes.
    from orchestration.hooks import report
    from orchestration.resources import PROGRESS
    from orchestration.run_outcome import Outcome

    handler = logging.StreamHandler(out)
    handler.setFormatter(_Elapsed(started))
    PROGRESS.addHandler(handler)
    PROGRESS.setLevel(logging.INFO)
    try:
        if simulates_first(settings):
            _simulate(settings, out)
        # At once: a misspelt word is to be told before the models are read, which takes longer.
        declarations.read(settings.seeds)
        outcome = _run(settings)
    except DeclarationError as error:
        outcome = Outcome("", False, Failure("the declarations", str(error)))
    except START_ERRORS as error:
        outcome = Outcome("", False, Failure("the start of the night", str(error)))
    finally:
        PROGRESS.removeHandler(handler)
    if outcome.failure:
        text = failure_text(settings, outcome.failure, outcome.run_id)
        if not outcome.failure.is_reported:
            report(settings, "nightly", outcome.run_id, outcome.failure.step, outcome.failure.error)
    else:
        seconds = time.monotonic() - started
        text = success_text(settings, outcome.run_id, outcome.has_published, seconds)
    print(f"\n{text}", file=out, flush=True)
    return 1 if outcome.failure else 0


def _run(settings: Settings) -> Outcome:
    from orchestration.definitions import build_defs
    from orchestration.instance import end_dead_runs, open_instance
    from orchestration.resources import PROGRESS
    from orchestration.run_outcome import run_in_process

    instance = open_instance(settings)
    end_dead_runs(settings, instance)
    PROGRESS.info("start        reading the models")
    return run_in_process(build_defs(), instance)


def simulates_first(settings: Settings) -> bool:
    """Whether there is nothing at all yet, so that the simulated company is to deliver.

    A landing that lost its files after a first night is not empty but broken, and a folder that
    was named and is not there is a mistake in the name: neither is filled with made-up data.
    """
    if settings.ledger.exists() or settings.published.exists():
        return False
    landing = settings.landing
    if not landing.exists():
        return landing == Path("landing").resolve()
    if not landing.is_dir():
        return False
    begun = read_truth(landing)
    was_interrupted = begun is not None and begun["days"] == 0
    return was_interrupted or all(path.name.startswith((".", "_")) for path in landing.iterdir())


def _simulate(settings: Settings, out: TextIO) -> None:
    print(
        f"{_shown(settings.landing)}/ is empty: writing the extracts of a simulated company there, "
        "to have something to show.",
        file=out,
        flush=True,
    )
    made = generate(settings.landing)
    rows = ", ".join(f"{count:,} {name}" for name, count in made.rows.items())
    print(f"       {made.days} days: {rows}", file=out, flush=True)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _quieten() -> None:
    """Dagster's debug log and its notices belong into the run's own log, which it keeps anyway."""
    warnings.filterwarnings("ignore")
    for name in ("dagster", "dagster._core", "great_expectations", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


class _Elapsed(logging.Formatter):
    """A line with the minutes and seconds since the start before it."""

    def __init__(self, started: float) -> None:
        super().__init__()
        self._started = started

    def format(self, record: logging.LogRecord) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes:02d}:{seconds:02d}  {record.getMessage()}"
