"""How a night goes: what is built, what is skipped, and what stops it."""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import duckdb
import pytest

from orchestration import dbt, gates
from orchestration.assets import raw
from orchestration.gates import GateResult
from orchestration.lock import writer_lock
from orchestration.raw import LoadSummary, load_landing
from orchestration.refusals import VanishedFileError
from orchestration.releases import current_release, rollback
from orchestration.settings import Settings
from tests.orchestration.nights import (
    EVENTS,
    SMALL_PROJECT,
    Nights,
    failed_step,
    nights,
    parsed,
    steps_done,
)

__all__ = ["nights", "parsed"]

ALL_STEPS = [
    "landing_to_raw",
    "gate_raw",
    "staging",
    "gate_staging",
    "core",
    "gate_core",
    "known_on",
    "marts",
    "gate_marts",
    "release",
]


def journeys(warehouse: Nights) -> list[tuple[str, int]]:
    database = warehouse.settings.published / "current" / "funnel.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select * from fct_journeys order by all").fetchall()
    return [(subject, events) for subject, events in rows]


def release_id(warehouse: Nights) -> str | None:
    release = current_release(warehouse.settings)
    return release.release_id if release else None


def test_first_night_publishes_through_all_layers_and_gates(nights: Nights) -> None:
    """A layer that is left out would publish yesterday's tables as today's."""
    result = nights.run()
    assert steps_done(result) == ALL_STEPS
    assert release_id(nights) == "20260101T110000Z-001"
    assert journeys(nights) == [("u1", 2)]
    assert [line.split()[0] for line in nights.lines][-8:] == [
        *("gate", "staging", "gate", "core", "gate", "marts", "gate", "release"),
    ]


def test_night_without_news_skips_everything_and_succeeds(nights: Nights) -> None:
    """A night without deliveries would publish the same again, or wake somebody."""
    nights.run()
    again = nights.run()
    assert again.success
    assert steps_done(again) == ["landing_to_raw"]
    assert release_id(nights) == "20260101T110000Z-001"
    assert nights.lines[-1].endswith("nothing new since release 20260101T110000Z-001")


def test_another_day_is_the_next_release(nights: Nights) -> None:
    """Deliveries after the first night would never be seen."""
    nights.run()
    nights.deliver("shop/events/2026-01-02.csv", EVENTS.replace("2026-01-01", "2026-01-02"))
    assert nights.run().success
    assert release_id(nights) == "20260102T110000Z-001"
    assert journeys(nights) == [("u1", 4)]


def test_changed_declaration_is_news(nights: Nights) -> None:
    """A new funnel would show up only when the next file arrives."""
    nights.run()
    calendar = nights.settings.seeds / "calendar.csv"
    calendar.write_text("calendar_date,is_working_day\n2026-01-01,false\n")
    again = nights.run()
    assert "release" in steps_done(again), failed_step(again)


def test_as_of_of_the_run_counts_before_that_of_the_environment(nights: Nights) -> None:
    """The schedule could not say up to which midnight its run knows."""
    nights.run()
    again = nights.run(FUNNEL_AS_OF="2026-02-01")
    assert "release" in steps_done(again)


def test_declarations_survive_being_built(nights: Nights) -> None:
    """Where seeds lie outside its project's folder, dbt overwrites them with the SQL it runs."""
    before = {path.name: path.read_text() for path in nights.settings.seeds.iterdir()}
    nights.run()
    assert {path.name: path.read_text() for path in nights.settings.seeds.iterdir()} == before
    copy = nights.settings.declarations / "funnels.csv"
    assert (
        copy.read_text().splitlines()[1] == "web,web,user,ordered,best,subject,,source_order,true,,"
    )


def test_mistake_in_the_declarations_stops_before_anything_is_loaded(nights: Nights) -> None:
    """The night would build with the declarations of yesterday."""
    (nights.settings.seeds / "funnels.csv").write_text("funnel_id,subject_type\nweb,user\n")
    step, words = failed_step(nights.run())
    assert step == "landing_to_raw"
    assert "funnels.csv line 1, column order_mode" in words
    assert not nights.settings.ledger.exists()


def test_failing_test_of_rows_stops_the_night_and_names_the_rows(nights: Nights) -> None:
    """Rows that must not be there would reach the release."""
    nights.run()
    nights.deliver("shop/events/2026-01-02.csv", EVENTS + "2026-01-02T10:00:00Z,pay,u1\n")
    result = nights.run()
    step, words = failed_step(result)
    assert step == "staging"
    assert "Gate staging.known_event_names failed on staging.stg_events." in words
    assert "Observed: 1 row that breaks it" in words
    assert "select" in words.split("Rows:")[1]
    assert "make accept GATE=staging.known_event_names" in words
    assert "core" not in steps_done(result)
    assert release_id(nights) == "20260101T110000Z-001"
    (check,) = [
        check
        for check in result.get_asset_check_evaluations()
        if check.check_name == "known_event_names"
    ]
    assert not check.passed


