"""What owners did in one month, worked out by hand from what was delivered."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

month = case("owner_month")
month_funnel = month.funnel(
    "deals", "new\noffer\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
ANN, BOB = "owner_month.ann", "owner_month.bob"
for owner, team in ((ANN, "north"), (BOB, "south")):
    month.deliver(
        "owners",
        "cases.csv",
        {"owner_id": owner, "manager_id": "owner_month.max", "team": team, "region": "here"},
    )
for rule, hours in (
    ("no_next_step", ""),
    ("won_never_in_funnel", "24"),
    ("moved_back_before_quota", "168"),
):
    month.declare(
        "owner_health_rules",
        rule_name=rule,
        funnel_id=month_funnel,
        at_most="0",
        within_hours=hours,
        meaning="Ask.",
    )


def _deal(
    record_id: str, owner_id: str, changes: str, amount: str = "", next_step: str = ""
) -> None:
    month.changes(
        record_id,
        changes,
        owner_id=owner_id,
        created_at=changes.split()[0],
        amount=amount,
        next_step=next_step,
    )


_deal(
    "weeks",
    ANN,
    "2024-11-20T15:00:00 new\n2024-11-25T15:00:00 offer\n2024-12-03T15:00:00 won",
    amount="100",
)
_deal("hours", ANN, "2024-12-05T15:00:00 new\n2024-12-06T03:00:00 won", amount="40")
# Half past eleven on the evening of 30 November in New York.
_deal("evening", ANN, "2024-11-28T15:00:00 new\n2024-12-01T04:30:00 won", amount="500")
_deal("gone", ANN, "2024-11-20T15:00:00 new\n2024-12-10T15:00:00 lost", amount="70")
_deal("unpriced", ANN, "2024-12-12T15:00:00 new", next_step="call")
_deal(
    "back",
    ANN,
    "2024-12-01T15:00:00 new\n2024-12-10T15:00:00 offer\n2024-12-28T15:00:00 new",
    amount="30",
)
_deal("other_lost", BOB, "2024-12-02T15:00:00 new\n2024-12-20T15:00:00 lost", amount="10")
_deal("other_won", BOB, "2024-12-03T15:00:00 new\n2024-12-21T15:00:00 won", amount="900")
month.deliver(
    "activities",
    "cases.csv",
    {
        "activity_id": "owner_month.call",
        "record_id": month.subject("back"),
        "activity_type": "call",
        "occurred_at": "2024-12-29T15:00:00",
        "owner_id": ANN,
    },
)


def test_a_month_of_an_owner_is_what_was_delivered(warehouse: Tables) -> None:
    """Prevents months of another time zone, entries counted as wins, and others' deals."""
    assert_rows(
        warehouse,
        "marts.owner_performance",
        month_funnel,
        f"""
        period_date  name   entered  won  lost  closed  rest_won  rest_closed
        2024-11-01   {ANN}  3        1    0     1       0         0
        2024-12-01   {ANN}  3        2    1     3       1         2
        2024-12-01   {BOB}  2        1    1     2       2         3
        """,
        where="period_grain = 'month' and level = 'seller'",
    )
    assert_rows(
        warehouse,
        "marts.owner_performance",
        month_funnel,
        f"""
        period_date  name   amount_won  median_amount_won  median_days_to_win
        2024-11-01   {ANN}  500         500                2.5625
        2024-12-01   {ANN}  140         70                 6.75
        2024-12-01   {BOB}  900         900                18
        """,
        where="period_grain = 'month' and level = 'seller'",
    )
    assert_rows(
        warehouse,
        "marts.owner_performance",
        month_funnel,
        """
        level   name   open_deals  open_amount  open_amount_unknown  weighted_amount
        all     all    2           30           1                    -
        branch  here   2           30           1                    -
        team    north  2           30           1                    -
        team    south  0           0            0                    0
        """,
        where="period_grain = 'all' and level != 'seller'",
    )


def test_the_best_of_two_sellers_is_found(warehouse: Tables) -> None:
    """Prevents amounts of another period in what hangs on the best seller."""
    assert_rows(
        warehouse,
        "marts.owner_concentration",
        month_funnel,
        f"""
        measure  sellers  total  best_owner_id  best  mean  median  result_range  standard_deviation
        wins     2        3      {ANN}          2     1.5   1.5     1             0.5
        amount   2        1040   {BOB}          900   520   520     760           380
        """,
        where="period_grain = 'month' and period_date = '2024-12-01'",
    )


def test_findings_name_the_deals_that_were_delivered(warehouse: Tables) -> None:
    """Prevents findings about deals that were sold in good time, or moved back early."""
    assert_rows(
        warehouse,
        "marts.owner_health_deals",
        month_funnel,
        f"""
        owner_id  rule_name                period_date  deal_id
        {ANN}     no_next_step             -            owner_month.back
        {ANN}     won_never_in_funnel      2024-12-01   owner_month.hours
        {ANN}     moved_back_before_quota  2024-12-01   owner_month.back
        """,
    )


def test_the_worklist_takes_the_observed_chance_where_none_is_declared(warehouse: Tables) -> None:
    """Prevents an expected value of 0 for want of a declaration: 4 of 6 in `new` were won."""
    assert_rows(
        warehouse,
        "marts.open_opportunities_ranked",
        month_funnel,
        """
        worklist_rank  deal_id               manager_id       expected_value
        1              owner_month.back      owner_month.max  20
        2              owner_month.unpriced  owner_month.max  -
        """,
    )
    assert_rows(
        warehouse,
        "marts.open_opportunities_ranked",
        month_funnel,
        """
        worklist_rank  next_step_is_missing  days_since_activity  is_untouched_in_stage
        1              yes                   2                    no
        2              no                    -                    yes
        """,
    )
