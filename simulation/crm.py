"""The CRM side of the company: leads, opportunities, accounts, contacts, activities, deal orders.

Rows are numbers and codes; how they are spelled in a file belongs to `formats`, the figures to
`parameters`. Instants are whole seconds, as CRMs keep them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.columns import NEVER, NONE, Columns, rows_of, stack, take
from simulation.days import DAY, HOUR, SECOND, Kind, in_office_hours, is_workday, members, whole
from simulation.parameters import Parameters, Process
from simulation.randomness import (
    Floats,
    Integers,
    Keys,
    child_keys,
    choice,
    geometric,
    happens,
    keys,
    lognormal,
    uniform,
)
from simulation.web import Web, currencies

LEAD, OPPORTUNITY = 0, 1
RECORD_TYPES = ("lead", "opportunity")
PIPELINES = ("Inbound", "New business", "Existing business", "Partner")
COMPANY_SIZES = ("1-49", "50-249", "250-999", "1000+")
COMPANY_SIZE_SHARES = (0.45, 0.32, 0.16, 0.07)
EMPLOYEES = (20, 120, 500, 4000)
INDUSTRIES = (
    "offices, shared",
    "health care",
    "education",
    "public sector",
    "crafts",
    "Gastgewerbe & Cafés",
)
JOB_TITLES = ("Buyer", "Buyer, senior", "Office manager", "Leiter Einkauf", "Managing director")
ACTIVITY_TYPES = ("call", "email", "meeting", "demo")
NEXT_STEPS = ("call back", "send the offer", "visit", "ask for the budget")
COMPETITORS = ("a cheaper one", "the one they had", "their own people")
FIELDS = ("owner_id", "amount", "expected_close_date")
ORDER_STATUSES = ("completed", "refunded", "cancelled")

# Deals of one customer, one after the other.
_MOST_DEALS = 4
# No history is longer; the parameters make one in a million that long.
_MOST_STEPS = 60
# What kinds of update a record has besides those of its stage; of equal instants the stage first.
_STAGE_UPDATE, _OTHER_UPDATE, _ABSORPTION = 0, 1, 2


@dataclass(frozen=True)
class Crm:
    """What the CRM side did in some cohorts: rows for the extracts, with their delivery."""

    records: Columns
    stage_changes: Columns
    field_changes: Columns
    activities: Columns
    accounts: Columns
    contacts: Columns
    orders: Columns


def stage_texts(parameters: Parameters) -> tuple[str, ...]:
    """The stages as the CRM spells them. Positions are codes: see `_stage_codes`."""
    leads, deals = parameters.lead_process, parameters.opportunity_process
    return (
        *leads.open_stages,
        leads.won_stage,
        *(f"{leads.lost_stage} - {reason}" for reason in leads.lost_reasons),
        *deals.stages,
        parameters.renamed_stage[1],
    )


def reason_texts(parameters: Parameters) -> tuple[str, ...]:
    """Why leads, then why opportunities are lost. Positions are codes."""
    leads, deals = parameters.lead_process, parameters.opportunity_process
    return (*leads.lost_reasons, *deals.lost_reasons)


def simulate(parameters: Parameters, seed: int, days: Sequence[date], web: Web) -> Crm:
    """Follow the leads and partner deals of `days`, and all that comes of them, to the end."""
    leads = _leads(parameters, seed, days, web)
    lead_steps = histories(
        parameters.lead_process,
        leads["key"],
        leads["created"],
        lead_effects(parameters, leads["source"], leads["region"]),
        np.ones(rows_of(leads)),
    )
    converted = len(parameters.lead_process.open_stages)
    leads["converted"] = _first(lead_steps, converted, rows_of(leads))

    opportunities, opportunity_steps = _opportunities(parameters, seed, days, leads)
    opportunities = _with_changes(parameters, opportunities, opportunity_steps)
    leads = _with_changes(parameters, leads, lead_steps)
    lead_rows = _extracts(parameters, leads, lead_steps)
    opportunity_rows = _extracts(parameters, opportunities, opportunity_steps)
    first_deals = opportunities["deal"] == 0
    won = len(parameters.opportunity_process.open_stages)
    customer_since = _first(opportunity_steps, won, rows_of(opportunities))
    accounts, contacts = _accounts(
        parameters, take(opportunities, first_deals), customer_since[first_deals]
    )
    return Crm(
        records=stack([lead_rows["records"], opportunity_rows["records"]]),
        stage_changes=stack([lead_rows["stage_changes"], opportunity_rows["stage_changes"]]),
        field_changes=opportunity_rows["field_changes"],
        activities=stack([lead_rows["activities"], opportunity_rows["activities"]]),
        accounts=accounts,
        contacts=contacts,
        orders=_deal_orders(parameters, opportunities, opportunity_steps),
    )


def stage_lists(parameters: Parameters, listed: Integers) -> Columns:
    """The stages of deals as the CRM knows them at some instants; those no longer used included."""
    leads, deals = parameters.lead_process, parameters.opportunity_process
    of_leads = len(leads.stages) - 1 + len(leads.lost_reasons)
    open_stages = len(deals.open_stages)
    replaced = deals.open_stages.index(parameters.renamed_stage[0])
    # The new name stands at the place of the old one.
    place = np.append(np.arange(len(deals.stages)), replaced)
    number = np.tile(np.arange(len(place)), len(listed))
    instant = np.repeat(listed, len(place))
    is_replaced = instant >= _renamed_from(parameters)
    rows = {
        "stage": (of_leads + number).astype(np.int8),
        "place": place[number],
        "is_closed": place[number] >= open_stages,
        "is_won": place[number] == open_stages,
        "is_active": (number != replaced) | ~is_replaced,
        "delivered": instant,
    }
    return take(rows, (number < len(deals.stages)) | is_replaced)


def lead_effects(parameters: Parameters, sources: Integers, regions: Integers) -> Floats:
    """The effect on each lead's chances, on the logit."""
    by_source = np.array([parameters.source_effects[name] for name in parameters.sources])
    by_region = np.array([parameters.region_effects[name] for name in parameters.regions])
    return np.asarray(by_source[sources] + by_region[regions])


