"""The same seed gives the same files, and the future changes nothing in the past."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from simulation import company
from simulation.__main__ import main
from simulation.company import SimulationError, generate
from simulation.parameters import CLEAN, Parameters

SMALL = Parameters(visitors_per_day=40)
START = date(2025, 10, 20)
TABLES = {
    "accounts": ".csv",
    "activities": ".jsonl.gz",
    "contacts": ".parquet",
    "events": ".parquet",
    "field_changes": ".csv",
    "orders": ".jsonl",
    "owners": ".csv.gz",
    "records": ".csv",
    "stage_changes": ".csv.gz",
}


def contents(landing: Path, days: Sequence[str] | None = None) -> dict[str, str]:
    """Hash of each delivered file by its path, of all days or of some."""
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in landing.glob("generic/*/*")
        if days is None or path.name[:10] in days
    }


def write(landing: Path, days: int, seed: int = 7, parameters: Parameters = SMALL) -> Path:
    """Extracts of some days in a landing folder."""
    generate(landing, start=START, days=days, seed=seed, parameters=parameters)
    return landing


def test_every_table_is_delivered_in_its_format(tmp_path: Path) -> None:
    """A reader of the warehouse that no table needs would go untested."""
    found = contents(write(tmp_path, 30))
    endings = {path.split("/")[1]: path.split("/")[2][10:] for path in found}
    assert endings == TABLES
    assert not list(tmp_path.rglob("*unfinished*"))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """A file that differs by itself would be loaded again every night."""
    first = contents(write(tmp_path / "first", 10))
    assert first == contents(write(tmp_path / "second", 10))
    other = contents(write(tmp_path / "other", 10, seed=8))
    assert first != other


@pytest.mark.parametrize("visitors_at_once", [150_000, 120])
def test_a_day_does_not_change_when_more_days_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visitors_at_once: int
) -> None:
    """A past that depends on the future would restate every release."""
    monkeypatch.setattr(company, "_VISITORS_AT_ONCE", visitors_at_once)
    short = contents(write(tmp_path / "short", 14))
    long = contents(write(tmp_path / "long", 25))
    days = [f"2025-10-{day}" for day in range(20, 32)] + ["2025-11-01", "2025-11-02"]
    assert short == contents(tmp_path / "long", days)
    assert len(long) > len(short) > 50


def test_days_that_are_added_are_those_of_a_company_written_at_once(tmp_path: Path) -> None:
    """Added days that continue another history would break journeys in two."""
    grown = write(tmp_path / "grown", 9)
    before = {path: path.stat().st_mtime_ns for path in grown.glob("generic/*/*")}
    made = generate(grown, start=START, days=16, seed=7, parameters=SMALL)
    assert (made.first, made.days) == (date(2025, 10, 29), 7)
    assert contents(grown) == contents(write(tmp_path / "whole", 16))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_days_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    """A second call would touch every file, and the sensor would start a night."""
    write(tmp_path, 5)
    assert generate(tmp_path, start=START, days=5, seed=7, parameters=SMALL).days == 0


def test_an_interrupted_call_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a delivery that passes for a whole one would be published."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(company, "_move", stop)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "landing", 6)
    assert contents(tmp_path / "landing") == {}
    assert contents(write(tmp_path / "landing", 6)) == contents(write(tmp_path / "whole", 6))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 8}, "another seed: expected 8, found 7"),
        ({"start": date(2025, 10, 21)}, "another start: expected '2025-10-21'"),
        ({"parameters": Parameters(visitors_per_day=41)}, "visitors_per_day 41"),
        ({"parameters": Parameters(visitors_per_day=40, dirt=CLEAN)}, "another parameters"),
    ],
)
def test_another_company_is_refused_by_name(
    tmp_path: Path, changes: dict[str, object], named: str
) -> None:
    """Two companies in one landing would be merged into one that has no truth."""
    write(tmp_path, 3)
    asked = {"start": START, "days": 4, "seed": 7, "parameters": SMALL} | changes
    with pytest.raises(SimulationError, match=named):
        generate(tmp_path, **asked)  # type: ignore[arg-type]


def test_parameters_survive_their_file() -> None:
    """Days are added with the parameters that were read back."""
    parameters = Parameters(visitors_per_day=12.5, dirt=CLEAN)
    assert Parameters.from_json(parameters.to_json()) == parameters


def test_the_command_adds_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More days are asked for without repeating how the company was made."""
    landing = str(tmp_path / "landing")
    first = ["--start", "2025-10-20", "--days", "4", "--seed", "7", "--visitors-per-day", "40"]
    assert main(["--landing", landing, *first]) == 0
    assert "Wrote 4 days from 2025-10-20" in capsys.readouterr().out
    assert main(["--landing", landing, "--more-days", "2"]) == 0
    assert "Wrote 2 days from 2025-10-24" in capsys.readouterr().out
    assert contents(tmp_path / "landing") == contents(write(tmp_path / "whole", 6))


def test_the_command_refuses_more_days_of_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped folder would otherwise get a second company."""
    assert main(["--landing", str(tmp_path), "--more-days", "2"]) == 1
    assert "Write the first days with --days" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
