"""The marts about owners against plain Python, on deals at random."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dbt, declarations
from tests.marts import plain_owners
from tests.marts.owner_deals import (
    AS_OF,
    FUNNELS,
    MANAGER_AMOUNT,
    MINIMUM,
    OBSERVED,
    PROBABILITY,
    RULES,
    World,
)
from tests.marts.plain_owners import rounded
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

PAGE = (dbt.PROJECT / "docs" / "manage-a-pipeline.md").read_text("utf-8")
QUERIES = [
    query
    for query in re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if re.search(r"from (owner_(?!quotas)|open_opportunities)", query)
]


def test_what_owners_won_is_what_plain_python_counts(
    owner_world: World, owner_marts: Tables
) -> None:
    """Prevents wins of another period or owner, lost periods, and unknown amounts as 0."""
    expected = plain_owners.performances(owner_world)
    columns = list(next(iter(expected.values())))
    found = {
        row[:5]: dict(zip(columns, row[5:], strict=True))
        for row in owner_marts.query(
            "select funnel_id, period_grain, period_date, level, name, "
            f"{', '.join(columns)} from marts.owner_performance"
        )
    }
    assert len(found) > 500
    assert found.keys() == expected.keys()
    for key, figures in expected.items():
        for column, figure in figures.items():
            if column in ("median_days_to_win", "median_amount_won"):
                one = found[key][column]
                assert (one is None) == (figure is None), (key, column)
                assert figure is None or float(one) == pytest.approx(float(figure), abs=1e-4)
            else:
                assert found[key][column] == figure, (key, column)


def test_only_who_has_enough_cases_is_ranked(owner_marts: Tables) -> None:
    """Prevents a star of three deals, and a rank of deals that are nobody's."""
    groups: dict[tuple[Any, ...], list[tuple[float, int | None]]] = defaultdict(list)
    for *group, name, won, closed, rank in owner_marts.query(
        "select funnel_id, period_grain, period_date, level, name, won, closed, win_rate_rank "
        "from marts.owner_performance where level != 'all'"
    ):
        if closed < MINIMUM or name == "(missing)":
            assert rank is None
        else:
            groups[tuple(group)].append((won / closed, rank))
    assert max(len(group) for group in groups.values()) > 3
    for rates in groups.values():
        for rate, rank in rates:
            assert rank == 1 + sum(other > rate for other, _ in rates)


def test_concentration_is_what_the_statistics_module_says(owner_marts: Tables) -> None:
    """Prevents another deviation or mode, and a Gini coefficient of unsorted sellers.

    The coefficient is half the mean difference of all pairs, by the mean.
    """
    results: dict[tuple[Any, ...], list[Decimal]] = defaultdict(list)
    for *period, won, amount in owner_marts.query(
        "select funnel_id, period_grain, period_date, won, amount_won from marts.owner_performance "
        "where level = 'seller' and name != '(missing)'"
    ):
        results[*period, "wins"].append(Decimal(won))
        if amount is not None:
            results[*period, "amount"].append(amount)
    rows = owner_marts.query(
        "select funnel_id, period_grain, period_date, measure, sellers, total, best, mean, median, "
        "mode, result_range, standard_deviation, gini, is_mean_misleading "
        "from marts.owner_concentration"
    )
    assert {row[:4] for row in rows} == results.keys()
    assert any(row[-1] for row in rows), "a mean misleads somewhere"
    for *key, sellers, total, best, mean, median, mode, spread, deviation, gini, _ in rows:
        one = results[tuple(key)]
        assert (sellers, total, best, spread) == (len(one), sum(one), max(one), max(one) - min(one))
        assert mode == min(statistics.multimode(one))
        assert mean == rounded(statistics.mean(one))
        assert float(median) == pytest.approx(float(statistics.median(one)), abs=1e-4)
        assert deviation == pytest.approx(float(statistics.pstdev(one)), rel=1e-9, abs=1e-9)
        pairs = sum(abs(left - right) for left in one for right in one)
        expected = float(pairs) / (2 * len(one) * float(total)) if total else None
        assert gini == (pytest.approx(expected, abs=1e-9) if expected is not None else None)


