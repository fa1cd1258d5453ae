"""What is planted in the web side: a reversal by the mix, experiments, an incident.

The figures belong to `parameters`. What does not change the company as a whole is drawn after the
fact: who got which variant of an experiment is drawn given how far they got, with the chances that
follow by Bayes' rule. Both together are as if it had been drawn the other way round, and nothing
else of the company hangs on what is planted in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from simulation.columns import NONE
from simulation.days import midnight
from simulation.parameters import Experiment, Parameters
from simulation.randomness import Flags, Floats, Integers, Keys, happens, uniform


def disturbed(
    parameters: Parameters, steps: Floats, channels: Integers, midnights: Integers
) -> Floats:
    """The probabilities of the web steps on the days on which visitors come: rows × steps."""
    planted = parameters.planted
    names = list(parameters.web_steps)
    found = steps.copy()
    found[_on_days(midnights, *planted.campaign), names.index("product_view")] *= campaign_factor(
        parameters
    )
    incident = planted.incident
    hit = _on_days(midnights, incident.first_day, incident.last_day)
    hit &= channels == list(parameters.channels).index(incident.channel)
    found[hit, names.index(incident.step)] *= incident.factor
    return found


def campaign_factor(parameters: Parameters) -> float:
    """How many times as many of all visitors look at a product in the campaign."""
    landings = parameters.planted.landings.values()
    return sum(one.campaign_share * one.campaign_looks for one in landings)


def landings(
    parameters: Parameters, of: Keys, looks: Floats, looked: Flags, midnights: Integers
) -> Integers:
    """Where each visitor landed, as a position in the declared landings.

    `looks` is how probable it was, on a usual day, to look at a product, and `looked` who did.
    """
    kinds = list(parameters.planted.landings.values())
    in_campaign = _on_days(midnights, *parameters.planted.campaign)[:, np.newaxis]
    share = np.where(
        in_campaign, [one.campaign_share for one in kinds], [one.share for one in kinds]
    )
    factor = np.where(
        in_campaign, [one.campaign_looks for one in kinds], [one.looks for one in kinds]
    )
    chance = looks[:, np.newaxis] * factor
    weights = share * np.where(looked[:, np.newaxis], chance, 1.0 - chance)
    bounds = np.cumsum(weights, axis=1)
    drawn = uniform(of, "landing") * bounds[:, -1]
    return np.asarray((drawn[:, np.newaxis] >= bounds[:, :-1]).sum(axis=1).astype(np.int8))


def variants(
    parameters: Parameters, of: Keys, reach: Floats, depth: Integers, midnights: Integers
) -> Mapping[str, Integers]:
    """The variant of each visitor by experiment, as a position; NONE for those not in it.

    `reach` is the probability to get to each depth or beyond it, rows × depths, and `depth` the
    one that each visitor got to.
    """
    found = {}
    depths = ("visit", *parameters.web_steps)
    for name, experiment in parameters.planted.experiments.items():
        place = depths.index(experiment.depth)
        second = _second_variant(experiment, reach[:, place], depth >= place)
        is_second = happens(of, f"experiment {name}", second)
        takes_part = _on_days(midnights, experiment.first_day, experiment.last_day)
        found[name] = np.where(takes_part, is_second, NONE).astype(np.int8)
    return found


def searches(parameters: Parameters, carts: Floats, depth: Integers) -> Floats:
    """How probable a search is in each session of visitors, given how far they got.

    `carts` is how probable a cart was of those who look at a product.
    """
    share, odds = parameters.search, parameters.planted.search_odds
    usual = np.full(len(depth), share)
    if odds == 1.0:
        return usual
    # R. L. Plackett, A Class of Bivariate Distributions, Journal of the American Statistical
    # Association 60 (1965): how many do both, of given shares of both and these odds.
    total = 1.0 + (share + carts) * (odds - 1.0)
    both = (total - np.sqrt(total**2 - 4.0 * odds * (odds - 1.0) * share * carts)) / (
        2.0 * (odds - 1.0)
    )
    looked, filled = depth >= 1, depth >= 2
    chances = np.where(filled, both / carts, (share - both) / (1.0 - carts))
    return np.where(looked, chances, usual)


def _second_variant(experiment: Experiment, reach: Floats, reached: Flags) -> Floats:
    """The probability to have had the second variant, of those who got so far and who did not."""
    with_first = 2.0 * reach / (1.0 + experiment.lift)
    with_second = with_first * experiment.lift
    return np.where(
        reached,
        experiment.lift / (1.0 + experiment.lift),
        (1.0 - with_second) / np.maximum(2.0 - with_first - with_second, 1e-9),
    )


def _on_days(midnights: Integers, first_day: str, last_day: str) -> Flags:
    first, last = (midnight(date.fromisoformat(day)) for day in (first_day, last_day))
    return np.asarray((midnights >= first) & (midnights <= last))
