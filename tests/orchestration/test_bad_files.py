"""Files that are refused: each by its own name, and without harm to the other sources."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

import orchestration.raw
from orchestration.acceptance import Acceptance, accept_file
from orchestration.contents import Contents, read_contents
from orchestration.landing import LandingError, LandingFile
from orchestration.raw import LoadSummary
from orchestration.refusals import (
    ChangedFileError,
    DamagedFileError,
    DeliveryError,
    DuplicateColumnError,
    EmptyFileError,
    MissingColumnError,
    MixedLineEndsError,
    RetypedColumnError,
    UnclosedQuoteError,
    UnreadablePathError,
    VanishedFileError,
    WrongDelimiterError,
    WrongEncodingError,
)
from tests.orchestration.deliveries import CRM, EVENTS_HEADER, ONE_EVENT, WEB, Company

TWO_EVENTS = ONE_EVENT + "2024-02-01 11:00:00,cart,u1\n"
ORDERS_HEADER = "order_id,ordered_at,amount,user_id\n"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def refused_files() -> dict[str, tuple[str, str | bytes, type[DeliveryError], list[str]]]:
    """By name of the mistake: file, content, error and what the message must say."""
    gzipped = gzip.compress(TWO_EVENTS.encode() * 500)
    flipped = bytearray(gzipped)
    flipped[-5] ^= 0xFF
    rows = "".join(f"2024-02-01,visit,u{number}\n" for number in range(200))
    return {
        "empty": ("events/a.csv", "", EmptyFileError, ["found no content"]),
        "empty gzip": ("events/a.csv.gz", gzip.compress(b""), EmptyFileError, ["no content"]),
        "empty JSON Lines": ("events/a.jsonl", "", EmptyFileError, ["found no content"]),
        "JSON Lines of blank lines": ("events/a.jsonl", "\n\n", EmptyFileError, ["no line"]),
        "truncated gzip": (
            "events/a.csv.gz",
            gzipped[: len(gzipped) // 2],
            DamagedFileError,
            ["stops in the middle", "Deliver it again"],
        ),
        "gzip without its end": (
            "events/a.jsonl.gz",
            gzip.compress(b'{"a": 1}')[:-8],
            DamagedFileError,
            ["stops in the middle"],
        ),
        "gzip with a wrong checksum": (
            "events/a.csv.gz",
            bytes(flipped),
            DamagedFileError,
            ["a gzip stream that is broken"],
        ),
        "no gzip": ("events/a.csv.gz", ONE_EVENT, DamagedFileError, ["a whole gzip stream"]),
        "no Parquet": ("events/a.parquet", "hello", DamagedFileError, ["a parquet file"]),
        "no JSON": ("events/a.jsonl", "visit u1\n", DamagedFileError, ["one JSON object a line"]),
        "column missing": (
            "events/a.csv",
            "event_name,user_id\nvisit,u1\n",
            MissingColumnError,
            ["column occurred_at", "the required column", "found the columns event_name, user_id"],
        ),
        "column renamed": (
            "events/a.csv",
            "occured_on,event_name,user_id,channel\n2024-02-01,visit,u1,ads\n",
            MissingColumnError,
            ["occured_on may be its new name: deliver it as occurred_at."],
        ),
        "column renamed beyond likeness": (
            "events/a.csv",
            "wann,event_name,user_id\n2024-02-01,visit,u1\n",
            MissingColumnError,
            ["wann may be its new name: deliver it as occurred_at."],
        ),
        "column missing in JSON Lines": (
            "events/a.jsonl",
            '{"event_name": "visit", "user_id": "u1"}\n',
            MissingColumnError,
            ["column occurred_at"],
        ),
        "both alternatives missing": (
            "events/a.csv",
            "occurred_at,event_name,session_id\n2024-02-01,visit,s1\n",
            MissingColumnError,
            ["column user_id or anonymous_id"],
        ),
        "several columns missing": (
            "events/a.csv",
            "session_id\ns1\n",
            MissingColumnError,
            ["column occurred_at", "Missing too: event_name, user_id or anonymous_id."],
        ),
        "column twice": (
            "events/a.csv",
            "occurred_at,event_name,user_id,userId\n2024-02-01,visit,u1,u2\n",
            DuplicateColumnError,
            ["column user_id", "'user_id' and 'userId'"],
        ),
        "column retyped": (
            "events/a.csv",
            EVENTS_HEADER + "01/02/2024,visit,u1\n02/02/2024,visit,u2\n",
            RetypedColumnError,
            [
                "column occurred_at",
                "expected a timestamp such as",
                "for example '99/99/9999' (letters as a, digits as 9)",
            ],
        ),
        "decimal commas throughout": (
            "orders/a.csv",
            ORDERS_HEADER + 'o1,2024-02-01,"12,50",u1\no2,2024-02-02,"7,00",u2\n',
            RetypedColumnError,
            ["column amount", "expected a number such as 1234.56", "for example '99,99'"],
        ),
        "semicolons": (
            "events/a.csv",
            ONE_EVENT.replace(",", ";"),
            WrongDelimiterError,
            ["columns separated by ','", "a header separated by ';'"],
        ),
        "tabs": (
            "events/a.csv",
            ONE_EVENT.replace(",", "\t"),
            WrongDelimiterError,
            ["a header separated by '\\t'"],
        ),
        "UTF-16": ("events/a.csv", ONE_EVENT.encode("utf-16"), WrongEncodingError, ["UTF-8"]),
        "header in Latin-1": (
            "events/a.csv",
            "occurred_at,event_name,user_id,größe\n".encode("latin-1"),
            WrongEncodingError,
            ["a header in UTF-8"],
        ),
        "blank first line": (
            "events/a.csv",
            "\n" + ONE_EVENT,
            MissingColumnError,
            ["no header in the first line"],
        ),
        "mixed line ends": (
            "events/a.csv",
            EVENTS_HEADER + "2024-02-01,visit,u1\r\n2024-02-01,visit,u2\n",
            MixedLineEndsError,
            ["one kind of line end"],
        ),
        "quote never closed": (
            "events/a.csv",
            EVENTS_HEADER + '2024-02-01,visit,u0\n2024-02-01,"visit,u1\n' + rows,
            UnclosedQuoteError,
            ["at about row 2", "swallows the rows behind it"],
        ),
    }


MISTAKES = {name.replace(" ", "_"): mistake for name, mistake in refused_files().items()}


@dataclass(frozen=True)
class BadNight:
    """A night in which each mistake was made by a source of its own, and `web` made none."""

    company: Company
    summary: LoadSummary


@pytest.fixture(scope="module")
def bad_night(tmp_path_factory: pytest.TempPathFactory) -> BadNight:
    sources = [replace(CRM, source=name) for name in MISTAKES]
    company = Company(tmp_path_factory.mktemp("bad_night"), [*sources, WEB])
    company.deliver("web/events/good.csv", ONE_EVENT)
    for name, (file, content, _, _) in MISTAKES.items():
        company.deliver(f"{name}/events/good.csv", ONE_EVENT)
        company.deliver(f"{name}/{file}", content)
    return BadNight(company, company.load())


@pytest.mark.parametrize("name", MISTAKES)
def test_a_bad_file_is_refused_by_the_name_of_its_mistake(bad_night: BadNight, name: str) -> None:
    """A broken export is published as if it were whole, or nobody can tell what is wrong."""
    file, _, error_type, said = MISTAKES[name]

    (error,) = bad_night.summary.errors[name]

    assert type(error) is error_type
    for text in [f"{name}/{file}", "expected ", ", found ", *said]:
        assert text in str(error)
    assert bad_night.company.query(
        f"select file, refused_reason, is_current from raw.loads where source = '{name}'"
    ) == [(f"{name}/{file}", str(error), False)]


def test_a_bad_file_stops_all_of_its_source_and_no_other(bad_night: BadNight) -> None:
    """Half a source is published, or one broken export keeps the others' from being loaded."""
    assert sorted(bad_night.summary.errors) == sorted(MISTAKES)
    assert bad_night.company.query("select _file from raw_generic.events") == [
        ("web/events/good.csv",)
    ]
    assert bad_night.company.query(
        "select file, is_current from raw.loads where status = 'loaded'"
    ) == [("web/events/good.csv", True)]


