"""The warehouse against the plain implementation in `tests/oracle`, on random logs."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest

from tests.oracle.answers import (
    EXCLUSION_COLUMNS,
    JOURNEY_COLUMNS,
    JOURNEY_STAGE_COLUMNS,
    TRANSITION_COLUMNS,
    VISIT_COLUMNS,
    Answers,
    Rows,
    answers_of,
)
from tests.oracle.ties import ties_of
from tests.semantics.cases import AS_OF, BOOK, REPORTING_TIMEZONE
from tests.semantics.populations import POPULATION_FUNNELS
from tests.semantics.random_logs import RANDOM_FUNNELS
from tests.support.tables import Tables


@cache
def _answers(funnel_id: str) -> Answers:
    happenings = BOOK.happenings[BOOK.scope_of[funnel_id]]
    return answers_of(BOOK.funnels[funnel_id], happenings, AS_OF, REPORTING_TIMEZONE)


def _found(warehouse: Tables, table: str, columns: str, funnel_id: str) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    rows = warehouse.query(
        f"select subject_id, {columns} from {table} where funnel_id = ? order by 1, 2, 3",
        [funnel_id],
    )
    for subject, *row in rows:
        found[str(subject)].append(tuple(row))
    return found


def _assert_same(funnel_id: str, expected: dict[str, Rows], found: dict[str, Rows]) -> None:
    """Compare subject by subject, and show the shortest log of those that differ."""
    assert expected, "the oracle has something to say"
    happenings = BOOK.happenings[BOOK.scope_of[funnel_id]]
    differing = [
        subject
        for subject in expected.keys() | found.keys()
        if sorted(map(repr, expected.get(subject, []))) != sorted(map(repr, found.get(subject, [])))
    ]
    if differing:
        logs = {
            subject: [happening for happening in happenings if happening.subject == subject]
            for subject in differing
        }
        shortest = min(differing, key=lambda subject: (len(logs[subject]), subject))
        log = sorted(logs[shortest], key=lambda one: (str(one.at), one.file, one.row))
        lines = [
            f"{len(differing)} of {len(expected)} subjects of {funnel_id} differ, as this one:"
        ]
        lines += [f"  {one.at} {one.name}" for one in log]
        lines += ["expected", *(f"  {row}" for row in expected.get(shortest, []))]
        lines += ["found", *(f"  {row}" for row in found.get(shortest, []))]
        pytest.fail("\n".join(lines))


@pytest.mark.parametrize("funnel_id", (*RANDOM_FUNNELS, *POPULATION_FUNNELS))
def test_journeys_agree(warehouse: Tables, funnel_id: str) -> None:
    """Prevents a journey that the words of the semantics do not give."""
    found = _found(warehouse, "core.fct_journeys", JOURNEY_COLUMNS, funnel_id)
    _assert_same(funnel_id, _answers(funnel_id).journeys, found)


@pytest.mark.parametrize(
    "funnel_id",
    [funnel_id for funnel_id in RANDOM_FUNNELS if BOOK.funnels[funnel_id].exclusions],
)
def test_excluded_journeys_agree(warehouse: Tables, funnel_id: str) -> None:
    """Prevents journeys from going missing without a number, or by another exclusion than said."""
    found = _found(warehouse, "core.fct_journey_exclusions", EXCLUSION_COLUMNS, funnel_id)
    _assert_same(funnel_id, _answers(funnel_id).exclusions, found)


@pytest.mark.parametrize("funnel_id", (*RANDOM_FUNNELS, *POPULATION_FUNNELS))
def test_stages_reached_agree(warehouse: Tables, funnel_id: str) -> None:
    """Prevents stages that were reached without evidence, or evidence that was overlooked."""
    found = _found(warehouse, "core.fct_journey_stages", JOURNEY_STAGE_COLUMNS, funnel_id)
    _assert_same(funnel_id, _answers(funnel_id).journey_stages, found)


@pytest.mark.parametrize("funnel_id", (*RANDOM_FUNNELS, *POPULATION_FUNNELS))
def test_visits_agree(warehouse: Tables, funnel_id: str) -> None:
    """Prevents stays that were never made, or that belong to another journey."""
    found = _found(warehouse, "core.fct_stage_visits", VISIT_COLUMNS, funnel_id)
    _assert_same(funnel_id, _answers(funnel_id).visits, found)


@pytest.mark.parametrize("funnel_id", (*RANDOM_FUNNELS, *POPULATION_FUNNELS))
def test_transitions_agree(warehouse: Tables, funnel_id: str) -> None:
    """Prevents steps from being named or timed in another way than the words say."""
    found = _found(warehouse, "core.fct_stage_transitions", TRANSITION_COLUMNS, funnel_id)
    _assert_same(funnel_id, _answers(funnel_id).transitions, found)


@pytest.mark.parametrize("funnel_id", (*RANDOM_FUNNELS, *POPULATION_FUNNELS))
def test_the_matrix_agrees(warehouse: Tables, funnel_id: str) -> None:
    """Prevents sums that the single steps do not give."""
    found = warehouse.query(
        "select from_stage_id, to_stage_id, transitions, subjects from marts.conversion_matrix"
        " where funnel_id = ? and cohort_grain = 'all' and segment_name = 'all'"
        " and transitions > 0",
        [funnel_id],
    )
    assert {row[:2]: row[2:] for row in found} == _answers(funnel_id).matrix


@pytest.mark.parametrize("funnel_id", RANDOM_FUNNELS)
def test_ties_agree(warehouse: Tables, funnel_id: str) -> None:
    """Prevents results that hang on a tie from being taken for sure, and sure ones for hanging.

    Of entries of one stage and instant `funnel_order` knows no first, and takes them by what they
    hold; where one of several held values decides, the oracle, which takes them as delivered,
    cannot tell.
    """
    funnel = BOOK.funnels[funnel_id]
    happenings = BOOK.happenings[BOOK.scope_of[funnel_id]]
    if funnel.hold_constant is not None:
        times = Counter((one.subject, one.at, one.name) for one in happenings)
        unclear = {subject for (subject, _, _), count in times.items() if count > 1}
        happenings = [one for one in happenings if one.subject not in unclear]
    subjects = {one.subject for one in happenings}
    expected = ties_of(funnel, happenings, AS_OF, REPORTING_TIMEZONE)
    rows = warehouse.query(
        "select subject_id, journeys_hang_on_tie, visits_hang_on_tie"
        " from intermediate.int_tied_subjects where funnel_id = ?",
        [funnel_id],
    )
    found = [row for row in rows if row[0] in subjects]
    assert {subject for subject, by_journeys, _ in found if by_journeys} == expected.by_journeys
    assert {subject for subject, _, by_visits in found if by_visits} == expected.by_visits
    if BOOK.scope_of[funnel_id] in ("tied", "shared_tied", "held_tied", "deals_tied"):
        assert expected.by_visits, "the log has ties that matter"
    flagged = warehouse.query(
        "select distinct subject_id from core.fct_journeys"
        " where funnel_id = ? and result_hangs_on_tie",
        [funnel_id],
    )
    hanging = expected.by_journeys | expected.by_visits
    assert {subject for (subject,) in flagged} & subjects == (
        hanging & _answers(funnel_id).journeys.keys()
    )
