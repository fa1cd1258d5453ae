"""What the tables of plans say of deals, worked out from the rows as they were delivered.

Plain Python, one deal after the other, for a funnel in which the highest stage counts. It shares
nothing with the models but the words.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

LADDER = ("target", "prospect", "approaching", "key", "won")
LOST = "lost"
BANDS = {"small": (0, 1000), "large": (1000, 5000)}


@dataclass(frozen=True)
class Delivered:
    """A deal as its source delivers it: its record, and when it entered which stage."""

    deal_id: str
    owner_id: str
    amount: str
    currency: str
    changes: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True)
class Period:
    """From its first day on, up to and without the day after its last."""

    begins: date
    ends: date

    def __contains__(self, day: date | None) -> bool:
        return day is not None and self.begins <= day < self.ends


class Deal:
    """What became of a deal by the as-of."""

    def __init__(self, delivered: Delivered, rates: Mapping[str, Decimal]) -> None:
        self.deal_id = delivered.deal_id
        self.owner_id = delivered.owner_id or "(missing)"
        changes = delivered.changes
        self.stage = changes[-1][1]
        self.visited = {stage for _, stage in changes}
        self.entered_at = changes[0][0]
        self.outcome = {"won": "won", LOST: "lost"}.get(self.stage, "open")
        self.ended_at = None if self.outcome == "open" else changes[-1][0]
        first: dict[str, datetime] = {}
        for at, stage in changes:
            first.setdefault(stage, at)
        self.furthest = max(LADDER.index(stage) for stage in first if stage != LOST)
        self.reached_at = [
            first.get(stage) or min(at for other, at in first.items() if other in LADDER[place:])
            for place, stage in enumerate(LADDER[: self.furthest + 1])
        ]
        rate = rates.get(delivered.currency)
        self.amount = (
            None if not delivered.amount or rate is None else (Decimal(delivered.amount) * rate)
        )

    @property
    def ended_on(self) -> date | None:
        return self.ended_at.date() if self.ended_at else None

    @property
    def band(self) -> str:
        if self.amount is None:
            return "(unknown amount)"
        names = [name for name, (low, high) in BANDS.items() if low <= self.amount < high]
        return names[0] if names else "(no band)"

    def was_open_on(self, day: date) -> bool:
        return self.ended_on is None or self.ended_on >= day


class Pipeline:
    """All deals of a funnel at an as-of, which is a midnight."""

    def __init__(
        self, delivered: Sequence[Delivered], rates: Mapping[str, Decimal], as_of: datetime
    ) -> None:
        self.deals = [Deal(one, rates) for one in delivered]
        self.as_of = as_of
        times = sorted(
            (deal.ended_at - deal.entered_at).total_seconds()
            for deal in self.deals
            if deal.outcome == "won" and deal.ended_at
        )
        place = 0.9 * (len(times) - 1)
        low, high = times[math.floor(place)], times[math.ceil(place)]
        maturity = low + (place - math.floor(place)) * (high - low)
        self.mature = [
            deal for deal in self.deals if (as_of - deal.entered_at).total_seconds() > maturity
        ]

    def mature_reached(self, place: int) -> int:
        return sum(deal.furthest >= place for deal in self.mature)

    def average_won(self, band: str = "all") -> Decimal:
        amounts = [
            deal.amount
            for deal in self.deals
            if deal.outcome == "won" and deal.amount is not None and band in ("all", deal.band)
        ]
        return rounded(sum(amounts, Decimal(0)) / len(amounts))

    def size_mix(self) -> Iterator[tuple[str, str, int, Decimal | None]]:
        """By set and band: deals, amount."""
        for name in ("won", "open", "all_entered"):
            deals = [deal for deal in self.deals if name in ("all_entered", deal.outcome)]
            for band in (*BANDS, "(no band)", "(unknown amount)"):
                of_band = [deal for deal in deals if deal.band == band]
                known = sum((deal.amount for deal in of_band if deal.amount is not None), Decimal())
                yield name, band, len(of_band), None if band == "(unknown amount)" else known

    def plan(
        self, wins: int, declared: Mapping[str, str], period: Period
    ) -> Iterator[tuple[str, int, int, int, int, int, int | None]]:
        """By stage: needed, reached, carried over, open now, missing, to add per week."""
        needed = wins
        days_left = max((period.ends - self.as_of.date()).days, 0)
        for place in range(len(LADDER) - 1, -1, -1):
            stage = LADDER[place]
            if stage != "won":
                observed = Fraction(self.mature_reached(place + 1), self.mature_reached(place))
                rate = Fraction(declared[stage]) if stage in declared else observed
                needed = math.ceil(needed / rate)
            there = [deal for deal in self.deals if deal.furthest >= place]
            reached = sum(deal.reached_at[place].date() in period for deal in there)
            carried = sum(
                deal.reached_at[place].date() < period.begins and deal.was_open_on(period.begins)
                for deal in there
                if stage != "won"
            )
            open_now = sum(deal.outcome == "open" and deal.stage == stage for deal in self.deals)
            missing = max(needed - reached - carried, 0)
            per_week = math.ceil(Fraction(missing * 7, max(days_left, 7))) if days_left else None
            yield stage, needed, reached, carried, open_now, missing, per_week

    def targets(
        self, owners: frozenset[str] | None, period: Period, days_off: frozenset[date]
    ) -> Iterator[tuple[str, int, Decimal | None, int, int | None, float | None]]:
        """By stage: reached, amount, of unknown amount, decided, reached at the end at this pace.

        Of the deals of some owners, or of all.
        """
        deals = [deal for deal in self.deals if owners is None or deal.owner_id in owners]
        days = [
            period.begins + timedelta(days=number)
            for number in range((period.ends - period.begins).days)
        ]
        working = [day for day in days if day.weekday() < 5 and day not in days_off]
        elapsed = sum(day < self.as_of.date() for day in working)
        for place, stage in enumerate(LADDER):
            reached = [
                deal
                for deal in deals
                if deal.furthest >= place and deal.reached_at[place].date() in period
            ]
            known = [deal.amount for deal in reached if deal.amount is not None]
            dropped = sum(
                deal.outcome == "lost" and deal.furthest == place - 1 and deal.ended_on in period
                for deal in deals
            )
            yield (
                stage,
                len(reached),
                sum(known, Decimal()) if known or not reached else None,
                len(reached) - len(known),
                len(reached) + dropped if place else None,
                len(reached) * len(working) / elapsed if elapsed else None,
            )

    def point_worth(self, step: str) -> Iterator[tuple[str, int, float, float]]:
        """By stage: entries of a quarter, its wins, and wins more with a step added to its rate."""
        year, month = self.as_of.year, self.as_of.month - 3
        if month < 1:
            year, month = year - 1, month + 12
        quarter = Period(date(year, month, self.as_of.day), self.as_of.date())
        entries = sum(deal.entered_at.date() in quarter for deal in self.deals)
        counts = [self.mature_reached(place) for place in range(len(LADDER))]
        rates = [Fraction(after, before) for before, after in pairwise(counts)]
        wins = entries * math.prod(rates)
        for place, stage in enumerate(LADDER[1:]):
            changed = [*rates]
            changed[place] = min(changed[place] + Fraction(step), Fraction(1))
            yield stage, entries, float(wins), float(entries * math.prod(changed) - wins)

    def quotas(
        self, probabilities: Mapping[str, Decimal]
    ) -> Iterator[tuple[str, int, Decimal, int, Decimal, Decimal, int, Decimal, Decimal]]:
        """By owner: what is open, and what was won in a year.

        Open deals, their amount, how many amounts are unknown, the amount weighted by probability
        and by win rate; won deals, their amount, and that of those new in the year.
        """
        as_of = self.as_of.date()
        year = Period(as_of.replace(year=as_of.year - 1), as_of)
        for owner_id in sorted({deal.owner_id for deal in self.deals}):
            deals = [deal for deal in self.deals if deal.owner_id == owner_id]
            is_open = [deal for deal in deals if deal.outcome == "open"]
            amounts: dict[str, Decimal] = defaultdict(Decimal)
            for deal in is_open:
                amounts[deal.stage] += deal.amount or 0
            won = [deal for deal in deals if deal.outcome == "won" and deal.ended_on in year]
            yield (
                owner_id,
                len(is_open),
                sum(amounts.values(), Decimal()),
                sum(deal.amount is None for deal in is_open),
                sum(
                    (rounded(amount * probabilities[stage]) for stage, amount in amounts.items()),
                    Decimal(),
                ),
                sum(
                    (rounded(amount * self._win_rate(stage)) for stage, amount in amounts.items()),
                    Decimal(),
                ),
                len(won),
                sum((deal.amount or Decimal() for deal in won), Decimal()),
                sum(
                    (deal.amount or Decimal() for deal in won if deal.entered_at.date() in year),
                    Decimal(),
                ),
            )

    def _win_rate(self, stage: str) -> Decimal:
        visitors = [deal for deal in self.mature if stage in deal.visited]
        return Decimal(sum(deal.outcome == "won" for deal in visitors)) / len(visitors)


def rounded(amount: Decimal) -> Decimal:
    """As amounts are kept: with four decimals."""
    return amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
