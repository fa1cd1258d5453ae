"""Business time: of each duration, what lies in the declared working hours."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

office = case("office")
# Clocks in New York, the reporting time zone: 16:00 is 21:00 UTC in winter, 20:00 in summer.
for weekday in range(1, 6):
    office.declare("working_hours", weekday=str(weekday), opens_at="09:00", closes_at="17:00")
office.declare("calendar", calendar_date="2024-07-04", is_working_day="false")
office.declare("calendar", calendar_date="2024-06-15", is_working_day="true", closes_at="12:00")
office_funnel = office.funnel("web", "visit\npaid won")
office.events("weekend", "2024-01-05T21:00:00Z visit\n2024-01-08T15:00:00Z paid")
office.events("spring", "2024-03-08T21:00:00Z visit\n2024-03-11T14:00:00Z paid")
office.events("holiday", "2024-07-03T20:30:00Z visit\n2024-07-05T13:30:00Z paid")
office.events("made_up", "2024-06-14T20:30:00Z visit\n2024-06-15T22:00:00Z paid")
office.events("night", "2024-05-01T21:00:00Z visit\n2024-05-02T13:00:00.000001Z paid")
office.events("utc_eve", "2024-05-03T20:30:00Z visit\n2024-05-04T03:00:00Z paid")
office.events("stays", "2024-05-03T20:30:00Z visit")


def test_only_working_hours_of_the_reporting_time_zone_count(warehouse: Tables) -> None:
    """Prevents nights, weekends and holidays from counting as work.

    From Friday 16:00 to Monday 10:00 are two hours, whether clocks are set in between or not. From
    Wednesday 16:30 over the holiday to Friday 9:30 is one. From Friday 16:30 to Saturday evening
    is half an hour, and three hours where the Saturday is worked from nine to twelve.
    """
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        office_funnel,
        """
        subject_id  seconds_in_stage  business_seconds_in_stage
        weekend     237600            7200
        spring      234000            7200
        holiday     147600            3600
        made_up     91800             12600
        night       57600.000001      0.000001
        utc_eve     23400             1800
        stays       -                 -
        """,
        where="stage_id = 'visit'",
    )


def test_the_way_to_the_outcome_has_business_time_too(warehouse: Tables) -> None:
    """Prevents a journey's business time from being other than that of its only visit."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        office_funnel,
        """
        subject_id  outcome  seconds_to_outcome  business_seconds_to_outcome
        weekend     won      237600              7200
        spring      won      234000              7200
        holiday     won      147600              3600
        made_up     won      91800               12600
        night       won      57600.000001        0.000001
        utc_eve     won      23400               1800
        stays       open     -                   -
        """,
    )


back_and_forth = case("back_and_forth")
deals_funnel = back_and_forth.funnel(
    "deals",
    "talk\noffer\nsigned won",
    subject_type="opportunity",
    order_mode="furthest",
    count_by="journey",
)
back_and_forth.changes(
    "deal",
    """
    2024-05-06T13:00:00Z talk
    2024-05-06T14:00:00Z offer
    2024-05-06T22:00:00Z talk
    2024-05-07T14:00:00Z offer
    2024-05-07T15:00:00Z signed
    2024-05-08T13:00:00Z talk
    2024-05-08T13:00:30Z offer
    """,
)


def test_time_in_a_stage_adds_up_within_a_journey(warehouse: Tables) -> None:
    """Prevents a deal that goes back to a stage from being judged by its last stay alone.

    Monday 6 May, 13:00 UTC, is nine o'clock. A new journey begins after the win.
    """
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        deals_funnel,
        """
        visit_number stage_id business_seconds_in_stage seconds_in_stage cumulative_seconds_in_stage
        1            talk     3600                      3600             3600
        2            offer    25200                     28800            28800
        3            talk     3600                      57600            61200
        4            offer    3600                      3600             32400
        5            signed   21600                     79200            79200
        6            talk     30                        30               30
        7            offer    -                         -                -
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        deals_funnel,
        """
        journey_number  stage_id  visits  seconds_in_stage  business_seconds_in_stage
        1               talk      2       61200             7200
        1               offer     2       32400             28800
        1               signed    1       79200             21600
        2               talk      1       30                30
        2               offer     1       -                 -
        """,
    )


waiting = case("waiting")
waiting_funnel = waiting.funnel("web", "visit\ncart\npaid won")
for subject, seconds in (("one", "01"), ("two", "02"), ("three", "03")):
    waiting.events(subject, f"2024-01-01T10:00:00 visit\n2024-01-01T10:00:{seconds} cart")
waiting.events("eve", "2024-12-31T20:00:00Z visit")
waiting.events("latest", "2025-01-01T04:59:58Z visit")
waiting.events("paid", "2024-01-01T10:00:00 visit\n2024-01-01T10:00:30 cart")
waiting.events("paid", "2024-01-01T10:00:40 paid")


def test_who_is_still_there_is_held_against_those_who_left(warehouse: Tables) -> None:
    """Prevents open visits from being judged by a history that they are part of themselves.

    The as-of is midnight in New York; 20:00 UTC was two hours before the office closed. The stage
    was left after 1, 2, 3 and 30 seconds: half had left after 2.5, 90% after 3 + 0.7 * 27 seconds.
    """
    columns = """
        subject_id  stage_id  age_seconds  business_age_seconds  completed_visits  left_by_age
        p50_seconds is_stalled stalled_by
    """
    assert_rows(
        warehouse,
        "marts.open_visits",
        waiting_funnel,
        f"""
        {" ".join(columns.split())}
        eve     visit  32400     7200     4  4  2.5  yes  history
        latest  visit  2         0        4  2  2.5  no   -
        one     cart   31604399  7527600  1  1  10    yes  history
        two     cart   31604398  7527600  1  1  10    yes  history
        three   cart   31604397  7527600  1  1  10    yes  history
        """,
    )
