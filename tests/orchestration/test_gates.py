"""Every gate result is kept, a failure says what to do, an accepted surprise passes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.gates import (
    LAYERS,
    AcceptanceError,
    GateResult,
    Status,
    accept,
    failure_text,
    failures_text,
    history,
    record,
    results_to_publish,
    run_gate,
    suite_of,
)
from orchestration.settings import Settings

FAILED = GateResult(
    gate="raw.volume.web.events",
    table="raw.loads",
    rule="Every delivery is as large as usual.",
    status="failed",
    observed="12 rows on 2024-02-29",
    expected="400 to 10,000 rows on 2024-02-29",
    offending_rows="select file from raw.loads where source = 'web'",
)
PASSED = replace(FAILED, gate="raw.freshness.web.events", status="passed", observed="yesterday")
DBT_TEST = GateResult(
    gate="unique_fct_journeys",
    table="core.fct_journeys",
    rule="unique",
    status="failed",
    observed="2 rows",
    expected="0 rows",
    kind="dbt_test",
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own."""
    return Settings.from_environment({"FUNNEL_HOME": str(tmp_path / "home")})


def _statuses(results: Sequence[GateResult]) -> list[Status]:
    return [result.status for result in results]


def test_every_result_is_kept_with_its_run(settings: Settings) -> None:
    """Prevents that nobody can say later what was checked, when, and what was found."""
    record(settings, "night-1", "raw", [PASSED, FAILED], datetime(2024, 3, 1, 2, 0, 5))
    record(settings, "night-1", "core", [DBT_TEST], datetime(2024, 3, 1, 2, 9))
    assert history(settings) == [
        {
            "run_id": "night-1",
            "layer": "raw",
            "recorded_at": "2024-03-01T02:00:05Z",
            "gate": "raw.freshness.web.events",
            "table": "raw.loads",
            "rule": "Every delivery is as large as usual.",
            "status": "passed",
            "observed": "yesterday",
            "expected": "400 to 10,000 rows on 2024-02-29",
            "offending_rows": "select file from raw.loads where source = 'web'",
            "reason": None,
            "kind": "expectation",
        },
        {
            "run_id": "night-1",
            "layer": "raw",
            "recorded_at": "2024-03-01T02:00:05Z",
            "gate": "raw.volume.web.events",
            "table": "raw.loads",
            "rule": "Every delivery is as large as usual.",
            "status": "failed",
            "observed": "12 rows on 2024-02-29",
            "expected": "400 to 10,000 rows on 2024-02-29",
            "offending_rows": "select file from raw.loads where source = 'web'",
            "reason": None,
            "kind": "expectation",
        },
        {
            "run_id": "night-1",
            "layer": "core",
            "recorded_at": "2024-03-01T02:09:00Z",
            "gate": "unique_fct_journeys",
            "table": "core.fct_journeys",
            "rule": "unique",
            "status": "failed",
            "observed": "2 rows",
            "expected": "0 rows",
            "offending_rows": "",
            "reason": None,
            "kind": "dbt_test",
        },
    ]


def test_a_failure_says_what_where_and_what_to_do() -> None:
    """Prevents that whoever is woken has to search for what happened."""
    text = failure_text(FAILED)
    for part in (
        FAILED.gate,
        FAILED.table,
        FAILED.rule,
        FAILED.observed,
        FAILED.expected,
        FAILED.offending_rows,
    ):
        assert part in text
    command = text.partition("If the data is right: ")[2]
    assert shlex.split(command) == [
        "make",
        "accept",
        "GATE=raw.volume.web.events",
        "REASON=why it is right",
    ]
    assert failures_text([PASSED, FAILED]) == text
    assert failures_text([PASSED]) == ""