def test_nulls_are_told_by_column_and_number(nights: Nights) -> None:
    """Whoever is woken would have to look through all columns that must not be null."""
    nights.deliver(
        "shop/events/2026-01-02.csv",
        "occurred_at,event_name,user_id,anonymous_id\n"
        "2026-01-02T10:00:00Z,visit,,a1\n2026-01-02T11:00:00Z,cart,,a1\n",
    )
    step, words = failed_step(nights.run())
    assert step == "staging"
    assert "Gate staging.never_null_stg_events failed on staging.stg_events." in words
    assert "Rule:     event_name, user_id: never_null." in words
    assert "Observed: user_id is null in 2 rows" in words


def test_accepted_rows_pass_and_the_release_says_so(nights: Nights) -> None:
    """A true surprise would block for ever, or pass without a trace."""
    nights.deliver("shop/events/2026-01-02.csv", EVENTS + "2026-01-02T10:00:00Z,pay,u1\n")
    nights.run()
    gates.accept(nights.settings, "staging.known_event_names", "payments are new")
    assert steps_done(nights.run()) == ALL_STEPS
    database = nights.settings.published / "current" / "funnel.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        logged = connection.execute(
            "select gate, status, reason from release_gates where status = 'accepted'"
        ).fetchall()
    assert logged == [("staging.known_event_names", "accepted", "payments are new")]


@pytest.mark.parametrize(
    ("layer", "stopped"),
    [("raw", "staging"), ("staging", "core"), ("core", "known_on"), ("marts", "release")],
)
def test_failing_gate_stops_everything_to_its_right(
    nights: Nights, layer: str, stopped: str
) -> None:
    """A gate that reports and lets pass is no gate."""
    nights.findings[layer] = [
        GateResult(
            f"{layer}.volume.shop", "t", "Enough.", "failed", "3 rows", "30 rows", "select 1"
        )
    ]
    result = nights.run()
    step, words = failed_step(result)
    assert step == f"gate_{layer}"
    assert f"Gate {layer}.volume.shop failed on t." in words
    assert steps_done(result) == ALL_STEPS[: ALL_STEPS.index(stopped) - 1]
    assert release_id(nights) is None


def test_refused_source_stops_the_night_and_harms_no_other(nights: Nights) -> None:
    """One broken extract would cost the others their day, or be published with a hole."""
    nights.run()
    nights.deliver("shop/events/2026-01-02.csv", "occurred_at,user_id\n2026-01-02,u1\n")
    nights.deliver("other/events/2026-01-02.csv", EVENTS.replace("u1", "u2"))
    step, words = failed_step(nights.run())
    assert step == "landing_to_raw"
    assert words.startswith("Nothing new was taken from the source shop:\n  shop/events/2026-01-02")
    assert release_id(nights) == "20260101T110000Z-001"

    nights.deliver("shop/events/2026-01-02.csv", EVENTS.replace("2026-01-01", "2026-01-02"))
    nights.run()
    assert journeys(nights) == [("u1", 4), ("u2", 2)]
    loaded = [line for line in nights.lines if "other/events" in line]
    assert len(loaded) == 1, "the other source was loaded in the night that failed, and only then"


def test_second_writer_is_kept_out_and_told_who_is_writing(nights: Nights) -> None:
    """Two nights at once would write into one database."""
    with writer_lock(nights.settings.home, "a long night"):
        result = nights.run()
    assert not result.success
    assert steps_done(result) == []
    told = [str(event.message) + str(event.event_specific_data) for event in result.all_events]
    assert any("a long night" in words for words in told)


def test_night_after_a_rollback_publishes_forward(nights: Nights) -> None:
    """After a rollback the next night would take the bad release for the current one."""
    nights.run()
    nights.deliver("shop/events/2026-01-02.csv", EVENTS.replace("2026-01-01", "2026-01-02"))
    nights.run()
    rollback(nights.settings)
    nights.deliver("shop/events/2026-01-02.csv", EVENTS.replace("2026-01-01", "2026-01-03"))
    assert nights.run().success
    assert release_id(nights) == "20260103T110000Z-001"


