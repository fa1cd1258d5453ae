"""What a person reads at the end of a night: how it went, the headlines, where to look next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import shorten

import duckdb

from orchestration import gates
from orchestration.alerts import counted, read_alerts
from orchestration.notes import notes_of
from orchestration.release_database import DATABASE
from orchestration.releases import Release, ReleaseError, current_release, release_folder
from orchestration.settings import Settings

# The table is to fit into a terminal of 120 columns.
WIDEST_NAME = 30

# A summary is read at a glance.
MOST_ALERTS = 3

# A funnel's row: the journeys that entered, those that reached its last stage, and its worst step.
HEADLINES = """
    with stages as (
        select
            funnel_conversion.funnel_id,
            dim_funnels.funnel_name,
            dim_funnel_stages.stage_name,
            funnel_conversion.stage_position,
            funnel_conversion.entered,
            funnel_conversion.reached,
            funnel_conversion.step_rate,
            funnel_conversion.overall_rate,
            funnel_conversion.overall_rate_low,
            funnel_conversion.overall_rate_high,
        from funnel_conversion
        inner join dim_funnels using (funnel_id)
        inner join dim_funnel_stages using (funnel_id, stage_id)
        where cohort_grain = 'all' and segment_name = 'all'
    )

    select
        funnel_name,
        max(entered) as entered,
        max_by(stage_name, stage_position) as last_stage,
        max_by(reached, stage_position) as reached,
        max_by(overall_rate, stage_position) as rate,
        max_by(overall_rate_low, stage_position) as rate_low,
        max_by(overall_rate_high, stage_position) as rate_high,
        min_by(stage_name, step_rate) as narrowest,
        min(step_rate) as narrowest_rate,
    from stages
    group by funnel_id, funnel_name
    order by entered desc nulls last, funnel_id
"""

LOADED = """
    select
        count(*) filter (where run_id = ?),
        coalesce(sum(rows_loaded) filter (where run_id = ?), 0),
        count(*) filter (where is_current),
        coalesce(sum(rows_loaded) filter (where is_current), 0)
    from raw.loads
    where status = 'loaded'
"""

# Of all that counts now, not of this night alone: a row stays there until its file is replaced.
QUARANTINED = """
    select
        (select coalesce(sum(rows_quarantined), 0) from raw.loads where is_current),
        (select coalesce(sum(rows_quarantined_in_staging), 0) from staging.stg_row_counts)