@pytest.mark.parametrize("damage", ["cut off", "bad page"])
def test_a_parquet_file_is_named_wherever_it_is_damaged(
    company: Company, tmp_path: Path, damage: str
) -> None:
    """Damage behind the first bytes gets through, or ends the night with an error of DuckDB."""
    path = tmp_path / "whole.parquet"
    duckdb.execute(f"copy (select 'o' || i as owner_id from range(1000) t(i)) to '{path}'")
    whole = path.read_bytes()
    damaged = {
        "cut off": whole[: len(whole) // 2],
        "bad page": whole[:200] + bytes(200) + whole[400:],
    }
    company.deliver("crm/owners/a.parquet", damaged[damage])

    (error,) = company.load().errors["crm"]

    assert type(error) is DamagedFileError
    assert str(error).startswith("crm/owners/a.parquet: expected a parquet file, found what cannot")


def test_rows_that_a_quote_swallows_across_the_buffers_of_the_reader_are_missed(
    company: Company,
) -> None:
    """DuckDB drops a hundred thousand rows and tells of one innocent row only."""
    row = "2024-02-01 10:00:00,visit,a user with a rather long name\n"
    company.deliver(
        "crm/events/a.csv",
        EVENTS_HEADER + row * 100_000 + '2024-02-01,"visit,u1\n' + row * 500_000,
    )

    assert [type(error) for error in company.load().errors["crm"]] == [UnclosedQuoteError]


def test_all_mistakes_of_a_night_are_told_at_once(company: Company) -> None:
    """A night is lost for each mistake, as the first one hides the others."""
    company.deliver("crm/events/a.csv", "")
    company.deliver("crm/events/b.csv", ONE_EVENT.replace(",", ";"))
    company.deliver("crm/orders/c.csv", "order_id\no1\n")

    summary = company.load()

    assert [error.reason for error in summary.errors["crm"]] == [
        "empty_file",
        "wrong_delimiter",
        "missing_column",
    ]


def test_a_file_that_disappears_before_it_is_read_is_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery that is moved away during the night ends it for all sources."""
    company.deliver("crm/events/a.csv", ONE_EVENT)
    company.deliver("crm/events/b.csv", TWO_EVENTS)
    company.deliver("web/events/a.csv", ONE_EVENT)

    def read_when_gone(file: LandingFile) -> Contents:
        if file.file == "crm/events/a.csv":
            file.path.unlink()
        return read_contents(file)

    monkeypatch.setattr(orchestration.raw, "read_contents", read_when_gone)

    summary = company.load()

    (error,) = summary.errors["crm"]
    assert type(error) is VanishedFileError
    assert str(error).startswith("crm/events/a.csv: expected the file that was listed, found none")
    assert company.query("select _file from raw_generic.events") == [("web/events/a.csv",)]


def test_a_file_that_disappears_between_hashing_and_reading_is_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB's word for a missing file is taken for damage."""
    company.deliver("crm/events/a.csv", ONE_EVENT)

    def accept_when_gone(connection: Any, file: LandingFile, *rest: Any) -> Acceptance:
        file.path.unlink()
        return accept_file(connection, file, *rest)

    monkeypatch.setattr(orchestration.raw, "accept_file", accept_when_gone)

    assert [type(error) for error in company.load().errors["crm"]] == [VanishedFileError]


def test_a_file_that_is_written_to_while_it_is_read_is_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a delivery is kept under the hash of the other half."""
    company.deliver("crm/events/a.csv", ONE_EVENT)

    def accept_when_longer(connection: Any, file: LandingFile, *rest: Any) -> Acceptance:
        with file.path.open("a") as stream:
            stream.write("2024-02-01,visit,u2\n")
        return accept_file(connection, file, *rest)

    monkeypatch.setattr(orchestration.raw, "accept_file", accept_when_longer)
    first = company.load()
    monkeypatch.undo()
    second = company.load()

    assert [type(error) for error in first.errors["crm"]] == [ChangedFileError]
    assert not second.errors
    assert company.query("select user_id from raw_generic.events order by all") == [
        ("u1",),
        ("u2",),
    ]


def test_a_file_that_may_not_be_read_is_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong right on one file ends the night with a traceback."""
    company.deliver("crm/events/a.csv", ONE_EVENT)
    company.deliver("web/events/a.csv", ONE_EVENT)
    path_open = Path.open

    def open_or_deny(self: Path, *args: Any, **options: Any) -> object:
        if self.parts[-3:] == ("crm", "events", "a.csv"):
            raise PermissionError(13, "Permission denied", str(self))
        return path_open(self, *args, **options)

    monkeypatch.setattr(Path, "open", open_or_deny)

    summary = company.load()

    (error,) = summary.errors["crm"]
    assert type(error) is UnreadablePathError
    assert "crm/events/a.csv: expected a file that can be read, found permission denied" in str(
        error
    )
    assert [load.file for load in summary.loads] == ["web/events/a.csv"]


def test_a_source_folder_that_may_not_be_read_is_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that cannot be listed is taken for one that delivered nothing."""
    company.deliver("crm/events/a.csv", ONE_EVENT)
    company.deliver("web/events/a.csv", ONE_EVENT)
    scandir = os.scandir

    def scan_or_deny(folder: Any) -> object:
        if folder == company.landing / "crm":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan_or_deny)

    summary = company.load()

    assert [type(error) for error in summary.errors["crm"]] == [UnreadablePathError]
    assert [load.file for load in summary.loads] == ["web/events/a.csv"]


def test_a_landing_that_is_not_there_is_named_with_what_to_do(company: Company) -> None:
    """A misspelt setting looks like a night without deliveries."""
    company.landing.rmdir()

    with pytest.raises(LandingError, match=r"FUNNEL_LANDING: expected a folder.*Create it, or"):
        company.load()


def test_a_landing_that_is_a_file_is_named_with_what_to_do(company: Company) -> None:
    """A misspelt setting ends the night with a traceback."""
    company.landing.rmdir()
    company.landing.write_text("")

    with pytest.raises(LandingError, match=r"found a file at .*Point FUNNEL_LANDING"):
        company.load()


def test_a_landing_that_may_not_be_read_is_named_with_what_to_do(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong right looks like a night without deliveries."""

    def deny(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", deny)

    with pytest.raises(LandingError, match=r"was denied .*Give the user of the nightly run"):
        company.load()


def test_a_failure_of_the_machine_is_not_blamed_on_the_file(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk refuses good files, which then count as bad ones in the ledger."""
    company.deliver("crm/events/a.csv", ONE_EVENT)

    def accept_without_room(*given: Any) -> Acceptance:
        folder, name = given[4:6]
        (folder / f"{name}.staged.parquet").mkdir()  # so that DuckDB cannot write there
        return accept_file(*given)

    monkeypatch.setattr(orchestration.raw, "accept_file", accept_without_room)
    with pytest.raises(duckdb.IOException):
        company.load()
    monkeypatch.undo()

    assert not company.load().errors
