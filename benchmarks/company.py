"""The simulated company in any size, as the benchmarks of nights and of the floor use it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from simulation.company import DEFAULT_DAYS, DEFAULT_START, generate
from simulation.parameters import Parameters

# Events that come of a first-time visitor within the default days.
EVENTS_A_VISITOR_A_DAY = 735
# What `make nightly` simulates.
DEMO_EVENTS = round(EVENTS_A_VISITOR_A_DAY * Parameters().visitors_per_day)
# What is new on the last two of 182 days is about one percent.
NEW_DAYS = 2


def write_company(landing: Path, events: int) -> Mapping[str, int]:
    """Let a company of about so many events deliver, unless it has already.

    Returns:
        The rows of each table.
    """
    told = landing.with_suffix(".json")
    if not told.exists():
        parameters = Parameters(visitors_per_day=events / EVENTS_A_VISITOR_A_DAY)
        told.write_text(json.dumps(dict(generate(landing, parameters=parameters).rows)))
    rows: dict[str, int] = json.loads(told.read_text())
    return rows


def deliver(company: Path, landing: Path, has_new_days: bool) -> None:
    """Let the files of a company lie in a landing too, those of its last days only if asked."""
    first_new = DEFAULT_START + timedelta(days=DEFAULT_DAYS - NEW_DAYS)
    for path in company.glob("*/*/*"):
        target = landing / path.relative_to(company)
        is_new = date.fromisoformat(path.name.partition(".")[0]) >= first_new
        if not target.exists() and (has_new_days or not is_new):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