"""


@dataclass(frozen=True)
class Failure:
    """Why a night failed: the step that did, the words of its error, and whether they were sent."""

    step: str
    error: str
    is_reported: bool = False


def success_text(settings: Settings, run_id: str, is_new: bool, seconds: float) -> str:
    """The summary of a night that went well, also if it found nothing new."""
    release = current_release(settings)
    if release is None:
        raise ValueError(f"{settings.published}: expected a release after a night that went well.")
    if not is_new:
        head = f"Nothing is new: release {release.release_id} stays, nothing was published."
        lines = [head, *_notes(settings, run_id), *_alerts(settings, release)]
        return "\n".join([*lines, "", *_headlines(settings, release), "", *_next_steps(settings)])
    facts = [
        ("Release", f"{release.release_id}, published after {seconds:.0f} s"),
        ("As of", f"{_instant(release.as_of)}; nothing later is in it"),
        *_loaded(settings, run_id),
        ("Gates", _gate_counts(settings, run_id)),
    ]
    width = max(len(name) for name, _ in facts)
    lines = [f"{name:<{width}}  {fact}" for name, fact in facts]
    lines += [*_notes(settings, run_id), *_alerts(settings, release)]
    return "\n".join([*lines, "", *_headlines(settings, release), "", *_next_steps(settings)])


def failure_text(settings: Settings, failure: Failure, run_id: str) -> str:
    """What somebody woken at three in the morning reads."""
    try:
        release = current_release(settings)
        served = (
            f"Readers still have release {release.release_id} (as of {_instant(release.as_of)})."
            if release
            else "Nothing was published yet, so readers have nothing."
        )
    except ReleaseError as error:
        served = str(error)
    logs = [f"the log of run {run_id[:8]} is in `make dagster`"] if run_id else []
    if (settings.dbt / "logs").is_dir():
        logs.append(f"dbt's log is in {settings.dbt / 'logs'}")
    again = "Run `make nightly` again once the cause is removed"
    return "\n".join(
        [
            f"FAILED at {failure.step}",
            "",
            failure.error.strip(),
            *_notes(settings, run_id),
            "",
            served,
            f"Nothing half-built was published. {again}{';' if logs else '.'}",
            *([f"{', '.join(logs)}."] if logs else []),
        ]
    )


def _loaded(settings: Settings, run_id: str) -> Iterable[tuple[str, str]]:
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        loaded = connection.execute(LOADED, [run_id] * 2).fetchone()
        quarantined = connection.execute(QUARANTINED).fetchone()
    assert loaded is not None
    assert quarantined is not None
    files, rows, all_files, all_rows = loaded
    unread, implausible = quarantined
    yield "Loaded", f"{_counted(files, 'file')} with {_counted(rows, 'row')}"
    yield "In all", f"{_counted(all_files, 'different file')} with {_counted(all_rows, 'row')}"
    yield "Quarantined", f"{_counted(unread, 'row')} unreadable (raw.quarantined_rows)"
    yield "", f"{_counted(implausible, 'row')} implausible (staging.stg_quarantined_rows)"
    yield "", f"both tables are in {_shown(settings.build)}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _gate_counts(settings: Settings, run_id: str) -> str:
    results = gates.results_to_publish(settings, run_id)
    counts = [
        f"{sum(result['status'] == status for result in results)} {status}"
        for status in ("passed", "accepted", "failed")
    ]
    return ", ".join(count for count in counts if not count.startswith("0 "))


def _notes(settings: Settings, run_id: str) -> list[str]:
    """What has changed in what is delivered; nothing if nobody need know anything."""
    notes = notes_of(settings, run_id)
    return ["", "Noted", *(f"  {note}" for note in notes)] if notes else []


def _alerts(settings: Settings, release: Release) -> list[str]:
    """How many metrics went another way than expected, and the surest; nothing if none did."""
    alerts = read_alerts(release_folder(settings.published, release.release_id) / DATABASE)
    if not alerts:
        return []
    shown = [f"  {alert.headline}" for alert in alerts[:MOST_ALERTS]]
    head = counted(len(alerts))
    return ["", f"{head} (metric_alerts tells why)", *shown]


def _headlines(settings: Settings, release: Release) -> list[str]:
    database = release_folder(settings.published, release.release_id) / DATABASE
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(HEADLINES).fetchall()
    cells = [
        (
            shorten(name, WIDEST_NAME, placeholder=" …"),
            f"{entered:,}",
            f"{reached:,}",
            _rate(rate, low, high),
            last_stage,
            f"{narrowest} ({narrowest_rate:.0%})" if narrowest_rate is not None else "",
        )
        for name, entered, last_stage, reached, rate, low, high, narrowest, narrowest_rate in rows
    ]
    header = ("Funnel", "Entered", "Finished", "Rate (95 %)", "Last stage", "Narrowest step to")
    return _table(header, cells, right={1, 2, 3})


def _rate(rate: float | None, low: float | None, high: float | None) -> str:
    if rate is None or low is None or high is None:
        return ""
    return f"{rate:.1%} ({low:.1%} to {high:.1%})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    ]
    return [lines[0], "-" * max(len(line) for line in lines), *lines[1:]]


def _next_steps(settings: Settings) -> list[str]:
    current = _shown(settings.published / "current")
    page = settings.published / "current" / "report" / "index.html"
    # A release of tables of one's own, or of older code, has none.
    look = [f"Look at it    {_shown(page)} (make report opens it)"] if page.is_file() else []
    return [
        *look,
        f"Query it      {current}/{DATABASE} (DuckDB 1.2 or later) or {current}/parquet/",
        "Look closer   make dagster: runs; make quality: gates; make docs: tables and columns",
    ]


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
