"""Reading web events of some days again, however old they are and whatever was read before.

What is asked for stands in the ledger until a night has done it: a run that dies in between leaves
it to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.declarations import Source
from orchestration.extracts import read_extracts
from orchestration.landing import LandingFile, list_landing
from orchestration.ledger import open_ledger
from orchestration.settings import Settings


class BackfillError(ValueError):
    """Days that cannot be read again. The message says what was expected and what was found."""


@dataclass(frozen=True)
class Asked:
    """What the next night will read again: how many files, named for how many of the days."""

    first: date
    last: date
    files: int
    days: int

    def __str__(self) -> str:
        plural = "s" * (self.files > 1)
        return (
            f"{self.files:,} file{plural} of web events will be read again, "
            f"{_span(self.first, self.last)}"
            + (f" ({self.days:,} days have files)" if self.first != self.last else "")
        )


def read_days(first: str, last: str) -> tuple[date, date]:
    """The days that were asked for, both of them included.

    Raises:
        BackfillError: one is no date, or the last comes before the first.
    """
    days = _day("FROM", first), _day("TO", last)
    if days[1] < days[0]:
        raise BackfillError(
            f"TO: expected a day from {days[0]} on, which is FROM, found {days[1]}. Exchange them."
        )
    return days


def ask_again(settings: Settings, sources: Sequence[Source], first: date, last: date) -> Asked:
    """Have the next night read the files of web events that are named for these days.

    Raises:
        BackfillError: the landing has no such file.
        landing.LandingError: the landing cannot be read.
        ledger.LedgerError: a run is loading.
    """
    events = _event_files(settings, sources)
    wanted = [file for file in events if file.path_date and first <= file.path_date <= last]
    if not wanted:
        raise BackfillError(
            f"{settings.landing}: expected files of web events named for {_span(first, last)}, "
            f"found none. {_days_of(events)}"
        )
    with open_ledger(settings.ledger) as ledger:
        ledger.read_again([file.file for file in wanted])
    return Asked(first, last, len(wanted), len({file.path_date for file in wanted}))


def first_day(settings: Settings, sources: Sequence[Source]) -> date | None:
    """The first day that a file of web events is named for; None without any.

    Raises:
        landing.LandingError: the landing cannot be read.
    """
    days = (file.path_date for file in _event_files(settings, sources) if file.path_date)
    return min(days, default=None)


def changed_subjects(settings: Settings) -> str:
    """For how many subjects of funnels the last night had another input than the one before."""
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        found = connection.execute(
            """
            select
                (select count(*) from intermediate.int_touched_subjects),
                (select count(*) from intermediate.int_subject_inputs)
            """
        ).fetchone()
    assert found is not None
    return f"The input of {found[0]:,} of {found[1]:,} subjects of funnels has changed"


def _event_files(settings: Settings, sources: Sequence[Source]) -> list[LandingFile]:
    systems = {source.source: source.system for source in sources}
    return [
        file
        for file in list_landing(settings.landing, sources).files
        if read_extracts(systems[file.source])[file.table_name].is_web_events
    ]


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BackfillError(
            f"{name}: expected a day as 2026-01-31, found {text!r}. "
            "As in `make backfill FROM=2026-01-01 TO=2026-01-31`."
        ) from None


def _span(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _days_of(events: Sequence[LandingFile]) -> str:
    days = sorted(file.path_date for file in events if file.path_date)
    if not days:
        return "No file of web events there is named for a day."
    return f"Those that are there are named for {_span(days[0], days[-1])}."
