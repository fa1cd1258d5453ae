"""The macros of the funnel marts: what they compute, and that they refuse bad arguments by name."""

from __future__ import annotations

import itertools

import duckdb
import numpy as np
import pytest
import scipy.stats

from orchestration import dbt
from tests.support.macros import compiled_sql

SIDES = ("low", "high")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("wilson_bound('a', 'b', 'middle')", "wilson_bound: expected side low or high"),
        ("newcombe_bound('a', 'b', 'c', 'd', 'both')", "newcombe_bound: expected side low or high"),
        ("cohort_date('fortnight', 'entered_date')", "cohort_date: expected one of all, year"),
        ("list_item('a', 0)", "list_item: expected a position from 1 on, found 0"),
        ("place_of_quantile('a', 50)", "expected a share between 0 and 1, found 50"),
        ("median_rank('a', 'middle')", "median_rank: expected side low or high, found middle"),
        (
            "test_adds_up_over_segments(ref('funnel_conversion'), 'entered', ['funnel_id'])",
            "expected lists of columns, found entered",
        ),
        (
            "test_sums_by_group(ref('conversion_matrix'), 'transitions', 'visits', 'funnel_id')",
            "expected group_by as a list of columns, found funnel_id",
        ),
    ],
)
def test_a_bad_argument_is_refused(
    call: str, message: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Prevents a misspelt argument from becoming SQL that runs and means something else."""
    with pytest.raises(dbt.DbtError) as refused:
        compiled_sql("select {{ " + call + " }}", tmp_path_factory.getbasetemp() / "macros")
    # dbt says that the query could not be compiled, and why in the error behind that.
    by_dbt = refused.value.__cause__
    assert by_dbt is not None
    assert message in str(by_dbt.__context__)


def test_of_no_trials_or_of_unknown_ones_there_is_no_interval(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents an interval that begins at 0 or ends at 1 around a rate that is not there."""
    query = (
        "select {{ wilson_low('successes', 'trials') }}, {{ wilson_high('successes', 'trials') }}"
        " from (values (0, 0), (0, null), (1, null), (null, 0)) as counted (successes, trials)"
    )
    with duckdb.connect() as connection:
        compiled = compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
        assert connection.execute(compiled).fetchall() == [(None, None)] * 4


def test_quantiles_and_intervals_of_lists_are_those_of_numpy_and_of_the_ranks(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents an interval from the wrong ranks, nulls that count, and quantiles off by one."""
    random = np.random.default_rng(7)
    groups = {size: random.integers(0, 10**12, size) for size in (*range(1, 40), 100, 625, 2501)}
    shares = (0, 0.1, 0.25, 0.5, 0.9, 1)
    query = "".join(
        (
            "with lists as (select size, {{ sorted_numbers('number') }} as numbers ",
            "from measured group by size) select size, ",
            *(f"{{{{ quantile_of_sorted('numbers', {share}) }}}}, " for share in shares),
            "{{ median_low('numbers') }}, {{ median_high('numbers') }} from lists",
        )
    )
    with duckdb.connect() as connection:
        connection.execute("set default_null_order = 'nulls_first'; set default_order = 'desc'")
        connection.execute("create table measured (size integer, number bigint)")
        connection.executemany(
            "insert into measured select ?, unnest(?)",
            [(size, [*numbers.tolist(), None]) for size, numbers in groups.items()],
        )
        connection.execute("insert into measured values (0, null)")
        compiled = compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
        found = {row[0]: row[1:] for row in connection.execute(compiled).fetchall()}
    assert found.pop(0) == (None,) * (len(shares) + 2)
    assert found.keys() == groups.keys()
    for size, numbers in groups.items():
        *quantiles, low, high = found[size]
        assert quantiles == pytest.approx(np.quantile(numbers, shares).tolist(), rel=1e-14)
        ordered = sorted(numbers.tolist())
        distance = 1.96 * np.sqrt(size) / 2
        ranks = (round(size / 2 - distance), round(1 + size / 2 + distance))
        wanted = tuple(ordered[rank - 1] for rank in ranks) if ranks[0] > 0 else (None, None)
        assert (low, high) == wanted, size


def test_quantiles_of_placed_numbers_are_those_of_lists(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents quantiles of cohorts that are off by one, or miss a row that they need."""
    random = np.random.default_rng(9)
    groups = {size: random.integers(0, 1 + size // 3, size) for size in (*range(1, 30), 400, 2501)}
    shares = (0, 0.1, 0.25, 0.5, 0.9, 1)
    quantiles = ", ".join(
        f"{{{{ quantile_of_placed('number', 'place', 'in_all', {share}) }}}}" for share in shares
    )
    needed = " or ".join(
        f"{{{{ is_place_of_quantile('place', 'in_all', {share}) }}}}" for share in shares
    )
    query = f"select size, {quantiles}, count(*) from placed where {needed} group by size"
    with duckdb.connect() as connection:
        connection.execute("create table measured (size integer, number bigint)")
        connection.executemany(
            "insert into measured select ?, unnest(?)",
            [(size, numbers.tolist()) for size, numbers in groups.items()],
        )
        connection.execute(
            """
            create table placed as
            select
                size,
                number,
                row_number() over (partition by size order by number) as place,
                count(*) over (partition by size) as in_all,
            from measured
            """
        )
        compiled = compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
        found = {size: row for size, *row in connection.execute(compiled).fetchall()}
    assert found.keys() == groups.keys()
    for size, numbers in groups.items():
        *quantiles_found, rows = found[size]
        assert quantiles_found == pytest.approx(np.quantile(numbers, shares).tolist(), rel=1e-14)
        assert rows <= 2 * len(shares)


def test_a_rounded_wait_is_the_next_length_of_nine_binary_digits(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents waits that get shorter, too long, or change places, and short ones that change.

    Every number up to 2^17, and around all powers of two and all lengths that waits are rounded to.
    """
    numbers = {*range(2**17), *np.random.default_rng(8).integers(0, 2**50, 20_000).tolist()}
    for exponent in range(9, 50):
        lengths = [
            2**exponent,
            2**exponent + 2 ** (exponent - 8),
            2**exponent - 2 ** (exponent - 9),
        ]
        numbers |= {length + beside for length in lengths for beside in (-1, 0, 1)}
    query = "select number, {{ rounded_wait('number') }} from numbers order by number"
    with duckdb.connect() as connection:
        connection.execute(
            "create table numbers as select unnest(?::bigint[]) as number", [[*numbers]]
        )
        compiled = compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
        number, found = np.array(connection.execute(compiled).fetchall()).T
    assert len(number) == len(numbers)
    assert (found[number < 512] == number[number < 512]).all()
    assert (found >= number).all()
    assert (256 * (found - number) <= number).all()
    assert (np.diff(found) >= 0).all()
    units = [2 ** max(one.bit_length() - 9, 0) for one in found.tolist()]
    assert not (found % np.array(units)).any()
    beyond = found > number
    assert (found[beyond] - number[beyond] < np.array(units)[beyond]).all()


def test_items_of_a_list_around_a_number(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Prevents a horizon that is passed a day early or late, and one beyond the last."""
    query = (
        "select {{ greatest_up_to('[30, 7, 90]', 'number') }},"
        " {{ least_from('[30, 7, 90]', 'number') }}"
        " from (values (6), (7), (8), (30), (89), (90), (91), (null)) as of (number)"
    )
    found = duckdb.sql(compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")).fetchall()
    assert found == [
        *((None, 7), (7, 7), (7, 30), (30, 30), (30, 90), (90, 90), (90, None)),
        (None, None),
    ]


def test_curves_are_of_all_time_and_of_coarse_periods_of_everybody(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents curves for groups whose journeys were all followed for about the same time."""
    query = (
        "select grain, segment from (values ('all'), ('year'), ('quarter'), ('month'), ('week'),"
        " ('day')) as grains (grain) cross join (values ('all'), ('region')) as of (segment)"
        " where {{ is_followed('grain', 'segment') }}"
    )
    found = duckdb.sql(compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")).fetchall()
    assert sorted(found) == [
        *(("all", "all"), ("all", "region"), ("month", "all"), ("quarter", "all"), ("year", "all"))
    ]


def test_the_interval_of_a_median_has_the_published_ranks_and_covers_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents an interval that is called 95% and is narrower, for any number of values.

    Of 100 values it goes from the 40th to the 61st (Campbell and Gardner 1988). How often the
    median lies below a rank is binomial, whatever the distribution.
    """
    query = (
        "select size, {{ median_low('numbers') }}, {{ median_high('numbers') }}"
        " from (select size, range(1, size + 1) as numbers from range(1, 3001) as sizes (size))"
        " order by size"
    )
    rows = duckdb.sql(compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")).fetchall()
    assert rows[4] == (5, None, None)
    assert rows[5] == (6, 1, 6)
    assert rows[99] == (100, 40, 61)
    sizes, low, high = np.array(rows[5:], dtype=float).T
    covered = scipy.stats.binom.cdf(high - 1, sizes, 0.5) - scipy.stats.binom.cdf(
        low - 1, sizes, 0.5
    )
    assert covered.min() > 0.95
    assert covered[sizes > 1000].max() < 0.96


def test_the_normal_tail_is_that_of_scipy(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Prevents p-values that are wrong, negative or above 1, also where they are tiny."""
    query = "select z, {{ normal_two_sided_p('z') }} from numbers order by z nulls last"
    with duckdb.connect() as connection:
        connection.execute(
            "create table numbers as select (number - 40000) / 1000e0 as z"
            " from range(80001) as numbers (number)"
        )
        connection.execute("insert into numbers values (null)")
        compiled = compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
        *rows, of_nothing = connection.execute(compiled).fetchall()
    assert of_nothing == (None, None)
    z, found = np.array(rows).T
    wanted = 2 * scipy.stats.norm.sf(np.abs(z))
    is_near = np.abs(z) <= 37
    assert len(z) == 80001
    assert np.abs(found[is_near] / wanted[is_near] - 1).max() < 1e-12
    assert found.min() >= 0
    assert found.max() == 1


def test_the_interval_of_a_difference_is_the_published_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents a difference that looks certain, or whose interval has its ends mixed up.

    R. G. Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998), table II, method 10.
    """
    published = {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (6, 7, 2, 7): (0.0582, 0.8062),
        (5, 56, 0, 29): (-0.0381, 0.1926),
        (0, 10, 0, 20): (-0.1611, 0.2775),
        (0, 10, 0, 10): (-0.2775, 0.2775),
        (10, 10, 0, 20): (0.6791, 1.0000),
        (10, 10, 0, 10): (0.6075, 1.0000),
    }
    bounds = ", ".join(f"{{{{ newcombe_bound('a', 'b', 'c', 'd', '{side}') }}}}" for side in SIDES)
    rows = ", ".join(f"({', '.join(map(str, counts))})" for counts in (*published, (1, 2, 0, 0)))
    query = f"select {bounds} from (values {rows}) as of (a, b, c, d)"
    *found, unknown = duckdb.sql(
        compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
    ).fetchall()
    assert [tuple(round(end, 4) for end in ends) for ends in found] == list(published.values())
    assert unknown == (None, None)


@pytest.mark.parametrize(
    ("minimum", "answers"), [(None, [False, True, False]), ("7", [True, True, False])]
)
def test_a_share_of_fewer_than_the_minimum_is_not_reportable(
    minimum: str | None, answers: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Prevents a rate of a handful from being reported, and a minimum that nobody reads."""
    settings = {} if minimum is None else {"FUNNEL_MIN_REPORTABLE": minimum}
    compiled = compiled_sql(
        "select {{ is_reportable('trials') }} from (values (29), (30), (null)) as of (trials)",
        tmp_path_factory.getbasetemp() / "macros",
        settings,
    )
    assert list(itertools.chain(*duckdb.sql(compiled).fetchall())) == answers