def deal_effects(
    parameters: Parameters,
    sources: Integers,
    owners: Integers,
    products: Integers,
    is_existing: Integers,
) -> Floats:
    """The effect on each opportunity's chances, on the logit."""
    by_source = np.array([parameters.source_effects[name] for name in parameters.sources])
    by_owner = np.array(parameters.owner_effects)
    by_product = np.array([item.deal_effect for item in parameters.products.values()])
    existing = np.where(is_existing, parameters.existing_customer_effect, 0.0)
    return np.asarray(by_source[sources] + by_owner[owners] + by_product[products] + existing)


def transition_rows(process: Process, stages: Integers, effects: Floats) -> Floats:
    """Probability of each next stage: rows × stages. What is missing to 1 is the end."""
    matrix = np.array(
        [
            [process.transitions.get(origin, {}).get(name, 0.0) for name in process.stages]
            for origin in process.stages
        ]
    )
    rows = matrix[stages]
    lost = len(process.stages) - 1
    is_open = stages < len(process.open_stages)
    odds = rows[:, lost] / (1.0 - rows[:, lost]) * np.exp(-effects)
    new_lost = np.where(is_open, odds / (1.0 + odds), rows[:, lost])
    rows = rows * ((1.0 - new_lost) / (1.0 - rows[:, lost]))[:, np.newaxis]
    rows[:, lost] = new_lost
    return np.asarray(rows)


def histories(
    process: Process, of: Keys, start: Integers, effects: Floats, stay_factors: Floats
) -> Columns:
    """All stages that each member enters: `member`, `step`, `stage` (a position) and `at`.

    Ordered by member and step. No history ends with the simulation: what lies beyond it is left
    out where it would be delivered.
    """
    stages = process.stages
    lost = len(stages) - 1
    medians = np.array([process.stay_median_hours.get(name, 0.0) for name in stages]) * HOUR
    entry = choice(of, "entry", [process.entry.get(name, 0.0) for name in process.open_stages])

    member = np.arange(len(of))
    stage, at = entry.astype(np.int64), start
    parts = [_steps(member, 0, stage, at)]
    for step in range(1, _MOST_STEPS):
        key = of[member]
        bounds = np.cumsum(transition_rows(process, stage, effects[member]), axis=1)
        drawn = uniform(key, "transition", step)[:, np.newaxis]
        following = (drawn >= bounds).sum(axis=1)
        stay = medians[stage] * stay_factors[member]
        stay = stay * np.where(following == lost, process.lost_stay_factor, 1.0)
        spent = whole(lognormal(key, "stay", stay, process.stay_sigma, step), SECOND) + SECOND
        spent[happens(key, "instant", process.instant_share, step)] = 0
        goes_on = following < len(stages)
        member, stage, at = member[goes_on], following[goes_on], (at + spent)[goes_on]
        if not len(member):
            break
        parts.append(_steps(member, step, stage, at))
    steps = stack(parts)
    return take(steps, np.lexsort((steps["step"], steps["member"])))


