"""Whose results hang on a tie: a subject's answers under one tie policy against the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tests.oracle.declared import Funnel
from tests.oracle.entries import Happening, entries_of_subject
from tests.oracle.journeys import Journey, Log, journeys_of_subject
from tests.oracle.visits import Visit, visits_of_subject


@dataclass(frozen=True)
class Ties:
    """Subjects of one funnel whose journeys, or whose visits, the tie policy decides."""

    by_journeys: frozenset[str]
    by_visits: frozenset[str]


def ties_of(
    funnel: Funnel, happenings: Iterable[Happening], as_of: datetime, timezone: str = "UTC"
) -> Ties:
    """Work out every subject of a funnel under both policies, and tell which ones differ."""
    by_subject: dict[str, list[Happening]] = defaultdict(list)
    for happening in happenings:
        if happening.at is None or happening.at < as_of:
            by_subject[happening.subject].append(happening)
    reordered = replace(
        funnel,
        tie_policy="source_order" if funnel.tie_policy == "funnel_order" else "funnel_order",
    )
    by_journeys, by_visits = set(), set()
    for subject, own in by_subject.items():
        journeys, visits = _result(funnel, own, as_of, timezone)
        other_journeys, other_visits = _result(reordered, own, as_of, timezone)
        if {_told(one) for one in journeys} != {_told(one) for one in other_journeys}:
            by_journeys.add(subject)
        if [_stay(one) for one in visits] != [_stay(one) for one in other_visits]:
            by_visits.add(subject)
    return Ties(frozenset(by_journeys), frozenset(by_visits))


def _result(
    funnel: Funnel, own: list[Happening], as_of: datetime, timezone: str
) -> tuple[list[Journey], list[Visit]]:
    log = Log(funnel, tuple(own), tuple(entries_of_subject(funnel, own, timezone)), as_of)
    journeys, _ = journeys_of_subject(log)
    return journeys, visits_of_subject(log, journeys)


def _told(journey: Journey) -> tuple[object, ...]:
    """What a journey tells: how far and how it went, and which stages it entered or passed over."""
    entered = {entry.stage for entry in journey.chain}
    return (
        journey.number,
        journey.entered_at,
        journey.furthest,
        journey.outcome,
        journey.ended_at,
        tuple((one.stage, one.reached_at, one.stage in entered) for one in journey.reached),
    )


def _stay(visit: Visit) -> tuple[object, ...]:
    return visit.stage, visit.entered_at
