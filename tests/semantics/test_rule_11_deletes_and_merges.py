"""Rule 11: deleted records leave, merged records continue as their survivor."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

DEALS = "new\nqualify\nproposal\nwon won\nlost lost"
NEW = "2024-01-01T10:00:00 new"

deleted = case("deleted")
deleted_funnel = deleted.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
deleted.changes("kept", NEW)
deleted.changes("explicitly_kept", NEW, is_deleted="false")
deleted.changes("gone", NEW, is_deleted="true", deleted_at="2024-02-01T10:00:00")
deleted.changes("gone_undated", NEW, is_deleted="true")
# Deleted after the as-of: the run does not know it yet.
deleted.changes("going", NEW, is_deleted="true", deleted_at="2025-01-01T06:00:00")


def test_deleted_records_leave_the_funnels_from_their_deletion_on(warehouse: Tables) -> None:
    """Prevents deleted deals from counting, and a deletion from being known before it happened."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        deleted_funnel,
        """
        subject_id       furthest_stage_id
        kept             new
        explicitly_kept  new
        going            new
        """,
    )
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        deleted_funnel,
        """
        stage_id  reached
        new       3
        """,
        where="cohort_grain = 'all' and segment_name = 'all' and stage_position = 1",
    )


def test_deleted_and_merged_records_are_counted(warehouse: Tables) -> None:
    """Prevents records from leaving without a number. The casebook has four and nine."""
    counted = warehouse.query(
        "select measure, counted from core.control_totals where scope_type = 'records'"
        " and measure in ('records_deleted', 'records_merged') order by measure"
    )
    assert counted == [("records_deleted", 4), ("records_merged", 9)]


merged = case("merged")
merged_funnel = merged.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
merged.changes("survivor", "2024-01-03T10:00:00 qualify", amount="7")
merged.changes("first", NEW, merged_into_id="second", amount="5")
merged.changes("second", "2024-01-02T10:00:00 proposal", merged_into_id="survivor")
merged.changes("alone", NEW)


def test_merged_records_continue_as_their_survivor(warehouse: Tables) -> None:
    """Prevents a merged record from counting beside its survivor; merges of merges are followed."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        merged_funnel,
        """
        subject_id  entered_at        furthest_stage_id  amount
        survivor    2024-01-01T10:00  proposal           7
        alone       2024-01-01T10:00  new                -
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        merged_funnel,
        """
        subject_id  visit_number  stage_id  entered_at
        survivor    1             new       2024-01-01T10:00
        survivor    2             proposal  2024-01-02T10:00
        survivor    3             qualify   2024-01-03T10:00
        alone       1             new       2024-01-01T10:00
        """,
    )


inherited = case("inherited")
inherited_funnel = inherited.funnel(
    "deals",
    DEALS,
    subject_type="opportunity",
    order_mode="furthest",
    collapse_repeats="false",
)
CREATED = {"created_at": "2024-01-01T09:00:00"}
# It has no history of its own, but that of the record which was merged into it.
inherited.record("survivor", stage="won", **CREATED)
inherited.changes(
    "merged",
    f"{NEW}\n2024-01-04T10:00:00 qualify\n2024-01-06T10:00:00 won",
    merged_into_id="survivor",
)
# Its close is dated and stays, whatever the record that was merged into it tells.
inherited.record("closed", stage="won", closed_at="2024-01-09T10:00:00", **CREATED)
inherited.changes("half", f"{NEW}\n2024-01-04T10:00:00 qualify", merged_into_id="closed")
# The other way around: what the merged record was in last is not where its survivor is.
inherited.changes("told", f"{NEW}\n2024-01-06T10:00:00 won")
inherited.record("untold", stage="qualify", merged_into_id="told")
inherited.record("both_untold", stage="won", closed_at="2024-01-09T10:00:00", **CREATED)
inherited.record("also_untold", stage="qualify", merged_into_id="both_untold", **CREATED)


def test_whether_a_record_has_a_history_is_decided_after_merging(warehouse: Tables) -> None:
    """Prevents a stage without a date from coming after the history that a merge brought in."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        inherited_funnel,
        """
        subject_id   visit_number  stage_id  entered_at        next_stage_id
        survivor     1             new       2024-01-01T09:00  new
        survivor     2             new       2024-01-01T10:00  qualify
        survivor     3             qualify   2024-01-04T10:00  won
        survivor     4             won       2024-01-06T10:00  ended
        closed       1             new       2024-01-01T09:00  new
        closed       2             new       2024-01-01T10:00  qualify
        closed       3             qualify   2024-01-04T10:00  won
        closed       4             won       2024-01-09T10:00  ended
        told         1             new       2024-01-01T10:00  won
        told         2             won       2024-01-06T10:00  ended
        both_untold  1             new       2024-01-01T09:00  new
        both_untold  2             new       2024-01-01T09:00  won
        both_untold  3             won       2024-01-09T10:00  ended
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        inherited_funnel,
        """
        subject_id   outcome  ended_at
        survivor     won      2024-01-06T10:00
        closed       won      2024-01-09T10:00
        told         won      2024-01-06T10:00
        both_untold  won      2024-01-09T10:00
        """,
    )
