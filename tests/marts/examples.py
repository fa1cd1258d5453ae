"""Worked examples from practice, of which only the counts of each stage are known."""

from __future__ import annotations

from datetime import date

from tests.marts.facts import Facts, Funnel, Journey, funnel

# The ordering funnel of a food service on one day.
FOOD = funnel("food", "home menu online trip product add_to_cart cart check_out confirm paid*")
FOOD_SUBJECTS = (520, 230, 150, 60, 50, 30, 20, 18, 12, 10)
FOOD_DAY = date(2024, 5, 6)
# A weekly sales report.
WEEK = funnel("week", "prospect contact need proposal quote won*")
WEEK_SUBJECTS = (100, 80, 40, 20, 10, 5)
WEEK_DAYS = tuple(date(2024, 5, day) for day in range(6, 13))


def _journeys(one: Funnel, subjects: tuple[int, ...], days: tuple[date, ...]) -> list[Journey]:
    return [
        Journey(
            one,
            f"subject {number}",
            1,
            visits=[],
            reached=one.ladder[: sum(number < count for count in subjects)],
            entered_date=days[number % len(days)],
        )
        for number in range(subjects[0])
    ]


EXAMPLES = Facts(
    (FOOD, WEEK),
    (
        *_journeys(FOOD, FOOD_SUBJECTS, (FOOD_DAY,)),
        *_journeys(WEEK, WEEK_SUBJECTS, WEEK_DAYS),
    ),
)
