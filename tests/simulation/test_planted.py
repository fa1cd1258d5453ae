"""What is planted in the company: true in its extracts, and found, not found or named by the marts.

The truth is what the simulation writes beside its extracts. Bounds are those of `test_truth.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulation.company import generate
from simulation.parameters import CLEAN, Experiment, Incident, Parameters, Planted
from tests.simulation.conftest import Extracts
from tests.simulation.test_truth import assert_share
from tests.support.tables import Tables

# All of the web that tells how far visitors get, and what is planted in it.
VISITORS = """
    with happened as (
        select
            anonymous_id, event_name, received_at,
            properties ->> '$.channel' as channel,
            properties ->> '$.landing' as landing,
            properties ->> '$.price_display' as price_display,
            properties ->> '$.banner' as banner,
            properties ->> '$.page_type' as page_type
        from events
        where anonymous_id is not null and session_id is not null and event_name <> 'portal_login'
    ),
    visitors as (
        select
            anonymous_id,
            any_value(channel) as channel,
            any_value(landing) as landing,
            any_value(price_display) as price_display,
            any_value(banner) as banner,
            cast(min(received_at) as date) as came_on,
            count(distinct landing) as landings,
            bool_or(event_name = 'cart_added') as has_cart,
            bool_or(event_name = 'cart_added' or page_type = 'product') as has_looked
        from happened
        group by anonymous_id
    )
