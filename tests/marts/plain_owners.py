"""What the marts about owners should hold, in plain Python from the deals themselves."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.marts.owner_deals import (
    AS_OF,
    FUNNELS,
    LATEST,
    PERIODS,
    PROBABILITY,
    RULES,
    Deal,
    World,
)

GRAINS: dict[str, Callable[[date], date | None]] = {
    "all": lambda day: None,
    "year": lambda day: day.replace(month=1, day=1),
    "quarter": lambda day: day.replace(month=day.month - (day.month - 1) % 3, day=1),
    "month": lambda day: day.replace(day=1),
}


def _names(world: World, deal: Deal) -> dict[str, str]:
    team = world.teams.get(deal.owner_id or "")
    return {
        "all": "all",
        "branch": team.upper() if team else "(missing)",
        "team": team or "(missing)",
        "seller": deal.owner_id or "(missing)",
    }


def _at_work(world: World, level: str, name: str, funnel_id: str) -> tuple[date, date]:
    """First and last day of whoever it is."""
    own = [
        deal
        for deal in world.deals
        if deal.funnel_id == funnel_id and _names(world, deal)[level] == name
    ]
    days = [at.date() for deal in own for at in (deal.entered_at, deal.ended_at) if at]
    goes_on = any(
        deal.outcome == "open" or (deal.owner_id and deal.owner_id not in world.left)
        for deal in own
    )
    return min(days), max([*days, LATEST] if goes_on else days)


def rounded(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def performances(world: World) -> dict[tuple[Any, ...], dict[str, Any]]:
    """By funnel, grain, period, level and name: what should stand in `owner_performance`."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for funnel_id in FUNNELS:
        deals = [deal for deal in world.deals if deal.funnel_id == funnel_id]
        for level, name in {pair for deal in deals for pair in _names(world, deal).items()}:
            own = [deal for deal in deals if _names(world, deal)[level] == name]
            first, last = _at_work(world, level, name, funnel_id)
            every_day = [first + timedelta(days=n) for n in range((last - first).days + 1)]
            for grain, start_of in GRAINS.items():
                for period in {start_of(day) for day in every_day}:
                    found[funnel_id, grain, period, level, name] = _performance(
                        own, grain, start_of, period
                    )
    return found


def _performance(
    own: list[Deal], grain: str, start_of: Callable[[date], date | None], period: date | None
) -> dict[str, Any]:
    def in_period(at: datetime | None) -> bool:
        return grain == "all" or (at is not None and start_of(at.date()) == period)

    closed = [deal for deal in own if deal.outcome != "open" and in_period(deal.ended_at)]
    won = [deal for deal in closed if deal.outcome == "won"]
    amounts = [deal.amount for deal in won if deal.amount is not None]
    days = [
        (deal.ended_at - deal.entered_at) / timedelta(days=1)
        for deal in won
        if deal.ended_at and deal.entered_at
    ]
    is_open = [deal for deal in own if deal.outcome == "open"]
    weighted = [
        rounded(deal.amount * probability)
        for deal in is_open
        if deal.amount is not None and (probability := PROBABILITY[deal.stage_id]) is not None
    ]
    known = [deal.amount for deal in is_open if deal.amount is not None]
    of_today = grain == "all"
    return {
        "entered": sum(in_period(deal.entered_at) for deal in own),
        "won": len(won),
        "lost": sum(deal.outcome == "lost" for deal in closed),
        "closed": len(closed),
        "amount_won": _total(amounts) if amounts or not won else None,
        "amount_won_unknown": len(won) - len(amounts),
        "median_amount_won": statistics.median(amounts) if amounts else None,
        "median_days_to_win": statistics.median(days) if days else None,
        "open_deals": len(is_open) if of_today else None,
        "open_amount": (_total(known) if known or not is_open else None) if of_today else None,
        "open_amount_unknown": len(is_open) - len(known) if of_today else None,
        "weighted_amount": (
            (_total(weighted) if weighted or not is_open else None) if of_today else None
        ),
        "weighted_amount_unknown": len(is_open) - len(weighted) if of_today else None,
    }