def test_assets_show_rows_columns_and_duration(nights: Nights) -> None:
    """Whoever looks into a run could not see whether a table is empty."""
    result = nights.run()
    made = {
        event.asset_key.path[-1]: event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    metadata = made["fct_journeys"]
    assert metadata["dagster/row_count"].value == 1
    columns = metadata["dagster/column_schema"].value
    assert isinstance(columns, dg.TableSchema)
    assert [column.name for column in columns.columns] == ["subject_id", "events"]
    # Of a table that counts alone: what Dagster is told it keeps, and so it is told of nobody.
    assert "preview" not in metadata
    assert "| web | 1 |" in str(made["funnel_conversion"]["preview"].value)
    assert float(str(metadata["seconds"].value)) >= 0


def test_single_asset_can_be_built_by_hand(nights: Nights) -> None:
    """Whoever presses the button on one table gets an error about all the others."""
    nights.run()
    result = nights.run(only=dg.AssetKey(["core", "fct_journeys"]))
    assert result.success, failed_step(result)
    assert steps_done(result) == ["core", "gate_core"]
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey(["core", "fct_journeys"])]


def test_model_that_fails_is_named_with_its_file(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is woken would have to look for the model in dbt's own log."""
    project = tmp_path / "project"
    shutil.copytree(SMALL_PROJECT, project)
    model = project / "models" / "marts" / "core" / "fct_journeys.sql"
    model.write_text(
        "select cast(error('out of sorts') as varchar) as subject_id, cast(1 as bigint) as events"
    )
    monkeypatch.setattr(dbt, "PROJECT", project)
    step, words = failed_step(nights.run())
    assert step == "core"
    assert "models/marts/core/fct_journeys.sql (fct_journeys): " in words
    assert "out of sorts" in words


def test_layer_with_a_gap_is_refused(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dbt succeeds when it has left a model out, and last night's table would be published."""
    nights.run()
    complete = dbt.build_arguments

    def incomplete(settings: Settings, layer: dbt.Layer, *others: Any, **named: Any) -> list[str]:
        arguments = complete(settings, layer, *others, **named)
        return [*arguments, "--exclude", "fct_journeys"]

    monkeypatch.setattr(dbt, "build_arguments", incomplete)
    nights.deliver("shop/events/2026-01-02.csv", EVENTS.replace("2026-01-01", "2026-01-02"))
    step, words = failed_step(nights.run())
    assert step == "core"
    assert "left out model.funnel_warehouse.fct_journeys" in words


@pytest.mark.parametrize(("times", "succeeds"), [(1, True), (9, False)])
def test_file_that_vanishes_is_tried_again_and_not_for_ever(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, times: int, succeeds: bool
) -> None:
    """A file that is replaced while it is read would wake somebody for nothing."""
    monkeypatch.setattr(raw, "SECONDS_BETWEEN_RETRIES", 0)
    load, left = load_landing, [times]

    def vanishing(settings: Settings, *others: Any) -> LoadSummary:
        if not left[0]:
            return load(settings, *others)
        left[0] -= 1
        error = VanishedFileError("shop/events/a.csv", "the file that was listed", "none")
        return LoadSummary("run", 1, (), 0, {"shop": (error,)}, ())

    monkeypatch.setattr(raw, "load_landing", vanishing)
    result = nights.run()
    assert result.success is succeeds
    if not succeeds:
        assert "shop/events/a.csv: expected the file that was listed" in failed_step(result)[1]
        assert left[0] == 9 - 1 - raw.RETRIES


class _Webhook(BaseHTTPRequestHandler):
    received: ClassVar[list[dict[str, str]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.received.append(json.loads(self.rfile.read(length)))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """The test says what matters."""


@pytest.mark.parametrize("status", [200, 500])
def test_failure_is_told_to_the_webhook_and_its_address_to_nobody(
    nights: Nights, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody would be woken; or the token in the address would stand in the log."""
    _Webhook.received, _Webhook.status = [], status
    server = HTTPServer(("127.0.0.1", 0), _Webhook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/s3cret-t0ken"
        nights.changed["FUNNEL_WEBHOOK_URL"] = address
        nights.deliver("shop/events/2026-01-01.csv", "")
        result = nights.run()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not result.success
    (message,) = _Webhook.received
    assert message["step"] == "landing_to_raw"
    assert message["job"] == "nightly"
    assert "shop/events/2026-01-01.csv" in message["error"]
    assert message["served"] == "Nothing is published yet."
    said = "".join(str(event.message) for event in result.all_events) + "".join(capfd.readouterr())
    assert "s3cret-t0ken" not in said
