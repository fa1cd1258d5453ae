"""What the extracts of a clean company show agrees with what is declared to be true of it.

Everything is counted with plain SQL from the files. Bounds are four or more standard errors wide,
so that a right simulation with another seed would fail less than once in a thousand runs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simulation.parameters import Process
from simulation.truth import chain_reach
from tests.simulation.conftest import Extracts

# Histories that began this early are over, but for one in thousands.
EARLY = "2025-07-01"


def assert_share(hits: int, trials: int, expected: float) -> None:
    """The share of hits lies within four standard errors of the expected one."""
    assert trials > 50
    error = math.sqrt(expected * (1 - expected) / trials)
    assert hits / trials == pytest.approx(expected, abs=4 * error)


def web_depths(clean: Extracts, where: str = "true") -> list[int]:
    """Number of visitors by the depth that they reached, from a visit to a payment."""
    depths = clean.rows(
        f"""
        with visitors as (
            select
                anonymous_id,
                max(case event_name
                    when 'order_paid' then 4 when 'checkout_started' then 3
                    when 'cart_added' then 2 when 'page_view'
                        then cast(properties like '%"page_type":"product"%' as integer)
                    else 0 end) as depth
            from events
            where anonymous_id is not null and session_id is not null
                and event_name <> 'portal_login' and {where}
            group by all
        )
        select depth, count(*) from visitors group by all
        """
    )
    found = dict(depths)
    return [found.get(depth, 0) for depth in range(5)]


@pytest.mark.parametrize("channel", ["all", "search", "social", "email"])
def test_web_steps_have_their_rates(clean: Extracts, channel: str) -> None:
    """A shop whose rates are not those declared cannot tell whether the marts are right."""
    expected = clean.truth["expected"]["web_purchase"]
    where = "true" if channel == "all" else f'properties like \'%"channel":"{channel}"%\''
    depths = web_depths(clean, where)
    reach = expected["reach"] if channel == "all" else expected["reach_by_channel"][channel]
    for depth, (name, probability) in enumerate(reach.items()):
        if name != "visit":
            assert_share(sum(depths[depth:]), sum(depths), probability)


def test_buyers_come_back_at_their_rate(clean: Extracts) -> None:
    """Repurchase and loyalty rest on this rate."""
    again, buyers = clean.rows(
        """
        with buyers as (
            select anonymous_id, count(*) as orders, min(received_at) as first_paid_at
            from events where event_name = 'order_paid' group by all
        )
        select count(*) filter (orders > 1), count(*) from buyers
        where first_paid_at < timestamp '2025-11-15'
        """
    )[0]
    assert_share(again, buyers, clean.truth["expected"]["web_purchase"]["repurchase_rate"])


def test_users_activate_at_their_rates(clean: Extracts) -> None:
    """The sign-up funnel has to find these rates within its window."""
    expected = clean.truth["expected"]["signup_activation"]["reach"]
    users, profiles, lists, shared, slowest = clean.rows(
        """
        with users as (
            select
                user_id,
                min(received_at) filter (event_name = 'sign_up') as signed_up_at,
                count(*) filter (event_name = 'profile_completed') as profiles,
                count(*) filter (properties like '%list_created%') as lists,
                count(*) filter (properties like '%list_shared%') as shared,
                max(received_at) filter (properties like '%list_shared%') as shared_at
            from events where user_id is not null group by all
        )
        select
            count(*), sum(profiles), sum(lists), sum(shared),
            max(epoch(shared_at) - epoch(signed_up_at)) / 3600
        from users where signed_up_at < timestamp '2025-12-15'
        """
    )[0]
    assert_share(profiles, users, expected["profile_completed"])
    assert_share(lists, users, expected["list_created"])
    assert_share(shared, users, expected["list_shared"])
    assert slowest < 336


def visits(clean: Extracts, record_type: str) -> list[dict[str, Any]]:
    """Stage visits of early records with a history: stages, seconds and what has an effect.

    The stage after the last is None. The owner is the first one, a discount's line no visit.
    """
    rows = clean.rows(
        f"""
        with first_rows as (
            select distinct on (record_id) record_id, lead_source, region, owner_id, product,
                customer_kind
            from records where record_type = '{record_type}' order by record_id, updated_at
        ),
        changes as (
            select
                record_id,
                case when stage like 'Proposal%' then 'Proposal'
                    when stage like 'Unqualified%' then 'Unqualified' else stage end as stage,
                cast(changed_at as timestamptz) as changed_at,
                row_number() over (order by filename, rowid) as position
            from stage_changes where record_type = '{record_type}'
        ),
        entries as (
            select *, lag(stage) over history as previous from changes
            window history as (partition by record_id order by changed_at, position)
        ),
        stays as (
            select
                record_id, stage, changed_at,
                lead(stage) over history as next_stage,
                epoch(lead(changed_at) over history - changed_at) as seconds
            from entries where previous is distinct from stage
            window history as (partition by record_id order by changed_at, position)
        )
        select stage, next_stage, seconds, lead_source, region, owner_id, product, customer_kind
        from stays inner join first_rows using (record_id)
        where changed_at < timestamptz '{EARLY}'
        """
    )
    names = (
        "stage", "next_stage", "seconds", "source", "region", "owner", "product", "kind",
    )  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in rows]


def effect(parameters: dict[str, Any], record_type: str, visit: dict[str, Any]) -> float:
    """The declared effect on a record's chances, as the parameters word it."""
    of_source: float = parameters["source_effects"][visit["source"]]
    if record_type == "lead":
        return of_source + float(parameters["region_effects"][visit["region"]])
    owner = int(visit["owner"].removeprefix("owner-")) - 1
    of_customer = parameters["existing_customer_effect"] if visit["kind"] == "existing" else 0.0
    return (
        of_source
        + float(parameters["owner_effects"][owner])
        + float(parameters["products"][visit["product"]]["deal_effect"])
        + float(of_customer)
    )