def deals_behind(world: World) -> dict[tuple[Any, ...], set[str]]:
    """By funnel, owner, rule and month: the deals that count."""
    behind: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for deal in world.deals:
        who = (deal.funnel_id, deal.owner_id)
        if deal.owner_id is None:
            continue
        if deal.outcome == "open":
            for rule in ("fewer_active_deals", "too_many_active", "meetings_without_pipeline"):
                behind[*who, rule, None].add(deal.deal_id)
            if deal.band in ("small", "large"):
                behind[*who, f"only_{deal.band}", None].add(deal.deal_id)
            if deal.next_step != "call":
                behind[*who, "no_next_step", None].add(deal.deal_id)
        if deal.outcome == "won":
            month = deal.ended_month
            if month:
                behind[*who, "signings_outside", month].add(deal.deal_id)
                behind[*who, "bumper_then_none", _next(month)].add(deal.deal_id)
            is_early = deal.ended_at and deal.ended_at - deal.created_at <= timedelta(hours=30)
            if is_early or not deal.was_in_open_stage:
                behind[*who, "won_never_in_funnel", month].add(deal.deal_id)
        if moved := deal.moved_back_at:
            month = moved.date().replace(day=1)
            next_month = _next(month)
            if ("moved_back_before_quota", deal.funnel_id) in PERIODS:
                month = month.replace(month=month.month - (month.month - 1) % 3)
                next_month = _next(_next(_next(month)))
            if moved >= datetime.combine(next_month, datetime.min.time()) - timedelta(days=7):
                behind[*who, "moved_back_before_quota", month].add(deal.deal_id)
    return behind


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _bounds(rule: str, funnel_id: str) -> tuple[int, int, int] | None:
    """At least, at most and cases at least of a rule in a funnel; None where it has none."""
    bounds = RULES.get((rule, funnel_id), RULES.get((rule, "")))
    if bounds is None:
        return None
    low, high, cases, _ = bounds
    return low or 0, 10**9 if high is None else high, cases or 0


def findings(world: World) -> dict[tuple[Any, ...], int]:
    """By funnel, owner, rule and month: the figure that is found, where it is out of bounds."""
    behind = deals_behind(world)
    found = _month_findings(world)
    met = Counter(
        (funnel_id, owner)
        for owner, at, deal in world.meetings
        for funnel_id in FUNNELS
        if at >= AS_OF - timedelta(hours=2160) and (deal is None or deal.funnel_id == funnel_id)
    )
    for key, deals in behind.items():
        funnel_id, _, rule, _ = key
        bounds = _bounds(rule, funnel_id)
        is_habit = rule in ("no_next_step", "won_never_in_funnel", "moved_back_before_quota")
        if is_habit and bounds and len(deals) > bounds[1]:
            found[key] = len(deals)
    for funnel_id, owner in _sellers(world):
        known = sum(
            deal.outcome == "open" and deal.amount is not None
            for deal in world.deals
            if (deal.funnel_id, deal.owner_id) == (funnel_id, owner)
        )
        for rule in ("fewer_active_deals", "too_many_active", "meetings_without_pipeline"):
            low, high, cases = _bounds(rule, funnel_id) or (0, 10**9, 0)
            count = len(behind.get((funnel_id, owner, rule, None), ()))
            is_looked_at = {
                "fewer_active_deals": owner not in world.left,
                "too_many_active": True,
                "meetings_without_pipeline": met[funnel_id, owner] >= cases,
            }[rule]
            if is_looked_at and not low <= count <= high:
                found[funnel_id, owner, rule, None] = count
        for rule in ("only_large", "only_small"):
            bounds = _bounds(rule, funnel_id)
            count = len(behind.get((funnel_id, owner, rule, None), ()))
            if bounds and count == known and count >= bounds[2]:
                found[funnel_id, owner, rule, None] = count
    return found


def _sellers(world: World) -> set[tuple[str, str]]:
    return {(deal.funnel_id, deal.owner_id) for deal in world.deals if deal.owner_id}


def _month_findings(world: World) -> dict[tuple[Any, ...], int]:
    """The findings about how many were won in the full months of whoever sells."""
    found: dict[tuple[Any, ...], int] = {}
    for funnel_id, owner in _sellers(world):
        wins = Counter(
            deal.ended_month
            for deal in world.deals
            if (deal.funnel_id, deal.owner_id, deal.outcome) == (funnel_id, owner, "won")
        )
        first, last = _at_work(world, "seller", owner, funnel_id)
        months = [first.replace(day=1)]
        while months[-1] <= last:
            months.append(_next(months[-1]))
        full = [
            month for month in months if first <= month and _next(month) - timedelta(days=1) <= last
        ]
        usual = statistics.median([wins[month] for month in full]) if full else 0
        for month in full:
            bounds = _bounds("signings_outside", funnel_id)
            if bounds and not bounds[0] <= wins[month] <= bounds[1]:
                found[funnel_id, owner, "signings_outside", month] = wins[month]
            if bounds := _bounds("bumper_then_none", funnel_id):
                before = wins[_previous(month)] if _previous(month) in full else -1
                is_bumper = before >= max(bounds[2], 2 * usual)
                if is_bumper and wins[month] < bounds[0]:
                    found[funnel_id, owner, "bumper_then_none", month] = wins[month]
    return found


def _previous(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
