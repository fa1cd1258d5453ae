"""When a night starts by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.resources import Warehouse
from orchestration.schedules import midnight_of, nightly_schedule
from orchestration.sensors import new_files_sensor, settled_state
from orchestration.settings import Settings

SECOND = 1_000_000_000
SEEDS = {
    "funnels.csv": "funnel_id,subject_type,order_mode\nweb,user,ordered\n",
    "funnel_stages.csv": "funnel_id,stage_position,stage_id\nweb,1,visit\n",
    "stage_rules.csv": "funnel_id,stage_id,rule_type,match_value\nweb,visit,event,visit\n",
}


@pytest.fixture
def changed(tmp_path: Path) -> dict[str, str]:
    """The settings of a warehouse with an empty landing."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "seeds").mkdir()
    for name, text in SEEDS.items():
        (tmp_path / "seeds" / name).write_text(text)
    return {
        "FUNNEL_LANDING": str(tmp_path / "landing"),
        "FUNNEL_HOME": str(tmp_path / "home"),
        "FUNNEL_SEEDS": str(tmp_path / "seeds"),
        "FUNNEL_SETTLE_SECONDS": "60",
    }


def deliver(changed: dict[str, str], name: str = "a.csv") -> Path:
    file = Path(changed["FUNNEL_LANDING"]) / "generic" / "events" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("occurred_at,event_name,user_id\n")
    return file


@pytest.mark.parametrize(
    ("tick", "timezone", "midnight"),
    [
        (datetime(2026, 2, 10, 2, tzinfo=UTC), "UTC", datetime(2026, 2, 10)),
        # 02:00 in Shanghai is 18:00 UTC of the day before.
        (datetime(2026, 2, 9, 18, tzinfo=UTC), "Asia/Shanghai", datetime(2026, 2, 9, 16)),
        # Clocks go forward in this night: 03:00 summer time is 01:00 UTC, midnight was 23:00 UTC.
        (datetime(2026, 3, 29, 1, tzinfo=UTC), "Europe/Berlin", datetime(2026, 3, 28, 23)),
        # And back in this one: midnight was still in summer time.
        (datetime(2026, 10, 25, 1, tzinfo=UTC), "Europe/Berlin", datetime(2026, 10, 24, 22)),
    ],
)
def test_scheduled_run_knows_up_to_the_midnight_before_it(
    tick: datetime, timezone: str, midnight: datetime
) -> None:
    """A day would be cut off, or half of the next one be in it."""
    assert midnight_of(tick, timezone) == midnight


def test_schedule_ticks_at_two_in_the_reporting_time_zone(changed: dict[str, str]) -> None:
    """The night would start while the last hours of its day are still to come."""
    settings = Settings.from_environment({}, {**changed, "FUNNEL_TIMEZONE": "Asia/Shanghai"})
    schedule = nightly_schedule(settings)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Asia/Shanghai")
    tick = datetime(2026, 2, 9, 18, tzinfo=UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=tick)
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.run_config["resources"]["warehouse"]["config"] == {
        "changed_settings": {"FUNNEL_AS_OF": "2026-02-09T16:00:00"}
    }


def test_as_of_of_the_environment_is_left_to_the_scheduled_run(changed: dict[str, str]) -> None:
    """Somebody who pins the as-of would get another one every night."""
    settings = Settings.from_environment({}, {**changed, "FUNNEL_AS_OF": "2026-01-01"})
    tick = datetime(2026, 2, 9, 2, tzinfo=UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=tick)
        (request,) = nightly_schedule(settings).evaluate_tick(context).run_requests or []
    assert request.run_config == {}


def test_files_settle_when_nobody_has_written_to_them_for_a_while(changed: dict[str, str]) -> None:
    """A run would start in the middle of a delivery."""
    settings = Settings.from_environment({}, changed)
    written = deliver(changed).stat().st_ctime_ns
    assert settled_state(settings, written + 59 * SECOND)[1] == "generic/events/a.csv"
    signature, waiting = settled_state(settings, written + 60 * SECOND)
    assert signature and not waiting


def look(changed: dict[str, str], cursor: str | None) -> tuple[object, str | None]:
    warehouse = Warehouse(changed_settings=changed)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance, cursor=cursor, resources={"warehouse": warehouse}
        )
        answer = new_files_sensor(context)
    return answer, context.cursor


def test_new_files_start_one_run(changed: dict[str, str]) -> None:
    """A delivery would wait for the night, or start a run every half minute."""
    changed["FUNNEL_SETTLE_SECONDS"] = "0"
    answer, cursor = look(changed, None)
    assert isinstance(answer, dg.SkipReason), "an empty landing is no news"
    deliver(changed)
    answer, cursor = look(changed, cursor)
    assert isinstance(answer, dg.RunRequest)
    answer, cursor = look(changed, cursor)
    assert isinstance(answer, dg.SkipReason)
    deliver(changed, "b.csv")
    answer, cursor = look(changed, cursor)
    assert isinstance(answer, dg.RunRequest)


def test_a_landing_that_goes_back_is_news_again(changed: dict[str, str]) -> None:
    """A corrected file that is replaced by the first one again would not be noticed."""
    changed["FUNNEL_SETTLE_SECONDS"] = "0"
    deliver(changed)
    _, first = look(changed, None)
    added = deliver(changed, "b.csv")
    _, second = look(changed, first)
    added.unlink()
    answer, third = look(changed, second)
    assert isinstance(answer, dg.RunRequest)
    assert third == first


def test_unsettled_and_unreadable_landings_are_waited_for(changed: dict[str, str]) -> None:
    """The sensor would fail every half minute, or start a run that must fail."""
    changed["FUNNEL_SETTLE_SECONDS"] = "86400"
    deliver(changed)
    answer, cursor = look(changed, None)
    assert isinstance(answer, dg.SkipReason)
    assert "generic/events/a.csv" in (answer.skip_message or "")
    assert not cursor
    changed["FUNNEL_LANDING"] = "/nowhere"
    answer, _ = look(changed, None)
    assert isinstance(answer, dg.SkipReason)
    assert "found nothing at /nowhere" in (answer.skip_message or "")