def _steps(member: Integers, step: int, stage: Integers, at: Integers) -> Columns:
    number = np.full(len(member), step, dtype=np.int64)
    return {"member": member, "step": number, "stage": stage, "at": at}


def _first(steps: Columns, stage: int, members: int) -> Integers:
    """When each member first entered the stage; NEVER where it did not."""
    rows = steps["stage"] == stage
    found = np.full(members, NEVER, dtype=np.int64)
    np.minimum.at(found, steps["member"][rows], steps["at"][rows])
    return found


def _leads(parameters: Parameters, seed: int, days: Sequence[date], web: Web) -> Columns:
    visitor = web.demos["visitor"]
    number = web.visitors["number"][visitor]
    key = keys(seed, "lead", number)
    form = {
        "number": number,
        "key": key,
        # The form's message becomes a lead within two minutes.
        "created": whole(web.demos["occurred"].astype(float), SECOND)
        + whole(uniform(key, "form") * 90 * SECOND, SECOND)
        + 30 * SECOND,
        "source": web.visitors["channel"][visitor].astype(np.int64),
        "region": web.visitors["region"][visitor],
        "product": web.visitors["product"][visitor],
        "user": web.visitors["user"][visitor],
    }
    means = [
        parameters.visitors_per_day * parameters.offline_leads_per_visitor if is_workday(day) else 0
        for day in days
    ]
    number, midnights = members(seed, Kind.OFFLINE_LEAD, days, means)
    key = keys(seed, "lead", number)
    source = choice(key, "source", list(parameters.offline_sources.values()))
    offline = _unknown_people(parameters, number, key, midnights)
    offline["source"] = source.astype(np.int64) + len(parameters.channels)
    leads = stack([form, {name: offline[name] for name in form}])
    return _with_company(parameters, leads)


def _unknown_people(
    parameters: Parameters, number: Integers, key: Keys, midnights: Integers
) -> Columns:
    """People who did not come by the web."""
    region = choice(key, "region", list(parameters.regions.values()))
    return {
        "number": number,
        "key": key,
        "created": in_office_hours(key, midnights, region),
        "source": np.zeros(len(number), dtype=np.int64),
        "region": region,
        "product": choice(key, "product", [item.share for item in parameters.products.values()]),
        "user": np.full(len(number), NONE, dtype=np.int64),
    }


def _with_company(parameters: Parameters, leads: Columns) -> Columns:
    """Add what every record has, as it is for a lead."""
    of, rows = leads["key"], len(leads["key"])
    a_region = len(parameters.owner_effects) // len(parameters.regions)
    seller = np.floor(uniform(of, "owner") * a_region).astype(np.int64)
    return leads | {
        "type": np.full(rows, LEAD, dtype=np.int8),
        "deal": np.full(rows, NONE, dtype=np.int8),
        "pipeline": np.zeros(rows, dtype=np.int8),
        "owner": leads["region"] * a_region + seller,
        "size": choice(of, "company size", COMPANY_SIZE_SHARES),
        "existing": np.zeros(rows, dtype=np.int8),
        "account": np.full(rows, NONE, dtype=np.int64),
        "currency": currencies(parameters, of, leads["region"]),
        "converted": np.full(rows, NEVER, dtype=np.int64),
        "estimate": np.full(rows, NONE, dtype=np.int64),
        "cents": np.full(rows, NONE, dtype=np.int64),
    }