@pytest.mark.parametrize("surprise", [FAILED, DBT_TEST], ids=lambda result: result.kind)
def test_an_accepted_surprise_passes_with_its_reason(
    surprise: GateResult, settings: Settings
) -> None:
    """Prevents a true surprise from blocking for ever, or from passing without a word."""
    assert _statuses(record(settings, "night-1", "raw", [surprise])) == ["failed"]
    accepted = accept(settings, surprise.gate, " the shop was closed ", datetime(2024, 3, 1, 9))
    assert (accepted.status, accepted.reason) == ("accepted", "the shop was closed")
    lines = (settings.gates / "accepted.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "gate": surprise.gate,
            "observed": surprise.observed,
            "accepted_at": "2024-03-01T09:00:00Z",
            "reason": "the shop was closed",
        }
    ]
    for night in ("night-2", "night-3"):
        (result,) = record(settings, night, "raw", [surprise])
        assert result == replace(surprise, status="accepted", reason="the shop was closed")
    assert history(settings)[-1]["status"] == "accepted"


def test_another_surprise_of_an_accepted_gate_still_fails(settings: Settings) -> None:
    """Prevents one acceptance from switching a gate off."""
    record(settings, "night-1", "raw", [FAILED])
    accept(settings, FAILED.gate, "the shop was closed")
    worse = replace(FAILED, observed="11 rows on 2024-02-29")
    elsewhere = replace(FAILED, gate="raw.volume.web.orders")
    assert _statuses(record(settings, "night-2", "raw", [worse, elsewhere])) == [
        "failed",
        "failed",
    ]


def test_an_acceptance_does_not_touch_what_passes(settings: Settings) -> None:
    """Prevents a release log that tells of surprises that were none."""
    record(settings, "night-1", "raw", [FAILED])
    accept(settings, FAILED.gate, "the shop was closed")
    (result,) = record(settings, "night-2", "raw", [replace(FAILED, status="passed")])
    assert (result.status, result.reason) == ("passed", None)


@pytest.mark.parametrize(
    ("gate", "reason", "says"),
    [
        pytest.param("raw.volume.web.event", "x", "gate that has run, found 'raw", id="a typo"),
        pytest.param("", "x", "name of a gate, found nothing", id="no gate"),
        pytest.param("raw.volume.web.events", "  ", "REASON: expected why", id="no reason"),
        pytest.param("raw.freshness.web.events", "x", "passed in run night-1", id="passed"),
        pytest.param("unique_fct_journeys", "x", "passed in run night-2", id="fixed since"),
    ],
)
def test_only_what_failed_can_be_accepted(
    gate: str, reason: str, says: str, settings: Settings
) -> None:
    """Prevents an acceptance that would wait unseen for a failure that nobody has looked at."""
    record(settings, "night-1", "raw", [PASSED, FAILED])
    record(settings, "night-1", "core", [DBT_TEST])
    record(settings, "night-2", "core", [replace(DBT_TEST, status="passed")])
    with pytest.raises(AcceptanceError) as refused:
        accept(settings, gate, reason)
    assert says in str(refused.value)
    if reason.strip():
        assert "Gates that failed last: raw.volume.web.events." in str(refused.value)
    assert not (settings.gates / "accepted.jsonl").exists()


def test_what_was_accepted_is_not_accepted_twice(settings: Settings) -> None:
    """Prevents a second reason for one surprise, of which the log would show only one."""
    record(settings, "night-1", "raw", [FAILED])
    accept(settings, FAILED.gate, "the shop was closed")
    record(settings, "night-2", "raw", [FAILED])
    with pytest.raises(AcceptanceError, match=r"was accepted already.*failed last: none"):
        accept(settings, FAILED.gate, "again")


def test_nothing_can_be_accepted_before_the_first_night(settings: Settings) -> None:
    """Prevents a stack trace in place of an answer on a fresh warehouse."""
    with pytest.raises(AcceptanceError, match=r"failed last: none"):
        accept(settings, FAILED.gate, "because")


def test_a_line_that_was_cut_off_does_not_spoil_the_history(settings: Settings) -> None:
    """Prevents a run that was killed while writing from breaking all later ones."""
    record(settings, "night-1", "raw", [PASSED])
    file = settings.gates / "history.jsonl"
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"run_id": "night-2", "gate": "raw.vol')
    assert [line["run_id"] for line in history(settings)] == ["night-1"]
    record(settings, "night-3", "raw", [PASSED])
    assert [line["run_id"] for line in history(settings)] == ["night-1", "night-3"]


