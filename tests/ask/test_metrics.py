"""The metrics of `models/semantic/`, asked as a user asks them, against the marts."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dbt
from orchestration.metrics import MetricsError, write_project
from orchestration.settings import Settings

# Metrics, what they are grouped by and filtered to, and the same figures as the marts have them.
ASKED: dict[str, tuple[str, str, str, str]] = {
    "journeys": (
        "journeys,journeys_won,journeys_closed,conversion_rate,win_rate,median_seconds_to_win,"
        "amount_won,wins_with_amount,average_amount_won",
        "journey__funnel_id",
        "",
        """
        select
            funnel_id, count(*), count(*) filter (where outcome = 'won'),
            count(*) filter (where outcome <> 'open'),
            count(*) filter (where outcome = 'won') / count(*),
            count(*) filter (where outcome = 'won') / count(*) filter (where outcome <> 'open'),
            median(seconds_to_outcome::double) filter (where outcome = 'won'),
            sum(amount) filter (where outcome = 'won'),
            count(amount) filter (where outcome = 'won'),
            avg(amount::double) filter (where outcome = 'won')
        from fct_journeys group by all
        """,
    ),
    "mature conversion": (
        "conversion_rate,journeys",
        "journey__funnel_id,metric_time__quarter",
        "{{ Dimension('journey__is_mature') }} and {{ Dimension('journey__funnel_id') }} in "
        "('sales_pipeline', 'lead_qualification', 'web_purchase')",
        """
        select funnel_id, cohort_date, mature_overall_rate, mature_entered
        from funnel_conversion
        inner join (
            select funnel_id, stage_id, stage_kind from dim_funnel_stages
        ) using (funnel_id, stage_id)
        where cohort_grain = 'quarter' and segment_name = 'all' and stage_kind = 'won'
            and mature_entered > 0
            and funnel_id in ('sales_pipeline', 'lead_qualification', 'web_purchase')
        -- Who buys again has won before.
        qualify stage_position = min(stage_position) over (partition by funnel_id)
        """,
    ),
    "median cycle time": (
        "median_seconds_in_stage",
        "stage_visit__funnel_id,stage_visit__stage_id",
        "",
        """
        select funnel_id, from_stage_id, p50 from cycle_times
        where to_stage_id = 'any_exit' and cohort_grain = 'all' and segment_name = 'all'
        """,
    ),
    "steps by month": (
        "reached,reached_previous,entered,step_rate,overall_rate",
        "stage__funnel_id,stage__stage_id,metric_time__month",
        "",
        """
        select
            funnel_id, stage_id, cohort_date, reached, reached_previous, entered, step_rate,
            overall_rate
        from funnel_conversion
        where cohort_grain = 'month' and segment_name = 'all'
        """,
    ),
    "steps by segment": (
        "segment_reached,segment_step_rate,segment_overall_rate",
        "stage__funnel_id,stage__stage_id,stage__segment_name,stage__segment_value,"
        "metric_time__year",
        "",
        """
        select
            funnel_id, stage_id, segment_name, segment_value, cohort_date, reached, step_rate,
            overall_rate
        from funnel_conversion
        where cohort_grain = 'year' and segment_name <> 'all'
        """,
    ),
    "drop-off": (
        "at_stage,dropped_off,drop_off_rate,amount_lost",
        "stage_ending__funnel_id,stage_ending__stage_id,metric_time__quarter",
        "",
        """
        select
            funnel_id, stage_id, cohort_date, reached, lost + abandoned, drop_off_rate,
            case when lost + abandoned > amount_unknown then amount_lost end
        from drop_off_points
        where cohort_grain = 'quarter' and segment_name = 'all'
        """,
    ),
    # Of each month its last day, not the sum of its days.
    "open pipeline": (
        "open_deals,open_pipeline,weighted_pipeline",
        "pipeline_day__funnel_id,pipeline_day__stage_id,metric_time__month",
        "",
        """
        select
            funnel_id, stage_id, date_trunc('month', snapshot_date)::date, open_deals, open_amount,
            weighted_amount
        from pipeline_daily
        where segment_name = 'all'
        qualify snapshot_date
            = max(snapshot_date) over (partition by date_trunc('month', snapshot_date))
        """,
    ),
}


def ask(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """What `make metrics` says to these words."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration", "metrics", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FUNNEL_HOME": str(settings.home)},
        cwd=Path(__file__).parents[2],
        timeout=120,
    )


def by_group(rows: list[tuple[Any, ...]], groups: int) -> dict[tuple[str, ...], list[Any]]:
    """The figures of each group; none of nothing, which MetricFlow writes as an empty cell."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        key = tuple(str(cell).removesuffix("T00:00:00").removesuffix(" 00:00:00")
                    for cell in row[:groups])  # fmt: skip
        assert key not in found, key
        found[key] = [
            None if cell in ("", None, "None", "nan") else float(cell) for cell in row[groups:]
        ]
    return found


@pytest.mark.parametrize("question", ASKED)
def test_metrics_are_the_figures_of_the_marts(
    question: str, release_settings: Settings, reader: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Two tools would tell two conversion rates of one release."""
    metrics, groups, where, sql = ASKED[question]
    answer = tmp_path / "answer.csv"
    words = ["query", "--metrics", metrics, "--group-by", groups, "--csv", str(answer)]
    found = ask(release_settings, *words, *(["--where", where] if where else []))
    assert answer.is_file(), found.stdout + found.stderr
    with answer.open(newline="", encoding="utf-8") as lines:
        header, *rows = list(csv.reader(lines))
    names = groups.split(",")
    # Its columns come in an order of its own.
    order = [header.index(name) for name in (*names, *metrics.split(","))]
    told = by_group([tuple(row[place] for place in order) for row in rows], len(names))
    expected = by_group(reader.execute(sql).fetchall(), len(names))

    assert len(expected) > 2
    assert told.keys() == expected.keys()
    for group, figures in expected.items():
        assert told[group] == [
            None if figure is None else pytest.approx(figure, rel=1e-9) for figure in figures
        ], group


def test_the_declarations_read_the_release_alone(release_settings: Settings) -> None:
    """They would name tables that no release has, or be answered from a build under way."""
    folder = write_project(release_settings)
    declared = dbt.semantic_manifest(release_settings)
    read = {model["node_relation"]["alias"] for model in declared["semantic_models"]}
    published = {path.stem for path in (release_settings.published / "current").glob("parquet/*")}
    assert len(read) == 5
    assert read <= published
    assert "build" not in (folder / "target" / "semantic_manifest.json").read_text("utf-8")


def test_every_metric_is_described_and_on_the_page(release_settings: Settings) -> None:
    """A tool shows the description alone, and whoever reads the page would miss a metric."""
    declared = dbt.semantic_manifest(release_settings)
    page = (dbt.PROJECT / "docs" / "ask-metrics.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", page.split("## The metrics")[1], re.MULTILINE)
    assert listed == [one["name"] for one in declared["metrics"]]
    assert len(declared["metrics"]) > 20
    assert [one["name"] for one in declared["metrics"] if not one["description"].strip()] == []


def test_without_a_release_it_says_what_makes_one(tmp_path: Path) -> None:
    """A newcomer who asks before the first night would read of a missing link."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path)})
    with pytest.raises(MetricsError, match="make nightly"):
        write_project(settings)
