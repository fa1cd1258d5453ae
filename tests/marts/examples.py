"""Worked examples: reports from practice, of which only counts are known, and one by hand."""

from __future__ import annotations

from datetime import date, timedelta

from tests.marts.facts import AS_OF, Facts, Funnel, Journey, Visit, funnel

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


# Five deals: won after one and after four seconds, lost after three, open since two and five.
FIVE = funnel("five", "asked bought*", lost="declined")
FIVE_DEALS = (("won", 1), ("open", 2), ("lost", 3), ("won", 4), ("open", 5))


# Four deals: after two days two of them are won and one is lost, at the same instant. One is open.
TOGETHER = funnel("together", "asked bought*", lost="declined")
TWO_DAYS, TEN_DAYS = 2 * 86400, 10 * 86400
TOGETHER_DEALS = (("won", TWO_DAYS), ("won", TWO_DAYS), ("lost", TWO_DAYS), ("open", TEN_DAYS))


def _deal(one: Funnel, number: int, outcome: str, seconds: int) -> Journey:
    is_open = outcome == "open"
    start = AS_OF - timedelta(seconds=seconds if is_open else 5 * seconds)
    end = None if is_open else start + timedelta(seconds=seconds)
    last = {"open": "still_there", "won": "bought", "lost": "declined"}[outcome]
    return Journey(
        one,
        f"deal {number}",
        1,
        visits=[Visit(1, "asked", last, start, end)],
        reached=one.ladder[: 2 if outcome == "won" else 1],
        outcome=outcome,
        entered_date=start.date(),
        entered_at=start,
        reached_at=(start, end) if outcome == "won" else (start,),
        ended_at=end,
    )


EXAMPLES = Facts(
    (FOOD, WEEK, FIVE, TOGETHER),
    (
        *(_deal(FIVE, number, *deal) for number, deal in enumerate(FIVE_DEALS)),
        *(_deal(TOGETHER, number, *deal) for number, deal in enumerate(TOGETHER_DEALS)),
        *_journeys(FOOD, FOOD_SUBJECTS, (FOOD_DAY,)),
        *_journeys(WEEK, WEEK_SUBJECTS, WEEK_DAYS),
    ),
)