def test_a_line_that_is_not_a_result_is_pointed_at(settings: Settings) -> None:
    """Prevents an edit by hand from failing without saying in which line of which file."""
    record(settings, "night-1", "raw", [PASSED])
    file = settings.gates / "history.jsonl"
    file.write_text("oops\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"history\.jsonl, line 1: expected a JSON object"):
        history(settings)


def test_texts_of_any_script_are_kept(settings: Settings) -> None:
    """Prevents line ends of other scripts within a value from splitting a result in two."""
    odd = replace(FAILED, observed="支付\u2028and\x85so on\n")
    record(settings, "night-1", "raw", [odd])
    assert [line["observed"] for line in history(settings)] == [odd.observed]


def test_the_release_log_gets_the_last_word_of_each_gate(settings: Settings) -> None:
    """Prevents a retried run from publishing what it got over, or another run's results."""
    record(settings, "night-1", "raw", [FAILED])
    record(settings, "night-2", "raw", [PASSED, FAILED])
    accept(settings, FAILED.gate, "the shop was closed")
    record(settings, "night-2", "raw", [PASSED, FAILED])
    published = results_to_publish(settings, "night-2")
    assert [(row["gate"], row["status"], row["reason"]) for row in published] == [
        ("raw.freshness.web.events", "passed", None),
        ("raw.volume.web.events", "accepted", "the shop was closed"),
    ]
    assert set(published[0]) == {
        "layer",
        "gate",
        "table_name",
        "rule",
        "status",
        "observed",
        "expected",
        "reason",
    }


def test_a_gate_runs_its_suite_and_keeps_what_it_found(settings: Settings) -> None:
    """Prevents a gate that looks and forgets, or that an acceptance does not reach."""
    settings.home.mkdir(parents=True)
    with duckdb.connect(str(settings.build)) as connection:
        connection.execute("create schema core; create schema intermediate; create schema raw")
        connection.execute(
            "create table intermediate.int_control_totals as "
            "select 'web' as funnel_id, 'entries' as measure, 10 as rows_in, 9 as rows_accounted"
        )
        connection.execute(
            "create table intermediate.int_subject_states "
            "(funnel_id varchar, subject_id varchar, subject_state varchar)"
        )
        connection.execute(
            "create table core.dim_funnels as select 'web' as funnel_id, 'ordered' as order_mode"
        )
        connection.execute(
            "create table core.dim_funnel_stages as select 'web' as funnel_id, 'visit' as stage_id"
        )
        connection.execute(
            "create table core.fct_journeys (funnel_id varchar, entered_at timestamp, "
            "outcome varchar, amount decimal(18, 4))"
        )
        connection.execute(
            "create table core.fct_stage_visits (funnel_id varchar, stage_id varchar, "
            "stage_position integer, stage_kind varchar, entered_at timestamp)"
        )
        connection.execute(
            "create table intermediate.int_run as select timestamp '2024-03-01' as as_of"
        )
        connection.execute(
            "create table raw.loads (delivered_at timestamp, is_current boolean, status varchar)"
        )
    first = run_gate("core", settings, "night-1")
    assert {(result.gate, result.status) for result in first} == {
        ("core.control_total.web.entries", "failed"),
        ("core.journeys.web", "passed"),
    }
    accept(settings, "core.control_total.web.entries", "an entry of a test user")
    second = run_gate("core", settings, "night-2")
    assert {(result.gate, result.status) for result in second} == {
        ("core.control_total.web.entries", "accepted"),
        ("core.journeys.web", "passed"),
    }
    assert [line["run_id"] for line in history(settings)] == ["night-1"] * 2 + ["night-2"] * 2


def test_an_unknown_layer_is_refused(settings: Settings) -> None:
    """Prevents a misspelt layer from passing as one with nothing to check."""
    with pytest.raises(ValueError, match="raw, staging, core, marts, found 'mart'"):
        run_gate("mart", settings, "night-1")


@pytest.mark.parametrize("layer", LAYERS)
def test_gates_are_named_after_their_layer(layer: str, settings: Settings) -> None:
    """Prevents two layers from sharing a gate, of which only one could be accepted."""
    names = [rule.gate for rule in suite_of(layer, settings)]
    assert names
    assert all(name.startswith(f"{layer}.") for name in names)
    assert len(set(names)) == len(names)
