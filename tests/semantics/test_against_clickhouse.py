"""Ordered journeys against the windowFunnel of ClickHouse, on random logs with ties."""

from __future__ import annotations

from datetime import UTC

import pytest

from tests.semantics.cases import BOOK
from tests.semantics.random_logs import RANDOM_FUNNELS
from tests.support.tables import Tables

chdb = pytest.importorskip("chdb", reason="ClickHouse's windowFunnel needs the package chdb")

# windowFunnel takes equal instants in the order of its conditions, any entry as a start, and each
# event once: ordered, best, funnel_order. Exclusions and optional stages it does not know.
COMPARED = [
    funnel_id
    for funnel_id in RANDOM_FUNNELS
    if (funnel := BOOK.funnels[funnel_id]).order_mode == "ordered"
    and funnel.entry_policy == "best"
    and funnel.window is not None
    and not funnel.exclusions
    and not any(stage.is_optional for stage in funnel.stages)
    and (funnel.tie_policy == "funnel_order" or BOOK.scope_of[funnel_id] == "shared")
]


@pytest.mark.parametrize("funnel_id", COMPARED)
def test_depths_are_those_of_window_funnel(warehouse: Tables, funnel_id: str) -> None:
    """Prevents a funnel that the tool most used for such funnels would contradict."""
    funnel = BOOK.funnels[funnel_id]
    assert funnel.window is not None
    happenings = BOOK.happenings[BOOK.scope_of[funnel_id]]
    rows = ", ".join(
        f"('{one.subject}', {int(one.at.replace(tzinfo=UTC).timestamp())}, '{one.name}')"
        for one in happenings
        if one.at is not None
    )
    conditions = ", ".join(
        " or ".join(
            f"name = '{rule.match_value}'"
            for rule in funnel.rules
            if rule.stage_id == stage.stage_id
        )
        for stage in funnel.ladder
    )
    answer = chdb.query(
        f"select subject, windowFunnel({int(funnel.window.total_seconds())}, 'strict_once')"
        f"(at, {conditions}) as depth"
        f" from values('subject String, at UInt64, name String', {rows})"
        " group by subject having depth > 0",
        "CSV",
    )
    expected = {
        subject.strip('"'): int(depth)
        for subject, depth in (line.split(",") for line in str(answer).strip().splitlines())
    }
    assert len(expected) > 100
    found = warehouse.query(
        "select subject_id, furthest_stage_position from core.fct_journeys where funnel_id = ?",
        [funnel_id],
    )
    assert {str(subject): depth for subject, depth in found} == expected
