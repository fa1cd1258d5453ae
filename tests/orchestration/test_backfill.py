"""Web events of some days are read again when somebody asks, and what is old waits until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from orchestration import raw
from orchestration.__main__ import main
from orchestration.acceptance import accept_file
from orchestration.backfill import (
    BackfillError,
    ask_again,
    changed_subjects,
    first_day,
    read_days,
)
from orchestration.declarations import read
from orchestration.definitions import build_defs
from orchestration.gates import GateResult
from orchestration.ledger import open_ledger
from orchestration.lock import writer_lock
from orchestration.raw import fingerprint
from orchestration.releases import current_release
from orchestration.resources import Warehouse
from tests.orchestration.deliveries import (
    EVENTS_HEADER,
    FIRST_NIGHT,
    SECOND_NIGHT,
    THIRD_NIGHT,
    Company,
)
from tests.orchestration.nights import EVENTS, Nights, nights, parsed, steps_done

__all__ = ["nights", "parsed"]

FOURTH_NIGHT = datetime(2024, 3, 4, 2)


def events_of(day: str, name: str = "visit") -> str:
    return f"{EVENTS_HEADER}{day} 10:00:00,{name},u1\n"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company whose first night loaded the events of three days."""
    made = Company(tmp_path)
    for day in ("2024-02-01", "2024-02-02", "2024-02-20"):
        made.deliver(f"web/events/{day}.csv", events_of(day))
    made.deliver("crm/owners/2024-02-02.csv", "owner_id,owner_name\no1,One\n")
    made.load(FIRST_NIGHT)
    return made


def current_events(company: Company) -> list[tuple[Any, ...]]:
    return company.query(
        "select _file, event_name from raw_generic.events where _is_current order by all"
    )


def test_files_of_the_days_are_read_again_once_and_count_once(company: Company) -> None:
    """A file that was read wrongly would stay as it is until somebody delivers it changed."""
    before, known = current_events(company), fingerprint(company.settings, company.sources)
    asked = ask_again(company.settings, company.sources, date(2024, 2, 1), date(2024, 2, 2))
    assert str(asked) == (
        "2 files of web events will be read again, 2024-02-01 to 2024-02-02 (2 days have files)"
    )
    again = company.load(SECOND_NIGHT)
    assert [load.file for load in again.loads] == [
        "web/events/2024-02-01.csv",
        "web/events/2024-02-02.csv",
    ]
    assert current_events(company) == before
    # Else the night would find nothing new, and publish nothing.
    assert fingerprint(company.settings, company.sources) != known
    assert company.load(THIRD_NIGHT).loads == ()