def _opportunities(
    parameters: Parameters, seed: int, days: Sequence[date], leads: Columns
) -> tuple[Columns, Columns]:
    """Opportunities of leads, of partners and of customers who come back, and their steps."""
    from_leads = take(leads, leads["converted"] < NEVER)
    from_leads["created"] = from_leads["converted"]
    from_leads["key"] = child_keys(from_leads["key"], "opportunity")
    from_leads["pipeline"] = np.full(rows_of(from_leads), PIPELINES.index("New business"), np.int8)

    means = [
        parameters.visitors_per_day * parameters.partner_deals_per_visitor if is_workday(day) else 0
        for day in days
    ]
    number, midnights = members(seed, Kind.PARTNER_DEAL, days, means)
    partner = _unknown_people(parameters, number, keys(seed, "partner deal", number), midnights)
    partner["source"] += parameters.sources.index(parameters.partner_source)
    partner = _with_company(parameters, partner)
    partner["pipeline"] = np.full(rows_of(partner), PIPELINES.index("Partner"), np.int8)

    deals = stack([from_leads, {name: partner[name] for name in from_leads}])
    parts, step_parts, before = [], [], 0
    for deal in range(_MOST_DEALS):
        deals = _as_deals(parameters, deals, deal)
        steps = _deal_histories(parameters, deals)
        parts.append(deals)
        step_parts.append(steps | {"member": steps["member"] + before})
        before += rows_of(deals)
        deals = _further_deals(parameters, deals, steps)
    return stack(parts), stack(step_parts)


def _as_deals(parameters: Parameters, deals: Columns, deal: int) -> Columns:
    of, rows = deals["key"], rows_of(deals)
    products = list(parameters.products.values())
    unit = np.array(list(parameters.currency_units.values()))[deals["currency"]]
    median = np.array([item.deal_amount_median for item in products])[deals["product"]] / unit
    amount = lognormal(of, "amount", median, parameters.deal_amount_sigma)
    estimate = lognormal(of, "estimate", amount, parameters.estimate_sigma)
    return deals | {
        "type": np.full(rows, OPPORTUNITY, dtype=np.int8),
        "deal": np.full(rows, deal, dtype=np.int8),
        "account": deals["number"],
        "converted": np.full(rows, NEVER, dtype=np.int64),
        # People estimate in hundreds and quote to the cent.
        "estimate": whole(estimate, 100) * 100,
        "cents": whole(amount * 100.0, 1),
    }


def _deal_histories(parameters: Parameters, deals: Columns) -> Columns:
    effects = deal_effects(
        parameters, deals["source"], deals["owner"], deals["product"], deals["existing"]
    )
    factors = np.array([item.deal_stay_factor for item in parameters.products.values()])
    return histories(
        parameters.opportunity_process,
        deals["key"],
        deals["created"],
        effects,
        factors[deals["product"]],
    )


def _further_deals(parameters: Parameters, deals: Columns, steps: Columns) -> Columns:
    """The deals that follow a first win, with the same customer and seller."""
    won_at = _first(steps, len(parameters.opportunity_process.open_stages), rows_of(deals))
    follows = (won_at < NEVER) & happens(deals["key"], "further deal", parameters.further_deal)
    further, won_at = take(deals, follows), won_at[follows]
    of = child_keys(further["key"], "further deal")
    rows = len(of)
    gap = lognormal(
        of,
        "gap",
        parameters.further_deal_gap_median_hours * HOUR,
        parameters.further_deal_gap_sigma,
    )
    pipeline = np.where(
        further["pipeline"] == PIPELINES.index("Partner"),
        PIPELINES.index("Partner"),
        PIPELINES.index("Existing business"),
    )
    return further | {
        "key": of,
        "created": won_at + whole(gap, SECOND),
        "product": choice(of, "product", [item.share for item in parameters.products.values()]),
        "pipeline": pipeline.astype(np.int8),
        "existing": np.ones(rows, dtype=np.int8),
    }


def _extracts(parameters: Parameters, records: Columns, steps: Columns) -> dict[str, Columns]:
    """All rows about leads or about opportunities that the CRM delivers."""
    twins, twin_steps = _twins(parameters, records, steps)
    records["absorbed"][twins["of"]] = twins["merged"]
    steps = stack([steps, twin_steps | {"member": twin_steps["member"] + rows_of(records)}])
    records = stack([records, {name: twins[name] for name in records}])
    return {
        "records": _record_rows(parameters, records, steps),
        "stage_changes": _stage_change_rows(parameters, records, steps),
        "field_changes": _field_change_rows(parameters, records),
        "activities": _activity_rows(parameters, records, steps),
    }