def lost_with_effect(row: dict[str, float], lost: str, by: float) -> float:
    """Probability to be lost next, for a record with this effect."""
    odds = row[lost] / (1 - row[lost]) * math.exp(-by)
    return odds / (1 + odds)


@pytest.mark.parametrize(
    ("record_type", "process"),
    [("lead", "lead_process"), ("opportunity", "opportunity_process")],
)
def test_effects_have_their_size(clean: Extracts, record_type: str, process: str) -> None:
    """Sellers, sources and products that make no difference would leave segments untested."""
    parameters = clean.truth["parameters"]
    declared = parameters[process]
    score = information = 0.0
    for visit in visits(clean, record_type):
        if visit["stage"] in declared["open_stages"]:
            by = effect(parameters, record_type, visit)
            row = declared["transitions"][visit["stage"]]
            is_lost = lost_with_effect(row, declared["lost_stage"], by)
            score += by * ((visit["next_stage"] == declared["lost_stage"]) - is_lost)
            information += by * by * is_lost * (1 - is_lost)
    # The slope of the declared effects is 1 + score / information, and 1 if they hold. Effects
    # of nothing would lie more than the bound away.
    assert abs(score) < 4 * math.sqrt(information) < information


@pytest.mark.parametrize(
    ("record_type", "process"),
    [("lead", "lead_process"), ("opportunity", "opportunity_process")],
)
def test_transitions_have_their_probabilities(
    clean: Extracts, record_type: str, process: str
) -> None:
    """The whole matrix, skips, steps back and reopenings included, with everybody's effects."""
    parameters = clean.truth["parameters"]
    declared = parameters[process]
    found = visits(clean, record_type)
    lost = declared["lost_stage"]
    compared = 0
    for stage, row in declared["transitions"].items():
        here = [visit for visit in found if visit["stage"] == stage]
        for next_stage in row:
            observed = sum(visit["next_stage"] == next_stage for visit in here)
            mean = spread = 0.0
            for visit in here:
                probability = row[next_stage]
                if stage in declared["open_stages"]:
                    by = effect(parameters, record_type, visit)
                    is_lost = lost_with_effect(row, lost, by)
                    others = (1 - is_lost) / (1 - row[lost])
                    probability = is_lost if next_stage == lost else probability * others
                mean += probability
                spread += probability * (1 - probability)
            assert observed == pytest.approx(mean, abs=4.5 * math.sqrt(spread) + 1), (
                stage,
                next_stage,
            )
            compared += observed
    assert compared > 1000


