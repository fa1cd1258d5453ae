"""What is told while a layer is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration import layer_progress
from orchestration.dbt import DbtRun, NodeResult
from orchestration.layer_progress import LayerProgress
from orchestration.settings import Settings

TABLES = ("model.a", "model.b", "model.c")


class Clock:
    """The time as a test sets it, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(layer_progress, "time", clock)
    return clock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings.from_environment({}, {"FUNNEL_HOME": str(tmp_path)})
    made.dbt.mkdir(parents=True)
    return made


def _finished(node: str, seconds: float) -> NodeResult:
    return NodeResult(node, "success", "", None, seconds, None)


def test_a_line_comes_now_and_then_and_counts_tables(settings: Settings, clock: Clock) -> None:
    """A log would have a line for each table, or nothing for minutes."""
    lines: list[str] = []
    progress = LayerProgress(settings, "core", TABLES, lines.append)
    progress.finish("model.a")
    clock.now += 10
    progress.finish("test.of_a")
    progress.finish("model.b")
    clock.now += 10
    progress.finish("model.c")
    assert lines == ["core         1 of 3 tables", "core         3 of 3 tables"]


def test_the_rest_takes_the_share_that_it_took_last_night(settings: Settings, clock: Clock) -> None:
    """Whoever waits would not know whether for seconds or for an hour."""
    lines: list[str] = []
    first = LayerProgress(settings, "core", TABLES, lines.append)
    clock.now += 40  # two at a time: 80 seconds of work
    seconds = {"model.a": 20.0, "test.of_a": 0.0, "model.b": 40.0, "model.c": 20.0}
    first.remember(DbtRun(tuple(_finished(node, took) for node, took in seconds.items())))

    again = LayerProgress(settings, "core", TABLES, lines.append)
    clock.now += 12
    again.finish("model.a")
    clock.now += 12
    again.finish("model.new")
    again.finish("model.b")
    clock.now += 12
    again.finish("model.c")
    assert lines == [
        "core         1 of 3 tables, about 30 s left",
        "core         1 of 3 tables, about 30 s left",
        "core         3 of 3 tables, about 0 s left",
    ]
