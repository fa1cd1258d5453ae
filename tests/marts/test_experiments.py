"""Experiments and changes: against scipy and statsmodels, and looked at every night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.support.macros import compiled_sql
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

START, END = date(2025, 2, 1), date(2025, 2, 28)
# Experiment, its last date, its planned shares, how many subjects each variant got and how many of
# them were won; the first variant is the control.
EXPERIMENTS: dict[str, tuple[date, dict[str, float], dict[str, tuple[int, int]]]] = {
    "better": (END, {"a": 0.5, "b": 0.5}, {"a": (1000, 100), "b": (1010, 160)}),
    "worse": (END, {"a": 0.5, "b": 0.5}, {"a": (900, 270), "b": (950, 190)}),
    "none": (END, {"a": 0.5, "b": 0.5}, {"a": (500, 50), "b": (480, 52)}),
    "early": (date(2025, 4, 30), {"a": 0.5, "b": 0.5}, {"a": (1000, 100), "b": (1000, 200)}),
    "uneven": (END, {"a": 0.5, "b": 0.5}, {"a": (1000, 100), "b": (800, 160)}),
    "three": (
        END,
        {"a": 0.5, "b": 0.25, "c": 0.25},
        {"a": (1000, 100), "b": (500, 69), "c": (500, 90)},
    ),
}
VERDICTS = {
    ("better", "b"): "better",
    ("worse", "b"): "worse",
    ("none", "b"): "no difference found",
    ("early", "b"): "too early",
    ("uneven", "b"): "not to be trusted",
    # p is 0.028, below 0.05 but not below half of it.
    ("three", "b"): "no difference found",
    ("three", "c"): "better",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The tables built of these counts: `better` by a segment, the others by assignments."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("trials"))})
    declarations.write_empty(settings.declarations)
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    _write(settings.build)
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", "int_experiment_subjects", "experiment_results", "before_and_after"),
            *("--exclude-resource-type", "unit_test"),
            *("--indirect-selection", "cautious"),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, "\n".join(outcome.failure_lines)
    tables = Tables(settings.build)
    yield tables
    tables.close()


def _write(database: Path) -> None:
    journeys, segments, assignments = [], [], []
    for name, (_, _, variants) in EXPERIMENTS.items():
        for variant, (subjects, won) in variants.items():
            for number in range(subjects):
                subject = f"{name} {variant} {number}"
                journeys.append((name, subject, 1, START, True, number < won))
                segments.append((name, subject, 1, "button", variant))
                assignments.append((name, subject, variant))
        # Who came too early, whose journey is not mature, and a second journey, which was won.
        for number, (entered, is_mature) in enumerate(
            [(START - timedelta(days=1), True), (END, False)]
        ):
            subject = f"{name} other {number}"
            journeys.append((name, subject, 1, entered, is_mature, True))
            segments.append((name, subject, 1, "button", "a"))
            assignments.append((name, subject, "a"))
        journeys.append((name, f"{name} a {variants['a'][0] - 1}", 2, END, True, True))
        # Who has no variant, one that is not declared, or two.
        for values in ((), ("z",), ("a", "b")):
            subject = f"{name} {values}"
            journeys.append((name, subject, 1, START, True, True))
            segments += [(name, subject, 1, "button", value) for value in values]
    experiments = [
        (name, name, "button" if name == "better" else None, "won", START, end, 2000, 0.05)
        for name, (end, *_) in EXPERIMENTS.items()
    ]
    declared = [
        (name, variant, variant == "a", share)
        for name, (_, shares, _) in EXPERIMENTS.items()
        for variant, share in shares.items()
    ]
    days = [
        (name, START + timedelta(days=day - 14), 50, 10 if day < 14 else 20)
        for name in EXPERIMENTS
        for day in range(28)
    ]
    frames = {
        "journeys": pd.DataFrame(journeys),
        "segments": pd.DataFrame(segments),
        "assigned": pd.DataFrame([one for one in assignments if one[0] != "better"]),
        "experiments": pd.DataFrame(experiments),
        "variants": pd.DataFrame(declared),
        "days": pd.DataFrame(days),
    }
    with duckdb.connect(str(database)) as connection:
        for name, frame in frames.items():
            connection.register(name, frame)
        connection.execute(
            """
            create schema core;
            create schema intermediate;
            create schema marts;
            create schema declarations;
            create table core.dim_funnel_stages as
            select
                "0" as funnel_id, unnest(['visit', 'won']) as stage_id,
                unnest([1, 2]) as stage_position
            from experiments;
            create table core.fct_journeys as
            select
                "0" as funnel_id, "1" as subject_id, "2" as journey_number,
                cast("3" as date) as entered_date, "4" as is_mature
            from journeys;
            create table core.fct_journey_stages as
            select "0" as funnel_id, "1" as subject_id, "2" as journey_number, 'visit' as stage_id
            from journeys
            union all
            select "0", "1", "2", 'won' from journeys where "5";
            create table core.fct_journey_segments as
            select
                "0" as funnel_id, "1" as subject_id, "2" as journey_number, "3" as segment_name,
                "4" as segment_value
            from segments;
            create table intermediate.int_trend_spans as
            select
                "0" as funnel_id, date '2025-01-18' as first_date, date '2025-04-01' as mature_date
            from experiments;
            create table marts.funnel_conversion as
            select
                "0" as funnel_id, 'day' as cohort_grain, cast("1" as date) as cohort_date,
                'all' as segment_name, 'won' as stage_id, cast(2 as integer) as stage_position,
                "3" as mature_reached, "2" as mature_reached_previous, "2" as mature_entered
            from days;
            create table declarations.experiments as
            select
                "0" as experiment_id, "1" as funnel_id, cast("2" as varchar) as segment_name,
                "3" as stage_id, cast("4" as date) as started_on, cast("5" as date) as ended_on,
                cast("6" as integer) as planned_subjects, "7" as alpha
            from experiments;
            create table declarations.experiment_variants as
            select
                "0" as experiment_id, "1" as variant, "2" as is_control, "3" as planned_share
            from variants;
            create table declarations.experiment_assignments as
            select "0" as experiment_id, "1" as subject_id, "2" as variant from assigned;
            create table declarations.changes as
            select
                unnest(['form', 'price']) as change_name, 'none' as funnel_id,
                unnest([date '2025-02-01', date '2025-02-05']) as changed_on, 14 as days_compared;
            """
        )


def test_every_result_agrees_with_scipy_and_statsmodels(results: Tables) -> None:
    """Prevents an interval or a p-value of another kind, and subjects who do not take part."""
    rows = results._connection.execute("select * from marts.experiment_results").df()
    assert len(rows) == sum(len(variants) for _, _, variants in EXPERIMENTS.values())
    for row in rows.to_dict("records"):
        _, shares, variants = EXPERIMENTS[row["experiment_id"]]
        (m, y), (n, x) = variants["a"], variants[row["variant"]]
        # The one whose journey is not mature counts for the shares alone.
        subjects = {name: size + (name == "a") for name, (size, _) in variants.items()}
        whole = sum(subjects.values())
        assert (row["subjects"], row["mature_subjects"], row["reached"]) == (
            *(subjects[row["variant"]], n, x),
        )
        mismatch = stats.chisquare(
            list(subjects.values()), [share * whole for share in shares.values()]
        )
        assert row["mismatch_p_value"] == pytest.approx(mismatch.pvalue, rel=1e-6)
        if row["is_control"]:
            assert row["verdict"] == "control"
            continue
        alpha = 0.05 / (len(variants) - 1)
        assert row["alpha_of_comparison"] == pytest.approx(alpha)
        assert row["p_value"] == pytest.approx(proportions_ztest([x, y], [n, m])[1], rel=1e-9)
        newcombe = confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff")
        found = (row["difference_low"], row["difference_high"])
        assert found == pytest.approx(newcombe, abs=1e-9)
        z = stats.norm.isf(alpha / 2) + stats.norm.isf(0.2)
        deviation = np.sqrt(y / m * (1 - y / m))
        as_planned = z * deviation * np.sqrt(1 / (2000 * shares[row["variant"]]) + 1 / 1000)
        assert row["detectable_as_planned"] == pytest.approx(as_planned, rel=1e-5)
        at_present = z * deviation * np.sqrt(1 / n + 1 / m)
        assert row["detectable_at_present"] == pytest.approx(at_present, rel=1e-5)
        assert row["sequential_p_value"] >= row["p_value"]
        is_outside = row["sequential_low"] > 0 or row["sequential_high"] < 0
        assert is_outside == (row["sequential_p_value"] < alpha)
        assert row["verdict"] == VERDICTS[row["experiment_id"], row["variant"]]


def test_looking_every_night_is_safe_by_the_sequence_alone() -> None:
    """Prevents a sequential p-value that is none: two thousand trials of nothing, looked at daily.

    The formulas of the table, in plain Python: at the first p-value below 0.05 many stop wrongly.
    """
    random = np.random.default_rng(20250501)
    trials, nights, daily, rate = 2000, 60, 40, 0.2
    won = random.binomial(daily, rate, (2, trials, nights)).cumsum(axis=2)
    n = daily * np.arange(1, nights + 1)
    pooled = won.sum(axis=0) / (2 * n)
    variance = pooled * (1 - pooled) * 2 / n
    difference = (won[1] - won[0]) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        peeking = stats.chi2.sf(difference**2 / variance, 1)
    mixture = (2.8016**2) * rate * (1 - rate) * 2 / (daily * nights)
    sequential = np.sqrt((variance + mixture) / variance) * np.exp(
        -(difference**2) * mixture / (2 * variance * (variance + mixture))
    )
    assert (peeking < 0.05).any(axis=1).mean() > 0.2
    assert (sequential < 0.05).any(axis=1).mean() <= 0.05


def test_before_and_after_name_their_caveats(results: Tables) -> None:
    """Prevents a change that is praised for what another one did.

    Fourteen days of 10 in 50 before, fourteen of 20 in 50 after; the other change has nine and
    fourteen days after.
    """
    rows = results.query(
        """
        select
            change_name, days_before, days_after, successes_before, trials_before, successes_after,
            trials_after, p_value, caveats
        from marts.before_and_after
        where rate_name = 'step_rate'
        order by change_name
        """
    )
    form, price = rows
    assert form[:7] == ("form", 14, 14, 140, 700, 280, 700)
    assert form[7] == pytest.approx(proportions_ztest([140, 280], [700, 700])[1], rel=1e-9)
    assert form[8] == (
        "What else changed, and the season, counts too: only an experiment tells causes. "
        "price was changed in the same time."
    )
    assert price[:7] == ("price", 14, 14, 180, 700, 200, 500)
    assert "form was changed in the same time." in price[8]


def test_quantiles_and_tails_are_those_of_scipy(tmp_path: Path) -> None:
    """Prevents a mismatch that is missed, and a plan for another error than the declared one."""
    values = [0.1, 1.0, 5.0, 20.0, 60.0]
    tails = [0.4, 0.1, 0.075, 0.05, 0.025, 0.0125, 0.001, 1e-6]
    sql = compiled_sql(
        f"""
        select 'chi' as what, x, degrees, {{{{ chi_square_p('x', 'degrees') }}}} as found
        from unnest({values}) as x (x), range(1, 12) as degrees (degrees)
        union all
        select 'normal', tail, 0, {{{{ normal_bound('tail') }}}}
        from unnest({tails}) as tails (tail)
        union all
        select 't', t, degrees, {{{{ student_as_normal('t', 'degrees') }}}}
        from unnest([0.5, 2, 4, 6]) as ts (t), range(8, 57, 6) as degrees (degrees)
        union all
        select 'bound', 0, degrees, {{{{ student_bound('degrees') }}}}
        from range(8, 57, 6) as degrees (degrees)
        """,
        tmp_path,
    )
    rows = duckdb.sql(sql).fetchall()
    assert len(rows) == 55 + 8 + 36 + 9
    for what, x, degrees, found in rows:
        right = {
            "chi": lambda x, degrees: stats.chi2.sf(x, degrees),
            "normal": lambda x, degrees: stats.norm.isf(x),
            "t": lambda x, degrees: stats.norm.isf(stats.t.sf(x, degrees)),
            "bound": lambda x, degrees: stats.t.isf(0.025, degrees),
        }[what](x, degrees)
        assert found == pytest.approx(right, rel=3e-4), (what, x, degrees)
