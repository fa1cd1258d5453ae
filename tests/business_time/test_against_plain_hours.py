"""Business time of random visits against a count of minutes, and against NumPy's business days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.business_time import company, plain_hours
from tests.business_time.company import Company

pytestmark = pytest.mark.slow

OFFICE = dict.fromkeys(range(1, 6), ("09:00", "17:00"))
AROUND_THE_CLOCK = dict.fromkeys(range(1, 8), ("00:00", "24:00"))

COMPANIES = {
    # Clocks go forward at 02:00 on 31 March 2024 and back at 03:00 on 27 October, both Sundays.
    "office": Company(
        "Europe/Berlin",
        {**OFFICE, 6: ("10:15", "14:00")},
        {
            date(2024, 3, 29): None,
            date(2024, 3, 31): ("02:30", "10:00"),
            date(2024, 10, 26): ("09:00", "24:00"),
            date(2024, 10, 27): ("00:00", "02:30"),
            date(2025, 10, 26): ("02:30", "12:00"),
            date(2024, 12, 24): ("09:00", "12:00"),
            date(2024, 12, 25): None,
            date(2024, 12, 26): None,
        },
    ),
    # Clocks go forward at midnight of a Sunday, and back at 24:00 of a Saturday.
    "around the clock": Company(
        "America/Santiago", AROUND_THE_CLOCK, {date(2024, 9, 18): None, date(2025, 9, 7): None}
    ),
    # Half an hour of daylight saving, far east of UTC; at night, when clocks change.
    "night shift": Company(
        "Australia/Lord_Howe",
        {**dict.fromkeys((5, 6, 7), ("01:00", "06:00")), 1: ("22:30", "24:00")},
    ),
}


def random_pairs(random: Random, number: int, near: Sequence[datetime]) -> company.Pairs:
    """Pairs of instants of two years, the earlier one first.

    Some are close to a change of clocks, some a whole quarter of an hour as openings are.
    """

    def instant() -> datetime:
        at = datetime(2024, 1, 1) + timedelta(microseconds=random.randrange(730 * 86_400_000_000))
        if near and random.random() < 0.5:
            at = random.choice(near) + timedelta(seconds=random.uniform(-36, 36) * 3600)
        quarters = (at - datetime(2024, 1, 1)) // timedelta(minutes=15)
        return (
            datetime(2024, 1, 1) + timedelta(minutes=15) * quarters if random.random() < 0.3 else at
        )

    return [(min(pair), max(pair)) for pair in ((instant(), instant()) for _ in range(number))]


@pytest.mark.parametrize("name", COMPANIES)
def test_business_time_is_what_a_count_of_minutes_gives(name: str, tmp_path: Path) -> None:
    """Prevents hours that are off by a change of clocks, a holiday or the end of a day."""
    asked = COMPANIES[name]
    changes = plain_hours.changes_of_clocks(asked.timezone)
    assert len(changes) == 4
    pairs = random_pairs(Random(20240331), 3000, changes)
    expected = plain_hours.business_microseconds(asked, pairs)
    assert len(set(expected)) > 1000
    found = company.business_microseconds(asked, pairs, tmp_path / "home")
    differing = [
        f"{start} to {end}: expected {wanted}, found {value}"
        for (start, end), wanted, value in zip(pairs, expected, found, strict=True)
        if wanted != value
    ]
    assert not differing, "\n".join([f"{len(differing)} differ:", *differing[:10]])


def test_whole_business_days_are_those_of_numpy(tmp_path: Path) -> None:
    """Prevents weekdays, holidays or days of work made up for from being counted otherwise.

    The working days between two midnights are `numpy.busday_count`.
    """
    holidays = [date(2024, 1, 1), date(2024, 5, 1), date(2024, 12, 25), date(2025, 6, 9)]
    asked = Company("UTC", dict.fromkeys(range(1, 6), ("00:00", "24:00")), dict.fromkeys(holidays))
    random = Random(20240501)
    days = [datetime(2024, 1, 1) + timedelta(days=random.randrange(730)) for _ in range(1000)]
    pairs = [(min(pair), max(pair)) for pair in zip(days[:500], days[500:], strict=True)]
    counts = np.busday_count(
        [start.date() for start, _ in pairs], [end.date() for _, end in pairs], holidays=holidays
    )
    found = company.business_microseconds(asked, pairs, tmp_path / "home")
    assert found == [int(count) * 86_400_000_000 for count in counts]
