"""The estimate of the curves against fractions, on whatever waits Hypothesis comes up with.

The model's own SQL is run on tables of a database in memory, so that an example costs milliseconds
and a failure is shrunk to its smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.marts.plain_curves import Wait, curve

pytestmark = pytest.mark.slow

# Few instants, so that many coincide; and some that differ by hardly anything in a long time.
INSTANTS = st.integers(0, 6) | st.sampled_from([86_400_000_000, 86_400_000_001])
FATES = st.sampled_from(["event", "event", "competing", "censored"])
WAITS = st.lists(st.builds(Wait, INSTANTS, FATES, st.just(0)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def model(marts_database: Path) -> str:
    """The SQL of `int_curve_points`, as dbt compiled it."""
    (found,) = marts_database.parent.rglob("compiled/**/int_curve_points.sql")
    return found.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that holds what the model reads, but for the waits."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            attach ':memory:' as build;
            create schema build.intermediate;
            use build.intermediate;
            create table int_curves as
                select unnest([1, 2]) as curve_id, unnest(['won', 'left']) as event;
            create table int_followed_cohorts as
                select 1::bigint as followed_cell_number, 1::bigint as cohort_segment_id;
            create table int_curve_waits (
                followed_cell_number bigint, curve_id integer, microseconds bigint,
                horizon_passed integer, waits bigint, events bigint, others bigint
            );
            """
        )
        yield connection


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(waits=WAITS, can_compete=st.booleans())
def test_shares_and_bands_are_the_products_and_sums_of_the_textbook(
    engine: duckdb.DuckDBPyConnection, model: str, waits: list[Wait], can_compete: bool
) -> None:
    """Prevents shares and bands that ties, or censoring at the instant of an event, throw."""
    if not can_compete:
        waits = [
            Wait(one.microseconds, "event" if one.fate == "competing" else one.fate, 0)
            for one in waits
        ]
    engine.execute("truncate int_curve_waits")
    engine.executemany(
        "insert into int_curve_waits values (1, ?, ?, 0, 1, ?, ?)",
        [
            (
                1 if can_compete else 2,
                one.microseconds,
                one.fate == "event",
                one.fate == "competing",
            )
            for one in waits
        ],
    )
    event = "won" if can_compete else "left"
    points = engine.execute(
        "select microseconds, at_risk, share, share_low, share_high, competing_share,"
        f" competing_share_low, competing_share_high from ({model}) order by microseconds"
    ).fetchall()
    expected = curve(waits)
    for step in expected.steps:
        until = [point for point in points if point[0] <= step.microseconds]
        share = until[-1][2] if until else 0.0
        assert share == pytest.approx(float(step.share), abs=1e-12)
    steps = {step.microseconds: step for step in expected.steps}
    assert len(points) == len({point[0] for point in points}), "an instant is one point"
    for microseconds, at_risk, share, low, high, competing, *band in points:
        step = steps[microseconds]
        assert (at_risk, share) == (step.at_risk, pytest.approx(float(step.share), abs=1e-12))
        assert competing == pytest.approx(float(step.competing), abs=1e-12)
        wanted = (*expected.band(step, event), *expected.competing_band(step))
        assert (low, high, *band) == pytest.approx(wanted, abs=1e-9)
