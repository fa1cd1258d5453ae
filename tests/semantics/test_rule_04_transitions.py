"""Rule 4: one transition a visit, the kinds of movement, and what stands after the last visit."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

moves = case("moves")
moves_funnel = moves.funnel(
    "deals",
    "new\nqualify\nproposal\nwon won\nlost lost",
    subject_type="opportunity",
    order_mode="furthest",
    collapse_repeats="false",
)
moves.changes(
    "all",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 proposal
    2024-01-03T10:00:00 qualify
    2024-01-04T10:00:00 proposal
    2024-01-05T10:00:00 proposal
    2024-01-06T10:00:00 lost
    2024-01-07T10:00:00 qualify
    2024-01-08T10:00:00 won
    """,
)
moves.changes(
    "closed",
    """
    2024-01-01T10:00:00 won
    2024-01-02T10:00:00 won
    2024-01-03T10:00:00 lost
    2024-01-04T10:00:00 lost
    2024-01-05T10:00:00 won
    2024-01-06T10:00:00 new
    2024-01-07T10:00:00 lost
    """,
)


def test_each_visit_has_one_transition_with_its_movement(warehouse: Tables) -> None:
    """Prevents steps from being counted twice, not at all, or under another name."""
    assert_rows(
        warehouse,
        "core.fct_stage_transitions",
        moves_funnel,
        """
        subject_id  visit_number  from_stage_id  to_stage_id  movement  seconds_in_from_stage
        all         1             entry          new          enter     -
        all         2             new            proposal     skip      86400
        all         3             proposal       qualify      regress   86400
        all         4             qualify        proposal     advance   86400
        all         5             proposal       proposal     repeat    86400
        all         6             proposal       lost         lose      86400
        all         7             lost           qualify      reopen    86400
        all         8             qualify        won          win       86400
        closed      1             entry          won          enter     -
        closed      2             won            won          win       86400
        closed      3             won            lost         lose      86400
        closed      4             lost           lost         lose      86400
        closed      5             lost           won          win       86400
        closed      6             won            new          reopen    86400
        closed      7             new            lost         lose      86400
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_stage_transitions",
        moves_funnel,
        """
        visit_number  transitioned_at   journey_number
        1             2024-01-01T10:00  1
        2             2024-01-02T10:00  1
        3             2024-01-03T10:00  1
        4             2024-01-04T10:00  1
        5             2024-01-05T10:00  1
        6             2024-01-06T10:00  1
        7             2024-01-07T10:00  1
        8             2024-01-08T10:00  1
        """,
        where="subject_id = 'moves.all'",
    )


ends = case("ends")
ends_funnel = ends.funnel("web", "visit\ncart\npaid won\nbounced lost", window=hours(24))
ends.events("won", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart\n2024-01-01T12:00:00 paid")
ends.events("lost", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 bounced")
ends.events("passed", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart")
ends.events("young", "2024-12-31T10:00:00 visit\n2024-12-31T11:00:00 cart")
ends.events("between", "2024-01-01T10:00:00 cart\n2024-01-01T11:00:00 cart")


def test_the_last_visit_is_followed_by_ended_abandoned_or_still_there(warehouse: Tables) -> None:
    """Prevents those who left from being lumped with those who may yet go on."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        ends_funnel,
        """
        subject_id  visit_number  stage_id  stage_kind  next_stage_id
        won         1             visit     open        cart
        won         2             cart      open        paid
        won         3             paid      won         ended
        lost        1             visit     open        bounced
        lost        2             bounced   lost        ended
        passed      1             visit     open        cart
        passed      2             cart      open        abandoned
        young       1             visit     open        cart
        young       2             cart      open        still_there
        between     1             cart      open        still_there
        """,
    )


def test_the_matrix_counts_the_steps_and_the_ends(warehouse: Tables) -> None:
    """Prevents a matrix whose rows do not sum to the visits."""
    assert_rows(
        warehouse,
        "marts.conversion_matrix",
        ends_funnel,
        """
        from_stage_id  to_stage_id  transitions  visits  subjects
        entry          visit        4            5       4
        entry          cart         1            5       1
        visit          cart         3            4       3
        visit          bounced      1            4       1
        cart           paid         1            4       1
        cart           abandoned    1            4       1
        cart           still_there  2            4       2
        paid           ended        1            1       1
        bounced        ended        1            1       1
        """,
        where="cohort_grain = 'all' and segment_name = 'all' and transitions > 0",
    )
