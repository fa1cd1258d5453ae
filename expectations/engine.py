"""Runs the rules of a layer against the build's database with Great Expectations.

Everything is computed in SQL by the database; only one row per item comes out. What the rules are
stands by layer; what becomes of the results is decided in `orchestration.gates`.

Great Expectations takes seconds to import, so it is imported by the function that runs, once in a
process, and never by those who only import this module.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations.rules import Row, Rule


class GateNotMeasuredError(RuntimeError):
    """A rule could not be evaluated, which is neither passing nor failing."""


@dataclass(frozen=True)
class Finding:
    """What one rule found for one item."""

    gate: str
    rule: Rule
    row: Row
    is_met: bool


@dataclass(frozen=True)
class SuiteRun:
    """The findings of a layer, and the validation result of Great Expectations as JSON."""

    findings: list[Finding]
    validation: dict[str, Any]


def run_suite(
    layer: str,
    rules: Sequence[Rule],
    build: Path,
    options: Mapping[str, str] | None = None,
) -> SuiteRun:
    """Evaluate `rules` against the database `build`, which is opened read-only and closed again.

    Args:
        layer: the layer's name, for messages.
        rules: what to hold against it.
        build: the database.
        options: what DuckDB is to open it with; None for its own defaults.

    Raises:
        FileNotFoundError: there is no such database.
        GateNotMeasuredError: a rule could not be evaluated; names it and says why.
    """
    if not build.is_file():
        raise FileNotFoundError(
            f"{build}: expected the build's database, found no file. Run `make nightly`, which "
            f"makes it before the gate after {layer}."
        )
    findings: list[Finding] = []
    validations: list[Any] = []
    with _datasource(build, options or {}) as datasource:
        for rule in rules:
            try:
                found, validation = _evaluate(layer, rule, datasource)
            except Exception as error:
                raise GateNotMeasuredError(
                    f"Gate {rule.gate}: expected to measure {rule.table}, found an error: "
                    f"{_first_line(error)} Build what lies before the gate, or correct the rule "
                    f"in expectations/{layer}.py."
                ) from error
            findings += found
            validations += [validation] if validation else []
    return SuiteRun(findings, _as_one(layer, validations))


def _evaluate(layer: str, rule: Rule, datasource: Any) -> tuple[list[Finding], Any]:
    """What a rule found for each item, and the validation result if any item was judged."""
    import great_expectations as gx

    # Great Expectations takes no query that begins with `with`.
    asset = datasource.add_query_asset(
        rule.gate, query=f"select * from ({rule.measures}) as measures"
    )
    batch = asset.add_batch_definition_whole_table(rule.gate).get_batch()
    rows = _rows(batch)
    gates = rule.gate_names(rows)
    judged = [(gate, row) for gate, row in zip(gates, rows, strict=True) if rule.is_judged(row)]
    validation, is_met = None, {}
    if judged:
        expectations = [_expectation(rule, gate, row) for gate, row in judged]
        validation = batch.validate(gx.ExpectationSuite(name=layer, expectations=expectations))
        is_met = _successes(validation)
    return [
        # An item that was judged and has no result was lost on the way: the look-up raises.
        Finding(gate, rule, row, is_met=is_met[gate] if rule.is_judged(row) else True)
        for gate, row in zip(gates, rows, strict=True)
    ], validation


def _rows(batch: Any) -> list[Row]:
    import sqlalchemy

    query = sqlalchemy.select(sqlalchemy.text("*")).select_from(batch.data.selectable)
    rows = [dict(row) for row in batch.data.execution_engine.execute_query(query).mappings()]
    return sorted(rows, key=lambda row: row["item"] or "")


def _expectation(rule: Rule, gate: str, row: Row) -> Any:
    from great_expectations.expectations.core.expect_column_max_to_be_between import (
        ExpectColumnMaxToBeBetween,
    )
    from great_expectations.expectations.row_conditions import Column

    # There is one row per item, so the column's maximum is the value itself, and unlike an
    # expectation of single values it shows what was observed also where it passes.
    return ExpectColumnMaxToBeBetween(
        column=rule.measure,
        min_value=row["lowest"],
        max_value=row["highest"],
        row_condition=None if row["item"] is None else Column("item") == row["item"],
        description=_as_markup(
            f"{gate}\n{rule.rule}\n"
            f"Observed: {rule.observed_text(row)}\nExpected: {rule.expected_text(row)}"
        ),
        meta={"gate": gate},
    )


def _successes(validation: Any) -> dict[str, bool]:
    successes = {}
    for result in validation.results:
        # What went wrong stands at the top, or by metric.
        for trouble in (result.exception_info, *result.exception_info.values()):
            if isinstance(trouble, dict) and trouble.get("raised_exception"):
                raise RuntimeError(trouble["exception_message"])
        successes[result.expectation_config.meta["gate"]] = bool(result.success)
    return successes


@contextmanager
def _datasource(build: Path, options: Mapping[str, str]) -> Iterator[Any]:
    import great_expectations as gx
    import sqlalchemy
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    context: Any = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    # One connection a thread, because the measures of a rule lie in a temporary table, which no
    # other connection sees.
    address = sqlalchemy.URL.create(
        "duckdb", database=str(build), query={"pool": "singleton"}
    ).render_as_string(hide_password=False)
    datasource = context.data_sources.add_sql(
        "build",
        connection_string=address,
        # Each rule is computed once, however many expectations look at its rows.
        create_temp_table=True,
        # Without the first two the connection is closed before the rows are fetched.
        kwargs={
            "isolation_level": "AUTOCOMMIT",
            "skip_autocommit_rollback": True,
            "connect_args": {"read_only": True, "config": {**options}},
        },
    )
    try:
        yield datasource
    finally:
        # Both hold a connection, and while one is open nobody in this process can write.
        datasource.get_execution_engine().engine.dispose()
        datasource.get_engine().dispose()


def _as_one(layer: str, validations: Sequence[Any]) -> dict[str, Any]:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )

    results = [result for validation in validations for result in validation.results]
    met = sum(bool(result.success) for result in results)
    merged: Any = ExpectationSuiteValidationResult(
        success=met == len(results),
        results=results,
        suite_name=layer,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": met,
            "unsuccessful_expectations": len(results) - met,
            "success_percent": 100 * met / len(results) if results else None,
        },
        meta={"run_id": {"run_name": layer, "run_time": datetime.now(UTC).isoformat()}},
    )
    document: dict[str, Any] = json.loads(json.dumps(merged.to_json_dict()))
    return document


def _as_markup(text: str) -> str:
    """Great Expectations takes a description for a template and puts it on the page as it is."""
    return html.escape(text, quote=False).replace("$", "&#36;")


def _first_line(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), "") or type(error).__name__
    return line.rstrip(".!") + "."