def test_what_was_asked_for_is_done_by_the_next_run_if_this_one_dies(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backfill that was killed would look as if it had been done."""
    before = current_events(company)
    ask_again(company.settings, company.sources, date(2024, 2, 1), date(2024, 2, 20))
    accept, left = accept_file, [2]

    def dying(*arguments: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return accept(*arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(raw, "accept_file", dying)
        company.load(SECOND_NIGHT)
    assert current_events(company) == before
    assert len(company.load(THIRD_NIGHT).loads) == 3
    assert current_events(company) == before


def test_what_is_older_than_the_lookback_waits_until_it_is_asked_for(company: Company) -> None:
    """A file of last year would restate what was reported, or never be taken in."""
    company.settings = replace(company.settings, lookback_days=10)
    company.deliver("web/events/2024-02-01.csv", events_of("2024-02-01", "changed"))
    company.deliver("web/events/2024-02-05.csv", events_of("2024-02-05", "late"))
    company.deliver("web/events/2024-02-10.csv", events_of("2024-02-10", "in time"))
    company.deliver("crm/owners/2024-01-01.csv", "owner_id,owner_name\no2,Two\n")
    found = company.load(SECOND_NIGHT)
    assert [load.file for load in found.loads] == [
        "crm/owners/2024-01-01.csv",
        "web/events/2024-02-10.csv",
    ]
    (note,) = [note for note in found.notes if "LOOKBACK" in note]
    assert note == (
        "2 new or changed files of events are older than FUNNEL_LOOKBACK_DAYS and not loaded, as "
        "web/events/2024-02-01.csv; `make backfill FROM=2024-02-01 TO=2024-02-05` loads them"
    )
    ask_again(company.settings, company.sources, date(2024, 2, 5), date(2024, 2, 5))
    assert [load.file for load in company.load(THIRD_NIGHT).loads] == ["web/events/2024-02-05.csv"]
    company.deliver("web/events/2024-02-05.csv", events_of("2024-02-05", "later still"))
    last = company.load(FOURTH_NIGHT)
    assert last.loads == ()
    assert any("TO=2024-02-05" in note for note in last.notes)
    assert ("web/events/2024-02-05.csv", "late") in current_events(company)
    assert ("web/events/2024-02-01.csv", "visit") in current_events(company)


def test_repaired_file_of_long_ago_gives_what_a_new_warehouse_gives(tmp_path: Path) -> None:
    """A backfill would leave rows of what it replaces, or keep them in quarantine."""
    old, new = Company(tmp_path / "old"), Company(tmp_path / "new")
    old.settings = replace(old.settings, lookback_days=5)
    sound = f"{EVENTS_HEADER}2023-11-01 10:00:00,visit,u1\n2023-11-01 11:00:00,cart,u1\n"
    old.deliver("web/events/2023-11-01.csv", sound.replace("2023-11-01 10:00:00", "at ten"))
    for company in (old, new):
        company.deliver("web/events/2024-02-20.csv", events_of("2024-02-20"))
    old.load(FIRST_NIGHT)
    for company in (old, new):
        company.deliver("web/events/2023-11-01.csv", sound)
    assert old.load(SECOND_NIGHT).loads == ()
    ask_again(old.settings, old.sources, date(2023, 11, 1), date(2023, 11, 1))
    old.load(THIRD_NIGHT)
    new.load(FIRST_NIGHT)

    rows = """
        select _file, _row, occurred_at, event_name, user_id, _delivered_at
        from raw_generic.events
        where _is_current
        order by all
    """
    assert len(new.query(rows)) == 3
    assert old.query(rows) == new.query(rows)
    in_quarantine = "select count(*) from raw.loads where is_current and rows_quarantined > 0"
    assert old.query(in_quarantine) == [(0,)]


def test_a_first_night_loads_all_that_is_there(tmp_path: Path) -> None:
    """With a lookback, a new warehouse would begin without its history."""
    company = Company(tmp_path)
    company.settings = replace(company.settings, lookback_days=1)
    for day in ("2023-02-01", "2024-02-02"):
        company.deliver(f"web/events/{day}.csv", events_of(day))
    assert len(company.load(FIRST_NIGHT).loads) == 2


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2024-02-30", "2024-03-01", "FROM: expected a day as 2026-01-31, found '2024-02-30'."),
        ("2024-02-01", "", "TO: expected a day as 2026-01-31, found ''."),
        ("2024-02-02", "2024-02-01", "TO: expected a day from 2024-02-02 on, which is FROM, found"),
    ],
)
def test_days_that_cannot_be_are_refused(first: str, last: str, words: str) -> None:
    """A misspelt day would backfill nothing, or everything."""
    with pytest.raises(BackfillError, match=words):
        read_days(first, last)


def test_days_without_files_are_refused_with_those_that_have_some(company: Company) -> None:
    """Whoever mistypes the year would believe that it was done."""
    with pytest.raises(BackfillError) as refused:
        ask_again(company.settings, company.sources, date(2025, 2, 1), date(2025, 2, 2))
    assert "named for 2025-02-01 to 2025-02-02, found none" in str(refused.value)
    assert "Those that are there are named for 2024-02-01 to 2024-02-20." in str(refused.value)
    with open_ledger(company.settings.ledger) as ledger:
        assert ledger.readings() == {}


def test_while_somebody_else_writes_nothing_is_asked_for(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backfill that was refused would be done by a later night, unasked."""
    for name, value in nights.changed.items():
        monkeypatch.setenv(name, value)
    with writer_lock(nights.settings.home, "run 4711"):
        assert main(["backfill", "--from", "2026-01-01", "--to", "2026-01-01"]) == 1
    assert "found run 4711" in capsys.readouterr().err
    assert not nights.settings.ledger.exists()


def test_readers_keep_their_release_until_a_backfill_has_passed_the_gates(nights: Nights) -> None:
    """Half a backfill would be published, or its rest forgotten."""
    assert nights.run().success
    before = current_release(nights.settings)
    nights.findings["core"] = [
        GateResult("core.volume", "t", "Enough.", "failed", "3 rows", "30 rows", "select 1")
    ]
    assert not nights.run_backfill("2026-01-01", "2026-01-01").success
    assert before is not None
    assert current_release(nights.settings) == before
    nights.findings.clear()
    assert nights.run().success
    after = current_release(nights.settings)
    assert after is not None
    assert after.release_id != before.release_id


def test_changed_subjects_are_counted(company: Company) -> None:
    """Nobody would know whether reading again has changed anything."""
    with duckdb.connect(str(company.settings.build)) as connection:
        connection.execute(
            """
            create schema intermediate;
            create table intermediate.int_touched_subjects as from range(3);
            create table intermediate.int_subject_inputs as from range(1200);
            """
        )
    assert changed_subjects(company.settings) == (
        "The input of 3 of 1,200 subjects of funnels has changed"
    )


def test_days_are_partitions_whose_backfill_is_a_night(nights: Nights) -> None:
    """In Dagster nobody could choose days, or their run would read without building."""
    nights.deliver("shop/events/2026-01-01.csv", EVENTS)
    nights.deliver("shop/events/2026-01-02.csv", EVENTS.replace("2026-01-01", "2026-01-02"))
    assert nights.run().success
    assert first_day(nights.settings, read(nights.settings.seeds).sources) == date(2026, 1, 1)
    nights.lines.clear()
    found = nights.run_backfill("2026-01-01", "2026-01-02")
    assert found.success
    done = steps_done(found)
    assert done.index("web_event_days") < done.index("landing_to_raw")
    assert "release" in done
    assert any("2 of " in line and "files are new" in line for line in nights.lines)
    assert nights.run().success
    assert any("nothing new" in line for line in nights.lines)


def test_days_begin_with_the_first_file(nights: Nights) -> None:
    """The days to choose from would begin where somebody guessed."""
    nights.deliver("shop/events/2026-01-01.csv", EVENTS)
    defs = build_defs(warehouse=Warehouse(changed_settings=nights.changed))
    days = defs.resolve_assets_def("web_event_days").partitions_def
    assert isinstance(days, dg.DailyPartitionsDefinition)
    assert days.get_first_partition_key() == "2026-01-01"
