"""The alerts of a release, told to the webhook: each once, and again only when it changes.

What an alert is, is worked out by the models, in `metric_alerts`. What was told is kept in
`alerts.json`, written after the webhook has answered: a night that dies in between tells the same
message once more, under the same `message_id`, and none is ever lost.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import Settings
from orchestration.webhook import post

TABLE = "metric_alerts"

# A message is read on a telephone; all alerts are in the table.
MOST_IN_TEXT = 5

ALERTS = f"""
    select alert_id, alert_state, headline, explanation, certainty, size, unit, q_value
    from {TABLE}
    order by q_value, times_declared desc, alert_id
"""


@dataclass(frozen=True)
class Alert:
    """A row of `metric_alerts`: what tells it apart, what has to change for it to be told again."""

    alert_id: str
    alert_state: str
    headline: str
    explanation: str
    certainty: str
    size: float
    unit: str
    q_value: float


@dataclass(frozen=True)
class Told:
    """What became of the alerts of a night.

    Attributes:
        new: those that had to be told, whether or not there is a webhook to tell them to.
        is_told: whether they were.
        trouble: why not, without the address; empty if there was none.
    """

    new: tuple[Alert, ...]
    is_told: bool
    trouble: str


def read_alerts(database: Path) -> tuple[Alert, ...]:
    """The alerts of a release, the surest first; none of a release of older models."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(
            "select 1 from information_schema.tables where table_name = ?", [TABLE]
        ).fetchone()
        if found is None:
            return ()
        return tuple(Alert(*row) for row in connection.execute(ALERTS).fetchall())


def tell(settings: Settings, alerts: Sequence[Alert], release_id: str) -> Told:
    """Post the alerts that are new or have changed to the webhook, if one is configured.

    An alert that is gone is forgotten: should it come back, it is told again. What could not be
    told is tried again with the next release.
    """
    known = _told(settings)
    new = tuple(alert for alert in alerts if known.get(alert.alert_id) != alert.alert_state)
    if not settings.webhook_url:
        return Told(new, is_told=False, trouble="")
    states = {alert.alert_id: alert.alert_state for alert in alerts}
    if new:
        trouble = post(settings.webhook_url, alert_message(new, release_id))
        if trouble:
            trouble = f"The alerts could not be told to the webhook: {trouble}."
            return Told(new, is_told=False, trouble=trouble)
    if states != known:
        _keep(settings, states)
    return Told(new, is_told=bool(new), trouble="")


def alert_message(new: Sequence[Alert], release_id: str) -> dict[str, Any]:
    """What is posted: `text` for a chat, and the same in parts for a program."""
    states = sorted((alert.alert_id, alert.alert_state) for alert in new)
    return {
        "text": "\n".join(["Funnel Warehouse: " + counted(len(new)), *alert_lines(new)]),
        "message_id": hashlib.sha256(json.dumps(states).encode()).hexdigest()[:16],
        "release_id": release_id,
        "alerts": [vars(alert) for alert in new],
    }


def alert_lines(alerts: Sequence[Alert]) -> list[str]:
    """The first few alerts in words, and how many more there are."""
    lines = [f"{alert.headline} {alert.explanation}" for alert in alerts[:MOST_IN_TEXT]]
    more = len(alerts) - MOST_IN_TEXT
    return [*lines, f"{counted(more)} more in {TABLE}."] if more > 0 else lines


def counted(number: int) -> str:
    """So many alerts."""
    return f"{number} alert" if number == 1 else f"{number} alerts"


def _file(settings: Settings) -> Path:
    return settings.home / "alerts.json"


def _told(settings: Settings) -> Mapping[str, str]:
    try:
        told: dict[str, str] = json.loads(_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return told


def _keep(settings: Settings, states: Mapping[str, str]) -> None:
    text = json.dumps(states, ensure_ascii=False, indent=4, sort_keys=True)
    # A run that dies here leaves no half of a file, which no run after it could read.
    unfinished = _file(settings).with_suffix(".partial")
    unfinished.write_text(text + "\n", encoding="utf-8")
    os.replace(unfinished, _file(settings))
