"""What the oracle says of a whole funnel, as rows of the published tables.

Rows are plain tuples of the columns named beside them; instants are UTC without an offset.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.oracle.declared import Funnel
from tests.oracle.entries import Happening, entries_of_subject
from tests.oracle.journeys import Journey, Log, journeys_of_subject
from tests.oracle.visits import Visit, transition_counts, visits_of_subject

JOURNEY_COLUMNS = (
    "journey_number, entry_stage_id, furthest_stage_id, furthest_stage_position, outcome, was_won,"
    " entered_at, ended_at, cast(seconds_to_outcome as double), held_value"
)
JOURNEY_STAGE_COLUMNS = "journey_number, stage_id, stage_position, evidence, reached_at, counted_at"
VISIT_COLUMNS = (
    "visit_number, journey_number, stage_id, stage_position, stage_kind, next_stage_id, evidence,"
    " entered_at"
)
TRANSITION_COLUMNS = (
    "visit_number, journey_number, from_stage_id, to_stage_id, movement, transitioned_at,"
    " cast(seconds_in_from_stage as double)"
)
EXCLUSION_COLUMNS = (
    "excluded_journey_number, after_stage_id, before_stage_id, match_value, entered_at, exclusions"
)

Rows = list[tuple[object, ...]]


@dataclass
class Answers:
    """The answers for one funnel: rows by subject, and the steps of all subjects together."""

    journeys: dict[str, Rows] = field(default_factory=dict)
    journey_stages: dict[str, Rows] = field(default_factory=dict)
    visits: dict[str, Rows] = field(default_factory=dict)
    transitions: dict[str, Rows] = field(default_factory=dict)
    # (from, to) -> (transitions, subjects)
    matrix: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    # Instant of the entry and stages and event of the exclusion, of journeys left with nothing.
    exclusions: dict[str, Rows] = field(default_factory=dict)


def answers_of(
    funnel: Funnel, happenings: Iterable[Happening], as_of: datetime, timezone: str = "UTC"
) -> Answers:
    """Work out a funnel from the happenings before `as_of`, one subject after another."""
    by_subject: Mapping[str, list[Happening]] = defaultdict(list)
    for happening in happenings:
        if happening.at is None or happening.at < as_of:
            by_subject[happening.subject].append(happening)

    answers = Answers()
    steps: Counter[tuple[str, str]] = Counter()
    steppers: Counter[tuple[str, str]] = Counter()
    for subject, own in by_subject.items():
        entries = entries_of_subject(funnel, own, timezone)
        log = Log(funnel, tuple(own), tuple(entries), as_of)
        journeys, excluded = journeys_of_subject(log)
        visits = visits_of_subject(log, journeys)
        if excluded:
            answers.exclusions[subject] = [
                (
                    number,
                    exclusion.after_stage_id,
                    exclusion.before_stage_id,
                    exclusion.match_value,
                    one.entered_at,
                    len(one.exclusions),
                )
                for number, one in enumerate(excluded, 1)
                for exclusion in one.exclusions
            ]
        if journeys:
            answers.journeys[subject] = [_journey_row(journey) for journey in journeys]
            answers.journey_stages[subject] = [
                row for journey in journeys for row in _journey_stage_rows(journey)
            ]
        if visits:
            answers.visits[subject] = [_visit_row(visit) for visit in visits]
            answers.transitions[subject] = _transition_rows(visits)
        own_steps = transition_counts(visits)
        steps.update(own_steps)
        steppers.update(own_steps.keys())
    answers.matrix = {step: (count, steppers[step]) for step, count in steps.items()}
    return answers


def _journey_row(journey: Journey) -> tuple[object, ...]:
    return (
        journey.number,
        journey.chain[0].stage.stage_id,
        journey.furthest.stage_id,
        journey.furthest.position,
        journey.outcome,
        journey.was_won,
        journey.entered_at,
        journey.ended_at,
        journey.seconds_to_outcome,
        journey.held_value,
    )


def _journey_stage_rows(journey: Journey) -> Rows:
    return [
        (
            journey.number,
            reached.stage.stage_id,
            reached.stage.position,
            reached.evidence,
            reached.reached_at,
            reached.counted_at,
        )
        for reached in journey.reached
    ]


def _visit_row(visit: Visit) -> tuple[object, ...]:
    return (
        visit.number,
        visit.journey_number,
        visit.stage.stage_id,
        visit.stage.position,
        visit.stage.kind,
        visit.next_stage_id,
        visit.evidence,
        visit.entered_at,
    )


def _transition_rows(visits: list[Visit]) -> Rows:
    rows: Rows = []
    for number, visit in enumerate(visits):
        seconds = None
        if number and visit.entered_at and visits[number - 1].entered_at:
            previous = visits[number - 1].entered_at
            assert previous is not None
            seconds = (visit.entered_at - previous).total_seconds()
        rows.append(
            (
                visit.number,
                visit.journey_number,
                visit.previous_stage_id,
                visit.stage.stage_id,
                visit.movement,
                visit.entered_at,
                seconds,
            )
        )
    return rows