"""

# What the shipped channel rules make of the campaigns of each channel.
CHANNELS = {
    "search": "Search",
    "direct": "Direct",
    "paid_ads": "Paid search",
    "social": "Social",
    "referral": "Referral",
    "email": "E-mail",
    "qr_code": "Other",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Extracts:
    """The half-year of the demonstration with four times as many visitors, and without dirt."""
    landing = tmp_path_factory.mktemp("planted")
    searched = replace(Planted(), search_odds=2.0)
    generate(landing, parameters=Parameters(visitors_per_day=400, planted=searched, dirt=CLEAN))
    return Extracts(landing)


@pytest.mark.parametrize(
    ("when", "where"),
    [
        ("usual", "came_on < date '2026-01-01'"),
        ("campaign", "came_on between date '2026-01-01' and date '2026-01-31'"),
    ],
)
def test_landings_have_their_rates(planted: Extracts, when: str, where: str) -> None:
    """A reversal that is none would fault the mart that does not name it."""
    expected = planted.truth["expected"]["planted"]["landing"]
    rows = planted.rows(
        f"{VISITORS} select landing, count(*) filter (has_looked), count(*), max(landings)"
        f" from visitors where {where} group by all"
    )
    assert {row[0] for row in rows} == {"catalogue", "magazine"}
    for landing, looked, came, landings in rows:
        assert landings == 1
        assert_share(looked, came, expected[when][landing])
    looked, came = (sum(row[place] for row in rows) for place in (1, 2))
    assert_share(looked, came, expected[f"{when}_total"])
    # Both kinds do better, and all together worse.
    assert expected["campaign_total"] < 0.9 * expected["usual_total"]
    for landing, rate in expected["usual"].items():
        assert expected["campaign"][landing] > 1.1 * rate


@pytest.mark.parametrize(
    ("experiment", "reached"), [("price_display", "has_cart"), ("banner", "has_looked")]
)
def test_variants_have_their_rates_and_shares(
    planted: Extracts, experiment: str, reached: str
) -> None:
    """An experiment with another effect than the one told would fault its results."""
    expected = planted.truth["expected"]["planted"]["experiments"][experiment]["overall_rates"]
    rows = planted.rows(
        f"{VISITORS} select {experiment}, count(*) filter ({reached}), count(*), min(came_on),"
        f" max(came_on) from visitors where {experiment} is not null group by all"
    )
    assert {row[0] for row in rows} == set(expected)
    for variant, hits, came, first, last in rows:
        assert_share(hits, came, expected[variant])
        assert_share(came, sum(row[2] for row in rows), 0.5)
        assert (first, last) == (date(2025, 9, 8), date(2025, 11, 2))
    # Who gets which hangs on nothing but how far they get.
    by_channel = planted.rows(
        f"{VISITORS} select count(*) filter ({experiment} = '{rows[0][0]}'), count(*)"
        f" from visitors where {experiment} is not null group by channel"
    )
    assert len(by_channel) == 7
    for hits, came in by_channel:
        assert_share(hits, came, 0.5)


def test_the_incident_has_its_rate(planted: Extracts) -> None:
    """An alert that is missing for want of a fall would be looked for in the baseline."""
    expected = planted.truth["expected"]["planted"]["incident"]
    rates = {
        name: planted.rows(
            f"{VISITORS} select count(*) filter (has_cart), count(*) from visitors"
            f" where has_looked and channel = 'search' and came_on {days}"
        )[0]
        for name, days in {
            "step_rate": "between date '2026-02-02' and date '2026-02-08'",
            "usual_step_rate": "< date '2026-02-01'",
        }.items()
    }
    for name, (hits, trials) in rates.items():
        assert_share(hits, trials, expected[name])
    assert expected["step_rate"] == pytest.approx(0.25 * expected["usual_step_rate"], abs=1e-5)


def test_who_searches_fills_more_carts(planted: Extracts) -> None:
    """A behaviour that goes with nothing would fault the drivers that do not name it."""
    expected = planted.truth["expected"]["planted"]["search"]
    rows = planted.rows(
        """
        with sessions as (
            select
                any_value(anonymous_id) as visitor,
                bool_or(event_name = 'search') as has_search,
                bool_or(properties ->> '$.page_type' = 'product') as has_looked,
                bool_or(event_name = 'cart_added') as has_cart,
                min(received_at) as begun_at
            from events where session_id is not null and event_name <> 'portal_login'
            group by session_id
        ),
        visitors as (
            select visitor, bool_or(has_cart) as fills_cart from sessions group by visitor
        )
        select fills_cart, count(*) filter (has_search), count(*)
        from sessions join visitors using (visitor)
        where has_looked
        group by all order by fills_cart
        """
    )
    for name, (_, searched, sessions) in zip(("without_cart", "with_cart"), rows, strict=True):
        assert_share(searched, sessions, expected[name])
    assert expected["with_cart"] > 1.3 * expected["without_cart"]


def test_the_invited_are_as_many_as_told_and_were_invited_before(planted: Extracts) -> None:
    """Somebody brought by who came later would be left out of every chain."""
    invited = planted.rows(
        """
        with sign_ups as (
            select
                user_id, properties ->> '$.channel' as channel,
                properties ->> '$.invited_by' as inviter, received_at
            from events where event_name = 'sign_up'
        ),
        invitations as (
            select user_id, received_at from events where event_name = 'invite_sent'
        )
        select
            channel, count(*) filter (inviter is not null), count(*),
            count(*) filter (invitations.received_at < sign_ups.received_at)
        from sign_ups left join invitations on sign_ups.inviter = invitations.user_id
        where sign_ups.received_at >= timestamp '2025-10-15'
        group by all
        """
    )
    expected = planted.truth["expected"]["planted"]["invited"]
    assert len(invited) == len(expected)
    for channel, named, signed_up, invited_before in invited:
        assert named == invited_before
        assert_share(named, signed_up, expected[channel])


def test_labels_change_nothing_of_the_company(tmp_path: Path) -> None:
    """Variants and inviters that move draws would make a company out of each experiment."""
    plain = Planted(
        experiments={
            name: Experiment(one.variants, one.depth, 1.0, "1999-01-01", "1999-01-01")
            for name, one in Planted().experiments.items()
        },
        incident=Incident("search", "cart", 0.25, "1999-01-01", "1999-01-01"),
        invited=dict.fromkeys(Planted().invited, 0.0),
    )
    happened = []
    for name, planted in (("planted", Planted()), ("plain", plain)):
        generate(
            tmp_path / name,
            start=date(2025, 9, 1),
            days=70,
            parameters=Parameters(visitors_per_day=40, planted=planted),
        )
        extracts = Extracts(tmp_path / name)
        happened.append(
            [
                extracts.rows("select * exclude (properties, filename) from events order by all"),
                extracts.rows("select * exclude (filename) from records order by all"),
                extracts.rows("select * exclude (filename) from orders order by all"),
            ]
        )
    assert happened[0] == happened[1]
    assert len(happened[0][0]) > 5000


@pytest.mark.slow
def test_the_better_channels_are_found(company: tuple[Tables, dict[str, Any]]) -> None:
    """Prevents a budget that goes to channels that are worse, or differences that are none."""
    tables, truth = company
    reach = {
        name: one["payment"] for name, one in truth["web_purchase"]["reach_by_channel"].items()
    }
    found = tables.query(
        """
        select segment_value, difference, is_significant from marts.conversion_differences
        where funnel_id = 'web_purchase' and cohort_grain = 'all' and segment_name = 'channel'
            and stage_id = 'payment' and rate_name = 'overall_rate'
            and compared_with = 'rest_of_segment'
        """
    )
    assert len(found) == len(reach)
    significant = {name: difference for name, difference, is_one in found if is_one}
    assert {"direct", "email", "social", "paid_ads"} <= set(significant)
    ordered = sorted(significant, key=lambda name: significant[name])
    for worse, better in pairwise(ordered):
        if (significant[worse] < 0) != (significant[better] < 0):
            assert reach[worse] < reach[better]
    mean = truth["web_purchase"]["reach"]["payment"]
    assert all((reach[name] > mean) == (by > 0) for name, by in significant.items())


@pytest.mark.slow
def test_true_drivers_are_found_and_others_are_not(
    company: tuple[Tables, dict[str, Any]],
) -> None:
    """Prevents a budget for what goes with nothing, and a driver that nobody is told of."""
    tables, truth = company
    found = {
        (stage_id, name, value): row
        for stage_id, name, value, *row in tables.query(
            """
            select
                to_stage_id, factor_name, factor_value, verdict, odds_ratio_low, odds_ratio_high
            from marts.conversion_drivers where funnel_id = 'web_purchase'
            """
        )
    }
    # What was known before: channel, device, prices on the page.
    for channel in ("direct", "email"):
        assert found["product_view", "channel", channel][0] == "more often"
    for channel in ("social", "paid_ads"):
        assert found["product_view", "channel", channel][0] == "less often"
    for stage_id in ("product_view", "cart"):
        assert found[stage_id, "device", "desktop"][0] == "more often"
        assert found[stage_id, "device", "mobile"][0] == "less often"
    assert found["cart", "price_display", "shown"][0] == "more often"
    # What somebody did before.
    verdict, low, high = found["cart", "event", "search"]
    assert verdict == "more often"
    assert low < truth["planted"]["search"]["odds_ratio"] < high
    # What goes with nothing: the banner, the region, and a search for what follows the cart.
    nothing = [("product_view", "banner", value) for value in ("green", "blue")]
    nothing += [
        (stage_id, "region", value)
        for stage_id in ("product_view", "cart", "checkout", "payment")
        for value in ("AMER", "EMEA", "APAC")
    ]
    nothing += [(stage_id, "event", "search") for stage_id in ("payment", "repurchase")]
    for factor in nothing:
        assert found[factor][0] == "no difference found", factor


@pytest.mark.slow
def test_the_variant_with_an_effect_is_found_and_the_other_is_not(
    company: tuple[Tables, dict[str, Any]],
) -> None:
    """Prevents a form that is rolled out for nothing, and one that is dropped although it works."""
    tables, truth = company
    results = {
        (experiment_id, variant): row
        for experiment_id, variant, *row in tables.query(
            """
            select
                experiment_id, variant, verdict, is_mismatched, difference_low, difference_high,
                sequential_p_value
            from marts.experiment_results where is_decisive
            """
        )
    }
    rates = truth["planted"]["experiments"]["price_display"]["overall_rates"]
    verdict, is_mismatched, low, high, sequential = results["prices on the page", "shown"]
    assert (verdict, is_mismatched) == ("better", False)
    assert low < rates["shown"] - rates["hidden"] < high
    assert sequential < 0.05
    verdict, is_mismatched, low, high, sequential = results["blue banner", "blue"]
    assert (verdict, is_mismatched) == ("no difference found", False)
    assert low < 0 < high
    assert sequential > 0.05


@pytest.mark.slow
def test_the_incident_alerts_and_nothing_else_does(
    company: tuple[Tables, dict[str, Any]],
) -> None:
    """Prevents a broken page from going unsaid, and from drowning among false alarms."""
    tables, truth = company
    alerts = tables.query(
        "select metric, stage_id, segment_name, segment_value, observed, headline"
        " from marts.metric_alerts"
    )
    [of_search] = [row for row in alerts if row[2:4] == ("channel", "search")]
    expected = truth["planted"]["incident"]
    assert abs(of_search[4] - expected["step_rate"]) < 0.3 * expected["usual_step_rate"]
    assert "step rate of cart with channel search fell to" in of_search[5]
    assert "from 2025-09-19 to 2025-09-25" in of_search[5]
    assert {row[:3] for row in alerts} <= {
        ("step_rate", "cart", "channel"),
        ("step_rate", "cart", "all"),
        ("reached", "payment", "all"),
    }


@pytest.mark.slow
def test_the_reversal_is_named_and_split(company: tuple[Tables, dict[str, Any]]) -> None:
    """Prevents a campaign that is blamed for what the mix of its visitors did."""
    tables, truth = company
    rows = tables.query(
        """
        select
            segment_value, rate, total_change, total_mix_effect, total_rate_effect, is_reversal,
            explanation
        from marts.rate_change_explained
        where funnel_id = 'web_purchase' and stage_id = 'product_view' and rate_name = 'step_rate'
            and segment_name = 'landing' and cohort_grain = 'month' and cohort_date = '2025-08-01'
            and segment_value != '(missing)'
        """
    )
    assert {row[0] for row in rows} == {"catalogue", "magazine"}
    expected = truth["planted"]["landing"]
    change = expected["campaign_total"] - expected["usual_total"]
    for landing, rate, total, mix, within, is_reversal, explanation in rows:
        assert is_reversal
        assert explanation.startswith("Simpson's reversal: step rate fell from ")
        assert "values with lower rates have a larger share" in explanation
        assert rate == pytest.approx(expected["campaign"][landing], abs=0.06)
        assert total == pytest.approx(change, abs=0.05)
        assert mix < 0 < within
    months = tables.query(
        """
        select distinct cohort_date from marts.rate_change_explained
        where funnel_id = 'web_purchase' and stage_id = 'product_view' and segment_name = 'landing'
            and cohort_grain = 'month' and is_reversal
        """
    )
    assert months == [(date(2025, 8, 1),)]


@pytest.mark.slow
def test_who_was_brought_is_known_by_channel(company: tuple[Tables, dict[str, Any]]) -> None:
    """Prevents a person who is brought from being lost between the event and the person."""
    tables, truth = company
    rows = tables.query(
        """
        select
            acquisitions.channel,
            count(referrals.subject_id) filter (referrals.referrer_status = 'known'),
            count(referrals.subject_id),
            count(*)
        from intermediate.int_acquisitions as acquisitions
        left join marts.referrals as referrals using (funnel_id, subject_id)
        where funnel_id = 'growth_aarrr' and acquisitions.acquired_at >= timestamp '2025-03-15'
        group by all
        """
    )
    expected = {CHANNELS[name]: share for name, share in truth["planted"]["invited"].items()}
    assert len(rows) == len(expected)
    for channel, known, named, acquired in rows:
        assert known == named
        assert_share(known, acquired, expected[channel])
    [(generations, brought)] = tables.query(
        "select max(generation), max(brought_in_all) from marts.referrals"
    )
    assert generations >= 3
    assert brought >= 2
