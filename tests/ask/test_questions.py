"""docs/ask-questions.md: each question has an answer, and the page says all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "ask-questions.md"
TEXT = PAGE.read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^### (\d+\. .*?)$.*?^```sql\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_there_are_twenty_questions() -> None:
    """A question whose SQL is not found here is not run."""
    assert [int(title.partition(".")[0]) for title, _ in QUESTIONS] == list(range(1, 21))
    assert TEXT.count("```sql") == 21


@pytest.mark.parametrize(("title", "query"), QUESTIONS, ids=[title for title, _ in QUESTIONS])
def test_each_question_is_answered(
    reader: duckdb.DuckDBPyConnection, title: str, query: str
) -> None:
    """A reader would copy an example that fails, or that says nothing."""
    rows = reader.execute(query).fetchall()
    assert rows
    assert any(value is not None for row in rows for value in row)


def test_the_page_names_every_macro_with_its_arguments(reader: duckdb.DuckDBPyConnection) -> None:
    """A macro that the page does not name is known to nobody."""
    macros = reader.execute(
        "select function_name, parameters from duckdb_functions() where not internal"
    ).fetchall()
    assert len(macros) > 10
    table = TEXT[TEXT.index("## The macros") : TEXT.index("A cell is")]
    words = set(re.findall(r"\w+", TEXT[TEXT.index("## The macros") : TEXT.index("**Modes**")]))
    for name, parameters in macros:
        assert f"`{name}`" in table
        assert set(parameters) <= words, name


def test_buyers_within_a_day_are_those_of_the_events(reader: duckdb.DuckDBPyConnection) -> None:
    """Question 1 would teach another figure than its words say."""
    ((entered, paid),) = reader.execute(
        """
        with carts as (
            select visitor_id, occurred_at from fct_events where event_name = 'cart_added'
        ),
        orders as (
            select visitor_id, occurred_at from fct_events where event_name = 'order_paid'
        )
        select
            (select count(distinct visitor_id) from carts),
            (
                select count(distinct carts.visitor_id)
                from carts
                inner join orders
                    on
                        carts.visitor_id = orders.visitor_id
                        and orders.occurred_at - carts.occurred_at
                        between interval 0 seconds and interval 24 hours
            )
        """
    ).fetchall()
    found = reader.execute(QUESTIONS[0][1]).fetchall()
    assert [row[1] for row in found] == [entered, paid]
    assert found[1][2] == paid / entered


def test_january_is_the_difference_of_its_ends(reader: duckdb.DuckDBPyConnection) -> None:
    """The movements of question 15 would not lead from one end of a month to the other."""
    moves = reader.execute(QUESTIONS[14][1]).fetchall()
    ends = [
        reader.execute(
            "select sum(open_amount) from pipeline_daily where funnel_id = 'sales_pipeline' "
            "and segment_name = 'all' and snapshot_date = cast(? as date)",
            [day],
        ).fetchall()[0][0]
        for day in ("2025-12-31", "2026-01-31")
    ]
    assert sum(row[3] for row in moves) == ends[1] - ends[0]
