"""Days, instants and offsets of the simulated company, and how many of its people appear on a day.

Instants are microseconds since 1970-01-01 in UTC. Who the people are belongs to `web` and `crm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from simulation.parameters import Parameters
from simulation.randomness import Floats, Integers, Keys, choice, keys, normal, uniform

MILLISECOND = 1_000
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

# The zone of each region's people. The third delivers its instants in UTC, with a Z.
REGION_ZONES = ("America/Los_Angeles", "Europe/Berlin", "UTC")
# Where the people of a region are awake, in hours east of UTC.
REGION_CLOCKS = (-8.0, 1.0, 8.0)

# Shares of the hours 0 to 23 of people's day: business hours, a noon dip, some at night.
_HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 18, 24, 25, 22, 16, 20, 24, 23, 20, 15, 9, 7, 6, 5, 3, 2)
_OFFICE_HOURS = (8, 18)


class Kind(IntEnum):
    """What a number numbers. It is the seventh digit from the right, after the cohort's date."""

    VISITOR = 0
    OFFLINE_LEAD = 1
    SECOND_USER = 2
    SECOND_DEVICE = 3
    PARTNER_DEAL = 4


KIND_UNIT = 1_000_000
# Of one kind and day; larger companies need wider numbers.
MOST_A_DAY = 900_000


def midnight(day: date) -> int:
    """The first instant of a day in UTC."""
    return (day - date(1970, 1, 1)).days * DAY


def instant(moment: datetime) -> int:
    """The instant of an aware datetime."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def busyness(parameters: Parameters, day: date) -> float:
    """How many visitors come on a day, against a working day of an average season."""
    season = 1.0 + parameters.season_amplitude * np.cos(
        2.0 * np.pi * (day.timetuple().tm_yday - 320) / 365.25
    )
    weekday = 1.0 if is_workday(day) else parameters.weekend_factor
    holiday = parameters.holiday_factor if (day.month, day.day) in _HOLIDAYS else 1.0
    return float(season * weekday * holiday)


def is_workday(day: date) -> bool:
    """Monday to Friday."""
    return day.weekday() < 5


def members(
    seed: int, kind: Kind, days: Sequence[date], means: Sequence[float]
) -> tuple[Integers, Integers]:
    """Numbers of those who appear on `days`, and the midnight (instant) of their day.

    A day's count is its mean with about Poisson's spread.
    """
    ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)
    mean = np.asarray(means, dtype=np.float64)
    spread = normal(keys(seed, f"count of {kind.name}", ordinals), "count")
    counts = np.clip(np.rint(mean + np.sqrt(mean) * spread), 0, MOST_A_DAY).astype(np.int64)
    prefixes = np.array([int(day.strftime("%y%m%d")) for day in days], dtype=np.int64)
    position = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    number = np.repeat(prefixes, counts) * 10 * KIND_UNIT + int(kind) * KIND_UNIT + position
    midnights = np.array([midnight(day) for day in days], dtype=np.int64)
    return number, np.repeat(midnights, counts)


def at_any_hour(of: Keys, midnights: Integers, regions: Integers) -> Integers:
    """An instant of the UTC day, at an hour when people of the region browse. Milliseconds."""
    local = (choice(of, "hour", _HOURS) + uniform(of, "within the hour")) * 3600.0
    return _on_the_day(local, midnights, regions, MILLISECOND)


def in_office_hours(of: Keys, midnights: Integers, regions: Integers) -> Integers:
    """An instant of the UTC day in the office hours of the region. Whole seconds."""
    first, last = _OFFICE_HOURS
    local = (first + (last - first) * uniform(of, "office hour")) * 3600.0
    return _on_the_day(local, midnights, regions, SECOND)


def whole(values: Floats, unit: int) -> Integers:
    """Durations in microseconds, rounded down to a unit such as SECOND."""
    return np.asarray(np.floor(values / unit).astype(np.int64) * unit)


def offsets(regions: Integers, instants: Integers) -> Integers:
    """Offset from UTC that the region's clocks show at each instant, in microseconds."""
    found = np.zeros(len(instants), dtype=np.int64)
    for region, zone in enumerate(REGION_ZONES):
        of_region = np.flatnonzero(regions == region)
        if zone == "UTC" or not len(of_region):
            continue
        since, shown = _clock_changes(zone)
        found[of_region] = shown[np.searchsorted(since, instants[of_region], side="right") - 1]
    return found


def clock_changes(zone: str, days: Sequence[date]) -> list[int]:
    """The instants on `days` at which the zone's clocks are put forward or back."""
    since, _ = _clock_changes(zone)
    first, last = midnight(days[0]), midnight(days[-1]) + DAY
    return [int(change) for change in since if first <= change < last]


def _on_the_day(local: Floats, midnights: Integers, regions: Integers, unit: int) -> Integers:
    clocks = np.asarray(REGION_CLOCKS)[regions] * 3600.0
    return midnights + whole(np.mod(local - clocks, 86_400.0) * SECOND, unit)


@cache
def _clock_changes(zone: str) -> tuple[Integers, Integers]:
    """Instants from which an offset holds, and the offsets, both in microseconds."""
    clock = ZoneInfo(zone)
    since, shown = [np.iinfo(np.int64).min], [0]
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    end = datetime(2100, 1, 1, tzinfo=UTC)
    shown[0] = _offset(clock, moment)
    while moment < end:
        following = moment + timedelta(days=1)
        if _offset(clock, following) != shown[-1]:
            hour = next(
                at
                for at in (moment + timedelta(hours=hours) for hours in range(25))
                if _offset(clock, at) != shown[-1]
            )
            since.append(instant(hour))
            shown.append(_offset(clock, hour))
        moment = following
    return np.array(since, dtype=np.int64), np.array(shown, dtype=np.int64)


def _offset(clock: ZoneInfo, moment: datetime) -> int:
    shown = moment.astimezone(clock).utcoffset()
    assert shown is not None
    return shown // timedelta(microseconds=1)


_HOLIDAYS = {(12, day) for day in range(24, 32)} | {(1, 1)}
