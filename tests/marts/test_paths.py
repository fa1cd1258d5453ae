"""Ways through random funnels, against plain Python (`plain_paths`)."""

from __future__ import annotations

from collections import defaultdict

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from tests.marts import plain_paths
from tests.marts.facts import Facts
from tests.marts.plain_paths import Way, seconds_to_win, ways
from tests.support.tables import Tables

SHOWN = 50
KINDS = ("none", "any", "late_entry", "skipped", "regressed", "repeated", "looped", "reopened")


def test_every_way_has_its_journeys(marts: Tables, facts: Facts) -> None:
    """Prevents a visit after the outcome from making a way, and rare ways from going missing."""
    others = 0
    for funnel_id, of_funnel in ways(facts).items():
        by_path: dict[str, list[Way]] = defaultdict(list)
        for way in of_funnel:
            by_path[way.path].append(way)
        ranked = sorted(by_path, key=lambda path: (-len(by_path[path]), path))
        expected = {path: by_path[path] for path in ranked[:SHOWN]}
        rest = [way for path in ranked[SHOWN:] for way in by_path[path]]
        if rest:
            expected["(other paths)"] = rest
            others += 1
        rows = marts.query(
            "select path, path_rank, journeys, won, mature_journeys, mature_won, median_seconds,"
            " share_low, share_high, steps, steps_again, cohort_journeys from marts.journey_paths"
            " where funnel_id = ? and cohort_grain = 'all'",
            [funnel_id],
        )
        assert {row[0] for row in rows} == set(expected)
        for path, rank, journeys, won, mature, mature_won, seconds, low, high, *rest_of in rows:
            of = expected[path]
            assert rank == (ranked.index(path) + 1 if path != "(other paths)" else None)
            assert journeys == len(of)
            assert won == sum(one.journey.outcome == "won" for one in of)
            assert mature == sum(one.journey.is_mature for one in of)
            assert mature_won == sum(
                one.journey.is_mature and one.journey.outcome == "won" for one in of
            )
            assert seconds == pytest.approx(seconds_to_win(of))
            assert (low, high) == pytest.approx(
                proportion_confint(len(of), len(of_funnel), method="wilson")
            )
            if rank:
                assert rest_of == [len(of[0].visits), len(of[0].again), len(of_funnel)]
    assert others >= 1


def test_months_hold_the_ways_of_their_journeys(marts: Tables, facts: Facts) -> None:
    """Prevents a journey of one month from being counted in another, or an undated one in any."""
    expected: dict[tuple[object, ...], int] = defaultdict(int)
    for funnel_id, of_funnel in ways(facts).items():
        for way in of_funnel:
            day = way.journey.entered_date
            expected[funnel_id, None] += 1
            if day:
                expected[funnel_id, day.replace(day=1)] += 1
    found = marts.query(
        "select funnel_id, cohort_date, cast(sum(journeys) as bigint), min(cohort_journeys),"
        f" sum(share) from marts.journey_paths where funnel_id in ({_named(facts)}) group by all"
    )
    assert {row[:2]: row[2] for row in found} == expected
    assert all(row[2] == row[3] and row[4] == pytest.approx(1) for row in found)


def test_every_kind_of_deviation_is_compared_with_the_conforming(
    marts: Tables, facts: Facts
) -> None:
    """Prevents an optional stage from being missed, and a loop from costing another one's time."""
    checked = set()
    for funnel_id, of_funnel in ways(facts).items():
        conforming = [way for way in of_funnel if not way.deviations]
        rows = marts.query(
            "select deviation, journeys, funnel_journeys, steps_again, seconds_again,"
            " mature_journeys, mature_won, median_seconds, median_seconds_difference,"
            " won_rate_difference, won_rate_difference_low, won_rate_difference_high"
            " from marts.path_deviations where funnel_id = ?",
            [funnel_id],
        )
        assert {row[0] for row in rows} == set(KINDS)
        for kind, *counts in rows:
            of = [way for way in of_funnel if _is_of(way, kind)]
            again = [visit for way in of for visit in way.again]
            mature = [way for way in of if way.journey.is_mature]
            won = sum(way.journey.outcome == "won" for way in mature)
            assert counts[:3] == [len(of), len(of_funnel), len(again)], (funnel_id, kind)
            seconds = sum(float(visit.seconds or 0) for visit in again)
            assert counts[3] == pytest.approx(seconds)
            assert counts[4:6] == [len(mature), won]
            usual, own = seconds_to_win(conforming), seconds_to_win(of)
            assert counts[6] == pytest.approx(own)
            if usual is not None and own is not None:
                assert counts[7] == pytest.approx(own - usual)
            base = [way for way in conforming if way.journey.is_mature]
            base_won = sum(way.journey.outcome == "won" for way in base)
            if mature and base:
                assert counts[8] == pytest.approx(won / len(mature) - base_won / len(base))
                assert counts[9:] == pytest.approx(
                    confint_proportions_2indep(
                        won, len(mature), base_won, len(base), method="newcomb"
                    ),
                    abs=1e-6,
                )
            if of:
                checked.add(kind)
    assert checked == set(KINDS)


def test_what_comes_next_is_the_first_that_is_known(marts: Tables, facts: Facts) -> None:
    """Prevents what came at the same instant, or a change of stage, from being what came next."""
    expected = plain_paths.next_steps(facts)
    rows = marts.query(
        "select funnel_id, stage_id, next_type, next_name, visits, last_visits, median_seconds"
        f" from marts.next_steps where funnel_id in ({_named(facts)})"
    )
    found = {row[:4]: row[4:] for row in rows}
    assert found.keys() == expected.keys()
    for key, wanted in expected.items():
        assert found[key] == pytest.approx(wanted), key
    assert {key[2] for key in found} >= {"event", "purchase", "activity", "nothing"}


def _is_of(way: Way, kind: str) -> bool:
    if kind in ("none", "any"):
        return bool(way.deviations) == (kind == "any")
    return kind in way.deviations


def _named(facts: Facts) -> str:
    return ", ".join(f"'{funnel.funnel_id}'" for funnel in facts.funnels)
