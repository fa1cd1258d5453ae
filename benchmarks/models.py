"""The production models between the evidence and one of their tables, as a benchmark runs them.

The warehouse is that of a company without deliveries, so that all other inputs are empty; its
evidence is a view over a file of events.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.events import connection
from orchestration import dbt, declarations
from orchestration.raw import load_landing
from orchestration.raw_views import create_raw_views
from orchestration.settings import Settings

INPUT = "int_evidence"


class Models:
    """All that dbt runs between the evidence and one table.

    Attributes:
        seconds: what each model took when they last ran.
    """

    def __init__(
        self, folder: Path, events: Path, output: str, seeds: Mapping[str, Sequence[str]]
    ) -> None:
        """Build a warehouse without rows, and put the events into it.

        Args:
            folder: where its home goes.
            events: a file with the columns that `events.write_events` gives.
            output: the model that is wanted in the end.
            seeds: the lines of each declaration table, the header first.
        """
        settings = _settings(folder)
        _prepare(settings, seeds, output)
        self._build = settings.build
        self._models = list(_compiled_models(settings, output))
        with connection(self._build) as opened:
            _put_evidence(opened, events)
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        """Make all tables as dbt would, one after another with all threads."""
        with connection(self._build) as opened:
            for name, statement in self._models:
                began = time.perf_counter()
                opened.execute(statement)
                self.seconds[name] = time.perf_counter() - began

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of what was made."""
        with connection(self._build) as opened:
            return opened.execute(sql).fetchall()


def _settings(home: Path) -> Settings:
    names = {"FUNNEL_LANDING": "landing", "FUNNEL_SEEDS": "seeds", "FUNNEL_HOME": "home"}
    return Settings.from_environment({name: str(home / part) for name, part in names.items()})


def _prepare(settings: Settings, seeds: Mapping[str, Sequence[str]], output: str) -> None:
    settings.seeds.mkdir(parents=True, exist_ok=True)
    settings.landing.mkdir(parents=True, exist_ok=True)
    for name, lines in seeds.items():
        (settings.seeds / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    declared = declarations.read(settings.seeds)
    declarations.write(declared, settings.declarations)
    load_landing(settings, declared.sources, datetime.now(UTC), "benchmark")
    create_raw_views(settings, declared.sources)
    _run_dbt(settings, "seed", "resource_type:seed")
    _run_dbt(settings, "run", f"+{output}")


def _run_dbt(settings: Settings, command: str, selected: str) -> dbt.DbtRun:
    done = dbt.run(
        settings, [command, "--select", selected, *dbt.common_arguments(settings), "--full-refresh"]
    )
    if done.failures:
        raise RuntimeError("\n".join(done.failure_lines))
    return done


def _compiled_models(settings: Settings, output: str) -> Iterator[tuple[str, str]]:
    """The statement that makes each model behind the evidence, in an order that dbt allows."""
    nodes: dict[str, Any] = dbt.manifest(settings)["nodes"]
    compiled = _run_dbt(settings, "compile", f"{INPUT}+,+{output}")
    files = {result.unique_id: result.compiled for result in compiled.results}
    waiting = {
        unique_id
        for unique_id in files
        if nodes[unique_id]["resource_type"] == "model" and nodes[unique_id]["name"] != INPUT
    }
    while waiting:
        ready = {one for one in waiting if not waiting & set(nodes[one]["depends_on"]["nodes"])}
        for unique_id in sorted(ready):
            node, file = nodes[unique_id], files[unique_id]
            assert file
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            relation = f"{node['schema']}.{node['name']}"
            yield node["name"], f"create or replace {kind} {relation} as ({file.read_text()})"
        waiting -= ready


def _put_evidence(opened: duckdb.DuckDBPyConnection, events: Path) -> None:
    """Let the evidence be a view over the events, with what they do not tell left null."""
    known = {
        "evidence_type": "'event'",
        "evidence_name": "event_name",
        "evidence": "'observed'",
        "visitor_id": "subject_id",
        "file_number": "1",
        "source_row": "event_number",
        "source_sequence": "1",
        "is_creation": "false",
        "may_repeat_creation": "false",
        "content_number": "event_number",
        "occurred_at": "occurred_at",
    }
    columns = opened.execute(f"describe intermediate.{INPUT}").fetchall()
    unknown = set(known) - {name for name, *_ in columns}
    if unknown:
        raise RuntimeError(f"{INPUT}: expected columns {', '.join(sorted(unknown))}, found none")
    chosen = ", ".join(
        f"cast({known.get(name, 'null')} as {kind}) as {name}" for name, kind, *_ in columns
    )
    opened.execute(f"drop view if exists intermediate.{INPUT}")
    opened.execute(
        f"create view intermediate.{INPUT} as select {chosen} from read_parquet('{events}')"
    )