def _with_changes(parameters: Parameters, records: Columns, steps: Columns) -> Columns:
    """Add when and how each record changes besides its stage."""
    of, rows, created = records["key"], rows_of(records), records["created"]
    dirt = parameters.dirt
    is_deal = records["type"] == OPPORTUNITY
    process = parameters.opportunity_process
    proposal = process.open_stages.index(parameters.renamed_stage[0])
    negotiation = len(process.open_stages) - 1
    late_stages = (steps["stage"] >= proposal) & (steps["stage"] <= len(process.open_stages))
    quoted = np.full(rows, NEVER, dtype=np.int64)
    np.minimum.at(quoted, steps["member"][late_stages], steps["at"][late_stages])
    negotiated = _first(steps, negotiation, rows)
    left = np.full(rows, NEVER, dtype=np.int64)
    after = steps["at"] > negotiated[steps["member"]]
    np.minimum.at(left, steps["member"][after], steps["at"][after])
    # Half-way through the first negotiation, if it lasts for more than an hour.
    cut = is_deal & happens(of, "discount", parameters.discounts)
    cut &= (left < NEVER) & (left > np.where(negotiated < NEVER, negotiated, 0) + HOUR)
    middle = negotiated + whole((left - negotiated) * 0.5 * cut, SECOND)

    a_region = len(parameters.owner_effects) // len(parameters.regions)
    owner = records["owner"]
    other = owner // a_region * a_region + (owner % a_region + 1) % a_region
    handed = is_deal & happens(of, "owner change", parameters.owner_changes)
    postponed = is_deal & happens(of, "postponed", parameters.postponed_closes)
    factors = np.array([item.deal_stay_factor for item in parameters.products.values()])
    expected = created // DAY + np.rint(45 * factors[records["product"]]).astype(np.int64)
    last = np.zeros(rows, dtype=np.int64)
    np.maximum.at(last, steps["member"], steps["at"])
    deleted = happens(of, "deleted", dirt.deleted_records)

    def within(draw: str, days: float) -> Integers:
        return whole(uniform(of, draw) * days * DAY, SECOND) + HOUR

    return records | {
        "twin": np.zeros(rows, dtype=bool),
        "new_owner": np.where(handed, other, owner),
        "handed": np.where(handed, created + within("handed at", 30), NEVER),
        "quoted": np.where(is_deal, quoted, NEVER),
        "discounted": np.where(cut, middle, NEVER),
        "final_cents": np.where(
            cut, np.floor(records["cents"] * parameters.discount_factor), records["cents"]
        ).astype(np.int64),
        "expected": np.where(is_deal, expected, NONE),
        "postponed": np.where(postponed, created + within("postponed at", 40), NEVER),
        "deleted": np.where(deleted, last + within("deleted at", 20), NEVER),
        "merged": np.full(rows, NEVER, dtype=np.int64),
        "absorbed": np.full(rows, NEVER, dtype=np.int64),
        "last": last,
        "reason": _reasons(parameters, records),
        "has_history": records["pipeline"] != PIPELINES.index("Partner"),
        "untidy": happens(of, "untidy", dirt.untidy_emails),
    }


def _reasons(parameters: Parameters, records: Columns) -> Integers:
    """Why each record is lost if it is, as a position in the reasons of its process."""
    is_lead = records["type"] == LEAD
    leads = _shares(parameters.lead_process.lost_reasons)
    deals = _shares(parameters.opportunity_process.lost_reasons)
    key = records["key"]
    return np.where(is_lead, choice(key, "reason", leads), choice(key, "reason", deals))


def _shares(of: Mapping[str, float]) -> list[float]:
    return list(of.values())


def _twins(parameters: Parameters, records: Columns, steps: Columns) -> tuple[Columns, Columns]:
    """Records that were entered twice, while the first was in its first stage, and merged."""
    second = np.flatnonzero(steps["step"] == 1)
    member = steps["member"][second]
    stay = steps["at"][second] - steps["at"][second - 1]
    doubled = (steps["stage"][second - 1] == 0) & (stay > 20 * 60 * SECOND)
    doubled &= records["has_history"][member]
    doubled &= happens(records["key"][member], "twin", parameters.dirt.merged_records)
    twins, stay = take(records, member[doubled]), stay[doubled]
    of = child_keys(twins["key"], "twin")
    created = twins["created"] + whole(
        (0.1 + 0.8 * uniform(of, "created")) * np.minimum(stay, DAY), SECOND
    )
    rows = len(of)
    never = np.full(rows, NEVER, dtype=np.int64)
    twins = twins | {
        "key": of,
        "of": member[doubled],
        "twin": np.ones(rows, dtype=bool),
        "created": created,
        "merged": created + HOUR + whole(uniform(of, "merged") * 2 * DAY, SECOND),
        "absorbed": never,
        "handed": never,
        "quoted": never,
        "discounted": never,
        "postponed": never,
        "deleted": never,
        "converted": never,
        "last": created,
        "untidy": ~twins["untidy"],
    }
    return twins, _steps(np.arange(rows), 0, np.zeros(rows, dtype=np.int64), created)


