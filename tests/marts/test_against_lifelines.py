"""The survival curves against lifelines: Kaplan–Meier, Aalen–Johansen, and their bands."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.utils import median_survival_times

from tests.marts import plain_marts
from tests.marts.facts import Facts
from tests.marts.lifelike_facts import MEAN_DAYS, SAMPLES, TRIAL, WON_IN_THE_END
from tests.marts.plain_curves import Curve
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

FATES = {"censored": 0, "event": 1, "competing": 2}
ALL_TIME = ("all", None, "all", "all")
Key = tuple[str, str, str, str | None]


@pytest.fixture(scope="module")
def curves(lifelike: Facts) -> dict[Key, Curve]:
    """The curves of all time of the facts without ties, by funnel, event, from stage, to stage."""
    return {
        (funnel.funnel_id, *key): curve
        for funnel, group, column in plain_marts.columns(lifelike)
        if group == ALL_TIME and funnel == TRIAL
        for key, curve in column.curves(funnel).items()
    }


def _points(marts: Tables, key: Key) -> np.ndarray:
    rows = marts.query(
        """
        select seconds, share, share_low, share_high from marts.survival_curves
        where funnel_id = ? and event = ? and from_stage_id = ?
        and to_stage_id is not distinct from ?
        and cohort_grain = 'all' and segment_name = 'all'
        order by point_number
        """,
        key,
    )
    return np.array(rows, dtype=float)


def _waits(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    seconds = np.array([wait.microseconds / 1e6 for wait in curve.waits])
    return seconds, np.array([FATES[wait.fate] for wait in curve.waits])


def test_leaving_a_stage_is_kaplan_meier_with_greenwoods_band(
    marts: Tables, curves: dict[Key, Curve]
) -> None:
    """Prevents a survival, its band or its median's interval that statisticians would not get."""
    compared = 0
    for key, curve in curves.items():
        if key[1] != "left":
            continue
        seconds, fates = _waits(curve)
        fitted = KaplanMeierFitter().fit(seconds, fates == 1)
        points = _points(marts, key)
        if not len(points):
            assert not (fates == 1).any()
            continue
        at = np.array(points)[:, 0]
        survival = fitted.survival_function_at_times(at).to_numpy()
        np.testing.assert_allclose(points[:, 1], 1 - survival, atol=1e-9)
        bands = fitted.confidence_interval_.loc[at].to_numpy()
        inside = survival > 1e-9
        np.testing.assert_allclose(points[inside, 2], 1 - bands[inside, 1], atol=1e-9)
        np.testing.assert_allclose(points[inside, 3], 1 - bands[inside, 0], atol=1e-9)
        [found] = marts.query(
            """
            select survival_p50, survival_p50_low, survival_p50_high from marts.cycle_times
            where funnel_id = ? and from_stage_id = ? and to_stage_id = 'any_exit'
            and cohort_grain = 'all' and segment_name = 'all'
            """,
            [key[0], key[2]],
        )
        low, high = median_survival_times(fitted.confidence_interval_).to_numpy()[0]
        wanted = (fitted.median_survival_time_, low, high)
        assert [np.inf if one is None else one for one in found] == pytest.approx(wanted), key
        compared += len(points)
    assert compared > 100


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_outcomes_and_stages_are_aalen_johansen_with_its_band(
    marts: Tables, curves: dict[Key, Curve]
) -> None:
    """Prevents a competing outcome from being treated as waiting on, and a band of another kind."""
    compared = 0
    for key, curve in curves.items():
        if key[1] not in ("won", "lost", "reached"):
            continue
        seconds, fates = _waits(curve)
        points = _points(marts, key)
        if not len(points):
            assert not (fates > 0).any()
            continue
        ties = len(seconds[fates > 0]) - len(set(seconds[fates > 0]))
        assert ties == 0, f"{key}: lifelines breaks ties at random"
        fitted = AalenJohansenFitter().fit(seconds, fates, event_of_interest=1)
        at = points[:, 0]
        np.testing.assert_allclose(
            points[:, 1], fitted.cumulative_density_.loc[at].to_numpy()[:, 0], atol=1e-9
        )
        bands = np.sort(fitted.confidence_interval_.loc[at].to_numpy(), axis=1)
        inside = (points[:, 1] > 0) & (points[:, 1] < 1 - 1e-9)
        np.testing.assert_allclose(points[inside, 2:], bands[inside], atol=1e-9)
        compared += int(inside.sum())
    assert compared > 100


def test_bands_cover_the_truth_as_often_as_they_say(marts: Tables) -> None:
    """Prevents bands that are too narrow or too wide for what is not known yet.

    Each value of the segment is a sample of its own, most of it seen for less than the horizon.
    """
    truth = WON_IN_THE_END * (1 - np.exp(-1 / MEAN_DAYS))
    rows = marts.query(
        """
        select
            corrected_rate_low <= ? and ? <= corrected_rate_high as is_covered,
            waits - followed as not_followed
        from marts.conversion_by_horizon
        where funnel_id = 'coverage' and event = 'won' and horizon_days = 1
        and cohort_grain = 'all' and segment_name = 'sample' and corrected_rate is not null
        """,
        [truth, truth],
    )
    assert len(rows) == SAMPLES
    assert all(not_followed > 0 for _, not_followed in rows), "some are always censored"
    covered = sum(is_covered for is_covered, _ in rows) / SAMPLES
    # Four standard errors of a share of 95%.
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / SAMPLES), covered
