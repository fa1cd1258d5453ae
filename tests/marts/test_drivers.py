"""Drivers: every row against statsmodels, and none found where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.marts.plain_curves import REPORTABLE
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

KEY = ("funnel_id", "to_stage_id", "factor_kind", "factor_name", "factor_value")
COUNTS = ("cases", "converted", "other_cases", "other_converted")
JUDGED = ("strata", "is_reportable", "is_tested", "tests", "verdict")
MEASURES = (
    *("rate", "rate_low", "rate_high", "other_rate", "other_rate_low", "other_rate_high"),
    *("crude_odds_ratio", "odds_ratio", "odds_ratio_low", "odds_ratio_high", "p_value", "q_value"),
)
LENGTHS = (0, 1, 2, 4, 8)

# Admitted and rejected men, admitted and rejected women, by department: P. J. Bickel et al., Sex
# Bias in Graduate Admissions: Data from Berkeley, Science 187 (1975). What R prints of them for
# `mantelhaen.test(UCBAdmissions)` and, for the last, with `correct = FALSE`.
BERKELEY = (
    *((512, 313, 89, 19), (353, 207, 17, 8), (120, 205, 202, 391)),
    *((138, 279, 131, 244), (53, 138, 94, 299), (22, 351, 24, 317)),
)
COMMON_ODDS_RATIO, ITS_LOW, ITS_HIGH = 0.9046968, 0.7719074, 1.0603298
CHI_SQUARE = 1.5246

DEFECTS = {
    "conversion_drivers_lie_in_their_intervals": """
        update marts.conversion_drivers set odds_ratio_low = odds_ratio + 0.01
        where funnel_id = 'berkeley'
    """,
    "conversion_drivers_are_corrected": """
        update marts.conversion_drivers set q_value = null where verdict = 'more often'
    """,
    "never_null_conversion_drivers": """
        update marts.conversion_drivers set strata = null where funnel_id = 'berkeley'
    """,
    "accepted_values_conversion_drivers_factor_kind": """
        update marts.conversion_drivers set factor_kind = 'luck' where factor_name = 'null'
    """,
    "accepted_values_conversion_drivers_verdict": """
        update marts.conversion_drivers set verdict = 'of course' where verdict = 'less often'
    """,
    "unique_combination_conversion_drivers": """
        insert into marts.conversion_drivers
        select * from marts.conversion_drivers where funnel_id = 'berkeley'
    """,
    "int_driver_strata_count_journeys": """
        update intermediate.int_driver_strata set other_converted = other_cases + 1
        where funnel_id = 'berkeley'
    """,
    "unique_combination_int_driver_strata": """
        insert into intermediate.int_driver_strata
        select * from intermediate.int_driver_strata where funnel_id = 'berkeley'
    """,
    "unique_combination_int_driver_cases": """
        insert into intermediate.int_driver_cases select * from intermediate.int_driver_cases
    """,
    "never_null_int_driver_cases": """
        update intermediate.int_driver_cases set at_stage_from = null
    """,
    "unique_combination_int_driver_behaviours": """
        insert into intermediate.int_driver_behaviours
        select * from intermediate.int_driver_behaviours
    """,
    "never_null_int_driver_behaviours": """
        update intermediate.int_driver_behaviours set times = null
    """,
}

Strata = dict[tuple[str, str], list[tuple[int, ...]]]


@pytest.fixture(scope="module")
def strata() -> Strata:
    """Counts at random: converted and not with the factor, converted and not without it."""
    random = np.random.default_rng(20250901)
    found: Strata = {("berkeley", "male"): list(BERKELEY)}
    # Without any effect but that of the path, which those with the factor have longer or shorter.
    for number in range(400):
        found["null", f"null {number}"] = list(
            _tables(random, (200, 800), effect=0.0, longer=random.uniform(-1, 1))
        )
    for number in range(40):
        effect = random.choice([-0.8, 0.8])
        name = f"{'up' if effect > 0 else 'down'} {number}"
        found["true", name] = list(_tables(random, (300, 900), effect=effect, longer=0.5))
    # Few cases, or few that convert: strata that tell nothing, and odds without an end.
    for number in range(400):
        sizes = (0, int(random.integers(2, 40)))
        found["small", f"small {number}"] = list(_tables(random, sizes, random.normal(0, 2)))
        found["rare", f"rare {number}"] = list(_tables(random, (0, 80), 0.0, level=-5.0))
    return found


def _tables(
    random: np.random.Generator,
    sizes: tuple[int, int],
    effect: float,
    longer: float = 0.0,
    level: float = -1.5,
) -> Iterator[tuple[int, ...]]:
    """A table for each length of the path; the odds to convert rise with it."""
    for place in range(len(LENGTHS)):
        size = int(random.integers(*sizes))
        with_it = int(random.binomial(size, 1 / (1 + np.exp(0.5 - longer * (place - 2)))))
        base = level + 0.6 * place
        converted, other = (
            int(random.binomial(cases, 1 / (1 + np.exp(-base - by))))
            for cases, by in ((with_it, effect), (size - with_it, 0.0))
        )
        yield converted, with_it - converted, other, size - with_it - other


@pytest.fixture(scope="module")
def database(strata: Strata, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The mart of these counts."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("drivers"))})
    declarations.write_empty(settings.declarations)
    frame = pd.DataFrame(
        [
            (
                *(funnel_id, "a", "b", 2, "attribute", funnel_id, value, place),
                *(one + not_one, one, other + not_other, other),
            )
            for (funnel_id, value), tables in strata.items()
            for place, (one, not_one, other, not_other) in enumerate(tables)
        ],
        columns=[
            *("funnel_id", "from_stage_id", "to_stage_id", "to_stage_position"),
            *("factor_kind", "factor_name", "factor_value", "path_length"),
            *COUNTS,
        ],
    )
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.build)) as connection:
        connection.register("frame", frame)
        connection.execute(
            """
            create schema intermediate;
            create table intermediate.int_driver_strata as
            select * replace (cast(to_stage_position as integer) as to_stage_position) from frame;
            create table intermediate.int_driver_cases as
            select
                'f' as funnel_id, 's' as subject_id, 1 as journey_number, 1 as journey_id,
                1 as cell_id, 'a' as from_stage_id, 'b' as to_stage_id, 2 as to_stage_position,
                true as has_converted, timestamp '2025-01-01' as entered_at,
                timestamp '2025-01-01' as at_stage_from;
            create table intermediate.int_driver_behaviours as
            select
                1 as journey_id, 'b' as to_stage_id, 'event' as evidence_type,
                'search' as evidence_name, 1 as times
            """
        )
    _dbt(settings, "build", "--exclude-resource-types", "unit_test")
    return settings


def _dbt(settings: Settings, command: str, *arguments: str) -> dict[str, str]:
    """The status of each model and test."""
    outcome = dbt.run(
        settings,
        [
            *(command, "--select", "conversion_drivers"),
            *(
                ["int_driver_cases", "int_driver_behaviours", "int_driver_strata"]
                * (command == "test")
            ),
            *("--indirect-selection", "cautious"),
            *arguments,
            *dbt.common_arguments(settings),
        ],
    )
    assert command == "test" or not outcome.failures, "\n".join(outcome.failure_lines)
    return {one.unique_id.split(".")[2]: one.status for one in outcome.results}


@pytest.fixture(scope="module")
def tables(database: Settings) -> Iterator[Tables]:
    """Its tables."""
    opened = Tables(database.build)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def drivers(tables: Tables) -> pd.DataFrame:
    """Its rows, by funnel and value."""
    columns = (*KEY, *COUNTS, *JUDGED, *MEASURES)
    rows = tables.query(f"select {', '.join(columns)} from marts.conversion_drivers")
    return pd.DataFrame(rows, columns=list(columns)).set_index(["funnel_id", "factor_value"])


def test_every_row_agrees_with_statsmodels(drivers: pd.DataFrame, strata: Strata) -> None:
    """Prevents an odds ratio, an interval or a p-value of another method, also at 0 and at all."""
    expected = {key: _expected(np.array(of)) for key, of in strata.items()}
    expected = {key: row for key, row in expected.items() if row["cases"] and row["other_cases"]}
    wanted = pd.DataFrame.from_dict(expected, orient="index").loc[drivers.index.tolist()]
    assert len(wanted) == len(drivers) == len(expected)
    for name in wanted.columns:
        right = wanted[name].to_numpy()
        if name in MEASURES:
            wrong = ~np.isclose(
                drivers[name].astype(float), right.astype(float), rtol=1e-7, equal_nan=True
            )
        else:
            wrong = drivers[name].to_numpy() != right
        assert drivers[wrong].empty, name
    # All that can be: without end, 0, with strata that tell nothing, on both sides of the minimum.
    assert drivers["odds_ratio"].isna().any() and (drivers["odds_ratio"] == 0).any()
    assert {*range(6)} <= set(drivers["strata"])
    assert (drivers["is_reportable"] & ~drivers["is_tested"]).any()


def _expected(counts: np.ndarray) -> dict[str, object]:
    one, not_one, other, not_other = counts.T
    cases, others = one + not_one, other + not_other
    converted, size = one + other, one + not_one + other + not_other
    is_told = (cases > 0) & (others > 0) & (converted > 0) & (converted < size)
    row: dict[str, object] = {
        "cases": cases.sum(),
        "converted": one.sum(),
        "other_cases": others.sum(),
        "other_converted": other.sum(),
        "strata": is_told.sum(),
        "is_reportable": min(cases.sum(), others.sum()) >= REPORTABLE,
    }
    for name, successes, trials in (("", one, cases), ("other_", other, others)):
        if trials.sum():
            row[f"{name}rate"] = successes.sum() / trials.sum()
            row[f"{name}rate_low"], row[f"{name}rate_high"] = proportion_confint(
                successes.sum(), trials.sum(), method="wilson"
            )
    against = int(not_one.sum()) * int(other.sum())
    row["crude_odds_ratio"] = int(one.sum()) * int(not_other.sum()) / against if against else None
    row |= dict.fromkeys(("odds_ratio", "odds_ratio_low", "odds_ratio_high", "p_value"))
    # Whatever strata are left out tell nothing, and statsmodels divides by their zeros.
    told = counts[is_told]
    if not len(told):
        return row | {"is_tested": False}
    table = StratifiedTable([stratum.reshape(2, 2) for stratum in told])
    speaks_for = (told[:, 0] * told[:, 3] / told.sum(axis=1)).sum()
    speaks_against = (told[:, 1] * told[:, 2] / told.sum(axis=1)).sum()
    if speaks_against:
        row["odds_ratio"] = speaks_for / speaks_against
    if speaks_for and speaks_against:
        assert table.oddsratio_pooled == pytest.approx(row["odds_ratio"])
        low, high = table.oddsratio_pooled_confint()
        row |= {"odds_ratio_low": low, "odds_ratio_high": high}
    row["p_value"] = table.test_null_odds(correction=False).pvalue
    # N. Mantel and J. L. Fleiss, Minimum Expected Cell Size Requirements for the Mantel-Haenszel
    # One-Degree-of-Freedom Chi-Square Test, American Journal of Epidemiology 112 (1980).
    expected = (cases * converted / np.maximum(size, 1)).sum()
    low = np.maximum(0, cases + converted - size).sum()
    high = np.minimum(cases, converted).sum()
    is_normal = min(expected - low, high - expected) >= 5 - 1e-9
    return row | {"is_tested": bool(row["is_reportable"]) and is_normal}


def test_p_values_are_corrected_for_all_that_are_tested(drivers: pd.DataFrame) -> None:
    """Prevents drivers that are found because many were looked for."""
    for funnel_id, family in drivers.groupby(level="funnel_id"):
        tested = family[family["is_tested"]]
        assert set(family["tests"]) == {len(tested)}
        if funnel_id in ("null", "small", "true"):
            assert len(tested) > 30
        is_rejected, corrected, *_ = multipletests(tested["p_value"], 0.05, method="fdr_bh")
        assert np.allclose(tested["q_value"], corrected, rtol=1e-9, atol=0)
        assert (tested["verdict"].isin(["more often", "less often"]) == is_rejected).all()
    others = drivers[~drivers["is_tested"]]
    assert set(others["verdict"]) == {"too few cases"}
    assert others["q_value"].isna().all()


def test_the_published_odds_ratio_comes_out(drivers: pd.DataFrame) -> None:
    """Prevents an interval or a chi-square of another method than the one that is named."""
    row = drivers.loc[("berkeley", "male")]
    assert row["odds_ratio"] == pytest.approx(COMMON_ODDS_RATIO, abs=5e-8)
    assert row["odds_ratio_low"] == pytest.approx(ITS_LOW, abs=5e-8)
    assert row["odds_ratio_high"] == pytest.approx(ITS_HIGH, abs=5e-8)
    assert norm.isf(row["p_value"] / 2) ** 2 == pytest.approx(CHI_SQUARE, abs=5e-5)
    # All departments together, men seem to do better by far.
    assert row["crude_odds_ratio"] == pytest.approx(1198 * 1278 / (1493 * 557))
    assert row["verdict"] == "no difference found"


def test_true_drivers_are_found_and_longer_paths_are_none(drivers: pd.DataFrame) -> None:
    """Prevents what comes with long paths from being taken for what goes with conversion."""
    true = drivers.loc["true"]
    assert (
        true["verdict"] == ["more often" if "up" in name else "less often" for name in true.index]
    ).all()
    null = drivers.loc["null"]
    assert null["is_tested"].all()
    # Where nothing is to be found, one table in twenty may have any, and no more than some.
    assert (null["verdict"] != "no difference found").sum() <= 2
    # Without strata most of them would be drivers.
    assert (np.abs(np.log(null["crude_odds_ratio"].astype(float))) > 0.2).sum() > 200


@pytest.fixture(scope="module")
def statuses(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Status of each data test, by name, over tables with all the defects."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("defects"))})
    declarations.write_empty(settings.declarations)
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(database.build, settings.build)
    with duckdb.connect(str(settings.build)) as connection:
        for defect in DEFECTS.values():
            [changed] = connection.execute(defect).fetchone() or (0,)
            assert changed > 0, defect
    return _dbt(settings, "test", "--exclude", "test_type:unit")


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(statuses: dict[str, str], name: str) -> None:
    """Prevents a test that passes whatever the table holds."""
    [status] = {status for test, status in statuses.items() if test.startswith(name)}
    assert status == "fail"


def test_every_data_test_was_seen_failing(statuses: dict[str, str]) -> None:
    """Prevents a new test from being trusted before it was seen failing."""
    assert {name for name, status in statuses.items() if status != "fail"} == set()