def _cents(records: Columns, member: Integers, at: Integers) -> Integers:
    """The amount of each record at an instant."""
    quoted = np.where(
        at >= records["discounted"][member],
        records["final_cents"][member],
        records["cents"][member],
    )
    return np.where(at >= records["quoted"][member], quoted, records["estimate"][member])


def _stage_codes(
    parameters: Parameters, records: Columns, member: Integers, stage: Integers, at: Integers
) -> Integers:
    """How the stage is spelled at an instant, as a position in `stage_texts`."""
    leads, deals = parameters.lead_process, parameters.opportunity_process
    is_lead = records["type"][member] == LEAD
    lost = len(leads.stages) - 1
    as_lead = np.where(stage == lost, lost + records["reason"][member], stage)
    first_deal = lost + len(leads.lost_reasons)
    is_renamed = (stage == deals.open_stages.index(parameters.renamed_stage[0])) & (
        at >= _renamed_from(parameters)
    )
    as_deal = np.where(is_renamed, first_deal + len(deals.stages), first_deal + stage)
    return np.where(is_lead, as_lead, as_deal).astype(np.int8)


def _renamed_from(parameters: Parameters) -> int:
    return (parameters.rename_date - date(1970, 1, 1)).days * DAY


def _record_rows(parameters: Parameters, records: Columns, steps: Columns) -> Columns:
    """The state of each record at the end of each day on which it changed.

    And, as `is_absorption`, when another was merged into it, which only some systems tell of it.
    """
    member, at = [steps["member"]], [steps["at"]]
    stage, rank = [steps["stage"]], [np.full(rows_of(steps), _STAGE_UPDATE)]
    for name in ("handed", "discounted", "postponed", "deleted", "merged", "absorbed"):
        changed = np.flatnonzero(records[name] < NEVER)
        member.append(changed)
        at.append(records[name][changed])
        stage.append(np.full(len(changed), NONE))
        kind = _ABSORPTION if name == "absorbed" else _OTHER_UPDATE
        rank.append(np.full(len(changed), kind))
    members, instants = np.concatenate(member), np.concatenate(at)
    stages, ranks = np.concatenate(stage), np.concatenate(rank)
    step = np.concatenate([steps["step"], np.zeros(len(members) - rows_of(steps), dtype=np.int64)])
    order = np.lexsort((step, ranks, instants, members))
    members, instants, stages, ranks = (
        members[order],
        instants[order],
        stages[order],
        ranks[order],
    )

    # Every record's first row has a stage, so that none is carried over from another record.
    latest = np.maximum.accumulate(np.where(stages == NONE, 0, np.arange(len(stages))))
    current, entered = stages[latest], instants[latest]
    of_day = np.flatnonzero(ranks != _ABSORPTION)
    day, whose = instants[of_day] // DAY, members[of_day]
    is_last = np.ones(len(of_day), dtype=bool)
    is_last[:-1] = (whose[1:] != whose[:-1]) | (day[1:] != day[:-1])
    kept = np.append(of_day[is_last], np.flatnonzero(ranks == _ABSORPTION))
    member_, at_, current, entered = members[kept], instants[kept], current[kept], entered[kept]

    records_ = take(records, member_)
    is_lead = records_["type"] == LEAD
    open_stages = np.where(
        is_lead,
        len(parameters.lead_process.open_stages),
        len(parameters.opportunity_process.open_stages),
    )
    is_converted = at_ >= records_["converted"]
    key = child_keys(records_["key"], "record row", at_)
    is_planned = ~is_lead & (current < open_stages) & happens(key, "has next step", 0.7)
    reasons = np.array(list(parameters.opportunity_process.lost_reasons))
    reason = reasons[np.minimum(records_["reason"], len(reasons) - 1)]
    is_beaten = ~is_lead & (current > open_stages) & (reason == "competitor")
    rows = {
        "type": records_["type"],
        "number": records_["number"],
        "deal": records_["deal"],
        "twin": records_["twin"],
        "pipeline": records_["pipeline"],
        "created": records_["created"],
        "entered": entered,
        "closed": np.where(current >= open_stages, entered, NEVER),
        "expected": records_["expected"] + np.where(at_ >= records_["postponed"], 30, 0),
        "stage": _stage_codes(parameters, records, member_, current, at_),
        "cents": _cents(records, member_, at_),
        "currency": records_["currency"],
        "owner": np.where(at_ >= records_["handed"], records_["new_owner"], records_["owner"]),
        "account": records_["account"],
        "user": records_["user"],
        "source": records_["source"].astype(np.int8),
        "region": records_["region"],
        "product": records_["product"],
        "existing": records_["existing"],
        "size": records_["size"],
        "untidy": records_["untidy"],
        "reason": np.where(
            current > open_stages,
            records_["reason"] + np.where(is_lead, 0, len(parameters.lead_process.lost_reasons)),
            NONE,
        ).astype(np.int8),
        "competitor": np.where(
            is_beaten, choice(records_["key"], "competitor", (0.5, 0.3, 0.2)), NONE
        ).astype(np.int8),
        "next_step": np.where(
            is_planned, choice(key, "next step", (0.4, 0.3, 0.2, 0.1)), NONE
        ).astype(np.int8),
        "is_converted": is_lead & is_converted,
        "is_merged": at_ >= records_["merged"],
        "is_absorption": ranks[kept] == _ABSORPTION,
        "has_absorbed": at_ >= records_["absorbed"],
        "deleted": np.where(at_ >= records_["deleted"], records_["deleted"], NEVER),
        "updated": at_,
        "delivered": at_,
    }
    is_repeated = happens(key, "repeated", parameters.dirt.repeated_changes)
    repeated = take(rows, is_repeated & ~rows["is_absorption"])
    repeated["delivered"] = repeated["delivered"] + DAY
    return stack([rows, repeated])


