"""Rule 1: instants, time zones, durations, calendar dates."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

case("zones").declare("sources", source="generic")
case("zones").declare("sources", source="berlin", timezone="Europe/Berlin")

offsets = case("offsets")
offsets_funnel = offsets.funnel("visit", "visit\npaid won")
offsets.events("plus_two", "2024-05-01T12:00:00+02:00 visit")
offsets.events("zulu", "2024-05-01T12:00:00Z visit")
offsets.events("minus_half", "2024-05-01T12:00:00-03:30 visit")
offsets.events("naive", "2024-05-01T12:00:00 visit")
offsets.events("micro", "2024-05-01T12:00:00.000001 visit\n2024-05-01T12:00:00.000003 paid")


def test_an_offset_is_honoured_and_a_naive_timestamp_is_read_in_the_source_time_zone(
    warehouse: Tables,
) -> None:
    """Prevents instants that are wrong by the offset, or by the machine's own time zone."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        offsets_funnel,
        """
        subject_id  entered_at                  seconds_to_outcome
        plus_two    2024-05-01T10:00            -
        zulu        2024-05-01T12:00            -
        minus_half  2024-05-01T15:30            -
        naive       2024-05-01T12:00            -
        micro       2024-05-01T12:00:00.000001  0.000002
        """,
    )


berlin = case("berlin", source="berlin")
berlin_funnel = berlin.funnel("visit", "visit\npaid won", window=hours(23))
# The clocks went from 02:00 to 03:00 on 31 March, and from 03:00 back to 02:00 on 27 October.
berlin.events("summer", "2024-05-01T12:00:00 visit")
berlin.events("spring", "2024-03-30T12:00:00 visit\n2024-03-31T12:00:00 paid")
berlin.events("hour", "2024-03-31T01:59:59 visit\n2024-03-31T03:00:00 paid")
berlin.events("autumn", "2024-10-26T12:00:00 visit\n2024-10-27T12:00:00 paid")
berlin.events("gap", "2024-03-31T02:30:00 visit")
berlin.events("twice", "2024-10-27T02:30:00 visit")
berlin.events("told", "2024-10-27T02:30:00+01:00 visit")


def test_durations_are_differences_of_instants(warehouse: Tables) -> None:
    """Prevents wall-clock differences: across the change in spring a day has 23 hours.

    In autumn it has 25, which is beyond the window of 23.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        berlin_funnel,
        """
        subject_id  entered_at        outcome    seconds_to_outcome
        summer      2024-05-01T10:00  abandoned  82800
        spring      2024-03-30T11:00  won        82800
        hour        2024-03-31T00:59:59  won     1
        autumn      2024-10-26T10:00  abandoned  82800
        twice       2024-10-27T00:30  abandoned  82800
        told        2024-10-27T01:30  abandoned  82800
        """,
    )


def test_a_time_that_never_was_is_quarantined(warehouse: Tables) -> None:
    """Prevents a made-up instant for a wall-clock time that the clocks skipped."""
    found = warehouse.query(
        "select reason, text, source_row from staging.stg_quarantined_rows"
        " where source = 'berlin' and column_name = 'occurred_at'"
    )
    [(reason, text, row)] = found
    assert reason == "nonexistent_local_time"
    assert "2024-03-31T02:30:00" in str(text)
    assert row == 8


def test_a_time_that_was_twice_takes_the_earlier_offset_and_is_flagged(warehouse: Tables) -> None:
    """Prevents an ambiguous hour from being resolved without anybody being told."""
    found = warehouse.query(
        "select user_id, occurred_at, is_ambiguous_time from staging.stg_events"
        " where user_id in ('berlin.twice', 'berlin.told', 'berlin.summer') order by user_id"
    )
    assert [(str(user), str(at), is_flagged) for user, at, is_flagged in found] == [
        ("berlin.summer", "2024-05-01 10:00:00", False),
        ("berlin.told", "2024-10-27 01:30:00", False),
        ("berlin.twice", "2024-10-27 00:30:00", True),
    ]


dates = case("dates")
dates_funnel = dates.funnel("visit", "visit\npaid won")
dates.events("winter", "2024-03-01T04:30:00Z visit")  # 29 February, 23:30 in New York
dates.events("summer", "2024-07-01T04:30:00Z visit")  # 1 July, 00:30 in New York
dates.events("eve", "2024-07-01T03:30:00Z visit")  # 30 June, 23:30 in New York, a Sunday


def test_calendar_dates_and_cohorts_are_in_the_reporting_time_zone(warehouse: Tables) -> None:
    """Prevents journeys of the evening from counting in the next day, month or quarter."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        dates_funnel,
        """
        subject_id  entered_date
        winter      2024-02-29
        summer      2024-07-01
        eve         2024-06-30
        """,
    )
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        dates_funnel,
        """
        cohort_grain  cohort_date  reached
        all           -            3
        year          2024-01-01   3
        quarter       2024-01-01   1
        quarter       2024-04-01   1
        quarter       2024-07-01   1
        month         2024-02-01   1
        month         2024-06-01   1
        month         2024-07-01   1
        week          2024-02-26   1
        week          2024-06-24   1
        week          2024-07-01   1
        day           2024-02-29   1
        day           2024-06-30   1
        day           2024-07-01   1
        """,
        where="stage_position = 1 and segment_name = 'all'",
    )
