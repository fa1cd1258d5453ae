"""What a night notes: of changed files, of new names, and in its summary.

That every kind of drift is noted for every table is in `test_drift`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.name_notes import MOST_NAMES, name_notes
from orchestration.notes import keep_notes, notes_of
from orchestration.published_tables import published_tables
from orchestration.summary import Failure, failure_text
from tests.orchestration.deliveries import (
    EVENTS_HEADER,
    FIRST_NIGHT,
    SECOND_NIGHT,
    Company,
)
from tests.orchestration.nights import EVENTS, Nights, nights, parsed
from tests.orchestration.tiny_builds import (
    VISITS,
    manifest,
    model,
    publish_mark,
    settings_for,
    write_build,
)

__all__ = ["nights", "parsed"]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_files_of_one_night_are_held_against_each_other(company: Company) -> None:
    """A backfill of a year is loaded at once, and what changed within it is never told."""
    company.deliver("crm/records/2024-02-01.csv", "record_id,stage,amount,tier\nr1,new,1,a\n")
    company.deliver("crm/records/2024-02-02.csv", "record_id,amount,stage,tier\nr1,1,new,a\n")
    company.deliver("crm/records/2024-02-03.csv", "record_id,stage,class\nr1,won,a\n")
    company.deliver("crm/records/2024-02-04.csv", "record_id,stage,class\nr1,lost,a\n")

    notes = [note for note in company.load().notes if note.startswith("crm/records")]

    assert notes == [
        "crm/records: new columns class, tier; they are kept, and can be declared as segments",
        "crm/records: columns are in another order in crm/records/2024-02-02.csv; they are read "
        "by their names",
        "crm/records: column amount, delivered before, is not in crm/records/2024-02-03.csv",
        "crm/records: column tier, delivered before, is not in crm/records/2024-02-03.csv",
    ]


def test_several_kinds_of_files_in_a_folder_are_each_held_against_their_own(
    company: Company,
) -> None:
    """Two exports into one table are told to lose each other's columns, night for night."""
    for day, now in ("2024-02-01", FIRST_NIGHT), ("2024-02-02", SECOND_NIGHT):
        row = f"{day} 10:00:00,visit,u1,x\n"
        company.deliver(f"crm/events/app_{day}.csv", f"{EVENTS_HEADER.strip()},screen\n{row}")
        company.deliver(f"crm/events/web_{day}.csv", f"{EVENTS_HEADER.strip()},page\n{row}")
        summary = company.load(now)

    assert [note for note in summary.notes if note.startswith("crm/events")] == []


def test_what_is_missing_is_noted_without_the_rest_of_its_row(company: Company) -> None:
    """Names of people stand in the log of the night."""
    company.deliver("crm/contacts/a.csv", "contact_id,name\n,Ann Archer\n,Bob Bowman\n")

    (note,) = [note for note in company.load().notes if note.startswith("crm/contacts")]

    assert note == (
        "crm/contacts: 2 of 2 rows of crm/contacts/a.csv are quarantined for column contact_id: "
        "expected a value"
    )


NAMES = model(
    "unmatched_names",
    "marts/core",
    {"evidence_type": "varchar", "evidence_name": "varchar", "evidence_rows": "bigint"},
    ["evidence_type", "evidence_name"],
)


def unmatched(*names: str) -> str:
    """A statement that makes the table of these names, each `type name rows`."""
    rows = ", ".join("('{}', '{}', {}::bigint)".format(*name.split()) for name in names)
    columns = "evidence_type, evidence_name, evidence_rows"
    return f"create table core.unmatched_names as select * from (values {rows}) as t ({columns})"


def test_names_that_no_rule_knows_are_noted_when_they_are_new(tmp_path: Path) -> None:
    """A stage is renamed, and its deals are in no funnel until somebody wonders."""
    settings = settings_for(tmp_path)
    tables = published_tables(manifest(VISITS, NAMES))
    # The first release has nothing before it, and all its names are in the table.
    write_build(settings.build, 1, [unmatched("event scroll 9")])
    assert name_notes(settings) == ()
    publish_mark(settings, 1, tables, [unmatched("event scroll 9", "opportunity_stage Offer 2")])

    names = ["event scroll 12", "event Offer 1", "opportunity_stage Quote 3"]
    write_build(settings.build, 2, [unmatched(*names)])

    assert name_notes(settings) == (
        "no rule knows the opportunity stage 'Quote' of 3 rows, which is new among the "
        "unmatched_names",
        "no rule knows the event 'Offer' of 1 row, which is new among the unmatched_names",
    )
    many = [f"event e{number} 1" for number in range(MOST_NAMES + 2)]
    write_build(settings.build, 3, [unmatched(*many)])
    assert name_notes(settings)[MOST_NAMES:] == (
        "2 further names are new among the unmatched_names",
    )


def test_notes_are_of_one_run_and_stand_in_its_summary(tmp_path: Path) -> None:
    """Whoever is woken does not see what changed, or sees what changed last week."""
    settings = settings_for(tmp_path)
    keep_notes(settings, "monday", ["a column is gone"])
    keep_notes(settings, "tuesday", ["a stage is new", "客户 is new"])
    keep_notes(settings, "tuesday", ["a stage is new", "an event is new"])
    assert notes_of(settings, "monday") == ()

    text = failure_text(settings, Failure("gate_core", "Too few visits."), "tuesday")

    assert "\n\nNoted\n  a stage is new\n  客户 is new\n  an event is new\n\n" in text
    assert "Noted" not in failure_text(settings, Failure("gate_core", "Too few."), "monday")


def test_a_night_tells_and_keeps_its_notes(nights: Nights) -> None:
    """Notes are made, and nobody hears of them."""
    nights.run()
    events = EVENTS.replace("2026-01-01", "2026-01-02").replace("cart", "scroll")
    header, *rows = events.splitlines()
    lines = [f"{header},plan", *(f"{row},pro" for row in rows)]
    nights.deliver("shop/events/2026-01-02.csv", "\n".join(lines) + "\n")
    nights.lines.clear()

    run = nights.run()

    assert run.success
    column = "shop/events: new columns plan; they are kept, and can be declared as segments"
    name = "no rule knows the event 'scroll' of 1 row, which is new among the unmatched_names"
    assert notes_of(nights.settings, run.run_id)[-2:] == (column, name)
    told = re.sub(" +", " ", "\n".join(nights.lines)).splitlines()
    assert told.count(f"raw note: {column}") == told.count(f"core note: {name}") == 1
