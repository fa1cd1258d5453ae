"""Rule 7: balance. By hand for two funnels, and as equations over every row of every mart."""

from __future__ import annotations

import pytest

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

ALL = "cohort_grain = 'all' and segment_name = 'all'"

balance = case("balance")
balance_funnel = balance.funnel("web", "visit\ncart\npaid won\nbounced lost", window=hours(24))
for name in ("won_1", "won_2"):
    balance.events(
        name, "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart\n2024-01-01T12:00:00 paid"
    )
balance.events("lost", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 bounced")
for name in ("left_1", "left_2", "left_3"):
    balance.events(name, "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart")
balance.events("young", "2024-12-31T12:00:00 visit")


def test_reached_is_the_sum_of_what_became_of_those_who_reached(warehouse: Tables) -> None:
    """Prevents journeys from being counted twice or falling between the outcomes."""
    assert_rows(
        warehouse,
        "marts.drop_off_points",
        balance_funnel,
        """
        stage_id  reached  advanced  won  lost  abandoned  still_open
        visit     7        5         0    1     0          1
        cart      5        2         0    0     3          0
        paid      2        0         2    0     0          0
        """,
        where=ALL,
    )


def test_every_row_of_the_drop_off_points_balances(warehouse: Tables) -> None:
    """Prevents an outcome from being missed in any funnel, cohort or segment of the casebook."""
    [(rows,)] = warehouse.query("select count(*) from marts.drop_off_points")
    assert isinstance(rows, int)
    assert rows > 1000
    unbalanced = warehouse.query(
        "select * from marts.drop_off_points"
        " where reached <> advanced + won + lost + abandoned + still_open"
    )
    assert unbalanced == []


def test_every_matrix_row_sums_to_the_visits_of_its_stage(warehouse: Tables) -> None:
    """Prevents steps from leaving the matrix by a way that it does not name."""
    [(rows,)] = warehouse.query("select count(*) from marts.conversion_matrix")
    assert isinstance(rows, int)
    assert rows > 1000
    unbalanced = warehouse.query(
        "select funnel_id, cohort_grain, cohort_date, segment_name, segment_value, from_stage_id"
        " from marts.conversion_matrix"
        " group by all having sum(transitions) <> min(visits) or min(visits) <> max(visits)"
    )
    assert unbalanced == []


def test_the_matrix_holds_every_visit_once(warehouse: Tables) -> None:
    """Prevents a matrix that balances within itself but has lost visits."""
    unequal = warehouse.query(
        """
        with visits as (
            select funnel_id, stage_id, count(*) as visits
            from core.fct_stage_visits
            group by all
        ),
        matrix as (
            select funnel_id, from_stage_id as stage_id, sum(transitions) as visits
            from marts.conversion_matrix
            where cohort_grain = 'all' and segment_name = 'all' and from_stage_id <> 'entry'
            group by all
        )
        select * from visits full join matrix using (funnel_id, stage_id)
        where visits.visits is distinct from matrix.visits and coalesce(matrix.visits, 1) <> 0
        """
    )
    assert unequal == []


def test_reached_falls_along_every_ladder(warehouse: Tables) -> None:
    """Prevents a funnel that widens on its way down."""
    rising = warehouse.query(
        "select * from marts.funnel_conversion where reached > reached_previous"
    )
    assert rising == []


@pytest.mark.parametrize("grain", ["year", "quarter", "month", "week", "day"])
def test_cohorts_add_up_to_the_dated_journeys(warehouse: Tables, grain: str) -> None:
    """Prevents journeys from falling between two periods, or counting in both."""
    unequal = warehouse.query(
        """
        with dated as (
            select journeys.funnel_id, stages.stage_id, count(*) as reached
            from core.fct_journeys as journeys
            join core.fct_journey_stages as stages using (funnel_id, subject_id, journey_number)
            where journeys.entered_at is not null
            group by all
        ),
        cohorts as (
            select funnel_id, stage_id, sum(reached) as reached
            from marts.funnel_conversion
            where cohort_grain = ? and segment_name = 'all'
            group by all
            having sum(reached) > 0
        )
        select * from dated full join cohorts using (funnel_id, stage_id)
        where dated.reached is distinct from cohorts.reached
        """,
        [grain],
    )
    assert unequal == []


def test_the_values_of_a_segment_add_up_to_all(warehouse: Tables) -> None:
    """Prevents journeys without a value from being missing in the breakdown."""
    unequal = warehouse.query(
        """
        with broken_down as (
            select
                funnel_id, cohort_grain, cohort_date, stage_id, segment_name,
                sum(reached) as reached, sum(visited) as visited,
            from marts.funnel_conversion
            where segment_name <> 'all' and segment_adds_up
            group by all
        )
        select *
        from broken_down
        join marts.funnel_conversion as total
            on total.segment_name = 'all'
            and total.funnel_id = broken_down.funnel_id
            and total.cohort_grain = broken_down.cohort_grain
            and total.cohort_date is not distinct from broken_down.cohort_date
            and total.stage_id = broken_down.stage_id
        where total.reached <> broken_down.reached
        """
    )
    assert unequal == []
