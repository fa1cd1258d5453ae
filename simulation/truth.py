"""The rates that follow exactly from the parameters, for mature journeys.

Those of the company as it usually is, and under `planted` those of the days and visitors for which
something else is true.

They are worked out by summing over everybody's attributes and solving the Markov chains, not by
simulation, so that both the extracts and the warehouse's estimates can be held against them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.crm import deal_effects, lead_effects, transition_rows
from simulation.parameters import Parameters, Process
from simulation.planted import campaign_factor, searches
from simulation.randomness import Floats, Integers
from simulation.web import DEPTHS, demo_probabilities, reach_of, step_probabilities


def expected(parameters: Parameters) -> dict[str, Any]:
    """Expected rates by process, as JSON values rounded to six digits.

    `web_purchase` is given one visitor, `signup_activation` one user, the others one record.
    Step rates are from the stage before; reach is from the first stage. A deal that was won stays
    won here, also if it was undone. The matrices are those of records with no effects.
    """
    channels, devices, visitor_shares = _visitor_cells(parameters)
    steps = step_probabilities(parameters, channels, devices)
    reach = reach_of(steps)
    overall = visitor_shares @ reach
    by_channel = {}
    for number, channel in enumerate(parameters.channels):
        cells = channels == number
        by_channel[channel] = _named(
            DEPTHS, (visitor_shares[cells] @ reach[cells]) / visitor_shares[cells].sum()
        )

    leads = _lead_cells(parameters, channels, devices, visitor_shares * reach[:, 1])
    lead_reach = chain_reach(
        parameters.lead_process, lead_effects(parameters, leads["source"], leads["region"])
    )
    deals = _deal_cells(parameters, leads, leads["share"] * lead_reach[:, -1])
    deal_reach = chain_reach(parameters.opportunity_process, _effects(parameters, deals))
    return {
        "web_purchase": {
            "reach": _named(DEPTHS, overall),
            "step_rates": _named(DEPTHS[1:], overall[1:] / overall[:-1]),
            "reach_by_channel": by_channel,
            "repurchase_rate": parameters.repurchase,
        },
        "signup_activation": {"reach": _activation(parameters)},
        "lead_qualification": {
            "reach": _named(_ladder(parameters.lead_process), _mean(leads["share"], lead_reach)),
            "stay_median_hours": dict(parameters.lead_process.stay_median_hours),
        },
        "sales_pipeline": {
            "reach": _named(
                _ladder(parameters.opportunity_process), _mean(deals["share"], deal_reach)
            ),
            "win_rate_new": _round(
                _mean(deals["share"] * (deals["existing"] == 0), deal_reach)[-1]
            ),
            "win_rate_existing": _round(
                _mean(deals["share"] * (deals["existing"] == 1), deal_reach)[-1]
            ),
            "stay_median_hours": dict(parameters.opportunity_process.stay_median_hours),
        },
        "planted": _planted(parameters, channels, visitor_shares, reach),
    }


def _planted(
    parameters: Parameters, channels: Integers, shares: Floats, reach: Floats
) -> dict[str, Any]:
    """What is true of landings, experiments and the incident, as rates of visitors."""
    planted = parameters.planted
    overall = shares @ reach
    landings = planted.landings.items()
    experiments = {}
    for name, one in planted.experiments.items():
        both = overall[DEPTHS.index(one.depth)]
        first = 2.0 * both / (1.0 + one.lift)
        rates = _named(one.variants, np.array([first, one.lift * first]))
        experiments[name] = {"stage": one.depth, "overall_rates": rates}
    carts = reach[:, 2] / reach[:, 1]
    with_cart, without = (
        searches(parameters, carts, np.full(len(shares), depth)) for depth in (2, 1)
    )
    incident = planted.incident
    cells = channels == list(parameters.channels).index(incident.channel)
    step = DEPTHS.index(incident.step)
    through = shares[cells] @ reach[cells]
    usual = through[step] / through[step - 1]
    return {
        "landing": {
            "usual": {name: _round(overall[1] * one.looks) for name, one in landings},
            "usual_total": _round(overall[1]),
            "campaign": {name: _round(overall[1] * one.campaign_looks) for name, one in landings},
            "campaign_total": _round(overall[1] * campaign_factor(parameters)),
        },
        "experiments": experiments,
        "incident": {
            "usual_step_rate": _round(usual),
            "step_rate": _round(usual * incident.factor),
        },
        "invited": dict(planted.invited),
        "search": {
            "odds_ratio": planted.search_odds,
            "with_cart": _round(_mean(shares * reach[:, 2], with_cart).item()),
            "without_cart": _round(_mean(shares * (reach[:, 1] - reach[:, 2]), without).item()),
        },
    }


def chain_reach(process: Process, effects: Floats) -> Floats:
    """Probability to get to each ladder stage or beyond it: members × stages of the ladder.

    Shape of `effects`: members. Skipped stages count as reached, as in a CRM pipeline.
    """
    stages = len(process.stages)
    ladder = len(process.open_stages) + 1
    entry = np.array([process.entry.get(name, 0.0) for name in process.open_stages])
    matrices = np.stack(
        [
            transition_rows(process, np.full(len(effects), stage), effects)
            for stage in range(stages)
        ],
        axis=1,
    )
    reach = np.ones((len(effects), ladder))
    for target in range(1, ladder):
        # What lies below the target, the lost stage included: from there one may still get to it.
        below = [*range(target), stages - 1]
        within = matrices[:, below][:, :, below]
        hit = matrices[:, below][:, :, target:ladder].sum(axis=2)
        solved = np.linalg.solve(np.eye(len(below)) - within, hit[:, :, np.newaxis])[:, :, 0]
        started = sum(
            entry[stage] * (solved[:, stage] if stage < target else 1.0)
            for stage in range(len(entry))
        )
        reach[:, target] = started
    return reach


def _ladder(process: Process) -> tuple[str, ...]:
    return (*process.open_stages, process.won_stage)


def _visitor_cells(parameters: Parameters) -> tuple[Integers, Integers, Floats]:
    by_channel = _normal(list(parameters.channels.values()))
    by_device = _normal(list(parameters.devices.values()))
    channels, devices = np.meshgrid(
        np.arange(len(by_channel)), np.arange(len(by_device)), indexing="ij"
    )
    shares = by_channel[:, np.newaxis] * by_device[np.newaxis, :]
    return channels.ravel(), devices.ravel(), shares.ravel()


def _lead_cells(
    parameters: Parameters, channels: Integers, devices: Integers, viewers: Floats
) -> dict[str, Any]:
    """Leads by source and region; the shares of sources are those of an average week."""
    regions = _normal(list(parameters.regions.values()))
    asking = viewers * demo_probabilities(parameters, channels, devices)
    # Visitors come at the weekend too, other leads do not.
    visitors_a_week = 5.0 + 2.0 * parameters.weekend_factor
    by_source = np.zeros(len(parameters.sources))
    np.add.at(by_source, channels, asking * visitors_a_week)
    first = len(parameters.channels)
    offline = _normal(list(parameters.offline_sources.values()))
    by_source[first : first + len(offline)] = offline * 5.0 * parameters.offline_leads_per_visitor
    source, region = np.meshgrid(np.arange(len(by_source)), np.arange(len(regions)), indexing="ij")
    share = by_source[:, np.newaxis] * regions[np.newaxis, :]
    return {"source": source.ravel(), "region": region.ravel(), "share": share.ravel()}


def _deal_cells(parameters: Parameters, leads: dict[str, Any], converted: Floats) -> dict[str, Any]:
    """Deals by source, owner, product and kind of customer, in numbers an average week has."""
    regions = _normal(list(parameters.regions.values()))
    sources, owners = len(parameters.sources), len(parameters.owner_effects)
    a_region = owners // len(regions)
    products = _normal([item.share for item in parameters.products.values()])
    new = np.zeros((sources, len(regions)))
    np.add.at(new, (leads["source"], leads["region"]), converted)
    partner = parameters.sources.index(parameters.partner_source)
    new[partner] += 5.0 * parameters.partner_deals_per_visitor * regions
    by_owner = np.repeat(new / a_region, a_region, axis=1)
    cells = by_owner[:, :, np.newaxis] * products

    source, owner, product = np.meshgrid(
        np.arange(sources), np.arange(owners), np.arange(len(products)), indexing="ij"
    )
    found: dict[str, Any] = {
        "source": source.ravel(),
        "owner": owner.ravel(),
        "product": product.ravel(),
        "existing": np.zeros(source.size, dtype=np.int64),
        "share": cells.ravel(),
    }
    parts, last = [found], found
    for _ in range(3):
        won = chain_reach(parameters.opportunity_process, _effects(parameters, last))[:, -1]
        follows = (last["share"] * won * parameters.further_deal).reshape(cells.shape)
        by_product = follows.sum(axis=2)[:, :, np.newaxis] * products
        last = found | {
            "existing": np.ones(source.size, dtype=np.int64),
            "share": by_product.ravel(),
        }
        parts.append(last)
    return {name: np.concatenate([part[name] for part in parts]) for name in found}


def _effects(parameters: Parameters, deals: dict[str, Any]) -> Floats:
    return deal_effects(
        parameters, deals["source"], deals["owner"], deals["product"], deals["existing"]
    )


def _activation(parameters: Parameters) -> dict[str, float]:
    """Reach of the steps after the sign-up; a passed-over e-mail verification is reached."""
    steps = dict(parameters.activation_steps)
    steps["email_verified"] = (
        parameters.single_sign_on
        + (1.0 - parameters.single_sign_on) * parameters.activation_steps["email_verified"]
    )
    # Whoever signs on once and goes no further is not seen beyond the sign-up.
    seen = _round(
        (1.0 - parameters.single_sign_on) * parameters.activation_steps["email_verified"]
        + parameters.single_sign_on * parameters.activation_steps["profile_completed"]
    )
    reach = _named(tuple(steps), np.cumprod(np.array(list(steps.values()))))
    return {"sign_up": 1.0, **reach, "email_verified": seen}


def _mean(shares: Floats, values: Floats) -> Floats:
    return np.asarray(shares @ values / shares.sum())


def _normal(shares: list[float]) -> Floats:
    values = np.array(shares)
    return np.asarray(values / values.sum())


def _named(names: tuple[str, ...], values: Floats) -> dict[str, float]:
    return {name: _round(value) for name, value in zip(names, values, strict=True)}


def _round(value: float) -> float:
    return round(float(value), 6)
