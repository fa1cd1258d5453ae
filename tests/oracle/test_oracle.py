"""The plain implementation itself, on cases that fit into a head."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.oracle.answers import answers_of
from tests.oracle.declared import Exclusion, Funnel, Rule, Stage
from tests.oracle.entries import Happening

AS_OF = datetime(2024, 2, 1)
START = datetime(2024, 1, 1)


def _log(*steps: str) -> list[Happening]:
    """One subject's happenings, one an hour."""
    return [
        Happening("ann", START + timedelta(hours=hour), name, "log", hour)
        for hour, name in enumerate(steps)
    ]


def _funnel(**choices: object) -> Funnel:
    stages = (Stage("a", 1), Stage("b", 2), Stage("c", 3, "won"), Stage("lost", None, "lost"))
    rules = tuple(Rule(stage.stage_id, stage.stage_id) for stage in stages)
    return Funnel("funnel", stages, rules, **choices)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "steps", "furthest", "outcome"),
    [
        ("ordered", "a x b c", "c", "won"),
        ("ordered", "a c b", "b", "open"),
        ("ordered", "b c", None, None),
        ("strict", "a x b c", "a", "open"),
        ("strict", "a b c", "c", "won"),
        ("any", "c b a", "c", "won"),
        ("any", "c a", "a", "open"),
        ("furthest", "a c", "c", "won"),
        ("furthest", "b lost", "b", "lost"),
        ("furthest", "lost", "a", "lost"),
    ],
)
def test_each_mode_goes_as_far_as_its_words_say(
    mode: str, steps: str, furthest: str | None, outcome: str | None
) -> None:
    """Prevents an oracle that agrees with the warehouse because both are wrong."""
    journeys = answers_of(_funnel(order_mode=mode), _log(*steps.split()), AS_OF).journeys
    if furthest is None:
        assert journeys == {}
    else:
        [row] = journeys["ann"]
        assert (row[2], row[4]) == (furthest, outcome)


def test_best_takes_a_later_start_and_first_does_not() -> None:
    """Prevents the two policies from being one."""
    steps = _log("a", "x", "x", "a", "b", "c")
    for policy, furthest in (("best", "c"), ("first", "a")):
        funnel = _funnel(entry_policy=policy, window=timedelta(hours=2))
        [row] = answers_of(funnel, steps, AS_OF).journeys["ann"]
        assert row[2] == furthest


def test_an_exclusion_voids_and_counts() -> None:
    """Prevents the prefix of a void chain from standing in for it."""
    funnel = _funnel(exclusions=(Exclusion("a", "b", "x"),))
    void = answers_of(funnel, _log("a", "x", "b"), AS_OF)
    assert void.journeys == {}
    assert [row[1:4] for row in void.exclusions["ann"]] == [("a", "b", "x")]
    spared = answers_of(funnel, _log("a", "x", "a", "b"), AS_OF)
    assert [row[2] for row in spared.journeys["ann"]] == ["b"]
    assert spared.exclusions == {}


def test_journeys_follow_each_other() -> None:
    """Prevents one endless journey, and journeys that share an entry."""
    funnel = _funnel(count_by="journey", entry_policy="first")
    rows = answers_of(funnel, _log("a", "a", "b", "c", "b", "a", "lost", "a"), AS_OF).journeys
    assert [(row[0], row[2], row[4]) for row in rows["ann"]] == [
        (1, "c", "won"),
        (2, "a", "lost"),
        (3, "a", "open"),
    ]


def test_visits_and_steps() -> None:
    """Prevents repeats from being steps where they are collapsed."""
    steps = _log("a", "a", "b", "a", "lost", "b")
    collapsed = answers_of(_funnel(), steps, AS_OF)
    assert [row[4] for row in collapsed.transitions["ann"]] == [
        "enter",
        "advance",
        "regress",
        "lose",
        "reopen",
    ]
    assert collapsed.matrix["a", "b"] == (1, 1)
    each_one = answers_of(_funnel(collapse_repeats=False), steps, AS_OF)
    assert each_one.matrix["a", "a"] == (1, 1)
    assert len(each_one.visits["ann"]) == 6