def test_findings_are_those_of_plain_python(owner_world: World, owner_marts: Tables) -> None:
    """Prevents findings for who is within bounds, and others than the declared bounds."""
    expected = plain_owners.findings(owner_world)
    assert {key[2] for key in expected} == {rule for rule, _ in RULES}, "each rule finds something"
    found = {
        row[:4]: row[4]
        for row in owner_marts.query(
            "select funnel_id, owner_id, rule_name, period_date, found from marts.owner_health"
        )
    }
    assert found == expected


def test_the_deals_behind_the_findings_are_those_of_plain_python(
    owner_world: World, owner_marts: Tables
) -> None:
    """Prevents a manager from talking about the wrong deals."""
    behind = plain_owners.deals_behind(owner_world)
    expected = {key: behind[key] for key in plain_owners.findings(owner_world) if behind.get(key)}
    found: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for *key, deal_id in owner_marts.query(
        "select funnel_id, owner_id, rule_name, period_date, deal_id from marts.owner_health_deals"
    ):
        found[tuple(key)].add(deal_id)
    assert found == expected


def test_the_worklist_is_sorted_by_what_is_to_be_expected(
    owner_world: World, owner_marts: Tables
) -> None:
    """Prevents deals of unknown worth on top, and a manager's list without the large deals."""
    rows = owner_marts.query(
        "select funnel_id, deal_id, expected_value, is_for_manager, manager_id, days_overdue, "
        "win_probability_source from marts.open_opportunities_ranked "
        "order by funnel_id, worklist_rank"
    )
    deals = {deal.deal_id: deal for deal in owner_world.deals if deal.outcome == "open"}
    assert {row[1] for row in rows} == deals.keys()
    expected = []
    for funnel_id in sorted(FUNNELS):
        valued = []
        for deal in deals.values():
            if deal.funnel_id != funnel_id:
                continue
            declared = PROBABILITY[deal.stage_id]
            won, closed = OBSERVED.get(deal.stage_id, (0, 1))
            chance = declared if declared is not None else Decimal(won) / closed
            value = None if deal.amount is None else rounded(deal.amount * chance)
            is_large = (
                deal.amount and deal.amount > MANAGER_AMOUNT if funnel_id == "sales" else None
            )
            overdue = deal.expected_close_date and max(
                (AS_OF.date() - deal.expected_close_date).days, 0
            )
            owner = deal.owner_id and f"manager of {deal.owner_id}"
            source = "observed" if declared is None else "declared"
            place = (
                *(value is None, -(value or 0), -(deal.amount or 0)),
                *(deal.entered_at is None, deal.entered_at or AS_OF, deal.deal_id),
            )
            row = (funnel_id, deal.deal_id, value, is_large, owner, overdue, source)
            valued.append((place, row))
        expected += [row for _, row in sorted(valued)]
    assert rows == expected


def test_the_queries_of_the_page_run(owner_database: Path) -> None:
    """Prevents an example that fails where a reader pastes it."""
    assert len(QUERIES) == 4
    with duckdb.connect(str(owner_database), read_only=True) as connection:
        connection.execute("use marts")
        for query in QUERIES:
            ours = query.replace("'sales_pipeline'", "'sales'").replace("'owner-03'", "'o03'")
            assert connection.execute(ours).fetchall(), query


def test_the_page_tells_the_shipped_rules() -> None:
    """Prevents a rule that only those find who read the declarations."""
    for rule in declarations.read(dbt.PROJECT / "seeds").tables["owner_health_rules"]:
        [line] = [
            line
            for line in PAGE.splitlines()
            if line.startswith("| `") and f"`{rule['rule_name']}`" in line.split("|")[1]
        ]
        shipped = line.split("|")[4]
        for column in ("at_least", "at_most", "cases_at_least"):
            assert rule[column] in re.findall(r"\d+", shipped) or not rule[column], line
