"""What the marts of losses, returns and follow-up say, worked out deal by deal in plain Python.

Written from the descriptions of the tables, with loops over visits and days instead of joins.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Visit:
    """A stay in a stage, from when."""

    stage_id: str
    entered_at: datetime


@dataclass(frozen=True)
class Deal:
    """A deal with its visits in order; its one journey ends with the last."""

    deal_id: str
    account_id: str | None
    owner_id: str | None
    visits: tuple[Visit, ...]
    loss_reason: str | None
    competitor: str | None
    amount: Decimal | None
    tier: str | None
    # Type and instant of its activities.
    activities: tuple[tuple[str, datetime], ...] = ()

    @property
    def outcome(self) -> str:
        """That of the last stage."""
        last = self.visits[-1].stage_id
        return last if last in ("won", "lost") else "open"

    @property
    def ended_at(self) -> datetime | None:
        """When it got there."""
        return None if self.outcome == "open" else self.visits[-1].entered_at

    def highest(self, ladder: Sequence[str], before: int | None = None) -> str:
        """The highest open stage among its first visits."""
        stages = [visit.stage_id for visit in self.visits[:before] if visit.stage_id in ladder]
        return max(stages, key=ladder.index, default=ladder[0])


@dataclass(frozen=True)
class Loss:
    """That a deal was lost."""

    deal: Deal
    visit_number: int
    stage_id: str
    lost_at: datetime
    returned_at: datetime | None
    return_visit_number: int | None


@dataclass(frozen=True)
class Return:
    """That somebody came back."""

    loss: Loss
    deal_id: str
    kind: str
    outcome: str
    returned_at: datetime


def losses_of(deals: Sequence[Deal], ladder: Sequence[str]) -> list[Loss]:
    """Every loss of every deal."""
    found = []
    for deal in deals:
        for number, visit in enumerate(deal.visits):
            if visit.stage_id != "lost":
                continue
            later = deal.visits[number + 1 :]
            found.append(
                Loss(
                    deal,
                    number + 1,
                    deal.highest(ladder, number),
                    visit.entered_at,
                    later[0].entered_at if later else None,
                    number + 2 if later else None,
                )
            )
    return found


def returns_of(deals: Sequence[Deal], losses: Sequence[Loss]) -> list[Return]:
    """Every return after a loss."""

    def fared(deal: Deal, after: int) -> str:
        again = any(visit.stage_id == "lost" for visit in deal.visits[after:])
        return "lost" if again else deal.outcome

    found = [
        Return(
            loss,
            loss.deal.deal_id,
            "reopened",
            fared(loss.deal, loss.return_visit_number),
            loss.returned_at,
        )
        for loss in losses
        if loss.returned_at and loss.return_visit_number
    ]
    for deal in deals:
        entered_at = deal.visits[0].entered_at
        standing = [
            loss
            for loss in losses
            if loss.deal.account_id == deal.account_id is not None
            and loss.deal is not deal
            and loss.lost_at < entered_at
            and (loss.returned_at is None or loss.returned_at > entered_at)
        ]
        if standing:
            latest = max(standing, key=lambda loss: loss.lost_at)
            found.append(Return(latest, deal.deal_id, "new_deal", fared(deal, 0), entered_at))
    return found


def counted_losses(
    deals: Sequence[Deal], ladder: Sequence[str], endings: dict[str, str], timezone: ZoneInfo
) -> dict[tuple[object, ...], tuple[int, int, Decimal | None, int, float]]:
    """By the key of `loss_reasons`: losses, those of the period, amount, unknown, median days."""
    groups: dict[tuple[object, ...], list[Deal]] = defaultdict(list)
    of_period: Counter[tuple[object, ...]] = Counter()
    for deal in deals:
        if deal.outcome != "lost" or deal.ended_at is None:
            continue
        day = deal.ended_at.replace(tzinfo=UTC).astimezone(timezone).date()
        periods = (
            ("all", None),
            ("year", day.replace(month=1, day=1)),
            ("quarter", day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)),
            ("month", day.replace(day=1)),
        )
        reason = deal.loss_reason or "(missing)"
        ending = endings.get(reason, "other") if deal.loss_reason else "(missing)"
        details = (ending, reason, deal.competitor or "(missing)")
        for period in periods:
            of_period[period] += 1
            for stage_id in (deal.highest(ladder), "all"):
                for depth, breakdown in enumerate(("all", "ending", "reason", "competitor")):
                    shown = details[:depth] + ("all",) * (3 - depth)
                    groups[(*period, breakdown, stage_id, *shown)].append(deal)
    return {
        key: (
            len(lost),
            of_period[key[0], key[1]],
            _total([deal.amount for deal in lost if deal.amount is not None]),
            sum(deal.amount is None for deal in lost),
            median((deal.visits[-1].entered_at - deal.visits[0].entered_at) / DAY for deal in lost),
        )
        for key, lost in groups.items()
    }


def _total(amounts: Sequence[Decimal]) -> Decimal | None:
    return sum(amounts, Decimal()) if amounts else None


@dataclass(frozen=True)
class Office:
    """When a company works: every weekday but on the days off, between two times."""

    timezone: ZoneInfo
    opens: time
    closes: time
    days_off: frozenset[date]

    def day(self, instant: datetime) -> date:
        """The date that clocks show."""
        return instant.replace(tzinfo=UTC).astimezone(self.timezone).date()

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day.weekday() < 5 and day not in self.days_off

    def at(self, day: date, clock: time) -> datetime:
        """The instant at which clocks show the time."""
        local = datetime.combine(day, clock, self.timezone)
        return local.astimezone(UTC).replace(tzinfo=None)

    def next_opening(self, instant: datetime) -> datetime:
        """The first opening after an instant."""
        day = self.day(instant)
        while not self.works(day) or self.at(day, self.opens) <= instant:
            day += DAY
        return self.at(day, self.opens)

    def is_open(self, instant: datetime) -> bool:
        """Whether somebody works at an instant; no longer when work ends."""
        day = self.day(instant)
        if not self.works(day):
            return False
        return self.at(day, self.opens) <= instant < self.at(day, self.closes)

    def due_at(self, start: datetime, hours: float) -> datetime:
        """When a contact is due that is to come within so many hours."""
        clock = start if self.is_open(start) else self.next_opening(start)
        due = clock + timedelta(hours=hours)
        day = self.day(due)
        while not self.works(day):
            day, due = day + DAY, due + DAY
        if due < self.at(day, self.opens):
            return self.at(day, self.opens)
        return due if due <= self.at(day, self.closes) else self.next_opening(due)

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """How much of a time lies in working hours."""
        total, day = timedelta(), self.day(start)
        while day <= self.day(end):
            if self.works(day):
                begin = max(start, self.at(day, self.opens))
                total += max(timedelta(), min(end, self.at(day, self.closes)) - begin)
            day += DAY
        return total


def follow_up_of(
    deal: Deal, start: datetime, due: datetime, channels: frozenset[str], as_of: datetime
) -> tuple[str, datetime | None, datetime | None, int]:
    """Status, first contact, first agreed contact and number of agreed contacts of a deal."""
    until = deal.ended_at or as_of
    contacts = sorted((at, kind) for kind, at in deal.activities if start <= at <= until)
    agreed = [at for at, kind in contacts if kind in channels]
    if agreed and agreed[0] <= due:
        status = "kept"
    elif until > due:
        status = "broken"
    else:
        status = "pending" if deal.outcome == "open" else "ended_before"
    return (
        status,
        contacts[0][0] if contacts else None,
        agreed[0] if agreed else None,
        len(agreed),
    )
