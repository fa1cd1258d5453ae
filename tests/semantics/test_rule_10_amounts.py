"""Rule 10: amounts in the reporting currency, by the rate of the outcome, unknown ones null."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

amounts = case("amounts")
amounts_funnel = amounts.funnel(
    "deals", "new\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
for day, rate in (("2024-01-01", "1.10"), ("2024-07-01", "1.20")):
    amounts.declare("exchange_rates", currency="EUR", valid_from=day, rate=rate)
WON_IN_JUNE = "2024-01-01T10:00:00 new\n2024-06-15T10:00:00 won"
amounts.changes("june", WON_IN_JUNE, amount="100", currency="EUR")
amounts.changes(
    "july", "2024-01-01T10:00:00 new\n2024-07-15T10:00:00 won", amount="100", currency="EUR"
)
# 02:00 on 1 July is still 30 June in New York.
amounts.changes(
    "eve", "2024-01-01T10:00:00 new\n2024-07-01T02:00:00 won", amount="100", currency="EUR"
)
amounts.changes("open", "2024-01-01T10:00:00 new", amount="100", currency="EUR")
amounts.changes("home", WON_IN_JUNE, amount="0.1", currency="USD")
amounts.changes("unsaid", WON_IN_JUNE, amount="0.2")
amounts.changes("unknown", WON_IN_JUNE, amount="100", currency="XAU")
amounts.changes(
    "too_early", "2023-01-01T10:00:00 new\n2023-06-15T10:00:00 won", amount="100", currency="EUR"
)
amounts.changes("nothing", WON_IN_JUNE)
amounts.changes("zero", WON_IN_JUNE, amount="0", currency="USD")
LOST_IN_JUNE = "2024-01-01T10:00:00 new\n2024-06-15T10:00:00 lost"
amounts.changes("lost", LOST_IN_JUNE, amount="40", currency="EUR", loss_reason="price")
amounts.changes("lost_unknown", LOST_IN_JUNE, amount="40", currency="XAU", loss_reason="price")
amounts.changes("lost_late", LOST_IN_JUNE, amount="6", loss_reason="timing")


def test_amounts_take_the_rate_of_the_outcome_else_of_the_as_of(warehouse: Tables) -> None:
    """Prevents today's rate from restating old deals, and unknown amounts from counting as zero."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        amounts_funnel,
        """
        subject_id  amount
        june        110
        july        120
        eve         110
        open        120
        home        0.1
        unsaid      0.2
        unknown     -
        too_early   -
        nothing     -
        zero        0
        """,
        where="outcome <> 'lost'",
    )


def test_unknown_amounts_are_counted_beside_the_known_ones(warehouse: Tables) -> None:
    """Prevents a sum from looking complete that is not: 40 euros are 44 dollars, and 6."""
    assert_rows(
        warehouse,
        "marts.drop_off_points",
        amounts_funnel,
        """
        stage_id  reached  won  lost  still_open  amount_lost  amount_unknown  top_loss_reason
        new       13       0    3     1           50           1               price
        won       9        9    0     0           0            0               -
        """,
        where="cohort_grain = 'all' and segment_name = 'all'",
    )


def test_amounts_are_decimals(warehouse: Tables) -> None:
    """Prevents sums that depend on the order of the rows: 0.1 and 0.2 are 0.3."""
    [(total, kind)] = warehouse.query(
        "select sum(amount), any_value(typeof(amount)) from core.fct_journeys"
        " where funnel_id = ? and subject_id in ('amounts.home', 'amounts.unsaid')",
        [amounts_funnel],
    )
    assert str(total) == "0.3000"
    assert kind == "DECIMAL(18,4)"


shop = case("shop_amounts")
shop_funnel = shop.funnel("web", "visit\npaid won\npaid_again won")
shop.events(
    "euros",
    """
    2024-06-15T10:00:00 visit amount=99
    2024-06-15T11:00:00 paid amount=100 currency=EUR
    2024-06-15T12:00:00 paid_again amount=7
    """,
)
shop.events("unsaid", "2024-06-15T10:00:00 visit\n2024-06-15T11:00:00 paid amount=12.50")
shop.events("nothing", "2024-06-15T10:00:00 visit\n2024-06-15T11:00:00 paid")
shop.events("no_number", "2024-06-15T10:00:00 visit\n2024-06-15T11:00:00 paid amount=much")
shop.events("open", "2024-06-15T10:00:00 visit amount=99")


def test_event_funnels_take_the_amount_of_the_winning_event(warehouse: Tables) -> None:
    """Prevents the price of a page that was looked at from counting as a sale."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        shop_funnel,
        """
        subject_id  outcome  amount
        euros       won      110
        unsaid      won      12.5
        nothing     won      -
        no_number   won      -
        open        open     -
        """,
    )


large = case("large_amounts")
large_funnel = large.funnel(
    "deals", "new\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
large.changes("ship", WON_IN_JUNE, amount="300000000", currency="EUR")


def test_an_amount_of_some_hundred_millions_is_converted(warehouse: Tables) -> None:
    """Prevents one large deal from stopping the night: a product that 64 bits do not hold."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        large_funnel,
        """
        subject_id  amount
        ship        330000000
        """,
    )
