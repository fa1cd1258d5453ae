"""Ways through a funnel, their deviations and what comes next, in plain Python.

From the words of the descriptions, without any of the models' short cuts.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from tests.marts.facts import Facts, Journey, Stage, Visit
from tests.marts.plain_marts import quantile

MICROSECOND = timedelta(microseconds=1)
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Way:
    """A journey's way: its visits but the outcome, and how it deviates."""

    journey: Journey
    visits: tuple[Visit, ...]
    deviations: frozenset[str]

    @property
    def path(self) -> str:
        return " > ".join(visit.stage_id for visit in self.visits) or "(none)"

    @property
    def again(self) -> tuple[Visit, ...]:
        """The visits of stages that were visited before."""
        seen: set[str] = set()
        found = []
        for visit in self.visits:
            if visit.stage_id in seen:
                found.append(visit)
            seen.add(visit.stage_id)
        return tuple(found)


def way_of(journey: Journey) -> Way:
    """The way of a journey up to its outcome."""
    funnel, end = journey.funnel, journey.ended_at
    until = [
        visit
        for visit in journey.visits
        if visit.entered_at is None or end is None or visit.entered_at <= end
    ]
    stages = [funnel.stage(visit.stage_id) for visit in until]
    deviations = set()
    if funnel.order_mode != "any":
        if stages and stages[0].position and _required(journey, 0, stages[0].position):
            deviations.add("late_entry")
        for before, after in itertools.pairwise(stages):
            deviations |= _deviations(journey, before, after)
    if any(one == other for one, other in itertools.pairwise(stages)):
        deviations.add("repeated")
    ends_here = bool(stages) and stages[-1].kind == journey.outcome != "open"
    way = Way(journey, tuple(until[:-1] if ends_here else until), frozenset())
    if way.again:
        deviations.add("looped")
    return Way(journey, way.visits, frozenset(deviations))


def _required(journey: Journey, above: int, below: int) -> bool:
    """Whether a required stage lies between two positions."""
    return any(
        above < (stage.position or 0) < below and not stage.is_optional
        for stage in journey.funnel.ladder
    )


def _deviations(journey: Journey, before: Stage, after: Stage) -> set[str]:
    found = set()
    if before.kind == "open" and after.position and before.position:
        if _required(journey, before.position, after.position):
            found.add("skipped")
        if after.position < before.position:
            found.add("regressed")
    if (before.kind == "lost" and after.kind != "lost") or (
        before.kind == "won" and after.kind == "open"
    ):
        found.add("reopened")
    return found


def ways(facts: Facts) -> dict[str, list[Way]]:
    """All ways, by funnel."""
    found = defaultdict(list)
    for journey in facts.journeys:
        if journey.number:
            found[journey.funnel.funnel_id].append(way_of(journey))
    return found


def seconds_to_win(of: list[Way]) -> float | None:
    """The median time to the win, in seconds."""
    return quantile(
        [
            Decimal((one.journey.ended_at - one.journey.entered_at) // MICROSECOND) / 1_000_000
            for one in of
            if one.journey.outcome == "won" and one.journey.ended_at and one.journey.entered_at
        ],
        HALF,
    )


def next_steps(facts: Facts) -> dict[tuple[str, ...], tuple[int, int, float | None]]:
    """Visits, last visits and median seconds, by funnel, stage, type and name of what came next."""
    happenings = defaultdict(list)
    for one in facts.happenings:
        if one.kind in ("event", "purchase", "activity") and one.at:
            happenings[one.subject_type, one.subject_id].append(
                (one.at, one.kind, one.name or "(missing)")
            )
    counts: Counter[tuple[str, ...]] = Counter()
    last: Counter[tuple[str, ...]] = Counter()
    times: dict[tuple[str, ...], list[Decimal]] = defaultdict(list)
    for journey in facts.journeys:
        funnel = journey.funnel
        for visit in journey.visits:
            at = visit.entered_at
            if at is None:
                continue
            of = happenings[funnel.subject_type, journey.subject_id]
            later = min((one for one in of if one[0] > at), default=None)
            name = later[1:] if later else ("nothing", "nothing")
            key = (funnel.funnel_id, visit.stage_id, *name)
            counts[key] += 1
            last[key] += visit.is_current
            if later:
                times[key].append(Decimal((later[0] - at) // MICROSECOND) / 1_000_000)
    return {key: (counts[key], last[key], quantile(times[key], HALF)) for key in counts}