@pytest.mark.parametrize(
    ("record_type", "process"),
    [("lead", "lead_process"), ("opportunity", "opportunity_process")],
)
def test_stays_have_their_medians(clean: Extracts, record_type: str, process: str) -> None:
    """Cycle times are held against these medians."""
    parameters = clean.truth["parameters"]
    declared = parameters[process]
    found = visits(clean, record_type)
    for stage in declared["open_stages"]:
        logarithms = []
        for visit in found:
            if visit["stage"] != stage or visit["next_stage"] is None or visit["seconds"] == 0:
                continue
            hours = visit["seconds"] / 3600
            if record_type == "opportunity":
                hours /= parameters["products"][visit["product"]]["deal_stay_factor"]
            if visit["next_stage"] == declared["lost_stage"]:
                hours /= declared["lost_stay_factor"]
            logarithms.append(math.log(hours))
        assert len(logarithms) > 100
        # The standard error of a median of normal values.
        error = 1.2533 * declared["stay_sigma"] / math.sqrt(len(logarithms))
        middle = math.log(declared["stay_median_hours"][stage])
        assert float(np.median(logarithms)) == pytest.approx(middle, abs=4 * error), stage


@pytest.mark.parametrize(
    ("record_type", "funnel", "ladder"),
    [
        ("lead", "lead_qualification", "New|Contacted|Need confirmed|Qualified|Converted"),
        ("opportunity", "sales_pipeline", "Prospecting|Qualified|Proposal|Negotiation|Closed Won"),
    ],
)
def test_records_get_as_far_as_expected(
    clean: Extracts, record_type: str, funnel: str, ladder: str
) -> None:
    """The expected rates are solved from the matrices; a slip there would fault the marts."""
    expected = clean.truth["expected"][funnel]["reach"]
    stages = ladder.split("|")
    positions = ", ".join(f"'{stage}': {number}" for number, stage in enumerate(stages))
    furthest = clean.rows(
        f"""
        with records_ as (
            select distinct on (record_id) record_id
            from records
            where record_type = '{record_type}' and created_at < '{EARLY}'
                and pipeline <> 'Partner'
        )
        select max(coalesce(map {{{positions}}}[
            case when stage like 'Proposal%' then 'Proposal' else stage end], 0))
        from stage_changes inner join records_ using (record_id) group by record_id
        """
    )
    # Partner deals have no history, and are as often won as others within some hundredths.
    slack = 0.0 if record_type == "lead" else 0.02
    depths = [depth for (depth,) in furthest]
    for number, stage in enumerate(stages):
        share = sum(depth >= number for depth in depths) / len(depths)
        error = math.sqrt(expected[stage] * (1 - expected[stage]) / len(depths))
        assert share == pytest.approx(expected[stage], abs=4 * error + slack), stage


def test_reach_of_a_chain_worked_by_hand() -> None:
    """An error in the solving would show as a bias of the extracts, and be looked for there."""
    process = Process(
        open_stages=("one", "two"),
        won_stage="won",
        lost_stage="lost",
        entry={"one": 0.9, "two": 0.1},
        transitions={
            "one": {"two": 0.5, "lost": 0.5},
            "two": {"one": 0.2, "won": 0.3, "lost": 0.5},
        },
        stay_median_hours={"one": 1.0, "two": 1.0},
        stay_sigma=1.0,
        lost_stay_factor=1.0,
        instant_share=0.0,
        lost_reasons={"price": 1.0},
    )
    # From "two": w2 = 0.3 + 0.2 w1, from "one": w1 = 0.5 w2, so w2 = 0.3 / 0.9 and w1 = 1/6.
    # Won from the start: 0.9 / 6 + 0.1 / 3 = 0.183333. "two" is reached by 0.9 × 0.5 + 0.1.
    reach = chain_reach(process, np.zeros(1))
    assert reach[0].tolist() == pytest.approx([1.0, 0.55, 0.183333], abs=1e-6)


def test_effects_move_the_odds_of_losing() -> None:
    """An effect with the wrong sign would make the best seller the worst."""
    process = Process(
        open_stages=("one",),
        won_stage="won",
        lost_stage="lost",
        entry={"one": 1.0},
        transitions={"one": {"won": 0.5, "lost": 0.5}},
        stay_median_hours={"one": 1.0},
        stay_sigma=1.0,
        lost_stay_factor=1.0,
        instant_share=0.0,
        lost_reasons={"price": 1.0},
    )
    # Odds of losing 1 become 1/3 with an effect of log 3: three in four win.
    reach = chain_reach(process, np.array([0.0, math.log(3)]))
    assert reach[:, 1].tolist() == pytest.approx([0.5, 0.75])
