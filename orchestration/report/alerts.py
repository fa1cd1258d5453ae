"""What the overview tells of what is watched: the surest alerts, and out of how many tests."""

from __future__ import annotations

from typing import Any

import duckdb

# Whoever wants the rest asks `metric_alerts`.
MOST = 10

ALERTS = f"""
    select headline, explanation, certainty
    from metric_alerts
    order by q_value, times_declared desc, alert_id
    limit {MOST}
"""


def alerts_data(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The alerts to show, the surest first; how many there are; how many tests were made.

    Args:
        connection: its tables are those of the release.
    """
    [(alerts, tests)] = connection.execute(
        "select (select count(*) from metric_alerts), (select count(*) from metric_tests)"
    ).fetchall()
    shown = connection.execute(ALERTS).fetchall()
    return {
        "alerts": alerts,
        "tests": tests,
        "shown": [
            {"headline": headline, "explanation": explanation, "certainty": certainty}
            for headline, explanation, certainty in shown
        ],
    }
