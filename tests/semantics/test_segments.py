"""Segments: values taken at entry, and missing ones apart from any that the data spells."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

segments = case("segments")
segments.declare("segments", segment_name="channel", subject_type="user", attribute="channel")
segments.declare("segments", segment_name="region", subject_type="opportunity", attribute="region")
segments.declare(
    "segments", segment_name="product_line", subject_type="opportunity", attribute="product_line"
)

web_funnel = segments.funnel("web", "visit\ncart\npaid won")
segments.events(
    "ann",
    "2024-01-01T10:00:00 visit channel=search\n2024-01-01T10:05:00 cart channel=mail",
)
segments.events(
    "bob",
    """
    2024-01-01T09:00:00 cart channel=mail
    2024-01-01T10:00:00 visit channel=search
    """,
)
segments.events("cat", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 cart channel=mail")
segments.events("dan", "2024-01-01T10:00:00 visit channel=(missing)")


def test_the_value_of_a_segment_is_that_of_the_entry(warehouse: Tables) -> None:
    """Prevents journeys from changing their segment as they go on."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        web_funnel,
        """
        subject_id  segment_name  segment_value
        ann         channel       search
        bob         channel       search
        cat         channel       (missing)
        """,
        where="subject_id <> 'segments.dan'",
    )


def test_a_missing_value_is_apart_from_one_that_spells_the_same(warehouse: Tables) -> None:
    """Prevents a value of the data from being mixed with the journeys that have none."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        web_funnel,
        """
        subject_id  segment_name  segment_value
        cat         channel       (missing)
        dan         channel       "(missing)"
        """,
        where="subject_id in ('segments.cat', 'segments.dan')",
    )


deals_funnel = segments.funnel(
    "deals", "new\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
segments.changes("north", "2024-01-01T10:00:00 new", region="North", product_line="Pumps")
segments.changes("none", "2024-01-01T10:00:00 new")


def test_columns_of_a_record_may_be_segments_declared_columns_or_further_ones(
    warehouse: Tables,
) -> None:
    """Prevents a source's own columns from being lost on the way."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        deals_funnel,
        """
        subject_id  segment_name  segment_value
        north       region        North
        north       product_line  Pumps
        none        region        (missing)
        none        product_line  (missing)
        """,
    )


def test_the_row_all_all_is_always_there(warehouse: Tables) -> None:
    """Prevents totals that only exist where no segment is declared."""
    funnels = warehouse.query("select count(*) from core.dim_funnels")
    totals = warehouse.query(
        "select count(distinct funnel_id) from marts.funnel_conversion"
        " where cohort_grain = 'all' and segment_name = 'all' and segment_value = 'all'"
    )
    assert totals == funnels