def _stage_change_rows(parameters: Parameters, records: Columns, steps: Columns) -> Columns:
    """The history as the CRM keeps it: stages entered, and lines for a new amount in a stage."""
    cut = np.flatnonzero(records["discounted"] < NEVER)
    negotiation = len(parameters.opportunity_process.open_stages) - 1
    again = _steps(cut, _MOST_STEPS, np.full(len(cut), negotiation), records["discounted"][cut])
    steps = stack([steps, again])
    steps = take(steps, np.lexsort((steps["step"], steps["at"], steps["member"])))
    steps = take(steps, records["has_history"][steps["member"]])
    member, at = steps["member"], steps["at"]
    spelled = _stage_codes(parameters, records, member, steps["stage"], at)
    previous = np.roll(spelled, 1)
    previous[np.diff(member, prepend=NONE) != 0] = NONE
    key = child_keys(records["key"][member], "stage change", at)
    late = happens(key, "late", parameters.dirt.late_changes)
    waited = whole((1.0 + 2.0 * uniform(key, "lateness")) * DAY, SECOND)
    rows = {
        "type": records["type"][member],
        "number": records["number"][member],
        "deal": records["deal"][member],
        "twin": records["twin"][member],
        "pipeline": records["pipeline"][member],
        "stage": spelled,
        "previous": previous,
        "is_of_amount": steps["step"] == _MOST_STEPS,
        "created": records["created"][member],
        "at": at,
        "cents": _cents(records, member, at),
        "owner": np.where(
            at >= records["handed"][member], records["new_owner"][member], records["owner"][member]
        ),
        "delivered": at + np.where(late, waited, 0),
    }
    repeated = happens(key, "repeated", parameters.dirt.repeated_changes)
    repeats = take(rows, repeated)
    next_day = happens(key[repeated], "next day", 0.5)
    repeats["delivered"] = repeats["delivered"] + np.where(next_day, DAY, 0)
    return stack([rows, repeats])


def _field_change_rows(parameters: Parameters, records: Columns) -> Columns:
    """The history of owner, amount and expected close."""
    parts = []
    # An amount that is known from the start was never estimated.
    is_known = records["quoted"] <= records["created"]
    is_first = np.ones(rows_of(records), dtype=bool)
    for field, instant, old, new, is_first_value in (
        ("owner_id", "handed", records["owner"], records["new_owner"], is_first),
        ("amount", "quoted", records["estimate"], records["cents"], is_first),
        ("amount", "discounted", records["cents"], records["final_cents"], is_known),
        (
            "expected_close_date",
            "postponed",
            records["expected"],
            records["expected"] + 30,
            is_first,
        ),
    ):
        changed = np.flatnonzero((records[instant] < NEVER) & records["has_history"])
        changed = changed[records[instant][changed] > records["created"][changed]]
        rows = take(records, changed)
        parts.append(
            {
                "type": rows["type"],
                "number": rows["number"],
                "deal": rows["deal"],
                "twin": rows["twin"],
                "field": np.full(len(changed), FIELDS.index(field), dtype=np.int8),
                "old": old[changed],
                "new": new[changed],
                "is_first": is_first_value[changed],
                "created": rows["created"],
                "at": rows[instant],
                "delivered": rows[instant],
            }
        )
    return stack(parts)


