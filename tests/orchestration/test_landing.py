"""Which files of the landing are deliveries, and what their paths say."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orchestration.declarations import Source
from orchestration.landing import (
    is_settled,
    landing_signature,
    list_landing,
    path_date,
)
from tests.orchestration.deliveries import CRM, ONE_EVENT, Company

SECOND = 1_000_000_000


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, [CRM, Source("old", False, "generic", "UTC", "occurred")])


def test_files_of_all_formats_are_listed_in_the_order_of_their_paths(company: Company) -> None:
    """A format is overlooked, or rows come in whatever order the folder has."""
    files = [
        "crm/events/2024-02-01/part.jsonl",
        "crm/events/B.CSV",
        "crm/events/a.csv.gz",
        "crm/orders/day=2024-02-02/deep/a [1]*?.parquet",
        "crm/orders/it's.jsonl.gz",
    ]
    for file in reversed(files):
        company.deliver(file, ONE_EVENT)

    listing = list_landing(company.landing, company.sources)

    assert [
        (file.file, file.source, file.table_name, file.file_format, file.is_gzipped, file.path_date)
        for file in listing.files
    ] == [
        (files[0], "crm", "events", "jsonl", False, date(2024, 2, 1)),
        (files[1], "crm", "events", "csv", False, None),
        (files[2], "crm", "events", "csv", True, None),
        (files[3], "crm", "orders", "parquet", False, date(2024, 2, 2)),
        (files[4], "crm", "orders", "jsonl", True, None),
    ]
    assert listing.unrecognised == ()
    assert listing.errors == ()


def test_names_with_signs_of_patterns_are_loaded_as_they_are(tmp_path: Path) -> None:
    """A file called `a*.csv` is read together with all that begin with an a."""
    company = Company(tmp_path)
    company.deliver("crm/events/a*.csv", ONE_EVENT)
    company.deliver("crm/events/a1.csv", ONE_EVENT + "2024-02-01,visit,u2\n")
    company.deliver("crm/events/it's [1]?.csv", ONE_EVENT + "2024-02-01,visit,u3\n")
    company.deliver("crm/events/day=2024-02-02/a.csv", ONE_EVENT + "2024-02-01,visit,u4\n")

    summary = company.load()

    assert not summary.errors
    assert company.query(
        "select _file, count(*), max(_extra) from raw_generic.events group by all order by all"
    ) == [
        ("crm/events/a*.csv", 1, None),
        ("crm/events/a1.csv", 2, None),
        ("crm/events/day=2024-02-02/a.csv", 2, None),
        ("crm/events/it's [1]?.csv", 2, None),
    ]


def test_what_is_hidden_or_disabled_is_ignored(company: Company) -> None:
    """Half-written files that a tool hides are loaded, or a source that was switched off."""
    for file in [
        "_archive/events/a.csv",
        ".trash/events/a.csv",
        "crm/_old/a.csv",
        "crm/events/.a.csv.part",
        "crm/events/_SUCCESS",
        "crm/events/_tmp/a.csv",
        "old/events/a.csv",
    ]:
        company.deliver(file, ONE_EVENT)

    listing = list_landing(company.landing, company.sources)

    assert (listing.files, listing.unrecognised, listing.errors) == ((), (), ())


def test_what_is_not_understood_is_told_with_what_to_do(company: Company) -> None:
    """A misspelt folder or an unknown format is never loaded, and nobody knows."""
    for file in [
        "events.csv",
        "crm/events.csv",
        "crm/event/a.csv",
        "crm/events/a.xlsx",
        "crn/events/a.csv",
    ]:
        company.deliver(file, ONE_EVENT)
    os.mkfifo(company.landing / "crm/events/pipe.csv")

    listing = list_landing(company.landing, company.sources)

    assert listing.files == ()
    assert [str(unrecognised) for unrecognised in listing.unrecognised] == [
        "crm/event/ is not loaded: expected a table of accounts, activities, contacts, events, "
        "field_changes, orders, owners, records, stage_changes",
        "crm/events/a.xlsx is not loaded: expected a name in .csv, .csv.gz, .jsonl, .jsonl.gz, "
        ".parquet",
        "crm/events/pipe.csv is not loaded: expected a file with content of its own",
        "crm/events.csv is not loaded: files lie in crm/<table>/",
        "crn/ is not loaded: name the source in sources.csv if it is to be",
        "events.csv is not loaded: files lie in <source>/<table>/",
    ]


def test_what_is_not_understood_is_in_the_notes_of_the_night(company: Company) -> None:
    """The one who runs the night does not hear of it."""
    company.deliver("crn/events/a.csv", ONE_EVENT)

    assert company.load().notes == (
        "crn/ is not loaded: name the source in sources.csv if it is to be",
        "crm is enabled, and no file of it lies in the landing",
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("events_2024-02-29.csv", date(2024, 2, 29)),
        ("2024-02-29T03-00.csv", date(2024, 2, 29)),
        ("2024-02-29/part-0.csv", date(2024, 2, 29)),
        ("day=2024-02-29/part-0.csv", date(2024, 2, 29)),
        ("2024-02-28/events_2024-02-29.csv", date(2024, 2, 29)),
        ("events_2024-02-01_2024-02-29.csv", date(2024, 2, 29)),
        ("events_2024-02-30.csv", None),
        ("events_20240229.jsonl", date(2024, 2, 29)),
        ("events_intraday_20240229.parquet", date(2024, 2, 29)),
        ("events_20240229_000000000000.jsonl.gz", date(2024, 2, 29)),
        ("shop_events_20240229/000000000000.parquet", date(2024, 2, 29)),
        ("events_20240230.jsonl", None),
        ("events_202402291.jsonl", None),
        ("orders_20240229.csv", None),
        ("20240229.csv", None),
        ("events_2024-2-29.csv", None),
        ("events_12024-02-29.csv", None),
        ("events_2024-02-291.csv", None),
        ("until 2024-02-29 only/part-0.csv", None),
        ("events.csv", None),
    ],
)
def test_a_path_names_the_day_of_delivery_only_by_a_real_date(
    path: str, expected: date | None
) -> None:
    """Numbers in a name date a delivery to a day that nobody meant."""
    assert path_date(path.split("/")) == expected


def test_a_file_is_settled_when_it_was_left_alone_long_enough(company: Company) -> None:
    """A run starts in the middle of a delivery, or never."""
    company.deliver("crm/events/a.csv", ONE_EVENT)
    (file,) = list_landing(company.landing, company.sources).files
    file = replace(file, changed_ns=100 * SECOND, modified_ns=0)

    assert not is_settled(file, 159 * SECOND, settle_seconds=60)
    assert is_settled(file, 160 * SECOND, settle_seconds=60)
    assert is_settled(file, 100 * SECOND, settle_seconds=0)


def test_the_signature_of_the_landing_changes_with_each_file(company: Company) -> None:
    """New files do not start a run, or the same files start one again and again."""

    def signature() -> str:
        return landing_signature(list_landing(company.landing, company.sources).files)

    company.deliver("crm/events/a.csv", ONE_EVENT)
    first, again = signature(), signature()
    company.deliver("crm/events/b.csv", ONE_EVENT)
    added = signature()
    (company.landing / "crm/events/b.csv").unlink()
    removed = signature()

    assert first == again == removed
    assert added != first
