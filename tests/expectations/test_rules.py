"""Gates have names that stay and can be typed, and queries that can be pasted."""

from __future__ import annotations

import duckdb
import pytest

from expectations.rules import Rule

RULE = Rule(
    gate="raw.volume",
    table="raw.loads",
    rule="Every delivery is as large as usual.",
    measure="rows_read",
    measures="select 1",
    observed="{rows_read:,} rows",
    expected="at most {highest:,}",
    offending_rows="select {item} as item, {rows_read} as rows_read, {highest} as highest",
    not_judged="anything",
)


@pytest.mark.parametrize(
    ("item", "gate"),
    [
        pytest.param("web.events", "raw.volume.web.events", id="plain"),
        pytest.param(None, "raw.volume", id="a rule without items"),
        pytest.param("web.Add to cart", "raw.volume.web.Add_to_cart", id="spaces"),
        pytest.param("web.'; rm -rf $HOME #", "raw.volume.web._rm_-rf_HOME_", id="hostile"),
        pytest.param("web.支付", "raw.volume.web._", id="Chinese"),
    ],
)
def test_a_gate_can_be_typed_in_a_shell(item: str | None, gate: str) -> None:
    """Prevents an event name from breaking, or running as, the command that accepts its gate."""
    assert RULE.gate_names([{"item": item}]) == [gate]


def test_items_with_the_same_letters_have_gates_of_their_own() -> None:
    """Prevents that accepting the surprise of one item accepts that of another."""
    names = RULE.gate_names([{"item": "加入"}, {"item": "支付"}, {"item": "cart"}])
    assert len(set(names)) == 3
    assert names[2] == "raw.volume.cart"
    assert RULE.gate_names([{"item": "支付"}, {"item": "加入"}])[::-1] == names[:2]


def test_the_query_of_the_offending_rows_can_be_pasted() -> None:
    """Prevents a name with a quote from breaking the query that somebody is told to run."""
    row = {"item": "it's; --", "rows_read": 7, "lowest": None, "highest": None}
    found = duckdb.execute(RULE.offending_query(row)).fetchall()
    assert found == [("it's; --", 7, None)]


def test_a_row_without_bounds_is_not_judged() -> None:
    """Prevents a table without history from being held against nothing."""
    row = {"item": "web.events", "rows_read": 7, "lowest": None, "highest": None}
    assert not RULE.is_judged(row)
    assert RULE.expected_text(row) == "anything"
    assert RULE.is_judged({**row, "highest": 0})