def _activity_rows(parameters: Parameters, records: Columns, steps: Columns) -> Columns:
    """What sellers did about each record, spread over its life."""
    is_lead = records["type"] == LEAD
    counts = np.where(
        is_lead,
        geometric(records["key"], "activities of a lead", 0.55, most=5),
        1 + geometric(records["key"], "activities of a deal", 0.72, most=10),
    )
    counts[records["twin"]] = 0
    member = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(member)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = child_keys(records["key"][member], "activity", number)
    created, last = records["created"][member], records["last"][member]
    life = np.maximum(last - created, 3 * DAY)
    at = created + whole(uniform(key, "at") * life, SECOND)
    return {
        "type": records["type"][member],
        "number": records["number"][member],
        "deal": records["deal"][member],
        "activity": number,
        "region": records["region"][member],
        "at": at,
        "kind": choice(key, "kind", (0.40, 0.38, 0.16, 0.06)),
        "owner": np.where(
            at >= records["handed"][member], records["new_owner"][member], records["owner"][member]
        ),
        "delivered": at,
    }


def _accounts(
    parameters: Parameters, deals: Columns, customer_since: Integers
) -> tuple[Columns, Columns]:
    """Accounts and contacts: new with the first deal, changed by its win."""
    of = deals["key"]
    created = {
        "number": deals["number"],
        "industry": choice(of, "industry", (0.24, 0.16, 0.14, 0.16, 0.18, 0.12)),
        "employees": whole(
            lognormal(of, "employees", np.array(EMPLOYEES, dtype=float)[deals["size"]], 0.2), 1
        ),
        "region": deals["region"],
        "owner": deals["owner"],
        "since": np.full(len(of), NEVER, dtype=np.int64),
        "created": deals["created"],
        "updated": deals["created"],
        "delivered": deals["created"],
    }
    won = np.flatnonzero(customer_since < NEVER)
    since = customer_since[won]
    changed = take(created, won) | {"since": since, "updated": since, "delivered": since}
    contacts = {
        "number": deals["number"],
        "user": deals["user"],
        "source": deals["source"].astype(np.int8),
        "region": deals["region"],
        "owner": deals["owner"],
        "job": choice(of, "job", (0.30, 0.15, 0.30, 0.15, 0.10)),
        "untidy": happens(of, "untidy contact", parameters.dirt.untidy_emails),
        "created": deals["created"],
        "delivered": deals["created"],
    }
    return stack([created, changed]), contacts


def _deal_orders(parameters: Parameters, records: Columns, steps: Columns) -> Columns:
    """The order of each win; cancelled where the win is undone."""
    won = len(parameters.opportunity_process.open_stages)
    wins = np.flatnonzero(steps["stage"] == won)
    member, at = steps["member"][wins], steps["at"][wins]
    rows = len(wins)
    is_first = np.diff(member, prepend=-1) != 0
    position = np.arange(rows)
    win = position - np.maximum.accumulate(np.where(is_first, position, 0))
    orders = {
        "is_deal": np.ones(rows, dtype=bool),
        "number": records["number"][member],
        "deal": records["deal"][member],
        "win": win.astype(np.int8),
        "ordered": at,
        "updated": at,
        "cents": _cents(records, member, at),
        "currency": records["currency"][member],
        "user": np.full(rows, NONE, dtype=np.int64),
        "account": records["number"][member],
        "status": np.zeros(rows, dtype=np.int8),
        "is_broken": np.zeros(rows, dtype=bool),
        "delivered": at,
    }
    following = np.minimum(wins + 1, rows_of(steps) - 1)
    is_undone = (steps["member"][following] == member) & (following > wins)
    undone_at = steps["at"][following][is_undone]
    undone = take(orders, is_undone) | {
        "status": np.full(len(undone_at), ORDER_STATUSES.index("cancelled"), dtype=np.int8),
        "updated": undone_at,
        "delivered": undone_at,
    }
    return stack([orders, undone])
