"""Business time counted minute by minute, by what the clocks of a company show.

An independent implementation of docs/declare-a-funnel.md: no calendar of dates, no offsets, but
all minutes of the years in question, each of which the company works through or not. Changes of
clocks fall on quarters of an hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tests.business_time.company import Company, Pairs

FIRST = datetime(2023, 12, 1)
LAST = datetime(2026, 2, 1)
MINUTE = timedelta(minutes=1)


def changes_of_clocks(timezone: str) -> list[datetime]:
    """The instants (UTC) at which clocks are set, of the years in question."""
    offsets = _offsets(timezone)
    return [FIRST + int(number) * 15 * MINUTE for number in np.flatnonzero(np.diff(offsets)) + 1]


def business_microseconds(company: Company, pairs: Pairs) -> list[int]:
    """The business time between the instants (UTC) of each pair."""
    is_worked = _worked_minutes(company)
    before = np.concatenate(([0], np.cumsum(is_worked)))

    def until(instant: datetime) -> int:
        minute, rest = divmod(instant - FIRST, MINUTE)
        microseconds = rest // timedelta(microseconds=1)
        return int(before[minute]) * 60_000_000 + int(is_worked[minute]) * microseconds

    return [until(end) - until(start) for start, end in pairs]


@lru_cache
def _offsets(timezone: str) -> NDArray[np.int64]:
    """Minutes from UTC, of every quarter of an hour."""
    zone = ZoneInfo(timezone)
    quarters = (LAST - FIRST) // (15 * MINUTE)
    instants = (FIRST.replace(tzinfo=UTC) + number * 15 * MINUTE for number in range(quarters))
    shown = (instant.astimezone(zone).utcoffset() or timedelta() for instant in instants)
    return np.array([offset // MINUTE for offset in shown])


def _worked_minutes(company: Company) -> NDArray[np.bool_]:
    """Whether the company works, of every minute."""
    offsets = np.repeat(_offsets(company.timezone), 15)
    # A day goes on while clocks that were set back show a part of it again.
    clocks = np.maximum.accumulate(np.arange(len(offsets)) + offsets)
    days, minutes = np.divmod(clocks, 24 * 60)
    hours = [company.hours_on(FIRST.date() + timedelta(days=n)) for n in range(days.max() + 1)]
    opens = np.array([_minutes(one[0]) if one else 0 for one in hours])
    closes = np.array([_minutes(one[1]) if one else 0 for one in hours])
    # Before the first date clocks were west of UTC.
    return (days >= 0) & (opens[days] <= minutes) & (minutes < closes[days])


def _minutes(time_of_day: str) -> int:
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)
