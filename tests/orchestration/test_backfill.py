"""Web events of some days are read again when somebody asks, and what is old waits until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import raw
from orchestration.acceptance import accept_file
from orchestration.backfill import BackfillError, ask_again, first_day, read_days
from orchestration.declarations import read
from orchestration.definitions import build_defs
from orchestration.ledger import open_ledger
from orchestration.raw import fingerprint
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
