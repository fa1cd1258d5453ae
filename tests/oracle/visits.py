"""The stays of one subject in the stages of a funnel, and the steps from one to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.oracle.declared import Stage
from tests.oracle.entries import Entry
from tests.oracle.journeys import Journey, Log, serving


@dataclass(frozen=True)
class Visit:
    """One stay in a stage, and how the subject came there."""

    number: int
    journey_number: int
    stage: Stage
    previous_stage_id: str
    next_stage_id: str
    movement: str
    evidence: str
    entered_at: datetime | None
    exited_at: datetime | None


def visits_of_subject(log: Log, journeys: Sequence[Journey]) -> list[Visit]:
    """The visits of one subject in order, each with the transition that began it."""
    # The first entry of each visit, and the journey of its last one: a visit in which a journey
    # begins is of that journey, but two journeys never share a visit.
    stays: list[tuple[Entry, Journey | None]] = []
    for entry in serving(log, log.entries, [journey.chain for journey in journeys]):
        journey = journey_of(log, journeys, entry)
        first, before = stays[-1] if stays else (None, None)
        is_repeat = first is not None and first.stage == entry.stage and before in (None, journey)
        if first is not None and is_repeat and log.funnel.collapse_repeats:
            stays[-1] = first, journey
        else:
            stays.append((entry, journey))

    visits = []
    for number, (stay, journey) in enumerate(stays, start=1):
        previous = stays[number - 2][0].stage if number > 1 else None
        following = stays[number][0] if number < len(stays) else None
        visits.append(
            Visit(
                number=number,
                journey_number=journey.number if journey else 0,
                stage=stay.stage,
                previous_stage_id=previous.stage_id if previous else "entry",
                next_stage_id=(
                    following.stage.stage_id if following else _end(log, stay.stage, journey)
                ),
                movement=movement(previous, stay.stage),
                evidence=stay.happening.evidence,
                entered_at=stay.at,
                exited_at=following.at if following else None,
            )
        )
    return visits


def movement(previous: Stage | None, stage: Stage) -> str:
    """What kind of step leads from one stage to the next: the first that applies."""
    if previous is None:
        return "enter"
    if stage.kind == "lost":
        return "lose"
    if stage.kind == "won":
        return "win"
    if previous.kind != "open":
        return "reopen"
    if previous == stage:
        return "repeat"
    step = (stage.position or 0) - (previous.position or 0)
    if step == 1:
        return "advance"
    return "skip" if step > 1 else "regress"


def transition_counts(visits: Sequence[Visit]) -> Counter[tuple[str, str]]:
    """How often each step was made, those out of `entry` and into the ends included."""
    counts: Counter[tuple[str, str]] = Counter()
    for visit in visits:
        counts[visit.stage.stage_id, visit.next_stage_id] += 1
        if visit.previous_stage_id == "entry":
            counts["entry", visit.stage.stage_id] += 1
    return counts


def journey_of(log: Log, journeys: Sequence[Journey], entry: Entry) -> Journey | None:
    """The latest journey whose start is not after the entry, in the order of the subject."""
    begun = [journey for journey in journeys if log.place(journey.chain[0]) <= log.place(entry)]
    return begun[-1] if begun else None


def _end(log: Log, stage: Stage, journey: Journey | None) -> str:
    """What stands behind the last visit of a subject."""
    if stage.kind != "open":
        return "ended"
    if journey is None or journey.entered_at is None or log.funnel.window is None:
        return "still_there"
    is_over = journey.entered_at + log.funnel.window < log.as_of
    return "abandoned" if is_over else "still_there"
