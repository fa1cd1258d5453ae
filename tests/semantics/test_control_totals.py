"""What `control_totals` counts of each funnel."""

from __future__ import annotations

from tests.semantics.cases import BOOK, case, hours
from tests.support.tables import Tables

MEASURES = (
    "subjects_with_journeys",
    "subjects_excluded",
    "subjects_never_started",
    "journeys",
    "journeys_undated",
    "journeys_excluded",
    "stage_entries",
    "subjects_with_ties",
    "subjects_with_journeys_by_tie",
    "subjects_with_visits_by_tie",
    "subjects_with_results_by_tie",
)

totals = case("totals")
shop = totals.funnel(
    "shop",
    "visit\ncart\npaid won",
    window=hours(1),
    tie_policy="funnel_order",
    exclusions=[("visit", "cart", "logout")],
)
nobody = totals.funnel("nobody", "sign_up\nactive won")
totals.events("ann", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 cart")
totals.events("excluded", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 logout")
totals.events("never_started", "2024-01-01T10:00:00 cart")
# Delivered in the order of the funnel, so that the other policy gives the same.
totals.events("at_once", "2024-01-01T10:00:00 visit\n2024-01-01T10:00:00 cart")


def _totals(warehouse: Tables, funnel_id: str) -> dict[object, object]:
    rows = warehouse.query(
        "select measure, counted from core.control_totals"
        " where scope_type = 'funnel' and scope = ?",
        [funnel_id],
    )
    return dict(rows)


def test_what_became_of_the_subjects_of_a_funnel_is_counted(warehouse: Tables) -> None:
    """Prevents a subject from vanishing without a number, and a zero from being a missing row."""
    assert _totals(warehouse, shop) == dict(
        zip(MEASURES, (2, 1, 1, 2, 0, 1, 6, 1, 0, 0, 0), strict=True)
    )


def test_a_funnel_that_nobody_entered_has_zeros(warehouse: Tables) -> None:
    """Prevents a funnel whose rules match nothing from being missing where one looks for it."""
    assert _totals(warehouse, nobody) == dict.fromkeys(MEASURES, 0)


def test_every_funnel_has_every_measure(warehouse: Tables) -> None:
    """Prevents measures that some funnels have and others have not."""
    expected = {(funnel_id, measure) for funnel_id in BOOK.funnels for measure in MEASURES}
    rows = warehouse.query(
        "select scope, measure from core.control_totals where scope_type = 'funnel'"
    )
    assert len(rows) == len(expected)
    assert set(rows) == expected
