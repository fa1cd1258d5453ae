"""The simulated company at work: its extracts for some days, written into a landing folder.

`generate` is what others call. What is true of the company belongs to `parameters`, who does what
to `web` and `crm`, how that is spelled to `formats`, the writing of files to `extracts`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from simulation import crm, declarations, extracts, truth, web
from simulation.columns import NONE, Columns, stack, take
from simulation.days import DAY, MOST_A_DAY, midnight
from simulation.formats import FORMATS, GENERIC, Format
from simulation.parameters import Parameters
from simulation.randomness import Integers

# Folders whose names start with an underscore are no deliveries.
TRUTH_FOLDER = "_simulation"
TRUTH_FILE = "parameters.json"

# Half a year with a change of clocks in two zones, of year, and of a stage's name.
DEFAULT_START = date(2025, 8, 18)
DEFAULT_DAYS = 182
DEFAULT_SEED = 7

# Cohorts are followed together while they have about so many visitors: some hundred megabytes.
_VISITORS_AT_ONCE = 150_000
# Days between the lists of owners and stages.
_LISTED_EVERY = 7
# The owner of this position has another team from that day on.
_MOVING_OWNER, _MOVING_DAY = 5, 91


class SimulationError(ValueError):
    """The extracts asked for cannot be written. The message says what to change."""


@dataclass(frozen=True)
class Generated:
    """What a call of `generate` wrote: the days, and the rows of each table."""

    first: date
    days: int
    rows: Mapping[str, int]


def generate(
    landing: Path,
    *,
    start: date = DEFAULT_START,
    days: int = DEFAULT_DAYS,
    seed: int = DEFAULT_SEED,
    parameters: Parameters | None = None,
    form: str = GENERIC.name,
) -> Generated:
    """Let `landing` hold the extracts of `days` days from `start`, as `<source>/<table>/<day>`.

    `form` is one of `formats.FORMATS`: how the company is delivered, which changes nothing of it.

    Days that are there already are left as they are; the days that are missing are added. The
    files appear together, the truth beside them last: where a call was interrupted, the same call
    does what is left to do.

    Raises:
        SimulationError: the landing has the extracts of another company, or the company is too
            large for its numbers.
    """
    parameters = parameters or Parameters()
    _check(parameters, days, form)
    present = _days_present(landing, start, seed, parameters, form)
    if present >= days:
        return Generated(start + timedelta(days=present), 0, {})

    first = start + timedelta(days=present)
    unfinished = landing / TRUTH_FOLDER / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    rows = _write(unfinished, start, days, present, seed, parameters, FORMATS[form])
    # Says whose files they are before they are there.
    if form != GENERIC.name:
        declarations.write(declarations_of(landing), FORMATS[form])
    _write_truth(landing, start, present, seed, parameters, form)
    _move(unfinished, landing)
    _write_truth(landing, start, days, seed, parameters, form)
    return Generated(first, days - present, rows)


def declarations_of(landing: Path) -> Path:
    """Where the declarations lie that extracts in another format than the generic one need."""
    return landing / TRUTH_FOLDER / "seeds"


def read_truth(landing: Path) -> dict[str, Any] | None:
    """The truth beside the extracts in `landing`; None where there is none."""
    path = landing / TRUTH_FOLDER / TRUTH_FILE
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    # The format of the generic extracts is not named.
    return {"format": GENERIC.name} | content


def _check(parameters: Parameters, days: int, form: str) -> None:
    if form not in FORMATS:
        raise SimulationError(f"format: expected one of {', '.join(FORMATS)}, found {form}.")
    if days < 1:
        raise SimulationError(f"days: expected at least 1, found {days}.")
    if not 1 <= parameters.visitors_per_day <= MOST_A_DAY / 2:
        raise SimulationError(
            f"visitors per day: expected 1 to {MOST_A_DAY // 2}, "
            f"found {parameters.visitors_per_day}. Ask for more days instead."
        )


def _days_present(landing: Path, start: date, seed: int, parameters: Parameters, form: str) -> int:
    known = read_truth(landing)
    if known is None:
        return 0
    asked = {
        "format": form,
        "start": start.isoformat(),
        "seed": seed,
        "parameters": parameters.to_json(),
    }
    asked = json.loads(json.dumps(asked))
    for name, value in asked.items():
        if known[name] != value:
            found, expected = _difference(known[name], value)
            raise SimulationError(
                f"{landing} has the extracts of a company with another {name}: "
                f"expected {expected}, found {found}. Set FUNNEL_LANDING to an empty folder, and "
                "FUNNEL_HOME to another; or add days to this one as it is (make more-days)."
            )
    return int(known["days"])


def _difference(found: Any, expected: Any) -> tuple[str, str]:
    if not isinstance(found, dict) or not isinstance(expected, dict):
        return repr(found), repr(expected)
    names = [name for name in expected if found.get(name) != expected[name]]
    names += [name for name in found if name not in expected]
    return (
        ", ".join(f"{name} {found.get(name)!r}" for name in names),
        ", ".join(f"{name} {expected.get(name)!r}" for name in names),
    )


def _write(
    folder: Path,
    start: date,
    days: int,
    present: int,
    seed: int,
    parameters: Parameters,
    form: Format,
) -> dict[str, int]:
    """Write the days after those present. A day is complete once its own cohort is followed."""
    at_once = max(1, int(_VISITORS_AT_ONCE / parameters.visitors_per_day))
    end = midnight(start) + days * DAY
    written = {table.name: 0 for tables in form.tables.values() for table in tables}
    waiting: dict[str, Columns] = {}
    for begin in range(0, days, at_once):
        count = min(at_once, days - begin)
        cohorts = [start + timedelta(days=number) for number in range(begin, begin + count)]
        found = _followed(parameters, seed, start, cohorts)
        wanted_from = midnight(start) + max(begin, present) * DAY
        until = midnight(start) + (begin + count) * DAY
        ready = {}
        for name, rows in found.items():
            if name in waiting:
                rows = stack([waiting[name], rows])
            rows = take(rows, (rows["delivered"] < end) & (rows["delivered"] >= wanted_from))
            is_ready = rows["delivered"] < until
            waiting[name] = take(rows, ~is_ready)
            ready[name] = take(rows, is_ready)
        if until > wanted_from:
            first = max(begin, present)
            rows_of_tables = extracts.write(
                form.tables,
                ready,
                parameters,
                folder,
                start + timedelta(days=first),
                begin + count - first,
            )
            for name, count_of_rows in rows_of_tables.items():
                written[name] += count_of_rows
    return written


def _followed(
    parameters: Parameters, seed: int, start: date, cohorts: list[date]
) -> dict[str, Columns]:
    """What comes of some cohorts, by the name of its table in `words`."""
    listed = np.array([midnight(day) for day in cohorts], dtype=np.int64)
    listed = listed[(listed - midnight(start)) // DAY % _LISTED_EVERY == 0]
    of_web = web.simulate(parameters, seed, cohorts, start)
    of_crm = crm.simulate(parameters, seed, cohorts, of_web)
    return {
        "events": of_web.events,
        "records": of_crm.records,
        "stage_changes": of_crm.stage_changes,
        "field_changes": of_crm.field_changes,
        "orders": stack([of_web.orders, of_crm.orders]),
        "activities": of_crm.activities,
        "accounts": of_crm.accounts,
        "contacts": of_crm.contacts,
        "owners": _owners(parameters, start, listed),
        "stages": crm.stage_lists(parameters, listed),
    }


def _owners(parameters: Parameters, start: date, listed: Integers) -> Columns:
    """Sellers, a manager a region and a director: the whole list each week; one of them moves."""
    sellers, regions = len(parameters.owner_effects), len(parameters.regions)
    number = np.arange(sellers + regions + 1)
    region = np.where(number < sellers, number // (sellers // regions), number - sellers)
    is_director = number == sellers + regions
    opened = midnight(start)
    moves = opened + _MOVING_DAY * DAY
    lists = len(listed)
    listed = np.repeat(listed, len(number))
    has_moved = (np.tile(number, lists) == _MOVING_OWNER) & (listed >= moves)
    return {
        "number": np.tile(number, lists),
        "region": np.tile(np.where(is_director, 0, region), lists).astype(np.int8),
        "team": has_moved.astype(np.int8),
        "manager": np.tile(
            np.where(
                is_director,
                NONE,
                np.where(number < sellers, sellers + region, sellers + regions),
            ),
            lists,
        ),
        "is_director": np.tile(is_director, lists),
        "created": np.full(len(listed), opened - DAY),
        "updated": np.where(has_moved, moves, opened),
        "delivered": listed,
    }


def _move(unfinished: Path, landing: Path) -> None:
    """Put finished files in place, a source in one step where nothing of it is there yet."""
    if not unfinished.is_dir():
        return
    for source in sorted(unfinished.iterdir()):
        if not (landing / source.name).exists():
            os.replace(source, landing / source.name)
    # Those of a day together, the days in order.
    files = sorted(unfinished.rglob("*.*"), key=lambda path: (path.name[:10], path))
    for path in files:
        target = landing / path.relative_to(unfinished)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
    shutil.rmtree(unfinished)


def _write_truth(
    landing: Path, start: date, days: int, seed: int, parameters: Parameters, form: str
) -> None:
    content = {
        "start": start.isoformat(),
        "days": days,
        "seed": seed,
        "parameters": parameters.to_json(),
        "expected": truth.expected(parameters),
    }
    if form != GENERIC.name:
        content["format"] = form
    path = landing / TRUTH_FOLDER / TRUTH_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".unfinished")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)
